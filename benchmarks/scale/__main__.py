"""Measure how time and memory grow with the log, each figure beside a baseline of the same run, and publish it.

python -m benchmarks.scale                                   1 million events, in a few minutes
python -m benchmarks.scale --events 1 10 100 --repeats 3     up to 100 million: some hours, 25 GB of disk
python -m benchmarks.scale --pages                           the page alone, from what was measured before
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from .log import Log, written
from .measure import Measured, measured
from .page import Figure, Ranked, publish
from .ranking import TASKS
from .ranking import measured as ranked
from .tasks import PRODUCT

BASELINES = ("scan", "group_by", "naive_sql", "polars", "pandas")
PANDAS_UP_TO = 10_000_000
"""Beyond this many events pandas needs more memory than the machine these figures are meant for has."""
SMALL = (300_000, 5_000)
"""Events and accounts of the log that is run from a cold start."""
MILLION = 1_000_000


def main(given: list[str] | None = None) -> None:
    """Measure what was asked, keep it, and write the page from all that is kept."""
    asked = _arguments().parse_args(given)
    folder = Path(asked.folder)
    folder.mkdir(parents=True, exist_ok=True)
    kept, ranks = folder / "figures.jsonl", folder / "ranking.json"
    if not asked.pages:
        for figure in _figures(folder, asked):
            with kept.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(asdict(figure)) + "\n")
            print(
                f"{figure.log_events:>11,} events  {figure.took.task:10} {figure.took.seconds:8.2f} s  "
                f"{figure.took.peak / 1e9:5.2f} GB  {dict(figure.took.said)}",
                flush=True,
            )
        took = {task: ranked(task, asked.rules, asked.accounts) for task in TASKS}
        ranks.write_text(json.dumps(asdict(Ranked(rules=asked.rules, accounts=asked.accounts, took=took))))
    publish(_latest(kept), Path(asked.page), Ranked(**json.loads(ranks.read_text())) if ranks.exists() else None)


def _figures(folder: Path, asked: argparse.Namespace) -> Iterator[Figure]:
    cold = written(folder, *SMALL)
    for task in ("help", "group_by", "command"):
        yield _figure(task, cold, asked.memory, max(asked.repeats, 3))
    for size in sorted(int(float(millions) * MILLION) for millions in asked.events):
        log = written(folder, size)
        for task in (*BASELINES, *PRODUCT):
            if task == "pandas" and size > PANDAS_UP_TO:
                continue
            yield _figure(task, log, asked.memory, 1 if size > PANDAS_UP_TO and task in PRODUCT[1:] else asked.repeats)


def _figure(task: str, log: Log, memory: str, repeats: int) -> Figure:
    # The product is held to the ceiling; what it is measured against may use what it likes.
    limit = memory if task in PRODUCT else "16GB"
    took = measured(task, log, limit, repeats)
    return Figure(log_events=log.events, log_accounts=log.accounts, memory=memory, repeats=repeats, took=took)


def _latest(kept: Path) -> list[Figure]:
    """Return the last figure of every task and log."""
    latest: dict[tuple[int, int, str], Figure] = {}
    for line in kept.read_text(encoding="utf-8").splitlines():
        values = json.loads(line)
        figure = Figure(**{**values, "took": Measured(**values["took"])})
        latest[figure.log_events, figure.log_accounts, figure.took.task] = figure
    return list(latest.values())


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("benchmarks.scale", description=__doc__)
    parser.add_argument("--events", nargs="+", default=["1"], help="sizes of the logs, in millions of events")
    parser.add_argument("--memory", default="4GB", help="the ceiling given to the product")
    parser.add_argument("--rules", type=int, default=2400, help="rules that are ranked")
    parser.add_argument("--accounts", type=int, default=100_000, help="accounts over which they are ranked")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", default="out/scale", help="where logs and figures are kept")
    parser.add_argument("--page", default="docs/performance.md")
    parser.add_argument("--pages", action="store_true", help="measure nothing")
    return parser


if __name__ == "__main__":
    main()
