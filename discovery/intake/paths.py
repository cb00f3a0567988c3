"""From a file, folder, pattern or archive to a list of files of one format."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from discovery.errors import SourceError
from discovery.intake.archives import unzipped
from discovery.intake.one_table import several_tables
from discovery.intake.packed import COMPRESSIONS, PARQUET, named_truly, text_inside

Format = Literal["csv", "json", "parquet"]

_FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".parq": "parquet",
}
_READABLE = "CSV, TSV, JSON lines (each also as .gz, .zst or in a .zip) and Parquet"
_DATABASES = (".duckdb", ".ddb")
_COMPRESSED_INSIDE = (*COMPRESSIONS, ".sz", ".snappy", ".lz4", ".br")
"""Ends of the names of Parquet files that say how they are compressed, which their inside says as well."""
_REMEDIES = {
    ".xlsx": "Save the sheet as CSV",
    ".xls": "Save the sheet as CSV",
    ".avro": "Export it as Parquet or JSON lines",
    ".orc": "Export it as Parquet",
    ".bz2": "Unpack it with bunzip2",
    ".xz": "Unpack it with unxz",
    ".7z": "Unpack it",
    ".tar": "Unpack it with tar -xf",
    ".tgz": "Unpack it with tar -xf",
}
"""What to do about formats that are known and not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Files of one format, and where they were asked for.

    `partitions` are the keys of folders called `key=value` between the folder asked for and every file.
    """

    asked: str  # absolute
    format: Format
    paths: tuple[Path, ...]
    partitions: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What to call them in a message."""
        return Path(self.asked).name or self.asked


def find_files(asked: str | Path, role: str, scratch: str | Path = "", apart: Sequence[str] = ()) -> Files:
    """Return the files that a path, folder, pattern or .zip stands for; empty ones are passed over.

    Parameters
    ----------
    asked
        The path.
    role
        "events" or "accounts", for messages.
    scratch
        A folder that archives are unpacked into.
    apart
        Paths given for something else: such files are not part of a folder that they lie in.

    Raises
    ------
    SourceError
        If there are none, if they are of several formats or of none that is read, or if all are empty.
    """
    absolute = os.path.abspath(os.path.expanduser(os.fspath(asked)))
    found = _without(_found(absolute, role), absolute, apart)
    if not found and os.path.isdir(absolute):
        raise SourceError(f"The folder {absolute} (the {role}) holds no files. Check the path.")
    if not found:
        raise SourceError(f"There is no file at {absolute} (the {role}). Check the path.")
    if (Path(absolute) / "_delta_log").is_dir():
        raise SourceError(
            f"{absolute} (the {role}) is a Delta table: its folder holds rows that were replaced or deleted as well. "
            "Export what it holds now as Parquet."
        )
    found = [held for path in found for held in (_members(path, scratch) if _end(path) == ".zip" else [path])]
    found = _without_manifest(found)
    formats = {kind for path in found if (kind := _format(path))}
    if not formats:
        raise SourceError(f"{absolute} holds no file of a format that is read ({_READABLE}). {_remedy(found, role)}.")
    if len(formats) > 1:
        tables = [[path for path in found if _format(path) == kind] for kind in sorted(formats)]
        raise several_tables(absolute, tables, "they are of several formats")
    filled = tuple(path for path in found if _format(path) and path.stat().st_size > 0)
    if not filled:
        raise SourceError(f"{absolute} is empty (0 bytes). Export the {role} again.")
    kind, partitions = formats.pop(), _partitions(absolute, filled)
    if kind != "parquet" and scratch:
        filled = tuple(named_truly(path, scratch) for path in filled)
    return Files(asked=absolute, format=kind, paths=filled, partitions=partitions)


