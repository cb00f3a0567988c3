"""Worlds drawn from their seed: product, plant and nuisances alike, so that nothing can be tuned to them."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discovery.milestone import Condition, Milestone
from discovery.simulate.behaviour import Log, early_life, joined, met_by
from discovery.simulate.blueprint import BASELINE_EVENT, Blueprint, EventRate, Leak, draw_nuisance
from discovery.simulate.catalogue import DRAWN
from discovery.simulate.fate import in_segment
from discovery.simulate.grid import MIN_USERS, grid_flags
from discovery.simulate.population import PLANS, SIZES, Population, draw_population
from discovery.simulate.random_route import with_route
from discovery.simulate.random_trial import trait_behind, with_trials
from discovery.simulate.vocabulary import NEUTRAL_LEAKS, ORDINARY_NAMES, SESSION_NAMES, TELLING_LEAKS, VIEW_NAMES
from discovery.simulate.walk import walk

_PILOT_ACCOUNTS = 1500
_LOWEST_REACH, _HIGHEST_REACH = 0.08, 0.70
_WRONG_REACH = 0.15
_KINDS = MappingProxyType(
    {
        "single": 0.55,
        "multi_user": 0.10,
        "conjunction": 0.08,
        "dose_response": 0.07,
        "segment_only": 0.08,
        "chain": 0.12,
    }
)
_FIXED_KINDS = MappingProxyType(
    {
        "random_null": "none",
        "random_hidden": "none",
        "random_segment": "segment_only",
        "random_conjunction": "conjunction",
        "random_chain": "chain",
        "random_no_chain": "single",
        "random_experiment": "single",
    }
)
_SEGMENTS = tuple(f"plan={plan}" for plan in PLANS[:2]) + tuple(f"company_size={size}" for size in SIZES[:2])
_Option = tuple[tuple[Condition, ...], float]  # a rule's conditions, and its reach in the pilot
_MOST_USES = 60.0  # expected ordinary events of an account in 14 days


def draw_blueprint(world: str, seed: int) -> Blueprint:
    """Draw a whole world: its events, what misleads, what is planted and how strongly, and its odd features.

    Parameters
    ----------
    world : str
        One of the drawn worlds.
    seed : int
        Everything follows from it, whatever the number of accounts.

    Returns
    -------
    Blueprint
        `drawn` says what cannot be read from the other settings: reach of the rule in a pilot of 1,500
        accounts, and the share retained that was aimed at.
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(f"blueprint of {world}".encode())]))
    kind = _FIXED_KINDS.get(world) or str(rng.choice(list(_KINDS), p=list(_KINDS.values())))
    product = replace(_product(world, rng), **_features(rng))
    if world == "random_chain":
        product = with_route(product, rng)
    elif kind == "chain":
        steps = rng.choice(_usable(product), int(rng.integers(2, 5)), replace=False)
        product = replace(product, chain=(BASELINE_EVENT, *map(str, steps)), season=0.0)
    if world == "random_hidden":
        product = replace(product, **_hidden(product, rng))
    if world == "random_experiment":
        product = replace(product, **trait_behind(str(rng.choice(_usable(product))), rng))
    plant = _Plant(kind=kind, aim=float(rng.uniform(0.25, 0.9)), ratio=float(rng.uniform(0.35, 0.70)))
    planted = _planted(product, plant, seed, rng)
    return _tried(planted, seed, rng) if world == "random_experiment" else planted


def _product(world: str, rng: np.random.Generator) -> Blueprint:
    """Draw the ordinary events, and how hidden engagement moves them and staying."""
    events = int(rng.integers(6, 46))
    names = rng.choice(ORDINARY_NAMES, events, replace=False)
    volume = float(rng.uniform(0.15, 0.65))
    view = EventRate(
        event=str(rng.choice(VIEW_NAMES)),
        adoption=rng.uniform(0.8, 0.97),
        uses=rng.uniform(3.5, 9.0),
        spread=rng.uniform(0.2, 0.5),
        later=rng.uniform(3.0, 8.0),
    )
    ordinary = [
        EventRate(
            event=str(name),
            adoption=rng.uniform(0.12, 0.88),
            uses=math.exp(rng.uniform(math.log(1.1), math.log(6.0))),
            spread=rng.uniform(0.3, 1.0),
            later=math.exp(rng.uniform(math.log(0.05), math.log(3.0))),
            loading=max(volume + 0.15 * rng.standard_normal(), 0.0),
        )
        for name in names
    ]
    expected = sum(rate.adoption * rate.uses for rate in ordinary)
    less = min(_MOST_USES / expected, 1.0)
    strength = 0.0 if rng.random() < 0.2 else -float(rng.uniform(0.0, 0.9))
    return Blueprint(
        name=world,
        description=DRAWN[world],
        ordinary=(view, *(replace(rate, uses=rate.uses * less) for rate in ordinary)),
        view_event=view.event,
        session_event=str(rng.choice(SESSION_NAMES)),
        engagement_on_volume=volume,
        engagement_on_hazard=strength,
        vanity_loading=float(rng.uniform(0.4, 1.0)),
    )


