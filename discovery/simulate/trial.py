"""A randomised test that the company once ran: who could be assigned, and what the variant moved."""

from __future__ import annotations

from dataclasses import dataclass

from discovery.milestone import Condition, Milestone


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """What a variant moves: `share` of its accounts that would not have met the rule do what it asks."""

    rule: str
    share: float

    @property
    def condition(self) -> Condition:
        """The one condition of the rule; it asks nothing of users."""
        (condition,) = Milestone.parse(self.rule).conditions
        return condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One test of two arms, half and half, among the accounts that signed up on its days.

    Days count from the log's first, `last_day` is not among them. Of the variant's accounts with less than average
    engagement a share `unrecorded` has lost its assignment on the way into the accounts table.
    """

    column: str
    variant: str
    pushes: tuple[Push, ...]
    first_day: int
    last_day: int
    control: str = "control"
    unrecorded: float = 0.0
