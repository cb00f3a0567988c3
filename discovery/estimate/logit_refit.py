"""The adjusted odds ratio of one milestone, through statsmodels (known to this module alone)."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve
from scipy.special import ndtr, ndtri

from discovery.estimate.logistic import firth, fit_null
from discovery.results import EstimateStatus

Floats = NDArray[np.float64]
_LARGEST_SE = 50.0
MAX_ACCOUNTS = 50_000
"""Beyond this many accounts the same maximum is found by the Newton steps of `logistic.fit_null`, in less memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogitRefit:
    """The odds ratio of retention for one flag given the covariates.

    Attributes
    ----------
    odds_ratio, ci_lower, ci_upper : float or None
        Reached against not, with a Wald interval on the log scale; None where there is no estimate.
    p_value : float or None
        Wald.
    status : str
        "ok"; "separated" (one outcome is predicted perfectly; Firth's estimate, finite and bias-reduced);
        "too_few" (flag or outcome does not vary); "not_converged".
    n_accounts : int
    """

    odds_ratio: float | None
    ci_lower: float | None
    ci_upper: float | None
    p_value: float | None
    status: EstimateStatus
    n_accounts: int


def logit_refit(design: Floats, outcome: NDArray[np.bool_], flag: NDArray[np.bool_], alpha: float = 0.05) -> LogitRefit:
    """Fit retention on one flag and the covariates by maximum likelihood, by Firth's where that is not finite.

    The odds ratio is conditional on the covariates and is not collapsible: it need not lie between the odds
    ratios of subgroups and the unadjusted one.

    Parameters
    ----------
    design : float64[n, p]
        Covariates with an intercept column.
    outcome, flag : bool[n]
    alpha : float

    Returns
    -------
    LogitRefit

    References
    ----------
    Albert & Anderson (1984), Biometrika 71 (separation); Firth (1993), Biometrika 80; Heinze & Schemper (2002),
    Statistics in Medicine 21.
    """
    if outcome.all() or not outcome.any() or flag.all() or not flag.any():
        return _no_estimate("too_few", len(flag))
    x = np.column_stack([flag.astype(float), design])
    if np.linalg.matrix_rank(x.T @ x, tol=1e-8 * len(x), hermitian=True) < x.shape[1]:
        return _no_estimate("too_few", len(flag))
    search = _maximum_likelihood if len(flag) <= MAX_ACCOUNTS else _by_newton
    fitted = None if _has_empty_cell(outcome, flag) else search(x, outcome)
    if fitted is not None:
        return _estimate(*fitted, alpha, "ok", len(flag))
    coefficients, covariance, converged = firth(x, outcome)
    if not converged:
        return _no_estimate("not_converged", len(flag))
    return _estimate(float(coefficients[0]), math.sqrt(covariance[0, 0]), alpha, "separated", len(flag))


def _has_empty_cell(outcome: NDArray[np.bool_], flag: NDArray[np.bool_]) -> bool:
    return any(not (outcome[side] == stayed).any() for side in (flag, ~flag) for stayed in (True, False))


def _maximum_likelihood(x: Floats, outcome: NDArray[np.bool_]) -> tuple[float, float] | None:
    """Return the flag's coefficient and standard error, or None where the likelihood has no finite maximum."""
    from statsmodels.discrete.discrete_model import Logit
    from statsmodels.tools.sm_exceptions import PerfectSeparationError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fitted: Any = Logit(outcome.astype(float), x).fit(disp=0, method="newton", maxiter=100, tol=1e-10)
        except (np.linalg.LinAlgError, PerfectSeparationError):
            return None
        coefficient, se = float(fitted.params[0]), float(fitted.bse[0])
        largest = float(np.abs(x @ fitted.params).max())
    return (coefficient, se) if fitted.mle_retvals["converged"] and _is_finite(se, largest) else None


def _by_newton(x: Floats, outcome: NDArray[np.bool_]) -> tuple[float, float] | None:
    """Do the same without the library."""
    fitted = fit_null(x, outcome, ridge=0.0)
    first = np.zeros(x.shape[1])
    first[0] = 1.0
    se = math.sqrt(cho_solve((fitted.cholesky, True), first)[0])
    finite = fitted.converged and _is_finite(se, float(np.abs(x @ fitted.coefficients).max()))
    return (float(fitted.coefficients[0]), se) if finite else None


def _is_finite(se: float, largest: float) -> bool:
    return math.isfinite(se) and 0 < se < _LARGEST_SE and largest < 1e3


def _estimate(coefficient: float, se: float, alpha: float, status: EstimateStatus, n: int) -> LogitRefit:
    z = float(-ndtri(alpha / 2))
    return LogitRefit(
        odds_ratio=math.exp(coefficient),
        ci_lower=math.exp(coefficient - z * se),
        ci_upper=math.exp(coefficient + z * se),
        p_value=float(2 * ndtr(-abs(coefficient / se))),
        status=status,
        n_accounts=n,
    )


def _no_estimate(status: EstimateStatus, n: int) -> LogitRefit:
    return LogitRefit(odds_ratio=None, ci_lower=None, ci_upper=None, p_value=None, status=status, n_accounts=n)
