"""Two binary columns while a third is held equal: Mantel and Haenszel's ratio and test, in many samples at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratified:
    """Mantel-Haenszel summaries of S samples.

    Attributes
    ----------
    ratio : float64[S]
        Risk of the outcome without the exposure over the risk with it, pooled over strata; NaN where no stratum has
        both sides, or nobody with the exposure has the outcome.
    z : float64[S]
        Signed root of the Cochran-Mantel-Haenszel statistic without continuity correction, negative where the
        outcome is rarer without the exposure; 0 where nothing varies.
    """

    ratio: Floats
    z: Floats


def without_over_with(outcome: Bools, exposed: Bools, stratum: NDArray[np.integer], samples: Floats) -> Stratified:
    """Compare the risk of an outcome without and with an exposure, within strata, in each of several samples.

    Parameters
    ----------
    outcome, exposed : bool[n]
    stratum : int[n]
        Numbered from 0.
    samples : float[n, S]
        How often each account counts in each sample; ones for the whole.

    References
    ----------
    Mantel & Haenszel (1959), JNCI 22, 719-748; for the risk ratio Greenland & Robins (1985), Biometrics 41, 55-68.

    Examples
    --------
    >>> outcome, exposed = np.array([1, 1, 0, 0, 1, 0], bool), np.array([1, 1, 1, 0, 0, 0], bool)
    >>> without_over_with(outcome, exposed, np.zeros(6, int), np.ones((6, 1))).ratio
    array([0.5])
    """
    cell = np.asarray(stratum, dtype=np.int64) * 4 + exposed * 2 + outcome
    strata = int(stratum.max()) + 1 if len(stratum) else 0
    order = np.argsort(cell, kind="stable")
    present, starts = np.unique(cell[order], return_index=True)
    counts = np.zeros((4 * strata, samples.shape[1]))
    if len(order):
        counts[present] = np.add.reduceat(samples[order], starts, axis=0, dtype=np.float64)
    none, only_outcome, only_exposed, both = (counts[kind::4] for kind in range(4))
    without, having = none + only_outcome, only_exposed + both
    total = without + having
    safe = np.where(total > 0, total, 1.0)
    numerator = (only_outcome * having / safe).sum(axis=0)
    denominator = (both * without / safe).sum(axis=0)
    happened = only_outcome + both
    excess = (only_outcome - happened * without / safe).sum(axis=0)
    spread = without * having * happened * (total - happened) / (safe**2 * np.maximum(total - 1, 1))
    variance = np.where(total > 1, spread, 0.0).sum(axis=0)
    return Stratified(
        ratio=np.divide(numerator, denominator, out=np.full(len(numerator), np.nan), where=denominator > 0),
        z=np.divide(excess, np.sqrt(variance), out=np.zeros(len(excess)), where=variance > 0),
    )


def deciles(values: Floats) -> NDArray[np.int64]:
    """Return the decile of each value, numbered from 0; equal values share one, so that there may be fewer."""
    if not len(values):
        return np.zeros(0, dtype=np.int64)
    edges = np.unique(np.quantile(values, np.arange(1, 10) / 10))
    return np.asarray(np.unique(np.searchsorted(edges, values, side="left"), return_inverse=True)[1], dtype=np.int64)
