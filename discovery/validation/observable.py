"""Whether the log holds the proposal's events at all, steadily, and with what the proposal asks of them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from discovery import wording
from discovery.milestone import BY_OTHER, Condition, Milestone
from discovery.results import Criterion, CriterionStatus
from discovery.spec import Day
from discovery.validation.case import Case, Presence, Tracking

Bools = NDArray[np.bool_]

FEWEST_EXPECTED: Final = 8.0
"""Rows of an event expected in a week from which having none is no accident."""
AROUND: Final = 4
"""Weeks on either side of a silence that say what is usual."""
ORDINARY: Final = 0.5
"""Share of the usual traffic from which the log itself was running."""
FEWEST_STEADY: Final = 0.8
"""Share of the weeks below which gaps are a failure."""
ENDED_WEEKS: Final = 2
"""Silent weeks at the end of the log from which an event is taken to have ended."""
MOST_REPEATED, MOST_UNKNOWN = 0.05, 0.2
STRETCH: Final = 4
"""Weeks in a row that say whether a property was lost for a time."""
FEWEST_IN_STRETCH: Final = 50
"""Rows of an event in such a stretch from which that is judged."""
LOST: Final = 0.5
"""Share of a stretch's rows without the property from which it was lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flaw:
    status: CriterionStatus
    sentence: str
    decides: bool = False


def observable(case: Case) -> Criterion:
    """Judge whether the proposal can be seen in the log: tracked throughout, without gaps, with users where asked for.

    A week is a gap where an event has no row although the log ran as usual and at least eight rows were to be
    expected, given the event's share of everything in the four weeks before and after the silence.

    Returns
    -------
    Criterion
        Its value is the share of whole weeks without a gap. It decides where no way of reaching it is left: an event
        is not in the log at all, or users are asked for and the log has none.
    """
    tracking = case.tracking
    impossible = _impossible(case)
    if impossible is None and not len(tracking.days):
        sentence = "The log holds no whole week, so whether tracking is steady cannot be said."
        return Criterion(name="observable", status="warn", sentence=sentence, judged=False)
    flaw, steady = impossible, None
    if flaw is None:
        gaps = np.array([_gaps(row, tracking.everything) for row in tracking.counts], dtype=bool)
        steady = float(1 - gaps.any(axis=0).mean()) if len(gaps) else 1.0
        lesser = (*_closed_ways(case), *_doubtful(case))
        gravest_first = (*_ended(tracking, gaps), *_holes(tracking, gaps, steady), *lesser)
        flaw = next(iter(gravest_first), None)
    return Criterion(
        name="observable",
        status="pass" if flaw is None else flaw.status,
        sentence=_steady(tracking) if flaw is None else flaw.sentence,
        value=steady,
        unit="share",
        decides=flaw is not None and flaw.decides,
    )


def _impossible(case: Case) -> _Flaw | None:
    """Say what is missing where no way of reaching the milestone is left."""
    missing, users = _unseen(case), _unnamed(case)
    if not _out_of_reach(case.milestone, missing | users):
        return None
    if _out_of_reach(case.milestone, missing):
        said = _not_there(case)
    elif _out_of_reach(case.milestone, users):
        said = _names_no_users(users)
    else:
        said = f"{_not_there(case)}, and what is left {_asking(users)}, and the log names no users"
    return _Flaw(status="fail", sentence=f"{said}, so the milestone cannot be observed.", decides=True)


_OTHERS_COUNT: Final = "so only the other ways of reaching it count"


def _closed_ways(case: Case) -> list[_Flaw]:
    """Say which alternatives nobody can take, where others are left."""
    said = [_not_there(case)] if _unseen(case) else []
    said += [_names_no_users(_unnamed(case))] if _unnamed(case) else []
    return [_Flaw(status="warn", sentence=f"{each}, {_OTHERS_COUNT}.") for each in said]


