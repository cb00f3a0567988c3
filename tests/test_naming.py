"""Names that look like one are grouped; those that only share words are told apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.naming import similar_names


def grouped(names, likeness):
    return [group.names for group in similar_names(names) if group.likeness == likeness]


def test_case_spaces_punctuation_and_accents_make_no_name():
    names = ["Report Shared", "report_shared", "reportShared", "REPORT-SHARED", "Änderung", "anderung"]
    assert grouped(names, "spelling") == [tuple(names[:4]), tuple(names[4:])]


@pytest.mark.parametrize(
    "names",
    [
        ("step_1_1", "step_11"),
        ("zoom+", "zoom-"),
        ("$pageview", "pageview"),
        ("👍", "👎"),
        ("", "_"),
        ("report_shared", "report_opened"),
        ("plan_a", "plan_b"),
    ],
)
def test_different_names_are_not_alike_in_spelling(names):
    assert grouped(names, "spelling") == []


@pytest.mark.parametrize(
    "names",
    [
        ("report_shared", "share_report"),
        ("email_sent", "Send Email"),
        ("call_canceled", "call_cancelled"),
        ("ship", "shipped"),
        ("user_added", "users_added"),
    ],
)
def test_tense_number_and_order_are_a_weak_likeness(names):
    assert grouped(names, "wording") == [names]
    assert grouped(names, "spelling") == []


def test_opposites_are_not_alike():
    assert similar_names(["opened", "closed", "file_added", "file_removed", "invite_sent", "invite_accepted"]) == ()


@given(st.lists(st.text(max_size=12), max_size=12))
def test_a_name_is_in_one_group_of_each_likeness_at_most(names):
    for likeness in ("spelling", "wording"):
        flat = [name for group in grouped(names, likeness) for name in group]
        assert len(flat) == len(set(flat))
        assert set(flat) <= set(names)


@given(st.lists(st.sampled_from(["a b", "A_B", "aB", "b a", "c", "C", "d"]), max_size=9))
def test_the_order_of_names_does_not_change_the_groups(names):
    groups = {(g.likeness, frozenset(g.names)) for g in similar_names(names)}
    assert groups == {(g.likeness, frozenset(g.names)) for g in similar_names(sorted(names))}
