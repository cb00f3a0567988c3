"""What stands on the way to a planted rule: steps in order, skipped, lost, in two ways, late, and after errors."""

import itertools
from collections import Counter
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from discovery.milestone import Milestone
from discovery.simulate import blueprint_of, draw_nuisance, draw_population, simulate_world
from discovery.simulate.chains import CHAINS
from discovery.simulate.random_route import VARIANTS
from discovery.simulate.recording import LAUNCH
from discovery.simulate.route import Mishap, Route, Step
from discovery.simulate.vocabulary import NO_STEPS, ORDINARY_NAMES
from discovery.simulate.walk import _days_until, _Met, walk

ACCOUNTS = 4000
NAMED = [blueprint.name for blueprint in CHAINS]


@cache
def made(name, seed=3):
    return simulate_world(name, accounts=ACCOUNTS, seed=seed)


@cache
def firsts(name, seed=3) -> pd.DataFrame:
    """Return the first time of each event within 14 days, one row per account, in seconds; missing where never."""
    world = made(name, seed)
    accounts = world.accounts.to_pandas().set_index("account_id")
    events = world.events.to_pandas()
    early = events.timestamp - events.account_id.map(accounts.signup_at) < pd.Timedelta(days=14)
    events["seconds"] = events.timestamp.astype("int64") // 10**6
    shown = events[early].pivot_table(index="account_id", columns="event", values="seconds", aggfunc="min")
    return shown.reindex(accounts.index)


def reachers(name) -> np.ndarray:
    """Tell who met the planted rule, alive at the landmark."""
    hidden = made(name).potential
    return hidden["met"].to_numpy() & hidden["alive_at_landmark"].to_numpy()


def first_of(name, rung) -> pd.Series:
    return firsts(name)[list(rung)].min(axis=1)


def necessity(name) -> list[float]:
    """Return, for each planted rung, the share of those who met the rule that show the rung before its event."""
    met, rule = reachers(name), firsts(name)["report_shared"]
    return [(first_of(name, rung) < rule)[met].mean() for rung in made(name).truth.rungs]


@pytest.mark.parametrize("name", ["chain", *NAMED])
def test_the_truth_names_the_rungs_between_the_baseline_and_the_rule(name):
    truth = made(name).truth
    inner = [event for rung in truth.rungs for event in rung]
    assert {*truth.chain} == {"workspace_created", *inner, "report_shared"}
    assert all(rung == tuple(sorted(rung)) for rung in truth.rungs)
    assert set(inner) <= set(firsts(name).columns)
    assert 0.2 < reachers(name).mean() < 0.5
    assert 0.2 < truth.effects[truth.planted[0]].average_difference < 0.26
    assert all(truth.effects[event].average_difference == 0 for event in inner)


def test_a_plain_chain_has_one_event_at_each_rung_and_other_worlds_have_none():
    chain = simulate_world("chain", accounts=20).truth
    assert chain.rungs == (("integration_connected",), ("data_imported",), ("report_created",))
    assert chain.hindrance is None
    for name in ("easy", "conjunction", "null", "random_no_chain"):
        truth = simulate_world(name, accounts=20).truth
        assert truth.rungs == ()
        assert truth.hindrance is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("chain_skips", [0.94, 0.88, 0.90]),
        ("chain_untracked", [0.90, 0.90, 0.90]),
        ("chain_alternatives", [0.98, 0.98, 0.98]),
        ("chain_branches", [0.98, 0.98]),
        ("chain_errors", [0.98, 0.98, 0.98]),
    ],
)
def test_those_who_met_the_rule_took_each_rung_first(name, expected):
    assert necessity(name) == pytest.approx(expected, abs=0.025)


@pytest.mark.parametrize("name", [name for name in NAMED if name not in ("chain_skips", "chain_launched")])
def test_rungs_come_in_the_planted_order(name):
    rungs = [*made(name).truth.rungs, ("report_shared",)]
    for before, after in itertools.pairwise(rungs):
        both = pd.concat([first_of(name, before), first_of(name, after)], axis=1).dropna()
        assert (both[0] < both[1]).mean() > 0.985


