"""From relations, outcome and flags to the evidence that ranking grades."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from discovery import estimate, exposure
from discovery.estimate import Adjustment
from discovery.exposure import Exposure, Flags
from discovery.intake import UNKNOWN_TIME, Relations
from discovery.outcome import Lifetimes, Outcome
from discovery.ranking import Evidence, set_apart
from discovery.spec import Day, StudySpec

FIVE_MINUTES = 300_000_000
"""Microseconds; what comes this soon after signup says who came. Dates alone cannot tell: there it is the day."""


def lifetimes(relations: Relations) -> Lifetimes:
    """Return what is known of each account's life, with later activity where the outcome asks for it."""
    accounts, asked = relations.accounts, relations.spec.outcome
    active = None
    if asked.kind == "active":
        apart = [] if asked.activity else adjacent_events(relations)
        active = exposure.active_between(
            relations.engine,
            relations.events_table,
            relations.accounts_table,
            len(accounts),
            asked.active_days[0] * Day,
            asked.active_days[1] * Day,
            asked.activity,
            (*asked.passive, *apart),
        )
    return Lifetimes(
        signup=accounts.signup,
        churned=accounts.churned,
        converted=accounts.converted,
        observed_until=accounts.observed_until,
        excluded=accounts.excluded,
        log_start=relations.log_start,
        unknown=int(UNKNOWN_TIME),
        has_departures=relations.has_departures,
        active=active,
    )


def adjacent_events(relations: Relations) -> list[str]:
    """Return the names in the log that belong to the decision to stay or go; they are no sign of use."""
    names = exposure.event_names(relations.engine, relations.events_table)
    return [name for name in names if _is_adjacent(name, relations.spec)]


def _is_adjacent(event: str, spec: StudySpec) -> bool:
    apart = set_apart(event, spec)
    return apart is not None and apart[0] == "outcome_adjacent"


def prepare_adjustment(relations: Relations, outcome: Outcome, measured: Exposure) -> Adjustment:
    """Gather what candidates are adjusted for: traits known at signup, and how busy the account is.

    Events that belong to the decision to stay or go do not count as busyness: they follow from the outcome.
    """
    accounts, positions = relations.accounts, outcome.positions
    segments = {name: values[positions] for name, values in accounts.segments.items()}
    seats = accounts.seats[positions] if relations.spec.accounts.seats else None
    static = estimate.static_covariates(accounts.signup[positions], segments, seats)
    use = np.array([not _is_adjacent(event, relations.spec) for event in measured.events])
    counts = measured.counts_among(positions).multiply(use).tocsc()
    counts.eliminate_zeros()
    return estimate.prepare_adjustment(
        counts,
        _first_days(measured, positions),
        static,
        outcome.mature,
        has_traits=any(not name.startswith("signup date") for name in static.names),
    )


def gather_evidence(
    relations: Relations, outcome: Outcome, measured: Exposure, flags: Flags, adjustment: Adjustment
) -> Evidence:
    """Compute everything that is computed for every candidate."""
    alpha, n = relations.spec.inference.alpha, len(outcome.positions)
    event_of = flags.event_of.astype(np.intp)
    survival = None
    if outcome.duration is not None and outcome.departed is not None:
        survival = estimate.scan(flags.packed, n, outcome.duration, outcome.departed, alpha)
    at_signup = exposure.events_at_signup(measured, outcome.positions, Day if relations.date_only else FIVE_MINUTES)
    return Evidence(
        events=measured.events,
        conditions=flags.conditions,
        event_of=event_of,
        reached=flags.reached(),
        n_landmark=n,
        separation=estimate.separate(flags.packed, outcome.retained, outcome.mature, alpha),
        survival=survival,
        adjusted=estimate.adjusted_scan(flags.packed, event_of, adjustment, outcome.retained, alpha),
        has_traits=adjustment.has_traits,
        at_signup=frozenset(at_signup),
        at_signup_words="on the day of signup" if relations.date_only else "within five minutes of signup",
    )


def _first_days(measured: Exposure, positions: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return first occurrences, shape (E, m), of evenly spaced accounts; they only tell what follows what."""
    step = max(1, -(-len(positions) // estimate.ORDER_SAMPLE))
    sample = positions[::step]
    return np.stack([measured.first_lags(event, sample) for event in measured.events])
