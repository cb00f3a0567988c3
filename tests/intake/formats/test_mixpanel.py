"""Mixpanel's raw export, group profiles and tables of pipelines read as the same log in plain form does."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from discovery.engines.expressions import quoted
from discovery.intake import load
from discovery.intake.formats import FORMATS, layout_of, mixpanel
from discovery.spec import build_spec
from tests.exports.mixpanel import (
    EXPORTS,
    PROJECT_ZONE,
    write_group_profiles,
    write_project_time,
    write_seconds,
)
from tests.exports.plain import flags_of, loaded_flags, write_plain
from tests.intake.formats.looking import Without, looked, opened, written

ROOT = Path(__file__).parents[3]
MOMENT = 1_738_400_400  # 2025-02-01 09:00:00 UTC


def _row_of(event: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"event": event, "properties": {"time": MOMENT, "distinct_id": "u", "$insert_id": "i", **properties}}


def _row(**properties: Any) -> dict[str, Any]:
    return _row_of("x", {"company_id": "acme", **properties})


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.name)
def test_an_export_gives_the_flags_of_the_plain_log(export, plain, exported):
    events, accounts = exported(export)
    assert loaded_flags(events, accounts, build_spec(export.settings)) == plain
    with opened(events) as look, opened(events, format="mixpanel") as named:
        recognised = layout_of(look)
        assert recognised.reason.startswith("it")
        assert replace(layout_of(named), reason=recognised.reason) == recognised


def test_project_time_is_read_with_the_one_key_set(log, plain, tmp_path):
    events, accounts = write_project_time(log, tmp_path)
    relations = load(events, accounts, build_spec({"events": {"timezone": PROJECT_ZONE}}))
    assert flags_of(relations) == plain
    again = load(None, None, relations.spec)
    assert again.spec == relations.spec
    assert flags_of(again) == plain


def test_project_time_taken_for_utc_is_wrong_and_said_to_look_so(log, plain, tmp_path):
    relations = load(*write_project_time(log, tmp_path), build_spec({}))
    assert flags_of(relations) != plain
    why = next(found.reason for found in relations.recognised if found.role == "time")
    assert "received about 4 hours after it" in why or "received about 5 hours after it" in why
    assert "events.timezone" in why


def test_times_in_utc_are_not_said_to_look_wrong(log, tmp_path):
    relations = load(*write_seconds(log, tmp_path), build_spec({}))
    assert "hours" not in next(found.reason for found in relations.recognised if found.role == "time")


@pytest.mark.parametrize("season", ["2025-03-09", "2025-11-02"])  # the clocks change in New York
def test_wall_times_follow_the_change_of_clocks(season: str, tmp_path):
    day = datetime.fromisoformat(season).replace(tzinfo=UTC)
    walls = [int(day.timestamp()) + hour * 3600 for hour in (-12, 12)]
    rows = [_row(time=wall, **{"$insert_id": str(wall)}) for wall in walls]
    accounts = pa.table({"account_id": ["acme"], "signup_at": [datetime(2025, 1, 1, tzinfo=UTC)]})
    spec = build_spec({"events": {"timezone": PROJECT_ZONE}})
    relations = load(written(rows, tmp_path), accounts, spec)
    read = [t for (t,) in relations.engine.rows(f"SELECT t FROM {relations.events_table} ORDER BY t")]
    relations.engine.close()
    offsets = [t // 1_000_000 - wall for t, wall in zip(read, walls, strict=True)]
    assert offsets == ([5 * 3600, 4 * 3600] if season == "2025-03-09" else [4 * 3600, 5 * 3600])


def test_every_part_of_the_layout_is_needed_for_the_same_flags(log, plain, tmp_path, monkeypatch):
    events, accounts = write_seconds(log, tmp_path)
    for part in ("members", "persons", "passed_over"):
        monkeypatch.setitem(FORMATS, "mixpanel", Without(mixpanel, part))
        assert loaded_flags(events, accounts) != plain, part


def test_seconds_and_milliseconds_may_stand_side_by_side(tmp_path):
    times = [MOMENT, MOMENT * 1000, float(MOMENT), str(MOMENT), f"{MOMENT}.000"]
    with looked([_row(time=time) for time in times], tmp_path) as look:
        layout = mixpanel.layout(look, "")
        rows = f"SELECT {quoted(layout.roles['time'].column)} FROM {layout.source.table()}"
        assert look.engine.rows(rows) == [(MOMENT * 1_000_000,)] * len(times)


@pytest.mark.parametrize("key", ["time", "mp_processing_time_ms"])
@pytest.mark.parametrize("timezone", ["UTC", PROJECT_ZONE])
def test_a_number_that_is_no_time_is_none(timezone: str, key: str, tmp_path):
    numbers = ["bad", "1e400", 10**30, -(10**18), 2**63, "", None, [], {}, True]
    with looked([_row(), *(_row(**{key: number}) for number in numbers)], tmp_path, timezone=timezone) as look:
        layout = mixpanel.layout(look, "")
        role = layout.roles["time" if key == "time" else "received"]
        read = look.engine.rows(f"SELECT {quoted(role.column)} FROM {layout.source.table()}")
        assert read[1:] == [(None,)] * len(numbers)
        for select in (layout.members, layout.persons, f"SELECT {quoted(mixpanel.ID)} FROM {layout.source.table()}"):
            look.engine.rows(select)


def test_a_company_is_read_however_it_is_written(tmp_path):
    written: list[tuple[Any, str | None]] = [
        ("acme", "acme"),
        (["acme"], "acme"),
        (["acme", "other"], "acme"),
        (15, "15"),
        ([15], "15"),
        ("größe/日本", "größe/日本"),
        ("[brackets] inc", "[brackets] inc"),
        ([], None),
        ([None], None),
        ({}, None),
        (None, None),
    ]
    with looked([_row(company_id=company) for company, _ in written], tmp_path) as look:
        layout = mixpanel.layout(look, "")
        rows = f"SELECT nullif({quoted('properties.company_id')}, '') FROM {layout.source.table()}"
        assert look.engine.rows(rows) == [(account,) for _, account in written]


def test_rows_are_repeats_only_if_alike_in_all_that_mixpanel_looks_at(tmp_path):
    first = {"$insert_id": "i"}
    rows = [
        _row(**first),
        _row(**first, plan="another"),
        _row(**first, distinct_id="someone else"),
        _row(**first, time=MOMENT + 1),
        {**_row(**first), "event": "another"},
        _row(**{"$insert_id": "j"}),
    ]
    with looked(rows, tmp_path) as look:
        layout = mixpanel.layout(look, "")
        ids = [
            row_id
            for (row_id,) in look.engine.rows(
                f"SELECT {quoted(layout.roles['id'].column)} FROM {layout.source.table()}"
            )
        ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 5


def test_a_row_without_an_id_of_its_own_repeats_none(tmp_path):
    row = _row()
    del row["properties"]["$insert_id"]
    with looked([_row(), row], tmp_path) as look:
        layout = mixpanel.layout(look, "")
        ids = look.engine.rows(f"SELECT {quoted(layout.roles['id'].column)} FROM {layout.source.table()}")
    assert ids[0][0]
    assert ids[1][0] is None


def test_when_an_import_arrived_says_nothing_of_the_event(tmp_path):
    rows = [
        _row(mp_processing_time_ms=MOMENT * 1000 + 9, **{"$mp_api_timestamp_ms": MOMENT * 1000 + 5}),
        _row(mp_processing_time_ms=MOMENT * 1000 + 9),
        _row(mp_processing_time_ms=MOMENT * 1000 + 9, **{"$import": True}),
        _row(),
    ]
    with looked(rows, tmp_path) as look:
        layout = mixpanel.layout(look, "")
        received = f"epoch_ms({quoted(layout.roles['received'].column)})"
        read = look.engine.rows(f"SELECT {received} FROM {layout.source.table()}")
    assert read == [(MOMENT * 1000 + 5,), (MOMENT * 1000 + 9,), (None,), (None,)]


@pytest.mark.parametrize(
    ("records", "persons"),
    [
        ([_row_of("x", {"$device_id": "d", "$user_id": "u", "distinct_id": "u"})], {"d": "u", "$device:d": "u"}),
        ([_row_of("$identify", {"$identified_id": "u", "$anon_id": "a"})], {"a": "u"}),
        ([_row_of("$identify", {"distinct_id": "u", "$anon_distinct_id": "a"})], {"a": "u"}),
        ([_row_of("$create_alias", {"distinct_id": "u", "alias": "a"})], {"a": "u"}),
        ([_row_of("$merge", {"$distinct_ids": ["u", "a"]})], {"a": "u"}),
        ([_row_of("x", {"distinct_id": "u", "$distinct_id_before_identity": "a"})], {"a": "u"}),
        (  # settled the other way round: the anonymous id was the first
            [
                _row_of("$identify", {"distinct_id": "a", "$identified_id": "u", "$anon_id": "a"}),
                _row_of("x", {"distinct_id": "a", "$distinct_id_before_identity": "u"}),
            ],
            {"u": "a"},
        ),
        ([_row_of("x", {"alias": "not an alias"})], {}),
        ([_row_of("$merge", {"$distinct_ids": "not a list"})], {}),
    ],
)
def test_ids_of_one_person_are_told_in_many_ways(records: list[dict[str, Any]], persons: dict[str, str], tmp_path):
    with looked([_row(), *records], tmp_path) as look:
        assert dict(look.engine.rows(mixpanel.layout(look, "").persons)) == persons


def test_of_several_users_of_a_device_it_belongs_to_the_first(tmp_path):
    ids = {"$device_id": "d"}
    rows = [_row(time=MOMENT + i, **ids, **{"$user_id": user}) for i, user in ((2, "late"), (1, "early"))]
    with looked(rows, tmp_path) as look:
        assert dict(look.engine.rows(mixpanel.layout(look, "").persons)) == {"d": "early", "$device:d": "early"}


def test_the_usual_name_of_an_account_goes_before_others(tmp_path):
    with looked([_row(team="t", company_id="c")] * 3, tmp_path) as look:
        role = mixpanel.layout(look, "").roles["account"]
    assert role.column == "properties.company_id"
    assert "team" in role.why


def test_a_list_named_in_the_spec_is_unwrapped(tmp_path):
    with looked([_row(studio=["s1"])], tmp_path, account="properties.studio") as look:
        layout = mixpanel.layout(look, "")
        assert look.engine.rows(f"SELECT {quoted('properties.studio')} FROM {layout.source.table()}") == [("s1",)]
        assert "properties.studio" in layout.members


def test_a_path_named_in_the_spec_is_the_account(tmp_path):
    with looked([_row(crm={"id": "c1"})], tmp_path, account="properties.crm.id") as look:
        layout = mixpanel.layout(look, "")
        assert look.engine.rows(layout.members) == [("u", "c1", MOMENT * 1_000_000)]


def test_where_no_name_tells_the_account_is_found_by_its_values(tmp_path):
    rows = [
        {"event": "x", "properties": {"time": MOMENT + i, "distinct_id": f"u{i % 6}", "studio": f"s{i % 3}", "n": i}}
        for i in range(12)
    ]
    accounts = pa.table({"account_id": ["s0", "s1", "s2"], "signup_at": [datetime(2025, 1, 1, tzinfo=UTC)] * 3})
    relations = load(written(rows, tmp_path), accounts, build_spec({}))
    relations.engine.close()
    assert relations.spec.events.account == "properties.studio"


@pytest.mark.parametrize("page", [False, True], ids=["lines", "page"])
def test_group_profiles_are_accounts(page: bool, log, tmp_path):
    path = write_group_profiles(log, tmp_path / "companies.jsonl", page=page)
    with opened(path) as look:
        found = mixpanel.accounts(look.engine, look.source, look.rows)
        assert found is not None
        told = look.engine.rows(f'SELECT account_id, "created", seats FROM {found.table()} ORDER BY account_id')
    assert told == [(a.id, a.signup.isoformat(), str(a.seats)) for a in sorted(log.accounts, key=lambda a: a.id)]


def test_profiles_may_carry_a_group_id_and_come_twice(tmp_path):
    profile = {"$group_key": "company", "$group_id": 15, "$properties": {"$name": "Acme", "created_at": "2025-01-01"}}
    with opened(written([profile, profile], tmp_path)) as look:
        found = mixpanel.accounts(look.engine, look.source, look.rows)
        assert found is not None
        assert look.engine.rows(f"SELECT * FROM {found.table()}") == [("15", "Acme", "2025-01-01")]


def test_a_table_of_accounts_is_not_taken_for_profiles(log, tmp_path):
    _, accounts = write_plain(log, tmp_path)
    crm = {"account_id": "a", "group_id": "g", "properties": {}, "signup_at": "2025-01-01"}
    for path in (accounts, written([crm], tmp_path), written([_row()], tmp_path)):
        with opened(path) as look:
            assert mixpanel.accounts(look.engine, look.source, look.rows) is None


def test_a_table_in_upper_case_is_recognised(tmp_path):
    rows = [{"EVENT_NAME": "x", "TIME": "2025-02-01T09:00:00", "DISTINCT_ID": "u", "INSERT_ID": "i", "COMPANY_ID": "c"}]
    with looked(rows, tmp_path) as look:
        assert mixpanel.likeness(look)
        roles = mixpanel.layout(look, "").roles
    assert {role: roles[role].column for role in ("event", "time", "user")} == {
        "event": "EVENT_NAME",
        "time": "TIME",
        "user": "DISTINCT_ID",
    }


def test_the_documented_specs_read_the_shipped_export():
    page = (ROOT / "docs" / "sources" / "mixpanel.md").read_text(encoding="utf-8")
    zone, whole = (tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL))
    assert build_spec(zone).events.timezone == "America/New_York"
    for side in ("events", "accounts"):
        whole[side]["from"] = str(ROOT / whole[side]["from"])
    relations = load(None, None, build_spec(whole))
    relations.engine.close()
    assert relations.layout == "mixpanel"
    assert len(relations.accounts) == 60


def test_a_mapping_of_settled_ids_is_read(tmp_path):
    rows = [_row(distinct_id="old"), _row(distinct_id="new", **{"$insert_id": "j"})]
    mapping = written([{"distinct_id": "old", "resolved_distinct_id": "new"}], tmp_path)
    accounts = pa.table({"account_id": ["acme"], "signup_at": [datetime(2025, 1, 1, tzinfo=UTC)]})
    relations = load(written(rows, tmp_path), accounts, build_spec({"identity": {"persons": str(mapping)}}))
    users = relations.engine.rows(f"SELECT DISTINCT user_id FROM {relations.events_table}")
    relations.engine.close()
    assert users == [("new",)]


def test_a_plain_table_under_the_wrong_name_keeps_its_own_columns(log, plain, tmp_path):
    relations = load(*write_plain(log, tmp_path), build_spec({"events": {"format": "mixpanel"}}))
    assert flags_of(relations) == plain
    assert relations.spec.events.id == "event_id"


def test_other_files_are_not_taken_for_mixpanels(log, tmp_path):
    segment = {"type": "track", "event": "x", "userId": "u", "messageId": "m", "properties": {"plan": "a"}}
    posthog = {"uuid": "i", "event": "x", "distinct_id": "u", "properties": {"distinct_id": "u", "time": 1}}
    plain_json = {"event": "x", "account_id": "a", "properties": {"plan": "a"}}
    for path in (*write_plain(log, tmp_path), *(written([row], tmp_path) for row in (segment, posthog, plain_json))):
        with opened(path) as look:
            assert not mixpanel.likeness(look)
