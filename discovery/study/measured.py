"""What one search measures of every candidate, whatever bound it is held to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from discovery import estimate
from discovery.estimate import Differences, FlagSums, HeldOut, LeftOver, NullModel, Scores
from discovery.milestone import Milestone
from discovery.ranking import Candidates
from discovery.study.pairs import Pairs
from discovery.study.sample import Inside, Sample, Sums

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

NEAR_DUPLICATE = 0.9
_HORIZON: Callable[[Sums], FlagSums] = attrgetter("horizon")
_COMPOSITION: Callable[[Sums], FlagSums] = attrgetter("composition")

_PerRule = TypeVar("_PerRule")


@dataclass(frozen=True, kw_only=True)
class Tested:
    """The single rules of a search: scores, their distribution if nothing mattered, and their half-samples.

    `maxima` holds the largest score of each draw, ascending; `half_scores` the scores of the eligible candidates in
    each half-sample, standardised, [c, 2 S]. `measured` is what else is known of them, where that is all there is.
    """

    score: Floats
    raw: Scores
    eligible: NDArray[np.bool_]
    maxima: Floats
    half_scores: Singles
    halves: Singles  # over the accounts of the deciding model
    sums: Sums
    measured: Measured | None = None


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Arrays have one value per candidate unless said otherwise; `best` is the best candidate of each family."""

    candidates: Candidates
    separation: estimate.Separation
    survival: estimate.SurvivalScan | None
    score: Floats
    eligible: NDArray[np.bool_]
    raw: Scores
    horizon: Scores
    composition: Scores
    activity: Scores
    composition_differences: Differences
    differences: Differences
    held_out: Mapping[int, HeldOut]  # by family
    wins: Floats  # by family
    rule_wins: Floats
    cluster: NDArray[np.intp]  # by family
    best: Mapping[int, int]  # by family


@dataclass(frozen=True, kw_only=True)
class _Flags:
    """Flags of the accounts of `inside`, with their sums: those of single rules, then those of conjunctions.

    They are never in one array: at a million accounts that would take as much memory once more.
    """

    inside: Inside
    parts: tuple[tuple[NDArray[np.uint8], Sums], ...]

    def each(self, ask: Callable[[NDArray[np.uint8], Sums], _PerRule]) -> _PerRule:
        """Ask of each part what has one value per rule, and join the answers."""
        return _joined([ask(packed, sums) for packed, sums in self.parts])

    def scores(self, beside: Callable[[Sums], FlagSums], null: NullModel) -> Scores:
        """Return the scores beside one null model."""
        return self.each(lambda packed, sums: self.inside.scores(packed, beside(sums), null))

    def differences(
        self, beside: Callable[[Sums], FlagSums], null: NullModel, some: NDArray[np.intp], alpha: float
    ) -> Differences:
        """Estimate the differences of some rules, in their order; NaN for others."""
        inside, own = self.inside, iter(self._own(some))

        def ask(packed: NDArray[np.uint8], sums: Sums) -> Differences:
            rules = next(own)
            asked = packed if len(rules) == len(packed) else packed[rules]
            found = estimate.differences(null, asked, inside.n, inside.mature, alpha, beside(sums).of(rules).left)
            columns = np.full((4, len(packed)), np.nan)
            columns[:, rules] = found.estimate, found.lower, found.upper, found.se
            estimates, lower, upper, se = columns
            return Differences(estimate=estimates, lower=lower, upper=upper, se=se, n_accounts=found.n_accounts)

        return self.each(ask)

    def left(self, beside: Callable[[Sums], FlagSums], some: NDArray[np.intp]) -> tuple[NDArray[np.uint8], LeftOver]:
        """Return some rules' flags, in their order, and what the covariates leave of them."""
        own = self._own(some)
        packed = [flags[rules] for (flags, _), rules in zip(self.parts, own, strict=True)]
        left = [beside(sums).of(rules).left for (_, sums), rules in zip(self.parts, own, strict=True)]
        return _joined(packed), _joined(left)

    def _own(self, some: NDArray[np.intp]) -> list[NDArray[np.intp]]:
        """Return, of some rules in their order, the places in each part."""
        ends = np.cumsum([len(packed) for packed, _ in self.parts])
        split = np.split(some, np.searchsorted(some, ends[:-1]))
        return [rules - first for rules, first in zip(split, (0, *ends[:-1]), strict=True)]


