"""Segment's raw logs and warehouse tables: recognised, laid out, and read as the log that was lived."""

from __future__ import annotations

import dataclasses
import gzip
import itertools
import json
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.engines.duckdb import DuckDBEngine
from discovery.intake import load
from discovery.intake.formats import FORMATS, accounts_of, layout_of, segment
from discovery.intake.formats.layout import Layout
from discovery.intake.formats.told import members_told, moment, persons_told
from discovery.intake.memory import open_source
from discovery.intake.sources import sample_rows
from discovery.spec import build_spec
from tests.exports.plain import flags_of, loaded_flags, write_plain
from tests.exports.segment import EXPORTS, write_old, write_raw, write_warehouse
from tests.intake.formats.looking import Without, look_at, opened

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "sources" / "segment.md"


def call(kind: str, number: int, **fields: Any) -> dict[str, Any]:
    at = f"2025-01-01T00:{number // 60:02d}:{number % 60:02d}.000Z"
    return {"type": kind, "messageId": f"m{number}", "timestamp": at, "context": {}, "anonymousId": None} | fields


def laid_out(engine: DuckDBEngine, tmp_path: Path, calls: list[dict[str, Any]]) -> Layout:
    path = tmp_path / "calls.jsonl"
    path.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in calls), encoding="utf-8")
    return layout_of(look_at(engine, path))


def answers(engine: DuckDBEngine, query: str) -> list[dict[str, Any]]:
    kept = "columns(lambda c: NOT starts_with(c, '(told) '))"
    return engine.table(f"SELECT {kept} FROM ({query}) ORDER BY ALL").to_pylist()


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.name)
def test_an_export_gives_the_flags_of_the_plain_log(export, plain, exported):
    relations = load(*exported(export), build_spec(export.settings))
    assert relations.layout == "segment"
    assert flags_of(relations) == plain


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.name)
def test_a_format_that_is_named_is_laid_out_as_one_that_is_recognised(export, exported):
    events, _ = exported(export)
    with opened(events) as look, opened(events, format="segment") as named:
        recognised = layout_of(look)
        assert recognised.format == "segment"
        assert dataclasses.replace(layout_of(named), reason=recognised.reason) == recognised


@pytest.mark.parametrize("write", [write_raw, write_warehouse])
def test_the_spec_as_run_reads_the_same_again(write, log, plain, tmp_path):
    events, accounts = write(log, tmp_path)
    first = load(events, accounts, build_spec({}))
    again = load(events, accounts, first.spec)
    assert again.spec == first.spec
    assert flags_of(again) == plain


@pytest.mark.parametrize("part", ["members", "persons", "passed_over"])
def test_every_part_of_the_layout_is_needed(part, log, plain, tmp_path, monkeypatch):
    events, accounts = write_old(log, tmp_path)
    whole = load(events, accounts, build_spec({}))
    monkeypatch.setitem(FORMATS, "segment", Without(segment, part))
    without = load(events, accounts, build_spec({}))
    if part == "passed_over":
        assert "missing_event_name" in codes(without) - codes(whole)
    else:
        assert flags_of(without) != plain


def codes(relations: Any) -> set[str]:
    return {finding.code for finding in relations.quality}


def test_calls_that_are_no_events_are_passed_over_by_kind(engine, log, tmp_path):
    path, _ = write_raw(log, tmp_path)
    look = look_at(engine, path)
    laid = layout_of(look)
    kinds = dict(engine.rows(f"SELECT {laid.passed_over} AS k, count(*) FROM {laid.source.table()} GROUP BY k"))
    assert kinds.keys() == {None, "identify", "group", "alias", "page", "screen"}
    assert kinds[None] >= len(log.events)  # and what was sent twice


@pytest.mark.parametrize("given", ["plain", "demo"])
def test_a_plain_table_is_none(engine, given, log, tmp_path):
    path = ROOT / "data_fixtures" / "demo" / "events.parquet"
    if given == "plain":
        path, _ = write_plain(log, tmp_path)
    assert segment.likeness(look_at(engine, path)) == ""


