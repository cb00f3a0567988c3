"""Run what has not been run yet, then write the table.

    python -m benchmarks.accuracy.validation --minutes 20 --table docs/validation-accuracy.md
    python -m benchmarks.accuracy.validation --minutes 0        the table alone, from what is in the store

Stopped or killed, it goes on where it was. A change of the code makes all runs new; the store keeps the old.
"""

from __future__ import annotations

from ..command import Benchmark, arguments, run_and_publish
from ..store import code_version
from ..worlds import plan
from .judge import ValidationRow
from .perform import perform
from .table import publish

SIZES = (2500, 5000)
SHARES = {
    "random": 6,
    "random_null": 2,
    "random_hidden": 1,
    "random_segment": 1,
    "random_experiment": 2,
    "confounded": 1,
    "hidden_trait": 1,
    "inertia_planted": 1,
    "inertia_null": 1,
    "past_experiment": 2,
    "experiment_side_effect": 1,
    "experiment_srm": 1,
}
"""Runs of one round at each size."""
ROWS_COME_FROM = (
    "inference.py",
    "judge.py",
    "perform.py",
    "validation/judge.py",
    "validation/perform.py",
    "validation/proposals.py",
)


def main(given: list[str] | None = None) -> None:
    """Read the arguments, run, and write the page."""
    asked = arguments(
        "benchmarks.accuracy.validation",
        __doc__,
        minutes=20.0,
        sizes=SIZES,
        store="out/validation.jsonl",
        table="docs/validation-accuracy.md",
    ).parse_args(given)
    benchmark = Benchmark(
        row=ValidationRow,
        version=code_version(ROWS_COME_FROM),
        perform=perform,
        in_a_word=_in_a_word,
        publish=publish,
    )
    run_and_publish(benchmark, plan(asked.worlds, asked.accounts, asked.first_seed, shares=SHARES), asked)


def _in_a_word(row: ValidationRow) -> str:
    if row.failed:
        return row.failed
    holds = [one.kind for one in row.proposals if one.alone == "holds"]
    return f"{len(holds)} of {len(row.proposals)} hold: {', '.join(holds) or 'none'}"


if __name__ == "__main__":
    main()
