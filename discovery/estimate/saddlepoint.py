"""Tail probabilities of the score where the outcome is rare and the normal curve is not to be trusted.

With few positives the score of a flag is skewed, and far out its normal tail is too light by a factor of ten or
more. The saddlepoint approximation uses the whole distribution that the null model gives the score.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve
from scipy.special import expit, log_ndtr, ndtri_exp

from discovery.estimate.flags import count_within, pack, tiles, unpack
from discovery.estimate.logistic import COLLINEAR, Flags, NullModel, ScoreTest
from discovery.estimate.products import Places

Floats = NDArray[np.float64]

RARE_CELL = 200.0
"""Expected accounts in the smallest cell (rarer side of the flag x rarer outcome) below which the normal tail is
replaced. With m in that cell the skewness is at most 1 / sqrt(m), which moves a z of 4 by at most 0.2 at m = 200."""
FAR = 2.0
"""|z| above which the tail is replaced: no bound on a family of tests lies nearer, and there the curves agree."""
NEAR = 0.1
"""|z| below which the formula is a ratio of two numbers that both vanish."""
BLOCK_CELLS = 1 << 16
"""Cells (candidate x account) at a time: small enough to stay in a core's cache over the search for the root."""
MAX_STEPS = 80
ROOT = 1e-7
"""Relative step at which the root is found; the exponent of the tail is stationary there, so its error is squared."""


def tail(null: NullModel, flags: Flags, score: Floats) -> Floats:
    """Return two-sided p-values of score statistics by the saddlepoint approximation.

    With `x~` the W-weighted residual of a flag on the covariates and `mu` the null model's probabilities, the
    score `S = sum x~ (y - mu)` has the cumulant generating function
    `K(t) = sum log(1 + mu (exp(x~ t) - 1)) - t sum x~ mu`. Each of `P(S >= |U|)` and `P(S <= -|U|)` is
    `Phi(-r*)`, `r* = w + log(v / w) / w`, `w = sqrt(2 (t U - K(t)))`, `v = t sqrt(K''(t))` at the root of
    `K'(t) = U`; their sum is the p-value. Null hypothesis: the flag's log-odds ratio given the covariates is 0.

    Parameters
    ----------
    null : NullModel
        Fitted over n accounts.
    flags : bool, uint8 or float [c, n]
        Dense tile of candidates over the same accounts.
    score : float64[c]
        Rao's z of each, signed, as by `score_test`; `U = z sqrt(x~' W x~)`.

    Returns
    -------
    float64[c]
        In (0, 1]. The normal p-value where |z| is below `NEAR`, where U lies outside what any outcome could
        give, and where the covariates leave nothing of the flag.

    Notes
    -----
    There is no correction for continuity. Where the score can take few values, its tail is close to the exact
    probability of anything beyond U plus half that of U itself (the mid-p value).

    References
    ----------
    Lugannani & Rice (1980), Advances in Applied Probability 12, 475-490; Barndorff-Nielsen (1990), JRSS B 52,
    485-496 (the form `r*`, positive however far out); Kuonen (1999), Biometrika 86, 929-935; Dey, Schmidt,
    Abecasis & Lee (2017), American Journal of Human Genetics 101, 37-49.

    Examples
    --------
    >>> from discovery.estimate import fit_null, score_test
    >>> stayed = np.arange(400) < 8
    >>> null, flag = fit_null(np.ones((400, 1)), stayed), (np.arange(400) < 4)[None]
    >>> z = score_test(null, flag).score
    >>> z.round(1), tail(null, flag, z) > 1e-8
    (array([14.1]), array([ True]))
    """
    return _bounded(log_tail(null, flags, score))


