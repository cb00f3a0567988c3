"""Answers of an engine, each in a file named after the question and after its own bytes."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from discovery.cache.fingerprint import file_sha256
from discovery.cache.warning import warn

_ARROW, _JSON = ".arrow", ".json"
_PLAIN = (bool, int, float, str)


class Answers:
    """The answers to questions about one kept reading, in a folder of their own.

    A file is called `<question>-<sha256 of its bytes>`, so that it can neither be half-written nor damaged unseen;
    such a one is passed over with a warning, and removed. Where nothing can be written, nothing is kept; nor is it once
    the reading itself was removed.

    Parameters
    ----------
    folder
        Where they lie, in the folder of the reading; made when the first is kept.
    largest
        Bytes beyond which an answer is not kept.
    """

    def __init__(self, folder: Path, largest: int) -> None:
        self._folder = folder
        self._largest = largest

    def batches(self, question: str) -> Iterator[pa.RecordBatch] | None:
        """Return the record batches kept for a question, a digest in hexadecimal; None where there are none."""
        path = self._sound(question, _ARROW)
        with suppress(OSError):
            return None if path is None else _read(pa.OSFile(str(path), "rb"))
        return None

    def rows(self, question: str) -> list[tuple[Any, ...]] | None:
        """Return the rows kept for a question; None where there are none."""
        path = self._sound(question, _JSON)
        with suppress(OSError, ValueError, RecursionError):
            return None if path is None else [tuple(row) for row in json.loads(path.read_bytes())]
        return None

    def keeping(self, question: str, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Pass batches on, and keep them once the last has been asked for."""
        writing: _Writing | None = None
        try:
            for batch in batches:
                writing = writing or _Writing(self._folder, batch.schema, self._largest)
                writing.add(batch)
                yield batch
            if writing is not None:
                writing.finish(question)
        finally:
            if writing is not None:
                writing.abandon()

    def keep_rows(self, question: str, rows: list[tuple[Any, ...]]) -> None:
        """Keep rows, if JSON gives every value of them back as it is."""
        if not all(value is None or type(value) in _PLAIN for row in rows for value in row):
            return
        content = json.dumps(rows).encode()
        with suppress(OSError):
            self._folder.mkdir(exist_ok=True, mode=0o700)
            handle, name = tempfile.mkstemp(prefix=".writing-", dir=self._folder)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(name, self._folder / f"{question}-{hashlib.sha256(content).hexdigest()}{_JSON}")

    def _sound(self, question: str, end: str) -> Path | None:
        for path in self._folder.glob(f"{question}-*{end}"):
            with suppress(OSError):
                if file_sha256(path) == path.stem.rpartition("-")[2]:
                    return path
                warn(f"{path} is damaged and was passed over; the question is asked again.")
                path.unlink()
        return None


class _Writing:
    """One answer on its way to a file; what the disk refuses is not kept, and is no error."""

    def __init__(self, folder: Path, schema: pa.Schema, largest: int) -> None:
        self._folder, self._largest = folder, largest
        self._name = ""
        self._writer: Any = None
        self._sink: Any = None
        with suppress(OSError, pa.ArrowException):
            folder.mkdir(exist_ok=True, mode=0o700)
            handle, self._name = tempfile.mkstemp(prefix=".writing-", dir=folder)
            os.close(handle)
            self._sink = pa.OSFile(self._name, "wb")
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            self._writer = pa.ipc.new_stream(self._sink, schema, options=options)

    def add(self, batch: pa.RecordBatch) -> None:
        if self._writer is None:
            return
        try:
            self._writer.write_batch(batch)
            if self._sink.tell() > self._largest:
                self.abandon()
        except (OSError, pa.ArrowException):
            self.abandon()

    def finish(self, question: str) -> None:
        """Close the file and give it its name, unless it was abandoned."""
        if self._writer is None:
            return
        with suppress(OSError, pa.ArrowException):
            self._close()
            os.replace(self._name, self._folder / f"{question}-{file_sha256(Path(self._name))}{_ARROW}")
            self._name = ""

    def abandon(self) -> None:
        """Remove what was written so far; does nothing after `finish`."""
        with suppress(OSError, pa.ArrowException):
            self._close()
        if self._name:
            with suppress(OSError):
                os.unlink(self._name)
        self._name = ""

    def _close(self) -> None:
        writer, sink = self._writer, self._sink
        self._writer = self._sink = None
        if writer is not None:
            writer.close()
        if sink is not None:
            sink.close()


def _read(file: pa.OSFile) -> Iterator[pa.RecordBatch]:
    with file as source, pa.ipc.open_stream(source) as stream:
        yield from stream
