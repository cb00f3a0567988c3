"""What the templates show beyond the result itself: order, groups, footnote marks and pictures.

Nothing statistical is computed here.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from discovery import plots, wording
from discovery.errors import Caution
from discovery.report.basis import Basis, basis_of
from discovery.report.checks import Check, checks
from discovery.report.ladders import MOST_LADDERS, DrawnLadder, ladder_alone, whole_ladder
from discovery.results import (
    UNRANKED,
    Persona,
    RankedFamily,
    StudyResult,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_RANKED_AT_ONCE = 8
_APART_SHOWN = 25
_EXPLAINED_AT_ONCE = 5
_EXPLAINED_SHOWN = 25
_SHOWN_AT_ALL = 200
"""Keeps the file small; every candidate is in `candidates.csv`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A family whose plain difference is explained by something else, beside its two differences as a picture."""

    family: RankedFamily
    picture: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaRow:
    """A persona beside the family its verdict names, and what the test of differing between values says."""

    persona: Persona
    named: RankedFamily | None
    differs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A result laid out for the page."""

    result: StudyResult
    named: RankedFamily | None
    sure: tuple[Check, ...]
    explained: tuple[Explained, ...]
    explained_further: tuple[RankedFamily, ...]
    explained_unshown: int
    explained_names: frozenset[str]
    personas: tuple[PersonaRow, ...]
    together: Mapping[str, tuple[str, ...]]
    ranked: tuple[RankedFamily, ...]
    ranked_further: tuple[RankedFamily, ...]
    ranked_unshown: int
    harms: tuple[RankedFamily, ...]
    statuses: frozenset[str]
    apart: tuple[RankedFamily, ...]
    apart_unshown: int
    not_compared: tuple[RankedFamily, ...]
    shared_cautions: tuple[Caution, ...]
    marks: Mapping[Caution, str]
    show_hazard: bool
    level: str
    smallest_that_matters: str
    necessity: str
    ladders: tuple[DrawnLadder, ...]
    ladders_unshown: int
    basis: Basis
    forest_picture: str
    curves_picture: str
    names_candidates: bool = True


def view_of(
    result: StudyResult, *, ladders: int = MOST_LADDERS, ranked: int = _RANKED_AT_ONCE, figures: bool = True
) -> View:
    """Lay out `result`; `figures=False` leaves out all pictures but those of the ladders."""
    placed = tuple(family for family in result.ranking if family.rank is not None)
    harms = tuple(family for family in placed if family.status == "harm")
    others = tuple(family for family in placed if family.status != "harm")
    explained = tuple(family for family in result.ranking if family.explained_away)
    named = _named(result)
    unplaced = tuple(family for family in result.ranking if family.status in UNRANKED)
    rare = tuple(family for family in result.ranking if family.rank is None and family.status not in UNRANKED)
    shared = _shared_cautions(placed)
    drawn = tuple(
        whole_ladder(ladder, result, every_picture=place == 0) if figures else ladder_alone(ladder, result)
        for place, ladder in enumerate(result.ladders[:ladders])
    )
    return View(
        result=result,
        named=named,
        sure=checks(named, result) if named else (),
        explained=_explained(explained[:_EXPLAINED_AT_ONCE], result, figures=figures),
        explained_further=explained[_EXPLAINED_AT_ONCE:_EXPLAINED_SHOWN],
        explained_unshown=len(explained[_EXPLAINED_SHOWN:]),
        explained_names=frozenset(family.family for family in explained[:_EXPLAINED_SHOWN]),
        personas=tuple(_persona_row(persona, result) for persona in result.personas),
        together=_together(result.ranking),
        ranked=others[:ranked],
        ranked_further=others[ranked:_SHOWN_AT_ALL],
        ranked_unshown=len(others[_SHOWN_AT_ALL:]),
        harms=harms[:_APART_SHOWN],
        statuses=frozenset(family.status for family in placed),
        apart=unplaced[:_APART_SHOWN],
        apart_unshown=len(unplaced[_APART_SHOWN:]),
        not_compared=tuple(sorted(rare, key=lambda family: -family.n_reached)),
        shared_cautions=shared,
        marks=_marks((*placed, *unplaced), besides=shared),
        show_hazard=any(family.hazard_ratio is not None for family in placed),
        level=wording.percent(1 - (_setting(result, "inference", "alpha") or 0.05)),
        smallest_that_matters=wording.points(_setting(result, "inference", "minimum_effect"), plus=False),
        necessity=wording.percent(_setting(result, "ladder", "necessity")),
        ladders=drawn,
        ladders_unshown=len(result.ladders) - len(drawn),
        basis=basis_of(result, figures=figures),
        forest_picture=_picture(plots.forest(result)) if figures and placed else "",
        curves_picture=_picture(plots.survival_curves(result)) if figures and _has_curves(result) else "",
    )


def _named(result: StudyResult) -> RankedFamily | None:
    """Return the family that the verdict speaks of; that of a persona is in the persona's own ranking."""
    own = (persona.ranking for persona in result.personas if persona.persona == result.verdict.persona)
    families = [family for ranking in (*own, result.ranking) for family in ranking]
    return _of_milestone(families, result.verdict.milestone)


def _of_milestone(families: Iterable[RankedFamily], milestone: str | None) -> RankedFamily | None:
    return next((family for family in families if family.milestone == milestone), None) if milestone else None


def _explained(families: Sequence[RankedFamily], result: StudyResult, *, figures: bool) -> tuple[Explained, ...]:
    return tuple(
        Explained(family=family, picture=_picture(plots.shrinkage(family, result, families)) if figures else "")
        for family in families
    )


def _persona_row(persona: Persona, result: StudyResult) -> PersonaRow:
    named = _of_milestone(persona.ranking, persona.verdict.milestone)
    return PersonaRow(persona=persona, named=named, differs=_differs(persona.heterogeneity_p, result))


def _differs(p: float | None, result: StudyResult) -> str:
    """Say in words whether the difference is the same for every value of the segment."""
    if p is None or not wording.known(p):
        return "not tested"
    verdict = "differs" if p <= (_setting(result, "inference", "alpha") or 0.05) else "no sign that it differs"
    return f"{verdict} ({wording.p_value(p)})"


def _together(families: Iterable[RankedFamily]) -> dict[str, tuple[str, ...]]:
    """Return, for each family in a cluster of several, the others in it."""
    clusters: dict[int, list[str]] = {}
    for family in families:
        if family.cluster is not None:
            clusters.setdefault(family.cluster, []).append(family.family)
    return {
        name: tuple(other for other in names if other != name)
        for names in clusters.values()
        if len(names) > 1
        for name in names
    }


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


def _setting(result: StudyResult, section: str, key: str) -> float | None:
    number: float | None = result.settings.get(section, {}).get(key)
    return number
