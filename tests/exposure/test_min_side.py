"""Rules that nearly nobody or nearly everybody meets are not searched, but no event is lost."""

import numpy as np
import pyarrow as pa
import pytest

from discovery.engines.duckdb import DuckDBEngine
from discovery.exposure import candidate_flags, measure
from discovery.spec import Day


@pytest.fixture
def measured():
    """Forty accounts: all but two did `common`, twenty did `ordinary`, three did `rare`."""
    counts = {"common": 38, "ordinary": 20, "rare": 3}
    rows = [(f"a{i:02}", event, None, 0) for event, count in counts.items() for i in range(count)]
    names = ("account_id", "event", "user_id", "t")
    with DuckDBEngine() as engine:
        columns = zip(*rows, strict=True)
        engine.register(
            "e",
            pa.table(
                {n: pa.array(c, pa.int64() if n == "t" else pa.string()) for n, c in zip(names, columns, strict=True)}
            ),
        )
        accounts = {"account": list(range(40)), "account_id": [f"a{i:02}" for i in range(40)], "signup": [0] * 40}
        engine.register("a", pa.table(accounts))
        yield measure(engine, "e", "a", 40, (Day,), 14 * Day)


def test_a_rare_event_keeps_one_rule_and_rare_rules_of_an_ordinary_event_go(measured):
    flags = candidate_flags(measured, np.arange(40), (1, 2), (1, 14), (1,), 10)
    assert [str(condition) for condition in flags.conditions] == [
        "common within 14d",
        "ordinary within 14d",
        "rare within 14d",
    ]


def test_the_floor_counts_both_sides(measured):
    flags = candidate_flags(measured, np.arange(39), (1,), (14,), (1,), 1)
    assert flags.reached().tolist() == [38, 20, 3]
