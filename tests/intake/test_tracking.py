"""Tracking that begins or ends inside the log is told from events that are rightly rare, early or late."""

from __future__ import annotations

import pandas as pd
import pytest

from .tables import START, clean_accounts, clean_events, codes, read

EVENTS, ACCOUNTS = clean_events(), clean_accounts()


@pytest.mark.parametrize(("late", "code"), [(True, "tracking_starts"), (False, "tracking_stops")])
def test_tracking_that_begins_or_ends_inside_the_log(late, code):
    middle = START + pd.Timedelta(days=20)
    keep = (EVENTS["timestamp"] >= middle) if late else (EVENTS["timestamp"] < middle)
    found = codes(read(EVENTS[(EVENTS["event"] != "shared") | keep], ACCOUNTS))
    assert list(found) == [code]
    finding = found[code]
    assert finding.count == 1
    assert finding.examples[0].startswith("shared (")
    assert ("2024-01-21" in finding.examples[0]) == late


def test_rare_and_bursty_events_are_not_taken_for_tracking():
    rare = {"account_id": ["a01"] * 3, "event": ["exported"] * 3}
    burst = {"account_id": ["a02"] * 500, "event": ["imported"] * 500}
    events = pd.concat(
        [
            EVENTS,
            pd.DataFrame(rare).assign(timestamp=START + pd.to_timedelta([30.1, 31.2, 32.3], "D")),
            pd.DataFrame(burst).assign(timestamp=START + pd.Timedelta(days=35) + pd.to_timedelta(range(500), "s")),
        ]
    )
    assert read(events, ACCOUNTS).quality == ()


def test_events_late_in_an_accounts_life_are_not_taken_for_tracking():
    days = [(i, START + pd.Timedelta(days=i % 5 + 30 + k, hours=3)) for i in range(20) for k in range(9)]
    late = pd.DataFrame({"account_id": [f"a{i:02d}" for i, _ in days], "event": "renewed"})
    late["timestamp"] = [t for _, t in days]
    assert read(pd.concat([EVENTS, late]), ACCOUNTS).quality == ()


def on_signup(last: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Forty accounts a day, late in the day, until so many days have passed; active every 10 hours for a week."""
    accounts = pd.DataFrame({"account_id": [f"b{i:04d}" for i in range(40 * last)]})
    accounts["signup_at"] = START + pd.to_timedelta([i // 40 * 24 + 20 for i in range(len(accounts))], "h")
    born = accounts.rename(columns={"signup_at": "timestamp"}).assign(event="account_created")
    used = [born.assign(event="opened", timestamp=born["timestamp"] + pd.Timedelta(hours=10 * k)) for k in range(1, 17)]
    return pd.concat([born, *used]), accounts


def test_events_on_signup_are_not_taken_for_tracking_that_stops_where_signups_end():
    assert "tracking_stops" not in codes(read(*on_signup(last=20)))


def test_events_on_signup_whose_tracking_does_stop_are_found():
    events, accounts = on_signup(last=20)
    stopped = (events["event"] == "account_created") & (events["timestamp"] >= START + pd.Timedelta(days=15))
    assert codes(read(events[~stopped], accounts))["tracking_stops"].examples == ("account_created (until 2024-01-15)",)
