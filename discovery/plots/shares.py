"""Shares below one another: how far accounts came and who stayed, and how soon a milestone is reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from discovery import wording
from discovery.plots import canvas
from discovery.results import Proposal, ValidationResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINE: Final = 0.175
_BAR: Final = 0.11
_GAP: Final = 0.16
_LEFT: Final = 0.05
_RIGHT: Final = canvas.WIDTH - 0.05
_SMALL: Final = 0.94


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bar:
    """One share with its bounds, if any; the last is the milestone itself."""

    name: str
    share: float | None
    bounds: tuple[float, float] | None = None
    note: str = ""
    strong: bool = True


@canvas.styled
def onboarding(proposal: Proposal, result: ValidationResult) -> Figure:
    """Draw the share that stayed in each onboarding group, with intervals.

    Parameters
    ----------
    proposal
        One of `result.proposals`.
    result
        The validation it comes from.

    Returns
    -------
    Figure
        A matplotlib figure. The scale always runs from 0 to 100 %; the last group is coloured.
    """
    kind = result.outcome.kind
    bars = []
    for place, group in enumerate(proposal.onboarding, start=1):
        lower, upper = group.retained.ci_lower, group.retained.ci_upper
        inside = lower is not None and upper is not None and wording.known(lower) and wording.known(upper)
        bars.append(
            _Bar(
                name=group.label,
                share=group.retained.estimate,
                bounds=(lower, upper) if inside else None,  # type: ignore[arg-type]
                note=f"{wording.count(group.n_accounts)} accounts",
                strong=place == len(proposal.onboarding),
            )
        )
    return _drawn(bars, f"Share {kind} by how far accounts came in onboarding", "No onboarding group is large enough.")


@canvas.styled
def reaching(proposal: Proposal) -> Figure:
    """Draw the share of all accounts that reach a proposal within a few days of signup.

    Parameters
    ----------
    proposal
        One of the proposals of a validation.

    Returns
    -------
    Figure
        A matplotlib figure. The scale always runs from 0 to 100 %.
    """
    by_day = proposal.reaching.by_day if proposal.reaching is not None else ()
    bars = [_Bar(name=f"within {wording.days(day)}", share=share) for day, share in by_day]
    return _drawn(bars, "Share of all accounts that reach it", "Nobody reaches it.")


def _drawn(bars: Sequence[_Bar], label: str, otherwise: str) -> Figure:
    known = [bar for bar in bars if wording.known(bar.share)]
    if not known:
        return canvas.sentence_only(otherwise)
    said = "; ".join(f"{bar.name}, {wording.percent(bar.share)}" for bar in known)
    made, page = canvas.sheet(1.0, f"{label}: {said}.")
    top = 0.04
    for bar in known:
        top = _row(page, top, bar)
    canvas.trim(made, page, top - _GAP / 2)
    return made


def _row(page: Axes, top: float, bar: _Bar) -> float:
    from matplotlib.patches import Rectangle

    number = wording.percent(bar.share)
    room = _RIGHT - _LEFT - canvas.width_of(number) - 0.15
    lines = canvas.fold(bar.name, room)
    page.text(_RIGHT, top + _LINE / 2, number, va="center", ha="right", weight="bold" if bar.strong else "normal")
    for text in lines:
        page.text(_LEFT, top + _LINE / 2, text, va="center")
        top += _LINE
    if bar.note:
        small: dict[str, Any] = {"va": "center", "color": canvas.MUTED, "fontsize": canvas.SMALL_SIZE}
        page.text(_LEFT, top + _LINE / 2, canvas.fit(bar.note, room / _SMALL), **small)
        top += _LINE
    top += 0.03
    colour = canvas.BLUE if bar.strong else canvas.PLAIN
    for share, face in ((1.0, canvas.SOFT), (bar.share or 0.0, colour)):
        page.add_patch(Rectangle((_LEFT, top), _at(share) - _LEFT, _BAR, facecolor=face, edgecolor="none"))
    if bar.bounds is not None:
        ends = [_at(bound) for bound in bar.bounds]
        page.plot(ends, [top + _BAR / 2] * 2, color=canvas.INK, linewidth=1.1, marker="|", markersize=5)
    return top + _BAR + _GAP


def _at(share: float) -> float:
    return _LEFT + min(max(share, 0.0), 1.0) * (_RIGHT - _LEFT)
