"""The experiment that would prove a milestone, as Markdown, and the words of its sizes."""

from __future__ import annotations

import math
from typing import Literal

from discovery import wording
from discovery.export.markdown import escaped
from discovery.results import ExperimentPlan, PastExperiment, PlanRow, Proposal, ValidationResult


def plan_as_markdown(proposal: Proposal, result: ValidationResult | None = None) -> str:
    """Return the plan of a proposal: its verdict, then design, sizes, metrics, criteria, and what past tests said.

    Where no plan could be made, or the proposal is ruled out, the text says so.

    Parameters
    ----------
    proposal
        One proposal.
    result
        The validation it comes from: its date and origin are named.
    """
    plan, why_not = proposal.experiment, unplanned(proposal)
    lines = [f"# Experiment plan: {escaped(proposal.milestone)}", "", *_verdict(proposal, result)]
    if why_not or plan is None:
        lines.append(escaped(why_not) or "No experiment could be planned for this milestone.")
        return "\n".join([*lines, *_past_tests(proposal)]) + "\n"
    lines += [escaped(plan.design), "", *_sizes(plan), *_gain(plan)]
    for title, said in (
        ("Primary metric", (plan.primary,)),
        ("Secondary metrics", plan.secondary),
        ("Guardrails", plan.guardrails),
        ("Success, as a proposal", plan.success),
        ("Rollback, as a proposal", plan.rollback),
    ):
        lines += ["", f"## {title}", "", *(f"- {escaped(text)}" for text in said)]
    return "\n".join([*lines, *_past_tests(proposal)]) + "\n"


def unplanned(proposal: Proposal) -> str:
    """Say why no experiment is planned for a proposal that a criterion rules out; nothing for any other."""
    if proposal.verdict != "does not hold":
        return ""
    deciding = [line for line in proposal.criteria if line.judged and line.decides and line.status == "fail"]
    why = " ".join(line.sentence for line in deciding)
    return f"No experiment is planned: {why}" if why else ""


def kind_of_test(result: ValidationResult) -> str:
    """Name where the proposals came from, in a few words."""
    origin: dict[Literal["registered", "independent", "searched"], str] = {
        "registered": f"registered on {result.registered}" if result.registered else "registered beforehand",
        "independent": "independent of these data, says the team",
        "searched": "may come from these data, so it answers for all "
        f"{wording.count(result.searched)} rules of a search",
    }
    return origin[result.origin]


def assumed(plan: ExperimentPlan, proposal: Proposal) -> str:
    """Say which effect among the accounts that are moved the sizes are for, where it is not the adjusted difference."""
    row = next((row for row in plan.rows if row.rise and row.effect_share), None)
    if row is None:
        return ""
    effect, adjusted = row.effect / (row.rise * row.effect_share), proposal.adjusted.estimate
    if adjusted is not None and math.isclose(effect, adjusted, rel_tol=1e-3, abs_tol=1e-6):
        return ""
    said = f"Planned for +{wording.decimal(100 * effect)} points among the accounts that the help moves"
    shown_by_test = [test.complier.estimate for test in proposal.evidence if test.complier is not None]
    if any(shown is not None and math.isclose(shown, effect, rel_tol=1e-3) for shown in shown_by_test):
        return f"{said}: what a past test showed."
    if adjusted is not None and effect > adjusted:
        shown = wording.points_estimate(proposal.adjusted)[0]
        return f"{said}, the smallest that would matter: the adjusted difference is only {shown}."
    return f"{said}."


def feasible(plan: ExperimentPlan) -> str:
    """Say what can be shown within two years, where ten points more activation cannot; nothing where they can."""
    if plan.weeks is not None and plan.weeks <= wording.LONG_WEEKS:
        return ""
    rate = f"at {wording.count(plan.signups_per_week)} signups a week"
    within = [
        row for row in plan.rows if row.effect_share == 1 and row.weeks is not None and row.weeks <= wording.LONG_WEEKS
    ]
    ways = []
    if within:
        least = min(within, key=lambda row: row.rise)
        moves = wording.points(least.rise, plus=False)
        ways.append(f"a help that moves {moves} ({wording.lasting(least.weeks)})")
    if plan.activation_weeks is not None and plan.activation_weeks <= wording.LONG_WEEKS:
        first = "first " if within else ""
        ways.append(f"{first}only whether it moves activation ({wording.lasting(plan.activation_weeks)})")
    return f"Feasible {rate}: {'; or '.join(ways)}." if ways else f"Not feasible {rate} within two years."


def time_of(row: PlanRow) -> str:
    """Say how long a size takes: `18 weeks`, or that it is not feasible."""
    if row.weeks is None:
        return wording.MISSING
    never = ": not feasible" if row.weeks > wording.FORESEEABLE_WEEKS else ""
    return f"{wording.lasting(row.weeks)}{never}"


def _verdict(proposal: Proposal, result: ValidationResult | None) -> list[str]:
    """Say what became of the proposal, and when."""
    day = f" of {result.provenance.created_at[:10]}" if result else ""
    origin = f" ({escaped(kind_of_test(result))})" if result else ""
    said = [f"Verdict{day}: **{proposal.verdict}**{origin}.", ""]
    return [*said, escaped(proposal.sentence), ""] if proposal.sentence else said


def _sizes(plan: ExperimentPlan) -> list[str]:
    return [
        "## Size",
        "",
        f"Two arms of the same size, {wording.percent(plan.power)} power at {wording.percent(plan.alpha)}, two-sided. "
        f"Today {wording.percent(plan.base_rate)} stay and {wording.percent(plan.activation)} reach the milestone; "
        f"{wording.count(plan.signups_per_week)} accounts sign up in a week.",
        "",
        "| rise in activation | effect among those moved | difference between the arms | accounts an arm | time |",
        "| --- | --- | --- | --- | --- |",
        *(_row(row) for row in plan.rows),
    ]


def _row(row: PlanRow) -> str:
    effect = row.effect / row.rise if row.rise else 0.0
    part = "all of it" if row.effect_share == 1 else f"{wording.percent(row.effect_share)} of it"
    cells = (
        wording.points(row.rise),
        f"+{wording.decimal(100 * effect)} points ({part})",
        f"+{wording.hundredths(row.effect)}",
        wording.accounts_an_arm(row.per_arm),
        time_of(row),
    )
    return f"| {' | '.join(cells)} |"


def _gain(plan: ExperimentPlan) -> list[str]:
    value, interval = wording.points_estimate(plan.gain)
    if value == wording.MISSING:
        return []
    return [
        "",
        f"If activation rises by 10 points, *if* the assumed effect is causal, and if newly helped accounts gain "
        f"what accounts that came by themselves gained, staying changes by {value} {interval}".rstrip()
        + ".",
    ]


def _past_tests(proposal: Proposal) -> list[str]:
    return ["", "## Past tests", "", *(f"- {_past(test)}" for test in proposal.evidence)] if proposal.evidence else []


def _past(test: PastExperiment) -> str:
    name = f"**{escaped(test.column)}**"
    when = f" ({test.first_signup} to {test.last_signup})" if test.first_signup else ""
    return f"{name}{when}: {escaped(test.sentence)}"
