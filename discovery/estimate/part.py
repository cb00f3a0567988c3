"""The adjusted difference among some of the accounts, with the nuisance model of all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from discovery.estimate.holdout import residualised
from discovery.estimate.logistic import NullModel
from discovery.estimate.multiplicity import normal_quantile
from discovery.results import Estimate


def difference_among(
    null: NullModel, flag: NDArray[np.uint8], among: NDArray[np.bool_], alpha: float = 0.05
) -> Estimate:
    """Estimate the overlap-weighted difference among some accounts.

    Residual on residual, with what the covariates predict learned from all accounts, since some of them could not carry
    all the covariates alone; both residuals less their means here, which takes up where these accounts differ as a whole.

    Parameters
    ----------
    null : NullModel
        Of the outcome, over n accounts.
    flag : uint8[1, n]
    among : bool[n]
    alpha : float
        The interval is normal, heteroscedasticity-robust, with nominal coverage `1 - alpha`.

    Returns
    -------
    Estimate
        A risk difference; "too_few" where nothing of the flag is left beside the covariates.
    """
    x, r = residualised(null.design, flag)[0, among], null.residual[among]
    x, r = x - x.mean(), r - r.mean()
    information, n = float(x @ x), int(among.sum())
    known = information > 1e-6
    theta = float(x @ r) / information if known else np.nan
    spread = float(np.sqrt(((x * (r - theta * x)) ** 2).sum()))
    half = normal_quantile(alpha) * spread / information if known else np.nan
    return Estimate(
        estimate=theta if known else None,
        ci_lower=theta - half if known else None,
        ci_upper=theta + half if known else None,
        scale="risk difference",
        estimand="overlap-weighted",
        n_accounts=n,
        status="ok" if known else "too_few",
    )
