"""Run what has not been run yet, then write the table.

    python -m benchmarks.accuracy.ladders --minutes 20 --store out/ladders.jsonl --table docs/ladder-accuracy.md
    python -m benchmarks.accuracy.ladders --minutes 0           the table alone, from what is in the store

Stopped or killed, it goes on where it was. A change of the code makes all runs new; the store keeps the old.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

from ..store import Store, code_version
from ..turns import deadline, done
from ..worlds import Run, plan
from .judge import LadderRow
from .perform import perform
from .table import publish

SIZES = (2500, 5000)
SHARES = {
    "random_chain": 5,
    "random_no_chain": 2,
    "chain": 1,
    "chain_skips": 1,
    "chain_untracked": 1,
    "chain_alternatives": 1,
    "chain_branches": 1,
    "chain_launched": 1,
    "chain_errors": 1,
    "easy": 1,
    "confounded": 1,
}
"""Runs of one round at each size."""
ROWS_COME_FROM = (
    "baselines.py", "inference.py", "seen.py", "ladders/baselines.py", "ladders/judge.py", "ladders/perform.py",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Read the arguments, run, and write the page."""
    asked = _arguments().parse_args(arguments)
    store, version = Store(asked.store, LadderRow), code_version(ROWS_COME_FROM)
    rows = store.rows(version)
    print(f"{len(rows)} runs of {version} are in {asked.store}", file=sys.stderr)
    new = 0
    if asked.minutes > 0:
        for row in done(_missing(asked, rows), perform, version, asked.workers, deadline(asked.minutes)):
            store.add(row)
            new += 1
            print(f"{new:5} {row.world} {row.accounts} {row.seed}: {_in_a_word(row)}", file=sys.stderr)
    rows = store.rows(version)
    asked.table.parent.mkdir(parents=True, exist_ok=True)
    asked.table.write_text(publish(rows, version), encoding="utf-8")
    print(f"{len(rows)} runs, {new} of them new, are in {asked.table}", file=sys.stderr)


def _in_a_word(row: LadderRow) -> str:
    if row.failed or not row.discovered:
        return row.failed or f"{row.status}, not discovered"
    if not row.planted:
        return f"{len(row.said or ())} required"
    return "exact" if row.exact else f"said {row.said}, planted {row.planted}"


def _missing(asked: argparse.Namespace, rows: list[LadderRow]) -> Iterator[Run]:
    """Return the runs of the plan that are not among the rows, at most as many as asked for."""
    known = {row.key for row in rows}
    planned = plan(asked.worlds, asked.accounts, asked.first_seed, shares=SHARES)
    return itertools.islice((run for run in planned if run.key not in known), asked.runs)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy.ladders",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=20.0, help="start no run after this long; 0 runs nothing")
    parser.add_argument("--runs", type=int, help="at most this many new runs")
    parser.add_argument("--accounts", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--worlds", nargs="*", default=[], help="only these, all alike (default: the published mix)")
    parser.add_argument("--first-seed", type=int, default=1000, help="design on seeds below 1000, report from there")
    parser.add_argument("--store", type=Path, default=Path("out/ladders.jsonl"))
    parser.add_argument("--table", type=Path, default=Path("docs/ladder-accuracy.md"))
    parser.add_argument("--workers", type=int, default=2)
    return parser


if __name__ == "__main__":
    main()
