"""The accounts that are asked what they did on their way up a ladder: all, or of many about as many as are enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from discovery import exposure
from discovery.engines.expressions import Relation
from discovery.exposure import Among, Met
from discovery.intake import Relations
from discovery.milestone import Milestone
from discovery.spec import Day
from discovery.study.properties import columns_of

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def some_of(accounts: Bools) -> Bools:
    """Return which of some accounts are asked, bool[n]: all, or of more than 50,000 about as many, evenly spread."""
    asked = np.zeros(len(accounts), dtype=bool)
    asked[exposure.enough_of(np.flatnonzero(accounts))] = True
    return asked


@dataclass(frozen=True)
class Panel:
    """The accounts that any ladder of a study asks, by their positions, and what their events say of the way."""

    relations: Relations
    positions: NDArray[np.int64]
    _met: dict[tuple[Milestone | None, Milestone], Met] = field(default_factory=dict, init=False, repr=False)

    def sessions(self, moments: Mapping[Milestone, Floats], left_out: Sequence[str]) -> dict[Milestone, Floats]:
        """Return the number of the session in which each of them reached a milestone; NaN where never.

        `moments` has the days of all accounts; what is in `left_out` begins no session.
        """
        numbers = exposure.session_numbers(
            self.relations.engine,
            self.relations.events_table,
            self._accounts_table,
            self._among,
            self._window_us,
            np.array([days[self.positions] for days in moments.values()]),
            left_out,
        )
        return dict(zip(moments, numbers, strict=True))

    def places(self, positions: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return which of them some accounts are."""
        return self._among.places(positions)

    def first_days(self, start: Milestone | None, end: Milestone, positions: NDArray[np.int64]) -> Mapping[str, Floats]:
        """Return the days from one milestone to the first of every event before another, for some of them."""
        if (start, end) not in self._met:
            self._met[start, end] = exposure.met_between(
                self.relations.engine,
                self.relations.events_table,
                self._accounts_table,
                len(self.relations.accounts),
                start,
                end,
                self._window_us,
                columns=columns_of(self.relations),
            )
        return _FirstDays(self._met[start, end], Among(positions, len(self.relations.accounts)))

    @cached_property
    def _accounts_table(self) -> Relation:
        of_all = self.relations.accounts_table
        n = len(self.relations.accounts)
        return exposure.accounts_at(self.relations.engine, of_all, n, self.positions, "on_the_way")

    @cached_property
    def _among(self) -> Among:
        return Among(self.positions, len(self.relations.accounts))

    @property
    def _window_us(self) -> int:
        return self.relations.spec.candidates.window_days * Day


class _FirstDays(Mapping[str, Floats]):
    """First days by event, for some accounts; made when asked for, since all of them are large together."""

    def __init__(self, met: Met, some: Among) -> None:
        self._met, self._some = met, some

    def __getitem__(self, event: str) -> Floats:
        if event not in self._met.events:
            raise KeyError(event)
        return self._met.first_days_among(event, self._some)

    def __iter__(self) -> Iterator[str]:
        return iter(self._met.events)

    def __len__(self) -> int:
        return len(self._met.events)
