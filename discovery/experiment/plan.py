"""The experiment that would prove a milestone: its design, its size, and what would count as success."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery.estimate import accounts_per_arm, design_effect, intraclass_correlation
from discovery.experiment.criteria import Sizes, design_of, guardrails, primary, rollback, secondary, success
from discovery.milestone import Milestone
from discovery.results import Estimate, ExperimentPlan, OutcomeSummary, PlanRow, UserClusters

Counts = NDArray[np.int64]

RISES = (0.05, 0.10, 0.20)
RISE = 0.10
"""The rise in activation that the plan itself is sized for."""
EFFECT_SHARES = (1.0, 0.5)
IF_CAUSAL = "if causal, and if accounts that are helped gain what those gained that came by themselves"
IF_LIKE_TESTED = "if accounts that are helped gain what those gained that a past test moved"
FEWEST_CLUSTERS = 30
"""Accounts of at least two users below which nothing is said of how alike users of one account are."""


def plan_experiment(
    *,
    milestone: Milestone,
    outcome: OutcomeSummary,
    adjusted: Estimate,
    base_rate: float,
    activation: float,
    signups_per_week: float,
    minimum_effect: float,
    error_events: Sequence[str] = (),
    users: Counts | None = None,
    did: Counts | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
    from_test: bool = False,
) -> ExperimentPlan:
    """Size an encouragement design by what it can move: the rise in activation times the effect among those moved.

    Parameters
    ----------
    milestone : Milestone
    outcome : OutcomeSummary
    adjusted : Estimate
        The effect to assume: the adjusted difference, or what a past test found. Where it is below `minimum_effect` the
        plan is sized for that, and says so.
    base_rate, activation : float
        Shares of accounts that stay and that reach the milestone today.
    signups_per_week : float
        Accounts a week that could be assigned.
    minimum_effect : float
        The smallest difference that would matter.
    error_events : sequence of str
        Events that count failures, for the guardrails.
    users, did : int64[a] or None
        Per account, its users within the observation window, and those of them that did the milestone's events.
    alpha, power : float
    from_test : bool
        `adjusted` is the effect among the accounts that a past test moved.

    Returns
    -------
    ExperimentPlan
        `effect` is the difference between the arms at ten points more activation.

    Notes
    -----
    Both arms are equally large; the test is the two-sided z-test of two proportions. A row is impossible (None) where
    activation cannot rise so far, or staying would pass 100 %.
    """
    small = adjusted.estimate is None or adjusted.estimate < minimum_effect
    assumed = _Assumed(
        effect=minimum_effect if adjusted.estimate is None else max(adjusted.estimate, minimum_effect),
        base_rate=base_rate,
        activation=activation,
        signups_per_week=signups_per_week,
        days=last_day(outcome),
        alpha=alpha,
        power=power,
    )
    rows = tuple(assumed.row(rise, part) for rise in RISES for part in EFFECT_SHARES)
    whole = assumed.row(RISE, 1.0)
    activation_per_arm = accounts_per_arm(activation, activation + RISE, alpha, power)
    sizes = Sizes(
        milestone=milestone,
        outcome=outcome,
        effect=assumed.effect,
        at_least=small,
        found=adjusted,
        from_test=from_test,
        base_rate=base_rate,
        activation=activation,
        signups_per_week=signups_per_week,
        plan=whole,
        larger=assumed.row(max(RISES), 1.0),
        activation_per_arm=activation_per_arm,
        activation_weeks=_weeks(activation_per_arm, signups_per_week, outcome.window_days),
        error_events=tuple(error_events),
        clusters=_clusters(users, did, alpha, power),
        alpha=alpha,
        power=power,
    )
    return _written(sizes, rows, _gain(adjusted, from_test))


def _written(sizes: Sizes, rows: tuple[PlanRow, ...], gain: Estimate) -> ExperimentPlan:
    return ExperimentPlan(
        per_arm=sizes.plan.per_arm,
        weeks=sizes.plan.weeks,
        effect=sizes.plan.effect,
        base_rate=sizes.base_rate,
        activation=sizes.activation,
        signups_per_week=sizes.signups_per_week,
        alpha=sizes.alpha,
        power=sizes.power,
        rows=rows,
        gain=gain,
        activation_per_arm=sizes.activation_per_arm,
        activation_weeks=sizes.activation_weeks,
        clusters=sizes.clusters,
        design=design_of(sizes),
        primary=primary(sizes),
        secondary=secondary(sizes),
        guardrails=guardrails(sizes),
        success=success(sizes),
        rollback=rollback(sizes),
    )


def last_day(outcome: OutcomeSummary) -> int:
    """Return the days from signup until the outcome is known."""
    return outcome.active_days[1] if outcome.active_days else outcome.by_day or outcome.window_days


@dataclass(frozen=True, slots=True, kw_only=True)
class _Assumed:
    """What every row of a plan takes for granted; `days` until an outcome is known."""

    effect: float
    base_rate: float
    activation: float
    signups_per_week: float
    days: int
    alpha: float
    power: float

    def row(self, rise: float, part: float) -> PlanRow:
        """Return what it takes where activation rises by `rise` and `part` of the effect is real."""
        difference = rise * part * self.effect
        possible = rise <= 1 - self.activation + 1e-12
        raised = self.base_rate + difference
        per_arm = accounts_per_arm(self.base_rate, raised, self.alpha, self.power) if possible else None
        return PlanRow(
            rise=rise,
            effect_share=part,
            effect=difference,
            per_arm=per_arm,
            weeks=_weeks(per_arm, self.signups_per_week, self.days),
        )


def _weeks(per_arm: int | None, signups_per_week: float, days: float) -> float | None:
    """Return the weeks until both arms have signed up and the last account's outcome is known."""
    if per_arm is None or not signups_per_week > 0:
        return None
    return 2 * per_arm / signups_per_week + days / 7


def _gain(adjusted: Estimate, from_test: bool) -> Estimate:
    def tenth(value: float | None) -> float | None:
        return None if value is None else RISE * value

    return Estimate(
        estimate=tenth(adjusted.estimate),
        ci_lower=tenth(adjusted.ci_lower),
        ci_upper=tenth(adjusted.ci_upper),
        scale="risk difference",
        n_accounts=adjusted.n_accounts,
        estimand=IF_LIKE_TESTED if from_test else IF_CAUSAL,
        status=adjusted.status,
    )


def _clusters(users: Counts | None, did: Counts | None, alpha: float, power: float) -> UserClusters | None:
    """Say what counting users takes: a test of ten points more users that do it, times the design effect.

    Staying is an outcome of the account, the same for all its users; counting them would add nothing.
    """
    if users is None or did is None or int((np.asarray(users) >= 2).sum()) < FEWEST_CLUSTERS:
        return None
    icc = intraclass_correlation(did, users)
    if icc is None:
        return None
    inflation, there = design_effect(users, icc), users > 0
    size, share = float(users[there].mean()), float(did[there].sum() / users[there].sum())
    alone = accounts_per_arm(share, share + RISE, alpha, power)
    people = None if alone is None else math.ceil(alone * inflation)
    return UserClusters(
        users_per_account=size,
        icc=icc,
        design_effect=inflation,
        users_per_arm=people,
        accounts_per_arm=None if people is None else math.ceil(people / size),
    )