def _names_no_users(asking: Iterable[Condition]) -> str:
    return f"It {_asking(asking)}, but the log names no users"


def _asking(conditions: Iterable[Condition]) -> str:
    several = any(condition.min_users > 1 for condition in conditions)
    return "asks for several users" if several else "asks who did it"


def _unseen(case: Case) -> frozenset[Condition]:
    return frozenset(condition for condition in case.milestone.conditions if condition.event in case.missing_events)


def _unnamed(case: Case) -> frozenset[Condition]:
    """Return the conditions that ask for users where the log names none."""
    return frozenset(() if case.tracking.has_users else _asking_for_users(case))


def _out_of_reach(part: Condition | Milestone, impossible: frozenset[Condition]) -> bool:
    """Tell whether nothing is left that reaches it once some conditions are impossible."""
    if isinstance(part, Condition):
        return part in impossible
    needed = any if part.joined == "and" else all
    return needed(_out_of_reach(each, impossible) for each in part.parts)


def _not_there(case: Case) -> str:
    verb = "are" if len(case.missing_events) > 1 else "is"
    near = f" (the nearest names there: {_listed(case.near_names)})" if case.near_names else ""
    return f"{_listed(case.missing_events)} {verb} not in the log at all{near}"


def _gaps(counts: NDArray[np.int64], everything: NDArray[np.int64]) -> Bools:
    """Tell which weeks since the event's first have none of its rows although there should be some, bool[W]."""
    found = np.zeros(len(counts), dtype=bool)
    seen = np.flatnonzero(counts)
    if not len(seen):
        return found
    for start, stop in _silences(counts, int(seen[0])):
        around = np.r_[max(0, start - AROUND) : start, stop : min(len(counts), stop + AROUND)]
        usual = int(everything[around].sum())
        if not usual:
            continue
        here = everything[start:stop]
        running = here >= ORDINARY * usual / len(around)
        found[start:stop] = running & (here * (counts[around].sum() / usual) >= FEWEST_EXPECTED)
    return found


def _silences(counts: NDArray[np.int64], first: int) -> list[tuple[int, int]]:
    """Return each run of weeks without a row after the `first` one, as places from and to (exclusive)."""
    silent = np.r_[False, counts[first:] == 0, False].astype(np.int8)
    steps = np.diff(silent)
    pairs = zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), strict=True)
    return [(first + int(start), first + int(stop)) for start, stop in pairs]


def _ended(tracking: Tracking, gaps: Bools) -> list[_Flaw]:
    flaws = []
    for event, counts, missing in zip(tracking.events, tracking.counts, gaps, strict=True):
        seen = np.flatnonzero(counts)
        silent = missing[seen[-1] + 1 :] if len(seen) else missing[:0]
        if silent.sum() >= ENDED_WEEKS:
            last = _date(int(tracking.days[seen[-1]]) + 6)
            sentence = f"{_named(event)} ends about {last}: it has no row in the last {len(silent)} weeks of the log."
            flaws.append(_Flaw(status="fail", sentence=sentence))
    return flaws


def _holes(tracking: Tracking, gaps: Bools, steady: float) -> list[_Flaw]:
    holed = [event for event, missing in zip(tracking.events, gaps, strict=True) if missing.any()]
    if not holed:
        return []
    silent = np.flatnonzero(gaps.any(axis=0))
    first = _date(int(tracking.days[silent[0]]))
    when = f"in the week from {first}"
    if len(silent) > 1:
        when = f"in {len(silent)} of {gaps.shape[1]} weeks, first in that from {first}"
    sentence = f"{_listed(holed)} {_has(holed)} no row {when}, although the log ran as usual: tracking has gaps there."
    return [_Flaw(status="fail" if steady < FEWEST_STEADY else "warn", sentence=sentence)]


