"""Events read where they are equal the same rows read from a table here: rows, accounts, counts and findings."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from discovery import intake
from discovery.engines.expressions import aliased
from discovery.engines.raw_tables import TIME_TYPES
from discovery.spec import build_spec
from tests.exposure.portable_world import BERLIN, RawWorld, raw_world

from .servers import Server

FACTS = (
    "log_start",
    "log_end",
    "events_used",
    "date_only",
    "has_users",
    "has_departures",
    "churn_is_silence",
    "properties",
)
COUNTED = ("unknown_accounts", "events_before_signup", "accounts_without_events", "missing_account", "unreadable_time")


def loaded(server: Server | None, events: pa.Table, accounts: pa.Table, spec: dict[str, Any]) -> intake.Relations:
    if server is None:
        return intake.load(events, accounts, build_spec(spec))
    server.lay("raw_events", events)
    named = {"from": server.address, "table": "raw_events"}
    return intake.load(None, accounts, build_spec({**spec, "events": {**spec.get("events", {}), **named}}))


def rows_of(relations: intake.Relations, *further: str) -> Counter[tuple[Any, ...]]:
    engine = relations.engine
    relation = aliased(relations.events_table, "e").sql(dialect=engine.dialect)
    names = ", ".join(("account_id", "event", "user_id", "t", *further))
    return Counter(engine.rows(f"SELECT {names} FROM {relation}"))


def accounts_of(relations: intake.Relations) -> dict[str, list[Any]]:
    held = relations.accounts
    arrays = {name: getattr(held, name) for name in ("account_id", "signup", "churned", "observed_until", "excluded")}
    return {name: np.asarray(values).tolist() for name, values in arrays.items()}


def assert_same(server: Server, world: RawWorld | tuple[pa.Table, pa.Table], spec: dict[str, Any]) -> intake.Relations:
    events, accounts = (world.events, world.accounts) if isinstance(world, RawWorld) else world
    there, here = (loaded(where, events, accounts, spec) for where in (server, None))
    further = [name for i in range(len(here.properties)) for name in (f"property_{i}", f"number_{i}")]
    further += ["creator_id"] if here.has_creator else []
    assert rows_of(there, *further) == rows_of(here, *further)
    assert accounts_of(there) == accounts_of(here)
    assert {name: getattr(there, name) for name in FACTS} == {name: getattr(here, name) for name in FACTS}
    counts = [{f.code: f.count for f in each.quality if f.code in COUNTED} for each in (there, here)]
    if here.spec.events.duplicates == "keep":
        assert counts[0] == counts[1]
        assert there.events_rows == here.events_rows
    here.engine.close()
    assert_known_accounts_join(there)
    return there


def assert_known_accounts_join(relations: intake.Relations) -> None:
    table = aliased(relations.accounts_table, "a").sql(dialect=relations.engine.dialect)
    held = relations.accounts
    for account, key, signup in relations.engine.rows(f"SELECT account, account_id, signup FROM {table}"):
        assert (held.account_id[account], held.signup[account]) == (key, signup)


@pytest.mark.parametrize("holds", TIME_TYPES)
@pytest.mark.parametrize("zone", ["UTC", BERLIN])
def test_times_on_postgres(holds: str, zone: str, postgres: Server) -> None:
    world = raw_world(holds, seed=TIME_TYPES.index(holds), zone=zone)
    closed(assert_same(postgres, world, world.spec))


@pytest.mark.parametrize("holds", ["timestamptz", "date", "text", "milliseconds", "yyyymmdd"])
def test_times_on_clickhouse(holds: str, clickhouse: Server) -> None:
    world = raw_world(holds, seed=TIME_TYPES.index(holds))
    closed(assert_same(clickhouse, world, world.spec))


@pytest.mark.parametrize("holds", ["timestamp", "timestamptz", "date", "text"])
def test_times_on_spark(holds: str, spark: Server) -> None:
    world = raw_world(holds, seed=TIME_TYPES.index(holds))
    closed(assert_same(spark, world, world.spec))


@pytest.mark.parametrize("duplicates", ["exact", "keep", "by_id"])
@pytest.mark.parametrize("kind", ["postgres", "clickhouse"])
def test_repeated_rows(duplicates: str, kind: str, request: pytest.FixtureRequest) -> None:
    world = raw_world(duplicates=duplicates, zone="UTC")
    found = assert_same(request.getfixturevalue(kind), world, world.spec)
    codes = {finding.code for finding in found.quality}
    assert ("duplicate_ids" in codes, "duplicate_rows" in codes) == (duplicates == "by_id", duplicates == "exact")
    closed(found)


def test_times_that_are_midnights_throughout_are_dates(postgres: Server) -> None:
    world = raw_world("timestamp", midnights=True)
    found = assert_same(postgres, world, world.spec)
    assert found.date_only
    assert "date_only_time" in {finding.code for finding in found.quality}
    closed(found)


def test_names_are_renamed_and_left_out_over_there(server: Server) -> None:
    world = raw_world("timestamptz", duplicates="keep")
    asked = {
        "aliases": {"report shared": ["report_shared", "zażółć 🦆"]},
        "leave_out": ["Deal*"],
        "leave_out_users": ["u2"],
    }
    spec = {**world.spec, "events": {**world.spec["events"], **asked}}
    found = assert_same(server, world, spec)
    assert "left_out" in {finding.code for finding in found.quality}
    assert not any(name in ("Deal Created", "report_shared") for _, name, _, _ in rows_of(found))
    closed(found)


def log_of(*, accounts: int = 60, further: Any = None) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """Return columns of events, some every day for each account, and of the accounts, of which a third left."""
    start = datetime(2024, 3, 4, 9, 0, 7, tzinfo=UTC)
    signups = [start + timedelta(hours=5 * i) for i in range(accounts)]
    left = [at + timedelta(days=9 + i % 7) if i % 3 == 0 else None for i, at in enumerate(signups)]
    rows = [
        (f"a{i}", name, f"u{i}-{day % 2}", at + timedelta(days=day, minutes=7 * day + place, microseconds=day))
        for i, at in enumerate(signups)
        for day in range(9 if i % 3 == 0 else 25)
        for place, name in enumerate(("opened", "shared")[: 1 + (day + i) % 2])
    ]
    rows += [] if further is None else further(signups, left)
    names = ("account_id", "event", "user_id", "time")
    events = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    ids = [f"a{i}" for i in range(accounts)]
    return events, {"account_id": ids, "signup_at": signups, "churned_at": left}


def as_tables(events: dict[str, list[Any]], accounts: dict[str, list[Any]]) -> tuple[pa.Table, pa.Table]:
    def table(columns: dict[str, list[Any]]) -> pa.Table:
        return pa.table(
            {
                name: pa.array(held, _INSTANT if name.endswith(("time", "_at")) else None)
                for name, held in columns.items()
            }
        )

    return table(events), table(accounts)


_INSTANT = pa.timestamp("us", "UTC")


def test_recorded_departures_are_used(postgres: Server) -> None:
    found = assert_same(postgres, as_tables(*log_of()), {})
    assert found.has_departures
    assert not found.churn_is_silence
    assert {finding.code for finding in found.quality} == {"events_in_place"}
    assert found.spec.outcome.kind == "retained"
    closed(found)


@pytest.mark.parametrize("days", [0, 3])
def test_dates_of_leaving_that_repeat_the_last_event_are_silence(days: int, postgres: Server) -> None:
    events, accounts = log_of()
    last: dict[str, datetime] = {}
    for account, time in zip(events["account_id"], events["time"], strict=True):
        last[account] = max(last.get(account, time), time)
    accounts["churned_at"] = [
        last[key] + timedelta(days=days) if left else None
        for key, left in zip(accounts["account_id"], accounts["churned_at"], strict=True)
    ]
    found = assert_same(postgres, as_tables(events, accounts), {})
    assert found.churn_is_silence
    assert "churn_is_silence" in {finding.code for finding in found.quality}
    closed(found)


def test_a_departure_that_is_an_event_is_no_silence(server: Server) -> None:
    def cancelled(signups: list[datetime], left: list[datetime | None]) -> list[tuple[Any, ...]]:
        return [(f"a{i}", "cancelled", None, at) for i, at in enumerate(left) if at]

    found = assert_same(server, as_tables(*log_of(further=cancelled)), {})
    assert found.has_departures
    assert not found.churn_is_silence
    closed(found)


def test_stray_future_unknown_and_early_events_are_told_apart(postgres: Server) -> None:
    def odd(signups: list[datetime], left: list[datetime | None]) -> list[tuple[Any, ...]]:
        return [
            ("a1", "opened", None, datetime(2150, 1, 1, tzinfo=UTC)),
            ("nobody", "opened", None, signups[0] - timedelta(days=20)),
            ("a2", "opened", None, signups[2] - timedelta(hours=3)),
            ("a4", "opened", None, signups[4] - timedelta(days=3)),
            ("a0", "opened", None, (left[0] or signups[0]) + timedelta(days=2)),
        ]

    tables = as_tables(*log_of(further=odd))
    found = assert_same(postgres, tables, {})
    odd_ones = ("stray_times", "future_events", "unknown_accounts", "events_before_signup", "activity_after_churn")
    counts = {finding.code: finding.count for finding in found.quality}
    assert [counts[code] for code in odd_ones] == [1, 1, 1, 2, 1]
    here = loaded(None, *tables, {})
    told = {finding.code: finding for finding in here.quality}
    for finding in found.quality:
        if finding.code in ("unknown_accounts", "events_before_signup", "activity_after_churn"):
            assert (finding.message, finding.examples) == (told[finding.code].message, told[finding.code].examples)
    closed(found)
    closed(here)


@pytest.mark.parametrize("kind", ["postgres", "clickhouse"])
def test_properties_are_read_as_text_and_as_numbers(kind: str, request: pytest.FixtureRequest) -> None:
    events, accounts = log_of()
    count = len(events["event"])
    events["channel"] = [("email", "link", None, "")[i % 4] for i in range(count)]
    events["rows"] = [i % 5 or None for i in range(count)]
    events["is_first"] = [(True, False, None)[i % 3] for i in range(count)]
    events["owner"] = [f"u{i % 4}-0" for i in range(count)]
    spec = {"events": {"creator": "owner"}, "candidates": {"properties": ["channel", "rows", "is_first"]}}
    closed(assert_same(request.getfixturevalue(kind), as_tables(events, accounts), spec))


def closed(relations: intake.Relations) -> None:
    relations.engine.close()
