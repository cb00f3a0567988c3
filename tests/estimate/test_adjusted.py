"""What each comparison holds equal, and that scores and differences are those of its null model."""

import numpy as np
import pytest
from scipy.special import expit

from discovery.estimate import (
    Adjustment,
    Covariates,
    adjusted_difference,
    cox_null,
    differences,
    logistic_null,
    pack,
    score_all,
    score_test,
)

N = 400


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(0)
    plan, factor, days = rng.random(N) < 0.4, rng.normal(size=N), rng.poisson(3.0, size=N).astype(float)

    def one(name, values):
        return Covariates(names=(name,), values=((values - values.mean()) / values.std())[:, None])

    adjustment = Adjustment(
        static=one("plan=team", plan.astype(float)),
        activity=one("activity 1.0", factor),
        inertia=one("inertia log days", days),
        has_traits=True,
    )
    flags = rng.random((6, N)) < expit(factor)
    retained = rng.random(N) < expit(factor + 0.3 * days - 0.8 + plan)
    return adjustment, flags, retained


COMPARISONS = {
    "traits": {"plan=team"},
    "activity": {"plan=team", "activity 1.0"},
    "composition": {"plan=team", "inertia log days"},
    "both": {"plan=team", "activity 1.0", "inertia log days"},
}


@pytest.mark.parametrize(("comparison", "held"), COMPARISONS.items())
def test_each_comparison_holds_equal_what_it_says(world, comparison, held):
    design = world[0].design(np.arange(N), comparison)
    assert design.names[0] == "intercept"
    assert set(design.names[1:]) == held
    assert {name for part in world[0].parts(np.arange(N), comparison) for name in part.names} == held


def test_a_design_has_a_column_for_twenty_accounts_and_keeps_activity_the_longest(world):
    assert world[0].design(np.arange(40), "both").names == ("intercept", "activity 1.0")
    assert world[0].design(np.arange(59), "activity").names == ("intercept", "activity 1.0")


def test_the_design_is_that_of_the_accounts_asked_for(world):
    rows = np.arange(0, N, 3)
    whole, some = world[0].design(np.arange(N), "both").values, world[0].design(rows, "both").values
    np.testing.assert_array_equal(some, whole[rows])


def test_scores_are_those_of_the_null_model_over_its_accounts(world):
    adjustment, flags, retained = world
    rows = np.arange(0, N, 2)
    null = logistic_null(adjustment, rows, retained, "activity")
    found = score_all(null, pack(flags), N, rows)
    plain = score_test(null, flags[:, rows])
    np.testing.assert_allclose(found.score, plain.score)
    np.testing.assert_allclose(found.p_value, plain.p_two_sided)
    assert found.status.tolist() == ["ok"] * 6


def test_outcomes_of_accounts_that_are_not_asked_for_are_never_read(world):
    adjustment, flags, retained = world
    rows = np.arange(0, N, 2)
    other = retained.copy()
    other[1::2] = ~other[1::2]
    scores = [
        score_all(logistic_null(adjustment, rows, y, "both"), pack(flags), N, rows).score for y in (retained, other)
    ]
    np.testing.assert_array_equal(*scores)


def test_more_of_what_moves_both_takes_more_of_the_score_away(world):
    adjustment, flags, retained = world
    rows = np.arange(N)
    mean = {
        comparison: score_all(logistic_null(adjustment, rows, retained, comparison), pack(flags), N, rows).score.mean()
        for comparison in ("traits", "activity")
    }
    assert mean["traits"] > 2.5
    assert abs(mean["activity"]) < 1


def test_cox_scores_have_the_sign_of_staying(world):
    adjustment, flags, retained = world
    rows = np.arange(N)
    duration = np.where(retained, 90.0, 30.0)
    null = cox_null(adjustment, rows, duration, ~retained, "traits")
    cox = score_all(null, pack(flags), N, rows).score
    logistic = score_all(logistic_null(adjustment, rows, retained, "traits"), pack(flags), N, rows).score
    np.testing.assert_array_equal(np.sign(cox), np.sign(logistic))
    np.testing.assert_allclose(cox, logistic, rtol=0.15)


def test_differences_are_those_of_the_null_model(world):
    adjustment, flags, retained = world
    rows = np.arange(0, N, 2)
    null = logistic_null(adjustment, rows, retained, "activity")
    found = differences(null, pack(flags), N, rows, alpha=0.1)
    plain = adjusted_difference(null, flags[:, rows], 0.1)
    np.testing.assert_allclose(found.estimate, plain.estimate)
    np.testing.assert_allclose(found.upper - found.lower, plain.ci_upper - plain.ci_lower)
    assert found.n_accounts == len(rows)


def test_a_model_that_did_not_converge_scores_nothing(world):
    adjustment, flags, _ = world
    null = logistic_null(adjustment, np.arange(N), np.zeros(N, dtype=bool), "traits")
    object.__setattr__(null, "converged", False)
    found = score_all(null, pack(flags), N, np.arange(N))
    assert np.isnan(found.score).all()
    assert set(found.status) == {"not_converged"}
    assert np.isnan(differences(null, pack(flags), N, np.arange(N)).estimate).all()
