"""Steps, and the places they take on a ladder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery.milestone import Condition, Milestone

Days = NDArray[np.float64]
"""Days from signup to the first time, one per account; inf where never."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """An event that may become a rung. `since` is when it appeared in the log, in microseconds; None: always there.

    `left_out` says why it may not be a rung, whatever the data show; None: it may.
    """

    event: str
    first_days: Days
    since: int | None = None
    left_out: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """One rung to be: a step, or several that serve alike, with what makes it required.

    `necessity` is the share of accounts at the milestone that did it before, `steady` the half-samples (bool[S]) in
    which it is required again, `telling` by how much more often accounts at the milestone did it than the others.
    `routes` has the route of each step, 0 for none.
    """

    steps: tuple[Step, ...]
    first_days: Days
    necessity: float
    telling: float
    steady: NDArray[np.bool_]
    routes: tuple[int, ...] = ()

    @property
    def milestone(self) -> Milestone:
        """The step, or the alternatives joined by `or`."""
        return Milestone(tuple(Condition(step.event) for step in self.steps), "or")

    @property
    def events(self) -> tuple[str, ...]:
        """The events of its steps."""
        return tuple(step.event for step in self.steps)

    @property
    def since(self) -> int | None:
        """When the youngest of its steps appeared, if the place as a whole was not there before."""
        moments = [step.since for step in self.steps]
        return None if None in moments else min(m for m in moments if m is not None)


def came_first(one: Days, other: Days) -> Days:
    """Return for each account 1 if `one` came before `other`, 0 if not, and a share of 1 if at the same moment.

    Equal moments fall as the unequal ones do (shrunk to a half where those are few): a log of dates tells the
    order of two things on the days on which they differ. Where `one` never happened it is 0.

    Examples
    --------
    >>> came_first(np.array([1.0, 3.0, np.inf]), np.array([2.0, 2.0, 2.0])).tolist()
    [1.0, 0.0, 0.0]
    """
    both = np.isfinite(one) & np.isfinite(other)
    before, equal = one < other, both & (one == other)
    first, after = int((before & both).sum()), int((both & (one > other)).sum())
    return np.asarray(before + equal * (first + _FEW / 2) / (first + after + _FEW), dtype=float)


_FEW = 10.0
"""Unequal moments below which equal ones are not told apart."""


def earliest(steps: tuple[Step, ...]) -> Days:
    """Return the first day on which any of the steps was done."""
    return np.asarray(np.minimum.reduce([step.first_days for step in steps]), dtype=float)
