"""Plain and adjusted difference of each family, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from discovery.plots import canvas, wording
from discovery.results import Estimate, RankedFamily, StudyResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PITCH: Final = 0.52
_OWN_LINE: Final = 0.17
"""What a row needs more where its numbers do not fit beside its name."""
_TOP: Final = 0.36
_BOTTOM: Final = 0.46
_LINE: Final = canvas.WIDTH - 0.16


@canvas.styled
def forest(result: StudyResult, top: int = 12) -> Figure:
    """Draw the plain and the adjusted difference of the first families, with intervals and the zero line.

    The grey band holds differences smaller than the `minimum_effect` of the spec.

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
    families = [family for family in result.ranking if family.rank is not None][:top]
    if not families:
        return canvas.sentence_only("No family was ranked.")
    heights = [_height(family) for family in families]
    rows_height = sum(heights)
    label = f"Plain and adjusted difference in percentage points for the first {len(families)} families."
    made = canvas.figure(_TOP + rows_height + _BOTTOM, label)
    axes = canvas.axes_at(made, left=0.08, top=_TOP, width=canvas.WIDTH - 0.16, height=rows_height)
    axes.set_ylim(rows_height, 0)
    axes.set_yticks([])
    _scale(axes, families)
    at = 0.0
    for family, height in zip(families, heights, strict=True):
        _texts(axes, family, at, at + height - _PITCH)
        _ground(axes, result, at + height - _PITCH)
        _mark(axes, family.naive_difference, at + height - _PITCH + 0.26, adjusted=False)
        _mark(axes, family.adjusted, at + height - _PITCH + 0.39, adjusted=True)
        at += height
    _legend(made)
    return made


def _height(family: RankedFamily) -> float:
    together = canvas.width_of(_name(family)) + 0.12 + canvas.width_of(_numbers(family)) <= _LINE
    return _PITCH if together else _PITCH + _OWN_LINE


def _name(family: RankedFamily) -> str:
    return f"{family.rank}\u2002{canvas.fit(family.milestone, _LINE - 0.36)}"


def _numbers(family: RankedFamily) -> str:
    return " ".join(wording.points_estimate(family.adjusted, unit=False)).strip()


def _texts(axes: Axes, family: RankedFamily, name_line: float, number_line: float) -> None:
    across = axes.get_yaxis_transform()
    axes.text(0, name_line + 0.11, _name(family), transform=across, va="center")
    axes.text(1, number_line + 0.11, _numbers(family), transform=across, va="center", ha="right", color=canvas.BLUE)


def _mark(axes: Axes, estimate: Estimate, at: float, *, adjusted: bool) -> None:
    numbers = _hundredths(estimate)
    if not numbers:
        return
    colour = canvas.BLUE if adjusted else canvas.PLAIN
    axes.plot([min(numbers), max(numbers)], [at, at], color=colour, linewidth=2.2 if adjusted else 1.2)
    face = colour if adjusted else "white"
    shape = "D" if adjusted else "o"
    axes.plot(numbers[0], at, marker=shape, markersize=4.6, color=colour, markerfacecolor=face, markeredgewidth=1.1)


def _hundredths(estimate: Estimate) -> list[float]:
    """Return the estimate and its bounds in points; nothing where there is no estimate."""
    if not wording.known(estimate.estimate):
        return []
    numbers = (estimate.estimate, estimate.ci_lower, estimate.ci_upper)
    return [100 * number for number in numbers if number is not None and wording.known(number)]


def _scale(axes: Axes, families: Sequence[RankedFamily]) -> None:
    from matplotlib.ticker import MaxNLocator

    numbers = [n for family in families for e in (family.naive_difference, family.adjusted) for n in _hundredths(e)]
    low, high = min([*numbers, -1.0]), max([*numbers, 1.0])
    room = 0.06 * (high - low)
    axes.set_xlim(low - room, high + room)
    marks = MaxNLocator(nbins=7, integer=True, steps=[1, 2, 5, 10]).tick_values(low, high)
    kept = [float(mark) for mark in marks if low - room <= mark <= high + room]
    labels = [wording.points(mark / 100).removesuffix(" points") for mark in kept]
    axes.set_xticks(kept, ["0" if mark == 0 else label for mark, label in zip(kept, labels, strict=True)])
    axes.set_xlabel("difference in percentage points, reached minus not reached", fontsize=canvas.SMALL_SIZE)


def _ground(axes: Axes, result: StudyResult, top: float) -> None:
    """Draw zero and the band around it behind the marks of one row, clear of its text."""
    smallest = result.settings.get("inference", {}).get("minimum_effect")
    upper, lower = top + 0.20, top + 0.47
    if isinstance(smallest, int | float):
        axes.fill_between([-100 * smallest, 100 * smallest], upper, lower, color=canvas.SOFT, linewidth=0, zorder=0)
    axes.plot([0, 0], [upper, lower], color=canvas.MUTED, linewidth=0.9, zorder=1)


def _legend(made: Figure) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=canvas.PLAIN, marker="o", markersize=4.6, markerfacecolor="white", linewidth=1.2),
        Line2D([], [], color=canvas.BLUE, marker="D", markersize=4.6, linewidth=2.2),
    ]
    place = (0.0, 1.0)
    made.legend(handles, ["plain", "adjusted"], loc="upper left", bbox_to_anchor=place, ncols=2, frameon=False)
