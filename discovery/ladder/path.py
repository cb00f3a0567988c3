"""From a milestone backward to the places that accounts must pass, and what is left out of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery import wording
from discovery.ladder.alternatives import find_alternatives
from discovery.ladder.order import in_order, median
from discovery.ladder.required import (
    FEWEST,
    RARELY,
    STEADY,
    WIDEST_STEP,
    Ground,
    Standing,
    lay_ground,
    place_among,
    place_of,
    standing,
)
from discovery.ladder.steps import Days, Place, Step
from discovery.milestone import Milestone
from discovery.results import LeftOut
from discovery.spec import LadderSpec

SAME_MOMENT = 5 / 1440
"""Days within which two first times are one act."""
MOSTLY_SAME = 0.8
FOLLOWS = 0.95
"""Share of the accounts with either step that have both, from which one follows from the other by itself."""
MOST_LEFT_OUT = 8
_WITH_TOP = "It comes within minutes of the milestone itself."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Path:
    """The places on the way to a milestone, in order.

    `alike` is the share of half-samples that give the same places; None without half-samples, or where too few
    accounts get there to say. `crowded` says that more steps are required than fit.
    """

    places: tuple[Place, ...]
    left_out: tuple[LeftOut, ...]
    alike: float | None
    crowded: bool = False

    def among(self, top: Days, signup: NDArray[np.int64], first_days: Mapping[str, Days]) -> Path:
        """Return the same path with the times, and the necessity, of other accounts than it was found in.

        `first_days` has those of every event on it, `top` those of the milestone; all have the same length.
        """
        return dataclasses.replace(
            self, places=tuple(place_among(place, top, signup, first_days) for place in self.places)
        )


def find_path(
    top: Days,
    steps: Sequence[Step],
    signup: NDArray[np.int64],
    halves: NDArray[np.float32],
    spec: LadderSpec,
    *,
    date_only: bool = False,
) -> Path:
    """Find the steps that are required on the way to a milestone.

    Parameters
    ----------
    top : float64[n]
        Days from signup at which each account reached the milestone; inf where never.
    steps
        The events that may become rungs, and those that may not with the reason; arrays of the same length.
    signup : int64[n]
        Microseconds since 1970 UTC.
    halves : float32[n, S]
        Half-samples of the accounts, 0 and 1; S may be 0.
    spec
        The number of rungs and the necessity asked of a step.
    date_only
        Whether times are dates, which cannot tell one act from two on a day.

    Returns
    -------
    Path
        Where more steps qualify than fit, those stay whose absence says most about not reaching the milestone.

    Notes
    -----
    A step is required if at least `spec.necessity` of the accounts at the milestone did it before; if, among accounts
    that do as much else, those without it reach the milestone at most half as often as those with it, beyond chance;
    if fewer than 97 % do it; and if that holds in most half-samples.
    """
    ground = lay_ground(top, steps, signup, halves, spec.necessity)
    stands = {step.event: standing(step.first_days, step.since, ground) for step in steps}
    required = [
        place_of((step,), step.first_days, stands[step.event])
        for step in steps
        if stands[step.event].required and step.left_out is None
    ]
    either = find_alternatives(steps, required, ground)
    replaced = {step.event for place in either for step in place.steps}
    same = _never if date_only else _one_act
    distinct, doubles = _distinct([place for place in required if place.steps[0].event not in replaced], same)
    found = [*distinct, *either]
    doubles |= {event: _WITH_TOP for place in found if same(place.first_days, top) for event in place.events}
    places = sorted(
        (place for place in found if place.events[0] not in doubles),
        key=lambda place: (-place.telling, str(place.milestone)),
    )
    most = spec.rungs[1] - 1
    kept, surplus = places[:most], places[most:]
    on_it = {step.event for place in kept for step in place.steps}
    no_room = "More steps are required than fit; others tell more."
    reasons = {event: no_room for place in surplus for event in place.events}
    rest = [step for step in steps if step.event not in on_it]
    return Path(
        places=tuple(in_order(kept)),
        left_out=_left_out(rest, stands, doubles | reasons, ground),
        crowded=bool(surplus),
        alike=_alike(places, [stands[s.event] for s in rest if _is_open(s, doubles, replaced)], ground),
    )


def _distinct(places: list[Place], same: Callable[[Days, Days], bool]) -> tuple[list[Place], dict[str, str]]:
    """Keep one of several steps that are one act, the one that more accounts at the milestone did; name the others."""
    kept: list[Place] = []
    doubles: dict[str, str] = {}
    for place in sorted(places, key=lambda p: (-p.necessity, str(p.milestone))):
        twin = next((other for other in kept if same(place.first_days, other.first_days)), None)
        if twin is None:
            kept.append(place)
        else:
            doubles[place.steps[0].event] = f"It comes within minutes of {twin.milestone}."
    alone: list[Place] = []
    for place in sorted(kept, key=lambda p: (median(p.first_days) or 0.0, str(p.milestone))):
        leader = next((other for other in alone if _same_accounts(other.first_days, place.first_days)), None)
        if leader is None:
            alone.append(place)
        else:
            doubles[place.steps[0].event] = f"Nearly all who did {leader.milestone} did it, and hardly anybody else."
    return alone, doubles


def _never(one: Days, other: Days) -> bool:
    """Say of no two steps that they are one act."""
    return False


def _same_accounts(one: Days, other: Days) -> bool:
    either, both = np.isfinite(one) | np.isfinite(other), np.isfinite(one) & np.isfinite(other)
    return bool(both.sum() >= FOLLOWS * either.sum())


def _one_act(one: Days, other: Days) -> bool:
    either, both = np.isfinite(one) | np.isfinite(other), np.isfinite(one) & np.isfinite(other)
    if not both.any() or both.sum() < MOSTLY_SAME * either.sum():
        return False
    return bool((np.abs(one[both] - other[both]) < SAME_MOMENT).mean() >= MOSTLY_SAME)


def _left_out(
    steps: Sequence[Step], stands: dict[str, Standing], reasons: dict[str, str], ground: Ground
) -> tuple[LeftOut, ...]:
    """Name the steps that nearly all accounts at the milestone did before, and say why they are no rungs."""
    if ground.reached.sum() < FEWEST:
        return ()
    nearly = [step for step in steps if stands[step.event].necessity >= ground.necessity]
    said = [
        LeftOut(
            milestone=str(Milestone.of(step.event)),
            necessity=stands[step.event].necessity,
            reason=step.left_out or reasons.get(step.event) or _why_not(stands[step.event]),
        )
        for step in nearly
    ]
    return tuple(sorted(said, key=lambda item: (-item.necessity, item.milestone))[:MOST_LEFT_OUT])


def _why_not(stands: Standing) -> str:
    if stands.wide >= WIDEST_STEP:
        return f"{wording.percent(stands.wide)} of all accounts do it, so it tells nothing."
    if stands.ratio > RARELY:
        return (
            f"It is popular rather than required: among accounts that do as much else, those that never do it reach "
            f"the milestone {wording.decimal(stands.ratio, 2)} times as often as those that do."
        )
    if not stands.specific:
        return "It is popular rather than required: accounts that never do it do most other things more rarely, too."
    if stands.steady.size and stands.steady.mean() < STEADY:
        return "In most random halves of the accounts it is not required."
    return "Too few accounts do without it to tell."


def _is_open(step: Step, doubles: dict[str, str], replaced: set[str]) -> bool:
    """Say whether a step could be a place of its own."""
    return step.left_out is None and step.event not in doubles and step.event not in replaced


def _alike(places: list[Place], others: list[Standing], ground: Ground) -> float | None:
    """Return the share of half-samples in which the same steps are required, and no other that nearly is."""
    if not ground.halves.shape[1] or ground.reached.sum() < FEWEST:
        return None
    same = np.ones(ground.halves.shape[1], dtype=bool)
    for place in places:
        same &= place.steady
    for stand in others:
        if not stand.required:
            same &= ~stand.steady
    return float(same.mean())
