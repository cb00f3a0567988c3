"""Steps that serve alike: where accounts take one of several ways, the ways together are the rung.

Two steps are alternatives if, among accounts that reach the milestone, doing one goes with *not* doing the other:
nobody gets there with neither, so that the fourth cell is empty. Steps that are merely popular go together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from discovery import estimate
from discovery.ladder.order import first_share
from discovery.ladder.required import Ground, Standing, place_of, standing
from discovery.ladder.steps import Days, Place, Step, came_first, earliest

Floats = NDArray[np.float64]

SMALLEST_WAY = 0.05
"""Share of the accounts at the milestone that must have taken this way alone."""
COVERED = 0.6
"""Share of the accounts without a required step that another must account for, to be an alternative to it."""
MOST_WAYS = 3
CHANCE = 0.01
"""Probability of calling any two steps alternatives where none are (Bonferroni over the pairs)."""
TOGETHER = 3.0
"""z from which two steps are on one route."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ways:
    """Steps of which one serves: their earliest day, and how far apart on the way they lie."""

    steps: tuple[Step, ...]
    first_days: Days
    stands: Standing
    apart: tuple[int, float]


def find_alternatives(steps: Sequence[Step], required: Sequence[Place], ground: Ground) -> list[Place]:
    """Return the places at which several steps serve, each step in one place only.

    A step that is required by itself becomes one of several ways where another accounts for most of the accounts that
    reach the milestone without it.
    """
    candidates = [step for step in steps if step.left_out is None and step.since is None]
    reached = ground.reached
    before = np.array([came_first(step.first_days, ground.top)[reached] > 0.5 for step in candidates], dtype=bool)
    if len(candidates) < 2 or reached.sum() == 0:
        return []
    used = np.flatnonzero(before.mean(axis=1) >= SMALLEST_WAY)
    candidates, before = [candidates[i] for i in used], before[used]
    if len(candidates) < 2:
        return []
    z = _association(before)
    away = z < -estimate.normal_quantile(CHANCE / (len(candidates) * (len(candidates) - 1) / 2))
    alone = {place.steps[0].event: place for place in required}
    found = [ways for ways in _cliques(away) if _each_counts(before[list(ways)])]
    routes = _routes(z, sorted({step for ways in found for step in ways}))
    judged = [
        _judged([candidates[i] for i in ways], [routes[i] for i in ways], candidates, routes, ground) for ways in found
    ]
    serving = [ways for ways in judged if ways.stands.required and _adds(ways, alone)]
    serving = [ways for ways in serving if not any(_completes(more, ways) for more in serving)]
    chosen: list[_Ways] = []
    for ways in sorted(serving, key=lambda w: (len(w.steps), w.apart, -w.stands.necessity)):
        if not {s.event for s in ways.steps} & {s.event for taken in chosen for s in taken.steps}:
            chosen.append(ways)
    numbered = _numbered(chosen, {candidates[i].event: route for i, route in routes.items()})
    return [
        place_of(ways.steps, ways.first_days, ways.stands, tuple(numbered[s.event] for s in ways.steps))
        for ways in chosen
    ]


def _association(before: NDArray[np.bool_]) -> Floats:
    """Return z of the log odds ratio of doing both, for every two steps; half is added to every cell (Haldane)."""
    did = before.astype(float)
    both = did @ did.T
    one = did.sum(axis=1)
    cells = (
        both + 0.5,
        one[:, None] - both + 0.5,
        one[None, :] - both + 0.5,
        before.shape[1] - one[:, None] - one[None, :] + both + 0.5,
    )
    log_odds = np.log(cells[0] * cells[3] / (cells[1] * cells[2]))
    return np.asarray(log_odds / np.sqrt(sum(1 / cell for cell in cells)))


def _cliques(away: NDArray[np.bool_]) -> Iterator[tuple[int, ...]]:
    """Yield two or three steps of which every two keep apart."""
    some = [int(i) for i in np.flatnonzero(away.any(axis=1))]
    for size in range(2, MOST_WAYS + 1):
        for ways in combinations(some, size):
            if all(away[one, other] for one, other in combinations(ways, 2)):
                yield ways


def _each_counts(before: NDArray[np.bool_]) -> bool:
    """Say whether each way is the only one for some accounts."""
    alone = before & (before.sum(axis=0) == 1)
    return bool((alone.mean(axis=1) >= SMALLEST_WAY).all())


def _routes(z: Floats, steps: list[int]) -> dict[int, int]:
    """Return the route of each step: a number that it shares with the steps that the same accounts take."""
    route = {step: number for number, step in enumerate(steps, start=1)}
    for one, other in combinations(steps, 2):
        if z[one, other] > TOGETHER:
            old, new = route[other], route[one]
            route = {step: new if number == old else number for step, number in route.items()}
    return route


def _judged(ways: list[Step], own: list[int], steps: Sequence[Step], routes: dict[int, int], ground: Ground) -> _Ways:
    """Judge several ways as one step; on parallel routes those belong together that come equally far along."""
    joined = tuple(sorted(ways, key=lambda step: step.event))
    first = earliest(joined)
    depths = [
        _depth(step, [steps[i] for i, r in routes.items() if r == route]) for step, route in zip(ways, own, strict=True)
    ]
    along = [_progress(step, ground) for step in ways]
    return _Ways(
        steps=joined,
        first_days=first,
        stands=standing(first, None, ground),
        apart=(max(depths) - min(depths), max(along) - min(along)),
    )


def _depth(step: Step, route: list[Step]) -> int:
    """Return how many steps of its route mostly come before it."""
    shares = [first_share(other.first_days, step.first_days) for other in route if other is not step]
    return sum(share > 0.5 for share in shares if share is not None)


def _progress(step: Step, ground: Ground) -> float:
    """Return how far on the way to the milestone the step lies, as a median share of the time."""
    done = ground.reached & (step.first_days < ground.top)
    return float(np.median(step.first_days[done] / ground.top[done])) if done.any() else 1.0


def _completes(more: _Ways, ways: _Ways) -> bool:
    """Say whether one way more accounts for most of the accounts that took none of these."""
    inside = {step.event for step in ways.steps} < {step.event for step in more.steps}
    had = ways.stands.necessity
    return inside and more.stands.necessity - had >= COVERED * (1 - had)


def _adds(ways: _Ways, alone: dict[str, Place]) -> bool:
    """Say whether several ways say more than those of them that are required by themselves."""
    own = [alone[step.event].necessity for step in ways.steps if step.event in alone]
    return not own or (ways.stands.necessity - max(own)) >= COVERED * (1 - max(own))


def _numbered(chosen: list[_Ways], routes: dict[str, int]) -> dict[str, int]:
    """Give the routes that lead through several places numbers from 1; steps on no such route get 0."""
    taken = [routes[step.event] for ways in chosen for step in ways.steps]
    through = sorted({route for route in taken if taken.count(route) > 1}, key=taken.index)
    return {
        step.event: through.index(routes[step.event]) + 1 if routes[step.event] in through else 0
        for ways in chosen
        for step in ways.steps
    }
