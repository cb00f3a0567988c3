"""Fewer accounts for what is no estimate: a nuisance model, a check, the draws of a bound."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discovery.estimate.cox_null import CoxNull
from discovery.estimate.logistic import NullModel, gram_factor
from discovery.estimate.products import in_parallel

RULES = 64
"""Rules whose flags are taken at a time."""


def flags_of(
    packed: NDArray[np.uint8], accounts: NDArray[np.integer[Any]], rules: NDArray[np.intp] | None = None
) -> NDArray[np.uint8]:
    """Return the flags of some accounts, packed again, for all rules or some: uint8[C, ceil(len(accounts) / 8)].

    Examples
    --------
    >>> flags_of(np.packbits([[1, 0, 1, 1]], axis=1), np.array([0, 1, 3]))
    array([[160]], dtype=uint8)
    """
    chosen = np.arange(len(packed)) if rules is None else rules
    found = np.empty((len(chosen), -(-len(accounts) // 8)), dtype=np.uint8)

    def take(tile: slice) -> None:
        for place in range(tile.start, tile.stop):
            found[place] = np.packbits(np.unpackbits(packed[chosen[place]]).take(accounts, mode="clip"))

    in_parallel(take, len(chosen), RULES, found.size * 8)
    return found


def thinned(null: NullModel | CoxNull, rows: NDArray[np.intp]) -> NullModel | CoxNull:
    """Return what a null model says of the accounts at `rows` of its own, with their information alone.

    It is not fitted again: coefficients and likelihood remain those of all.
    """
    if len(rows) == len(null.residual):
        return null
    design, weights, residual = null.design[rows], null.weights[rows], null.residual[rows]
    factor = gram_factor(design.T @ (design * weights[:, None]))
    if isinstance(null, CoxNull):
        departed = null.departed[rows]
        return replace(null, design=design, weights=weights, residual=residual, cholesky=factor, departed=departed)
    return replace(
        null,
        design=design,
        weights=weights,
        residual=residual,
        cholesky=factor,
        outcome=null.outcome[rows],
        fitted=null.fitted[rows],
    )
