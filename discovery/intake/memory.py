"""Tables handed over in memory: pandas, Polars, Arrow and DuckDB relations, all by way of Arrow."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.errors import EngineError, SourceError
from discovery.intake.addresses import is_address
from discovery.intake.databases import Part, open_database
from discovery.intake.digest import table_digest
from discovery.intake.paths import find_files
from discovery.intake.sources import MemoryTable, Source, open_files, unreadable_source


def open_source(
    engine: DuckDBEngine, given: object, role: str, table: str, of: Part | None = None, apart: Sequence[str] = ()
) -> Source:
    """Return what was given (a path, the address of a database, or a table in memory) as a source.

    Parameters
    ----------
    engine
        Where tables in memory are copied to, under the name `table`.
    given
        A path, glob, folder or .zip, an address as in duckdb://crm.duckdb, or a pandas, Polars or Arrow table, or a
        DuckDB relation.
    role
        "events", "accounts", "users" or "persons", for messages.
    table
        Name for a copied table.
    of
        The table or query of a database that is asked for.
    apart
        Paths given for something else, which are not part of a folder that is given here.

    Raises
    ------
    SourceError
        If it cannot be read, or is of no kind that is read.
    """
    part = of or Part()
    if isinstance(given, str) and is_address(given):
        return open_database(engine, given, role, part)
    if part:
        raise SourceError(
            f"A table or query of the {role} is named, but they are not in a database. Name one, as in "
            "duckdb://crm.duckdb, or leave the table and the query out."
        )
    if isinstance(given, str | Path | os.PathLike):
        return open_files(engine, find_files(os.fspath(given), role, engine.temp_directory, apart))
    arrow = _as_arrow(given, role)
    if not arrow.num_columns or not arrow.num_rows:
        raise SourceError(f"The {role} table has no rows. Give one with at least a row.")
    try:
        engine.register(table, arrow)
    except EngineError as error:
        raise unreadable_source(f"The {role} table", error) from error
    described = engine.rows(f"DESCRIBE SELECT * FROM {quoted(table)}")
    return MemoryTable(
        label=f"the {role} table",
        path="",
        columns={str(row[0]): str(row[1]) for row in described},
        name=table,
        sha256=table_digest(arrow),
    )


def _as_arrow(given: Any, role: str) -> pa.Table:
    module = type(given).__module__.partition(".")[0]
    if isinstance(given, pa.Table):
        return given
    if isinstance(given, pa.RecordBatch):
        return pa.Table.from_batches([given])
    if isinstance(given, pa.RecordBatchReader):
        return given.read_all()
    if module == "pandas" and hasattr(given, "columns"):
        return _from_pandas(given)
    if module == "polars" and hasattr(given, "collect"):
        return given.collect().to_arrow()
    if module == "polars" and hasattr(given, "to_arrow") and hasattr(given, "columns"):
        return given.to_arrow()
    if type(given).__name__ == "DuckDBPyRelation":
        return getattr(given, "to_arrow_table", given.fetch_arrow_table)()
    if hasattr(given, "__arrow_c_stream__") and not hasattr(given, "to_frame"):
        return pa.table(given)
    kinds = "a path, a pandas, Polars or Arrow table, or a DuckDB relation"
    raise SourceError(f"The {role} were given as {type(given).__name__}, which cannot be read. Give {kinds}.")


def _from_pandas(frame: Any) -> pa.Table:
    """Return the columns, and the named levels of the index that are no columns, as one table."""
    levels = [i for i, name in enumerate(frame.index.names) if name is not None and name not in frame.columns]
    names = [str(name) for name in frame.columns] + [str(frame.index.names[i]) for i in levels]
    series = [frame.iloc[:, i] for i in range(frame.shape[1])]
    series += [frame.index.get_level_values(i).to_series() for i in levels]
    return pa.table(dict(zip(_unique(names), map(_from_series, series), strict=True)))


def _from_series(series: Any) -> Any:
    if type(series.dtype).__name__ == "PeriodDtype":  # Arrow would take its number of periods since 1970
        series = series.dt.to_timestamp()
    try:
        return pa.Array.from_pandas(series)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        # A column of mixed types: each value as its own text.
        return pa.array([None if missing else str(value) for value, missing in zip(series, series.isna(), strict=True)])


def _unique(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name}_{seen[name] - 1}")
    return out
