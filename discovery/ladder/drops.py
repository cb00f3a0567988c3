"""What happened where accounts stopped: errors that go with stopping, and what accounts do between two rungs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from discovery import estimate
from discovery.estimate import GoingOn
from discovery.results import Between, DropEvent, Estimate

Days = NDArray[np.float64]

BUSIER = (1, 2, 3, 5, 8, 13, 21, 34)
"""Other events met on a leg from which an account counts as busier."""
FEWEST_MET, RAREST_MET = 20, 0.05
"""Accounts, and share of those that stop, that must have met an error for it to be looked at."""
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
    met : mapping of str to float64[m]
        Days from the rung before to the first occurrence of every event; inf where never.
    segments : mapping of str to object[m]
        Values at signup; None where unknown.
    """

    time: Days
    went_on: NDArray[np.bool_]
    met: Mapping[str, Days]
    segments: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Suspect:
    rung: int
    event: str
    found: GoingOn
    stopped: float | None
    went_on: float | None


def errors_at_drops(legs: Sequence[Leg], failures: Collection[str], alpha: float) -> list[tuple[DropEvent, ...]]:
    """Return, for each leg, the failures after which accounts go on more rarely, the clearest first.

    Accounts are compared that have done as many other things on this leg; where a segment explains more of it than
    nothing does, within that segment. Every failure and every leg is a test; p-values are Holm's.
    """
    suspects = [suspect for place, leg in enumerate(legs) for suspect in _suspects(place, leg, sorted(failures), alpha)]
    adjusted = estimate.holm(np.array([s.found.p for s in suspects]))
    shown: list[list[tuple[float, DropEvent]]] = [[] for _ in legs]
    for suspect, p in zip(suspects, adjusted.tolist(), strict=True):
        if p <= alpha and suspect.found.ratio < 1:
            shown[suspect.rung].append((suspect.found.p, _drop_event(suspect, p, len(legs[suspect.rung].time))))
    return [tuple(event for _, event in sorted(found, key=lambda pair: (pair[0], pair[1].event))) for found in shown]


def _suspects(place: int, leg: Leg, failures: Sequence[str], alpha: float) -> list[_Suspect]:
    """Look at every failure that enough accounts met on a leg."""
    found = []
    meetings = None
    for event in failures:
        if event not in leg.met:
            continue
        met = leg.met[event]
        before = met < leg.time
        if before.sum() < FEWEST_MET or before[~leg.went_on].sum() < RAREST_MET * (~leg.went_on).sum():
            continue
        meetings = meetings or _Meetings.on(leg)
        found.append(
            _Suspect(
                rung=place,
                event=event,
                found=_hardest(leg, met, meetings.busier(event), alpha),
                stopped=_mean(before[~leg.went_on]),
                went_on=_mean(before[leg.went_on]),
            )
        )
    return found


def _hardest(leg: Leg, met: Days, busier: Days, alpha: float) -> GoingOn:
    """Compare at equal activity, also within each segment, and return the comparison that says least."""
    groups = [None, *(_numbered(values) for values in leg.segments.values())]
    found = [estimate.going_on(leg.time, leg.went_on, met, alpha, busier=busier, group=group) for group in groups]
    return max(found, key=lambda one: (not np.isnan(one.ratio), one.ratio >= 1, one.p))


def _numbered(values: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return a number for each value of a segment; what is unknown is a value of its own, what is rare another."""
    texts = np.array(["" if value is None else f"={value}" for value in values], dtype=str)
    _, place, sizes = np.unique(texts, return_inverse=True, return_counts=True)
    return np.asarray(np.where(sizes[place] >= FEWEST_MET, place + 1, 0), dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Meetings:
    """Every first occurrence on a leg, by account and then by time."""

    accounts: int
    account: NDArray[np.int64]
    day: Days
    event: NDArray[np.int64]
    names: tuple[str, ...]

    @classmethod
    def on(cls, leg: Leg) -> _Meetings:
        """Gather what is met before an account goes on."""
        names = tuple(leg.met)
        who = [np.flatnonzero(leg.met[name] < leg.time) for name in names]
        account = np.concatenate([np.zeros(0, dtype=np.int64), *who])
        day = np.concatenate([np.zeros(0), *(leg.met[name][rows] for name, rows in zip(names, who, strict=True))])
        event = np.repeat(np.arange(len(names)), [len(rows) for rows in who])
        order = np.lexsort((day, account))
        return cls(accounts=len(leg.time), account=account[order], day=day[order], event=event[order], names=names)

    def busier(self, but: str) -> Days:
        """Return the moments at which each account has met so many other events, float64[levels, m]."""
        others = self.event != self.names.index(but)
        account, day = self.account[others], self.day[others]
        place = np.arange(len(account)) - np.searchsorted(account, account, side="left")
        moments = np.full((len(BUSIER), self.accounts), np.inf)
        for level, many in enumerate(BUSIER):
            rows = place == many - 1
            moments[level, account[rows]] = day[rows]
        return moments


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
