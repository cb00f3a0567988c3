"""Does finishing setup without the milestone retain like never starting: planted groups for every answer."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery import estimate
from discovery.validation.beside import among
from discovery.validation.case import Case, Setup
from discovery.validation.onboarding import BEGAN, FINISHED, NEVER, REACHED, SHORT, beyond_onboarding

from .cases import make_case, setup


def onboarded(
    n: int = 4000,
    *,
    finishing: float = 0.0,
    reaching: float = 0.0,
    seed: int = 0,
    began: float = 0.8,
    finished: float = 0.7,
    reached: float = 0.5,
    covariates: int = 1,
) -> Case:
    """Accounts that begin, finish and then reach in turn; `finishing` and `reaching` are log-odds of staying."""
    rng = np.random.default_rng(seed)
    trait = rng.standard_normal((n, covariates))
    first = rng.random(n) < began
    done = first & (rng.random(n) < finished)
    met = done & (rng.random(n) < reached)
    chance = 1 / (1 + np.exp(0.5 - 0.5 * trait[:, 0] - finishing * done - reaching * met))
    return make_case(met, rng.random(n) < chance, activity=trait, setup=setup(first, done))


def test_a_milestone_that_adds_to_setup_passes():
    criterion, groups = beyond_onboarding(onboarded(reaching=1.0))
    assert (criterion.status, criterion.unit, criterion.decides) == ("pass", "points", False)
    assert criterion.value == pytest.approx(0.22, abs=0.05)
    assert "Finishing setup alone goes with" in criterion.sentence
    assert "against never beginning it; among those that finished, accounts that reached it stayed more" in (
        criterion.sentence
    )
    assert [group.label for group in groups] == [NEVER, BEGAN, FINISHED, REACHED]
    assert groups[0].adjusted is None
    last = groups[-1].adjusted
    assert last is not None
    assert last.ci_lower is not None
    assert last.ci_lower > 0.1


def test_a_milestone_that_is_setup_finished_fails():
    criterion, groups = beyond_onboarding(onboarded(30_000, finishing=1.0))
    assert criterion.status == "fail"
    assert "less than the 3 points that would matter" in criterion.sentence
    alone = groups[2].adjusted
    assert alone is not None
    assert alone.ci_lower is not None
    assert alone.ci_lower > 0.15


def test_too_wide_an_interval_is_a_warning():
    criterion, _ = beyond_onboarding(onboarded(400, reaching=0.1, seed=2))
    assert (criterion.status, criterion.judged) == ("warn", True)
    assert "not clear of 0" in criterion.sentence


def test_the_added_difference_is_that_of_a_model_of_the_accounts_that_finished():
    case = onboarded(reaching=0.6)
    assert case.setup is not None
    done = np.isfinite(case.setup.finished)
    null = estimate.fit_null(case.null.design[done], case.retained[done])
    expected = estimate.adjusted_difference(null, case.flag[:, done])
    assert beyond_onboarding(case)[0].value == pytest.approx(float(expected.estimate[0]), abs=1e-9)


def test_each_group_is_compared_with_the_first_at_equal_covariates():
    case = onboarded(20_000, finishing=0.5, reaching=0.5)
    _, groups = beyond_onboarding(case)
    assert case.setup is not None
    done = np.isfinite(case.setup.finished)
    dummies = [case.setup.begun & ~done, done & ~case.met, case.met]
    design = np.column_stack([case.null.design, *dummies])
    beta = np.linalg.lstsq(design, case.retained.astype(float), rcond=None)[0]
    shown = [group.adjusted.estimate for group in groups if group.adjusted is not None]
    assert shown == pytest.approx(list(beta[-3:]), abs=0.01)  # a logistic model of the covariates against a linear one


def test_shares_are_plain_counts():
    case = onboarded(reaching=1.0)
    _, groups = beyond_onboarding(case)
    assert sum(group.n_accounts for group in groups) == len(case)
    assert groups[-1].retained.estimate == pytest.approx(case.retained[case.met].mean())


def test_small_first_groups_are_one_and_small_later_ones_are_left_out():
    _, groups = beyond_onboarding(onboarded(began=0.999))
    assert [group.label for group in groups] == [SHORT, FINISHED, REACHED]
    criterion, groups = beyond_onboarding(onboarded(1000, began=0.01, finished=0.5))
    assert [group.label for group in groups] == [SHORT]
    assert not criterion.judged
    criterion, groups = beyond_onboarding(onboarded(began=1.0, finished=0.999, reaching=1.0))
    assert [group.label for group in groups] == [FINISHED, REACHED]
    assert "“imported”. Hardly any account left setup unfinished; " in criterion.sentence


@pytest.mark.parametrize(
    ("source", "whence"),
    [("spec", "as you named it"), ("ladder", "the rungs of your ladder"), ("path", "as found in the log")],
)
def test_the_setup_that_was_taken_is_named(source, whence):
    case = onboarded(reaching=1.0)
    assert case.setup is not None
    taken = dataclasses.replace(case.setup, source=source)
    said = beyond_onboarding(dataclasses.replace(case, setup=taken))[0].sentence
    assert said.startswith(f"Setup, {whence}: “invited”, “imported”. Finishing setup alone")
    many = dataclasses.replace(taken, steps=tuple(f"step_{i}" for i in range(9)))
    assert "“step_5” and 3 more. " in beyond_onboarding(dataclasses.replace(case, setup=many))[0].sentence


def test_a_difference_of_a_group_too_wide_to_say_anything_is_left_out():
    criterion, groups = beyond_onboarding(onboarded(200, began=0.8, finished=0.75, reaching=1.0, seed=4))
    alone = next(group.adjusted for group in groups if group.label == FINISHED)
    assert (alone.estimate, alone.ci_lower, alone.ci_upper, alone.status) == (None, None, None, "too_few")
    assert "cannot be told with so few accounts; among those that finished" in criterion.sentence
    for group in beyond_onboarding(onboarded(4000))[1]:
        assert group.adjusted is None or group.adjusted.ci_upper - group.adjusted.ci_lower <= 0.3


def test_a_setup_finished_after_the_window_is_not_finished():
    case = onboarded()
    assert case.setup is not None
    late = dataclasses.replace(case.setup, finished=case.setup.finished + 12)
    criterion, groups = beyond_onboarding(dataclasses.replace(case, setup=late))
    assert not criterion.judged
    assert FINISHED not in [group.label for group in groups]


def test_too_few_on_a_side_is_not_judged_and_says_how_many():
    criterion, groups = beyond_onboarding(onboarded(200, reached=0.02))
    assert (criterion.judged, criterion.status, criterion.value) == (False, "warn", None)
    assert "too few to tell it from finishing" in criterion.sentence
    assert REACHED not in [group.label for group in groups]


@pytest.mark.parametrize("steps", [None, Setup(steps=(), source="spec", finished=np.zeros(99), begun=np.ones(99) > 0)])
def test_without_steps_it_is_not_judged(steps):
    rng = np.random.default_rng(0)
    criterion, groups = beyond_onboarding(make_case(rng.random(99) < 0.5, rng.random(99) < 0.5, setup=steps))
    assert (criterion.judged, criterion.status, groups) == (False, "warn", ())
    assert "[kinds] setup, or propose a ladder" in criterion.sentence


def test_the_interval_covers_nothing_where_there_is_nothing():
    wrong = 0
    for seed in range(100):
        criterion, _ = beyond_onboarding(onboarded(500, finishing=0.8, seed=seed, covariates=6))
        wrong += criterion.status == "pass"
    assert wrong <= 6  # 2.5 expected; P(more than 6) = .01


def test_a_part_too_small_for_all_covariates_is_compared_at_equal_chances():
    case = onboarded(500, reaching=1.0, covariates=30)
    accounts = np.arange(500) < 200
    null = among(case.null, accounts, case.flag)
    assert null.design.shape == (200, 3)
    large = among(onboarded(2000).null, np.arange(2000) < 500, onboarded(2000).flag)
    assert large.design.shape == (500, 2)


def test_columns_that_say_the_same_among_some_accounts_count_once():
    case = onboarded(2000)
    twice = np.column_stack([case.null.design, case.null.design[:, 1], np.arange(2000) < 1000])
    null = dataclasses.replace(case.null, design=twice, coefficients=np.zeros(4))
    assert among(null, np.arange(2000) < 1000, case.flag).design.shape == (1000, 2)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 200), st.floats(0, 1), st.booleans())
def test_hostile_cases_are_answered_in_words(seed, n, share, constant):
    rng = np.random.default_rng(seed)
    retained = np.zeros(n) if constant else rng.random(n) < 0.5
    steps = setup(rng.random(n) < share, rng.random(n) < 0.5)
    criterion, groups = beyond_onboarding(make_case(rng.random(n) < share, retained, setup=steps))
    assert criterion.sentence.endswith(".")
    assert "nan" not in criterion.sentence
    assert "n/a" not in criterion.sentence
    assert all(group.n_accounts >= 30 for group in groups)
    assert criterion.judged or (criterion.status, criterion.value) == ("warn", None)
