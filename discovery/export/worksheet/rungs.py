"""One section for each rung: why it matters, how long it takes, where accounts stop, and what the rules say."""

from __future__ import annotations

from discovery import wording
from discovery.export.worksheet.phrases import (
    STAYED,
    alpha,
    at_rung,
    definition,
    listed,
    named,
    parsed,
    quoted,
    sentence,
    share,
)
from discovery.export.worksheet.rows import WorksheetRow, WorksheetSection, for_team, from_data
from discovery.export.worksheet.value import family_of
from discovery.results import Branch, DropEvent, Funnel, Ladder, RuleStatus, Rung, StudyResult

_ROLE = {
    "required": "Required on the way to the milestone; no effect of its own is shown.",
    "milestone": "The milestone itself, the candidate for the first value moment.",
    "habit": "A team habit above the milestone. It is described only: it overlaps the outcome in time, so it is no "
    "evidence for it.",
}
_RULES: tuple[tuple[RuleStatus, str], ...] = (
    ("fail", "Rule it fails"),
    ("warn", "Rule it keeps only in part"),
    ("unknown", "Rule for the team to judge"),
)
_SHOWN = 3


def rung_sections(result: StudyResult, ladder: Ladder) -> tuple[WorksheetSection, ...]:
    """Return a section for every rung but the baseline."""
    steps = [rung for rung in ladder.rungs if rung.role != "baseline"]
    return tuple(
        WorksheetSection(title=_title(rung, place), rows=_rows(rung, result, ladder))
        for place, rung in enumerate(steps, start=1)
    )


def _title(rung: Rung, place: int) -> str:
    if rung.role == "habit":
        return f"Team habit: {wording.shorten(rung.milestone, 100)}"
    which = f"Rung {place}, the milestone" if rung.role == "milestone" else f"Rung {place}"
    return f"{which}: {named(rung.milestone, 50)}"


def _rows(rung: Rung, result: StudyResult, ladder: Ladder) -> tuple[WorksheetRow, ...]:
    milestone = parsed(rung.milestone)
    events = milestone.events if milestone else (rung.milestone,) * (rung.role != "habit")
    names = [quoted(event, 400) for event in events]
    return (
        *from_data("Event name" if len(names) < 2 else "Event names", listed(names)),
        *from_data("Event definition", "" if milestone is None else definition(rung.milestone, result)),
        *from_data("Role", _ROLE.get(rung.role, "")),
        *from_data("How common" if rung.role == "habit" else "Why it matters", *_weight(rung, result, ladder)),
        *from_data("Order and steadiness", *_steady(rung, ladder)),
        *for_team("Why it matters to the customer"),
        *from_data("Time", *_time(rung)),
        *from_data("Common friction", *_friction(rung, ladder, alpha(result))),
        *for_team("What people say stops them here"),
        *from_data("Alternatives", *(_alternative(branch) for branch in rung.alternatives)),
        *_rules(rung),
        *from_data("To keep in mind", *(caution.sentence for caution in rung.warnings)),
        *for_team("Help to add here (prompt, template, sample data)", "Help or steps to take away"),
    )


def _weight(rung: Rung, result: StudyResult, ladder: Ladder) -> list[str]:
    said = []
    family = family_of(result, ladder) if rung.role == "milestone" else None
    if family and family.adjusted.estimate is not None:
        difference = " ".join(wording.points_estimate(family.adjusted)).rstrip()
        said.append(f"The share that {STAYED[result.outcome.kind]} differs by {difference}, adjusted as above.")
    if rung.necessity is not None:
        said.append(f"{wording.percent(rung.necessity)} of the accounts at the milestone did this before it.")
    if rung.milestone_with is not None and rung.milestone_without is not None:
        said.append(
            f"The milestone is reached by {wording.percent(rung.milestone_with)} of those that did it and by "
            f"{wording.percent(rung.milestone_without)} of those that never did."
        )
    got = "did it or a later rung" if rung.role == "required" else "got here"
    reached = f"{wording.count(rung.n_reached)} of {wording.count(rung.n_accounts)} accounts"
    said.append(f"{reached} ({wording.percent(rung.reach)}) {got}.")
    before = _before(ladder, rung)
    if rung.step_conversion is not None and before.role != "baseline":
        said.append(f"{wording.percent(rung.step_conversion)} of the accounts at {_name(ladder, before)} go on to it.")
    return said


def _steady(rung: Rung, ladder: Ladder) -> list[str]:
    said = []
    if rung.order is not None and rung.order.estimate is not None:
        before = _name(ladder, _before(ladder, rung))
        said.append(f"Where both were done at different times, {before} came first in {share(rung.order)} of accounts.")
    if rung.stability is not None:
        said.append(f"It is a rung again in {wording.percent(rung.stability)} of random halves of the accounts.")
    return said


