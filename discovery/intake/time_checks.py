"""Whether the times can be right: clocks that are wrong, events that come late, times that were rounded."""

from __future__ import annotations

import time
from collections.abc import Iterator

from discovery.engines.expressions import quoted
from discovery.intake.checked import Checked, finding
from discovery.intake.eventlog import USABLE
from discovery.intake.sql import literal
from discovery.intake.wording import counted, moment, percent
from discovery.results import QualityFinding, Severity
from discovery.spec import Day

_HOUR = Day // 24
_MINUTE = _HOUR // 60
_ENOUGH = 100
_AT_MIDNIGHT, _ON_THE_HOUR, _ON_THE_MINUTE = 0.2, 0.5, 0.9
_MANY_LATE = 0.1
_SHORTEST_SHIFT, _LONGEST_SHIFT = _HOUR // 2 - _MINUTE, 14 * _HOUR + 15 * _MINUTE
_ONE_CLOCK = _HOUR + 15 * _MINUTE  # between the quartiles: a zone's clock is put back by an hour once a year
_OFFSET, _AT_ONCE = 15 * _MINUTE, 5 * _MINUTE  # zones differ by quarters of an hour; most events arrive within minutes
_MOST_AT_ONCE = 0.6


def time_findings(checked: Checked) -> Iterator[QualityFinding]:
    """Yield what speaks against the times as they are written."""
    if not checked.events.usable_rows:
        return
    yield from _rounded(checked)
    yield from _from_the_future(checked)
    if checked.events.has_received:
        yield from _shifted(checked)
        yield from _late(checked)
        if checked.events.has_sent:
            yield from _skewed(checked)


def _rounded(checked: Checked) -> Iterator[QualityFinding]:
    events, zone = checked.events, checked.spec.events.timezone
    if events.date_only or events.usable_rows < _ENOUGH:
        return
    local = "t" if zone == "UTC" else f"epoch_us(timezone({literal(zone)}, make_timestamptz(t)))"
    midnight, hour, minute = checked.engine.rows(
        f"SELECT count_if(u % {Day} = 0), count_if(u % {_HOUR} = 0), count_if(u % {_MINUTE} = 0) "
        f"FROM (SELECT {local} AS u FROM {quoted(events.usable)})"
    )[0]
    rows = events.usable_rows
    cases: tuple[tuple[int, float, Severity, str], ...] = (
        (
            midnight,
            _AT_MIDNIGHT,
            "warning",
            "at midnight: they are dates without a time of day, among others that have one",
        ),
        (hour, _ON_THE_HOUR, "warning", "on the hour: what happens within an hour has no order"),
        (minute, _ON_THE_MINUTE, "info", "on the minute: what happens within a minute has no order"),
    )
    found = next((case for case in cases if case[0] >= case[1] * rows), None)
    if found is None:
        return
    count, _, severity, what = found
    yield finding(
        "round_times",
        severity,
        f"{counted(count, 'event')} ({percent(count / rows)}) {'lies' if count == 1 else 'lie'} exactly {what}.",
        count=count,
        of=rows,
        examples=(),
        remedy="Export times to the second if they exist. Otherwise the order of steps and times of a few hours are "
        "rough.",
    )


def _from_the_future(checked: Checked) -> Iterator[QualityFinding]:
    events = checked.events
    now = time.time_ns() // 1000
    last = checked.engine.rows(f"SELECT max(t) FROM {quoted(events.usable)}")[0][0]
    later = f"t > received + {_HOUR}" if events.has_received else "false"
    if last <= now + Day and not events.has_received:
        return
    count, furthest = checked.engine.rows(
        f"SELECT count(*), max(t) FROM {quoted(events.typed)} WHERE {USABLE} AND (t > {now + Day} OR {later})"
    )[0]
    if count:
        which = "after they were received, or after today" if events.has_received else "after today"
        yield finding(
            "future_events",
            "warning",
            f"{counted(count, 'event')} ({percent(count / events.usable_rows)}) {'lies' if count == 1 else 'lie'} "
            f"{which}: the clock that wrote them was wrong.",
            count=count,
            of=events.usable_rows,
            examples=[f"up to {moment(furthest)}"],
            remedy="Name a time that the server wrote in events.time, check events.timezone, or leave these rows out "
            "of the export.",
        )


