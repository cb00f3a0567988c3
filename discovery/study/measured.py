"""What one search measures of every candidate, whatever bound it is held to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery import estimate
from discovery.estimate import CoxNull, Differences, FlagSums, HeldOut, NullModel, Scores
from discovery.milestone import Milestone
from discovery.ranking import Candidates
from discovery.study.pairs import Pairs
from discovery.study.sample import Inside, Sample, Sums

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

NEAR_DUPLICATE = 0.9


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
    """All candidates' flags of the accounts of `inside`, with their sums."""

    inside: Inside
    packed: NDArray[np.uint8]
    sums: Sums

    def scores(self, sums: FlagSums, null: NullModel | CoxNull, *, tails: bool = False) -> Scores:
        """Return the scores beside one null model."""
        inside = self.inside
        return estimate.score_all(null, self.packed, inside.n, inside.deciding, tails=tails, known=sums.scores)

    def differences(self, sums: FlagSums, null: NullModel, some: NDArray[np.intp], alpha: float) -> Differences:
        """Estimate the differences of some candidates; NaN for others."""
        packed = self.packed if len(some) == len(self.packed) else self.packed[some]
        found = estimate.differences(null, packed, self.inside.n, self.inside.mature, alpha, sums.of(some).left)
        columns = np.full((4, len(self.packed)), np.nan)
        columns[:, some] = found.estimate, found.lower, found.upper, found.se
        estimates, lower, upper, se = columns
        return Differences(estimate=estimates, lower=lower, upper=upper, se=se, n_accounts=found.n_accounts)


def measure(sample: Sample, tested: Tested, pairs: Pairs, inside: Inside, alpha: float) -> Measured:
    """Measure the single rules, and the conjunctions that are named, of the accounts of `inside`."""
    flags, raw = _with_pairs(sample, tested, pairs, inside)
    packed, sums, within = flags.packed, flags.sums, sample.within[inside.accounts]
    candidates = _candidates(sample, estimate.count_within(packed, within), pairs)
    score = np.concatenate([tested.score, pairs.score])
    eligible = np.concatenate([tested.eligible, np.ones(len(pairs.score), dtype=bool)])
    half_scores = np.full((len(packed), tested.halves.shape[1]), -np.inf, dtype=np.float32)
    half_scores[np.flatnonzero(tested.eligible)] = tested.half_scores
    if len(pairs.score):
        half_scores[len(tested.score) :] = pairs.half_scores
    best = _best_of_families(candidates, score, eligible)
    cluster = _clusters(sample, pairs, best)
    wins, rule_wins = _wins(candidates, half_scores, cluster)
    described = np.arange(len(packed)) if sample.whole else np.array(sorted(best.values()), dtype=np.intp)
    mature = sample.mature[inside.accounts] & within
    return Measured(
        candidates=candidates,
        separation=estimate.separate(packed, sample.retained[inside.accounts], mature, alpha),
        survival=_survival(sample, packed, alpha),
        score=score,
        eligible=eligible,
        raw=raw,
        horizon=flags.scores(sums.horizon, sample.horizon_null),
        composition=flags.scores(sums.composition, sample.composition_null),
        activity=flags.scores(sums.activity, sample.activity_null),
        composition_differences=flags.differences(sums.composition, sample.composition_null, described, alpha),
        differences=flags.differences(sums.horizon, sample.horizon_null, described, alpha),
        held_out=_held_out(sample, candidates, flags, half_scores, tested.halves, eligible, alpha),
        wins=wins,
        rule_wins=rule_wins,
        cluster=cluster,
        best=best,
    )


def _with_pairs(sample: Sample, tested: Tested, pairs: Pairs, inside: Inside) -> tuple[_Flags, Scores]:
    """Return the flags of single rules and conjunctions, and their scores beside the deciding model."""
    singles = _Flags(inside=inside, packed=inside.packed, sums=tested.sums)
    if not len(pairs.packed):
        return singles, tested.raw
    packed = pairs.packed if inside.n == len(sample) else estimate.flags_of(pairs.packed, inside.accounts)
    named = _Flags(inside=inside, packed=packed, sums=sample.sums(inside, packed))
    also, raw = named.scores(named.sums.deciding, sample.deciding[0], tails=True), tested.raw
    both = _Flags(
        inside=inside,
        packed=np.concatenate([inside.packed, packed]),
        sums=tested.sums.joined(named.sums),
    )
    return both, Scores(
        score=np.concatenate([raw.score, also.score]),
        p_value=np.concatenate([raw.p_value, also.p_value]),
        status=np.concatenate([raw.status, also.status]),
    )


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


def _survival(sample: Sample, packed: NDArray[np.uint8], alpha: float) -> estimate.SurvivalScan | None:
    """Describe survival beside every candidate, among all accounts only."""
    if sample.duration is None or sample.departed is None or not sample.whole:
        return None
    return estimate.scan(packed, len(sample), sample.duration, sample.departed, alpha)


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
    packed, left = flags.packed[needed], flags.sums.horizon.of(needed).left
    found = estimate.held_out_packed(null, packed, inside.n, inside.mature, places, of_mature, alpha, left)
    return dict(zip(families.tolist(), found, strict=True))
