"""Files that may be compressed, as streams of what is inside."""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from discovery.errors import SourceError

HEAD = 1 << 20

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
"""How a file is compressed, by the end of its name."""


PARQUET = (".parquet", ".pq", ".parq")
"""Files that are compressed inside, whatever their names say after it, as in `events.parquet.zst`."""


def is_packed(path: Path) -> bool:
    """Say whether a file is compressed as a whole, by its name."""
    return path.suffix.lower() in COMPRESSIONS and Path(path.stem).suffix.lower() not in PARQUET


def unpacked(path: Path, source: Any = None) -> Any:
    """Open a file as a stream of bytes, decompressed where its name says that it is compressed.

    A stream that is cut short or damaged raises OSError when that is reached: checksums are verified.
    """
    return pa.input_stream(source or str(path), compression=COMPRESSIONS.get(path.suffix.lower()))


def first_bytes(path: Path, size: int = HEAD) -> bytes:
    """Return the first bytes of a file, decompressed.

    Raises
    ------
    SourceError
        If it cannot be read.
    """
    try:
        with unpacked(path) as file:
            return bytes(file.read(size))
    except (OSError, EOFError) as error:
        raise SourceError(f"{path.name} cannot be read ({error}). Check the file, or export it again.") from error


def opened_text(path: Path, encoding: str = "utf-8") -> IO[str]:
    """Open a file as text, decompressed; what is not of the encoding is replaced."""
    return io.TextIOWrapper(unpacked(path), encoding=encoding, errors="replace")
