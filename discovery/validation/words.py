"""The words that several criteria share."""

from __future__ import annotations

from typing import Final

from discovery import wording
from discovery.results import Estimate

STAYED: Final = {"retained": "stayed", "active": "were active later", "converted": "converted"}


def oftener(outcome: str, found: Estimate) -> str:
    """Return a difference as `stayed more often by 4.1 points [1.0, 7.2]`; a negative one with its sign."""
    number, interval = wording.points_estimate(found)
    if found.estimate is not None and found.estimate < 0:
        return f"differed by {number} {interval}".rstrip() + f" in how often they {STAYED[outcome]}"
    return f"{STAYED[outcome]} more often by {number.removeprefix('+')} {interval}".strip()
