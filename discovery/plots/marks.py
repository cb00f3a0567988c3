"""How a plain and an adjusted difference are marked: hollow and solid, each on its interval."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from discovery import wording
from discovery.plots import canvas
from discovery.results import Estimate, RankedFamily, StudyResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def mark(axes: Axes, estimate: Estimate, at: float, *, adjusted: bool) -> None:
    """Draw one difference with its interval at height `at`; nothing where there is no estimate."""
    numbers = _hundredths(estimate)
    if not numbers:
        return
    colour = canvas.BLUE if adjusted else canvas.PLAIN
    axes.plot([min(numbers), max(numbers)], [at, at], color=colour, linewidth=2.2 if adjusted else 1.2)
    face = colour if adjusted else "white"
    shape = "D" if adjusted else "o"
    axes.plot(numbers[0], at, marker=shape, markersize=4.6, color=colour, markerfacecolor=face, markeredgewidth=1.1)


def scale(axes: Axes, families: Iterable[RankedFamily], *, most_ticks: int = 7) -> None:
    """Let the axis run over every difference of the families, zero included, and label it in signed points."""
    from matplotlib.ticker import MaxNLocator

    numbers = [n for family in families for e in (family.naive_difference, family.adjusted) for n in _hundredths(e)]
    low, high = min([*numbers, -1.0]), max([*numbers, 1.0])
    room = 0.06 * (high - low)
    axes.set_xlim(low - room, high + room)
    ticks = MaxNLocator(nbins=most_ticks, integer=True, steps=[1, 2, 5, 10]).tick_values(low, high)
    kept = [float(tick) for tick in ticks if low - room <= tick <= high + room]
    labels = [wording.points(tick / 100).removesuffix(" points") for tick in kept]
    axes.set_xticks(kept, ["0" if tick == 0 else label for tick, label in zip(kept, labels, strict=True)])


def ground(axes: Axes, result: StudyResult, upper: float, lower: float) -> None:
    """Draw zero, and the band of differences too small to matter, behind the marks of one row."""
    smallest = result.settings.get("inference", {}).get("minimum_effect")
    if isinstance(smallest, int | float):
        axes.fill_between([-100 * smallest, 100 * smallest], upper, lower, color=canvas.SOFT, linewidth=0, zorder=0)
    axes.plot([0, 0], [upper, lower], color=canvas.MUTED, linewidth=0.9, zorder=1)


def numbers(estimate: Estimate) -> str:
    """Return a difference and its interval as one text without the unit."""
    return " ".join(wording.points_estimate(estimate, unit=False)).strip()


def _hundredths(estimate: Estimate) -> list[float]:
    """Return the estimate and its bounds in points; nothing where there is no estimate."""
    if not wording.known(estimate.estimate):
        return []
    values = (estimate.estimate, estimate.ci_lower, estimate.ci_upper)
    return [100 * value for value in values if value is not None and wording.known(value)]
