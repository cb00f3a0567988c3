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

    The grey band holds differences smaller than the `minimum_effect` of the spec; the line is zero.

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
            estimate=proposal.adjusted,
            mark=marks.VERDICTS[proposal.verdict],
            note=f"{proposal.verdict} · {wording.percent(proposal.reach)} reach it",
        )
        for proposal in shown
    ]
    given = {proposal.verdict for proposal in shown}
    key = [Key(mark=how, text=verdict) for verdict, how in marks.VERDICTS.items() if verdict in given]
    said = "; ".join(
        f"{wording.shorten(p.milestone, _LONGEST)}: {marks.numbers(p.adjusted)}, {p.verdict}" for p in shown
    )
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
    searched = result.origin == "searched" and _widened(proposal)
    level = "answering for the search" if searched else f"{wording.percent(proposal.coverage)} interval"
    decides = f"adjusted, {level}{': decides' if proposal.decided_by == 'difference' else ''}"
    rows = [Row(name=decides, estimate=proposal.adjusted, mark=marks.VERDICTS[proposal.verdict])]
    usual = f"the same with the usual {_usual(result)} interval"
    beside: list[tuple[str, Estimate | None, marks.Mark]] = [
        (usual, proposal.unwidened if _widened(proposal) else None, marks.ASIDE),
        ("at equal activity", proposal.composition, marks.ASIDE),
        ("the latest quarter of signups", proposal.latest, marks.ASIDE),
        ("plain, not adjusted for anything", proposal.naive_difference, marks.PLAIN),
    ]
    rows += [
        Row(name=name, estimate=estimate, mark=how)
        for name, estimate, how in beside
        if estimate is not None and wording.known(estimate.estimate)
    ]
    said = "; ".join(f"{row.name}: {marks.numbers(row.estimate)}" for row in rows if row.estimate is not None)
    name = wording.shorten(proposal.milestone, _LONGEST)
    return drawn(rows, result, f"Differences of {name} in percentage points. {said}.")


def _said(proposal: Proposal) -> str:
    name = wording.shorten(proposal.milestone, _LONGEST)
    return f"{name}: {marks.numbers(proposal.adjusted)}, {proposal.verdict}"


def _widened(proposal: Proposal) -> bool:
    return proposal.unwidened != proposal.adjusted


def _usual(result: ValidationResult) -> str:
    alpha = result.settings.get("inference", {}).get("alpha", 0.05)
    return wording.percent(1 - alpha)
