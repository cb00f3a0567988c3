"""The difference over cohorts and segments: planted, at the boundaries, and where nothing can be said."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from discovery.spec import Day
from discovery.validation.steadiness import stable
from discovery.wording import p_value

from .cases import START, make_case


def world(seed, effects, n=4000, plans=("free", "team", "business", "partner"), **parts):
    """Accounts of four plans, one quarter each; `effects` [4, 4] are the differences by cohort and plan."""
    rng = np.random.default_rng(seed)
    plan, cohort, busy = rng.integers(0, 4, n), np.arange(n) * 4 // n, rng.normal(size=n)
    met = rng.random(n) < 1 / (1 + np.exp(0.5 - 0.3 * plan - 0.5 * busy))
    effect = np.broadcast_to(np.asarray(effects, dtype=float), (4, 4))[cohort, plan]
    retained = rng.random(n) < 0.35 + 0.03 * plan + 0.04 * np.clip(busy, -3, 3) + effect * met
    columns = [plan == k for k in range(1, 4)]
    segments = {"plan": np.array([plans[k] for k in plan], dtype=object)}
    return make_case(
        met, retained, traits={"plan": np.column_stack(columns)}, activity=busy, segments=segments, **parts
    )


def test_a_steady_difference_passes_and_every_part_is_near_it():
    found, cohorts, segments = stable(world(1, 0.2))
    assert (found.status, found.unit, found.decides) == ("pass", "p", False)
    assert found.value > 0.01
    assert f"(smallest {p_value(found.value)}; below 0.01 would be one)" in found.sentence
    assert len(cohorts) == 4
    assert sum(row.n_accounts for row in cohorts) == 4000
    sizes = [row.n_accounts for row in segments]
    assert sizes == sorted(sizes, reverse=True)
    assert {row.value for row in segments} == {"free", "team", "business", "partner"}
    for row in (*cohorts, *segments):
        half = (row.difference.ci_upper - row.difference.ci_lower) / 2
        assert abs(row.difference.estimate - 0.2) < 2 * half
        assert row.difference.n_accounts == row.n_accounts
    assert all(earlier.last < later.first for earlier, later in pairwise(cohorts))


def test_intervals_cover_as_often_as_they_say():
    """Parts of 300 accounts: 95 in 100 hold the difference, which lies apart from the base rate of each plan."""
    rows = [row for seed in range(200, 250) for each in stable(world(seed, 0.15, n=1200))[1:] for row in each]
    covered = [row.difference.ci_lower < 0.15 < row.difference.ci_upper for row in rows]
    assert len(rows) == 400
    assert np.mean(covered) == pytest.approx(0.95, abs=0.03)


def test_parts_that_differ_are_a_doubt_and_named():
    effects = np.zeros((4, 4))
    effects[:, 2] = 0.4
    found, _, segments = stable(world(2, effects))
    assert found.status == "warn"
    assert found.value < 0.01
    assert "over the values of plan" in found.sentence
    assert "(business)" in found.sentence
    assert {row.p_differs for row in segments} == {found.value}


def test_a_part_that_is_clearly_the_other_way_fails():
    effects = np.full((4, 4), 0.2)
    effects[:, 1] = -0.25
    found, *_ = stable(world(3, effects))
    assert found.status == "fail"
    assert "plan = team" in found.sentence
    old = np.full((4, 4), 0.2)
    old[0] = -0.25
    found, *_ = stable(world(3, old))
    assert found.status == "fail"
    assert "signed up 2024-10-04 to 2024-11-17" in found.sentence


def test_a_difference_that_falls_from_cohort_to_cohort_is_a_doubt():
    found, *_ = stable(world(4, np.array([0.3, 0.2, 0.1, 0.02])[:, None]))
    assert found.status == "warn"
    assert "falls from cohort to cohort" in found.sentence
    rising, *_ = stable(world(4, np.array([0.16, 0.18, 0.2, 0.22])[:, None]))
    assert rising.status == "pass"


def test_what_does_not_differ_is_seldom_said_to():
    """Sixty worlds of the same difference everywhere; one in a hundred for each of cohorts, segments and the trend."""
    found = [stable(world(seed, 0.1, n=1200))[0] for seed in range(100, 160)]
    assert sum(each.status != "pass" for each in found) <= 4
    assert not any(each.status == "fail" for each in found)


@pytest.mark.parametrize(("n", "cohorts"), [(399, 3), (400, 4), (299, 2), (200, 2), (199, 0)])
def test_cohorts_are_as_many_as_are_large_enough(n, cohorts):
    n_met = np.arange(n) % 2 == 0
    case = make_case(n_met, np.arange(n) % 3 == 0, signup=START + np.arange(n, dtype=np.int64) * Day)
    assert len(stable(case)[1]) == cohorts


def test_accounts_of_one_day_are_in_one_cohort():
    n = 1000
    case = make_case(
        np.arange(n) % 2 == 0, np.arange(n) % 3 == 0, signup=START + np.arange(n, dtype=np.int64) // 250 * Day
    )
    rows = stable(case)[1]
    assert [row.n_accounts for row in rows] == [250] * 4
    assert [row.first for row in rows] == [row.last for row in rows]
    uneven = (
        START + np.array([0, 1, 2, 3])[np.arange(n) // 250] * Day + np.arange(n, dtype=np.int64) % 250 * (Day // 250)
    )
    uneven[:200] -= Day
    rows = stable(dataclasses.replace(case, signup=uneven))[1]
    assert all(earlier.last < later.first for earlier, later in pairwise(rows))
    one_day = dataclasses.replace(case, signup=START + np.arange(n, dtype=np.int64) * (Day // n))
    assert stable(one_day)[1] == ()


def test_unknown_and_small_values_are_no_parts():
    case = world(5, 0.1, plans=("free", None, float("nan"), "partner"))
    case.segments["plan"][np.flatnonzero(case.segments["plan"] == "partner")[99:]] = "rest"
    small = dataclasses.replace(
        case, segments={"plan": np.where(case.segments["plan"] == "rest", None, case.segments["plan"])}
    )
    assert {row.value for row in stable(small)[2]} == {"free"}
    assert [row.p_differs for row in stable(small)[2]] == [None]


def test_at_most_twelve_values_of_a_segment():
    n = 3000
    country = np.array([f"c{k:02d}" for k in np.arange(n) % 15], dtype=object)
    case = make_case(np.arange(n) // 15 % 2 == 0, np.arange(n) // 30 % 2 == 0, segments={"country": country})
    assert len(stable(case)[2]) == 12


def test_several_segments_answer_for_each_other():
    effects = np.zeros((4, 4))
    effects[:, 2] = 0.17
    case = world(7, effects)
    alone = stable(case)[2][0].p_differs
    rng = np.random.default_rng(1)
    others = {f"s{k}": rng.choice(np.array(["a", "b"], dtype=object), 4000) for k in range(4)}
    together = next(
        row for row in stable(dataclasses.replace(case, segments=case.segments | others))[2] if row.segment == "plan"
    )
    assert together.p_differs == pytest.approx(min(1.0, 5 * alone))
    calm = dataclasses.replace(world(1, 0.2), segments=others)
    assert ", corrected for several segments; below 0.01 would be one)" in stable(calm)[0].sentence


@pytest.mark.parametrize(
    ("met", "retained"),
    [
        (np.zeros(500), np.arange(500) % 2),
        (np.ones(500), np.arange(500) % 2),
        (np.arange(500) % 2, np.ones(500)),
        (np.arange(500) % 2, np.zeros(500)),
        (np.arange(6) % 2, np.arange(6) % 3 == 0),
    ],
)
def test_where_no_two_parts_can_be_compared_nothing_is_said(met, retained):
    plan = np.array(["a", "b"], dtype=object)[np.arange(len(met)) % 2]
    found, cohorts, segments = stable(make_case(met, retained, segments={"plan": plan}))
    assert (found.judged, found.status, found.value) == (False, "warn", None)
    assert (cohorts, segments) == ((), ())


def test_a_value_that_the_flag_repeats_has_no_difference():
    """All of one value reached it: nothing to compare there; and the covariates know the flag of the rest."""
    n = 800
    met = np.arange(n) % 4 != 0
    case = make_case(met, np.arange(n) % 3 == 0, activity=met.astype(float))
    assert not stable(case)[0].judged