def _before(ladder: Ladder, rung: Rung) -> Rung:
    return ladder.rungs[max(ladder.rungs.index(rung) - 1, 0)]


def _name(ladder: Ladder, rung: Rung) -> str:
    return at_rung(ladder, rung.milestone)


def _time(rung: Rung) -> list[str]:
    said = []
    if rung.median_days is not None:
        middle = ""
        if rung.quartile_days is not None:
            early, late = map(wording.days, rung.quartile_days)
            middle = f", the middle half between {early} and {late}"
        said.append(f"Median {wording.days(rung.median_days)} after signup{middle}, of the accounts that did it.")
    if rung.target_days is not None and rung.target_met is not None:
        met = "kept" if rung.target_met else "missed"
        part = f"; {wording.percent(rung.in_target)} of them were in time" if rung.in_target is not None else ""
        said.append(f"The target of {wording.days(rung.target_days)} is {met} by the median{part}.")
    elif rung.target_days is not None:
        said.append(f"Target: {wording.days(rung.target_days)} from signup.")
    if rung.in_first_sessions is not None:
        said.append(f"{wording.percent(rung.in_first_sessions)} of them did it within their first three sessions.")
    return said


def _friction(rung: Rung, ladder: Ladder, level: float) -> list[str]:
    stopped = f" ({wording.percent(1 - rung.step_conversion)})" if rung.step_conversion is not None else ""
    said = [
        f"{wording.count(rung.dropped)} of the accounts at {_name(ladder, _before(ladder, rung))}{stopped} did not "
        "get here."
    ]
    if rung.fell_short and rung.dropped:
        late, partly, never = (
            wording.count(n) for n in (rung.fell_short.later, rung.fell_short.partly, rung.fell_short.not_at_all)
        )
        said.append(f"Of these, {late} did it later, {partly} did some of what it asks, and {never} nothing of it.")
    if rung.skipped:
        said.append(
            f"{wording.count(rung.skipped)} accounts went past it without it on record: skipped, or not tracked."
        )
    telling = [event for event in rung.errors_at_drop if event.p_adjusted < level]
    said += [_error(event) for event in telling[:_SHOWN]]
    said += [text for funnel in ladder.funnels if (text := _segment(funnel, rung, ladder))]
    return said


def _error(event: DropEvent) -> str:
    number, interval = wording.ratio_estimate(event.ratio)
    looked_at = f"{wording.count(event.n_accounts)} of the {wording.count(event.ratio.n_accounts)} accounts looked at"
    met = f"{looked_at} met {quoted(event.event)}"
    shares = ""
    if event.stopped is not None and event.went_on is not None:
        shares = (
            f": {wording.percent(event.stopped)} of those that stopped, {wording.percent(event.went_on)} of those "
            "that went on"
        )
    if number == wording.MISSING:
        return f"{met}{shares}."
    chance = wording.p_value(event.p_adjusted)
    return f"{met}{shares}. After it accounts go on at {number} times the rate without it {interval} ({chance})."


def _segment(funnel: Funnel, rung: Rung, ladder: Ladder) -> str:
    """Name the values of a segment that go on least and most to this rung, where the segment differs there."""
    place = ladder.rungs.index(rung)
    if rung.milestone not in funnel.differs_at:
        return ""
    rates = sorted(
        (estimate.estimate, row.value)
        for row in funnel.rows
        if place < len(row.conversion) and (estimate := row.conversion[place]) and estimate.estimate is not None
    )
    segment = quoted(funnel.segment, 40)
    if len(rates) < 2:
        return f"The share that goes on differs by {segment}, beyond noise."
    (low, least), (high, most) = rates[0], rates[-1]
    return (
        f"The share that goes on differs by {segment}, beyond noise: {wording.percent(low)} of {quoted(least, 40)}, "
        f"{wording.percent(high)} of {quoted(most, 40)}."
    )


def _alternative(branch: Branch) -> str:
    said = f"{named(branch.milestone)}: {wording.count(branch.n_reached)} accounts"
    said += f", {wording.percent(branch.share)} of those that did any of these"
    if branch.median_days is not None:
        said += f", half of them by {wording.days(branch.median_days)} after signup"
    if branch.goes_on is not None:
        said += f"; {wording.percent(branch.goes_on)} of them reach the next rung"
    return f"{said}."


def _rules(rung: Rung) -> tuple[WorksheetRow, ...]:
    faults = tuple(
        WorksheetRow(label=label, text=f"{rule.name.capitalize()}. {sentence(rule.sentence)}")
        for status, label in _RULES
        for rule in rung.rules
        if rule.status == status
    )
    kept = [rule.name for rule in rung.rules if rule.status == "pass"]
    return (*faults, *from_data("Rules it keeps", sentence(listed(kept).capitalize())))
