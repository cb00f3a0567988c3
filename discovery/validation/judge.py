"""The scorecard of a proposal, its power and its verdict, put together."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from discovery import estimate
from discovery.experiment import Says
from discovery.milestone import Milestone
from discovery.results import (
    Criterion,
    Estimate,
    ExperimentPlan,
    LadderStep,
    Origin,
    PastExperiment,
    Power,
    Proposal,
    SurvivalCurve,
)
from discovery.validation.case import Case
from discovery.validation.disguise import not_the_outcome
from discovery.validation.hidden import confounding
from discovery.validation.observable import observable
from discovery.validation.onboarding import beyond_onboarding
from discovery.validation.parting import precedes_separation
from discovery.validation.reaching import early, narrow_but_reachable
from discovery.validation.repeating import repeatable
from discovery.validation.steadiness import stable
from discovery.validation.thresholds import beaten_by_none, specific_threshold
from discovery.validation.vanity import better_than_vanity, composition_difference
from discovery.validation.verdict import POWER, Decision, Effect, Grounds, conclude, latest, predictive

Arrival = Callable[[int], tuple[int, float]]
"""From a number of accounts still missing to those on their way, and the weeks until all of them are judged."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Aside:
    """What stands beside a proposal: its origin, past experiments and their say, the next one, curves, its ladder."""

    origin: Origin
    evidence: tuple[PastExperiment, ...]
    tried: Criterion | None
    standing: Says
    experiment: ExperimentPlan | None
    curves: tuple[SurvivalCurve, ...]
    ladder: tuple[LadderStep, ...]
    since: str | None


def judge(case: Case, effect: Effect, decision: Decision, arrival: Arrival, aside: Aside) -> Proposal:
    """Judge one proposal."""
    late = latest(case)
    onboarding, groups = beyond_onboarding(case)
    soon, reaching = early(case)
    steady, cohorts, segments = stable(case)
    threshold, neighbours, better_here, alike = specific_threshold(case)
    # A test that speaks against the behaviour speaks against its other thresholds too.
    beaten, competitors, better = beaten_by_none(case, None if aside.standing == "contradicts" else better_here)
    repeated, repeat = repeatable(case)
    criteria = (
        predictive(case, decision, late),
        better_than_vanity(case),
        onboarding,
        observable(case),
        soon,
        narrow_but_reachable(case),
        precedes_separation(case),
        steady,
        threshold,
        repeated,
        not_the_outcome(case),
        confounding(case),
        beaten,
        *(() if aside.tried is None else (aside.tried,)),
    )
    power = power_of(effect, decision, case.minimum_effect, arrival)
    with_it, without, plain = _unadjusted(case)
    grounds = Grounds(plain=plain, better=better, power=power, origin=aside.origin, standing=aside.standing)
    conclusion = conclude(case, decision, criteria, grounds)
    return Proposal(
        milestone=str(case.milestone),
        verdict=conclusion.verdict,
        sentence=conclusion.sentence,
        reasons=conclusion.reasons,
        decided_by=conclusion.decided_by,
        reach=float(case.met.mean()),
        n_reached=int(case.met.sum()),
        n_described=len(case),
        n_accounts=int(case.decides.sum()),
        retained_if_reached=with_it,
        retained_if_not=without,
        naive_difference=plain,
        adjusted=decision.adjusted,
        unwidened=decision.unwidened,
        coverage=decision.coverage,
        p_value=decision.p_value,
        p_adjusted=decision.p_adjusted,
        criteria=criteria,
        better=better,
        power=power,
        latest=late,
        composition=composition_difference(case),
        alike=alike,
        neighbours=neighbours,
        competitors=competitors,
        cohorts=cohorts,
        segments=segments,
        onboarding=groups,
        reaching=reaching,
        repeat=repeat,
        evidence=aside.evidence,
        experiment=aside.experiment,
        curves=aside.curves,
        ladder=aside.ladder,
        since=aside.since,
    )


def not_judged(milestone: Milestone, reason: str) -> Proposal:
    """Return a proposal of which nothing can be said, and why."""
    unknown = Estimate(
        estimate=None, ci_lower=None, ci_upper=None, scale="risk difference", n_accounts=0, status="too_few"
    )
    return Proposal(
        milestone=str(milestone),
        verdict="not enough data",
        sentence=f"These data cannot say whether “{milestone}” holds: {reason}.",
        reasons=(),
        decided_by="difference",
        reach=0.0,
        n_reached=0,
        n_described=0,
        n_accounts=0,
        retained_if_reached=None,
        retained_if_not=None,
        naive_difference=unknown,
        adjusted=unknown,
        unwidened=unknown,
        coverage=0.95,
        p_value=None,
        p_adjusted=None,
        criteria=(),
        better=None,
        power=Power(minimum_detectable=None, accounts_needed=None, accounts_missing=None, on_their_way=0, weeks=None),
    )


def power_of(effect: Effect, decision: Decision, least: float, arrival: Arrival) -> Power:
    """Return what would have held in four of five studies, and how many accounts tell the least that matters from 0."""
    if not math.isfinite(effect.spread):
        return Power(
            minimum_detectable=None, accounts_needed=None, accounts_missing=None, on_their_way=arrival(0)[0], weeks=None
        )
    z = float(ndtri(POWER))
    needed = math.ceil(((decision.reach + z) * effect.spread / least) ** 2)
    missing = max(0, needed - effect.n)
    on_their_way, weeks = arrival(missing)
    detectable = max((decision.reach + z) * effect.se, least + z * effect.se) if effect.known else math.inf
    return Power(
        minimum_detectable=detectable if detectable < 1 else None,
        accounts_needed=needed,
        accounts_missing=missing,
        on_their_way=on_their_way,
        weeks=weeks if missing and math.isfinite(weeks) else None,
    )


def _unadjusted(case: Case) -> tuple[float | None, float | None, Estimate]:
    """Return the shares that stayed with and without it, and their plain difference."""
    packed = np.packbits(case.flag, axis=1)
    plain = estimate.separate(packed, case.retained, case.decides, case.alpha)
    difference = Estimate(
        estimate=_known(plain.difference[0]),
        ci_lower=_known(plain.difference_lower[0]),
        ci_upper=_known(plain.difference_upper[0]),
        scale="risk difference",
        estimand="unadjusted",
        n_accounts=int(case.decides.sum()),
        status="ok" if math.isfinite(plain.difference[0]) else "too_few",
    )
    return _known(plain.retained_if_reached[0]), _known(plain.retained_if_not[0]), difference


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
