"""Worlds whose truth is known: what is planted is found by its own rule, and nothing is found in nothing.

A few runs of each, with fixed seeds; the accuracy benchmark has the many.
"""

import pytest
from scipy.stats import binom

import discovery
from discovery import Milestone

SEEDS = range(2)
ACCOUNTS = 2500
NULLS = ("null", "confounded_null", "hidden_trait", "inertia_null")
NULL_SEEDS = range(100, 103)
NULL_RATE = 0.02
"""What the method claims: a finding in at most two of a hundred null worlds."""


def study(world, seed, accounts=ACCOUNTS):
    made = discovery.simulate_world(world, accounts=accounts, seed=seed)
    outcome = {key: value for key, value in made.truth.spec["outcome"].items() if key != "by_day"}
    result = discovery.Study(made.events, made.accounts, {"accounts": {"segments": ["plan"]}, "outcome": outcome}).run()
    return made.truth, result


@pytest.fixture(scope="module")
def ran():
    """Studies by world and seed, each made once."""
    made = {}

    def get(world, seed):
        if (world, seed) not in made:
            made[world, seed] = study(world, seed)
        return made[world, seed]

    return get


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("world", ["easy", "chain", "conjunction", "multi_user", "leaky", "inertia_planted"])
def test_the_planted_rule_is_found_word_for_word(ran, world, seed):
    truth, result = ran(world, seed)
    assert result.verdict.status == "found"
    assert result.ranking[0].milestone == result.verdict.milestone
    assert result.verdict.milestone in truth.planted or set(truth.planted) & set(result.ranking[0].equivalent)


def test_a_confounded_effect_is_first_and_never_less_than_a_lead(ran):
    """Hidden engagement moves volumes and staying as well; what it moves is never a finding."""
    found = 0
    for seed in SEEDS:
        truth, result = ran("confounded", seed)
        first = result.ranking[0]
        assert first.family == Milestone.parse(truth.planted[0]).family
        assert first.status in ("found", "lead")
        assert not [f for f in result.ranking[1:] if f.status == "found"]
        found += first.status == "found"
    assert found >= 1


@pytest.mark.parametrize("seed", SEEDS)
def test_an_effect_in_one_segment_is_found_there_and_in_no_other(ran, seed):
    truth, result = ran("segment_only", seed)
    segment = truth.segment.partition("=")[0]
    of_segment = [persona for persona in result.personas if persona.persona.startswith(f"{segment}=")]
    found = [persona for persona in of_segment if persona.verdict.status == "found"]
    assert [persona.persona for persona in found] == [truth.segment]
    assert result.verdict.persona == truth.segment
    assert found[0].ranking[0].family == Milestone.parse(truth.planted[0]).family
    assert found[0].heterogeneity_p < 0.001
    assert found[0].shrunken.ci_lower > 0.05


@pytest.mark.parametrize("seed", SEEDS)
def test_leaks_are_listed_apart(ran, seed):
    truth, result = ran("leaky", seed)
    apart = {family.family for family in result.ranking if family.status == "outcome_adjacent"}
    assert set(truth.outcome_adjacent) <= apart
    assert all(family.rank is None for family in result.ranking if family.family in apart)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_planted_chain_is_the_ladder(ran, seed):
    truth, result = ran("chain", seed)
    rungs = [rung.milestone for rung in result.ladders[0].rungs if rung.role == "required"]
    assert len(rungs) >= 2
    assert rungs == [event for event in truth.chain if event in rungs]


def test_the_printed_difference_is_near_the_true_one(ran):
    """Ninety-five intervals in a hundred should hold the true difference: of a few, all but one."""
    held = []
    for world in ("easy", "chain", "leaky", "inertia_planted"):
        for seed in SEEDS:
            truth, result = ran(world, seed)
            true = truth.effects[truth.planted[0]].overlap_weighted_difference
            shown = result.ranking[0].adjusted
            held.append(shown.ci_lower <= true <= shown.ci_upper)
            assert shown.estimate == pytest.approx(true, abs=0.08)
    assert sum(held) >= len(held) - 1


@pytest.fixture(scope="module")
def nulls():
    return {(world, seed): study(world, seed, 1200)[1] for world in NULLS for seed in NULL_SEEDS}


def test_no_more_is_found_in_nothing_than_the_method_claims(nulls):
    """Exact: more findings than this have a chance below one in twenty at the claimed rate."""
    found = [run for run, result in nulls.items() if result.verdict.status == "found"]
    assert len(found) <= binom.ppf(0.95, len(nulls), NULL_RATE), found


def test_leads_in_nothing_are_as_rare_as_the_error_rate_of_the_search(nulls):
    leads = [run for run, result in nulls.items() if any(f.status in ("found", "lead") for f in result.ranking)]
    assert len(leads) <= binom.ppf(0.95, len(nulls), 0.05), leads


def test_without_a_finding_or_a_lead_there_is_no_milestone_and_no_ladder(nulls):
    silent = [result for result in nulls.values() if result.verdict.status not in ("found", "lead")]
    assert len(silent) > len(nulls) / 2
    for result in silent:
        assert result.verdict.milestone is None
        assert result.verdict.status == "none"
        assert not result.ladders
        assert any("probably have been missed" in reason for reason in result.verdict.reasons)
