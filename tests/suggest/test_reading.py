"""What is asked about how the data are read, and what is said of signups and traits."""

from __future__ import annotations

import pytest

from discovery.spec import StudySpec, build_spec
from discovery.suggest import (
    AccountColumn,
    Reading,
    Traits,
    lacks_trait,
    reading_choices,
    trait_choices,
)


def choices(**parts):
    usual = {
        "asked": StudySpec(),
        "run": build_spec({"events": {"account": "context.groupId"}}),
        "derived": True,
        "signup_from": "first event",
        "zoneless": "",
        "account_columns": (),
        "signup_events": [("signed_up", 0.9)],
    }
    return {choice.key: choice for choice in reading_choices(Reading(**{**usual, **parts}))}


def test_which_event_marks_the_signup_is_asked_where_nothing_else_tells():
    assert choices()["signup_event"].options == ("signed_up",)


@pytest.mark.parametrize("signup_from", ["posthog", "segment", "column", "signup event", "table"])
def test_which_event_marks_the_signup_is_not_asked_where_something_tells(signup_from):
    assert "signup_event" not in choices(signup_from=signup_from, derived=signup_from != "table")


def test_the_reason_for_an_account_does_not_begin_with_a_name():
    columns = [AccountColumn(column=name, different=60, known=1.0) for name in ("context.groupId", "user_id")]
    reason = choices(account_columns=columns)["account"].reason
    assert reason.startswith("in the first rows, context.groupId has 60 different values")


@pytest.mark.parametrize(
    ("settings", "lacks"),
    [
        ({}, True),
        ({"accounts": {"segments": ()}}, True),
        ({"accounts": {"segments": ("channel",)}}, False),
        ({"accounts": {"segments": (), "seats": "seats"}}, False),
    ],
)
def test_traits_are_lacking_where_neither_segments_nor_seats_are_named(settings, lacks):
    assert lacks_trait(settings) == lacks


def test_the_question_about_traits_says_what_follows_without_any():
    (choice,) = trait_choices(Traits(taken=(), possible=("plan",), seats=(), seats_taken=""), asked=False)
    assert "the best possible verdict is a lead" in choice.question
    told = Traits(taken=(), possible=("plan",), seats=(), seats_taken="", first_told=True)
    assert "first told" in trait_choices(told, asked=False)[0].reason
