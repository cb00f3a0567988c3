"""Tracking that begins or ends inside the log is told from events that are rightly rare, early or late."""

from __future__ import annotations

import tomllib

import numpy as np
import pandas as pd
import pytest

from discovery.intake.quiet import Quiet, empty_days
from discovery.intake.shifts import successions
from discovery.intake.volume import Volume
from discovery.spec import Day

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
    rare = {"account_id": ["a01"] * 3, "user_id": ["u01_0"] * 3, "event": ["exported"] * 3}
    users = [f"u02_{i % 3}" for i in range(500)]
    burst = {"account_id": ["a02"] * 500, "user_id": users, "event": ["imported"] * 500}
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


def test_days_without_any_event_are_a_gap_unless_weekends_are_always_quiet():
    days = (EVENTS["timestamp"] - START) // pd.Timedelta(days=1)
    found = codes(read(EVENTS[~days.isin([17, 18, 25])], ACCOUNTS))
    assert list(found) == ["tracking_gaps"]
    assert found["tracking_gaps"].count == 3
    assert found["tracking_gaps"].examples == ("2024-01-18 to 2024-01-19", "2024-01-26")
    assert read(EVENTS[~(days % 7).isin([5, 6])], ACCOUNTS).quality == ()


def test_an_event_that_pauses_is_a_gap_and_one_that_comes_in_bursts_is_none():
    days = (EVENTS["timestamp"] - START) // pd.Timedelta(days=1)
    shared = EVENTS["event"] == "shared"
    found = codes(read(EVENTS[~(shared & days.between(15, 19))], ACCOUNTS))
    assert list(found) == ["tracking_gaps"]
    assert found["tracking_gaps"].examples == ("shared (2024-01-16 to 2024-01-20)",)
    assert read(EVENTS[~(shared & (days % 8 >= 3))], ACCOUNTS).quality == ()


def test_an_event_that_takes_over_where_another_ends_is_suggested_as_an_alias():
    later = EVENTS["timestamp"] >= START + pd.Timedelta(days=20)
    events = EVENTS.assign(event=EVENTS["event"].mask((EVENTS["event"] == "shared") & later, 'Report "shared"'))
    found = codes(read(events, ACCOUNTS))
    assert set(found) == {"tracking_starts", "tracking_stops", "renamed_event"}
    assert found["renamed_event"].examples[0].startswith('shared, then Report "shared" (from 2024-01-21)')
    aliases = tomllib.loads(found["renamed_event"].paste)["events"]["aliases"]
    assert aliases == {'Report "shared"': ["shared"]}
    assert read(events, ACCOUNTS, events={"aliases": aliases}).quality[0].code == "aliases_applied"


@pytest.mark.parametrize(("rate", "late", "found"), [(10, 0, True), (15, 6, True), (40, 0, False), (10, 9, False)])
def test_an_event_takes_over_within_a_week_and_at_a_similar_rate(rate, late, found):
    day = np.arange(40)
    counts = np.concatenate([np.full(20, 10), np.full(20 - late, rate), np.full(40, 100)])
    days = np.concatenate([day[:20], day[20 + late :], day])
    offsets = np.array([0, 20, 40 - late, 80 - late])
    first, last = np.array([0, (20 + late) * Day, 0]), np.array([20 * Day - 1, 40 * Day - 1, 40 * Day - 1])
    volume = Volume(["old", "new", "rest"], first, last, offsets, days, counts, counts, start=0, days=40)
    quiet = [
        Quiet(kind="end", event="old", start=int(last[0]), end=40 * Day, expected=99.0),
        Quiet(kind="launch", event="new", start=0, end=int(first[1]), expected=99.0),
    ]
    assert [(s.before, s.after) for s in successions(volume, quiet)] == [("old", "new")] * found


def noisy(days: int, rate, seed: int = 1) -> pd.DataFrame:
    """Accounts that are active every day, and one more event whose rows a day follow `rate(day)`."""
    rng = np.random.default_rng(seed)
    base = clean_events(days=days)
    rows = [(f"a{i:02d}", day) for day in range(5, days) for i in range(20) for _ in range(rng.poisson(rate(day)))]
    more = pd.DataFrame(rows, columns=["account_id", "day"])
    more["timestamp"] = START + pd.to_timedelta(more["day"] + rng.uniform(0.01, 0.9, len(more)), "D")
    return pd.concat([base, more.assign(event="synced", user_id=more["account_id"].str.replace("a", "u") + "_0")])


@pytest.mark.parametrize(("before", "after", "sign"), [(0.3, 3.0, "×"), (3.0, 0.3, "÷")])
def test_a_volume_that_jumps_and_stays_is_found(before, after, sign):
    found = codes(read(noisy(84, lambda day: before if day < 40 else after), ACCOUNTS))
    assert list(found) == ["volume_jump"]
    assert found["volume_jump"].examples[0].startswith(f"synced ({sign} ")
    assert "2024-02-0" in found["volume_jump"].examples[0]


@pytest.mark.parametrize(
    "rate",
    [
        lambda day: 1.0,
        lambda day: 0.2 * 1.04**day,  # grows tenfold, but slowly
        lambda day: 8.0 if 40 <= day < 47 else 0.5,  # one week
    ],
)
def test_a_volume_that_is_steady_or_grows_or_peaks_is_no_jump(rate):
    assert "volume_jump" not in codes(read(noisy(84, rate), ACCOUNTS))


def test_the_jump_of_one_account_is_none_of_the_event():
    events = noisy(84, lambda day: 0.3)
    seconds = pd.to_timedelta(range(4000), "s") * 40 * 24
    one = pd.DataFrame({"account_id": "a03", "user_id": "u03_0", "event": "synced"}, index=range(4000))
    one["timestamp"] = START + pd.Timedelta(days=40) + seconds
    events = pd.concat([events, one[one["timestamp"] < START + pd.Timedelta(days=84)]])
    assert "volume_jump" not in codes(read(events, ACCOUNTS))


def test_fewer_signups_are_no_jump_of_what_happens_on_signup():
    """Signups stop after 40 days; a few accounts then still do what is done on signup."""
    events, accounts = on_signup(last=40)
    rng = np.random.default_rng(4)
    later = pd.DataFrame({"account_id": [f"b{i:04d}" for i in range(1600)] * 20, "event": "opened"})
    later["timestamp"] = START + pd.Timedelta(days=45) + pd.to_timedelta(rng.uniform(0, 40, len(later)), "D")
    few = later.iloc[::400].assign(event="account_created")
    assert "volume_jump" not in codes(read(pd.concat([events, later, few]), accounts))


def days_of(activity: list[int]) -> Volume:
    """One event with so many account-days on each day."""
    counts = np.array(activity)
    day = np.flatnonzero(counts)
    ends = np.array([0]), np.array([len(counts) * Day - 1])
    return Volume(["e"], *ends, np.array([0, len(day)]), day, counts[day], counts[day], start=0, days=len(counts))


@pytest.mark.parametrize(("around", "gap"), [([14, 15, 16, 14], True), ([3, 40, 41, 42], False)])
def test_a_day_is_missed_where_its_weekday_always_has_many_events(around, gap):
    weeks = [[50] * 6 + [sunday] for sunday in (*around, 0, *around)]
    found = empty_days(days_of([count for week in weeks for count in week]))
    assert [(quiet.start // Day, quiet.end // Day) for quiet in found] == [(34, 35)] * gap
