"""The few words that past tests and plans share."""

from __future__ import annotations

from typing import Final

from discovery import wording
from discovery.results import Estimate

STAYING: Final = {"retained": "staying", "active": "later activity", "converted": "converting"}
STAY: Final = {"retained": "stay", "active": "be active later", "converted": "convert"}


def named(text: str, width: int = 60) -> str:
    """Return a name in quotation marks, on one line, shortened where it is long."""
    return f"“{wording.shorten(text, width)}”"


def with_interval(estimate: Estimate) -> str:
    """Return `+12.0 points [5.1, 18.9]`."""
    return " ".join(part for part in wording.points_estimate(estimate) if part)
