"""From a file, folder or pattern to a list of files of one format."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from discovery.errors import SourceError

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
_READABLE = "CSV, TSV, JSON lines (each also as .gz) and Parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Files of one format, and where they were asked for."""

    asked: str  # absolute
    format: Format
    paths: tuple[Path, ...]

    @property
    def label(self) -> str:
        """What to call them in a message."""
        return Path(self.asked).name or self.asked


def find_files(asked: str | Path, role: str) -> Files:
    """Return the files that a path, folder or pattern stands for; empty ones are passed over.

    Raises
    ------
    SourceError
        If there are none, if they are of several formats or of none that is read, or if all are empty.
    """
    text = os.path.expanduser(os.fspath(asked))
    if "://" in text:
        raise SourceError(f"The {role} are at {text}; only files are read. Download them, and give the path.")
    absolute = os.path.abspath(text)
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
    if not found and os.path.isdir(absolute):
        raise SourceError(f"The folder {absolute} (the {role}) holds no files. Check the path.")
    if not found:
        raise SourceError(f"There is no file at {absolute} (the {role}). Check the path.")
    formats = {kind for path in found if (kind := _format(path))}
    if not formats:
        raise SourceError(f"{absolute} holds no file of a format that is read ({_READABLE}). Export the {role} as one.")
    if len(formats) > 1:
        names = ", ".join(path.name for path in found if _format(path))
        raise SourceError(f"{absolute} holds files of several formats ({names}). Name one, or use a pattern: *.csv.")
    paths = tuple(path for path in found if _format(path))
    filled = tuple(path for path in paths if path.stat().st_size > 0)
    if not filled:
        raise SourceError(f"{absolute} is empty (0 bytes). Export the {role} again.")
    return Files(asked=absolute, format=formats.pop(), paths=filled)


def _cut(text: str, limit: int = 200) -> str:
    return text if len(text) <= limit else text[:limit] + "…"


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _matching(absolute: str) -> list[Path]:
    path = Path(absolute)
    if path.is_dir():
        return _visible(path.iterdir()) or _visible(path.rglob("*"))
    if path.exists():
        return [path]
    return _visible(Path(name) for name in glob.glob(absolute, recursive=True))


def _visible(paths: Iterable[Path]) -> list[Path]:
    return sorted(p for p in paths if p.is_file() and not p.name.startswith((".", "_")))


def _format(path: Path) -> Format | None:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
        return None if not suffixes or _FORMATS.get(suffixes[-1]) == "parquet" else _FORMATS.get(suffixes[-1])
    return _FORMATS.get(suffixes[-1]) if suffixes else None
