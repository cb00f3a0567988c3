"""The rules for a rung: each can be kept and broken, and says so as a product manager would read it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.ladder.rules import rules
from discovery.milestone import Milestone
from discovery.results import Rung

from .climbs import HOSTILE, QUICKLY

NO = "\u202f%"
SOON = f"{{}}{NO} of those that do it do so within their first 3 sessions (all its users together)"
NAMES = ["specific", "trackable", "reachable", "towards value", "stands for value"]


def rung(**changes):
    given = {
        "milestone": "report_shared",
        "role": "required",
        "n_accounts": 1000,
        "reach": 0.6,
        "n_reached": 600,
        "step_conversion": 0.6,
        "median_days": 1.0,
        "dropped": 400,
        "skipped": 20,
        "milestone_with": 0.5,
        "milestone_without": 0.02,
        "sessions": 2.0,
        "in_first_sessions": 0.8,
    }
    return Rung(**(given | changes))


def checked(
    milestone="report_shared",
    kinds=None,
    further_up=300,
    status="found",
    difference="+12.0 points [5.0, 19.0]",
    dates=False,
    **changes,
):
    of = rung(**changes)
    found = rules(
        of,
        milestone if isinstance(milestone, Milestone) else Milestone.parse(milestone),
        kinds or {},
        further_up=None if of.role == "milestone" else further_up,
        date_only=dates,
        difference=difference,
        status=status,
    )
    assert [rule.name for rule in found] == NAMES
    return {rule.name: (rule.status, rule.sentence) for rule in found}


def test_a_sound_rung_keeps_every_rule():
    assert {status for status, _ in checked().values()} == {"pass"}


@pytest.mark.parametrize(
    ("milestone", "status", "sentence"),
    [
        ("report_shared", "pass", "It is one named event."),
        ("report_shared >= 3 within 7d by 2 users", "pass", "It is one named event."),
        ("a or b", "pass", "Each of its alternatives is one named event."),
        ("a and b", "warn", "It is several actions at once; name one as the milestone."),
        ("a or (b and c)", "warn", "It is several actions at once; name one as the milestone."),
        ("a >= 2 and (a within 1d)", "pass", "It is one named event."),
        ("custom_event", "fail", "“custom_event” could be anything; track the action itself."),
        ("report_shared or click", "fail", "“click” could be anything; track the action itself."),
        ('"Button Clicked"', "fail", "“Button Clicked” could be anything; track the action itself."),
    ],
)
def test_specific(milestone, status, sentence):
    assert checked(milestone)["specific"] == (status, sentence)


@pytest.mark.parametrize(
    ("skipped", "status", "sentence"),
    [
        (0, "pass", f"0{NO} of the accounts further up have no such event on record."),
        (30, "pass", f"10{NO} of the accounts further up have no such event on record."),
        (31, "warn", f"10{NO} of the accounts further up have no such event on record: skipped, or not tracked."),
        (60, "warn", f"20{NO} of the accounts further up have no such event on record: skipped, or not tracked."),
        (150, "fail", f"50{NO} of the accounts further up have no such event on record: skipped, or not tracked."),
    ],
)
def test_trackable(skipped, status, sentence):
    assert checked(skipped=skipped)["trackable"] == (status, sentence)


def test_trackable_on_top_and_where_nobody_got_further():
    assert checked(role="milestone")["trackable"] == ("pass", "It can be counted in the log as it is.")
    assert checked(skipped=0, further_up=0)["trackable"] == (
        "unknown",
        "Nobody got further, so nobody was seen to skip it.",
    )


@pytest.mark.parametrize(
    ("soon", "sessions", "status", "sentence"),
    [
        (1.0, 1.0, "pass", SOON.format(100) + "."),
        (0.5, 3.5, "pass", SOON.format(50) + "."),
        (
            0.4,
            5.0,
            "warn",
            SOON.format(40) + "; half need 5 or more.",
        ),
        (
            1 / 3,
            6.0,
            "warn",
            SOON.format(33) + "; half need 6 or more.",
        ),
        (
            0.0,
            12.0,
            "fail",
            SOON.format(0) + "; half need 12 or more.",
        ),
        (None, None, "unknown", "Nobody was seen doing it."),
    ],
)
def test_reachable(soon, sessions, status, sentence):
    assert checked(in_first_sessions=soon, sessions=sessions)["reachable"] == (status, sentence)


def test_many_sessions_in_few_days_are_a_warning():
    status, sentence = checked(in_first_sessions=0.0, sessions=12.0, target_met=True)["reachable"]
    assert status == "warn"
    assert sentence.endswith("half need 12 or more, though the days are as expected.")
    assert checked(in_first_sessions=0.0, sessions=12.0, target_met=False)["reachable"][0] == "fail"
    of_itself = {"role": "milestone", "target_met": None}
    assert checked(in_first_sessions=0.0, sessions=12.0, **of_itself)["reachable"][0] == "warn"


def test_reachable_in_a_log_of_dates_counts_days():
    assert checked(dates=True)["reachable"][1] == f"80{NO} of those that do it do so within their first 3 days of use."


@pytest.mark.parametrize(
    ("changes", "status", "sentence"),
    [
        (
            {},
            "pass",
            f"50{NO} of the accounts that do it reach the milestone, against 2{NO} of those that do not; no separate "
            "effect of it is shown.",
        ),
        (
            {"milestone_with": 0.1, "milestone_without": 0.3},
            "warn",
            f"10{NO} of the accounts that do it reach the milestone, against 30{NO} of those that do not; no separate "
            "effect of it is shown.",
        ),
        ({"milestone_without": None}, "unknown", "Every account does it, so there is nothing to compare."),
        ({"milestone_with": None}, "unknown", "Nobody was seen doing it, so there is nothing to compare."),
        ({"role": "milestone"}, "pass", "Adjusted difference +12.0 points [5.0, 19.0]; it held up in every check."),
        (
            {"role": "milestone", "status": "lead"},
            "warn",
            "Adjusted difference +12.0 points [5.0, 19.0]; it failed some of the checks, so it is a lead only.",
        ),
        (
            {"role": "milestone", "difference": "n/a"},
            "pass",
            "Adjusted difference is not known; it held up in every check.",
        ),
    ],
)
def test_towards_value(changes, status, sentence):
    assert checked(**changes)["towards value"] == (status, sentence)


ASK = (
    "Ask the team: would a reasonable customer who did this and nothing else say that the product does what it "
    "promises?"
)


@pytest.mark.parametrize(
    ("milestone", "kinds", "status", "sentence"),
    [
        ("report_shared", {}, "unknown", ASK),
        ("report_shared", {"report_shared": "value"}, "pass", "You call it value."),
        ("user_added", {"user_added": "collaboration"}, "pass", "You call it collaboration."),
        ("a or b", {"a": "value", "b": "collaboration"}, "pass", "You call it value and collaboration."),
        ("a or b", {"a": "value"}, "unknown", ASK),
        ("report_shared", {"report_shared": "setup"}, "fail", "You call it set-up: set-up stands in for value here."),
        (
            "profile_completed",
            {},
            "warn",
            "By its name, “profile_completed” may be set-up standing in for value; ask the team.",
        ),
        ("profile_completed", {"profile_completed": "value"}, "pass", "You call it value."),
        (
            "dashboard_viewed",
            {},
            "fail",
            "By its name, “dashboard_viewed” is looking around, not doing; name its kind if it is more.",
        ),
        ("dashboard_viewed", {"dashboard_viewed": "value"}, "pass", "You call it value."),
        ("report_viewed_by_client", {}, "unknown", ASK),
    ],
)
def test_stands_for_value_on_top(milestone, kinds, status, sentence):
    assert checked(milestone, kinds, role="milestone")["stands for value"] == (status, sentence)


@pytest.mark.parametrize(
    ("milestone", "status"), [("workspace_created", "pass"), ("csv_imported", "pass"), ("invoice_viewed", "fail")]
)
def test_a_step_on_the_way_may_be_setup_but_not_looking(milestone, status):
    assert checked(milestone)["stands for value"][0] == status


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_quoted_as_they_are(name):
    top = checked(Milestone.of(f"{name} viewed"), role="milestone")
    assert f"“{name} viewed”" in top["stands for value"][1]
    assert checked(Milestone.of(name))["specific"] == ("pass", "It is one named event.")


SHARES = st.none() | st.floats(0, 1)


@QUICKLY
@given(
    st.sampled_from(["required", "milestone"]), SHARES, SHARES, SHARES, st.none() | st.floats(1, 50),
    st.integers(0, 20), st.sampled_from(["found", "lead"]), st.booleans(),
)  # fmt: skip
def test_whatever_is_not_known_no_sentence_shows_it(role, soon, having, without, sessions, further_up, status, dates):
    found = checked(
        role=role, in_first_sessions=soon, milestone_with=having, milestone_without=without, sessions=sessions,
        further_up=further_up, skipped=further_up // 2, status=status, dates=dates,
    )  # fmt: skip
    for _, sentence in found.values():
        assert sentence.endswith((".", "?"))
        assert not {"None", "nan", "inf", "n/a"} & set(sentence.replace(";", " ").replace(".", " ").split())
