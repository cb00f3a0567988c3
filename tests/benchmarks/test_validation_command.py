"""The command for validations: what is proposed, what is run, and that a run's row is true to the package."""

from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest

import discovery
from benchmarks.accuracy import command
from benchmarks.accuracy.store import Store, code_version
from benchmarks.accuracy.validation import __main__ as validation
from benchmarks.accuracy.validation import perform as performing
from benchmarks.accuracy.validation.__main__ import ROWS_COME_FROM, SHARES, SIZES, main
from benchmarks.accuracy.validation.judge import ValidationRow
from benchmarks.accuracy.validation.perform import perform
from benchmarks.accuracy.validation.proposals import MOST_ALIKE, phi, proposed
from benchmarks.accuracy.worlds import Run, plan
from discovery.milestone import Milestone
from discovery.simulate import WORLDS, simulate_world
from discovery.spec import CandidatesSpec, build_spec

GRID = CandidatesSpec()


def one_by_one(waiting, perform, version, workers, may_start):
    """Stand in for the pool of processes, which the command for studies is tested with."""
    return (perform(run, version) for run in waiting)


def flags(world):
    """Return who met a milestone, made up: the more is asked of a behaviour, the fewer met it."""
    ranks = {}

    def met(text):
        (condition,) = Milestone.parse(text).conditions
        if condition.event not in ranks:
            rng = np.random.default_rng(len(ranks))
            ranks[condition.event] = rng.random(500)
        asked = condition.at_least * condition.min_users * (14 * 24 / (condition.within_hours or 14 * 24)) ** 0.5
        return ranks[condition.event] > 1 - 0.9 / asked

    return met


def test_every_world_is_proposed_its_rule_its_vanity_and_what_does_nothing():
    world = simulate_world("easy", accounts=60, seed=1)
    met = flags(world)
    asked = proposed(world.truth, GRID, met, seed=1)
    kinds = [one.kind for one in asked]
    assert [kinds.count(kind) for kind in ("planted", "wrong threshold", "vanity", "ordinary")] == [1, 1, 4, 2]
    assert len({one.milestone for one in asked}) == len(asked)
    assert asked == proposed(world.truth, GRID, met, seed=1) != proposed(world.truth, GRID, met, seed=2)
    vanity = [Milestone.parse(one.milestone).conditions[0] for one in asked if one.kind == "vanity"]
    assert {(c.event, c.at_least, c.within_hours) for c in vanity} == {
        (event, *how) for event in world.truth.vanity_events for how in ((1, None), (5, 168))
    }
    for one in asked:
        if one.kind == "ordinary":
            assert not {*Milestone.parse(one.milestone).events} & {"report_shared", *world.truth.vanity_events}
            assert 0.1 <= met(one.milestone).mean() <= 0.9


@pytest.mark.parametrize("seed", range(12))
def test_a_wrong_threshold_differs_in_one_number_and_in_its_accounts(seed):
    world = simulate_world("easy", accounts=60, seed=1)
    met = flags(world)
    (wrong,) = [one for one in proposed(world.truth, GRID, met, seed) if one.kind == "wrong threshold"]
    (right,), (rule,) = (Milestone.parse(text).conditions for text in (world.truth.planted[0], wrong.milestone))
    changed = [getattr(right, name) != getattr(rule, name) for name in ("at_least", "within_hours", "min_users")]
    assert (rule.event, sum(changed)) == (right.event, 1)
    assert wrong.phi == phi(met(wrong.milestone), met(world.truth.planted[0])) <= MOST_ALIKE


@pytest.mark.parametrize(
    ("name", "kind", "count"),
    [("hidden_trait", "decoy", 2), ("past_experiment", "wrong milestone", 1), ("conjunction", "wrong threshold", 0)],
)
def test_what_only_some_worlds_are_proposed(name, kind, count):
    world = simulate_world(name, accounts=60, seed=1)
    for seed in range(8):
        asked = proposed(world.truth, GRID, flags(world), seed)
        assert sum(one.kind == kind for one in asked) == count
        decoys = [one for one in asked if set(Milestone.parse(one.milestone).events) & set(world.truth.decoy_events)]
        assert len(decoys) == (count if kind != "wrong threshold" else 0)


