"""What every baseline is shown: the candidates the study may rank, and who stayed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery.milestone import Condition

from .inference import MIN_SIDE, Prepared, at_signup, known_at_signup, set_apart

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

BASE_AT_LEAST, BASE_WITHIN = (1, 3), (7, 14)
"""The small grid, chosen without the outcome, for methods that cannot take every candidate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Arrays over n landmark accounts.

    Attributes
    ----------
    families : tuple of str, length E
        Event names that may be ranked.
    flags : bool[C, n]
        Candidates with a reach of 5 to 95 %.
    family : int[C]
        Place of each candidate in `families`.
    base : bool[C]
        Candidates of the small grid.
    counts : int[n, E]
        How often each account did each of `families` inside the window.
    volume : float[n]
        All events inside the window.
    traits : float[n, p]
        What was known at signup, standardised.
    stayed, mature : bool[n]
        `stayed` is read at the mature.
    duration : int[n] or None
        Days from the landmark to the departure or the end; None where no departures are recorded.
    departed : bool[n] or None
    """

    families: tuple[str, ...]
    flags: Bools
    family: NDArray[np.int64]
    base: Bools
    counts: NDArray[np.int64]
    volume: Floats
    traits: Floats
    stayed: Bools
    mature: Bools
    duration: NDArray[np.int64] | None = None
    departed: Bools | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """What a baseline says: families, best first, and whether it declares the first (None: it never does)."""

    families: tuple[str, ...]
    declared: bool | None


def by_family(seen: Seen, score: Floats, candidates: NDArray[np.int64] | None = None) -> list[tuple[str, float]]:
    """Return each family with the highest of its candidates' finite scores, best first."""
    of = seen.family if candidates is None else seen.family[candidates]
    best: dict[int, float] = {}
    for family, value in zip(of.tolist(), score.tolist(), strict=True):
        if np.isfinite(value):
            best[family] = max(value, best.get(family, -np.inf))
    named = [(seen.families[family], value) for family, value in best.items()]
    return sorted(named, key=lambda pair: (-pair[1], pair[0]))


def show(prepared: Prepared) -> Seen:
    """Return what baselines are shown of a prepared log: the same guards as the study's, nothing of its estimates."""
    measured, outcome, flags = prepared.measured, prepared.outcome, prepared.flags
    barred = set_apart(prepared)
    open_events = [place for place, name in enumerate(measured.events) if name not in barred]
    family = {event: place for place, event in enumerate(open_events)}
    rows = np.flatnonzero(_open_candidates(prepared, barred))
    counts = measured.counts_among(outcome.positions)
    return Seen(
        families=tuple(measured.events[event] for event in open_events),
        flags=flags.dense(rows),
        family=np.array([family[int(flags.event_of[row])] for row in rows], dtype=np.int64),
        base=np.array([_in_base_grid(flags.conditions[row]) for row in rows], dtype=bool),
        counts=counts[:, open_events].toarray().astype(np.int64),
        volume=np.asarray(counts.sum(axis=1), dtype=float).ravel(),
        traits=known_at_signup(prepared),
        stayed=outcome.retained & outcome.mature,
        mature=outcome.mature,
        duration=outcome.duration,
        departed=outcome.departed,
    )


def _open_candidates(prepared: Prepared, barred: frozenset[str]) -> Bools:
    flags, grid, mature = prepared.flags, prepared.spec.candidates, prepared.outcome.mature
    reach = flags.reached() / max(flags.n_accounts, 1)
    met = flags.among(mature)
    sides = np.minimum(met, int(mature.sum()) - met)
    telling = (reach >= grid.min_reach) & (reach <= grid.max_reach) & (sides >= MIN_SIDE)
    came_with = at_signup(prepared)
    kept = [c.event not in barred and not (c.event in came_with and c.at_least == 1) for c in flags.conditions]
    return np.asarray(telling & np.array(kept, dtype=bool), dtype=bool)


def _in_base_grid(condition: Condition) -> bool:
    within = condition.within_hours in [24 * days for days in BASE_WITHIN]
    return condition.at_least in BASE_AT_LEAST and within and condition.min_users == 1
