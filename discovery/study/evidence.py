"""From relations, outcome and flags to the sample that is searched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from discovery import estimate, exposure
from discovery.estimate import Adjustment
from discovery.exposure import Exposure, Flags
from discovery.intake import UNKNOWN_TIME, Relations
from discovery.milestone import Condition
from discovery.outcome import Lifetimes, Outcome
from discovery.ranking import set_apart
from discovery.spec import Day, StudySpec
from discovery.study.properties import columns_of
from discovery.study.sample import Sample

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


def prepare_sample(relations: Relations, outcome: Outcome, measured: Exposure, flags: Flags) -> Sample:
    """Gather what the search needs to know of the landmark accounts."""
    positions, spec = outcome.positions, relations.spec
    apart = events_apart(relations, outcome, measured)
    counts, of_acts = measured.counts_among(positions), measured.of_acts
    soon = Day if relations.date_only else FIVE_MINUTES
    return Sample(
        events=measured.events,
        flags=flags,
        counts=counts,
        adjustment=_adjustment(relations, outcome, measured, apart),
        signup=relations.accounts.signup[positions],
        segments={name: values[positions] for name, values in relations.accounts.segments.items()},
        mature=outcome.mature,
        retained=outcome.retained,
        duration=outcome.duration,
        departed=outcome.departed,
        outcome=outcome.summary.kind,
        kinds={event: spec.kinds.of(event) for event in measured.events},
        apart=apart,
        at_signup=frozenset(exposure.events_at_signup(measured, positions, soon)),
        at_signup_words="on the day of signup" if relations.date_only else "within five minutes of signup",
        within=np.ones(len(positions), dtype=bool),
        asked_model=spec.inference.model,
        acts=() if of_acts is None else of_acts.events,
        acts_at_signup=frozenset(() if of_acts is None else exposure.events_at_signup(of_acts, positions, soon)),
        act_counts=None if of_acts is None else of_acts.counts_among(positions),
    )


def events_apart(relations: Relations, outcome: Outcome, measured: Exposure) -> Mapping[str, tuple[str, str]]:
    """Return the events that may not be ranked, with status and reason."""
    spec = relations.spec
    window = spec.candidates.window_days * Day
    axes: tuple[str, ...] = ()
    if not relations.date_only:
        axes = exposure.volume_axes(relations.engine, relations.events_table, relations.accounts_table, window)
    late = _after_decision(relations)
    found = {event: set_apart(event, spec, axes, late) for event in measured.events}
    return {event: reason for event, reason in found.items() if reason is not None}


def acts_apart(relations: Relations, acts: Sequence[Condition]) -> Mapping[str, tuple[str, str]]:
    """Return the acts that timing shows to belong to the decision to stay or go, with status and reason."""
    asked = {act.act_name: act for act in acts if act.where and relations.spec.kinds.of(act.event) is None}
    if not asked:
        return {}
    late = {name: share for name, share in _after_decision(relations, tuple(asked.values())).items() if name in asked}
    found = {name: set_apart(asked[name].event, relations.spec, (), {asked[name].event: late[name]}) for name in late}
    return {name: reason for name, reason in found.items() if reason is not None}


def _after_decision(relations: Relations, acts: Sequence[Condition] = ()) -> dict[str, float]:
    """Return the events, and acts, that timing shows to belong to the decision, with the share that says so."""
    rows = exposure.with_acts(relations.events_table, acts, columns_of(relations))
    accounts = relations.accounts
    moments = []
    if relations.has_departures and accounts.churned is not None:
        moments.append(_days(accounts.churned, accounts.signup))
    if accounts.converted is not None and relations.spec.outcome.kind == "converted":
        moments.append(_days(accounts.converted, accounts.signup))
    late: dict[str, float] = {}
    for counted in exposure.decision_times(relations.engine, rows, relations.accounts_table, *moments):
        evidence = estimate.after_decision(counted.having, counted.near, counted.expected)
        late |= {counted.events[i]: float(evidence.share[i]) for i in np.flatnonzero(evidence.follows)}
    return late


def _days(moment: NDArray[np.int64], signup: NDArray[np.int64]) -> NDArray[np.float64]:
    known = (moment != UNKNOWN_TIME) & (signup != UNKNOWN_TIME)
    return np.where(known, (np.where(known, moment, 0) - np.where(known, signup, 0)) / Day, np.inf)


def _adjustment(
    relations: Relations, outcome: Outcome, measured: Exposure, apart: Mapping[str, tuple[str, str]]
) -> Adjustment:
    """Gather what candidates are adjusted for: traits known at signup, and how busy the account is anyway.

    Events of the decision to stay or go, and passive ones, are no activity: they follow from something else.
    """
    accounts, positions, spec = relations.accounts, outcome.positions, relations.spec
    segments = {name: values[positions] for name, values in accounts.segments.items()}
    seats = accounts.seats[positions] if spec.accounts.seats else None
    static = estimate.static_covariates(accounts.signup[positions], segments, seats)
    left_out = [event for event, (status, _) in apart.items() if status in ("outcome_adjacent", "passive")]
    rhythm = exposure.account_rhythm(
        relations.engine,
        relations.events_table,
        relations.accounts_table,
        len(accounts),
        spec.candidates.window_days * Day,
        left_out,
    )
    usable = np.array([event not in left_out for event in measured.events], dtype=bool)
    factors = estimate.activity_factors(measured.counts_among(positions), usable, static.values)
    return Adjustment(
        static=static,
        activity=estimate.activity_covariates(factors.scores),
        inertia=estimate.inertia_covariates(
            rhythm.actions[positions], rhythm.moments[positions], rhythm.days[positions], rhythm.last_days[positions]
        ),
        has_traits=any(estimate.trait_of(name) is not None for name in static.names),
    )
