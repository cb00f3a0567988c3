"""Numbers of a validation in words: differences in tenths, sentences, and intervals that may be open."""

from __future__ import annotations

import re
from typing import Literal

from discovery import wording
from discovery.results import Estimate


def signed_tenths(difference: float | None) -> str:
    """Return a difference of shares in tenths of a point, such as `+1.2 points`."""
    alone = Estimate(estimate=difference, ci_lower=None, ci_upper=None, scale="risk difference", n_accounts=0)
    return wording.points_estimate(alone)[0]


def tenths(difference: float | None) -> str:
    """Return a difference of shares in tenths of a point without a plus sign, such as `1.2 points`."""
    return signed_tenths(difference).removeprefix("+")


def sentences(text: str) -> list[str]:
    """Return the sentences of a text one by one; what stands in quotation marks is not taken apart."""
    return [part.strip() for part in re.split(r"(?<=[.!?]) (?=[A-Z])(?![^“]*”)", text) if part.strip()]


def open_interval(estimate: Estimate, shape: Literal["interval", "half-line", "two rays", "line"] | None) -> str:
    """Return an effect with an interval whose ends may be open, in words where it is not an interval."""
    value = signed_tenths(estimate.estimate)
    if value == wording.MISSING:
        return value
    lower, upper = (tenths(bound).removesuffix(" points") for bound in (estimate.ci_lower, estimate.ci_upper))
    if shape == "line":
        return "cannot be told: no effect of any size can be ruled out"
    if shape == "two rays":
        return "cannot be told: too few accounts were moved to rule out large effects of either sign"
    if wording.MISSING not in (lower, upper):
        return f"{value} [{lower}, {upper}]"
    if lower == upper:
        return value
    return f"{value}, {f'at least {lower}' if upper == wording.MISSING else f'at most {upper}'}"
