"""Time the exposure and the flags against a plain GROUP BY, on a made-up log.

    python benchmarks/exposure.py [--events 3000000] [--accounts 30000] [--names 200] [--memory 2GB] [--repeats 3]

Prints one row per step: wall seconds, the same as a multiple of `SELECT account_id, event, COUNT(*) ...
GROUP BY account_id, event` read in the same session, and the peak memory of a fresh process that takes
that step and those it needs (Linux and macOS).
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from discovery.engines.duckdb import DuckDBEngine
from discovery.exposure import Exposure, candidate_flags, measure
from discovery.spec import Day

WINDOWS = tuple(days * Day for days in (1, 3, 7, 14))
GRID = ((1, 2, 3, 5, 10), (1, 3, 7, 14), (1, 2, 3))
Row = tuple[str, float, float, str]
STEPS = ("start", "scan", "group_by", "measure", "flags")


def write_log(folder: str, events: int, accounts: int, names: int) -> None:
    """Write heavy-tailed events over sixty days after signup, by one to eight users an account."""
    with DuckDBEngine() as engine:
        engine.execute(f"""
            COPY (SELECT i::INTEGER AS account, 'account-' || i AS account_id,
                         1700000000000000 + (hash(i) % 15552000) * 1000000 AS signup
                  FROM range({accounts}) r(i)) TO '{folder}/accounts.parquet'""")
        engine.execute(f"""
            COPY (SELECT 'account-' || a AS account_id, 'event_' || (pow(r3, 3) * {names})::INTEGER AS event,
                         CASE WHEN r4 > 0.05 THEN 'user-' || a || '-' || (r4 * 8)::INTEGER END AS user_id,
                         1700000000000000 + (hash(a) % 15552000) * 1000000
                         + (pow(r2, 2) * 60 * {Day})::BIGINT AS t
                  FROM (SELECT (pow(random(), 2) * ({accounts} - 1))::BIGINT AS a,
                               random() AS r2, random() AS r3, random() AS r4
                        FROM range({events}))) TO '{folder}/events.parquet'""")


class Session:
    """One open engine and the steps taken on it; each returns what it found, in words."""

    def __init__(self, folder: str, accounts: int, memory: str) -> None:
        self.accounts = accounts
        self.engine = DuckDBEngine(memory_limit=memory)
        for name in ("events", "accounts"):
            self.engine.execute(f"CREATE VIEW {name} AS SELECT * FROM '{folder}/{name}.parquet'")
        self.exposure: Exposure | None = None

    def start(self) -> str:
        return ""

    def scan(self) -> str:
        self.engine.rows("SELECT max(account_id), max(event), max(user_id), max(t) FROM events")
        return ""

    def group_by(self) -> str:
        groups = self.engine.batches("SELECT account_id, event, COUNT(*) FROM events GROUP BY account_id, event")
        return f"{sum(batch.num_rows for batch in groups):,} groups"

    def measure(self) -> str:
        self.exposure = None
        self.exposure = measure(self.engine, "events", "accounts", self.accounts, WINDOWS, WINDOWS[-1])
        return f"{self.exposure.account.size:,} groups inside the window"

    def flags(self) -> str:
        assert self.exposure is not None
        flags = candidate_flags(self.exposure, np.arange(self.accounts), *GRID)
        return f"{len(flags):,} flags, {flags.packed.nbytes / 1e6:.0f} MB"


def run(
    folder: str, accounts: int, memory: str, step: str, repeats: int, answers: multiprocessing.SimpleQueue[Row]
) -> None:
    """Take one step in this fresh process, after those it needs; answer its best seconds and the peak memory."""
    session = Session(folder, accounts, memory)
    if step != "start":
        session.scan()
    if step == "flags":
        session.measure()
    walls = []
    for _ in range(repeats):
        began = time.perf_counter()
        found = getattr(session, step)()
        walls.append(time.perf_counter() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    answers.put((step, min(walls), peak / 1e6, found))


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--events", type=int, default=3_000_000)
    asked.add_argument("--accounts", type=int, default=30_000)
    asked.add_argument("--names", type=int, default=200)
    asked.add_argument("--memory", default="2GB")
    asked.add_argument("--repeats", type=int, default=3)
    given = asked.parse_args()
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        writer = spawn.Process(target=write_log, args=(folder, given.events, given.accounts, given.names))
        writer.start()
        writer.join()
        size = (Path(folder) / "events.parquet").stat().st_size / 1e6
        print(f"{given.events:,} events ({size:.0f} MB Parquet), {given.accounts:,} accounts, {given.names} names")
        answers = spawn.SimpleQueue()
        rows = []
        for step in STEPS:
            asking = (folder, given.accounts, given.memory, step, given.repeats, answers)
            child = spawn.Process(target=run, args=asking)
            child.start()
            rows.append(answers.get())
            child.join()
    plain = next(seconds for step, seconds, _, _ in rows if step == "group_by")
    print(f"{'step':<10}{'seconds':>9}{'x group by':>12}{'peak MB':>9}")
    for step, seconds, peak, found in rows:
        print(f"{step:<10}{seconds:>9.2f}{seconds / plain:>12.2f}{peak:>9.0f}  {found}")


if __name__ == "__main__":
    main()
