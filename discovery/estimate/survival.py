"""How soon accounts leave: log-rank test and Cox regression of every candidate at once.

Flags are binary and time runs in whole days, so all that a candidate's Cox model needs is, per day with a
departure, how many accounts were at risk and how many left on either side of the flag. That table is a count of
flags by last day; the exact Efron likelihood, its gradient and its information then have closed forms.

With `n1`, `n0` at risk and `d1`, `d0` leaving on a day (`d` together) and `w = exp(b)`, Efron's likelihood is that
of `d` Bernoulli draws, `l = 0 .. d-1`::

    p_l = (n1 - l d1/d) w / (A - l g),    A = n0 + n1 w,    g = (d0 + d1 w) / d

so the gradient is `d1 - sum p_l` and the information `sum p_l (1 - p_l)`. Both sums are differences of
polygamma functions at `A/g + 1` and `A/g - d + 1`: no loop over tied departures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, chdtrc, chdtri, digamma, gammaln, ndtr, ndtri, zeta

from discovery.estimate.products import CANDIDATES, counted, in_parallel

Floats = NDArray[np.float64]
STIRLING = 20.0
MAX_STEPS = 100
TOLERANCE = 1e-8
"""Of a Newton step on the log hazard; convergence is quadratic, so the error left is far below it."""
HALVINGS = 44
"""Bisections of a bracket of length `2 BOUND`: to within 1e-11."""
BOUND = 50.0
"""No finite log hazard ratio of countable accounts lies beyond this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalScan:
    """Log-rank tests and univariate Cox fits of C candidates; every array has length C.

    Attributes
    ----------
    log_rank : float64[C]
        Chi-squared with one degree of freedom; 0 where no day holds information.
    log_rank_p : float64[C]
    log_hazard_ratio : float64[C]
        Of leaving, reached against not; negative: accounts that reached it leave later.
    se : float64[C]
        Inverse root of the information at the estimate.
    ci_lower, ci_upper : float64[C]
        On the log scale; Wald where "ok", profile penalised likelihood where "separated".
    p_value : float64[C]
        Wald where "ok", penalised likelihood ratio where "separated".
    status : str[C]
        "ok"; "separated" (departures on one side only, wherever both sides were at risk: the likelihood is
        monotone and the estimate is Firth's, finite and bias-reduced); "too_few" (no departure while both
        sides were at risk; all NaN); "not_converged" (all NaN).
    n : int
        Accounts at the landmark.
    departures : int
    """

    log_rank: Floats
    log_rank_p: Floats
    log_hazard_ratio: Floats
    se: Floats
    ci_lower: Floats
    ci_upper: Floats
    p_value: Floats
    status: NDArray[np.str_]
    n: int
    departures: int

    @property
    def hazard_ratio(self) -> Floats:
        """The hazard ratio of leaving, reached against not."""
        return np.exp(self.log_hazard_ratio)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Days:
    """At risk and leaving per candidate and day with a departure: `[c, k]`, integers held as float64.

    `informative` marks the days on which both sides of the flag were at risk; the others say nothing about `b`.
    """

    at_risk: Floats  # [k]
    leaving: Floats  # [k]
    at_risk_reached: Floats
    leaving_reached: Floats

    @property
    def informative(self) -> NDArray[np.bool_]:
        return (self.at_risk_reached > 0) & (self.at_risk_reached < self.at_risk)


