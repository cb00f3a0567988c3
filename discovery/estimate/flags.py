"""Packed flags: one bit per candidate and account, and the three things done with them.

A flag matrix is `packed: uint8[C, ceil(n / 8)]` as written by `numpy.packbits` (bitorder "big", padding bits
zero) together with the number of accounts `n`. Nothing here ever unpacks more than a bounded tile.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

TILE_CELLS = 1 << 24
"""Cells (candidate x account, or candidate x day) that are dense at the same time."""

ENOUGH_ACCOUNTS = 50_000
"""Accounts, evenly spaced, that what is no estimate rests on where there are more."""
_PLACES_SEED = 0


def evenly_spaced(n: int, most: int) -> NDArray[np.intp]:
    """Return the places of at most `most` of n accounts, one from each of as many equal stretches; of no more, all.

    Where in its stretch a place lies is random, and always the same: accounts often stand in the order of their ids,
    and what recurs every so many of them, an arm or a shard, would otherwise be missed or met too often.

    Examples
    --------
    >>> evenly_spaced(3, 5).tolist(), evenly_spaced(9, 3).tolist()
    ([0, 1, 2], [1, 3, 6])
    """
    if n <= most:
        return np.arange(n, dtype=np.intp)
    edges = np.arange(most + 1) * n // most
    within = np.random.default_rng(_PLACES_SEED).random(most) * np.diff(edges)
    return (edges[:-1] + within.astype(np.int64)).astype(np.intp)


def pack(flags: NDArray[np.bool_] | NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pack flags along their last axis, one bit per account.

    Parameters
    ----------
    flags : bool[..., n], or uint8 of 0 and 1

    Returns
    -------
    uint8[..., ceil(n / 8)]

    Examples
    --------
    >>> pack(np.array([True, False, False, False, False, False, False, True, True]))
    array([129, 128], dtype=uint8)
    """
    return np.packbits(flags, axis=-1)


def unpack(packed: NDArray[np.uint8], n: int) -> NDArray[np.uint8]:
    """Unpack a tile of candidates into zeros and ones.

    Parameters
    ----------
    packed : uint8[c, ceil(n / 8)]
    n : int
        Number of accounts.

    Returns
    -------
    uint8[c, n]
    """
    return np.unpackbits(packed, axis=-1, count=n)


def tiles(candidates: int, cells_each: int) -> Iterator[slice]:
    """Yield slices over candidates, none wider than `TILE_CELLS` cells, none empty."""
    step = max(1, TILE_CELLS // max(1, cells_each))
    for start in range(0, candidates, step):
        yield slice(start, min(start + step, candidates))


def count_within(packed: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count, for every candidate, the accounts of `mask` that reached it, by popcount.

    Parameters
    ----------
    packed : uint8[C, ceil(n / 8)]
    mask : bool[n]

    Returns
    -------
    int64[C]
    """
    bits = pack(mask)
    words = len(bits) // 8 * 8
    counts = np.empty(len(packed), dtype=np.int64)
    for tile in tiles(len(packed), len(bits)):
        inside = packed[tile] & bits
        whole = np.bitwise_count(np.ascontiguousarray(inside[:, :words]).view(np.uint64)).sum(axis=1, dtype=np.int64)
        counts[tile] = whole + np.bitwise_count(inside[:, words:]).sum(axis=1, dtype=np.int64)
    return counts
