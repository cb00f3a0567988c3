"""Every rule has an answer; what is set aside is said; the timeline and the coverage count what is there."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from discovery.intake.coverage import coverage_of
from discovery.intake.rules import RULES
from discovery.intake.timeline import timeline_of

from .tables import START, clean_accounts, clean_events, codes, read
from .test_tracking import on_signup

EVENTS, ACCOUNTS = clean_events(), clean_accounts()


def test_every_rule_has_an_answer_in_the_order_of_the_catalogue():
    relations = read(EVENTS, ACCOUNTS)
    assert [rule.code for rule in relations.rules] == [rule.code for rule in RULES]
    assert {rule.state for rule in relations.rules} == {"passed", "not applicable"}
    assert all(bool(rule.reason) is (rule.state == "not applicable") for rule in relations.rules)


def test_a_rule_that_found_something_has_its_count_and_its_worst_severity():
    events = pd.concat([EVENTS.assign(user_id=EVENTS["user_id"].mask(EVENTS.index % 9 == 0, "null")), EVENTS.iloc[:5]])
    relations = read(events, ACCOUNTS)
    rules = {rule.code: rule for rule in relations.rules}
    for code, finding in codes(relations).items():
        assert (rules[code].state, rules[code].count, rules[code].share) == (
            finding.severity,
            finding.count,
            finding.share,
        )


@pytest.mark.parametrize(
    "events",
    [EVENTS.assign(event=None), EVENTS.iloc[:1], EVENTS.iloc[:2].assign(timestamp=["2024-01-01", "2031-01-01"])],
)
def test_hardly_any_events_break_no_rule(events):
    relations = read(events, ACCOUNTS)
    assert len(relations.rules) == len(RULES)
    timeline = timeline_of(relations)
    assert (timeline is None) is (relations.log_end == 0)
    assert coverage_of(relations).accounts == 20


def test_most_accounts_without_an_event():
    more = pd.DataFrame(
        {"account_id": [f"n{i}" for i in range(30)], "signup_at": START, "channel": "ads", "plan": "free"}
    )
    found = codes(read(EVENTS, pd.concat([ACCOUNTS, more])))
    assert (found["low_coverage"].count, found["low_coverage"].severity) == (30, "warning")
    assert "low_coverage" not in codes(read(EVENTS, pd.concat([ACCOUNTS, more[:10]])))


def test_accounts_read_off_the_events_and_those_that_may_be_old():
    found = codes(read(EVENTS, None))
    assert found["accounts_derived"].severity == "warning"
    assert found["accounts_derived"].count == 20
    told = codes(read(EVENTS, None, accounts={"signup_event": "opened"}))
    assert told["accounts_derived"].severity == "info"


def test_what_the_spec_leaves_out_is_said():
    relations = read(EVENTS, ACCOUNTS, events={"leave_out": ["shared", "nothing*"], "leave_out_users": ["u03_1"]})
    found = codes(relations)
    assert set(found) == {"left_out", "names_not_in_log"}
    assert found["left_out"].count == sum(EVENTS["event"].eq("shared") | EVENTS["user_id"].eq("u03_1"))
    assert found["names_not_in_log"].examples == ("nothing*",)


def test_names_that_look_alike_are_suggested_by_the_most_frequent_spelling():
    names = EVENTS["event"].mask((EVENTS["event"] == "shared") & (EVENTS.index % 5 == 0), "Shared")
    finding = codes(read(EVENTS.assign(event=names), ACCOUNTS))["near_duplicate_names"]
    assert finding.paste == '[events]\naliases.shared = ["Shared"]'
    assert finding.severity == "warning"


def test_the_timeline_counts_every_row_once():
    timeline = timeline_of(read(EVENTS, ACCOUNTS))
    assert (timeline.unit, len(timeline.starts)) == ("day", 40)
    assert sum(timeline.total) == sum(sum(series.counts) for series in timeline.events) == len(EVENTS)
    assert list(timeline.total[4:]) == [40] * 36
    assert list(timeline.active_accounts[:5]) == [4, 8, 12, 16, 20]
    assert [(s.event, s.rows, s.accounts, s.first, s.last) for s in timeline.events] == [
        ("opened", 760, 20, "2024-01-01", "2024-02-09"),
        ("shared", 760, 20, "2024-01-01", "2024-02-09"),
    ]


@pytest.mark.parametrize(("stretch", "unit", "first"), [(10, "week", "2024-01-01"), (60, "month", "2024-01-01")])
def test_longer_logs_have_longer_periods(stretch, unit, first):
    stretched = EVENTS.assign(timestamp=START + (EVENTS["timestamp"] - START) * stretch)
    timeline = timeline_of(read(stretched, ACCOUNTS))
    assert (timeline.unit, timeline.starts[0]) == (unit, first)
    assert sum(timeline.total) == len(EVENTS)
    lengths = np.diff(pd.to_datetime(list(timeline.starts)).asi8)
    assert len(set(lengths)) == (1 if unit == "week" else 4) or unit == "month"


def test_the_timeline_shows_the_silences_of_the_findings():
    days = (EVENTS["timestamp"] - START) // pd.Timedelta(days=1)
    shared = EVENTS["event"] == "shared"
    events = EVENTS[~(shared & days.between(11, 15)) & ~days.isin([25])]
    relations = read(events, ACCOUNTS)
    timeline = timeline_of(relations)
    (series,) = (s for s in timeline.events if s.event == "shared")
    spans = {(s.kind, s.start, s.end) for s in series.silences}
    assert spans == {("gap", "2024-01-12", "2024-01-17")}
    assert [(s.kind, s.start, s.end) for s in timeline.silences] == [("gap", "2024-01-26", "2024-01-27")]
    assert all(s.expected >= 10 for s in (*series.silences, *timeline.silences))
    assert {finding.code for finding in relations.quality} == {"tracking_gaps"}


def test_the_timeline_shows_where_an_event_ends():
    events, accounts = on_signup(last=20)
    stopped = (events["event"] == "account_created") & (events["timestamp"] >= START + pd.Timedelta(days=15))
    timeline = timeline_of(read(events[~stopped], accounts))
    (series,) = (s for s in timeline.events if s.event == "account_created")
    assert [(s.kind, s.start) for s in series.silences] == [("end", "2024-01-16")]
    assert series.last == "2024-01-15"


def test_stray_times_are_not_in_the_timeline():
    stray = EVENTS.iloc[:1].assign(timestamp=START + pd.Timedelta(days=900))
    timeline = timeline_of(read(pd.concat([EVENTS, stray]), ACCOUNTS))
    assert len(timeline.starts) == 40
    assert sum(timeline.total) == len(EVENTS)


def test_the_coverage_counts_accounts_users_and_events():
    events = EVENTS[EVENTS["account_id"] != "a03"]
    stranger = EVENTS.iloc[:10].assign(account_id="zz", user_id=None)
    coverage = coverage_of(
        read(pd.concat([events, stranger]), ACCOUNTS, candidates={"window_days": 2, "within_days": [1]})
    )
    rows = len(events) + 10
    assert dataclasses.asdict(coverage) == pytest.approx(
        {
            "accounts": 20,
            "accounts_with_events": 19,
            "accounts_with_early_events": 19,
            "users": 57,
            "users_per_account": 3.0,
            "events_of_known_accounts": len(events) / rows,
            "events_with_user": len(events) / rows,
        }
    )


def test_events_that_a_finding_names_come_first_in_the_timeline():
    often = [EVENTS[["account_id", "user_id", "timestamp"]].assign(event=f"e{i:02d}") for i in range(31)]
    days = (EVENTS["timestamp"] - START) // pd.Timedelta(days=1)
    rare = EVENTS[(EVENTS["event"] == "shared") & ((days % 2 == 0) & ~days.between(11, 24))]
    timeline = timeline_of(read(pd.concat([*often, rare]), ACCOUNTS))
    assert (timeline.events[0].event, len(timeline.events), timeline.left_out) == ("shared", 30, 2)
    assert timeline.events[0].silences
    assert all(not series.silences for series in timeline.events[1:])


def test_the_timeline_marks_where_the_volume_jumps():
    events, accounts = clean_events(days=90), ACCOUNTS
    days = (events["timestamp"] - START) // pd.Timedelta(days=1)
    more = events[(events["event"] == "shared") & (days >= 42)]
    times = [more.assign(timestamp=more["timestamp"] + pd.Timedelta(minutes=20 + i)) for i in range(9)]
    relations = read(pd.concat([events, *times]), accounts)
    (finding,) = (f for f in relations.quality if f.code == "volume_jump")
    (series,) = (s for s in timeline_of(relations).events if s.event == "shared")
    (jump,) = series.jumps
    assert jump.start in finding.examples[0]
    assert jump.factor > 5


def test_repeated_ids_of_an_export_are_no_warning():
    events = EVENTS.assign(event_id=[f"e{i}" for i in range(len(EVENTS))])
    few, many = (codes(read(pd.concat([events, events.iloc[:n]]), ACCOUNTS))["duplicate_ids"] for n in (20, 400))
    assert (few.severity, many.severity) == ("info", "warning")


def test_silence_that_was_asked_for_is_a_note():
    quiet = EVENTS[~((EVENTS["account_id"] < "a07") & (EVENTS["timestamp"] >= START + pd.Timedelta(days=15)))]
    finding = codes(read(quiet, None, accounts={"silence_days": 14}))["churn_is_silence"]
    assert (finding.severity, finding.count) == ("info", 7)
    assert "7 accounts fell silent for 14 days, as accounts.silence_days asks" in finding.message
    assert "use outcome.kind" not in finding.remedy
    asked = {"accounts": {"silence_days": 14}, "outcome": {"kind": "retained"}}
    assert codes(read(quiet, None, **asked))["churn_is_silence"].severity == "warning"


def test_how_derived_accounts_signed_up_is_said_in_words():
    at_event = codes(read(EVENTS, None, accounts={"signup_event": "opened"}))["accounts_derived"]
    assert "signed up at its first 'opened'" in at_event.message
    wide = EVENTS.merge(ACCOUNTS[["account_id", "signup_at"]])
    assert "signed up when 'signup_at' says" in codes(read(wide, None))["accounts_derived"].message


def test_a_format_that_the_spec_names_wrongly_is_said():
    events, accounts = clean_events(), clean_accounts()
    asked = read(events, accounts, events={"format": "segment"})
    assert "format_not_recognised" in codes(asked)
    assert "format_not_recognised" not in codes(read(events, accounts, events={"format": "table"}))


def test_accounts_to_leave_out_that_there_are_none_of_are_said():
    relations = read(clean_events(), clean_accounts(), accounts={"leave_out": ["zzz-*"]})
    (found,) = [finding for finding in relations.quality if finding.code == "names_not_in_log"]
    assert found.examples == ("zzz-*",)