def scan(
    packed: NDArray[np.uint8],
    n: int,
    duration: NDArray[np.int64],
    departed: NDArray[np.bool_],
    alpha: float = 0.05,
) -> SurvivalScan:
    """Test and fit the hazard of leaving for every candidate alone, from the landmark on.

    Population: all n accounts at the landmark, censored where they had not left when last observed. The hazard
    ratio is marginal: nothing is adjusted for.

    Parameters
    ----------
    packed : uint8[C, ceil(n / 8)]
        Flags of C candidates.
    n : int
        Number of accounts.
    duration : int64[n]
        Whole days from the landmark to departure or last observation, at least 0.
    departed : bool[n]
        Whether the account left at `duration`; False is censored. An account censored on a day is still at
        risk for that day's departures.
    alpha : float
        Intervals have nominal coverage `1 - alpha`.

    Returns
    -------
    SurvivalScan

    References
    ----------
    Cox (1972), JRSS B 34; Efron (1977), JASA 72, 557-565 (ties); Mantel (1966), Cancer Chemotherapy Reports 50
    (log-rank, hypergeometric variance); Firth (1993), Biometrika 80; Heinze & Schemper (2001), Biometrics 57,
    114-119 (monotone likelihood, profile interval).

    Examples
    --------
    >>> flags = np.packbits([[1, 1, 1, 0, 0, 0]], axis=1)
    >>> fit = scan(flags, 6, np.array([5, 6, 9, 2, 5, 4]), np.array([1, 1, 0, 1, 1, 1], dtype=bool))
    >>> round(fit.log_hazard_ratio.item(), 4), fit.status.item()
    (-1.9717, 'ok')
    """
    duration = np.asarray(duration, dtype=np.int64)
    days, of_account = _departure_days(duration, departed)
    segment = np.where(of_account < 0, -1, np.where(departed, of_account, of_account + len(days)))
    whole = _by_day(np.bincount(segment[segment >= 0], minlength=2 * len(days)).astype(float), len(days))
    columns = {name: np.empty(len(packed), dtype="U13" if name == "status" else float) for name in _COLUMNS}

    def scan_tile(tile: slice) -> None:
        for name, values in _scan_tile(_count(packed[tile], segment, *whole), alpha).items():
            columns[name][tile] = values

    in_parallel(scan_tile, len(packed), CANDIDATES, len(packed) * n)
    return SurvivalScan(**columns, n=n, departures=int(np.count_nonzero(departed)))


_COLUMNS = tuple(f.name for f in fields(SurvivalScan) if f.name not in ("n", "departures"))


