"""Time to each rung: the share of accounts that did it by each day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from discovery import wording
from discovery.plots import canvas
from discovery.results import Ladder, Rung

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEFT: Final = 0.48
_NAMES: Final = 1.42
"""Inches at the right for the names of the lines."""
_LEADER: Final = 0.16
_PLOT: Final = canvas.WIDTH - _LEFT - _LEADER - _NAMES - 0.05
_HEIGHT: Final = 2.3
_ROW: Final = 0.155
_BELOW: Final = 0.66
_SMALL: Final = canvas.SMALL_SIZE / canvas.TEXT_SIZE
_BOLD: Final = 1.15
_LINES: Final = (
    (canvas.BLUE, "-"),
    (canvas.ORANGE, (0, (5, 1.5))),
    (canvas.INK, (0, (6, 1.5, 1, 1.5))),
    (canvas.PLAIN, "-"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One rung's line: its points, how it is drawn, and its name in lines of text."""

    rung: Rung
    days: tuple[float, ...]
    shares: tuple[float, ...]
    stroke: dict[str, Any]
    words: tuple[str, ...]
    bold: bool

    @property
    def height(self) -> float:
        return _ROW * len(self.words) + 0.07

    def by(self, day: float) -> float | None:
        """Return the share that did the rung by a day; None where that lies outside the days."""
        before = [share for at, share in zip(self.days, self.shares, strict=True) if at <= day]
        return before[-1] if before and day <= self.days[-1] else None


@canvas.styled
def time_to_rung(ladder: Ladder) -> Figure:
    """Draw, for each rung, the share of accounts that did it by each day since signup.

    Marks lie at the rungs' target days, round where the target is met, a cross where not. The milestone's line is
    thick.

    Parameters
    ----------
    ladder
        One of `result.ladders`.

    Returns
    -------
    Figure
        A matplotlib figure. The share axis always runs from 0 to 100 %.
    """
    lines = _lines(ladder)
    if not lines:
        return canvas.sentence_only("When accounts did the rungs is not known.")
    height = max(_HEIGHT, sum(line.height for line in lines))
    targets = _targets(lines)
    top = 0.58 if targets else 0.32
    label = f"Share of accounts that did each rung of the ladder to {ladder.milestone} by day: "
    made = canvas.figure(top + height + _BELOW, label + "; ".join(_ending(line) for line in lines))
    axes = canvas.axes_at(made, left=_LEFT, top=top, width=_PLOT, height=height)
    _frame(axes, lines)
    for line in lines:
        axes.plot(line.days, line.shares, clip_on=False, **line.stroke)
        _target(axes, line)
    _name(axes, lines, height)
    _mark_targets(axes, targets, height)
    _around(made, axes, top, height, targets=bool(targets))
    return made


def _lines(ladder: Ladder) -> list[_Line]:
    """Return the line of each rung after the baseline that has one."""
    lines: list[_Line] = []
    for place, rung in enumerate(ladder.rungs):
        known = [
            (day, min(max(share, 0.0), 1.0))
            for day, share in zip(ladder.days, rung.by_day, strict=False)
            if wording.known(share)
        ]
        if rung.role == "baseline" or not known:
            continue
        days, shares = zip(*known, strict=True)
        bold = rung.role == "milestone"
        colour, dashes = (canvas.GREEN, "-") if bold else _LINES[len(lines) % len(_LINES)]
        stroke = {"color": colour, "linestyle": dashes, "linewidth": 3.0 if bold else 1.7}
        words = (*_words(rung, place), f"{wording.percent(shares[-1])} by {_day(days[-1])}")
        lines.append(_Line(rung=rung, days=days, shares=shares, stroke=stroke, words=words, bold=bold))
    return lines


def _words(rung: Rung, place: int) -> list[str]:
    """Return the name of a rung in lines, its number before it; a habit has none."""
    number = "" if rung.role == "habit" else f"{place}\u2002"
    room = _NAMES / _SMALL / (_BOLD if rung.role == "milestone" else 1.0)
    first, *others = canvas.fold(rung.milestone, room - canvas.width_of(number), most=3)
    return [number + first, *others]


def _ending(line: _Line) -> str:
    return f"{line.rung.milestone}, {line.words[-1]}"


def _day(day: float) -> str:
    return f"day {wording.decimal(day).removesuffix('.0')}"


