"""The adjusted difference in retention that is printed: residual on residual.

Retention less what the covariates predict, regressed on reaching the candidate less what the covariates
predict (Robinson's partially linear model). Where the difference varies between accounts this is the
*overlap-weighted* one: accounts count by how undecided, given their covariates, reaching it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve
from scipy.special import ndtri

from discovery.estimate.flags import tiles
from discovery.estimate.logistic import Flags, NullModel, gram_factor

Floats = NDArray[np.float64]
COLLINEAR = 1e-8
"""Share of a flag's own sum of squares below which nothing of it is left beside the covariates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustedDifference:
    """Adjusted risk differences of c candidates; every array has length c.

    Attributes
    ----------
    estimate, ci_lower, ci_upper : float64[c]
        Difference in the probability of retention, in [-1, 1] up to sampling error; NaN where "too_few".
    se : float64[c]
        The larger of the heteroscedasticity-robust (HC3) standard error and that of the model without a difference.
    status : str[c]
        "ok", or "too_few" where the covariates leave nothing of the flag, or the outcome does not vary.
    n : int
        Accounts the estimate rests on.
    scale, estimand : str
        "risk difference" and "overlap-weighted".
    """

    estimate: Floats
    ci_lower: Floats
    ci_upper: Floats
    se: Floats
    status: NDArray[np.str_]
    n: int
    scale: Literal["risk difference"] = "risk difference"
    estimand: Literal["overlap-weighted"] = "overlap-weighted"


def adjusted_difference(null: NullModel, flags: Flags, alpha: float = 0.05) -> AdjustedDifference:
    """Estimate the overlap-weighted difference in retention for each flag, given the null model's covariates.

    With `m` the null model's fitted probability and `x~` the least-squares residual of a flag on the
    covariates, `theta = sum x~ (y - m) / sum x~ x~`. Population: the accounts the null model was fitted on.

    Parameters
    ----------
    null : NullModel
        Logistic model of retention on the covariates alone, over n accounts.
    flags : bool, uint8 or float [c, n]
        Dense tile of candidates over the same accounts.
    alpha : float
        Intervals are normal with nominal coverage `1 - alpha`.

    Returns
    -------
    AdjustedDifference

    Notes
    -----
    The variance is HC3 with the leverage of the whole regression (covariates and flag), by Frisch, Waugh and
    Lovell. Where all of a few accounts on one side stayed, their residuals hardly vary and HC3 is far too small, so
    that of the null model, `sum x~ x~ m (1 - m)`, bounds it from below. The estimate is for a rule that was fixed
    beforehand: chosen and estimated on the same accounts, it is overstated.

    References
    ----------
    Robinson (1988), Econometrica 56, 931-954; MacKinnon & White (1985), Journal of Econometrics 29 (HC3);
    Chernozhukov et al. (2018), Econometrics Journal 21; Li, Morgan & Zaslavsky (2018), JASA 113 (overlap
    weights).
    """
    z = float(-ndtri(alpha / 2))
    n = len(null.outcome)
    factor = gram_factor(null.design.T @ null.design)
    leverage = np.einsum("ij,ij->i", null.design, cho_solve((factor, True), null.design.T).T)
    estimate, se = np.empty(len(flags)), np.empty(len(flags))
    for tile in tiles(len(flags), n):
        estimate[tile], se[tile] = _residual_on_residual(null, np.asarray(flags[tile], float), factor, leverage)
    known = np.isfinite(se)
    return AdjustedDifference(
        estimate=estimate,
        ci_lower=estimate - z * se,
        ci_upper=estimate + z * se,
        se=se,
        status=np.where(known, "ok", "too_few"),
        n=n,
    )


def _residual_on_residual(null: NullModel, x: Floats, factor: Floats, leverage: Floats) -> tuple[Floats, Floats]:
    own = np.einsum("ij,ij->i", x, x)
    x = x - cho_solve((factor, True), null.design.T @ x.T).T @ null.design.T
    left_over = np.einsum("ij,ij->i", x, x)
    varies = null.outcome.any() and not null.outcome.all()
    usable = (left_over > COLLINEAR * np.maximum(own, 1.0)) & varies
    square = np.where(usable, left_over, np.nan)
    theta = x @ null.residual / square
    error = null.residual - theta[:, None] * x
    remaining = np.maximum(1 - leverage - x**2 / square[:, None], 1e-3)
    meat = np.einsum("ij,ij->i", x**2, (error / remaining) ** 2)
    return theta, np.sqrt(np.maximum(meat, x**2 @ null.weights)) / square
