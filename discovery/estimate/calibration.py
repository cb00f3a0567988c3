"""Residual confounding, read from the other events: they serve as negative controls.

If something unmeasured moved accounts towards both activity and staying, every event would score a little, and the
more so the more it follows general activity (its leverage). The slope of scores on leverage is taken off, and the
scores are divided by the spread that is left, where it exceeds that of chance. What a family is judged by comes
from the other families alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HUBER = 1.345
FAMILIES = 20
"""Fewer families than this carry too little to judge each other by."""
MEDIAN_OF_CHANCE = 0.6745
ROUNDING = 1e-9
"""Kept off half of the weights, so that the order in which they are added up never moves their median."""
CHANCE_FAMILIES = 20.0
"""Weight of the spread of chance, in families, against the spread that is seen."""


def leverage(met: Floats, along: Floats, prognosis: Floats) -> Floats:
    """Return the correlation of each flag with a prognosis, float64[c]; 0 where either does not vary.

    Parameters
    ----------
    met : float64[c]
        Accounts that met each.
    along : float64[c]
        Sum of the prognosis over them.
    prognosis : float64[m]
        What general activity says about staying, of all accounts.
    """
    accounts = max(1, len(prognosis))
    share = met / accounts
    covariance = along / accounts - share * float(prognosis.mean())
    spread = np.sqrt(np.maximum(share * (1 - share), 0.0)) * float(prognosis.std())
    return np.asarray(np.where(spread > 0, covariance / np.where(spread > 0, spread, 1.0), 0.0))


def calibrate(score: Floats, lever: Floats, family_of: NDArray[np.intp], named: NDArray[np.bool_]) -> Floats:
    """Return scores less what residual confounding explains, in units of the spread that it leaves.

    Parameters
    ----------
    score : float64[c]
        Adjusted scores.
    lever : float64[c]
        From `leverage`.
    family_of : int[c]
    named : bool[c]
        Candidates of events that are known to stand for no value (vanity): they count twice.

    Returns
    -------
    float64[c]
        The scores themselves where fewer than `FAMILIES` families are there to judge by. A slope below 0 and a
        spread below that of chance change nothing.

    References
    ----------
    Schuemie et al. (2018), PNAS 115, 2571-2577 (empirical calibration by negative controls); Huber (1964), Annals
    of Mathematical Statistics 35; Lipsitch, Tchetgen Tchetgen & Cohen (2010), Epidemiology 21 (negative controls).
    """
    families, place = np.unique(family_of, return_inverse=True)
    if len(families) < FAMILIES:
        return score.copy()
    weight = np.where(named, 2.0, 1.0) / np.bincount(place)[place]
    lever = np.maximum(lever, 0.0)
    calibrated = score.copy()
    for family in range(len(families)):
        own, others = place == family, place != family
        slope = max(0.0, _slope(score[others], lever[others], weight[others]))
        left = score[others] - slope * lever[others]
        calibrated[own] = (score[own] - slope * lever[own]) / _spread(left, weight[others])
    return calibrated


def _slope(score: Floats, lever: Floats, weight: Floats) -> float:
    """Return the Huber slope through the origin."""
    slope = 0.0
    for _ in range(50):
        left = np.abs(score - slope * lever)
        robust = weight * np.minimum(1.0, HUBER / np.maximum(left, 1e-12))
        square = float((robust * lever**2).sum())
        after = float((robust * lever * score).sum()) / square if square > 0 else 0.0
        if abs(after - slope) < 1e-8:
            break
        slope = after
    return slope


def _spread(left: Floats, weight: Floats) -> float:
    """Return the spread of the negative side, where no true effect lies, held towards that of chance; at least 1."""
    negative = left < 0
    if not negative.any():
        return 1.0
    size, heavy = np.abs(left[negative]), weight[negative]
    order = np.argsort(size)
    middle = np.searchsorted(np.cumsum(heavy[order]), heavy.sum() * (0.5 - ROUNDING))
    seen = size[order][min(middle, len(size) - 1)] / MEDIAN_OF_CHANCE
    families = float(heavy.sum())
    return float(max(1.0, np.sqrt((families * seen**2 + CHANCE_FAMILIES) / (families + CHANCE_FAMILIES))))
