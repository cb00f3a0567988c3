"""Amplitude's files and its table in a warehouse read as the same log in plain form does."""

from __future__ import annotations

import gzip
import json
import re
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from discovery.engines.expressions import quoted
from discovery.intake import load
from discovery.intake.formats import FORMATS, amplitude, layout_of
from discovery.spec import build_spec
from tests.exports.amplitude import EXPORTS, write_export, write_merged_ids, write_warehouse
from tests.exports.plain import flags_of, loaded_flags, write_plain
from tests.intake.formats.looking import Without, looked, opened

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.name)
def test_an_export_gives_the_flags_of_the_plain_log(export, plain, exported):
    events, accounts = exported(export)
    assert loaded_flags(events, accounts, build_spec(export.settings)) == plain
    with opened(events) as look, opened(events, format="amplitude") as named:
        recognised = layout_of(look)
        assert recognised.reason.startswith("it has the columns")
        assert replace(layout_of(named), reason=recognised.reason) == recognised


def test_the_spec_as_run_reads_the_same_again(log, plain, tmp_path):
    relations = load(*write_export(log, tmp_path), build_spec({"events": {"timezone": "Europe/Zurich"}}))
    assert relations.layout == "amplitude"
    assert relations.spec.events.account == "groups.company"
    assert flags_of(relations) == plain  # Amplitude's times are UTC whatever the spec says of others
    again = load(None, None, relations.spec)
    assert again.spec == relations.spec
    assert flags_of(again) == plain


def test_every_part_of_the_layout_is_needed_for_the_same_flags(log, plain, tmp_path, monkeypatch):
    events, accounts = write_export(log, tmp_path)
    for part in ("members", "persons", "passed_over"):
        monkeypatch.setitem(FORMATS, "amplitude", Without(amplitude, part))
        assert loaded_flags(events, accounts) != plain, part


def test_accounts_told_by_group_properties_are_as_they_were_first_told(log, tmp_path):
    relations = load(*write_warehouse(log, tmp_path), build_spec({"accounts": {"segments": ["plan"]}}))
    assert relations.accounts_derived
    told = dict(zip(relations.accounts.account_id, relations.accounts.segments["plan"], strict=True))
    assert told == {account.id: account.plan for account in log.accounts}
    signups = dict(zip(relations.accounts.account_id, relations.accounts.signup, strict=True))
    assert signups == {account.id: int(account.signup.timestamp()) * 1_000_000 for account in log.accounts}


def test_a_group_is_read_however_it_is_written(tmp_path):
    written: list[tuple[Any, str | None]] = [
        ({"company": ["Acme"]}, "Acme"),
        ({"company": "Acme"}, "Acme"),
        ({"company": [15]}, "15"),
        ({"company": 15}, "15"),
        ({"company": ["zwei", "drei"]}, "zwei"),
        ({"company": ["größe/日本~"]}, "größe/日本~"),
        ({"company": []}, None),
        ({"company": None}, None),
        ({}, None),
        (None, None),
    ]
    with looked([_row(groups=groups) for groups, _ in written], tmp_path) as look:
        layout = amplitude.layout(look, "")
        rows = f"SELECT nullif({quoted('groups.company')}, '') FROM {layout.source.table()}"
        assert look.engine.rows(rows) == [(account,) for _, account in written]


def test_the_account_is_the_type_of_group_that_most_events_carry(tmp_path):
    rows = [_row(groups={"project": [str(i)]}) for i in range(9)] + [_row(groups={"company": ["Acme"]})]
    with looked(rows, tmp_path) as look:
        role = amplitude.layout(look, "").roles["account"]
    assert role.column == "groups.project"
    assert "'project'" in role.why
    assert "90 %" in role.why
    assert "company" in role.why


def test_of_types_that_are_as_common_the_one_named_like_an_account_is_taken(tmp_path):
    with looked([_row(groups={"a/b test": ["x"], "org id": [15]})], tmp_path) as look:
        layout = amplitude.layout(look, "")
        assert layout.roles["account"].column == "groups.org id"
        assert look.engine.rows(f"SELECT {quoted('groups.org id')} FROM {layout.source.table()}") == [("15",)]


def test_a_type_named_in_the_spec_is_used_though_the_first_rows_lack_it(tmp_path):
    with looked([_row(groups={"company": ["Acme"]})], tmp_path, account="groups.team") as look:
        layout = amplitude.layout(look, "")
        assert "groups.team" in layout.source.columns
        assert "groups.team" in layout.members


@pytest.mark.parametrize("asked", ["user_properties.company", "user_properties.crm.id", "event_properties.team"])
def test_a_property_named_in_the_spec_is_the_account_though_there_are_groups(asked: str, tmp_path):
    told = {"user_properties": {"company": "acme", "crm": {"id": "acme"}}, "event_properties": {"team": ["acme"]}}
    with looked([_row(groups={"company": ["g"]}, **told)], tmp_path, account=asked) as look:
        layout = amplitude.layout(look, "")
        assert look.engine.rows(layout.members) == [("a", "acme", 1_738_404_000_000_000)]
        assert look.engine.rows(f"SELECT {quoted(asked)} FROM {layout.source.table()}") == [("acme",)]


def test_without_groups_a_property_named_like_an_account_is_taken(tmp_path):
    with looked([_row(groups={}, user_properties={"organizationId": "o1", "plan": "x"})], tmp_path) as look:
        role = amplitude.layout(look, "").roles["account"]
    assert role.column == "user_properties.organizationId"
    assert "no event carries a group" in role.why


