"""How a delimited text file is laid out, from its first bytes: separator, encoding, column names."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from discovery.errors import SourceError
from discovery.intake.packed import HEAD, first_bytes
from discovery.intake.sql import literal, path_list

_NOT_UTF8 = 0.01  # of the lines; fewer are broken lines in a file of UTF-8
_SEPARATOR_LINE = re.compile(r'"?sep=([^"\r\n])"?\r?\n')


@dataclass(frozen=True, slots=True)
class CsvHead:
    """How one kind of delimited file is laid out; `skip` lines come before the header."""

    names: tuple[str, ...]
    delimiter: str
    encoding: str
    skip: int = 0

    def scan(self, paths: tuple[Path, ...], strict: bool, rejects: str) -> str:
        """Return the table expression for files laid out like this."""
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in self.names)
        lost = (
            f"store_rejects=true, rejects_table={literal(rejects + '_errors')}, "
            f"rejects_scan={literal(rejects + '_scans')}"
            if rejects
            else "ignore_errors=true"
        )
        skipped = f"skip={self.skip}, " if self.skip else ""
        return (
            f"read_csv({path_list(paths)}, columns={{{columns}}}, auto_detect=false, header=true, {skipped}"
            f"delim={literal(self.delimiter)}, quote='\"', escape='\"', encoding={literal(self.encoding)}, "
            f"hive_partitioning=false, strict_mode={str(strict).lower()}, {lost})"
        )


def csv_head(path: Path) -> CsvHead:
    """Return how a delimited file is laid out.

    Raises
    ------
    SourceError
        If it cannot be read, is empty, or is no text.
    """
    start = first_bytes(path, HEAD)
    if start.startswith(b"PK\x03\x04"):
        raise SourceError(f"{path.name} is a spreadsheet or .zip archive, not CSV. Export it as CSV.")
    encoding = _encoding(start)
    text = start.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="replace").lstrip("\r\n")
    if "\0" in text:
        raise SourceError(f"{path.name} is not text, so not CSV. Check what it is, and export it again.")
    if not text.strip():
        raise SourceError(f"{path.name} is empty. Export it again.")
    preferred = "\t" if ".tsv" in path.name.lower() else ","
    choices = [preferred, *(mark for mark in ",;\t|" if mark != preferred)]
    said = _SEPARATOR_LINE.match(text)  # a first line "sep=;" is Excel's
    if said:
        text, choices = text[said.end() :], [said[1]]
    headers = [_header(path, text, mark) for mark in choices]
    best = max(range(len(choices)), key=lambda i: (len(headers[i]), -i))
    names = [name.strip() or f"column {i + 1}" for i, name in enumerate(headers[best])]
    return CsvHead(tuple(distinct_names(names)), choices[best], encoding, 1 if said else 0)


def distinct_names(names: list[str]) -> list[str]:
    """Return the names with a number added to repeated ones; case alone does not tell names apart."""
    seen: set[str] = set()
    out = []
    for name in names:
        unique, number = name, 1
        while unique.lower() in seen:
            unique, number = f"{name}_{number}", number + 1
        seen.add(unique.lower())
        out.append(unique)
    return out


def _encoding(start: bytes) -> str:
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    lines = start.splitlines()[: -1 if len(start) == HEAD else None]
    foreign = [line for line in lines if not line.isascii()]
    broken = sum(not _is_utf8(line) for line in foreign)
    # Where hardly any line beyond ASCII is UTF-8, none is meant to be; a few such lines are broken ones.
    return "latin-1" if broken > 0.9 * len(foreign) and broken >= _NOT_UTF8 * len(lines) else "utf-8"


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _header(path: Path, text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text, newline=None), delimiter=delimiter), [])
    except csv.Error as error:
        raise SourceError(
            f"The first line of {path.name} does not read as the names of columns ({error}). Export it again."
        ) from error
