"""When accounts reached a milestone that first occurrences alone decide."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from discovery.exposure.aggregates import Exposure
from discovery.milestone import Condition, Milestone
from discovery.spec import Day


def first_reached(exposure: Exposure, milestone: Milestone) -> NDArray[np.float64] | None:
    """Return the exact days from signup to a milestone of first occurrences.

    Parameters
    ----------
    exposure : Exposure
        Aggregates of the observation window.
    milestone : Milestone
        With conditions of windows no longer than the observation.

    Returns
    -------
    float64[A] or None
        Inf where the account never reached it; None where a condition asks for several events or users, whose times
        are not among the aggregates.
    """
    if any(each.at_least > 1 or each.min_users > 1 for each in milestone.conditions):
        return None
    return _days(exposure, milestone)


def _days(exposure: Exposure, part: Condition | Milestone) -> NDArray[np.float64]:
    if isinstance(part, Milestone):
        joined = np.maximum if part.joined == "and" else np.minimum
        met: NDArray[np.float64] = joined.reduce([_days(exposure, inner) for inner in part.parts])
        return met
    counted, rows = exposure.part_of(part)
    days = np.full(exposure.n_accounts, np.inf)
    lag = counted.first_lag[rows]
    inside = slice(None) if part.within_hours is None else lag < part.within_hours * (Day // 24)
    days[counted.account[rows][inside]] = lag[inside] / Day
    return days
