"""Past randomised tests, each read as an encouragement to reach the proposed milestone."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from discovery.estimate import (
    Contrasts,
    complier_set,
    contrasts,
    holm,
    holm_levels,
    normal_quantile,
    same_share,
    sample_ratio,
)
from discovery.experiment.arms import Arms, EarlyLeavers, arms_of
from discovery.experiment.spillover import Spillover, spillover
from discovery.experiment.verdicts import Fault, Reading, said_of_fault, said_of_reading
from discovery.milestone import Milestone
from discovery.results import Estimate, PastExperiment
from discovery.spec import AssignmentSpec

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FEWEST_AN_ARM = 50
RATIO_ALPHA = 0.001
"""Level of the sample-ratio check: below it the split is not the planned one (Fabijan et al. 2019, KDD)."""
EARLY_ALPHA = 0.01
"""Level below which the arms lost accounts unevenly before the landmark."""
_NOTHING = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Participants:
    """The n judged accounts as a past test sees them: at the landmark, with a known outcome.

    Attributes
    ----------
    milestone : Milestone
    met, retained : bool[n]
        Whether each reached it, and whether it stayed.
    signup : int64[n]
        Microseconds since 1970.
    assignments : mapping of str to object[n]
        By column: the variant as text, None where in no test.
    design : float64[n, p]
        What was known at signup, and nothing later; with or without an intercept.
    others : sequence of (Milestone, bool[n])
        One rule of every other family (any use within the window), to see what else a variant moved. Rules that share
        an event with the proposal are left out.
    early : EarlyLeavers or None
        Accounts decided before the landmark.
    outcome : {"retained", "active", "converted"}
    """

    milestone: Milestone
    met: Bools
    retained: Bools
    signup: NDArray[np.int64]
    assignments: Mapping[str, NDArray[np.object_]]
    design: Floats
    others: Sequence[tuple[Milestone, Bools]] = ()
    early: EarlyLeavers | None = None
    outcome: Literal["retained", "active", "converted"] = "retained"


def read_experiments(
    tests: Sequence[AssignmentSpec], accounts: Participants, alpha: float = 0.05
) -> tuple[PastExperiment, ...]:
    """Return what each variant of each past test says of the milestone.

    Every account is compared as it was assigned. The effect among the accounts that the variant moved is claimed where
    the split was as planned, the arms lost accounts alike before the landmark, the variant clearly moved the milestone,
    and it moved no other behaviour materially; else the intention to treat alone, or nothing.

    Parameters
    ----------
    tests : sequence of AssignmentSpec
    accounts : Participants
    alpha : float
        Held over all variants of all tests by Holm's procedure: the Anderson-Rubin intervals leave out 0 exactly where
        it rejects, among variants that moved the milestone.

    Raises
    ------
    SpecError
        If the control of a test cannot be told.

    References
    ----------
    Imbens & Angrist (1994), Econometrica 62 (effect among compliers); Angrist, Imbens & Rubin (1996), JASA 91 (the
    exclusion restriction); Anderson & Rubin (1949), Annals of Mathematical Statistics 20.
    """
    read: list[tuple[Arms, Fault | None, Contrasts | None]] = []
    unread: list[PastExperiment] = []
    for test in tests:
        found = arms_of(test, accounts.signup, accounts.assignments, accounts.early)
        unread += [] if found else [_nobody(test)]
        read += [(arms, *_compared(arms, accounts)) for arms in found]
    sound = [seen for _, _, seen in read if seen is not None]
    levels, p = iter(_levels(sound, alpha)), iter(holm(np.array([seen.p_value[1] for seen in sound])))
    done = [
        _faulty(arms, fault, accounts) if seen is None else _reading(arms, seen, accounts, next(levels), next(p), alpha)
        for arms, fault, seen in read
    ]
    return (*done, *unread)


def _compared(arms: Arms, accounts: Participants) -> tuple[Fault | None, Contrasts | None]:
    """Return the differences between the arms, or what forbids to compare them."""
    fault = _fault(arms)
    if fault:
        return fault, None
    rows = arms.both
    outcomes = np.column_stack([accounts.met[rows], accounts.retained[rows]]).astype(np.float64)
    seen = contrasts(arms.in_variant[rows], outcomes, accounts.design[rows])
    if seen is None or seen.se[1] == 0:
        return "nothing varies", None
    return None, seen


def _fault(arms: Arms) -> Fault | None:
    control, variant = arms.assigned
    if control + variant >= FEWEST_AN_ARM and sample_ratio(variant, control, arms.share) < RATIO_ALPHA:
        return "sample ratio"
    if min(arms.judged) < FEWEST_AN_ARM:
        return "too few"
    lost = same_share(np.array(arms.early), np.array(arms.assigned))
    return "left early" if lost is not None and lost < EARLY_ALPHA else None


def _levels(sound: Sequence[Contrasts], alpha: float) -> list[float]:
    """Return the level of each effect: Holm's among variants that moved the milestone, `alpha` for the others."""
    levels = np.full(len(sound), alpha)
    moved = np.array([seen.p_value[0] < alpha for seen in sound], dtype=bool)
    levels[moved] = holm_levels(np.array([seen.p_value[1] for seen in sound])[moved], alpha)
    return [float(level) for level in levels]


