"""Kaplan-Meier curves with their bands, and below them how many accounts were still at risk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from discovery import wording
from discovery.plots import canvas
from discovery.results import Proposal, StudyResult, SurvivalCurve, ValidationResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINES: Final = ((canvas.BLUE, "-"), (canvas.ORANGE, (0, (5, 1.5))), (canvas.GREEN, "-."), (canvas.PLAIN, ":"))
_PLOT_HEIGHT: Final = 2.3
_KEY_PITCH: Final = 0.21
_ROW_PITCH: Final = 0.40
_LEFT: Final = 0.48


@canvas.styled
def survival_curves(result: StudyResult) -> Figure:
    """Draw the Kaplan-Meier curves of the result, with pointwise bands and an at-risk table below.

    Parameters
    ----------
    result
        A finished study; its curves start at the landmark.

    Returns
    -------
    Figure
        A matplotlib figure. The share axis always runs from 0 to 100 %.
    """
    return _drawn(result.curves, result.outcome.window_days)


@canvas.styled
def staying(proposal: Proposal, result: ValidationResult) -> Figure:
    """Draw the Kaplan-Meier curves of a proposal, as `survival_curves` does those of a study.

    Parameters
    ----------
    proposal
        One of `result.proposals`; its curves start at the landmark.
    result
        The validation it comes from.

    Returns
    -------
    Figure
        A matplotlib figure. The share axis always runs from 0 to 100 %.
    """
    return _drawn(proposal.curves, result.outcome.window_days)


def _drawn(given: Sequence[SurvivalCurve], window_days: int) -> Figure:
    curves = [curve for curve in given if curve.days]
    if not curves:
        return canvas.sentence_only("There are no survival curves: departures are not recorded.")
    top = 0.28 + _KEY_PITCH * len(curves)
    below = 0.58 + _ROW_PITCH * len(curves)
    label = "Kaplan-Meier curves from the landmark: " + "; ".join(_ending(curve) for curve in curves)
    made = canvas.figure(top + _PLOT_HEIGHT + below, label)
    axes = canvas.axes_at(made, left=_LEFT, top=top, width=canvas.WIDTH - _LEFT - 0.2, height=_PLOT_HEIGHT)
    _frame(axes, curves, window_days)
    for curve, (colour, dashes) in _with_lines(curves):
        axes.step(curve.days, curve.survival, where="post", color=colour, linestyle=dashes, linewidth=1.8)
        if len(curve.ci_lower) == len(curve.days) == len(curve.ci_upper):
            band = {"step": "post", "color": colour, "alpha": 0.16, "linewidth": 0}
            axes.fill_between(curve.days, curve.ci_lower, curve.ci_upper, **band)  # type: ignore[arg-type]
    _key(made, curves)
    _at_risk(axes, curves)
    return made


def _with_lines(curves: Sequence[SurvivalCurve]) -> list[tuple[SurvivalCurve, tuple[str, object]]]:
    return [(curve, _LINES[place % len(_LINES)]) for place, curve in enumerate(curves)]


def _ending(curve: SurvivalCurve) -> str:
    return f"{curve.label}, {wording.percent(curve.survival[-1])} after {wording.days(curve.days[-1])}"


def _frame(axes: Axes, curves: Sequence[SurvivalCurve], window_days: int) -> None:
    last = max(curve.days[-1] for curve in curves) or 1.0
    axes.set_xlim(0, last)
    axes.set_ylim(0, 1)
    shares = (0, 0.25, 0.5, 0.75, 1)
    axes.set_yticks(shares, [wording.percent(share) for share in shares])
    axes.grid(axis="y", color=canvas.RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    marks = _days_marked(curves, last)
    axes.set_xticks(marks, [f"{day:g}" for day in marks])
    axes.set_xlabel(f"days after the landmark (day {window_days} after signup)", fontsize=canvas.SMALL_SIZE)


def _days_marked(curves: Sequence[SurvivalCurve], last: float) -> list[float]:
    from matplotlib.ticker import MaxNLocator

    given = sorted({day for curve in curves for day in curve.at_risk_days if 0 <= day <= last})
    if 2 <= len(given) <= 9:
        return given
    return [
        float(day)
        for day in MaxNLocator(nbins=6, integer=True, steps=[1, 2, 3, 5, 10]).tick_values(0, last)
        if day <= last
    ]


def _key(made: Figure, curves: Sequence[SurvivalCurve]) -> None:
    from matplotlib.lines import Line2D

    height = float(made.get_figheight())
    made.text(0.08 / canvas.WIDTH, 1 - 0.12 / height, "accounts that have not left", color=canvas.MUTED, va="center")
    for place, (curve, (colour, dashes)) in enumerate(_with_lines(curves)):
        at = 1 - (0.32 + place * _KEY_PITCH) / height
        line = Line2D(
            [0.08 / canvas.WIDTH, 0.42 / canvas.WIDTH],
            [at, at],
            color=colour,
            linestyle=dashes,  # type: ignore[arg-type]
            linewidth=1.8,
            transform=made.transFigure,
        )
        made.add_artist(line)
        made.text(0.5 / canvas.WIDTH, at, canvas.fit(curve.label, canvas.WIDTH - 0.6), color=canvas.INK, va="center")


def _at_risk(axes: Axes, curves: Sequence[SurvivalCurve]) -> None:
    """Write the numbers at risk under their days, in inches below the axes."""
    small = {"fontsize": canvas.SMALL_SIZE, "va": "center", "clip_on": False}
    last = axes.get_xlim()[1]
    for place, curve in enumerate(curves):
        top = -(0.60 + place * _ROW_PITCH) / _PLOT_HEIGHT
        name = f"at risk: {canvas.fit(curve.label, canvas.WIDTH - 0.75)}"
        left = (0.08 - _LEFT) / (canvas.WIDTH - _LEFT - 0.2)
        axes.text(left, top, name, transform=axes.transAxes, color=canvas.MUTED, **small)  # type: ignore[arg-type]
        below = top - 0.17 / _PLOT_HEIGHT
        for day, number in zip(curve.at_risk_days, curve.at_risk, strict=False):
            if 0 <= day <= last:
                at = axes.get_xaxis_transform()
                axes.text(day, below, wording.count(number), transform=at, ha="center", color=canvas.INK, **small)  # type: ignore[arg-type]
