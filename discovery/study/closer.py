"""A closer look at what stands out: whether something unmeasured could explain it, and whether it still holds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from discovery import estimate
from discovery.estimate import HeldOut
from discovery.ranking import Candidates, CloserLook
from discovery.study.sample import Sample

Floats = NDArray[np.float64]

LATEST = 0.25
"""Share of the accounts, by signup, whose difference is shown on its own."""
FEWEST_LATEST = 100
EITHER_WAY = (0.05, 0.95)
"""Chance of meeting the rule, given the covariates, between which an account could have gone either way."""
OVERLAP_ON = estimate.ENOUGH_ACCOUNTS
"""Accounts, evenly spaced, that the share of those is read from where there are more."""
COUNT_TERMS = 3


def look_closer(
    sample: Sample,
    candidates: Candidates,
    flag: NDArray[np.uint8],
    candidate: int,
    held_out: Mapping[int, HeldOut],
    alpha: float,
) -> CloserLook:
    """Look closer at one candidate, which the accounts at `flag`, uint8[1, n], met.

    `held_out` has the differences of families that are to be explained away.
    """
    rows, null = sample.rows, sample.horizon_null
    here = flag[:, rows]
    kept = estimate.adjusted_difference(null, here, alpha).estimate[0]
    before = sample.composition_null if sample.outcome == "active" else sample.traits_null
    unadjusted = estimate.adjusted_difference(before, here, alpha).estimate[0]
    held = held_out.get(int(candidates.family_of[candidate]))
    judged = held.estimate if held is not None and np.isfinite(held.estimate) else float(kept)
    return CloserLook(
        threshold_score=_threshold_score(sample, candidates, flag, candidate),
        kept_share=_kept_share(float(kept), float(unadjusted)),
        robustness=_robustness(sample, flag[0], judged),
        latest=_latest(sample, here, alpha),
        overlap=_overlap(null.design, here),
    )


def _kept_share(kept: float, before: float) -> float:
    """Return the share of a difference that is left; 1 where adjusting brings it out, 0 where it turns it round."""
    if kept <= 0:
        return 0.0
    return kept / before if before > 0 else 1.0


def _threshold_score(sample: Sample, candidates: Candidates, flag: NDArray[np.uint8], candidate: int) -> float:
    """Score the rule beside a smooth function of the counts of its own events, all and those that meet its tests.

    Something unmeasured that makes accounts do more of it works smoothly; it does not know the threshold.
    """
    null, rows = sample.deciding
    counted = {name: n for act in candidates.milestones[candidate].acts for name, n in sample.counts_of(act)}
    terms = [estimate.smooth(np.log1p(n[rows]), COUNT_TERMS, f"count of {name}") for name, n in counted.items()]
    parts = [*sample.adjustment.parts(rows, sample.comparison), *terms]
    design = estimate.design(parts, max(len(rows) // 20, null.design.shape[1] + COUNT_TERMS)).values
    if isinstance(null, estimate.CoxNull) and sample.duration is not None and sample.departed is not None:
        beside: estimate.NullModel | estimate.CoxNull = estimate.fit_cox_null(
            design, sample.duration[rows].astype(float), sample.departed[rows], nearly=True
        )
    else:
        beside = estimate.fit_null(design, sample.retained[rows])
    return float(estimate.score_test(beside, flag[:, rows]).score[0])


def _robustness(sample: Sample, flag: NDArray[np.uint8], judged: float) -> estimate.Robustness:
    """Set the difference beside the traits known at signup, each taken as a whole.

    A persona may hold the only trait fixed; then the strength of that trait is read from all accounts.
    """
    groups, design = sample.trait_columns, sample.horizon_null.design
    if not groups and not sample.within.all():
        sample = dataclasses.replace(sample, within=np.ones(len(sample), dtype=bool))
        groups, design = sample.trait_columns, sample.adjustment.design(sample.rows, sample.comparison).values
    met, stayed = flag[sample.rows].astype(bool), sample.retained[sample.rows]
    return estimate.robustness(design, groups, met, stayed, judged, less_noise=True)


def _latest(sample: Sample, flag: NDArray[np.uint8], alpha: float) -> tuple[float, float, float, int] | None:
    """Estimate the difference among the latest signups, with the nuisance model of all."""
    signup = sample.signup[sample.rows]
    late = signup >= np.quantile(signup, 1 - LATEST)
    sides = int(flag[0, late].sum()), int((1 - flag[0, late]).sum())
    if late.sum() < FEWEST_LATEST or min(sides) < 10:
        return None
    among = estimate.difference_among(sample.horizon_null, flag, late, alpha)
    if among.estimate is None or among.ci_lower is None or among.ci_upper is None:
        return None
    return among.estimate, among.ci_lower, among.ci_upper, among.n_accounts


def _overlap(design: Floats, flag: NDArray[np.uint8]) -> float:
    """Return the share of accounts whose chance of meeting the rule, given the covariates, is neither 0 nor 1."""
    some = estimate.evenly_spaced(len(design), OVERLAP_ON)
    chance = estimate.fit_null(design[some], flag[0, some].astype(bool), ridge=1e-3).fitted
    return float(np.mean((chance > EITHER_WAY[0]) & (chance < EITHER_WAY[1])))
