"""The rules that a rung should keep: specific, trackable, soon reachable, towards value, standing for value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from discovery import wording
from discovery.ladder import names
from discovery.milestone import Condition, Milestone
from discovery.results import Rule, RuleStatus, Rung

FIRST_SESSIONS = 3
SOON, SELDOM_SOON = 0.5, 1 / 3
"""Shares done within the first sessions: from the first on a rung is reachable, below the second it is not."""
LOST, MUCH_LOST = 0.1, 0.2
"""Shares of accounts further up without the rung on record: beyond the first it is doubtful, beyond the second lost."""


def rules(
    rung: Rung,
    milestone: Milestone,
    kinds: Mapping[str, str | None],
    *,
    further_up: int | None,
    date_only: bool,
    difference: str,
    status: Literal["found", "lead"],
) -> tuple[Rule, ...]:
    """Check one rung.

    Parameters
    ----------
    rung
        With all figures but its rules.
    milestone
        The rung's own text as a milestone.
    kinds
        The kind that the user gave to each event, None for none.
    further_up
        Accounts at a later rung; None of the rung on top.
    date_only
        Whether times are dates, so that a session is a day.
    difference
        The adjusted difference of the milestone in words; only read of the rung on top.
    status
        What the milestone is.
    """
    return (
        _specific(milestone),
        _trackable(rung, further_up),
        _reachable(rung, date_only),
        _towards_value(rung, difference, status),
        _stands_for_value(rung, milestone, kinds),
    )


def _specific(milestone: Milestone) -> Rule:
    vague = [event for event in milestone.events if names.is_generic(event)]
    if vague:
        return Rule(
            name="specific", status="fail", sentence=f"“{vague[0]}” could be anything; track the action itself."
        )
    if len(milestone.events) == 1:
        return Rule(name="specific", status="pass", sentence="It is one named event.")
    if milestone.joined == "or" and all(isinstance(part, Condition) for part in milestone.parts):
        return Rule(name="specific", status="pass", sentence="Each of its alternatives is one named event.")
    return Rule(name="specific", status="warn", sentence="It is several actions at once; name one as the milestone.")


def _trackable(rung: Rung, further_up: int | None) -> Rule:
    if further_up is None:
        return Rule(name="trackable", status="pass", sentence="It can be counted in the log as it is.")
    if not further_up:
        return Rule(name="trackable", status="unknown", sentence="Nobody got further, so nobody was seen to skip it.")
    lost = rung.skipped / further_up
    status: RuleStatus = "pass" if lost <= LOST else "warn" if lost <= MUCH_LOST else "fail"
    said = f"{wording.percent(lost)} of the accounts further up have no such event on record"
    said += "." if status == "pass" else ": skipped, or not tracked."
    return Rule(name="trackable", status=status, sentence=said, value=lost)


def _reachable(rung: Rung, date_only: bool) -> Rule:
    soon, unit = rung.in_first_sessions, "days of use" if date_only else "sessions (all its users together)"
    if soon is None:
        return Rule(name="reachable", status="unknown", sentence="Nobody was seen doing it.")
    status: RuleStatus = "pass" if soon >= SOON else "warn" if soon >= SELDOM_SOON else "fail"
    said = f"{wording.percent(soon)} of those that do it do so within their first {FIRST_SESSIONS} {unit}"
    typical = "" if rung.sessions is None else f"; half need {wording.decimal(rung.sessions, 0)} or more"
    in_time = rung.target_met or (rung.target_met is None and rung.role == "milestone")
    if status == "fail" and in_time:
        status, typical = "warn", typical + ", though the days are as expected"
    return Rule(
        name="reachable", status=status, sentence=said + (typical if status != "pass" else "") + ".", value=soon
    )


def _towards_value(rung: Rung, difference: str, status: Literal["found", "lead"]) -> Rule:
    if rung.role == "milestone":
        kept = "held up in every check" if status == "found" else "failed some of the checks, so it is a lead only"
        known = "is not known" if difference == wording.MISSING else difference
        said = f"Adjusted difference {known}; it {kept}."
        return Rule(name="towards value", status="pass" if status == "found" else "warn", sentence=said)
    having, without = rung.milestone_with, rung.milestone_without
    if having is None or without is None:
        said = "Nobody was seen doing it" if having is None else "Every account does it"
        return Rule(name="towards value", status="unknown", sentence=f"{said}, so there is nothing to compare.")
    said = (
        f"{wording.percent(having)} of the accounts that do it reach the milestone, against "
        f"{wording.percent(without)} of those that do not; no separate effect of it is shown."
    )
    return Rule(name="towards value", status="pass" if having > without else "warn", sentence=said)


def _stands_for_value(rung: Rung, milestone: Milestone, kinds: Mapping[str, str | None]) -> Rule:
    def said(status: RuleStatus, sentence: str) -> Rule:
        return Rule(name="stands for value", status=status, sentence=sentence)

    given = {kinds.get(event) for event in milestone.events}
    looking = [event for event in milestone.events if names.is_looking(event) and not kinds.get(event)]
    if looking:
        return said("fail", f"By its name, “{looking[0]}” is looking around, not doing; name its kind if it is more.")
    if rung.role != "milestone":
        return said("pass", "By its name it is an action and no looking around; as a step it is not taken for value.")
    if given == {"setup"}:
        return said("fail", "You call it set-up: set-up stands in for value here.")
    if given <= {"value", "collaboration"}:
        return said("pass", f"You call it {' and '.join(sorted(map(str, given), reverse=True))}.")
    setup = [event for event in milestone.events if names.is_setup(event) and not kinds.get(event)]
    if setup:
        return said("warn", f"By its name, “{setup[0]}” may be set-up standing in for value; ask the team.")
    return said(
        "unknown",
        "Ask the team: would a reasonable customer who did this and nothing else say that the product does what it "
        "promises?",
    )
