"""One run from its name to its row: make the world, study it, ask the other methods, judge the ladders."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing

import numpy as np

import discovery
from discovery.spec import build_spec

from ..inference import MIN_SIDE, Prepared, at_signup, prepare, set_apart
from ..worlds import Run
from .baselines import BASELINES, Used
from .judge import LadderRow, Planted, Rival, failure, judge, planted_in, score


def perform(run: Run, version: str) -> LadderRow:
    """Do one run; an error becomes a row that says so."""
    try:
        return _simulated(run, version)
    except Exception as error:
        return failure(run.key, version, f"{type(error).__name__}: {error}")


def _simulated(run: Run, version: str) -> LadderRow:
    world = discovery.simulate_world(run.world, accounts=run.accounts, seed=run.seed)
    planted, spec = planted_in(world.truth), build_spec(world.truth.spec)
    started = time.perf_counter()
    result = discovery.Study(world.events, world.accounts, spec).run()
    seconds = time.perf_counter() - started
    rivals: tuple[Rival, ...] = ()
    if result.searched:
        prepared = prepare(world.events, world.accounts, spec)
        with closing(prepared.relations.engine):
            rivals = asked(used_early(prepared), planted)
    return judge(
        next((ladder for ladder in result.ladders if ladder.persona is None), None),
        planted,
        run.key,
        version=version,
        status=result.verdict.status,
        seconds=seconds,
        rivals=rivals,
    )


def used_early(prepared: Prepared) -> Used:
    """Return what the other methods are shown: every event the study may rank, unless it came with the signup.

    Events that fewer than `MIN_SIDE` mature accounts did, or did not do, say nothing and are left out.
    """
    measured, outcome = prepared.measured, prepared.outcome
    positions = outcome.positions[outcome.mature]
    window = prepared.spec.candidates.window_days
    barred = set_apart(prepared) | at_signup(prepared)
    names = [name for name in measured.events if name not in barred]
    first = np.array([measured.first_lags(name, positions) for name in names]).reshape(len(names), len(positions)).T
    used = first < window
    sides = np.minimum(used.sum(axis=0), (~used).sum(axis=0))
    kept = np.flatnonzero(sides >= MIN_SIDE)
    return Used(
        events=tuple(names[place] for place in kept),
        used=used[:, kept],
        first_days=first[:, kept],
        stayed=outcome.retained[outcome.mature],
    )


def asked(seen: Used, planted: Planted) -> tuple[Rival, ...]:
    """Ask every baseline; the milestone's own events are told to it and taken out of what it says."""
    return tuple(_asked(name, baseline, seen, planted) for name, baseline in BASELINES.items())


def _asked(name: str, baseline: Callable[[Used], tuple[str, ...]], seen: Used, planted: Planted) -> Rival:
    started = time.perf_counter()
    events = baseline(seen)
    own = (planted.family or "").split(" + ")
    said = tuple((event,) for event in events if event not in own)
    return Rival(
        name=name,
        said=said,
        score=score(said, planted.rungs) if planted.rungs else None,
        seconds=time.perf_counter() - started,
    )
