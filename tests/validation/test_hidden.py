"""How exposed a difference is to what was not measured."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from discovery import estimate
from discovery.validation.hidden import Exposed, _explained, _left_over, confounding, exposure_to_hidden

from .cases import make_case


def world(seed, effect, trait=0.5, activity=0.0, n=4000):
    """A trait known at signup and activity behind both reaching it and staying, by their strengths."""
    rng = np.random.default_rng(seed)
    plan, busy = rng.random(n) < 0.5, rng.normal(size=n)
    met = rng.random(n) < 1 / (1 + np.exp(1 - trait * (plan - 0.5) * 2 - activity * busy))
    chance = 0.4 + 0.2 * trait * (plan - 0.5) + 0.15 * activity * busy + effect * met
    return make_case(met, rng.random(n) < np.clip(chance, 0.01, 0.99), traits={"plan": plan}, activity=busy)


def test_a_difference_that_the_strongest_trait_could_not_explain_passes():
    case = world(1, 0.2)
    found, exposed = confounding(case), exposure_to_hidden(case)
    assert (found.status, found.unit, found.decides) == ("pass", "ratio", False)
    difference = float(estimate.adjusted_difference(case.null, case.flag).estimate[0])
    assert found.value == estimate.e_value(difference, case.retained.mean(), case.met.mean())
    assert exposed.strongest == "plan"
    less = estimate.robustness(
        case.null.design, case.trait_columns, case.met, case.retained, difference, less_noise=True
    )
    assert exposed.left_over == less.left_over
    assert 0.03 <= exposed.left_over < exposed.difference == difference
    assert "as strong as “plan”" in found.sentence
    assert "No log can rule it out" in found.sentence


def test_a_difference_that_the_strongest_trait_could_explain_fails():
    found = confounding(world(2, 0.03, trait=1.5))
    assert found.status == "fail"
    assert "leave nothing of it" in found.sentence


def test_what_would_be_left_must_matter():
    case = world(3, 0.12, trait=0.6)
    left = exposure_to_hidden(case).left_over
    assert confounding(dataclasses.replace(case, minimum_effect=left)).status == "pass"
    assert confounding(dataclasses.replace(case, minimum_effect=left + 1e-9)).status == "warn"


def test_a_difference_that_activity_takes_away_is_a_doubt():
    case = world(4, 0.08, trait=0.1, activity=1.0)
    exposed, found = exposure_to_hidden(case), confounding(case)
    assert exposed.kept < 2 / 3
    assert exposed.left_over >= 0.03
    assert found.status == "warn"
    assert "how busy accounts are takes away" in found.sentence


def with_traits(traits, seed=8, effect=0.2, says=0.0, n=4000):
    rng = np.random.default_rng(seed)
    columns = {name: rng.random(n) < 0.5 for name in traits}
    met = rng.random(n) < 0.4
    chance = 0.4 + effect * met + says * (columns[traits[0]] - 0.5)
    return make_case(met, rng.random(n) < chance, traits=columns)


def test_a_single_trait_that_says_little_is_no_measure():
    found = confounding(with_traits(["plan"]))
    assert (found.status, found.judged) == ("warn", True)
    assert "would leave nearly all of it, but that is the only trait known at signup and says little" in found.sentence
    for case in (with_traits(["plan"], says=0.4), with_traits(["plan", "channel"])):
        found = confounding(case)
        assert found.status == "pass"
        assert "only trait" not in found.sentence


def test_how_much_traits_explain_is_the_share_of_a_regression():
    """Against numpy's least squares, with Ezekiel's correction; nothing where there is nothing."""
    case = with_traits(["plan", "channel"], says=0.3)
    y, x = case.retained.astype(float), case.null.design
    left = [y - design @ np.linalg.lstsq(design, y, rcond=None)[0] for design in (x[:, :1], x)]
    expected = 1 - (left[1] @ left[1] / (len(y) - 3)) / (left[0] @ left[0] / (len(y) - 1))
    assert _explained(case) == pytest.approx(expected, rel=1e-9)
    noise = [_explained(with_traits(["plan"], seed=seed, n=300)) for seed in range(50)]
    assert np.mean(noise) == pytest.approx(0, abs=0.002)


def test_what_prints_alike_is_nearly_all():
    said = Exposed(
        difference=0.07,
        kept=1.0,
        e_value=1.5,
        robustness_value=0.1,
        strongest="plan",
        left_over=0.0662,
        weak=False,
    )
    assert "would leave nearly all of it" in _left_over(said)
    assert "would leave 6 points of 7 points" in _left_over(dataclasses.replace(said, left_over=0.06))


def test_without_a_known_trait_there_is_nothing_to_compare_with():
    case = world(5, 0.2)
    found = confounding(dataclasses.replace(case, trait_columns={}))
    assert (found.status, found.judged) == ("warn", True)
    assert found.value > 1
    assert "no trait of the account is known" in found.sentence


def test_adjusting_may_bring_a_difference_out():
    """Busy accounts reach it and leave: beside the trait alone it goes with leaving."""
    rng = np.random.default_rng(6)
    busy, plan = rng.normal(size=4000), rng.random(4000) < 0.5
    met = rng.random(4000) < 1 / (1 + np.exp(-2 * busy))
    retained = rng.random(4000) < np.clip(0.5 - 0.2 * busy + 0.1 * met, 0.01, 0.99)
    case = make_case(met, retained, traits={"plan": plan}, activity=busy)
    assert estimate.adjusted_difference(case.traits, case.flag).estimate[0] < 0
    assert exposure_to_hidden(case).kept == 1.0


@pytest.mark.parametrize(
    ("met", "retained"),
    [
        (np.zeros(60), np.arange(60) % 2),
        (np.ones(60), np.arange(60) % 2),
        (np.arange(60) % 2, np.ones(60)),
        (np.arange(60) % 2, np.zeros(60)),
        (np.arange(60) % 2, 1 - np.arange(60) % 2),
        (np.arange(2) % 2, np.zeros(2)),
    ],
)
def test_without_a_difference_above_zero_nothing_is_judged(met, retained):
    found = confounding(make_case(met, retained, traits={"plan": np.arange(len(met)) % 3}))
    assert (found.judged, found.status, found.value) == (False, "warn", None)


def test_an_extreme_difference_has_no_e_value_but_a_sentence():
    met = np.arange(400) % 2 == 0
    retained = met.copy()
    retained[:4] = ~retained[:4]
    found = confounding(make_case(met, retained, traits={"plan": np.arange(400) % 3}))
    assert found.status in ("pass", "warn")
    assert "nan" not in found.sentence
    assert "n/a" not in found.sentence
    perfect = confounding(make_case(met, met, traits={"plan": np.arange(400) % 3}))
    assert perfect.value is None
    assert "n/a" not in perfect.sentence


def test_a_trait_that_is_the_flag_leaves_nothing():
    met = np.arange(600) % 2 == 0
    near = met.copy()
    near[:6] = ~near[:6]
    rng = np.random.default_rng(1)
    found = confounding(make_case(met, rng.random(600) < 0.3 + 0.4 * met, traits={"plan": near}))
    assert found.status in ("fail", "warn")
    assert "inf" not in found.sentence
