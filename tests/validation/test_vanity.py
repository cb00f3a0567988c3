"""Does the proposal say more than vanity events and activity at all: planted arrays for every answer."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery import estimate
from discovery.validation.case import Case
from discovery.validation.vanity import better_than_vanity, composition_difference, duel

from .cases import make_case, rule


def busy(
    n: int = 3000,
    *,
    own: float = 0.0,
    views: float = 0.0,
    seed: int = 0,
    inertia: bool = False,
    noise: float = 1.0,
    **parts: Any,
) -> Case:
    """Accounts whose busyness moves proposal, page views and staying; `own` and `views` are further log-odds."""
    rng = np.random.default_rng(seed)
    drive = rng.standard_normal(n)
    met = rng.random(n) < 1 / (1 + np.exp(0.8 - 0.8 * drive))
    count = rng.poisson(np.exp(1.2 + 0.6 * drive))
    viewed = count >= 5
    actions = rng.poisson(np.exp(2.0 + 0.8 * drive))
    chance = 1 / (1 + np.exp(0.4 - 0.3 * drive - own * met - views * viewed))
    fields: dict[str, Any] = {
        "vanity": (rule("page_viewed", count >= 1), rule("page_viewed >= 5 within 7d", viewed)),
        "vanity_source": "spec",
        "actions": tuple(rule(f'"any activity" >= {k}', actions >= k) for k in (5, 10, 20)),
        "inertia": drive if inertia else None,
        "activity": drive + noise * rng.standard_normal(n),
    }
    return make_case(met, rng.random(n) < chance, **(fields | parts))


def test_a_milestone_with_an_effect_of_its_own_passes():
    criterion = better_than_vanity(busy(own=1.0))
    assert (criterion.status, criterion.unit, criterion.judged) == ("pass", "points", True)
    assert criterion.value is not None
    assert 0.1 < criterion.value < 0.3
    assert "alike in “page_viewed >= 5 within 7d” and in how busy they are" in criterion.sentence
    assert "stayed more often by" in criterion.sentence


def test_the_remaining_difference_is_that_of_a_model_with_the_strongest_rules():
    case = busy(own=0.7)
    x = np.column_stack([case.null.design, case.vanity[1].met, case.actions[1].met]).astype(float)
    strength = [abs(np.corrcoef(each.met, case.retained)[0, 1]) for each in case.actions]
    x[:, -1] = case.actions[int(np.argmax(strength))].met
    expected = estimate.adjusted_difference(estimate.fit_null(x, case.retained), case.flag)
    assert better_than_vanity(case).value == pytest.approx(float(expected.estimate[0]), abs=1e-12)


def test_a_vanity_rule_that_separates_clearly_better_fails_it():
    case = busy(own=0.1, views=2.0)
    criterion = better_than_vanity(case)
    assert criterion.status == "fail"
    assert not criterion.decides
    assert criterion.sentence.startswith("“page_viewed >= 5 within 7d” separates better")
    found = duel(case)
    assert found is not None
    assert found.lead.ci_upper is not None
    assert found.lead.ci_upper < 0
    behind = "{:.1f} points [{:.1f}, {:.1f}]".format(
        *(-100 * bound for bound in (found.lead.estimate, found.lead.ci_upper, found.lead.ci_lower))
    )
    assert criterion.sentence.replace("\u2212", "-").endswith(f"points, {behind} less.")


def test_nothing_left_beside_vanity_fails_it():
    criterion = better_than_vanity(busy(n=30_000, vanity=(), noise=0.0))
    assert criterion.status == "fail"
    assert "less than the 3 points that would matter" in criterion.sentence


def test_too_wide_an_interval_is_a_warning():
    criterion = better_than_vanity(busy(n=400, own=0.2, seed=3))
    assert criterion.status == "warn"
    assert criterion.judged
    assert "not clear of 0" in criterion.sentence


def test_without_vanity_events_any_activity_is_the_measure():
    criterion = better_than_vanity(busy(own=1.0, vanity=(), vanity_source="none"))
    assert criterion.status == "pass"
    assert criterion.sentence.startswith("No vanity event is known; among accounts that are equally busy")


def test_with_nothing_to_compare_it_is_not_judged():
    criterion = better_than_vanity(busy(vanity=(), actions=()))
    assert (criterion.judged, criterion.status, criterion.value) == (False, "warn", None)


def test_an_activity_outcome_rests_on_equal_amounts_of_activity():
    found = better_than_vanity(busy(own=1.0, inertia=True))
    assert found.status == "pass"
    assert "with as many actions on as many days as recently, by" in found.sentence
    assert "were active later more often" in found.sentence
    habit = better_than_vanity(busy(n=30_000, inertia=True))
    assert (habit.status, habit.decides) == ("fail", True)
    assert habit.sentence.startswith("With as many actions on as many days as recently, accounts did about as well")


def test_an_unclear_composition_is_a_warning_that_does_not_decide():
    case = busy(n=600, own=0.9, inertia=True)
    rng = np.random.default_rng(0)
    few = np.flatnonzero(rng.random(600) < 0.04)  # accounts known to be equally active are few
    decides = np.isin(np.arange(600), few)
    vague = estimate.fit_null(np.ones((len(few), 1)), case.retained[few])
    criterion = better_than_vanity(dataclasses.replace(case, composition=vague, decides=decides))
    assert (criterion.status, criterion.decides) == ("warn", False)
    assert criterion.sentence.endswith("not clear of 0.")


def test_composition_rests_on_the_accounts_that_decide():
    decides = np.arange(3000) % 3 > 0
    found = composition_difference(busy(own=1.0, inertia=True, decides=decides))
    assert found is not None
    assert found.n_accounts == decides.sum()
    assert composition_difference(busy(own=1.0)) is None


def test_the_same_accounts_as_a_vanity_rule_say_nothing_beside_it():
    case = busy(own=1.0)
    case = dataclasses.replace(case, vanity=(rule("page_viewed", case.met),))
    criterion = better_than_vanity(case)
    assert (criterion.status, criterion.value) == ("fail", None)
    assert "met by the same accounts as “page_viewed”" in criterion.sentence
    assert duel(case) is None


def test_what_is_called_vanity_fails_by_name():
    criterion = better_than_vanity(busy(own=1.0, milestone="page_viewed >= 9", kinds={"page_viewed": "vanity"}))
    assert criterion.status == "fail"
    assert criterion.value is not None
    assert "you call vanity" in criterion.sentence
    both = busy(own=1.0, milestone="page_viewed and deal_made", kinds={"page_viewed": "vanity", "deal_made": None})
    assert better_than_vanity(both).status == "pass"


def test_both_differences_come_from_one_regression():
    case = busy(own=0.8, views=0.4)
    found = duel(case)
    assert found is not None
    design = np.column_stack([case.null.design, case.met, found.rule.met])
    beta = np.linalg.lstsq(design, case.null.residual, rcond=None)[0]
    assert (found.proposal, found.vanity) == pytest.approx((beta[-2], beta[-1]), abs=1e-10)
    bread = np.linalg.inv(design.T @ design)
    error = (case.null.residual - design @ beta) / (1 - np.einsum("ij,jk,ik->i", design, bread, design))
    covariance = bread @ (design.T * error**2) @ design @ bread
    se = np.sqrt(covariance[-2, -2] + covariance[-1, -1] - 2 * covariance[-1, -2])
    half = estimate.critical_z(case.alpha, 2) * se
    assert found.lead.ci_lower == pytest.approx(found.lead.estimate - half, abs=1e-8)


def test_a_vanity_rule_that_is_as_good_is_rarely_called_better():
    better = 0
    for seed in range(100):
        found = duel(busy(n=600, own=0.6, views=0.6, seed=seed))
        better += found is not None and found.lead.ci_upper is not None and found.lead.ci_upper < 0
    assert better <= 6  # 2.5 expected at most; P(more than 6) = .01


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 80), st.floats(0, 1), st.booleans())
def test_hostile_cases_are_answered_in_words(seed, n, share, constant):
    rng = np.random.default_rng(seed)
    flags = tuple(rule(name, rng.random(n) < share) for name in ("a", "b", "c"))
    retained = np.ones(n) if constant else rng.random(n) < 0.5
    case = make_case(rng.random(n) < share, retained, vanity=(*flags, flags[0]), actions=flags, inertia=rng.random(n))
    criterion = better_than_vanity(case)
    assert criterion.sentence.endswith(".")
    assert "nan" not in criterion.sentence
    assert "n/a" not in criterion.sentence
    assert criterion.judged or (criterion.status, criterion.value) == ("warn", None)
