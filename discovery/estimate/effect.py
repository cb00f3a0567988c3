"""The adjusted difference in retention that is printed: residual on residual.

Retention less what the covariates predict, regressed on reaching the candidate less what the covariates
predict (Robinson's partially linear model). Where the difference varies between accounts this is the
*overlap-weighted* one: accounts count by how undecided, given their covariates, reaching it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, solve_triangular
from scipy.special import ndtri

from discovery.estimate.flags import pack
from discovery.estimate.logistic import NullModel, WorkingModel, gram_factor, weighted_gram
from discovery.estimate.products import Blocks, Places, products, sweep, sweep_precision

Floats = NDArray[np.float64]
COLLINEAR = 1e-8
"""Share of a flag's own sum of squares below which nothing of it is left beside the covariates."""
LEAST_LEFT = 1e-3
"""Least share of an account's own outcome that the regression is taken to leave to chance."""


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


def adjusted_difference(
    null: NullModel, flags: NDArray[np.bool_] | NDArray[np.uint8], alpha: float = 0.05
) -> AdjustedDifference:
    """Estimate the overlap-weighted difference in retention for each flag, given the null model's covariates.

    With `m` the null model's fitted probability and `x~` the least-squares residual of a flag on the
    covariates, `theta = sum x~ (y - m) / sum x~ x~`. Population: the accounts the null model was fitted on.

    Parameters
    ----------
    null : NullModel
        Logistic model of retention on the covariates alone, over n accounts.
    flags : bool or uint8 [c, n]
        Candidates over the same accounts.
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
    return adjusted_differences(null, pack(flags), len(null.outcome), alpha=alpha)


def adjusted_differences(
    null: NullModel,
    packed: NDArray[np.uint8],
    n: int,
    rows: Places | None = None,
    alpha: float = 0.05,
    left: LeftOver | None = None,
) -> AdjustedDifference:
    """Do the same for packed flags.

    Parameters
    ----------
    null : NullModel
        Fitted over m accounts.
    packed : uint8[c, ceil(n / 8)]
    n : int
        Accounts that have flags.
    rows : int[m], optional
        Places of the m among the n, ascending; without it, all n.
    alpha : float
    left : LeftOver, optional
        What the covariates leave of the flags, where it is known.

    Notes
    -----
    Estimates rest on sums in double precision. Beyond `products.EXACT` accounts the variance is added up from single
    precision, which moves a standard error by about 1e-6 of itself; and what accounts that met no rule of a tile add
    to it beyond their part in `sum x~ x~ (y - m)^2`, which is that of all, is read from some of them.
    """
    z = float(-ndtri(alpha / 2))
    left = regressed_on(null, packed, n, rows) if left is None else left
    varies = null.outcome.any() and not null.outcome.all()
    estimate = np.where(varies, left.product / left.square, np.nan)
    meat, floor = _spread(null, packed, n, rows, left, estimate)
    se = np.sqrt(np.maximum(meat, floor)) / left.square
    return AdjustedDifference(
        estimate=estimate,
        ci_lower=estimate - z * se,
        ci_upper=estimate + z * se,
        se=se,
        status=np.where(np.isfinite(se), "ok", "too_few"),
        n=len(null.outcome),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOver:
    """What least squares on the covariates leave of c flags; arrays have length c, `slopes` [c, p].

    `own` is the flag's own sum of squares, `square` that of what is left, NaN where nothing is, and `product` that of
    it with the null model's residual.
    """

    own: Floats
    slopes: Floats
    square: Floats
    product: Floats


def regressed_on(null: NullModel, packed: NDArray[np.uint8], n: int, rows: Places | None = None) -> LeftOver:
    """Regress packed flags on the covariates, by least squares."""
    return left_over(
        null, products(packed, n, np.column_stack([np.ones(len(null.design)), null.residual, null.design]), rows)
    )


def left_over(null: WorkingModel, sums: Floats) -> LeftOver:
    """Return what is left of flags, from their sums of ones, of the residual and of the design, [c, 2 + p]."""
    gram = null.design.T @ null.design
    own, cross = sums[:, 0], sums[:, 2:]
    slopes: Floats = cho_solve((gram_factor(gram), True), cross.T).T
    square = own - np.einsum("ij,ij->i", 2 * cross - slopes @ gram, slopes)
    return LeftOver(
        own=own,
        slopes=slopes,
        square=np.where(square > COLLINEAR * np.maximum(own, 1.0), square, np.nan),
        product=sums[:, 1] - slopes @ (null.design.T @ null.residual),
    )


def _spread(
    null: NullModel, packed: NDArray[np.uint8], n: int, rows: Places | None, left: LeftOver, theta: Floats
) -> tuple[Floats, Floats]:
    """Return the sums of squares that HC3 and the null model put between the two sides of the sandwich."""
    precision = sweep_precision(len(null.outcome))
    gram_root = gram_factor(null.design.T @ null.design)
    design = null.design.astype(precision)
    inverse = solve_triangular(gram_root, np.eye(len(gram_root)), lower=True).T.astype(precision)
    residual, weights = null.residual.astype(precision), null.weights.astype(precision)
    remaining = 1 - np.einsum("ij,ij->i", leaning := design @ inverse, leaning)
    meat, floor = np.zeros(len(packed)), np.zeros(len(packed))
    alone = (residual / np.maximum(remaining, LEAST_LEFT)) ** 2

    def add_up(tile: slice, blocks: Blocks) -> None:
        own, shift = left.slopes[tile].astype(precision), theta[tile, None].astype(precision)
        per_square = (-1 / left.square[tile, None]).astype(precision)
        for among, x, times in blocks:
            said = own @ design[among].T
            x -= said
            error = x * -shift
            error += residual[among]
            error *= x
            x *= x
            said *= said
            beyond = x if times is None else x - said
            floor[tile] += beyond @ weights[among]
            x *= per_square
            x += remaining[among]
            error /= np.maximum(x, LEAST_LEFT, out=x)
            if times is None:
                meat[tile] += np.einsum("ij,ij->i", error, error)
            else:
                error *= error
                said *= alone[among]
                error -= said
                meat[tile] += error @ times

    sweep(packed, n, add_up, rows)
    if precision != np.float64:
        meat += _said_square(null.design, alone, left.slopes)
        floor += _said_square(null.design, null.weights, left.slopes)
    return meat, floor


def _said_square(design: Floats, weights: NDArray[Any], slopes: Floats) -> Floats:
    """Return the weighted sums of squares of what the covariates say of each flag, over all accounts."""
    gram = weighted_gram(design, weights)
    squares: Floats = np.einsum("ij,ij->i", slopes @ gram, slopes)
    return squares
