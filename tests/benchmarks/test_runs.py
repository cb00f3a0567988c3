"""From a run's name to its row."""

import numpy as np
import pytest
import tomli_w

import discovery
from benchmarks.accuracy import perform as performing
from benchmarks.accuracy.inertia import chance_by_inertia, inertia_features
from benchmarks.accuracy.inference import prepare, study_with_outcome
from benchmarks.accuracy.perform import perform
from benchmarks.accuracy.worlds import RealLog, Run
from discovery.spec import build_spec, load_spec


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """A log without departures on disk, as a spec describes it."""
    folder = tmp_path_factory.mktemp("log")
    world = discovery.simulate_world("easy", accounts=700, seed=31)
    world.write(folder)
    spec = {**world.truth.spec, "outcome": {"kind": "active", "active_days": [21, 60]}}
    spec["accounts"] = {key: value for key, value in spec["accounts"].items() if key != "churned"}
    (folder / "mine.toml").write_text(tomli_w.dumps(spec))
    return RealLog("mine", str(folder / "events.parquet"), str(folder / "accounts.csv"), str(folder / "mine.toml"))


@pytest.fixture(scope="module")
def prepared(log):
    made = prepare(log.events, log.accounts, load_spec(log.spec))
    yield made
    made.relations.engine.close()


def test_a_simulated_run_is_judged_against_the_simulated_truth():
    row = perform(Run(world="easy", accounts=1000, seed=3), "v")
    assert row.failed is None
    assert (row.group, row.rank, row.version, row.key) == ("planted", 1, "v", ("easy", 1000, 3))
    planted = [shown for shown in row.intervals if shown.planted]
    others = [shown for shown in row.intervals if not shown.planted]
    assert len(planted) == 1
    assert planted[0].overlap > 0.1 > max(abs(shown.overlap) for shown in others)


def test_who_met_a_rule_is_whom_the_world_says(prepared_world):
    world, made = prepared_world
    alive = world.potential.column("alive_at_landmark").to_numpy()
    met = made.met(world.truth.planted[0])
    assert (met == world.potential.column("met").to_numpy())[alive].all()


@pytest.fixture
def prepared_world():
    world = discovery.simulate_world("easy", accounts=400, seed=2)
    made = prepare(world.events, world.accounts, build_spec(world.truth.spec))
    yield world, made
    made.relations.engine.close()


def test_an_error_becomes_a_row(monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no world today")

    monkeypatch.setattr(performing.discovery, "simulate_world", broken)
    row = perform(Run(world="easy", accounts=100, seed=1), "v")
    assert (row.group, row.failed) == ("failed", "RuntimeError: no world today")


def test_a_world_too_small_to_study_is_a_miss_and_no_error():
    row = perform(Run(world="easy", accounts=60, seed=1, with_baselines=True), "v")
    assert (row.failed, row.status, row.rank, row.exact) == (None, "insufficient", None, False)


def test_another_outcome_makes_another_answer(prepared):
    n = len(prepared.outcome.positions)
    met = prepared.met("search_performed >= 2 within 7d")[prepared.outcome.positions]
    rng = np.random.default_rng(1)
    conclusion = study_with_outcome(prepared, rng.random(n) < 0.3 + 0.5 * met)
    assert conclusion.ranking[0].family == "search_performed"
    assert conclusion.verdict.status != "insufficient"


def test_redrawn_outcomes_know_inertia_alone(prepared):
    """The fit is calibrated on the mature, and moves with volume."""
    chance, outcome = chance_by_inertia(prepared), prepared.outcome
    assert chance[outcome.mature].mean() == pytest.approx(outcome.population.base_rate, abs=0.01)
    volume = inertia_features(prepared)[:, 1]
    assert np.corrcoef(chance, volume)[0, 1] > 0.2


def test_a_real_log_is_redrawn_with_and_without_a_rule(log):
    null = perform(Run(world="log mine null", accounts=0, seed=1, log=log), "v")
    planted = perform(Run(world="log mine planted", accounts=0, seed=1, log=log), "v")
    assert (null.failed, null.group, null.right in (None, False)) == (None, "null", True)
    assert (planted.failed, planted.group) == (None, "planted")
    assert 0.1 <= planted.settings["reach"] <= 0.5


def test_rivals_are_asked_of_the_same_accounts(monkeypatch):
    quick = {name: performing.BASELINES[name] for name in ("lift", "log-rank from the landmark")}
    monkeypatch.setattr(performing, "BASELINES", quick)
    row = perform(Run(world="easy", accounts=1500, seed=21, with_baselines=True), "v")
    assert [(rival.name, rival.rank, rival.vanity_first, rival.declared) for rival in row.rivals] == [
        (name, 1, False, True) for name in quick
    ]
