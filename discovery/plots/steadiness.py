"""The same difference among parts of the accounts: by signup, and by what was known at signup."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from discovery import wording
from discovery.plots import canvas, marks
from discovery.plots.differences import Row, drawn
from discovery.results import CohortRow, Estimate, Proposal, SegmentRow, ValidationResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST: Final = 24
_LONGEST: Final = 110


@canvas.styled
def steadiness(proposal: Proposal, result: ValidationResult) -> Figure:
    """Draw a proposal's adjusted difference among the accounts of each cohort and each segment value.

    A part whose whole interval lies below zero is marked with a cross.

    Parameters
    ----------
    proposal
        One of `result.proposals`.
    result
        The validation it comes from; its `minimum_effect` is the grey band.

    Returns
    -------
    Figure
        A matplotlib figure; the scale is percentage points. At most 24 parts are drawn.
    """
    if not (proposal.cohorts or proposal.segments):
        return canvas.sentence_only("No part of the accounts is large enough to look at alone.")
    rows = [Row(name="all accounts", estimate=proposal.unwidened, mark=marks.ADJUSTED)]
    if proposal.cohorts:
        rows += [Row(name="by signup"), *map(_cohort, proposal.cohorts)]
    shown = proposal.segments[: max(_MOST - len(proposal.cohorts), 0)]
    for segment, values in itertools.groupby(shown, key=lambda row: row.segment):
        alike = list(values)
        rows += [Row(name=f"by {segment}", note=_differs(alike[0])), *map(_value, alike)]
    parts = [(wording.shorten(row.name, _LONGEST), row.estimate) for row in rows if row.estimate is not None]
    said = "; ".join(f"{part}: {marks.numbers(estimate)}" for part, estimate in parts)
    name = wording.shorten(proposal.milestone, _LONGEST)
    label = f"Adjusted difference of {name} in parts of the accounts, in percentage points. {said}."
    return drawn(rows, result, label)


def _cohort(row: CohortRow) -> Row:
    return _part(f"{row.first} to {row.last}", row.n_accounts, row.reach, row.difference)


def _value(row: SegmentRow) -> Row:
    return _part(row.value, row.n_accounts, row.reach, row.difference)


def _part(name: str, accounts: int, reach: float, difference: Estimate) -> Row:
    below = difference.ci_upper is not None and difference.ci_upper < 0
    note = f"{wording.count(accounts)} accounts, {wording.percent(reach)} reach it"
    return Row(name=name, estimate=difference, mark=marks.AGAINST if below else marks.ASIDE, note=note)


def _differs(row: SegmentRow) -> str:
    known = row.p_differs is not None and wording.known(row.p_differs)
    return f"test of a difference between values: {wording.p_value(row.p_differs)}" if known else ""
