"""What people see of a validation in the terminal: the verdicts, each scorecard, and what would prove it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from discovery import wording
from discovery.cli.terminal import Console
from discovery.results import Change, Criterion, ExperimentPlan, Power, Proposal, ValidationResult

_NAME = 28
_FORESEEABLE_WEEKS = 520


def print_validation(console: Console, result: ValidationResult, out: Path, *, plan: bool) -> None:
    """Print the verdicts side by side, each proposal with its scorecard, and where the report is.

    With `plan` the sizes of the experiment that would prove each of them are printed as well.
    """
    if len(result.proposals) > 1:
        for line in _comparison(result):
            console.say(line)
    for proposal in result.proposals:
        for line in _proposal(proposal, result, plan):
            console.say(line)
        console.say()
    for line in _basis(result):
        console.say(line)
    if plan:
        console.say(f"Plan: {out / 'plan.md'}")
    console.say(f"Report: {out / 'report.html'}")


def _comparison(result: ValidationResult) -> Iterator[str]:
    yield f"{len(result.proposals)} proposals:"
    for proposal in result.proposals:
        number, interval = wording.points_estimate(proposal.adjusted)
        difference = f"{number} {interval}".strip()
        reach = wording.percent(proposal.reach)
        verdict = proposal.verdict.upper()
        yield f"  {verdict:15}  {difference:28}  reach {reach:>6}  {wording.shorten(proposal.milestone, 100)}"
    yield ""


def _proposal(proposal: Proposal, result: ValidationResult, plan: bool) -> Iterator[str]:
    yield f"{proposal.verdict.upper()}: {wording.shorten(proposal.milestone, 200)}"
    yield f"  {wording.clean(proposal.sentence)}"
    yield from (f"  - {wording.clean(reason)}" for reason in proposal.reasons)
    yield from (_criterion(criterion) for criterion in proposal.criteria)
    if proposal.better:
        yield f"  Better: {wording.shorten(proposal.better, 200)}"
    yield f"  Power: {_power(proposal.power, wanting=proposal.verdict == 'not enough data')}"
    yield from _changes(proposal, result)
    if plan:
        yield from _sizes(proposal.experiment)


def _criterion(criterion: Criterion) -> str:
    status = (criterion.status.upper() if criterion.status == "fail" else criterion.status) if criterion.judged else "-"
    decides = " (decides)" if criterion.decides and criterion.status == "fail" else ""
    return f"  {status:4}  {criterion.name:{_NAME}}  {wording.clean(criterion.sentence)}{decides}"


def _power(power: Power, *, wanting: bool) -> str:
    """Say what could have been shown; where the verdict is `wanting` data, how many accounts are missing."""
    if power.minimum_detectable is None:
        return "no difference could have been shown with these data."
    said = f"the smallest difference these data could show is {wording.points(power.minimum_detectable, plus=False)}"
    if not wanting or power.accounts_missing == 0:
        return f"{said}."
    if power.accounts_missing is None:
        return f"{said}; no number of accounts would show the smallest that matters."
    said += f"; {wording.count(power.accounts_missing)} more accounts with a known outcome are needed"
    if power.on_their_way:
        said += f", {wording.count(power.on_their_way)} of them have signed up already"
    return f"{said}{_after(power.weeks)}."


def _after(weeks: float | None) -> str:
    if weeks is None or weeks > _FORESEEABLE_WEEKS:
        return ", which these signups will not bring for years"
    return f", some {wording.count(max(weeks, 1))} weeks from now"


def _changes(proposal: Proposal, result: ValidationResult) -> Iterator[str]:
    """Say what is notable since the earlier run, or that nothing is; and what could not be compared."""
    if result.compared_with is None:
        return
    told = [change for change in proposal.changes if change.notable or _of_another_kind(change)]
    yield f"  Since the {wording.clean(result.compared_with)}:{'' if told else ' nothing notable changed.'}"
    yield from (f"    * {wording.clean(change.sentence)}" for change in told)


def _of_another_kind(change: Change) -> bool:
    return change.what == "verdict" and change.before != change.now


def _sizes(plan: ExperimentPlan | None) -> Iterator[str]:
    if plan is None:
        yield "  Experiment: none can be planned for it."
        return
    rate = wording.count(plan.signups_per_week)
    yield f"  Experiment: accounts an arm, and weeks at {rate} signups a week until the outcome is known"
    for row in plan.rows:
        per_arm = wording.count(row.per_arm) if row.per_arm is not None else "out of reach"
        weeks = f"{wording.count(row.weeks)} weeks" if row.weeks is not None else ""
        moved = f"{wording.points(row.rise, plus=False)} more reach it, effect {_tenths(row.effect / row.rise)}"
        yield f"    {moved:48}  {_tenths(row.effect):>11} between arms  {per_arm:>12} an arm  {weeks}".rstrip()


def _tenths(difference: float) -> str:
    return f"{wording.decimal(100 * difference)} points"


def _basis(result: ValidationResult) -> Iterator[str]:
    """Say what kind of test it was, over how many accounts."""
    through = f" that signed up before {result.judged_through}" if result.judged_through else ""
    since = f", those from {result.registered} on deciding" if result.registered else ""
    judged = f"Judged: {wording.count(result.judged)} accounts{through}{since}."
    yield f"{judged} {wording.clean(result.correction)}".rstrip()
    loud = [finding.code for finding in result.quality if finding.severity == "warning"]
    if loud:
        yield f"{len(loud)} data-quality warning(s): {', '.join(loud)}."