def log_tail(null: NullModel, flags: Flags, score: Floats) -> Floats:
    """Return the natural logarithms of `tail`, which do not run out far from the middle."""
    score = np.asarray(score, dtype=float)
    found: Floats = np.minimum(np.log(2.0) + log_ndtr(-np.abs(score)), 0.0)
    far = np.flatnonzero(np.abs(score) >= NEAR)
    step = max(1, BLOCK_CELLS // max(1, len(null.outcome)))
    weighted, logit = null.design * null.weights[:, None], null.design @ null.coefficients
    for start in range(0, len(far), step):
        own = far[start : start + step]
        x = np.asarray(flags[own], dtype=float)
        residual = x - cho_solve((null.cholesky, True), (x @ weighted).T).T @ null.design.T
        information = (residual**2) @ null.weights
        sides = _log_two_sided(residual, logit, np.abs(score[own]) * np.sqrt(information))
        usable = np.isfinite(sides) & (information > COLLINEAR * np.maximum((x**2) @ null.weights, 1.0))
        found[own] = np.where(usable, np.minimum(sides, 0.0), found[own])
    return found


def calibrated(
    null: NullModel, flags: NDArray[np.bool_] | NDArray[np.uint8], plain: ScoreTest
) -> tuple[Floats, Floats]:
    """Return the score tests with the tails of rare outcomes replaced.

    Only candidates beyond |z| = `FAR` whose smallest expected cell is below `RARE_CELL` change.

    Parameters
    ----------
    null : NullModel
        Fitted over n accounts.
    flags : bool or uint8 [c, n]
        Dense tile of candidates over the same accounts.
    plain : ScoreTest
        Their Rao tests.

    Returns
    -------
    score : float64[c]
        Signed normal equivalent of the p-value, `sign(U) Phi^-1(1 - p / 2)`; Rao's z where nothing is replaced.
    p_two_sided : float64[c]
    """
    return calibrated_packed(null, pack(flags), len(null.outcome), np.arange(len(null.outcome)), plain)


def calibrated_packed(
    null: NullModel, packed: NDArray[np.uint8], n: int, rows: Places, plain: ScoreTest
) -> tuple[Floats, Floats]:
    """Do the same for packed flags; only those that change are unpacked.

    Parameters
    ----------
    null : NullModel
        Fitted over m accounts.
    packed : uint8[c, ceil(n / 8)]
    n : int
        Accounts that have flags.
    rows : int[m]
        Places of the m among the n, ascending.
    plain : ScoreTest
    """
    inside = np.zeros(n, dtype=bool)
    inside[rows] = True
    score, p = plain.score.copy(), plain.p_two_sided.copy()
    chosen = _rare_and_far(null, count_within(packed, inside), plain)
    for tile in tiles(len(chosen), n):
        own = chosen[tile]
        log_p = log_tail(null, unpack(packed[own], n).take(rows, axis=1), plain.score[own])
        score[own] = np.sign(plain.score[own]) * np.abs(ndtri_exp(log_p - np.log(2.0)))
        p[own] = _bounded(log_p)
    return score, p


def _rare_and_far(null: NullModel, reached: NDArray[np.int64], plain: ScoreTest) -> Places:
    positives, n = int(null.outcome.sum()), len(null.outcome)
    smallest = np.minimum(reached, n - reached) * (min(positives, n - positives) / n)
    return np.flatnonzero((np.abs(plain.score) > FAR) & (smallest < RARE_CELL) & (plain.status == "ok"))


def _bounded(log_p: Floats) -> Floats:
    p: Floats = np.maximum(np.exp(log_p), np.finfo(float).tiny)
    return p


def _log_two_sided(residual: Floats, logit: Floats, observed: Floats) -> Floats:
    """Return log p of a block, not finite where the formula does not apply; `observed` is |U|."""
    with np.errstate(all="ignore"):
        upper, lower = _log_upper_tail(residual, logit, observed), _log_upper_tail(-residual, logit, observed)
        both: Floats = np.logaddexp(upper, lower)
    return both


def _log_upper_tail(a: Floats, logit: Floats, observed: Floats) -> Floats:
    """Return `log P(sum a (y - mu) >= observed)`, -inf where no outcome gives as much; `observed` is positive."""
    mu = expit(logit)
    possible = np.maximum(a, 0.0) @ (1 - mu) - np.minimum(a, 0.0) @ mu
    attainable = observed < possible * (1 - 1e-9)
    target = np.where(attainable, observed, possible / 2)
    t, curvature, found = _root(a, logit, target)
    cumulant = (_softplus(logit + a * t[:, None]) - _softplus(logit)).sum(axis=1) - t * (a @ mu)
    w = np.sqrt(2 * np.maximum(t * target - cumulant, 0.0))
    log_p = log_ndtr(-(w + np.log(t * np.sqrt(curvature) / w) / w))
    return np.where(attainable, np.where(found, log_p, np.nan), -np.inf)


def _softplus(x: Floats) -> Floats:
    result: Floats = np.maximum(x, 0.0) + np.log(1 + np.exp(-np.abs(x)))
    return result


def _root(a: Floats, logit: Floats, target: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Solve `K'(t) = target > 0` for each row by Newton's method, safeguarded.

    A step that leaves the bracket, or more than quadruples the root, is replaced by bisecting or doubling.
    Returns the roots, `K''` there, and whether each was found.
    """
    mean = a @ expit(logit)
    t = target / np.einsum("ij,ij,j->i", a, a, expit(logit) * expit(-logit))
    lower, upper = np.zeros(len(a)), np.full(len(a), np.inf)
    found = np.zeros(len(a), dtype=bool)
    for _ in range(MAX_STEPS):
        p = 1 / (1 + np.exp(-(logit + a * t[:, None])))
        excess = np.einsum("ij,ij->i", a, p) - mean - target
        p *= 1 - p
        curvature = np.einsum("ij,ij,ij->i", a, a, p)
        lower, upper = np.where(excess < 0, t, lower), np.where(excess < 0, upper, t)
        nearer = t - excess / curvature
        found = np.abs(nearer - t) <= ROOT * t
        if found.all():
            break
        inside = (nearer > lower) & (nearer < np.minimum(upper, 4 * t + 1e-300))
        outside = np.where(np.isfinite(upper), (lower + upper) / 2, 2 * t)
        t = np.where(found, t, np.where(inside, nearer, outside))
    return t, curvature, found
