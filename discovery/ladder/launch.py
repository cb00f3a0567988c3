"""Whether something appeared in the log only while accounts were already signing up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

Times = NDArray[np.int64]

UNSEEN_BEFORE = 1e-6
"""Probability of so few having an event so far below which it is taken not to have existed."""
STRAYS = 0.02
"""Share of the first occurrences that may lie before an event's launch: tests, and customers who had it early."""
LATE = 0.1
"""Share of the accounts that must have come and gone before; of the later rate, the most that these may have."""


def appeared_late(firsts: Times, signup: Times, did: Callable[[], NDArray[np.bool_]], window_us: int) -> int | None:
    """Return when an event appeared, if it was not there from the beginning; microseconds, else None.

    Parameters
    ----------
    firsts : int64[k]
        First occurrences of the event, one for each account that has it, in microseconds.
    signup : int64[n]
        Signups of the accounts studied.
    did
        Returns which of them have the event within their window, bool[n]; asked only where the event may be late.
    window_us : int
        Length of the observation window.
    """
    appeared = int(np.quantile(firsts, STRAYS, method="higher"))
    gone, came = signup + window_us <= appeared, signup >= appeared
    if gone.sum() < LATE * len(signup) or not came.any():
        return None
    having = did()
    before, since = having[gone], having[came]
    rate = float(since.mean())
    seldom = before.sum() <= LATE * rate * len(before)
    return appeared if seldom and bdtr(float(before.sum()), len(before), rate) < UNSEEN_BEFORE else None
