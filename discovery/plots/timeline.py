"""The volume of a log over time: in all, and event by event below one another on one scale of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from discovery import wording
from discovery.plots import canvas
from discovery.results import EventSeries, Silence, Timeline, VolumeJump

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINE: Final = 0.175
_GAP: Final = 0.14
_LEFT: Final = 0.05
_RIGHT: Final = canvas.WIDTH - 0.05
_STRIP: Final = 0.24
_TALL: Final = 0.55
_AXIS: Final = 0.2
_SMALL: Final = 0.94
_TICKS: Final = 3
_YEAR: Final = 366
_LABELLED: Final = 2
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""Not those of the machine's language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Strip:
    """One row: a name, a number, and a count for each period."""

    name: str
    number: str
    counts: Sequence[int]
    silences: tuple[Silence, ...]
    jumps: tuple[VolumeJump, ...] = ()
    height: float = _STRIP
    colour: str = canvas.PLAIN


@dataclass(frozen=True, slots=True)
class _Clock:
    """Where a date lies from left to right."""

    first: date
    last: date

    def at(self, day: date) -> float:
        share = (day - self.first).days / max((self.last - self.first).days, 1)
        return _LEFT + min(max(share, 0.0), 1.0) * (_RIGHT - _LEFT)


@canvas.styled
def volume(timeline: Timeline, what: Literal["rows", "accounts"] = "rows") -> Figure:
    """Draw the rows of the whole log over time, with the stretches that have none, or its active accounts.

    Parameters
    ----------
    timeline
        That of a finished check.
    what
        The rows, or the accounts with an event in each period.

    Returns
    -------
    Figure
        A matplotlib figure. Its scale begins at zero.
    """
    counts, name = (timeline.total, "Rows in all") if what == "rows" else (timeline.active_accounts, "Active accounts")
    strip = _Strip(
        name=name,
        number=f"up to {wording.count(max(counts, default=0))} a {timeline.unit}",
        counts=counts,
        silences=timeline.silences if what == "rows" else (),
        height=_TALL,
        colour=canvas.BLUE,
    )
    return _drawn(timeline, [strip], "Volume over time")


@canvas.styled
def event_volumes(timeline: Timeline, events: Sequence[EventSeries] | None = None) -> Figure:
    """Draw the rows of each event over time, with launches, ends and gaps of its tracking, and jumps of its volume.

    Parameters
    ----------
    timeline
        That of a finished check.
    events
        Some of its events; all unless given.

    Returns
    -------
    Figure
        A matplotlib figure. Each row has its own scale, from zero, and all share one scale of time.
    """
    strips = [
        _Strip(
            name=series.event,
            number=wording.count(series.rows),
            counts=series.counts,
            silences=series.silences,
            jumps=series.jumps,
        )
        for series in (timeline.events if events is None else events)
    ]
    return _drawn(timeline, strips, "Rows of each event over time")


def silence_in_words(silence: Silence) -> str:
    """Return a silence as people write it: `begins 2024-03-01`, `gap 2024-05-02 to 2024-05-09`."""
    last = (date.fromisoformat(silence.end) - timedelta(days=1)).isoformat()
    if silence.kind == "launch":
        return f"begins {silence.end}"
    if silence.kind == "end":
        return f"ends {(date.fromisoformat(silence.start) - timedelta(days=1)).isoformat()}"
    return f"gap {silence.start}" if last == silence.start else f"gap {silence.start} to {last}"


def jump_in_words(jump: VolumeJump) -> str:
    """Return a jump as people write it: `× 8 from 2024-03-04`, `÷ 5 from 2024-03-04`."""
    how = f"× {jump.factor:.0f}" if jump.factor > 1 else f"÷ {1 / jump.factor:.0f}"
    return f"{how} from {jump.start}"


def _drawn(timeline: Timeline, strips: Sequence[_Strip], label: str) -> Figure:
    if not timeline.starts or not strips:
        return canvas.sentence_only("There are no events to draw.")
    clock = _clock(timeline)
    made, page = canvas.sheet(1.0, f"{label}: {'; '.join(_in_words(strip) for strip in strips)}.")
    heights = list(_tops(strips))
    bottom = heights[-1]
    for strip, top in zip(strips, heights, strict=False):
        _row(page, clock, timeline, strip, top)
    _axis(page, clock, bottom)
    canvas.trim(made, page, bottom + _AXIS)
    return made


def _tops(strips: Sequence[_Strip]) -> Iterator[float]:
    """Yield where each row begins, and where the last one ends."""
    top = 0.04
    for strip in strips:
        yield top
        top += (2 if _marks(strip) else 1) * _LINE + strip.height + _GAP
    yield top - _GAP / 2


def _row(page: Axes, clock: _Clock, timeline: Timeline, strip: _Strip, top: float) -> None:
    room = _RIGHT - _LEFT - canvas.width_of(strip.number) - 0.15
    small: dict[str, Any] = {"va": "center", "color": canvas.MUTED, "fontsize": canvas.SMALL_SIZE}
    page.text(_LEFT, top + _LINE / 2, canvas.fit(strip.name, room), va="center")
    page.text(_RIGHT, top + _LINE / 2, strip.number, ha="right", **small)
    top += _LINE
    if marks := _marks(strip):
        page.text(_LEFT, top + _LINE / 2, canvas.fit(marks, (_RIGHT - _LEFT) / _SMALL), va="center",
                  color=canvas.INK, fontsize=canvas.SMALL_SIZE, weight="bold")  # fmt: skip
        top += _LINE
    bottom = top + strip.height
    for silence in strip.silences:
        _silence(page, clock, silence, top, bottom)
    _steps(page, clock, timeline, strip, bottom)
    for jump in strip.jumps:
        at = clock.at(date.fromisoformat(jump.start))
        page.plot([at, at], [top, bottom], color=canvas.ORANGE, linewidth=1.3, linestyle=(0, (2, 1)))
    page.plot([_LEFT, _RIGHT], [bottom, bottom], color=canvas.RULE, linewidth=0.8)


def _steps(page: Axes, clock: _Clock, timeline: Timeline, strip: _Strip, bottom: float) -> None:
    """Fill the counts as steps: one block a period, as high as its share of the largest."""
    from matplotlib.patches import Polygon

    most = max(strip.counts, default=0)
    if not most:
        return
    edges = [clock.at(date.fromisoformat(start)) for start in timeline.starts] + [_RIGHT]
    corners = [(edges[0], bottom)]
    for place, count in enumerate(strip.counts):
        height = bottom - strip.height * count / most
        corners += [(edges[place], height), (edges[place + 1], height)]
    corners.append((edges[-1], bottom))
    page.add_patch(Polygon(corners, closed=True, facecolor=strip.colour, edgecolor="none"))


def _silence(page: Axes, clock: _Clock, silence: Silence, top: float, bottom: float) -> None:
    from matplotlib.patches import Rectangle

    left, right = clock.at(date.fromisoformat(silence.start)), clock.at(date.fromisoformat(silence.end))
    page.add_patch(Rectangle((left, top), max(right - left, 0.015), bottom - top, facecolor=canvas.SOFT))
    for edge, kinds in ((left, ("end", "gap")), (right, ("launch", "gap"))):
        if silence.kind in kinds:
            page.plot([edge, edge], [top, bottom], color=canvas.ORANGE, linewidth=1.3)


def _axis(page: Axes, clock: _Clock, bottom: float) -> None:
    days = (clock.last - clock.first).days
    ticks = list(dict.fromkeys(clock.first + timedelta(days=round(days * i / _TICKS)) for i in range(_TICKS + 1)))
    last = len(ticks) - 1
    for place, tick in enumerate(ticks):
        side = "left" if place == 0 else "right" if place == last else "center"
        month = _MONTHS[tick.month - 1]
        year = f" {tick.year}" if place in (0, last) else ""
        text = f"{month} {tick.year}" if days >= _YEAR else f"{tick.day} {month}{year}"
        small: dict[str, Any] = {"va": "center", "color": canvas.MUTED, "fontsize": canvas.SMALL_SIZE}
        page.text(clock.at(tick), bottom + _AXIS / 2, text, ha=side, **small)


def _clock(timeline: Timeline) -> _Clock:
    first, last = date.fromisoformat(timeline.starts[0]), date.fromisoformat(timeline.starts[-1])
    length = {"day": 1, "week": 7, "month": 31}[timeline.unit]
    return _Clock(first, last + timedelta(days=length))


def _marks(strip: _Strip) -> str:
    """Return in words what is marked in a row; empty where nothing is."""
    marks = [*map(silence_in_words, strip.silences), *map(jump_in_words, strip.jumps)]
    shown = "; ".join(marks[:_LABELLED])
    return shown if len(marks) <= _LABELLED else f"{shown}; {len(marks) - _LABELLED} more"


def _in_words(strip: _Strip) -> str:
    return f"{strip.name}, {strip.number}" + (f", {marks}" if (marks := _marks(strip)) else "")
