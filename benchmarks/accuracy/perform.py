"""One run from its name to its row: make the world, study it, ask the rivals, judge."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np

import discovery
from discovery.milestone import Milestone
from discovery.simulate import Truth, World, true_difference
from discovery.spec import build_spec

from .baselines import BASELINES
from .inertia import redrawn
from .inference import Prepared, prepare
from .judge import Facts, Judged, Rival, TrueDifference, failure, judge, place_of
from .seen import Seen, show
from .worlds import Run

WITHOUT_A_RULE = ("dose_response",)
"""Kinds of plant whose effect grows with every use, so that no rule is the exact one."""


def perform(run: Run, version: str) -> Judged:
    """Do one run; an error becomes a row that says so."""
    try:
        return _redrawn(run, version) if run.log else _simulated(run, version)
    except Exception as error:
        return failure(run.key, version, f"{type(error).__name__}: {error}")


def facts_of(truth: Truth) -> Facts:
    """Return what is judged of a simulated truth."""
    families = {Milestone.parse(rule).family for rule in truth.planted} or set(truth.planted_events)
    no_rule = truth.settings.get("kind") in WITHOUT_A_RULE
    return Facts(
        families=tuple(sorted(families)),
        rules=() if no_rule else truth.planted,
        vanity=truth.vanity_events,
        decoys=truth.decoy_events,
        segment=truth.segment,
        settings=truth.settings,
    )


def _simulated(run: Run, version: str) -> Judged:
    world = discovery.simulate_world(run.world, accounts=run.accounts, seed=run.seed)
    facts, spec = facts_of(world.truth), build_spec(world.truth.spec)
    started = time.perf_counter()
    result = discovery.Study(world.events, world.accounts, spec).run()
    seconds = time.perf_counter() - started
    if not result.searched:
        return judge(result, facts, run.key, version=version, seconds=seconds)
    prepared = prepare(world.events, world.accounts, spec)
    with closing(prepared.relations.engine):
        return judge(
            result,
            facts,
            run.key,
            version=version,
            seconds=seconds,
            true_difference=truth_of(world, prepared),
            same_accounts=lambda one, other: _same_accounts(prepared, one, other),
            rivals=_rivals(show(prepared), facts) if run.with_baselines else (),
        )


def truth_of(world: World, prepared: Prepared) -> TrueDifference:
    """Return a function from a milestone to its true differences."""
    ids = np.asarray(world.accounts.column("account_id").to_pylist(), dtype=object)
    places = np.searchsorted(prepared.relations.accounts.account_id.astype(str), ids.astype(str))

    def differences(milestone: str) -> tuple[float, float]:
        effect = true_difference(world, prepared.met(milestone)[places])
        return effect.overlap_weighted_difference, effect.average_difference

    return differences


def _same_accounts(prepared: Prepared, one: str, other: str) -> bool:
    differing = prepared.met(one) != prepared.met(other)
    return not differing[prepared.outcome.positions].any()


def _rivals(seen: Seen, facts: Facts) -> tuple[Rival, ...]:
    asked = (_asked(name, baseline, seen, facts) for name, baseline in BASELINES.items())
    return tuple(rival for rival in asked if rival is not None)


def _asked(name: str, baseline: Callable[[Seen], Any], seen: Seen, facts: Facts) -> Rival | None:
    started = time.perf_counter()
    said = baseline(seen)
    if said is None:
        return None
    return Rival(
        name=name,
        rank=place_of(said.families, facts.families),
        vanity_first=bool(said.families) and said.families[0] in facts.vanity,
        declared=said.declared,
        seconds=time.perf_counter() - started,
    )


def _redrawn(run: Run, version: str) -> Judged:
    assert run.log is not None
    conclusion, facts, seconds = redrawn(run.log, run.seed, planted=run.world.endswith(" planted"))
    return judge(conclusion, facts, (run.world, run.accounts, run.seed), version=version, seconds=seconds)
