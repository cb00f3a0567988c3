"""Why a clear separation does not hold, in words and numbers."""

import numpy as np
import pytest

from discovery.estimate import separate
from discovery.ranking import grade
from discovery.ranking.explained import CLEAR_Z, explained_away
from discovery.spec import StudySpec

from .worlds import evidence, held_out, summary


def clear(score, *, downwards=False, **given):
    """Return the first family and evidence in which the only rule separates by 50 points, before adjusting."""
    n = 1000
    met = np.arange(n) < n // 2
    stay = np.arange(n) % 4 != 0
    retained = np.where(met ^ downwards, stay, ~stay)
    separation = separate(np.packbits(met[None], axis=1), retained, np.ones(n, dtype=bool))
    found = evidence({"a": score}, separation=separation, **given)
    return grade(found, StudySpec()).families[0], found


def said(score, kind="retained", **given):
    return explained_away(*clear(score, **given), summary(kind))


@pytest.mark.parametrize("given", [{}, {"wins": np.array([0.2])}])
def test_what_stands_needs_no_explaining(given):
    assert said(9.0, **given) is None


@pytest.mark.parametrize(
    ("kind", "later"), [("retained", "stayed"), ("active", "were active later"), ("converted", "converted")]
)
def test_activity_explains_it(kind, later):
    away = said(1.0, kind, held_out={0: held_out(0.01, 0.03)})
    assert away == (
        "Separates by 50 points; 1 point [-2, 4] among comparably active accounts. "
        f"Active accounts do it more, and they {later} anyway."
    )


def test_chance_over_so_many_rules_explains_it():
    away = said(2.5, held_out={0: held_out(0.06, 0.05)}, searched=1234)
    assert away.endswith("6 points [1, 11] among comparably active accounts: "
                         "no more than chance alone shows somewhere among 1,234 rules.")  # fmt: skip


def test_a_habit_is_set_beside_as_much_activity():
    away = said(9.0, composition_score=np.array([0.5]))
    assert away.startswith("Separates by 50 points; 18 points [13, 23] at as many actions")


def test_a_harm_says_that_it_goes_with_leaving():
    away = said(-9.0, downwards=True, held_out={0: held_out(-0.2, 0.05)})
    assert away.startswith("Separates by 50 points downwards; -20 points [-25, -15]")
    assert away.endswith("it goes with leaving.")


def test_a_harm_that_looks_good_before_adjusting_is_explained_too():
    assert said(-9.0, held_out={0: held_out(-0.2, 0.05)}).startswith("Separates by 50 points; -20 points")


def test_what_goes_with_leaving_and_is_nothing_needs_no_words():
    assert said(-1.0, downwards=True) is None


def test_what_is_set_apart_gives_its_reason():
    assert said(9.0, apart={"a": ("passive", "It happens to them.")}) == "Separates by 50 points. It happens to them."


def test_what_the_user_calls_vanity_gives_that_reason():
    assert "you named it vanity" in said(9.0, kinds={"a": "vanity"})


def test_a_difference_that_could_not_be_estimated_is_said_to_be_that():
    assert "no difference that could be estimated" in said(1.0, held_out={})


def test_what_no_team_would_have_noticed_needs_no_words():
    found = evidence({"a": 1.0})
    family = grade(found, StudySpec()).families[0]
    assert abs(found.separation.phi[0]) * np.sqrt(found.n_mature) < CLEAR_Z
    assert explained_away(family, found, summary()) is None
