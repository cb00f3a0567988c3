"""Who stayed, who left, and who is not yet known: all read strictly after the landmark.

The landmark is signup plus the observation window. Only accounts alive and observed at the landmark enter
an estimate; every other account is counted in the account flow with its reason (Hernan & Robins 2016 on
time zero; immortal-time bias).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery.results import OutcomeSummary, Population
from discovery.spec import Day, OutcomeSpec

Times = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetimes:
    """What is known of each account's life: arrays of length A, microseconds since 1970 UTC.

    `unknown` stands for a missing time. `observed_until` is the administrative end of observation, never
    the account's own last event. `active` is only needed for `active` outcomes: whether the account did an
    activity event in the asked days.
    """

    signup: Times
    churned: Times
    converted: Times
    observed_until: Times
    excluded: Mask
    log_start: int
    unknown: int
    has_departures: bool
    active: Mask | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The landmark accounts and what became of them. Arrays of length n follow `positions`.

    `positions` go by signup, so that nothing drawn by place depends on what the accounts are called.
    `retained` is meaningful where `mature`. `duration` counts whole days from the landmark to the recorded
    departure or the end of observation; it is None when no departures are recorded, and where the outcome is
    not about leaving. `decided` has the accounts that left or converted before the landmark.
    """

    positions: NDArray[np.int64]
    decided: NDArray[np.int64]
    mature: Mask
    retained: Mask
    duration: NDArray[np.int64] | None
    departed: Mask | None
    population: Population
    summary: OutcomeSummary


def read_outcome(lives: Lifetimes, spec: OutcomeSpec, *, window_days: int, inferred: bool = False) -> Outcome:
    """Split the accounts at the landmark and read the outcome of those that reach it.

    Parameters
    ----------
    lives
        Arrays of length A describing every account.
    spec
        The kind of outcome and its days; `kind` must be set.
    window_days
        Length of the observation window, in days of 24 hours.
    inferred
        Whether the kind was inferred rather than asked for (only reported).

    Returns
    -------
    Outcome
        Positions of the landmark accounts in ascending order, with their outcome and the account flow.

    Notes
    -----
    An account is *mature* when the whole outcome window lies before its administrative end of observation.
    Immature accounts enter survival estimates as censored and binary ones not at all. A departure dated
    before signup makes an account unusable; one dated after the end of observation was not observed.
    """
    landmark = lives.signup + window_days * Day
    counts_churn = lives.has_departures and spec.kind != "active"
    churned = np.where(lives.churned > lives.observed_until, lives.unknown, lives.churned)
    left = (churned != lives.unknown) & counts_churn
    converted = (lives.converted != lives.unknown) & (lives.converted <= lives.observed_until)
    converted &= spec.kind == "converted"

    flow = _Flow(len(lives.signup))
    unusable = flow.take((lives.signup == lives.unknown) | (left & (churned < lives.signup)))
    excluded = flow.take(lives.excluded)
    before_log = flow.take(lives.signup < lives.log_start - lives.log_start % Day)
    before = flow.remaining
    decided = flow.take((left & (churned < landmark)) | (converted & (lives.converted < landmark)))
    early = np.flatnonzero(before & ~flow.remaining)
    unobserved = flow.take(lives.observed_until < landmark)

    positions = np.flatnonzero(flow.remaining)
    positions = positions[np.argsort(lives.signup[positions], kind="stable")]
    horizon = lives.signup + last_day(spec) * Day
    mature = (horizon <= lives.observed_until)[positions]
    retained = _stayed(spec, lives, left, churned, converted, horizon)[positions] & mature
    duration = departed = None
    if lives.has_departures and spec.kind == "retained":
        departed = left[positions]
        end = np.where(left, churned, lives.observed_until)
        duration = (end - landmark)[positions] // Day
    n_mature = int(mature.sum())
    population = Population(
        accounts=len(lives.signup),
        excluded=excluded,
        before_log=before_log,
        not_observed_to_landmark=unobserved,
        decided_before_landmark=decided,
        landmark=len(positions),
        mature=n_mature,
        retained=int(retained.sum()),
        base_rate=float(retained.sum() / n_mature) if n_mature else None,
        unusable=unusable,
    )
    return Outcome(
        positions=positions,
        decided=early,
        mature=mature,
        retained=retained,
        duration=duration,
        departed=departed,
        population=population,
        summary=_summary(spec, window_days=window_days, inferred=inferred, has_departures=duration is not None),
    )


def last_day(spec: OutcomeSpec) -> int:
    """Return the day after signup on which the outcome of an account is known."""
    return spec.active_days[1] if spec.kind == "active" else spec.by_day


class _Flow:
    """Takes accounts out one reason at a time, so that each is counted exactly once."""

    def __init__(self, n: int) -> None:
        self.remaining: Mask = np.ones(n, dtype=bool)

    def take(self, reason: Mask) -> int:
        taken = self.remaining & reason
        self.remaining = self.remaining & ~reason
        return int(taken.sum())


def _stayed(spec: OutcomeSpec, lives: Lifetimes, left: Mask, churned: Times, converted: Mask, horizon: Times) -> Mask:
    if spec.kind == "active":
        if lives.active is None:
            raise ValueError("an active outcome needs `lives.active`")
        return lives.active
    if spec.kind == "converted":
        return converted & (lives.converted < horizon)
    return ~(left & (churned < horizon))


def _summary(spec: OutcomeSpec, *, window_days: int, inferred: bool, has_departures: bool) -> OutcomeSummary:
    first, last = spec.active_days
    stayed, left = {
        "retained": (f"was still a customer {spec.by_day} days after signup", f"had left by day {spec.by_day}"),
        "active": (
            f"was active between day {first} and day {last} after signup",
            f"was not active between day {first} and day {last}",
        ),
        "converted": (f"had converted by day {spec.by_day}", f"had not converted by day {spec.by_day}"),
    }[spec.kind or "retained"]
    return OutcomeSummary(
        kind=spec.kind or "retained",
        stayed=stayed,
        left=left,
        inferred=inferred,
        by_day=None if spec.kind == "active" else spec.by_day,
        active_days=spec.active_days if spec.kind == "active" else None,
        window_days=window_days,
        has_departures=has_departures,
    )
