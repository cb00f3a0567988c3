"""The graded families and the searched candidates, as the rows people read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from discovery.errors import Caution
from discovery.estimate import e_value
from discovery.milestone import Condition
from discovery.ranking.eligibility import MIN_ACCOUNTS
from discovery.ranking.evidence import CloserLook, Evidence
from discovery.ranking.explained import explained_away
from discovery.ranking.grading import GradedFamily, Grading
from discovery.ranking.standing import KEPT_SHARE, THRESHOLD_Z
from discovery.results import CandidateTable, Estimate, EstimateStatus, OutcomeSummary, RankedFamily

POOR_OVERLAP = 0.2
"""Share of accounts that could have gone either way, below which a difference is said to rest on few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finalist:
    """What reference libraries and exact times add to a family's best candidate."""

    adjusted_odds_ratio: Estimate | None = None
    hazard_ratio: Estimate | None = None
    proportional_hazards_p: float | None = None
    median_days_to_reach: float | None = None
    warnings: tuple[Caution, ...] = ()


def describe_families(
    evidence: Evidence,
    grading: Grading,
    finalists: Mapping[str, Finalist],
    opinion: Mapping[str, int],
    summary: OutcomeSummary,
) -> tuple[RankedFamily, ...]:
    """Return one row per family, best first; families without a rank come last.

    `finalists` and `opinion` (rank in the second opinion) are keyed by family.
    """
    shared = np.bincount(evidence.cluster)
    return tuple(
        _describe(family, evidence, finalists.get(family.name, Finalist()), opinion, summary, grading.q_value, shared)
        for family in grading.families
    )


def _describe(
    family: GradedFamily,
    evidence: Evidence,
    finalist: Finalist,
    opinion: Mapping[str, int],
    summary: OutcomeSummary,
    q_value: NDArray[np.float64],
    shared: NDArray[np.int64],
) -> RankedFamily:
    i, s, candidates = family.best, evidence.separation, evidence.candidates
    milestone = candidates.milestones[i]
    ranked = family.rank is not None
    closer = evidence.closer.get(i) if ranked else None
    adjusted = held_out_difference(evidence, family)
    clustered = family.place < len(evidence.cluster) and shared[evidence.cluster[family.place]] > 1
    return RankedFamily(
        rank=family.rank,
        family=family.name,
        milestone=str(milestone),
        conditions=tuple(condition_fields(condition) for condition in milestone.conditions),
        status=family.status,
        kind=family.kind,
        reach=float(candidates.reach[i]),
        n_reached=int(candidates.reached[i]),
        retained_if_reached=_number(s.retained_if_reached[i]),
        retained_if_not=_number(s.retained_if_not[i]),
        lift=_number(s.lift[i]),
        phi=_number(s.phi[i]),
        odds_ratio=_number(s.odds_ratio[i]),
        adjusted=adjusted,
        naive_difference=naive_difference(evidence, i),
        hazard_ratio=finalist.hazard_ratio or hazard_ratio(evidence, i),
        adjusted_odds_ratio=finalist.adjusted_odds_ratio,
        score=_number(evidence.score[i]),
        p_adjusted=_number(evidence.p_adjusted[i]) if ranked else None,
        q_value=_number(q_value[i]) if ranked else None,
        proportional_hazards_p=finalist.proportional_hazards_p,
        second_opinion_rank=opinion.get(family.name) if ranked else None,
        stability=float(evidence.wins[family.place]) if ranked else None,
        equivalent=tuple(str(candidates.milestones[j]) for j in family.equivalent),
        cluster=int(evidence.cluster[family.place]) if ranked and clustered else None,
        median_days_to_reach=finalist.median_days_to_reach,
        bound=_number(evidence.bound[i]) if ranked else None,
        horizon_score=_number(evidence.horizon_score[i]) if ranked else None,
        composition=composition_difference(evidence, i) if ranked else None,
        composition_score=_number(evidence.composition_score[i]) if ranked else None,
        threshold_score=_number(closer.threshold_score) if closer else None,
        latest=_latest(closer) if closer else None,
        overlap=_number(closer.overlap) if closer else None,
        e_value=_e_value(adjusted, evidence, i) if closer else None,
        robustness_value=_number(closer.robustness.robustness_value) if closer else None,
        strongest_trait=closer.robustness.strongest if closer else None,
        left_over=_left_over(closer),
        explained_away=explained_away(family, evidence, summary),
        reason=family.reason,
        warnings=_cautions(evidence, family, closer) + finalist.warnings if ranked else (),
    )


