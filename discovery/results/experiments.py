"""The plan of an experiment: what would show whether helping accounts to a milestone keeps more of them."""

from __future__ import annotations

from dataclasses import dataclass

from discovery.results.estimates import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """One size of experiment: the rise in activation times the effect among those moved is what each arm can show."""

    rise: float
    effect_share: float
    effect: float
    per_arm: int | None
    weeks: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserClusters:
    """What randomising users instead of accounts takes: users of one account do alike (`icc`), so each tells less."""

    users_per_account: float
    icc: float
    design_effect: float
    users_per_arm: int | None
    accounts_per_arm: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentPlan:
    """The test that would prove it. `per_arm` and `weeks` are those of ten points' rise at the full adjusted effect.

    `weeks` counts the signups at the observed rate and the days until the outcome is known. `gain` is the difference
    in retention if activation rises by ten points, **if the adjusted difference is causal**. `activation_per_arm` shows
    ten points more activation itself, the leading metric.
    """

    per_arm: int | None
    weeks: float | None
    effect: float | None
    base_rate: float
    activation: float
    signups_per_week: float
    alpha: float
    power: float
    rows: tuple[PlanRow, ...]
    gain: Estimate
    activation_per_arm: int | None
    activation_weeks: float | None
    clusters: UserClusters | None
    design: str
    primary: str
    secondary: tuple[str, ...]
    guardrails: tuple[str, ...]
    success: tuple[str, ...]
    rollback: tuple[str, ...]