def _joined(found: Sequence[_PerRule]) -> _PerRule:
    """Join what was found of one part of the rules after the other; what is no array is the same of all."""
    first: Any = found[0]
    if len(found) == 1:
        return found[0]
    if isinstance(first, np.ndarray):
        return cast(_PerRule, np.concatenate(cast(Any, found)))
    names = [field.name for field in fields(first) if isinstance(getattr(first, field.name), np.ndarray)]
    arrays = {name: np.concatenate([getattr(part, name) for part in found]) for name in names}
    return cast(_PerRule, replace(first, **arrays))


def measure(sample: Sample, tested: Tested, pairs: Pairs, inside: Inside, alpha: float) -> Measured:
    """Measure the single rules, and the conjunctions that are named, of the accounts of `inside`."""
    flags, raw = _with_pairs(sample, tested, pairs, inside)
    within = sample.within[inside.accounts]
    reached = flags.each(lambda packed, _: estimate.count_within(packed, within))
    candidates = _candidates(sample, reached, pairs)
    score = np.concatenate([tested.score, pairs.score])
    eligible = np.concatenate([tested.eligible, np.ones(len(pairs.score), dtype=bool)])
    half_scores = np.full((len(candidates), tested.halves.shape[1]), -np.inf, dtype=np.float32)
    half_scores[np.flatnonzero(tested.eligible)] = tested.half_scores
    if len(pairs.score):
        half_scores[len(tested.score) :] = pairs.half_scores
    best = _best_of_families(candidates, score, eligible)
    cluster = _clusters(sample, pairs, best)
    wins, rule_wins = _wins(candidates, half_scores, cluster)
    described = np.arange(len(candidates)) if sample.whole else np.array(sorted(best.values()), dtype=np.intp)
    retained, mature = sample.retained[inside.accounts], sample.mature[inside.accounts] & within
    return Measured(
        candidates=candidates,
        separation=flags.each(lambda packed, _: estimate.separate(packed, retained, mature, alpha)),
        survival=_survival(sample, flags, alpha),
        score=score,
        eligible=eligible,
        raw=raw,
        horizon=flags.scores(_HORIZON, sample.horizon_null),
        composition=flags.scores(_COMPOSITION, sample.composition_null),
        activity=flags.scores(attrgetter("activity"), sample.activity_null),
        composition_differences=flags.differences(_COMPOSITION, sample.composition_null, described, alpha),
        differences=flags.differences(_HORIZON, sample.horizon_null, described, alpha),
        held_out=_held_out(sample, candidates, flags, half_scores, tested.halves, eligible, alpha),
        wins=wins,
        rule_wins=rule_wins,
        cluster=cluster,
        best=best,
    )


def _with_pairs(sample: Sample, tested: Tested, pairs: Pairs, inside: Inside) -> tuple[_Flags, Scores]:
    """Return the flags of single rules and conjunctions, and their scores beside the deciding model."""
    singles = inside.packed, tested.sums
    if not len(pairs.packed):
        return _Flags(inside=inside, parts=(singles,)), tested.raw
    packed = pairs.packed if inside.n == len(sample) else estimate.flags_of(pairs.packed, inside.accounts)
    sums = sample.sums(inside, packed)
    also = inside.scores(packed, sums.deciding, sample.deciding[0], tails=True)
    return _Flags(inside=inside, parts=(singles, (packed, sums))), _joined([tested.raw, also])


def bits_of(sample: Sample, pairs: Pairs, candidate: int) -> NDArray[np.uint8]:
    """Return who of all accounts met a candidate, packed."""
    singles = len(sample.flags)
    bits: NDArray[np.uint8] = (
        sample.flags.packed[candidate] if candidate < singles else pairs.packed[candidate - singles]
    )
    return bits


