"""A ladder as a picture: how many accounts are left on each rung, where they stop, and when the rest arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from discovery import wording
from discovery.plots import branches, canvas
from discovery.results import Ladder, Rung, StudyResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_RIGHT: Final = canvas.WIDTH - 0.05
_BAR: Final = 0.18
_LINE: Final = 0.175
_SMALL_LINE: Final = 0.165
_PASSAGE: Final = 0.30
_SMALL: Final = canvas.SMALL_SIZE / canvas.TEXT_SIZE
_BOLD: Final = 1.15
"""How much wider bold letters are than the measured ones."""
_COLOURS: Final = {"baseline": canvas.PLAIN, "required": canvas.BLUE, "milestone": canvas.GREEN, "habit": canvas.PLAIN}
_STATUS: Final = {"found": "the milestone: found", "lead": "the milestone: a lead, not yet a finding"}


@canvas.styled
def ladder(ladder: Ladder, result: StudyResult) -> Figure:
    """Draw one ladder, signup on top: accounts left on each rung, who goes on, when they arrive, and alternatives.

    The length of a bar is the share of accounts that did this rung or a later one; what is hatched after it stopped at
    the rung before. A habit is dashed: it overlaps the outcome in time and is described only.

    Parameters
    ----------
    ladder
        One of `result.ladders`.
    result
        The study it comes from.

    Returns
    -------
    Figure
        A matplotlib figure.
    """
    made, page = canvas.sheet(1.0, _in_words(ladder))
    if not ladder.rungs:
        text = f"This ladder has no rungs (of {wording.count(result.population.landmark)} accounts)."
        page.text(0.05, 0.3, text, va="center")
        canvas.trim(made, page, 0.6)
        return made
    biggest = biggest_drop(ladder)
    lanes = branches.Lanes.of(ladder.rungs)
    top = 0.05
    for place, rung in enumerate(ladder.rungs):
        if place:
            top = _passage(page, top, lanes.left, rung, biggest=place == biggest)
        top = _rung(page, top, lanes.left, rung, ladder, place=place, biggest=place == biggest)
        top = branches.draw(page, top, lanes, rung)
    lanes.link(page)
    canvas.trim(made, page, top + 0.06)
    return made


def biggest_drop(ladder: Ladder) -> int | None:
    """Return the place of the rung that most accounts stop before; None where there is no choice. A habit has none."""
    drops = [0 if rung.role in ("baseline", "habit") else rung.dropped for rung in ladder.rungs]
    return drops.index(max(drops)) if sum(drop > 0 for drop in drops) > 1 else None


def _in_words(ladder: Ladder) -> str:
    steps = "; ".join(f"{rung.milestone}, {wording.percent(rung.reach)}" for rung in ladder.rungs)
    biggest = biggest_drop(ladder)
    drop = f". The biggest drop is before {ladder.rungs[biggest].milestone}" if biggest is not None else ""
    return f"Ladder to {ladder.milestone}: {steps}{drop}."


def _passage(page: Axes, top: float, left: float, rung: Rung, *, biggest: bool) -> float:
    """Draw how many go on from one rung to the next; return where the next begins."""
    at = top + 0.05 + _PASSAGE / 2
    habit = rung.role == "habit"
    if habit:
        page.plot([left, _RIGHT], [top + 0.09] * 2, color=canvas.PLAIN, linewidth=0.9, linestyle=(0, (4, 3)))
        at += 0.08
    arrow = {"arrowstyle": "-|>", "color": canvas.PLAIN, "linewidth": 1.1, "mutation_scale": 8.0, "shrinkA": 0}
    page.annotate("", (left + 0.1, at + 0.1), (left + 0.1, at - 0.09), arrowprops=arrow | {"shrinkB": 0})
    if wording.known(rung.step_conversion):
        page.text(left + 0.26, at, f"{wording.percent(rung.step_conversion)} go on", va="center")
    stop = f"{wording.count(rung.dropped)} stop" + (" here: the biggest drop" if biggest else "")
    words: dict[str, Any] = {"color": canvas.MUTED, "fontsize": canvas.SMALL_SIZE}
    if biggest:
        words = {"weight": "bold", "fontsize": canvas.SMALL_SIZE}
    page.text(_RIGHT, at, "habit, described only" if habit else stop, va="center", ha="right", **words)
    return at + _PASSAGE / 2


def _rung(page: Axes, top: float, left: float, rung: Rung, ladder: Ladder, *, place: int, biggest: bool) -> float:
    """Draw a rung: its name and accounts, its bar, and what is known of its time; return where the next begins."""
    top = _heading(page, top, left, rung, place)
    _bar(page, top, left, rung, biggest=biggest)
    top += _BAR + 0.04
    small: dict[str, Any] = {"color": canvas.MUTED, "fontsize": canvas.SMALL_SIZE, "va": "center"}
    for text in _about(rung, ladder):
        for line in canvas.fold(text, (_RIGHT - left) / _SMALL):
            page.text(left, top + _SMALL_LINE / 2, line, **small)
            top += _SMALL_LINE
    if not wording.known(rung.target_days):
        return top
    if rung.target_met is not None:
        _met_or_missed(page, left + 0.055, top + _SMALL_LINE / 2, met=rung.target_met)
    shift = 0.0 if rung.target_met is None else 0.15
    page.text(left + shift, top + _SMALL_LINE / 2, _target(rung), **small)
    return top + _SMALL_LINE


def _heading(page: Axes, top: float, left: float, rung: Rung, place: int) -> float:
    bold = rung.role == "milestone"
    left_there = f"{wording.count(rung.n_reached)} ({wording.percent(rung.reach)})"
    number = f"{place}\u2002" if place and rung.role != "habit" else ""
    room = _RIGHT - left - canvas.width_of(left_there) - canvas.width_of(number) - 0.12
    lines = canvas.fold(rung.milestone, room / (_BOLD if bold else 1.0), most=3)
    page.text(_RIGHT, top + _LINE / 2, left_there, va="center", ha="right")
    weight: dict[str, Any] = {"va": "center", "weight": "bold" if bold else "normal"}
    for line, text in enumerate(lines):
        page.text(left, top + _LINE / 2, text if line else number + text, **weight)
        top += _LINE
    return top + 0.025


def _bar(page: Axes, top: float, left: float, rung: Rung, *, biggest: bool) -> None:
    """Draw the accounts left, and after them those that stopped since the rung before, on all of them."""
    from matplotlib.patches import Rectangle

    whole = _RIGHT - left
    share = min(max(rung.reach, 0.0), 1.0) if wording.known(rung.reach) else 0.0
    lost = min(rung.dropped / rung.n_accounts, 1 - share) if rung.n_accounts else 0.0
    page.add_patch(Rectangle((left, top), whole, _BAR, facecolor=canvas.SOFT, edgecolor="none", label="all"))
    if rung.role == "habit":
        drawn = {"facecolor": "none", "edgecolor": canvas.PLAIN, "linewidth": 1.1, "linestyle": (0, (3, 2))}
        page.add_patch(Rectangle((left, top), whole * share, _BAR, label="left", **drawn))  # type: ignore[arg-type]
        return
    solid = {"facecolor": _COLOURS[rung.role], "edgecolor": "none", "label": "left"}
    page.add_patch(Rectangle((left, top), whole * share, _BAR, **solid))  # type: ignore[arg-type]
    if lost > 0:
        colour = canvas.ORANGE if biggest else canvas.PLAIN
        hatched = {"facecolor": "none", "edgecolor": colour, "linewidth": 0.0, "label": "stopped"}
        hatched["hatch"] = "//////" if biggest else "////"
        page.add_patch(Rectangle((left + whole * share, top), whole * lost, _BAR, **hatched))  # type: ignore[arg-type]


def _about(rung: Rung, ladder: Ladder) -> list[str]:
    """Return what is said under a bar: whom the ladder is about, what the milestone is worth, the time it takes."""
    if rung.role == "baseline":
        whom = f"all compared accounts{f' of {ladder.persona}' if ladder.persona else ''}"
        return [f"{whom}{f', signed up since {ladder.since}' if ladder.since else ''}"]
    said = [_STATUS[ladder.status]] if rung.role == "milestone" else []
    if wording.known(rung.median_days):
        said.append(f"median {wording.days(rung.median_days)}{_middle_half(rung)}")
    return said


def _target(rung: Rung) -> str:
    met = {True: ", median in time", False: ", median late", None: ""}[rung.target_met]
    share = f", {wording.percent(rung.in_target)} in time" if wording.known(rung.in_target) else ""
    return f"target of {wording.days(rung.target_days)}{met}{share}"


def _middle_half(rung: Rung) -> str:
    if rung.quartile_days is None or not all(map(wording.known, rung.quartile_days)):
        return ""
    first, last = (wording.days(value) for value in rung.quartile_days)
    if first == last:
        return ""
    number, _, unit = first.partition(" ")
    same = unit.rstrip("s") == last.partition(" ")[2].rstrip("s")
    return f", middle half {number if same else first} to {last}"


def _met_or_missed(page: Axes, x: float, y: float, *, met: bool) -> None:
    """Draw a tick or a cross, told apart without colour."""
    if met:
        page.plot([x - 0.045, x - 0.012, x + 0.05], [y, y + 0.04, y - 0.045], color=canvas.GREEN, linewidth=1.8)
        return
    for slope in (-1, 1):
        page.plot([x - 0.04, x + 0.04], [y - 0.04 * slope, y + 0.04 * slope], color=canvas.ORANGE, linewidth=1.8)