def _frame(axes: Axes, lines: Sequence[_Line]) -> None:
    from matplotlib.ticker import MaxNLocator

    last = max(line.days[-1] for line in lines) or 1.0
    axes.set_xlim(0, last)
    axes.set_ylim(0, 1)
    shares = (0, 0.25, 0.5, 0.75, 1)
    axes.set_yticks(shares, [wording.percent(share) for share in shares])
    axes.grid(axis="y", color=canvas.RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    ticks = [day for day in MaxNLocator(nbins=5, steps=[1, 2, 5, 7, 10]).tick_values(0, last) if 0 <= day <= last]
    axes.set_xticks(ticks, [f"{day:g}" for day in ticks])


def _name(axes: Axes, lines: Sequence[_Line], height: float) -> None:
    """Write each line's name at its end, pushed apart until no two touch, with a leader to the line."""
    ordered = sorted(lines, key=lambda line: (-line.shares[-1], -line.shares[len(line.shares) // 2]))
    wanted = [height * (1 - line.shares[-1]) for line in ordered]
    last = axes.get_xlim()[1]
    for line, end, middle in zip(
        ordered, wanted, _apart(wanted, [line.height for line in ordered], height), strict=True
    ):
        inches = [(last * (_PLOT + x) / _PLOT, 1 - y / height) for x, y in ((0.02, end), (_LEADER - 0.03, middle))]
        axes.plot(*zip(*inches, strict=True), color=line.stroke["color"], linewidth=0.8, clip_on=False)
        for place, text in enumerate(line.words):
            at = middle + _ROW * (place - (len(line.words) - 1) / 2)
            muted = place == len(line.words) - 1
            style: dict[str, Any] = {
                "color": canvas.MUTED if muted else canvas.INK,
                "weight": "bold" if line.bold else "normal",
            }
            x = last * (_PLOT + _LEADER) / _PLOT
            axes.text(x, 1 - at / height, text, va="center", fontsize=canvas.SMALL_SIZE, **style)


def _apart(wanted: Sequence[float], heights: Sequence[float], room: float) -> list[float]:
    """Return the middles nearest to those wanted, in their order, at which boxes of these heights do not overlap."""
    middles: list[float] = []
    end = 0.0
    for middle, tall in zip(wanted, heights, strict=True):
        middles.append(max(middle, end + tall / 2))
        end = middles[-1] + tall / 2
    end = room
    for place in reversed(range(len(middles))):
        middles[place] = min(middles[place], end - heights[place] / 2)
        end = middles[place] - heights[place] / 2
    return middles


def _targets(lines: Sequence[_Line]) -> list[float]:
    """Return the target days inside the axis, each once."""
    last = max(line.days[-1] for line in lines)
    days = {line.rung.target_days for line in lines if line.rung.target_days is not None}
    return sorted(day for day in days if 0 < day <= last)


def _mark_targets(axes: Axes, targets: Sequence[float], height: float) -> None:
    """Draw the target days as dotted lines, their names above them, pushed apart until no two touch."""
    last = axes.get_xlim()[1]
    names = [wording.days(day) for day in targets]
    widths = [canvas.width_of(name) * _SMALL + 0.1 for name in names]
    wanted = [_LEFT + day / last * _PLOT for day in targets]
    dots: dict[str, Any] = {
        "color": canvas.MUTED,
        "linewidth": 0.8,
        "linestyle": (0, (1, 2)),
        "zorder": 0.5,
        "clip_on": False,
    }
    for day, name, middle in zip(targets, names, _apart(wanted, widths, canvas.WIDTH), strict=True):
        x = (middle - _LEFT) / _PLOT * last
        axes.plot([day, day, x], [0, 1 + 0.03 / height, 1 + 0.1 / height], **dots)
        style: dict[str, Any] = {"color": canvas.MUTED, "fontsize": canvas.SMALL_SIZE}
        axes.text(x, 1 + 0.17 / height, name, ha="center", va="center", **style)


def _target(axes: Axes, line: _Line) -> None:
    day = line.rung.target_days
    share = None if day is None else line.by(day)
    if day is None or share is None or line.rung.target_met is None:
        return
    shape, size = ("o", 5.8) if line.rung.target_met else ("X", 6.8)
    style: dict[str, Any] = {"color": line.stroke["color"], "markeredgewidth": 0, "clip_on": False, "zorder": 4}
    axes.plot(day, share, marker=shape, markersize=size + 3 * line.bold, **style)


def _around(made: Figure, axes: Axes, top: float, height: float, *, targets: bool) -> None:
    """Write what the axes show above and below them."""
    whole = top + height + _BELOW
    style: dict[str, Any] = {"va": "center", "color": canvas.MUTED, "fontsize": canvas.SMALL_SIZE}
    made.text(0.08 / canvas.WIDTH, 1 - 0.12 / whole, "share of accounts that did each rung", **style)
    made.text((_LEFT + _PLOT / 2) / canvas.WIDTH, 0.40 / whole, "days since signup", ha="center", **style)
    if targets:
        said = "dotted: target days; round mark: median in time, cross: late"
        made.text(0.08 / canvas.WIDTH, 0.14 / whole, said, **style)
