"""Checks of the accounts: repeated ones, missing and impossible dates, segments that say nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from discovery.engines.expressions import quoted
from discovery.intake.checked import SHOWN, Checked, finding
from discovery.intake.relations import UNKNOWN_TIME
from discovery.intake.wording import counted, moment, percent
from discovery.results import QualityFinding
from discovery.spec import Day

_WEEK = 7 * Day
_BY_DEFAULT = {
    "retained": "did nothing, or stayed",
    "converted": "did nothing, or never converted",
    "active": "did nothing",
}
_ISO = "Export dates as ISO 8601 (2024-03-31): dates such as 03/04/2024 are not guessed at."


def account_findings(checked: Checked) -> Iterator[QualityFinding]:
    """Yield what is wrong with the accounts."""
    yield from _repeated(checked)
    yield from _signups(checked)
    yield from _unread_dates(checked)
    yield from _outside_the_log(checked)
    yield from _own_end(checked)
    yield from _without_events(checked)
    yield from _assignments(checked)


def _repeated(checked: Checked) -> Iterator[QualityFinding]:
    roster, of = checked.roster, len(checked.roster.accounts)
    if roster.without_id:
        yield finding(
            "accounts_without_id",
            "warning",
            f"{counted(roster.without_id, 'row')} of the accounts without an account id {_is(roster.without_id)} left "
            "out.",
            count=roster.without_id,
            of=roster.rows,
            examples=(),
            remedy="Fill the account id in the export.",
        )
    if roster.conflicting:
        count = len(roster.conflicting)
        yield finding(
            "duplicate_accounts",
            "error",
            f"{counted(count, 'account')} ({percent(count / of)}) stand in several rows that disagree about the signup "
            "or the time of leaving.",
            count=count,
            of=of,
            examples=roster.conflicting[:SHOWN],
            remedy="Export one row per account, or name the column that is unique: --set accounts.account=COLUMN.",
            names_accounts=True,
        )
    elif roster.repeated:
        yield finding(
            "duplicate_accounts",
            "warning",
            f"{counted(roster.repeated, 'account')} ({percent(roster.repeated / of)}) stand in several rows; one row "
            "of each is used.",
            count=roster.repeated,
            of=of,
            examples=roster.examples_repeated,
            remedy="Export one row per account.",
            names_accounts=True,
        )


def _signups(checked: Checked) -> Iterator[QualityFinding]:
    accounts, column = checked.roster.accounts, checked.spec.accounts.signup
    unread = checked.roster.unread["signup"]
    bare = accounts.signup == UNKNOWN_TIME
    missing = max(int(bare.sum()) - unread[0], 0)
    if unread[0]:
        yield finding(
            "unreadable_signup",
            "warning",
            f"{counted(unread[0], 'account')} have a signup ({column!r}) that does not read as a time and cannot be "
            "used.",
            count=unread[0],
            of=len(accounts),
            examples=unread[1],
            remedy=_ISO,
        )
    if missing:
        where = "signup IS NULL AND unread_signup IS NULL"
        yield finding(
            "missing_signup",
            "warning",
            f"{counted(missing, 'account')} ({percent(missing / len(accounts))}) have no signup and cannot be used.",
            count=missing,
            of=len(accounts),
            examples=checked.first("account_id", quoted(checked.roster.typed), where),
            remedy=f"Fill {column!r} in the export.",
            names_accounts=True,
        )
    if bool(bare.all()):
        yield finding(
            "no_usable_signup",
            "error",
            f"None of the {counted(len(accounts), 'account')} has a signup that can be used.",
            count=len(accounts),
            of=len(accounts),
            examples=unread[1],
            remedy=f"{_ISO} Or name another column: --set accounts.signup=COLUMN.",
        )


def _unread_dates(checked: Checked) -> Iterator[QualityFinding]:
    meant = {"churned": "count as not having left", "converted": "count as not having converted"}
    for role, (count, examples) in checked.roster.unread.items():
        if role == "signup" or not count:
            continue
        column = getattr(checked.spec.accounts, role)
        yield finding(
            f"unreadable_{role}",
            "warning",
            f"{counted(count, 'account')} have a {column!r} that does not read as a time; they "
            f"{meant.get(role, 'are observed until the last event of the log')}.",
            count=count,
            of=len(checked.roster.accounts),
            examples=examples,
            remedy=_ISO,
        )


def _outside_the_log(checked: Checked) -> Iterator[QualityFinding]:
    accounts, events = checked.roster.accounts, checked.events
    known = accounts.signup != UNKNOWN_TIME
    if events.start is not None and events.end is not None:
        first_day = events.start - events.start % Day
        yield from _some_accounts(
            checked,
            known & (accounts.signup > events.end),
            "signups_after_log",
            "warning",
            f"signed up after the last event of the log ({moment(events.end)}), so nothing is known about them",
            "Export the events up to the same day as the accounts.",
        )
        yield from _some_accounts(
            checked,
            known & (accounts.signup < first_day),
            "signups_before_log",
            "info",
            f"signed up before the first day of the log ({moment(first_day)}); their first days are not in it, so "
            "they are not studied",
            "Export older events if there are any.",
        )
    yield from _some_accounts(
        checked,
        known & (accounts.churned != UNKNOWN_TIME) & (accounts.churned < accounts.signup),
        "churn_before_signup",
        "warning",
        "left before they signed up, by their dates",
        "Check both dates; for an account that came back, export its latest signup and leaving together.",
    )


def _own_end(checked: Checked) -> Iterator[QualityFinding]:
    """Yield that `observed_until` says when an account left or fell silent, not when one stopped looking."""
    own, column = checked.roster.own_end, checked.spec.accounts.observed_until
    if own is None:
        return
    count = int(own.same.sum())
    code, those, repeated = {
        "churn date": ("observed_until_is_churn", "accounts that left", "day they left"),
        "last event": ("observed_until_is_last_event", "accounts with events", "time of their last event"),
    }[own.what]
    yield finding(
        code,
        "warning",
        f"In {count:,} of {own.of:,} {those} {str(column)!r} is the {repeated}, not the day up to which they were "
        "observed: those that left would never be observed long enough to count. It is not used; all accounts are "
        "taken to be observed until the last event of the log.",
        count=count,
        of=own.of,
        examples=checked.roster.accounts.account_id[own.same][:SHOWN],
        remedy="Set accounts.observed_until to the day of the export, as in 2024-03-31; an account that left was "
        "observed until then too.",
        names_accounts=True,
    )


def observed_past_log(checked: Checked) -> Iterator[QualityFinding]:
    """Yield accounts said to be observed long after the data end, if their first days or outcome lie there."""
    accounts, spec, end = checked.roster.accounts, checked.spec, checked.events.end
    late = (accounts.signup != UNKNOWN_TIME) & ~accounts.excluded
    if end is None or not (late & (accounts.observed_until > end + _WEEK)).any():
        return
    quiet = max(_WEEK, 2 * _longest_silence(checked))
    late &= accounts.observed_until > end + quiet
    told = {"retained": accounts.churned, "converted": accounts.converted}.get(spec.outcome.kind)
    dated = told is not None and not (checked.silence and spec.outcome.kind == "retained")
    last = max(end, int(told.max())) if dated and told is not None else end
    days = spec.outcome.active_days[1] if spec.outcome.kind == "active" else spec.outcome.by_day
    unseen_start = accounts.signup + spec.candidates.window_days * Day > end
    unseen_outcome = (accounts.signup + days * Day > last) & (accounts.observed_until > last + quiet)
    yield from _some_accounts(
        checked,
        late & (accounts.signup <= end) & (unseen_start | unseen_outcome),
        "observed_past_log",
        "warning",
        f"are said to be observed for up to {counted(int(accounts.observed_until.max() - end) // Day, 'day')} after "
        f"the last event of the log ({moment(end)}), and their first days or their outcome lie in that time; they look "
        f"as if they {_BY_DEFAULT[spec.outcome.kind]}",
        "Export events and outcomes up to the day that accounts are observed to, or set accounts.observed_until to the "
        "day of the export.",
    )


def _longest_silence(checked: Checked) -> int:
    """Return the longest time between two days of the log that have events."""
    longest = checked.engine.rows(
        f"SELECT max(day - before) FROM (SELECT day, lag(day) OVER (ORDER BY day) AS before FROM "
        f"(SELECT DISTINCT t // {Day} AS day FROM {quoted(checked.events.usable)} "
        f"WHERE t BETWEEN {checked.events.start} AND {checked.events.end}))"
    )[0][0]
    return int(longest or 0) * Day


def _without_events(checked: Checked) -> Iterator[QualityFinding]:
    if not checked.events.usable_rows:
        return
    yield from _some_accounts(
        checked,
        checked.silent_accounts,
        "accounts_without_events",
        "info",
        "have no event at all; they count as accounts that did nothing",
        "Nothing to do if they really did nothing; otherwise check that both files name accounts by the same id.",
    )


def constant_segments(checked: Checked) -> Iterator[QualityFinding]:
    """Yield the segments that are the same in every account."""
    for column, values in checked.roster.accounts.segments.items():
        known = sorted({str(value) for value in values if value is not None})
        if len(known) < 2:
            yield finding(
                "constant_segment",
                "warning",
                f"The segment {column!r} has one value in every account, so it tells nothing apart."
                if known
                else f"No account has a value of the segment {column!r}, so it tells nothing apart.",
                count=len(values),
                of=len(values),
                examples=known,
                remedy="Leave it out of accounts.segments, or export its values.",
            )


def unusable_seats(checked: Checked) -> Iterator[QualityFinding]:
    """Yield that seats are no number above zero."""
    count, examples = checked.roster.unusable_seats
    if count:
        yield finding(
            "unusable_seats",
            "warning",
            f"{counted(count, 'account')} {'has' if count == 1 else 'have'} {checked.spec.accounts.seats!r} that "
            f"{'is' if count == 1 else 'are'} no number above zero; {'it counts' if count == 1 else 'they count'} as "
            "unknown.",
            count=count,
            of=len(checked.roster.accounts),
            examples=examples,
            remedy="Export the number of seats at signup, and leave it empty where it is not known.",
        )


def _assignments(checked: Checked) -> Iterator[QualityFinding]:
    of = len(checked.roster.accounts)
    for column, values in checked.roster.accounts.assignments.items():
        crossed = checked.roster.crossed[column]
        if crossed:
            yield finding(
                "several_variants",
                "warning",
                f"{counted(len(crossed), 'account')} ({percent(len(crossed) / of)}) stand in several rows with "
                f"different variants of {column!r}; they are left out of that test.",
                count=len(crossed),
                of=of,
                examples=crossed[:SHOWN],
                remedy="Export the variant that each account was first assigned.",
                names_accounts=True,
            )
        variants = sorted({str(value) for value in values if value is not None})
        if len(variants) < 2:
            yield finding(
                "one_variant",
                "warning",
                f"The assignment column {column!r} has one variant in every account, so there is nothing to compare."
                if variants
                else f"No account has a variant in the assignment column {column!r}, so there is nothing to compare.",
                count=of,
                of=of,
                examples=variants,
                remedy="Name the column that holds both the control and the variant, or leave the test out.",
            )


def _some_accounts(
    checked: Checked, which: NDArray[np.bool_], code: str, severity: str, what: str, remedy: str
) -> Iterator[QualityFinding]:
    count, of = int(which.sum()), len(which)
    if not count:
        return
    yield finding(
        code,
        "warning" if severity == "warning" else "info",
        f"{counted(count, 'account')} ({percent(count / of)}) {what}.",
        count=count,
        of=of,
        examples=checked.roster.accounts.account_id[which][:SHOWN],
        remedy=remedy,
        names_accounts=True,
    )


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
