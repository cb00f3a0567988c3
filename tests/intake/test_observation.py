"""Observation ends for a reason of the observer's, never because the account left or fell silent."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from .tables import START, Day, clean_accounts, clean_events, codes, micros, read

EVENTS, ACCOUNTS = clean_events(), clean_accounts()
LAST = int(EVENTS["timestamp"].max().value // 1000)
EXPORT = pd.Timestamp("2024-02-12")
CODES = {"observed_until_is_churn", "observed_until_is_last_event"}

LEFT = pd.Series([START + pd.Timedelta(days=12 + 1.3 * i) for i in range(12)] + [pd.NaT] * 8)
"""When the first twelve accounts left."""


def quiet() -> pd.DataFrame:
    """The events, of each account until a day of its own."""
    ends = START + pd.to_timedelta(EVENTS["account_id"].str[1:].astype(int) + 18, "D")
    return EVENTS[EVENTS["timestamp"] < ends]


def last_events() -> pd.Series:
    return quiet().groupby("account_id")["timestamp"].max().reset_index(drop=True)


def watched(observed, events=EVENTS, **accounts):
    return read(events, ACCOUNTS.assign(observed_until=observed, **accounts))


@pytest.mark.parametrize(
    "repeated",
    [
        LEFT,
        LEFT.dt.floor("D"),
        LEFT.dt.floor("s"),
        LEFT.dt.strftime("%Y-%m-%d"),
        LEFT.where(LEFT.index != 3, EXPORT),
        LEFT.dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"),
    ],
)
@pytest.mark.parametrize("stayed", [EXPORT, None])
def test_the_day_an_account_left_is_no_end_of_observation(repeated, stayed):
    observed = [value if pd.notna(left) else stayed for value, left in zip(repeated, LEFT, strict=True)]
    relations = watched(pd.Series(observed, dtype=object).astype(str).replace("None", ""), churned_at=LEFT)
    finding = codes(relations)["observed_until_is_churn"]
    assert (finding.severity, finding.names_accounts) == ("warning", True)
    assert (finding.count, finding.share) in [(12, 1.0), (11, 11 / 12)]
    assert "observed until the last event of the log" in finding.message
    assert "accounts.observed_until" in finding.remedy
    assert (relations.accounts.observed_until == LAST).all()
    assert relations.has_departures


def test_dates_alone_end_with_the_day():
    days = EVENTS.assign(timestamp=EVENTS["timestamp"].dt.strftime("%Y-%m-%d"))
    left = LEFT.dt.strftime("%Y-%m-%d")
    relations = watched(left.fillna("2024-02-12"), days, churned_at=left)
    assert "observed_until_is_churn" in codes(relations)
    assert (relations.accounts.observed_until == micros("2024-02-10")).all()


def test_leaving_is_then_counted_and_not_left_aside_as_unobserved():
    relations = watched(LEFT.fillna(EXPORT), churned_at=LEFT)
    seen = relations.accounts.churned[:12] <= relations.accounts.observed_until[:12]
    assert seen.all()
    assert (relations.accounts.observed_until - relations.accounts.signup >= 30 * Day).all()


@pytest.mark.parametrize(
    ("observed", "left"),
    [
        (pd.Series([EXPORT] * 20), LEFT),
        (LEFT.where(LEFT.index < 4, EXPORT), LEFT.where(LEFT.index < 4)),
        (LEFT.where(LEFT.index > 1, EXPORT).fillna(EXPORT), LEFT),
        ((LEFT + pd.Timedelta(days=2)).fillna(EXPORT), LEFT),
        (pd.Series([EXPORT] * 20), pd.Series([EXPORT] * 12 + [pd.NaT] * 8)),
    ],
    ids=["one day for all", "four that left", "ten of twelve", "two days later", "all left on the day of the export"],
)
def test_an_administrative_end_is_used_as_it_is(observed, left):
    relations = watched(observed, churned_at=left)
    assert not CODES & set(codes(relations))
    assert list(relations.accounts.observed_until) == list(observed.astype("datetime64[us]").astype(np.int64))


@pytest.mark.parametrize("written", [lambda t: t, lambda t: t.dt.floor("s"), lambda t: t.dt.strftime("%Y-%m-%d")])
def test_the_last_event_of_an_account_is_no_end_of_observation(written):
    relations = watched(written(last_events()), quiet())
    finding = codes(relations)["observed_until_is_last_event"]
    assert (finding.count, finding.share) == (20, 1.0)
    assert (relations.accounts.observed_until == relations.log_end).all()


def test_nine_in_ten_must_end_with_their_last_event():
    most = last_events().where(ACCOUNTS.index > 1, EXPORT)
    assert codes(watched(most, quiet()))["observed_until_is_last_event"].count == 18
    assert not CODES & set(codes(watched(last_events().where(ACCOUNTS.index > 2, EXPORT), quiet())))


def test_accounts_active_to_the_day_of_the_export_are_no_finding():
    assert not CODES & set(codes(watched("2024-02-09")))


def test_a_date_in_the_spec_stands_for_all():
    asked = {"observed_until": "2024-02-20", "churned": "churned_at"}
    relations = read(EVENTS, ACCOUNTS.assign(observed_until=LEFT, churned_at=LEFT), accounts=asked)
    assert not CODES & set(codes(relations))
    assert (relations.accounts.observed_until == micros("2024-02-20")).all()
