"""Snowplow's events from a lake, two warehouses and the stream: recognised, laid out, and read as the log was lived."""

from __future__ import annotations

import dataclasses
import gzip
import json
import re
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from discovery.engines.duckdb import DuckDBEngine
from discovery.intake import load
from discovery.intake.formats import FORMATS, layout_of, snowplow
from discovery.intake.formats.layout import Layout
from discovery.intake.formats.snowplow_stream import ENRICHED
from discovery.spec import build_spec
from tests.exports.plain import flags_of, loaded_flags, write_accounts, write_plain
from tests.exports.snowplow import EXPORTS, STREAM, write_lake, write_snowflake, write_stream
from tests.intake.formats.looking import Without, look_at, opened

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "sources" / "snowplow.md"
ACCOUNT = "contexts_com_acme_account_1"
BASIC = {"app_id": "a", "event": "unstruct", "collector_tstamp": datetime(2025, 1, 1), "user_id": "u"}


def laid_out(engine: DuckDBEngine, *rows: dict[str, Any]) -> Layout:
    names = {name: None for row in rows for name in row}
    whole = [{**names, **BASIC, "event_id": f"e{i}", "event_name": "x", **row} for i, row in enumerate(rows)]
    return layout_of(look_at(engine, pa.Table.from_pylist(whole)))


def values(engine: DuckDBEngine, laid: Layout, expression: str) -> list[Any]:
    return [v for (v,) in engine.rows(f"SELECT {expression} FROM {laid.source.table()} ORDER BY event_id")]


def answers(engine: DuckDBEngine, query: str) -> list[dict[str, Any]]:
    kept = "columns(lambda c: NOT starts_with(c, '(told) '))"
    return engine.table(f"SELECT {kept} FROM ({query}) ORDER BY ALL").to_pylist()


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.name)
def test_an_export_gives_the_flags_of_the_plain_log(export, plain, exported):
    relations = load(*exported(export), build_spec(export.settings))
    assert relations.layout == "snowplow"
    assert flags_of(relations) == plain


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.name)
def test_a_format_that_is_named_is_laid_out_as_one_that_is_recognised(export, exported):
    events, _ = exported(export)
    with opened(events) as look, opened(events, format="snowplow") as named:
        recognised = layout_of(look)
        assert recognised.format == "snowplow"
        assert dataclasses.replace(layout_of(named), reason=recognised.reason) == recognised


@pytest.mark.parametrize("write", [write_lake, write_snowflake, write_stream])
def test_the_spec_as_run_reads_the_same_again(write, log, plain, tmp_path):
    events, accounts = write(log, tmp_path)
    first = load(events, accounts, build_spec({}))
    again = load(events, accounts, first.spec)
    assert again.spec == first.spec
    assert flags_of(again) == plain


@pytest.mark.parametrize("part", ["members", "persons", "passed_over"])
def test_every_part_of_the_layout_is_needed(part, log, plain, tmp_path, monkeypatch):
    monkeypatch.setitem(FORMATS, "snowplow", Without(snowplow, part))
    assert loaded_flags(*write_lake(log, tmp_path)) != plain


@pytest.mark.parametrize("given", ["plain", "tsv", "demo"])
def test_a_plain_table_is_none(engine, given, log, tmp_path):
    path = ROOT / "data_fixtures" / "demo" / "events.parquet"
    if given != "demo":
        path, _ = write_plain(log, tmp_path)
    if given == "tsv":
        path = path.rename(path.with_suffix(".tsv"))
        path.write_text("\t".join(["x"] * 131) + "\n" + "\t".join(["1"] * 131) + "\n")
    assert snowplow.likeness(look_at(engine, path)) == ""


def test_the_columns_of_the_stream_are_those_its_makers_list():
    assert list(ENRICHED) == STREAM
    assert len(STREAM) == 131


@pytest.mark.parametrize("write", [write_lake, write_stream])
def test_robots_and_what_nobody_did_are_passed_over(engine, write, log, tmp_path):
    path, _ = write(log, tmp_path)
    laid = layout_of(look_at(engine, path))
    kinds = dict(engine.rows(f"SELECT {laid.passed_over} AS k, count(*) FROM {laid.source.table()} GROUP BY k"))
    assert kinds.keys() == {None, "robot", "page_view", "page_ping"}
    assert kinds[None] >= len(log.events)


@pytest.mark.parametrize(
    "row",
    [
        {"contexts_com_iab_snowplow_spiders_and_robots_1": [{"spiderOrRobot": True}]},
        {"contexts_com_iab_snowplow_spiders_and_robots_1_0_0": json.dumps([{"spiderOrRobot": True}])},
        {"contexts_nl_basjes_yauaa_context_1": [{"device_class": "Robot", "agent_class": "Browser"}]},
        {"contexts_nl_basjes_yauaa_context_1": json.dumps([{"deviceClass": "Desktop", "agentClass": "Robot"}])},
        {"contexts_com_snowplowanalytics_snowplow_bot_detection_1": [{"bot": True, "indicators": ["iab"]}]},
        {"br_type": "Robot"},
    ],
    ids=lambda row: next(iter(row))[-30:],
)
def test_a_robot_is_known_by_any_of_the_marks(engine, row):
    laid = laid_out(engine, row, {})
    assert values(engine, laid, laid.passed_over) == ["robot", None]


