"""What people see of a validation in the terminal: the verdicts, what to do next, and what would prove it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from discovery import wording
from discovery.cli.terminal import Console
from discovery.export.next_step import data_would_show, next_step
from discovery.export.plan import assumed, feasible, time_of, unplanned
from discovery.results import Change, Criterion, DecidedBy, PlanRow, Proposal, ValidationResult

_NAME = 28
_DECIDED: Final[dict[DecidedBy, str]] = {
    "difference": "difference",
    "criterion": "a criterion",
    "experiment": "a past test",
}


def print_validation(console: Console, result: ValidationResult, out: Path, *, plan: bool) -> None:
    """Print the verdicts side by side, each proposal with its scorecard in short, and where the report is.

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
    yield _columns("verdict", "adjusted difference", "decided by", "reach", "proposal")
    for proposal in result.proposals:
        yield _columns(
            proposal.verdict.upper(),
            " ".join(wording.points_estimate(proposal.adjusted)).strip(),
            _DECIDED[proposal.decided_by],
            wording.percent(proposal.reach),
            wording.shorten(proposal.milestone, 100),
        )
    yield ""


def _columns(verdict: str, difference: str, decided_by: str, reach: str, proposal: str) -> str:
    return f"  {verdict:15}  {difference:28}  {decided_by:11}  {reach:>6}  {proposal}"


def _proposal(proposal: Proposal, result: ValidationResult, plan: bool) -> Iterator[str]:
    """Say the verdict and what to do next, then what speaks against it in full, and what passes in one line."""
    yield f"{proposal.verdict.upper()}: {wording.shorten(proposal.milestone, 200)}"
    yield f"  {wording.clean(proposal.sentence)}"
    yield from (f"  - {wording.clean(reason)}" for reason in proposal.reasons)
    yield from _difference(proposal, result)
    yield f"  Next: {wording.clean(''.join(said.text for said in next_step(proposal, result.judged)))}"
    if proposal.better:
        yield f"  Better: {wording.shorten(proposal.better, 200)}"
    yield from _criteria(proposal.criteria)
    could = data_would_show(proposal, result.settings.get("inference", {}).get("minimum_effect"))
    if could:
        yield f"  Power: {could}"
    yield from _changes(proposal, result)
    if plan:
        yield from _sizes(proposal)


def _difference(proposal: Proposal, result: ValidationResult) -> Iterator[str]:
    """Say the difference with its interval, and what that covers."""
    number, interval = wording.points_estimate(proposal.adjusted)
    if not interval:
        return
    alpha = result.settings.get("inference", {}).get("alpha", 0.05)
    covers = wording.interval_level(proposal.adjusted, proposal.unwidened, proposal.coverage, alpha)
    yield f"  Adjusted difference: {number} {interval} ({covers})."


def _criteria(criteria: Sequence[Criterion]) -> Iterator[str]:
    judged = [criterion for criterion in criteria if criterion.judged]
    for status in ("fail", "warn"):
        yield from (_criterion(criterion) for criterion in judged if criterion.status == status)
    for told, names in (
        ("Passes", [criterion.name for criterion in judged if criterion.status == "pass"]),
        ("Not judged", [criterion.name for criterion in criteria if not criterion.judged]),
    ):
        if names:
            yield f"  {told}: {', '.join(names)}."


def _criterion(criterion: Criterion) -> str:
    status = "FAIL" if criterion.status == "fail" else criterion.status
    decides = " (decides)" if criterion.decides and criterion.status == "fail" else ""
    return f"  {status:4}  {criterion.name:{_NAME}}  {wording.clean(criterion.sentence)}{decides}"


def _changes(proposal: Proposal, result: ValidationResult) -> Iterator[str]:
    """Say what is notable since the earlier run, or that nothing is; and what could not be compared."""
    if result.compared_with is None:
        return
    told = [change for change in proposal.changes if change.notable or _of_another_kind(change)]
    yield f"  Since the {wording.clean(result.compared_with)}:{'' if told else ' nothing notable changed.'}"
    yield from (f"    * {wording.clean(change.sentence)}" for change in told)


def _of_another_kind(change: Change) -> bool:
    return change.what == "verdict" and change.before != change.now


def _sizes(proposal: Proposal) -> Iterator[str]:
    plan, why_not = proposal.experiment, unplanned(proposal)
    if why_not or plan is None:
        yield f"  {wording.clean(why_not) or 'Experiment: none can be planned for it.'}"
        return
    rate = wording.count(plan.signups_per_week)
    yield f"  Experiment: accounts an arm, and time at {rate} signups a week until the outcome is known"
    yield from (f"    {wording.clean(text)}" for text in (feasible(plan), assumed(plan, proposal)) if text)
    for row in plan.rows:
        moved = f"{wording.points(row.rise, plus=False)} more reach it, effect {_effect(row)}"
        arms = f"{wording.hundredths(row.effect):>11} between arms"
        time = time_of(row) if row.weeks is not None else ""
        size = wording.accounts_an_arm(row.per_arm) + (" an arm" if row.per_arm is not None else "")
        yield f"    {moved:48}  {arms}  {size:>21}  {time}".rstrip()


def _effect(row: PlanRow) -> str:
    return f"{wording.decimal(100 * row.effect / row.rise if row.rise else 0.0)} points"


def _basis(result: ValidationResult) -> Iterator[str]:
    """Say what kind of test it was, over how many accounts."""
    through = f" that signed up before {result.judged_through}" if result.judged_through else ""
    since = f", those from {result.registered} on deciding" if result.registered else ""
    judged = f"Judged: {wording.count(result.judged)} accounts{through}{since}."
    yield f"{judged} {wording.clean(result.correction)}".rstrip()
    loud = [finding.code for finding in result.quality if finding.severity == "warning"]
    if loud:
        yield f"{wording.counted(len(loud), 'data-quality warning')}: {', '.join(loud)}."