def test_flags_that_do_not_vary_are_like_nothing():
    some = np.array([True, False, True])
    assert phi(some, some) == pytest.approx(1.0)
    assert phi(some, np.ones(3, dtype=bool)) is None
    assert phi(np.zeros(3, dtype=bool), some) is None


def test_every_world_is_run_at_every_size_on_seeds_of_its_own():
    assert set(SHARES) <= set(WORLDS)
    assert {world for world in WORLDS if "experiment" in world} <= set(SHARES)
    runs = list(islice(plan((), SIZES, 1000, shares=SHARES), 2 * sum(SHARES.values()) * len(SIZES)))
    assert {(run.world, run.accounts) for run in runs} == {(world, size) for world in SHARES for size in SIZES}
    assert len({(run.world, run.seed) for run in runs}) == len(runs)


def test_the_version_is_that_of_what_shapes_a_row():
    assert len({code_version(ROWS_COME_FROM), code_version()}) == 2


def test_it_runs_what_is_missing_and_goes_on_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "done", one_by_one)
    monkeypatch.setattr(validation, "code_version", lambda modules: "v")
    store, table = tmp_path / "rows.jsonl", tmp_path / "docs" / "validation.md"
    files = ["--store", str(store), "--table", str(table)]
    few = ["--worlds", "experiment_srm", "--accounts", "60", "--runs", "1", "--workers", "1", "--first-seed", "5"]
    main([*files, "--minutes", "0"])
    assert "0 runs" in table.read_text(encoding="utf-8")
    main([*files, *few])
    main([*files, *few])
    rows = Store(store, ValidationRow).rows()
    assert sorted(row.seed for row in rows) == [5, 6]
    assert [row.failed for row in rows] == [None] * 2
    assert {one.alone for row in rows for one in row.proposals} == {"not enough data"}
    assert "| experiment_srm | 60 | 2 |" in table.read_text(encoding="utf-8")


def test_a_verdict_read_from_a_joint_call_is_the_verdict_alone():
    row = perform(Run(world="easy", accounts=900, seed=4), "v")
    assert row.failed is None
    assert {one.kind for one in row.proposals} == {"planted", "wrong threshold", "vanity", "ordinary"}
    world = simulate_world("easy", accounts=900, seed=4)
    study = discovery.Study(world.events, world.accounts, build_spec(world.truth.spec))
    for one in (row.proposals[0], row.of("vanity")[1]):
        (answer,) = study.validate(one.milestone, independent=True).proposals
        assert (answer.verdict, answer.adjusted.ci_lower) == (one.alone, pytest.approx(one.lower))
        assert answer.power.minimum_detectable == pytest.approx(one.detectable)


def test_a_past_experiment_is_read_with_the_section_and_only_then():
    row = perform(Run(world="past_experiment", accounts=1200, seed=4), "v")
    assert row.failed is None
    wrong, right = sorted(row.tried, key=lambda one: one.effect)
    assert (wrong.kind, wrong.effect, right.kind) == ("wrong milestone", 0.0, "planted")
    assert {wrong.claims, right.claims} <= {"complier", "intention to treat"}
    assert wrong.without == row.of("wrong milestone")[0].alone
    assert row.of("planted")[0].overlap > 0.15


def test_an_error_becomes_a_row(monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no world today")

    monkeypatch.setattr(performing, "discovery", SimpleNamespace(simulate_world=broken))
    row = perform(Run(world="easy", accounts=100, seed=1), "v")
    assert (row.failed, row.key) == ("RuntimeError: no world today", ("easy", 100, 1))
