"""A ladder as a picture: how many accounts are left on each rung."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from discovery import wording
from discovery.plots import canvas
from discovery.results import Ladder, Rung, StudyResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PITCH: Final = 0.66
_BAR: Final = 0.20
_LABEL: Final = canvas.WIDTH - 0.95
"""Inches for a name, beside its count; less in bold."""
_ROLES: Final = {"baseline": canvas.PLAIN, "required": canvas.BLUE, "milestone": canvas.GREEN, "habit": canvas.PLAIN}


@canvas.styled
def ladder(ladder: Ladder, result: StudyResult) -> Figure:
    """Draw one ladder, signup on top: accounts left, step conversion and median time on each rung.

    The length of a bar is the share of landmark accounts that did this rung or a later one.

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
    label = f"Ladder to {ladder.milestone}: " + "; ".join(
        f"{rung.milestone}, {wording.percent(rung.reach)}" for rung in ladder.rungs
    )
    made, page = canvas.sheet(_PITCH * max(len(ladder.rungs), 1) + 0.1, label)
    for place, rung in enumerate(ladder.rungs):
        _rung(page, 0.05 + place * _PITCH, place, rung)
    if not ladder.rungs:
        page.text(0.05, 0.3, f"This ladder has no rungs (of {result.population.landmark} accounts).", va="center")
    return made


def _rung(page: Axes, top: float, place: int, rung: Rung) -> None:
    from matplotlib.patches import Rectangle

    right, width = canvas.WIDTH - 0.05, canvas.WIDTH - 0.1
    name = canvas.fit(rung.milestone, _LABEL * (0.88 if rung.role == "milestone" else 1))
    name = f"{place}\u2002{name}" if place else name
    page.text(0.05, top + 0.12, name, va="center", weight="bold" if rung.role == "milestone" else None)
    page.text(right, top + 0.12, wording.count(rung.n_reached), va="center", ha="right")
    page.add_patch(Rectangle((0.05, top + 0.23), width, _BAR, facecolor=canvas.SOFT, edgecolor="none"))
    share = min(max(rung.reach, 0.0), 1.0) if wording.known(rung.reach) else 0.0
    page.add_patch(Rectangle((0.05, top + 0.23), width * share, _BAR, facecolor=_ROLES[rung.role], edgecolor="none"))
    page.text(right, top + 0.53, wording.percent(rung.reach), va="center", ha="right", color=canvas.MUTED)
    page.text(0.05, top + 0.53, _step_in_words(rung), va="center", color=canvas.MUTED, fontsize=canvas.SMALL_SIZE)


def _step_in_words(rung: Rung) -> str:
    if rung.role == "baseline":
        return "everyone at the landmark"
    parts = []
    if wording.known(rung.step_conversion):
        parts.append(f"{wording.percent(rung.step_conversion)} of the rung before")
    if wording.known(rung.median_days):
        parts.append(f"median {wording.days(rung.median_days)}")
    return " · ".join(parts)