def _features(rng: np.random.Generator) -> dict[str, Any]:
    """Draw which odd features the world has. Every draw is made, whether used or not."""
    features = ("drift", "churn", "renewal", "season", "lost", "twice", "sizes", "leaks")
    has = dict(zip(features, rng.random(len(features)).tolist(), strict=True))
    amount = rng.random(len(features)).tolist()
    leaks = (
        *_some(TELLING_LEAKS, int(rng.integers(1, 4)), rng),
        *_some(NEUTRAL_LEAKS, int(rng.integers(1, 3)), rng),
    )
    uneven, renewal = has["sizes"] < 0.25, has["renewal"] < 0.12
    return {
        "drift": 2.0 * amount[0] - 1.0 if has["drift"] < 0.3 else 0.0,
        "effect_drift": -0.6 * amount[1] if has["drift"] < 0.12 else 0.0,
        "early_churn": 0.15 + 0.2 * amount[2] if has["churn"] < 0.15 and not renewal else None,
        "renewal": renewal,
        "season": 0.15 + 0.25 * amount[3] if has["season"] < 0.25 else 0.0,
        "untracked": 0.03 + 0.12 * amount[4] if has["lost"] < 0.25 else 0.0,
        "repeated": 0.03 + 0.09 * amount[5] if has["twice"] < 0.2 else 0.0,
        "new_ids": float(round(amount[6])),
        "seats_spread": 0.9 + 0.6 * amount[7] if uneven else 0.5,
        "users_on_volume": 0.4 if uneven else 0.15,
        "seats_on_hazard": -0.15 if uneven else 0.0,
        "leaks": leaks if has["leaks"] < 0.3 else (),
    }


def _some(leaks: tuple[Leak, ...], count: int, rng: np.random.Generator) -> tuple[Leak, ...]:
    return tuple(leaks[place] for place in sorted(rng.choice(len(leaks), count, replace=False)))


def _hidden(product: Blueprint, rng: np.random.Generator) -> dict[str, Any]:
    decoys = rng.choice(_usable(product), int(rng.integers(2, 5)), replace=False)
    return {
        "decoys": tuple(sorted(map(str, decoys))),
        "trait_on_hazard": -float(rng.uniform(0.6, 1.0)),
        "trait_on_decoys": float(rng.uniform(0.8, 1.2)),
        "trait_on_others": float(rng.uniform(0.05, 0.2)),
    }


def _usable(product: Blueprint) -> list[str]:
    return [rate.event for rate in product.ordinary if rate.event != product.view_event]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plant:
    kind: str
    aim: float  # share to be retained
    ratio: float  # hazard ratio


def _planted(product: Blueprint, plant: _Plant, seed: int, rng: np.random.Generator) -> Blueprint:
    """Choose the rule by its reach in a pilot, and the base rate that brings the retained share to its aim."""
    pilot = _Pilot(product, seed)
    launched = bool(rng.random() < 0.12) and plant.kind == "single" and not product.decoys
    segment = str(rng.choice(_SEGMENTS)) if plant.kind == "segment_only" else ""
    kind, chosen = plant.kind, None
    options: list[_Option] = []
    if kind not in ("none", "dose_response"):
        options = _options(product, kind, pilot, _LOWEST_REACH * (2.2 if launched else 1.0))
        if not options:
            kind, launched = kind if product.route else "single", False
            options = _options(product, kind, pilot, 0.02)
    reach = 0.0
    planted: dict[str, Any] = {"segment": segment, "launched": launched}
    if options:
        conditions, reach = _one_family_then_one_rule(options, rng)
        chosen = str(Milestone(conditions))
        planted |= {"planted": chosen, "hazard_ratio": plant.ratio}
    elif kind == "dose_response":
        used = {name: float(pilot.met(Milestone.of(name)).mean()) for name in _usable(product)}
        frequent = [name for name, share in used.items() if 0.2 < share < 0.9] or list(used)
        event = str(rng.choice(frequent))
        reach = used[event]
        planted |= {"dose_event": event, "hazard_ratio": plant.ratio}
    drawn = {"pilot_reach": reach, "aimed_at": plant.aim, **_thresholds(chosen)}
    retained = _without(plant.aim, reach * pilot.share_of(segment) * (0.45 if launched else 1.0), plant.ratio)
    return replace(product, retained_without=retained, drawn=MappingProxyType(drawn), **planted)


def _tried(planted: Blueprint, seed: int, rng: np.random.Generator) -> Blueprint:
    """Draw a rule of the decoy event, and a past test of it and one of the planted rule."""
    pilot = _Pilot(planted, seed)
    usual, any_ = (_of_one_event(planted.decoys, MIN_USERS[:1], pilot, lowest) for lowest in (_WRONG_REACH, 0.0))
    conditions, reach = _one_family_then_one_rule(usual or any_, rng)
    right = planted.planted, float(planted.drawn["pilot_reach"])
    return with_trials(planted, (str(Milestone(conditions)), reach), right, rng)


