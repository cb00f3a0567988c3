"""The volume of the log over time: in all, and of its most telling events, with their silences and jumps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from discovery.engines.expressions import quoted
from discovery.intake.quiet import AccountDays, Quiet, empty_days, quiet_stretches
from discovery.intake.relations import Relations
from discovery.intake.shifts import jumps
from discovery.intake.sql import literal, word_list
from discovery.intake.volume import Log, read_volume, with_sample
from discovery.intake.wording import moment
from discovery.results import EventSeries, Silence, Timeline, VolumeJump
from discovery.spec import Day

_EVENTS = 30
_PERIODS = 120
_EPOCH = date(1970, 1, 1)


def timeline_of(relations: Relations) -> Timeline | None:
    """Return the timeline of a log, stray times apart; None where no event can be used or is here.

    Events that fall silent or jump stand first, then the most frequent others. Its periods are days, weeks
    from Monday or months, so that there are about 120 of them at most.
    """
    engine: Any = relations.engine
    if relations.where != "here":
        return None
    events = str(relations.events_table)
    rows = int(engine.rows(f"SELECT count(*) FROM {quoted(events)}")[0][0])
    if not rows:
        return None
    log = with_sample(
        Log(
            engine=engine,
            events=events,
            accounts=str(relations.accounts_table),
            start=relations.log_start,
            end=relations.log_end,
            rows=rows,
        )
    )
    periods = _periods(log)
    volume, ages = read_volume(log), AccountDays(log)
    quiet, jumped = quiet_stretches(log, volume, ages), jumps(log, volume, ages)
    ages.close()
    log.close()
    named = word_list(("", *(silence.event for silence in quiet), *(jump.event for jump in jumped)))
    names = engine.rows(
        f"SELECT event, count(*) AS n, count(DISTINCT account_id), min(t), max(t) FROM {quoted(log.events)} "
        f"WHERE {log.inside} GROUP BY event ORDER BY event IN {named} DESC, n DESC, event LIMIT {_EVENTS}"
    )
    counts = _counts(log, periods, [str(row[0]) for row in names])
    return Timeline(
        unit=periods.unit,
        starts=tuple((_EPOCH + timedelta(days=int(day))).isoformat() for day in periods.starts),
        total=_total(log, periods),
        active_accounts=_active(log, periods),
        events=tuple(
            EventSeries(
                event=str(event),
                rows=int(n),
                accounts=int(accounts),
                first=moment(first - first % Day),
                last=moment(last - last % Day),
                counts=tuple(int(count) for count in counts[i]),
                silences=tuple(_silence(log, q) for q in quiet if q.event == event),
                jumps=tuple(
                    VolumeJump(start=moment(jump.at // Day * Day), factor=jump.factor)
                    for jump in jumped
                    if jump.event == event
                ),
            )
            for i, (event, n, accounts, first, last) in enumerate(names)
        ),
        silences=tuple(_silence(log, q) for q in empty_days(volume)),
        left_out=max(len(volume.names) - len(names), 0),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Periods:
    """The periods, and the expression that numbers an event's, from 0."""

    unit: Literal["day", "week", "month"]
    starts: NDArray[np.int64]
    number: str


def _periods(log: Log) -> _Periods:
    first, last = log.start // Day, log.end // Day
    if last - first < _PERIODS:
        return _Periods(unit="day", starts=np.arange(first, last + 1), number=f"t // {Day} - {first}")
    if last - first < 7 * _PERIODS:
        monday = first - (first + 3) % 7  # day 0 of 1970 was a Thursday
        return _Periods(unit="week", starts=np.arange(monday, last + 1, 7), number=f"(t // {Day} - {monday}) // 7")
    begin, end = (_EPOCH + timedelta(days=int(day)) for day in (first, last))
    months = range(12 * begin.year + begin.month - 1, 12 * end.year + end.month)
    starts = [(date(month // 12, month % 12 + 1, 1) - _EPOCH).days for month in months]
    month = "12 * year(make_timestamp(t)) + month(make_timestamp(t)) - 1"
    return _Periods(unit="month", starts=np.array(starts), number=f"{month} - {months[0]}")


def _total(log: Log, periods: _Periods) -> tuple[int, ...]:
    found = log.engine.rows(
        f"SELECT {periods.number} AS period, count(*) FROM {quoted(log.events)} WHERE {log.inside} GROUP BY period"
    )
    return _dense(found, periods)


def _active(log: Log, periods: _Periods) -> tuple[int, ...]:
    found = log.engine.rows(
        f"SELECT period, count(*) FROM (SELECT DISTINCT {periods.number} AS period, account_id "
        f"FROM {quoted(log.events)} WHERE {log.inside}) GROUP BY period"
    )
    return _dense(found, periods)


def _counts(log: Log, periods: _Periods, names: list[str]) -> NDArray[np.int64]:
    listed = ", ".join(map(literal, names))
    counts = np.zeros((len(names), len(periods.starts)), dtype=np.int64)
    place = {name: i for i, name in enumerate(names)}
    for event, period, n in log.engine.rows(
        f"SELECT event, {periods.number} AS period, count(*) FROM {quoted(log.events)} "
        f"WHERE {log.inside} AND event IN ({listed}) GROUP BY event, period"
    ):
        counts[place[str(event)], int(period)] = n
    return counts


def _dense(found: list[tuple[Any, ...]], periods: _Periods) -> tuple[int, ...]:
    by_period = {int(period): int(n) for period, n in found}
    return tuple(by_period.get(i, 0) for i in range(len(periods.starts)))


def _silence(log: Log, quiet: Quiet) -> Silence:
    """Return a silence in whole days: from the first day without the event until the first with it again."""
    start = quiet.start // Day + (1 if quiet.kind == "end" else 0)
    end = quiet.end // Day + (1 if quiet.kind == "end" else 0)
    return Silence(kind=quiet.kind, start=moment(start * Day), end=moment(end * Day), expected=quiet.expected)
