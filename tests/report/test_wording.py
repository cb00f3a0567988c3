"""Numbers and names as people read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery import wording
from discovery.milestone import Milestone
from discovery.ranking.families import condition_fields
from discovery.results import Estimate

SPACE = "\u202f"


def _estimate(value, lower, upper):
    return Estimate(estimate=value, ci_lower=lower, ci_upper=upper, scale="risk difference", n_accounts=1)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.31, f"31{SPACE}%"),
        (0, f"0{SPACE}%"),
        (1, f"100{SPACE}%"),
        (0.004, f"0.4{SPACE}%"),
        (0.00001, f"< 0.1{SPACE}%"),
        (0.99996, f"> 99.9{SPACE}%"),
        (0.996, f"99.6{SPACE}%"),
        (None, "n/a"),
        (math.nan, "n/a"),
    ],
)
def test_shares(share, text):
    assert wording.percent(share) == text


@pytest.mark.parametrize(
    ("numbers", "texts"),
    [
        ((0.12, 0.05, 0.19), ("+12.0 points", "[5.0, 19.0]")),
        ((0.045, 0.036, 0.056), ("+4.5 points", "[3.6, 5.6]")),
        ((-0.13, -0.20, -0.07), ("−13.0 points", "[−20.0, −7.0]")),
        ((0.05, 0.004, 0.096), ("+5.0 points", "[0.4, 9.6]")),
        ((0.0, -0.06, 0.06), ("0.0 points", "[−6.0, 6.0]")),
        ((None, None, None), ("n/a", "")),
        ((0.1, None, None), ("+10.0 points", "")),
        ((math.nan, 0.1, 0.2), ("n/a", "")),
    ],
)
def test_differences(numbers, texts):
    assert wording.points_estimate(_estimate(*numbers)) == texts
    assert wording.points_estimate(_estimate(*numbers), unit=False) == (texts[0].removesuffix(" points"), texts[1])


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1))
def test_an_interval_off_zero_is_never_shown_as_touching_it(value, below, above):
    lower, upper = value - below, value + above
    _, shown = wording.points_estimate(_estimate(value, lower, upper))
    if lower > 0.0005:
        assert not shown.startswith(("[0,", "[0.0,", "[−"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0002, "p < 0.001"),
        (0.004, "p = 0.004"),
        (0.0496, "p = 0.050"),
        (0.12, "p = 0.12"),
        (1.0, "p > 0.99"),
        (None, "n/a"),
    ],
)
def test_p_values(value, text):
    assert wording.p_value(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.4, "2.4 days"),
        (1.0, "1 day"),
        (0.5, "12 hours"),
        (1 / 24, "1 hour"),
        (0.01, "14 min"),
        (0.0, "under a minute"),
        (None, "n/a"),
    ],
)
def test_days(value, text):
    assert wording.days(value) == text


@pytest.mark.parametrize(
    ("difference", "plus", "text"),
    [(0.0886, False, "9 points"), (0.126, True, "+13 points"), (0.004, False, "0.4 points"), (None, True, "n/a")],
)
def test_differences_in_sentences_are_whole_points(difference, plus, text):
    assert wording.points(difference, plus=plus) == text


def test_moments_are_told_to_the_minute():
    assert wording.moment("2026-11-22T00:01:03+00:00") == "2026-11-22 00:01 UTC"


def test_ratios():
    assert [wording.ratio(v) for v in (0.6, 12.34, 123.4, 1e9, 1e-9, None, math.inf)] == [
        "0.60",
        "12.3",
        "123",
        "> 1,000",
        "< 0.01",
        "n/a",
        "n/a",
    ]


def test_conditions_in_words():
    conditions = (
        {"event": "a", "at_least": 3, "within_days": 7, "min_users": 2},
        {"event": "b", "at_least": 1, "within_days": None, "min_users": 1},
    )
    words = "a at least 3 times within 7 days of signup by at least 2 users and b at least once"
    assert wording.conditions_in_words(conditions) == words


@given(st.text(), st.integers(3, 60))
def test_shortened_text_fits_on_one_clean_line(text, width):
    short = wording.shorten(text, width)
    assert sum(map(wording._columns, short)) <= width
    assert "\n" not in short
    assert "\x00" not in short
    short.encode("utf-8")


def test_shortening_keeps_both_ends():
    assert wording.shorten("report_shared >= 3 within 7d", 15) == "report_s…hin 7d"
    assert wording.shorten("short", 15) == "short"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('a[channel = "email"]', "a with channel “email” at least once"),
        ('a[channel != "email"] >= 2', "a with channel other than “email” at least 2 times"),
        ('a[c in ("x", 2500)] within 7d', "a with c “x” or 2,500 at least once within 7 days of signup"),
        ("a[s >= 2.5, s < -1]", "a with s below \u22121 and s at least 2.5 at least once"),
        ("a[auto = true]", "a with auto true at least once"),
        ("a[by_other = true, s > 1]", "a with s above 1 by someone else at least once"),
        ("a[by_other = false]", "a by no one else at least once"),
    ],
)
def test_tests_of_properties_in_words(text: str, words: str) -> None:
    conditions = [condition_fields(condition) for condition in Milestone.parse(text).conditions]
    assert wording.conditions_in_words(conditions) == words


@pytest.mark.parametrize(
    ("has_creator", "whom"), [(False, "its account's first user"), (True, "the creator of its object")]
)
def test_done_by_another_names_the_one_whom_it_compares_with(has_creator: bool, whom: str) -> None:
    for value, by in (("true", "by someone other than"), ("false", "by")):
        fields = [condition_fields(one) for one in Milestone.parse(f"a[by_other = {value}]").conditions]
        assert wording.conditions_in_words(fields, has_creator) == f"a {by} {whom} at least once"
