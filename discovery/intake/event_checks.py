"""Checks of the events: what could not be read, what repeats, what belongs to no account."""

from __future__ import annotations

from collections.abc import Iterator

from discovery.engines.expressions import quoted
from discovery.intake.checked import Checked, finding
from discovery.intake.identity_checks import FEW_WITHOUT_ACCOUNT
from discovery.intake.wording import counted, percent
from discovery.results import QualityFinding
from discovery.spec import Day

_ISO = "Export times as ISO 8601 (2024-03-31T14:05:00Z) or as seconds since 1970"
_FILL = "Fill the column in the export, or check that the right column is named in the spec."
_REMEDIES = {
    "missing_account": "Nothing to do if these are visitors who never joined an account. Otherwise fill the column in "
    "the export, check that events.account names the right one, or say whose the users are with identity.from."
}
_PARTS = 16
_MANY = 10_000_000
"""A larger log is judged by the accounts of one part in sixteen."""
_FEW_REPEATED = 0.05


def event_findings(checked: Checked) -> Iterator[QualityFinding]:
    """Yield what is wrong with the events."""
    yield from _unreadable_rows(checked)
    yield from _format(checked)
    yield from guessed_encoding(checked)
    yield from _blank_rows(checked)
    yield from _unusable_rows(checked)
    yield from _times(checked)
    yield from _duplicates(checked)
    yield from _accounts_of_events(checked)
    if checked.events.date_only:
        yield finding(
            "date_only_time",
            "info",
            "The events carry dates without a time of day, so windows mean calendar days and the order of events "
            "within a day is unknown.",
            count=checked.events.usable_rows,
            of=checked.events.usable_rows,
            examples=(),
            remedy="If times of day exist, export them; first days are then told apart to the hour.",
        )


def _unreadable_rows(checked: Checked) -> Iterator[QualityFinding]:
    events, roster = checked.events, checked.roster
    sides = (
        ("events", events.rows_unread, events.rows_read, events.examples_unread),
        ("accounts", checked.account_losses[0], roster.rows + checked.account_losses[0], checked.account_losses[1]),
    )
    for side, lost, rows, examples in sides:
        if lost:
            yield finding(
                "unreadable_rows",
                "error" if lost > rows / 2 else "warning",
                f"{counted(lost, 'line')} of the {side} could not be read and {_is(lost)} left out: the number of "
                "fields, a quote or the encoding is wrong.",
                count=lost,
                of=rows,
                examples=examples,
                remedy=f"Export the {side} again as UTF-8, with quotes around values that hold the separator.",
            )


def _format(checked: Checked) -> Iterator[QualityFinding]:
    layout = checked.layout
    if layout is not None and not layout.like_it:
        yield finding(
            "format_not_recognised",
            "warning",
            f"The spec says that the events are an export of {checked.tool}, and they do not look like one: what "
            "that tool tells of accounts, users and corrected times is then missed.",
            count=checked.events.rows_read,
            of=checked.events.rows_read,
            examples=(),
            remedy='Set events.format = "auto", or "table" for a plain table, unless you know better.',
        )


def guessed_encoding(checked: Checked) -> Iterator[QualityFinding]:
    """Yield the files that are not UTF-8."""
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


def _blank_rows(checked: Checked) -> Iterator[QualityFinding]:
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
                remedy="Nothing to do; spreadsheets export empty rows below their data.",
            )


def names_not_in_log(checked: Checked) -> Iterator[QualityFinding]:
    """Yield the names in the spec that never occur in the data."""
    spec, said = checked.spec, checked.spec.events
    if not checked.events.usable_rows:
        return
    studied = (*spec.outcome.activity, *spec.outcome.passive, *(n for _, names in spec.kinds for n in names))
    spellings = (spelling for listed in said.aliases.values() for spelling in listed)
    patterns = (*spellings, *said.leave_out, *said.leave_out_users, *spec.accounts.leave_out)
    named = dict.fromkeys((*studied, *patterns))
    absent = [name for name in dict.fromkeys(studied) if name not in checked.names]
    absent += [name for name in (*checked.events.absent, *checked.roster.absent) if name not in absent]
    if absent:
        yield finding(
            "names_not_in_log",
            "warning",
            f"{len(absent)} of {counted(len(named), 'name')} in the spec never {_occurs(len(absent))} in the data.",
            count=len(absent),
            of=len(named),
            examples=absent,
            remedy="Write them in outcome.activity, outcome.passive, kinds, aliases and leave_out (of events and of "
            "accounts) as the data do; case and spaces matter.",
        )


