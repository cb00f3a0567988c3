"""Clocks that are wrong, events that come late, and times that were rounded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from .tables import START, clean_accounts, clean_events, codes, read

EVENTS, ACCOUNTS = clean_events(), clean_accounts()
FIRST = np.arange(len(EVENTS)) < 100


def clocked(received=0.0, sent=0.0) -> pd.DataFrame:
    """The clean events with clocks that differ, in hours, in the first hundred rows."""
    server = EVENTS["timestamp"] + pd.Timedelta(seconds=2) + pd.to_timedelta(np.where(FIRST, received, 0.0), "h")
    device = server - pd.Timedelta(seconds=1) + pd.to_timedelta(np.where(FIRST, sent, 0.0), "h")
    return EVENTS.assign(received_at=server, sent_at=device)


def test_right_clocks_have_no_findings():
    relations = read(clocked(), ACCOUNTS)
    assert relations.quality == ()
    states = {rule.code: rule.state for rule in relations.rules}
    assert states["clock_skew"] == states["late_events"] == states["future_events"] == "passed"


@pytest.mark.parametrize(("hours", "words"), [(3.0, "100 ahead, 0 behind; up to 3"), (-72.0, "0 ahead, 100 behind")])
def test_devices_whose_clock_is_wrong(hours, words):
    finding = codes(read(clocked(sent=hours), ACCOUNTS))["clock_skew"]
    assert (finding.count, finding.severity) == (100, "warning")
    assert words in finding.message


def test_events_that_come_late():
    finding = codes(read(clocked(received=49.0), ACCOUNTS))["late_events"]
    assert (finding.count, finding.severity) == (100, "info")
    assert "within 2 days" in finding.message
    everything = EVENTS.assign(received_at=EVENTS["timestamp"] + pd.Timedelta(days=3))
    assert codes(read(everything, ACCOUNTS))["late_events"].severity == "warning"


def test_events_later_than_they_were_received():
    assert codes(read(clocked(received=-2.0), ACCOUNTS))["future_events"].count == 100


def test_events_after_today():
    later = EVENTS.tail(3).assign(timestamp=pd.Timestamp.now().floor("s") + pd.Timedelta(days=400))
    found = codes(read(pd.concat([EVENTS, later]), ACCOUNTS))
    assert found["future_events"].count == 3


def test_without_clocks_the_rules_do_not_apply():
    states = {rule.code: rule for rule in read(EVENTS, ACCOUNTS).rules}
    assert states["clock_skew"].reason == "the events have no received time"
    assert states["late_events"].state == "not applicable"


@pytest.mark.parametrize(
    ("unit", "share", "severity", "word"),
    [("min", 1.0, "info", "minute"), ("h", 0.6, "warning", "hour"), ("D", 0.3, "warning", "midnight")],
)
def test_times_that_were_rounded(unit, share, severity, word):
    which = np.arange(len(EVENTS)) % 10 < 10 * share
    rounded = EVENTS["timestamp"].dt.ceil(unit)
    events = EVENTS.assign(timestamp=EVENTS["timestamp"].mask(which, rounded))
    finding = codes(read(events, ACCOUNTS))["round_times"]
    assert finding.severity == severity
    assert word in finding.message


def test_midnight_is_that_of_the_zone_of_the_log():
    which = np.arange(len(EVENTS)) % 10 < 3
    berlin = EVENTS.assign(timestamp=EVENTS["timestamp"].mask(which, EVENTS["timestamp"].dt.ceil("D")))
    berlin["timestamp"] = berlin["timestamp"].dt.tz_localize("Europe/Berlin")
    accounts = ACCOUNTS.assign(signup_at=ACCOUNTS["signup_at"] - pd.Timedelta(hours=2))
    assert "round_times" in codes(read(berlin, accounts, events={"timezone": "Europe/Berlin"}))
    assert START.hour == 0


def test_a_clock_that_the_tool_has_corrected_needs_nothing():
    events = clocked(sent=-72.0).rename(columns={"account_id": "context_group_id", "event": "event_text"})
    events["id"] = [f"m{i}" for i in range(len(events))]
    corrected = read(events, ACCOUNTS, events={"format": "segment"})
    finding = codes(corrected)["clock_skew"]
    assert (finding.count, finding.severity) == (100, "info")
    assert "'timestamp') is the one that Segment corrected" in finding.remedy
    own = events.rename(columns={"timestamp": "original_timestamp"})
    assert codes(read(own, ACCOUNTS, events={"format": "segment"}))["clock_skew"].severity == "warning"


@pytest.mark.parametrize(("hours", "words"), [(7.0, "7 hours before"), (-9.0, "9 hours after"), (5.5, "5.5 hours")])
def test_times_of_a_zone_that_is_not_named(hours, words):
    spread = pd.to_timedelta(np.arange(len(EVENTS)) % 50, "s") + pd.to_timedelta(
        1.0 * (np.arange(len(EVENTS)) % 5 == 0), "h"
    )
    events = EVENTS.assign(received_at=EVENTS["timestamp"] + pd.Timedelta(hours=hours) + spread)
    finding = codes(read(events, ACCOUNTS))["shifted_times"]
    assert finding.severity == "warning"
    assert words in finding.message
    assert "events.timezone" in finding.remedy


@pytest.mark.parametrize("lag", ["90s", "hourly", "nightly", "3d"])
def test_events_that_come_in_batches_are_of_no_other_zone(lag):
    spread = np.random.default_rng(1).random(len(EVENTS))
    waits = {
        "90s": pd.to_timedelta(90 * spread, "s"),
        "hourly": pd.to_timedelta(1 + spread, "h"),
        "nightly": pd.to_timedelta(24 * spread, "h"),
        "3d": pd.to_timedelta(np.full(len(EVENTS), 3.0), "D"),
    }
    assert "shifted_times" not in codes(read(EVENTS.assign(received_at=EVENTS["timestamp"] + waits[lag]), ACCOUNTS))
