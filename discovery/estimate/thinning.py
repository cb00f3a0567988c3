"""Fewer accounts for what is no estimate: a nuisance model, a check, the draws of a bound."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discovery.estimate.cox_null import CoxNull
from discovery.estimate.logistic import NullModel, gram_factor


def flags_of(packed: NDArray[np.uint8], accounts: NDArray[np.integer[Any]]) -> NDArray[np.uint8]:
    """Return the flags of some accounts, packed again: uint8[C, ceil(len(accounts) / 8)].

    Examples
    --------
    >>> flags_of(np.packbits([[1, 0, 1, 1]], axis=1), np.array([0, 1, 3]))
    array([[160]], dtype=uint8)
    """
    byte, shift = accounts // 8, (7 - accounts % 8).astype(np.uint8)
    found = np.empty((len(packed), -(-len(accounts) // 8)), dtype=np.uint8)
    for row, bits in zip(found, packed, strict=True):
        row[:] = np.packbits(bits[byte] >> shift & 1)
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
