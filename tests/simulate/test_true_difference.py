"""The true difference of any rule, against other computations of the same thing."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from discovery.errors import InputError
from discovery.milestone import Milestone
from discovery.simulate import blueprint_of, draw_fate, draw_nuisance, draw_population, simulate_world, true_difference
from discovery.simulate.behaviour import Log, met_by
from discovery.simulate.candidates import candidate_truths
from discovery.simulate.grid import grid_flags
from discovery.simulate.inertia import Habits, draw_activity, returns
from discovery.simulate.recording import as_tracked

PLANTED = ["easy", "confounded", "chain", "leaky", "conjunction", "segment_only", "drift", "uneven_sizes", "renewal"]


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_rule_has_the_effect_that_was_planted(name):
    """The weights are taken here from a logistic propensity with interactions instead."""
    world = simulate_world(name, seed=6)
    told = world.truth.effects[world.truth.planted[0]]
    shown = true_difference(world, world.potential["met"].to_numpy())
    assert shown.average_difference == pytest.approx(told.average_difference, abs=1e-5)
    assert shown.overlap_weighted_difference == pytest.approx(told.overlap_weighted_difference, abs=1e-12)
    assert shown.naive_difference == pytest.approx(told.naive_difference)
    assert shown.reach == pytest.approx(told.reach)
    hidden = world.potential.to_pandas()
    traits = pd.get_dummies(world.accounts.to_pandas()[["plan", "channel", "company_size"]], drop_first=True)
    size = np.log(world.accounts["seats"].to_numpy()) if name == "uneven_sizes" else np.zeros(5000)
    date = np.arange(5000) / 5000 if name == "drift" else np.zeros(5000)
    known = np.column_stack([hidden.engagement, size, date, traits])[hidden.alive_at_landmark]
    entered = hidden[hidden.alive_at_landmark]
    model = make_pipeline(PolynomialFeatures(2), StandardScaler(), LogisticRegression(max_iter=1000))
    chance = model.fit(known, entered.met).predict_proba(known)[:, 1]
    expected = np.average(entered.stays_with - entered.stays_without, weights=chance * (1 - chance))
    assert told.overlap_weighted_difference == pytest.approx(expected, abs=0.005)


def test_it_is_the_coefficient_of_a_regression_on_all_that_moves_staying():
    world = simulate_world("confounded", accounts=2000, seed=2)
    hidden = world.potential.to_pandas()
    known = world.accounts.to_pandas()[["plan", "channel", "company_size"]]
    entered = hidden.alive_at_landmark
    rng = np.random.default_rng(1)
    rule = hidden.met & (rng.random(2000) < 0.7) | (rng.random(2000) < 0.1)  # a sign of the rule, not the rule
    powers = pd.DataFrame({power: hidden.engagement**power for power in (1, 2, 3)})
    traits = pd.get_dummies(known, dtype=float)
    design = pd.concat([powers, traits, hidden[["stays_with", "stays_without"]]], axis=1)[entered].to_numpy()
    flag = rule[entered].to_numpy(dtype=float)
    fitted = LinearRegression().fit(np.column_stack([flag, design]), hidden.stays[entered])
    shown = true_difference(world, rule.to_numpy())
    assert shown.overlap_weighted_difference == pytest.approx(fitted.coef_[0], abs=1e-9)
    sides = [LinearRegression().fit(design[flag == side], hidden.stays[entered][flag == side]) for side in (1, 0)]
    adjusted = np.mean(sides[0].predict(design) - sides[1].predict(design))
    assert shown.average_difference == pytest.approx(adjusted, abs=1e-5)
    assert 0.02 < shown.overlap_weighted_difference < world.truth.effects[world.truth.planted[0]].average_difference


def test_a_coin_is_worth_nothing_and_a_sign_of_the_rule_a_share_of_it():
    world = simulate_world("easy", seed=9)
    rng = np.random.default_rng(4)
    coin = true_difference(world, rng.random(5000) < 0.4)
    assert abs(coin.overlap_weighted_difference) < 0.012
    met = world.potential["met"].to_numpy()
    half = true_difference(world, met & (rng.random(5000) < 0.5)).overlap_weighted_difference
    whole = true_difference(world, met).overlap_weighted_difference
    assert 0.5 * whole < half < 0.95 * whole


def test_a_segment_has_its_own_difference():
    world = simulate_world("segment_only", seed=3)
    hidden = world.potential.to_pandas()
    team = (world.accounts["plan"].to_pandas() == "team").to_numpy()
    shown = true_difference(world, hidden.met.to_numpy(), among=team)
    entered = hidden[team & hidden.alive_at_landmark.to_numpy()]
    assert shown.average_difference == pytest.approx((entered.stays_with - entered.stays_without).mean(), abs=1e-5)
    assert shown.reach == pytest.approx(entered.met.mean())


@pytest.mark.parametrize("rule", [np.zeros(30, dtype=bool), np.ones(30, dtype=bool)])
def test_a_rule_that_nobody_or_everybody_meets_is_worth_nothing(rule):
    shown = true_difference(simulate_world("easy", accounts=30), rule)
    assert shown.overlap_weighted_difference == shown.average_difference == 0
    assert shown.naive_difference is None


def test_flags_of_another_length_are_refused():
    world = simulate_world("easy", accounts=30)
    with pytest.raises(InputError, match="30 accounts"):
        true_difference(world, np.ones(29, dtype=bool))
    with pytest.raises(InputError, match="one entry per account"):
        true_difference(world, np.ones(30, dtype=bool), among=np.ones(3, dtype=bool))


@pytest.mark.parametrize("name", ["easy", "duplicated", "inertia_planted"])
def test_the_written_truth_has_every_candidate(name, tmp_path):
    world = simulate_world(name, accounts=800, seed=7)
    written = json.loads((world.write(tmp_path) / "truth.json").read_text(encoding="utf-8"))
    told = written["candidates"]
    assert set(told) == set(candidate_truths(world))
    assert len(told) > 150
    assert all(str(Milestone.parse(text)) == text for text in told)
    assert all(0.05 <= effect["reach"] <= 0.95 for effect in told.values())
    best = max(told, key=lambda text: told[text]["overlap_weighted_difference"])
    assert best == world.truth.planted[0]
    events = world.events.to_pandas().drop_duplicates().merge(world.accounts.to_pandas(), on="account_id")
    early = events[events.timestamp - events.signup_at < pd.Timedelta(days=7)]
    rows = early[early.event == "search_performed"].groupby("account_id").user_id
    for text, least, users in (
        ("search_performed >= 3 within 7d", 3, 1),
        ("search_performed within 7d by 2 users", 1, 2),
    ):
        flag = (rows.size() >= least) & (rows.nunique() >= users)
        flag = flag.reindex(world.accounts["account_id"].to_pandas(), fill_value=False).to_numpy()
        shown = true_difference(world, flag)
        assert told[text]["reach"] == pytest.approx(shown.reach)
        assert told[text]["overlap_weighted_difference"] == pytest.approx(shown.overlap_weighted_difference, abs=1e-8)


def test_a_habit_is_worth_nothing_where_activity_follows_from_habits():
    world = simulate_world("inertia_planted", seed=2)
    hidden = world.potential.to_pandas()
    for habit in (hidden.active_days >= 5, hidden.volume >= 20, hidden.recency >= 10):
        shown = true_difference(world, habit.to_numpy())
        assert shown.naive_difference > 0.1
        assert abs(shown.overlap_weighted_difference) < 0.012
    assert true_difference(world, hidden.met.to_numpy()).overlap_weighted_difference == pytest.approx(0.15)


def test_the_active_return_between_day_29_and_day_90():
    rng = np.random.default_rng(9)
    blueprint = blueprint_of("inertia_null")
    population = draw_population(20_000, draw_nuisance(blueprint, rng), rng)
    habits = Habits(volume=np.ones(20_000), active_days=np.ones(20_000), recency=np.ones(20_000))
    fate = draw_activity(blueprint, population, habits, np.zeros(20_000, dtype=bool), rng)
    back = returns(population, fate, 3, rng)
    lag = (back.time - population.signup[back.account]) / 86_400
    assert back.account.tolist() == np.flatnonzero(fate.retained).tolist()
    assert lag.min() >= 29
    assert lag.max() < 90


def test_a_null_world_writes_zeros(tmp_path):
    folder = simulate_world("random_null", accounts=300, seed=1).write(tmp_path)
    told = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["candidates"]
    assert len(told) > 50
    assert {effect["overlap_weighted_difference"] for effect in told.values()} == {0.0}
    assert {effect["average_difference"] for effect in told.values()} == {0.0}


def test_a_world_nobody_survives_is_still_written(tmp_path):
    folder = simulate_world("easy", accounts=1, seed=0).write(tmp_path)
    assert json.loads((folder / "truth.json").read_text(encoding="utf-8"))["landmark_accounts"] in (0, 1)


def test_the_grid_agrees_with_the_language():
    rng = np.random.default_rng(5)
    rows = 400
    account, user = rng.integers(0, 40, rows), rng.integers(0, 4, rows)
    lag = rng.integers(0, 16 * 86_400, rows)
    log = Log(account=account, user=user, event=np.zeros(rows, dtype=np.int64), time=lag)
    signup = np.zeros(40, dtype=np.int64)
    grid = list(grid_flags("shared", account, user, lag, 40))
    assert len(grid) == 60
    for condition, met in grid:
        expected = met_by(log, ("shared",), signup, Milestone((condition,)))
        np.testing.assert_array_equal(met, expected, err_msg=str(condition))


@pytest.mark.parametrize("name", ["renewal", "segment_only", "drift"])
def test_the_average_difference_is_what_a_coin_would_show(name):
    """A randomised contrast on 200,000 accounts whose rule is tossed: standard error 0.002."""
    blueprint = blueprint_of(name)
    rng = np.random.default_rng(78)
    nuisance = draw_nuisance(blueprint, rng)
    population = draw_population(200_000, nuisance, rng)
    coin = rng.random(200_000) < 0.5
    fate = draw_fate(blueprint, nuisance, population, coin, rng)
    entered = fate.alive_at_landmark
    shown = fate.retained[entered & coin].mean() - fate.retained[entered & ~coin].mean()
    assert (fate.stays_with - fate.stays_without)[entered].mean() == pytest.approx(shown, abs=0.009)


def test_an_eighth_of_the_rows_never_arrives():
    rng = np.random.default_rng(3)
    log = Log(
        account=rng.integers(0, 500, 40_000),
        user=np.zeros(40_000, dtype=np.int64),
        event=rng.integers(0, 20, 40_000),
        time=np.arange(40_000),
    )
    kept = as_tracked(blueprint_of("untracked"), log, rng)
    lost = 1 - (kept.event >= 2).sum() / (log.event >= 2).sum()
    assert lost == pytest.approx(0.12, abs=0.015)
    assert (kept.event < 2).sum() == (log.event < 2).sum()
