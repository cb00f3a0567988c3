"""Curves and refits for the few milestones that are shown, through lifelines (known to this module alone)."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discovery.estimate.flags import ENOUGH_ACCOUNTS, evenly_spaced, pack
from discovery.estimate.survival import SurvivalScan, scan
from discovery.results import EstimateStatus, SurvivalCurve

Floats = NDArray[np.float64]
_STEPS = (1, 2, 5, 7, 14, 30, 60, 90, 180, 365, 730)
_TICKS = 6
_LARGEST_SE = 50.0
MAX_ACCOUNTS = ENOUGH_ACCOUNTS
"""Accounts, evenly spaced, that lifelines looks at where there are more; its time grows faster than they do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoxRefit:
    """The hazard ratio of leaving for one flag, with a test of proportionality.

    Attributes
    ----------
    hazard_ratio, ci_lower, ci_upper : float or None
        Reached against not; None where there is no estimate.
    p_value : float or None
    proportional_hazards_p : float or None
        Test that the ratio does not change over time, from scaled Schoenfeld residuals; small: it changes.
    status : str
        "ok"; "separated" (Firth's estimate, unadjusted fits only); "too_few"; "not_converged".
    n_accounts : int
    adjusted : bool
        Whether covariates are in the model.
    """

    hazard_ratio: float | None
    ci_lower: float | None
    ci_upper: float | None
    p_value: float | None
    proportional_hazards_p: float | None
    status: EstimateStatus
    n_accounts: int
    adjusted: bool


def kaplan_meier(
    duration: NDArray[np.int64], departed: NDArray[np.bool_], label: str, alpha: float = 0.05
) -> SurvivalCurve:
    """Estimate the share of accounts still there, day by day from the landmark.

    Parameters
    ----------
    duration : int64[n]
        Days from the landmark to departure or last observation.
    departed : bool[n]
        False is censored.
    label : str
    alpha : float
        Pointwise intervals (log-log Greenwood) have nominal coverage `1 - alpha`.

    Returns
    -------
    SurvivalCurve
        Shares in [0, 1]; at-risk counts (duration at least that day) on some six round days. Without accounts,
        all empty.

    References
    ----------
    Kaplan & Meier (1958), JASA 53, 457-481; Kalbfleisch & Prentice (2002), section 1.4 (log-log interval).
    """
    if not len(duration):
        return SurvivalCurve(label=label, days=(), survival=(), ci_lower=(), ci_upper=(), at_risk_days=(), at_risk=())
    from lifelines import KaplanMeierFitter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = KaplanMeierFitter(alpha=alpha).fit(duration, departed, label=label)
    survival = fitted.survival_function_.to_numpy(dtype=float)[:, 0]
    lower, upper = _filled_interval(survival, fitted.confidence_interval_.to_numpy(dtype=float))
    ticks = _round_days(int(np.max(duration)))
    return SurvivalCurve(
        label=label,
        days=tuple(fitted.survival_function_.index.to_numpy(dtype=float).tolist()),
        survival=tuple(survival.tolist()),
        ci_lower=tuple(lower.tolist()),
        ci_upper=tuple(upper.tolist()),
        at_risk_days=tuple(float(day) for day in ticks),
        at_risk=tuple(int(np.count_nonzero(duration >= day)) for day in ticks),
    )


def _filled_interval(survival: Floats, interval: Floats) -> tuple[Floats, Floats]:
    """Complete the log-log interval, which does not exist at 1 (there the point) nor at 0 (there 0 to the last)."""
    lower, upper = interval[:, 0].copy(), interval[:, 1].copy()
    whole, gone = survival >= 1.0, survival <= 0.0
    lower[whole], upper[whole] = 1.0, 1.0
    lower[gone] = 0.0
    upper[gone] = upper[~gone][-1] if (~gone).any() else 0.0
    return lower, upper


def _round_days(longest: int) -> list[int]:
    step = next((s for s in _STEPS if longest / s <= _TICKS), max(1, math.ceil(longest / _TICKS)))
    return list(range(0, longest + 1, step))


