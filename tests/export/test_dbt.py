"""The dbt model: its YAML parses, its Jinja compiles, and what comes out runs and equals the plain SELECT."""

from __future__ import annotations

from typing import Any

import duckdb
import jinja2
import pytest
import yaml

from discovery.export.dbt import dbt_files
from discovery.export.sql import MilestoneSelect, milestone_select
from discovery.milestone import Milestone
from discovery.spec import build_spec

HOSTILE = 'shared {{ "x" }} {% raw %} {# y #} {{{ }}'
SPEC = build_spec(
    {
        "events": {"account": "account_id", "event": "event", "time": "at", "user": "user_id"},
        "accounts": {"account": "id", "signup": "signup"},
        "candidates": {"window_days": 10, "within_days": [1, 3]},
    }
)
MODEL, SCHEMA, RANGE = (
    "models/first_value_moment/first_value_moment.sql",
    "models/first_value_moment/schema.yml",
    "tests/first_value_moment_within_window.sql",
)


def selected(milestone: str, **tables: str) -> MilestoneSelect:
    return milestone_select(Milestone.parse(milestone), SPEC, "duckdb", **tables)


def compiled(text: str, schema: dict[str, Any]) -> str:
    """Compile as dbt does, as far as this model goes: sources are looked up in the schema."""
    tables = {
        (source["name"], table["name"]): (source, table) for source in schema["sources"] for table in source["tables"]
    }

    def source(name: str, table: str) -> str:
        home, found = tables[name, table]
        where = jinja2.Template(home["schema"]).render(target={"schema": "main"})
        return f'"{where}"."{found["identifier"]}"'

    def config(**given: str) -> str:
        assert given == {"materialized": "table"}
        return ""

    return jinja2.Template(text).render(source=source, ref=lambda name: name, config=config)


def laid() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA crm")
    connection.execute(
        "CREATE TABLE crm.people AS SELECT * FROM (VALUES (1, TIMESTAMP '2024-01-01'), (2, NULL)) t(id, signup)"
    )
    connection.execute(
        "CREATE TABLE events AS SELECT 1 AS account_id, 'u' AS user_id, event, TIMESTAMP '2024-01-02' AS at "
        "FROM (VALUES ('shared'), (?)) t(event)",
        [HOSTILE],
    )
    return connection


@pytest.mark.parametrize("milestone", ["shared", str(Milestone.of(HOSTILE, within_hours=36))])
def test_the_compiled_model_equals_the_select_and_passes_its_tests(milestone: str) -> None:
    select = selected(milestone, accounts_table="crm.people")
    files = dbt_files(select)
    schema = yaml.safe_load(files[SCHEMA])
    with laid() as connection:
        expected = connection.execute(select.sql).fetchall()
        assert len(expected) == 1
        model = compiled(files[MODEL], schema)
        assert connection.execute(model).fetchall() == expected
        connection.execute(f"CREATE TABLE first_value_moment AS {model}")
        assert connection.execute(compiled(files[RANGE], schema)).fetchall() == []
        connection.execute("UPDATE first_value_moment SET days_since_signup = 10")
        assert len(connection.execute(compiled(files[RANGE], schema)).fetchall()) == 1
        related = schema["models"][0]["columns"][0]["data_tests"][2]["relationships"]
        to = compiled("{{ " + related["to"] + " }}", schema)
        known = connection.execute(f"SELECT {related['field']} FROM {to}").fetchall()
    assert known == [("1",), ("2",)]


def test_the_schema_tests_every_column_without_a_package() -> None:
    schema = yaml.safe_load(dbt_files(selected("shared"))[SCHEMA])
    (model,) = schema["models"]
    names = {
        column["name"]: [test if isinstance(test, str) else next(iter(test)) for test in column["data_tests"]]
        for column in model["columns"]
    }
    assert names == {
        "account_id": ["unique", "not_null", "relationships"],
        "reached_at": ["not_null"],
        "days_since_signup": ["not_null"],
    }
    assert [(source["name"], len(source["tables"])) for source in schema["sources"]] == [("first_value_moment", 2)]


def test_what_is_said_of_a_hostile_name_is_the_name() -> None:
    schema = yaml.safe_load(dbt_files(selected(str(Milestone.of(HOSTILE))))[SCHEMA])
    described = jinja2.Template(schema["models"][0]["description"]).render()
    assert described == f"When every account reached the milestone {Milestone.of(HOSTILE)}"


@pytest.mark.parametrize(("milestone", "hours"), [("x", 240), ("x within 36h", 36), ("x within 2d or y within 3d", 72)])
def test_the_range_is_the_longest_window(milestone: str, hours: int) -> None:
    assert f"days_since_signup * 24 >= {hours}\n" in dbt_files(selected(milestone))[RANGE]
