"""Each fault planted once in clean tables is found once, counted, shown and given a remedy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from discovery.intake.relations import UNKNOWN_TIME

from .tables import START, clean_accounts, clean_events, codes, read, usable

EVENTS, ACCOUNTS = clean_events(), clean_accounts()


def more(rows: dict[str, list]) -> pd.DataFrame:
    """The clean events and some rows more."""
    return pd.concat([EVENTS, pd.DataFrame(rows)], ignore_index=True)


def only(relations, code: str):
    """Return the one finding; any other fails the test."""
    found = codes(relations)
    assert list(found) == [code], list(found)
    assert found[code].remedy.endswith(".")
    assert found[code].message.endswith(".")
    return found[code]


def test_clean_tables_have_no_findings():
    assert read(EVENTS, ACCOUNTS).quality == ()


def test_unknown_accounts():
    events = more({"account_id": ["zz"] * 3, "event": ["opened"] * 3, "timestamp": [START + pd.Timedelta(days=9)] * 3})
    finding = only(read(events.assign(id=range(len(events))), ACCOUNTS), "unknown_accounts")
    assert (finding.severity, finding.count, finding.examples) == ("warning", 3, ("zz",))
    assert finding.share == pytest.approx(3 / len(events))
    assert finding.names_accounts


def test_no_account_in_common_is_an_error_that_shows_both_sides():
    finding = only_error(read(EVENTS.assign(account_id=EVENTS["account_id"] + "x"), ACCOUNTS), "unknown_accounts")
    assert finding.examples == ("events: a00x", "events: a01x", "accounts: a00", "accounts: a01")


def only_error(relations, code: str):
    errors = [finding for finding in relations.quality if finding.severity == "error"]
    assert [finding.code for finding in errors] == [code]
    return errors[0]


def test_events_before_signup():
    accounts = ACCOUNTS.copy()
    accounts.loc[4, "signup_at"] += pd.Timedelta(days=2, hours=12)
    finding = only(read(EVENTS, accounts), "events_before_signup")
    assert (finding.count, finding.examples) == (6, ("a04",))
    assert "2 of them by less than a day" in finding.message


def test_repeated_rows_without_an_id_are_kept_and_reported():
    relations = read(pd.concat([EVENTS, EVENTS.iloc[:5]]), ACCOUNTS)
    assert only(relations, "duplicate_rows").count == 5
    assert len(usable(relations)) == len(EVENTS) + 5


def test_repeated_rows_are_dropped_when_asked():
    relations = read(pd.concat([EVENTS, EVENTS.iloc[:5]]), ACCOUNTS, events={"duplicates": "exact"})
    assert only(relations, "duplicate_rows").count == 5
    assert usable(relations) == usable(read(EVENTS, ACCOUNTS))


@pytest.mark.parametrize("seed", [0, 1])
def test_repeated_ids_keep_the_earliest_row(seed):
    events = EVENTS.assign(event_id=[f"e{i}" for i in range(len(EVENTS))])
    later = events.iloc[:7].assign(timestamp=EVENTS["timestamp"].iloc[:7] + pd.Timedelta(hours=1))
    mixed = pd.concat([later, events]).sample(frac=1, random_state=seed)
    relations = read(mixed, ACCOUNTS)
    assert only(relations, "duplicate_ids").count == 7
    assert usable(relations) == usable(read(EVENTS, ACCOUNTS))
    assert relations.events_rows == len(EVENTS) + 7
    assert len(usable(read(mixed, ACCOUNTS, events={"duplicates": "keep"}))) == len(EVENTS) + 7


def test_rows_without_an_id_value_are_kept():
    events = EVENTS.assign(event_id=[None if i < 50 else f"e{i}" for i in range(len(EVENTS))])
    assert usable(read(events, ACCOUNTS)) == usable(read(EVENTS, ACCOUNTS))


@pytest.mark.parametrize(
    ("column", "code"),
    [("account_id", "missing_account"), ("event", "missing_event_name"), ("timestamp", "missing_time")],
)
def test_rows_with_something_missing_are_left_out_and_counted(column, code):
    events = EVENTS.copy()
    events.loc[[100, 200], column] = None
    relations = read(events, ACCOUNTS)
    assert only(relations, code).count == 2
    assert len(usable(relations)) == len(EVENTS) - 2
    assert relations.events_rows == len(EVENTS)


def test_no_usable_events_still_gives_relations():
    relations = read(EVENTS.assign(event=None), ACCOUNTS)
    assert "no_usable_events" in codes(relations)
    assert usable(relations) == []
    assert len(relations.accounts) == 20


def test_identical_accounts_collapse():
    relations = read(EVENTS, pd.concat([ACCOUNTS, ACCOUNTS.iloc[:3]]))
    finding = only(relations, "duplicate_accounts")
    assert (finding.severity, finding.count, finding.examples) == ("warning", 3, ("a00", "a01", "a02"))
    assert len(relations.accounts) == 20


@pytest.mark.parametrize("flip", [False, True])
def test_conflicting_accounts_are_an_error(flip):
    other = ACCOUNTS.iloc[:1].assign(signup_at=START - pd.Timedelta(hours=1))
    relations = read(EVENTS, pd.concat([other, ACCOUNTS] if flip else [ACCOUNTS, other]))
    assert only_error(relations, "duplicate_accounts").examples == ("a00",)
    assert relations.accounts.signup[0] == (START - pd.Timedelta(hours=1)).value // 1000


def test_an_account_that_left_in_one_row_only_is_in_conflict():
    accounts = ACCOUNTS.assign(churned_at=pd.NaT)
    other = accounts.iloc[:1].assign(churned_at=START + pd.Timedelta(days=60))
    assert only_error(read(EVENTS, pd.concat([accounts, other])), "duplicate_accounts").count == 1


def test_missing_and_unreadable_signups():
    accounts = ACCOUNTS.astype({"signup_at": str})
    accounts.loc[[1, 2], "signup_at"] = ["03/04/2024", None]
    found = codes(read(EVENTS, accounts))
    assert set(found) == {"missing_signup", "unreadable_signup"}
    assert (found["missing_signup"].count, found["missing_signup"].examples) == (1, ("a02",))
    assert (found["unreadable_signup"].count, found["unreadable_signup"].examples) == (1, ("03/04/2024",))


def test_no_usable_signup_is_an_error():
    relations = read(EVENTS, ACCOUNTS.assign(signup_at="03/04/2024"))
    assert only_error(relations, "no_usable_signup").count == 20
    assert (relations.accounts.signup == UNKNOWN_TIME).all()


@pytest.mark.parametrize(
    ("shift", "code", "severity"),
    [(pd.Timedelta(days=90), "signups_after_log", "warning"), (-pd.Timedelta(days=9), "signups_before_log", "info")],
)
def test_signups_outside_the_log(shift, code, severity):
    accounts = pd.concat([ACCOUNTS, ACCOUNTS.iloc[:1].assign(account_id="new", signup_at=START + shift)])
    found = codes(read(EVENTS, accounts))
    assert set(found) == {code, "accounts_without_events"}
    assert (found[code].severity, found[code].count, found[code].examples) == (severity, 1, ("new",))


def test_accounts_without_events():
    relations = read(EVENTS[EVENTS["account_id"] != "a07"], ACCOUNTS)
    finding = only(relations, "accounts_without_events")
    assert (finding.count, finding.examples) == (1, ("a07",))


def departures(days: np.ndarray | list[float]) -> pd.DataFrame:
    """The accounts, the first of them leaving so many days after the log's end."""
    end = EVENTS["timestamp"].max()
    gone = [end + pd.Timedelta(days=day) for day in days]
    return ACCOUNTS.assign(churned_at=gone + [pd.NaT] * (len(ACCOUNTS) - len(gone)))


