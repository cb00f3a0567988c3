"""A large log is kept with numbers for ids: it must say the same as the ids themselves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from discovery.intake import UNKNOWN_TIME, coding
from discovery.intake.coverage import coverage_of
from discovery.intake.profile import count_events, look_at_first_rows
from discovery.intake.timeline import timeline_of
from discovery.spec import build_spec

from .tables import START, clean_accounts, clean_events, named, read, usable

LARGE = "discovery.intake.eventlog.LARGE"


def hostile() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Events and accounts with something wrong of every kind that depends on an id."""
    events, accounts = clean_events(), clean_accounts()
    events["creator"] = events["user_id"].shift(7)
    events.loc[::9, "user_id"] = None
    events.loc[::31, "user_id"] = "anonymous"
    events.loc[5::40, "user_id"] = "qa@example.com"
    events.loc[::37, "account_id"] = None
    events.loc[3::41, "account_id"] = "A07 "  # near to one that is known
    events.loc[4::43, "account_id"] = "stranger"
    events.loc[6::47, "event"] = None
    events.loc[2::53, "timestamp"] = pd.NaT
    busy = pd.DataFrame(
        {
            "account_id": "a03",
            "user_id": "robot",
            "event": "polled",
            "timestamp": [START + pd.Timedelta(days=3, seconds=i) for i in range(900)],
        }
    )
    early = events.iloc[:6].assign(timestamp=START - pd.Timedelta(hours=5), account_id="a04")
    repeated = events.iloc[100:140]
    accounts.loc[2, "signup_at"] = pd.NaT
    accounts["churned_at"] = [START + pd.Timedelta(days=20 + i) if i % 3 == 0 else None for i in range(20)]
    return pd.concat([events, busy, early, repeated], ignore_index=True), accounts


def both(monkeypatch, events, accounts, /, **spec):
    """Read with the ids themselves, and with numbers."""
    plain = read(events, accounts, **spec)
    monkeypatch.setattr(LARGE, 10)
    return plain, read(events, accounts, **spec)


def as_parquet(folder, frame) -> str:
    frame.to_parquet(folder / "events.parquet")
    return str(folder / "events.parquet")


SPECS = [
    {},
    {"events": {"duplicates": "exact"}},
    {"events": {"creator": "creator"}},
    {"events": {"aliases": {"opened": ["shared"]}, "leave_out_users": ["robot"]}},
    {"events": {"timezone": "America/New_York"}},
]


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("in_place", [True, False])
def test_numbers_say_the_same_as_the_ids(monkeypatch, tmp_path, spec, in_place):
    events, accounts = hostile()
    given = as_parquet(tmp_path, events) if in_place else events
    plain, coded = both(monkeypatch, given, accounts, **spec)
    assert coded.engine.columns(f'"{coded.events_table}"')["account_id"] == "BIGINT"
    assert coded.quality == plain.quality
    assert {finding.code for finding in plain.quality} >= {"unknown_accounts", "shared_user_id", "events_before_signup"}
    assert coded.rules == plain.rules
    same = ("log_start", "log_end", "events_rows", "events_used", "date_only", "has_users", "has_departures", "spec")
    assert {name: getattr(coded, name) for name in same} == {name: getattr(plain, name) for name in same}
    np.testing.assert_array_equal(coded.accounts.observed_until, plain.accounts.observed_until)


def test_ids_that_share_a_hash_keep_numbers_of_their_own(monkeypatch):
    events, accounts = hostile()
    plain, _ = both(monkeypatch, events, accounts)
    salts, salted = [], coding._hash

    def few_at_first(column: str, salt: int) -> str:
        salts.append(salt)
        return salted(column, salt) if salt > 1 else f"CAST(hash({column}) % 3 AS UBIGINT)"

    monkeypatch.setattr(coding, "_hash", few_at_first)
    coded = read(events, accounts)
    assert set(salts) == {0, 1, 2}
    assert coded.quality == plain.quality