def _reading(
    arms: Arms, seen: Contrasts, accounts: Participants, level: float, p: float, alpha: float
) -> PastExperiment:
    rows = arms.both
    first, itt = (float(value) for value in seen.difference)
    effects = complier_set(first, itt, seen.covariance, level)
    others = [(rule, met[rows]) for rule, met in accounts.others if not {*rule.events} & {*accounts.milestone.events}]
    spilled = spillover(arms.in_variant[rows], others, accounts.design[rows], first, alpha)
    reading = Reading(
        arms=arms,
        milestone_moved=bool(seen.p_value[0] < alpha),
        bounded=effects.shape == "interval",
        first=_estimate(seen, 0, alpha),
        f=_f(first, float(seen.se[0])),
        itt=_estimate(seen, 1, alpha),
        itt_differs=bool(p < alpha),
        complier=_complier(first, itt, effects.lower, effects.upper, seen.n),
        widened=level < alpha,
        spilled=spilled,
        checked=_checked(spilled, first),
        outcome=accounts.outcome,
    )
    return dataclasses.replace(
        _record(arms, accounts.signup),
        first_stage=reading.first,
        first_stage_f=reading.f if math.isfinite(reading.f) else None,
        intention_to_treat=reading.itt,
        complier=reading.complier,
        shape=effects.shape,
        moved=spilled.families,
        claims=reading.claims,
        sentence=said_of_reading(reading),
    )


def _checked(spilled: Spillover, first: float) -> bool:
    """Say whether a side effect as large as the move of the milestone itself would have been noticed."""
    return spilled.unseen is not None and spilled.unseen <= abs(first)


def _f(first: float, se: float) -> float:
    return (first / se) ** 2 if se > 0 else math.inf if first else 0.0


def _record(arms: Arms, signups: NDArray[np.int64]) -> PastExperiment:
    """Return who was compared; nothing is claimed yet."""
    signup = signups[arms.both]
    first, last = _days(signup) if len(signup) else (None, None)
    return PastExperiment(
        column=arms.column,
        control=arms.control,
        variant=arms.variant,
        first_signup=first,
        last_signup=last,
        accounts=arms.judged,
        expected_share=arms.share,
        sample_ratio_p=_ratio(arms),
        first_stage=None,
        first_stage_f=None,
        intention_to_treat=None,
        complier=None,
        shape=None,
        moved=(),
        claims="nothing",
        sentence="",
    )


def _faulty(arms: Arms, fault: Fault | None, accounts: Participants) -> PastExperiment:
    sentence = said_of_fault(arms, fault or "nothing varies", _ratio(arms))
    return dataclasses.replace(_record(arms, accounts.signup), sentence=sentence)


def _nobody(test: AssignmentSpec) -> PastExperiment:
    nobody = np.empty(0, dtype=bool)
    arms = Arms(
        column=test.column,
        control=test.control,
        variant="",
        in_control=nobody,
        in_variant=nobody,
        early=(0, 0),
        share=0.5,
    )
    return dataclasses.replace(
        _record(arms, np.empty(0, dtype=np.int64)),
        sample_ratio_p=None,
        sentence="No account of this test has a known outcome yet, so it says nothing.",
    )


def _days(signup: NDArray[np.int64]) -> tuple[str, str]:
    first, last = np.array([signup.min(), signup.max()]).astype("datetime64[us]").astype("datetime64[D]")
    return str(first), str(last)


def _ratio(arms: Arms) -> float:
    control, variant = arms.assigned
    return sample_ratio(variant, control, arms.share)


def _estimate(seen: Contrasts, which: int, alpha: float) -> Estimate:
    value, margin = float(seen.difference[which]), normal_quantile(alpha) * float(seen.se[which])
    return Estimate(
        estimate=value,
        ci_lower=value - margin,
        ci_upper=value + margin,
        scale="risk difference",
        n_accounts=seen.n,
        estimand="as assigned",
    )


def _complier(first: float, itt: float, lower: float | None, upper: float | None, n: int) -> Estimate:
    known = abs(first) > _NOTHING
    return Estimate(
        estimate=itt / first if known else None,
        ci_lower=None if lower is None or not known else max(lower, -1.0),
        ci_upper=None if upper is None or not known else min(upper, 1.0),
        scale="risk difference",
        n_accounts=n,
        estimand="among accounts that the variant moved",
        status="ok" if known else "too_few",
    )
