"""Cox regression of leaving on covariates alone, in the shape that the score test of every flag needs.

The score of an added column in a Cox model is the sum of its values over the martingale residuals, and the Cox model
is a Poisson model of departures whose mean is the expected cumulative hazard. So the fitted model is handed on as a
Poisson working model: `residual`, `weights`, `design` and `cholesky` mean what they mean in `logistic.NullModel`, and
`logistic.score_test` takes either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve

from discovery.estimate.flags import evenly_spaced
from discovery.estimate.logistic import CLOSE, FIRST_ACCOUNTS, SEPARATED_SHARE, STALLED, NullStatus, gram_factor

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoxNull:
    """Cox regression of the time to departure on covariates over n accounts.

    Attributes
    ----------
    coefficients : float64[p]
        Log hazard ratio of leaving per unit of each design column; 0 for the intercept, which the baseline hazard
        contains.
    design : float64[n, p]
        With the intercept.
    departed : bool[n]
    residual : float64[n]
        Departures expected less departures seen, `weights - departed` (minus the martingale residual): positive
        where the account stayed longer than expected.
    weights : float64[n]
        Expected cumulative hazard up to departure or last observation: the information of each account in the
        Poisson working model. They sum to the number of departures.
    cholesky : float64[p, p]
        Lower factor of `Z' W Z`.
    log_likelihood : float
        Partial, by Efron, unpenalised.
    converged : bool
    status : str
        "ok"; "separated" where nobody leaves along some covariate (or nobody at all), so that only the ridge keeps
        a coefficient finite; "not_converged".
    """

    coefficients: Floats
    design: Floats
    departed: NDArray[np.bool_]
    residual: Floats
    weights: Floats
    cholesky: Floats
    log_likelihood: float
    converged: bool
    status: NullStatus


def fit_cox_null(
    design: Floats,
    duration: Floats,
    departed: NDArray[np.bool_],
    ridge: float = 1e-6,
    max_iter: int = 30,
    nearly: bool = False,
) -> CoxNull:
    """Fit the hazard of leaving on the covariates alone, by Newton's method with step halving.

    Parameters
    ----------
    design : float64[n, p]
        Covariates with an intercept in column 0, of full rank, standardised: the design of the logistic null model.
        The intercept takes no part in the fit.
    duration : float64[n]
        Days from the landmark to departure or last observation, at least 0; continuous or whole.
    departed : bool[n]
        Whether the account left at `duration`; False is censored. An account censored at a time is still at risk
        for that time's departures.
    ridge : float
        Weight of the penalty `ridge / 2 * sum of squared coefficients`, which keeps coefficients finite under
        separation. 0 gives maximum partial likelihood.
    max_iter : int
        Newton steps.
    nearly : bool
        Whether, beyond `FIRST_ACCOUNTS`, two of Newton's steps from the fit to half as many are enough: from
        there an efficient score does not hang on the rest. It is not told to have converged.

    Returns
    -------
    CoxNull

    Notes
    -----
    Ties are Efron's, as in `survival.scan` and `survival_models.cox_refit`: with d departures at one time, each takes
    part in the l-th term of the risk set with weight `1 - l / d`. An account's expected hazard carries the same
    weights, so `sum x residual` is minus the exact Efron score of any column x.

    The information that `logistic.score_test` computes from `weights` treats the baseline hazard as known up to its
    level. It exceeds the exact Cox information by the variance of the flag's mean in the risk set over time, so
    `|z|` is never above that of the exact score test (up to what the ridge and slopes change), and equal to it where
    reaching the flag is not related to when accounts leave or stop being observed beyond the covariates.

    References
    ----------
    Cox (1972), JRSS B 34; Efron (1977), JASA 72, 557-565; Therneau, Grambsch & Fleming (1990), Biometrika 77
    (martingale residuals); Whitehead (1980), Applied Statistics 29 (the Poisson working model).

    Examples
    --------
    >>> null = fit_cox_null(np.ones((3, 1)), np.array([1.0, 2.0, 3.0]), np.array([True, True, False]))
    >>> null.weights.round(4), null.residual.round(4)
    (array([0.3333, 0.8333, 0.8333]), array([-0.6667, -0.1667,  0.8333]))
    """
    duration = np.asarray(duration, dtype=float)
    start = np.zeros(design.shape[1] - 1)
    if len(design) > FIRST_ACCOUNTS:
        some = evenly_spaced(len(design), FIRST_ACCOUNTS // 2)
        first = fit_cox_null(design[some], duration[some], departed[some], ridge, max_iter)
        if first.status == "ok":
            start, max_iter = first.coefficients[1:], 2 if nearly else max_iter
    risk = _risk_sets(duration, departed)
    z = design[risk.rows, 1:] - design[:, 1:].mean(axis=0)
    beta, information, converged = _newton(risk, z, start, ridge, max_iter)
    separated = not departed.any() or (ridge < 1e-3 and _ridge_decides(information, max(ridge, 1e-6)))
    state = _state(risk, z @ beta)
    weights = np.zeros(len(design))
    weights[risk.rows] = state.expected
    return CoxNull(
        coefficients=np.concatenate([[0.0], beta]),
        design=design,
        departed=departed,
        residual=weights - departed,
        weights=weights,
        cholesky=gram_factor(_gram(design, weights)),
        log_likelihood=state.log_likelihood,
        converged=converged,
        status="separated" if separated else "ok" if converged else "not_converged",
    )


def _newton(risk: _RiskSets, z: Floats, start: Floats, ridge: float, max_iter: int) -> tuple[Floats, Floats, bool]:
    """Return the coefficients that a start leads to, the information there, and whether they are of the maximum."""
    beta, information = start, np.empty((0, 0))
    state = _state(risk, z @ beta)
    for _ in range(max_iter if len(beta) else 0):
        gradient = z.T @ (risk.left - state.expected) - ridge * beta
        information = _information(risk, z, state)
        factor = gram_factor(information + ridge * np.eye(len(beta)))
        step = cho_solve((factor, True), gradient)
        decrement = float(gradient @ step)
        if decrement < CLOSE:
            return beta + step, information, True
        beta, state, moved = _halved_step(risk, z, beta, step, state, ridge)
        if not moved:
            return beta, information, decrement < STALLED
    return beta, information, not len(beta)


@dataclass(frozen=True, slots=True, kw_only=True)
class _RiskSets:
    """Who is at risk when: r accounts at risk of any of D departures at K distinct times, the latest first.

    Running from the last time back makes every risk set a prefix, and its sums cumulative ones without cancellation.
    """

    rows: Positions  # [r] of the n accounts; those censored before the first departure say nothing
    last: Positions  # [r] index of the last time the account was at risk, ascending
    ends: Positions  # [K] where each time's risk set ends
    left: NDArray[np.bool_]  # [r]
    leaving: Positions  # [D] of the r
    leaving_starts: Positions  # [K]
    time: Positions  # [D] index of the departure's time
    share: Floats  # [D] l / d
    tied: Positions  # times with more than one departure

    def sum_leaving(self, values: Floats) -> Floats:
        """Sum over the departures of each time: [D, ...] to [K, ...]."""
        if not len(self.tied):
            return values
        sums: Floats = np.add.reduceat(values, self.leaving_starts, axis=0)
        return sums

    def sum_at_risk(self, values: Floats) -> Floats:
        """Sum over the accounts at risk at each time: [r, ...] to [K, ...]."""
        if not len(self.ends):
            return values[:0]
        totals: Floats = np.cumsum(np.add.reduceat(values, np.append(0, self.ends[:-1]), axis=0), axis=0)
        return totals


def _risk_sets(duration: Floats, departed: NDArray[np.bool_]) -> _RiskSets:
    times = np.unique(duration[departed])
    last = len(times) - np.searchsorted(times, duration, side="right")
    rows = np.argsort(last, kind="stable")[: np.count_nonzero(last < len(times))]
    last = last[rows]
    leaving = np.flatnonzero(departed[rows])
    time = last[leaving]
    every = np.arange(len(times))
    leaving_starts = np.searchsorted(time, every)
    departures = np.bincount(time, minlength=len(times))
    return _RiskSets(
        rows=rows,
        last=last,
        ends=np.searchsorted(last, every, side="right"),
        left=departed[rows],
        leaving=leaving,
        leaving_starts=leaving_starts,
        time=time,
        share=(np.arange(len(time)) - leaving_starts[time]) / departures[time],
        tied=np.flatnonzero(departures > 1),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """The model at one value of the linear predictor; relative hazards are known up to a common factor."""

    hazard: Floats  # [r] relative
    total: Floats  # [D] relative hazard at risk in each of Efron's terms
    expected: Floats  # [r]
    log_likelihood: float


def _state(risk: _RiskSets, eta: Floats) -> _State:
    eta = eta - eta.max(initial=-np.inf) if len(eta) else eta
    hazard = np.exp(eta)
    leaving = risk.sum_leaving(hazard[risk.leaving])
    total = risk.sum_at_risk(hazard)[risk.time] - risk.share * leaving[risk.time]
    cumulative = np.cumsum(risk.sum_leaving(1 / total)[::-1])[::-1]
    expected = hazard * cumulative[risk.last]
    expected[risk.leaving] -= hazard[risk.leaving] * risk.sum_leaving(risk.share / total)[risk.time]
    log_likelihood = float(eta[risk.leaving].sum() - np.log(total).sum())
    return _State(hazard=hazard, total=total, expected=np.maximum(expected, 0.0), log_likelihood=log_likelihood)


def _information(risk: _RiskSets, z: Floats, state: _State) -> Floats:
    """Return the exact Efron information about the coefficients.

    The sum over terms of the outer product of `(S - l/d L) / total`, with S and L the sums of hazard times
    covariates over those at risk and those leaving, is taken apart by time: no array of D x p.
    """
    weighted = z * state.hazard[:, None]
    at_risk = risk.sum_at_risk(weighted)
    squares = 1 / state.total**2
    information = _gram(z, state.expected) - _gram(at_risk, risk.sum_leaving(squares))
    if len(risk.tied):
        leaving = risk.sum_leaving(weighted[risk.leaving])
        both = at_risk.T @ (risk.sum_leaving(risk.share * squares)[:, None] * leaving)
        information += both + both.T - _gram(leaving, risk.sum_leaving(risk.share**2 * squares))
    return information


def _gram(rows: Floats, weights: Floats) -> Floats:
    scaled = rows * np.sqrt(weights)[:, None]
    gram: Floats = scaled.T @ scaled
    return gram


def _halved_step(
    risk: _RiskSets, z: Floats, beta: Floats, step: Floats, state: _State, ridge: float
) -> tuple[Floats, _State, bool]:
    """Take the longest of the steps 1, 1/2, 1/4, ... that raises the penalised likelihood."""
    value = state.log_likelihood - ridge / 2 * float(beta @ beta)
    for halvings in range(30):
        nearer = beta + step * 0.5**halvings
        reached = _state(risk, z @ nearer)
        if reached.log_likelihood - ridge / 2 * float(nearer @ nearer) > value:
            return nearer, reached, True
    return beta, state, False


def _ridge_decides(information: Floats, ridge: float) -> bool:
    """Tell whether a notable share of some coefficient's variance comes from the ridge."""
    if not len(information):
        return False
    identity = np.eye(len(information))
    variances = np.diag(cho_solve((gram_factor(information + ridge * identity), True), identity))
    return bool((ridge * variances > SEPARATED_SHARE).any())
