"""Run what has not been run yet, then write the table.

    python -m benchmarks.accuracy --minutes 55 --store out/accuracy.jsonl --table docs/accuracy.md
    python -m benchmarks.accuracy --minutes 0           the table alone, from what is in the store

Stopped or killed, it goes on where it was. A change of the code makes all runs new; the store keeps the old.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .command import Benchmark, arguments, run_and_publish
from .judge import Judged
from .perform import perform
from .store import code_version
from .table import publish
from .worlds import SIZES, RealLog, plan


def main(given: list[str] | None = None) -> None:
    """Read the arguments, run, and write the page."""
    asked = _arguments().parse_args(given)
    benchmark = Benchmark(
        row=Judged,
        version=code_version(),
        perform=perform,
        in_a_word=lambda row: row.failed or row.status,
        publish=publish,
    )
    logs = [RealLog(Path(spec).stem, events, accounts, spec) for events, accounts, spec in asked.log]
    planned = plan(asked.worlds, asked.accounts, asked.first_seed, baselines=asked.baselines, logs=logs)
    run_and_publish(benchmark, planned, asked)


def _arguments() -> argparse.ArgumentParser:
    parser = arguments(
        "benchmarks.accuracy",
        __doc__,
        minutes=55.0,
        sizes=SIZES,
        store="out/accuracy.jsonl",
        table="docs/accuracy.md",
    )
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
