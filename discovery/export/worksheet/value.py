"""Whom the ladder is for, what the first value moment is, and how sure the data are of it."""

from __future__ import annotations

from discovery import wording
from discovery.export.worksheet.phrases import (
    STAYED,
    STAYING,
    alpha,
    definition,
    in_words,
    listed,
    named,
    parsed,
    quoted,
    sentence,
    window_days,
)
from discovery.export.worksheet.rows import WorksheetRow, WorksheetSection, for_team, from_data
from discovery.results import Ladder, RankedFamily, StudyResult

_SOLD = {"plg": "self-serve", "sales": "inside sales", "enterprise": "enterprise"}
_NO_NUMBER = {
    "ok": "it has no number.",
    "separated": "one side holds only one outcome.",
    "not_converged": "the model did not converge.",
    "too_few": "too few accounts are left to compare.",
}


def persona_and_job(result: StudyResult, ladder: Ladder) -> WorksheetSection:
    """Say whom the ladder is about; the job is the team's to write."""
    whom = f"Accounts with {quoted(ladder.persona)}." if ladder.persona else "All accounts."
    since = f"Only accounts that signed up from {wording.clean(ladder.since)} on." if ladder.since else ""
    motion = str(result.settings.get("product", {}).get("motion", ""))
    return WorksheetSection(
        title="Persona and job",
        rows=(
            *from_data("Persona", whom, f"{wording.count(ladder.n_accounts)} of them stand behind this ladder.", since),
            *for_team("Role in the customer's team", "Job they hire the product for"),
            *from_data("How it is sold", f"{_SOLD[motion].capitalize()}, by the spec." if motion in _SOLD else ""),
            *for_team("Context (trial or paid, self-serve or sales-assisted)"),
        ),
    )


def first_value_moment(result: StudyResult, ladder: Ladder) -> WorksheetSection:
    """Define the moment as the data see it, and leave its meaning to the team."""
    milestone = parsed(ladder.milestone)
    written = str(milestone) if milestone else ladder.milestone
    return WorksheetSection(
        title="First value moment",
        rows=(
            *from_data("First value moment, a candidate", wording.shorten(written, 600)),
            *for_team("An account gets value when they"),
            *from_data("The value is visible as", f"{in_words(ladder.milestone, result)}."),
            *from_data("Event definition", definition(ladder.milestone, result)),
            *from_data("Time window", _window(result, ladder)),
            *_evidence(result, ladder),
            *for_team(
                "Would a reasonable customer who got here and did nothing else tell a friend that the product does "
                "what it says?",
                "What interviews say",
                "What support notes say",
            ),
        ),
    )


def standing(ladder: Ladder) -> WorksheetSection:
    """Say why the ladder stands where it stands, how steady it is, and what is no rung of it."""
    steady = (
        f"{wording.percent(ladder.stability)} of random halves of the accounts give the same rungs."
        if ladder.stability is not None
        and "random halves" not in ladder.sentence
        and any(rung.role == "required" for rung in ladder.rungs)
        else ""
    )
    left_out = " ".join(
        f"{named(step.milestone)}: {wording.percent(step.necessity)} of the accounts at the milestone did it first. "
        f"{sentence(step.reason[:1].upper() + step.reason[1:])}"
        for step in ladder.left_out
    )
    return WorksheetSection(
        title="The ladder as a whole",
        rows=(
            *from_data("Why this ladder", sentence(ladder.sentence)),
            *from_data("How steady", steady),
            *from_data("On the way, but no rung", left_out),
            *from_data("To keep in mind", *(caution.sentence for caution in ladder.warnings)),
        ),
    )


def family_of(result: StudyResult, ladder: Ladder) -> RankedFamily | None:
    """Return the ranked family that the ladder's milestone belongs to, in the ladder's own persona."""
    ranking = result.ranking
    if ladder.persona is not None:
        own = (persona.ranking for persona in result.personas if persona.persona == ladder.persona)
        ranking = next(own, ())
    return next((family for family in ranking if family.milestone == ladder.milestone), None)


def _window(result: StudyResult, ladder: Ladder) -> str:
    days = wording.days(window_days(ladder.milestone, result))
    milestone = parsed(ladder.milestone)
    if milestone and all(condition.within_hours for condition in milestone.conditions):
        return f"Within {days} of signup."
    return f"Within {days} of signup, the study's observation window."


def _evidence(result: StudyResult, ladder: Ladder) -> tuple[WorksheetRow, ...]:
    staying = STAYING[result.outcome.kind]
    status = (
        "Found: it separates accounts by what became of them, beyond chance and beyond general activity."
        if ladder.status == "found"
        else "A lead, not a finding: it stands out, but does not pass every check. Test it before you build on it."
    )
    return (
        *from_data("Status", status),
        *_difference(result, ladder),
        *from_data(f"What {staying} means", f"An account counts if it {sentence(result.outcome.stayed)}"),
        *from_data(
            "How to read it",
            f"The milestone is associated with {staying} in past accounts. Whether accounts that are helped to it "
            f"then do better, these data cannot say; an experiment can.",
        ),
    )


def _difference(result: StudyResult, ladder: Ladder) -> tuple[WorksheetRow, ...]:
    family = family_of(result, ladder)
    if family is None:
        return ()
    number, interval = wording.points_estimate(family.adjusted)
    if number == wording.MISSING:
        return from_data("Adjusted difference", f"Not estimated: {_NO_NUMBER[family.adjusted.status]}")
    plain, plain_interval = wording.points_estimate(family.naive_difference)
    alike = [wording.shorten(trait, 40) for trait in result.adjusted_for]
    adjusted_for = f"at equal {listed(alike)}" if alike else "among comparable accounts"
    return (
        *from_data(
            "Adjusted difference",
            f"{number} {interval} between accounts that reached it and accounts that did not, in the share that "
            f"{STAYED[result.outcome.kind]}, {adjusted_for}.",
            f"The brackets are the {wording.percent(1 - alpha(result))} interval, the values that fit the data.",
            f"Measured on {wording.count(family.adjusted.n_accounts)} accounts that took no part in choosing the rule.",
        ),
        *from_data("Plain difference", f"{plain} {plain_interval}, not adjusted for anything."),
        *from_data("To keep in mind", *(caution.sentence for caution in family.warnings)),
    )
