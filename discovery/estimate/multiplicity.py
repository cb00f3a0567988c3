"""What remains of a p-value once it is known how many were looked at, and what could have been seen at all."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]


def bonferroni(p: Floats, m: int) -> Floats:
    """Return p-values adjusted for `m` tests, by Bonferroni's bound.

    Parameters
    ----------
    p : float64[k]
        Raw p-values; NaN stays NaN.
    m : int
        Number of tests searched, which may exceed k.

    Returns
    -------
    float64[k]
        Family-wise adjusted p-values, at most 1.

    Examples
    --------
    >>> bonferroni(np.array([0.01, 0.4]), 10)
    array([0.1, 1. ])
    """
    adjusted: Floats = np.minimum(1.0, np.asarray(p, dtype=float) * m)
    return adjusted


def benjamini_hochberg(p: Floats) -> Floats:
    """Return Benjamini-Hochberg q-values.

    Parameters
    ----------
    p : float64[k]
        Raw p-values; NaN stays NaN and does not count as a test.

    Returns
    -------
    float64[k]
        The smallest false discovery rate at which each would be declared.

    References
    ----------
    Benjamini & Hochberg (1995), JRSS B 57, 289-300.

    Examples
    --------
    >>> benjamini_hochberg(np.array([0.01, 0.02, np.nan, 0.9]))
    array([0.03, 0.03,  nan, 0.9 ])
    """
    p = np.asarray(p, dtype=float)
    q = np.full(p.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = p[order] * len(order) / np.arange(1, len(order) + 1)
    q[order] = np.minimum(1.0, np.minimum.accumulate(steps[::-1])[::-1])
    return q


def normal_quantile(alpha: float) -> float:
    """Return the half-width, in standard errors, of a normal interval of coverage `1 - alpha`."""
    return float(-ndtri(alpha / 2))


def critical_z(alpha: float, m: int) -> float:
    """Return the |z| that a two-sided test must exceed to hold `alpha` over `m` tests, by Bonferroni's bound.

    Examples
    --------
    >>> round(critical_z(0.05, 1), 4), round(critical_z(0.05, 1000), 4)
    (1.96, 4.0556)
    """
    return float(-ndtri(alpha / (2 * max(1, m))))


def minimum_detectable(n: int, base_rate: float, reach: float, alpha: float, m: int, power: float = 0.8) -> float:
    """Return the smallest difference in retention that these accounts would show with the stated power.

    The test is the two-sided score test of two proportions at the Bonferroni bound over `m` candidates, with
    its null variance `p (1 - p) / (n r (1 - r))`.

    Parameters
    ----------
    n : int
        Mature accounts.
    base_rate, reach : float
        Overall retention p and the share r of accounts that reach the candidate.
    alpha, power : float
        Family-wise error rate and power.
    m : int
        Number of candidates searched.

    Returns
    -------
    float
        A risk difference in (0, 1]; infinity where no difference possible at this base rate and reach
        could be seen.

    Examples
    --------
    >>> round(minimum_detectable(2000, 0.5, 0.3, 0.05, 1), 4)
    0.0684
    """
    if n <= 0 or not 0 < base_rate < 1 or not 0 < reach < 1:
        return math.inf
    difference = _noncentrality(alpha, m, power) * math.sqrt(_unit_variance(base_rate, reach) / n)
    return difference if difference <= _largest_difference(base_rate, reach) else math.inf


def accounts_needed(
    effect: float, base_rate: float, reach: float, alpha: float, m: int, power: float = 0.8
) -> int | None:
    """Return how many mature accounts show a difference of `effect` with the stated power.

    The inverse of `minimum_detectable`, rounded up.

    Returns
    -------
    int or None
        None where no number of accounts would do: no variation in outcome or flag, or a difference that
        is not possible at this base rate and reach.

    Examples
    --------
    >>> accounts_needed(0.03, 0.5, 0.3, 0.05, 1000)
    31724
    """
    if effect == 0 or not 0 < base_rate < 1 or not 0 < reach < 1:
        return None
    if abs(effect) > _largest_difference(base_rate, reach):
        return None
    exact = _noncentrality(alpha, m, power) ** 2 * _unit_variance(base_rate, reach) / effect**2
    return math.ceil(exact * (1 - 1e-12))


def _noncentrality(alpha: float, m: int, power: float) -> float:
    return critical_z(alpha, m) + float(ndtri(power))


def _unit_variance(base_rate: float, reach: float) -> float:
    return base_rate * (1 - base_rate) / (reach * (1 - reach))


def _largest_difference(base_rate: float, reach: float) -> float:
    """Return the larger of what is possible upwards and downwards with the margins held."""
    upwards = min((1 - base_rate) / (1 - reach), base_rate / reach)
    downwards = min(base_rate / (1 - reach), (1 - base_rate) / reach)
    return max(upwards, downwards)