def test_some_skip_a_step_and_some_turn_two_round():
    first, met = firsts("chain_skips"), reachers("chain_skips")
    skipped = first.loc[met, ["integration_connected", "data_imported", "report_created"]].isna()
    assert skipped.mean().tolist() == pytest.approx([0.06, 0.12, 0.08], abs=0.025)
    assert skipped.all(axis=1).mean() < 0.01
    done = first.loc[met].dropna(subset=["integration_connected", "data_imported", "report_created", "report_shared"])
    turned = [
        (done[before] > done[after]).mean()
        for before, after in (
            ("integration_connected", "data_imported"),
            ("data_imported", "report_created"),
            ("report_created", "report_shared"),
        )
    ]
    assert sum(turned) == pytest.approx(0.03, abs=0.015)
    assert min(turned) > 0


def test_a_step_is_lost_from_the_record_with_all_its_rows_each_by_itself():
    first, met = firsts("chain_untracked"), reachers("chain_untracked")
    lost = first.loc[met, ["integration_connected", "data_imported", "report_created"]].isna()
    assert lost.mean().tolist() == pytest.approx([0.10] * 3, abs=0.025)
    assert abs(lost.corr().to_numpy()[np.triu_indices(3, 1)]).max() < 0.1
    assert first.loc[met, "report_shared"].notna().all()
    events = made("chain_untracked").events.to_pandas()
    ever = events[events.event == "data_imported"].account_id
    assert not set(lost.index[lost.data_imported]) & set(ever)


def test_either_of_two_ways_serves():
    first, met = firsts("chain_alternatives"), reachers("chain_alternatives")
    csv, salesforce = (first.loc[met, name].notna() for name in ("csv_uploaded", "salesforce_connected"))
    shares = [(csv & ~salesforce).mean(), (salesforce & ~csv).mean(), (csv & salesforce).mean()]
    assert shares == pytest.approx([0.50, 0.35, 0.15], abs=0.03)
    assert made("chain_alternatives").truth.rungs[0] == ("csv_uploaded", "salesforce_connected")


def test_branches_are_kept_to_their_end():
    first = firsts("chain_branches")
    one, two = first[["salesforce_connected", "fields_synced"]], first[["csv_uploaded", "columns_mapped"]]
    ended = first.report_shared.notna()
    took_one, took_two = one.notna().all(axis=1)[ended], two.notna().all(axis=1)[ended]
    assert [(took_one & ~took_two).mean(), (took_two & ~took_one).mean(), (took_one & took_two).mean()] == (
        pytest.approx([0.50, 0.42, 0.08], abs=0.04)
    )
    crossed = (one.salesforce_connected.isna() & one.fields_synced.notna())[ended].mean()
    assert crossed < 0.04  # the lost share alone


def test_a_launched_step_is_taken_from_the_launch_on_and_missed_by_nobody_before():
    world, met = made("chain_launched"), reachers("chain_launched")
    accounts, first = world.accounts.to_pandas().set_index("account_id"), firsts("chain_launched")
    signup = accounts.signup_at.astype("int64") // 10**6
    assert first.data_imported.min() >= LAUNCH
    late, early = signup >= LAUNCH, signup < LAUNCH - 14 * 86_400
    assert (first.data_imported < first.report_shared)[met & late].mean() == pytest.approx(0.98, abs=0.02)
    assert first.data_imported[early].isna().all()
    assert met[early].mean() > met[late].mean() > 0.2
    assert (first.report_created < first.report_shared)[met & early].mean() > 0.95


def going_on_after(error) -> tuple[float, float]:
    """Return the shares that take the second step, of those that met the error before and of the others."""
    first = firsts("chain_errors").dropna(subset=["integration_connected"])
    second = first.data_imported.fillna(np.inf)
    met = first[error] < second
    return (second[met] < np.inf).mean(), (second[~met] < np.inf).mean()


def test_one_error_keeps_accounts_from_the_second_step_and_another_does_not():
    assert made("chain_errors").truth.hindrance == ("sync_failed", "data_imported")
    harmed, spared = going_on_after("sync_failed")
    assert harmed < spared - 0.35
    beside, without = going_on_after("export_failed")
    assert beside > without - 0.20  # only that who had gone on could not meet it before
    first = firsts("chain_errors")
    started = first.integration_connected.notna()
    for error in ("sync_failed", "export_failed"):
        assert first[error][started].notna().mean() == pytest.approx(0.34, abs=0.04)
        assert (first[error] > first.integration_connected)[started & first[error].notna()].all()


