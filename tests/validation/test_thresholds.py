"""Is it the right threshold, and the right behaviour: planted rules, twins, and what may not be called better."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery import estimate
from discovery.validation.case import Case
from discovery.validation.contest import beside_it, flags_of, set_against
from discovery.validation.thresholds import beaten_by_none, specific_threshold

from .cases import make_case, rule

LEAST = (1, 2, 3, 5, 10)


def counted(
    n: int, proposal: int, planted: int | None, seed: int = 0, size: float = 1.5, least: tuple[int, ...] = LEAST
) -> Case:
    """Counts of one event, an outcome that follows `count >= planted` beside a trait, and `proposal` proposed."""
    rng = np.random.default_rng(seed)
    trait = rng.standard_normal(n)
    counts = rng.poisson(np.exp(1.0 + 0.4 * trait + 0.6 * rng.standard_normal(n)))
    effect = 0.0 if planted is None else size * (counts >= planted)
    retained = rng.random(n) < 1 / (1 + np.exp(0.8 - effect - 0.5 * trait))
    grid = tuple(rule(f"shared >= {k} within 7d", counts >= k) for k in least if k != proposal)
    return make_case(
        counts >= proposal, retained, milestone=f"shared >= {proposal} within 7d", activity=trait, grid=grid
    )


@pytest.mark.parametrize(("proposal", "planted"), [(1, 3), (5, 2), (10, 3)])
def test_a_wrong_threshold_is_told_which_is_better(proposal, planted):
    criterion, neighbours, better, alike = specific_threshold(counted(4000, proposal, planted))
    assert criterion.status == "fail"
    assert better == f"shared >= {planted} within 7d"
    assert f"“{better}” is the better threshold" in criterion.sentence
    assert better not in alike
    assert not criterion.decides
    best = next(each for each in neighbours if each.milestone == better)
    assert best.ahead is not None
    assert best.ahead > 0
    assert not best.alike


def test_the_right_threshold_passes_and_others_are_told_from_it():
    criterion, neighbours, better, alike = specific_threshold(counted(6000, 3, 3))
    assert (criterion.status, better, alike) == ("pass", None, ())
    assert criterion.value == 0
    assert criterion.unit == "count"
    assert [each.milestone for each in neighbours] == [str(each.milestone) for each in counted(10, 3, 3).grid]
    assert all(each.ahead is not None and each.ahead < 0 for each in neighbours)
    assert "all 4 others can be told from it" in criterion.sentence


@pytest.mark.parametrize(("planted", "said"), [(3, "can be told from it"), (None, "cannot be told from it")])
def test_a_single_other_threshold_is_the_only_one(planted, said):
    criterion = specific_threshold(counted(1000, 3, planted, least=(1, 3)))[0]
    assert f"the only other one {said}" in criterion.sentence
    assert "1 other" not in criterion.sentence


def test_a_threshold_met_by_almost_the_same_accounts_is_alike():
    case = counted(4000, 3, 3)
    nearly = case.met.copy()
    nearly[np.flatnonzero(nearly)[:5]] = False
    case = dataclasses.replace(case, grid=(*case.grid, rule("shared >= 3 within 14d", nearly)))
    criterion, neighbours, better, alike = specific_threshold(case)
    assert (criterion.status, better, alike) == ("pass", None, ("shared >= 3 within 14d",))
    assert (neighbours[-1].ahead, neighbours[-1].alike) == (None, True)
    assert "1 of 5 others cannot be told from it (within 7 to 14 days)" in criterion.sentence


def test_where_nothing_shows_the_threshold_is_not_settled():
    criterion, _, better, alike = specific_threshold(counted(300, 3, None, seed=4))
    assert (criterion.status, better) == ("warn", None)
    assert len(alike) > 2
    assert criterion.value == len(alike)
    assert "do not settle the threshold" in criterion.sentence
    assert "1 to 10 times" in criterion.sentence


def test_what_is_alike_in_a_combination_is_named_by_example():
    rng = np.random.default_rng(0)
    met = rng.random(400) < 0.4
    grid = tuple(rule(f"a >= {k} and b", rng.random(400) < 0.4) for k in (2, 3, 5))
    criterion, *_ = specific_threshold(make_case(met, rng.random(400) < 0.5, milestone="a and b", grid=grid))
    assert "(such as “a >= 2 and b”, “a >= 3 and b”)" in criterion.sentence


@pytest.mark.parametrize("planted", [None, 3])
def test_the_right_rule_is_rarely_told_that_another_is_better(planted):
    better = [specific_threshold(counted(600, 3, planted, seed))[2] is not None for seed in range(40)]
    assert sum(better) <= 5  # 2 expected at most; P(more than 5) = .01


def test_the_score_of_the_proposal_beside_a_rule_is_that_of_a_model_with_the_rule():
    case = counted(5000, 3, 3, size=0.3)
    contest = set_against(case, case.grid)
    assert contest is not None
    beside = estimate.fit_null(np.column_stack([case.null.design, case.grid[1].met]), case.retained)
    exact = float(estimate.score_test(beside, case.flag).score[0])
    tested = estimate.score_test(case.null, np.concatenate([case.flag, flags_of(case.grid)]))
    rho = _correlation(case, case.grid[1].met)
    assert (contest.own - rho * contest.score[1]) / np.sqrt(1 - rho**2) == pytest.approx(exact, abs=0.05)
    np.testing.assert_allclose(contest.score, tested.score[1:])
    assert contest.ahead[1] == pytest.approx((contest.score[1] - contest.own) / np.sqrt(2 * (1 - rho)), rel=1e-9)


def _correlation(case: Case, other: np.ndarray) -> float:
    """By least squares weighted with the information of each account."""
    root = np.sqrt(case.null.weights)
    design = case.null.design * root[:, None]
    x, z = (each - design @ np.linalg.lstsq(design, each, rcond=None)[0] for each in (root * case.met, root * other))
    return float(x @ z / np.sqrt((x @ x) * (z @ z)))


def test_what_a_rule_says_beside_the_proposal_is_scored_with_the_proposal_in_the_model():
    case = counted(4000, 10, 3)
    contest = set_against(case, case.grid)
    assert contest is not None
    beside, adds = beside_it(case, contest)
    assert beside.design.shape[1] == case.null.design.shape[1] + 1
    assert adds[2]
    assert not contest.remains[2]


@pytest.mark.parametrize(("seed", "better"), [(0, None), (2, "shared >= 4")])
def test_of_two_rules_that_each_say_something_only_a_clear_lead_makes_one_better(seed, better):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(2.5, 4000)
    retained = rng.random(4000) < 1 / (1 + np.exp(1.0 - 0.8 * (counts >= 2) - 1.0 * (counts >= 4)))
    grid = (rule("shared >= 4", counts >= 4),)
    case = make_case(counts >= 2, retained, milestone="shared >= 2", grid=grid)
    contest = set_against(case, case.grid)
    assert contest is not None
    assert contest.score[0] > contest.own
    assert contest.remains[0]
    assert beside_it(case, contest)[1][0]
    assert contest.leads[0] == (better is not None)
    assert specific_threshold(case)[2] == better


def test_the_same_case_gives_the_same_answer():
    case = counted(800, 2, 3)
    assert specific_threshold(case) == specific_threshold(case)


def families(seed: int, own: float, others: tuple[float, ...], n: int = 4000) -> Case:
    """Independent behaviours with the given effects (log-odds); the first is proposed."""
    rng = np.random.default_rng(seed)
    met = rng.random((1 + len(others), n)) < 0.35
    chance = 1 / (1 + np.exp(0.5 - np.array([own, *others]) @ met))
    rivals = tuple(rule(f"other_{i} >= 2", flag) for i, flag in enumerate(met[1:]))
    return make_case(met[0], rng.random(n) < chance, rivals=rivals)


def test_a_clearly_better_behaviour_is_named():
    criterion, competitors, better = beaten_by_none(families(0, 0.2, (0.0, 1.2, 0.0)), None)
    assert (criterion.status, better) == ("fail", "other_1 >= 2")
    assert criterion.sentence.startswith(
        "“other_1 >= 2” separates accounts clearly better: +31 points against +6 points"
    )
    assert competitors[0].family == "other_1"
    assert competitors[0].ahead is not None
    assert competitors[0].ahead > 3
    assert not criterion.decides


def test_the_best_behaviour_is_beaten_by_none():
    criterion, competitors, better = beaten_by_none(families(0, 1.2, (0.2, 0.0, 0.0)), None)
    assert (criterion.status, criterion.value, better) == ("pass", 0, None)
    assert criterion.sentence == "Of 3 other behaviours, none separates accounts better."
    assert len(competitors) == 3


def test_a_behaviour_as_good_is_not_called_better():
    answers = [beaten_by_none(families(seed, 0.8, (0.8, 0.0), n=1500), None) for seed in range(40)]
    assert sum(better is not None for _, _, better in answers) <= 2
    close = [criterion for criterion, _, _ in answers if criterion.value]
    assert 5 < len(close) < 35
    assert {criterion.status for criterion in close if "clearly" in criterion.sentence} <= {"warn", "fail"}
    assert "Of 2 other behaviours, 1 scores higher (first “other_0 >= 2”), none of them clearly." in {
        criterion.sentence for criterion in close
    }


def test_that_the_best_rule_of_a_behaviour_was_chosen_makes_the_bound_stricter():
    case = families(10, 0.3, (0.75, 0.0, 0.0), n=1500)
    fixed = set_against(case, case.rivals)
    assert fixed is not None
    assert fixed.leads[0]
    criterion, _, better = beaten_by_none(case, None)
    assert (criterion.status, criterion.value, better) == ("warn", 1, None)


def test_a_near_duplicate_is_the_same_behaviour_not_a_better_one():
    case = families(1, 0.8, (0.0,))
    twin = case.met.copy()
    turned = np.flatnonzero(~twin & case.retained)[:60], np.flatnonzero(twin & ~case.retained)[:60]
    twin[turned[0]], twin[turned[1]] = True, False
    case = dataclasses.replace(case, rivals=(*case.rivals, rule("twin", twin)))
    criterion, _, better = beaten_by_none(case, None)
    assert (criterion.status, better) == ("pass", None)
    assert "“twin” is the same behaviour, met by nearly the same accounts" in criterion.sentence


def test_a_rule_that_the_others_meet_is_not_the_same_behaviour():
    case = families(1, 0.8, (0.0,))
    others = ~case.met
    others[:40] = ~others[:40]
    case = dataclasses.replace(case, rivals=(*case.rivals, rule("others", others)))
    criterion, competitors, better = beaten_by_none(case, None)
    assert (criterion.status, better) == ("pass", None)
    assert criterion.sentence == "Of 2 other behaviours, none separates accounts better."
    assert len(competitors) == 2


def test_a_better_threshold_of_its_own_beats_it_too():
    case = counted(4000, 1, 3)
    name = specific_threshold(case)[2]
    criterion, competitors, better = beaten_by_none(case, name)
    assert (criterion.status, better, competitors) == ("fail", name, ())
    rng = np.random.default_rng(1)
    case = dataclasses.replace(case, rivals=(rule("other", rng.random(4000) < 0.4),))
    criterion, competitors, better = beaten_by_none(case, name)
    assert (criterion.status, better, len(competitors)) == ("fail", name, 1)
    assert "Of 1 other behaviour, none is clearly better, but “shared >= 3 within 7d”" in criterion.sentence


@pytest.mark.parametrize(("strength", "expected"), [(0.2, "shared >= 3 within 7d"), (3.0, "other")])
def test_of_two_better_rules_the_one_with_the_higher_score_is_named(strength, expected):
    case = counted(4000, 10, 3)
    rng = np.random.default_rng(2)
    chance = np.where(case.retained, 0.4 + 0.1 * strength, 0.4 - 0.1 * strength)
    case = dataclasses.replace(case, rivals=(rule("other", rng.random(4000) < chance),))
    assert beaten_by_none(case, specific_threshold(case)[2])[2] == expected


@pytest.mark.parametrize("met", [np.zeros(200), np.ones(200), np.arange(200) < 4])
def test_too_few_on_a_side_is_not_judged(met):
    retained = np.arange(200) % 2 == 0
    case = make_case(met, retained, grid=(rule("a", np.arange(200) % 3 == 0),), rivals=(rule("b", retained),))
    criterion, neighbours, better, alike = specific_threshold(case)
    assert (criterion.judged, criterion.status, criterion.value) == (False, "warn", None)
    assert (better, alike) == (None, ())
    assert [each.ahead for each in neighbours] == [None]
    criterion, competitors, better = beaten_by_none(case, None)
    assert (criterion.judged, criterion.status, competitors, better) == (False, "warn", (), None)


def test_nothing_to_compare_with_is_not_judged():
    rng = np.random.default_rng(0)
    case = make_case(rng.random(200) < 0.5, rng.random(200) < 0.5)
    assert not specific_threshold(case)[0].judged
    assert not beaten_by_none(case, None)[0].judged


def test_rules_that_cannot_be_estimated_do_no_harm():
    case = counted(2000, 3, 3)
    n = len(case)
    hostile = (rule("all", np.ones(n)), rule("none", np.zeros(n)), rule("same", case.met), rule("not", ~case.met))
    case = dataclasses.replace(case, grid=(*case.grid, *hostile), rivals=hostile)
    criterion, neighbours, better, _ = specific_threshold(case)
    assert better is None
    assert criterion.status == "pass"
    assert [each.difference.estimate for each in neighbours[4:6]] == [None, None]
    assert [each.alike for each in neighbours[4:]] == [False, False, True, False]
    criterion, _, better = beaten_by_none(case, None)
    assert better is None
    assert "n/a" not in criterion.sentence


def test_a_proposal_that_the_covariates_tell_is_not_judged():
    rng = np.random.default_rng(0)
    met = rng.random(500) < 0.5
    case = make_case(met, rng.random(500) < 0.5, activity=met, grid=(rule("a", rng.random(500) < 0.5),))
    assert not specific_threshold(case)[0].judged


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(20, 60), st.floats(0.02, 0.98))
def test_small_hostile_cases_are_answered_in_words(seed, n, share):
    rng = np.random.default_rng(seed)
    grid = tuple(rule(f"a >= {k}", rng.random(n) < share) for k in (2, 3))
    case = make_case(rng.random(n) < share, rng.random(n) < share, milestone="a", grid=grid, rivals=grid)
    criterion, _, better, _ = specific_threshold(case)
    second, _, _ = beaten_by_none(case, better)
    for each in (criterion, second):
        assert each.sentence.endswith(".")
        assert "nan" not in each.sentence
        assert "n/a" not in each.sentence
