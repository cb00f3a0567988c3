"""The experiment that would prove a milestone: its design, its size, and what would count as success."""

from __future__ import annotations

import math
from collections.abc import Sequence

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
) -> ExperimentPlan:
    """Size an encouragement design by what it can move: the rise in activation times the effect among those moved.

    Parameters
    ----------
    milestone : Milestone
    outcome : OutcomeSummary
    adjusted : Estimate
        The adjusted difference. Where it is not above 0 the plan is sized for `minimum_effect`, and says so.
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

    Returns
    -------
    ExperimentPlan
        `effect` is the difference between the arms at ten points more activation.

    Notes
    -----
    Both arms are equally large; the test is the two-sided z-test of two proportions. A row is impossible (None) where
    activation cannot rise so far, or staying would pass 100 %.
    """
    assumed = adjusted.estimate if adjusted.estimate is not None and adjusted.estimate > 0 else None
    effect = minimum_effect if assumed is None else assumed
    days = last_day(outcome)
    rows = tuple(
        _row(rise, part, effect, base_rate, activation, signups_per_week, days, alpha, power)
        for rise in RISES
        for part in EFFECT_SHARES
    )
    whole = next(row for row in rows if row.rise == RISE and row.effect_share == 1)
    seen_at = activation + RISE
    activation_per_arm = accounts_per_arm(activation, seen_at, alpha, power)
    sizes = Sizes(
        milestone=milestone,
        outcome=outcome,
        effect=effect,
        assumed=assumed,
        adjusted=adjusted,
        base_rate=base_rate,
        activation=activation,
        signups_per_week=signups_per_week,
        plan=whole,
        activation_per_arm=activation_per_arm,
        activation_weeks=_weeks(activation_per_arm, signups_per_week, outcome.window_days),
        error_events=tuple(error_events),
        clusters=_clusters(users, did, alpha, power),
        alpha=alpha,
        power=power,
    )
    return ExperimentPlan(
        per_arm=whole.per_arm,
        weeks=whole.weeks,
        effect=whole.effect,
        base_rate=base_rate,
        activation=activation,
        signups_per_week=signups_per_week,
        alpha=alpha,
        power=power,
        rows=rows,
        gain=_gain(adjusted),
        activation_per_arm=activation_per_arm,
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


def _row(
    rise: float,
    part: float,
    effect: float,
    base_rate: float,
    activation: float,
    signups_per_week: float,
    days: int,
    alpha: float,
    power: float,
) -> PlanRow:
    difference = rise * part * effect
    possible = rise <= 1 - activation + 1e-12
    per_arm = accounts_per_arm(base_rate, base_rate + difference, alpha, power) if possible else None
    return PlanRow(
        rise=rise,
        effect_share=part,
        effect=difference,
        per_arm=per_arm,
        weeks=_weeks(per_arm, signups_per_week, days),
    )


def _weeks(per_arm: int | None, signups_per_week: float, days: float) -> float | None:
    """Return the weeks until both arms have signed up and the last account's outcome is known."""
    if per_arm is None or not signups_per_week > 0:
        return None
    return 2 * per_arm / signups_per_week + days / 7


def _gain(adjusted: Estimate) -> Estimate:
    def tenth(value: float | None) -> float | None:
        return None if value is None else RISE * value

    return Estimate(
        estimate=tenth(adjusted.estimate),
        ci_lower=tenth(adjusted.ci_lower),
        ci_upper=tenth(adjusted.ci_upper),
        scale="risk difference",
        n_accounts=adjusted.n_accounts,
        estimand="if causal",
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
