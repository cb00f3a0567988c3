"""The account flow: who signed up, who fell out where, who was left to learn from; in rows and as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from discovery import wording
from discovery.plots import canvas
from discovery.results import StudyResult, ValidationResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PITCH = 0.40
_BAR = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRow:
    """One line of the account flow. `falls_out`: these accounts leave the study here."""

    label: str
    count: int
    falls_out: bool
    note: str


def flow(result: StudyResult | ValidationResult) -> tuple[FlowRow, ...]:
    """Return the account flow from signup to the outcome, the steps at which nobody fell out among it."""
    people, day, kind = result.population, result.outcome.window_days, result.outcome.kind
    left = "Converted or left" if kind == "converted" else "Left"
    share = wording.percent(people.base_rate)
    rows = (
        ("Signed up", people.accounts, False, "every account in the accounts table"),
        ("Excluded", people.excluded, True, "marked as internal or test accounts"),
        ("No usable signup time", people.unusable, True, "missing or unreadable"),
        ("Signed up before the log began", people.before_log, True, "their first days were not recorded"),
        (f"Not observed up to day {day}", people.not_observed_to_landmark, True, "too young, or observation ended"),
        (f"{left} before day {day}", people.decided_before_landmark, True, "before the comparison could begin"),
        (
            f"Compared, from day {day} on",
            people.landmark,
            False,
            "at the landmark, by what they did until then",
        ),
        ("Outcome not known yet", people.landmark - people.mature, True, "too young, or observation ended"),
        ("Outcome known", people.mature, False, "old enough to tell; every rate of the outcome is among these"),
        (kind.capitalize(), people.retained, False, f"{share} of those with a known outcome"),
    )
    return tuple(FlowRow(label=a, count=b, falls_out=c, note=d) for a, b, c, d in rows)


@canvas.styled
def account_flow(result: StudyResult | ValidationResult) -> Figure:
    """Draw the account flow from signup to the outcome.

    Blue bars are accounts still in the study; grey ones are those that fell out, drawn where they
    leave the bar above. Steps at which nobody fell out are left out.

    Parameters
    ----------
    result
        A finished study or validation.

    Returns
    -------
    Figure
        A matplotlib figure that belongs to no window.
    """
    people = result.population
    rows = [row for row in flow(result) if row.count or not row.falls_out]
    made, page = canvas.sheet(_PITCH * len(rows) + 0.1, f"Account flow: {_in_words(result)}")
    per_account = (canvas.WIDTH - 0.1) / max(people.accounts, 1)
    left = people.accounts
    for place, row in enumerate(rows):
        start = left - row.count if row.falls_out else 0
        bar = (0.05 + start * per_account, row.count * per_account)
        _row(page, 0.05 + place * _PITCH, row, bar)
        left -= row.count if row.falls_out else 0
    return made


def _row(page: Axes, top: float, row: FlowRow, bar: tuple[float, float]) -> None:
    from matplotlib.patches import Rectangle

    ink = canvas.MUTED if row.falls_out else canvas.INK
    page.text(0.05, top + 0.11, row.label, color=ink, va="center")
    sign = "\u2212" if row.falls_out else ""
    page.text(canvas.WIDTH - 0.05, top + 0.11, sign + wording.count(row.count), color=ink, va="center", ha="right")
    page.add_patch(Rectangle((0.05, top + 0.22), canvas.WIDTH - 0.1, _BAR, facecolor=canvas.SOFT, edgecolor="none"))
    colour = canvas.PLAIN if row.falls_out else canvas.BLUE
    page.add_patch(Rectangle((bar[0], top + 0.22), bar[1], _BAR, facecolor=colour, edgecolor="none"))


def _in_words(result: StudyResult | ValidationResult) -> str:
    people = result.population
    return (
        f"{wording.count(people.accounts)} accounts signed up, {wording.count(people.landmark)} are compared, "
        f"{wording.count(people.mature)} have a known outcome, {wording.count(people.retained)} of them "
        f"{result.outcome.kind}."
    )
