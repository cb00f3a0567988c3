"""Every family gets its best candidate, its standing and its rank."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery.estimate import benjamini_hochberg
from discovery.ranking.evidence import Evidence
from discovery.ranking.standing import Standing, is_habit, standing
from discovery.results import FamilyStatus
from discovery.spec import StudySpec

_ORDER: dict[FamilyStatus, int] = {"found": 0, "lead": 1}
ALIKE = 0.1
"""A rule of the same family belongs to the equivalence set if it comes first in at least this share of half-samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedFamily:
    """One family with its status; `best` is the candidate that represents it, `place` its number among families."""

    name: str
    place: int
    status: FamilyStatus
    kind: str | None
    best: int
    rank: int | None
    reason: str | None
    short_of: tuple[str, ...] = ()
    equivalent: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grading:
    """The families in report order."""

    families: tuple[GradedFamily, ...]
    q_value: NDArray[np.float64]

    def having(self, *statuses: FamilyStatus) -> tuple[GradedFamily, ...]:
        """Return the families with one of these statuses, best first."""
        return tuple(family for family in self.families if family.status in statuses)

    @property
    def standing_out(self) -> tuple[GradedFamily, ...]:
        """The findings and leads, best first."""
        return self.having("found", "lead")

    @property
    def dismissed(self) -> tuple[GradedFamily, ...]:
        """The ranked families that stand out upwards and are neither finding nor lead; their reason says why."""
        return tuple(f for f in self.families if f.rank is not None and f.status == "unsupported" and f.reason)


def grade(evidence: Evidence, spec: StudySpec) -> Grading:
    """Give every family its status, and rank them: findings, leads, then all others by score.

    A family is represented by its candidate with the highest score; where none lies beyond the bound upwards and
    one does downwards, by that one. Families that may not be ranked come last: those set apart are represented by
    the rule that separates most, those with too few accounts by their most common rule.
    """
    places = np.unique(evidence.candidates.family_of)
    graded = [_graded(int(place), evidence, spec) for place in places]
    graded.sort(
        key=lambda f: (f.rank is None, _ORDER.get(f.status, 2), -_known(evidence.score[f.best]), f.name),
    )
    families = tuple(
        family if family.rank is None else dataclasses.replace(family, rank=rank)
        for rank, family in enumerate(graded, start=1)
    )
    single = np.array([len(milestone.conditions) == 1 for milestone in evidence.candidates.milestones], dtype=bool)
    p = np.where(evidence.eligible & single, evidence.scores.p_value, np.nan)
    return Grading(families=families, q_value=benjamini_hochberg(p))


def _known(value: float) -> float:
    return float(value) if np.isfinite(value) else -np.inf


def _graded(place: int, evidence: Evidence, spec: StudySpec) -> GradedFamily:
    name = evidence.candidates.families[place]
    own = evidence.candidates.of(place)
    kind = evidence.kinds.get(name)
    eligible = own[evidence.eligible[own]]
    if not len(eligible):
        return _unranked(name, place, kind, own, evidence)
    best = _representative(eligible, evidence)
    stands: Standing = standing(best, kind, evidence, spec)
    return GradedFamily(
        name=name,
        place=place,
        status=stands.status,
        kind=kind,
        best=best,
        rank=0,
        reason=stands.reason or " ".join(stands.short_of[:1]) or None,
        short_of=stands.short_of,
        equivalent=_equivalent(best, eligible, evidence) if stands.status in _ORDER else (),
    )


def _unranked(name: str, place: int, kind: str | None, own: NDArray[np.intp], evidence: Evidence) -> GradedFamily:
    status, reason = evidence.apart.get(name) or _why_not_compared(own, evidence)
    telling = np.abs(evidence.separation.phi) if name in evidence.apart else evidence.candidates.reached.astype(float)
    return GradedFamily(
        name=name, place=place, status=_status(status), kind=kind, best=_highest(own, telling), rank=None, reason=reason
    )


def _status(status: str) -> FamilyStatus:
    known: dict[str, FamilyStatus] = {
        "outcome_adjacent": "outcome_adjacent",
        "passive": "passive",
        "volume_axis": "volume_axis",
        "at_signup": "at_signup",
    }
    return known.get(status, "unsupported")


def _why_not_compared(own: NDArray[np.intp], evidence: Evidence) -> tuple[str, str]:
    if (evidence.scores.status[own] == "not_converged").all():
        return "unsupported", "The model it would have been compared by did not converge."
    return "unsupported", "Too few accounts did it, or too few did not, to compare them."


def _representative(candidates: NDArray[np.intp], evidence: Evidence) -> int:
    """Return the candidate that stands out most: upwards if any lies beyond the bound, else downwards if any does.

    Of a family that does neither, a habit represents it, if it has one.
    """
    score, bound = evidence.score, evidence.bound
    best, worst = _highest(candidates, score), _highest(candidates, -score)
    if score[best] > bound[best]:
        return best
    if score[worst] < -bound[worst]:
        return worst
    habit = _highest(candidates, evidence.activity_score)
    return habit if is_habit(habit, evidence) else best


def _equivalent(best: int, eligible: NDArray[np.intp], evidence: Evidence) -> tuple[int, ...]:
    """Return the other rules of the family that the data cannot tell from the best one, the likeliest first."""
    alike = [int(i) for i in eligible if i != best and evidence.rule_wins[i] >= ALIKE]
    return tuple(sorted(alike, key=lambda i: -evidence.rule_wins[i]))


def _highest(candidates: NDArray[np.intp], values: NDArray[np.float64]) -> int:
    """Return the candidate with the highest value; the first of equals, which is the simplest rule."""
    shown = np.nan_to_num(values[candidates], nan=-np.inf)
    return int(candidates[int(np.argmax(shown))])
