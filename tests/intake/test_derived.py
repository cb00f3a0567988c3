"""Accounts are read off the events where there is no table of them, and it is said what a signup then is."""

from __future__ import annotations

import csv
import json

import numpy as np
import pandas as pd
import pytest

from discovery.errors import ColumnError, SourceError, SpecError
from discovery.intake import UNKNOWN_TIME, load
from discovery.spec import build_spec
from tests.exports.plain import PlainLog, flags_of, loaded_flags, plain_log, write_accounts, write_plain

from .tables import START, Day, clean_accounts, clean_events, codes, micros, read, usable

EVENTS, ACCOUNTS = clean_events(), clean_accounts()
DAY = pd.Timedelta(days=1)


def by_id(relations, values) -> dict[str, int]:
    return dict(zip(relations.accounts.account_id.tolist(), values.tolist(), strict=True))


def last_event(relations) -> dict[str, int]:
    last: dict[str, int] = {}
    for account, _, _, t in usable(relations):
        last[account] = max(t, last.get(account, 0))
    return last


def test_an_account_signs_up_with_its_first_event():
    relations = read(EVENTS, None)
    assert relations.accounts_derived
    first = EVENTS.groupby("account_id")["timestamp"].min()
    assert by_id(relations, relations.accounts.signup) == {k: v.value // 1000 for k, v in first.items()}
    assert relations.spec.accounts.source == "events"
    assert relations.spec.accounts.signup == relations.spec.accounts.account == ""
    assert relations.spec.outcome.kind == "active"
    assert "accounts_derived" in codes(relations)


def test_the_written_spec_reads_the_same_again(tmp_path):
    EVENTS.to_csv(tmp_path / "e.csv", index=False)
    relations = read(tmp_path / "e.csv", None, accounts={"silence_days": 3})
    again = load(None, None, relations.spec)
    assert again.spec == relations.spec
    assert usable(again) == usable(relations)
    assert np.array_equal(again.accounts.signup, relations.accounts.signup)
    assert np.array_equal(again.accounts.churned, relations.accounts.churned)
    assert again.input_sha256 == relations.input_sha256


def test_a_spec_must_say_that_accounts_are_derived(tmp_path):
    EVENTS.to_csv(tmp_path / "e.csv", index=False)
    with pytest.raises(SourceError, match=r'accounts.from.*"events"'):
        read(None, None, events={"from": str(tmp_path / "e.csv")})
    with pytest.raises(SourceError, match="No accounts were given"):
        read(None, None, events={"from": str(tmp_path / "e.csv")}, accounts={})
    assert read(None, None, events={"from": str(tmp_path / "e.csv")}, accounts={"from": "events"}).accounts_derived
    with pytest.raises(SourceError, match="No events were given"):
        read(None, None, accounts={"from": "events"})


def test_a_table_of_accounts_is_not_read_off_the_events():
    with pytest.raises(SpecError, match=r"accounts.silence_days .* a table of accounts was given"):
        read(EVENTS, ACCOUNTS, accounts={"silence_days": 30})
    assert not read(EVENTS, ACCOUNTS, accounts={"from": "events"}).accounts_derived


def test_a_signup_event_marks_the_signup_and_those_without_are_not_used():
    events = EVENTS.copy()
    events.loc[events.index[events["account_id"] == "a03"][4], "event"] = "Workspace Created"
    spec = {"signup_event": "workspace_created"}
    relations = read(events, None, accounts=spec, events={"aliases": {"workspace_created": ["Workspace Created"]}})
    signup = by_id(relations, relations.accounts.signup)
    assert signup.pop("a03") == events[events["account_id"] == "a03"]["timestamp"].iloc[4].value // 1000
    assert set(signup.values()) == {UNKNOWN_TIME}
    assert codes(relations)["missing_signup"].count == 19
    with pytest.raises(SpecError, match=r"never occurs.*Did you mean 'Workspace Created'"):
        read(events, None, accounts={"signup_event": "workspace created"})
    events.loc[events.index[0], "event"] = "settings_opened"
    with pytest.raises(SpecError, match=r"never occurs") as caught:
        read(events, None, accounts={"signup_event": "signed_up"})
    assert "settings_opened" not in str(caught.value)


def test_silence_is_no_departure():
    events = EVENTS[~((EVENTS["account_id"] < "a08") & (EVENTS["timestamp"] > START + 20 * DAY))]
    relations = read(events, None, accounts={"silence_days": 10})
    last, churned = last_event(relations), by_id(relations, relations.accounts.churned)
    assert {k for k, t in churned.items() if t != UNKNOWN_TIME} == {f"a0{i}" for i in range(8)}
    assert all(churned[f"a0{i}"] == last[f"a0{i}"] + 10 * Day for i in range(8))
    assert relations.churn_is_silence
    assert not relations.has_departures
    assert relations.spec.outcome.kind == "active"
    assert relations.spec.accounts.churned == ""


def test_even_one_silent_account_has_not_departed():
    events = EVENTS[~((EVENTS["account_id"] == "a00") & (EVENTS["timestamp"] > START + 20 * DAY))]
    relations = read(events, None, accounts={"silence_days": 10})
    assert (relations.accounts.churned != UNKNOWN_TIME).sum() == 1
    assert relations.churn_is_silence
    assert not relations.has_departures


def test_events_that_cannot_be_used_make_no_accounts():
    with pytest.raises(SourceError, match=r"No account can be read off.*1,520 with a time that does not read as one"):
        read(EVENTS.assign(timestamp="soon"), None)
    with pytest.raises(SourceError, match=r"1,520 passed over or left out"):
        read(EVENTS, None, events={"leave_out": ["*"]})


def test_a_stray_time_is_nobodys_signup():
    early = pd.DataFrame([("a04", "u", "opened", pd.Timestamp("2019-05-05"))], columns=EVENTS.columns)
    relations = read(pd.concat([early, EVENTS]), None)
    assert (
        by_id(relations, relations.accounts.signup)["a04"]
        == by_id(read(EVENTS, None), read(EVENTS, None).accounts.signup)["a04"]
    )


def wide() -> pd.DataFrame:
    """Events with what is known of the account on every row, as known when the row was written."""
    frame = EVENTS.merge(ACCOUNTS, on="account_id")
    left = frame["account_id"].isin([f"a{i:02d}" for i in range(0, 20, 4)])
    frame["churned_at"] = np.where(left & (frame["timestamp"] > START + 30 * DAY), "2024-02-20T12:00:00", "")
    frame["seats"] = np.where(frame["timestamp"] > START + 20 * DAY, 50, 2)
    frame["plan"] = np.where(frame["timestamp"] > START + 20 * DAY, "paid", "free")
    return frame


def test_one_wide_table_holds_both():
    relations = read(wide(), None)
    table = read(EVENTS, ACCOUNTS)
    assert np.array_equal(relations.accounts.signup, table.accounts.signup)
    assert relations.accounts.segments["channel"].tolist() == table.accounts.segments["channel"].tolist()
    assert (relations.accounts.churned != UNKNOWN_TIME).sum() == 5
    assert set(relations.accounts.churned[relations.accounts.churned != UNKNOWN_TIME]) == {
        micros("2024-02-20T12:00:00")
    }
    assert relations.spec.accounts.signup == "signup_at"
    assert relations.spec.accounts.churned == "churned_at"
    assert set(relations.accounts.segments) == {"channel"}


def test_traits_are_those_of_the_first_row_and_departures_those_of_the_last():
    relations = read(wide(), None, accounts={"segments": ["plan"], "seats": "seats"})
    assert set(relations.accounts.seats) == {2.0}
    assert set(relations.accounts.segments["plan"]) == {"free"}


def test_a_trait_that_is_told_later_was_not_known_at_signup():
    frame = wide().assign(plan=lambda f: f["plan"].replace("free", ""))
    assert set(read(frame, None, accounts={"segments": ["plan"]}).accounts.segments["plan"]) == {None}


def test_a_trait_on_which_the_rows_of_the_first_day_disagree_is_unknown():
    frame = wide()
    day = frame["timestamp"].dt.floor("D")
    first = day.groupby(frame["account_id"]).transform("min") == day
    later = frame[first].groupby("account_id").tail(1).index
    frame["timestamp"] = day
    both = [account for account, n in frame[first].groupby("account_id").size().items() if n > 1]
    assert both
    frame["plan"] = "free"
    frame.loc[later, "plan"] = "basic"  # which comes first in the alphabet
    accounts = read(frame, None, accounts={"segments": ["plan"]}).accounts
    told = dict(zip(accounts.account_id, accounts.segments["plan"], strict=True))
    assert {told[account] for account in both} == {None}


def calls_of(account: str, day: float, *told: tuple[float, dict[str, str]]) -> list[dict]:
    """Return a Segment log of one account: track calls for 80 days, and group calls with traits some days later."""

    def call(kind: str, at: float, **fields) -> dict:
        when = (START + (day + at) * DAY).isoformat() + "Z"
        ids = {"messageId": f"{account}-{kind}-{at}", "userId": f"u-{account}", "timestamp": when, "receivedAt": when}
        return {"type": kind, **ids, "context": {"groupId": account}, **fields}

    tracks = [call("track", at, event="opened", properties={}) for at in (0, 1, 5, 30, 79)]
    return [*tracks, *(call("group", at, groupId=account, traits=traits) for at, traits in told)]


def test_a_trait_that_only_accounts_that_stayed_were_told_is_unknown(tmp_path):
    calls = []
    for i in range(20):
        late = [(49, {"industry": "bank" if i % 4 else "shop"})] if i % 2 else []
        soon = [(0.5, {"country": "fr" if i % 3 else "de", "churned_at": "2030-01-01T00:00:00Z"})]
        calls += calls_of(f"g{i:02d}", i / 2, *soon, *late)
    path = tmp_path / "calls.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in calls))
    relations = load(path, None, build_spec({}))
    assert relations.layout == "segment"
    assert relations.spec.accounts.segments == ("country",)
    assert set(relations.accounts.segments["country"]) == {"fr", "de"}
    reason = next(c.reason for c in relations.recognised if c.column == "industry")
    assert "10 accounts" in reason
    vouched = load(path, None, build_spec({"accounts": {"segments": ["country"], "signup_event": "opened"}}))
    assert set(vouched.accounts.segments["country"]) == {"fr", "de"}
    table = load(path, path, build_spec({}))  # the same log as a table of accounts
    assert table.spec.accounts.segments == ("country",)


def test_a_time_of_leaving_counts_whenever_it_was_told(tmp_path):
    calls = [c for i in range(5) for c in calls_of(f"g{i}", i, (0, {"a": "b"}), (60, {"churned_at": "2030-01-01"}))]
    path = tmp_path / "calls.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in calls))
    for accounts in (None, path):
        assert (load(path, accounts, build_spec({})).accounts.churned != UNKNOWN_TIME).all()


def test_the_account_of_a_table_that_is_not_there_is_refused():
    with pytest.raises(SpecError, match=r"accounts.account names 'company'.*events.account"):
        read(EVENTS, None, accounts={"account": "company"})


def test_a_table_without_any_account_is_an_error(tmp_path):
    bare = [{**c, "context": {}} for c in calls_of("g", 0)]
    path = tmp_path / "calls.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in bare))
    with pytest.raises(SourceError, match=r"No account was found in calls\.jsonl"):
        load(EVENTS, path, build_spec({}))


def test_columns_that_change_within_accounts_are_no_traits():
    frame = EVENTS.assign(channel=[f"c{i % 3}" for i in range(len(EVENTS))], created_at=EVENTS["timestamp"])
    relations = read(frame, None)
    assert not relations.accounts.segments
    assert relations.spec.accounts.signup == ""


def test_a_named_column_must_be_there():
    with pytest.raises(ColumnError, match=r"accounts.signup names the column 'signup_date'.*signup_at"):
        read(wide(), None, accounts={"signup": "signup_date"})


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo", "America/Sao_Paulo"])
def test_dates_alone_are_calendar_days_in_any_zone(zone):
    frame = EVENTS.assign(timestamp=EVENTS["timestamp"].dt.strftime("%Y-%m-%d"))
    relations = read(frame, None, events={"timezone": zone})
    plain = read(frame, None)
    assert relations.date_only
    assert usable(relations) == usable(plain)
    assert np.array_equal(relations.accounts.signup, plain.accounts.signup)
    assert np.array_equal(relations.accounts.observed_until, plain.accounts.observed_until)
    midnight = EVENTS.assign(timestamp=EVENTS["timestamp"].dt.normalize())
    assert usable(read(midnight, None, events={"timezone": zone})) == usable(plain)


def test_a_midnight_that_the_clock_skips_is_still_that_day():
    days = pd.date_range("2024-04-22", periods=8).strftime("%Y-%m-%d")  # in Cairo the 26th begins at one o'clock
    frame = pd.DataFrame({"account_id": "a00", "event": "x", "timestamp": days})
    assert usable(read(frame, None, events={"timezone": "Africa/Cairo"})) == usable(read(frame, None))


def test_a_zone_is_that_of_signups_too():
    relations = read(wide(), None, events={"timezone": "America/New_York"})
    table = read(EVENTS, ACCOUNTS, events={"timezone": "America/New_York"})
    assert np.array_equal(relations.accounts.signup, table.accounts.signup)
    first = read(EVENTS, None, events={"timezone": "America/New_York"})
    assert by_id(first, first.accounts.signup)["a01"] == micros("2024-01-02T05:01:01")


@pytest.fixture(scope="module")
def log() -> PlainLog:
    return plain_log(60)


@pytest.fixture(scope="module")
def flags(log, tmp_path_factory) -> dict[str, frozenset[str]]:
    return loaded_flags(*write_plain(log, tmp_path_factory.mktemp("plain")))


def written(path, rows) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return str(path)


def test_one_wide_table_gives_the_same_flags(log, flags, tmp_path):
    known = {account.id: account for account in log.accounts}
    head = ["account_id", "user_id", "event", "timestamp", "event_id", "signup_at", "plan", "churned_at"]
    rows = [
        [e.account, e.user, e.name, e.time.isoformat(), e.id, a.signup.isoformat(), a.plan, a.churned or ""]
        for e in log.events
        for a in [known[e.account]]
    ]
    relations = load(written(tmp_path / "wide.csv", [head, *rows]), None, build_spec({}))
    assert flags_of(relations) == flags
    assert relations.spec.outcome.kind == "retained"
    assert flags_of(load(None, None, relations.spec)) == flags


def test_derived_accounts_give_the_same_flags(log, flags, tmp_path):
    events, _ = write_plain(log, tmp_path)
    assert loaded_flags(events, None) == flags


def test_a_mapping_table_gives_the_same_flags(log, flags, tmp_path):
    rows = [[e.user, e.name, e.time.isoformat(), e.id] for e in log.events]
    events = written(tmp_path / "users.csv", [["user_id", "event", "timestamp", "event_id"], *rows])
    people = sorted({(e.user, e.account) for e in log.events})
    members = written(tmp_path / "members.csv", [["user_id", "account_id"], *people])
    spec = build_spec({"identity": {"from": members}})
    assert loaded_flags(events, write_accounts(log, tmp_path / "a.csv"), spec) == flags
    assert loaded_flags(events, None, spec) == flags


def test_a_property_that_no_event_has_is_no_segment(tmp_path):
    path = tmp_path / "events.jsonl"
    rows = EVENTS.assign(properties=[{"plan": "pro"}] * len(EVENTS), timestamp=EVENTS["timestamp"].astype(str))
    rows.to_json(path, orient="records", lines=True)
    assert set(read(path, None, accounts={"segments": ["plan"]}).accounts.segments) == {"plan"}
    with pytest.raises(ColumnError, match=r"names 'plam' for the accounts.* Did you mean 'plan'"):
        read(path, None, accounts={"segments": ["plam"]})
    with pytest.raises(ColumnError, match=r"There are: plan, "):
        read(path, None, accounts={"segments": ["nope"]})
