import dataclasses

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests
from validation.cases import make_case

from discovery.results import Criterion, Estimate, Power
from discovery.validation import Effect, decide, effect_of
from discovery.validation.judge import power_of
from discovery.validation.verdict import Grounds, conclude, latest, predictive

ARBITRARY = np.random.default_rng(0).random((2, 400)) < 0.5
POWER = Power(minimum_detectable=0.05, accounts_needed=900, accounts_missing=500, on_their_way=10, weeks=3.0)


PLAIN = Estimate(estimate=0.2, ci_lower=0.1, ci_upper=0.3, scale="risk difference", n_accounts=1000)


def grounds(origin="independent", standing="none", better=None):
    return Grounds(plain=PLAIN, better=better, power=POWER, origin=origin, standing=standing)


def effect(estimate, se=0.01, bound=4.0, inertia=None):
    return Effect(estimate=estimate, se=se, n=1000, bound=bound, spread=se * 1000**0.5, inertia=inertia)


def verdict_on(estimate, se=0.01, origin="independent", criteria=(), standing="none", outcome="retained"):
    judged = make_case(*ARBITRARY, outcome=outcome)
    (decision,) = decide([effect(estimate, se)], origin, 0.05)
    return conclude(judged, decision, (predictive(judged, decision, None), *criteria), grounds(origin, standing))


def failing(name="not the outcome in disguise"):
    return Criterion(name=name, status="fail", sentence="It is part of the decision.", decides=True)


@pytest.mark.parametrize(
    ("estimate", "expected"),
    [
        (0.10, "holds"),
        (0.031, "holds"),
        (0.0297, "not enough data"),  # clear of 0, but less than would matter
        (0.015, "not enough data"),
        (0.0, "does not hold"),
        (-0.10, "does not hold"),
    ],
)
def test_the_boundaries_of_the_three_verdicts(estimate, expected):
    assert verdict_on(estimate).verdict == expected


def test_an_interval_that_reaches_both_0_and_what_matters_is_not_enough_data():
    said = verdict_on(0.05, se=0.04)
    assert said.verdict == "not enough data"
    assert "may be nothing" in said.sentence
    assert "500 more accounts" in said.reasons[-1]
    assert "+20.0 points" in said.reasons[0]


def test_a_search_is_told_what_would_spare_it_the_penalty():
    searched, plain = (verdict_on(0.05, se=0.04, origin=origin) for origin in ("searched", "independent"))
    assert "--registered" in searched.reasons[-1]
    assert not any("--registered" in reason for reason in plain.reasons)


def test_a_disqualifying_criterion_outweighs_any_difference():
    said = verdict_on(0.3, criteria=(failing(),))
    assert said.verdict == "does not hold"
    assert said.decided_by == "criterion"
    assert "part of the decision" in said.sentence


def test_a_failed_criterion_that_does_not_decide_changes_nothing():
    failed = Criterion(name="early", status="fail", sentence="Late.")
    assert verdict_on(0.3, criteria=(failed,)).verdict == "holds"


def test_a_search_widens_the_lower_bound_alone():
    (searched,), (plain,) = (decide([effect(0.05, 0.01)], origin, 0.05) for origin in ("searched", "independent"))
    assert searched.adjusted.ci_lower == pytest.approx(0.05 - 4.0 * 0.01)
    assert plain.adjusted.ci_lower == pytest.approx(0.05 - norm.ppf(0.975) * 0.01)
    assert searched.adjusted.ci_upper == plain.adjusted.ci_upper
    assert searched.unwidened == plain.unwidened


@pytest.mark.parametrize("size", [3.9, 4.1])
def test_the_searched_p_value_says_what_the_interval_says(size):
    (decision,) = decide([effect(size * 0.01, 0.01)], "searched", 0.05)
    assert (decision.p_adjusted <= 0.05) == (decision.adjusted.ci_lower > 0) == (size > 4)


def test_several_proposals_are_judged_as_holm_would():
    estimates = [0.021, 0.0245, 0.03, 0.005]
    decisions = decide([effect(value) for value in estimates], "independent", 0.05)
    p = 2 * norm.sf(np.array(estimates) / 0.01)
    rejected, adjusted, *_ = multipletests(p, method="holm")
    np.testing.assert_allclose([d.p_adjusted for d in decisions], adjusted, rtol=1e-9)
    assert [d.adjusted.ci_lower > 0 for d in decisions] == list(rejected)


def test_one_proposal_answers_for_itself_alone():
    (decision,) = decide([effect(0.02)], "registered", 0.05)
    assert decision.p_adjusted == decision.p_value
    assert decision.coverage == pytest.approx(0.95)
    assert decision.adjusted == decision.unwidened


def test_what_inertia_alone_would_show_moves_the_lower_bound_and_the_p_value():
    inertia = np.abs(np.random.default_rng(1).normal(1.5, 1.0, 400))
    (decision,) = decide([effect(0.025, inertia=inertia)], "independent", 0.05)
    (plain,) = decide([effect(0.025)], "independent", 0.05)
    assert decision.p_value > plain.p_value
    assert decision.adjusted.ci_lower < 0 < plain.adjusted.ci_lower
    assert decision.adjusted.ci_upper == plain.adjusted.ci_upper


