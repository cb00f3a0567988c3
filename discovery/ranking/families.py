"""The graded families and the searched candidates, as the rows people read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from discovery.errors import Caution
from discovery.milestone import Condition, Milestone
from discovery.ranking.grading import MIN_ACCOUNTS, Evidence, GradedFamily, Grading
from discovery.results import CandidateTable, Estimate, EstimateStatus, OutcomeSummary, RankedFamily


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

    `finalists` and `opinion` (rank in the second opinion) are keyed by event name.
    """
    return tuple(
        _describe(family, evidence, grading, finalists.get(family.event, Finalist()), opinion, summary)
        for family in grading.families
    )


def _describe(
    family: GradedFamily,
    evidence: Evidence,
    grading: Grading,
    finalist: Finalist,
    opinion: Mapping[str, int],
    summary: OutcomeSummary,
) -> RankedFamily:
    i, s = family.best, evidence.separation
    condition = evidence.conditions[i]
    ranked = family.rank is not None
    return RankedFamily(
        rank=family.rank,
        family=family.event,
        milestone=str(Milestone((condition,))),
        conditions=(condition_fields(condition),),
        status=family.status,
        kind=family.kind,
        reach=float(evidence.reach[i]),
        n_reached=int(evidence.reached[i]),
        retained_if_reached=_number(s.retained_if_reached[i]),
        retained_if_not=_number(s.retained_if_not[i]),
        lift=_number(s.lift[i]),
        phi=_number(s.phi[i]),
        odds_ratio=_number(s.odds_ratio[i]),
        adjusted=adjusted_difference(evidence, i),
        naive_difference=naive_difference(evidence, i),
        hazard_ratio=finalist.hazard_ratio or hazard_ratio(evidence, i),
        adjusted_odds_ratio=finalist.adjusted_odds_ratio,
        score=_number(evidence.adjusted.score[i]),
        p_adjusted=_number(grading.p_adjusted[i]) if ranked else None,
        q_value=_number(grading.q_value[i]) if ranked else None,
        proportional_hazards_p=finalist.proportional_hazards_p,
        second_opinion_rank=opinion.get(family.event) if ranked else None,
        median_days_to_reach=finalist.median_days_to_reach,
        reason=family.reason,
        warnings=_cautions(evidence, i, summary) + finalist.warnings if ranked else (),
    )


def condition_fields(condition: Condition) -> dict[str, Any]:
    """Return a condition with the field names of `result.json`."""
    return {
        "event": condition.event,
        "at_least": condition.at_least,
        "within_days": condition.within_days,
        "min_users": condition.min_users,
        "where": [],
    }


def naive_difference(evidence: Evidence, i: int) -> Estimate:
    """Return the unadjusted difference in retention of candidate `i`."""
    s = evidence.separation
    return Estimate(
        estimate=_number(s.difference[i]),
        ci_lower=_number(s.difference_lower[i]),
        ci_upper=_number(s.difference_upper[i]),
        scale="risk difference",
        estimand="unadjusted",
        n_accounts=int(evidence.adjusted.n_accounts),
        status="too_few" if s.status[i] == "too_few" else "ok",
    )


def adjusted_difference(evidence: Evidence, i: int) -> Estimate:
    """Return the difference of candidate `i` among comparably active accounts."""
    a = evidence.adjusted
    return Estimate(
        estimate=_number(a.difference[i]),
        ci_lower=_number(a.difference_lower[i]),
        ci_upper=_number(a.difference_upper[i]),
        scale="risk difference",
        estimand="overlap-weighted",
        n_accounts=int(a.n_accounts),
        status=cast(EstimateStatus, str(a.status[i])),
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


def _cautions(evidence: Evidence, i: int, summary: OutcomeSummary) -> tuple[Caution, ...]:
    s = evidence.separation
    sides = (s.reached_retained[i] + s.reached_left[i], s.missed_retained[i] + s.missed_left[i])
    cautions = [Caution.SAME_ACCOUNTS]
    if min(sides) < MIN_ACCOUNTS:
        cautions.append(Caution.RARE_FLAG)
    if s.status[i] == "separated":
        cautions.append(Caution.SEPARATED)
    if summary.kind == "active":
        cautions.append(Caution.INERTIA)
    if not evidence.has_traits:
        cautions.append(Caution.NO_TRAITS)
    return tuple(cautions)


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def candidate_table(evidence: Evidence, grading: Grading) -> CandidateTable:
    """Return every candidate that was searched, eligible or not, in the order of the search."""
    s, a = evidence.separation, evidence.adjusted
    conditions = evidence.conditions
    columns: dict[str, Any] = {
        "family": [evidence.events[e] for e in evidence.event_of],
        "milestone": [str(condition) for condition in conditions],
        "at_least": [condition.at_least for condition in conditions],
        "within_days": [condition.within_days for condition in conditions],
        "min_users": [condition.min_users for condition in conditions],
        "eligible": grading.eligible,
        "reach": evidence.reach,
        "n_reached": evidence.reached,
    }
    columns |= {name: getattr(s, name) for name in SEPARATION_COLUMNS}
    columns["separation_status"] = s.status
    columns |= {
        "score": a.score,
        "p_value": a.p_value,
        "p_adjusted": grading.p_adjusted,
        "q_value": grading.q_value,
        "adjusted_difference": a.difference,
        "adjusted_difference_lower": a.difference_lower,
        "adjusted_difference_upper": a.difference_upper,
        "adjusted_status": a.status,
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
