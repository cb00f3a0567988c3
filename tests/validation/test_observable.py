"""Whether the log can show the proposal: gaps, late and early ends, users, repeats."""

from __future__ import annotations

import numpy as np
import pytest

from discovery.spec import Day
from discovery.validation import Presence
from discovery.validation.observable import observable

from .cases import START, make_case, steady_tracking

WEEKS = 26


def judged(counts=None, milestone="report_shared >= 3 within 7d", missing=(), **tracking):
    met = np.arange(40) % 2 == 0
    events = ("report_shared",)
    if counts is not None:
        counts = np.atleast_2d(np.asarray(counts, dtype=np.int64))
        events = ("report_shared", "deal_created")[: len(counts)]
        tracking["counts"] = counts
    found = steady_tracking(events, weeks=tracking.pop("weeks", WEEKS), **tracking)
    return observable(make_case(met, met, milestone=milestone, tracking=found, missing_events=missing))


def silent(*weeks, usual=100):
    counts = np.full(WEEKS, usual)
    counts[list(weeks)] = 0
    return counts


def test_steady_tracking_passes():
    found = judged()
    assert (found.status, found.value, found.unit, found.decides) == ("pass", 1.0, "share", False)
    assert "all 26 weeks" in found.sentence


@pytest.mark.parametrize(
    ("weeks", "status"), [((10,), "warn"), ((10, 11, 12, 13, 14), "warn"), ((3, 4, 5, 10, 11, 12), "fail")]
)
def test_weeks_without_a_row_are_gaps(weeks, status):
    found = judged(silent(*weeks))
    assert found.status == status
    assert found.value == pytest.approx(1 - len(weeks) / WEEKS)
    assert "no row in" in found.sentence


def test_a_gap_of_any_event_counts_once_a_week():
    found = judged([silent(5, 6), silent(6, 7)])
    assert found.value == pytest.approx(1 - 3 / WEEKS)
    assert "“report_shared” and “deal_created” have no row" in found.sentence


@pytest.mark.parametrize(("usual", "status"), [(7, "pass"), (8, "warn")])
def test_a_week_without_a_row_of_a_rare_event_is_no_gap(usual, status):
    assert judged(silent(10, usual=usual)).status == status


def test_a_week_in_which_the_whole_log_is_silent_is_no_gap_of_the_event():
    everything = np.full(WEEKS, 100_000)
    everything[10] = 40_000
    counts = silent(10)
    assert judged(counts * 100, everything=everything).status == "pass"
    everything[10] = 60_000
    assert judged(counts * 100, everything=everything).status == "warn"


@pytest.mark.parametrize(("last", "status"), [(1, "warn"), (2, "fail"), (8, "fail")])
def test_an_event_that_ended_before_the_log_fails(last, status):
    found = judged(silent(*range(WEEKS - last, WEEKS)))
    assert found.status == status
    assert ("ends about" in found.sentence) == (status == "fail")
    assert not found.decides


def test_weeks_before_the_first_row_are_a_late_launch_and_no_gap():
    launched = {"report_shared": START + 70 * Day}
    found = judged(silent(*range(10)), launched=launched)
    assert (found.status, found.value) == ("warn", 1.0)
    assert "since 2024-12-13 only" in found.sentence


def test_an_event_that_is_not_in_the_log_decides():
    found = judged(missing=("report_shared",))
    assert (found.status, found.decides, found.value) == ("fail", True, None)
    assert "“report_shared” is not in the log" in found.sentence
    assert "are not in the log" in judged(milestone="a and b", missing=("a", "b")).sentence


@pytest.mark.parametrize(
    ("milestone", "status"),
    [
        ("gone or report_shared", "warn"),
        ("gone or lost", "fail"),
        ("gone and report_shared", "fail"),
        ("(gone or report_shared) and deal_created", "warn"),
        ("(gone or lost) and deal_created", "fail"),
        ("(gone and report_shared) or deal_created", "warn"),
        ("(gone and report_shared) or lost", "fail"),
        ("gone or (lost within 3d and report_shared)", "fail"),
    ],
)
def test_a_missing_event_decides_where_no_other_way_is_left(milestone, status):
    missing = tuple(event for event in ("gone", "lost") if event in milestone)
    found = judged(milestone=milestone, missing=missing)
    assert (found.status, found.decides) == (status, status == "fail")
    assert f"“{missing[0]}”" in found.sentence
    assert ("only the other ways of reaching it count" in found.sentence) == (status == "warn")
    assert ("the milestone cannot be observed" in found.sentence) == (status == "fail")


@pytest.mark.parametrize(
    ("milestone", "status"),
    [
        ("report_shared by 2 users or deal_created", "warn"),
        ("report_shared by 2 users or deal_created by 3 users", "fail"),
        ("report_shared by 2 users and deal_created", "fail"),
    ],
)
def test_users_that_are_not_known_decide_where_no_other_way_is_left(milestone, status):
    found = judged(milestone=milestone, has_users=False, unknown_users=1.0)
    assert (found.status, found.decides) == (status, status == "fail")
    assert "the log names no users" in found.sentence