def test_recorded_departures_are_no_finding():
    relations = read(EVENTS, departures([1.3, 2.1, 2.9, 4.2, 5.5, 6.1]))
    assert relations.quality == ()
    assert relations.has_departures
    assert not relations.churn_is_silence


def test_churn_before_signup():
    accounts = departures([])
    accounts.loc[3, "churned_at"] = START - pd.Timedelta(days=3)
    found = codes(read(EVENTS, accounts))
    assert set(found) == {"churn_before_signup", "activity_after_churn"}
    assert found["churn_before_signup"].examples == ("a03",)


def test_activity_after_churn_needs_more_than_a_day():
    last = EVENTS.groupby("account_id")["timestamp"].max().to_numpy()
    accounts = departures([])
    accounts["churned_at"] = pd.Series(last) - pd.to_timedelta([23.0, 30.5] * 10, "h")
    finding = only(read(EVENTS, accounts), "activity_after_churn")
    assert (finding.count, finding.share) == (10, 0.5)


def test_unreadable_leaving_is_not_read_as_staying_without_a_word():
    accounts = ACCOUNTS.assign(churned_at=["03/04/2024"] + [None] * 19)
    finding = only(read(EVENTS, accounts), "unreadable_churned")
    assert (finding.count, finding.examples) == (1, ("03/04/2024",))


