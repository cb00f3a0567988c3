"""Numbers of a validation in words: differences in tenths, weeks, and intervals that may be open."""

from __future__ import annotations

from typing import Literal

from discovery import wording
from discovery.results import Estimate

_LONG: float = 104.0


def signed_tenths(difference: float | None) -> str:
    """Return a difference of shares in tenths of a point, such as `+1.2 points`."""
    alone = Estimate(estimate=difference, ci_lower=None, ci_upper=None, scale="risk difference", n_accounts=0)
    return wording.points_estimate(alone)[0]


def tenths(difference: float | None) -> str:
    """Return a difference of shares in tenths of a point without a plus sign, such as `1.2 points`."""
    return signed_tenths(difference).removeprefix("+")


def weeks(value: float | None) -> str:
    """Return a number of weeks, in years as well where it is long."""
    if value is None or not wording.known(value):
        return wording.MISSING
    whole = wording.count(value) if value >= 1 or value == 0 else "under 1"
    return f"{whole} week{'' if whole in ('1', 'under 1') else 's'}" + (
        f" ({value / 52.18:,.0f} years)" if value >= _LONG else ""
    )


def duration(value: float | None) -> str:
    """Return a number of weeks, or of years where there are many."""
    if value is None or not wording.known(value) or value < _LONG:
        return weeks(value)
    return f"{value / 52.18:,.0f} years"


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
