"""The plan in words: what is randomised, what is read, and what counts as success or as a reason to stop."""

from __future__ import annotations

from dataclasses import dataclass

from discovery import wording
from discovery.experiment.phrases import STAY, STAYING, named, with_interval
from discovery.milestone import Milestone
from discovery.results import Estimate, OutcomeSummary, PlanRow, UserClusters


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The numbers a plan speaks of.

    `effect` is what it is sized for: `found`, or the smallest that matters where that is more (`at_least`). `found` is
    what a past test found where `from_test`, else the adjusted difference. `plan` is the row of the plan itself,
    `larger` that of the largest rise.
    """

    milestone: Milestone
    outcome: OutcomeSummary
    effect: float
    at_least: bool
    found: Estimate
    from_test: bool
    base_rate: float
    activation: float
    signups_per_week: float
    plan: PlanRow
    larger: PlanRow
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
    said += [_assumed(sizes), _as_those(sizes), _duration(sizes)]
    return " ".join(part for part in said if part)


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
    if sizes.plan.per_arm is not None and not _never(sizes.plan):
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
    rise = f"10 points more activation times {_tenths(sizes.effect)}"
    if sizes.plan.per_arm is None:
        return f"; {rise} cannot be shown here, whatever the size"
    would_be = f"; {rise} would be +{wording.hundredths(sizes.plan.effect)}"
    return would_be + (", too little to show at these signups" if _never(sizes.plan) else "")


def _tenths(effect: float) -> str:
    return f"{wording.decimal(100 * effect)} points"


def _never(row: PlanRow) -> bool:
    return row.weeks is not None and row.weeks > wording.FORESEEABLE_WEEKS


def _assumed(sizes: Sizes) -> str:
    """Say which effect the numbers are for, where it is not the adjusted difference."""
    if not sizes.from_test and not sizes.at_least:
        return ""
    what = "effect among the accounts that a past test moved" if sizes.from_test else "adjusted difference"
    shown = with_interval(sizes.found)
    if not sizes.at_least:
        return f"The numbers are for the {what} ({shown}), not for the adjusted difference."
    little = "is not known" if sizes.found.estimate is None else f"({shown}) is less than would matter"
    return (
        f"The {what} {little}, so the numbers are for {_tenths(sizes.effect)}, the smallest effect that would matter."
    )


def _as_those(sizes: Sizes) -> str:
    """Say whom the helped accounts are taken to be like."""
    before = "the test moved before" if sizes.from_test else "came by themselves"
    return f"All of this takes newly helped accounts to gain what those gained that {before}."


def _by_user(clusters: UserClusters) -> str:
    return (
        "If the help goes to users and each is counted: the share of users that do it. Users of one account are alike "
        f"(intraclass correlation {wording.decimal(clusters.icc, 2)}), so whole accounts are assigned and a rise of 10 "
        f"points takes {wording.count(clusters.users_per_arm)} users in {wording.count(clusters.accounts_per_arm)} "
        "accounts an arm. Staying is still counted by account."
    )


def _duration(sizes: Sizes) -> str:
    """Say how long it takes, and beyond two years what can be done sooner."""
    if sizes.plan.per_arm is None:
        return "Ten points more activation are not possible, or would not show, from where the product is today."
    if sizes.plan.weeks is None:
        return "At the observed signups the experiment does not come to an end."
    rate, takes = f"{wording.count(sizes.signups_per_week)} signups a week", wording.lasting(sizes.plan.weeks)
    power = f"with {wording.percent(sizes.power)} power"
    if sizes.plan.weeks <= wording.LONG_WEEKS:
        return f"At {rate} it takes {takes} {power}."
    sooner = []
    if sizes.larger.weeks is not None and sizes.larger.weeks <= wording.LONG_WEEKS:
        rise = wording.points(sizes.larger.rise, plus=False)
        sooner.append(f"help that moves activation by {rise} ({wording.lasting(sizes.larger.weeks)})")
    if sizes.activation_weeks is not None and sizes.activation_weeks <= wording.LONG_WEEKS:
        alone = wording.lasting(sizes.activation_weeks)
        sooner.append(f"first only whether the help raises activation at all ({alone})")
    if not sooner:
        return f"At {rate} 10 points more activation take {takes} {power}."
    return f"Feasible at {rate}: {', or '.join(sooner)}. In {sizes.staying}, 10 points more take {takes} {power}."
