"""Every candidate beside null models that know the account's traits and how busy it is anyway.

One null model serves all candidates. Its activity covariates come from all events' counts (`activity`), so it needs
no exception for a candidate's own event; and one residual per account makes every score a matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from discovery.estimate.adjustment import Covariates, Design, design
from discovery.estimate.cox_null import CoxNull, fit_cox_null
from discovery.estimate.effect import LeftOver, adjusted_differences
from discovery.estimate.logistic import EfficientScores, NullModel, fit_null, score_packed, tested
from discovery.estimate.saddlepoint import calibrated_packed

Floats = NDArray[np.float64]
Comparison = Literal["traits", "activity", "composition", "both"]

ACCOUNTS_PER_COVARIATE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """What the null models know of n landmark accounts.

    Attributes
    ----------
    static : Covariates
        Known at signup.
    activity : Covariates
        How busy the account is anyway: its activity factors.
    inertia : Covariates
        How much, on how many days and how recently it did anything.
    has_traits : bool
        Whether `static` holds any trait of the account beyond its signup date.
    """

    static: Covariates
    activity: Covariates
    inertia: Covariates
    has_traits: bool

    def design(self, rows: NDArray[np.intp], comparison: Comparison) -> Design:
        """Return the design of a null model over some accounts, with an intercept.

        "traits" adjusts for what is known at signup, "activity" for that and the activity factors, "composition"
        for traits and inertia alone, "both" for all three.
        """
        return design(self.parts(rows, comparison), len(rows) // ACCOUNTS_PER_COVARIATE)

    def parts(self, rows: NDArray[np.intp], comparison: Comparison) -> list[Covariates]:
        """Return the covariates of a comparison over some accounts."""
        chosen = {
            "traits": (self.static,),
            "activity": (self.activity, self.static),
            "composition": (self.inertia, self.static),
            "both": (self.activity, self.inertia, self.static),
        }[comparison]
        return [Covariates(names=part.names, values=part.values[rows]) for part in chosen]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The adjusted score of every candidate beside one null model; arrays have one value per candidate.

    `score` is a signed z, positive where meeting the candidate goes with staying, and `p_value` its two-sided
    p: Rao's score test, with both taken from the saddlepoint tail where the outcome is rare and the score far
    out (`saddlepoint.calibrated`). `status` is "ok", "too_few" (nothing left to compare once the covariates
    are known) or "not_converged".
    """

    score: Floats
    p_value: Floats
    status: NDArray[np.object_]


def logistic_null(
    adjustment: Adjustment, rows: NDArray[np.intp], retained: NDArray[np.bool_], comparison: Comparison
) -> NullModel:
    """Fit retention on the covariates alone, over the accounts at `rows`."""
    return fit_null(adjustment.design(rows, comparison).values, retained[rows])


def cox_null(
    adjustment: Adjustment,
    rows: NDArray[np.intp],
    duration: Floats,
    departed: NDArray[np.bool_],
    comparison: Comparison,
) -> CoxNull:
    """Fit the hazard of leaving on the covariates alone, over the accounts at `rows`."""
    return fit_cox_null(adjustment.design(rows, comparison).values, duration[rows], departed[rows])


def score_all(
    null: NullModel | CoxNull,
    packed: NDArray[np.uint8],
    n: int,
    rows: NDArray[np.intp],
    *,
    tails: bool = True,
    known: EfficientScores | None = None,
) -> Scores:
    """Score every candidate beside a null model.

    Parameters
    ----------
    null
        Fitted over the accounts at `rows`.
    packed
        Flags, shape (C, ceil(n / 8)).
    n
        Landmark accounts.
    rows
        Length m, places among the n.
    tails
        Whether far scores of rare outcomes are taken from the saddlepoint tail; it takes its time.
    known
        Their efficient scores, where these are known.
    """
    if not null.converged:
        unknown = np.full(len(packed), np.nan)
        return Scores(score=unknown, p_value=unknown, status=np.full(len(packed), "not_converged", dtype=object))
    found = score_packed(null, packed, n, rows) if known is None else tested(known)
    score, p_value = found.score, 2 * ndtr(-np.abs(found.score))
    if tails and isinstance(null, NullModel):
        score, p_value = calibrated_packed(null, packed, n, rows, found)
    return Scores(score=score, p_value=p_value, status=found.status.astype(object))


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """The adjusted difference of every candidate, on the accounts that chose it; one value per candidate.

    `estimate` is the overlap-weighted risk difference among mature accounts, with its interval.
    """

    estimate: Floats
    lower: Floats
    upper: Floats
    se: Floats
    n_accounts: int


def differences(
    null: NullModel,
    packed: NDArray[np.uint8],
    n: int,
    rows: NDArray[np.intp],
    alpha: float = 0.05,
    left: LeftOver | None = None,
) -> Differences:
    """Estimate the adjusted difference of every candidate, given a null model over the accounts at `rows`."""
    if not null.converged:
        unknown = np.full(len(packed), np.nan)
        return Differences(estimate=unknown, lower=unknown, upper=unknown, se=unknown, n_accounts=len(rows))
    found = adjusted_differences(null, packed, n, rows, alpha, left)
    return Differences(
        estimate=found.estimate, lower=found.ci_lower, upper=found.ci_upper, se=found.se, n_accounts=len(rows)
    )
