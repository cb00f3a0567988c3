"""The funnel of a ladder by the values of one segment: who goes on from each rung to the next."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from discovery import wording
from discovery.plots import canvas
from discovery.results import Estimate, Funnel, FunnelRow, Ladder

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST: Final = 5
_LEFT: Final = 0.08
_RIGHT: Final = canvas.WIDTH - 0.05
_NUMBERS: Final = 0.62
_LINE: Final = 0.175
_ROW: Final = 0.155
_GAP: Final = 0.11
_KEY: Final = 0.19
_BELOW: Final = 0.46
_TICKS: Final = (0, 0.25, 0.5, 0.75, 1)
_BOLD: Final = 1.15
_MARKS: Final = (
    (canvas.BLUE, "o"),
    (canvas.ORANGE, "s"),
    (canvas.GREEN, "^"),
    (canvas.INK, "D"),
    (canvas.PLAIN, "v"),
)


@canvas.styled
def funnel(funnel: Funnel, ladder: Ladder) -> Figure:
    """Draw the step conversion of each segment value, rung by rung, with intervals.

    At most five values are drawn, the largest. Rungs at which the values differ beyond noise say so.

    Parameters
    ----------
    funnel
        One of `ladder.funnels`.
    ladder
        The ladder it belongs to.

    Returns
    -------
    Figure
        A matplotlib figure. The scale always runs from 0 to 100 %.
    """
    shown = funnel.rows[:_MOST]
    segment = canvas.fit(funnel.segment, 1.2)
    if not any(_drawn(estimate) for row in shown for estimate in row.conversion):
        return canvas.sentence_only(f"No step conversion by {segment} is known.")
    made, page = canvas.sheet(1.0, _in_words(funnel, ladder))
    top = _key(page, funnel, segment)
    for place in range(1, len(ladder.rungs)):
        top = _group(page, top, place, funnel, ladder)
    _scale(page, top - _GAP)
    canvas.trim(made, page, top - _GAP + _BELOW)
    return made


def _drawn(estimate: Estimate | None) -> bool:
    return estimate is not None and wording.known(estimate.estimate)


def _in_words(funnel: Funnel, ladder: Ladder) -> str:
    differs = "; ".join(funnel.differs_at) if funnel.differs_at else "none"
    return f"Step conversion on the ladder to {ladder.milestone} by {funnel.segment}. Rungs that differ: {differs}."


def _at(share: float) -> float:
    """Return where a share lies on the page, in inches from its left edge."""
    return _LEFT + min(max(share, 0.0), 1.0) * (_RIGHT - _NUMBERS - _LEFT)


def _key(page: Axes, funnel: Funnel, segment: str) -> float:
    small: dict[str, Any] = {"va": "center", "fontsize": canvas.SMALL_SIZE, "color": canvas.MUTED}
    page.text(_LEFT, 0.12, f"share that goes on from the rung before, by {segment}", **small)
    top = 0.24
    for row, (colour, shape) in zip(funnel.rows, _MARKS, strict=False):
        number = f"{wording.count(row.n_reached[0] if row.n_reached else None)} accounts"
        page.plot(_LEFT + 0.08, top + _KEY / 2, marker=shape, markersize=5.2, color=colour, linestyle="none")
        name = canvas.fit(row.value, _RIGHT - _LEFT - 0.35 - canvas.width_of(number))
        page.text(_LEFT + 0.22, top + _KEY / 2, name, va="center")
        page.text(_RIGHT, top + _KEY / 2, number, ha="right", **small)
        top += _KEY
    left_out = len(funnel.rows) - _MOST
    if left_out > 0:
        more = f"{left_out} smaller value{'s' if left_out > 1 else ''} not drawn"
        page.text(_LEFT + 0.22, top + _KEY / 2, more, **small)
        top += _KEY
    return top + 0.1


def _group(page: Axes, top: float, place: int, funnel: Funnel, ladder: Ladder) -> float:
    """Draw one rung: its name, whether the values differ there, and a mark for each value."""
    top = _heading(page, top, place, funnel, ladder)
    end = top + _ROW * min(len(funnel.rows), _MOST)
    across = [x for share in _TICKS for x in (_at(share), _at(share), math.nan)]
    page.plot(across, [top, end, math.nan] * len(_TICKS), color=canvas.RULE, linewidth=0.6, zorder=0, label="grid")
    for row, (colour, shape) in zip(funnel.rows, _MARKS, strict=False):
        _mark(page, top + _ROW / 2, _conversion(row, place), colour, shape)
        top += _ROW
    return top + _GAP


def _heading(page: Axes, top: float, place: int, funnel: Funnel, ladder: Ladder) -> float:
    rung = ladder.rungs[place]
    differs = rung.milestone in funnel.differs_at
    p_value = funnel.p_adjusted[place] if place < len(funnel.p_adjusted) else None
    said = "described only" if rung.role == "habit" else ""
    if differs:
        said = f"differs, {wording.p_value(p_value)}" if wording.known(p_value) else "differs"
    room = _RIGHT - _LEFT - 0.32 - _BOLD * canvas.width_of(said)
    number = "" if rung.role == "habit" else f"{place}\u2002"
    bold = rung.role == "milestone"
    style: dict[str, Any] = {"weight": "bold"} if differs else {"color": canvas.MUTED, "fontsize": canvas.SMALL_SIZE}
    page.text(_RIGHT, top + _LINE / 2, said, va="center", ha="right", **style)
    for line, text in enumerate(canvas.fold(rung.milestone, room / (_BOLD if bold else 1.0))):
        weight = "bold" if bold else "normal"
        page.text(_LEFT, top + _LINE / 2, text if line else number + text, va="center", weight=weight)
        top += _LINE
    return top + 0.01


def _conversion(row: FunnelRow, place: int) -> Estimate | None:
    return row.conversion[place] if place < len(row.conversion) else None


def _mark(page: Axes, at: float, estimate: Estimate | None, colour: str, shape: str) -> None:
    if estimate is None or estimate.estimate is None or not _drawn(estimate):
        return
    bounds = [bound for bound in (estimate.ci_lower, estimate.ci_upper) if bound is not None and wording.known(bound)]
    ends = [_at(value) for value in (estimate.estimate, *bounds)]
    page.plot([min(ends), max(ends)], [at, at], color=colour, linewidth=1.6, label="interval", zorder=2)
    page.plot(_at(estimate.estimate), at, marker=shape, markersize=5.2, color=colour, label="share", zorder=3)
    style: dict[str, Any] = {"va": "center", "ha": "right", "fontsize": canvas.SMALL_SIZE}
    page.text(_RIGHT, at, wording.percent(estimate.estimate), **style)


def _scale(page: Axes, top: float) -> None:
    small: dict[str, Any] = {"va": "center", "fontsize": canvas.SMALL_SIZE, "color": canvas.MUTED}
    for share in _TICKS:
        side = "left" if share == 0 else "center"
        page.text(_at(share), top + 0.12, wording.percent(share), ha=side, **small)
    page.text(_LEFT, top + 0.32, "line: interval · differs: more than chance among all steps", **small)
