"""The tasks that are measured: what the product does, and what it is held against.

Every one that counts the exposure says how many groups and rows it found, and the sum of the distinct users within
seven days, so that a quick answer that is another answer is noticed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb

from .log import Log
from .measure import Stages

Said = Mapping[str, float | str]
Task = Callable[[Log, str, Stages], Said]
DAYS = (1, 3, 7, 14)
GRID = ((1, 2, 3, 5, 10), DAYS, (1, 2, 3))
DAY_US = 86_400_000_000
PRODUCT = ("exposure", "run", "run_again")
"""What the ceiling on memory is given to; the others have 16 GB."""
COUNTED = ("counting", "packing")
"""The stages of `exposure` that follow reading and checking."""


def scan(log: Log, memory: str, stages: Stages) -> Said:
    """Read the four columns."""
    columns = "sum(hash(account_id)), sum(hash(event)), sum(hash(user_id)), sum(epoch_us(timestamp))"
    _asked(log, memory, f"SELECT {columns} FROM '{log.pattern}'")
    return {}


def group_by(log: Log, memory: str, stages: Stages) -> Said:
    """Count the rows of every account and event: the baseline of all."""
    (groups,) = _asked(
        log, memory, f"SELECT count(*) FROM (SELECT account_id, event, count(*) FROM '{log.pattern}' GROUP BY ALL)"
    )
    return {"groups": groups}


def naive_sql(log: Log, memory: str, stages: Stages) -> Said:
    """Count the exposure as one would write it: intervals, and a distinct count for each window."""
    within = "e.timestamp < a.signup_at + INTERVAL {} DAY"
    counted = ", ".join(
        f"count(*) FILTER ({within.format(d)}) AS n{d}, count(DISTINCT user_id) FILTER ({within.format(d)}) AS u{d}"
        for d in DAYS
    )
    groups, rows, users = _asked(
        log,
        memory,
        f"""SELECT count(*), sum(n14), sum(u7) FROM (
            SELECT e.account_id, event, min(e.timestamp - a.signup_at) AS first, {counted}
            FROM '{log.pattern}' AS e JOIN '{log.roll}' AS a ON e.account_id = a.account_id
            WHERE e.timestamp >= a.signup_at AND {within.format(DAYS[-1])}
            GROUP BY e.account_id, event)""",
    )
    return _found(groups, rows, users)


def polars(log: Log, memory: str, stages: Stages) -> Said:
    """Count the exposure with Polars, streaming, in two levels."""
    import polars as pl

    accounts = pl.scan_csv(log.roll, try_parse_dates=True).select(
        "account_id", pl.col("signup_at").cast(pl.Datetime("us"))
    )
    lag = (pl.col("timestamp") - pl.col("signup_at")).dt.total_microseconds().alias("lag")
    rows = pl.scan_parquet(log.pattern).join(accounts, on="account_id")
    rows = rows.select("account_id", "event", "user_id", lag).filter(
        pl.col("lag").is_between(0, DAYS[-1] * DAY_US, "left")
    )
    within = [(pl.col("lag") < d * DAY_US).sum().alias(f"n{d}") for d in DAYS]
    each = rows.group_by("account_id", "event", "user_id").agg(*within, pl.col("lag").min().alias("first"))
    counts = [pl.col(f"n{d}").sum() for d in DAYS]
    users = [((pl.col("first") < d * DAY_US) & pl.col("user_id").is_not_null()).sum().alias(f"u{d}") for d in DAYS]
    table = each.group_by("account_id", "event").agg(*counts, *users, pl.col("first").min()).collect(engine="streaming")
    return _found(len(table), table["n14"].sum(), table["u7"].sum())


def pandas(log: Log, memory: str, stages: Stages) -> Said:
    """Count the exposure with pandas, in two levels."""
    import pandas as pd

    accounts = pd.read_csv(log.roll, usecols=["account_id", "signup_at"], parse_dates=["signup_at"])
    parts = [pd.read_parquet(path) for path in sorted(log.folder.glob("events_*.parquet"))]
    rows = pd.concat(parts, ignore_index=True).merge(accounts, on="account_id")
    rows["lag"] = (rows["timestamp"] - rows["signup_at"]) // pd.Timedelta(microseconds=1)
    rows = rows[(rows["lag"] >= 0) & (rows["lag"] < DAYS[-1] * DAY_US)]
    for days in DAYS:
        rows[f"n{days}"] = rows["lag"] < days * DAY_US
    counts = {f"n{days}": "sum" for days in DAYS}
    each = rows.groupby(["account_id", "event", "user_id"], dropna=False).agg(counts | {"lag": "min"}).reset_index()
    for days in DAYS:
        each[f"u{days}"] = (each["lag"] < days * DAY_US) & each["user_id"].notna()
    users = {f"u{days}": "sum" for days in DAYS}
    table = each.groupby(["account_id", "event"]).agg(counts | users | {"lag": "min"})
    return _found(len(table), table["n14"].sum(), table["u7"].sum())


def exposure(log: Log, memory: str, stages: Stages) -> Said:
    """Read, type and check the log, count the exposure, and pack the flags, as a study does."""
    import numpy as np

    from discovery.engines.ceiling import engine_limit
    from discovery.engines.duckdb import DuckDBEngine
    from discovery.exposure import candidate_flags, measure
    from discovery.intake import load
    from discovery.spec import build_spec

    engine = DuckDBEngine(engine_limit(memory))
    relations = load(log.pattern, log.roll, build_spec({}), engine=engine, progress=stages)
    try:
        stages(COUNTED[0])
        windows = tuple(days * DAY_US for days in DAYS)
        accounts = len(relations.accounts)
        measured = measure(
            relations.engine, relations.events_table, relations.accounts_table, accounts, windows, windows[-1]
        )
        stages(COUNTED[1])
        flags = candidate_flags(measured, np.arange(accounts), *GRID)
    finally:
        relations.engine.close()
    return {
        **_found(measured.account.size, measured.counts[-1].sum(), measured.users[2].sum()),
        "flags": len(flags),
        "flag_bytes": flags.packed.nbytes,
    }


def run(log: Log, memory: str, stages: Stages) -> Said:
    """Run the whole study and write its report, as `discover run` does; nothing is kept from earlier runs."""
    return _run(log, memory, stages, cache=False)


def run_kept(log: Log, memory: str, stages: Stages) -> Said:
    """Run the whole study, and keep what was read and counted."""
    return _run(log, memory, stages, cache=True)


def run_again(log: Log, memory: str, stages: Stages) -> Said:
    """Run with another outcome what was run and kept before: the events are not read again."""
    return _run(log, memory, stages, cache=True, outcome={"by_day": 60})


def _run(log: Log, memory: str, stages: Stages, *, cache: bool, **sections: Mapping[str, object]) -> Said:
    from discovery.study import Study

    asked = {"accounts": {"segments": ["plan"]}}
    result = Study(log.pattern, log.roll, asked, memory=memory, cache=cache, **sections).run(progress=stages)
    stages("Writing the report")
    with tempfile.TemporaryDirectory() as folder:
        result.report(str(Path(folder) / "report.html"))
    return {"verdict": result.verdict.status, "milestone": str(result.verdict.milestone), "rules": result.searched}


def help_page(log: Log, memory: str, stages: Stages) -> Said:
    """Print the help, from a cold start of the interpreter."""
    subprocess.run([_discover(), "--help"], check=True, capture_output=True)
    return {}


def command(log: Log, memory: str, stages: Stages) -> Said:
    """Do `discover run EVENTS ACCOUNTS --out DIR` from a cold start of the interpreter."""
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "out")
        asked = [_discover(), "run", log.pattern, log.roll, "--out", out, "--no-cache"]
        subprocess.run(asked, check=True, capture_output=True)
    return {}


def _discover() -> str:
    return shutil.which("discover", path=str(Path(sys.executable).parent)) or "discover"


def _found(groups: int, rows: int, users: int) -> Said:
    return {"groups": int(groups), "rows": int(rows), "users_in_7_days": int(users)}


def _asked(log: Log, memory: str, query: str) -> tuple[int, ...]:
    with tempfile.TemporaryDirectory() as folder:
        config = {"memory_limit": memory, "temp_directory": folder, "preserve_insertion_order": "false"}
        with duckdb.connect(config=config) as engine:
            engine.execute("SET TimeZone = 'UTC'")
            return engine.execute(query).fetchone() or ()


TASKS: Mapping[str, Task] = {
    "scan": scan,
    "group_by": group_by,
    "naive_sql": naive_sql,
    "polars": polars,
    "pandas": pandas,
    "exposure": exposure,
    "run": run,
    "run_kept": run_kept,
    "run_again": run_again,
    "help": help_page,
    "command": command,
}
