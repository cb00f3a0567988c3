"""Worlds with past experiments: a fair coin, a variant that moves what it should, a record that tells."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from discovery.milestone import Milestone
from discovery.simulate import blueprint_of, draw_nuisance, draw_population, simulate_world, true_difference
from discovery.simulate.behaviour import Log
from discovery.simulate.randomised import run_trials
from discovery.simulate.trial import Push, Trial
from discovery.spec import StudySpec

NAMED = ["past_experiment", "experiment_side_effect", "experiment_srm"]
DAY = pd.Timedelta(days=1)


@cache
def made(name, seed=4, accounts=6000):
    return simulate_world(name, accounts=accounts, seed=seed)


@cache
def frame(name, seed=4) -> pd.DataFrame:
    """Return accounts with their hidden side, uses of every event in the window, and who met the two rules."""
    world = made(name, seed)
    accounts = world.accounts.to_pandas().merge(world.potential.to_pandas(), on="account_id")
    events = world.events.to_pandas().merge(accounts[["account_id", "signup_at"]], on="account_id")
    events["lag"] = events.timestamp - events.signup_at
    early = events[events.lag < 14 * DAY]
    counts = early.pivot_table(index="account_id", columns="event", values="lag", aggfunc="size", fill_value=0)
    accounts = accounts.join(counts, on="account_id").fillna(dict.fromkeys(counts, 0))
    for text in (world.truth.planted[0], world.truth.wrong_milestone):
        (rule,) = Milestone.parse(text).conditions
        inside = early[(early.event == rule.event) & (early.lag < rule.within_days * DAY)]
        uses = inside.groupby("account_id").size().reindex(accounts.account_id, fill_value=0).to_numpy()
        accounts[text] = uses >= rule.at_least
    return accounts


def arms(name, column, seed=4) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the control's and the variant's accounts that reach the landmark."""
    told, alive = made(name, seed).truth.experiments[column], frame(name, seed).query("alive_at_landmark")
    return alive[alive[column] == told["control"]], alive[alive[column] == told["variant"]]


def differs(control, variant, column) -> float:
    """Return how many standard errors the two arms lie apart."""
    error = np.sqrt(control[column].var() / len(control) + variant[column].var() / len(variant))
    return float((variant[column].mean() - control[column].mean()) / error)


@pytest.mark.parametrize("name", ["past_experiment", "random_experiment"])
def test_each_variant_moves_its_own_rule_and_nothing_else(name):
    world = made(name)
    rules = [world.truth.planted[0], world.truth.wrong_milestone]
    events = [n for n in set(world.events["event"].to_pylist()) if n not in world.truth.outcome_adjacent]
    for column, told in world.truth.experiments.items():
        ((rule, moved),) = told["moves"].items()
        control, variant = arms(name, column)
        rise = variant[rule].mean() - control[rule].mean()
        assert rise == pytest.approx(moved["first_stage"], abs=0.045)
        assert 0.15 < rise < 0.4
        (own,) = Milestone.parse(rule).events
        z = [differs(control, variant, e) for e in events if e != own and frame(name)[e].var() > 0]
        assert np.abs(z).max() < 3.9
        (other,) = set(rules) - {rule}
        assert abs(variant[other].mean() - control[other].mean()) < 0.045


def test_a_named_variant_moves_a_quarter_to_a_third():
    moves = [m for told in made("past_experiment").truth.experiments.values() for m in told["moves"].values()]
    assert all(0.25 < moved["first_stage"] < 0.32 for moved in moves)


@pytest.mark.parametrize("name", ["past_experiment", "random_experiment"])
def test_arms_are_tossed_half_and_half_independently_and_only_in_the_dates(name):
    world, accounts = made(name), frame(name)
    one, other = (accounts[column] for column in world.truth.experiments)
    for column, told in world.truth.experiments.items():
        start, end = (pd.Timestamp(told[key], tz="UTC") for key in ("start", "end"))
        assert (accounts[column].notna() == accounts.signup_at.between(start, end, inclusive="left")).all()
        entered = accounts[accounts[column].notna()]
        assert set(entered[column]) == {told["control"], told["variant"]}
        assert abs((entered[column] == told["variant"]).mean() - 0.5) < 4 * 0.5 / np.sqrt(len(entered))
        assert end - start > 140 * DAY
        assert not told["broken_split"]
    both = accounts[one.notna() & other.notna()]
    together = pd.crosstab(both[one.name], both[other.name]) / len(both)
    assert np.abs(together.to_numpy() - 0.25).max() < 0.03


