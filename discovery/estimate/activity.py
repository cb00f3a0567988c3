"""How busy an account is anyway: a few factors behind all its counts, learned without looking at the outcome.

What makes an account busy also makes it stay, and it shows in every event. One total of events measures it badly:
where it stands alone, hidden engagement passes for the effect of any event that follows it closely. A factor model
of all counts measures it well. Given the factor scores, an event's counts say nothing more about what lies behind
all events; what they still say about staying is their own. The event itself is among the indicators, with the small
weight that its common part deserves: leaving it out would leave that part unadjusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from discovery.estimate.flags import ENOUGH_ACCOUNTS, evenly_spaced
from discovery.estimate.products import one_core

Floats = NDArray[np.float64]

INDICATOR_ACCOUNTS = 20
"""An event that fewer accounts did, or did not do, is no indicator."""
SCALINGS = 1
MOST_FACTORS = 5
HIGHEST_COUNT = 40
"""Counts beyond this are one level of the scaling."""
LEVEL_ACCOUNTS = 20
"""Neighbouring counts are one level of the scaling until it holds this many accounts: the mean of a few accounts
follows their chance, and one account far from all others is a column's whole variance."""
EM_STEPS = 500
EM_CLOSE = 1e-6
LEAST_UNIQUE = 0.02
LEARNED_ON = ENOUGH_ACCOUNTS
"""Accounts, evenly spaced, that scales and factors are learned on where there are more; all accounts are scored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityFactors:
    """The factors behind the counts of n accounts.

    Attributes
    ----------
    scores : float64[n, K]
        Posterior means (regression scores), standardised; the strongest factor first. K may be 0.
    loadings : float64[E, K]
        Correlation of each event's scaled count with each factor; 0 for events that are no indicator.
    uniqueness : float64[E]
        Share of each scaled count's variance that is its own; 1 for events that are no indicator.
    """

    scores: Floats
    loadings: Floats
    uniqueness: Floats


def activity_factors(counts: sparse.csc_array[Any], usable: NDArray[np.bool_], known: Floats) -> ActivityFactors:
    """Learn the factors behind the counts.

    Each event's count is first replaced by the monotone scale that follows the other events best (optimal
    scaling: the mean of their common factor at each count); then a maximum-likelihood factor analysis is
    fitted to the scaled counts. The number of factors is the number of eigenvalues beyond what independent
    columns would show, of the logarithms of the counts: scaling makes even independent columns follow each other.

    Parameters
    ----------
    counts : scipy.sparse.csc_array, shape (n, E)
        Events of each account in the observation window.
    usable : bool[E]
        Events that may be indicators.
    known : float64[n, p]
        Covariates known at signup. What they explain of the counts is taken out first: a large account does
        more of everything, and that is no sign of the factor that is not known.

    Returns
    -------
    ActivityFactors
        Without any factor where fewer than three events are indicators, or they are independent.

    Notes
    -----
    Beyond 50,000 accounts, scales and factors are learned on that many, evenly spaced: they are means and
    correlations, and so many accounts give clear factors to within a hundredth. Every account is scored by them, from
    its counts alone: no column is dense but among those that are learned from.

    References
    ----------
    Gifi (1990), Nonlinear Multivariate Analysis (optimal scaling); Rubin & Thayer (1982), Psychometrika 47
    (EM for factor analysis); Horn (1965), Psychometrika 30, and Johnstone (2001), Annals of Statistics 29
    (how many); Thomson (1951), The Factorial Analysis of Human Ability (regression scores).
    """
    n, events = counts.shape
    some = evenly_spaced(n, LEARNED_ON)
    seen = counts if len(some) == n else counts[some]
    having = np.diff(seen.tocsc().indptr)
    chosen = np.flatnonzero(usable & (having >= INDICATOR_ACCOUNTS) & _varied(seen))
    loadings, uniqueness = np.zeros((events, 0)), np.ones(events)
    if len(chosen) < 3 or len(some) <= 2 * len(chosen):
        return ActivityFactors(scores=np.empty((n, 0)), loadings=loadings, uniqueness=uniqueness)
    with one_core():
        learned = _learn(seen[:, chosen].toarray(), known[some])
    loadings = np.zeros((events, learned.loadings.shape[1]))
    loadings[chosen], uniqueness[chosen] = learned.loadings, learned.uniqueness
    scores = _scores(counts[:, chosen], known, learned)
    return ActivityFactors(scores=_standardised(scores), loadings=loadings, uniqueness=uniqueness)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Learned:
    """Factors, and how a count of each indicator is read: its scale at the counts that were seen."""

    loadings: Floats
    uniqueness: Floats
    scales: tuple[tuple[NDArray[np.integer[Any]], Floats], ...]
    by_known: Floats  # [p, E] what each covariate known at signup says of each scale
    spread: Floats  # [E] of the scales, once that is taken out


def _learn(counts: NDArray[np.integer[Any]], known: Floats) -> _Learned:
    beside, scales = _orthonormal_basis(known), _standardised(np.log1p(counts.astype(float)))
    factors = number_of_factors(_correlation(_unexplained(scales, beside)), len(counts))
    if factors:
        scales = _optimal_scaling(counts, scales, beside)
    scaled = _unexplained(scales, beside)
    loadings, own = factor_analysis(_correlation(scaled), factors)
    seen = [np.unique(column, return_index=True) for column in counts.T]
    return _Learned(
        loadings=loadings,
        uniqueness=own,
        scales=tuple((count, scales[first, j]) for j, (count, first) in enumerate(seen)),
        by_known=np.linalg.lstsq(known - known.mean(axis=0), scales, rcond=None)[0],
        spread=_spread(scales - beside @ (beside.T @ scales)),
    )


def _scores(counts: sparse.csc_array[Any], known: Floats, learned: _Learned) -> Floats:
    """Return what the factors of each account are, up to a constant; a count that was not seen lies between others."""
    weights = _score_weights(learned.loadings, learned.uniqueness) / learned.spread[:, None]
    told = np.empty(len(counts.data))
    for event, (seen, scale) in enumerate(learned.scales):
        own = slice(counts.indptr[event], counts.indptr[event + 1])
        told[own] = np.interp(counts.data[own], seen, scale) - np.interp(0, seen, scale)
    scaled = sparse.csc_array((told, counts.indices, counts.indptr), shape=counts.shape)
    scores: Floats = scaled @ weights - known @ (learned.by_known @ weights)
    return scores


def _varied(counts: sparse.csc_array[Any]) -> NDArray[np.bool_]:
    """Tell where at least `INDICATOR_ACCOUNTS` accounts differ from the most common count."""
    n, events = counts.shape
    varied = np.zeros(events, dtype=bool)
    for event in range(events):
        values = counts.data[counts.indptr[event] : counts.indptr[event + 1]]
        most_common = max(n - len(values), int(np.bincount(np.minimum(values, HIGHEST_COUNT)).max(initial=0)))
        varied[event] = n - most_common >= INDICATOR_ACCOUNTS
    return varied


def _orthonormal_basis(known: Floats) -> Floats:
    basis: Floats = np.linalg.qr(np.column_stack([np.ones(len(known)), known]))[0]
    return basis


def _unexplained(scales: Floats, beside: Floats) -> Floats:
    return _standardised(scales - beside @ (beside.T @ scales))


def _optimal_scaling(counts: NDArray[np.integer[Any]], scales: Floats, beside: Floats) -> Floats:
    """Return the counts on the monotone scales that follow their common factor best."""
    levels = np.column_stack([_levels(column) for column in counts.T])
    for _ in range(SCALINGS):
        scaled = _unexplained(scales, beside)
        loading, own = factor_analysis(_correlation(scaled), 1)
        weighted = scaled * (loading[:, 0] / own)
        total = weighted.sum(axis=1)
        rescaled = [_follows(levels[:, j], total - weighted[:, j], scales[:, j]) for j in range(scales.shape[1])]
        scales = np.column_stack(rescaled)
    return scales


def _levels(counts: NDArray[np.integer[Any]]) -> NDArray[np.intp]:
    """Join neighbouring counts, from the highest down, until a level holds `LEVEL_ACCOUNTS` accounts; number them."""
    capped = np.minimum(counts, HIGHEST_COUNT)
    accounts = np.bincount(capped)
    level, filled, held = np.zeros(len(accounts), dtype=np.intp), 0, 0
    for count in reversed(range(len(accounts))):
        level[count] = filled
        held += int(accounts[count])
        if held >= LEVEL_ACCOUNTS:
            filled, held = filled + 1, 0
    level = np.minimum(level, max(filled - 1, 0))
    return np.asarray((level.max() - level)[capped], dtype=np.intp)


def _follows(levels: NDArray[np.integer[Any]], others: Floats, before: Floats) -> Floats:
    """Return the monotone function of the count that follows the factor of the others, in its own direction."""
    from scipy.optimize import isotonic_regression  # with all of its optimisers, that few commands ask for

    accounts = np.bincount(levels)
    present = np.flatnonzero(accounts)
    means = np.bincount(levels, weights=others)[present] / accounts[present]
    rises = bool(np.dot(levels - levels.mean(), others) >= 0)
    fitted = isotonic_regression(means, weights=accounts[present].astype(float), increasing=rises).x
    scale = np.zeros(len(accounts))
    scale[present] = fitted if rises else -fitted
    after = scale[levels]
    return _standardised(after[:, None])[:, 0] if after.std() > 1e-9 * (1 + np.abs(after).max()) else before


def _standardised(values: Floats) -> Floats:
    return np.asarray((values - values.mean(axis=0)) / _spread(values))


def _spread(values: Floats) -> Floats:
    """Return the standard deviation of each column; 1 where it does not vary."""
    spread = values.std(axis=0)
    return np.asarray(np.where(spread > 0, spread, 1.0))


def _correlation(standardised: Floats) -> Floats:
    correlation: Floats = standardised.T @ standardised / len(standardised)
    return correlation


def number_of_factors(correlation: Floats, n: int) -> int:
    """Return how many eigenvalues lie beyond the largest that n accounts of independent columns would show.

    The bound is the upper edge of the sample spectrum, with the 95 % point of the Tracy-Widom law.

    References
    ----------
    Johnstone (2001), Annals of Statistics 29, 295-327.
    """
    columns = len(correlation)
    root = np.sqrt(n - 1) + np.sqrt(columns)
    bound = (root**2 + 0.98 * root * (1 / np.sqrt(n - 1) + 1 / np.sqrt(columns)) ** (1 / 3)) / n
    beyond = int((np.linalg.eigvalsh(correlation) > bound).sum())
    return min(beyond, MOST_FACTORS, (columns - 1) // 2)


def factor_analysis(correlation: Floats, factors: int) -> tuple[Floats, Floats]:
    """Fit a factor model to a correlation matrix by maximum likelihood (EM).

    Parameters
    ----------
    correlation : float64[E, E]
    factors : int
        Number K of factors.

    Returns
    -------
    loadings : float64[E, K]
        In the rotation in which the factors explain as much as possible one after the other; each is positive
        in sum.
    uniqueness : float64[E]

    References
    ----------
    Rubin & Thayer (1982), Psychometrika 47, 69-76.
    """
    values, vectors = np.linalg.eigh(correlation)
    first = slice(None, -factors - 1, -1) if factors else slice(0, 0)
    loadings = vectors[:, first] * np.sqrt(np.maximum(values[first] - 1, 0.1))
    own = np.clip(1 - (loadings**2).sum(axis=1), 0.05, 1.0)
    for _ in range(EM_STEPS if factors else 0):
        weights = _score_weights(loadings, own)
        cross = correlation @ weights
        second = np.eye(factors) - weights.T @ loadings + weights.T @ cross
        after = cross @ np.linalg.inv(second)
        own = np.maximum(np.diag(correlation) - (after * cross).sum(axis=1), LEAST_UNIQUE)
        moved = float(np.abs(after - loadings).max())
        loadings = after
        if moved < EM_CLOSE:
            break
    return _principal(loadings, own), own


def _score_weights(loadings: Floats, own: Floats) -> Floats:
    """Return the weights, E x K, that turn standardised indicators into posterior means."""
    scaled = loadings / own[:, None]
    weights: Floats = scaled @ np.linalg.inv(np.eye(loadings.shape[1]) + loadings.T @ scaled)
    return weights


def _principal(loadings: Floats, own: Floats) -> Floats:
    if loadings.shape[1] == 0:
        return loadings
    _, rotation = np.linalg.eigh(loadings.T @ (loadings / own[:, None]))
    rotated = loadings @ rotation[:, ::-1]
    signs = np.where(rotated.sum(axis=0) < 0, -1.0, 1.0)
    return np.asarray(rotated * signs)