def test_an_unknown_effect_is_not_enough_data():
    judged = make_case(*ARBITRARY)
    (decision,) = decide([effect(np.nan, np.nan)], "independent", 0.05)
    assert decision.adjusted.estimate is None
    assert decision.p_value is None
    assert conclude(judged, decision, (), grounds()).verdict == "not enough data"
    assert not predictive(judged, decision, None).judged


@pytest.mark.parametrize(
    ("estimate", "standing", "expected"),
    [
        (0.10, "contradicts", "not enough data"),
        (0.10, "inconclusive", "holds"),
        (0.015, "supports", "holds"),
        (-0.10, "supports", "holds"),
        (-0.10, "contradicts", "does not hold"),
    ],
)
def test_a_past_experiment_outranks_the_comparison(estimate, standing, expected):
    tried = Criterion(name="experimental evidence", status="warn", sentence="A test was run.")
    said = verdict_on(estimate, criteria=(tried,), standing=standing)
    assert said.verdict == expected
    by_test = standing == "supports" or (estimate, standing) == (0.10, "contradicts")
    assert said.decided_by == ("experiment" if by_test else "difference")
    assert ("A test was run." in said.reasons) == by_test


def test_later_activity_needs_more_than_being_active():
    unsure = Criterion(name="better than vanity", status="warn", sentence="Unclear.")
    sure = Criterion(name="better than vanity", status="pass", sentence="Clear.")
    assert verdict_on(0.10, criteria=(unsure,), outcome="active").verdict == "not enough data"
    assert verdict_on(0.10, criteria=(sure,), outcome="active").verdict == "holds"
    assert verdict_on(0.10, criteria=(unsure,), outcome="retained").verdict == "holds"


def test_a_difference_lost_among_the_latest_signups_is_a_warning():
    rng = np.random.default_rng(3)
    n = 4000
    met = rng.random(n) < 0.5
    early = np.arange(n) < 3000
    stayed = rng.random(n) < np.where(early & met, 0.8, 0.4)
    judged = make_case(met, stayed)
    late = latest(judged)
    (decision,) = decide([effect(0.30, 0.02)], "independent", 0.05)
    assert late.n_accounts == pytest.approx(1000, abs=2)
    assert late.ci_lower < 0 < late.ci_upper
    assert predictive(judged, decision, late).status == "warn"


def test_no_past_experiment_excuses_the_outcome_in_disguise():
    assert verdict_on(0.3, criteria=(failing(),), standing="supports").verdict == "does not hold"


def test_a_better_rule_is_said_where_the_proposal_holds():
    judged = make_case(*ARBITRARY)
    (decision,) = decide([effect(0.10)], "independent", 0.05)
    said = conclude(judged, decision, (), grounds(better="invited >= 2"))
    assert said.verdict == "holds"
    assert "“invited >= 2” separates better" in said.sentence


def test_nobody_since_the_registration_is_said():
    judged = make_case(*ARBITRARY)
    late = dataclasses.replace(judged, decides=np.zeros(len(judged), dtype=bool), deciding=None)
    (decision,) = decide([effect_of(late, 4.0)], "registered", 0.05)
    assert "No account that signed up since" in predictive(late, decision, None).sentence


@pytest.mark.parametrize("origin", ["searched", "independent", "registered"])
def test_no_proposal_is_refused_at_a_level_the_others_leave_it(origin):
    """The fourth of four is tested at the full level against 0; its upper bound still answers for all four."""
    decisions = decide([effect(0.10), effect(0.12), effect(0.14), effect(0.011)], origin, 0.05)
    reaches = [(d.adjusted.ci_upper - d.adjusted.estimate) / 0.01 for d in decisions]
    assert reaches == pytest.approx([norm.ppf(1 - 0.025 / 4)] * 4)


def test_power_is_that_of_holding():
    """A true difference must be clear of 0 and look as large as matters: both in four studies of five."""
    rng = np.random.default_rng(0)
    for se in (0.002, 0.01, 0.03):
        found = effect(0.0, se)
        (decision,) = decide([found], "independent", 0.05)
        power = power_of(found, decision, 0.03, lambda missing: (0, 1.0))
        seen = rng.normal(power.minimum_detectable, se, 20_000)
        holds = ((seen - decision.reach * se > 0) & (seen >= 0.03)).mean()
        assert holds == pytest.approx(0.8, abs=0.012)


def test_what_is_missing_is_known_before_anyone_can_decide():
    """Nobody signed up since the registration: all judged accounts tell how many will be needed."""
    rng = np.random.default_rng(5)
    met = rng.random(2000) < 0.4
    judged = make_case(met, rng.random(2000) < 0.5)
    nobody = dataclasses.replace(judged, decides=np.zeros(2000, dtype=bool), deciding=None)
    found = effect_of(nobody, 4.0)
    (decision,) = decide([found], "registered", 0.05)
    power = power_of(found, decision, 0.03, lambda missing: (0, float(missing)))
    by_hand = (1.96 + 0.8416) ** 2 * 0.25 / (0.4 * 0.6) / 0.03**2
    assert power.accounts_missing == pytest.approx(by_hand, rel=0.05)
    assert power.minimum_detectable is None
