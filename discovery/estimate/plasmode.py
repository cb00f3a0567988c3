"""What the largest score would be if only inertia were at work: outcomes drawn from a model that knows nothing else.

Activity goes with later activity whatever it consists of. The null of such an outcome is not centred at zero where
the null model misses some of that; so outcomes are drawn from a richer model of volume, recency, return days and
cohort, every candidate is scored again, and the largest of these scores sets the bound.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from discovery.estimate.flags import pack, tiles
from discovery.estimate.logistic import NullModel, fit_null, observed_packed
from discovery.estimate.max_t import bootstrap_rows
from discovery.estimate.products import Places, products

Floats = NDArray[np.float64]

RICH_RIDGE = 1.0
MAIN_TERMS = 12
"""Columns, the first of the design, whose products enter the richer model."""
_STEPS = 2


def inertia_chance(design: Floats, outcome: NDArray[np.bool_]) -> Floats:
    """Return each account's chance of the outcome by a richer model of the same covariates, float64[m].

    The design with the squares and products of its first columns, standardised, with a ridge penalty. It learns from
    all accounts: what the draws rest on teaches where to begin, and two of Newton's steps go on from there.
    """
    some = bootstrap_rows(len(design))
    columns = _curved(design[some])
    middle, spread = columns.mean(axis=0), columns.std(axis=0)
    kept = spread > 1e-9

    def scaled(columns: Floats) -> Floats:
        return np.column_stack([np.ones(len(columns)), (columns[:, kept] - middle[kept]) / spread[kept]])

    rich = fit_null(scaled(columns), outcome[some], ridge=RICH_RIDGE)
    if len(some) == len(design):
        return rich.fitted
    starts = range(0, len(design), len(some))
    blocks = [slice(start, start + len(some)) for start in starts]
    beta = rich.coefficients
    for _ in range(_STEPS):
        gradient, information = -RICH_RIDGE * beta, RICH_RIDGE * np.eye(len(beta))
        for block in blocks:
            x = scaled(_curved(design[block]))
            chance = expit(x @ beta)
            gradient += x.T @ (outcome[block] - chance)
            information += x.T @ (x * (chance * (1 - chance))[:, None])
        beta = beta + np.linalg.solve(information, gradient)
    return np.concatenate([expit(scaled(_curved(design[block])) @ beta) for block in blocks])


def _curved(design: Floats) -> Floats:
    """Return a design without its intercept, with the squares and products of its first columns."""
    main = design[:, 1 : 1 + MAIN_TERMS]
    crossed = [main[:, i] * main[:, j] for i in range(main.shape[1]) for j in range(i, main.shape[1])]
    return np.column_stack([design[:, 1:], *crossed])


def plasmode_maxima(null: NullModel, flags: NDArray[np.uint8], chance: Floats, draws: int, seed: int) -> Floats:
    """Return the largest score of all candidates in each draw of the outcome, in the order of the draws.

    Parameters
    ----------
    null : NullModel
        The decisive null model, over m accounts; its design and weights are those of every draw, with one step of
        Newton's method from the fit to `chance` instead of a new fit.
    flags : uint8[c, m]
    chance : float64[m]
        From `inertia_chance`.
    draws, seed : int

    Returns
    -------
    float64[draws]

    References
    ----------
    Franklin, Schneeweiss, Polinski & Rassen (2014), Computational Statistics & Data Analysis 72, 219-226
    (plasmode simulation).
    """
    return plasmode_packed(null, pack(flags), len(chance), None, chance, draws, seed)


def plasmode_packed(
    null: NullModel,
    packed: NDArray[np.uint8],
    n: int,
    rows: Places | None,
    chance: Floats,
    draws: int,
    seed: int,
    drawn: Places | None = None,
) -> Floats:
    """Do the same for packed flags.

    Parameters
    ----------
    null : NullModel
        Over m accounts.
    packed : uint8[c, ceil(n / 8)]
    n : int
        Accounts that have flags.
    rows : int[m], optional
        Places of the m among the n, ascending; without it, all n.
    chance : float64[m]
    draws, seed : int
    drawn : int[k], optional
        Accounts, of the m and ascending, whose outcomes are drawn where m is too large for all of them. What inertia
        moves a score by, which grows with the accounts, always rests on all m; chance around it is scaled up.

    Returns
    -------
    float64[draws]
    """
    centre = fit_null(null.design, chance)
    shifted = observed_packed(dataclasses.replace(centre, residual=chance - centre.fitted), packed, n, rows)
    some = slice(None) if drawn is None else drawn
    places = rows if drawn is None else drawn if rows is None else rows[drawn]
    noise = _outcomes(chance[some], draws, seed)
    noise *= np.float32(np.sqrt(len(chance) / max(1, len(noise))))
    beside = centre.design[some].astype(np.float32).T @ noise
    usable = np.flatnonzero(shifted.information > 0)
    maxima = np.full(draws, -np.inf)
    for tile in tiles(len(usable), 8 * draws):
        own = usable[tile]
        drawn_scores = products(packed[own], n, noise, places) - shifted.slopes[own] @ beside
        drawn_scores /= np.sqrt(shifted.information[own])[:, None]
        maxima = np.maximum(maxima, (drawn_scores + shifted.score[own][:, None]).max(axis=0))
    return maxima


def _outcomes(chance: Floats, draws: int, seed: int) -> NDArray[np.float32]:
    """Draw outcomes less their chance, float32[k, draws]."""
    single = chance.astype(np.float32)[:, None]
    drawn = np.random.default_rng(seed).random((len(chance), draws), dtype=np.float32) < single
    return drawn.astype(np.float32) - single
