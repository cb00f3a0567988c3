"""What a format knows of its export is used: its columns, its kinds of records, its own users and accounts."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from discovery.engines.duckdb import DuckDBEngine
from discovery.errors import SourceError
from discovery.intake import load, telling
from discovery.intake.formats import FORMATS, Layout, Role
from discovery.intake.heads import look
from discovery.spec import build_spec

from .tables import START, US, clean_accounts, codes, micros, read, usable

ACCOUNTS = clean_accounts()
HOUR = 3_600 * US


def _layout(look, reason) -> Layout:
    """A made-up tool: calls of users, who belong to accounts by "join" calls, in whole seconds since 1970."""
    source = look.source
    for path in ("body.name", "body.account"):
        source = source.reaching(look.engine, path)
    shouted = {**source.derived, "loud": 'upper("who")'}
    source = replace(source, derived=shouted, columns={**source.columns, "loud": "VARCHAR"})
    rows = source.table()
    joins = f"FROM {rows} WHERE \"kind\" = 'join'"
    return Layout(
        format="mixpanel",
        reason=reason,
        source=source,
        roles={
            "account": Role(column="body.account", why="where calls say so"),
            "event": Role(column="body.name", why="the name of a call"),
            "time": Role(column="at", why="when"),
            "user": Role(column="loud", why="who, in capitals"),
            "sent": Role(column="sent", why="sent"),
        },
        passed_over='CASE WHEN "kind" <> \'call\' THEN "kind" END',
        properties=("body",),
        members=f'SELECT upper("who") AS user_id, "body.account" AS account_id, '
        f'CAST("at" AS BIGINT) * {US} AS since {joins}',
        persons=f'SELECT upper("who") AS user_id, upper("body.name") AS person_id FROM {rows} WHERE "kind" = \'alias\'',
        accounts=f'SELECT "body.account" AS account_id, make_timestamp(min(CAST("at" AS BIGINT)) * {US}) AS signup_at, '
        f'min("body.name") AS plan, min(CAST("at" AS BIGINT)) * {US} AS "(told) plan" {joins} GROUP BY 1',
        wall_numbers=look.spec.timezone != "UTC",
    )


@pytest.fixture
def made_up(monkeypatch):
    tool = SimpleNamespace(
        likeness=lambda look: "its kind and body" if {"kind", "body"} <= set(look.source.columns) else "",
        layout=_layout,
    )
    monkeypatch.setitem(FORMATS, "mixpanel", tool)


def at(hour: float) -> int:
    return START.value // 10**9 + int(hour * 3_600)


CALLS = [
    {"kind": "alias", "who": "x", "at": at(0), "body": {"name": "ann"}},
    {"kind": "join", "who": "ann", "at": at(10), "sent": at(10), "body": {"account": "a00", "name": "pro"}},
    {"kind": "join", "who": "ann", "at": at(50), "body": {"account": "a01", "name": "free"}},
    {"kind": "ping", "who": None, "at": None},
    {"kind": "call", "who": "x", "at": at(1), "sent": at(2), "body": {"name": "opened", "size": 3}},
    {"kind": "call", "who": "ann", "at": at(20), "body": {"name": "shared"}},
    {"kind": "call", "who": "ann", "at": at(60), "body": {"name": "shared", "account": "a02"}},
    {"kind": "call", "who": "ann", "at": at(70), "body": {"name": "shared"}},
    {"kind": "call", "who": "bob", "at": at(71), "body": {"name": "shared"}},
]


@pytest.fixture
def export(tmp_path, made_up):
    path = tmp_path / "calls.jsonl"
    path.write_text("\n".join(map(json.dumps, CALLS)))
    return path


def test_a_layout_is_used_throughout(export):
    relations = read(export, ACCOUNTS, candidates={"properties": ["size"]})
    assert relations.layout == "mixpanel"
    assert [(row[0], row[1], row[2], (row[3] - START.value // 1000) / HOUR) for row in usable(relations)] == [
        ("a00", "opened", "ANN", 1),
        ("a00", "shared", "ANN", 20),
        ("a01", "shared", "ANN", 70),
        ("a02", "shared", "ANN", 60),
    ]
    assert codes(relations)["records_passed_over"].count == 4
    assert "missing_time" not in codes(relations)
    assert codes(relations)["unmapped_events"].count == 1
    assert [(c.column, c.reason) for c in relations.recognised if (c.table, c.role) == ("events", "user")] == [
        ("loud", "who, in capitals")
    ]


def test_the_written_spec_reads_the_same_again(export):
    relations = read(export, None)
    assert relations.spec.events.format == "mixpanel"
    assert relations.spec.events.user == "loud"
    again = load(None, None, relations.spec)
    assert again.spec == relations.spec
    assert usable(again) == usable(relations)
    assert np.array_equal(again.accounts.signup, relations.accounts.signup)


def test_accounts_are_as_the_export_tells(export):
    relations = read(export, None, accounts={"segments": ["plan"]})
    signup = dict(zip(relations.accounts.account_id.tolist(), relations.accounts.signup.tolist(), strict=True))
    assert signup == {"a00": at(10) * US, "a01": at(50) * US, "a02": at(60) * US}
    assert relations.accounts.segments["plan"].tolist() == ["pro", "free", None]
    zone = read(export, None, events={"timezone": "Asia/Tokyo"}, accounts={"signup": "signup_at"})
    known = dict(zip(zone.accounts.account_id.tolist(), zone.accounts.signup.tolist(), strict=True))
    assert known["a00"] == at(10) * US


def test_what_the_export_tells_is_read_in_the_same_pass(export, monkeypatch):
    passes = []
    execute = DuckDBEngine.execute
    monkeypatch.setattr(DuckDBEngine, "execute", lambda self, sql, *_: (passes.append(sql), execute(self, sql))[1])
    relations = read(export, None)
    whole = [sql for sql in passes if "read_json" in sql and "LIMIT" not in sql]
    assert len(whole) == 1
    monkeypatch.setattr(telling, "NARROW", 0)
    wide = read(export, None)
    assert len([sql for sql in passes if "read_json" in sql and "LIMIT" not in sql]) > 3
    assert usable(wide) == usable(relations)
    assert np.array_equal(wide.accounts.signup, relations.accounts.signup)
    assert not relations.engine.rows("SELECT 1 FROM duckdb_columns() WHERE column_name LIKE 'told_%'")
    assert not relations.engine.rows("SELECT 1 FROM duckdb_tables() WHERE table_name LIKE '%_told_%'")


def test_the_spec_goes_before_the_layout(export):
    relations = read(export, ACCOUNTS, events={"user": "who", "account": "body.account"})
    assert usable(relations)[-1][:3] == ("a02", "shared", "ann")
    plain = {"format": "table", "account": "body.account", "event": "body.name", "time": "at", "user": "who"}
    relations = read(export, ACCOUNTS, events=plain)
    assert relations.layout == "table"
    assert len(usable(relations)) == 3


def test_numbers_on_the_wall_are_read_in_the_zone(export):
    shown = read(export, ACCOUNTS, events={"timezone": "America/New_York"})
    utc = read(export, ACCOUNTS)
    last = [max(row[3] for row in usable(relations)) for relations in (utc, shown)]
    assert last[1] - last[0] == 5 * HOUR
    for relations in (utc, shown):
        sent = relations.engine.rows(
            f'SELECT sent FROM "{relations.events_table}_typed" WHERE sent IS NOT NULL ORDER BY sent'
        )
        assert sent == [(at(2) * US,), (at(10) * US,)]


def test_wall_times_follow_the_clocks_back():
    from discovery.intake.times import Clock

    clock = Clock(column="n", kind="BIGINT", writing="number", units_per_second=1, readable=1, filled=1)
    shown = micros("2024-11-03T12:00:00") // US
    relations = read(pd.DataFrame({"account_id": "a00", "event": "x", "ts": [START]}), ACCOUNTS)
    read_in = {
        wall: relations.engine.rows(
            f"SELECT {replace(clock, wall_numbers=True).micros('America/New_York', wall)} FROM (SELECT {shown} AS n)"
        )[0][0]
        for wall in (False, True)
    }
    assert read_in == {False: micros("2024-11-03T17:00:00"), True: micros("2024-11-03T12:00:00")}
    assert replace(clock, wall_numbers=True).micros("UTC") == clock.micros("UTC")


def test_sent_and_received_are_kept_where_they_are_not_the_time():
    events = pd.DataFrame(
        {"account_id": "a00", "event": "x", "timestamp": [START], "sentAt": [START], "received_at": [START]}
    )
    relations = read(events, ACCOUNTS)
    assert relations.engine.rows(f'SELECT sent, received FROM "{relations.events_table}_typed"') == [
        (START.value // 1000,) * 2
    ]
    alone = read(events[["account_id", "event", "received_at"]], ACCOUNTS)
    names = [row[0] for row in alone.engine.rows(f'DESCRIBE "{alone.events_table}_typed"')]
    assert "received" not in names


def test_sql_of_a_milestone_refuses_what_it_does_not_know(export, tmp_path):
    accounts = tmp_path / "a.csv"
    ACCOUNTS.to_csv(accounts, index=False)
    plain = tmp_path / "e.csv"
    pd.DataFrame({"account_id": "a00", "event": "x", "ts": [START, START + pd.Timedelta(hours=1)]}).to_csv(plain)
    with pytest.raises(SourceError, match=r"export of Mixpanel .*Make a view"):
        look(export, accounts, build_spec({}))
    with pytest.raises(SourceError, match=r"knows nothing of accounts that are read off the events"):
        look(plain, None, build_spec({}))
    with pytest.raises(SourceError, match=r"knows nothing of \[identity\], events.aliases"):
        look(plain, accounts, build_spec({"identity": {"from": "x.csv"}, "events": {"aliases": {"x": ["y"]}}}))
    assert look(plain, accounts, build_spec({})).spec.events.account == "account_id"
