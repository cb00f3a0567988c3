"""The accounts a validation judges: whole weeks of signups whose outcome is known, so that a verdict lasts a week."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime

import numpy as np

from discovery.intake import UNKNOWN_TIME, Relations
from discovery.outcome import Outcome, last_day
from discovery.spec import Day

_WEEKDAY = 3
"""1 January 1970 was a Thursday, three days after the Monday of its week."""
_RECENT_WEEKS = 13
"""Signups per week are those of the latest quarter of a year."""


def judged_through(relations: Relations) -> int:
    """Return the Monday before which all signups are old enough to be judged, in microseconds since 1970."""
    ends = relations.accounts.observed_until
    end = int(ends[ends != UNKNOWN_TIME].max(initial=relations.log_end))
    known = (end - last_day(relations.spec.outcome) * Day) // Day
    return int(known - (known + _WEEKDAY) % 7) * Day


def settled(outcome: Outcome, relations: Relations, before: int) -> Outcome:
    """Return the outcome of the accounts that signed up before a moment and whose outcome is known."""
    kept = outcome.mature & (relations.accounts.signup[outcome.positions] < before)
    duration, departed = outcome.duration, outcome.departed
    stayed = int(outcome.retained[kept].sum())
    return dataclasses.replace(
        outcome,
        population=dataclasses.replace(
            outcome.population,
            mature=int(kept.sum()),
            retained=stayed,
            base_rate=stayed / int(kept.sum()) if kept.any() else None,
        ),
        positions=outcome.positions[kept],
        mature=outcome.mature[kept],
        retained=outcome.retained[kept],
        duration=None if duration is None else duration[kept],
        departed=None if departed is None else departed[kept],
    )


def signups_per_week(outcome: Outcome, relations: Relations) -> float:
    """Return how many accounts a week sign up and reach the landmark, of late."""
    signup = relations.accounts.signup[outcome.positions]
    if not len(signup):
        return 0.0
    weeks = min(_RECENT_WEEKS, max(1, (int(signup.max()) - int(signup.min())) // (7 * Day)))
    return float((signup > signup.max() - weeks * 7 * Day).sum() / weeks)


def as_day(moment: int) -> str:
    """Return the UTC day of a moment, as 2025-03-31."""
    return datetime.fromtimestamp(moment / 1e6, UTC).date().isoformat()


def moment_of(day: date) -> int:
    """Return the first moment of a UTC day, in microseconds since 1970."""
    return (day - date(1970, 1, 1)).days * Day


def weeks_until(missing: int, outcome: Outcome, relations: Relations, since: int, per_week: float) -> tuple[int, float]:
    """Return how many unjudged accounts are on their way, and the weeks until `missing` more are judged."""
    ends = relations.accounts.observed_until
    now = int(ends[ends != UNKNOWN_TIME].max(initial=relations.log_end))
    signup = relations.accounts.signup[outcome.positions]
    waiting = np.sort(signup[signup >= since])
    horizon = last_day(relations.spec.outcome) / 7
    if missing <= len(waiting):
        known = int(waiting[missing - 1]) + last_day(relations.spec.outcome) * Day if missing else now
        return len(waiting), max(0.0, (known - now) / (7 * Day))
    return len(waiting), (missing - len(waiting)) / per_week + horizon if per_week else np.inf
