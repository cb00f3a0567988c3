"""The command for ladders: runs what is missing, keeps it, and writes the page."""

from contextlib import closing
from itertools import islice

import numpy as np

from benchmarks.accuracy import command
from benchmarks.accuracy.inference import MIN_SIDE, prepare
from benchmarks.accuracy.ladders import perform as performing
from benchmarks.accuracy.ladders.__main__ import ROWS_COME_FROM, SHARES, SIZES, main
from benchmarks.accuracy.ladders.judge import LadderRow
from benchmarks.accuracy.ladders.perform import perform, used_early
from benchmarks.accuracy.store import Store, code_version
from benchmarks.accuracy.worlds import Run, plan
from discovery.simulate import WORLDS, simulate_world
from discovery.spec import build_spec


def one_by_one(waiting, perform, version, workers, may_start):
    """Stand in for the pool of processes, which the command for studies is tested with."""
    return (perform(run, version) for run in waiting)


def test_it_runs_what_is_missing_and_goes_on_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "done", one_by_one)
    store, table = tmp_path / "rows.jsonl", tmp_path / "docs" / "ladders.md"
    files = ["--store", str(store), "--table", str(table)]
    few = ["--worlds", "chain_branches", "--accounts", "60", "--runs", "1", "--workers", "1", "--first-seed", "5"]
    main([*files, "--minutes", "0"])
    assert "0 runs" in table.read_text(encoding="utf-8")
    main([*files, *few])
    main([*files, *few])
    rows = Store(store, LadderRow).rows()
    assert sorted(row.seed for row in rows) == [5, 6]
    assert [row.failed for row in rows] == [None] * 2
    assert rows[0].planted == (("csv_uploaded", "salesforce_connected"), ("columns_mapped", "fields_synced"))
    assert "| chain_branches | 60 | 2 |" in table.read_text(encoding="utf-8")


def test_every_chain_is_run_at_every_size_on_seeds_of_its_own():
    assert {world for world in WORLDS if "chain" in world} <= set(SHARES) <= set(WORLDS)
    runs = list(islice(plan((), SIZES, 1000, shares=SHARES), 2 * sum(SHARES.values()) * len(SIZES)))
    assert {(run.world, run.accounts) for run in runs} == {(world, size) for world in SHARES for size in SIZES}
    assert len({run.key for run in runs}) == len(runs)
    assert len({(run.world, run.seed) for run in runs}) == len(runs)


def test_the_version_is_that_of_what_shapes_a_row():
    assert code_version(ROWS_COME_FROM) != code_version()


def test_a_planted_chain_is_found_and_every_method_is_asked():
    row = perform(Run(world="chain", accounts=1500, seed=3), "v")
    assert row.failed is None
    assert row.discovered
    assert row.score.f1 > 0.5
    assert len(row.rivals) == 3
    assert all(("report_shared",) not in rival.said for rival in row.rivals)
    assert not {"account_created", "workspace_created"} & {e for rival in row.rivals for (e,) in rival.said}


def test_other_methods_see_what_may_be_ranked_and_says_something(monkeypatch):
    world = simulate_world("chain", accounts=400, seed=2)
    prepared = prepare(world.events, world.accounts, build_spec(world.truth.spec))
    with closing(prepared.relations.engine):
        seen = used_early(prepared)
        monkeypatch.setattr(performing, "at_signup", lambda _: frozenset({"task_completed"}))
        without = used_early(prepared)
    sides = np.minimum(seen.used.sum(axis=0), (~seen.used).sum(axis=0))
    assert sides.min() >= MIN_SIDE
    assert "account_created" not in seen.events
    assert set(seen.events) - set(without.events) == {"task_completed"}
    assert (np.isfinite(seen.first_days) >= seen.used).all()
    assert len(seen.stayed) == world.truth.mature_accounts


def test_an_error_becomes_a_row(monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no world today")

    monkeypatch.setattr(performing.discovery, "simulate_world", broken)
    row = perform(Run(world="chain", accounts=100, seed=1), "v")
    assert (row.failed, row.key) == ("RuntimeError: no world today", ("chain", 100, 1))


def test_a_world_too_small_to_study_is_no_error():
    row = perform(Run(world="chain_skips", accounts=40, seed=1), "v")
    assert (row.failed, row.discovered, row.said, row.rivals) == (None, False, None, ())
