"""The page that says how large exports are read."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from .export import Export
from .measure import Measured

_TITLES = (
    "export, compressed",
    "lines",
    "events",
    "engine's limit",
    "seconds",
    "counting lines alone",
    "ratio",
    "peak memory",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One export, read as a study reads it, and the baseline."""

    export: Export
    memory: str  # what the engine may hold
    baseline: Measured
    read: Measured


def publish(readings: Sequence[Reading], command: str, page: Path) -> None:
    """Write the table, with what it was measured on and the command that repeats it."""
    rows = [_row(reading) for reading in readings]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in (_TITLES, ["---"] * len(_TITLES), *rows))
    before = max(reading.read.before for reading in readings)
    page.write_text(
        _TEXT.format(
            table=table,
            command=command,
            before=_gigabytes(before),
            cores=os.cpu_count(),
            machine=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
            duckdb=version("duckdb"),
            pyarrow=version("pyarrow"),
        ),
        encoding="utf-8",
    )


def _row(reading: Reading) -> tuple[str, ...]:
    read, baseline = reading.read, reading.baseline
    return (
        _gigabytes(reading.export.bytes),
        f"{read.rows:,}",
        f"{read.usable:,}",
        reading.memory,
        f"{read.seconds:.1f}",
        f"{baseline.seconds:.1f}",
        f"{read.seconds / baseline.seconds:.1f}",
        _gigabytes(read.peak),
    )


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB"


_TEXT = """# Reading large exports

A made-up export as Segment writes it, gzipped JSON lines with nested context in one file, is recognised, read, typed,
checked and set against a table of 20,000 accounts: everything that comes before the search. The engine was told to hold
no more than its limit; Python, the libraries and the accounts come on top ({before} before a line is read). Each row of
the table is a process of its own, and the memory is that process's peak (`ru_maxrss`).

{table}

*Counting lines alone* is DuckDB's `SELECT count(*)` over the same file with the same limit: decompressing, and telling
that every line is JSON. *Events* are the lines that are behaviour, each once; calls of the kinds `page`, `identify` and
`group` are passed over.

Measured on {cores} cores ({machine}, DuckDB {duckdb}, pyarrow {pyarrow}); `{command}`.

## What is read how often

The file is decompressed once for its rows, with the lines that cannot be read counted on the way, and once more beside
that for its digest, which also verifies the checksums inside. To recognise it, its first 32 MB are read a few times.
What an export tells of its users and accounts itself, as Segment's `identify` and `group` calls do, is taken from the
same pass.

Memory grows with the file until it meets the engine's limit, and hardly beyond it. What is kept of the events (account,
user, name, time and row id) is held by the engine, which moves it to its temporary folder beyond its limit; `TMPDIR`
names another folder where the system's is in memory. An array (`[...]`) over a whole file is read in the same way.
Lines of more than 32 MB are refused, with their file and number.
"""
