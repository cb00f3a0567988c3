"""The exported SQL of files equals our own reading of the same files; what it takes for granted is said on top."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from discovery import intake
from discovery.errors import ColumnError, InputError, SpecError
from discovery.export.sql import MilestoneSelect, milestone_select, read_types
from discovery.exposure import reach_times
from discovery.intake.heads import look
from discovery.milestone import Milestone
from discovery.spec import Day, StudySpec, build_spec

ASKED = Milestone.parse("shared >= 2 within 3d")
ACCOUNTS = "id,signup_at,is_internal\n1.0,{0},no\n2.0,{0},yes\n3.0,,no\n4.0,{1},\n"
EVENTS = "account_id,user_id,event,timestamp\n" + "".join(
    f"{account},u{i},shared,{{{2 + i}}}\n" for account in (1, 2, 3, 4) for i in range(3)
)
WRITTEN = {
    "text": (
        ["2024-03-29T23:30:00", "2024-03-31T02:30:00", "2024-03-29 23:30:00", "2024-03-31T01:30:00+00:00",
         "2024-04-01 22:30:00.000001"],
        "UTC",
    ),
    "wall": (
        ["2024-03-29 23:30:00", "2024-03-30 10:00", "2024-03-29 23:30:01", "2024-04-02 00:29:59.999999", "2024-05-01"],
        "Europe/Berlin",
    ),
    "dates": (["2024-03-29 23:30:00", "2024-03-31", "2024-03-29", "2024-03-31", "2024-04-01"], "Europe/Berlin"),
    "seconds": (["1711755000", "1711800000", "1711755001", "1711800001.5", "1712014200"], "UTC"),
    "milliseconds": (["1711755000000", "1711800000000", "1711755001000", "1711800001500", "1712014200000"], "UTC"),
}  # fmt: skip


def files(folder: Path, times: list[str]) -> tuple[str, str]:
    (folder / "events.csv").write_text(EVENTS.format(*times))
    (folder / "accounts.csv").write_text(ACCOUNTS.format(*times))
    return str(folder / "events.csv"), str(folder / "accounts.csv")


def ours(sources: tuple[str, str], spec: StudySpec) -> dict[str, float]:
    relations = intake.load(*sources, spec)
    with closing(relations.engine) as engine:
        tables, n = (relations.events_table, relations.accounts_table), len(relations.accounts)
        days = reach_times(engine, *tables, n, ASKED, 14 * Day)
    known = relations.accounts
    return {known.account_id[i]: float(days[i]) for i in np.flatnonzero(np.isfinite(days) & ~known.excluded)}


def theirs(sources: tuple[str, str], select: MilestoneSelect) -> dict[str, float]:
    with duckdb.connect() as connection:
        for name, path in zip(("events", "accounts"), sources, strict=True):
            connection.execute(f"CREATE TABLE {name} AS FROM read_csv('{path}', all_varchar = true)")
        return {account: days for account, _, days in connection.execute(select.commented).fetchall()}


@pytest.mark.parametrize("kind", WRITTEN)
def test_recognised_files_give_sql_that_equals_our_own_reading(kind: str, tmp_path: Path) -> None:
    times, zone = WRITTEN[kind]
    sources, spec = files(tmp_path, times), build_spec({"events": {"timezone": zone}})
    heads = look(*sources, spec, ASKED.events)
    select = milestone_select(ASKED, spec, "duckdb", heads=heads)
    assert heads.absent == ()
    assert select.tables.dates_only is (kind == "dates")
    expected = ours(sources, spec)
    assert expected
    assert theirs(sources, select) == expected


@pytest.mark.parametrize("kind", ["text", "wall", "dates"])
def test_text_in_the_files_may_be_typed_in_the_table(kind: str, tmp_path: Path) -> None:
    times, zone = WRITTEN[kind]
    sources, spec = files(tmp_path, times), build_spec({"events": {"timezone": zone}})
    select = milestone_select(ASKED, spec, "duckdb", heads=look(*sources, spec))
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE events AS FROM '{sources[0]}'")
        connection.execute(f"CREATE TABLE accounts AS FROM '{sources[1]}'")
        found = {account: days for account, _, days in connection.execute(select.sql).fetchall()}
    assert found == ours(sources, spec)


def test_what_columns_hold_is_told_in_our_own_words(tmp_path: Path) -> None:
    typed = {
        "events": "SELECT 1::DOUBLE account_id, 'u' user_id, 'shared' event, 1711755000::BIGINT \"timestamp\"",
        "accounts": "SELECT 1::DECIMAL(9, 0) id, TIMESTAMP '2024-03-29 23:30:00' signup_at, false is_internal",
    }
    for name, query in typed.items():
        duckdb.sql(query).write_parquet(str(tmp_path / f"{name}.parquet"))
    sources = str(tmp_path / "events.parquet"), str(tmp_path / "accounts.parquet")
    heads = look(*sources, StudySpec())
    held = {role: heads.stored[role] for role in ("events.account", "events.user", "events.time")}
    assert held == {"events.account": "float", "events.user": "text", "events.time": "integer"}
    assert (heads.stored["accounts.exclude"], heads.stored["accounts.signup"]) == ("boolean", "")
    tables = milestone_select(ASKED, StudySpec(), "duckdb", heads=heads).tables
    assert (tables.event_account.stored, tables.event_time.stored, tables.signup.stored) == ("float", "integer", "")
    assert tables.exclude_is_boolean


def test_events_at_midnight_first_and_at_other_times_later_are_no_dates(tmp_path: Path) -> None:
    rows = ["account_id,event,timestamp", *["1,x,2024-01-02 00:00:00"] * 20_000, "1,late,2024-01-02 00:00:00.000001"]
    (tmp_path / "events.csv").write_text("\n".join(rows))
    (tmp_path / "accounts.csv").write_text("id,signup_at\n1,2024-01-01\n")
    heads = look(str(tmp_path / "events.csv"), str(tmp_path / "accounts.csv"), StudySpec(), ("x", "late", "never"))
    assert heads.dates_only is False
    assert heads.absent == ("never",)


NAMED: dict[str, Any] = {
    "events": {"account": "account_id", "event": "event", "time": "at", "user": "user_id"},
    "accounts": {"account": "id", "signup": "signup", "exclude": "internal"},
}


@pytest.mark.parametrize(
    ("dialect", "time"),
    [("postgres", "AT TIME ZONE"), ("bigquery", "UNIX_MICROS(e.`at`)"), ("clickhouse", "toDateTime64(e.at, 6)")],
)
def test_without_data_times_are_what_the_dialect_calls_timestamp(dialect: str, time: str) -> None:
    spec = build_spec({**NAMED, "events": {**NAMED["events"], "timezone": "Europe/Berlin"}})
    select = milestone_select(ASKED, spec, dialect)
    assert time in select.sql
    assert any("assumed, no data were looked at" in note for note in select.notes)
    assert "CASE WHEN a.internal THEN 1 ELSE 0 END" in select.sql


def test_types_given_are_used_and_said() -> None:
    types = read_types(["events.time=Date", "accounts.signup = milliseconds", "accounts.exclude=text"])
    select = milestone_select(ASKED, build_spec(NAMED), "duckdb", types=types)
    assert select.tables.dates_only
    assert "a.signup AS DECIMAL(38, 9)) * 1000" in select.sql
    assert "LOWER(TRIM(CAST(a.internal AS TEXT)))" in select.sql
    assert any("numbers: milliseconds since 1970 (as told" in note for note in select.notes)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("events.time", "of the form COLUMN=TYPE"),
        ("events.user=text", "events.time, accounts.signup, accounts.exclude"),
        ("events.time=datetime", "'datetime' is no type of events.time. Known are: timestamp, timestamptz"),
        ("accounts.exclude=date", "Known are: boolean, text"),
    ],
)
def test_an_unknown_type_lists_those_there_are(setting: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_types([setting])


def test_columns_that_are_not_named_are_listed() -> None:
    with pytest.raises(SpecError, match=r"2 that are needed are not named: events\.time, accounts\.signup"):
        milestone_select(
            ASKED, build_spec({"events": {"account": "a", "event": "e"}, "accounts": {"account": "a"}}), "duckdb"
        )


def test_a_column_without_times_is_refused(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("account_id,event,timestamp\n1,x,2024-01-02\n")
    (tmp_path / "accounts.csv").write_text("id,signup_at\n1,\n")
    with pytest.raises(ColumnError, match="holds nothing that reads as a time"):
        look(str(tmp_path / "events.csv"), str(tmp_path / "accounts.csv"), StudySpec())


def test_a_path_into_nested_records_is_refused(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text('{"p": {"org": "1"}, "event": "x", "timestamp": "2024-01-02T10:00:00Z"}\n')
    (tmp_path / "accounts.csv").write_text("id,signup_at\n1,2024-01-01\n")
    spec = build_spec({"events": {"account": "p.org"}})
    heads = look(str(tmp_path / "events.jsonl"), str(tmp_path / "accounts.csv"), spec)
    with pytest.raises(InputError, match=r"'p\.org' is a path into nested records"):
        milestone_select(ASKED, spec, "duckdb", heads=heads)


def test_no_name_breaks_out_of_the_comment() -> None:
    names = "x\n; DROP TABLE events; --\u2028\x85\r y"
    select = milestone_select(Milestone.of(names), build_spec(NAMED), "duckdb")
    head = select.commented.removesuffix(select.sql + "\n")
    assert all(line.startswith("-- ") for line in head.splitlines())
    assert len(duckdb.extract_statements(select.commented)) == 1