def quiet(accounts: int = 20) -> pd.DataFrame:
    """Events that end on different days for different accounts."""
    ends = START + pd.to_timedelta(EVENTS["account_id"].str[1:].astype(int) + 18, "D")
    return EVENTS[EVENTS["timestamp"] < ends]


def last_events() -> pd.Series:
    return quiet().groupby("account_id")["timestamp"].max().reset_index(drop=True)


@pytest.mark.parametrize(
    "churned",
    [
        lambda last: last,
        lambda last: last.dt.floor("s") + pd.Timedelta(milliseconds=400),
        lambda last: last + pd.Timedelta(days=30),
        lambda last: last.dt.floor("D"),
        lambda last: (last.dt.floor("D") + pd.Timedelta(days=14)).dt.strftime("%Y-%m-%d"),
        lambda last: last.where(last.index > 1, last + pd.Timedelta(days=3.3)),
    ],
)
def test_churn_dates_that_repeat_silence_are_no_departures(churned):
    accounts = ACCOUNTS.assign(churned_at=churned(last_events()))
    relations = read(quiet(), accounts)
    assert only(relations, "churn_is_silence").severity == "warning"
    assert relations.churn_is_silence
    assert not relations.has_departures
    assert relations.spec.outcome.kind == "active"


def test_churn_dates_that_repeat_an_event_before_a_passive_one_are_silence():
    passive = pd.DataFrame({"account_id": ACCOUNTS["account_id"], "event": "digest_mailed"})
    passive["timestamp"] = last_events() + pd.to_timedelta([30.2 + i for i in range(20)], "D")
    relations = read(pd.concat([quiet(), passive]), ACCOUNTS.assign(churned_at=last_events()))
    assert relations.churn_is_silence


def test_churn_dates_that_repeat_a_column_of_last_activity_are_silence():
    seen = last_events() + pd.to_timedelta([1.7 + i / 3 for i in range(20)], "D")
    relations = read(quiet(), ACCOUNTS.assign(churned_at=seen, last_login_at=seen))
    assert relations.churn_is_silence
    assert "'last_login_at'" in codes(relations)["churn_is_silence"].message


def test_a_departure_that_is_itself_an_event_is_a_departure():
    cancelled = pd.DataFrame({"account_id": ACCOUNTS["account_id"][:12], "event": "subscription_cancelled"})
    cancelled["timestamp"] = last_events()[:12] + pd.Timedelta(hours=5)
    relations = read(pd.concat([quiet(), cancelled]), ACCOUNTS.assign(churned_at=cancelled["timestamp"]))
    assert relations.quality == ()
    assert relations.spec.outcome.kind == "retained"