def test_the_event_of_a_table_is_called_as_it_was_sent(engine):
    at = datetime(2025, 1, 1)
    row = {"id": "m", "user_id": "u", "received_at": at, "sent_at": at, "timestamp": at}
    laid = layout_of(look_at(engine, pd.DataFrame([{**row, "event": "signed_up", "event_text": "Signed Up"}])))
    assert (laid.format, laid.roles["event"].column) == ("segment", "event_text")


def test_records_of_other_kinds_with_the_same_fields_are_none(engine, tmp_path):
    notes = [call("note", i, event="a", userId="u1") for i in range(8)]
    assert laid_out(engine, tmp_path, [*notes, call("track", 9, event="a", userId="u1")]).format == "table"


def test_the_account_is_that_of_the_context(engine, tmp_path):
    laid = laid_out(
        engine,
        tmp_path,
        [
            call("track", 1, event="a", userId="u1", context={"groupId": 12}, properties={"account_id": "no"}),
            call("track", 2, event="a", userId="u1", context="broken", properties=None),
        ],
    )
    assert laid.roles["account"].column == "context.groupId"
    assert answers(engine, f'SELECT "context.groupId" AS a FROM {laid.source.table()}') == [{"a": "12"}, {"a": None}]


def test_without_a_context_the_group_calls_tell(engine, tmp_path):
    laid = laid_out(
        engine,
        tmp_path,
        [
            call("group", 1, groupId=7, userId="u1", traits={"plan": "free"}),
            call("track", 2, event="a", userId="u1", properties={"account_id": "no"}),
        ],
    )
    assert laid.roles["account"].column == "groupId"
    assert answers(engine, laid.members) == [{"user_id": "u1", "account_id": "7", "since": 1_735_689_601_000_000}]


def test_without_either_a_property_named_like_an_account_is_taken(engine, tmp_path):
    calls = [call("track", i, event="a", userId="u1", properties={"workspaceId": 3, "size": 1}) for i in range(3)]
    laid = laid_out(engine, tmp_path, calls)
    assert laid.roles["account"].column == "properties.workspaceId"
    assert "no group call" in laid.roles["account"].why


def test_the_spec_may_name_another_account(engine, tmp_path):
    path = tmp_path / "calls.jsonl"
    calls = [
        call("track", i, event="a", userId=f"u{i % 2}", context={"groupId": "g"}, properties={"team": f"t{i % 2}"})
        for i in range(4)
    ]
    path.write_text("".join(json.dumps(each) + "\n" for each in calls))
    relations = load(path, None, build_spec({"events": {"account": "properties.team"}}))
    assert sorted(relations.accounts.account_id) == ["t0", "t1"]


def test_a_group_first_named_late_in_a_long_file_is_read(tmp_path):
    calls = [call("track", 0, event="a", userId="u1", messageId=str(i)) for i in range(20_500)]
    calls.append(call("group", 1, groupId="g", userId="u1", traits={}))
    path = tmp_path / "calls.jsonl.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(each) + "\n" for each in calls).encode(), 1))
    relations = load(path, None, build_spec({}))
    assert list(relations.accounts.account_id) == ["g"]


def test_rows_of_any_other_kind_are_no_events(engine, tmp_path):
    calls = [call("track", i, event="a", userId="u1", context={"groupId": "g"}) for i in range(30)]
    calls += [call("Delete", 31, userId="u1"), call("track", 32, event=None, userId="u1"), {"type": None}]
    laid = laid_out(engine, tmp_path, calls)
    kinds = dict(engine.rows(f"SELECT {laid.passed_over} AS k, count(*) FROM {laid.source.table()} GROUP BY k"))
    assert kinds == {None: 32, "delete": 1}


def test_who_is_known_first_on_a_device_keeps_it(engine, tmp_path):
    laid = laid_out(
        engine,
        tmp_path,
        [
            call("track", 1, event="a", anonymousId="d1", context={"groupId": "g"}),
            call("identify", 3, anonymousId="d1", userId="second"),
            call("identify", 2, anonymousId="d1", userId="first"),
            call("alias", 4, userId="first", previousId="first@old.example"),
            call("track", 5, event="a", userId="third", previousId="not an alias"),
            call("identify", 6, anonymousId="", userId="third"),
        ],
    )
    assert answers(engine, laid.persons) == [
        {"user_id": "d1", "person_id": "first"},
        {"user_id": "first@old.example", "person_id": "first"},
    ]


