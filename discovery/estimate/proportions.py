"""Shares with their intervals, and whether several shares are the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from discovery.estimate.multiplicity import normal_quantile
from discovery.estimate.separation import wilson
from discovery.results import Estimate

Floats = NDArray[np.float64]

FEWEST_EXPECTED = 5
"""Expected count below which the chi-squared approximation is not trusted (Cochran 1954)."""


def share(part: float, whole: int, alpha: float) -> Estimate:
    """Return `part / whole` with its Wilson interval; with nobody in `whole` the status is "too_few".

    Examples
    --------
    >>> share(8, 10, 0.05).estimate
    0.8
    """
    if whole == 0:
        return Estimate(estimate=None, ci_lower=None, ci_upper=None, scale="share", n_accounts=0, status="too_few")
    lower, upper = wilson(np.array([part]), np.array([whole]), normal_quantile(alpha))
    return Estimate(
        estimate=part / whole,
        ci_lower=float(lower[0]),
        ci_upper=float(upper[0]),
        scale="share",
        n_accounts=whole,
    )


def same_share(parts: NDArray[np.integer], wholes: NDArray[np.integer]) -> float | None:
    """Return Pearson's p that several groups have the same share; None where the counts are too few to say.

    Groups in which fewer than five are expected on either side are put together with the next smallest.

    References
    ----------
    Cochran (1954), Biometrics 10, 417-451, on the smallest expected count.
    """
    order = np.argsort(wholes, kind="stable")
    yes, everyone = int(parts.sum()), int(wholes.sum())
    groups: list[tuple[int, int]] = []
    part = whole = 0
    for place in order:
        part, whole = part + int(parts[place]), whole + int(wholes[place])
        if everyone and whole * min(yes, everyone - yes) >= FEWEST_EXPECTED * everyone:
            groups.append((part, whole))
            part = whole = 0
    if whole and groups:
        groups[-1] = (groups[-1][0] + part, groups[-1][1] + whole)
    if len(groups) < 2:
        return None
    got, n = np.array(groups, dtype=float).T
    overall = yes / everyone
    statistic = float(((got - n * overall) ** 2 / (n * overall * (1 - overall))).sum())
    return float(chdtrc(len(groups) - 1, statistic))


def holm(p: Floats) -> Floats:
    """Return Holm's adjusted p-values; NaN stays NaN and does not count as a test.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6, 65-70.

    Examples
    --------
    >>> holm(np.array([0.01, np.nan, 0.02]))
    array([0.02,  nan, 0.02])
    """
    p = np.asarray(p, dtype=float)
    adjusted = np.full(p.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return adjusted