def test_numbers_are_the_positions_of_accounts_and_sort_users_as_their_ids(monkeypatch):
    events, accounts = hostile()
    plain, coded = both(monkeypatch, events, accounts)
    known = set(plain.accounts.account_id)
    expected = [row for row in usable(plain) if row[0] in known]
    assert {row[2] for row in expected} == {row[2] for row in usable(plain)}
    assert named(coded, usable(plain)) == expected
    rows = coded.engine.rows(f'SELECT account, account_id, signup FROM "{coded.accounts_table}" ORDER BY account')
    begun = np.flatnonzero(coded.accounts.signup != UNKNOWN_TIME)
    assert rows == [(int(i), int(i), int(coded.accounts.signup[i])) for i in begun]


def test_accounts_are_read_off_numbered_events_as_off_others(monkeypatch):
    events, _ = hostile()
    events["plan"] = np.where(events["account_id"].fillna("") < "a1", "free", "team")
    plain, coded = both(monkeypatch, events, None, accounts={"segments": ["plan"]})
    assert coded.quality == plain.quality
    for name in ("account_id", "signup", "observed_until"):
        np.testing.assert_array_equal(getattr(coded.accounts, name), getattr(plain.accounts, name))
    np.testing.assert_array_equal(coded.accounts.segments["plan"], plain.accounts.segments["plan"])
    assert named(coded, usable(plain)) == usable(plain)


def test_users_are_given_their_accounts_before_they_are_numbered(monkeypatch, tmp_path):
    events, accounts = clean_events(), clean_accounts()
    members = events[["user_id", "account_id"]].drop_duplicates()
    members.to_csv(tmp_path / "members.csv", index=False)
    events.loc[::3, "account_id"] = None
    spec = {"identity": {"from": str(tmp_path / "members.csv")}}
    plain, coded = both(monkeypatch, as_parquet(tmp_path, events), accounts, **spec)
    assert coded.quality == plain.quality
    assert named(coded, usable(plain)) == usable(plain)


def test_what_is_drawn_and_profiled_is_the_same(monkeypatch):
    events, accounts = hostile()
    plain, coded = both(monkeypatch, events, accounts)
    assert coverage_of(coded) == coverage_of(plain)
    assert timeline_of(coded) == timeline_of(plain)
    assert count_events(coded) == count_events(plain)
    looks = [look_at_first_rows(each, events, build_spec({})) for each in (coded, plain)]
    assert looks[0].account_columns == looks[1].account_columns
    assert looks[0].account_columns[0].known > 0.5


def test_only_what_is_handed_on_stays(monkeypatch):
    events, accounts = hostile()
    plain, coded = both(monkeypatch, events, accounts)
    tables = [
        sorted(
            str(name).replace(each.events_table, "events").replace(each.accounts_table, "accounts")
            for (name,) in each.engine.rows("SELECT table_name FROM information_schema.tables")
        )
        for each in (plain, coded)
    ]
    assert tables[0] == tables[1]


def test_repeated_rows_of_a_very_large_log_are_judged_by_some_accounts(monkeypatch):
    events, accounts = clean_events(), clean_accounts()
    twice = pd.concat([events, events], ignore_index=True)
    monkeypatch.setattr("discovery.intake.event_checks._MANY", 100)
    monkeypatch.setattr("discovery.intake.event_checks._PARTS", 2)
    found = {finding.code: finding for finding in read(twice, accounts).quality}["duplicate_rows"]
    assert found.message.endswith("This is judged by the accounts of one part in 2.")
    assert 0.3 * len(events) < found.count < 1.7 * len(events)
    exact = {finding.code: finding for finding in read(twice, accounts, events={"duplicates": "exact"}).quality}
    assert exact["duplicate_rows"].count == len(events)
    assert "judged" not in exact["duplicate_rows"].message


def test_a_sample_of_a_very_large_log_is_dropped_again(monkeypatch):
    whole = read(*hostile())
    monkeypatch.setattr("discovery.intake.volume._SAMPLE", 100)
    relations = read(*hostile())
    assert timeline_of(relations) is not None
    left = relations.engine.rows("SELECT table_name FROM information_schema.tables WHERE table_name LIKE '%some'")
    assert left == []
    assert relations.quality == whole.quality