def _doubtful(case: Case) -> list[_Flaw]:
    tracking, flaws = case.tracking, []
    never = [event for event, counts in zip(tracking.events, tracking.counts, strict=True) if not counts.any()]
    if never:
        sentence = f"{_listed(never)} {_has(never)} no row in any whole week of the log, so tracking is in doubt."
        flaws.append(_Flaw(status="warn", sentence=sentence))
    if tracking.launched:
        event, moment = max(tracking.launched.items(), key=lambda item: (item[1], item[0]))
        since = _date(moment // Day)
        sentence = f"{_named(event)} is in the log since {since} only; accounts that signed up before are left out."
        flaws.append(_Flaw(status="warn", sentence=sentence))
    asking = _asking_for_users(case)
    if asking and tracking.unknown_users > MOST_UNKNOWN:
        share = wording.percent(tracking.unknown_users)
        sentence = f"It {_asking(asking)}, but {share} of its events name no user, so some accounts are missed."
        flaws.append(_Flaw(status="warn", sentence=sentence))
    flaws += [flaw for presence in tracking.presence if (flaw := _absent(presence, tracking)) is not None]
    if any(condition.at_least > 1 for condition in case.milestone.conditions) and tracking.repeated > MOST_REPEATED:
        share = wording.percent(tracking.repeated)
        sentence = f"{share} of its events repeat another row exactly, so counting to its threshold may count twice."
        flaws.append(_Flaw(status="warn", sentence=sentence))
    return flaws


def _steady(tracking: Tracking) -> str:
    weeks = len(tracking.days)
    throughout = "in the one whole week" if weeks == 1 else f"in all {wording.count(weeks)} weeks"
    verb = "are" if len(tracking.events) > 1 else "is"
    return f"{_listed(tracking.events)} {verb} tracked without a gap {throughout} of the log."


def _absent(presence: Presence, tracking: Tracking) -> _Flaw | None:
    """Say how many rows lack a property that is tested, else when it was lost for a time; since it was launched."""
    since = tracking.launched.get(presence.act)
    here = np.ones(len(tracking.days), dtype=bool) if since is None else tracking.days >= since // Day
    days, rows, known = tracking.days[here], presence.rows[here], presence.known[here]
    if not rows.sum():
        return None
    missing, when = float(1 - known.sum() / rows.sum()), ""
    if missing <= MOST_UNKNOWN:
        missing, worst = _worst_stretch(rows, rows - known)
        if missing < LOST:
            return None
        when = f" in the {STRETCH} weeks from {_date(int(days[worst]))}"
    what = "who made its object" if presence.name == BY_OTHER else f"“{wording.clean(presence.name)}”"
    sentence = (
        f"{wording.percent(missing)} of the rows of {_named(presence.event)}{when} do not say {what}; those meet no "
        "test of it, so some accounts are missed."
    )
    return _Flaw(status="warn", sentence=sentence)


def _worst_stretch(rows: NDArray[np.int64], lacking: NDArray[np.int64]) -> tuple[float, int]:
    """Return the largest share of lacking rows in so many weeks in a row, and the first of these."""
    if len(rows) < STRETCH:
        return 0.0, 0
    total, without = (np.lib.stride_tricks.sliding_window_view(each, STRETCH).sum(axis=1) for each in (rows, lacking))
    share = np.where(total >= FEWEST_IN_STRETCH, without / np.maximum(total, 1), 0.0)
    return float(share.max()), int(np.argmax(share))


def _asking_for_users(case: Case) -> list[Condition]:
    return [
        condition
        for condition in case.milestone.conditions
        if condition.min_users > 1 or any(test.name == BY_OTHER for test in condition.where)
    ]


def _listed(events: tuple[str, ...] | list[str]) -> str:
    named = [_named(event) for event in events]
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"


def _has(events: list[str]) -> str:
    return "have" if len(events) > 1 else "has"


def _named(event: str) -> str:
    return f"“{wording.clean(event)}”"


def _date(day: int) -> str:
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).isoformat()
