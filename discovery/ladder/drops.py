"""What happened where accounts stopped: errors that go with stopping, and what accounts do between two rungs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery import estimate
from discovery.estimate import GoingOn
from discovery.results import Between, DropEvent, Estimate

Days = NDArray[np.float64]

FEWEST_MET = 20
"""Accounts that must have met an error before it is looked at."""
SHORTEST, LONGEST = 1 / 24, 7.0
"""Days between which what happens after a rung is read."""
MOST_SHOWN = 8
SMALLEST_SHARE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Leg:
    """The way from one rung to the next, of the m accounts that are on record at the first and not yet beyond.

    Attributes
    ----------
    time : float64[m]
        Days from the rung before to this one or a later one, or to the end of the observation window.
    went_on : bool[m]
    met : dict of str to float64[m]
        Days from the rung before to the first occurrence of every event; inf where never.
    """

    time: Days
    went_on: NDArray[np.bool_]
    met: dict[str, Days]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Suspect:
    rung: int
    event: str
    found: GoingOn
    stopped: float | None
    went_on: float | None


def errors_at_drops(legs: Sequence[Leg], failures: Collection[str], alpha: float) -> list[tuple[DropEvent, ...]]:
    """Return, for each leg, the failures after which accounts go on more rarely, the clearest first.

    Every failure and every leg is a test; p-values are Holm's.
    """
    suspects = [
        _suspect(place, leg, event, alpha)
        for place, leg in enumerate(legs)
        for event in sorted(failures)
        if event in leg.met
    ]
    tested = [s for s in suspects if s.found.n_met >= FEWEST_MET]
    adjusted = estimate.holm(np.array([s.found.p for s in tested]))
    shown: list[list[tuple[float, DropEvent]]] = [[] for _ in legs]
    for suspect, p in zip(tested, adjusted.tolist(), strict=True):
        if p <= alpha and suspect.found.ratio < 1:
            shown[suspect.rung].append((suspect.found.p, _drop_event(suspect, p, len(legs[suspect.rung].time))))
    return [tuple(event for _, event in sorted(found, key=lambda pair: (pair[0], pair[1].event))) for found in shown]


def _suspect(place: int, leg: Leg, event: str, alpha: float) -> _Suspect:
    met = leg.met[event]
    before = met < leg.time
    return _Suspect(
        rung=place,
        event=event,
        found=estimate.going_on(leg.time, leg.went_on, met, alpha),
        stopped=_mean(before[~leg.went_on]),
        went_on=_mean(before[leg.went_on]),
    )


def _drop_event(suspect: _Suspect, p_adjusted: float, accounts: int) -> DropEvent:
    found = suspect.found
    ratio = Estimate(
        estimate=found.ratio,
        ci_lower=found.ci_lower,
        ci_upper=found.ci_upper,
        scale="rate ratio",
        estimand="going on after it, against before or without it",
        n_accounts=accounts,
        status="separated" if found.separated else "ok",
    )
    return DropEvent(
        event=suspect.event,
        n_accounts=found.n_met,
        stopped=suspect.stopped,
        went_on=suspect.went_on,
        ratio=ratio,
        p_adjusted=p_adjusted,
    )


def between(leg: Leg, own: Collection[str], errors: Sequence[DropEvent]) -> tuple[tuple[Between, ...], float | None]:
    """Return what accounts do on a leg, those that go on and those that stop, and the days in which it was read.

    Those that go on are read until they do, for at most the days in which three of four of them have; each of those
    that stop is read for as long as each of the others, on average: whoever is watched for longer does more.
    """
    if not leg.went_on.any() or leg.went_on.all():
        return (), None
    days = float(np.clip(np.quantile(leg.time[leg.went_on], 0.75), SHORTEST, LONGEST))
    read = np.minimum(leg.time, days)[leg.went_on]
    stopped = ~leg.went_on & (leg.time >= days)
    found = []
    for event, met in leg.met.items():
        shares = _mean(met[leg.went_on] < read), _met_within(met[stopped], read)
        if event not in own and max(share or 0.0 for share in shares) >= SMALLEST_SHARE:
            found.append(Between(event=event, went_on=shares[0], stopped=shares[1]))
    named = {error.event for error in errors}
    found.sort(key=lambda b: (b.event not in named, -abs((b.went_on or 0.0) - (b.stopped or 0.0)), b.event))
    return tuple(found[:MOST_SHOWN]), days


def _met_within(met: Days, read: Days) -> float | None:
    """Return the share that has met something after each of some lengths of time, on average over these."""
    return float(np.searchsorted(np.sort(met), read, side="left").mean()) / len(met) if len(met) else None


def _mean(values: NDArray[np.bool_]) -> float | None:
    return float(values.mean()) if len(values) else None