def test_a_structured_event_is_called_by_category_and_action(engine):
    struct = {"event": "struct", "event_name": "event"}
    laid = laid_out(
        engine,
        {**struct, "se_category": "video", "se_action": "play"},
        {**struct, "se_category": "", "se_action": "play"},
        {**struct, "se_category": "video", "se_action": None},
        {"event_name": "report_shared"},
    )
    named = values(engine, laid, f'"{laid.roles["event"].column}"')
    assert named == ["video: play", "play", "event", "report_shared"]


def test_a_time_that_was_never_corrected_is_that_of_the_collector(engine):
    at, late = datetime(2025, 1, 1, 10), datetime(2025, 1, 1, 11)
    laid = laid_out(
        engine,
        {"derived_tstamp": at, "collector_tstamp": late},
        {"derived_tstamp": None, "collector_tstamp": late},
    )
    column = laid.roles["time"].column
    assert values(engine, laid, f'"{column}"::TIMESTAMP') == [at, late]
    whole = laid_out(engine, {"derived_tstamp": at})
    assert whole.roles["time"].column == "derived_tstamp"


def test_the_user_is_never_the_cookie_of_the_collector(engine):
    session = "contexts_com_snowplowanalytics_snowplow_client_session_1"
    laid = laid_out(
        engine,
        {"user_id": "u", "domain_userid": "d", "network_userid": "n"},
        {"user_id": None, "domain_userid": "d", "network_userid": "n"},
        {"user_id": "", "domain_userid": "", "network_userid": "n", session: [{"user_id": "phone"}]},
        {"user_id": None, "domain_userid": None, "network_userid": "n"},
        {"user_id": "v", session: [{"user_id": "phone"}]},
    )
    assert values(engine, laid, f'"{laid.roles["user"].column}"') == ["u", "d", "phone", None, "v"]
    assert answers(engine, laid.persons) == [
        {"user_id": "d", "person_id": "u"},
        {"user_id": "phone", "person_id": "v"},
    ]


@pytest.mark.parametrize("text", [False, True])
def test_the_account_is_in_the_entity_that_most_events_have(engine, text):
    def entity(**fields: Any) -> Any:
        return json.dumps([fields]) if text else [fields]

    laid = laid_out(
        engine,
        {ACCOUNT: entity(id=7, plan="free"), "contexts_com_acme_user_1": entity(organization_id="o1", id=1)},
        {ACCOUNT: entity(id=8, plan="pro"), "contexts_com_snowplowanalytics_x_1": entity(account_id="no")},
    )
    assert laid.roles["account"].column == f"{ACCOUNT}.id"
    assert values(engine, laid, f'"{ACCOUNT}.id"') == ["7", "8"]
    assert answers(engine, laid.accounts) == [{"account_id": "7", "plan": "free"}, {"account_id": "8", "plan": "pro"}]


def test_else_the_account_is_a_property_of_the_events(engine):
    laid = laid_out(
        engine,
        {"unstruct_event_com_acme_shared_1": {"workspace_id": "w1", "size": 1}},
        {"unstruct_event_com_acme_opened_1": {"workspace_id": "w2"}},
    )
    assert laid.roles["account"].column == "properties.workspace_id"
    assert values(engine, laid, '"properties.workspace_id"') == ["w1", "w2"]


def test_a_joined_column_goes_before_an_entity(engine):
    laid = laid_out(engine, {"account_id": "a", ACCOUNT: [{"id": "b"}]})
    assert laid.roles["account"].column == "account_id"
    several = laid_out(engine, {"account_id": "a", "workspace_id": "w"})
    assert "account" not in several.roles  # the recognition of plain tables compares them with the accounts


@pytest.mark.parametrize("write", [write_lake, write_snowflake, write_stream])
def test_properties_are_found_whatever_column_they_are_in(write, log, tmp_path):
    events, _ = write(log, tmp_path)
    accounts = write_accounts(log, tmp_path / "roll.csv")
    relations = load(events, accounts, build_spec({}), properties=("channel", "size"))
    told = relations.engine.rows(
        f"SELECT account_id, event, t, property_0, number_1 FROM {relations.events_table} "
        "WHERE account_id <> 'internal-test'"
    )
    lived = [
        (e.account, e.name, int(e.time.timestamp()) * 1_000_000, e.properties.get("channel"), e.properties["size"])
        for e in log.events
    ]
    assert sorted(told, key=str) == sorted(lived, key=str)


def test_a_line_of_the_stream_that_is_cut_short_is_counted(log, tmp_path):
    folder, _ = write_stream(log, tmp_path)
    part = folder / "part-00001.tsv.gz"
    lines = gzip.decompress(part.read_bytes()).decode().splitlines()
    part.write_bytes(gzip.compress("\n".join([*lines, lines[0][:200]]).encode()))
    relations = load(folder, write_accounts(log, tmp_path / "roll.csv"), build_spec({}))
    found = next(finding for finding in relations.quality if finding.code == "unreadable_rows")
    assert found.count == 1


def test_quotes_and_backslashes_in_the_stream_are_text(engine, log, tmp_path):
    folder, _ = write_stream(log, tmp_path)
    part = folder / "part-00000.tsv.gz"
    values_ = gzip.decompress(part.read_bytes()).decode().splitlines()[0].split("\t")
    values_[STREAM.index("page_title")] = '"a \\ "quoted" title'
    part.write_bytes(gzip.compress("\t".join(values_).encode() + b"\n"))
    laid = layout_of(look_at(engine, part))
    assert values(engine, laid, "page_title") == ['"a \\ "quoted" title']


def test_the_spec_of_the_page_is_one():
    blocks = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        build_spec(tomllib.loads(block))
