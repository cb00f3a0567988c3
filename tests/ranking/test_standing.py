"""Every check of a finding can fail on its own, and then says so; what fails worse is no lead either."""

import numpy as np
import pytest

from discovery.ranking import grade
from discovery.ranking.standing import COMPOSITION_Z, KEPT_SHARE, STEADY, THRESHOLD_Z, standing
from discovery.spec import StudySpec, build_spec

from .worlds import BOUND, closer, evidence, held_out

ZERO = StudySpec()
NAN = float("nan")


def stands(spec=ZERO, kind=None, score=9.0, **given):
    return standing(0, kind, evidence({"a": score}, **given), spec)


def test_what_passes_every_check_is_found_and_needs_no_reason():
    found = stands()
    assert (found.status, found.reason, found.short_of) == ("found", None, ())


CHECKS = {
    "steadiness": ({"wins": np.array([0.59])}, "comes first in 59 % of random halves"),
    "clear of zero": ({"held_out": {0: held_out(0.05, 0.051)}}, "5 points [0, 10]: not clear of 0"),
    "large enough": ({"held_out": {0: held_out(0.029, 0.01)}}, "below the 3 points that would matter"),
    "estimated at all": ({"held_out": {0: held_out(NAN)}}, "could not be estimated"),
    "estimated for the family": ({"held_out": {}}, "could not be estimated"),
    "on the stated day": ({"horizon_score": np.array([-0.1])}, "the two disagree"),
    "hidden": ({"closer": {0: closer(threshold=THRESHOLD_Z - 0.01, kept=0.6)}}, "takes 40 % of the difference away"),
    "traits": ({"has_traits": False}, "No trait of the account was known at signup"),
    "strongest trait": ({"closer": {0: closer(left=-0.001, trait="company_size")}}, "as strong as “company_size”"),
}


@pytest.mark.parametrize(("given", "words"), CHECKS.values(), ids=CHECKS)
def test_each_check_alone_makes_a_lead_of_a_finding(given, words):
    lead = stands(**given)
    assert lead.status == "lead"
    assert len(lead.short_of) == 1
    assert words in lead.short_of[0]
    assert lead.short_of[0].endswith(".")


@pytest.mark.parametrize(
    "given",
    [
        {"wins": np.array([STEADY])},
        {"composition_score": np.array([COMPOSITION_Z + 0.01])},
        {"held_out": {0: held_out(0.03, 0.0299)}},
        {"closer": {0: closer(threshold=THRESHOLD_Z + 0.01, kept=0.0)}},
        {"closer": {0: closer(threshold=0.0, kept=KEPT_SHARE + 0.01)}},
        {"closer": {0: closer(left=0.001)}},
        {"model": "logistic", "horizon_score": np.array([-1.0])},
    ],
)
def test_what_just_passes_is_found(given):
    assert stands(**given).status == "found"


def test_every_check_is_told_of_that_fails():
    lead = stands(
        wins=np.array([0.1]),
        held_out={0: held_out(0.04, 0.05)},
        horizon_score=np.array([-1.0]),
        closer={0: closer(threshold=0.0, kept=0.2, left=-0.1)},
    )
    assert len(lead.short_of) == 5


@pytest.mark.parametrize("kind", ["vanity", "risk"])
def test_what_the_user_calls_vanity_or_risk_is_never_a_lead(kind):
    dismissed = stands(kind=kind)
    assert dismissed.status == "unsupported"
    assert kind in dismissed.reason


@pytest.mark.parametrize("kind", ["value", "setup", "team_habit", None])
def test_other_kinds_change_nothing(kind):
    assert stands(kind=kind).status == "found"


def test_what_is_too_small_to_matter_is_no_lead_and_says_so():
    small = stands(held_out={0: held_out(0.02, 0.009)})
    assert small.status == "unsupported"
    assert "less than 3 points: too little to matter" in small.reason
    assert (
        stands(build_spec({"inference": {"minimum_effect": 0.01}}), held_out={0: held_out(0.02, 0.009)}).status
        == "found"
    )


@pytest.mark.parametrize("composition", [COMPOSITION_Z, 0.0, -4.0, NAN])
def test_what_any_activity_would_show_is_a_habit(composition):
    habit = stands(composition_score=np.array([composition]))
    assert habit.status == "habit"
    assert "no more than any activity would" in habit.reason


def test_a_habit_of_later_activity_stands_out_until_inertia_is_compared():
    """Beside inertia it lies within the bound; beside general activity alone it does not."""
    within = {"score": 1.0, "activity_score": np.array([BOUND + 1])}
    assert stands(outcome="active", **within).status == "habit"
    assert stands(outcome="active", score=1.0).status == "unsupported"
    assert stands(outcome="retained", **within).status == "unsupported"


def test_what_goes_with_leaving_is_a_harm_whatever_it_is_called():
    assert stands(score=-9.0).status == "harm"
    assert stands(score=-9.0, kind="vanity").status == "harm"
    assert "left more often" in stands(score=-9.0).reason


def test_a_score_that_is_not_known_stands_for_nothing():
    assert stands(score=NAN, composition_score=np.array([9.0])).status == "unsupported"
    assert grade(evidence({"a": NAN}), ZERO).standing_out == ()
