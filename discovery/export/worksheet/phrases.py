"""Milestones, windows and estimates in the words of a worksheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from discovery import wording
from discovery.errors import MilestoneSyntaxError
from discovery.milestone import Condition, Milestone
from discovery.results import Estimate, Ladder, Rung, StudyResult

_WIDTH: Final = 80

STAYING: Final = {"retained": "staying", "active": "later activity", "converted": "converting"}
STAYED: Final = {"retained": "stayed", "active": "were active later", "converted": "converted"}
STAY: Final = {"retained": "stay", "active": "be active later", "converted": "convert"}


def quoted(name: str, width: int = _WIDTH) -> str:
    """Return a name on one line in quotation marks, shortened where it is long."""
    return f"“{wording.shorten(name, width)}”"


def parsed(text: str) -> Milestone | None:
    """Return the milestone that `text` writes; None for signup and habits, which have words of their own."""
    try:
        return Milestone.parse(text)
    except MilestoneSyntaxError:
        return None


def in_words(text: str, result: StudyResult, width: int = _WIDTH) -> str:
    """Return a milestone as part of a sentence: `“a” at least 3 times within 7 days of signup or “b” at least once`."""
    milestone = parsed(text)
    return _words(milestone, width, has_creator(result)) if milestone else quoted(text, width)


def has_creator(result: StudyResult) -> bool:
    """Tell whether the events name the user who made the object an event is about."""
    return bool(result.settings.get("events", {}).get("creator"))


def named(text: str, width: int = _WIDTH) -> str:
    """Return the event's name alone where once is enough, alternatives by `or`, else the milestone in words."""
    milestone = parsed(text)
    if milestone is None:
        return quoted(text, width)
    if milestone.conditions != tuple(Condition(event) for event in milestone.events):
        return _words(milestone, width)
    return f" {milestone.joined} ".join(quoted(event, width) for event in milestone.events)


def definition(text: str, result: StudyResult) -> str:
    """Return every condition of a milestone spelled out."""
    milestone = parsed(text)
    if milestone is None:
        return f"{quoted(text, 400)}."
    if len(milestone.parts) == 1:
        return f"{_spelled(milestone.parts[0], result)}."
    ask = "All of these are asked for" if milestone.joined == "and" else "Any one of these is enough"
    listed = "; ".join(f"({place}) {_spelled(part, result)}" for place, part in enumerate(milestone.parts, start=1))
    return f"{ask}: {listed}."


def window_days(text: str, result: StudyResult) -> float:
    """Return the days from signup within which the milestone must be met: its longest window, else the study's."""
    milestone = parsed(text)
    own = [condition.within_days for condition in milestone.conditions] if milestone else [None]
    longest = [days for days in own if days is not None]
    return max(longest) if len(longest) == len(own) else float(result.outcome.window_days)


def at_rung(ladder: Ladder, text: str) -> str:
    """Return a rung's name short enough for a list."""
    if text == ladder.milestone:
        return "the milestone"
    return "signup" if ladder.rungs and text == ladder.rungs[0].milestone else named(text, 40)


def share(estimate: Estimate) -> str:
    """Return a share with its interval, `33 % [31 %, 35 %]`."""
    text, lower, upper = estimate.estimate, estimate.ci_lower, estimate.ci_upper
    if not (wording.known(lower) and wording.known(upper)):
        return wording.percent(text)
    return f"{wording.percent(text)} [{wording.percent(lower)}, {wording.percent(upper)}]"


def listed(parts: Sequence[str], last: str = "and") -> str:
    """Return parts as an enumeration: `a, b and c`."""
    return f" {last} ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def sentence(text: str) -> str:
    """Return text on one line that ends like a sentence; empty text stays empty."""
    text = wording.clean(text)
    return text if not text or text[-1] in ".!?" else f"{text}."


def alpha(result: StudyResult) -> float:
    """Return the study's error rate."""
    return float(result.settings.get("inference", {}).get("alpha", 0.05))


def milestone_rung(ladder: Ladder) -> Rung | None:
    """Return the rung that is the milestone."""
    return next((rung for rung in ladder.rungs if rung.role == "milestone"), None)


def _words(part: Condition | Milestone, width: int, has_creator: bool | None = None) -> str:
    if isinstance(part, Condition):
        return wording.conditions_in_words([_values(part, quoted(part.event, width))], has_creator)
    words = (
        f"({_words(inner, width, has_creator)})" if isinstance(inner, Milestone) else _words(inner, width, has_creator)
        for inner in part.parts
    )
    return f" {part.joined} ".join(words)


def _values(condition: Condition, event: str) -> dict[str, object]:
    return {
        "event": event,
        "at_least": condition.at_least,
        "within_days": condition.within_days,
        "min_users": condition.min_users,
        "where": [test.fields() for test in condition.where],
    }


def _spelled(part: Condition | Milestone, result: StudyResult) -> str:
    if isinstance(part, Milestone):
        inner = ", ".join(_spelled(p, result) for p in part.parts)
        return f"{'all' if part.joined == 'and' else 'any one'} of [{inner}]"
    users = f", by {wording.count(part.min_users)} or more different users" if part.min_users > 1 else ""
    hours = f"less than {wording.count(part.within_hours or 24 * result.outcome.window_days)} hours after signup"
    own = "" if part.within_hours else ", the study's observation window"
    tests = wording.tests_in_words([test.fields() for test in part.where], has_creator(result))
    return f"{wording.count(part.at_least)} or more events {quoted(part.event, 400)}{tests}{users}, {hours}{own}"
