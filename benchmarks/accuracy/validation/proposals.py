"""What is proposed in a world: the rule that is true, and rules that are not."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from discovery.milestone import Condition, Milestone
from discovery.simulate import Truth
from discovery.spec import CandidatesSpec

Bools = NDArray[np.bool_]
Met = Callable[[str], Bools]
"""Who of the accounts with a known outcome met a milestone."""
Kind = Literal["planted", "wrong threshold", "vanity", "ordinary", "decoy", "wrong milestone"]

MOST_ALIKE = 0.8
"""A threshold is wrong where its flags correlate with the true ones by at most this (phi)."""
ORDINARY, DECOYS = 2, 2
USUAL_REACH = (0.1, 0.9)
POSSIBLE_REACH = (0.03, 0.97)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One proposal. `phi` is how alike it and the planted rule are, where both are of the same event."""

    kind: Kind
    milestone: str
    phi: float | None = None


def proposed(truth: Truth, grid: CandidatesSpec, met: Met, seed: int) -> tuple[Asked, ...]:
    """Return what is proposed in a world: everything follows from its truth, who met what, and the seed."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, 5]))
    asked = [Asked(kind="planted", milestone=rule) for rule in truth.planted]
    asked += _wrong_thresholds(truth, grid, met, rng)
    if truth.wrong_milestone:
        asked.append(Asked(kind="wrong milestone", milestone=truth.wrong_milestone))
    for event in truth.vanity_events:
        asked += [Asked(kind="vanity", milestone=str(Milestone.of(event, *how))) for how in ((1,), (5, 7 * 24))]
    asked += itertools.islice(_usual("ordinary", _without_effect(truth, rng), grid, met, rng), ORDINARY)
    if not truth.wrong_milestone:
        asked += itertools.islice(_usual("decoy", truth.decoy_events, grid, met, rng), DECOYS)
    return tuple({one.milestone: one for one in reversed(asked)}.values())[::-1]


def phi(one: Bools, other: Bools) -> float | None:
    """Return the correlation of two flags; None where one of them does not vary."""
    if one.all() or other.all() or not one.any() or not other.any():
        return None
    return float(np.corrcoef(one, other)[0, 1])


def _wrong_thresholds(truth: Truth, grid: CandidatesSpec, met: Met, rng: np.random.Generator) -> list[Asked]:
    """Change one number of the planted rule, drawn among the changes that make it another rule."""
    conditions = [c for rule in truth.planted for c in Milestone.parse(rule).conditions]
    if len(conditions) != 1:
        return []
    true = met(truth.planted[0])
    wrong = []
    for condition in _one_changed(conditions[0], grid):
        text = str(Milestone((condition,)))
        flag = met(text)
        alike = phi(flag, true)
        if alike is not None and alike <= MOST_ALIKE and _within(flag, POSSIBLE_REACH):
            wrong.append(Asked(kind="wrong threshold", milestone=text, phi=alike))
    return [wrong[int(rng.integers(len(wrong)))]] if wrong else []


def _one_changed(rule: Condition, grid: CandidatesSpec) -> Iterator[Condition]:
    event, at_least, hours, users = rule.event, rule.at_least, rule.within_hours, rule.min_users
    yield from (Condition(event, k, hours, users) for k in grid.at_least if k != at_least)
    yield from (Condition(event, at_least, 24 * d, users) for d in grid.within_days if 24 * d != hours)
    yield from (Condition(event, at_least, hours, u) for u in grid.min_users if u != users)


def _without_effect(truth: Truth, rng: np.random.Generator) -> list[str]:
    """Return the events that are nobody's finding, in an order drawn: what is done, not what follows or decides."""
    named = (*truth.planted_events, *truth.vanity_events, *truth.decoy_events, *truth.outcome_adjacent, *truth.chain)
    names = [Milestone.parse(text).events for text in truth.effects]
    free = sorted({events[0] for events in names if len(events) == 1} - set(named))
    return [str(name) for name in rng.permutation(free)]


def _usual(
    kind: Kind, events: Sequence[str], grid: CandidatesSpec, met: Met, rng: np.random.Generator
) -> Iterator[Asked]:
    """Yield one rule of each event, drawn among those that a fair share of the accounts met; some have none."""
    cells = [(k, 24 * d) for k in grid.at_least for d in grid.within_days]
    for event in events:
        drawn: Iterable[str] = (str(Milestone.of(event, *cells[i])) for i in rng.permutation(len(cells)))
        text = next((text for text in drawn if _within(met(text), USUAL_REACH)), None)
        if text:
            yield Asked(kind=kind, milestone=text)


def _within(flag: Bools, reach: tuple[float, float]) -> bool:
    return reach[0] <= float(flag.mean() if len(flag) else 0.0) <= reach[1]
