"""The line of the scorecard: what supports, what contradicts, what is too small to tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from discovery.experiment import experimental_evidence
from discovery.results import Estimate, PastExperiment

from .worlds import points


def past(effect: float | None, lower: float | None, upper: float | None, claims="complier", variant="mail"):
    estimate = Estimate(
        estimate=effect, ci_lower=lower, ci_upper=upper, scale="risk difference", n_accounts=4000, status="ok"
    )
    return PastExperiment(
        column="test",
        control="control",
        variant=variant,
        first_signup="2024-01-01",
        last_signup="2024-06-01",
        accounts=(2000, 2000),
        expected_share=0.5,
        sample_ratio_p=0.4,
        first_stage=points(0.25),
        first_stage_f=200.0,
        intention_to_treat=points(0.03),
        complier=estimate,
        shape="interval" if lower is not None and upper is not None else "two rays",
        moved=(),
        claims=claims,
        sentence="It says this.",
    )


@pytest.mark.parametrize(
    ("effect", "lower", "upper", "adjusted", "status", "says", "decides"),
    [
        (0.12, 0.04, 0.20, 0.12, "pass", "supports", False),
        (0.12, 0.04, 0.20, None, "pass", "supports", False),
        (0.12, 0.04, 0.20, 0.40, "pass", "supports", False),
        (0.02, 0.005, 0.035, 0.12, "warn", "inconclusive", False),  # above zero, smaller than matters
        (-0.01, -0.045, 0.025, 0.12, "fail", "contradicts", True),  # what matters is ruled out
        (0.015, 0.005, 0.025, 0.12, "fail", "contradicts", True),
        (-0.10, -0.15, -0.05, 0.12, "fail", "contradicts", True),
        (-0.05, -0.14, 0.04, 0.12, "warn", "contradicts", False),  # the adjusted difference is ruled out
        (0.06, -0.02, 0.14, 0.13, "warn", "contradicts", False),  # nearer to none, and it would have been seen
        (0.07, -0.01, 0.15, 0.13, "warn", "inconclusive", False),  # nearer to the adjusted difference
        (0.138, -0.035, 0.303, 0.20, "warn", "inconclusive", False),
        (0.05, -0.08, 0.18, 0.12, "warn", "inconclusive", False),  # nearer to none, but it may not have been seen
        (0.06, -0.08, 0.20, 0.12, "warn", "inconclusive", False),  # too small to tell
        (0.06, -0.08, 0.20, None, "warn", "inconclusive", False),
        (0.01, -0.02, 0.04, -0.05, "warn", "inconclusive", False),
    ],
)
def test_one_test(effect, lower, upper, adjusted, status, says, decides):
    criterion, said = experimental_evidence([past(effect, lower, upper)], points(adjusted), 0.03)
    assert (criterion.status, said, criterion.decides) == (status, says, decides)
    assert (criterion.value, criterion.unit, criterion.judged) == (effect, "points", True)
    assert criterion.sentence.endswith((".", ".)"))


@pytest.mark.parametrize(
    ("test", "adjusted", "said"),
    [
        (
            (0.06, -0.02, 0.14),
            0.13,
            "nearer to none than to the adjusted difference (+13 points), which the test would",
        ),
        ((0.138, -0.035, 0.303), 0.20, "fits an effect of the size of the adjusted difference (+20 points) as well as"),
        ((-0.05, -0.14, 0.04), 0.12, "as large as the adjusted difference (+12 points) is ruled out"),
        ((0.05, -0.08, 0.18), 0.12, "too few accounts were moved to tell an effect from none, so the adjusted"),
        ((0.06, -0.08, 0.20), None, "too few accounts were moved to tell an effect from none."),
    ],
)
def test_what_settles_nothing_says_why(test, adjusted, said):
    criterion, _ = experimental_evidence([past(*test)], points(adjusted), 0.03)
    assert said in criterion.sentence


def test_support_is_for_the_behaviour_at_any_threshold():
    said = [
        experimental_evidence([past(*t)], points(0.12), 0.03)[0].sentence for t in ((0.12, 0.04, 0.2), (0, -0.2, 0.2))
    ]
    assert ["not for this exact threshold" in sentence for sentence in said] == [True, False]


def test_several_say_that_their_intervals_are_shared():
    criterion, _ = experimental_evidence([FOR, SMALL], points(0.12), 0.03)
    assert criterion.sentence.endswith("(One of 2 comparisons, whose intervals answer for all of them.)")


def test_no_tests_no_line():
    assert experimental_evidence([], points(0.1), 0.03) == (None, "none")


@pytest.mark.parametrize("claims", ["intention to treat", "nothing"])
def test_what_claims_no_effect_never_decides(claims):
    criterion, says = experimental_evidence([past(-0.2, -0.3, -0.1, claims)], points(0.1), 0.03)
    assert (criterion.status, criterion.judged, criterion.value, says) == ("warn", False, None, "inconclusive")
    assert not criterion.decides


def test_open_intervals_say_nothing():
    criterion, says = experimental_evidence([past(0.4, 0.1, None)], points(0.1), 0.03)
    assert (criterion.judged, says) == (False, "inconclusive")


FOR = past(0.12, 0.04, 0.20, variant="for")
AGAINST = past(-0.03, -0.08, 0.02, variant="against")
UNSEEN = past(-0.02, -0.12, 0.08, variant="unseen")
SMALL = past(0.1, -0.2, 0.4, variant="small")


@pytest.mark.parametrize(
    ("tests", "status", "says"),
    [
        ((FOR, SMALL), "pass", "supports"),
        ((AGAINST, SMALL), "fail", "contradicts"),
        ((UNSEEN, SMALL), "warn", "contradicts"),
        ((FOR, AGAINST), "warn", "contradicts"),
        ((FOR, UNSEEN), "pass", "supports"),
        ((past(0.12, 0.01, 0.23), AGAINST), "warn", "contradicts"),  # what matters ruled out, though they overlap
        ((FOR, past(-0.06, -0.15, 0.035)), "warn", "contradicts"),  # nothing ruled out, but they do not overlap
        ((FOR, replace(AGAINST, claims="intention to treat")), "pass", "supports"),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_several_tests(tests, status, says, turned):
    criterion, said = experimental_evidence(tests[::-1] if turned else tests, points(0.12), 0.03)
    assert (criterion.status, said) == (status, says)
    assert criterion.decides == (status == "fail")


def test_a_conflict_names_both():
    criterion, _ = experimental_evidence([FOR, AGAINST], points(0.12), 0.03)
    assert criterion.sentence.startswith("Past tests disagree")
    assert "“for”" in criterion.sentence
    assert "“against”" in criterion.sentence


def test_the_test_that_came_nearest_says_why():
    still = replace(past(0.0, -0.1, 0.1, "intention to treat"), first_stage_f=0.3, sentence="It moved nobody.")
    moved = replace(past(0.0, -0.1, 0.1, "intention to treat"), first_stage_f=90.0, sentence="It moved more.")
    broken = replace(past(None, None, None, "nothing"), sentence="It was broken.")
    for tests, said in (
        ((still, moved, broken), "moved more"),
        ((still, broken), "it was broken"),
        ((still,), "nobody"),
    ):
        criterion, says = experimental_evidence(tests, points(0.1), 0.03)
        assert says == "inconclusive"
        assert said in criterion.sentence
