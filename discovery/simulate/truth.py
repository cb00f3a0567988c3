"""What is true of a world, in numbers: the planted rule, and what each event does and seems to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from discovery.milestone import Milestone
from discovery.simulate.behaviour import Log, met_by
from discovery.simulate.blueprint import Blueprint
from discovery.simulate.difference import Known, TrueEffect, effects_of, known_of, naive_difference
from discovery.simulate.fate import BY_DAY
from discovery.simulate.inertia import ACTIVE_FROM
from discovery.simulate.population import Population
from discovery.simulate.randomised import Tried, dates, true_experiments
from discovery.simulate.recording import inside_window


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What was planted in a world. `effects` has the planted rules, and every other event as used at least once.

    `planted` is empty where nothing acts and where every use of an event counts; `planted_events` names the
    events that act, and `segment` ("plan=team") where alone they do. `decoy_events` go with a hidden trait.
    `chain` has every step from the baseline to the planted event; `rungs` are those between the two, in order, each
    with the events that serve. `hindrance` is an error event and the step that accounts take more rarely after it.
    `wrong_milestone` goes with the hidden trait and has no effect; a test moved it. `experiments` says of every past
    test, by its column of the accounts table, when it ran, its arms, whether assignments of the variant are lost
    (`broken_split`), and of each rule that the variant `moves` the `first_stage` (share of accounts moved) and the
    `complier_effect` (what the rule adds to their chance of staying).
    `settings` holds what the world was made with, as plain values.
    """

    world: str
    description: str
    seed: int
    accounts: int
    planted: tuple[str, ...]
    planted_events: tuple[str, ...]
    segment: str | None
    chain: tuple[str, ...]
    rungs: tuple[tuple[str, ...], ...]
    hindrance: tuple[str, str] | None
    vanity_events: tuple[str, ...]
    decoy_events: tuple[str, ...]
    outcome_adjacent: tuple[str, ...]
    confounded: bool
    landmark_accounts: int
    mature_accounts: int
    base_rate: float | None
    effects: Mapping[str, TrueEffect]
    settings: Mapping[str, Any]
    spec: Mapping[str, Any]
    command: str
    wrong_milestone: str | None = None
    experiments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def tell_truth(
    blueprint: Blueprint,
    world: str,
    seed: int,
    population: Population,
    log: Log,
    accounts: pa.Table,
    potential: pa.Table,
    tried: tuple[Tried, ...] = (),
) -> Truth:
    """Compute the truth of a world from its hazard and from what was drawn."""
    known = known_of(accounts, potential, blueprint.settings())
    retained = known.retained[known.mature]
    return Truth(
        world=world,
        description=blueprint.description,
        seed=seed,
        accounts=len(population),
        planted=(str(blueprint.milestone),) if blueprint.milestone else (),
        planted_events=blueprint.planted_events,
        segment=blueprint.segment or None,
        chain=blueprint.chain,
        rungs=blueprint.rungs,
        hindrance=blueprint.route.hindrance if blueprint.route else None,
        vanity_events=blueprint.vanity,
        decoy_events=blueprint.decoys,
        outcome_adjacent=blueprint.outcome_adjacent,
        confounded=bool(blueprint.engagement_on_hazard or blueprint.trait_on_hazard),
        landmark_accounts=int(known.landmark.sum()),
        mature_accounts=len(retained),
        base_rate=float(retained.mean()) if len(retained) else None,
        effects=_effects(blueprint, population, log, known, potential["met"].to_numpy()),
        settings=blueprint.settings(),
        spec=_suggested_spec(blueprint),
        command=f"discover simulate {world} --accounts {len(population)} --seed {seed}",
        wrong_milestone=str(Milestone.parse(blueprint.wrong)) if blueprint.wrong else None,
        experiments=true_experiments(tried, known, blueprint.planted or None),
    )


def _suggested_spec(blueprint: Blueprint) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "events": {"account": "account_id", "user": "user_id", "event": "event", "time": "timestamp", "id": "event_id"},
        "accounts": {
            "account": "account_id",
            "signup": "signup_at",
            "churned": "churned_at",
            "segments": ["plan", "channel", "company_size"],
            "seats": "seats",
        },
        "outcome": {"kind": "retained", "by_day": BY_DAY},
    }
    if blueprint.inertia:
        del spec["accounts"]["churned"]
        spec["outcome"] = {"kind": "active", "active_days": [ACTIVE_FROM, BY_DAY]}
    named = blueprint.leaks_to_name
    if named:
        spec["kinds"] = {"outcome_adjacent": list(named)}
    if blueprint.trials:
        spec["experiment"] = {
            "assignment": [
                {"column": trial.column, "control": trial.control, **dates(trial)} for trial in blueprint.trials
            ]
        }
    return spec


def _effects(
    blueprint: Blueprint, population: Population, log: Log, known: Known, lived: NDArray[np.bool_]
) -> dict[str, TrueEffect]:
    """Return the planted rule's effect, then every other event's as used at least once.

    The planted rule's differences are those of having met it, whatever of that was recorded. An event that is
    planted only together with another, or whose every use counts, has the regression analogue.
    """
    planted = blueprint.milestone
    rules = [planted] if planted else []
    alone = planted.events if planted and len(planted.conditions) == 1 else ()
    rules += [Milestone.of(name) for name in blueprint.names if name not in alone]
    early = log.where(inside_window(log, population.signup))
    effects = {}
    for rule in rules:
        met = met_by(early, blueprint.names, population.signup, rule)[known.landmark]
        if rule is planted:
            (worth,) = effects_of(known, lived[known.landmark][None])
            gain = float(known.gain.mean()) if len(met) else 0.0
            effect = _effect(known, met, average=gain, overlap_weighted=worth.overlap_weighted_difference)
        elif set(rule.events) & set(blueprint.planted_events):
            (effect,) = effects_of(known, met[None])
        else:
            effect = _effect(known, met)
        effects[str(rule)] = effect
    return effects


def _effect(known: Known, met: NDArray[np.bool_], average: float = 0.0, overlap_weighted: float = 0.0) -> TrueEffect:
    return TrueEffect(
        naive_difference=naive_difference(known.retained[known.mature], met[known.mature]),
        average_difference=average,
        overlap_weighted_difference=overlap_weighted,
        reach=float(met.mean()) if len(met) else None,
    )
