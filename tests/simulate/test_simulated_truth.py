"""The written truth against the drawn worlds, computed here by other means."""

from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

from discovery.milestone import Milestone
from discovery.simulate import (
    WORLDS,
    Log,
    blueprint_of,
    draw_fate,
    draw_nuisance,
    draw_population,
    reached,
    simulate_world,
)

DAY = pd.Timedelta(days=1)
PLANTED = ["easy", "confounded", "chain", "leaky"]


def landmark_frame(world) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the mature landmark accounts and the events of everyone's first 14 days, read from the tables alone."""
    accounts = world.accounts.to_pandas().set_index("account_id")
    events = world.events.to_pandas()
    mature = accounts.signup_at + 90 * DAY <= events.timestamp.max()
    alive = ~(accounts.churned_at < accounts.signup_at + 14 * DAY)
    accounts["retained"] = ~(accounts.churned_at < accounts.signup_at + 90 * DAY)
    events["lag"] = events.timestamp - events.account_id.map(accounts.signup_at)
    return accounts[mature & alive].copy(), events[events.lag < 14 * DAY]


def met(accounts, events, event, at_least=1, days=14):
    inside = events[(events.event == event) & (events.lag < days * DAY)]
    return inside.groupby("account_id").size().reindex(accounts.index, fill_value=0) >= at_least


def stratified_z(accounts, flag):
    """Return Mantel-Haenszel's z of retention against a flag within plan x channel x company size."""
    frame = accounts.assign(flag=flag)
    excess = variance = 0.0
    for _, cell in frame.groupby(["plan", "channel", "company_size"]):
        n, a, r = len(cell), cell.flag.sum(), cell.retained.sum()
        if n > 1:
            excess += (cell.flag & cell.retained).sum() - a * r / n
            variance += a * (n - a) * r * (n - r) / (n**2 * (n - 1))
    return excess / np.sqrt(variance)


@pytest.mark.parametrize("name", PLANTED)
def test_the_naive_difference_is_the_one_in_the_tables(name):
    world = simulate_world(name, accounts=1500, seed=12)
    accounts, events = landmark_frame(world)
    assert world.truth.mature_accounts == len(accounts)
    assert world.truth.base_rate == pytest.approx(accounts.retained.mean())
    at_least = {"chain": 2}.get(name, 3)
    rules = {world.truth.planted[0]: met(accounts, events, "report_shared", at_least, 7)}
    rules |= {event: met(accounts, events, event) for event in ("dashboard_viewed", "comment_added")}
    for text, flag in rules.items():
        expected = accounts.retained[flag].mean() - accounts.retained[~flag].mean()
        assert world.truth.effects[text].naive_difference == pytest.approx(expected), text


@pytest.mark.parametrize("name", PLANTED)
def test_the_average_difference_is_what_a_coin_would_show(name):
    """A randomised contrast on 200,000 accounts whose rule is tossed: standard error 0.002."""
    blueprint = blueprint_of(name)
    rng = np.random.default_rng(77)
    nuisance = draw_nuisance(blueprint, rng)
    population = draw_population(200_000, nuisance, rng)
    coin = rng.random(200_000) < 0.5
    fate = draw_fate(blueprint, nuisance, population, coin, rng)
    entered = fate.alive_at_landmark
    shown = fate.retained[entered & coin].mean() - fate.retained[entered & ~coin].mean()
    claimed = (fate.stays_with - fate.stays_without)[entered].mean()
    assert claimed == pytest.approx(shown, abs=0.009)
    assert entered[coin].mean() == pytest.approx(entered[~coin].mean(), abs=0.004)  # no effect before the landmark
    low, high = {"confounded": (0.12, 0.18)}.get(name, (0.19, 0.27))
    assert low < claimed < high


def test_the_effect_written_is_the_mean_over_the_landmark_accounts():
    world = simulate_world("confounded", accounts=3000, seed=8)
    hidden = world.potential.to_pandas()
    hidden = hidden[hidden.alive_at_landmark]
    effect = world.truth.effects[world.truth.planted[0]]
    gain = hidden.stays_with - hidden.stays_without
    assert effect.average_difference == pytest.approx(gain.mean())
    chance = hidden.met.groupby(pd.qcut(hidden.engagement, 10), observed=True).transform("mean")
    overlap = np.average(gain, weights=chance * (1 - chance))  # another propensity: deciles of engagement
    assert effect.overlap_weighted_difference == pytest.approx(overlap, abs=0.003)
    assert effect.reach == pytest.approx(hidden.met.mean())


