"""What is left of one family's difference once accounts are compared alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from discovery.plots import canvas, marks
from discovery.results import Estimate, RankedFamily, StudyResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PITCH: Final = 0.30
_LEFT: Final = 0.72
_RIGHT: Final = 1.62
_TOP: Final = 0.06
_TICKS: Final = 0.28


@canvas.styled
def shrinkage(family: RankedFamily, result: StudyResult, beside: Sequence[RankedFamily] = ()) -> Figure:
    """Draw the plain difference of a family above its adjusted one, on one scale.

    Parameters
    ----------
    family
        One of `result.ranking`.
    result
        The study it comes from; its `minimum_effect` is the grey band.
    beside
        Families whose pictures stand beside this one and share its scale.

    Returns
    -------
    Figure
        A matplotlib figure; the scale is percentage points.
    """
    plain, adjusted = marks.numbers(family.naive_difference), marks.numbers(family.adjusted)
    label = f"{family.milestone}: plain difference {plain}, adjusted difference {adjusted}, in percentage points."
    height = 2 * _PITCH
    made = canvas.figure(_TOP + height + _TICKS, label)
    axes = canvas.axes_at(made, left=_LEFT, top=_TOP, width=canvas.WIDTH - _LEFT - _RIGHT, height=height)
    axes.set_ylim(height, 0)
    axes.set_yticks([])
    marks.scale(axes, (family, *beside), most_ticks=4)
    marks.ground(axes, result, 0.02, height)
    _row(axes, "plain", family.naive_difference, 0.5 * _PITCH, adjusted=False)
    _row(axes, "adjusted", family.adjusted, 1.5 * _PITCH, adjusted=True)
    return made


def _row(axes: Axes, name: str, estimate: Estimate, at: float, *, adjusted: bool) -> None:
    marks.mark(axes, estimate, at, adjusted=adjusted)
    colour = canvas.BLUE if adjusted else canvas.MUTED
    width = canvas.WIDTH - _LEFT - _RIGHT
    across = axes.get_yaxis_transform()
    axes.text((0.05 - _LEFT) / width, at, name, transform=across, va="center", color=colour)
    axes.text(
        1 + (_RIGHT - 0.05) / width,
        at,
        marks.numbers(estimate),
        transform=across,
        va="center",
        ha="right",
        color=colour,
        weight="bold" if adjusted else None,
    )
