"""The way to the planted rule: its steps, how accounts take them, and what stands before them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Hindrance = tuple[str, str]
"""An error event, and the step that accounts take more rarely once they have met it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: any of its events serves. Accounts take it only after the one before.

    `goes_on` is the share of those that took the step before, at average engagement; `loading` the log odds of it
    per unit of engagement. `shares` of the accounts take each event alone, the rest take all. `skipped` is the share
    of those that go on without having taken it. A `launched` step exists from the middle of the log only; accounts
    that come to it earlier go on without it.
    """

    events: tuple[str, ...]
    goes_on: float
    median_days: float
    repeats: float
    loading: float = 0.3
    shares: tuple[float, ...] = (1.0,)
    skipped: float = 0.0
    launched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishap:
    """An error that `share` of the accounts meet after the first step; `hazard_ratio` is that of the second then."""

    event: str
    share: float
    median_days: float
    repeats: float
    hazard_ratio: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The steps from the baseline to the planted rule, whose event is the last.

    With `branches`, whoever took the first event of one step takes the first of the next that has a choice. A share
    `out_of_order` does two neighbouring steps the other way round. Each step but the last is `lost` from the record
    of a share of the accounts that took it, with all its rows.
    """

    variant: str
    steps: tuple[Step, ...]
    branches: bool = False
    out_of_order: float = 0.0
    lost: float = 0.0
    mishaps: tuple[Mishap, ...] = ()

    @property
    def events(self) -> tuple[str, ...]:
        """Every step's events, in order."""
        return tuple(event for step in self.steps for event in step.events)

    @property
    def rungs(self) -> tuple[tuple[str, ...], ...]:
        """The events that serve at each step before the last, sorted."""
        return tuple(tuple(sorted(step.events)) for step in self.steps[:-1])

    @property
    def hindrance(self) -> Hindrance | None:
        """The error that makes accounts go on more rarely, and the step it stands before."""
        slowing = [mishap.event for mishap in self.mishaps if mishap.hazard_ratio != 1.0]
        return (slowing[0], self.steps[1].events[0]) if slowing else None

    def settings(self) -> dict[str, Any]:
        """Return what was set, as plain values."""
        return {
            "variant": self.variant,
            "required": len(self.steps) - 1,
            "skipped": max(step.skipped for step in self.steps),
            "out_of_order": self.out_of_order,
            "lost": self.lost,
        }
