"""Who climbed how far and when: the arrays behind the figures of every rung."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from discovery.ladder.steps import Days, Place
from discovery.milestone import Milestone

Bools = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Climb:
    """The required places in order, and the milestone on top, among n accounts.

    Attributes
    ----------
    milestone : Milestone
        What is on top.
    top : float64[n]
        Days from signup to it; inf where never.
    places : tuple of Place
        Their arrays have length n.
    """

    milestone: Milestone
    top: Days
    places: tuple[Place, ...]

    def among(self, accounts: Bools) -> Climb:
        """Return the same climb of some accounts only."""
        places = tuple(
            dataclasses.replace(
                place,
                first_days=place.first_days[accounts],
                steps=tuple(dataclasses.replace(s, first_days=s.first_days[accounts]) for s in place.steps),
            )
            for place in self.places
        )
        return Climb(milestone=self.milestone, top=self.top[accounts], places=places)

    def __len__(self) -> int:
        return len(self.top)

    @property
    def rungs(self) -> tuple[Milestone, ...]:
        """The milestone of each rung above signup."""
        return (*(place.milestone for place in self.places), self.milestone)

    @cached_property
    def days(self) -> tuple[Days, ...]:
        """Days from signup to each rung above signup itself; inf where it is not on record."""
        return (*(place.first_days for place in self.places), self.top)

    @cached_property
    def arrived(self) -> tuple[Bools, ...]:
        """Which accounts got to each rung, signup first: they did it or a later one."""
        found = [np.isfinite(self.top)]
        for days in reversed(self.days[:-1]):
            found.append(found[-1] | np.isfinite(days))
        return (np.ones(len(self), dtype=bool), *reversed(found))

    @cached_property
    def on_the_way(self) -> tuple[Days, ...]:
        """Days from signup to the earliest sign that an account got to each rung above signup."""
        found = [self.top]
        for days in reversed(self.days[:-1]):
            found.append(np.minimum(found[-1], days))
        return tuple(reversed(found))

    @property
    def names(self) -> frozenset[str]:
        """Every event that is part of a rung."""
        return frozenset(event for rung in self.rungs for event in rung.events)