def _found(absolute: str, role: str) -> list[Path]:
    try:
        found = _matching(absolute)
        for path in found:
            str(path).encode()
    except UnicodeEncodeError:
        raise SourceError(f"{absolute!r} (the {role}) has a name that is not UTF-8. Rename it.") from None
    except (OSError, ValueError) as error:
        raise SourceError(
            f"{_cut(absolute)} (the {role}) cannot be read ({_reason(error)}). Check the path."
        ) from error
    return found


def _without(found: list[Path], absolute: str, apart: Sequence[str]) -> list[Path]:
    """Leave out what was given for something else, unless it is what was asked for itself."""
    others = [Path(os.path.abspath(os.path.expanduser(given))) for given in apart]
    others = [other for other in others if not Path(absolute).is_relative_to(other)]
    return [path for path in found if not any(path.is_relative_to(other) for other in others)] or found


def _without_manifest(found: Sequence[Path]) -> list[Path]:
    """Leave out the list of files that some exports put beside them."""
    rest = [path for path in found if not path.name.lower().endswith("manifest.json")]
    return rest if any(_format(path) for path in rest) else list(found)


def _cut(text: str, limit: int = 200) -> str:
    return text if len(text) <= limit else text[:limit] + "…"


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _remedy(found: Sequence[Path], role: str) -> str:
    database = next((path for path in found if _end(path) in _DATABASES), None)
    if database is not None:
        return f"{database.name} is a DuckDB database: read it as duckdb://{database}"
    known = next((path for path in found if _end(path) in _REMEDIES), None)
    return _REMEDIES[_end(known)] if known is not None else f"Export the {role} as one"


def _matching(absolute: str) -> list[Path]:
    path = Path(absolute)
    if path.is_dir():
        return _visible(path, path.rglob("*"))
    if path.exists():
        return [path]
    return _visible(path.parent, (Path(name) for name in glob.glob(absolute, recursive=True)))


def _visible(folder: Path, paths: Iterable[Path]) -> list[Path]:
    return sorted(p for p in paths if p.is_file() and not _is_hidden(p, folder))


def _is_hidden(path: Path, folder: Path) -> bool:
    below = path.relative_to(folder).parts if path.is_relative_to(folder) else (path.name,)
    return any(part.startswith((".", "_", "__MACOSX")) for part in below)


def _members(archive: Path, scratch: str | Path) -> list[Path]:
    return unzipped(archive, scratch, lambda name: _end(Path(name)) in COMPRESSIONS or _format(Path(name)) is not None)


def _end(path: Path) -> str:
    return path.suffix.lower()


def _format(path: Path) -> Format | None:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if len(suffixes) > 1 and suffixes[-1] in _COMPRESSED_INSIDE and suffixes[-2] in PARQUET:
        return "parquet"
    if suffixes and suffixes[-1] in COMPRESSIONS:
        return (_FORMATS.get(suffixes[-2]) if len(suffixes) > 1 else None) or _format_inside(path)
    return _FORMATS.get(suffixes[-1]) if suffixes else None


def _format_inside(path: Path) -> Format | None:
    """Return the format of a compressed file whose name does not say it, as of Segment's and Snowplow's."""
    if not path.is_file() or not (start := text_inside(path)):
        return None
    return "json" if start[0] in "{[" else "csv" if any(mark in start for mark in ",;\t|") else None


def _partitions(asked: str, paths: Sequence[Path]) -> tuple[str, ...]:
    """Return the keys of `key=value` folders below the folder asked for, where all files lie in the same."""
    folder = Path(asked[: min((asked.find(mark) for mark in "*?[" if mark in asked), default=len(asked))])
    top = folder if os.path.isdir(folder) else folder.parent
    if not all(path.is_relative_to(top) for path in paths):
        return ()
    keys = [_keys(path.parent.relative_to(top).parts) for path in paths]
    return keys[0] if all(held == keys[0] for held in keys) else ()


def _keys(folders: Sequence[str]) -> tuple[str, ...]:
    return tuple(folder.partition("=")[0] for folder in folders if "=" in folder.strip("="))
