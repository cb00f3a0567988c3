"""The exported SQL of conditions on properties: equal to our own reading of the same files, or refused in words."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import duckdb
import numpy as np
import pytest

from discovery import intake
from discovery.errors import ColumnError, InputError
from discovery.export.sql import milestone_select
from discovery.exposure import EventColumns, reach_times
from discovery.intake.heads import look
from discovery.milestone import BY_OTHER, Milestone
from discovery.spec import Day, build_spec

ROWS = [
    ("1", "u1", "email", "10", "True", "u1"),
    ("1", "u2", "email", "2.5", "false", "u1"),
    ("1", "u1", "link", "n/a", "", "u2"),
    ("2", "u3", "", "11", "TRUE", ""),
    ("2", "", "größe/日本", "-3", "true", "u3"),
    ("3", "u4", "email", "", "true", "u4"),
    ("3", "u4", "odd", "1_000", "true", "u4"),
    ("3", "u4", "odd", "1e100", "true", "u4"),
    ("3", "u4", "odd", "\t7", "true", "u4"),
]
SPEC = {
    "events": {"account": "account_id", "user": "user_id", "event": "event", "time": "timestamp"},
    "accounts": {"account": "id", "signup": "signup_at"},
}
MILESTONES = [
    'shared[channel = "email"] >= 2',
    'shared[channel in ("größe/日本", "link")] within 3d',
    "shared[size >= 2.5] by 2 users or shared[size < 0]",
    "shared[size >= 7]",
    "shared[size != 5]",
    "shared[automatic = true, by_other = false]",
    "shared[by_other = true]",
]


@pytest.fixture
def sources(tmp_path: Path) -> tuple[str, str]:
    lines = [
        f"{account},{user},shared,2024-01-02T{hour:02}:00:00,{channel},{size},{automatic},{maker}"
        for hour, (account, user, channel, size, automatic, maker) in enumerate(ROWS)
    ]
    head = "account_id,user_id,event,timestamp,channel,size,automatic,maker"
    (tmp_path / "events.csv").write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    accounts = "id,signup_at\n" + "".join(f"{i},2024-01-01\n" for i in (1, 2, 3))
    (tmp_path / "accounts.csv").write_text(accounts)
    return str(tmp_path / "events.csv"), str(tmp_path / "accounts.csv")


def asked_of(milestone: Milestone) -> list[str]:
    return [name for name in milestone.properties if name != BY_OTHER]


@pytest.mark.parametrize("creator", ["", "maker"])
@pytest.mark.parametrize("text", MILESTONES)
def test_files_and_their_table_reach_alike(text: str, creator: str, sources: tuple[str, str]) -> None:
    milestone = Milestone.parse(text)
    spec = build_spec({**SPEC, "events": {**SPEC["events"], "creator": creator}})
    heads = look(*sources, spec, milestone.events, asked_of(milestone))
    select = milestone_select(milestone, spec, "duckdb", heads=heads)
    relations = intake.load(*sources, spec, properties=asked_of(milestone))
    with closing(relations.engine) as engine:
        columns = EventColumns(properties=relations.properties, has_creator=relations.has_creator)
        days = reach_times(engine, relations.events_table, relations.accounts_table, 3, milestone, 14 * Day, columns)
    ours = {str(relations.accounts.account_id[i]): days[i] for i in np.flatnonzero(np.isfinite(days))}
    for all_text in ("true", "false"):
        with duckdb.connect() as connection:
            for name, path in zip(("events", "accounts"), sources, strict=True):
                connection.execute(f"CREATE TABLE {name} AS FROM read_csv('{path}', all_varchar = {all_text})")
            found = connection.execute(select.sql).fetchall()
        assert {account: when for account, _, when in found} == ours
    assert len(ours) > 0


def test_what_properties_are_taken_to_hold_is_said(sources: tuple[str, str]) -> None:
    milestone, spec = Milestone.parse('shared[channel = "email", by_other = true]'), build_spec(SPEC)
    seen = milestone_select(milestone, spec, "duckdb", heads=look(*sources, spec, (), ["channel"]))
    assert any("channel (text), as in the files looked at" in note for note in seen.notes)
    alone = milestone_select(milestone, spec, "snowflake")
    assert any("channel (text), assumed, no data were looked at" in note for note in alone.notes)
    assert any("earliest event with a user" in note for note in alone.notes)


def test_a_path_into_nested_records_is_refused_with_the_remedy(tmp_path: Path) -> None:
    rows = [
        {"account_id": "a", "event": "shared", "timestamp": "2024-01-02T00:00:00Z", "properties": {"channel": "email"}}
    ]
    (tmp_path / "events.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "accounts.csv").write_text("id,signup_at\na,2024-01-01\n")
    sources = str(tmp_path / "events.jsonl"), str(tmp_path / "accounts.csv")
    milestone = Milestone.parse('shared[channel = "email"]')
    heads = look(*sources, build_spec({}), ("shared",), ("channel",))
    with pytest.raises(InputError, match=r"'properties\.channel' is a path.*Make a view in which it is a column"):
        milestone_select(milestone, build_spec({}), "duckdb", heads=heads)
    with pytest.raises(InputError, match=r"'properties\.channel' reads as a path"):
        milestone_select(Milestone.parse('shared[properties.channel = "email"]'), build_spec(SPEC), "duckdb")


def test_what_cannot_be_told_from_the_table_is_refused(sources: tuple[str, str]) -> None:
    nobody = build_spec({**SPEC, "events": {**SPEC["events"], "user": ""}})
    with pytest.raises(InputError, match="no column of users is known"):
        milestone_select(Milestone.parse("shared[by_other = true]"), nobody, "duckdb")
    with pytest.raises(ColumnError, match="'chanel'"):
        look(*sources, build_spec(SPEC), (), ["chanel"])
    aliased = build_spec({**SPEC, "events": {**SPEC["events"], "aliases": {"shared": ["Shared"]}}})
    with pytest.raises(InputError, match=r"The spec sets events\.aliases, of which the SQL"):
        milestone_select(Milestone.parse("shared"), aliased, "duckdb")
