"""Digests of what was read: of the bytes of files, of the content of tables in memory."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import pyarrow as pa

from discovery.errors import SourceError
from discovery.intake.packed import is_packed, unpacked

_CHUNK = 1 << 20


def files_digest(paths: Iterable[Path]) -> str:
    """Return the SHA-256 of the files' bytes, whatever they are called and in whatever order they are given.

    Raises
    ------
    SourceError
        If a file cannot be read, or a compressed one is cut short or damaged.
    """
    digests = sorted(_packed_digest(path) if is_packed(path) else _file_digest(path) for path in paths)
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def table_digest(table: pa.Table) -> str:
    """Return the SHA-256 of an Arrow table's names, types and values."""
    sink = _Hashing()
    bare = table.replace_schema_metadata(None).combine_chunks()
    with pa.PythonFile(sink, mode="w") as target, pa.ipc.new_stream(target, bare.schema) as stream:
        stream.write_table(bare)
    return sink.hash.hexdigest()


def combined(digests: Iterable[str]) -> str:
    """Return one digest for several, in the order given."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _file_digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror}). Check the file and its permissions.") from error


def _packed_digest(path: Path) -> str:
    # DuckDB does not verify the checksums inside a .gz file, so a damaged one would be read as garbage.
    try:
        with path.open("rb") as file:
            passing = _HashingReader(file)
            with unpacked(path, passing) as content:
                while content.read(_CHUNK):
                    pass
            while passing.read(_CHUNK):
                pass
    except OSError as error:
        raise SourceError(
            f"{path} is cut short or damaged: not a readable {path.suffix} file ({error}). Write it again and retry."
        ) from error
    return passing.hash.hexdigest()


class _HashingReader(io.RawIOBase):
    """A file that hashes what is read from it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.hash = hashlib.sha256()
        self._file = file

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        self.hash.update(chunk)
        return chunk


class _Hashing:
    """A file that only hashes what is written to it."""

    closed = False

    def __init__(self) -> None:
        self.hash = hashlib.sha256()

    def write(self, chunk: bytes) -> int:
        self.hash.update(chunk)
        return len(chunk)

    def flush(self) -> None:
        return

    def close(self) -> None:
        return
