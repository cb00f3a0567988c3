"""Checks that need only counts of the events, for where these were counted elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from discovery.intake.checked import Checked, finding
from discovery.intake.event_checks import guessed_encoding
from discovery.intake.identity_checks import FEW_WITHOUT_ACCOUNT
from discovery.intake.span import APART
from discovery.intake.wording import counted, moment, percent
from discovery.results import QualityFinding

_ISO = "Store times as a timestamp, or as ISO 8601 text (2024-03-31T14:05:00Z)"


def lacking_findings(checked: Checked, no_time: str = "no time") -> Iterator[QualityFinding]:
    """Yield what cannot be read or used on both sides; `no_time` is what events have that are counted as without."""
    yield from _unread_accounts(checked)
    yield from _blank(checked)
    yield from _unusable(checked, no_time)


def span_findings(checked: Checked) -> Iterator[QualityFinding]:
    """Yield that times are dates, and that some lie far from all others."""
    yield from _dates(checked)
    yield from _strays(checked)


def unknown_accounts(checked: Checked, unknown: int, examples: Sequence[str] = ()) -> Iterator[QualityFinding]:
    """Yield that some of the events, though not all, belong to accounts that are not among the known."""
    rows = checked.events.usable_rows
    if unknown:
        yield finding(
            "unknown_accounts",
            "warning",
            f"{counted(unknown, 'event')} ({percent(unknown / rows)}) belong to an account that is not in accounts, "
            "and are not used.",
            count=unknown,
            of=rows,
            examples=examples,
            remedy="Give the missing accounts too, or check that both sides name accounts by the same id.",
            names_accounts=True,
        )


def _unread_accounts(checked: Checked) -> Iterator[QualityFinding]:
    lost, lines = checked.account_losses
    rows = checked.roster.rows + lost
    if lost:
        yield finding(
            "unreadable_rows",
            "error" if lost > rows / 2 else "warning",
            f"{counted(lost, 'line')} of the accounts could not be read and {_is(lost)} left out: the number of "
            "fields, a quote or the encoding is wrong.",
            count=lost,
            of=rows,
            examples=lines,
            remedy="Export the accounts again as UTF-8, with quotes around values that hold the separator.",
        )
    yield from guessed_encoding(checked)


def _blank(checked: Checked) -> Iterator[QualityFinding]:
    events, roster = checked.events, checked.roster
    for side, blank, rows in (("events", events.blank, events.rows_read), ("accounts", roster.blank, roster.rows)):
        if blank:
            yield finding(
                "blank_rows",
                "info",
                f"{counted(blank, 'row')} of the {side} {_has(blank)} nothing in {'it' if blank == 1 else 'them'} and "
                f"{_is(blank)} passed over.",
                count=blank,
                of=rows + blank,
                examples=(),
                remedy="Nothing to do.",
            )


def _unusable(checked: Checked, no_time: str) -> Iterator[QualityFinding]:
    events, spec = checked.events, checked.spec.events
    cases = (
        ("missing_account", events.missing_account, "no account id"),
        ("missing_event_name", events.missing_event, "no event name"),
        ("missing_time", events.missing_time, no_time),
    )
    for code, count, lacking in cases:
        if count:
            visitors = code == "missing_account" and count < FEW_WITHOUT_ACCOUNT * events.rows
            yield finding(
                code,
                "info" if visitors else "warning",
                f"{counted(count, 'event')} {_has(count)} {lacking} ({percent(count / events.rows)}) and {_is(count)} "
                "left out.",
                count=count,
                of=events.rows,
                examples=(),
                remedy="Nothing to do if these are visitors who never joined an account. Otherwise fill the column, or "
                "check that events.account names the right one."
                if code == "missing_account"
                else "Fill the column, or check that the right column is named in the spec.",
            )
    if events.unreadable_time:
        filled = events.rows - events.missing_time
        yield finding(
            "unreadable_time",
            "error" if events.unreadable_time > filled / 2 else "warning",
            f"{counted(events.unreadable_time, 'event')} ({percent(events.unreadable_time / events.rows)}) have a "
            f"{spec.time!r} that does not read as a time and are left out.",
            count=events.unreadable_time,
            of=events.rows,
            examples=(),
            remedy=f"{_ISO}: dates such as 03/04/2024 are not guessed at.",
        )
    if not events.usable_rows:
        yield finding(
            "no_usable_events",
            "error",
            f"None of the {counted(events.rows, 'event')} has an account id, an event name and a time that reads.",
            count=events.rows,
            of=events.rows,
            examples=(),
            remedy=f"{_ISO}, and check which columns are named in the spec.",
        )


def _dates(checked: Checked) -> Iterator[QualityFinding]:
    events = checked.events
    rows = events.usable_rows
    if events.date_only:
        yield finding(
            "date_only_time",
            "info",
            "The events carry dates without a time of day, so windows mean calendar days and the order of events "
            "within a day is unknown.",
            count=rows,
            of=rows,
            examples=(),
            remedy="If times of day exist, name their column; first days are then told apart to the hour.",
        )


def _strays(checked: Checked) -> Iterator[QualityFinding]:
    events = checked.events
    if events.strays:
        yield finding(
            "stray_times",
            "warning",
            f"{counted(events.strays, 'event')} {'lies' if events.strays == 1 else 'lie'} {APART} days or more apart "
            f"from all others (which run from {moment(events.start or 0)} to {moment(events.end or 0)}); "
            f"{'it does' if events.strays == 1 else 'they do'} not set where the log begins or ends.",
            count=events.strays,
            of=events.usable_rows,
            examples=events.examples_stray,
            remedy="Correct wrong dates, or leave these events out in a view. If they are right, set "
            "accounts.observed_until to the day of the last one.",
        )


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _has(count: int) -> str:
    return "has" if count == 1 else "have"
