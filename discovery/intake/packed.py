"""Files that may be compressed, as streams of what is inside."""

from __future__ import annotations

import io
import itertools
import os
import shutil
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from discovery.errors import SourceError

HEAD = 1 << 20

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
"""How a file is compressed, by the end of its name."""

_MAGIC = {b"\x1f\x8b": ".gz", b"\x28\xb5\x2f\xfd": ".zst"}
_COPIES = itertools.count(1)

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


def text_inside(path: Path) -> str:
    """Return the first line of a compressed file, from its first sign that is no space; "" where it is no text."""
    try:
        with pa.input_stream(str(path), compression=COMPRESSIONS.get(true_ending(path))) as file:
            start = bytes(file.read(1 << 14))
    except (OSError, EOFError):
        return ""
    text = start.decode("utf-8-sig", errors="replace").lstrip()
    return "" if "\0" in text or text.count("\ufffd") > len(text) // 20 else text.partition("\n")[0]


def named_truly(path: Path, scratch: str | Path) -> Path:
    """Return the path, or another for the same file whose name says whether it is compressed, as engines go by names.

    Browsers and cloud tools unpack a .gz and leave its name, or compress a file and leave out the .gz.
    """
    ending = true_ending(path)
    if ending == (path.suffix.lower() if path.suffix.lower() in COMPRESSIONS else ""):
        return path
    plain = path.stem if path.suffix.lower() in COMPRESSIONS else path.name
    other = Path(scratch) / f"named_{next(_COPIES)}" / f"{plain}{ending}"
    other.parent.mkdir(parents=True)
    try:
        other.symlink_to(os.path.abspath(path))
    except OSError:
        shutil.copyfile(path, other)
    return other


def true_ending(path: Path) -> str:
    """Return the end of the name that a file should have by its first bytes: .gz, .zst, or none where it is plain."""
    named = path.suffix.lower() if path.suffix.lower() in COMPRESSIONS else ""
    try:
        with path.open("rb") as file:
            start = file.read(1 << 12)
    except OSError:
        return named
    packed = next((ending for magic, ending in _MAGIC.items() if start.startswith(magic)), "")
    return packed if packed or _is_text(start) else named


def _is_text(start: bytes) -> bool:
    """Say whether bytes may be text, which holds hardly any of the signs below a space."""
    return sum(byte < ord(" ") and byte not in b"\t\n\r\f" for byte in start) <= len(start) // 100
