"""Which steps are required on the way to a milestone: necessity, beside how busy an account is anyway.

A step belongs to the ladder if nearly all accounts that reach the milestone did it first, and accounts that never do
it rarely get there, also among accounts that do as much else. Predicting the outcome is not asked of a step: a search
for the best predictors collects popular events instead of the path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery import estimate
from discovery.ladder.steps import Days, Place, Step, came_first

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

WIDEST_STEP = 0.97
"""A step that nearly every account takes is no step of a ladder."""
RARELY = 0.5
"""Without the step, the milestone must be reached at most this often as with it, among accounts as busy."""
BEYOND_CHANCE = -3.0
"""Largest z of that comparison."""
FEWEST = 30
"""Accounts at the milestone below which nothing is said about the way there."""
STEADY = 0.5
"""Share of the half-samples in which a step must be required again."""
NEAR = 0.6
"""Necessity from which a step may be part of the path, and is not counted as being busy."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """The accounts that a ladder is about.

    Attributes
    ----------
    top : float64[n]
        Days from signup to the milestone; inf where never.
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
    stratum: NDArray[np.int64]
    signup: NDArray[np.int64]
    halves: NDArray[np.float32]
    necessity: float

    @property
    def reached(self) -> Bools:
        """Which accounts reached the milestone."""
        return np.isfinite(self.top)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standing:
    """How a step stands to the milestone, in all accounts and (`steady`, bool[S]) in the half-samples."""

    necessity: float
    ratio: float
    wide: float
    required: bool
    steady: Bools
    telling: float


def lay_ground(
    top: Days, steps: Sequence[Step], signup: NDArray[np.int64], halves: NDArray[np.float32], necessity: float
) -> Ground:
    """Say how busy every account is beside the path: how many other things it did, in deciles."""
    reached = np.isfinite(top)
    others = np.zeros(len(top))
    for step in steps:
        if not reached.any() or came_first(step.first_days, top)[reached].mean() < NEAR:
            others += np.isfinite(step.first_days)
    return Ground(top=top, stratum=estimate.deciles(others), signup=signup, halves=halves, necessity=necessity)


def standing(first_days: Days, since: int | None, ground: Ground) -> Standing:
    """Compare a step with the milestone, among accounts that signed up since the step exists."""
    inside = np.ones(len(ground.top), dtype=bool) if since is None else ground.signup >= since
    reached, did = ground.reached[inside], np.isfinite(first_days[inside])
    first = came_first(first_days[inside], ground.top[inside])
    far = first[reached].sum() < NEAR * reached.sum()
    samples = np.column_stack([np.ones(len(first)), *([] if far else [ground.halves[inside]])])
    together = estimate.without_over_with(reached, did, ground.stratum[inside], samples)
    arrived = reached @ samples
    necessity = _divided((first * reached) @ samples, arrived)
    wide = _divided(did @ samples, samples.sum(axis=0))
    holds = (necessity >= ground.necessity) & (together.ratio <= RARELY) & (wide < WIDEST_STEP)
    elsewhere = float(did[~reached].mean()) if (~reached).any() else 1.0
    return Standing(
        necessity=float(necessity[0]),
        ratio=float(together.ratio[0]),
        wide=float(wide[0]),
        required=bool(
            holds[0]
            and together.z[0] <= BEYOND_CHANCE
            and arrived[0] >= FEWEST
            and (holds.size == 1 or holds[1:].mean() >= STEADY)
        ),
        steady=np.zeros(ground.halves.shape[1], dtype=bool) if far else holds[1:],
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


def _divided(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