def test_a_pushed_account_does_as_much_as_the_rule_asks_inside_its_window_and_no_more():
    blueprint, rng = blueprint_of("past_experiment"), np.random.default_rng(1)
    population = draw_population(400, draw_nuisance(blueprint, rng), rng)
    event = blueprint.names.index("report_created")
    once = np.arange(0, 400, 2)  # every second account did it once, an hour after signup
    log = Log(account=once, user=0 * once, event=0 * once + event, time=population.signup[once] + 3600)
    push = Push(rule="report_created >= 3 within 7d", share=1.0)
    trial = Trial(column="t", variant="v", pushes=(push,), first_day=0, last_day=300)
    after, (tried,) = run_trials((trial,), blueprint.names, population, log, rng)
    lag = after.time - population.signup[after.account]
    assert lag.min() > 0
    assert lag.max() < 7 * 86_400
    assert (after.event == event).all()
    before = np.bincount(log.account, minlength=400)
    assert (np.bincount(after.account, minlength=400) == np.where(tried.variant, 3, before)).all()
    assert tried.moves[push.rule].all()


def test_a_push_acts_on_staying_only_through_the_planted_rule():
    """Differences between arms in the known chance of staying: free of noise in the outcome, not of chance in arms."""
    world, alive = made("past_experiment"), frame("past_experiment").query("alive_at_landmark")
    template, checklist = arms("past_experiment", "template_test"), arms("past_experiment", "checklist_test")
    moved = world.truth.experiments["template_test"]["moves"][world.truth.planted[0]]
    gain = template[1].stays.mean() - template[0].stays.mean()
    assert gain == pytest.approx(moved["first_stage"] * moved["complier_effect"], abs=0.02)
    assert abs(checklist[1].stays.mean() - checklist[0].stays.mean()) < 0.02
    assert world.truth.experiments["checklist_test"]["moves"][world.truth.wrong_milestone]["complier_effect"] == 0
    assert (alive.stays == np.where(alive.met, alive.stays_with, alive.stays_without)).all()
    assert (alive.met == alive[world.truth.planted[0]]).all()


def test_the_effect_among_those_moved_is_the_mean_gain_of_those_moved():
    """The variant's share of staying by coin alone, over six worlds: intention to treat over first stage."""
    ratios, truths = [], []
    for seed in range(6):
        world = simulate_world("past_experiment", accounts=4000, seed=seed)
        hidden, arm = world.potential.to_pandas(), world.accounts["template_test"].to_pandas()
        alive = hidden.alive_at_landmark
        variant, control = hidden[alive & (arm == "template")], hidden[alive & (arm == "control")]
        ratios.append(
            (variant.stays.mean() - control.stays.mean()) / (variant.met.mean() - control.met.mean()),
        )
        truths.append(world.truth.experiments["template_test"]["moves"][world.truth.planted[0]]["complier_effect"])
    assert np.mean(ratios) == pytest.approx(np.mean(truths), abs=0.03)


def test_the_trait_moves_the_decoy_and_staying_and_no_other_event():
    world = made("past_experiment")
    alive = frame("past_experiment").query("alive_at_landmark")
    (decoy,) = world.truth.decoy_events
    ordinary = [rate.event for rate in blueprint_of("past_experiment").ordinary]
    trait = {event: np.corrcoef(np.log1p(alive[event]), alive.trait)[0, 1] for event in ordinary}
    assert trait.pop(decoy) > 0.4
    assert max(map(abs, trait.values())) < 0.06
    assert np.corrcoef(alive.trait, alive.stays)[0, 1] > 0.5
    flag = frame("past_experiment")[world.truth.wrong_milestone].to_numpy()
    effect = true_difference(world, flag)
    assert effect.naive_difference > 0.1  # nothing that is recorded explains it
    assert abs(effect.overlap_weighted_difference) < 0.02


