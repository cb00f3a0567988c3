"""The figures of every rung."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from discovery import estimate
from discovery.errors import Caution
from discovery.ladder.climb import Climb
from discovery.ladder.order import median
from discovery.ladder.rules import FIRST_SESSIONS
from discovery.ladder.steps import Days, Place
from discovery.milestone import Milestone
from discovery.results import Branch, Estimate, FellShort, Rung

UNSTEADY = 0.8
"""Share of the half-samples below which a rung is called unsteady."""


def baseline(climb: Climb, days: Days) -> Rung:
    """Return the rung that everyone stands on."""
    return Rung(
        milestone="signed up",
        role="baseline",
        n_accounts=len(climb),
        reach=1.0,
        n_reached=len(climb),
        step_conversion=None,
        median_days=0.0,
        dropped=0,
        by_day=(1.0,) * len(days),
    )


def rung(climb: Climb, place: int, days: Days, target: float, sessions: NDArray[np.float64], alpha: float) -> Rung:
    """Return the figures of one rung above signup, from 1; what needs a look at the events comes later.

    Parameters
    ----------
    climb
        Who got where and when.
    place
        1 for the first rung above signup.
    days : float64[D]
        Days for the share done by each.
    target
        Days by which it should be done.
    sessions : float64[n]
        Number of the session in which it was done; NaN where it was not.
    alpha
        One minus the coverage of intervals.
    """
    own, here, before = climb.days[place - 1], climb.arrived[place], climb.arrived[place - 1]
    top = place == len(climb.rungs)
    required = None if top else climb.places[place - 1]
    did, reached = np.isfinite(own), np.isfinite(climb.top)
    done = np.sort(own[did])
    numbers = sessions[np.isfinite(sessions)]
    here_n, before_n = int(here.sum()), int(before.sum())
    judged = target < min(float(days[-1]), _own_days(climb.rungs[place - 1]))
    return Rung(
        milestone=str(climb.rungs[place - 1]),
        role="milestone" if top else "required",
        n_accounts=len(climb),
        reach=here_n / len(climb) if len(climb) else 0.0,
        n_reached=here_n,
        step_conversion=_ratio(here_n, before_n),
        median_days=median(own),
        dropped=before_n - here_n,
        quartile_days=(float(np.quantile(done, 0.25)), float(np.quantile(done, 0.75))) if len(done) else None,
        target_days=target,
        in_target=_ratio(int((done < target).sum()), len(done)) if judged else None,
        target_met=bool(np.median(done) < target) if len(done) and judged else None,
        skipped=int((here & ~did).sum()),
        necessity=None if required is None else required.necessity,
        milestone_with=None if top else _ratio(int((reached & did).sum()), int(did.sum())),
        milestone_without=None if top else _ratio(int((reached & ~did).sum()), int((~did).sum())),
        order=None if place == 1 else _order(climb.days[place - 2], own, alpha),
        stability=_stability(required),
        sessions=float(np.median(numbers)) if len(numbers) else None,
        in_first_sessions=_ratio(int((numbers <= FIRST_SESSIONS).sum()), len(numbers)),
        alternatives=() if required is None else _branches(climb, place, required),
        by_day=tuple((np.searchsorted(done, days, side="right") / max(len(climb), 1)).tolist()),
        warnings=_warnings(required),
    )


def _own_days(milestone: Milestone) -> float:
    """Return the days within which a milestone's own windows let it happen; inf where one has none."""
    return max(np.inf if c.within_hours is None else c.within_hours / 24 for c in milestone.conditions)


def fell_short(climb: Climb, later: Days, partly: Days) -> FellShort | None:
    """Say what became of those that stop before the milestone; None where it asks for one thing at any time.

    `later` has the days to the milestone without its windows, `partly` those to the first of its events.
    """
    if all(condition == condition.act for condition in climb.milestone.conditions):
        return None
    stopped = climb.arrived[-2] & ~climb.arrived[-1]
    late = stopped & np.isfinite(later)
    some = stopped & ~late & np.isfinite(partly)
    return FellShort(later=int(late.sum()), partly=int(some.sum()), not_at_all=int((stopped & ~late & ~some).sum()))


def _order(before: Days, own: Days, alpha: float) -> Estimate:
    apart = np.isfinite(before) & np.isfinite(own) & (before != own)
    return estimate.share(float((before < own)[apart].sum()), int(apart.sum()), alpha)


def _branches(climb: Climb, place: int, required: Place) -> tuple[Branch, ...]:
    """Return the alternatives at a rung, the most used first; none where only one step serves."""
    if len(required.steps) < 2:
        return ()
    anyone = int(np.isfinite(required.first_days).sum())
    found = []
    for step, route in zip(required.steps, required.routes or (0,) * len(required.steps), strict=True):
        did = np.isfinite(step.first_days)
        found.append(
            Branch(
                milestone=str(Milestone.of(step.event)),
                n_reached=int(did.sum()),
                share=_ratio(int(did.sum()), anyone) or 0.0,
                median_days=median(step.first_days),
                goes_on=_ratio(int((did & climb.arrived[place + 1]).sum()), int(did.sum())),
                route=route or None,
            )
        )
    return tuple(sorted(found, key=lambda branch: (-branch.n_reached, branch.milestone)))


def _stability(required: Place | None) -> float | None:
    return None if required is None or not required.steady.size else float(required.steady.mean())


def _warnings(required: Place | None) -> tuple[Caution, ...]:
    stability = _stability(required)
    return (Caution.UNSTEADY_RUNG,) if stability is not None and stability < UNSTEADY else ()


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