def test_accounts_are_as_they_were_first_told(engine, tmp_path):
    created = {"createdAt": "2024-05-01T08:00:00.000Z"}
    laid = laid_out(
        engine,
        tmp_path,
        [
            call("group", 1, groupId="a", userId="u", traits={"plan": None, "address": {"city": "東京"}}),
            call("group", 3, groupId="a", userId="u", traits={"plan": "pro", "Industry": "b", **created}),
            call(
                "group",
                2,
                groupId="a",
                userId="u",
                traits={"plan": "free", "industry": "ß", "a/b~c": True, "account_id": "z", "id": 1},
            ),
            call("group", 5, groupId=12.0, userId="u", traits={"created_at": 1_714_550_400}),
            call("group", 6, groupId="12", userId="u", traits={"created_at": 1_714_550_400_999, "plan": "pro"}),
            call("group", 7, groupId="c", userId="u", traits="broken"),
            call("identify", 0, userId="u", context={"groupId": "a"}, traits={"plan": "the user's", "industry": "x"}),
            call("track", 4, event="a", userId="u", context={"groupId": "d"}),
        ],
    )
    told = {row.pop("account_id"): row for row in answers(engine, laid.accounts)}
    a = {name.lower(): value for name, value in told["a"].items()}  # traits are the same in either case
    assert a == {"signup_at": datetime(2024, 5, 1, 8), "plan": "free", "industry": "ß", "a/b~c": "true"}
    assert told["12"]["signup_at"] == datetime(2024, 5, 1, 8)
    assert told["c"]["signup_at"] == datetime(2025, 1, 1, 0, 0, 7)  # when it was first named
    assert told["d"]["signup_at"] == datetime(2025, 1, 1, 0, 0, 4)


def test_where_no_call_tells_a_signup_the_first_event_stands_for_it_and_is_called_that(tmp_path):
    path = tmp_path / "calls.jsonl"
    calls = [call("group", 0, groupId="g", userId="u", traits={"plan": "free"})]
    calls += [call("track", 60 * i, event="a", userId="u", context={"groupId": "g"}) for i in range(1, 9)]
    path.write_text("".join(json.dumps(each) + "\n" for each in calls))
    relations = load(path, None, build_spec({}))
    said = next(column.reason for column in relations.recognised if column.role == "signup")
    assert "first event" in said
    assert relations.accounts.signup[0] == 1_735_689_660_000_000


@pytest.mark.parametrize("upper", [False, True])
def test_a_table_of_groups_becomes_one_row_per_group(engine, upper):
    at = [datetime(2025, 1, day, tzinfo=UTC).replace(tzinfo=None) for day in (3, 1, 2)]
    rows = pd.DataFrame(
        {
            "id": ["m1", "m2", "m3"],
            "received_at": at,
            "original_timestamp": at,
            "timestamp": at,
            "user_id": ["u"] * 3,
            "group_id": [7, 7, 8],
            "context_ip": ["x"] * 3,
            "plan": ["pro", "free", None],
            "employees": [9, 4, 2],
        }
    )
    if upper:
        rows.columns = [name.upper() for name in rows.columns]
    source = open_source(engine, rows, "accounts", "groups")
    sample_rows(engine, source, "rows", 100)
    found = accounts_of(engine, source, "rows")
    assert found is not None
    assert found[0] == "segment"
    told = [{name.lower(): value for name, value in row.items()} for row in answers(engine, found[1].table())]
    assert told == [
        {"account_id": "7", "signup_at": at[1], "plan": "free", "employees": 4},
        {"account_id": "8", "signup_at": at[2], "plan": None, "employees": 2},
    ]
    assert found[1].digest() == source.digest()


def test_a_raw_log_given_as_accounts_tells_of_its_groups(log, plain, tmp_path):
    events, _ = write_raw(log, tmp_path)
    assert loaded_flags(events, events) == plain


