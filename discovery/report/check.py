"""What the page of a check shows beyond the result itself: a verdict in a sentence, order, groups and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from discovery import plots, wording
from discovery.results import (
    CheckResult,
    QualityFinding,
    RecognisedColumn,
    RuleChecked,
    RuleState,
    Severity,
    Subject,
    Timeline,
)

_IN_ONE_COLUMN: Final = 6
_FINDINGS: Final[tuple[tuple[Severity, str], ...]] = (
    ("error", "To mend before a run"),
    ("warning", "To look into"),
    ("info", "Good to know"),
)
_SUBJECTS: Final[Mapping[Subject, str]] = {
    "rows": "Rows",
    "times": "Times",
    "identity": "Users and accounts of events",
    "accounts": "Accounts",
    "outcome": "Leaving, converting and observing",
    "tracking": "Names and tracking of events",
}
_STATES: Final[tuple[RuleState, ...]] = ("error", "warning", "info", "passed", "not applicable")
_VOLUMES: Final[tuple[Literal["rows", "accounts"], ...]] = ("rows", "accounts")


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingGroup:
    """The findings of one severity under their heading."""

    severity: Severity
    title: str
    findings: tuple[QualityFinding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleGroup:
    """The rules about one subject, those that found something first."""

    title: str
    rules: tuple[RuleChecked, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckView:
    """A check laid out for the page."""

    result: CheckResult
    verdict: Severity | None
    sentence: str
    next_step: str
    format: str
    read: str
    window_days: int | None
    groups: tuple[FindingGroup, ...]
    rules: tuple[RuleGroup, ...]
    columns: tuple[RecognisedColumn, ...]
    columns_left_out: tuple[RecognisedColumn, ...]
    columns_not_found: tuple[RecognisedColumn, ...]
    volume_pictures: tuple[str, ...]
    event_pictures: tuple[str, ...]


def view_of_check(result: CheckResult, *, figures: bool = True) -> CheckView:
    """Lay out `result`; `figures=False` leaves out all pictures."""
    groups = tuple(
        FindingGroup(severity=severity, title=title, findings=result.of(severity)) for severity, title in _FINDINGS
    )
    window = result.settings.get("candidates", {}).get("window_days")
    drawn = result.timeline if figures else None
    return CheckView(
        result=result,
        verdict=next((group.severity for group in groups if group.findings), None),
        sentence=_sentence(result),
        next_step=_next_step(result),
        format=wording.format_name(result.format),
        read=f"{wording.events_read(result.events_rows, result.events_used)}, "
        f"{wording.counted(result.accounts, 'account')}",
        window_days=window if isinstance(window, int) else None,
        groups=tuple(group for group in groups if group.findings),
        rules=_rules(result.rules),
        columns=tuple(c for c in result.recognised if c.source not in ("left out", "not found")),
        columns_left_out=tuple(c for c in result.recognised if c.source == "left out"),
        columns_not_found=tuple(c for c in result.recognised if c.source == "not found"),
        volume_pictures=tuple(plots.svg(plots.volume(drawn, what)) for what in _VOLUMES) if drawn else (),
        event_pictures=_event_pictures(drawn) if drawn else (),
    )


def _sentence(result: CheckResult) -> str:
    """Return the verdict in a sentence: what to mend, to look into and to know, and how many rules are passed."""
    counts = {severity: len(result.of(severity)) for severity, _ in _FINDINGS}
    parts = [
        f"{_things(counts['error'])} to mend before a run" if counts["error"] else "",
        f"{_things(counts['warning'], bare=bool(counts['error']))} to look into" if counts["warning"] else "",
        f"{_things(counts['info'], bare=bool(counts['error'] or counts['warning']))} to know" if counts["info"] else "",
    ]
    said = ", ".join(part for part in parts if part) or "Nothing to mend"
    return f"{said}; {wording.count(result.passed)} {'rule' if result.passed == 1 else 'rules'} passed"


def _things(count: int, *, bare: bool = False) -> str:
    return wording.count(count) if bare else f"{wording.count(count)} {'thing' if count == 1 else 'things'}"


def _next_step(result: CheckResult) -> str:
    if result.has_errors:
        return "A run would stop at an error. Mend the data or the spec first, then check again."
    if any(finding.code == "too_few_accounts" for finding in result.quality):
        return "A run would not say anything yet: there are too few accounts with a known outcome."
    if result.of("warning"):
        return "A run is possible. The warnings may change its answer; each one says what to do about it."
    return "Nothing speaks against a run."


def _rules(rules: Sequence[RuleChecked]) -> tuple[RuleGroup, ...]:
    groups = (
        RuleGroup(
            title=title,
            rules=tuple(sorted((r for r in rules if r.subject == subject), key=lambda rule: _STATES.index(rule.state))),
        )
        for subject, title in _SUBJECTS.items()
    )
    return tuple(group for group in groups if group.rules)


def _event_pictures(timeline: Timeline) -> tuple[str, ...]:
    """Draw the events in one picture, or in two that stand side by side where there is room."""
    events = timeline.events
    half = len(events) if len(events) <= _IN_ONE_COLUMN else (len(events) + 1) // 2
    parts = [part for part in (events[:half], events[half:]) if part]
    return tuple(plots.svg(plots.event_volumes(timeline, part)) for part in parts)
