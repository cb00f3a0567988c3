"""Run what has not been run yet, then write the table.

    python -m benchmarks.accuracy --minutes 55 --store out/accuracy.jsonl --table docs/accuracy.md
    python -m benchmarks.accuracy --minutes 0           the table alone, from what is in the store

Stopped or killed, it goes on where it was. A change of the code makes all runs new; the store keeps the old.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

from .judge import Judged
from .perform import perform
from .store import Store, code_version
from .table import publish
from .turns import deadline, done
from .worlds import SIZES, RealLog, Run, plan


def main(arguments: list[str] | None = None) -> None:
    """Read the arguments, run, and write the page."""
    asked = _arguments().parse_args(arguments)
    store, version = Store(asked.store, Judged), code_version()
    rows = store.rows(version)
    print(f"{len(rows)} runs of {version} are in {asked.store}", file=sys.stderr)
    new = 0
    if asked.minutes > 0:
        for row in done(_missing(asked, rows), perform, version, asked.workers, deadline(asked.minutes)):
            store.add(row)
            new += 1
            print(f"{new:5} {row.world} {row.accounts} {row.seed}: {row.failed or row.status}", file=sys.stderr)
    rows = store.rows(version)
    asked.table.parent.mkdir(parents=True, exist_ok=True)
    asked.table.write_text(publish(rows, version), encoding="utf-8")
    print(f"{len(rows)} runs, {new} of them new, are in {asked.table}", file=sys.stderr)


def _missing(asked: argparse.Namespace, rows: list[Judged]) -> Iterator[Run]:
    """Return the runs of the plan that are not among the rows, at most as many as asked for."""
    known = {row.key for row in rows}
    logs = [RealLog(Path(spec).stem, events, accounts, spec) for events, accounts, spec in asked.log]
    planned = plan(asked.worlds, asked.accounts, asked.first_seed, baselines=asked.baselines, logs=logs)
    return itertools.islice((run for run in planned if run.key not in known), asked.runs)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=55.0, help="start no run after this long; 0 runs nothing")
    parser.add_argument("--runs", type=int, help="at most this many new runs")
    parser.add_argument("--accounts", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--worlds", nargs="*", default=[], help="only these, all alike (default: the published mix)")
    parser.add_argument("--first-seed", type=int, default=1000, help="design on seeds below 1000, report from there")
    parser.add_argument("--store", type=Path, default=Path("out/accuracy.jsonl"))
    parser.add_argument("--table", type=Path, default=Path("docs/accuracy.md"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--baselines", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument(
        "--log",
        nargs=3,
        action="append",
        default=[],
        metavar=("EVENTS", "ACCOUNTS", "SPEC"),
        help="a real log whose outcomes are redrawn; named in the table by the spec's file name; may be repeated",
    )
    return parser


if __name__ == "__main__":
    main()
