"""The checks of events that stay where they are: those that aggregates answer, in the words of the others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from discovery.intake.account_checks import account_findings, observed_past_log
from discovery.intake.checked import SHOWN, Checked, finding
from discovery.intake.coverage_checks import coverage_findings
from discovery.intake.event_checks import names_not_in_log
from discovery.intake.identity_checks import FEW_WITHOUT_ACCOUNT
from discovery.intake.outcome_checks import churn_is_silence, outcome_findings
from discovery.intake.rules import rules_checked
from discovery.intake.span import APART
from discovery.intake.warehouse.rows import TypedEvents
from discovery.intake.warehouse.summary import Cube, Lives
from discovery.intake.wording import counted, moment, percent
from discovery.results import QualityFinding, RuleChecked
from discovery.spec import Day

_ENOUGH, _MOST = 100, 0.5
_AT_MIDNIGHT, _ON_THE_HOUR, _ON_THE_MINUTE = 0.2, 0.5, 0.9
_ORDER = {"error": 0, "warning": 1, "info": 2}
_ISO = "Store times as a timestamp, or as ISO 8601 text (2024-03-31T14:05:00Z)"
_NOT_ASKED = frozenset(
    (
        "aliases_applied",
        "tracking_starts",
        "tracking_stops",
        "tracking_gaps",
        "renamed_event",
        "volume_jump",
        "placeholder_account",
        "shared_user_id",
        "users_in_several_accounts",
        "account_is_user",
        "internal_users",
        "internal_accounts",
        "bot_like",
        "shifted_times",
        "late_events",
        "clock_skew",
    )
)
"""Rules that need more than aggregates of the events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was asked about the events over there.

    `unknown` counts the rows of accounts that are not among the known, `examples` are the first of these.
    """

    events: TypedEvents
    cube: Cube
    lives: Lives
    unknown: int
    examples: tuple[str, ...]


def checked_in_place(checked: Checked, seen: Seen) -> tuple[tuple[QualityFinding, ...], tuple[RuleChecked, ...]]:
    """Return every finding, errors first, and how the data stand to each rule."""
    checked.__dict__["names"] = seen.cube.names  # counted over there
    found = [*_of_events(checked, seen), *account_findings(checked), *outcome_findings(checked)]
    for further in (coverage_findings, names_not_in_log, observed_past_log, churn_is_silence):
        found += further(checked)
    given = rules_checked(checked, found)
    rules = tuple(_answered(rule, checked, seen) for rule in given)
    not_asked = sum(rule != before for rule, before in zip(rules, given, strict=True))
    checked.clear()
    found.append(_in_place(checked, seen, not_asked))
    return tuple(sorted(found, key=lambda each: _ORDER[each.severity])), rules


def _answered(rule: RuleChecked, checked: Checked, seen: Seen) -> RuleChecked:
    if rule.state != "passed" or not _is_not_asked(rule, checked):
        return rule
    where = seen.events.place.engine.dialect
    return replace(rule, state="not applicable", reason=f"the events stay in {where}, where this is not asked")


def _is_not_asked(rule: RuleChecked, checked: Checked) -> bool:
    return rule.code in _NOT_ASKED or (rule.code == "duplicate_rows" and checked.spec.events.duplicates != "exact")


def _of_events(checked: Checked, seen: Seen) -> Iterator[QualityFinding]:
    yield from _unread_accounts(checked)
    yield from _blank(checked)
    yield from _unusable(checked)
    yield from _repeated(checked)
    if checked.events.usable_rows:
        yield from _times(checked, seen)
        yield from _accounts(checked, seen)
        yield from _without_user(checked, seen)


def _in_place(checked: Checked, seen: Seen, not_asked: int) -> QualityFinding:
    rows = checked.events.rows_read
    return finding(
        "events_in_place",
        "info",
        f"The {counted(rows, 'event')} stay in {seen.events.place.label}; columns were recognised in a few rows, and "
        f"{counted(not_asked, 'rule')} that {'needs' if not_asked == 1 else 'need'} every row "
        f"{'was' if not_asked == 1 else 'were'} not checked.",
        count=not_asked,
        of=0,
        examples=(),
        remedy="To check everything, export some months as Parquet and run discover check on the files.",
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
    files = checked.guessed_encoding
    if files:
        yield finding(
            "guessed_encoding",
            "info",
            f"{counted(len(files), 'file')} {_is(len(files))} not UTF-8 and {_is(len(files))} read as Latin-1 "
            "(Windows-1252); letters beyond ASCII may be wrong.",
            count=len(files),
            of=0,
            examples=files,
            remedy="Export as UTF-8, in Excel as 'CSV UTF-8'.",
        )


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


def _unusable(checked: Checked) -> Iterator[QualityFinding]:
    events, spec = checked.events, checked.spec.events
    cases = (
        ("missing_account", events.missing_account, "no account id"),
        ("missing_event_name", events.missing_event, "no event name"),
        ("missing_time", events.missing_time, "no time"),
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


def _repeated(checked: Checked) -> Iterator[QualityFinding]:
    events, spec = checked.events, checked.spec.events
    dropped = events.duplicates_dropped
    if dropped and events.by_id:
        yield finding(
            "duplicate_ids",
            "info" if dropped < 0.05 * events.rows_read else "warning",
            f"{counted(dropped, 'event')} ({percent(dropped / events.rows_read)}) repeat the {spec.id!r} of an "
            "earlier row and are left out; the earliest row of each id is kept.",
            count=dropped,
            of=events.rows_read,
            examples=(),
            remedy=f"Nothing to do if the table repeats rows. If {spec.id!r} is not the id of a row, set "
            "events.duplicates = 'keep'.",
        )
    elif dropped:
        yield finding(
            "duplicate_rows",
            "info",
            f"{counted(dropped, 'event')} ({percent(dropped / events.rows)}) are the same as another in account, "
            "user, event and time; they are left out, as events.duplicates = 'exact' asks.",
            count=dropped,
            of=events.rows,
            examples=(),
            remedy="Name the column that holds each row's id in events.id.",
        )


def _times(checked: Checked, seen: Seen) -> Iterator[QualityFinding]:
    events, cube = checked.events, seen.cube
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
    elif rows >= _ENOUGH:
        yield from _rounded(cube, rows)
    now = time.time_ns() // 1000
    later = cube.numbers["last"] > now + Day
    count = int(cube.numbers["n"][later].sum())
    if count:
        yield finding(
            "future_events",
            "warning",
            f"{counted(count, 'event')} ({percent(count / rows)}) {'lies' if count == 1 else 'lie'} after today: the "
            "clock that wrote them was wrong.",
            count=count,
            of=rows,
            examples=[f"up to {moment(int(cube.numbers['last'].max()))}"],
            remedy="Name a time that the server wrote in events.time, check events.timezone, or leave these rows out "
            "in a view.",
        )
    if events.strays:
        yield finding(
            "stray_times",
            "warning",
            f"{counted(events.strays, 'event')} {'lies' if events.strays == 1 else 'lie'} {APART} days or more apart "
            f"from all others (which run from {moment(events.start or 0)} to {moment(events.end or 0)}); "
            f"{'it does' if events.strays == 1 else 'they do'} not set where the log begins or ends.",
            count=events.strays,
            of=rows,
            examples=events.examples_stray,
            remedy="Correct wrong dates, or leave these events out in a view. If they are right, set "
            "accounts.observed_until to the day of the last one.",
        )


def _rounded(cube: Cube, rows: int) -> Iterator[QualityFinding]:
    midnight = rows - cube.total("off_midnight")
    hour, minute = cube.total("on_hour"), cube.total("on_minute")
    if midnight >= _AT_MIDNIGHT * rows:
        count, what = midnight, "at midnight: they are dates without a time of day, among others that have one"
    elif hour >= _ON_THE_HOUR * rows:
        count, what = hour, "on the hour: what happens within an hour has no order"
    elif minute >= _ON_THE_MINUTE * rows:
        count, what = minute, "on the minute: what happens within a minute has no order"
    else:
        return
    yield finding(
        "round_times",
        "info" if "minute" in what else "warning",
        f"{counted(count, 'event')} ({percent(count / rows)}) {'lies' if count == 1 else 'lie'} exactly {what}.",
        count=count,
        of=rows,
        examples=(),
        remedy="Store times to the second if they exist. Otherwise the order of steps and times of a few hours are "
        "rough.",
    )


def _accounts(checked: Checked, seen: Seen) -> Iterator[QualityFinding]:
    rows, unknown = checked.events.usable_rows, seen.unknown
    if unknown == rows:
        there = [str(key) for key in checked.roster.accounts.account_id[:2]]
        yield finding(
            "unknown_accounts",
            "error",
            f"No account id of the events ({checked.spec.events.account!r}: {', '.join(seen.examples[:2])}, …) is "
            f"among those of the accounts ({checked.spec.accounts.account!r}: {', '.join(there)}, …).",
            count=rows,
            of=rows,
            examples=(*(f"events: {key}" for key in seen.examples[:2]), *(f"accounts: {key}" for key in there)),
            remedy="Name the columns that hold the same id on both sides: --set events.account=COLUMN and "
            "--set accounts.account=COLUMN.",
            names_accounts=True,
        )
        return
    if unknown:
        yield finding(
            "unknown_accounts",
            "warning",
            f"{counted(unknown, 'event')} ({percent(unknown / rows)}) belong to an account that is not in accounts, "
            "and are not used.",
            count=unknown,
            of=rows,
            examples=seen.examples,
            remedy="Give the missing accounts too, or check that both sides name accounts by the same id.",
            names_accounts=True,
        )
    early, almost = int(seen.lives.early.sum()), int(seen.lives.almost.sum())
    if early:
        near = f" ({counted(almost, 'of them', 'of them')} by less than a day)" if almost else ""
        accounts = checked.roster.accounts.account_id[seen.lives.account[seen.lives.early > 0]]
        yield finding(
            "events_before_signup",
            "warning",
            f"{counted(early, 'event')} ({percent(early / (rows - unknown))}) happened before the account's "
            f"signup{near}; they count neither as early behaviour nor as activity.",
            count=early,
            of=rows - unknown,
            examples=sorted(map(str, accounts))[:SHOWN],
            remedy="Check that the signup column holds the moment the account began, and that events.timezone is the "
            "zone of the times.",
            names_accounts=True,
        )


def _without_user(checked: Checked, seen: Seen) -> Iterator[QualityFinding]:
    rows = checked.events.usable_rows
    bare = rows - seen.cube.total("users")
    if bare and checked.events.has_users:
        yield finding(
            "events_without_user",
            "warning" if bare >= _MOST * rows else "info",
            f"{counted(bare, 'event')} ({percent(bare / rows)}) name no user, while others do: rules of the form "
            "'by 2 users' overlook them.",
            count=bare,
            of=rows,
            examples=(),
            remedy="Store the user of these events too, if somebody did them; what the system did by itself has none.",
        )


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _has(count: int) -> str:
    return "has" if count == 1 else "have"