def cox_refit(
    duration: NDArray[np.int64],
    departed: NDArray[np.bool_],
    flag: NDArray[np.bool_],
    covariates: Floats | None = None,
    alpha: float = 0.05,
) -> CoxRefit:
    """Fit a Cox model of leaving on one flag, given covariates, with Efron ties.

    Parameters
    ----------
    duration : int64[n]
        Days from the landmark.
    departed, flag : bool[n]
    covariates : float64[n, p], optional
        Standardised, no intercept.
    alpha : float

    Returns
    -------
    CoxRefit
        Where departures lie on one side of the flag only, the unadjusted fit is Firth's and "separated"; an
        adjusted one has no estimate and is "not_converged".

    Raises
    ------
    ValueError
        If there are covariates and more than 50,000 accounts.

    Notes
    -----
    Beyond 50,000 accounts proportionality is tested on as many, evenly spaced; the ratio
    is that of `survival.scan` over all accounts, which is the same to six digits.

    References
    ----------
    Cox (1972), JRSS B 34; Efron (1977), JASA 72; Grambsch & Therneau (1994), Biometrika 81 (proportionality);
    Heinze & Schemper (2001), Biometrics 57.
    """
    adjusted = covariates is not None and covariates.shape[1] > 0
    if adjusted and len(flag) > MAX_ACCOUNTS:
        raise ValueError(
            f"An adjusted fit takes at most {MAX_ACCOUNTS:,} accounts, and there are {len(flag):,}; "
            "`fit_cox_null` adjusts among as many as there are."
        )
    alone = scan(pack(flag[None, :]), len(flag), duration, departed, alpha)
    status = str(alone.status[0])
    if status == "too_few":
        return _no_estimate("too_few", len(flag), adjusted)
    if status == "separated" and not adjusted:
        return _scanned(alone, None, len(flag))
    if status == "separated":
        return _no_estimate("not_converged", len(flag), adjusted)
    some = evenly_spaced(len(flag), MAX_ACCOUNTS)
    fitted = _fit(_frame(duration[some], departed[some], flag[some], covariates), alpha, adjusted)
    if len(some) == len(flag):
        return fitted
    return _scanned(alone, fitted.proportional_hazards_p, len(flag))


def _scanned(alone: SurvivalScan, proportional_hazards_p: float | None, n: int) -> CoxRefit:
    ends = np.exp([alone.log_hazard_ratio[0], alone.ci_lower[0], alone.ci_upper[0]]).tolist()
    return CoxRefit(
        hazard_ratio=ends[0],
        ci_lower=ends[1],
        ci_upper=ends[2],
        p_value=float(alone.p_value[0]),
        proportional_hazards_p=proportional_hazards_p,
        status="separated" if alone.status[0] == "separated" else "ok",
        n_accounts=n,
        adjusted=False,
    )


def _frame(
    duration: NDArray[np.int64], departed: NDArray[np.bool_], flag: NDArray[np.bool_], covariates: Floats | None
) -> Any:
    import pandas as pd

    frame = pd.DataFrame({"duration": duration, "departed": departed, "flag": flag.astype(float)})
    if covariates is not None:
        for j in range(covariates.shape[1]):
            frame[f"covariate {j}"] = covariates[:, j]
    return frame


def _fit(frame: Any, alpha: float, adjusted: bool) -> CoxRefit:
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError
    from lifelines.statistics import proportional_hazard_test

    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        try:
            fitted = CoxPHFitter(alpha=alpha).fit(frame, "duration", "departed")
        except (ConvergenceError, ValueError, np.linalg.LinAlgError, FloatingPointError, ZeroDivisionError):
            return _no_estimate("not_converged", len(frame), adjusted)
        row = fitted.summary.loc["flag"]
        numbers = np.array([row["exp(coef)"], *np.exp(fitted.confidence_intervals_.loc["flag"]), row["p"]], dtype=float)
        failed = any("failed to converge" in str(warning.message) for warning in raised)
        if failed or not np.isfinite(numbers).all() or not 0 < row["se(coef)"] < _LARGEST_SE:
            return _no_estimate("not_converged", len(frame), adjusted)
        test = proportional_hazard_test(fitted, frame, time_transform="km")
    proportional = float(test.summary.loc["flag", "p"])
    return CoxRefit(
        hazard_ratio=float(numbers[0]),
        ci_lower=float(numbers[1]),
        ci_upper=float(numbers[2]),
        p_value=float(numbers[3]),
        proportional_hazards_p=proportional if math.isfinite(proportional) else None,
        status="ok",
        n_accounts=len(frame),
        adjusted=adjusted,
    )


def _no_estimate(status: EstimateStatus, n: int, adjusted: bool) -> CoxRefit:
    return CoxRefit(
        hazard_ratio=None,
        ci_lower=None,
        ci_upper=None,
        p_value=None,
        proportional_hazards_p=None,
        status=status,
        n_accounts=n,
        adjusted=adjusted,
    )
