"""How far events and accounts cover each other, and what was set aside on the way."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from discovery.intake.checked import Checked, aliases, finding, shortened
from discovery.intake.names import LEFT_OUT, USER_LEFT_OUT
from discovery.intake.relations import UNKNOWN_TIME
from discovery.intake.wording import counted, moment, percent
from discovery.naming import similar_names
from discovery.results import QualityFinding
from discovery.spec import FORMAT_NAMES, Day

_MOST = 0.5
_AT_THE_START = 14 * Day


def coverage_findings(checked: Checked) -> Iterator[QualityFinding]:
    """Yield what was passed over, renamed and derived, and whether most accounts have events."""
    yield from _passed_over(checked)
    yield from _renamed(checked)
    yield from _alike(checked)
    yield from _derived(checked)
    yield from _few_accounts_with_events(checked)


def _passed_over(checked: Checked) -> Iterator[QualityFinding]:
    events = checked.events
    asked = {kind: events.passed_over.get(kind, 0) for kind in (LEFT_OUT, USER_LEFT_OUT)}
    other = {kind: rows for kind, rows in events.passed_over.items() if kind not in asked and rows}
    if other:
        count = sum(other.values())
        yield finding(
            "records_passed_over",
            "info",
            f"{counted(count, 'record')} of the export {'is' if count == 1 else 'are'} no behaviour but tell who users "
            "and accounts are; they are read as such and count as no event.",
            count=count,
            of=events.rows_read,
            examples=[f"{shortened(kind, 40)} ({rows:,})" for kind, rows in _most_first(other)],
            remedy="Nothing to do.",
        )
    if sum(asked.values()):
        count = sum(asked.values())
        named = {"events.leave_out": asked[LEFT_OUT], "events.leave_out_users": asked[USER_LEFT_OUT]}
        yield finding(
            "left_out",
            "info",
            f"{counted(count, 'event')} ({percent(count / events.rows_read)}) {'is' if count == 1 else 'are'} left "
            "out, as the spec asks.",
            count=count,
            of=events.rows_read,
            examples=[f"{key} ({rows:,})" for key, rows in named.items() if rows],
            remedy="Nothing to do.",
        )


def _renamed(checked: Checked) -> Iterator[QualityFinding]:
    found = {spelling: rows for spelling, rows in checked.events.renamed.items() if rows}
    if found:
        count = sum(found.values())
        yield finding(
            "aliases_applied",
            "info",
            f"{counted(count, 'event')} in {counted(len(found), 'other spelling')} "
            f"{'is' if count == 1 else 'are'} counted under the name that events.aliases gives.",
            count=count,
            of=checked.events.rows,
            examples=[f"{shortened(spelling, 60)} ({rows:,})" for spelling, rows in _most_first(found)],
            remedy="Nothing to do.",
        )


def _alike(checked: Checked) -> Iterator[QualityFinding]:
    groups = similar_names(checked.names)
    spelled = [group.names for group in groups if group.likeness == "spelling"]
    worded = [group.names for group in groups if group.likeness == "wording"]
    if spelled:
        count = sum(map(len, spelled))
        yield finding(
            "near_duplicate_names",
            "warning",
            f"{count} of {counted(len(checked.names), 'event name')} differ from another only in case, spaces or "
            "punctuation: probably one event that is sent from several places, and counted apart.",
            count=count,
            of=len(checked.names),
            examples=[" = ".join(shortened(name, 40) for name in names) for names in spelled],
            remedy="If they are one event, give it one name in events.aliases; nothing is merged by itself.",
            paste=aliases((names[0], names[1:]) for names in spelled),
        )
    if worded:
        count = sum(map(len, worded))
        yield finding(
            "near_duplicate_names",
            "info",
            f"{count} of {counted(len(checked.names), 'event name')} differ from another only in the order, tense or "
            "number of their words: perhaps one event, perhaps two.",
            count=count,
            of=len(checked.names),
            examples=[" ~ ".join(shortened(name, 40) for name in names) for names in worded],
            remedy="Ask who sends them. If two are one event, give it one name in events.aliases.",
        )


def _derived(checked: Checked) -> Iterator[QualityFinding]:
    roster, start = checked.roster, checked.events.start
    if roster.signup_from == "table":
        return
    known = roster.accounts.signup[roster.accounts.signup != UNKNOWN_TIME]
    first = roster.signup_from == "first event"
    early = int(np.sum(known < start + _AT_THE_START)) if first and start is not None else 0
    said = (
        f"The {counted(len(roster.accounts), 'account')} {'is' if len(roster.accounts) == 1 else 'are'} read off the "
    )
    if first:
        said += (
            f"events: each is taken to have signed up with its first event. {counted(early, 'account')} "
            f"({percent(early / max(len(known), 1))}) begin within 14 days of the log's start"
            f"{'' if start is None else f' ({moment(start - start % Day)})'}: they may be old accounts that only seem "
            "new."
        )
    else:
        said += f"events; each signed up {_when(checked)}."
    yield finding(
        "accounts_derived",
        "warning" if first else "info",
        said,
        count=early if first else len(roster.accounts),
        of=len(known) if first else len(roster.accounts),
        examples=(),
        remedy="Export a table of accounts with the day each signed up, or name the event of signing up in "
        "accounts.signup_event."
        if first
        else "Nothing to do if that is when accounts signed up.",
    )


def _when(checked: Checked) -> str:
    """Say when derived accounts signed up, where it is not their first event."""
    asked, told = checked.spec.accounts, checked.roster.signup_from
    if told == "signup event":
        return f"at its first {asked.signup_event!r}"
    if told == "column":
        return f"when {asked.signup!r} says"
    groups = "entities" if told == "snowplow" else "groups"
    return f"when {FORMAT_NAMES.get(told, told)}'s {groups} say, or else at its first event"


def _few_accounts_with_events(checked: Checked) -> Iterator[QualityFinding]:
    accounts, end = checked.roster.accounts, checked.events.end
    if not checked.events.usable_rows or end is None:
        return
    studied = (accounts.signup != UNKNOWN_TIME) & ~accounts.excluded & (accounts.signup <= end)
    of, silent = int(studied.sum()), int((studied & checked.silent_accounts).sum())
    if of and silent > _MOST * of:
        yield finding(
            "low_coverage",
            "warning",
            f"{counted(silent, 'account')} ({percent(silent / of)}) of those that signed up before the log ends have "
            "no event at all: either most accounts never did anything, or the two files do not fit together.",
            count=silent,
            of=of,
            examples=accounts.account_id[studied & checked.silent_accounts][:5],
            remedy="Check that both files name accounts by the same id and cover the same time and products.",
            names_accounts=True,
        )


def _most_first(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