def _thresholds(chosen: str | None) -> Mapping[str, int | float | None]:
    if chosen is None:
        return {"at_least": None, "within_days": None, "min_users": None}
    first = Milestone.parse(chosen).conditions[0]
    return {"at_least": first.at_least, "within_days": first.within_days, "min_users": first.min_users}


def _without(aim: float, reach: float, ratio: float) -> float:
    """Return the share retained without the rule for which the mixture is the one aimed at."""
    low, high = 0.05, 0.97
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 - reach) * middle + reach * middle**ratio < aim else (low, middle)
    return (low + high) / 2


def _one_family_then_one_rule(options: list[_Option], rng: np.random.Generator) -> _Option:
    families = [tuple(sorted(condition.event for condition in conditions)) for conditions, _ in options]
    known = sorted(set(families))
    family = known[int(rng.integers(len(known)))]
    rules = [option for option, own in zip(options, families, strict=True) if own == family]
    return rules[int(rng.integers(len(rules)))]


class _Pilot:
    """The first two weeks of some accounts of the world, as its final draw will have them but for chance."""

    def __init__(self, product: Blueprint, seed: int) -> None:
        rng = np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(b"pilot")]))
        nuisance = draw_nuisance(product, _nuisance_source(product.name, seed))
        self.names = product.names
        self.population: Population = draw_population(_PILOT_ACCOUNTS, nuisance, rng)
        if product.trait_on_hazard:
            self.population = replace(self.population, trait=rng.standard_normal(_PILOT_ACCOUNTS))
        self.log: Log = early_life(product, nuisance, self.population, rng)
        if product.route:
            self.log = joined(self.log, walk(product.route, product.names, self.population, rng))

    def met(self, milestone: Milestone) -> NDArray[np.bool_]:
        return met_by(self.log, self.names, self.population.signup, milestone)

    def grid(self, event: str) -> dict[Condition, NDArray[np.bool_]]:
        """Return who met each rule of one event."""
        log = self.log.where(self.log.event == self.names.index(event))
        lag = log.time - self.population.signup[log.account]
        return dict(grid_flags(event, log.account, log.user, lag, len(self.population)))

    def rules(self, event: str) -> Iterator[tuple[Condition, NDArray[np.bool_]]]:
        """Yield the rules of one event that differ: fewest users, lowest count and longest window first."""
        seen = set()
        for condition, met in sorted(self.grid(event).items(), key=lambda rule: _simplicity(rule[0])):
            if met.tobytes() not in seen:
                seen.add(met.tobytes())
                yield condition, met

    def share_of(self, segment: str) -> float:
        return float(in_segment(segment, self.population).mean())


def _simplicity(rule: Condition) -> tuple[int, int, int]:
    return rule.min_users, rule.at_least, -(rule.within_hours or 0)


def _nuisance_source(world: str, seed: int) -> np.random.Generator:
    """Return the source of the world's own settings, whose first child `simulate_world` takes them from."""
    return np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(world.encode())]).spawn(1)[0])


def _options(product: Blueprint, kind: str, pilot: _Pilot, lowest: float) -> list[_Option]:
    """Return the rules that could be planted, with their reach in the pilot."""
    events = [product.chain[-1]] if kind == "chain" else [e for e in _usable(product) if e not in product.decoys]
    if kind == "conjunction":
        return _pairs(events, pilot, lowest)
    return _of_one_event(events, {"multi_user": MIN_USERS[1:]}.get(kind, MIN_USERS[:1]), pilot, lowest)


def _of_one_event(events: Sequence[str], users: Sequence[int], pilot: _Pilot, lowest: float) -> list[_Option]:
    found: list[_Option] = []
    for event in events:
        for condition, met in pilot.rules(event):
            reach = float(met.mean())
            if condition.min_users in users and lowest <= reach <= _HIGHEST_REACH:
                found.append(((condition,), reach))
    return found


def _pairs(events: list[str], pilot: _Pilot, lowest: float) -> list[_Option]:
    """Return pairs from the base grid (1 or 3 times, in 7 or 14 days) that neither part comes close to alone."""
    grids = {event: pilot.grid(event) for event in events}
    base = [Condition(event, k, 24 * d) for event in events for k in (1, 3) for d in (7, 14)]
    cells = [cell for cell in base if grids[cell.event][cell].mean() >= lowest]
    met = np.array([grids[cell.event][cell] for cell in cells], dtype=np.float32).reshape(len(cells), -1)
    reach = met @ met.T / met.shape[1]
    alone = 0.8 * np.diag(reach)
    usual = (reach >= lowest) & (reach <= np.minimum(_HIGHEST_REACH, np.minimum.outer(alone, alone)))
    family = np.array([events.index(cell.event) for cell in cells])
    chosen = np.argwhere(np.triu(usual & (family[:, None] != family), 1))
    return [((cells[one], cells[other]), float(reach[one, other])) for one, other in chosen]
