"""The same search inside each segment: one bound over all, and each rule beside the other values."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import chi2
from statsmodels.stats.meta_analysis import combine_effects

from discovery.estimate import adjusted_difference, heterogeneity, unpack
from discovery.study import personas
from discovery.study import sample as samples
from discovery.study.personas import search_personas

from .samples import prepare


@pytest.fixture(scope="module")
def prepared():
    return prepare("segment_only", 2500, 3)


def search(prepared, sample=None):
    outcome = prepared.outcome
    return search_personas(
        sample or prepared.sample, prepared.spec, outcome.population, outcome.summary, lambda stage: None
    )


@pytest.fixture(scope="module")
def found(prepared):
    return search(prepared)


def test_every_large_value_of_every_segment_is_searched_and_no_small_one(prepared, found):
    sample = prepared.sample
    large = {
        f"{segment}={value}"
        for segment, values in sample.segments.items()
        for value in set(values)
        if ((values == value) & sample.mature).sum() >= 200
    }
    assert {persona.persona for persona in found} == large
    for persona in found:
        segment, _, value = persona.persona.partition("=")
        assert persona.accounts == (sample.segments[segment] == value).sum()
        assert persona.verdict.persona == persona.persona


def test_the_planted_segment_is_found_and_its_rule_differs_from_the_others(found):
    team = next(persona for persona in found if persona.persona == "plan=team")
    assert (team.verdict.status, team.ranking[0].family) == ("found", "report_shared")
    assert team.heterogeneity_p < 0.01
    assert not any(p.verdict.status == "found" for p in found if p.persona.startswith("plan=") and p is not team)


def test_one_bound_holds_over_all_personas_and_is_above_that_of_each(prepared, monkeypatch):
    seen = []
    gather = personas.gather

    def watched(sample, spec, maxima, tested):
        evidence = gather(sample, spec, maxima, tested)
        seen.append((evidence, tested))
        return evidence

    monkeypatch.setattr(personas, "gather", watched)
    search(prepared)
    bounds = {float(bound) for evidence, _ in seen for bound in evidence.bound}
    assert len(bounds) == 1
    alpha = prepared.spec.inference.alpha
    assert all(bounds.pop() > np.quantile(tested.maxima, 1 - alpha) for _, tested in seen[:1])
    assert all(float(evidence.bound[0]) > np.quantile(tested.maxima, 1 - alpha) for evidence, tested in seen)
    assert all(" + " not in family for evidence, _ in seen for family in evidence.candidates.families)


def test_the_joint_bound_is_that_of_the_largest_of_independent_searches():
    rng = np.random.default_rng(0)
    draws = rng.normal(loc=[[3.0], [2.5], [2.8]], scale=0.5, size=(3, 999))
    joint = personas._joint_maxima([SimpleNamespace(maxima=np.sort(row)) for row in draws])
    many = np.max([rng.choice(row, 40_000) for row in draws], axis=0)
    assert len(joint) == 999
    for level in (0.5, 0.9, 0.95):
        assert np.quantile(joint, level) == pytest.approx(np.quantile(many, level), abs=0.03)


def test_the_joint_bound_of_one_search_is_its_own_and_of_none_is_empty():
    maxima = np.sort(np.random.default_rng(1).normal(size=999))
    np.testing.assert_allclose(personas._joint_maxima([SimpleNamespace(maxima=maxima)]), maxima)
    assert len(personas._joint_maxima([])) == 0


def by_hand(prepared, family):
    """Return each plan's adjusted difference of a rule and its standard error."""
    sample = prepared.sample
    rule = next(
        i
        for i, condition in enumerate(sample.flags.conditions)
        if (condition.event, condition.at_least, condition.within_hours, condition.min_users) == family
    )
    flag = unpack(sample.flags.packed[[rule]], len(sample))
    estimates = {}
    for value in sorted(set(sample.segments["plan"])):
        inside = sample.among(sample.segments["plan"] == value)
        if len(inside.rows) >= 200:
            effect = adjusted_difference(inside.horizon_null, flag[:, inside.rows])
            estimates[f"plan={value}"] = float(effect.estimate[0]), float(effect.se[0])
    return estimates


