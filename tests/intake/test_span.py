"""The log begins and ends with the events of known accounts, whatever a few wrong dates say."""

from __future__ import annotations

import pandas as pd
import pytest

from .tables import START, Day, clean_accounts, clean_events, codes, micros, read

EVENTS, ACCOUNTS = clean_events(), clean_accounts()
FIRST, LAST = (int(t.value // 1000) for t in (EVENTS["timestamp"].min(), EVENTS["timestamp"].max()))


def and_one(when: str, account: str = "a00", times: int = 1) -> pd.DataFrame:
    """The clean events and one more."""
    return pd.concat([EVENTS] + [EVENTS.iloc[:1].assign(timestamp=pd.Timestamp(when), account_id=account)] * times)


def span(relations) -> tuple[int, int]:
    return relations.log_start, relations.log_end


@pytest.mark.parametrize("account", ["a00", "zz"])
@pytest.mark.parametrize("when", ["1999-12-31 05:00", "2099-12-31 05:00"])
def test_one_event_far_away_moves_neither_end(when, account):
    relations = read(and_one(when, account), ACCOUNTS)
    assert span(relations) == (FIRST, LAST)
    assert (relations.accounts.observed_until == LAST).all()
    assert ("stray_times" in codes(relations)) == (account == "a00")


@pytest.mark.parametrize("when", ["2023-12-25 05:00", "2024-02-20 05:00"])
def test_events_of_unknown_accounts_set_neither_end(when):
    assert span(read(and_one(when, "zz", 500), ACCOUNTS)) == (FIRST, LAST)
    assert micros(when) in span(read(and_one(when), ACCOUNTS))


def test_a_stray_event_does_not_switch_off_what_asks_for_the_first_day():
    early = ACCOUNTS.assign(signup_at=ACCOUNTS["signup_at"].where(ACCOUNTS.index > 0, START - pd.Timedelta(days=20)))
    for events in (EVENTS, and_one("2019-03-04", "a03"), and_one("2019-03-04", "zz")):
        found = codes(read(events, early))
        assert (found["signups_before_log"].count, found["signups_before_log"].examples) == (1, ("a00",))


@pytest.mark.parametrize("when", ["1999-12-31 05:00", "2099-12-31 05:00"])
@pytest.mark.parametrize("times", [1, 30])
def test_stray_events_are_named(when, times):
    found = codes(read(and_one(when, times=times).assign(event_id=range(len(EVENTS) + times)), ACCOUNTS))
    assert found["stray_times"].count == times
    assert found["stray_times"].examples == (when[:10],)
    assert "2024-01-01 to 2024-02-09" in found["stray_times"].message
    assert "not set where the log begins or ends" in found["stray_times"].message
    assert not {"tracking_starts", "tracking_stops"} & set(found)


def test_two_strays_on_both_sides_are_one_finding():
    events = pd.concat([and_one("2019-03-04"), EVENTS.iloc[:1].assign(timestamp=pd.Timestamp("2031-05-06"))])
    many = pd.concat([events, *(EVENTS.assign(account_id=EVENTS["account_id"] + x) for x in "xyz")])
    roll = pd.concat([ACCOUNTS, *(ACCOUNTS.assign(account_id=ACCOUNTS["account_id"] + x) for x in "xyz")])
    relations = read(many, roll)
    assert span(relations) == (FIRST, LAST)
    assert codes(relations)["stray_times"].examples == ("2019-03-04", "2031-05-06")


def test_many_events_before_a_long_pause_are_the_log():
    before = EVENTS.assign(timestamp=EVENTS["timestamp"] - pd.Timedelta(days=200))
    assert span(read(pd.concat([before, EVENTS]), ACCOUNTS)) == (FIRST - 200 * Day, LAST)


def test_a_handful_of_events_says_nothing_about_what_is_stray():
    few = EVENTS[EVENTS["timestamp"] < START + pd.Timedelta(days=2)]
    relations = read(pd.concat([few, EVENTS.iloc[:1].assign(timestamp=pd.Timestamp("2024-07-01"))]), ACCOUNTS)
    assert relations.log_end == micros("2024-07-01")


def test_where_no_account_is_known_all_events_count():
    assert span(read(EVENTS.assign(account_id=EVENTS["account_id"] + "x"), ACCOUNTS)) == (FIRST, LAST)