def test_silence_needs_five_dates_and_nine_in_ten():
    few = last_events().where(ACCOUNTS.index < 4)
    assert not read(quiet(), ACCOUNTS.assign(churned_at=few)).churn_is_silence
    mixed = last_events() + pd.to_timedelta([0 if i > 2 else 2.2 + i for i in range(20)], "D")
    assert not read(quiet(), ACCOUNTS.assign(churned_at=mixed)).churn_is_silence


@pytest.mark.parametrize("kind", ["retained", "active", "converted"])
def test_silence_is_said_with_what_it_means_for_the_outcome_asked_for(kind):
    relations = read(quiet(), ACCOUNTS.assign(churned_at=last_events()), outcome={"kind": kind})
    finding = codes(relations)["churn_is_silence"]
    assert (relations.spec.outcome.kind, relations.has_departures) == (kind, False)
    assert "They are not used as departures" in finding.message
    assert ("no account counts as having left" in finding.message) == (kind == "retained")
    assert ("use outcome.kind = 'active'" in finding.remedy) == (kind == "retained")


def test_silence_on_dates_alone():
    events = quiet().assign(timestamp=quiet()["timestamp"].dt.strftime("%Y-%m-%d"))
    churned = last_events().dt.strftime("%Y-%m-%d")
    assert read(events, ACCOUNTS.assign(churned_at=churned)).churn_is_silence


def test_a_segment_with_one_value():
    finding = only(read(EVENTS, ACCOUNTS, accounts={"segments": ["plan", "channel"]}), "constant_segment")
    assert (finding.count, finding.examples) == (20, ("free",))


@pytest.mark.parametrize("values", [[0, -3, 5.5], ["0", "-3", "ten"], ["0", "inf", "12"]])
def test_seats_that_are_no_number_above_zero_are_unknown(values):
    accounts = ACCOUNTS.assign(
        licences=[*values, None, ""] + [7] * 15 if isinstance(values[0], str) else values + [7] * 17
    )
    relations = read(EVENTS, accounts, accounts={"seats": "licences"})
    finding = only(relations, "unusable_seats")
    unusable = [i for i, v in enumerate(values) if v not in (5.5, "12")]
    assert (finding.severity, finding.count) == ("warning", len(unusable))
    assert np.isnan(relations.accounts.seats[unusable]).all()
    assert (relations.accounts.seats[5:] == 7).all()


def test_missing_seats_are_no_finding():
    relations = read(EVENTS, ACCOUNTS.assign(licences=[None, 3.0] * 10), accounts={"seats": "licences"})
    assert relations.quality == ()


def test_findings_stand_errors_first_and_name_accounts_only_where_they_say_so():
    accounts = pd.concat([ACCOUNTS, ACCOUNTS.iloc[:1].assign(signup_at=START)])
    events = pd.concat([EVENTS, EVENTS.iloc[:1].assign(account_id="zz"), EVENTS.iloc[:1].assign(event=None)])
    relations = read(events, accounts)
    order = [finding.severity for finding in relations.quality]
    assert order == sorted(order, key=["error", "warning", "info"].index)
    keys = set(ACCOUNTS["account_id"]) | {"zz"}
    assert all(f.names_accounts for f in relations.quality if keys & set(f.examples))
    assert all(len(f.examples) <= 5 for f in relations.quality)


def test_rows_with_nothing_in_them_are_passed_over(tmp_path):
    for name, frame in (("e.csv", EVENTS), ("a.csv", ACCOUNTS)):
        blank = "," * (frame.shape[1] - 1) + "\n"
        (tmp_path / name).write_text(frame.to_csv(index=False) + blank * 3000)
    from_events = read(tmp_path / "e.csv", ACCOUNTS)
    assert (only(from_events, "blank_rows").count, from_events.events_rows) == (3000, len(EVENTS))
    finding = only(read(EVENTS, tmp_path / "a.csv"), "blank_rows")
    assert (finding.severity, finding.count, finding.share) == ("info", 3000, 3000 / 3020)


