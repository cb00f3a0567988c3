"""The exported SELECT, run on raw tables in DuckDB, equals our intake and exposure account by account."""

from __future__ import annotations

import itertools
import re

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from discovery.engines.dialects import DIALECTS, dialect_named
from discovery.engines.raw_tables import TIME_TYPES, IdColumn, RawTables, TimeColumn
from discovery.engines.readings import written
from discovery.errors import InputError
from discovery.exposure.portable import milestone_sql
from discovery.milestone import Milestone
from discovery.spec import Day

from .naive_log import NAMES
from .portable_world import BERLIN, MILESTONES, RawWorld, as_micros, raw_world


def on_duckdb(world: RawWorld, sql: str) -> dict[str, tuple[int, float]]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'America/New_York'")
        for name, table in (("raw_events", world.events), ("raw_accounts", world.accounts)):
            connection.register("given", table)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
        answer = connection.execute(sql)
        assert [column[0] for column in answer.description] == ["account_id", "reached_at", "days_since_signup"]
        rows = answer.fetchall()
    assert len({row[0] for row in rows}) == len(rows)
    return {account: (as_micros(moment), days) for account, moment, days in rows}


@pytest.mark.parametrize("milestone", MILESTONES)
def test_many_milestones_equal_our_own_times(milestone: str) -> None:
    world, asked = raw_world(), Milestone.parse(milestone)
    expected = world.expected(asked)
    assert bool(expected) is ("never_happens" not in milestone)
    assert on_duckdb(world, milestone_sql(world.tables, asked, 14 * Day, "duckdb")) == expected


@pytest.mark.parametrize("holds", TIME_TYPES)
def test_every_way_of_writing_times_equals_our_own_times(holds: str) -> None:
    world, asked = raw_world(holds, seed=TIME_TYPES.index(holds)), Milestone.parse(MILESTONES[2])
    assert on_duckdb(world, milestone_sql(world.tables, asked, 14 * Day, "duckdb")) == world.expected(asked)


@pytest.mark.parametrize("holds", ["timestamp", "timestamptz", "text", "seconds", "milliseconds"])
def test_times_that_are_midnights_throughout_are_calendar_days(holds: str) -> None:
    world, asked = raw_world(holds, midnights=True), Milestone.parse(MILESTONES[2])
    assert on_duckdb(world, milestone_sql(world.tables, asked, 14 * Day, "duckdb")) == world.expected(asked)


