"""The exported SELECT of conditions on properties equals our intake and exposure, account by account."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from discovery.engines.dialects import DIALECTS
from discovery.errors import InputError
from discovery.exposure.portable import milestone_sql
from discovery.milestone import Milestone
from discovery.spec import Day

from .portable_properties import MILESTONES, WithProperties, with_properties
from .postgres import lay
from .test_portable import on_duckdb
from .test_portable_postgres import as_micros, server

__all__ = ["server"]


def sql_of(case: WithProperties, milestone: Milestone, dialect: str) -> str:
    return milestone_sql(case.tables(milestone), milestone, 14 * Day, dialect)


def on_postgres(running: Any, case: WithProperties, milestone: Milestone) -> dict[str, tuple[int, float]]:
    lay(running, "raw_events", case.world.events)
    lay(running, "raw_accounts", case.world.accounts)
    rows = running.execute(sql_of(case, milestone, "postgres")).fetchall()
    return {account: (as_micros(moment), days) for account, moment, days in rows}


@pytest.mark.parametrize("milestone", MILESTONES)
def test_conditions_on_properties_equal_our_own_times(milestone: str) -> None:
    case, asked = with_properties(), Milestone.parse(milestone)
    expected = case.expected(asked)
    assert 0 < len(expected) < 110
    assert on_duckdb(case.world, sql_of(case, asked, "duckdb")) == expected


@pytest.mark.parametrize("milestone", MILESTONES)
def test_the_same_on_a_postgresql_server(milestone: str, server: Any) -> None:
    case, asked = with_properties(), Milestone.parse(milestone)
    assert on_postgres(server, case, asked) == case.expected(asked)


@pytest.mark.parametrize("milestone", MILESTONES[-3:])
@pytest.mark.parametrize("duplicates", ["by_id", "exact", "keep"])
def test_a_named_creator_is_who_the_others_are_others_than(milestone: str, duplicates: str, server: Any) -> None:
    case, asked = with_properties(creator=True, duplicates=duplicates), Milestone.parse(milestone)
    expected = case.expected(asked)
    assert expected != with_properties(duplicates=duplicates).expected(asked)
    assert on_duckdb(case.world, sql_of(case, asked, "duckdb")) == expected
    assert on_postgres(server, case, asked) == expected


@pytest.mark.parametrize("duplicates", ["exact", "keep"])
@pytest.mark.parametrize("milestone", [MILESTONES[0], MILESTONES[3], MILESTONES[14]])
def test_repeated_rows_with_properties_are_treated_as_the_spec_says(
    milestone: str, duplicates: str, server: Any
) -> None:
    case, asked = with_properties(duplicates=duplicates), Milestone.parse(milestone)
    assert on_duckdb(case.world, sql_of(case, asked, "duckdb")) == case.expected(asked)
    assert on_postgres(server, case, asked) == case.expected(asked)


@pytest.mark.parametrize(("dialect", "milestone"), list(itertools.product(DIALECTS, MILESTONES)))
def test_every_dialect_parses_what_is_written_for_it(dialect: str, milestone: str) -> None:
    case, asked = with_properties(creator="by_other = false" in milestone), Milestone.parse(milestone)
    parsed = sqlglot.parse_one(sql_of(case, asked, dialect), dialect=dialect)
    assert isinstance(parsed, exp.Select)


def test_a_property_that_is_not_among_the_columns_is_refused() -> None:
    case = with_properties()
    with pytest.raises(InputError, match="'colour' was not read"):
        milestone_sql(case.world.tables, Milestone.parse('report_shared[colour = "red"]'), 14 * Day, "duckdb")
