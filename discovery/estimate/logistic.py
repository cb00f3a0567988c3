"""Logistic regression of retention on covariates alone, and the score test of every flag against it.

One null model is fitted per set of covariates; each candidate is then tested by two matrix products, without
fitting anything. The score of a flag is additive over accounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_solve, cholesky
from scipy.special import expit, ndtr

from discovery.estimate.flags import evenly_spaced, tiles
from discovery.estimate.products import Places, products

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_] | NDArray[np.uint8] | NDArray[np.float64]
NullStatus = Literal["ok", "separated", "not_converged"]

SEPARATED_SHARE = 0.01
"""Share of a coefficient's variance that may come from the ridge before the design counts as separated."""
CLOSE = 1e-9
"""Newton decrement (squared standard errors from the maximum) at which one more full step is the last: convergence
is quadratic, and a bound on what is left after that step could lie below the rounding of the gradient."""
STALLED = 1e-6
"""Newton decrement below which it is rounding of the likelihood, not a failure, that no step raises it."""
FIRST_ACCOUNTS = 100_000
"""Beyond as many accounts, Newton's method starts from the fit to half as many, evenly spaced."""
GRAM_ACCOUNTS = 100_000
"""Accounts that are weighted at a time."""
COLLINEAR = 1e-8
"""Share of a flag's own information below which nothing of it is left beside the covariates."""


