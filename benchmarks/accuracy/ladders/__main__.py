"""Run what has not been run yet, then write the table.

    python -m benchmarks.accuracy.ladders --minutes 20 --store out/ladders.jsonl --table docs/ladder-accuracy.md
    python -m benchmarks.accuracy.ladders --minutes 0           the table alone, from what is in the store

Stopped or killed, it goes on where it was. A change of the code makes all runs new; the store keeps the old.
"""

from __future__ import annotations

from ..command import Benchmark, arguments, run_and_publish
from ..store import code_version
from ..worlds import plan
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


def main(given: list[str] | None = None) -> None:
    """Read the arguments, run, and write the page."""
    asked = arguments(
        "benchmarks.accuracy.ladders",
        __doc__,
        minutes=20.0,
        sizes=SIZES,
        store="out/ladders.jsonl",
        table="docs/ladder-accuracy.md",
    ).parse_args(given)
    benchmark = Benchmark(
        row=LadderRow,
        version=code_version(ROWS_COME_FROM),
        perform=perform,
        in_a_word=_in_a_word,
        publish=publish,
    )
    run_and_publish(benchmark, plan(asked.worlds, asked.accounts, asked.first_seed, shares=SHARES), asked)


def _in_a_word(row: LadderRow) -> str:
    if row.failed or not row.discovered:
        return row.failed or f"{row.status}, not discovered"
    if not row.planted:
        return f"{len(row.said or ())} required"
    return "exact" if row.exact else f"said {row.said}, planted {row.planted}"


if __name__ == "__main__":
    main()