def test_what_is_missing_and_who_is_unknown_count_together():
    found = judged(milestone="gone or report_shared by 2 users", missing=("gone",), has_users=False)
    assert (found.status, found.decides) == ("fail", True)
    assert "“gone” is not in the log at all, and what is left asks for several users" in found.sentence
    found = judged(milestone="gone or report_shared by 2 users", missing=("gone",), has_users=True)
    assert (found.status, found.decides) == ("warn", False)


def test_a_gap_goes_before_an_alternative_that_is_missing():
    assert "tracking has gaps" in judged(silent(10), milestone="gone or report_shared", missing=("gone",)).sentence


def test_users_asked_for_that_the_log_does_not_name_decide():
    asked = judged(milestone="report_shared by 2 users", has_users=False, unknown_users=1.0)
    assert (asked.status, asked.decides) == ("fail", True)
    assert judged(has_users=False, unknown_users=1.0).status == "pass"


@pytest.mark.parametrize(("unknown", "status"), [(0.2, "pass"), (0.21, "warn")])
def test_rows_without_a_user_matter_where_users_are_counted(unknown, status):
    assert judged(milestone="report_shared by 2 users", unknown_users=unknown).status == status
    assert judged(unknown_users=unknown).status == "pass"


@pytest.mark.parametrize(("repeated", "status"), [(0.05, "pass"), (0.06, "warn")])
def test_repeated_rows_matter_where_rows_are_counted(repeated, status):
    assert judged(repeated=repeated).status == status
    assert judged(milestone="report_shared", repeated=repeated).status == "pass"


def test_a_failure_goes_before_a_doubt():
    found = judged([silent(10), silent(24, 25)], repeated=0.5, launched={"report_shared": START})
    assert found.status == "fail"
    assert "ends about" in found.sentence
    found = judged(silent(10), repeated=0.5)
    assert "tracking has gaps" in found.sentence
    launched = {"report_shared": START + 21 * Day}
    found = judged(silent(0, 1, 2, 10, 11, 12, 13, 14, 15), launched=launched)
    assert "tracking has gaps" in found.sentence


def test_a_log_without_a_whole_week_is_not_judged():
    found = judged(np.zeros((1, 0)), weeks=0)
    assert (found.judged, found.status, found.value) == (False, "warn", None)


def test_an_event_outside_of_whole_weeks_only_is_doubtful():
    assert judged(np.zeros(WEEKS)).status == "warn"
    assert judged(np.zeros(WEEKS), everything=np.zeros(WEEKS, dtype=np.int64)).status == "warn"


def test_done_by_another_asks_for_users():
    none = judged(milestone="report_shared[by_other = true]", has_users=False, unknown_users=1.0)
    assert (none.status, none.decides) == ("fail", True)
    assert none.sentence.startswith("It asks who did it, but the log names no users")
    some = judged(milestone="report_shared[by_other = false]", unknown_users=0.6)
    assert some.status == "warn"
    assert "60\u202f% of its events name no user" in some.sentence
    mixed = judged(milestone="gone or report_shared[by_other = true]", missing=("gone",), has_users=False)
    assert (mixed.status, mixed.decides) == ("fail", True)
    assert "what is left asks who did it" in mixed.sentence


ACT = 'report_shared[channel = "email"]'


def with_presence(known, launched=None, name="channel", rows=100):
    presence = Presence(
        act=ACT, event="report_shared", name=name, rows=np.full(WEEKS, rows), known=np.asarray(known, dtype=np.int64)
    )
    return judged(milestone=ACT, presence=(presence,), launched=launched or {})


def test_a_property_that_many_rows_lack_is_said():
    assert with_presence(np.full(WEEKS, 80)).status == "pass"
    found = with_presence(np.full(WEEKS, 30))
    assert found.status == "warn"
    assert found.sentence.startswith("70\u202f% of the rows of “report_shared” do not say “channel”")
    assert "who made its object" in with_presence(np.full(WEEKS, 30), name="by_other").sentence


def test_a_property_that_was_lost_for_a_month_is_said_with_the_month():
    known = np.full(WEEKS, 100)
    known[10:14] = 40
    found = with_presence(known)
    assert found.status == "warn"
    assert "60\u202f% of the rows of “report_shared” in the 4 weeks from 2024-12-13 " in found.sentence
    known[11] = 100
    assert with_presence(known).status == "pass"
    known[10:14] = 0
    assert with_presence(known // 10, rows=10).status == "pass"  # too few rows to say


def test_a_property_is_looked_for_only_since_it_was_recorded():
    known = np.r_[np.zeros(10), np.full(WEEKS - 10, 100)]
    assert "do not say" in with_presence(known).sentence
    launched = with_presence(known, {ACT: START + 70 * Day})
    assert "do not say" not in launched.sentence
