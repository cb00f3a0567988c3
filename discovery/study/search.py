"""One search: every candidate scored at once, the bound of the whole search, and what stands out looked at closer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery import estimate
from discovery.estimate import HeldOut
from discovery.milestone import Milestone
from discovery.ranking import Candidates, Evidence, eligible_candidates
from discovery.spec import StudySpec
from discovery.study.closer import look_closer
from discovery.study.pairs import NO_PAIRS, Pairs, search_pairs
from discovery.study.sample import Sample

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

DRAWS = 999
SPLITS = 25
PLASMODES = 400
SINGLES_SHARE = 0.8
"""Share of `alpha` that single rules get where conjunctions are searched too: a search of tens of thousands of pairs
must not hide a single rule."""
NEAR_DUPLICATE = 0.9


@dataclass(frozen=True, kw_only=True)
class Tested:
    """The single rules of a search: scores, their distribution if nothing mattered, and their half-samples.

    `maxima` holds the largest score of each draw, ascending; `halves` the scores of the eligible candidates in
    each half-sample, standardised, [c, 2 S].
    """

    score: Floats
    raw: estimate.Scores
    eligible: NDArray[np.bool_]
    maxima: Floats
    half_scores: Singles
    halves: Singles  # over the accounts of the deciding model


def test_singles(sample: Sample, spec: StudySpec) -> Tested:
    """Score every single rule beside the deciding null model, and draw the largest score under no effect."""
    null, rows = sample.deciding
    packed = sample.flags.packed
    raw = sample.scores(null, rows, packed, tails=True)
    eligible = _eligible(sample, spec) & (raw.status == "ok")
    score = _calibrated(sample, raw.score, eligible)
    chosen = np.flatnonzero(eligible)
    halves = estimate.draw_halves(sample.signup[rows], SPLITS, spec.inference.seed)
    draws, half_scores = _resampled(sample, chosen, halves, spec.inference.seed)
    maxima = np.sort(np.abs(draws).max(axis=0)) if len(chosen) else np.zeros(0)
    if sample.outcome == "active" and len(chosen):
        maxima = _larger_quantiles(maxima, _inertia_maxima(sample, chosen, spec.inference.seed))
    return Tested(
        score=score,
        raw=raw,
        eligible=eligible,
        maxima=maxima,
        half_scores=half_scores,
        halves=halves,
    )


def _eligible(sample: Sample, spec: StudySpec) -> NDArray[np.bool_]:
    flags, rows = sample.flags, sample.rows
    event_of = flags.event_of
    mask = np.zeros(len(sample), dtype=bool)
    mask[rows] = True
    met = flags.among(mask)
    apart = np.array([event in sample.apart for event in sample.events], dtype=bool)
    soon = sample.at_signup | sample.acts_at_signup
    at_signup = np.array([condition.act_name in soon for condition in flags.conditions], dtype=bool)
    return eligible_candidates(
        flags.conditions,
        apart[event_of],
        at_signup,
        np.stack([met, len(rows) - met]),
        float(sample.retained[rows].mean()),
        flags.among(sample.within) / max(1, len(sample.everyone)),
        spec,
    )


def _calibrated(sample: Sample, score: Floats, eligible: NDArray[np.bool_]) -> Floats:
    """Take off what the other events, as negative controls, show of residual confounding."""
    chosen = np.flatnonzero(eligible)
    calibrated = score.copy()
    if not len(chosen):
        return calibrated
    null = sample.horizon_null
    prognosis = null.design @ null.coefficients
    lever = estimate.leverage(sample.flags.packed, len(sample), prognosis, sample.rows)[chosen]
    event_of = sample.flags.event_of[chosen]
    named = np.array([sample.kinds.get(event) == "vanity" for event in sample.events], dtype=bool)[event_of]
    calibrated[chosen] = estimate.calibrate(score[chosen], lever, event_of.astype(np.intp), named)
    return calibrated


def _resampled(sample: Sample, chosen: NDArray[np.intp], halves: Singles, seed: int) -> tuple[Singles, Singles]:
    """Return the scores of candidates under the multipliers, and in the half-samples of all accounts."""
    null, rows = sample.deciding
    some = estimate.bootstrap_rows(len(rows))
    multipliers = estimate.draw_multipliers(len(some), DRAWS, seed)
    packed, n = sample.flags.packed[chosen], len(sample)
    if len(some) == len(rows):
        every = np.concatenate([multipliers, halves], axis=1)
        drawn = estimate.bootstrap_packed(null, packed, n, rows, every).score_draws
        return drawn[:, :DRAWS], drawn[:, DRAWS:]
    drawn = estimate.bootstrap_packed(null, packed, n, rows, multipliers, some).score_draws
    return drawn, estimate.bootstrap_packed(null, packed, n, rows, halves).score_draws


def _inertia_maxima(sample: Sample, chosen: NDArray[np.intp], seed: int) -> Floats:
    null, rows = sample.horizon_null, sample.rows
    packed, some = sample.flags.packed[chosen], estimate.bootstrap_rows(len(rows))
    return np.sort(
        estimate.plasmode_packed(null, packed, len(sample), rows, sample.inertia_chance, PLASMODES, seed, some)
    )


def _larger_quantiles(one: Floats, other: Floats) -> Floats:
    """Return, quantile by quantile, the larger of two ascending samples, at the length of the first."""
    places = np.linspace(0, 1, len(one))
    return np.maximum(one, np.quantile(other, places))


def gather(
    sample: Sample, spec: StudySpec, bound_maxima: Floats | None = None, tested: Tested | None = None
) -> Evidence:
    """Do one search and return all it found.

    Parameters
    ----------
    sample : Sample
    spec : StudySpec
    bound_maxima : float64[B], optional
        Largest scores of a wider search that this one is part of (all personas); without it the search is
        its own, with conjunctions.
    tested : Tested, optional
        The single rules, where they have been tested already.
    """
    alpha = spec.inference.alpha
    tested = tested or test_singles(sample, spec)
    with_pairs = bound_maxima is None and spec.candidates.conjunctions >= 2
    share = SINGLES_SHARE if with_pairs else 1.0
    maxima = tested.maxima if bound_maxima is None else bound_maxima
    single_bound = estimate.upper_bound(maxima, alpha * share)
    pairs = NO_PAIRS
    if with_pairs:
        pairs = search_pairs(sample, tested.score, tested.eligible, tested.halves, spec, 1 - share)
    return _evidence(sample, spec, tested, pairs, maxima, single_bound, share)


def _evidence(
    sample: Sample,
    spec: StudySpec,
    tested: Tested,
    pairs: Pairs,
    maxima: Floats,
    single_bound: float,
    share: float,
) -> Evidence:
    alpha, flags = spec.inference.alpha, sample.flags
    packed = np.concatenate([flags.packed, pairs.packed]) if len(pairs.packed) else flags.packed
    candidates = _candidates(sample, packed, pairs)
    null, rows = sample.deciding
    mature = np.zeros(len(sample), dtype=bool)
    mature[sample.rows] = True
    horizon = sample.scores(sample.horizon_null, sample.rows, packed)
    composition = sample.scores(sample.composition_null, sample.rows, packed)
    same = sample.activity_null is sample.horizon_null
    activity = horizon if same else sample.scores(sample.activity_null, sample.rows, packed)
    raw = sample.scores(null, rows, packed, tails=True) if len(pairs.packed) else tested.raw
    score = np.concatenate([tested.score, pairs.score])
    eligible = np.concatenate([tested.eligible, np.ones(len(pairs.score), dtype=bool)])
    bound = np.concatenate([np.full(len(flags), single_bound), np.full(len(pairs.score), pairs.bound)])
    p_adjusted = np.concatenate([_p_adjusted(tested.score, maxima, share), pairs.p_adjusted])
    half_scores = np.full((len(packed), tested.halves.shape[1]), -np.inf, dtype=np.float32)
    half_scores[np.flatnonzero(tested.eligible)] = tested.half_scores
    if len(pairs.score):
        half_scores[len(flags) :] = pairs.half_scores
    best = _best_of_families(candidates, score, eligible)
    cluster = _clusters(packed, len(sample), best)
    wins, rule_wins = _wins(candidates, half_scores, cluster)
    held_out = _held_out(sample, candidates, packed, half_scores, tested.halves, eligible, alpha)
    whole = bool(sample.within.all())
    contenders = _contenders(best, score, bound, 3 if whole else 0)
    described = np.arange(len(packed)) if whole else np.array(sorted(best.values()), dtype=np.intp)
    return Evidence(
        candidates=candidates,
        kinds=sample.kinds,
        outcome=sample.outcome,
        model=sample.model,
        separation=estimate.separate(packed, sample.retained, mature, alpha),
        survival=_survival(sample, packed, alpha),
        eligible=eligible,
        searched=int(tested.eligible.sum()) + pairs.searched,
        scores=raw,
        score=score,
        bound=bound,
        single_bound=single_bound,
        pair_bound=pairs.bound,
        p_adjusted=np.where(eligible, p_adjusted, np.nan),
        horizon_score=horizon.score,
        composition_score=composition.score,
        activity_score=activity.score,
        composition=sample.differences(sample.composition_null, packed, described, alpha),
        differences=sample.differences(sample.horizon_null, packed, described, alpha),
        held_out=held_out,
        wins=wins,
        rule_wins=rule_wins,
        cluster=cluster,
        closer={i: look_closer(sample, candidates, packed, i, held_out, alpha) for i in contenders},
        has_traits=sample.adjustment.has_traits,
        n_mature=len(sample.rows),
        base_rate=float(sample.retained[sample.rows].mean()),
        apart=_reasons_apart(sample),
    )


def _candidates(sample: Sample, packed: NDArray[np.uint8], pairs: Pairs) -> Candidates:
    singles = tuple(Milestone((condition,)) for condition in sample.flags.conditions)
    return Candidates(
        families=(*sample.events, *pairs.families),
        milestones=(*singles, *pairs.milestones),
        family_of=np.concatenate([sample.flags.event_of, len(sample.events) + pairs.family_of]).astype(np.intp),
        reached=estimate.count_within(packed, sample.within),
        n_accounts=len(sample.everyone),
    )


def _reasons_apart(sample: Sample) -> dict[str, tuple[str, str]]:
    """Return why events may not be ranked; those at signup among them, whose repeats may be all the same."""
    at_signup = f"It happens {sample.at_signup_words}: it says who came, not what they did."
    return dict.fromkeys(sorted(sample.at_signup), ("at_signup", at_signup)) | dict(sample.apart)


def _survival(sample: Sample, packed: NDArray[np.uint8], alpha: float) -> estimate.SurvivalScan | None:
    """Describe survival beside every candidate, among all accounts only."""
    if sample.duration is None or sample.departed is None or not sample.within.all():
        return None
    return estimate.scan(packed, len(sample), sample.duration, sample.departed, alpha)


def _p_adjusted(score: Floats, maxima: Floats, share: float) -> Floats:
    """Return single-step p-values of the whole search; the share of `alpha` enters as its inverse."""
    known = np.isfinite(score)
    beyond = len(maxima) - np.searchsorted(maxima, np.abs(np.where(known, score, 0.0)), side="left")
    return np.where(known, np.minimum(1.0, (1 + beyond) / (len(maxima) + 1) / share), np.nan)


def _best_of_families(candidates: Candidates, score: Floats, eligible: NDArray[np.bool_]) -> dict[int, int]:
    """Return the eligible candidate with the highest score of each family; the simplest of equals."""
    best: dict[int, int] = {}
    for i in np.flatnonzero(eligible & np.isfinite(score)):
        family = int(candidates.family_of[i])
        if family not in best or score[i] > score[best[family]]:
            best[family] = int(i)
    return best


def _clusters(packed: NDArray[np.uint8], n: int, best: dict[int, int]) -> NDArray[np.intp]:
    """Give families whose best rules are near-duplicates (|phi| > .9) the number of one redundancy cluster."""
    families = sorted(best)
    most = max(families, default=-1) + 1
    cluster = np.arange(max(most, 1), dtype=np.intp)
    if families:
        both = estimate.together(packed[[best[f] for f in families]], n) / n
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
    packed: NDArray[np.uint8],
    half_scores: Singles,
    halves: Singles,
    eligible: NDArray[np.bool_],
    alpha: float,
) -> dict[int, HeldOut]:
    """Estimate each family's difference on the halves that did not choose its rule."""
    null, of_mature = sample.horizon_null, sample.of_mature(halves)
    families = np.unique(candidates.family_of[eligible])
    own = [(rules := candidates.of(int(family)))[eligible[rules]] for family in families]
    chosen = [rules[np.argmax(half_scores[rules], axis=0)] for rules in own]
    needed = np.unique(np.concatenate(chosen)) if chosen else np.zeros(0, dtype=np.intp)
    places = [np.searchsorted(needed, rules) for rules in chosen]
    found = estimate.held_out_packed(null, packed[needed], len(sample), sample.rows, places, of_mature, alpha)
    return dict(zip(families.tolist(), found, strict=True))


def _contenders(best: dict[int, int], score: Floats, bound: Floats, first: int) -> Sequence[int]:
    """Return the candidates worth a closer look: those beyond the bound, and the first few of all."""
    ordered = sorted(best.values(), key=lambda i: -score[i])
    return [i for place, i in enumerate(ordered) if place < first or score[i] > bound[i]]