def _left_over(closer: CloserLook | None) -> float | None:
    left = closer.robustness.left_over if closer else None
    return None if left is None else _number(left)


def _latest(closer: CloserLook) -> Estimate | None:
    if closer.latest is None:
        return None
    estimate, lower, upper, accounts = closer.latest
    return _risk_difference(estimate, lower, upper, accounts, "overlap-weighted", "ok")


def _e_value(adjusted: Estimate, evidence: Evidence, i: int) -> float | None:
    if adjusted.estimate is None:
        return None
    return e_value(adjusted.estimate, evidence.base_rate, float(evidence.candidates.reach[i]))


def condition_fields(condition: Condition) -> dict[str, Any]:
    """Return a condition with the field names of `result.json`."""
    return {
        "event": condition.event,
        "at_least": condition.at_least,
        "within_days": condition.within_days,
        "min_users": condition.min_users,
        "where": [test.fields() for test in condition.where],
    }


def naive_difference(evidence: Evidence, i: int) -> Estimate:
    """Return the unadjusted difference in retention of candidate `i`."""
    s = evidence.separation
    status: EstimateStatus = "too_few" if s.status[i] == "too_few" else "ok"
    return _risk_difference(
        s.difference[i], s.difference_lower[i], s.difference_upper[i], evidence.n_mature, "unadjusted", status
    )


def held_out_difference(evidence: Evidence, family: GradedFamily) -> Estimate:
    """Return a family's difference among comparably active accounts that took no part in choosing its rule.

    Families that are not ranked had no choice to make: theirs rests on all accounts.
    """
    effect, i = evidence.held_out.get(family.place), family.best
    if effect is not None and np.isfinite(effect.estimate):
        return _risk_difference(
            effect.estimate, effect.ci_lower, effect.ci_upper, evidence.n_mature, "overlap-weighted", "ok"
        )
    d = evidence.differences
    status: EstimateStatus = "ok" if np.isfinite(d.estimate[i]) and np.isfinite(d.se[i]) else "too_few"
    return _risk_difference(d.estimate[i], d.lower[i], d.upper[i], evidence.n_mature, "overlap-weighted", status)


def composition_difference(evidence: Evidence, i: int) -> Estimate:
    """Return the difference of candidate `i` at as many actions, on as many days, as recently."""
    c = evidence.composition
    status: EstimateStatus = "ok" if np.isfinite(c.estimate[i]) and np.isfinite(c.se[i]) else "too_few"
    return _risk_difference(c.estimate[i], c.lower[i], c.upper[i], evidence.n_mature, "at equal inertia", status)


def _risk_difference(
    estimate: float, lower: float, upper: float, accounts: int, estimand: str, status: EstimateStatus
) -> Estimate:
    known = status == "ok"
    return Estimate(
        estimate=_number(estimate) if known else None,
        ci_lower=_number(lower) if known else None,
        ci_upper=_number(upper) if known else None,
        scale="risk difference",
        estimand=estimand,
        n_accounts=accounts,
        status=status,
    )


def hazard_ratio(evidence: Evidence, i: int) -> Estimate | None:
    """Return the unadjusted hazard ratio of leaving of candidate `i`, or None without departures."""
    scan = evidence.survival
    if scan is None:
        return None
    return Estimate(
        estimate=_number(scan.hazard_ratio[i]),
        ci_lower=_number(np.exp(scan.ci_lower[i])),
        ci_upper=_number(np.exp(scan.ci_upper[i])),
        scale="hazard ratio",
        estimand="unadjusted",
        n_accounts=scan.n,
        status=cast(EstimateStatus, str(scan.status[i])),
    )


