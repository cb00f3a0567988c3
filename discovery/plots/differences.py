"""Differences below one another on one scale: a name, its number, and its mark in each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from discovery.plots import canvas, marks
from discovery.results import Estimate, ValidationResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINE: Final = 0.175
_MARK: Final = 0.22
_GAP: Final = 0.10
_KEY: Final = 0.21
_BELOW: Final = 0.46
_SIDE: Final = 0.08
_ROOM: Final = canvas.WIDTH - 2 * _SIDE
_SMALL: Final = 0.94


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One difference: `note` stands below its name, in small type. Without an estimate the row is a heading."""

    name: str
    estimate: Estimate | None = None
    mark: marks.Mark = marks.ADJUSTED
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What a mark stands for."""

    mark: marks.Mark
    text: str


def drawn(rows: Sequence[Row], result: ValidationResult, label: str, key: Sequence[Key] = ()) -> Figure:
    """Return the rows as a figure; `label` says in words what they show."""
    lines = [_name(row) for row in rows]
    heights = [_height(row, name) for row, name in zip(rows, lines, strict=True)]
    top = 0.05 + _KEY * len(key) + (0.07 if key else 0.0)
    made = canvas.figure(top + sum(heights) + _BELOW, label)
    axes = canvas.axes_at(made, left=_SIDE, top=top, width=_ROOM, height=sum(heights))
    axes.set_ylim(sum(heights), 0)
    axes.set_yticks([])
    marks.scale_to(axes, [row.estimate for row in rows if row.estimate is not None])
    axes.set_xlabel("difference in percentage points, reached minus not reached", fontsize=canvas.SMALL_SIZE)
    at = 0.0
    for row, name, height in zip(rows, lines, heights, strict=True):
        _row(axes, row, name, result, at, at + height)
        at += height
    _explained(made, key)
    return made


def _row(axes: Axes, row: Row, name: Sequence[str], result: ValidationResult, top: float, end: float) -> None:
    across = axes.get_yaxis_transform()
    style: dict[str, Any] = {"transform": across, "va": "center"}
    if row.estimate is None:
        top += _GAP / 2
    for line, text in enumerate(name):
        weight = "bold" if row.estimate is None else "normal"
        axes.text(0, top + (line + 0.5) * _LINE, text, weight=weight, **style)
    top += len(name) * _LINE
    if row.note:
        small: dict[str, Any] = {"fontsize": canvas.SMALL_SIZE, "color": canvas.MUTED}
        axes.text(0, top + _LINE / 2, canvas.fit(row.note, _beside(row) / _SMALL), **style, **small)
    if row.estimate is None:
        return
    numbers_at = top + _LINE / 2 if row.note or not _together(row, name) else top - _LINE / 2
    axes.text(1, numbers_at, marks.numbers(row.estimate), ha="right", **style)
    axes_top = end - _MARK - _GAP
    marks.ground(axes, result, axes_top + 0.02, end - _GAP)
    marks.draw(axes, row.estimate, axes_top + _MARK / 2 + 0.01, row.mark)


def _name(row: Row) -> list[str]:
    return canvas.fold(row.name, _ROOM if row.estimate is not None else _ROOM / 1.15, most=3)


def _height(row: Row, name: Sequence[str]) -> float:
    further = bool(row.note) or (row.estimate is not None and not _together(row, name))
    text = _LINE * (len(name) + further)
    return text + (_MARK + _GAP if row.estimate is not None else _GAP)


def _together(row: Row, name: Sequence[str]) -> bool:
    """Tell whether the numbers fit beside the last line of the name."""
    return canvas.width_of(name[-1]) <= _beside(row)


def _beside(row: Row) -> float:
    return _ROOM - (canvas.width_of(marks.numbers(row.estimate)) + 0.12 if row.estimate is not None else 0.0)


def _explained(made: Figure, key: Sequence[Key]) -> None:
    from matplotlib.lines import Line2D

    height = float(made.get_figheight())
    for place, entry in enumerate(key):
        at = 1 - (0.13 + place * _KEY) / height
        how, ends = entry.mark, [_SIDE / canvas.WIDTH, (_SIDE + 0.3) / canvas.WIDTH]
        whole = {"color": how.colour, "transform": made.transFigure}
        made.add_artist(Line2D(ends, [at, at], linewidth=how.width, **whole))  # type: ignore[arg-type]
        shape = {"marker": how.shape, "markersize": how.size, "markeredgewidth": how.edge, "linestyle": "none"}
        face = how.colour if how.filled else "white"
        made.add_artist(Line2D([sum(ends) / 2], [at], markerfacecolor=face, **shape, **whole))  # type: ignore[arg-type]
        made.text((_SIDE + 0.4) / canvas.WIDTH, at, entry.text, va="center")