@pytest.mark.parametrize("persona", ["plan=team", "plan=starter"])
def test_heterogeneity_and_shrinkage_are_those_of_a_meta_analysis(prepared, found, persona):
    """Cochran's Q by hand; mean and variance between the values as statsmodels has them."""
    told = next(each for each in found if each.persona == persona)
    condition = told.ranking[0].conditions[0]
    rule = condition["event"], condition["at_least"], 24 * condition["within_days"], condition["min_users"]
    estimates = by_hand(prepared, rule)
    theta, se = np.array(list(estimates.values())).T
    weight = 1 / se**2
    q = (weight * (theta - (weight * theta).sum() / weight.sum()) ** 2).sum()
    assert told.heterogeneity_p == pytest.approx(chi2.sf(q, len(theta) - 1), rel=1e-6)
    meta = combine_effects(theta, se**2, method_re="dl")
    assert meta.q == pytest.approx(q)
    here, own = estimates[persona]
    share = max(0.0, meta.tau2) / (max(0.0, meta.tau2) + own**2)
    assert told.shrunken.estimate == pytest.approx(share * here + (1 - share) * meta.mean_effect_re, rel=1e-6)
    spread = np.sqrt(share * own**2 + (1 - share) ** 2 * meta.sd_eff_w_re**2)
    assert (told.shrunken.ci_upper - told.shrunken.ci_lower) / 2 == pytest.approx(1.959964 * spread, rel=1e-5)
    lower, upper = sorted([here, meta.mean_effect_re])
    assert lower <= told.shrunken.estimate <= upper


@pytest.mark.parametrize("seed", range(5))
def test_differences_that_agree_are_drawn_together_and_those_that_do_not_are_left(seed):
    rng = np.random.default_rng(seed)
    se = rng.uniform(0.02, 0.04, size=4)
    p, between = heterogeneity(np.full(4, 0.1), se)
    assert (p, between) == (pytest.approx(1), 0)
    middle, spread = personas._drawn_together(np.array([0.11, 0.1, 0.1, 0.1]), se, 0.0, 0.11, se[0])
    assert middle < 0.105
    assert spread < se[0]
    apart = np.array([0.5, -0.4, 0.1, 0.0])
    p, between = heterogeneity(apart, se)
    assert p < 1e-6
    assert personas._drawn_together(apart, se, between, 0.5, se[0])[0] > 0.49


def test_shrunken_intervals_cover_the_truth_of_each_value():
    """Differences that vary between values, with noise: near 95 in 100, less for taking their variance as known."""
    rng = np.random.default_rng(9)
    covered = []
    for _ in range(1500):
        se = rng.uniform(0.02, 0.06, size=8)
        truth = rng.normal(0.08, 0.04, size=8)
        theta = truth + rng.normal(size=8) * se
        _, between = heterogeneity(theta, se)
        middle, spread = personas._drawn_together(theta, se, between, theta[0], se[0])
        covered.append(abs(middle - truth[0]) < 1.96 * spread)
    assert 0.84 < np.mean(covered) < 0.97


def test_a_persona_finds_the_same_with_the_flags_of_its_own_accounts_alone(prepared, found, monkeypatch):
    monkeypatch.setattr(samples, "COMPACT_BEYOND", 0)
    copied = []
    flags_of = samples.estimate.flags_of
    monkeypatch.setattr(samples.estimate, "flags_of", lambda *given: copied.append(len(given[1])) or flags_of(*given))
    again = search(prepared)
    assert copied == [persona.accounts for persona in again]
    for one, other in zip(found, again, strict=True):
        assert one.verdict.sentence == other.verdict.sentence
        assert [(f.family, f.status, f.n_reached) for f in one.ranking] == [
            (f.family, f.status, f.n_reached) for f in other.ranking
        ]
        for f, same in zip(one.ranking, other.ranking, strict=True):
            assert (f.score, f.adjusted.estimate, f.adjusted.ci_lower, f.bound) == pytest.approx(
                (same.score, same.adjusted.estimate, same.adjusted.ci_lower, same.bound), rel=1e-5
            )


def test_an_unknown_value_is_no_persona_and_takes_no_part_in_the_comparison(prepared, found):
    """Half of one plan becomes unknown: named `None` it would be a value like any other."""
    sample = prepared.sample
    plans = sample.segments["plan"].copy()
    plans[plans == "starter"] = None
    told = search(prepared, dataclasses.replace(sample, segments={"plan": plans}))
    assert "plan=None" not in {persona.persona for persona in told}
    team = next(persona for persona in told if persona.persona == "plan=team")
    others = [each for each in by_hand(prepared, ("report_shared", 3, 168, 1)) if each != "plan=starter"]
    assert len(others) >= 2
    assert team.heterogeneity_p is not None


def test_a_segment_may_be_called_anything(prepared, found):
    sample = prepared.sample
    renamed = search(prepared, dataclasses.replace(sample, segments={"plan=at signup": sample.segments["plan"]}))
    before = {p.persona: p.heterogeneity_p for p in found if p.persona.startswith("plan=")}
    assert {p.persona.replace("plan=at signup", "plan"): p.heterogeneity_p for p in renamed} == pytest.approx(before)


def test_without_segments_there_is_no_persona(prepared):
    assert search(prepared, dataclasses.replace(prepared.sample, segments={})) == ()
    alike = {"region": np.full(len(prepared.sample), "emea", dtype=object)}
    assert search(prepared, dataclasses.replace(prepared.sample, segments=alike)) == ()
