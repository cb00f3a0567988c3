"""What is run, in which order."""

from collections import Counter
from itertools import islice

from benchmarks.accuracy.worlds import LOG_REDRAWS, SHARES, RealLog, plan
from discovery.simulate import WORLDS


def test_no_run_is_planned_twice():
    runs = list(islice(plan(), 600))
    assert len({run.key for run in runs}) == len(runs)


def test_every_world_is_run_and_random_ones_at_every_size():
    runs = list(islice(plan(sizes=(1000, 2500, 5000)), 400))
    assert {run.world for run in runs} == set(WORLDS)
    sizes = Counter((run.world, run.accounts) for run in runs)
    for world in set(SHARES) & set(WORLDS):
        assert {size for name, size in sizes if name == world} == {1000, 2500, 5000}
    assert {size for name, size in sizes if name == "easy"} == {2500}


def test_wherever_it_stops_named_worlds_are_balanced():
    for stop in (6, 11, 24):
        counts = Counter((run.world, run.accounts) for run in islice(plan(["easy", "null"], (1000, 5000)), stop))
        assert max(counts.values()) - min(counts.values()) <= 1


def test_sizes_are_run_on_different_seeds():
    seeds = {}
    for run in islice(plan(["random"], (1000, 5000)), 20):
        seeds.setdefault(run.accounts, set()).add(run.seed)
    assert seeds[1000].isdisjoint(seeds[5000])
    assert seeds[1000] | seeds[5000] == set(range(1000, 1020))


def test_seeds_start_where_asked_and_baselines_stand_beside_every_second():
    runs = list(islice(plan(["easy"], (1000,), 500), 4))
    assert [(run.seed, run.with_baselines) for run in runs] == [(500, True), (501, False), (502, True), (503, False)]
    assert not any(run.with_baselines for run in islice(plan(["easy"], (1000,), baselines=False), 4))


def test_real_logs_are_redrawn_with_and_without_a_planted_rule():
    log = RealLog("mine", "e.csv", "a.csv", "mine.toml")
    runs = [run for run in islice(plan(["easy"], (1000,), logs=[log]), 10) if run.log]
    assert Counter(run.world for run in runs) == {"log mine null": 2 * LOG_REDRAWS, "log mine planted": 2 * LOG_REDRAWS}
    assert len({run.key for run in runs}) == len(runs)
