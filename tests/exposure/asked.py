"""Everything that a study asks of the events, asked of relations; and the answer of the one query, on DuckDB."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from discovery import exposure
from discovery.engines.aggregated import Settings
from discovery.exposure.one_answer import one_answer
from discovery.intake import Relations
from discovery.intake.aggregates import load_aggregates
from discovery.spec import Day, StudySpec, build_spec

from .portable_world import RawWorld


def settings_of(world: RawWorld, spec: StudySpec) -> Settings:
    return Settings.of(spec, dates_only=world.tables.dates_only, has_users=world.tables.event_user is not None)


def answer_of(world: RawWorld, spec: StudySpec | None = None) -> pa.Table:
    """Return the aggregates of a world, as DuckDB answers in a session of another zone."""
    sql = one_answer(world.tables, settings_of(world, spec or build_spec(world.spec)), "duckdb")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'America/New_York'")
        for name, table in (("raw_events", world.events), ("raw_accounts", world.accounts)):
            connection.register("given", table)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
        return connection.sql(sql).to_arrow_table()


def from_aggregates(world: RawWorld, answer: pa.Table, spec: StudySpec | None = None) -> Relations:
    return load_aggregates(answer, world.accounts, spec or build_spec(world.spec))


def said(relations: Relations) -> dict[str, Any]:
    """Return the answers to all questions that aggregates can answer, as plain values."""
    spec, both = relations.spec, (relations.engine, relations.events_table, relations.accounts_table)
    n, window = len(relations.accounts), spec.candidates.window_days * Day
    measured = exposure.measure(*both, n, tuple(days * Day for days in spec.candidates.within_days), window)
    names = exposure.event_names(*both[:2])
    moment = np.where(np.arange(n) % 4 == 0, np.inf, (np.arange(n) * 1.7) % 31)
    found: dict[str, Any] = {
        name: _plain(getattr(measured, name))
        for name in ("events", "windows_us", "offsets", "account", "counts", "users", "first_lag")
    }
    found["names"] = set(names)
    for left_out in ((), names[:1], names[1:3], measured.events):
        rhythm = exposure.account_rhythm(*both, n, window, left_out)
        found[f"rhythm without {left_out}"] = [
            _plain(getattr(rhythm, each)) for each in ("actions", "moments", "days", "last_days")
        ]
    found["axes"] = exposure.volume_axes(*both, window)
    start, end = (days * Day for days in spec.outcome.active_days)
    for activity, passive in (((), ()), (names[:2], ()), ((), names[:2])):
        active = exposure.active_between(*both, n, start, end, activity, passive)
        found[f"active {activity} {passive}"] = _plain(active)
    counts = exposure.decision_times(*both, moment, moment / 2)
    found["decisions"] = [
        [each.events, *(_plain(getattr(each, name)) for name in ("having", "near", "after", "last"))] for each in counts
    ]
    found["expected"] = [_plain(np.nan_to_num(each.expected, nan=-1)) for each in counts]
    accounts = relations.accounts
    found["accounts"] = [_plain(accounts.signup), _plain(accounts.observed_until), accounts.account_id.tolist()]
    found["log"] = [relations.log_start, relations.log_end, relations.date_only, relations.has_users]
    return found


def _plain(values: Any) -> Any:
    return values.tolist() if isinstance(values, np.ndarray) else values
