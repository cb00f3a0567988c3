"""Whether the proposal is something an account does, or the outcome itself, or who the account is."""

from __future__ import annotations

from discovery import wording
from discovery.milestone import BY_OTHER, Condition, Milestone, PropertyTest
from discovery.ranking import outcome_term
from discovery.results import Criterion, CriterionStatus
from discovery.validation.case import Case


def not_the_outcome(case: Case) -> Criterion:
    """Judge whether the proposal's events may stand for a milestone at all.

    One event that may not disqualifies the whole: joined by `and` it is needed, joined by `or` it is enough. An event
    at signup disqualifies where it suffices; beside others that are needed too, it says nothing more.

    Returns
    -------
    Criterion
        Without a value. Every failure decides.
    """
    for status, what in (
        ("outcome_adjacent", "belongs to the decision to stay or go"),
        ("passive", "happens to an account, which does not do it"),
    ):
        for event in (*case.milestone.events, *(act.act_name for act in case.milestone.acts)):
            if event in case.apart and case.apart[event][0] == status:
                return _found("fail", f"{_named(event)} {what}, so it is no milestone. {case.apart[event][1]}")
    defining = [event for event in case.milestone.events if event in case.defines_outcome]
    if defining and case.outcome != "active":
        return _found("fail", f"{_named(defining[0])} is what the outcome is read from, so it cannot precede it.")
    trait = _trait(case)
    if trait:
        return _found("fail", trait)
    if _says_who_came(case.milestone, case.at_signup):
        return _found("fail", f"{_at_signup(case)} happens at signup: it says who came, not what they did.")
    return _doubtful(case, defining) or _found("pass", _PASSED)


def _trait(case: Case) -> str:
    """Say that a test asks for what is the same on all rows of an account; empty where none does."""
    for act in case.milestone.acts:
        for test in act.where:
            share = case.same_within.get((act.event, test.name))
            if share is not None:
                mostly = "all" if share == 1 else f"{int(100 * share)} %"
                return (
                    f"“{wording.clean(test.name)}” is the same on every {_named(act.event)} of an account, for "
                    f"{mostly} of the accounts that have several: it is a trait of the account, not something it does. "
                    "Name it in accounts.segments, if it was known at signup."
                )
    return ""


_PASSED = "Its events are things that an account does, apart from signing up and from the decision to stay or go."


def _doubtful(case: Case, defining: list[str]) -> Criterion | None:
    tests = [test for condition in case.milestone.conditions for test in condition.where]
    axes = [event for event in case.milestone.events if case.apart.get(event, ("",))[0] == "volume_axis"]
    if axes:
        return _found("warn", f"{_named(axes[0])} stands for activity as such. {case.apart[axes[0]][1]}")
    if defining:
        rest = "" if len(defining) == len(case.milestone.events) else " in part"
        return _found(
            "warn",
            f"Staying is read{rest} from {_named(defining[0])} itself, so doing it early may only say that an account "
            "does it at all.",
        )
    speaking = next(filter(None, map(_speaks_of_deciding, tests)), None)
    if speaking:
        return _found("warn", speaking)
    if any(_is_at_signup(condition, case.at_signup) for condition in case.milestone.conditions):
        return _found("warn", f"{_at_signup(case)} happens at signup, so that part of the rule asks nothing more.")
    return None


def _speaks_of_deciding(test: PropertyTest) -> str | None:
    """Say that a test's property, or a text it compares with, speaks of staying or going; whether it does is open."""
    for words in (test.name, *(value for value in test.values if isinstance(value, str))):
        term = None if test.name == BY_OTHER else outcome_term(words)
        if term is not None:
            return (
                f"“{wording.clean(str(test))}” contains “{term.word}” ({term.meaning}), so it may be part of the "
                "decision to stay or go rather than something an account does before it."
            )
    return None


def _says_who_came(part: Condition | Milestone, at_signup: frozenset[str]) -> bool:
    """Tell whether what happens at signup is enough to reach it."""
    if isinstance(part, Condition):
        return _is_at_signup(part, at_signup)
    enough = all if part.joined == "and" else any
    return enough(_says_who_came(each, at_signup) for each in part.parts)


def _is_at_signup(condition: Condition, at_signup: frozenset[str]) -> bool:
    return condition.act_name in at_signup and condition.at_least == 1 and condition.min_users == 1


def _at_signup(case: Case) -> str:
    return next(_named(c.act_name) for c in case.milestone.conditions if _is_at_signup(c, case.at_signup))


def _found(status: CriterionStatus, sentence: str) -> Criterion:
    return Criterion(
        name="not the outcome in disguise", status=status, sentence=sentence.strip(), decides=status == "fail"
    )


def _named(event: str) -> str:
    return f"“{wording.clean(event)}”"
