"""The account flow as a picture: who signed up, who fell out where, who was left to learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discovery.plots import canvas, wording
from discovery.results import StudyResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PITCH = 0.40
_BAR = 0.10


@canvas.styled
def account_flow(result: StudyResult) -> Figure:
    """Draw the account flow from signup to the outcome.

    Dark bars are accounts still in the study; light ones are those that fell out, drawn where they
    leave the bar above.

    Parameters
    ----------
    result
        A finished study.

    Returns
    -------
    Figure
        A matplotlib figure that belongs to no window.
    """
    people = result.population
    rows = _rows(result)
    made, page = canvas.sheet(_PITCH * len(rows) + 0.1, f"Account flow: {_in_words(result)}")
    room = canvas.WIDTH - 0.1
    per_account = room / max(people.accounts, 1)
    left = people.accounts
    for place, (label, number, falls_out) in enumerate(rows):
        top = 0.05 + place * _PITCH
        start = left - number if falls_out else 0
        _row(page, top, label, number, (0.05 + start * per_account, number * per_account), falls_out=falls_out)
        left -= number if falls_out else 0
    return made


def _row(page: Axes, top: float, label: str, number: int, bar: tuple[float, float], *, falls_out: bool) -> None:
    from matplotlib.patches import Rectangle

    ink = canvas.MUTED if falls_out else canvas.INK
    page.text(0.05, top + 0.11, label, color=ink, va="center")
    sign = "\u2212" if falls_out and number else ""
    page.text(canvas.WIDTH - 0.05, top + 0.11, sign + wording.count(number), color=ink, va="center", ha="right")
    page.add_patch(Rectangle((0.05, top + 0.22), canvas.WIDTH - 0.1, _BAR, facecolor=canvas.SOFT, edgecolor="none"))
    colour = canvas.PLAIN if falls_out else canvas.BLUE
    page.add_patch(Rectangle((bar[0], top + 0.22), bar[1], _BAR, facecolor=colour, edgecolor="none"))


def _rows(result: StudyResult) -> list[tuple[str, int, bool]]:
    people, day = result.population, result.outcome.window_days
    return [
        ("Signed up", people.accounts, False),
        ("Excluded (internal or test)", people.excluded, True),
        ("Unusable", people.unusable, True),
        ("Signed up before the log began", people.before_log, True),
        (f"Not observed up to day {day}", people.not_observed_to_landmark, True),
        (f"Decided before day {day}", people.decided_before_landmark, True),
        (f"At the landmark (day {day})", people.landmark, False),
        ("Outcome known (mature)", people.mature, False),
        (result.outcome.kind.capitalize(), people.retained, False),
    ]


def _in_words(result: StudyResult) -> str:
    people = result.population
    return (
        f"{wording.count(people.accounts)} accounts signed up, {wording.count(people.landmark)} are at the landmark, "
        f"{wording.count(people.mature)} have a known outcome, {wording.count(people.retained)} of them "
        f"{result.outcome.kind}."
    )
