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
    ComplierSet,
    Contrasts,
    arms_alike,
    complier_set,
    contrasts,
    holm,
    holm_levels,
    normal_quantile,
    same_share,
    sample_ratio,
)
from discovery.experiment.arms import Arms, Assigned, arms_of
from discovery.experiment.spillover import Spillover, as_assigned, partly_moved, possible, spillover
from discovery.experiment.verdicts import Fault, Reading, said_of_fault, said_of_reading
from discovery.milestone import Milestone
from discovery.results import Estimate, PastExperiment
from discovery.spec import AssignmentSpec

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FEWEST_AN_ARM = 50
BROKEN_ALPHA = 0.001
"""Level of each check of a test: the split as planned (Fabijan et al. 2019, KDD), arms alike in what was known at
signup, accounts lost alike before the landmark. One sound test in a thousand fails it."""
LOST_UNEVENLY = 0.25
"""p below which accounts that left early may have made a difference: then it must be clear with them counted in."""


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
    parts : sequence of (Milestone, bool[n])
        What the milestone asks of an account, piece by piece: each condition alone, any use of each event.
    others : sequence of (Milestone, bool[n])
        One rule of every other family (any use within the window), to see what else a variant moved. Rules that share
        an event with the proposal are left out.
    early : Assigned or None
        Accounts decided before the landmark: assigned like the others, but not judged. Only those whose outcome would
        be known by now, like that of the judged ones.
    everybody : Assigned or None
        All accounts, whether or not their outcome is known: they tell which variants there are, and the control.
    outcome : {"retained", "active", "converted"}
    """

    milestone: Milestone
    met: Bools
    retained: Bools
    signup: NDArray[np.int64]
    assignments: Mapping[str, NDArray[np.object_]]
    design: Floats
    parts: Sequence[tuple[Milestone, Bools]] = ()
    others: Sequence[tuple[Milestone, Bools]] = ()
    early: Assigned | None = None
    everybody: Assigned | None = None
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
        found = arms_of(test, accounts.signup, accounts.assignments, accounts.early, accounts.everybody)
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
    alike = arms_alike(arms.in_variant[rows], accounts.design[rows])
    if alike is not None and alike < BROKEN_ALPHA:
        return "not alike", None
    outcomes = np.column_stack([accounts.met[rows], accounts.retained[rows]]).astype(np.float64)
    seen = contrasts(arms.in_variant[rows], outcomes, accounts.design[rows])
    if seen is None or seen.se[1] == 0:
        return "nothing varies", None
    return None, seen


def _fault(arms: Arms) -> Fault | None:
    control, variant = arms.assigned
    if not min(control, variant):
        return "nobody yet"
    if control + variant >= FEWEST_AN_ARM and sample_ratio(variant, control, arms.share) < BROKEN_ALPHA:
        return "sample ratio"
    if min(arms.judged) < FEWEST_AN_ARM:
        return "too few"
    lost = same_share(np.array(arms.early), np.array(arms.assigned))
    return "left early" if lost is not None and lost < BROKEN_ALPHA else None


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
    parts = [(rule, met[rows]) for rule, met in accounts.parts]
    inside = partly_moved(arms.in_variant[rows], accounts.met[rows], parts, accounts.design[rows], first, alpha)
    spilled = spillover(arms.in_variant[rows], others, accounts.design[rows], first, alpha)
    spilled = dataclasses.replace(spilled, families=(*inside, *spilled.families))
    milestone_moved = bool(seen.p_value[0] < alpha)
    reading = Reading(
        arms=arms,
        milestone_moved=milestone_moved,
        bounded=effects.shape == "interval",
        possible=(effects.lower is None or effects.lower <= 1) and (effects.upper is None or effects.upper >= -1),
        first=_estimate(seen, 0, alpha),
        f=_f(first, float(seen.se[0])),
        itt=_estimate(seen, 1, alpha),
        itt_differs=bool(p < alpha),
        complier=_complier(first, itt, effects, seen.n) if milestone_moved else None,
        widened=level < alpha,
        spilled=spilled,
        checked=_checked(spilled, first),
        lasting=p >= alpha or _clear_of_all(arms, accounts, itt, alpha),
        outcome=accounts.outcome,
    )
    return dataclasses.replace(
        _record(arms, accounts.signup),
        first_stage=reading.first,
        first_stage_f=reading.f if math.isfinite(reading.f) else None,
        intention_to_treat=reading.itt,
        complier=reading.complier,
        shape=effects.shape if milestone_moved else None,
        moved=spilled.families,
        claims=reading.claims,
        sentence=said_of_reading(reading),
    )


def _clear_of_all(arms: Arms, accounts: Participants, itt: float, alpha: float) -> bool:
    """Say whether the difference is as clear among all assigned, where the arms may have lost accounts unevenly.

    A variant that only makes those leave early that would have left anyway leaves better accounts behind.
    """
    lost = same_share(np.array(arms.early), np.array(arms.assigned))
    if accounts.outcome != "retained" or lost is None or lost >= LOST_UNEVENLY:
        return True
    stayed = np.array([accounts.retained[arms.in_control].sum(), accounts.retained[arms.in_variant].sum()])
    assigned = np.array(arms.assigned)
    shares = stayed / assigned
    differs = same_share(stayed, assigned)
    return differs is not None and differs < alpha and bool(np.sign(shares[1] - shares[0]) == np.sign(itt))


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
        sample_ratio_p=_ratio(arms) if min(arms.assigned) else None,
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
        sentence="No account of this test has a known outcome yet, so it says nothing.",
    )


def _days(signup: NDArray[np.int64]) -> tuple[str, str]:
    first, last = np.array([signup.min(), signup.max()]).astype("datetime64[us]").astype("datetime64[D]")
    return str(first), str(last)


def _ratio(arms: Arms) -> float:
    control, variant = arms.assigned
    return sample_ratio(variant, control, arms.share)


def _estimate(seen: Contrasts, which: int, alpha: float) -> Estimate:
    return as_assigned(float(seen.difference[which]), normal_quantile(alpha) * float(seen.se[which]), seen.n)


def _complier(first: float, itt: float, effects: ComplierSet, n: int) -> Estimate:
    return Estimate(
        estimate=possible(itt / first),
        ci_lower=None if effects.lower is None else possible(effects.lower),
        ci_upper=None if effects.upper is None else possible(effects.upper),
        scale="risk difference",
        n_accounts=n,
        estimand="among accounts that the variant moved",
    )