def test_blank_rows_do_not_hide_rows_that_lack_something(tmp_path):
    text = EVENTS.to_csv(index=False) + ",,,\n" * 4 + ",u,opened,2024-01-09\n" + "a00,u,opened,\n"
    (tmp_path / "e.csv").write_text(text)
    found = codes(read(tmp_path / "e.csv", ACCOUNTS))
    assert {code: finding.count for code, finding in found.items()} == {
        "blank_rows": 4,
        "missing_account": 1,
        "missing_time": 1,
    }


@pytest.mark.parametrize("written", [str.upper, "  {} ".format, "000{}".format])
def test_ids_that_are_nearly_alike_are_pointed_out(written):
    finding = only_error(
        read(EVENTS, ACCOUNTS.assign(account_id=ACCOUNTS["account_id"].map(written))), "unknown_accounts"
    )
    assert "20 of the 20 unknown ids would match but for case, spaces or leading zeros" in finding.remedy


def test_event_names_of_the_spec_that_never_occur():
    relations = read(EVENTS, ACCOUNTS, outcome={"passive": ["opend"]}, kinds={"value": ["shared"]})
    finding = only(relations, "names_not_in_log")
    assert (finding.severity, finding.count, finding.share, finding.examples) == ("warning", 1, 0.5, ("opend",))


class TestObservedPastLog:
    """The log of `EVENTS` ends on 9 February 2024; accounts signed up from 1 to 5 January."""

    def read(self, until: str, kind: str = "retained", events=EVENTS, **accounts):
        outcome = {"kind": kind, "by_day": 90, "active_days": [21, 28]}
        return codes(read(events, ACCOUNTS.assign(observed_until=until, **accounts), outcome=outcome))

    def test_it_is_said_of_accounts_whose_outcome_lies_there(self):
        finding = self.read("2024-06-01")["observed_past_log"]
        assert (finding.severity, finding.count, finding.share) == ("warning", 20, 1.0)
        assert "up to 112 days after the last event of the log" in finding.message
        assert finding.names_accounts

    @pytest.mark.parametrize("until", ["2024-01-20", "2024-02-09", "2024-02-16"])
    def test_a_week_is_no_long_time(self, until):
        assert "observed_past_log" not in self.read(until)

    def test_nor_is_twice_the_longest_silence_of_the_log(self):
        sparse = EVENTS[EVENTS["timestamp"].dt.day.isin([1, 2, 3, 4, 5, 30, 9])]
        assert "observed_past_log" not in self.read("2024-03-10", events=sparse)
        assert "observed_past_log" in self.read("2024-06-01", events=sparse)

    def test_a_stray_event_makes_no_long_silence(self):
        stray = pd.concat([EVENTS, EVENTS.iloc[:1].assign(timestamp=pd.Timestamp("2019-03-04"))])
        assert "observed_past_log" in self.read("2024-06-01", events=stray)

    def test_activity_that_was_read_in_the_log_needs_nothing_after_it(self):
        assert "observed_past_log" not in self.read("2024-06-01", kind="active")

    def test_departures_recorded_to_the_end_are_an_outcome(self):
        left = [pd.Timestamp("2024-05-28")] + [pd.NaT] * 19
        assert "observed_past_log" not in self.read("2024-06-01", churned_at=left)
        assert "observed_past_log" in self.read("2024-12-01", churned_at=[pd.Timestamp("2024-02-28")] + [pd.NaT] * 19)

    def test_first_days_after_the_log_count_whatever_the_outcome(self):
        signup = ACCOUNTS["signup_at"].where(ACCOUNTS.index > 1, pd.Timestamp("2024-02-05"))
        left = [pd.NaT] * 19 + [pd.Timestamp("2024-05-28")]
        finding = self.read("2024-06-01", signup_at=signup, churned_at=left)["observed_past_log"]
        assert finding.count == 2