def test_the_wrong_milestone_separates_within_strata_of_all_that_is_recorded():
    alive = frame("past_experiment").query("alive_at_landmark and mature").copy()
    wrong = made("past_experiment").truth.wrong_milestone
    own = Milestone.parse(wrong).events[0]
    ordinary = [r.event for r in blueprint_of("past_experiment").ordinary if r.event != own]
    alive["busy"] = pd.qcut(alive[ordinary].sum(axis=1), 10, labels=False, duplicates="drop")
    shares = alive.groupby(["busy", "plan", wrong]).retained.agg(["mean", "size"]).unstack()
    weight = 1 / (1 / shares["size"][True] + 1 / shares["size"][False])
    difference = ((shares["mean"][True] - shares["mean"][False]) * weight).sum() / weight.sum()
    assert difference > 0.08
    assert difference > 2 * np.sqrt(0.25 / weight.sum())


def test_a_side_effect_moves_both_behaviours():
    world = made("experiment_side_effect")
    (column,) = world.truth.experiments
    moves = world.truth.experiments[column]["moves"]
    control, variant = arms("experiment_side_effect", column)
    assert set(moves) == {world.truth.planted[0], world.truth.wrong_milestone}
    for rule, moved in moves.items():
        assert variant[rule].mean() - control[rule].mean() == pytest.approx(moved["first_stage"], abs=0.045)
        assert moved["first_stage"] > 0.25
    assert variant.stays.mean() - control.stays.mean() > 0.03  # what the wrong milestone alone would not do


def test_a_broken_split_lost_the_less_engaged_of_the_variant():
    world, accounts = made("experiment_srm"), frame("experiment_srm")
    for column, told in world.truth.experiments.items():
        entered = accounts[accounts[column].notna()]
        assert told["broken_split"]
        assert 0.40 < (entered[column] == told["variant"]).mean() < 0.46
        engagement = entered.groupby(column).engagement.mean()
        assert engagement[told["variant"]] - engagement[told["control"]] > 0.15
        start, end = (pd.Timestamp(told[key], tz="UTC") for key in ("start", "end"))
        lost = accounts[accounts.signup_at.between(start, end, inclusive="left") & accounts[column].isna()]
        assert len(lost) > 300
        assert (lost.engagement < 0).all()


@pytest.mark.parametrize("name", [*NAMED, "random_experiment"])
def test_the_suggested_spec_names_the_columns_the_controls_and_the_dates(name):
    world = made(name)
    asked = StudySpec.model_validate(world.truth.spec).experiment.assignment
    told = world.truth.experiments
    assert {one.column: (one.control, str(one.start), str(one.end)) for one in asked} == {
        column: (of["control"], of["start"], of["end"]) for column, of in told.items()
    }
    assert str(Milestone.parse(world.truth.wrong_milestone)) == world.truth.wrong_milestone
    assert Milestone.parse(world.truth.wrong_milestone).events == world.truth.decoy_events


def test_random_experiments_differ_by_seed():
    drawn = [blueprint_of("random_experiment", seed) for seed in range(15)]
    assert len({blueprint.wrong for blueprint in drawn}) > 12
    assert len({trial.column for blueprint in drawn for trial in blueprint.trials}) > 4
    for blueprint in drawn:
        wrong, right = blueprint.trials
        assert wrong.column != right.column
        assert [trial.pushes[0].rule for trial in (wrong, right)] == [blueprint.wrong, blueprint.planted]
        assert not set(blueprint.decoys) & set(blueprint.planted_events)
        assert not blueprint.launched
        assert all(0.2 <= trial.pushes[0].share <= 0.95 for trial in blueprint.trials)


def test_a_world_without_experiments_tells_of_none():
    truth = simulate_world("easy", accounts=30).truth
    assert (truth.experiments, truth.wrong_milestone) == ({}, None)
    assert "experiment" not in truth.spec
