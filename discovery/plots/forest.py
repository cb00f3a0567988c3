"""Plain and adjusted difference of each family, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from discovery.plots import canvas, marks
from discovery.results import RankedFamily, StudyResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PITCH: Final = 0.52
_OWN_LINE: Final = 0.17
"""What a row needs more for each further line of its name, and where its numbers do not fit beside it."""
_TOP: Final = 0.36
_BOTTOM: Final = 0.46
_LINE: Final = canvas.WIDTH - 0.16
_MOST_HARMS: Final = 3


@canvas.styled
def forest(result: StudyResult, top: int = 12) -> Figure:
    """Draw the plain and the adjusted difference of the first families, with intervals and the zero line.

    Families that go with a worse outcome follow the first ones. The grey band holds differences smaller than the
    `minimum_effect` of the spec.

    Parameters
    ----------
    result
        A finished study.
    top
        How many of the ranked families are shown.

    Returns
    -------
    Figure
        A matplotlib figure; the scale is percentage points.
    """
    families = _shown(result, top)
    if not families:
        return canvas.sentence_only("No family was ranked.")
    heights = [_height(family) for family in families]
    rows_height = sum(heights)
    label = f"Plain and adjusted difference in percentage points for {len(families)} families."
    made = canvas.figure(_TOP + rows_height + _BOTTOM, label)
    axes = canvas.axes_at(made, left=0.08, top=_TOP, width=canvas.WIDTH - 0.16, height=rows_height)
    axes.set_ylim(rows_height, 0)
    axes.set_yticks([])
    marks.scale(axes, families)
    axes.set_xlabel("difference in percentage points, reached minus not reached", fontsize=canvas.SMALL_SIZE)
    at = 0.0
    for family, height in zip(families, heights, strict=True):
        _row(axes, family, result, at, height)
        at += height
    _legend(made)
    return made


def _shown(result: StudyResult, top: int) -> list[RankedFamily]:
    ranked = [family for family in result.ranking if family.rank is not None]
    harms = [family for family in ranked[top:] if family.status == "harm"]
    return [*ranked[:top], *harms[:_MOST_HARMS]]


def _row(axes: Axes, family: RankedFamily, result: StudyResult, at: float, height: float) -> None:
    marks_at = at + height - _PITCH
    across = axes.get_yaxis_transform()
    for line, text in enumerate(_name(family)):
        axes.text(0, at + 0.11 + line * _OWN_LINE, text, transform=across, va="center")
    numbers = marks.numbers(family.adjusted)
    axes.text(1, marks_at + 0.11, numbers, transform=across, va="center", ha="right", color=canvas.BLUE)
    marks.ground(axes, result, marks_at + 0.20, marks_at + 0.47)
    marks.mark(axes, family.naive_difference, marks_at + 0.26, adjusted=False)
    marks.mark(axes, family.adjusted, marks_at + 0.39, adjusted=True)


def _height(family: RankedFamily) -> float:
    lines = _name(family)
    together = canvas.width_of(lines[-1]) + 0.12 + canvas.width_of(marks.numbers(family.adjusted)) <= _LINE
    return _PITCH + _OWN_LINE * (len(lines) - 1 + (not together))


def _name(family: RankedFamily) -> list[str]:
    """Return the rank and the milestone; a conjunction takes a line for each of its parts that need one."""
    first, *others = canvas.wrap(family.milestone, _LINE - 0.36)
    return [f"{family.rank}\u2002{first}", *(f"\u2003{other}" for other in others)]


def _legend(made: Figure) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=canvas.PLAIN, marker="o", markersize=4.6, markerfacecolor="white", linewidth=1.2),
        Line2D([], [], color=canvas.BLUE, marker="D", markersize=4.6, linewidth=2.2),
    ]
    place = (0.0, 1.0)
    made.legend(handles, ["plain", "adjusted"], loc="upper left", bbox_to_anchor=place, ncols=2, frameon=False)
