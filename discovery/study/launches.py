"""Which events did not exist from the beginning of the log, and since when a milestone could be reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from discovery import ladder
from discovery.exposure import Exposure
from discovery.intake import Relations
from discovery.milestone import Milestone
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
        signup, positions = self.relations.accounts.signup, self.outcome.positions
        window_us = self.outcome.summary.window_days * Day
        known = signup <= signup[positions].max(initial=0)  # later signups must not move what is judged today
        late: dict[str, int] = {}
        for event in self.measured.events:
            rows = self.measured.event_rows(event)
            mine = known[self.measured.account[rows]]
            firsts = (signup[self.measured.account[rows]] + self.measured.first_lag[rows])[mine]
            did = np.isfinite(self.measured.first_lags(event, positions))
            appeared = None if not mine.any() else ladder.appeared_late(firsts, signup[positions], did, window_us)
            if appeared is not None:
                late[event] = appeared
        return late

    def of(self, milestone: Milestone) -> int | None:
        """Return when a milestone could first be reached; None if always."""
        moments = [self.of_events.get(event) for event in milestone.events]
        known = [moment for moment in moments if moment is not None]
        if milestone.joined == "or":
            return min(known) if len(known) == len(moments) else None
        return max(known, default=None)
