"""Everything that was computed for the candidates of one search, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from discovery.estimate import Differences, HeldOut, Robustness, Scores, Separation, SurvivalScan
from discovery.milestone import Milestone

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """The candidates by family: single events first, then the conjunctions that beat both their parts.

    Attributes
    ----------
    families : tuple of str, length F
        Event names, sorted; for a conjunction joined by ` + `.
    milestones : tuple of Milestone, length C
    family_of : int[C]
    reached : int64[C]
        Accounts of the search that meet each candidate, of `n_accounts`.
    """

    families: tuple[str, ...]
    milestones: tuple[Milestone, ...]
    family_of: NDArray[np.intp]
    reached: NDArray[np.int64]
    n_accounts: int

    def __len__(self) -> int:
        return len(self.milestones)

    @property
    def reach(self) -> Floats:
        """Share of the accounts that meet each candidate."""
        return self.reached / max(self.n_accounts, 1)

    def of(self, family: int) -> NDArray[np.intp]:
        """Return the candidates of a family."""
        return np.flatnonzero(self.family_of == family)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloserLook:
    """What only the families that stand out get.

    `threshold_score` is the score of the rule beside a smooth function of its own event's count. `kept_share` is the
    share of the difference that is left once general activity is adjusted for too: of that at equal traits, or, for
    `active` outcomes, at equal amount, days and recency of activity. `latest` is the adjusted difference of the latest
    quarter of signups (estimate, lower, upper, accounts), `overlap` the share of accounts that could have gone
    either way.
    """

    threshold_score: float
    kept_share: float
    robustness: Robustness
    latest: tuple[float, float, float, int] | None
    overlap: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What one search found. Arrays have one value per candidate unless said otherwise.

    `score` decides: calibrated, beside everything measured. `bound` is the value it must exceed, one for single
    rules and one for conjunctions (`bound_of`), so that the whole search errs with probability `alpha`.
    `single_bound` and `pair_bound` are those two, the second infinite where no conjunction was searched.
    `horizon_score` is the score of the outcome on its stated day alone. `wins` and `rule_wins` are shares of
    half-samples in which the family's cluster, and the rule within its family, came first.
    """

    candidates: Candidates
    kinds: Mapping[str, str | None]
    outcome: Literal["retained", "active", "converted"]
    model: Literal["cox", "logistic"]
    separation: Separation
    survival: SurvivalScan | None
    eligible: NDArray[np.bool_]
    searched: int
    scores: Scores
    score: Floats
    bound: Floats
    single_bound: float
    pair_bound: float
    p_adjusted: Floats
    horizon_score: Floats
    composition_score: Floats
    activity_score: Floats
    composition: Differences
    differences: Differences
    held_out: Mapping[int, HeldOut]  # by family
    wins: Floats  # by family
    rule_wins: Floats
    cluster: NDArray[np.intp]  # by family
    closer: Mapping[int, CloserLook]  # by candidate
    has_traits: bool
    n_mature: int
    base_rate: float
    apart: Mapping[str, tuple[str, str]]  # family -> status and reason that keep it out of the ranking
