"""From a milestone backward to the steps that accounts must take before it.

A step belongs to the ladder by *necessity*: nearly all accounts that reach the milestone did the step
first, and accounts that never do the step rarely reach it. Predicting the outcome is not asked of a step;
a search for the best predictors collects popular events instead of the path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery.errors import Caution
from discovery.milestone import Milestone
from discovery.results import Ladder, Rung
from discovery.spec import LadderSpec

Days = NDArray[np.float64]

WIDEST_STEP = 0.97
"""A step that nearly every account takes is no step of a ladder."""
RARELY = 0.5
"""Without the step, the milestone must be reached at most this fraction as often as with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An event that may become a rung: days from signup to its first occurrence, inf where never."""

    event: str
    first_days: Days


@dataclass(frozen=True, slots=True, kw_only=True)
class _Required:
    step: Step
    necessity: float
    informative: float


def build_ladder(milestone: str, reached_days: Days, steps: Sequence[Step], spec: LadderSpec, *, rank: int) -> Ladder:
    """Build the ladder that leads to `milestone`.

    Parameters
    ----------
    milestone
        Text of the milestone at the top.
    reached_days
        Length n, days from signup at which each landmark account reached the milestone; inf where never.
    steps
        The events that may become rungs, with arrays of the same length.
    spec
        The number of rungs and the necessity asked of a step.
    rank
        Place of the ladder among the ladders.

    Returns
    -------
    Ladder
        Signup, the required steps in the order in which accounts take them, and the milestone. Where more
        steps qualify than fit, those stay whose absence says most about not reaching the milestone.
    """
    required = [found for step in steps if (found := _required(step, reached_days, spec.necessity))]
    required.sort(key=lambda r: (-r.informative, r.step.event))
    kept = _in_order(required[: spec.rungs[1] - 1])
    days = [*(r.step.first_days for r in kept), reached_days]
    texts = [*(str(Milestone.of(r.step.event)) for r in kept), milestone]
    rungs = [_baseline(len(reached_days))]
    for place, (text, own) in enumerate(zip(texts, days, strict=True)):
        arrived = np.any([np.isfinite(later) for later in days[place:]], axis=0)
        top = place == len(kept)
        rungs.append(
            Rung(
                milestone=text,
                role="milestone" if top else "required",
                n_accounts=len(reached_days),
                reach=float(arrived.mean()),
                n_reached=int(arrived.sum()),
                step_conversion=_ratio(int(arrived.sum()), rungs[-1].n_reached),
                median_days=_median(own),
                dropped=rungs[-1].n_reached - int(arrived.sum()),
                necessity=None if top else kept[place].necessity,
            )
        )
    few = len(rungs) - 1 < spec.rungs[0]
    return Ladder(
        rank=rank,
        milestone=milestone,
        persona=None,
        status="found",
        sentence="",
        n_accounts=len(reached_days),
        rungs=tuple(rungs),
        warnings=(Caution.FEW_RUNGS,) if few else (),
    )


def _required(step: Step, reached_days: Days, necessity: float) -> _Required | None:
    """Return the step with its necessity if it is required on the way, else None."""
    reached, did = np.isfinite(reached_days), np.isfinite(step.first_days)
    if not reached.any() or did.mean() >= WIDEST_STEP or not did.any():
        return None
    first, top = step.first_days[reached], reached_days[reached]
    before = float(((first < top) + 0.5 * (first == top)).mean())
    with_step, without = float(reached[did].mean()), float(reached[~did].mean())
    if before < necessity or without > RARELY * with_step:
        return None
    return _Required(step=step, necessity=before, informative=before - float(did[~reached].mean()))


def _in_order(required: list[_Required]) -> list[_Required]:
    """Order steps by how many of the others they mostly precede; equals by median first time."""

    def wins(one: _Required) -> float:
        shares = [_first_share(one.step.first_days, other.step.first_days) for other in required if other is not one]
        return sum(share > 0.5 for share in shares if share is not None)

    return sorted(required, key=lambda r: (-wins(r), _median(r.step.first_days) or 0.0, r.step.event))


def _first_share(one: Days, other: Days) -> float | None:
    """Return P(one came first | both were done); moments that are equal count half."""
    both = np.isfinite(one) & np.isfinite(other)
    if not both.any():
        return None
    return float(((one[both] < other[both]) + 0.5 * (one[both] == other[both])).mean())


def _baseline(n: int) -> Rung:
    return Rung(
        milestone="signed up",
        role="baseline",
        n_accounts=n,
        reach=1.0,
        n_reached=n,
        step_conversion=None,
        median_days=0.0,
        dropped=0,
    )


def _median(days: Days) -> float | None:
    done = days[np.isfinite(days)]
    return float(np.median(done)) if len(done) else None


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
