"""Does something that happens on the way go with going on more rarely? A Cox model with one time-dependent flag."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from discovery.estimate.multiplicity import normal_quantile

Floats = NDArray[np.float64]

_STEPS = 60
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class GoingOn:
    """The rate of going on after something was met, over the rate before it or without it.

    Attributes
    ----------
    ratio, ci_lower, ci_upper : float
        Rate ratio with its Wald interval on the log scale; bias-reduced (Firth) where `separated`. NaN if nobody at
        risk had met it.
    p : float
        Two-sided, of the score test (Mantel and Byar); 1 if there is nothing to compare.
    n_met : int
        Accounts that met it before they went on.
    separated : bool
        Whether none of those that met it went on, or all that went on had met it.
    """

    ratio: float
    ci_lower: float
    ci_upper: float
    p: float
    n_met: int
    separated: bool


def going_on(time: Floats, went_on: NDArray[np.bool_], met: Floats, alpha: float) -> GoingOn:
    """Compare accounts that have met something with those that have not yet, at every moment somebody goes on.

    An account counts as one that has not met it up to the moment it does; that keeps those who stop early, and so
    have longer to meet something, from being blamed on it.

    Parameters
    ----------
    time : float64[n]
        From the start to going on, or to the end of observation.
    went_on : bool[n]
    met : float64[n]
        From the start to meeting it; inf where never.
    alpha : float
        One minus the coverage of the interval.

    References
    ----------
    Mantel & Byar (1974), JASA 69, 81-86; Cox (1972), JRSS B 34; ties after Breslow. Heinze & Schemper (2001),
    Biometrics 57, for Firth's penalty.
    """
    before = met < time
    moments, place = np.unique(time[went_on], return_inverse=True)
    events = np.bincount(place, minlength=len(moments)).astype(float)
    after = np.bincount(place, weights=before[went_on], minlength=len(moments))
    at_risk = len(time) - np.searchsorted(np.sort(time), moments, side="left")
    met_by = np.searchsorted(np.sort(met[before]), moments, side="left")
    gone = np.searchsorted(np.sort(time[before]), moments, side="left")
    exposed = (met_by - gone).astype(float)
    comparable = (exposed > 0) & (exposed < at_risk)
    events, after, exposed = events[comparable], after[comparable], exposed[comparable]
    unexposed = at_risk[comparable] - exposed
    if not len(events):
        return GoingOn(ratio=np.nan, ci_lower=np.nan, ci_upper=np.nan, p=1.0, n_met=int(before.sum()), separated=False)
    offset = np.log(exposed / unexposed)
    separated = after.sum() in (0.0, events.sum())
    beta, information = _fit(events, float(after.sum()), offset, firth=separated)
    chance = expit(offset)
    score, variance = after.sum() - events @ chance, events @ (chance * (1 - chance))
    half = normal_quantile(alpha) / np.sqrt(information)
    return GoingOn(
        ratio=float(np.exp(beta)),
        ci_lower=float(np.exp(beta - half)),
        ci_upper=float(np.exp(beta + half)),
        p=float(2 * ndtr(-abs(score) / np.sqrt(variance))),
        n_met=int(before.sum()),
        separated=separated,
    )


def _fit(events: Floats, after: float, offset: Floats, *, firth: bool) -> tuple[float, float]:
    """Return the log rate ratio and its information by Newton's method; the likelihood is concave."""
    beta = 0.0
    for _ in range(_STEPS):
        chance = expit(beta + offset)
        spread = chance * (1 - chance)
        information = float(events @ spread)
        score = after - float(events @ chance)
        if firth:
            score += 0.5 * float(events @ (spread * (1 - 2 * chance))) / information
        step = float(np.clip(score / information, -1.0, 1.0))
        beta += step
        if abs(step) < _TOLERANCE:
            break
    chance = expit(beta + offset)
    return beta, float(events @ (chance * (1 - chance)))
