"""What the templates show beyond the result itself: order, groups, footnote marks and pictures.

Nothing statistical is computed here.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from discovery import plots
from discovery.errors import Caution
from discovery.plots import wording
from discovery.results import UNRANKED, Ladder, QualityFinding, RankedFamily, StudyResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN_AT_ONCE = 25
_SHOWN_AT_ALL = 200
"""Keeps the file small; every candidate is in `candidates.csv`."""
_SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRow:
    """One line of the account flow. `falls_out`: these accounts leave the study here."""

    label: str
    count: int
    falls_out: bool
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnLadder:
    """A ladder beside its picture."""

    ladder: Ladder
    picture: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A result laid out for the page."""

    result: StudyResult
    named: RankedFamily | None
    ranked: tuple[RankedFamily, ...]
    ranked_further: tuple[RankedFamily, ...]
    ranked_unshown: int
    apart: tuple[RankedFamily, ...]
    apart_unshown: int
    not_compared: tuple[RankedFamily, ...]
    shared_cautions: tuple[Caution, ...]
    marks: Mapping[Caution, str]
    show_hazard: bool
    level: str
    flow: tuple[FlowRow, ...]
    flow_adds_up: bool
    ladders: tuple[DrawnLadder, ...]
    quality: tuple[QualityFinding, ...]
    flow_picture: str
    forest_picture: str
    curves_picture: str


def view_of(
    result: StudyResult, *, ladders: int | None = None, ranked: int = _SHOWN_AT_ONCE, figures: bool = True
) -> View:
    """Lay out `result`; `figures=False` leaves out all pictures but those of the ladders."""
    placed = tuple(family for family in result.ranking if family.rank is not None)
    unplaced = tuple(family for family in result.ranking if family.status in UNRANKED)
    rare = tuple(family for family in result.ranking if family.rank is None and family.status not in UNRANKED)
    shared = _shared_cautions(placed)
    return View(
        result=result,
        named=_named(result),
        ranked=placed[:ranked],
        ranked_further=placed[ranked:_SHOWN_AT_ALL],
        ranked_unshown=len(placed[_SHOWN_AT_ALL:]),
        apart=unplaced[:_SHOWN_AT_ONCE],
        apart_unshown=len(unplaced[_SHOWN_AT_ONCE:]),
        not_compared=tuple(sorted(rare, key=lambda family: -family.n_reached)),
        shared_cautions=shared,
        marks=_marks(result.ranking, besides=shared),
        show_hazard=any(family.hazard_ratio is not None for family in placed),
        level=_level(result),
        flow=_flow(result),
        flow_adds_up=_adds_up(result),
        ladders=tuple(_drawn(ladder, result) for ladder in result.ladders[:ladders]),
        quality=tuple(sorted(result.quality, key=lambda finding: _SEVERITIES.index(finding.severity))),
        flow_picture=_picture(plots.account_flow(result)) if figures and result.population.accounts else "",
        forest_picture=_picture(plots.forest(result)) if figures and placed else "",
        curves_picture=_picture(plots.survival_curves(result)) if figures and _has_curves(result) else "",
    )


def _named(result: StudyResult) -> RankedFamily | None:
    """Return the family that the verdict speaks of."""
    milestone = result.verdict.milestone
    return next((family for family in result.ranking if family.milestone == milestone), None) if milestone else None


def _drawn(ladder: Ladder, result: StudyResult) -> DrawnLadder:
    return DrawnLadder(ladder=ladder, picture=_picture(plots.ladder(ladder, result)))


def _picture(figure: Figure) -> str:
    return plots.svg(figure)


def _has_curves(result: StudyResult) -> bool:
    return any(curve.days for curve in result.curves)


def _shared_cautions(families: tuple[RankedFamily, ...]) -> tuple[Caution, ...]:
    """Return the cautions that stand beside every ranked family; they are said once."""
    if len(families) < 2:
        return ()
    common = set.intersection(*(set(family.warnings) for family in families))
    return tuple(caution for caution in Caution if caution in common)


def _marks(families: Iterable[RankedFamily], *, besides: tuple[Caution, ...]) -> dict[Caution, str]:
    """Return a letter for every other caution, in the order in which cautions are declared."""
    present = {caution for family in families for caution in family.warnings} - set(besides)
    ordered = (caution for caution in Caution if caution in present)
    return dict(zip(ordered, string.ascii_lowercase, strict=False))


def _level(result: StudyResult) -> str:
    """Return the level of every interval in the result as text."""
    alpha = result.settings.get("inference", {}).get("alpha", 0.05)
    return wording.percent(1 - alpha)


def _adds_up(result: StudyResult) -> bool:
    people = result.population
    parts = (people.excluded, people.unusable, people.before_log, people.not_observed_to_landmark)
    return people.accounts == sum(parts) + people.decided_before_landmark + people.landmark


def _flow(result: StudyResult) -> tuple[FlowRow, ...]:
    people, day = result.population, result.outcome.window_days
    decided = "converted or left" if result.outcome.kind == "converted" else "left"
    rows = (
        ("Signed up", people.accounts, False, "every account in the accounts table"),
        ("Excluded", people.excluded, True, "marked as internal or test accounts"),
        ("Unusable", people.unusable, True, "no usable signup time"),
        ("Signed up before the log began", people.before_log, True, "their first days were not recorded"),
        (f"Not observed up to day {day}", people.not_observed_to_landmark, True, "too young, or observation ended"),
        (f"Decided before day {day}", people.decided_before_landmark, True, f"{decided} before the landmark"),
        (f"At the landmark (day {day})", people.landmark, False, "compared by what they did until then"),
        ("Outcome known (mature)", people.mature, False, "observed until the outcome could be read"),
        (result.outcome.kind.capitalize(), people.retained, False, f"an account that {result.outcome.stayed}"),
    )
    return tuple(FlowRow(label=a, count=b, falls_out=c, note=d) for a, b, c, d in rows)
