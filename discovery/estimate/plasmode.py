"""What the largest score would be if only inertia were at work: outcomes drawn from a model that knows nothing else.

Activity goes with later activity whatever it consists of. The null of such an outcome is not centred at zero where
the null model misses some of that; so outcomes are drawn from a richer model of volume, recency, return days and
cohort, every candidate is scored again, and the largest of these scores sets the bound.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve

from discovery.estimate.flags import tiles
from discovery.estimate.logistic import COLLINEAR, NullModel, fit_null

Floats = NDArray[np.float64]

RICH_RIDGE = 1.0
MAIN_TERMS = 12
"""Columns, the first of the design, whose products enter the richer model."""


def inertia_chance(design: Floats, outcome: NDArray[np.bool_]) -> Floats:
    """Return each account's chance of the outcome by a richer model of the same covariates, float64[m].

    The design with the squares and products of its first columns, standardised, with a ridge penalty.
    """
    main = design[:, 1 : 1 + MAIN_TERMS]
    products = [main[:, i] * main[:, j] for i in range(main.shape[1]) for j in range(i, main.shape[1])]
    columns = np.column_stack([design[:, 1:], *products]) if products else design[:, 1:]
    spread = columns.std(axis=0)
    kept = spread > 1e-9
    scaled = (columns[:, kept] - columns[:, kept].mean(axis=0)) / spread[kept]
    return fit_null(np.column_stack([np.ones(len(design)), scaled]), outcome, ridge=RICH_RIDGE).fitted


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
    centre = fit_null(null.design, chance)
    generator = np.random.default_rng(seed)
    drawn = generator.random((len(chance), draws), dtype=np.float32) < chance[:, None].astype(np.float32)
    residual = drawn.astype(np.float32) - centre.fitted[:, None].astype(np.float32)
    maxima = np.full(draws, -np.inf)
    weighted = centre.design * centre.weights[:, None]
    for tile in tiles(len(flags), 2 * len(chance)):
        x = flags[tile].astype(float)
        cross = x @ weighted
        slopes = cho_solve((centre.cholesky, True), cross.T).T
        own = x @ centre.weights
        information = own - np.einsum("ij,ij->i", cross, slopes)
        usable = information > COLLINEAR * np.maximum(own, 1.0)
        left = (x - slopes @ centre.design.T)[usable] / np.sqrt(information[usable])[:, None]
        if len(left):
            maxima = np.maximum(maxima, (left.astype(np.float32) @ residual).max(axis=0))
    return maxima
