"""Which properties of events are worth opening, and what is shown of them."""

from __future__ import annotations

import pytest

from discovery.suggest import SeenProperty, property_profile


def judged(name, holds="text", filled=0.5, distinct=4, examples=("email", "link"), **more):
    return property_profile(
        SeenProperty(name=name, holds=holds, filled=filled, distinct=distinct, examples=tuple(examples), **more)
    )


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("channel", {}),
        ("automatic", {"holds": "yes or no", "distinct": 2, "examples": ("true", "false")}),
        ("size", {"holds": "number", "distinct": 400}),
        ("rows imported", {"holds": "number", "distinct": 3}),
    ],
)
def test_few_values_and_numbers_are_suggested(name, figures):
    assert judged(name, **figures).suggested


@pytest.mark.parametrize(
    ("name", "figures", "because"),
    [
        ("note", {"distinct": 900}, "900 different values"),
        ("document_id", {}, "names something"),
        ("email", {}, "names something"),
        ("$browser", {}, "device"),
        ("deviceType", {}, "device"),
        ("created_at", {}, "a time"),
        ("items", {"holds": "lists or records"}, "lists"),
        ("version_group", {"distinct": 1}, "the same on every row"),
        ("tier", {"of_account": True}, "a trait: name it in accounts.segments"),
        ("seats", {"holds": "number", "distinct": 90, "of_account": True}, "a trait"),
        ("channel", {"filled": 0.001}, "fewer than 1 %"),
        ("plan_status", {"examples": ("active", "cancelled")}, "decision to stay or go"),
        ("subscription_tier", {}, "decision to stay or go"),
    ],
)
def test_what_is_no_behaviour_is_not_suggested(name, figures, because):
    found = judged(name, **figures)
    assert not found.suggested
    assert because in found.reason
    assert found.examples == ()  # values that are of no use may be personal
