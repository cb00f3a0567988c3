"""In how many accounts a property is the same on all rows, as a slower way counts it."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.engines.duckdb import DuckDBEngine
from discovery.exposure import EventColumns, PropertyValues, Sameness
from discovery.spec import Day

ROWS = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["x", "y", "größe", None]),
        st.integers(-1, 15),
    ),
    max_size=40,
)


def asked(rows: list[tuple[int, str, str | None, int]]) -> tuple[Sameness, ...]:
    """Ask about accounts 0 to 3, all signed up at 0 but the last, which came too late; account 4 is unknown."""
    signup = [0, 0, 0, 30 * Day]
    events = pa.table(
        {
            "account_id": pa.array([str(row[0]) for row in rows], pa.string()),
            "event": pa.array([row[1] for row in rows], pa.string()),
            "user_id": pa.array([None] * len(rows), pa.string()),
            "t": pa.array([row[3] * Day for row in rows], pa.int64()),
            "property_0": pa.array([row[2] for row in rows], pa.string()),
            "number_0": pa.array([None] * len(rows), pa.float64()),
        }
    )
    accounts = pa.table({"account_id": [str(i) for i in range(4)], "account": range(4), "signup": signup})
    engine = DuckDBEngine()
    try:
        engine.register("e", events)
        engine.register("a", accounts)
        return PropertyValues(
            engine=engine,
            events_table="e",
            accounts_table="a",
            columns=EventColumns(properties=("p",)),
            name="p",
            observation_us=14 * Day,
            latest=0,
        ).sameness()
    finally:
        engine.close()


def slowly(rows: list[tuple[int, str, str | None, int]], event: str | None) -> Sameness | None:
    values: dict[int, list[Any]] = defaultdict(list)
    for account, name, value, day in rows:
        if account < 3 and 0 <= day < 14 and value is not None and event in (None, name):
            values[account].append(value)
    several = [mine for mine in values.values() if len(mine) > 1]
    same = Counter(mine[0] for mine in several if len(set(mine)) == 1)
    commonest = max(same.values(), default=0)
    return Sameness(event=event, accounts=len(several), same=same.total(), commonest=commonest) if several else None


@settings(max_examples=40, deadline=None)
@given(rows=ROWS)
def test_it_is_counted_as_a_slower_way_counts(rows: list[tuple[int, str, str | None, int]]) -> None:
    expected = [slowly(rows, event) for event in (None, "a", "b")]
    assert asked(rows) == tuple(each for each in expected if each is not None)


@pytest.mark.parametrize("rows", [[], [(0, "a", None, 1)], [(0, "a", "x", 1)]])
def test_without_accounts_with_several_rows_nothing_is_said(rows: list[tuple[int, str, str | None, int]]) -> None:
    assert asked(rows) == ()