def _departure_days(
    duration: NDArray[np.int64], departed: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the days with a departure, and for each account the last of them it was at risk on (-1: none)."""
    days = np.unique(duration[departed])
    return days, np.searchsorted(days, duration, side="right") - 1


def _by_day(counts: Floats, k: int) -> tuple[Floats, Floats]:
    """Return how many were at risk and how many left on each day, from counts of both segments of each."""
    leaving, censored = counts[..., :k], counts[..., k:]
    return np.cumsum((leaving + censored)[..., ::-1], axis=-1)[..., ::-1], leaving


def _count(packed: NDArray[np.uint8], segment: NDArray[np.int64], at_risk: Floats, leaving: Floats) -> _Days:
    """Count flags by last day at risk; `segment` numbers the days of departures first, then those of the censored."""
    k = len(at_risk)
    at_risk_reached, leaving_reached = _by_day(counted(packed, len(segment), segment, 2 * k), k)
    return _Days(at_risk=at_risk, leaving=leaving, at_risk_reached=at_risk_reached, leaving_reached=leaving_reached)


def _scan_tile(days: _Days, alpha: float) -> dict[str, NDArray[np.generic]]:
    chi2, p = _log_rank(days)
    status = _status(days)
    fit = np.full((5, len(status)), np.nan)
    ok = status == "ok"
    fit[:, ok], converged = _fit(_rows(days, ok), alpha)
    status[np.flatnonzero(ok)[~converged]] = "not_converged"
    separated = status == "separated"
    if separated.any():
        fit[:, separated] = _fit_separated(_rows(days, separated), alpha)
    names = ("log_hazard_ratio", "se", "ci_lower", "ci_upper", "p_value")
    return {"log_rank": chi2, "log_rank_p": p, "status": status, **dict(zip(names, fit, strict=True))}


def _rows(days: _Days, chosen: NDArray[np.bool_]) -> _Days:
    return _Days(
        at_risk=days.at_risk,
        leaving=days.leaving,
        at_risk_reached=days.at_risk_reached[chosen],
        leaving_reached=days.leaving_reached[chosen],
    )


def _log_rank(days: _Days) -> tuple[Floats, Floats]:
    share = days.at_risk_reached / days.at_risk
    excess = (days.leaving_reached - days.leaving * share).sum(axis=1)
    correction = (days.at_risk - days.leaving) / np.maximum(days.at_risk - 1, 1)
    variance = (days.leaving * share * (1 - share) * correction).sum(axis=1)
    chi2 = np.where(variance > 0, excess**2 / np.where(variance > 0, variance, 1.0), 0.0)
    return chi2, np.asarray(chdtrc(1.0, chi2), dtype=float)


def _status(days: _Days) -> NDArray[np.object_]:
    """Tell which likelihoods have a finite maximum: exactly if both sides leave on days when both are at risk."""
    reached = (days.leaving_reached * days.informative).sum(axis=1)
    missed = ((days.leaving - days.leaving_reached) * days.informative).sum(axis=1)
    one_side = np.where((reached == 0) | (missed == 0), "separated", "ok")
    return np.where(days.informative.any(axis=1), one_side, "too_few").astype(object)


def _score_and_information(b: Floats, days: _Days) -> tuple[Floats, Floats]:
    w = np.exp(b)[:, None]
    d, d1, n1 = days.leaving, days.leaving_reached, days.at_risk_reached
    a = days.at_risk - n1 + n1 * w
    g = (d - d1 + d1 * w) / d
    x = a / g
    base = d1 * w / (d * g)  # p_l = base + slope / (x - l)
    slope = n1 * w / g - base * x
    first = digamma(x + 1) - digamma(x - d + 1)
    second = _trigamma(x - d + 1) - _trigamma(x + 1)
    total = d * base + slope * first
    squares = d * base**2 + 2 * base * slope * first + slope**2 * second
    use = days.informative
    score = ((d1 - total) * use).sum(axis=1)
    return score, np.maximum((total - squares) * use, 0.0).sum(axis=1)


def _trigamma(z: Floats) -> Floats:
    """Return `zeta(2, z)`: by Stirling's series, which is far quicker, from where its first term left out is 1e-15."""
    far = np.maximum(z, STIRLING)
    inverse = 1 / far
    square = inverse * inverse
    series: Floats = inverse + square * (
        0.5 + inverse * (1 / 6 - square * (1 / 30 - square * (1 / 42 - square * (1 / 30 - square * 5 / 66))))
    )
    near = z < STIRLING
    if near.any():
        series[near] = zeta(2.0, z[near])
    return series


def _fit(days: _Days, alpha: float) -> tuple[Floats, NDArray[np.bool_]]:
    """Newton's method, kept inside a bracket: the score falls in `b`, so its sign says on which side the root is."""
    c = len(days.at_risk_reached)
    b, lower, upper = np.zeros(c), np.full(c, -BOUND), np.full(c, BOUND)
    converged = np.zeros(c, dtype=bool)
    for _ in range(MAX_STEPS):
        going = ~converged
        if not going.any():
            break
        score, information = _score_and_information(b[going], _rows(days, going))
        lower[going] = np.where(score > 0, b[going], lower[going])
        upper[going] = np.where(score < 0, b[going], upper[going])
        step = score / np.maximum(information, 1e-300)
        proposed = b[going] + np.clip(step, -3.0, 3.0)
        inside = (proposed > lower[going]) & (proposed < upper[going])
        moved = np.where(inside | (score == 0), proposed, (lower[going] + upper[going]) / 2)
        converged[going] = np.abs(moved - b[going]) < TOLERANCE
        b[going] = moved
    information = _score_and_information(b, days)[1]
    return _wald(b, information, alpha, converged & (information > 0)), converged & (information > 0)


def _wald(b: Floats, information: Floats, alpha: float, known: NDArray[np.bool_]) -> Floats:
    z = -ndtri(alpha / 2)
    se = 1 / np.sqrt(np.where(known, information, np.nan))
    b = np.where(known, b, np.nan)
    return np.stack([b, se, b - z * se, b + z * se, 2 * ndtr(-np.abs(b / se))])


def _fit_separated(days: _Days, alpha: float) -> Floats:
    """Firth's estimate where, on informative days, all departures lie on one side.

    Sides are exchanged where needed so that nobody who reached it leaves; then `p_l = n1 w / (A - l)`.
    """
    use = days.informative
    flipped = (days.leaving_reached * use).sum(axis=1) > 0
    n1 = np.where(flipped[:, None], days.at_risk - days.at_risk_reached, days.at_risk_reached)
    n1, n0, d = n1 * use, (days.at_risk - n1) * use, days.leaving * use
    end = np.full(len(n1), BOUND)
    b = _bisect(lambda at: _firth_score(at, n1, n0, d), -end, end)
    top = _firth_likelihood(b, n1, n0, d)

    def below_top(by: float) -> Callable[[Floats], Floats]:
        return lambda at: _firth_likelihood(at, n1, n0, d) - top + by

    drop = float(chdtri(1.0, alpha)) / 2
    lower = _bisect(lambda at: -below_top(drop)(at), b - BOUND, b)
    upper = _bisect(below_top(drop), b, b + BOUND)
    p = chdtrc(1.0, np.maximum(-2 * below_top(0.0)(np.zeros_like(b)), 0.0))
    se = 1 / np.sqrt(_information(b, n1, n0, d))
    sign = np.where(flipped, -1.0, 1.0)
    ends = np.sort(np.stack([sign * lower, sign * upper]), axis=0)
    return np.stack([sign * b, se, ends[0], ends[1], p])


def _terms(b: Floats, n1: Floats, n0: Floats, d: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return those who reached it at their risk, the first and last `A - l + 1`, and the sum of `p^2`."""
    reached = n1 * np.exp(b)[:, None]
    a = n0 + reached
    some = d > 0
    first, last = np.where(some, a + 1, 1.0), np.where(some, a - d + 1, 1.0)
    return reached, first, last, reached**2 * (_trigamma(last) - _trigamma(first))


def _information(b: Floats, n1: Floats, n0: Floats, d: Floats) -> Floats:
    """Sum `p (1 - p)` over days and ties, where nobody who reached it leaves."""
    reached, first, last, squares = _terms(b, n1, n0, d)
    information: Floats = (reached * (digamma(first) - digamma(last)) - squares).sum(axis=1)
    return information


def _firth_score(b: Floats, n1: Floats, n0: Floats, d: Floats) -> Floats:
    """Return the modified score; the penalty adds at most 1/2, so beyond that it is negative, whatever the rounding."""
    reached, first, last, squares = _terms(b, n1, n0, d)
    one = reached * (digamma(first) - digamma(last))
    cubes = reached**3 * (zeta(3.0, last) - zeta(3.0, first))
    total, information, skew = (part.sum(axis=1) for part in (one, one - squares, one - 3 * squares + 2 * cubes))
    pull = np.clip(skew / (2 * np.maximum(information, 1e-300)), -0.5, 0.5)
    return np.where(total > 0.5, -1.0, pull - total)


def _firth_likelihood(b: Floats, n1: Floats, n0: Floats, d: Floats) -> Floats:
    a = n0 + n1 * np.exp(b)[:, None]
    some = d > 0
    ties = np.where(some, d, 1.0)
    log_terms = np.where(some, betaln(np.where(some, a - d + 1, 1.0), ties) - gammaln(ties), 0.0)
    information = np.maximum(_information(b, n1, n0, d), 1e-300)
    likelihood: Floats = log_terms.sum(axis=1) + np.log(information) / 2
    return likelihood


def _bisect(falling: Callable[[Floats], Floats], lower: Floats, upper: Floats) -> Floats:
    """Return the root of a function that is positive at `lower` and negative at `upper`."""
    for _ in range(HALVINGS):
        middle = (lower + upper) / 2
        positive = falling(middle) > 0
        lower, upper = np.where(positive, middle, lower), np.where(positive, upper, middle)
    return (lower + upper) / 2
