"""Conjunctions: all pairs of a small base grid are searched, triples on the best of them; few are named.

A pair that holds the true rule scores well whatever its other half is. What a conjunction must show is more than
its parts show together: its score beside all of them, on accounts that did not choose it.

Beyond 50,000 accounts the bound, which is that of the search of all pairs, is drawn on as many, evenly spaced; and
how much each pair can say is read from these, so that only the pairs that would score highest need be scored exactly,
and the few of which these say too little.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from discovery import estimate
from discovery.estimate import unpack
from discovery.exposure import Conjunctions, pair_flags, triple_flags
from discovery.milestone import Milestone
from discovery.ranking import MIN_SIDE, NO_MILESTONE
from discovery.spec import StudySpec
from discovery.study.sample import Sample

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

DRAWS = 299
MOST_NAMED = 3
CONSIDERED = 12
BASE_K, BASE_D = (1, 3), (7, 14)
INTERACTION_Z = {"retained": 2.33, "converted": 2.33, "active": 3.0}
"""What a conjunction shows beyond its parts, on held-out accounts, must exceed this z: one-sided 1 %, and .1 % where
two behaviours together are a sign of coming back."""
CHOSEN_AGAIN = 0.5
"""Share of the half-samples in which the best conjunction of all must be of this family."""
FAR = 3.5
"""No bound on a search of pairs lies nearer."""
MOST_EVENTS = 120
"""Events whose pairs are searched, the most widely reached first, so that pairs stay below some 100,000."""
SEARCHED_ON = estimate.ENOUGH_ACCOUNTS
"""Beyond this many accounts, all pairs are searched on as many of them, and only the first are scored on all."""
SCORED = 2000
"""How many pairs those are at the least; the whole families of the first."""
TOLD_BY = 200
"""Accounts' worth of information below which those that are searched on say too little of a pair: it is scored on all,
too, among `SCORED` such pairs."""
NEAR_PART = 0.9
"""A pair that correlates more than this with one of its parts says nothing beyond it, and is not searched."""


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """The conjunctions that are named, with what the search of all of them says; empty where none is."""

    families: tuple[str, ...] = ()
    milestones: tuple[Milestone, ...] = ()
    family_of: NDArray[np.intp]
    packed: NDArray[np.uint8]
    score: Floats
    half_scores: Singles
    p_adjusted: Floats
    bound: float
    searched: int


def _none(searched: int = 0, bound: float = float("inf")) -> Pairs:
    return Pairs(
        family_of=np.zeros(0, dtype=np.intp),
        packed=np.zeros((0, 0), dtype=np.uint8),
        score=np.zeros(0),
        half_scores=np.zeros((0, 0), dtype=np.float32),
        p_adjusted=np.zeros(0),
        bound=bound,
        searched=searched,
    )


NO_PAIRS = _none()


def search_pairs(
    sample: Sample, single_scores: Floats, eligible: NDArray[np.bool_], halves: Singles, spec: StudySpec, share: float
) -> Pairs:
    """Search all pairs of the base grid, and name those that beat their parts.

    Parameters
    ----------
    sample : Sample
    single_scores, eligible
        Of the single rules.
    halves : float32[m, 2 S]
        Half-samples of the accounts of the deciding model.
    spec : StudySpec
    share : float
        Share of `alpha` for the conjunctions.
    """
    pairs = pair_flags(
        sample.flags, _allowed(sample, eligible), min_side=MIN_SIDE, base_k=BASE_K, base_d=BASE_D, max_phi=NEAR_PART
    )
    search = _Search(sample=sample, rules=pairs, halves=halves, spec=spec, share=share)
    if not len(search.usable):
        return NO_PAIRS
    best_part = _best_of_parts(sample, pairs, single_scores, eligible)
    named = search.named(lambda rule: best_part[rule])
    if not named:
        return _none(len(pairs), search.bound)
    if spec.candidates.conjunctions >= 3:
        beaten = _triples(search, named)
        if beaten is not None:
            return beaten
    return search.result(named, len(pairs))


def _triples(search: _Search, named: list[int]) -> Pairs | None:
    """Return the triples on the named pairs that beat them, held to the pairs' bound or their own, or None."""
    pairs = search.rules
    finalists = [search.best_rule(family) for family in named]
    triples = triple_flags(pairs, finalists, min_side=MIN_SIDE)
    wider = _Search(
        sample=search.sample,
        rules=triples,
        halves=search.halves,
        spec=search.spec,
        share=search.share,
        least=search.bound,
    )
    if not len(wider.usable):
        return None
    highest = max(float(search.score[i]) for i in finalists)
    found = wider.named(lambda rule: highest)
    return wider.result(found, len(pairs) + len(triples)) if found else None


