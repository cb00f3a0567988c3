"""Read an export once, in a process of its own, and say how long it took and how much memory it had at most.

python -m benchmarks.reading.measure load|count EVENTS ACCOUNTS MEMORY
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import duckdb

Task = Literal["load", "count"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one reading took; `before` is the peak memory once everything was imported and nothing read."""

    task: Task
    seconds: float
    peak: int  # bytes
    before: int
    rows: int
    usable: int

    def with_peak(self, peak: int) -> Measured:
        """Return the same reading with another peak of memory."""
        return replace(self, peak=peak)


def measured(task: Task, events: Path, accounts: Path, memory: str) -> Measured:
    """Return what a reading takes in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.reading.measure", task, str(events), str(accounts), memory]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Measured(**json.loads(done.stdout))


def _count(events: Path, memory: str) -> tuple[int, int]:
    with duckdb.connect(config={"memory_limit": memory}) as engine:
        scan = "read_json_objects(?, format='newline_delimited')"
        (rows,) = engine.execute(f"SELECT count(*) FROM {scan}", [str(events)]).fetchone() or (0,)
    return rows, rows


def _load(events: Path, accounts: Path, memory: str) -> tuple[int, int]:
    from discovery.engines.duckdb import DuckDBEngine
    from discovery.intake import load
    from discovery.spec import build_spec

    with DuckDBEngine(memory_limit=memory) as engine:
        relations = load(str(events), str(accounts), build_spec({}), engine=engine)
        return relations.events_rows, engine.rows(f'SELECT count(*) FROM "{relations.events_table}"')[0][0]


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    """Read, and print what was measured."""
    task, events, accounts, memory = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
    import discovery.intake.loading  # noqa: F401

    before, began = _peak(), time.perf_counter()
    rows, usable = _load(events, accounts, memory) if task == "load" else _count(events, memory)
    seconds = time.perf_counter() - began
    print(
        json.dumps(
            asdict(
                Measured(
                    task="load" if task == "load" else "count",
                    seconds=seconds,
                    peak=_peak(),
                    before=before,
                    rows=rows,
                    usable=usable,
                )
            )
        )
    )


if __name__ == "__main__":
    main()
