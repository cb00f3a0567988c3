"""Does something that happens on the way go with going on more rarely? A Cox model with one time-dependent flag."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

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


def going_on(
    time: Floats,
    went_on: NDArray[np.bool_],
    met: Floats,
    alpha: float,
    *,
    busier: Floats | None = None,
    group: NDArray[np.integer] | None = None,
) -> GoingOn:
    """Compare accounts that have met something with those that have not yet, at every moment somebody goes on.

    An account counts as one that has not met it up to the moment it does; that keeps those who stop early, and so
    have longer to meet something, from being blamed on it. With `busier` and `group`, accounts are compared that are
    as busy so far, and of one group: whoever is busy meets more and goes on sooner.

    Parameters
    ----------
    time : float64[n]
        From the start to going on, or to the end of observation.
    went_on : bool[n]
    met : float64[n]
        From the start to meeting it; inf where never.
    alpha : float
        One minus the coverage of the interval.
    busier : float64[L, n]
        Ascending moments at which each account moves to the next level of activity; inf where it never does.
    group : int[n]
        Numbered from 0.

    References
    ----------
    Mantel & Byar (1974), JASA 69, 81-86; Cox (1972), JRSS B 34, stratified; ties after Breslow. Heinze & Schemper
    (2001), Biometrics 57, for Firth's penalty.
    """
    n_met = int((met < time).sum())
    events, after, exposed, at_risk = _at_risk(time, went_on, met, busier, group)
    if not len(events):
        return GoingOn(ratio=np.nan, ci_lower=np.nan, ci_upper=np.nan, p=1.0, n_met=n_met, separated=False)
    offset = np.log(exposed / (at_risk - exposed))
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
        n_met=n_met,
        separated=separated,
    )


def _at_risk(
    time: Floats,
    went_on: NDArray[np.bool_],
    met: Floats,
    busier: Floats | None,
    group: NDArray[np.integer] | None,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Count, at every moment and in every stratum, who goes on, who of them had met it, and who was at risk."""
    n = len(time)
    edges = np.vstack([np.full((1, n), -1.0), np.zeros((0, n)) if busier is None else busier, np.full((1, n), np.inf)])
    groups = np.zeros(n, dtype=np.int64) if group is None else group
    counted = [np.zeros((4, 0))]
    for number in np.unique(groups):
        for begins, ends in pairwise(edges):
            here = (groups == number) & (begins < time) & (begins < ends)
            stop = np.minimum(ends, time)[here]
            done = (went_on & (time <= ends))[here]
            counted.append(_in_stratum(begins[here], stop, done, met[here]))
    events, after, exposed, at_risk = np.concatenate(counted, axis=1)
    return events, after, exposed, at_risk


def _in_stratum(start: Floats, stop: Floats, done: NDArray[np.bool_], met: Floats) -> Floats:
    """Return events, events after meeting it, exposed and at risk, at the moments at which both kinds are at risk."""
    moments, place = np.unique(stop[done], return_inverse=True)
    before = met < stop
    events = np.bincount(place, minlength=len(moments))
    after = np.bincount(place, weights=before[done], minlength=len(moments))
    at_risk = _under_way(start, stop, moments)
    exposed = _under_way(np.maximum(start, met)[before], stop[before], moments)
    comparable = (exposed > 0) & (exposed < at_risk)
    return np.array([events, after, exposed, at_risk], dtype=float)[:, comparable]


def _under_way(start: Floats, stop: Floats, moments: Floats) -> NDArray[np.int64]:
    """Count the spells that have begun before each moment and not ended before it."""
    begun = np.searchsorted(np.sort(start), moments, side="left")
    return np.asarray(begun - np.searchsorted(np.sort(stop), moments, side="left"), dtype=np.int64)


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
