"""What is suggested of an event, and how sure: what could take a first value moment away must be beyond doubt."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.suggest import SeenEvent, guess_kinds
from discovery.suggest.kinds import MOST_VALUES, KindGuess


def seen(event: str, **figures) -> SeenEvent:
    usual = {
        "share": 0.02,
        "reach": 0.6,
        "median_hours": 5.0,
        "rows_per_account": 1.0,
        "users_per_account": 1.4,
        "shared": 0.3,
        "at_signup": False,
        "apart": None,
    }
    return SeenEvent(event=event, **{**usual, **figures})


def guess(event: str, **figures) -> KindGuess:
    return guess_kinds([seen(event, **figures)], {})[event]


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("login", "vanity"),
        ("Session Started", "vanity"),
        ("$pageview", "vanity"),
        ("$autocapture", "vanity"),
        ("Page Viewed", "vanity"),
        ("[Amplitude] Page Viewed", "vanity"),
        ("sync_failed", "risk"),
        ("Export Error", "risk"),
        ("teammate_invited", "collaboration"),
        ("memberJoined", "collaboration"),
        ("workspace_created", "setup"),
        ("Integration Connected", "setup"),
    ],
)
def test_a_name_that_leaves_no_doubt_is_set(event, kind):
    found = guess(event, reach=0.3 if kind == "risk" else 0.6)
    assert (found.kind, found.sure) == (kind, True)
    assert found.reason


@pytest.mark.parametrize(
    ("event", "figures", "kind"),
    [
        ("dashboard_viewed", {}, "vanity"),  # looking at a thing may be the product
        ("invoice_report_opened", {}, "vanity"),
        ("error_captured", {"reach": 0.8}, "risk"),  # the subject of an error monitor
        ("report_shared", {}, "collaboration"),
        ("data_imported", {"rows_per_account": 6.0}, "setup"),  # done again and again
        ("api_key_created", {"reach": 0.1}, "setup"),  # few need it
        ("integration_connected", {"median_hours": 200.0}, "setup"),  # comes late
        ("task_completed", {"rows_per_account": 6.0}, "value"),
    ],
)
def test_a_weak_guess_is_not_set(event, figures, kind):
    found = guess(event, **figures)
    assert (found.kind, found.sure) == (kind, False)


def test_nothing_is_suggested_where_nothing_speaks_for_it():
    assert guess("report_created", rows_per_account=2.0) == KindGuess()


@pytest.mark.parametrize("event", ["$feature_flag_called", "$web_vitals", "page_ping", "$identify"])
def test_what_a_tool_writes_by_itself_is_passive(event):
    found = guess(event)
    assert (found.kind, found.passive, found.sure) == (None, True, True)


def test_a_name_that_may_happen_to_an_account_is_passive_perhaps():
    found = guess("weekly_digest_delivered")
    assert (found.passive, found.sure) == (True, False)


def test_an_event_of_the_decision_is_never_called_anything_else():
    # Any other kind would be the user's word, and lift the guard that keeps it out of the ranking.
    apart = ("outcome_adjacent", "Its name contains “invoice” (paying), so it looks like part of the decision.")
    found = guess("invoice_member_invited", apart=apart)
    assert (found.kind, found.sure) == ("outcome_adjacent", True)
    assert "invoice" in found.reason


def test_an_event_that_timing_sets_apart_is_left_to_the_run():
    apart = ("outcome_adjacent", "91 % of the accounts that did it left within two days, so it looks like part of it.")
    found = guess("teammate_invited", apart=apart)
    assert (found.kind, found.sure) == ("outcome_adjacent", False)
    assert found.reason.startswith("91 % of the accounts")


def test_an_event_that_counts_everything_gets_no_kind():
    found = guess("teammate_invited", apart=("volume_axis", "It is written whenever anything else is."))
    assert found.kind is None
    assert found.reason


def test_what_comes_with_signing_up_is_said_and_not_called_anything():
    found = guess("plan_selected", at_signup=True)
    assert found.kind is None
    assert "signing up" in found.reason


def test_the_users_word_is_final():
    found = guess_kinds([seen("login")], {"login": "value"})["login"]
    assert (found.kind, found.sure) == ("value", True)


def test_a_guess_about_what_hardly_anyone_does_is_not_made():
    assert guess("dashboard_viewed", reach=0.001).kind is None
    assert guess("sync_failed", reach=0.001).kind == "risk"


def test_value_is_suggested_for_few_events_and_never_set():
    many = [seen(f"thing_{n}_done", rows_per_account=3.0 + n) for n in range(9)]
    found = [event for event, each in guess_kinds(many, {}).items() if each.kind == "value"]
    assert found == [f"thing_{n}_done" for n in range(9 - MOST_VALUES, 9)]


@given(st.text(min_size=1), st.floats(0, 1), st.floats(1, 1e6))
def test_any_name_gets_an_answer_and_value_is_never_sure(event, reach, rows):
    found = guess(event, reach=reach, rows_per_account=rows)
    assert not (found.kind == "value" and found.sure)
    assert not (found.kind and found.passive)
    assert dataclasses.asdict(found)


@pytest.mark.parametrize(
    ("rows", "said"), [(1.0, "done once,"), (1.5, "done once or twice"), (2.5, "done 2 or 3 times"), (3.0, "3 times")]
)
def test_medians_are_said_in_whole_times(rows, said):
    assert said in guess("csv_imported", rows_per_account=rows, reach=0.3).reason
