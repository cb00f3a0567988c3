"""Ladders by necessity: the planted chain, and what must not become a rung."""

from itertools import pairwise

import numpy as np
import pytest

from discovery.errors import Caution
from discovery.ladder import Step, build_ladder
from discovery.spec import LadderSpec


def chain(n=4000, untracked=0.0, seed=0):
    """Three steps, each needed for the next, then the milestone; a popular event of no use; a late one."""
    rng = np.random.default_rng(seed)
    day, alive, steps = np.zeros(n), np.ones(n, bool), {}
    for name, share in (("connect", 0.8), ("import", 0.7), ("build", 0.7), ("share", 0.7)):
        alive &= rng.random(n) < share
        day = day + rng.exponential(1.0, n)
        seen = alive & (rng.random(n) >= (untracked if name != "share" else 0))
        steps[name] = np.where(seen, day, np.inf)
    top = steps.pop("share")
    steps["browse"] = np.where(rng.random(n) < 0.9, rng.exponential(0.2, n), np.inf)
    steps["celebrate"] = np.where(np.isfinite(top), top + 1, np.inf)
    return top, [Step(event=name, first_days=days) for name, days in steps.items()]


@pytest.mark.parametrize("untracked", [0.0, 0.05, 0.1])
@pytest.mark.parametrize("seed", range(5))
def test_the_planted_chain_is_recovered_in_order(seed, untracked):
    top, steps = chain(untracked=untracked, seed=seed)
    ladder = build_ladder("share", top, steps[::-1], LadderSpec(), rank=1)
    assert [rung.milestone for rung in ladder.rungs] == ["signed up", "connect", "import", "build", "share"]
    assert [rung.role for rung in ladder.rungs] == ["baseline", "required", "required", "required", "milestone"]


def test_counts_fall_from_rung_to_rung_and_end_at_the_milestones_own_reach():
    top, steps = chain(untracked=0.1)
    rungs = build_ladder("share", top, steps, LadderSpec(), rank=1).rungs
    reached = [rung.n_reached for rung in rungs]
    assert reached == sorted(reached, reverse=True)
    assert reached[-1] == np.isfinite(top).sum()
    for before, after in pairwise(rungs):
        assert after.dropped == before.n_reached - after.n_reached
        assert after.step_conversion == pytest.approx(after.n_reached / before.n_reached)


def test_median_times_rise_along_the_planted_chain():
    top, steps = chain(n=20_000)
    medians = [rung.median_days for rung in build_ladder("share", top, steps, LadderSpec(), rank=1).rungs]
    assert medians == sorted(medians)


def test_no_more_rungs_than_asked_and_too_few_are_said():
    top, steps = chain()
    short = build_ladder("share", top, steps, LadderSpec(rungs=(2, 2)), rank=1)
    assert len(short.rungs) == 3
    lonely = build_ladder("share", top, [], LadderSpec(), rank=1)
    assert [rung.role for rung in lonely.rungs] == ["baseline", "milestone"]
    assert lonely.warnings == (Caution.FEW_RUNGS,)


def test_a_milestone_nobody_reaches_has_no_required_steps():
    _, steps = chain()
    ladder = build_ladder("share", np.full(4000, np.inf), steps, LadderSpec(), rank=1)
    assert len(ladder.rungs) == 2
    assert ladder.rungs[-1].median_days is None


def test_what_happens_at_the_same_moment_as_the_milestone_does_not_count_as_before_it():
    """With dates alone, most things share a day."""
    top = np.where(np.arange(1000) < 400, 3.0, np.inf)
    confetti = Step(event="confetti", first_days=top.copy())
    before = Step(event="before", first_days=np.where(np.isfinite(top), 2.0, np.inf))
    ladder = build_ladder("top", top, [confetti, before], LadderSpec(), rank=1)
    assert [rung.milestone for rung in ladder.rungs] == ["signed up", "before", "top"]
