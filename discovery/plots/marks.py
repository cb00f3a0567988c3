"""How differences are marked: each shape on its interval, told apart without colour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from discovery import wording
from discovery.plots import canvas
from discovery.results import Estimate, ProposalVerdict, RankedFamily, StudyResult, ValidationResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A shape on a line: what it looks like, filled or hollow."""

    colour: str
    shape: str
    width: float
    filled: bool = True
    size: float = 4.6
    edge: float = 1.1


PLAIN: Final = Mark(colour=canvas.PLAIN, shape="o", width=1.2, filled=False)
ADJUSTED: Final = Mark(colour=canvas.BLUE, shape="D", width=2.2)
ASIDE: Final = Mark(colour=canvas.BLUE, shape="D", width=1.2, filled=False)
AGAINST: Final = Mark(colour=canvas.ORANGE, shape="x", width=1.4, size=6.6, edge=2.2)
VERDICTS: Final[dict[ProposalVerdict, Mark]] = {
    "holds": Mark(colour=canvas.GREEN, shape="D", width=2.2, size=5.2),
    "does not hold": AGAINST,
    "not enough data": Mark(colour=canvas.PLAIN, shape="o", width=2.2, filled=False, size=5.2),
}


def mark(axes: Axes, estimate: Estimate, at: float, *, adjusted: bool) -> None:
    """Draw one difference with its interval at height `at`: plain or adjusted."""
    draw(axes, estimate, at, ADJUSTED if adjusted else PLAIN)


def draw(axes: Axes, estimate: Estimate, at: float, how: Mark) -> None:
    """Draw one difference with its interval at height `at`; nothing where there is no estimate."""
    numbers = _hundredths(estimate)
    if not numbers:
        return
    axes.plot([min(numbers), max(numbers)], [at, at], color=how.colour, linewidth=how.width)
    face = how.colour if how.filled else "white"
    shape = {"marker": how.shape, "markersize": how.size, "markerfacecolor": face, "markeredgewidth": how.edge}
    axes.plot(numbers[0], at, color=how.colour, **shape)  # type: ignore[arg-type]


def scale(axes: Axes, families: Iterable[RankedFamily], *, most_ticks: int = 7) -> None:
    """Let the axis run over every difference of the families, zero included, and label it in signed points."""
    both = [estimate for family in families for estimate in (family.naive_difference, family.adjusted)]
    scale_to(axes, both, most_ticks=most_ticks)


def scale_to(axes: Axes, estimates: Iterable[Estimate], *, most_ticks: int = 7) -> None:
    """Let the axis run over every difference with its interval, zero included, and label it in signed points."""
    from matplotlib.ticker import MaxNLocator

    numbers = [number for estimate in estimates for number in _hundredths(estimate)]
    low, high = min([*numbers, -1.0]), max([*numbers, 1.0])
    room = 0.06 * (high - low)
    axes.set_xlim(low - room, high + room)
    ticks = MaxNLocator(nbins=most_ticks, integer=True, steps=[1, 2, 5, 10]).tick_values(low, high)
    kept = [float(tick) for tick in ticks if low - room <= tick <= high + room]
    labels = [wording.points(tick / 100).removesuffix(" points") for tick in kept]
    axes.set_xticks(kept, ["0" if tick == 0 else label for tick, label in zip(kept, labels, strict=True)])


def ground(axes: Axes, result: StudyResult | ValidationResult, upper: float, lower: float) -> None:
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
