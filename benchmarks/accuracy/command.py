"""What the command of every benchmark does: run what is missing, keep it, write the page."""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from .store import Row, Store
from .turns import deadline, done
from .worlds import Run

R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark(Generic[R]):
    """What is measured: how a run becomes a row, what is said of a row as it comes in, and the page of all rows."""

    row: type[R]
    version: str
    perform: Callable[[Run, str], R]
    in_a_word: Callable[[R], str]
    publish: Callable[[Sequence[R], str], str]


def run_and_publish(benchmark: Benchmark[R], planned: Iterable[Run], asked: argparse.Namespace) -> None:
    """Do the planned runs that are not in the store yet until the time is up, then write the page."""
    store, version = Store(asked.store, benchmark.row), benchmark.version
    known = {row.key for row in store.rows(version)}
    print(f"{len(known)} runs of {version} are in {asked.store}", file=sys.stderr)
    missing = itertools.islice((run for run in planned if run.key not in known), asked.runs)
    new = 0
    if asked.minutes > 0:
        for row in done(missing, benchmark.perform, version, asked.workers, deadline(asked.minutes)):
            store.add(row)
            new += 1
            world, accounts, seed = row.key
            print(f"{new:5} {world} {accounts} {seed}: {benchmark.in_a_word(row)}", file=sys.stderr)
    rows = store.rows(version)
    asked.table.parent.mkdir(parents=True, exist_ok=True)
    asked.table.write_text(benchmark.publish(rows, version), encoding="utf-8")
    print(f"{len(rows)} runs, {new} of them new, are in {asked.table}", file=sys.stderr)


def arguments(
    package: str, described: str | None, *, minutes: float, sizes: Sequence[int], store: str, table: str
) -> argparse.ArgumentParser:
    """Return the arguments that every benchmark takes, with its own defaults."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {package}", description=described, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=minutes, help="start no run after this long; 0 runs nothing")
    parser.add_argument("--runs", type=int, help="at most this many new runs")
    parser.add_argument("--accounts", type=int, nargs="+", default=list(sizes))
    parser.add_argument("--worlds", nargs="*", default=[], help="only these, all alike (default: the published mix)")
    parser.add_argument("--first-seed", type=int, default=1000, help="design on seeds below 1000, report from there")
    parser.add_argument("--store", type=Path, default=Path(store))
    parser.add_argument("--table", type=Path, default=Path(table))
    parser.add_argument("--workers", type=int, default=2)
    return parser