def test_a_user_is_the_products_own_id_else_amplitudes(tmp_path):
    rows = [_row(user_id="u1", amplitude_id=7), _row(user_id=None, amplitude_id=7), _row(user_id=12, amplitude_id=8)]
    with looked(rows, tmp_path) as look:
        layout = amplitude.layout(look, "")
        users = look.engine.rows(f"SELECT {quoted(layout.roles['user'].column)} FROM {layout.source.table()}")
        assert users == [("u1",), ("7",), ("12",)]
        assert sorted(look.engine.rows(layout.persons)) == [("7", "u1"), ("8", "12")]


def test_merged_ids_are_one_person(log, plain, tmp_path):
    events, accounts = write_export(log, tmp_path)
    user, other = log.events[0].user, 9_999_999
    lines = [json.loads(line) for path in events.iterdir() for line in gzip.decompress(path.read_bytes()).splitlines()]
    mine = [row for row in lines if row["user_id"] == user and row["groups"]]
    amplitude_id = mine[0]["amplitude_id"]
    for row in mine[1::2]:  # on another device, not logged in
        row |= {"user_id": None, "amplitude_id": other}
    for path in events.iterdir():
        path.unlink()
    (events / "all.json").write_text("".join(json.dumps(row) + "\n" for row in lines))
    merged = write_merged_ids([(other, amplitude_id)], tmp_path / "merged.jsonl")
    assert loaded_flags(events, accounts) != plain
    assert loaded_flags(events, accounts, build_spec({"identity": {"persons": str(merged)}})) == plain


def test_records_that_are_no_behaviour_are_passed_over(tmp_path):
    kinds = {
        "$identify": "identify",
        "$groupidentify": "group",
        "session_end": "session end",
        "[Amplitude] End Session": "session end",
        "[Experiment] Exposure": "experiment exposure",
        "session_start": None,
        "[Amplitude] Page Viewed": None,
        "report_shared": None,
    }
    with looked([_row(event_type=event) for event in kinds], tmp_path) as look:
        layout = amplitude.layout(look, "")
        told = look.engine.rows(f"SELECT event_type, {layout.passed_over} FROM {layout.source.table()}")
    assert dict(told) == kinds


def test_properties_set_on_a_group_are_told_in_every_writing(tmp_path):
    created = "2025-01-05T00:00:00+01:00"
    rows = [
        _row(groups={"company": ["nested"]}, group_properties={"company": {"nested": {"created_at": created}}}),
        _row(
            groups={"company": ["within"]}, group_properties={"company": {"within": {"$set": {"created_at": created}}}}
        ),
        _row(
            groups={"company": "set"}, event_type="$groupidentify", group_properties={"$set": {"created_at": created}}
        ),
        _row(groups={"company": "flat"}, event_type="$groupidentify", group_properties={"created_at": created}),
        _row(groups={"company": "untold"}, group_properties={}),
    ]
    with looked(rows, tmp_path) as look:
        told = look.engine.rows(
            f"SELECT account_id, CAST(signup_at AS VARCHAR) FROM ({amplitude.layout(look, '').accounts})"
        )
    created = "2025-01-04 23:00:00"
    assert dict(told) == {
        **dict.fromkeys(("nested", "within", "set", "flat"), created),
        "untold": "2025-02-01 10:00:00",
    }


def test_archives_are_read_as_they_come(log, plain, tmp_path):
    events, accounts = write_export(log, tmp_path)
    packed = tmp_path / "packed"
    packed.mkdir()
    for i, path in enumerate(events.iterdir()):
        with zipfile.ZipFile(packed / f"{i % 2}.zip", "a") as archive:
            archive.write(path, f"203138/{path.name}")
    assert loaded_flags(packed, accounts) == plain


def test_the_documented_spec_reads_the_shipped_export():
    page = (ROOT / "docs" / "sources" / "amplitude.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    values = tomllib.loads(block)
    for side in ("events", "accounts"):
        values[side]["from"] = str(ROOT / values[side]["from"])
    relations = load(None, None, build_spec(values))
    relations.engine.close()
    assert relations.layout == "amplitude"
    assert len(relations.accounts) == 60


def test_a_plain_table_under_the_wrong_name_keeps_its_own_columns(log, plain, tmp_path):
    relations = load(*write_plain(log, tmp_path), build_spec({"events": {"format": "amplitude"}}))
    assert flags_of(relations) == plain
    assert relations.spec.events.id == "event_id"


def test_other_files_are_not_taken_for_amplitudes(log, tmp_path):
    events, accounts = write_plain(log, tmp_path)
    for path in (events, accounts):
        with opened(path) as look:
            assert not amplitude.likeness(look)
    alike = {"event_type": "x", "event_time": "2025-01-01", "user_id": "u"}
    for row in (alike | {"uuid": "u"}, alike | {"amplitude_id": 1}):
        with looked([row], tmp_path) as look:
            assert not amplitude.likeness(look)


def _row(**given: Any) -> dict[str, Any]:
    usual = {
        "event_type": "x",
        "event_time": "2025-02-01 10:00:00.000000",
        "amplitude_id": 1,
        "uuid": "u",
        "user_id": "a",
    }
    return {**usual, "groups": {}, "event_properties": {}, "user_properties": {}, "group_properties": {}, **given}
