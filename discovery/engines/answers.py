"""What engines answer, made alike: few Arrow types whatever the driver returns, and questions that Ctrl-C ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from threading import Thread
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from discovery.errors import EngineError

T = TypeVar("T")

_PATIENCE = 5.0  # seconds in which an engine is expected to end a cancelled question
_HEARD_WITHIN = 0.2  # seconds until Ctrl-C is heard
_NUMERIC = {b"numeric"}


def plain_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield batches with the few Arrow types that are read from any engine.

    Integers become int32 or int64, other numbers double, decimals int64 where they are whole and double elsewhere,
    text of every kind string, times microseconds, those with a zone in UTC. Lists, structs and bytes stay.

    Parameters
    ----------
    batches
        Record batches of one schema. The first one says whether decimals without a scale are whole.

    Raises
    ------
    EngineError
        If numbers do not fit the type of their column.
    """
    kinds: list[pa.DataType] = []
    for batch in batches:
        stored = [_stored(batch, place) for place in range(batch.num_columns)]
        if not kinds:
            kinds = [_kind(array, _is_numeric(batch.schema.field(place))) for place, array in enumerate(stored)]
        columns = [_cast(*of) for of in zip(stored, kinds, batch.schema.names, strict=True)]
        schema = pa.schema(list(zip(batch.schema.names, kinds, strict=True)))
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def tuples(batches: Iterable[pa.RecordBatch]) -> list[tuple[Any, ...]]:
    """Return the rows of batches as tuples of Python values."""
    return [row for batch in batches for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)]


def interruptible(
    ask: Callable[[], T], cancel: Callable[[], object], meanwhile: Callable[[], object] = lambda: None
) -> T:
    """Return what `ask` returns; on Ctrl-C `cancel` it, and raise KeyboardInterrupt once it has ended.

    A driver that waits in C would hear a signal only when the engine has answered. `meanwhile` is called a few times
    a second until then; an error in it cancels too.
    """
    asked: Future[T] = Future()

    def answer() -> None:
        try:
            asked.set_result(ask())
        except BaseException as error:
            asked.set_exception(error)

    Thread(target=answer, daemon=True).start()
    try:
        # A driver may leave signals such that they do not end a wait: only one that ends by itself hears them.
        while not asked.done():
            if wait([asked], timeout=_HEARD_WITHIN).not_done:
                meanwhile()
        return asked.result()
    except BaseException:
        if not asked.done():
            cancel()
            wait([asked], timeout=_PATIENCE)
        raise


def first_line(error: BaseException | str) -> str:
    """Return the first line of a message that says anything, without a full stop."""
    text = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return text.strip().rstrip(".")


def _stored(batch: pa.RecordBatch, place: int) -> pa.Array:
    array = batch.column(place)
    if isinstance(array, pa.ExtensionArray):
        array = array.storage if not str(array.type).startswith("extension<arrow.uuid") else _uuids(array)
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _uuids(array: pa.ExtensionArray) -> pa.Array:
    return pa.array([None if value is None else str(value) for value in array.to_pylist()], pa.string())


def _is_numeric(field: pa.Field) -> bool:
    # PostgreSQL's numeric comes as text, because it has more digits than any decimal of Arrow.
    return (field.metadata or {}).get(b"ADBC:postgresql:typname") in _NUMERIC


def _kind(array: pa.Array, is_numeric: bool) -> pa.DataType:
    kind, types = array.type, pa.types
    if is_numeric or (types.is_decimal(kind) and kind.scale <= 0):
        return pa.int64() if _fits(array) else pa.float64()
    if types.is_decimal(kind) or types.is_floating(kind):
        return pa.float64()
    if types.is_integer(kind):
        return pa.int64() if kind.bit_width == 64 or kind == pa.uint32() else pa.int32()
    if types.is_large_string(kind) or str(kind) == "string_view":
        return pa.string()
    if types.is_timestamp(kind):
        return pa.timestamp("us", kind.tz and "UTC")
    return kind


def _fits(array: pa.Array) -> bool:
    try:
        array.cast(pa.int64())
    except pa.ArrowInvalid:
        return False
    return True


def _cast(array: pa.Array, kind: pa.DataType, name: str) -> pa.Array:
    try:
        return pc.cast(array, kind, safe=not pa.types.is_timestamp(kind))
    except pa.ArrowInvalid as error:
        raise EngineError(
            f"The column {name!r} does not fit {kind}: {first_line(error)}. Cast it to double precision, or to text."
        ) from error