def _allowed(sample: Sample, eligible: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the events that may be parts, the most widely reached ones where there are too many.

    An event at signup may not, nor one that the user says stands for no value.
    """
    reached = np.zeros(len(sample.events), dtype=np.int64)
    np.maximum.at(reached, sample.flags.event_of[eligible], sample.flags.reached()[eligible])
    for place, event in enumerate(sample.events):
        if event in sample.at_signup or sample.kinds.get(event) in NO_MILESTONE:
            reached[place] = 0
    order = np.argsort(-reached, kind="stable")[:MOST_EVENTS]
    return np.sort(order[reached[order] > 0]).astype(np.intp)


def _best_of_parts(sample: Sample, pairs: Conjunctions, single_scores: Floats, eligible: NDArray[np.bool_]) -> Floats:
    """Return the highest score of any single rule on either event of each pair."""
    highest = np.full(len(sample.events), -np.inf)
    np.maximum.at(highest, sample.flags.event_of[eligible], single_scores[eligible])
    best: Floats = highest[sample.flags.event_of[pairs.parts]].max(axis=1)
    return best


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """The accounts that all conjunctions are searched on: `rows` among the `n` that have flags, `places` in the null's.

    They are all accounts of the deciding model, or evenly spaced ones; `null` and `rules` are as these see them.
    """

    null: estimate.NullModel | estimate.CoxNull
    rules: Conjunctions
    rows: NDArray[np.intp] | None
    places: NDArray[np.intp]

    @property
    def n(self) -> int:
        """Accounts that have flags."""
        return self.rules.n_accounts


@dataclass(frozen=True, kw_only=True)
class _Search:
    """One search over conjunctions of equally many parts; `least` is a bound that its own may not undercut."""

    sample: Sample
    rules: Conjunctions
    halves: Singles
    spec: StudySpec
    share: float
    least: float = 0.0

    @cached_property
    def seen(self) -> _Seen:
        """The accounts that all rules are searched on."""
        null, rows = self.sample.deciding
        places = estimate.evenly_spaced(len(rows), SEARCHED_ON)
        if len(places) == len(rows):
            return _Seen(null=null, rules=self.rules, rows=rows, places=places)
        fewer = self.rules.thinned(rows[places])
        return _Seen(null=estimate.thinned(null, places), rules=fewer, rows=None, places=places)

    @cached_property
    def usable(self) -> NDArray[np.intp]:
        """Rules whose reach is within the limits of the spec."""
        if not len(self.rules) or not self.sample.deciding[0].converged:
            return np.zeros(0, dtype=np.intp)
        grid = self.spec.candidates
        reach = self.rules.among(self.sample.within) / max(1, len(self.sample.everyone))
        return np.flatnonzero((reach >= grid.min_reach) & (reach <= grid.max_reach))

    @cached_property
    def scored(self) -> NDArray[np.intp]:
        """Usable rules that are scored on all accounts, whole families of them.

        They are those that seem to score highest, and those of which the accounts that are seen say too little.
        """
        if self.seen.rules is self.rules or self.rules.parts.shape[1] != 2:
            return self.usable
        left_over, information = self._nearly_known()
        score = left_over / np.sqrt(np.where(information > 0, information, np.inf))
        unclear = np.flatnonzero(information < TOLD_BY * self.seen.null.weights.mean() * self._times_seen)
        by_reach = left_over[unclear] / np.sqrt(self.rules.reached()[self.usable[unclear]])
        first, also = np.argsort(-score, kind="stable"), unclear[np.argsort(-by_reach, kind="stable")]
        families = np.union1d(self._families(first), self._families(also))
        return self.usable[np.isin(self.rules.family_of[self.usable], families)]

    def _families(self, order: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the first families in an order of usable rules, as many as it takes for `SCORED` rules."""
        family_of = self.rules.family_of[self.usable]
        families, first = np.unique(family_of[order], return_index=True)
        families = families[np.argsort(first)]
        enough = int(np.searchsorted(np.cumsum(np.bincount(family_of)[families]), SCORED)) + 1
        return families[:enough].astype(np.intp)

    @property
    def _times_seen(self) -> float:
        return len(self.sample.deciding[1]) / len(self.seen.places)

    def _nearly_known(self) -> tuple[Floats, Floats]:
        """Return what all accounts left over in each usable rule, and about what information they give on it.

        That is what the accounts that are seen give, for as many more; where it is worth `TOLD_BY` of them or more, it
        is within some hundredths of what all give.
        """
        null, rows = self.sample.deciding
        residual = np.zeros(len(self.sample))
        residual[rows] = null.residual
        information = np.empty(len(self.usable))
        for block, packed in self.seen.rules.blocks(self.usable):
            information[block] = estimate.score_packed(self.seen.null, packed, self.seen.n).information
        return self.rules.sums(residual)[self.usable], information * self._times_seen

    @cached_property
    def score(self) -> Floats:
        """Scores of the rules that are scored, NaN for others; those that are far out with their exact tails."""
        null, rows = self.sample.deciding
        score = np.full(len(self.rules), np.nan)
        for block, packed in self.rules.blocks(self.scored):
            score[self.scored[block]] = self.sample.scores(null, rows, packed).score
        far = np.flatnonzero(np.abs(score) > FAR)
        for block, packed in self.rules.blocks(far):
            score[far[block]] = self.sample.scores(null, rows, packed, tails=True).score
        return score

    @cached_property
    def maxima(self) -> Floats:
        """The largest score of all usable rules in each draw, ascending."""
        seen = self.seen
        multipliers = estimate.draw_multipliers(len(seen.places), DRAWS, self.spec.inference.seed)
        maxima = np.full(DRAWS, -np.inf)
        for _, packed in seen.rules.blocks(self.usable):
            drawn = estimate.bootstrap_packed(seen.null, packed, seen.n, seen.rows, multipliers).score_draws
            maxima = np.maximum(maxima, np.abs(drawn).max(axis=0))
        return np.sort(maxima)

    @cached_property
    def half_best(self) -> NDArray[np.intp]:
        """The family of the best rule of each half-sample."""
        null, rows = self.sample.deciding
        score = np.full(self.halves.shape[1], -np.inf)
        best = np.zeros(self.halves.shape[1], dtype=np.intp)
        for block, packed in self.rules.blocks(self.scored):
            drawn = estimate.bootstrap_packed(null, packed, len(self.sample), rows, self.halves).score_draws
            highest = np.argmax(drawn, axis=0)
            value = drawn[highest, np.arange(drawn.shape[1])]
            better = value > score
            score[better], best[better] = value[better], self.scored[block][highest[better]]
        return self.rules.family_of[best].astype(np.intp)

    @cached_property
    def bound(self) -> float:
        """The score that chance exceeds with probability `alpha x share`."""
        return max(self.least, estimate.upper_bound(self.maxima, self.spec.inference.alpha * self.share))

    @cached_property
    def inertia_bound(self) -> float:
        """The same where only inertia is at work, for outcomes that are activity; it takes its time."""
        if self.sample.outcome != "active":
            return self.bound
        null, rows, seed = self.sample.horizon_null, self.sample.rows, self.spec.inference.seed
        chance, drawn = self.sample.inertia_chance, self.seen.places
        maxima = np.full(DRAWS, -np.inf)
        for _, packed in self.rules.blocks(self.usable, most_bytes=1 << 30):
            largest = estimate.plasmode_packed(null, packed, len(self.sample), rows, chance, DRAWS, seed, drawn)
            maxima = np.maximum(maxima, largest)
        return max(self.bound, estimate.upper_bound(np.sort(maxima), self.spec.inference.alpha * self.share))

    def of(self, family: int) -> NDArray[np.intp]:
        """Return the rules of a family that are scored."""
        own: NDArray[np.intp] = self.scored[self.rules.family_of[self.scored] == family]
        return own

    def best_rule(self, family: int) -> int:
        """Return the rule of a family with the highest score."""
        own = self.of(family)
        return int(own[np.argmax(self.score[own])])

    def named(self, to_beat: Callable[[int], float]) -> list[int]:
        """Return the families that stand out, are chosen again, and show more than their parts, best first."""
        order = self.scored[np.argsort(-self.score[self.scored], kind="stable")]
        families = list(dict.fromkeys(int(self.rules.family_of[i]) for i in order[: 50 * CONSIDERED]))[:CONSIDERED]
        return [family for family in families if self._holds(family, to_beat)][:MOST_NAMED]

    def _holds(self, family: int, to_beat: Callable[[int], float]) -> bool:
        best = self.best_rule(family)
        if self.score[best] <= max(FAR, to_beat(best)) or self.score[best] <= self.bound:
            return False
        if np.mean(self.half_best == family) < CHOSEN_AGAIN or self.score[best] <= self.inertia_bound:
            return False
        return self._held_out_interaction(self.of(family)) > INTERACTION_Z[self.sample.outcome]

    def _held_out_interaction(self, rules: NDArray[np.intp]) -> float:
        """Return the z of what a rule shows beside all its parts, on halves that did not choose it."""
        sample, null = self.sample, self.sample.horizon_null
        of_mature = sample.of_mature(self.halves)
        packed = self.rules.packed(rules)
        drawn = estimate.bootstrap_packed(null, packed, len(sample), sample.rows, of_mature)
        chosen = np.argmax(drawn.score_draws, axis=0)
        estimates = np.full((2, of_mature.shape[1]), np.nan)
        for place in np.unique(chosen):
            beside = self._beside_parts(int(rules[place]))
            flag = unpack(packed[[place]], len(sample))[:, sample.rows]
            columns = np.flatnonzero(chosen == place)
            estimates[:, columns] = np.concatenate(estimate.on_other_halves(beside, flag, of_mature, columns))
        combined = estimate.combined(estimates[0], estimates[1], self.spec.inference.alpha)
        return combined.estimate / combined.se if combined.se > 0 else 0.0

    def _beside_parts(self, rule: int) -> estimate.NullModel:
        """Fit the null model with the parts of a rule; of a triple also each two of them together."""
        sample = self.sample
        parts = unpack(sample.flags.packed[self.rules.parts[rule]], len(sample))[:, sample.rows].astype(float)
        if len(parts) == 3:
            parts = np.concatenate([parts, [parts[0] * parts[1], parts[0] * parts[2], parts[1] * parts[2]]])
        design = np.column_stack([sample.horizon_null.design, parts.T])
        return estimate.fit_null(design, sample.retained[sample.rows])

    def result(self, named: list[int], searched: int) -> Pairs:
        """Return the named families with all their rules."""
        own = [self.of(family) for family in named]
        chosen = np.concatenate(own)
        null, rows = self.sample.deciding
        packed = self.rules.packed(chosen)
        beyond = len(self.maxima) - np.searchsorted(self.maxima, np.abs(self.score[chosen]), side="left")
        return Pairs(
            families=tuple(self.rules.families[family] for family in named),
            milestones=tuple(self.rules.milestone(int(i)) for i in chosen),
            family_of=np.repeat(np.arange(len(named)), [len(rules) for rules in own]).astype(np.intp),
            packed=packed,
            score=self.score[chosen],
            half_scores=estimate.bootstrap_packed(null, packed, len(self.sample), rows, self.halves).score_draws,
            p_adjusted=np.minimum(1.0, (1 + beyond) / (DRAWS + 1) / self.share),
            bound=self.inertia_bound,
            searched=searched,
        )
