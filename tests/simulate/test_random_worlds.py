"""Worlds drawn from their seed: the same every time, within limits, and of every kind."""

from collections import Counter
from functools import cache

import numpy as np
import pytest

from discovery.milestone import Milestone
from discovery.simulate import blueprint_of, simulate_world
from discovery.simulate.random_world import _options, _Pilot
from discovery.simulate.vocabulary import NEUTRAL_LEAKS, ORDINARY_NAMES, SESSION_NAMES, TELLING_LEAKS, VIEW_NAMES
from discovery.spec import CandidatesSpec, StudySpec

DRAWN = [
    "random", "random_null", "random_hidden", "random_segment", "random_conjunction", "random_chain", "random_no_chain",
    "random_experiment",
]  # fmt: skip
GRID = CandidatesSpec()


@cache
def blueprints(name, seeds=30):
    return [blueprint_of(name, seed) for seed in range(seeds)]


@pytest.mark.parametrize("name", DRAWN)
def test_the_seed_alone_decides_the_world(name):
    assert blueprint_of(name, 3) == blueprints(name)[3] != blueprints(name)[4]
    small, large = (simulate_world(name, accounts=accounts, seed=3).truth for accounts in (40, 90))
    assert small.settings == large.settings
    assert small.planted == large.planted
    one, two = (simulate_world(name, accounts=60, seed=8) for _ in range(2))
    assert one.events.equals(two.events)
    assert one.accounts.equals(two.accounts)
    assert one.truth == two.truth


@pytest.mark.parametrize("name", DRAWN)
def test_thirty_seeds_stay_within_limits(name):
    for drawn in blueprints(name):
        settings = drawn.settings()
        assert 7 <= len(drawn.ordinary) <= 46 + (len(drawn.route.events) if drawn.route else 0)
        assert len(set(drawn.names)) == len(drawn.names)
        assert -0.9 <= drawn.engagement_on_hazard <= 0
        assert 0.25 <= settings["aimed_at"] <= 0.9
        assert 0.05 <= drawn.retained_without <= 0.97
        for condition in drawn.milestone.conditions if drawn.milestone else ():
            assert condition.at_least in GRID.at_least
            assert condition.within_days in GRID.within_days
            assert condition.min_users in GRID.min_users
            assert condition.event not in drawn.vanity
        if drawn.planted_events:
            assert 0.35 <= drawn.hazard_ratio <= 0.7
        if drawn.milestone:
            assert 0.08 <= settings["pilot_reach"] <= 0.7


@pytest.mark.parametrize("seed", range(30))
def test_what_was_drawn_is_what_a_small_world_shows(seed):
    world = simulate_world("random", accounts=600, seed=seed)
    truth = world.truth
    assert truth.base_rate == pytest.approx(truth.settings["aimed_at"], abs=0.13)
    StudySpec.model_validate(truth.spec)
    if truth.planted and not truth.settings["launched"] and not truth.settings["season"]:
        met = world.potential["met"].to_numpy()
        assert met.mean() == pytest.approx(truth.settings["pilot_reach"], abs=0.08)
    if truth.planted:
        hidden = world.potential.to_pandas()
        assert (hidden.stays_with >= hidden.stays_without).all()
        assert truth.effects[truth.planted[0]].average_difference > 0.005


def test_every_kind_of_plant_and_every_feature_comes_up():
    drawn = [blueprint.settings() for blueprint in blueprints("random", 80)]
    kinds = Counter(settings["kind"] for settings in drawn)
    assert set(kinds) == {"single", "multi_user", "conjunction", "dose_response", "segment_only", "chain"}
    assert 0.4 < kinds["single"] / len(drawn) < 0.75
    features = ("drift", "effect_drift", "early_churn", "renewal", "season", "untracked", "repeated", "new_ids")
    for feature in (*features, "launched", "leaks", "seats_on_hazard"):
        present = sum(bool(settings[feature]) for settings in drawn)
        assert 0 < present < 0.7 * len(drawn), feature
    assert len({settings["events"] for settings in drawn}) > 20