def crowd(accounts=20_000):
    rng = np.random.default_rng(5)
    return draw_population(accounts, draw_nuisance(blueprint_of("chain"), rng), rng), rng


def test_days_to_a_step_are_log_normal_among_those_who_take_it():
    people, rng = crowd()
    days = _days_until(Step(events=("a",), goes_on=0.7, median_days=0.5, repeats=0, loading=0.0), people, [], rng)
    taken = np.isfinite(days)
    assert taken.mean() == pytest.approx(0.7, abs=0.012)
    assert stats.kstest(np.log(days[taken] / 0.5) / 0.9, "norm").pvalue > 0.001


@pytest.mark.parametrize("ratio", [0.3, 1.0])
def test_an_error_multiplies_the_hazard_of_going_on(ratio):
    """Of the 0.65 still waiting at the error 0.3 never went on; that share is raised to the power of the ratio."""
    people, rng = crowd()
    step = Step(events=("a",), goes_on=0.7, median_days=0.5, repeats=0, loading=0.0)
    at = np.full(len(people), 0.5)
    met = _Met(mishap=Mishap(event="e", share=1, median_days=1, repeats=0, hazard_ratio=ratio), days=at, time=at)
    days = _days_until(step, people, [met], rng)
    assert (days < 0.5).mean() == pytest.approx(0.35, abs=0.012)  # half of those who ever go on
    went = np.isfinite(days[days >= 0.5]).mean()
    assert went == pytest.approx(1 - (0.3 / 0.65) ** ratio, abs=0.015)


def test_a_walk_keeps_its_order_and_stays_after_signup():
    people, rng = crowd(3000)
    steps = tuple(Step(events=(name,), goes_on=0.9, median_days=0.2, repeats=1.0) for name in "abc")
    log = walk(Route(variant="plain", steps=steps), ("a", "b", "c"), people, rng)
    first = pd.DataFrame({"account": log.account, "event": log.event, "time": log.time}).pivot_table(
        index="account", columns="event", values="time", aggfunc="min"
    )
    assert (first[0] > people.signup[first.index]).all()
    assert not ((first[0] >= first[1]) | (first[1] >= first[2])).any()
    assert first.notna().mean().is_monotonic_decreasing


@cache
def drawn(seeds=60):
    return [blueprint_of("random_chain", seed) for seed in range(seeds)]


def test_every_variant_and_length_is_drawn():
    routes = [blueprint.route for blueprint in drawn()]
    assert set(Counter(route.variant for route in routes)) == set(VARIANTS)
    assert {len(route.rungs) for route in routes} == {2, 3, 4}
    for blueprint in drawn():
        route = blueprint.route
        widths = [len(rung) for rung in route.rungs]
        assert sum(width == 2 for width in widths) == {"alternatives": 1, "branches": 2}.get(route.variant, 0)
        assert len(set(route.events)) == len(route.events)
        assert set(route.events) <= set(ORDINARY_NAMES) - set(NO_STEPS)
        assert Milestone.parse(blueprint.planted).events == route.events[-1:]
        assert all(0.6 <= step.goes_on <= 0.9 for step in route.steps)
        assert (route.lost == 0.10) == (route.variant == "untracked")
        assert all((0.05 <= step.skipped <= 0.12) == (route.variant == "skips") for step in route.steps[:-1])


def test_a_drawn_branch_has_its_two_steps_after_one_another():
    for blueprint in drawn():
        widths = "".join(str(len(rung)) for rung in blueprint.rungs)
        assert ("22" in widths) == (blueprint.route.variant == "branches")


def test_a_drawn_route_is_on_record_before_the_rule():
    for blueprint in [one for one in drawn() if not one.untracked and not one.launched][:6]:
        world = simulate_world("random_chain", accounts=1500, seed=drawn().index(blueprint))
        accounts = world.accounts.to_pandas().set_index("account_id")
        events = world.events.to_pandas()
        first = events.pivot_table(index="account_id", columns="event", values="timestamp", aggfunc="min")
        met = world.potential["met"].to_numpy() & world.potential["alive_at_landmark"].to_numpy()
        first = first.reindex(accounts.index)[met]
        for rung in world.truth.rungs:
            assert (first[list(rung)].min(axis=1) < first[blueprint.planted_events[0]]).mean() > 0.8
        assert world.truth.settings["variant"] == blueprint.route.variant
