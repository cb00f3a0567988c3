"""Which steps are required on the way to a milestone: necessity, beside how busy an account is anyway.

A step belongs to the ladder if nearly all accounts that reach the milestone did it first, and accounts that never do
it rarely get there, also among accounts that do as much else. Predicting the outcome is not asked of a step: a search
for the best predictors collects popular events instead of the path.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery import estimate
from discovery.ladder.steps import Days, Place, Step, came_first, earliest

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

WIDEST_STEP = 0.97
"""A step that nearly every account takes is no step of a ladder."""
RARELY = 0.5
"""Without the step, the milestone must be reached at most this often as with it, among accounts as busy."""
BEYOND_CHANCE, ANY = 3.0, 0.02
"""How far z of that comparison must be from 0, and the probability that chance alone gets one of many that far."""
FEWEST = 30
"""Accounts at the milestone below which nothing is said about the way there."""
STEADY = 0.5
"""Share of the half-samples in which a step must be required again."""
SPECIFIC = 0.5
"""Without the step, the milestone must also be this much rarer than other events are."""
FEWEST_KINDS = 3
"""Other events below which there is no telling what is popular, except by order."""
AFTER = 0.1
"""Share of the accounts with both that did an event before the milestone, below which it is what follows."""
ANY_ORDER = 0.2
"""Share of the accounts with both from which either order is usual."""
NEAR = 0.6
"""Necessity from which a step may be part of the path, and is not counted as being busy."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """The accounts that a ladder is about.

    Attributes
    ----------
    top : float64[n]
        Days from signup to the milestone; inf where never.
    others : float64[n]
        How many other events each account did beside the path.
    kinds : int
        How many events those are.
    near : tuple of float64[n]
        Days of the events that may be part of the path.
    stratum : int64[n]
        How busy each account is beside the path, in deciles.
    signup : int64[n]
        Microseconds since 1970 UTC.
    halves : float32[n, S]
        Half-samples, 0 and 1.
    necessity : float
        Share of the accounts at the milestone that must have done a step before.
    """

    top: Days
    others: Floats
    kinds: int
    near: tuple[Days, ...]
    stratum: NDArray[np.int64]
    signup: NDArray[np.int64]
    halves: NDArray[np.float32]
    necessity: float

    @property
    def reached(self) -> Bools:
        """Which accounts reached the milestone."""
        return np.isfinite(self.top)

    def among(self, accounts: Bools) -> Ground:
        """Return the same for some accounts only."""
        return dataclasses.replace(
            self,
            top=self.top[accounts],
            others=self.others[accounts],
            near=tuple(days[accounts] for days in self.near),
            stratum=self.stratum[accounts],
            signup=self.signup[accounts],
            halves=self.halves[accounts],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standing:
    """How a step stands to the milestone, in all accounts and (`steady`, bool[S]) in the half-samples."""

    necessity: float
    ratio: float
    wide: float
    specific: bool
    required: bool
    steady: Bools
    telling: float


def lay_ground(
    top: Days, steps: Sequence[Step], signup: NDArray[np.int64], halves: NDArray[np.float32], necessity: float
) -> Ground:
    """Say how busy every account is beside the path: how many other things it did, in deciles."""
    reached = np.isfinite(top)
    others, kinds, near = np.zeros(len(top)), 0, []
    for step in steps:
        first, did = came_first(step.first_days, top), np.isfinite(step.first_days)
        both = did & reached
        if reached.any() and first[reached].mean() >= NEAR:
            near.append(step.first_days)
        elif both.sum() < FEWEST or first[both].mean() >= AFTER:
            others, kinds = others + did, kinds + 1
    return Ground(
        top=top,
        others=others,
        kinds=kinds,
        near=tuple(near),
        stratum=estimate.deciles(others),
        signup=signup,
        halves=halves,
        necessity=necessity,
    )


def standing(first_days: Days, since: int | None, ground: Ground) -> Standing:
    """Compare a step with the milestone, among accounts that signed up since the step exists."""
    if since is not None:
        existed = ground.signup >= since
        first_days, ground = first_days[existed], ground.among(existed)
    reached, ever = ground.reached, np.isfinite(first_days)
    first = came_first(first_days, ground.top)
    did = _before(ever, first, reached)
    far = first[reached].sum() < NEAR * reached.sum()
    samples = np.column_stack([np.ones(len(first)), *([] if far else [ground.halves])])
    together = estimate.without_over_with(reached, did, ground.stratum, samples)
    necessity = _divided((first * reached) @ samples, reached @ samples)
    wide = _divided(ever @ samples, samples.sum(axis=0))
    specific = _is_specific(first_days, did, ground, samples)
    holds = (necessity >= ground.necessity) & (together.ratio <= RARELY) & (wide < WIDEST_STEP)
    holds &= specific & _beyond_chance(together.z, len(ground.near))
    steady = np.zeros(ground.halves.shape[1], dtype=bool) if far else holds[1:]
    elsewhere = float(ever[~reached].mean()) if (~reached).any() else 1.0
    return Standing(
        necessity=float(necessity[0]),
        ratio=float(together.ratio[0]),
        wide=float(wide[0]),
        specific=bool(specific[0]),
        required=bool(holds[0] and reached.sum() >= FEWEST and (not steady.size or steady.mean() >= STEADY)),
        steady=steady,
        telling=float(necessity[0]) - elsewhere,
    )


def place_of(steps: tuple[Step, ...], first_days: Days, stands: Standing, routes: tuple[int, ...] = ()) -> Place:
    """Return the place on the ladder of steps that are required."""
    return Place(
        steps=steps,
        first_days=first_days,
        necessity=stands.necessity,
        telling=stands.telling,
        steady=stands.steady,
        routes=routes or (0,) * len(steps),
    )


def place_among(place: Place, top: Days, signup: NDArray[np.int64], first_days: Mapping[str, Days]) -> Place:
    """Return the same place with the times, and the necessity, of other accounts; what else it is, is kept."""
    steps = tuple(dataclasses.replace(step, first_days=first_days[step.event]) for step in place.steps)
    first = earliest(steps)
    existed = np.ones(len(top), dtype=bool) if place.since is None else signup >= place.since
    before = came_first(first[existed], top[existed])[np.isfinite(top[existed])]
    necessity = float(before.mean()) if len(before) else 0.0
    return dataclasses.replace(place, steps=steps, first_days=first, necessity=necessity)


def _divided(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _before(ever: Bools, first: Floats, reached: Bools) -> Bools:
    """Say who did the step before the milestone, or at all without reaching it; of equal moments, the share that is."""
    did = np.where(reached, first > 0.5, ever)
    tied = np.flatnonzero(reached & (first > 0) & (first < 1))
    if len(tied):
        did[tied] = np.diff(np.floor(first[tied[0]] * np.arange(len(tied) + 1) + 1e-9)) > 0
    return did


def _beyond_chance(z: Floats, looked_at: int) -> Bools:
    """Hold the whole against the limit, and the half-samples that follow it against what half the accounts can show."""
    beyond = max(BEYOND_CHANCE, estimate.critical_z(ANY, max(looked_at, 1)))
    limit = np.full(len(z), -beyond / np.sqrt(2.0))
    limit[0] = -beyond
    return np.asarray(z <= limit)


def _is_specific(first_days: Days, did: Bools, ground: Ground, samples: Floats) -> Bools:
    """Say whether the milestone is rarer without the step than other things are; bool[samples]."""
    if ground.kinds < FEWEST_KINDS:
        return np.full(samples.shape[1], not _any_order(first_days, ground.near))
    milestone, others = _rate_ratio(ground.reached, did, samples), _rate_ratio(ground.others, did, samples)
    return np.asarray(milestone <= SPECIFIC * np.minimum(1.0, others))


def _rate_ratio(count: Floats | Bools, did: Bools, samples: Floats) -> Floats:
    """Return the mean of `count` without the step over that with it; 1 where nobody with it has any."""
    without = _divided((count * ~did) @ samples, ~did @ samples)
    having = _divided((count * did) @ samples, did @ samples)
    return np.divide(without, having, out=np.ones(len(having)), where=having > 0)


def _any_order(first_days: Days, near: Sequence[Days]) -> bool:
    """Say whether the step comes now before and now after another that may be part of the path."""
    for other in near:
        both = np.isfinite(first_days) & np.isfinite(other)
        if both.sum() < FEWEST:
            continue
        before, after = (first_days[both] < other[both]).mean(), (first_days[both] > other[both]).mean()
        if min(before, after) >= ANY_ORDER:
            return True
    return False
