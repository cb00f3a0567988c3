"""One search: every candidate scored at once, the bound of the whole search, and what stands out looked at closer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from discovery import estimate
from discovery.ranking import Evidence, eligible_candidates
from discovery.spec import StudySpec
from discovery.study.closer import look_closer
from discovery.study.measured import Tested, bits_of, measure
from discovery.study.pairs import NO_PAIRS, Pairs, search_pairs
from discovery.study.sample import Inside, Sample, Sums

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

DRAWS = 999
SPLITS = 25
PLASMODES = 400
_NO_HALVES: Singles = np.zeros((0, 0), dtype=np.float32)
SINGLES_SHARE = 0.8
"""Share of `alpha` that single rules get where conjunctions are searched too: a search of tens of thousands of pairs
must not hide a single rule."""


def test_singles(sample: Sample, spec: StudySpec, inside: Inside) -> Tested:
    """Score every single rule beside the deciding null model, and draw the largest score under no effect."""
    null, rows = sample.deciding
    halves = estimate.draw_halves(sample.signup[rows], SPLITS, spec.inference.seed)
    all_drawn = len(estimate.bootstrap_rows(len(rows))) == len(rows)
    sums = sample.sums(inside, inside.packed, None if all_drawn else halves)
    raw = inside.scores(inside.packed, sums.deciding, null, tails=True)
    eligible = _eligible(sample, spec) & (raw.status == "ok")
    score = _calibrated(sample, sums, raw.score, eligible)
    chosen = np.flatnonzero(eligible)
    draws, half_scores = _resampled(sample, inside, sums, chosen, halves, spec.inference.seed)
    maxima = np.sort(np.abs(draws).max(axis=0)) if len(chosen) else np.zeros(0)
    if sample.outcome == "active" and len(chosen):
        maxima = _larger_quantiles(maxima, _inertia_maxima(sample, inside, chosen, spec.inference.seed))
    return Tested(
        score=score,
        raw=raw,
        eligible=eligible,
        maxima=maxima,
        half_scores=half_scores,
        halves=halves,
        sums=sums,
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


def _calibrated(sample: Sample, sums: Sums, score: Floats, eligible: NDArray[np.bool_]) -> Floats:
    """Take off what the other events, as negative controls, show of residual confounding."""
    chosen = np.flatnonzero(eligible)
    calibrated = score.copy()
    if not len(chosen):
        return calibrated
    null = sample.horizon_null
    along = sums.horizon.along(null.coefficients)
    lever = estimate.leverage(sums.horizon.met, along, null.design @ null.coefficients)[chosen]
    event_of = sample.flags.event_of[chosen]
    named = np.array([sample.kinds.get(event) == "vanity" for event in sample.events], dtype=bool)[event_of]
    calibrated[chosen] = estimate.calibrate(score[chosen], lever, event_of.astype(np.intp), named)
    return calibrated


def _resampled(
    sample: Sample, inside: Inside, sums: Sums, chosen: NDArray[np.intp], halves: Singles, seed: int
) -> tuple[Singles, Singles]:
    """Return the scores of candidates under the multipliers, and in the half-samples of all accounts."""
    null, rows = sample.deciding
    some = estimate.bootstrap_rows(len(rows))
    multipliers = estimate.draw_multipliers(len(some), DRAWS, seed)
    of_chosen = sums.deciding.of(chosen)
    if len(some) == len(rows):
        every, packed = np.concatenate([multipliers, halves], axis=1), inside.packed[chosen]
        scores = of_chosen.scores
        drawn = estimate.bootstrap_beside(null, scores, packed, inside.n, inside.deciding, every).score_draws
        return drawn[:, :DRAWS], drawn[:, DRAWS:]
    packed = estimate.flags_of(inside.packed, inside.deciding[some], chosen)
    drawn = estimate.bootstrap_beside(null, of_chosen.scores, packed, len(some), None, multipliers, some).score_draws
    return drawn, of_chosen.half_scores


def _inertia_maxima(sample: Sample, inside: Inside, chosen: NDArray[np.intp], seed: int) -> Floats:
    null, some = sample.horizon_null, estimate.bootstrap_rows(len(inside.mature))
    packed, chance = inside.packed[chosen], sample.inertia_chance
    return np.sort(estimate.plasmode_packed(null, packed, inside.n, inside.mature, chance, PLASMODES, seed, some))


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
    tested = tested or test_singles(sample, spec, sample.inside())
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
    measured = tested.measured or measure(sample, tested, pairs, sample.inside(), alpha)
    score, eligible, candidates = measured.score, measured.eligible, measured.candidates
    bound = np.concatenate([np.full(len(flags), single_bound), np.full(len(pairs.score), pairs.bound)])
    p_adjusted = np.concatenate([_p_adjusted(tested.score, maxima, share), pairs.p_adjusted])
    contenders = _contenders(measured.best, score, bound, 3 if sample.whole else 0)

    def met(candidate: int) -> NDArray[np.uint8]:
        return estimate.unpack(bits_of(sample, pairs, candidate)[None], len(sample))

    return Evidence(
        candidates=candidates,
        kinds=sample.kinds,
        outcome=sample.outcome,
        model=sample.model,
        separation=measured.separation,
        survival=measured.survival,
        eligible=eligible,
        searched=int(tested.eligible.sum()) + pairs.searched,
        scores=measured.raw,
        score=score,
        bound=bound,
        single_bound=single_bound,
        pair_bound=pairs.bound,
        p_adjusted=np.where(eligible, p_adjusted, np.nan),
        horizon_score=measured.horizon.score,
        composition_score=measured.composition.score,
        activity_score=measured.activity.score,
        composition=measured.composition_differences,
        differences=measured.differences,
        held_out=measured.held_out,
        wins=measured.wins,
        rule_wins=measured.rule_wins,
        cluster=measured.cluster,
        closer={i: look_closer(sample, candidates, met(i), i, measured.held_out, alpha) for i in contenders},
        has_traits=sample.adjustment.has_traits,
        n_mature=len(sample.rows),
        base_rate=float(sample.retained[sample.rows].mean()),
        apart=_reasons_apart(sample),
    )


def _reasons_apart(sample: Sample) -> dict[str, tuple[str, str]]:
    """Return why events may not be ranked; those at signup among them, whose repeats may be all the same."""
    at_signup = f"It happens {sample.at_signup_words}: it says who came, not what they did."
    return dict.fromkeys(sorted(sample.at_signup), ("at_signup", at_signup)) | dict(sample.apart)


def _p_adjusted(score: Floats, maxima: Floats, share: float) -> Floats:
    """Return single-step p-values of the whole search; the share of `alpha` enters as its inverse."""
    known = np.isfinite(score)
    beyond = len(maxima) - np.searchsorted(maxima, np.abs(np.where(known, score, 0.0)), side="left")
    return np.where(known, np.minimum(1.0, (1 + beyond) / (len(maxima) + 1) / share), np.nan)


def tested_alone(sample: Sample, spec: StudySpec) -> Tested:
    """Test the single rules of a search without conjunctions, and measure all that hangs on no bound.

    The flags of its own accounts, and its half-samples, are not kept.
    """
    inside = sample.inside()
    tested = test_singles(sample, spec, inside)
    measured = measure(sample, tested, NO_PAIRS, inside, spec.inference.alpha)
    return replace(tested, measured=measured, halves=_NO_HALVES, sums=tested.sums.without_halves())


def _contenders(best: Mapping[int, int], score: Floats, bound: Floats, first: int) -> Sequence[int]:
    """Return the candidates worth a closer look: those beyond the bound, and the first few of all."""
    ordered = sorted(best.values(), key=lambda i: -score[i])
    return [i for place, i in enumerate(ordered) if place < first or score[i] > bound[i]]
