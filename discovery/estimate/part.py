"""The adjusted difference among some of the accounts, with the nuisance models of all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr

from discovery.estimate.holdout import residualised
from discovery.estimate.logistic import NullModel
from discovery.estimate.multiplicity import normal_quantile
from discovery.results import Estimate

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

COLLINEAR = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shared:
    """What all accounts together say of each, [n]: outcome left over and predicted, reaching it and its prediction."""

    left_over: Floats
    outcome: Floats
    reached: Floats
    reaching: Floats


def shared_fit(null: NullModel, flag: NDArray[np.uint8]) -> Shared:
    """Return what the accounts of a null model together say of each; `flag` is uint8[1, n]."""
    left = residualised(null.design, flag)[0]
    reached = flag[0].astype(float)
    return Shared(left_over=null.residual, outcome=null.fitted, reached=reached, reaching=reached - left)


def difference_within(shared: Shared, accounts: Bools) -> tuple[float, float] | None:
    """Estimate the overlap-weighted difference among some accounts, and its standard error.

    Returns
    -------
    tuple of float, or None
        None where nothing of the flag is left.

    Notes
    -----
    A part of a hundred accounts cannot carry a model of its own, and the model of all may be off in it. So the part
    corrects it by three terms: what all accounts together leave over of the outcome is regressed on reaching it,
    beside a constant, the outcome and the reaching that they predict (a prognostic and a propensity score). Its
    error is the larger of HC3's and that of the model without a difference: the first is too small where nearly
    all on one side stayed.

    References
    ----------
    Robinson (1988), Econometrica 56; Hansen (2008), Biometrika 95 (prognostic scores); MacKinnon & White (1985),
    Journal of Econometrics 29.
    """
    chance = shared.outcome[accounts]
    basis = _basis(np.column_stack([np.ones(len(chance)), chance, shared.reaching[accounts]]))
    x = shared.reached[accounts]
    own = float(x @ x)
    x = x - basis @ (basis.T @ x)
    left = float(x @ x)
    if left <= COLLINEAR * max(own, 1.0):
        return None
    r = shared.left_over[accounts]
    r = r - basis @ (basis.T @ r)
    theta = float(x @ r) / left
    leverage = (basis**2).sum(axis=1) + x**2 / left
    error = (r - theta * x) / np.maximum(1 - leverage, 1e-3)
    robust, plain = float((x**2) @ error**2), float((x**2) @ (chance * (1 - chance)))
    return theta, float(np.sqrt(max(robust, plain))) / left


def difference_among(null: NullModel, flag: NDArray[np.uint8], accounts: Bools, alpha: float = 0.05) -> Estimate:
    """Return the difference among some accounts with its normal interval; "too_few" where nothing is left of the flag.

    Parameters
    ----------
    null : NullModel
        Of the outcome, over n accounts.
    flag : uint8[1, n]
    accounts : bool[n]
    alpha : float
        One less the interval's nominal coverage.
    """
    found = difference_within(shared_fit(null, flag), accounts)
    theta, half = (None, 0.0) if found is None else (found[0], normal_quantile(alpha) * found[1])
    return Estimate(
        estimate=theta,
        ci_lower=None if theta is None else theta - half,
        ci_upper=None if theta is None else theta + half,
        scale="risk difference",
        estimand="overlap-weighted",
        n_accounts=int(accounts.sum()),
        status="too_few" if theta is None else "ok",
    )


def _basis(terms: Floats) -> Floats:
    """Return orthonormal columns that span the terms, without those that others explain."""
    scaled = terms / np.maximum(np.sqrt((terms**2).sum(axis=0)), 1e-300)
    q, r, _ = qr(scaled, mode="economic", pivoting=True)
    return np.asarray(q[:, np.abs(np.diag(r)) > COLLINEAR])
