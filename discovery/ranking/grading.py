"""Every candidate gets its corrected p-value, every family its status, its best candidate and its rank."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery.estimate import AdjustedScan, Separation, SurvivalScan, benjamini_hochberg, bonferroni, critical_z
from discovery.milestone import Condition
from discovery.ranking.lexicon import outcome_word
from discovery.results import FamilyStatus
from discovery.spec import StudySpec

NO_MILESTONE = ("vanity", "risk")
"""Kinds of event that the user has said stand for no value; they are ranked, and never a lead."""
MIN_ACCOUNTS = 50
MIN_OUTCOMES = 10
"""A rare candidate is still tested when each side holds this many accounts, and this many of each outcome would
be expected there if it made no difference."""
MIN_SIDE = 10
"""A candidate needs this many accounts with a known outcome on each side, whatever its reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was computed for every candidate. Arrays have one value per candidate."""

    events: tuple[str, ...]
    conditions: tuple[Condition, ...]
    event_of: NDArray[np.intp]
    reached: NDArray[np.int64]  # landmark accounts that meet the candidate
    n_landmark: int
    separation: Separation
    survival: SurvivalScan | None
    adjusted: AdjustedScan
    has_traits: bool  # whether any trait known at signup was adjusted for
    at_signup: frozenset[str]
    at_signup_words: str = "within five minutes of signup"

    @property
    def reach(self) -> NDArray[np.float64]:
        """Share of landmark accounts that meet each candidate."""
        return self.reached / max(self.n_landmark, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedFamily:
    """One event with its status; `best` is the index of the candidate that represents it."""

    event: str
    status: FamilyStatus
    kind: str | None
    best: int
    rank: int | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grading:
    """The families in report order, and what the correction for searching was."""

    families: tuple[GradedFamily, ...]
    eligible: NDArray[np.bool_]
    p_adjusted: NDArray[np.float64]
    q_value: NDArray[np.float64]
    searched: int
    critical: float

    @property
    def harms(self) -> tuple[GradedFamily, ...]:
        """The families that go with leaving, beyond the bound."""
        return tuple(family for family in self.families if family.status == "harm")

    @property
    def dismissed(self) -> tuple[GradedFamily, ...]:
        """The families that stand out upwards and are no lead all the same; their reason says why."""
        return tuple(f for f in self.families if f.rank is not None and f.status == "unsupported" and f.reason)

    @property
    def leads(self) -> tuple[GradedFamily, ...]:
        """The families beyond the critical value, best first."""
        return tuple(family for family in self.families if family.status == "lead")


def grade(evidence: Evidence, spec: StudySpec) -> Grading:
    """Decide what may be ranked, correct for everything that was searched, and rank the families.

    A family is represented by its candidate with the highest adjusted score. It is a `lead` when that
    score lies beyond the two-sided Bonferroni bound over every eligible candidate and the interval of its
    adjusted difference reaches `minimum_effect`, else `unsupported`; where no candidate lies beyond the bound
    upwards and one does downwards, that one represents it, and the family is a `harm`.
    Families that may not be ranked come last, without a rank: those set apart are represented by the rule
    that separates most, those with too few accounts by their most common rule.
    """
    apart = {event: set_apart(event, spec) for event in evidence.events}
    eligible = _eligible(evidence, spec, apart)
    searched = int(eligible.sum())
    critical = critical_z(spec.inference.alpha, max(searched, 1))
    p = np.where(eligible, evidence.adjusted.p_value, np.nan)
    graded = [
        _grade_family(event, index, evidence, spec, eligible, apart[event], critical)
        for index, event in enumerate(evidence.events)
        if (evidence.event_of == index).any()
    ]
    graded.sort(key=lambda family: (family.rank is None, -_sort_score(family, evidence), family.event))
    families = tuple(
        family if family.rank is None else dataclasses.replace(family, rank=place)
        for place, family in enumerate(graded, start=1)
    )
    return Grading(
        families=families,
        eligible=eligible,
        p_adjusted=bonferroni(p, searched),
        q_value=benjamini_hochberg(p),
        searched=searched,
        critical=critical,
    )


def _sort_score(family: GradedFamily, evidence: Evidence) -> float:
    score = float(evidence.adjusted.score[family.best])
    return score if np.isfinite(score) else -np.inf


def set_apart(event: str, spec: StudySpec) -> tuple[FamilyStatus, str] | None:
    """Return the status and reason that keep a whole family out of the ranking, or None."""
    kind = spec.kinds.of(event)
    if kind == "outcome_adjacent":
        return "outcome_adjacent", "You named it as part of the decision to stay or go."
    if event in spec.outcome.passive:
        return "passive", "You named it as something that happens to an account."
    word = outcome_word(event)
    if word and kind is None:
        return (
            "outcome_adjacent",
            f"Its name contains “{word}”, so it looks like part of the decision to stay or go. "
            "If it is ordinary use of your product, name it in kinds.value.",
        )
    return None


def _eligible(
    evidence: Evidence, spec: StudySpec, apart: Mapping[str, tuple[FamilyStatus, str] | None]
) -> NDArray[np.bool_]:
    """Return which candidates may be ranked: long enough a list on both sides, and not set apart."""
    of, reach = evidence.event_of, evidence.reach
    barred = np.array([apart[event] is not None for event in evidence.events], dtype=bool)
    at_signup = np.array([event in evidence.at_signup for event in evidence.events], dtype=bool)
    once = np.array([condition.at_least == 1 for condition in evidence.conditions], dtype=bool)
    ordinary = (reach >= spec.candidates.min_reach) & (reach <= spec.candidates.max_reach)
    compared = _sides(evidence).min(axis=0) >= MIN_SIDE
    usable = (ordinary | _well_supported(evidence)) & compared & (evidence.adjusted.status == "ok")
    return np.asarray(usable & ~barred[of] & ~(at_signup[of] & once), dtype=bool)


def _sides(evidence: Evidence) -> NDArray[np.int64]:
    """Return how many mature accounts met each candidate and how many did not, shape (2, C)."""
    s = evidence.separation
    return np.stack([s.reached_retained + s.reached_left, s.missed_retained + s.missed_left])


def _well_supported(evidence: Evidence) -> NDArray[np.bool_]:
    """Tell where both sides are large enough whatever their share, judged without looking at who stayed where."""
    s, smaller = evidence.separation, _sides(evidence).min(axis=0)
    stayed = (s.reached_retained + s.missed_retained) / np.maximum(_sides(evidence).sum(axis=0), 1)
    rarer = np.minimum(stayed, 1 - stayed)
    return np.asarray((smaller >= MIN_ACCOUNTS) & (smaller * rarer >= MIN_OUTCOMES), dtype=bool)


def _grade_family(
    event: str,
    index: int,
    evidence: Evidence,
    spec: StudySpec,
    eligible: NDArray[np.bool_],
    apart: tuple[FamilyStatus, str] | None,
    critical: float,
) -> GradedFamily:
    own = np.flatnonzero(evidence.event_of == index)
    kind = spec.kinds.of(event)
    candidates = own[eligible[own]]
    if len(candidates):
        best = _representative(candidates, evidence.adjusted.score, critical)
        status, reason = _standing(best, kind, evidence, critical, spec.inference.minimum_effect)
        return GradedFamily(event=event, status=status, kind=kind, best=best, rank=0, reason=reason)
    status, reason = apart or _why_not_compared(event, own, evidence)
    telling = np.abs(evidence.separation.phi) if apart else evidence.reached.astype(float)
    best = _highest(own, telling)
    return GradedFamily(event=event, status=status, kind=kind, best=best, rank=None, reason=reason)


def _representative(candidates: NDArray[np.intp], score: NDArray[np.float64], critical: float) -> int:
    """Return the candidate that stands out most: upwards if any lies beyond the bound, else downwards if any does."""
    best, worst = _highest(candidates, score), _highest(candidates, -score)
    return worst if score[best] <= critical < -score[worst] else best


def _standing(
    best: int, kind: str | None, evidence: Evidence, critical: float, minimum_effect: float
) -> tuple[FamilyStatus, str | None]:
    score = evidence.adjusted.score[best]
    if abs(score) <= critical:
        return "unsupported", None
    if score < 0:
        return "harm", "Accounts that did it left more often than comparably active accounts that did not."
    if kind in NO_MILESTONE:
        return "unsupported", f"It stands out, but you named it {kind}, so it stands for no value."
    if evidence.adjusted.difference_upper[best] < minimum_effect:
        return "unsupported", f"It stands out, but by less than {100 * minimum_effect:g} points: too little to matter."
    return "lead", None


def _why_not_compared(event: str, own: NDArray[np.intp], evidence: Evidence) -> tuple[FamilyStatus, str]:
    if event in evidence.at_signup:
        return "at_signup", f"It happens {evidence.at_signup_words}: it says who came, not what they did."
    if (evidence.adjusted.status[own] == "not_converged").all():
        return "unsupported", "The model it would have been compared by did not converge."
    return "unsupported", "Too few accounts did it, or too few did not, to compare them."


def _highest(candidates: NDArray[np.intp], values: NDArray[np.float64]) -> int:
    """Return the candidate with the highest value; the first of equals, which is the simplest rule."""
    shown = np.nan_to_num(values[candidates], nan=-np.inf)
    return int(candidates[int(np.argmax(shown))])