@pytest.mark.parametrize("name", ["easy", "leaky"])
def test_the_planted_rule_of_an_easy_world_separates_by_twenty_odd_points(name):
    seen = []
    for seed in range(2):
        effect = (truth := simulate_world(name, seed=seed).truth).effects[truth.planted[0]]
        assert 0.2 < effect.average_difference < 0.25
        assert effect.naive_difference == pytest.approx(effect.average_difference, abs=0.06)  # 4 standard errors
        assert 0.25 < effect.reach < 0.5
        seen.append(effect.naive_difference)
    assert 0.19 < np.mean(seen) < 0.26


@pytest.mark.parametrize("seed", [1, 2])
def test_in_the_null_world_nothing_separates_beyond_chance(seed):
    world = simulate_world("null", seed=seed)
    accounts, events = landmark_frame(world)
    scores = {}
    for event in events.event.unique():
        for at_least in (1, 3):
            flag = met(accounts, events, event, at_least)
            if 0.02 < flag.mean() < 0.98:
                scores[event, at_least] = stratified_z(accounts, flag)
    assert len(scores) > 30
    bound = NormalDist().inv_cdf(1 - 0.001 / (2 * len(scores)))
    assert max(map(abs, scores.values())) < bound, scores
    assert np.std(list(scores.values())) < 1.6
    assert world.truth.planted == ()


@pytest.mark.parametrize("name", ["confounded", "confounded_null"])
def test_hidden_engagement_lifts_vanity_events_to_the_top(name):
    world = simulate_world(name, seed=4)
    accounts, events = landmark_frame(world)
    scores = {
        event: stratified_z(accounts, met(accounts, events, event, 5))
        for event in events.event.unique()
        if met(accounts, events, event, 5).mean() > 0.05
    }
    top = sorted(scores, key=scores.get, reverse=True)[:3]
    assert set(world.truth.vanity_events) <= set(top)
    assert scores["dashboard_viewed"] > 8
    assert all(
        effect.average_difference == 0
        for text, effect in world.truth.effects.items()
        if text not in world.truth.planted
    )
    # among accounts of equal engagement nothing is left of it
    hidden = world.potential.to_pandas().set_index("account_id").loc[accounts.index]
    alike = accounts.assign(plan=pd.qcut(hidden.engagement, 40).astype(str), channel="", company_size="")
    assert abs(stratified_z(alike, met(accounts, events, "dashboard_viewed", 5))) < 4


def test_leaks_separate_better_than_anything_an_account_does():
    truth = simulate_world("leaky", seed=6).truth
    leaks = [abs(truth.effects[event].naive_difference) for event in truth.outcome_adjacent]
    others = [
        abs(e.naive_difference)
        for text, e in truth.effects.items()
        if text not in truth.outcome_adjacent and e.naive_difference is not None and 0.05 < e.reach < 0.95
    ]
    assert min(leaks) > max(others) + 0.05
    assert all(truth.effects[event].average_difference == 0 for event in truth.outcome_adjacent)
    assert truth.spec["kinds"]["outcome_adjacent"] == list(truth.outcome_adjacent)


def test_the_steps_of_the_chain_come_in_order_but_for_a_small_untracked_share():
    world = simulate_world("chain", seed=2)
    events = world.events.to_pandas()
    first = events[events.event.isin(world.truth.chain)].pivot_table(
        index="account_id", columns="event", values="timestamp", aggfunc="min"
    )[list(world.truth.chain)]
    done = first[first.report_shared.notna()]
    assert 0.3 < len(done) / 5000 < 0.7
    for before, after in zip(world.truth.chain, world.truth.chain[1:], strict=False):
        both = done[[before, after]].dropna()
        tracked = done[before].notna().mean()
        assert tracked == 1.0 if before == "workspace_created" else 0.93 < tracked < 0.995
        assert (both[before] < both[after]).mean() > 0.97
    assert 0.2 < world.truth.effects[world.truth.planted[0]].average_difference < 0.26


def test_every_other_named_world_has_no_chain():
    named = [name for name in WORLDS if not name.startswith("random")]
    chains = [name for name in named if name.partition("_")[0] == "chain"]
    assert len(chains) == 7
    assert [name for name in named if simulate_world(name, accounts=20).truth.chain] == chains


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shared", [True, True, True]),
        ("shared >= 2", [True, True, False]),
        ("shared >= 2 by 2 users", [False, True, False]),
        ("shared within 1d", [True, False, True]),  # exactly 24 hours later is outside
    ],
)
def test_a_rule_is_met_as_the_language_says(text, expected):
    hour = 3600
    log = Log(
        account=np.array([0, 0, 1, 1, 2, 2]),
        user=np.array([0, 0, 0, 1, 0, 0]),
        event=np.array([0, 0, 0, 0, 0, 1]),
        time=np.array([0, 30, 24, 25, 23, 1]) * hour,
    )
    rule = Milestone.parse(text).conditions[0]
    assert reached(log, ("shared", "viewed"), np.zeros(3, dtype=np.int64), rule).tolist() == expected
