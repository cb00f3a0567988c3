"""The experiment that would prove a milestone, as Markdown."""

from __future__ import annotations

from discovery import wording
from discovery.export.markdown import escaped
from discovery.results import ExperimentPlan, PastExperiment, PlanRow, Proposal


def plan_as_markdown(proposal: Proposal) -> str:
    """Return the plan of a proposal: design, sizes, metrics, criteria, and what past tests said.

    Where no plan could be made, the text says so.
    """
    plan = proposal.experiment
    lines = [f"# Experiment plan: {escaped(proposal.milestone)}", ""]
    if plan is None:
        return "\n".join([*lines, "No experiment could be planned for this milestone."]) + "\n"
    lines += [escaped(plan.design), "", *_sizes(plan), *_gain(plan)]
    for title, said in (
        ("Primary metric", (plan.primary,)),
        ("Secondary metrics", plan.secondary),
        ("Guardrails", plan.guardrails),
        ("Success, as a proposal", plan.success),
        ("Rollback, as a proposal", plan.rollback),
    ):
        lines += ["", f"## {title}", "", *(f"- {escaped(text)}" for text in said)]
    if proposal.evidence:
        lines += ["", "## Past tests", "", *(f"- {_past(test)}" for test in proposal.evidence)]
    return "\n".join(lines) + "\n"


def _sizes(plan: ExperimentPlan) -> list[str]:
    return [
        "## Size",
        "",
        f"Two arms of the same size, {wording.percent(plan.power)} power at {wording.percent(plan.alpha)}, two-sided. "
        f"Today {wording.percent(plan.base_rate)} stay and {wording.percent(plan.activation)} reach the milestone; "
        f"{wording.count(plan.signups_per_week)} accounts sign up in a week.",
        "",
        "| rise in activation | effect among those moved | difference between the arms | accounts an arm | weeks |",
        "| --- | --- | --- | --- | --- |",
        *(_row(row) for row in plan.rows),
    ]


def _row(row: PlanRow) -> str:
    effect = row.effect / row.rise if row.rise else 0.0
    part = "all of it" if row.effect_share == 1 else f"{wording.percent(row.effect_share)} of it"
    cells = (
        wording.points(row.rise),
        f"{_tenths(effect)} ({part})",
        _tenths(row.effect, 2),
        wording.count(row.per_arm) if row.per_arm is not None else "not possible",
        wording.count(row.weeks) if row.weeks is not None else wording.MISSING,
    )
    return f"| {' | '.join(cells)} |"


def _tenths(difference: float, decimals: int = 1) -> str:
    return f"+{wording.decimal(100 * difference, decimals)} points"


def _gain(plan: ExperimentPlan) -> list[str]:
    value, interval = wording.points_estimate(plan.gain)
    if value == wording.MISSING:
        return []
    return [
        "",
        f"If activation rises by 10 points, and *if* the adjusted difference is causal, staying changes by {value} "
        f"{interval}".rstrip()
        + ".",
    ]


def _past(test: PastExperiment) -> str:
    name = f"**{escaped(test.column)}**"
    when = f" ({test.first_signup} to {test.last_signup})" if test.first_signup else ""
    return f"{name}{when}: {escaped(test.sentence)}"
