"""Every candidate beside a null model that knows how busy the account is anyway.

One null model per event: its volume covariates leave out the event itself and its descendants, so that a
behaviour is never adjusted for what follows from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from discovery.estimate.adjustment import Covariates, descendants, design, volume_covariates
from discovery.estimate.effect import adjusted_difference
from discovery.estimate.flags import unpack
from discovery.estimate.logistic import fit_null, score_test
from discovery.estimate.saddlepoint import calibrated

Floats = NDArray[np.float64]

ACCOUNTS_PER_COVARIATE = 20
ORDER_SAMPLE = 20_000
"""Which events descend from which is read from at most this many accounts, evenly spaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """What the null models know: traits at signup, and volume by event.

    Attributes
    ----------
    rows : int64[m]
        The mature accounts among the n at the landmark; only they enter.
    static : Covariates
        Covariates known at signup, m rows.
    has_traits : bool
        Whether `static` holds any trait of the account beyond its signup date.
    counts : csc_array of int, shape (m, E)
        Events of each account in the observation window.
    later : bool[E, E]
        Row a, column b: b is a descendant of a.
    """

    rows: NDArray[np.int64]
    static: Covariates
    has_traits: bool
    counts: sparse.csc_array[Any]
    later: NDArray[np.bool_]

    def design(self, event: int) -> Floats:
        """Return the design of an event's null model, shape (m, p), with an intercept."""
        others = ~self.later[event]
        others[event] = False
        kept = self.counts[:, np.flatnonzero(others)]
        total = np.asarray(kept.sum(axis=1, dtype=np.int64)).ravel()
        distinct = np.bincount(kept.indices, minlength=len(self.rows)).astype(np.int64)
        limit = len(self.rows) // ACCOUNTS_PER_COVARIATE
        return design(self.static, volume_covariates(total, distinct), limit).values


def prepare_adjustment(
    counts: sparse.csc_array[Any],
    first_days: Floats,
    static: Covariates,
    mature: NDArray[np.bool_],
    *,
    has_traits: bool,
) -> Adjustment:
    """Gather what the null models of all events share.

    Parameters
    ----------
    counts
        Shape (n, E), events of each landmark account in the observation window.
    first_days
        Shape (E, k), days to each event's first occurrence, inf where never, for all or a sample of the
        accounts.
    static
        Covariates known at signup, n rows.
    mature
        Length n.
    has_traits
        Whether `static` holds any trait beyond the signup date.
    """
    rows = np.flatnonzero(mature)
    return Adjustment(
        rows=rows,
        static=Covariates(names=static.names, values=static.values[rows]),
        has_traits=has_traits,
        counts=counts[rows].tocsc(),
        later=descendants(first_days),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustedScan:
    """The adjusted score and difference of every candidate; arrays have one value per candidate.

    `score` is a signed z, positive where meeting the candidate goes with staying, and `p_value` its two-sided
    p: Rao's score test, with both taken from the saddlepoint tail where the outcome is rare and the score far
    out (`saddlepoint.calibrated`). The two say the same: `p_value < alpha / m` exactly where
    `|score| > critical_z(alpha, m)`. `difference`
    is the overlap-weighted risk difference among mature accounts with its interval. `status` is "ok",
    "too_few" (nothing left to compare once the covariates are known) or "not_converged".
    """

    score: Floats
    p_value: Floats
    difference: Floats
    difference_lower: Floats
    difference_upper: Floats
    status: NDArray[np.object_]
    n_accounts: int


def adjusted_scan(
    packed: NDArray[np.uint8],
    event_of: NDArray[np.intp],
    adjustment: Adjustment,
    retained: NDArray[np.bool_],
    alpha: float = 0.05,
) -> AdjustedScan:
    """Score every candidate against the null model of its event.

    Parameters
    ----------
    packed
        Flags, shape (C, ceil(n / 8)).
    event_of
        Length C, the event of each candidate.
    adjustment
        What the null models know.
    retained
        Length n; read at the mature accounts only.
    alpha
        One minus the level of the intervals.
    """
    y = retained[adjustment.rows]
    shown = ("score", "p_value", "difference", "difference_lower", "difference_upper")
    columns = {name: np.full(len(packed), np.nan) for name in shown}
    status = np.full(len(packed), "not_converged", dtype=object)
    for event in np.unique(event_of):
        null = fit_null(adjustment.design(int(event)), y)
        if not null.converged:
            continue
        own = np.flatnonzero(event_of == event)
        tile = unpack(packed[own], len(retained))[:, adjustment.rows]
        scored = score_test(null, tile)
        columns["score"][own], columns["p_value"][own] = calibrated(null, tile, scored)
        effect = adjusted_difference(null, tile, alpha)
        columns["difference"][own] = effect.estimate
        columns["difference_lower"][own] = effect.ci_lower
        columns["difference_upper"][own] = effect.ci_upper
        status[own] = np.where(effect.status == "ok", scored.status, effect.status)
    return AdjustedScan(status=status, n_accounts=len(y), **columns)