class WorkingModel(Protocol):
    """A fitted null model whose score is a weighted least-squares one: `NullModel` and `CoxNull` both are."""

    @property
    def design(self) -> Floats:
        """Covariates with an intercept, [m, p]."""
        ...

    @property
    def weights(self) -> Floats:
        """Information of each account, [m]."""
        ...

    @property
    def residual(self) -> Floats:
        """Outcome less what the covariates predict, [m]."""
        ...

    @property
    def cholesky(self) -> Floats:
        """Lower factor of `Z' W Z`, [p, p]."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NullModel:
    """Logistic regression of the outcome on p covariates over n accounts.

    Attributes
    ----------
    coefficients : float64[p]
        Log-odds per unit of each design column.
    design : float64[n, p]
    outcome : bool[n]
    fitted : float64[n]
        Probability of retention.
    residual : float64[n]
        `outcome - fitted`.
    weights : float64[n]
        `fitted (1 - fitted)`, the information of each account.
    cholesky : float64[p, p]
        Lower factor of `Z' W Z`.
    log_likelihood : float
        Unpenalised.
    converged : bool
    status : str
        "ok"; "separated" where the covariates predict some outcomes perfectly, so that only the ridge keeps a
        coefficient finite; "not_converged".
    """

    coefficients: Floats
    design: Floats
    outcome: NDArray[np.bool_] | Floats
    fitted: Floats
    residual: Floats
    weights: Floats
    cholesky: Floats
    log_likelihood: float
    converged: bool
    status: NullStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreTest:
    """Score tests of c flags, each added alone to the null model; every array has length c.

    Attributes
    ----------
    score : float64[c]
        Signed z; positive: reaching it goes with retention beyond the covariates. 0 where "too_few".
    p_two_sided : float64[c]
        1 where "too_few".
    information : float64[c]
        Efficient information about the flag's log-odds ratio at zero.
    status : str[c]
        "ok", or "too_few" where the covariates leave no information about the flag.
    """

    score: Floats
    p_two_sided: Floats
    information: Floats
    status: NDArray[np.str_]


def fit_null(design: Floats, outcome: NDArray[np.bool_] | Floats, ridge: float = 1e-6, max_iter: int = 50) -> NullModel:
    """Fit the outcome on the covariates alone, by Newton's method with step halving.

    Parameters
    ----------
    design : float64[n, p]
        Covariates with an intercept column, of full rank, standardised.
    outcome : bool[n] or float64[n]
        Whether the account stayed, or its chance of it.
    ridge : float
        Weight of the penalty `ridge / 2 * sum of squared coefficients` (intercept included), which keeps
        coefficients finite under separation. 0 gives maximum likelihood.
    max_iter : int
        Newton steps.

    Returns
    -------
    NullModel

    References
    ----------
    McCullagh & Nelder (1989), Generalized Linear Models, section 4.4; Albert & Anderson (1984), Biometrika 71
    (separation).

    Examples
    --------
    >>> null = fit_null(np.ones((4, 1)), np.array([True, True, True, False]))
    >>> null.fitted.round(4)
    array([0.75, 0.75, 0.75, 0.75])
    """
    start = np.zeros(design.shape[1])
    if len(design) > FIRST_ACCOUNTS:
        some = evenly_spaced(len(design), FIRST_ACCOUNTS // 2)
        first = fit_null(design[some], outcome[some], ridge, max_iter)
        start = first.coefficients if first.status == "ok" else start
    beta, converged = _newton(design, outcome.astype(float), start, ridge, max_iter)
    return _null_model(design, outcome, beta, ridge, converged)


def _newton(design: Floats, y: Floats, start: Floats, ridge: float, max_iter: int) -> tuple[Floats, bool]:
    """Return the coefficients that a start leads to, and whether they are those of the maximum."""
    penalty = ridge * np.eye(design.shape[1])
    beta, value = start, _penalised(design, y, start, ridge)
    for _ in range(max_iter):
        p = expit(design @ beta)
        gradient = design.T @ (y - p) - ridge * beta
        factor = gram_factor(weighted_gram(design, p * (1 - p)) + penalty)
        step = cho_solve((factor, True), gradient)
        decrement = float(gradient @ step)
        if decrement < CLOSE:
            return beta + step, True
        beta, value, moved = _halved_step(design, y, beta, step, value, ridge)
        if not moved:
            return beta, decrement < STALLED
    return beta, False


def _penalised(design: Floats, y: Floats, beta: Floats, ridge: float) -> float:
    eta = design @ beta
    return float(y @ eta - np.logaddexp(0.0, eta).sum() - ridge / 2 * beta @ beta)


def _halved_step(
    design: Floats, y: Floats, beta: Floats, step: Floats, value: float, ridge: float
) -> tuple[Floats, float, bool]:
    """Take the longest of the steps 1, 1/2, 1/4, ... that raises the penalised likelihood."""
    for halvings in range(30):
        nearer = beta + step * 0.5**halvings
        reached = _penalised(design, y, nearer, ridge)
        if reached > value:
            return nearer, reached, True
    return beta, value, False


def _null_model(
    design: Floats, outcome: NDArray[np.bool_] | Floats, beta: Floats, ridge: float, converged: bool
) -> NullModel:
    p = expit(design @ beta)
    weights = p * (1 - p)
    gram = weighted_gram(design, weights)
    floor = max(ridge, 1e-6)
    variances = np.diag(cho_solve((gram_factor(gram + floor * np.eye(len(gram))), True), np.eye(len(gram))))
    separated = bool((floor * variances > SEPARATED_SHARE).any()) and ridge < 1e-3
    return NullModel(
        coefficients=beta,
        design=design,
        outcome=outcome,
        fitted=p,
        residual=outcome - p,
        weights=weights,
        cholesky=gram_factor(gram),
        log_likelihood=_penalised(design, outcome.astype(float), beta, 0.0),
        converged=converged,
        status="separated" if separated else "ok" if converged else "not_converged",
    )


def weighted_gram(design: Floats, weights: Floats) -> Floats:
    """Return `Z' W Z`."""
    gram = np.zeros((design.shape[1], design.shape[1]))
    for start in range(0, len(design), GRAM_ACCOUNTS):
        rows = design[start : start + GRAM_ACCOUNTS]
        gram += rows.T @ (rows * weights[start : start + GRAM_ACCOUNTS, None])
    return gram


def gram_factor(gram: Floats) -> Floats:
    """Return the lower Cholesky factor of a Gram matrix, with the least jitter that makes it definite."""
    size = float(np.trace(gram)) / len(gram) or 1.0
    for jitter in (0.0, 1e-13, 1e-10, 1e-7):
        try:
            factor: Floats = cholesky(gram + jitter * size * np.eye(len(gram)), lower=True)
        except LinAlgError:
            continue
        if np.diag(factor).min() ** 2 > 1e-14 * size:
            return factor
    return cholesky(gram + 1e-4 * size * np.eye(len(gram)), lower=True)


def score_test(null: WorkingModel, flags: Flags) -> ScoreTest:
    """Test, for each flag, whether it says anything about retention beyond the covariates.

    Rao's score test of one added column: with `x~` the W-weighted residual of the flag on the covariates,
    `U = x~' (y - p)`, `V = x~' W x~`, `z = U / sqrt(V)`. Null hypothesis: the flag's log-odds ratio given the
    covariates is 0.

    Parameters
    ----------
    null : NullModel or CoxNull
        Fitted over n accounts.
    flags : bool, uint8 or float [c, n]
        Dense tile of candidates over the same accounts.

    Returns
    -------
    ScoreTest

    References
    ----------
    Rao (1948), Proceedings of the Cambridge Philosophical Society 44, 50-57.
    """
    columns = moments(null)
    sums = np.empty((len(flags), columns.shape[1]))
    for tile in tiles(len(flags), len(columns)):
        x = np.asarray(flags[tile], dtype=float)
        sums[tile] = x @ columns
        if flags.dtype.kind == "f":
            sums[tile, 1] = (x**2) @ null.weights
    return tested(efficient_scores(null, sums))


def score_packed(null: WorkingModel, packed: NDArray[np.uint8], n: int, rows: Places | None = None) -> ScoreTest:
    """Do the same for packed flags.

    Parameters
    ----------
    null : NullModel or CoxNull
        Fitted over m accounts.
    packed : uint8[c, ceil(n / 8)]
    n : int
        Accounts that have flags.
    rows : int[m], optional
        Places of the m among the n, ascending; without it, all n.
    """
    return tested(observed_packed(null, packed, n, rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class EfficientScores:
    """Flags less what the covariates say of them, summed up; arrays have length c, `slopes` [c, p].

    `information` is 0 where nothing of a flag is left, and `score`, the efficient score over its root, with it.
    """

    score: Floats
    information: Floats
    slopes: Floats


def moments(null: WorkingModel) -> Floats:
    """Return the columns whose sums over the accounts that met a flag make its score test, [m, 2 + p]."""
    return np.column_stack([null.residual, null.weights, null.design * null.weights[:, None]])


def efficient_scores(null: WorkingModel, sums: Floats) -> EfficientScores:
    """Return the efficient scores of flags, from the sums of the residual, the weights and the weighted design."""
    own, cross = sums[:, 1], sums[:, 2:]
    slopes: Floats = cho_solve((null.cholesky, True), cross.T).T
    information = own - np.einsum("ij,ij->i", cross, slopes)
    information = np.where(information > COLLINEAR * np.maximum(own, 1.0), information, 0.0)
    efficient = sums[:, 0] - slopes @ (null.design.T @ null.residual)
    score = efficient / np.sqrt(np.where(information > 0, information, np.inf))
    return EfficientScores(score=score, information=information, slopes=slopes)


def observed_packed(
    null: WorkingModel, packed: NDArray[np.uint8], n: int, rows: Places | None = None
) -> EfficientScores:
    """Return the efficient scores of packed flags."""
    return efficient_scores(null, products(packed, n, moments(null), rows))


def tested(found: EfficientScores) -> ScoreTest:
    """Return efficient scores as score tests."""
    usable = found.information > 0
    return ScoreTest(
        score=found.score,
        p_two_sided=np.where(usable, 2 * ndtr(-np.abs(found.score)), 1.0),
        information=found.information,
        status=np.where(usable, "ok", "too_few"),
    )


def firth(design: Floats, outcome: NDArray[np.bool_], max_iter: int = 200) -> tuple[Floats, Floats, bool]:
    """Fit a logistic regression with Firth's bias reduction, which is finite under separation.

    Maximises `log L + log det(X' W X) / 2`. The modified score is `X' (y - p + h (1/2 - p))`, `h` the leverages.

    Parameters
    ----------
    design : float64[n, p]
        With an intercept column, of full rank.
    outcome : bool[n]

    Returns
    -------
    coefficients : float64[p]
        Log-odds.
    covariance : float64[p, p]
        Inverse information at the estimate.
    converged : bool

    References
    ----------
    Firth (1993), Biometrika 80, 27-38; Heinze & Schemper (2002), Statistics in Medicine 21, 2409-2419.
    """
    y = outcome.astype(float)
    beta = np.zeros(design.shape[1])
    for _ in range(max_iter):
        p = expit(design @ beta)
        weights = p * (1 - p)
        covariance = cho_solve((gram_factor(weighted_gram(design, weights)), True), np.eye(len(beta)))
        leverage = weights * np.einsum("ij,jk,ik->i", design, covariance, design, optimize=True)
        step = covariance @ (design.T @ (y - p + leverage * (0.5 - p)))
        beta = beta + step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))
        if np.abs(step).max() < 1e-10:
            return beta, covariance, True
    return beta, covariance, False
