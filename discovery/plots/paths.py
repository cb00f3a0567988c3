"""What accounts do between two rungs: those that go on beside those that stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from discovery import wording
from discovery.plots import canvas
from discovery.results import Between, Rung

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST: Final = 8
_LEFT: Final = 0.05
_RIGHT: Final = canvas.WIDTH - 0.05
_NAMES: Final = 1.62
_NUMBER: Final = 0.58
_BAR: Final = 0.11
_ROW: Final = 0.155
_LINE: Final = 0.165
_GAP: Final = 0.12
_SMALL: Final = canvas.SMALL_SIZE / canvas.TEXT_SIZE
_WENT_ON: Final[dict[str, Any]] = {"facecolor": canvas.BLUE, "edgecolor": canvas.BLUE, "label": "went on"}
_STOPPED: Final[dict[str, Any]] = {
    "facecolor": "none",
    "edgecolor": canvas.ORANGE,
    "hatch": "//////",
    "label": "stopped",
}


@canvas.styled
def between(rung: Rung, before: str) -> Figure:
    """Draw which share of the accounts that went on, and of those that stopped, met each event between two rungs.

    The largest differences come first, at most eight events. Errors that go with stopping say so.

    Parameters
    ----------
    rung
        The rung at the end of the way, with what happens `between`.
    before
        The milestone of the rung before it.

    Returns
    -------
    Figure
        A matplotlib figure. All bars run from 0 to 100 %.
    """
    known = [event for event in rung.between if wording.known(event.went_on) or wording.known(event.stopped)]
    events = sorted(known, key=_difference, reverse=True)
    if not events:
        return canvas.sentence_only("What accounts do before this rung is not known.")
    made, page = canvas.sheet(1.0, _in_words(rung, before, events))
    top = _key(page, rung, before)
    errors = {error.event for error in rung.errors_at_drop}
    for event in events[:_MOST]:
        top = _event(page, top, event, error=event.event in errors)
    if len(events) > _MOST:
        more = f"{len(events) - _MOST} more, with smaller differences"
        page.text(_LEFT, top + 0.05, more, va="center", color=canvas.MUTED, fontsize=canvas.SMALL_SIZE)
        top += 0.2
    canvas.trim(made, page, top)
    return made


def _difference(event: Between) -> float:
    """Return how far apart the two shares are; what cannot be compared comes last."""
    if event.went_on is None or event.stopped is None:
        return -1.0
    difference = abs(event.went_on - event.stopped)
    return difference if wording.known(difference) else -1.0


def _in_words(rung: Rung, before: str, events: list[Between]) -> str:
    said = "; ".join(
        f"{event.event}, {wording.percent(event.went_on)} and {wording.percent(event.stopped)}"
        for event in events[:_MOST]
    )
    whom = "shares of the accounts that went on and of those that stopped"
    return f"Between {before} and {rung.milestone}, {whom}: {said}."


def _key(page: Axes, rung: Rung, before: str) -> float:
    """Write the two rungs and what the two bars stand for."""
    from matplotlib.patches import Rectangle

    after = f"after\u2002{before}"
    top = 0.04
    if wording.known(rung.between_days):
        after = f"within {wording.days(rung.between_days)} after\u2002{before}"
    small: dict[str, Any] = {"va": "center", "fontsize": canvas.SMALL_SIZE}
    for line in canvas.fold(after, (_RIGHT - _LEFT) / _SMALL):
        page.text(_LEFT, top + _ROW / 2, line, color=canvas.MUTED, **small)
        top += _ROW
    top += 0.05
    for style, said in ((_WENT_ON, f"accounts that went on to {rung.milestone}"), (_STOPPED, "accounts that stopped")):
        swatch = {key: value for key, value in style.items() if key != "label"}
        page.add_patch(Rectangle((_LEFT, top + _ROW / 2 - _BAR / 2), 0.26, _BAR, linewidth=0.8, **swatch))
        page.text(_LEFT + 0.36, top + _ROW / 2, canvas.fit(said, (_RIGHT - _LEFT - 0.36) / _SMALL), **small)
        top += _ROW + 0.03
    return top + 0.1


def _event(page: Axes, top: float, event: Between, *, error: bool) -> float:
    names = canvas.fold(event.event, _NAMES)
    lines = len(names) + error
    block = max(2 * _ROW, lines * _LINE)
    at = top + block / 2 - (lines - 1) * _LINE / 2
    for name in names:
        page.text(_LEFT, at, name, va="center")
        at += _LINE
    if error:
        page.text(_LEFT, at, "error at the drop", va="center", fontsize=canvas.SMALL_SIZE, weight="bold")
    bars = top + block / 2 - _ROW
    _bar(page, bars, event.went_on, _WENT_ON)
    _bar(page, bars + _ROW, event.stopped, _STOPPED)
    return top + block + _GAP


def _bar(page: Axes, top: float, share: float | None, style: dict[str, Any]) -> None:
    from matplotlib.patches import Rectangle

    if share is None or not wording.known(share):
        return
    left = _LEFT + _NAMES + 0.1
    wide = (_RIGHT - _NUMBER - left) * min(max(share, 0.0), 1.0)
    page.add_patch(Rectangle((left, top + (_ROW - _BAR) / 2), wide, _BAR, linewidth=0.8, **style))
    words: dict[str, Any] = {"va": "center", "fontsize": canvas.SMALL_SIZE}
    page.text(left + wide + 0.06, top + _ROW / 2, wording.percent(share), **words)