def _shifted(checked: Checked) -> Iterator[QualityFinding]:
    """Yield that the times lie a fixed time from when they were received, as those of another zone do."""
    events = checked.events
    middle, narrow, on_offset, of = checked.engine.rows(
        f"SELECT median(lag), quantile_cont(lag, 0.75) - quantile_cont(lag, 0.25), "
        f"count_if((lag % {_OFFSET} + {_OFFSET}) % {_OFFSET} < {_AT_ONCE}), count(*) "
        f"FROM (SELECT received - t AS lag FROM {quoted(events.typed)} WHERE {USABLE} AND received IS NOT NULL)"
    )[0]
    if of < _ENOUGH or not _SHORTEST_SHIFT <= abs(middle) <= _LONGEST_SHIFT:
        return
    if narrow <= _ONE_CLOCK and on_offset >= _MOST_AT_ONCE * of:
        side = "before" if middle > 0 else "after"
        yield finding(
            "shifted_times",
            "warning",
            f"Most events lie about {abs(middle) / _HOUR:.2g} hours {side} the time they were received, hardly more or "
            f"less: their times seem to follow the clock of a zone other than {checked.spec.events.timezone}.",
            count=on_offset,
            of=of,
            examples=(),
            remedy="Name the zone of the times in events.timezone, as in 'America/New_York' (in Mixpanel that of the "
            "project); first days, and times of accounts beside those of events, depend on it.",
        )


def _late(checked: Checked) -> Iterator[QualityFinding]:
    events = checked.events
    late, of, days = checked.engine.rows(
        f"SELECT count_if(received > t + {Day}), count(received), "
        f"quantile_cont(CASE WHEN received > t + {Day} THEN (received - t) / {Day} END, 0.95) "
        f"FROM {quoted(events.typed)} WHERE {USABLE}"
    )[0]
    if late:
        yield finding(
            "late_events",
            "warning" if late >= _MANY_LATE * of else "info",
            f"{counted(late, 'event')} ({percent(late / of)}) came more than a day after they happened (19 in 20 of "
            f"them within {days:,.0f} days): the last days of an export lack those that are still to come.",
            count=late,
            of=of,
            examples=(),
            remedy="Nothing to do if the export was made some days after the last event; else set "
            "accounts.observed_until to a day before which everything has come in.",
        )


def _skewed(checked: Checked) -> Iterator[QualityFinding]:
    events = checked.events
    skewed, ahead, of, furthest = checked.engine.rows(
        f"SELECT count_if(abs(sent - received) > {_HOUR}), count_if(sent > received + {_HOUR}), count(sent - "
        f"received), max(abs(sent - received)) FROM {quoted(events.typed)} WHERE {USABLE}"
    )[0]
    if skewed:
        right = checked.corrects_times
        yield finding(
            "clock_skew",
            "info" if right else "warning",
            f"{counted(skewed, 'event')} ({percent(skewed / of)}) were sent by a device whose clock differs from the "
            f"server's by more than an hour ({ahead:,} ahead, {skewed - ahead:,} behind; up to {_lasting(furthest)}).",
            count=skewed,
            of=of,
            examples=(),
            remedy=f"Nothing to do: the time that is read ({checked.time!r}) is the one that {checked.tool} corrected."
            if right
            else "Read the time that the tool has corrected, or the server's, not the device's own: name it in "
            "events.time. First days and the order of steps depend on it.",
        )


def _lasting(micros: int) -> str:
    days = micros / Day
    return f"{days:,.0f} days" if days >= 2 else f"{micros / _HOUR:,.0f} hours"
