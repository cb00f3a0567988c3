"""What is true of a world, in numbers: the planted rule, and what each event does and seems to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discovery.milestone import Condition, Milestone
from discovery.simulate.behaviour import Log, reached
from discovery.simulate.blueprint import VANITY, Blueprint
from discovery.simulate.fate import BY_DAY, Fate
from discovery.simulate.population import CHANNELS, PLANS, SECONDS_PER_DAY, SIZES, Population


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueEffect:
    """One rule's differences in 90-day retention, in probability (0.2 is 20 points).

    Attributes
    ----------
    naive_difference : float or None
        Retained share of those who met the rule minus that of those who did not, as drawn, among accounts
        alive at the landmark whose day 90 is no later than the log's last event. None where one side is empty.
    average_difference : float
        Mean over accounts alive at the landmark of P(stay | rule met) - P(stay | rule not met), from the
        known hazard, everything else held as it is. Zero for every rule that is not planted.
    overlap_weighted_difference : float
        The same, weighted by e(1 - e), where e is the chance of meeting the rule given all that moves the
        hazard (plan, channel, size, engagement).
    reach : float
        Share of the landmark accounts that met the rule.
    """

    naive_difference: float | None
    average_difference: float
    overlap_weighted_difference: float
    reach: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What was planted in a world. `effects` has the planted rules, and every other event as used at least once."""

    world: str
    description: str
    seed: int
    accounts: int
    planted: tuple[str, ...]
    planted_events: tuple[str, ...]
    chain: tuple[str, ...]
    vanity_events: tuple[str, ...]
    outcome_adjacent: tuple[str, ...]
    confounded: bool
    landmark_accounts: int
    mature_accounts: int
    base_rate: float | None
    effects: Mapping[str, TrueEffect]
    spec: Mapping[str, Any]
    command: str


def tell_truth(
    blueprint: Blueprint,
    seed: int,
    population: Population,
    names: tuple[str, ...],
    log: Log,
    fate: Fate,
) -> Truth:
    """Compute the truth of a world from its hazard and from what was drawn."""
    planted = (str(Milestone.parse(blueprint.planted)),) if blueprint.planted else ()
    landmark = fate.alive_at_landmark
    mature = landmark & (population.signup + BY_DAY * SECONDS_PER_DAY <= log.time.max())
    return Truth(
        world=blueprint.name,
        description=blueprint.description,
        seed=seed,
        accounts=len(population),
        planted=planted,
        planted_events=tuple(sorted({event for text in planted for event in Milestone.parse(text).events})),
        chain=blueprint.chain,
        vanity_events=VANITY,
        outcome_adjacent=blueprint.outcome_adjacent,
        confounded=blueprint.engagement_on_hazard != 0.0,
        landmark_accounts=int(landmark.sum()),
        mature_accounts=int(mature.sum()),
        base_rate=float(fate.retained[mature].mean()) if mature.any() else None,
        effects=_effects(planted, population, names, log, fate, mature),
        spec=_suggested_spec(blueprint),
        command=f"discover simulate {blueprint.name} --accounts {len(population)} --seed {seed}",
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
    if blueprint.outcome_adjacent:
        spec["kinds"] = {"outcome_adjacent": list(blueprint.outcome_adjacent)}
    return spec


def _effects(
    planted: tuple[str, ...],
    population: Population,
    names: tuple[str, ...],
    log: Log,
    fate: Fate,
    mature: NDArray[np.bool_],
) -> dict[str, TrueEffect]:
    landmark = fate.alive_at_landmark
    gain = np.where(landmark, fate.stays_with - fate.stays_without, 0.0)
    rules = {text: Milestone.parse(text).conditions[0] for text in planted}
    used = {rule.event for rule in rules.values()}
    rules |= {str(Milestone.of(name)): Condition(name) for name in names if name not in used}
    effects = {}
    for text, rule in rules.items():
        met = reached(log, names, population.signup, rule)
        weight = _overlap(population, met, landmark) if text in planted else landmark
        effects[text] = TrueEffect(
            naive_difference=_difference(fate.retained[mature], met[mature]),
            average_difference=_mean(gain, landmark) if text in planted else 0.0,
            overlap_weighted_difference=_mean(gain, weight) if text in planted else 0.0,
            reach=float(met[landmark].mean()) if landmark.any() else None,
        )
    return effects


def _difference(stayed: NDArray[np.bool_], met: NDArray[np.bool_]) -> float | None:
    if not met.any() or met.all():
        return None
    return float(stayed[met].mean() - stayed[~met].mean())


def _mean(values: NDArray[np.float64], weight: NDArray[np.float64] | NDArray[np.bool_]) -> float:
    total = float(weight.sum())
    return float((values * weight).sum() / total) if total > 0 else 0.0


def _overlap(population: Population, met: NDArray[np.bool_], landmark: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return e(1 - e) from a least-squares propensity, cubic in engagement; zero before the landmark."""
    levels = [np.eye(len(mix))[column, 1:] for column, mix in _traits(population)]
    design = np.column_stack([*(population.engagement**power for power in range(4)), *levels])
    fit, *_ = np.linalg.lstsq(design[landmark], met[landmark].astype(np.float64), rcond=None)
    chance = np.clip(design @ fit, 0.01, 0.99)
    return np.where(landmark, chance * (1 - chance), 0.0)


def _traits(population: Population) -> tuple[tuple[NDArray[np.int64], tuple[str, ...]], ...]:
    return (population.plan, PLANS), (population.channel, CHANNELS), (population.size, SIZES)