def _cautions(evidence: Evidence, family: GradedFamily, closer: CloserLook | None) -> tuple[Caution, ...]:
    s, i = evidence.separation, family.best
    sides = (s.reached_retained[i] + s.reached_left[i], s.missed_retained[i] + s.missed_left[i])
    cautions = []
    if min(sides) < MIN_ACCOUNTS:
        cautions.append(Caution.RARE_FLAG)
    if s.status[i] == "separated":
        cautions.append(Caution.SEPARATED)
    if closer and closer.overlap < POOR_OVERLAP:
        cautions.append(Caution.POOR_OVERLAP)
    if family.status in ("found", "lead"):
        cautions += _of_what_stands_out(evidence, closer)
    return tuple(cautions)


def _of_what_stands_out(evidence: Evidence, closer: CloserLook | None) -> list[Caution]:
    cautions = [] if evidence.has_traits else [Caution.NO_TRAITS]
    if closer and closer.threshold_score <= THRESHOLD_Z and closer.kept_share < KEPT_SHARE:
        cautions.append(Caution.HIDDEN_TRAIT)
    if closer and closer.latest and closer.latest[0] <= 0:
        cautions.append(Caution.FADES)
    return cautions


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def candidate_table(evidence: Evidence, grading: Grading) -> CandidateTable:
    """Return every rule that was searched, eligible or not, in the order of the search; of conjunctions those named."""
    s, d, candidates = evidence.separation, evidence.differences, evidence.candidates
    milestones = candidates.milestones
    first = [milestone.conditions[0] if len(milestone.conditions) == 1 else None for milestone in milestones]
    columns: dict[str, Any] = {
        "family": [candidates.families[family] for family in candidates.family_of],
        "milestone": [str(milestone) for milestone in milestones],
        "at_least": [condition.at_least if condition else None for condition in first],
        "within_days": [condition.within_days if condition else None for condition in first],
        "min_users": [condition.min_users if condition else None for condition in first],
        "where": [", ".join(map(str, condition.where)) if condition else None for condition in first],
        "eligible": evidence.eligible,
        "reach": candidates.reach,
        "n_reached": candidates.reached,
    }
    columns |= {name: getattr(s, name) for name in SEPARATION_COLUMNS}
    columns["separation_status"] = s.status
    columns |= {
        "score": evidence.score,
        "horizon_score": evidence.horizon_score,
        "composition_score": evidence.composition_score,
        "p_value": evidence.scores.p_value,
        "p_adjusted": evidence.p_adjusted,
        "q_value": grading.q_value,
        "adjusted_difference": d.estimate,
        "adjusted_difference_lower": d.lower,
        "adjusted_difference_upper": d.upper,
        "adjusted_status": evidence.scores.status,
    }
    if evidence.survival is not None:
        v = evidence.survival
        columns |= {
            "log_rank": v.log_rank,
            "log_rank_p": v.log_rank_p,
            "hazard_ratio": v.hazard_ratio,
            "hazard_ratio_lower": np.exp(v.ci_lower),
            "hazard_ratio_upper": np.exp(v.ci_upper),
            "hazard_ratio_p": v.p_value,
            "hazard_ratio_status": v.status,
        }
    return CandidateTable(columns={name: tuple(_plain(values)) for name, values in columns.items()})


def _plain(values: Any) -> list[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


SEPARATION_COLUMNS = (
    "reached_retained",
    "reached_left",
    "missed_retained",
    "missed_left",
    "retained_if_reached",
    "retained_if_reached_lower",
    "retained_if_reached_upper",
    "retained_if_not",
    "retained_if_not_lower",
    "retained_if_not_upper",
    "lift",
    "lift_lower",
    "lift_upper",
    "difference",
    "difference_lower",
    "difference_upper",
    "odds_ratio",
    "odds_ratio_lower",
    "odds_ratio_upper",
    "odds_ratio_smoothed",
    "phi",
    "ppv",
    "npv",
    "sensitivity",
    "specificity",
    "auc",
    "auc_lower",
    "auc_upper",
)
