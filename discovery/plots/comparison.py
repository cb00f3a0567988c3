"""Proposed milestones beside each other, and the differences of one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from discovery import wording
from discovery.plots import canvas, marks
from discovery.plots.differences import Key, Row, drawn
from discovery.results import Estimate, Proposal, ValidationResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST: Final = 20
_LONGEST: Final = 110


@canvas.styled
def comparison(result: ValidationResult) -> Figure:
    """Draw the deciding difference of every proposal with its interval, and its verdict as a mark.

    Where a past test decided, that is its effect among the accounts that it moved. The grey band
    holds differences smaller than the `minimum_effect` of the spec; the line is zero.

    Parameters
    ----------
    result
        A finished validation.

    Returns
    -------
    Figure
        A matplotlib figure; the scale is percentage points. At most 20 proposals are drawn.
    """
    shown = result.proposals[:_MOST]
    if not shown:
        return canvas.sentence_only("Nothing was proposed.")
    rows = [
        Row(
            name=proposal.milestone,
            estimate=_deciding(proposal),
            mark=marks.VERDICTS[proposal.verdict],
            note=f"{proposal.verdict}{_by_test(proposal)} · {wording.percent(proposal.reach)} reach it",
        )
        for proposal in shown
    ]
    given = {proposal.verdict for proposal in shown}
    key = [Key(mark=how, text=verdict) for verdict, how in marks.VERDICTS.items() if verdict in given]
    said = "; ".join(_said(proposal) for proposal in shown)
    return drawn(rows, result, f"The deciding difference of each proposal, in percentage points: {said}.", key)


@canvas.styled
def estimates(proposal: Proposal, result: ValidationResult) -> Figure:
    """Draw what is known of one proposal's difference: the one that decides, and those beside it.

    Parameters
    ----------
    proposal
        One of `result.proposals`.
    result
        The validation it comes from; its `minimum_effect` is the grey band.

    Returns
    -------
    Figure
        A matplotlib figure; the scale is percentage points.
    """
    level = wording.interval_level(proposal.adjusted, proposal.unwidened, proposal.coverage, _alpha(result))
    by_difference, how = proposal.decided_by == "difference", marks.VERDICTS[proposal.verdict]
    rows = [
        Row(
            name=f"adjusted, {level}{': decides' if by_difference else ''}",
            estimate=proposal.adjusted,
            mark=marks.ADJUSTED if proposal.deciding_test() else how,
        )
    ]
    if test := proposal.deciding_test():
        name = f"among accounts that {wording.shorten(test.variant, 40)} moved: decides"
        rows.insert(0, Row(name=name, estimate=test.complier, mark=how))
    usual = f"the same with the usual {_usual(result)} interval"
    beside: list[tuple[str, Estimate | None, marks.Mark]] = [
        (usual, proposal.unwidened if _widened(proposal) else None, marks.ASIDE),
        ("at equal activity", proposal.composition, marks.ASIDE),
        ("the latest quarter of signups", proposal.latest, marks.ASIDE),
        ("plain, not adjusted for anything", proposal.naive_difference, marks.PLAIN),
    ]
    rows += [
        Row(name=name, estimate=estimate, mark=mark)
        for name, estimate, mark in beside
        if estimate is not None and wording.known(estimate.estimate)
    ]
    said = "; ".join(f"{row.name}: {marks.numbers(row.estimate)}" for row in rows if row.estimate is not None)
    name = wording.shorten(proposal.milestone, _LONGEST)
    return drawn(rows, result, f"Differences of {name} in percentage points. {said}.")


def _deciding(proposal: Proposal) -> Estimate:
    test = proposal.deciding_test()
    return test.complier if test is not None and test.complier is not None else proposal.adjusted


def _by_test(proposal: Proposal) -> str:
    return ", by a past test" if proposal.deciding_test() else ""


def _said(proposal: Proposal) -> str:
    name = wording.shorten(proposal.milestone, _LONGEST)
    return f"{name}: {marks.numbers(_deciding(proposal))}, {proposal.verdict}{_by_test(proposal)}"


def _widened(proposal: Proposal) -> bool:
    return proposal.unwidened != proposal.adjusted


def _usual(result: ValidationResult) -> str:
    return wording.percent(1 - _alpha(result))


def _alpha(result: ValidationResult) -> float:
    return float(result.settings.get("inference", {}).get("alpha", 0.05))
