"""One run from its name to its row: make the world, propose, validate, judge."""

from __future__ import annotations

import time
from contextlib import closing

import discovery
from discovery.simulate import World
from discovery.spec import build_spec

from ..inference import Prepared, prepare
from ..judge import TrueDifference
from ..perform import facts_of, truth_of
from ..worlds import Run
from .judge import Judged, Tried, ValidationRow, failure, judge, tried
from .proposals import Asked, Bools, phi, proposed


def perform(run: Run, version: str) -> ValidationRow:
    """Do one run; an error becomes a row that says so."""
    try:
        return _simulated(run, version)
    except Exception as error:
        return failure(run.key, version, f"{type(error).__name__}: {error}")


def _simulated(run: Run, version: str) -> ValidationRow:
    world = discovery.simulate_world(run.world, accounts=run.accounts, seed=run.seed)
    facts, without = facts_of(world.truth), {key: of for key, of in world.truth.spec.items() if key != "experiment"}
    spec = build_spec(without)
    prepared = prepare(world.events, world.accounts, spec)
    started = time.perf_counter()
    with closing(prepared.relations.engine):
        asked = proposed(world.truth, spec.candidates, lambda text: met(prepared, text), run.seed)
        study = discovery.Study(world.events, world.accounts, spec)
        proposals = judged(study, asked, world, prepared)
    return ValidationRow(
        world=run.world,
        accounts=run.accounts,
        seed=run.seed,
        version=version,
        group=facts.group,
        segment=facts.segment,
        minimum_effect=spec.inference.minimum_effect,
        proposals=proposals,
        tried=with_experiments(world, proposals),
        seconds=time.perf_counter() - started,
    )


def met(prepared: Prepared, text: str) -> Bools:
    """Return who of the accounts with a known outcome met a milestone."""
    outcome = prepared.outcome
    flag: Bools = prepared.met(text)[outcome.positions[outcome.mature]]
    return flag


def judged(study: discovery.Study, asked: tuple[Asked, ...], world: World, prepared: Prepared) -> tuple[Judged, ...]:
    """Validate all proposals at once, which widens no interval that is read, and hold each against the truth."""
    answers = study.validate(*(one.milestone for one in asked)).proposals
    truth: TrueDifference = truth_of(world, prepared)
    planted = met(prepared, world.truth.planted[0]) if world.truth.planted else None
    return tuple(
        judge(
            answer,
            one,
            least=prepared.spec.inference.minimum_effect,
            active=prepared.spec.outcome.kind == "active",
            overlap=truth(one.milestone)[0],
            likeness=lambda text: None if planted is None else phi(met(prepared, text), planted),
        )
        for one, answer in zip(asked, answers, strict=True)
    )


def with_experiments(world: World, proposals: tuple[Judged, ...]) -> tuple[Tried, ...]:
    """Validate what a past experiment moved once more, each alone and with the experiments to be read."""
    if not world.truth.experiments:
        return ()
    study = discovery.Study(world.events, world.accounts, build_spec(world.truth.spec))
    found = []
    for one in proposals:
        if one.kind in ("planted", "wrong milestone"):
            (answer,) = study.validate(one.milestone, independent=True).proposals
            found.append(tried(one.kind, one.alone, answer.verdict, answer.evidence, world.truth, one.milestone))
    return tuple(found)