def test_nested_columns_of_a_frame_are_read_like_json(engine):
    calls = [
        call("group", 1, groupId="g", userId="u", traits={"plan": "free", "createdAt": "2024-05-01"}),
        call("track", 2, event="a", userId="u", context={"groupId": "g"}, properties={"channel": "é"}),
    ]
    blank = dict.fromkeys(("event", "groupId", "userId", "traits", "properties"))
    laid = layout_of(look_at(engine, pa.Table.from_pylist([{**blank, **each} for each in calls])))
    assert laid.roles["account"].column == "context.groupId"
    assert answers(engine, laid.accounts) == [
        {"account_id": "g", "signup_at": datetime(2024, 5, 1), "plan": "free"},
    ]


def test_properties_are_found_under_properties(log, tmp_path):
    events, accounts = write_raw(log, tmp_path)
    relations = load(events, accounts, build_spec({}), properties=("channel", "size"))
    told = dict(
        relations.engine.rows(
            f"SELECT property_0, count(*) FROM {relations.events_table} GROUP BY 1 HAVING count(*) > 9"
        )
    )
    assert {"email", "link", "slack", "größe/日本", None} == told.keys()
    numbers = relations.engine.rows(f"SELECT DISTINCT number_1 FROM {relations.events_table} ORDER BY 1 NULLS LAST")
    assert [value for (value,) in numbers] == [1, 2, 3, 5, 8, 13, 21.5, None]  # written as numbers and as text


def test_where_tracks_name_no_group_the_table_of_groups_maps_the_users(log, plain, tmp_path):
    tracks, groups = write_warehouse(log, tmp_path)
    pq.write_table(pq.read_table(tracks).drop_columns(["context_group_id"]), tracks)
    identity = {"from": str(groups), "user": "user_id", "account": "group_id", "since": "timestamp"}
    assert loaded_flags(tracks, groups, build_spec({"identity": identity})) == plain


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2024-03-01T10:00:00.123Z", datetime(2024, 3, 1, 10, 0, 0, 123_000)),
        ("2024-03-01T10:00:00+02:00", datetime(2024, 3, 1, 8)),
        ("2024-03-01", datetime(2024, 3, 1)),
        ("1709287200", datetime(2024, 3, 1, 10)),
        ("1709287200000", datetime(2024, 3, 1, 10)),
        ("1709287200000000", datetime(2024, 3, 1, 10)),
        ("17", None),
        ("", None),
        ("soon", None),
        ("2024-02-30", None),
    ],
)
def test_a_trait_that_is_a_time_is_read_however_it_is_written(engine, written, read):
    assert engine.rows(f"SELECT {moment(repr(written))}") == [(read,)]


told_rows = st.lists(
    st.tuples(st.sampled_from("uvw"), st.sampled_from("ab"), st.integers(0, 40)), min_size=1, max_size=25, unique=True
)


@pytest.fixture(scope="module")
def one_engine() -> Iterator[DuckDBEngine]:
    with DuckDBEngine(threads=1) as held:
        yield held


@settings(max_examples=30, deadline=None)
@given(rows=told_rows)
def test_the_latest_membership_told_is_the_account_of_the_user(one_engine, rows):
    values = ", ".join(f"('{user}', '{account}', {t}::BIGINT)" for user, account, t in rows)
    told = f"SELECT * FROM (VALUES {values}) AS v(user_id, account_id, t)"
    found = answers(one_engine, members_told(told))
    for user, _, t in rows:
        last = max((s, a) for u, a, s in rows if u == user and s <= t)[1]
        since = [(row["since"], row["account_id"]) for row in found if row["user_id"] == user and row["since"] <= t]
        assert max(since)[1] == last
    for user in {row["user_id"] for row in found}:
        told_to = [a for _, a in sorted((r["since"], r["account_id"]) for r in found if r["user_id"] == user)]
        assert all(a != b for a, b in itertools.pairwise(told_to))  # each change once
    first = answers(one_engine, persons_told(f"SELECT user_id, account_id AS person_id, t FROM ({told})"))
    assert {row["user_id"]: row["person_id"] for row in first} == {
        user: min((s, a) for u, a, s in rows if u == user)[1] for user in {u for u, _, _ in rows}
    }


def test_the_spec_of_the_page_is_one():
    blocks = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        build_spec(tomllib.loads(block))
