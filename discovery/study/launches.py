"""Which events did not exist from the beginning of the log, and since when a milestone could be reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from discovery import ladder
from discovery.exposure import Exposure
from discovery.intake import Relations
from discovery.milestone import Condition, Milestone
from discovery.outcome import Outcome
from discovery.spec import Day


@dataclass(frozen=True)
class Launches:
    """The launches inside one log, as the accounts of a study show them."""

    relations: Relations
    outcome: Outcome
    measured: Exposure

    @cached_property
    def of_events(self) -> Mapping[str, int]:
        """When events appeared that did not exist from the beginning, in microseconds since 1970."""
        found = {event: self._appeared(Condition(event)) for event in self.measured.events}
        return {event: moment for event, moment in found.items() if moment is not None}

    def of_act(self, act: Condition) -> int | None:
        """Return when an event appeared, or rows of it that meet the tests of its properties; None if always."""
        return self._appeared(act) if act.where else self.of_events.get(act.event)

    def _appeared(self, act: Condition) -> int | None:
        counted, rows = self.measured.part_of(act)
        account = counted.account[rows]
        mine = self._known[account]
        if not mine.any():
            return None
        firsts = (self.relations.accounts.signup[account] + counted.first_lag[rows])[mine]
        return ladder.appeared_late(
            firsts,
            self._signup,
            lambda: np.isfinite(counted.first_lags(act.act_name, self.outcome.positions)),
            self.outcome.summary.window_days * Day,
        )

    @cached_property
    def _signup(self) -> NDArray[np.int64]:
        """When the accounts that are judged signed up."""
        return self.relations.accounts.signup[self.outcome.positions]

    @cached_property
    def _known(self) -> NDArray[np.bool_]:
        """Which accounts signed up before the last of those: later signups must not move what is judged today."""
        return np.asarray(self.relations.accounts.signup <= self._signup.max(initial=0))

    def of(self, milestone: Milestone) -> int | None:
        """Return when a milestone could first be reached; None if always."""
        moments = [self.of_act(act) for act in milestone.acts]
        known = [moment for moment in moments if moment is not None]
        if milestone.joined == "or":
            return min(known) if len(known) == len(moments) else None
        return max(known, default=None)
