"""A first look at the data, before there is a spec: what was read, and what a spec could say."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast

import numpy as np

from discovery import exposure, ranking, suggest
from discovery.intake import UNKNOWN_TIME, Relations
from discovery.intake.profile import (
    EventCount,
    FirstRows,
    UserCount,
    count_events,
    count_users,
    look_at_first_rows,
    may_be_trait,
    seat_columns,
    together,
)
from discovery.outcome import Outcome, read_outcome
from discovery.progress import Progress
from discovery.results import (
    AliasSuggestion,
    Choice,
    EventKind,
    EventProfile,
    Profile,
    PropertyProfile,
    QualityFinding,
)
from discovery.spec import Day, StudySpec
from discovery.study.evidence import FIVE_MINUTES, events_apart, lifetimes


def profile_of(
    relations: Relations,
    events: object,
    asked: StudySpec,
    quality: tuple[QualityFinding, ...],
    progress: Progress,
) -> Profile:
    """Count what was read, and suggest what a spec could say of it.

    Parameters
    ----------
    relations
        What was read.
    events
        The events as they were given, to be looked at again.
    asked
        The spec as given; what it says is not suggested otherwise.
    quality
        The findings, as they may be shared.
    progress
        Called with a few words when a stage begins.
    """
    progress("Looking at the columns")
    first = look_at_first_rows(relations, events, asked)
    progress("Counting the events")
    counted = count_events(relations)
    users = count_users(relations)
    progress("Reading how long accounts can be followed")
    horizons, chosen = _horizons(relations, asked)
    outcome = _outcome_of(relations, chosen.days)
    profiles = _events(relations, outcome, counted, asked)
    aliases = _aliases(relations, counted)
    choices = (
        *_reading(relations, asked, first, counted),
        *_kind(relations, asked),
        suggest.outcome_choice(outcome.summary.kind, horizons, chosen, _is_asked(asked)),
        *suggest.trait_choices(_traits(relations), asked.accounts.segments is not None),
        *_of_aliases(aliases, asked),
        *suggest.kind_choices(profiles, asked),
        *(() if asked.product.motion else (suggest.motion_choice(),)),
    )
    empty = not counted
    return Profile(
        format=relations.layout,
        format_reason=first.format_reason,
        events_rows=relations.events_rows,
        events_used=relations.events_used,
        event_names=len(counted),
        accounts=len(relations.accounts),
        users=users.users,
        starts="" if empty else _moment(relations.log_start, relations.date_only),
        ends="" if empty else _moment(relations.log_end, relations.date_only),
        landmark=outcome.population.landmark,
        with_outcome=outcome.population.mature,
        base_rate=outcome.population.base_rate,
        shortfall=ranking.shortfall(outcome.population, outcome.summary) or "",
        accounts_derived=relations.accounts_derived,
        signup_from=relations.signup_from,
        recognised=relations.recognised,
        events=profiles,
        properties=_properties(first, users),
        aliases=aliases,
        choices=choices,
        settings=suggest.suggested_settings(relations.spec, relations.layout, relations.accounts_derived, choices),
        quality=quality,
    )


def _is_asked(asked: StudySpec) -> bool:
    return bool({"by_day", "active_days"} & asked.outcome.model_fields_set)


def _kind(relations: Relations, asked: StudySpec) -> tuple[Choice, ...]:
    """Return the question what staying means, with the answers that the columns allow."""
    kind = relations.spec.outcome.kind or "retained"
    if asked.outcome.kind:
        return ()
    conversions = bool((relations.accounts.converted != UNKNOWN_TIME).any())
    possible: list[Literal["retained", "active", "converted"]] = ["retained"] if relations.has_departures else []
    possible += ["active", *(["converted"] if conversions else [])]  # type: ignore[list-item]
    return (suggest.kind_choice(kind, possible, relations.churn_is_silence),)


def _horizons(relations: Relations, asked: StudySpec) -> tuple[tuple[suggest.Horizon, ...], suggest.Horizon]:
    kind = relations.spec.outcome.kind or "retained"
    found = []
    for days in suggest.horizons_of(kind, relations.spec, _is_asked(asked)):
        flow = _outcome_of(relations, days).population
        found.append(suggest.Horizon(days=days, landmark=flow.landmark, known=flow.mature, stayed=flow.retained))
    return tuple(found), suggest.chosen_horizon(kind, found)


def _outcome_of(relations: Relations, days: int | tuple[int, int]) -> Outcome:
    """Read the outcome as if these days had been asked for."""
    key = "active_days" if isinstance(days, tuple) else "by_day"
    asked = relations.spec.outcome.model_copy(update={key: days})
    spec = relations.spec.model_copy(update={"outcome": asked})
    lives = lifetimes(dataclasses.replace(relations, spec=spec))
    return read_outcome(lives, asked, window_days=spec.candidates.window_days)


def _events(
    relations: Relations, outcome: Outcome, counted: tuple[EventCount, ...], asked: StudySpec
) -> tuple[EventProfile, ...]:
    """Measure every event inside the observation window, and guess its kind."""
    window = relations.spec.candidates.window_days * Day
    measured = exposure.measure(
        relations.engine, relations.events_table, relations.accounts_table, len(relations.accounts), (window,), window
    )
    at_signup = exposure.events_at_signup(measured, outcome.positions, Day if relations.date_only else FIVE_MINUTES)
    apart = events_apart(relations, outcome, measured)
    total = sum(each.rows for each in counted)
    days = {event: measured.first_lags(event, outcome.positions) for event in measured.events}
    seen = []
    for each in counted:
        first = days.get(each.event, np.full(len(outcome.positions), np.inf))
        did = np.isfinite(first)
        seen.append(
            suggest.SeenEvent(
                event=each.event,
                share=each.rows / total,
                reach=float(did.mean()) if len(did) else 0.0,
                median_hours=24 * float(np.median(first[did])) if did.any() else None,
                rows_per_account=each.rows_per_account,
                users_per_account=each.users_per_account,
                shared=each.shared,
                at_signup=each.event in at_signup,
                apart=apart.get(each.event),
            )
        )
    guesses = suggest.guess_kinds(
        seen, {each.event: cast("EventKind | None", asked.kinds.of(each.event)) for each in counted}
    )
    return tuple(_profiled(count, each, guesses) for count, each in zip(counted, seen, strict=True))


def _profiled(count: EventCount, seen: suggest.SeenEvent, guesses: Mapping[str, Any]) -> EventProfile:
    guess = guesses[seen.event]
    return EventProfile(
        event=seen.event,
        rows=count.rows,
        share=seen.share,
        accounts=count.accounts,
        users=count.users,
        reach=seen.reach,
        median_hours=seen.median_hours,
        users_per_account=seen.users_per_account,
        rows_per_account=seen.rows_per_account,
        at_signup=seen.at_signup,
        kind=guess.kind,
        passive=guess.passive,
        sure=guess.sure,
        reason=guess.reason,
    )


def _aliases(relations: Relations, counted: tuple[EventCount, ...]) -> tuple[AliasSuggestion, ...]:
    spellings = [suggest.Spelling(name=e.event, rows=e.rows, first=e.first, last=e.last) for e in counted]
    return suggest.suggested_aliases(spellings, lambda name, other: together(relations, name, other))


def _of_aliases(aliases: tuple[AliasSuggestion, ...], asked: StudySpec) -> tuple[Choice, ...]:
    choice = suggest.alias_choice(aliases, asked.events.aliases)
    return () if choice is None else (choice,)


def _traits(relations: Relations) -> suggest.Traits:
    seats = seat_columns(relations)
    taken = relations.spec.accounts.segments or ()
    left_out = tuple(c.column for c in relations.recognised if may_be_trait(c) and c.column is not None)
    return suggest.Traits(
        taken=taken,
        possible=tuple(column for column in left_out if column not in seats),
        seats=seats,
        seats_taken=relations.spec.accounts.seats,
        first_told=relations.accounts_derived and relations.layout != "table",
    )


def _reading(
    relations: Relations, asked: StudySpec, first: FirstRows, counted: tuple[EventCount, ...]
) -> tuple[Choice, ...]:
    known = max(len(relations.accounts), 1)
    columns = [
        suggest.AccountColumn(column=c.column, different=c.different, known=c.known) for c in first.account_columns
    ]
    return suggest.reading_choices(
        suggest.Reading(
            asked=asked,
            run=relations.spec,
            derived=relations.accounts_derived,
            signup_from=relations.signup_from,
            zoneless="" if relations.date_only else first.zoneless,
            account_columns=columns,
            signup_events=[(e.event, min(e.accounts / known, 1.0)) for e in counted if suggest.is_signup(e.event)],
        )
    )


def _properties(first: FirstRows, users: UserCount) -> tuple[PropertyProfile, ...]:
    found = [
        suggest.property_profile(
            suggest.SeenProperty(
                name=look.name,
                holds=look.holds,
                filled=look.filled,
                distinct=look.distinct,
                examples=look.examples,
                of_account=ranking.is_trait(look.several, look.same, look.commonest),
            )
        )
        for look in first.properties
    ]
    if users.shared > 0:
        found.insert(0, suggest.by_other_profile(users.named, users.shared))
    return tuple(sorted(found, key=lambda each: not each.suggested))


def _moment(micros: int, date_only: bool) -> str:
    time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    return f"{time:%Y-%m-%d}" if date_only else time.isoformat(timespec="seconds")
