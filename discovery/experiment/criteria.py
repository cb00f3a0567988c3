"""The plan in words: what is randomised, what is read, and what counts as success or as a reason to stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from discovery import wording
from discovery.experiment.phrases import STAY, STAYING, named, with_interval
from discovery.milestone import Milestone
from discovery.results import Estimate, OutcomeSummary, PlanRow, UserClusters

LONG_WEEKS: Final = 52
"""Beyond a year a test of staying is seldom run to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The numbers a plan speaks of; `assumed` is None where the adjusted difference gives no effect to assume."""

    milestone: Milestone
    outcome: OutcomeSummary
    effect: float
    assumed: float | None
    adjusted: Estimate
    base_rate: float
    activation: float
    signups_per_week: float
    plan: PlanRow
    activation_per_arm: int | None
    activation_weeks: float | None
    error_events: tuple[str, ...]
    clusters: UserClusters | None
    alpha: float
    power: float

    @property
    def staying(self) -> str:
        """Staying, later activity or converting."""
        return STAYING[self.outcome.kind]


def design_of(sizes: Sizes) -> str:
    """Say who gets what, and how it is read."""
    said = [
        "Encouragement design: a random half of new accounts gets help towards the milestone (a checklist, a template, "
        "a message), the other half does not; nobody changes sides.",
        "The milestone itself cannot be assigned: accounts reach it or not, as they like.",
        "All accounts are compared as they were assigned, whether they reached it or not (intention to treat); what "
        "that means for the accounts that the help moved follows by dividing by the rise in activation, if the help "
        f"lets accounts {STAY[sizes.outcome.kind]} through the milestone and in no other way.",
        "The unit is the account: all its people get the same.",
    ]
    if sizes.assumed is None:
        shown = with_interval(sizes.adjusted)
        said.append(
            f"The adjusted difference ({shown}) is not above zero, so the numbers are for an effect of "
            f"{wording.points(sizes.effect, plus=False)}, the smallest that would matter."
        )
    said.append(_duration(sizes))
    return " ".join(said)


def primary(sizes: Sizes) -> str:
    """Name the metric that decides."""
    return (
        f"The share of all assigned accounts that {wording.clean(sizes.outcome.stayed)}, help less control "
        f"(today {wording.percent(sizes.base_rate)})."
    )


def secondary(sizes: Sizes) -> tuple[str, ...]:
    """Name the leading metrics."""
    rate = (
        f"Activation rate: the share of all assigned accounts that reach {named(str(sizes.milestone), 200)} "
        f"(today {wording.percent(sizes.activation)})"
    )
    if sizes.activation_per_arm is not None:
        rate += f"; {wording.count(sizes.activation_per_arm)} accounts an arm show a rise of 10 points"
    said = [f"{rate}.", "Median time to reach it, of those that do.", "The share that goes on from each earlier step."]
    if sizes.clusters is not None and sizes.clusters.users_per_arm is not None:
        said.append(_by_user(sizes.clusters))
    return tuple(said)


def guardrails(sizes: Sizes) -> tuple[str, ...]:
    """Name what must not get worse, and what must hold for the test to be read at all."""
    failures = (
        f"Accounts that meet errors: {', '.join(named(event, 40) for event in sizes.error_events[:5])}."
        if sizes.error_events
        else "Accounts that meet errors or ask for support."
    )
    return (
        f"The share of accounts that leave within their first {wording.days(sizes.outcome.window_days)}.",
        failures,
        "Other first behaviours: help that moves them too says nothing of this milestone alone.",
        "The arms stay as large as planned (sample ratio, p below 0.001 means that the assignment is broken).",
    )


def success(sizes: Sizes) -> tuple[str, ...]:
    """Say what would be a success, with its numbers."""
    said = [
        "Activation is higher with the help, by 10 points as planned or by as many as the team fixes beforehand: "
        "without a rise the test says nothing about the milestone.",
        f"The interval of the difference in {sizes.staying} ({wording.percent(1 - sizes.alpha)}, as assigned) lies "
        "above zero" + _expected(sizes) + ".",
    ]
    if sizes.plan.per_arm is not None:
        said.append(
            f"It is read once, when {wording.count(sizes.plan.per_arm)} accounts an arm have a known outcome: looking "
            "earlier and stopping at the first good number finds effects that are not there."
        )
    return tuple(said)


def rollback(sizes: Sizes) -> tuple[str, ...]:
    """Say when the change is taken back."""
    number = sizes.activation_per_arm
    when = f"when {wording.count(number)} accounts an arm have had " if number is not None else "after "
    return (
        f"Activation has not risen {when}their first {wording.days(sizes.outcome.window_days)}.",
        f"The interval of the difference in {sizes.staying} lies below zero.",
        "More accounts leave early or meet errors with the help, by 2 points or more and clear of zero.",
        "The sample-ratio check fails: stop, repair the assignment, begin again.",
    )


def _expected(sizes: Sizes) -> str:
    rise = f"10 points more activation times {wording.points(sizes.effect, plus=False)}"
    if sizes.plan.per_arm is None:
        return f"; {rise} cannot be shown here, whatever the size"
    return f"; {rise} would be +{wording.decimal(100 * sizes.plan.effect)} points"


def _by_user(clusters: UserClusters) -> str:
    return (
        "If the help goes to users and each is counted: the share of users that do it. Users of one account are alike "
        f"(intraclass correlation {wording.decimal(clusters.icc, 2)}), so whole accounts are assigned and a rise of 10 "
        f"points takes {wording.count(clusters.users_per_arm)} users in {wording.count(clusters.accounts_per_arm)} "
        "accounts an arm. Staying is still counted by account."
    )


def _duration(sizes: Sizes) -> str:
    rate = f"At {wording.count(sizes.signups_per_week)} signups a week"
    if sizes.plan.per_arm is None:
        return "Ten points more activation are not possible, or would not show, from where the product is today."
    if sizes.plan.weeks is None:
        return "At the observed signups the experiment does not come to an end."
    weeks = f"{rate} it takes {wording.count(sizes.plan.weeks)} weeks with {wording.percent(sizes.power)} power"
    if sizes.plan.weeks <= LONG_WEEKS or sizes.activation_weeks is None:
        return f"{weeks}."
    return (
        f"{weeks}, longer than most teams wait: a larger rise needs far fewer accounts, and whether the help raises "
        f"activation at all shows after {wording.count(sizes.activation_weeks)} weeks."
    )
