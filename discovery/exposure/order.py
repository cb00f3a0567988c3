"""Which of two events comes first in an account."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from discovery.exposure.aggregates import Exposure


def precedence(exposure: Exposure, positions: NDArray[np.int64], event_a: str, event_b: str) -> tuple[int, int]:
    """Count in how many accounts the first `event_a` comes before the first `event_b`.

    Parameters
    ----------
    exposure : Exposure
        Aggregates of the observation window.
    positions : int64[n]
        Positions of the accounts to look at.
    event_a, event_b : str
        Event names.

    Returns
    -------
    n_a_first, n_both : int
        Accounts with `event_a` strictly earlier (at the same microsecond neither is first), and accounts
        that have both events inside the observation window.
    """
    first_a = exposure.first_lags(event_a, positions)
    first_b = exposure.first_lags(event_b, positions)
    both = np.isfinite(first_a) & np.isfinite(first_b)
    return int(np.count_nonzero(both & (first_a < first_b))), int(np.count_nonzero(both))
