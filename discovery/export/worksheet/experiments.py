"""The finding as a hypothesis to be tested, with the sizes of a test where they are known."""

from __future__ import annotations

from discovery import wording
from discovery.export.worksheet.phrases import STAY, STAYED, STAYING, in_words, quoted, sentence
from discovery.export.worksheet.plans import biggest_loss
from discovery.export.worksheet.rows import WorksheetRow, WorksheetSection, for_team, from_data
from discovery.export.worksheet.value import family_of
from discovery.results import ExperimentPlan, Ladder, PlanRow, StudyResult, UserClusters

_PROMISE = (
    "The difference seen here is no promise of an effect: expect the rise in the primary metric times the effect among "
    "the accounts that the change moves, which is far smaller. If 12 points more accounts reach it, and the effect "
    "among them is 10 points, the experiment must be able to see 1.2 points."
)


def experiment_plan(result: StudyResult, ladder: Ladder) -> WorksheetSection:
    """Put the finding as a hypothesis to be tested, with proposals for size, success and rollback."""
    plan = ladder.experiment
    return WorksheetSection(
        title="Experiment plan",
        rows=(
            *from_data("Hypothesis", *_hypothesis(result, ladder)),
            *from_data("Where to begin, as a proposal", biggest_loss(ladder)),
            *for_team("Change"),
            *(_drawn_up(plan) if plan else _in_general(result)),
        ),
    )


def _in_general(result: StudyResult) -> tuple[WorksheetRow, ...]:
    """Return the plan where nothing was computed: what to fix, and what a size has to count with."""
    kind = result.outcome.kind
    return (
        *from_data(
            "Who gets it, as a proposal",
            "A random half of new accounts gets the change, the other half does not; nobody changes sides.",
        ),
        *from_data(
            "Success criteria, as a proposal",
            "The primary metric rises by the amount the team fixes beforehand.",
            f"Guardrail: {STAYING[kind]} (an account that {wording.clean(result.outcome.stayed)}) does not fall, "
            "measured in every account that was assigned.",
        ),
        *for_team("Rollback criteria"),
        *from_data(
            "Rollback criteria, as a proposal",
            "Take the change back if the guardrail falls by more than the team can accept, if more accounts meet "
            "errors, or if the primary metric has not risen when the planned number of accounts is reached.",
        ),
        *for_team("Number of accounts, and duration"),
        *from_data(
            "Before you fix the size",
            "Both come from an experiment plan, not from this worksheet: discover validate with --plan writes one.",
            _PROMISE,
        ),
    )


def _drawn_up(plan: ExperimentPlan) -> tuple[WorksheetRow, ...]:
    """Return the plan that was computed for the milestone."""
    return (
        *from_data("Who gets it, as a proposal", sentence(plan.design)),
        *from_data("Primary metric of the experiment, as a proposal", sentence(plan.primary)),
        *from_data("Secondary metrics of the experiment, as a proposal", *map(sentence, plan.secondary)),
        *from_data("Guardrails, as a proposal", *map(sentence, plan.guardrails)),
        *from_data("Success criteria, as a proposal", *map(sentence, plan.success)),
        *for_team("Rollback criteria"),
        *from_data("Rollback criteria, as a proposal", *map(sentence, plan.rollback)),
        *for_team("Number of accounts, and duration"),
        *from_data("Number of accounts, and duration, computed", *_basis(plan), *map(_size, plan.rows)),
        *from_data("To see ten points more activation", _activation(plan)),
        *from_data("If users are counted, not accounts", _by_user(plan.clusters)),
        *from_data("What could be gained, if causal", _gain(plan)),
        *from_data("Before you fix the size", _PROMISE),
    )


def _hypothesis(result: StudyResult, ladder: Ladder) -> list[str]:
    kind = result.outcome.kind
    whom = f"new accounts with {quoted(ladder.persona)}" if ladder.persona else "new accounts"
    said = [f"If more {whom} did {in_words(ladder.milestone, result)}, more of them might {STAY[kind]}."]
    family = family_of(result, ladder)
    number, interval = wording.points_estimate(family.adjusted) if family else (wording.MISSING, "")
    if number != wording.MISSING:
        said.append(
            f"In past accounts the share that {STAYED[kind]} differs by {number} {interval} between those that did and "
            "comparable ones that did not."
        )
    said.append("These data show an association; whether the one follows from the other is for the experiment to show.")
    return said


def _basis(plan: ExperimentPlan) -> list[str]:
    return [
        f"{wording.percent(plan.power)} power at a two-sided level of {wording.percent(plan.alpha)}, where "
        f"{wording.percent(plan.base_rate)} stay and {wording.percent(plan.activation)} reach it today, with "
        f"{wording.count(plan.signups_per_week)} signups a week; the weeks count until the outcome of the last account "
        "is known."
    ]


def _size(row: PlanRow) -> str:
    """Say what one assumed rise at one assumed effect takes."""
    assumed = (
        f"If {wording.points(row.rise, plus=False)} more accounts reach it and the effect among them is "
        f"{_tenths(row.effect / row.rise)}, the arms differ by {_tenths(row.effect)}"
    )
    if row.per_arm is None:
        return f"{assumed}: no number of accounts shows that."
    lasting = f", {wording.lasting(row.weeks)}" if row.weeks is not None else ""
    return f"{assumed}: {wording.count(row.per_arm)} accounts in each arm{lasting}."


def _activation(plan: ExperimentPlan) -> str:
    if plan.activation_per_arm is None:
        return ""
    lasting = f", {wording.lasting(plan.activation_weeks)}" if plan.activation_weeks is not None else ""
    return f"{wording.count(plan.activation_per_arm)} accounts in each arm{lasting}."


def _by_user(clusters: UserClusters | None) -> str:
    if clusters is None or clusters.users_per_arm is None:
        return ""
    of = f" (some {wording.count(clusters.accounts_per_arm)} accounts)" if clusters.accounts_per_arm else ""
    return (
        f"To see ten points more users do it, {wording.count(clusters.users_per_arm)} users{of} are needed in each "
        f"arm: users of one account do alike, which takes {wording.decimal(clusters.design_effect, 2)} times as many."
    )


def _gain(plan: ExperimentPlan) -> str:
    number, interval = wording.points_estimate(plan.gain)
    if number == wording.MISSING:
        return ""
    return (
        f"If ten points more accounts reach it, and the whole adjusted difference is an effect: {number} {interval} in "
        "the share that stays. These data cannot say that it is."
    )


def _tenths(difference: float) -> str:
    return f"{wording.decimal(100 * difference)} points"
