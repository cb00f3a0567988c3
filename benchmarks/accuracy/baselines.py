"""The rivals that count, re-implemented from their public descriptions: arrays in, ranked families out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from .learned import aipw, boruta, forest, l1_path
from .seen import Bools, Floats, Ranked, Seen, by_family

DECILES = 10
PHI_DECLARED = 0.2
Z_DECLARED = 1.959963984540054
"""A single test at 5 %, two-sided: what is declared when nobody corrects for the search."""

Baseline = Callable[[Seen], Ranked]


def phi(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    """Return the correlation of two binary columns (Matthews); 0 where a margin is empty.

    Examples
    --------
    >>> round(float(phi(*np.array([5.0, 1.0, 2.0, 10.0]))), 3)
    0.645
    """
    margins = np.sqrt((tp + fp) * (fn + tn)) * np.sqrt((tp + fn) * (fp + tn))
    return np.asarray(np.divide(tp * tn - fp * fn, margins, out=np.zeros_like(margins), where=margins > 0))


def smoothed_odds_ratio(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    """Return the odds ratio with one added to every cell.

    Examples
    --------
    >>> float(smoothed_odds_ratio(*np.array([5.0, 1.0, 2.0, 10.0])))
    11.0
    """
    return np.asarray((tp + 1) * (tn + 1) / ((fp + 1) * (fn + 1)))


def cells(flags: Bools, stayed: Bools, mature: Bools) -> tuple[Floats, Floats, Floats, Floats]:
    """Count tp, fp, fn, tn of flags (bool[C, n]) as predictions of staying, among the mature."""
    y = stayed[mature]
    shown = flags[:, mature].astype(np.float32)
    tp = np.asarray(shown @ y.astype(np.float32), dtype=float)
    fp = np.asarray(shown @ (~y).astype(np.float32), dtype=float)
    return tp, fp, y.sum() - tp, (~y).sum() - fp


def posthog_any_use(seen: Seen) -> Ranked:
    """Rank events by the smoothed odds ratio of any use, if enough accounts did them (PostHog correlation)."""
    used = (seen.counts > 0).T
    tp, fp, fn, tn = cells(used, seen.stayed, seen.mature)
    supported = tp + fp >= min(25.0, 0.02 * seen.mature.sum())
    odds = np.where(supported & (fn + tn > 0), smoothed_odds_ratio(tp, fp, fn, tn), np.nan)
    return _always(sorted(zip(seen.families, odds.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0])))


def posthog_best_threshold(seen: Seen) -> Ranked:
    """Rank families by the highest smoothed odds ratio of their candidates."""
    return _always(by_family(seen, smoothed_odds_ratio(*cells(seen.flags, seen.stayed, seen.mature))))


def lift(seen: Seen) -> Ranked:
    """Rank families by the highest ratio of retention, reached to not reached."""
    tp, fp, fn, tn = cells(seen.flags, seen.stayed, seen.mature)
    with np.errstate(divide="ignore", invalid="ignore"):
        return _always(by_family(seen, (tp / (tp + fp)) / (fn / (fn + tn))))


def compass(seen: Seen) -> Ranked:
    """Rank families by their highest phi, declared from .2 on (Amplitude Compass, Mixpanel Signal)."""
    ranked = by_family(seen, phi(*cells(seen.flags, seen.stayed, seen.mature)))
    return Ranked(families=_names(ranked), declared=bool(ranked) and ranked[0][1] >= PHI_DECLARED)


def log_rank(seen: Seen) -> Ranked | None:
    """Rank families by the log-rank z of leaving less, from the landmark; None without departures."""
    if seen.duration is None or seen.departed is None:
        return None
    return _beyond(by_family(seen, -log_rank_z(seen.flags, seen.duration, seen.departed)))


def log_rank_z(flags: Bools, duration: NDArray[np.int64], departed: Bools) -> Floats:
    """Return the log-rank z of each flag, positive where the flagged leave sooner; ties are hypergeometric."""
    days = np.unique(duration[departed])
    shown = flags.astype(np.float32)
    at_risk = (duration[:, None] >= days).astype(np.float32)
    leaving = ((duration[:, None] == days) & departed[:, None]).astype(np.float32)
    n, d = at_risk.sum(axis=0, dtype=float), leaving.sum(axis=0, dtype=float)
    n1, d1 = np.asarray(shown @ at_risk, dtype=float), np.asarray(shown @ leaving, dtype=float)
    expected = d * n1 / n
    variance = (expected * (1 - n1 / n) * (n - d) / np.maximum(n - 1, 1)).sum(axis=1)
    excess = (d1 - expected).sum(axis=1)
    return np.asarray(np.divide(excess, np.sqrt(variance), out=np.full(len(flags), np.nan), where=variance > 0))


def mantel_haenszel(seen: Seen) -> Ranked:
    """Rank families by the Mantel-Haenszel z of staying within deciles of activity."""
    stratum = _deciles(seen.volume[seen.mature])
    return _beyond(by_family(seen, mantel_haenszel_z(seen.flags[:, seen.mature], seen.stayed[seen.mature], stratum)))


def mantel_haenszel_z(flags: Bools, stayed: Bools, stratum: NDArray[np.int64]) -> Floats:
    """Return the Mantel-Haenszel z of each flag over strata numbered from 0, without continuity correction."""
    within = np.eye(int(stratum.max()) + 1, dtype=np.float32)[stratum]
    shown = flags.astype(np.float32)
    n, m = within.sum(axis=0, dtype=float), (within * stayed[:, None]).sum(axis=0, dtype=float)
    n1 = np.asarray(shown @ within, dtype=float)
    a = np.asarray(shown @ (within * stayed[:, None].astype(np.float32)), dtype=float)
    variance = (n1 * (n - n1) * m * (n - m) / np.maximum(n**2 * (n - 1), 1)).sum(axis=1)
    excess = (a - n1 * m / n).sum(axis=1)
    return np.asarray(np.divide(excess, np.sqrt(variance), out=np.full(len(flags), np.nan), where=variance > 0))


def _deciles(values: Floats) -> NDArray[np.int64]:
    edges = np.unique(np.quantile(values, np.arange(1, DECILES) / DECILES))
    _, stratum = np.unique(np.searchsorted(edges, values, side="right"), return_inverse=True)
    return np.asarray(stratum, dtype=np.int64)


def _names(ranked: list[tuple[str, float]]) -> tuple[str, ...]:
    return tuple(name for name, value in ranked if np.isfinite(value))


def _always(ranked: list[tuple[str, float]]) -> Ranked:
    """Declare the top row if it goes with staying at all, as a list sorted by a ratio does."""
    finite = [pair for pair in ranked if np.isfinite(pair[1])]
    return Ranked(families=_names(finite), declared=bool(finite) and finite[0][1] > 1.0)


def _beyond(ranked: list[tuple[str, float]]) -> Ranked:
    return Ranked(families=_names(ranked), declared=bool(ranked) and ranked[0][1] > Z_DECLARED)


def aipw_ranking(seen: Seen) -> Ranked:
    """Rank families by the AIPW z of their candidate of highest phi."""
    best = phi(*cells(seen.flags, seen.stayed, seen.mature))
    chosen = [
        int(own[np.argmax(best[own])])
        for family in range(len(seen.families))
        if len(own := np.flatnonzero(seen.family == family))
    ]
    rows = np.array(chosen, dtype=np.int64)
    return _beyond(by_family(seen, aipw(seen, rows), rows))


BASELINES: Mapping[str, Callable[[Seen], Ranked | None]] = MappingProxyType(
    {
        "PostHog correlation, any use": posthog_any_use,
        "the same, best threshold": posthog_best_threshold,
        "lift": lift,
        "random forest importance": forest,
        "L1 logistic": l1_path,
        "Boruta": boruta,
        "Amplitude Compass / Mixpanel Signal": compass,
        "log-rank from the landmark": log_rank,
        "Mantel-Haenszel on activity deciles": mantel_haenszel,
        "AIPW ranking": aipw_ranking,
    }
)
"""Every baseline, in the order of the table."""
