"""The queries stay plain ANSI in every dialect, and names stay names."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp

from discovery.exposure import reached_query
from discovery.exposure.habit import active_users_query, core_weeks_query
from discovery.exposure.journey import met_query
from discovery.exposure.query import active_query, exposure_query, nth_event_query, nth_user_query
from discovery.exposure.sessions import sessions_query
from discovery.milestone import Condition, Milestone

from .naive_log import NAMES

DIALECTS = ("duckdb", "postgres", "spark", "clickhouse", "snowflake", "bigquery", "trino", "databricks", "redshift")
NASTY = 'x"; DROP TABLE `y` --'

FORTNIGHT = 14 * 86_400_000_000
AND = Milestone((Condition(NAMES[2], 3, 24, 2), Condition(NAMES[3], 1, 168)))
OR = Milestone((Condition(NAMES[0]), AND), "or")

QUERIES = {
    "exposure": exposure_query(NASTY, "accounts", [86_400_000_000, 7 * 86_400_000_000], 14 * 86_400_000_000),
    "nth event": nth_event_query(NASTY, "accounts", NAMES[2], 3, 86_400_000_000),
    "first event": nth_event_query(NASTY, "accounts", NAMES[2], 1, 86_400_000_000),
    "nth user": nth_user_query(NASTY, "accounts", NAMES[3], 2, 86_400_000_000),
    "active": active_query(NASTY, "accounts", 0, 5, NAMES, ()),
    "not passive": active_query(NASTY, "accounts", 0, 5, (), NAMES),
    "reached": reached_query(NASTY, "accounts", OR, FORTNIGHT),
    "met": met_query(NASTY, "accounts", AND, OR, FORTNIGHT, NAMES),
    "met after signup": met_query(NASTY, "accounts", None, None, FORTNIGHT, ()),
    "sessions": sessions_query(NASTY, "accounts", FORTNIGHT, NAMES),
    "active users": active_users_query(NASTY, "accounts", NAMES[2:], FORTNIGHT, 2 * FORTNIGHT),
    "core weeks": core_weeks_query(NASTY, "accounts", NAMES[:2], 2 * FORTNIGHT, 4),
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_rendered_sql_reads_back_and_renders_alike(query: exp.Select, dialect: str) -> None:
    text = query.sql(dialect=dialect)
    statements = sqlglot.parse(text, dialect=dialect)
    assert len(statements) == 1
    assert statements[0].sql(dialect=dialect) == text


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_nothing_that_dialects_read_differently(query: exp.Select, dialect: str) -> None:
    back = sqlglot.parse_one(query.sql(dialect=dialect), dialect=dialect)
    forbidden = (exp.Filter, exp.Anonymous, exp.BitwiseOrAgg, exp.Extract, exp.Interval, exp.Distinct, exp.Pivot)
    assert list(back.find_all(*forbidden)) == []


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_every_identifier_is_quoted(query: exp.Select, dialect: str) -> None:
    back = sqlglot.parse_one(query.sql(dialect=dialect), dialect=dialect)
    assert all(name.args["quoted"] for name in back.find_all(exp.Identifier))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_hostile_names_come_back_whole(dialect: str) -> None:
    back = sqlglot.parse_one(QUERIES["active"].sql(dialect=dialect), dialect=dialect)
    assert tuple(text.this for text in back.find_all(exp.Literal) if text.is_string) == NAMES
    assert {table.name for table in back.find_all(exp.Table)} == {NASTY, "accounts"}


def test_a_schema_qualified_table_may_be_given() -> None:
    table = exp.table_("events", db="raw", quoted=True)
    assert '"raw"."events" AS "e"' in exposure_query(table, "accounts", [], 5).sql(dialect="postgres")