def _candidates(sample: Sample, reached: NDArray[np.int64], pairs: Pairs) -> Candidates:
    singles = tuple(Milestone((condition,)) for condition in sample.flags.conditions)
    return Candidates(
        families=(*sample.events, *pairs.families),
        milestones=(*singles, *pairs.milestones),
        family_of=np.concatenate([sample.flags.event_of, len(sample.events) + pairs.family_of]).astype(np.intp),
        reached=reached,
        n_accounts=len(sample.everyone),
    )


def _survival(sample: Sample, flags: _Flags, alpha: float) -> estimate.SurvivalScan | None:
    """Describe survival beside every candidate, among all accounts only."""
    duration, departed = sample.duration, sample.departed
    if duration is None or departed is None or not sample.whole:
        return None
    return flags.each(lambda packed, _: estimate.scan(packed, len(sample), duration, departed, alpha))


def _best_of_families(candidates: Candidates, score: Floats, eligible: NDArray[np.bool_]) -> dict[int, int]:
    """Return the eligible candidate with the highest score of each family; the simplest of equals."""
    best: dict[int, int] = {}
    for i in np.flatnonzero(eligible & np.isfinite(score)):
        family = int(candidates.family_of[i])
        if family not in best or score[i] > score[best[family]]:
            best[family] = int(i)
    return best


def _clusters(sample: Sample, pairs: Pairs, best: Mapping[int, int]) -> NDArray[np.intp]:
    """Give families whose best rules are near-duplicates (|phi| > .9) the number of one redundancy cluster."""
    n = len(sample)
    families = sorted(best)
    most = max(families, default=-1) + 1
    cluster = np.arange(max(most, 1), dtype=np.intp)
    if families:
        both = estimate.together(np.stack([bits_of(sample, pairs, best[f]) for f in families]), n) / n
        share = np.diag(both)
        spread = np.sqrt(share * (1 - share))
        near = np.abs(both - np.outer(share, share)) > NEAR_DUPLICATE * np.outer(spread, spread)
        for place, family in enumerate(families):
            first = int(np.flatnonzero(near[place])[0]) if near[place].any() else place
            cluster[family] = cluster[families[first]]
    return cluster


def _wins(candidates: Candidates, half_scores: Singles, cluster: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return the share of half-samples that each family's cluster wins, and each rule within its family."""
    families, halves = len(candidates.families), half_scores.shape[1]
    wins, rule_wins = np.zeros(families), np.zeros(len(candidates))
    if not np.isfinite(half_scores).any():
        return wins, rule_wins
    numbered = np.arange(families, dtype=np.intp)
    numbered[: len(cluster)] = cluster
    winners = numbered[candidates.family_of[np.argmax(half_scores, axis=0)]]
    wins = np.bincount(winners, minlength=families)[numbered] / halves
    for family in range(families):
        own = candidates.of(family)
        own = own[np.isfinite(half_scores[own]).any(axis=1)]
        if len(own):
            rule_wins[own] = np.bincount(np.argmax(half_scores[own], axis=0), minlength=len(own)) / halves
    return wins, rule_wins


def _held_out(
    sample: Sample,
    candidates: Candidates,
    flags: _Flags,
    half_scores: Singles,
    halves: Singles,
    eligible: NDArray[np.bool_],
    alpha: float,
) -> dict[int, HeldOut]:
    """Estimate each family's difference on the halves that did not choose its rule."""
    null, of_mature, inside = sample.horizon_null, sample.of_mature(halves), flags.inside
    families = np.unique(candidates.family_of[eligible])
    own = [(rules := candidates.of(int(family)))[eligible[rules]] for family in families]
    chosen = [rules[np.argmax(half_scores[rules], axis=0)] for rules in own]
    needed = np.unique(np.concatenate(chosen)) if chosen else np.zeros(0, dtype=np.intp)
    places = [np.searchsorted(needed, rules) for rules in chosen]
    packed, left = flags.left(_HORIZON, needed)
    found = estimate.held_out_packed(null, packed, inside.n, inside.mature, places, of_mature, alpha, left)
    return dict(zip(families.tolist(), found, strict=True))