@pytest.mark.parametrize("duplicates", ["by_id", "exact", "keep"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_repeated_rows_are_treated_as_the_spec_says(duplicates: str, zone: str) -> None:
    world, asked = raw_world(duplicates=duplicates, zone=zone), Milestone.parse(MILESTONES[1])
    assert on_duckdb(world, milestone_sql(world.tables, asked, 14 * Day, "duckdb")) == world.expected(asked)


def test_the_three_rules_for_repeated_rows_differ_in_this_world() -> None:
    asked = Milestone.parse(MILESTONES[1])
    answers = [raw_world(duplicates=rule).expected(asked) for rule in ("by_id", "exact", "keep")]
    assert all(one != other for one, other in itertools.combinations(answers, 2))


def test_identifiers_written_as_numbers_meet_those_written_as_text() -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE raw_events AS SELECT '12.0' AS id, 'x' AS event, TIMESTAMP '2024-01-02' AS at")
        connection.execute("CREATE TABLE raw_accounts AS SELECT 12.0::DOUBLE AS id, TIMESTAMP '2024-01-01' AS at")
        tables = RawTables(
            events="raw_events",
            accounts="raw_accounts",
            event_account=IdColumn(name="id", stored="whole text"),
            event_name="event",
            event_time=TimeColumn(name="at", holds="timestamp"),
            account=IdColumn(name="id", stored="float"),
            signup=TimeColumn(name="at", holds="timestamp"),
        )
        rows = connection.execute(milestone_sql(tables, Milestone.of("x"), 14 * Day, "duckdb")).fetchall()
    assert [(account, days) for account, _, days in rows] == [("12", 1.0)]


WRITTEN = {
    "duckdb": ('epoch_us(e."at")', 'make_timestamptz("a"."signup" + "r"."reached")'),
    "postgres": (
        "CAST(EXTRACT(EPOCH FROM e.at) * 1000000 AS BIGINT)",
        '(TIMESTAMPTZ \'1970-01-01 00:00:00+00\' + ("a"."signup" + "r"."reached") * INTERVAL \'1 microsecond\')',
    ),
    "snowflake": ("DATE_PART(epoch_microsecond, e.at)", 'TO_TIMESTAMP_LTZ("a"."signup" + "r"."reached", 6)'),
    "bigquery": ("UNIX_MICROS(e.`at`)", "TIMESTAMP_MICROS(`a`.`signup` + `r`.`reached`)"),
    "spark": ("unix_micros(e.at)", "timestamp_micros(`a`.`signup` + `r`.`reached`)"),
    "databricks": ("unix_micros(e.at)", "timestamp_micros(`a`.`signup` + `r`.`reached`)"),
    "clickhouse": (
        "toUnixTimestamp64Micro(toDateTime64(e.at, 6))",
        'fromUnixTimestamp64Micro("a"."signup" + "r"."reached", \'UTC\')',
    ),
    "trino": (
        "CAST(to_unixtime(date_trunc('second', e.at)) AS BIGINT) * 1000000 + CAST(date_format(e.at, '%f') AS BIGINT)",
        'CAST(from_unixtime_nanos(("a"."signup" + "r"."reached") * 1000) AS TIMESTAMP(6) WITH TIME ZONE)',
    ),
    "redshift": (
        "DATEDIFF(microsecond, TIMESTAMP '1970-01-01 00:00:00', (e.at AT TIME ZONE 'UTC'))",
        '(DATEADD(microsecond, CAST(MOD("a"."signup" + "r"."reached", 1000000) AS INTEGER), '
        'DATEADD(second, CAST(MOD(("a"."signup" + "r"."reached") / 1000000, 86400) AS INTEGER), '
        'DATEADD(day, CAST(("a"."signup" + "r"."reached") / 86400000000 AS INTEGER), '
        "TIMESTAMP '1970-01-01 00:00:00'))) AT TIME ZONE 'UTC')",
    ),
}
"""How each dialect reads an instant, and writes one: the lines that no engine here can check."""


def plain_tables(holds: str = "timestamptz", **columns: object) -> RawTables:
    usual: dict[str, object] = {
        "events": "events",
        "accounts": "accounts",
        "event_account": IdColumn(name="account_id"),
        "event_name": "event",
        "event_time": TimeColumn(name="at", holds=holds),
        "event_user": IdColumn(name="user_id", stored="whole text"),
        "event_id": "row",
        "account": IdColumn(name="account_id", stored="float"),
        "signup": TimeColumn(name="at", holds=holds),
        "exclude": "internal",
        "timezone": BERLIN,
        "duplicates": "by_id",
    }
    return RawTables(**{**usual, **columns})


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_lines_that_differ_between_dialects_are_these(dialect: str) -> None:
    sql = milestone_sql(plain_tables(), Milestone.of("x"), 14 * Day, dialect)
    lines = [line.strip().rstrip(",") for line in sql.splitlines()]
    read = next(line for line in lines if re.search(r' AS ["`]t["`]$', line))
    made = next(line for line in lines if line.endswith(" AS reached_at"))
    assert (read[:-7], made.removesuffix(" AS reached_at")) == WRITTEN[dialect]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_reads_its_own_sql(dialect: str) -> None:
    for holds in TIME_TYPES:
        tables = plain_tables(holds, dates_only=holds in ("date", "yyyymmdd", "milliseconds"))
        sql = milestone_sql(tables, Milestone.of("x"), 14 * Day, dialect)
        parsed = sqlglot.parse_one(sql, dialect=dialect)
        assert parsed.named_selects == ["account_id", "reached_at", "days_since_signup"]
        once = parsed.sql(dialect=dialect, pretty=True)
        assert sqlglot.parse_one(once, dialect=dialect).sql(dialect=dialect, pretty=True) == once


@pytest.mark.parametrize("dialect", DIALECTS)
def test_hostile_names_are_only_names_in_every_dialect(dialect: str) -> None:
    asked = Milestone(tuple(Milestone.of(name) for name in NAMES), "or")
    parsed = sqlglot.parse_one(milestone_sql(plain_tables(), asked, 14 * Day, dialect), dialect=dialect)
    assert set(NAMES) <= {literal.this for literal in parsed.find_all(exp.Literal) if literal.is_string}


@pytest.mark.parametrize(
    ("dialect", "name", "expected"),
    [
        ("duckdb", "signup_at", "signup_at"),
        ("duckdb", "Workspace Id", '"Workspace Id"'),
        ("postgres", "accountId", '"accountId"'),
        ("postgres", 'odd"name', '"odd""name"'),
        ("postgres", "order", '"order"'),
        ("snowflake", "accountId", "accountId"),
        ("snowflake", "group", '"GROUP"'),
        ("snowflake", "Workspace Id", '"Workspace Id"'),
        ("bigquery", "Workspace Id", "`Workspace Id`"),
        ("clickhouse", "accountId", "accountId"),
        ("redshift", "accountId", '"accountId"'),
    ],
)
def test_names_are_quoted_where_the_bare_name_would_be_another(dialect: str, name: str, expected: str) -> None:
    assert written(name, dialect_named(dialect)) == expected


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", ["events; DROP TABLE x", "(SELECT 1)", "events AS e"])
def test_the_name_of_a_table_is_only_a_name(name: str, dialect: str) -> None:
    parsed = sqlglot.parse(milestone_sql(plain_tables(events=name), Milestone.of("x"), 14 * Day, dialect), dialect)
    assert len(parsed) == 1
    assert name.strip() in {table.name for table in parsed[0].find_all(exp.Table)}


def test_a_table_without_a_name_is_refused() -> None:
    with pytest.raises(InputError, match="does not read as the name of a table"):
        milestone_sql(plain_tables(events=" "), Milestone.of("x"), 14 * Day, "duckdb")


def test_an_unknown_dialect_lists_those_there_are() -> None:
    with pytest.raises(InputError, match=r"Did you mean 'postgres'\? Known are: duckdb, postgres, snowflake"):
        dialect_named("postgresq")


def test_a_window_beyond_the_observation_is_refused() -> None:
    with pytest.raises(InputError, match="beyond the observation window of 14 days"):
        milestone_sql(plain_tables(), Milestone.parse("x within 15d"), 14 * Day, "duckdb")
