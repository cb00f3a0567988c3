"""A comparison of accounts with more of them held equal, or among some of them only."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.linalg import qr

from discovery import estimate
from discovery.estimate import NullModel
from discovery.results import Estimate
from discovery.validation.case import Bools, Case, Floats, Packed

FEWEST_ON_A_SIDE: Final = 10
"""Accounts on either side of a rule, and of the outcome, without which nothing is compared."""
ACCOUNTS_PER_COVARIATE: Final = 20
COLLINEAR: Final = 1e-6
"""Share of a column that the others must leave for it to be held equal as well; of a flag, for it to be judged."""


def enough_on_each_side(case: Case) -> bool:
    """Say whether enough accounts reached the proposal, did not, stayed and left."""
    return all(
        FEWEST_ON_A_SIDE <= int(side.sum()) <= len(case) - FEWEST_ON_A_SIDE for side in (case.met, case.retained)
    )


def with_more(null: NullModel, flags: Packed) -> NullModel:
    """Fit a null model again with flags among its covariates, less those that the ones before them explain.

    Parameters
    ----------
    null : NullModel
        Over n accounts.
    flags : uint8[c, n]

    Returns
    -------
    NullModel
        The same object where there is nothing to add.
    """
    design = null.design
    for flag in flags:
        if _left_of(design, flag) > COLLINEAR:
            design = np.column_stack([design, flag.astype(float)])
    return null if design is null.design else estimate.fit_null(design, null.outcome)


def among(null: NullModel, accounts: Bools, flag: Packed) -> NullModel:
    """Fit a null model again among some accounts, to compare those on either side of a flag.

    Parameters
    ----------
    null : NullModel
        Over n accounts.
    accounts : bool[n]
    flag : uint8[1, n]

    Returns
    -------
    NullModel
        Over `accounts`. Where they are fewer than twenty per covariate they cannot carry them all: then they are
        compared at equal chances, as all accounts together tell them, of the outcome and of the flag.

    References
    ----------
    Hansen (2008), Biometrika 95, 481-488 (prognostic scores).
    """
    design = null.design[accounts]
    if len(design) < ACCOUNTS_PER_COVARIATE * design.shape[1]:
        reaching = flag[0] - estimate.residualised(null.design, flag)[0]
        linear = null.design @ null.coefficients
        design = np.column_stack([np.ones(len(design)), linear[accounts], reaching[accounts]])
    outcome: Floats = np.asarray(null.outcome, dtype=float)[accounts]
    return estimate.fit_null(_independent(design), outcome)


def difference(null: NullModel, flag: Packed, alpha: float) -> Estimate:
    """Return the overlap-weighted difference of one flag, uint8[1, n], beside a null model."""
    beside = estimate.adjusted_difference(null, flag, alpha)
    known = beside.status[0] == "ok" and _left_of(null.design, flag[0]) > COLLINEAR
    return Estimate(
        estimate=float(beside.estimate[0]) if known else None,
        ci_lower=float(beside.ci_lower[0]) if known else None,
        ci_upper=float(beside.ci_upper[0]) if known else None,
        scale="risk difference",
        estimand="overlap-weighted",
        n_accounts=beside.n,
        status="ok" if known else "too_few",
    )


def _left_of(design: Floats, flag: Packed) -> float:
    """Return the share of a flag's sum of squares that the design does not explain."""
    own = float(flag.sum(dtype=np.int64))
    left = estimate.residualised(design, flag[None])[0]
    return float(left @ left) / own if own else 0.0


def _independent(design: Floats) -> Floats:
    """Return the design without the columns that others explain; which of them goes does not matter."""
    scaled = design / np.maximum(np.sqrt((design**2).sum(axis=0)), 1e-300)
    _, r, order = qr(scaled, mode="economic", pivoting=True)
    kept = np.abs(np.diag(r)) > COLLINEAR
    return np.asarray(design[:, np.sort(order[: len(kept)][kept])])