def _unusable_rows(checked: Checked) -> Iterator[QualityFinding]:
    events = checked.events
    cases = (
        ("missing_account", events.missing_account, "no account id", "account_id IS NULL", "event"),
        ("missing_event_name", events.missing_event, "no event name", "event IS NULL", "account_id"),
        ("missing_time", events.missing_time, "no time", "t IS NULL AND unread IS NULL", "event"),
    )
    typed = events.coding.with_account_ids(quoted(events.typed))
    for code, count, lacking, where, shown in cases:
        if code == "missing_account" and events.has_members:
            continue
        visitors = code == "missing_account" and count < FEW_WITHOUT_ACCOUNT * events.rows
        if count:
            yield finding(
                code,
                "info" if visitors else "warning",
                f"{counted(count, 'event')} {_has(count)} {lacking} ({percent(count / events.rows)}) and {_is(count)} "
                "left out.",
                count=count,
                of=events.rows,
                examples=checked.first(shown, typed, f"{where} AND passed_over IS NULL"),
                remedy=_REMEDIES.get(code, _FILL),
                names_accounts=shown == "account_id",
            )


def _times(checked: Checked) -> Iterator[QualityFinding]:
    events, spec = checked.events, checked.spec.events
    if events.unreadable_time:
        filled = events.rows - events.missing_time
        most = events.unreadable_time > filled / 2
        yield finding(
            "unreadable_time",
            "error" if most else "warning",
            f"{counted(events.unreadable_time, 'event')} ({percent(events.unreadable_time / events.rows)}) have a "
            f"{spec.time!r} that does not read as a time and are left out.",
            count=events.unreadable_time,
            of=events.rows,
            examples=checked.first("unread", quoted(events.typed), "unread IS NOT NULL AND passed_over IS NULL"),
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


def _duplicates(checked: Checked) -> Iterator[QualityFinding]:
    events, spec = checked.events, checked.spec.events
    dropped = events.duplicates_dropped
    if events.by_id:
        if dropped:
            yield finding(
                "duplicate_ids",
                "info" if checked.tool or dropped < _FEW_REPEATED * events.rows_read else "warning",
                f"{counted(dropped, 'event')} ({percent(dropped / events.rows_read)}) repeat the {spec.id!r} of an "
                "earlier row and are left out; the earliest row of each id is kept.",
                count=dropped,
                of=events.rows_read,
                examples=(),
                remedy=f"Nothing to do if the export repeats rows. If {spec.id!r} is not the id of a row, set "
                "events.duplicates = 'keep'.",
            )
        return
    if spec.duplicates == "exact":
        repeated, treated = dropped, "are left out, as events.duplicates = 'exact' asks"
    else:
        repeated, treated = _repeated(checked), "are kept, because no column holds the row's own id"
        treated = treated if spec.duplicates == "by_id" else "are kept, as events.duplicates = 'keep' asks"
    if repeated:
        usual = " With dates alone this is to be expected." if events.date_only else ""
        if _parts(checked) > 1:
            usual = f"{usual} This is judged by the accounts of one part in {_PARTS}."
        yield finding(
            "duplicate_rows",
            "info" if events.date_only or spec.duplicates != "by_id" else "warning",
            f"{counted(repeated, 'event')} ({percent(repeated / events.rows)}) are the same as another in account, "
            f"user, event and time; they {treated}.{usual}",
            count=repeated,
            of=events.rows,
            examples=(),
            remedy="Name the column that holds each row's id in events.id, or set events.duplicates = 'exact' if "
            "repeated rows are an accident.",
        )


def _repeated(checked: Checked) -> int:
    events, parts = checked.events, _parts(checked)
    part = f" WHERE hash(account_id) % {parts} = 0" if parts > 1 else ""
    found = checked.engine.rows(
        "SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n "
        f"FROM {quoted(events.usable)}{part} GROUP BY account_id, event, user_id, t)"
    )
    return int(found[0][0]) * parts


def _parts(checked: Checked) -> int:
    """Return how many times more rows there are than those in which repeated ones are looked for."""
    exact = checked.spec.events.duplicates == "exact"
    return _PARTS if checked.events.usable_rows > _MANY and not exact else 1


def _accounts_of_events(checked: Checked) -> Iterator[QualityFinding]:
    events, roster = checked.events, checked.roster
    if not events.usable_rows:
        return
    known = checked.known("p.account_key")
    unknown, begun_early = checked.engine.rows(
        f"SELECT coalesce(sum(CASE WHEN NOT {known} THEN n END), 0), count_if(p.first < a.signup) "
        f"FROM {checked.pairs} p LEFT JOIN {quoted(roster.table)} a ON p.account_key = a.account_id"
    )[0]
    if unknown == events.usable_rows:
        yield _nothing_in_common(checked)
    elif unknown:
        yield finding(
            "unknown_accounts",
            "warning",
            f"{counted(unknown, 'event')} ({percent(unknown / events.usable_rows)}) belong to an account that is not "
            "in accounts, and are not used.",
            count=unknown,
            of=events.usable_rows,
            examples=checked.first("p.account_id", f"{checked.pairs} p", f"NOT {known}"),
            remedy="Export the missing accounts too, or check that both files name accounts by the same id."
            + _near(checked),
            names_accounts=True,
        )
    if begun_early:
        yield _before_signup(checked, events.usable_rows - int(unknown))


def _before_signup(checked: Checked, known: int) -> QualityFinding:
    signups = f"JOIN {quoted(checked.roster.table)} a ON account_key = a.account_id"
    early, within = checked.engine.rows(
        f"SELECT count(*), count_if(t > signup - {Day}) FROM {quoted(checked.events.usable)} e "
        f"JOIN {quoted(checked.roster.table)} a ON e.account_id = a.account_id WHERE t < signup"
    )[0]
    near = f" ({counted(within, 'of them', 'of them')} by less than a day)" if within else ""
    return finding(
        "events_before_signup",
        "warning",
        f"{counted(early, 'event')} ({percent(early / known)}) happened before the account's signup{near}; they "
        "count neither as early behaviour nor as activity.",
        count=early,
        of=known,
        examples=checked.first("p.account_id", f"{checked.pairs} p {signups}", "p.first < signup"),
        remedy="Check that the signup column holds the moment the account began, and that events.timezone is the "
        "zone of the times.",
        names_accounts=True,
    )


def _nothing_in_common(checked: Checked) -> QualityFinding:
    roster = checked.roster
    here = checked.first("account_id", checked.pairs, "true")[:2]
    there = checked.first("account_id", quoted(roster.typed), "true")[:2]
    return finding(
        "unknown_accounts",
        "error",
        f"No account id of the events ({checked.spec.events.account!r}: {', '.join(here)}, …) is among those of the "
        f"accounts ({checked.spec.accounts.account!r}: {', '.join(there)}, …).",
        count=checked.events.usable_rows,
        of=checked.events.usable_rows,
        examples=(*(f"events: {key}" for key in here), *(f"accounts: {key}" for key in there)),
        remedy="Name the columns that hold the same id on both sides: --set events.account=COLUMN and "
        f"--set accounts.account=COLUMN.{_near(checked)}",
        names_accounts=True,
    )


def _near(checked: Checked) -> str:
    """Say how many unknown ids would be known if they were written alike."""
    alike = "ltrim(lower(trim(account_id)), '0')"
    known = f"SELECT account_id FROM {quoted(checked.roster.typed)} WHERE account_id IS NOT NULL"
    unknown, near = checked.engine.rows(
        f"SELECT count(*), count_if({alike} IN (SELECT {alike} FROM ({known}))) FROM "
        f"(SELECT DISTINCT account_id FROM {checked.pairs}) WHERE account_id NOT IN ({known})"
    )[0]
    if not near:
        return ""
    return f" {near:,} of the {counted(unknown, 'unknown id')} would match but for case, spaces or leading zeros."


def _occurs(count: int) -> str:
    return "occurs" if count == 1 else "occur"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _has(count: int) -> str:
    return "has" if count == 1 else "have"
