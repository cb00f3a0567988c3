"""Events whose tracking begins, ends, pauses or changes inside the log, and events far outside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from discovery.intake.checked import SHOWN, Checked, aliases, finding, shortened
from discovery.intake.quiet import AccountDays, Quiet, empty_days, quiet_stretches
from discovery.intake.shifts import Jump, Succession, jumps, successions
from discovery.intake.span import APART
from discovery.intake.wording import counted, moment
from discovery.results import QualityFinding
from discovery.spec import Day


def tracking_findings(checked: Checked) -> Iterator[QualityFinding]:
    """Yield where events begin, end, pause, follow on each other or change their volume inside the log."""
    yield from _strays(checked)
    log, volume = checked.log, checked.volume
    if log is None or volume is None:
        return
    ages, of = AccountDays(log), len(volume.names)
    quiet = quiet_stretches(log, volume, ages)
    began = [(q.end, q.event) for q in quiet if q.kind == "launch"]
    ended = [(q.start, q.event) for q in quiet if q.kind == "end"]
    yield from _one(began, of, "tracking_starts", "first appear well into", "since")
    yield from _one(ended, of, "tracking_stops", "no longer appear well before the end of", "until")
    yield from _empty_days(empty_days(volume), volume.days)
    yield from _gaps([q for q in quiet if q.kind == "gap"], of)
    yield from _renamed(successions(volume, quiet), of)
    yield from _jumps(jumps(log, volume, ages), of)
    ages.close()


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


def _empty_days(empty: Sequence[Quiet], of: int) -> Iterator[QualityFinding]:
    if empty:
        days = sum((quiet.end - quiet.start) // Day for quiet in empty)
        yield finding(
            "tracking_gaps",
            "warning",
            f"On {counted(days, 'day')} of the log there is no event at all, although the same weekdays around "
            f"{'it' if days == 1 else 'them'} have many: accounts look idle that may not have been.",
            count=days,
            of=of,
            examples=[_stretch(quiet) for quiet in empty],
            remedy="Check whether collecting or exporting failed on these days, and export them again if they exist. "
            "If they are lost, accounts whose first days lie there look less active than they were.",
        )


def _gaps(gaps: Sequence[Quiet], of: int) -> Iterator[QualityFinding]:
    if gaps:
        events = dict.fromkeys(quiet.event for quiet in gaps)
        yield finding(
            "tracking_gaps",
            "warning",
            f"{len(events)} of {counted(of, 'event name')} {'pauses' if len(events) == 1 else 'pause'} for longer than "
            "chance allows while the rest of the log goes on: accounts of that time seem not to have done them.",
            count=len(events),
            of=of,
            examples=[f"{shortened(quiet.event, 60)} ({_stretch(quiet)})" for quiet in gaps],
            remedy="Check whether their tracking was broken then. If it was, study the accounts of another time, or "
            "leave these events out.",
        )


def _renamed(found: Sequence[Succession], of: int) -> Iterator[QualityFinding]:
    if found:
        yield finding(
            "renamed_event",
            "warning",
            f"{counted(len(found), 'event name')} {'ends' if len(found) == 1 else 'end'} where another begins that is "
            "about as frequent: perhaps one event under two names, which are counted apart.",
            count=len(found),
            of=of,
            examples=[_succession(s) for s in found],
            remedy="If it is the same event, give it one name in events.aliases.",
            paste=aliases((s.after, [s.before]) for s in found),
        )


def _jumps(found: Sequence[Jump], of: int) -> Iterator[QualityFinding]:
    if found:
        yield finding(
            "volume_jump",
            "warning",
            f"{len(found)} of {counted(of, 'event name')} {'becomes' if len(found) == 1 else 'become'} five times as "
            "frequent, or a fifth as frequent, from one week to the next, compared with what accounts do otherwise, "
            "and stay so: thresholds mean something else before and after.",
            count=len(found),
            of=of,
            examples=[_jump(jump) for jump in sorted(found, key=lambda jump: (jump.at, jump.event))[:SHOWN]],
            remedy="Check whether the event was sampled, sent twice, or given another meaning that week. If it was, "
            "study the accounts of one time alone, or leave it out.",
        )


def _succession(one: Succession) -> str:
    return f"{shortened(one.before, 50)}, then {shortened(one.after, 50)} (from {moment(one.at // Day * Day)})"


def _jump(jump: Jump) -> str:
    how = f"× {jump.factor:.0f}" if jump.factor > 1 else f"÷ {1 / jump.factor:.0f}"
    return f"{shortened(jump.event, 60)} ({how} in the week of {moment(jump.at)})"


def _stretch(quiet: Quiet) -> str:
    first, last = moment(quiet.start), moment(quiet.end - Day)
    return first if first == last else f"{first} to {last}"
