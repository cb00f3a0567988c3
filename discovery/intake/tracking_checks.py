"""Events whose tracking seems to begin or end inside the log, and events far outside it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from discovery.intake.checked import Checked, finding
from discovery.intake.span import APART
from discovery.intake.sql import literal, quoted
from discovery.intake.wording import counted, moment
from discovery.results import QualityFinding
from discovery.spec import Day

_LONG = 0.1  # of the log's span
_EXPECTED = 10.0  # account-days: under a Poisson law none at all then has probability 0.00005
_SAMPLE = 5_000_000


def tracking_findings(checked: Checked) -> Iterator[QualityFinding]:
    """Yield the events that are absent from the start or the end of the log for longer than chance allows.

    An event is taken to have begun (or ended) where the silent part is at least a tenth of the log's
    span, and where at least ten of the account-days with the event would be expected there if they were
    spread over the log like all activity, and still if compared with the activity of accounts of the
    same age alone: events late in an account's life are rightly absent from a young log.
    """
    yield from _strays(checked)
    start, end = checked.events.start, checked.events.end
    if start is None or end is None or end - start < 10 * Day:
        return
    inside = f"t BETWEEN {start} AND {end}"
    first, last, names = _spans(checked, inside)
    days, total, per_event = _account_days(checked, start, names, inside)
    began, ended = [], []
    for i, name in enumerate(names):
        before, after = days < first[i] // Day - start // Day, days > last[i] // Day - start // Day
        per_activity = per_event[i] / total.sum()
        if first[i] - start >= _LONG * (end - start) and per_activity * total[before].sum() >= _EXPECTED:
            began.append((int(first[i]), name))
        if end - last[i] >= _LONG * (end - start) and per_activity * total[after].sum() >= _EXPECTED:
            ended.append((int(last[i]), name))
    began, ended = _confirmed(checked, began, "<"), _confirmed(checked, ended, ">")
    yield from _one(began, len(names), "tracking_starts", "first appear well into", "since")
    yield from _one(ended, len(names), "tracking_stops", "no longer appear well before the end of", "until")


def _strays(checked: Checked) -> Iterator[QualityFinding]:
    """Yield the few events that stand far apart from all others."""
    events = checked.events
    if not events.strays or events.start is None or events.end is None:
        return
    first, last = (moment(time - time % Day) for time in (events.start, events.end))
    yield finding(
        "stray_times",
        "warning",
        f"{counted(events.strays, 'event')} {'lies' if events.strays == 1 else 'lie'} {APART} days or more apart from "
        f"all others (which run from {first} to {last}); "
        f"{'it does' if events.strays == 1 else 'they do'} not set where the log begins or ends.",
        count=events.strays,
        of=events.usable_rows,
        examples=events.examples_stray,
        remedy="Correct wrong dates in the export, or leave these events out. If they are right, set "
        "accounts.observed_until to the day of the export.",
    )


def _confirmed(checked: Checked, suspects: list[tuple[int, str]], side: str) -> list[tuple[int, str]]:
    """Return those whose silence is surprising for accounts of the age at which the event happens."""
    if not suspects:
        return []
    aged = quoted(f"{checked.events.usable}_aged")
    parts = max(1, checked.events.usable_rows // _SAMPLE)
    some = f" AND hash(account_id) % {parts} = 0" if parts > 1 else ""
    where = f"FROM {checked.joined} WHERE t >= signup{some}"
    own_days = f"SELECT DISTINCT account, signup, (t - signup) // {Day} AS age {where}"
    checked.engine.execute(
        f"CREATE OR REPLACE TABLE {aged} AS SELECT age, signup + age * {Day} AS begun FROM ({own_days})"
    )
    kept = []
    for time, event in suspects:
        days, low, high = checked.engine.rows(
            f"SELECT count(*), quantile_cont(age, 0.05), quantile_cont(age, 0.95) "
            f"FROM ({own_days} AND event = {literal(event)})"
        )[0]
        if not days:
            continue
        # An account's day of age must lie in the silence as a whole: it reaches over two days of the calendar.
        beyond = f"begun > {time}" if side == ">" else f"begun + {Day} <= {time}"
        silent, all_days = checked.engine.rows(
            f"SELECT count_if({beyond}), count(*) FROM {aged} WHERE age BETWEEN {low} AND {high}"
        )[0]
        if days * silent >= _EXPECTED * max(all_days, 1):
            kept.append((time, event))
    checked.engine.execute(f"DROP TABLE {aged}")
    return kept


def _one(found: list[tuple[int, str]], of: int, code: str, what: str, word: str) -> Iterator[QualityFinding]:
    if found:
        yield finding(
            code,
            "warning",
            f"{len(found)} of {counted(of, 'event name')} {what} the log, although frequent otherwise: accounts of the "
            "other time could not do them, whatever they wanted.",
            count=len(found),
            of=of,
            examples=[f"{name} ({word} {moment(time // Day * Day)})" for time, name in sorted(found)],
            remedy="Check when tracking of these events began or ended, and study the accounts of that time alone, or "
            "leave these events out.",
        )


def _spans(checked: Checked, inside: str) -> tuple[NDArray[np.int64], NDArray[np.int64], list[str]]:
    rows = checked.engine.rows(
        f"SELECT event, min(t), max(t) FROM {quoted(checked.events.usable)} WHERE {inside} "
        "GROUP BY event ORDER BY event"
    )
    return (
        np.array([row[1] for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.int64),
        [str(row[0]) for row in rows],
    )


def _account_days(
    checked: Checked, start: int, names: list[str], inside: str
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the log's days, the account-days of activity on each, and each event's account-days."""
    parts = max(1, checked.events.usable_rows // _SAMPLE)
    some = f" AND hash(account_id) % {parts} = 0" if parts > 1 else ""
    rows = checked.engine.rows(
        f"SELECT event, day, count(*) FROM (SELECT DISTINCT event, account_id, t // {Day} - {start // Day} AS day "
        f"FROM {quoted(checked.events.usable)} WHERE {inside}{some}) GROUP BY GROUPING SETS ((event), (day))"
    )
    by_day = sorted((int(day), int(n)) for event, day, n in rows if day is not None)
    by_event = {str(event): int(n) for event, day, n in rows if day is None}
    return (
        np.array([day for day, _ in by_day], dtype=np.int64),
        np.array([n for _, n in by_day], dtype=np.int64),
        np.array([by_event.get(name, 0) for name in names], dtype=np.float64),
    )