def test_the_fixed_kinds_are_what_their_names_say():
    assert {blueprint.kind for blueprint in blueprints("random_null")} == {"none"}
    assert {blueprint.kind for blueprint in blueprints("random_hidden")} == {"none"}
    assert {blueprint.kind for blueprint in blueprints("random_chain")} == {"chain"}
    assert {blueprint.kind for blueprint in blueprints("random_no_chain")} == {"single"}
    kinds = [blueprint.kind for blueprint in blueprints("random_segment")]
    assert kinds == ["segment_only"] * 30
    assert len({blueprint.segment for blueprint in blueprints("random_segment")}) > 2
    assert {blueprint.milestone.conditions[0].min_users for blueprint in blueprints("random_segment")} == {1}
    assert Counter(blueprint.kind for blueprint in blueprints("random_conjunction"))["conjunction"] >= 25
    for blueprint in blueprints("random_hidden"):
        assert 2 <= len(blueprint.decoys) <= 4
        assert blueprint.trait_on_hazard <= -0.6
    assert not any(blueprint.decoys for blueprint in blueprints("random_null"))


def test_neither_part_of_a_drawn_conjunction_comes_close_alone():
    for blueprint in blueprints("random_conjunction"):
        if blueprint.kind == "conjunction":
            one, other = blueprint.milestone.conditions
            assert one.event != other.event
            assert {one.at_least, other.at_least} <= {1, 3}
            assert {one.within_days, other.within_days} <= {7, 14}
            assert one.min_users == other.min_users == 1
    pilot = _Pilot(drawn := blueprint_of("random_conjunction", 1), 1)
    pairs = _options(drawn, "conjunction", pilot, 0.08)
    assert len(pairs) > 100
    for (one, other), reach in pairs[:: len(pairs) // 60]:
        alone = [pilot.met(Milestone((part,))).mean() for part in (one, other)]
        assert 0.0799 < reach <= 0.8001 * min(alone)
        assert reach == pytest.approx(pilot.met(Milestone((one, other))).mean(), abs=1e-6)


def test_a_drawn_chain_ends_in_the_planted_rule():
    chains = [blueprint for blueprint in blueprints("random", 80) if blueprint.chain]
    assert len(chains) >= 3
    for blueprint in chains:
        assert Milestone.parse(blueprint.planted).events == blueprint.chain[-1:]
        assert 3 <= len(blueprint.chain) <= 5


def test_leaks_are_known_by_name_or_listed_in_the_suggested_spec():
    from discovery.ranking.lexicon import outcome_word

    assert all(outcome_word(leak.event) for leak in TELLING_LEAKS)
    names = ORDINARY_NAMES + SESSION_NAMES + VIEW_NAMES
    assert not [name for name in names if outcome_word(name)]
    assert len(set(names)) == len(names) >= 60
    leaky = [
        world
        for seed in range(20)
        if (world := simulate_world("random", accounts=50, seed=seed)).truth.settings["leaks"]
    ]
    assert leaky
    for world in leaky:
        listed = set(world.truth.spec["kinds"]["outcome_adjacent"])
        assert 1 <= len(listed) <= 2
        assert listed == set(world.truth.outcome_adjacent) & {leak.event for leak in NEUTRAL_LEAKS}
        assert len(listed) < len(world.truth.outcome_adjacent)


def test_strength_of_confounding_and_base_rate_spread_over_their_range():
    drawn = [blueprint.settings() for name in DRAWN for blueprint in blueprints(name)]
    strength = np.array([-settings["engagement_on_hazard"] for settings in drawn])
    assert 0.1 < (strength == 0).mean() < 0.3
    assert np.percentile(strength, 90) > 0.6
    aims = np.array([settings["aimed_at"] for settings in drawn])
    assert aims.min() < 0.3 < 0.85 < aims.max()
