"""The checks of events that stay where they are: those that aggregates answer, in the words of the others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from discovery.intake.account_checks import account_findings
from discovery.intake.checked import SHOWN, Checked, finding
from discovery.intake.checks import OF_THE_QUESTION, question_findings, worst_first
from discovery.intake.counted_checks import lacking_findings, span_findings, unknown_accounts
from discovery.intake.coverage_checks import coverage_findings
from discovery.intake.identity_checks import FEW_WITHOUT_USER
from discovery.intake.outcome_checks import outcome_findings
from discovery.intake.rules import rules_checked
from discovery.intake.traffic_checks import own_accounts
from discovery.intake.warehouse.rows import TypedEvents
from discovery.intake.warehouse.summary import Cube, Lives
from discovery.intake.wording import counted, moment, percent
from discovery.results import QualityFinding, RuleChecked
from discovery.spec import Day

_ENOUGH, _MOST = 100, 0.5
_AT_MIDNIGHT, _ON_THE_HOUR, _ON_THE_MINUTE = 0.2, 0.5, 0.9
_ASKED = frozenset(
    (
        *OF_THE_QUESTION,
        *("unreadable_rows", "guessed_encoding", "blank_rows", "missing_event_name", "no_usable_events"),
        *("duplicate_ids", "records_passed_over", "left_out"),
        *("missing_time", "unreadable_time", "date_only_time", "round_times", "stray_times", "future_events"),
        *("missing_account", "unknown_accounts", "events_without_user"),
        *("accounts_derived", "accounts_without_id", "duplicate_accounts", "missing_signup", "unreadable_signup"),
        *("no_usable_signup", "signups_before_log", "signups_after_log", "events_before_signup"),
        *("accounts_without_events", "low_coverage", "internal_accounts", "several_variants", "one_variant"),
        *("unreadable_churned", "churn_before_signup", "activity_after_churn", "unreadable_converted"),
        *("unreadable_observed_until", "observed_until_is_churn", "observed_until_is_last_event"),
        "near_duplicate_names",
    )
)
"""Rules that aggregates of the events answer, or the accounts; no other counts as passed."""


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
    found = [*_of_events(checked, seen)]
    for further in (account_findings, outcome_findings, coverage_findings, own_accounts, question_findings):
        found += further(checked)
    given = rules_checked(checked, found)
    rules = tuple(_answered(rule, checked, seen) for rule in given)
    not_asked = sum(rule != before for rule, before in zip(rules, given, strict=True))
    checked.clear()
    found.append(_in_place(checked, seen, not_asked))
    return worst_first(found), rules


def _answered(rule: RuleChecked, checked: Checked, seen: Seen) -> RuleChecked:
    if rule.state != "passed" or _is_asked(rule, checked):
        return rule
    where = seen.events.place.engine.dialect
    return replace(rule, state="not applicable", reason=f"the events stay in {where}, where this is not asked")


def _is_asked(rule: RuleChecked, checked: Checked) -> bool:
    return rule.code in _ASKED or (rule.code == "duplicate_rows" and checked.spec.events.duplicates == "exact")


def _of_events(checked: Checked, seen: Seen) -> Iterator[QualityFinding]:
    yield from lacking_findings(checked)
    yield from _repeated(checked)
    if checked.events.usable_rows:
        yield from _zone(checked, seen)
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


def _zone(checked: Checked, seen: Seen) -> Iterator[QualityFinding]:
    """Say that ClickHouse holds instants, so that the zone of the spec moves no event, but may move a signup."""
    name, zone = checked.time, checked.spec.events.timezone
    stored = seen.events.place.columns[name]
    if seen.events.dialect.name != "clickhouse" or "DateTime" not in stored or zone == "UTC" or f"'{zone}'" in stored:
        return
    roll, signup = checked.roll, ""
    if roll is not None and "signup" in roll.roles and roll.clock(roll.roles["signup"]).writing in ("naive", "text"):
        signup = f", but signup times that name no zone as those of a clock in {zone}"
    yield finding(
        "zone_not_applied",
        "warning",
        f"ClickHouse keeps instants in {name!r} ({stored}), so these are read as they are{signup}: events.timezone = "
        f"{zone!r} does not move them.",
        count=checked.events.usable_rows,
        of=checked.events.usable_rows,
        examples=(),
        remedy=f"Nothing to do if they are instants. If they show a clock in {zone}, make a view with "
        f"toDateTime64(toString({name}), 6, '{zone}') in its place, and name it in events.table.",
    )


def _times(checked: Checked, seen: Seen) -> Iterator[QualityFinding]:
    events, cube = checked.events, seen.cube
    rows = events.usable_rows
    if not events.date_only and rows >= _ENOUGH:
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
    yield from span_findings(checked)


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
    yield from unknown_accounts(checked, unknown, seen.examples)
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
    if bare >= FEW_WITHOUT_USER * rows and checked.events.has_users:
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
