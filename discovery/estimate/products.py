"""Sums over the accounts that met each candidate: the one thing that everything at scale is made of.

Scores, slopes, draws and cross tables are all products of packed flags with columns that have one value per account.
They are taken tile by tile: a few candidates, which are neighbours and so mostly of one event, by a block of accounts
that stays in a core's cache. Of a block only the accounts enter that some candidate of the tile met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from discovery.estimate.flags import ENOUGH_ACCOUNTS, evenly_spaced

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Places = NDArray[np.intp]
Columns = Callable[[slice], Sequence[NDArray[Any]]]
Blocks = Iterator[tuple[Any, Any, Any]]

CANDIDATES = 32
"""Candidates of a tile: about as many as one event has."""
ACCOUNTS = 1 << 14
"""Accounts of a block, a multiple of 8."""
SWEPT = 1 << 12
"""Accounts of a block where all of them are dense at once: two or three such blocks fit a core's cache."""
SORTED = 1 << 18
"""Accounts of a block that is sorted by group."""
SHARES = 4
"""Into how many shares for each thread candidates are parted where their columns are put together anew for each."""
DENSE = 0.6
"""Share of a block's accounts from which it costs less to take all of them."""
SMALL = 1 << 24
"""Cells (candidate x account) below which threads cost more than they save."""
FEW = 20_000
"""Accounts up to which a product is over before a second core has begun."""
EXACT = 100_000
"""Accounts up to which sweeps calculate in double precision; beyond, single, with sums over blocks in double."""


@dataclass(frozen=True, slots=True)
class _Members:
    """The accounts that count, of n: `bits` marks them, `place` says where each stands among them."""

    n: int
    bits: NDArray[np.uint8] | None
    place: Places | None

    @classmethod
    def of(cls, n: int, rows: Places | None) -> _Members:
        if rows is None or len(rows) == n:
            return cls(n, None, None)
        inside = np.zeros(n, dtype=bool)
        inside[rows] = True
        return cls(n, np.packbits(inside), np.cumsum(np.concatenate([[0], inside]), dtype=np.intp))

    def blocks(self, width: int) -> Iterator[tuple[slice, slice, Places | None]]:
        """Yield blocks of accounts: their bytes, their places among the members, and who of the block is one."""
        for start in range(0, self.n, width):
            stop = min(start + width, self.n)
            own = slice(start // 8, -(-stop // 8))
            if self.bits is None or self.place is None:
                yield own, slice(start, stop), None
            elif self.place[stop] > self.place[start]:
                inside = np.flatnonzero(np.unpackbits(self.bits[own], count=stop - start))
                yield own, slice(int(self.place[start]), int(self.place[stop])), inside


def products(packed: NDArray[np.uint8], n: int, right: Floats | Singles, rows: Places | None = None) -> Floats:
    """Sum columns over the accounts that met each candidate.

    Parameters
    ----------
    packed : uint8[C, ceil(n / 8)]
        Flags, one bit per account; of candidates that stand beside each other many accounts should be the same.
    n : int
        Accounts.
    right : float64[m, k] or float32[m, k]
        The columns; a block is multiplied in their precision, and blocks are added up in double precision.
    rows : int[m], optional
        Places of the m accounts among the n, ascending; without it, all n.

    Returns
    -------
    float64[C, k]
        The same whatever the number of threads.

    Examples
    --------
    >>> flags = np.packbits([[1, 1, 0], [0, 1, 1]], axis=1)
    >>> products(flags, 3, np.array([[1.0, 10], [2, 20], [3, 30]]))
    array([[ 3., 30.],
           [ 5., 50.]])
    >>> products(flags, 3, np.array([[1.0], [3.0]]), rows=np.array([0, 2])).ravel()
    array([1., 3.])
    """
    return products_of(packed, n, lambda among: (right[among],), rows)[0]


def products_of(
    packed: NDArray[np.uint8], n: int, columns: Columns, rows: Places | None = None, *, narrow: bool = False
) -> list[Floats]:
    """Do the same for several sets of columns at once, which are put together block by block.

    Parameters
    ----------
    packed : uint8[C, ceil(n / 8)]
    n : int
        Accounts.
    columns : callable
        Called with a slice of the m accounts' places, in several threads; returns each set, of either precision, for
        these accounts. Of no account it returns as many, and as wide, empty ones.
    rows : int[m], optional
        Places of the m accounts among the n, ascending; without it, all n.
    narrow : bool
        Whether blocks are of few accounts, so that many columns of them stay in a core's cache.

    Returns
    -------
    list of float64[C, k]
        The same whatever the number of threads.
    """
    found = [np.zeros((len(packed), part.shape[1])) for part in columns(slice(0, 0))]
    members = _Members.of(n, rows)

    def add_up(candidates: slice) -> None:
        for own, among, inside in members.blocks(SWEPT if narrow else ACCOUNTS):
            parts, size = columns(among), among.stop - among.start
            for tile in _tiles(candidates):
                bits = packed[tile, own]
                who = _met_by_any(bits, None if members.bits is None else members.bits[own])
                if not len(who):
                    continue
                every = len(who) > DENSE * size
                x = _flags(bits, (size if inside is None else inside) if every else who)
                for sums, part in zip(found, parts, strict=True):
                    sums[tile] += np.matmul(x.astype(part.dtype), part if every else part[_standing(who, inside)])

    in_parallel(add_up, len(packed), _share(len(packed)), len(packed) * n)
    return found


def _share(candidates: int) -> int:
    """Return how many candidates, whole tiles of them, share their columns: a few such shares for each thread."""
    return max(1, -(-candidates // (CANDIDATES * SHARES * _threads()))) * CANDIDATES


def _tiles(candidates: slice) -> Iterator[slice]:
    for start in range(candidates.start, candidates.stop, CANDIDATES):
        yield slice(start, min(start + CANDIDATES, candidates.stop))


def _met_by_any(bits: NDArray[np.uint8], members: NDArray[np.uint8] | None) -> Places:
    met = np.bitwise_or.reduce(bits, axis=0)
    return np.flatnonzero(np.unpackbits(met if members is None else met & members))


def _standing(who: Places, inside: Places | None) -> Places:
    return who if inside is None else np.searchsorted(inside, who)


def _flags(bits: NDArray[np.uint8], who: Places | int) -> NDArray[np.uint8]:
    """Unpack a block of flags: the first so many accounts, or those at some places."""
    if isinstance(who, int):
        return np.unpackbits(bits, axis=1, count=who)
    return np.unpackbits(bits, axis=1).take(who, axis=1, mode="clip")


def sweep(
    packed: NDArray[np.uint8],
    n: int,
    work: Callable[[slice, Blocks], None],
    rows: Places | None = None,
) -> None:
    """Go over all flags in dense blocks, for what is no sum of columns.

    Parameters
    ----------
    packed : uint8[C, ceil(n / 8)]
    n : int
        Accounts.
    work : callable
        Called once for each tile of candidates, in several threads, with their slice and an iterator over blocks of
        accounts: their places among `rows`, their flags, float[c, w], which it may overwrite, and how many accounts
        each stands for, float[w]. Up to `EXACT` accounts the flags are in double precision and each account stands
        for itself, which None says. Beyond, they are in single precision; those who met any candidate of the tile
        stand for themselves, and of those who met none some 50,000, evenly spaced, for all.
    rows : int[m], optional
        As in `products`.
    """
    members, m = _Members.of(n, rows), n if rows is None else len(rows)
    blocks = _every if m <= EXACT else _some(m)
    in_parallel(lambda tile: work(tile, blocks(packed[tile], members)), len(packed), CANDIDATES, len(packed) * n)


def _every(packed: NDArray[np.uint8], members: _Members) -> Blocks:
    for own, among, inside in members.blocks(SWEPT):
        size = among.stop - among.start
        yield among, _flags(packed[:, own], size if inside is None else inside).astype(np.float64), None


def _some(m: int) -> Callable[[NDArray[np.uint8], _Members], Blocks]:
    """Return the blocks of all who met any candidate, and of some of those who did not."""
    asked = evenly_spaced(m, ENOUGH_ACCOUNTS)
    others = np.zeros(m, dtype=bool)
    others[asked] = True
    each = np.float32(m / len(asked))

    def blocks(packed: NDArray[np.uint8], members: _Members) -> Blocks:
        for own, among, inside in members.blocks(ACCOUNTS):
            met = np.unpackbits(np.bitwise_or.reduce(packed[:, own], axis=0))
            met = met[: among.stop - among.start] if inside is None else met[inside]
            taken = np.flatnonzero(others[among] | met.astype(bool))
            x = np.unpackbits(packed[:, own], axis=1)
            for start in range(0, len(taken), SWEPT):
                who = taken[start : start + SWEPT]
                flags = x.take(who if inside is None else inside[who], axis=1, mode="clip")
                yield among.start + who, flags.astype(np.float32), np.where(met[who] > 0, np.float32(1), each)

    return blocks


def sweep_precision(accounts: int) -> np.dtype[Any]:
    """Return the precision of the flags that `sweep` hands out."""
    return np.dtype(np.float64 if accounts <= EXACT else np.float32)


def together(packed: NDArray[np.uint8], n: int) -> Floats:
    """Count the accounts that met both of every two candidates, float64[C, C]."""
    met = np.zeros((len(packed), len(packed)))
    starts = range(0, n, ACCOUNTS)
    for start in starts:
        x = np.unpackbits(packed[:, start // 8 : (start + ACCOUNTS) // 8], axis=1).astype(np.float32)
        met += x @ x.T
    return met


def counted(packed: NDArray[np.uint8], n: int, group: NDArray[Any], groups: int) -> Floats:
    """Count, group by group, the accounts that met each candidate.

    Parameters
    ----------
    packed : uint8[C, ceil(n / 8)]
    n : int
        Accounts.
    group : int[n]
        Each account's group, 0 and more; negative for an account that is in none.
    groups : int

    Returns
    -------
    float64[C, groups]
    """
    found = np.zeros((len(packed), groups))
    number: NDArray[Any] = group.astype(np.int16 if groups < 1 << 15 else np.int64)
    some = np.packbits(number >= 0)

    def add_up(tile: slice) -> None:
        for start in range(0, n, SORTED):
            own = slice(start // 8, (start + SORTED) // 8)
            who = _met_by_any(packed[tile, own], some[own])
            if not len(who):
                continue
            order = np.argsort(number[start + who], kind="stable")
            present, starts = np.unique(number[start + who][order], return_index=True)
            flags = _flags(packed[tile, own], who).take(order, axis=1, mode="clip")
            found[tile, present] += np.add.reduceat(flags, starts, axis=1, dtype=np.int32)

    in_parallel(add_up, len(packed), CANDIDATES, len(packed) * n)
    return found


def in_parallel(work: Callable[[slice], None], candidates: int, step: int, cells: int) -> None:
    """Call `work` with slices over candidates, on as many threads as matrix products may have.

    Each call writes what belongs to its own candidates alone. While threads run, each multiplies on its own core; so
    does the one that does what is small, for its products are over before another core could be told.
    """
    slices = [slice(start, min(start + step, candidates)) for start in range(0, candidates, step)]
    small = cells < SMALL
    workers = 1 if small else min(_threads(), len(slices))
    if workers < 2:
        with one_core() if small else nullcontext():
            for each in slices:
                work(each)
        return
    with one_core(), ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(work, each) for each in slices]:
            done.result()


def cores_for(accounts: int) -> AbstractContextManager[Any]:
    """Keep matrix products on one core where there are few accounts; `in_parallel` has all cores as before."""
    return one_core() if accounts <= FEW else nullcontext()


def one_core() -> AbstractContextManager[Any]:
    """Keep matrix products on the core that asks: cores that wait for small ones spin, and take time from others."""
    _threads()
    return cast(AbstractContextManager[Any], _libraries().limit(limits=1, user_api="blas"))


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


@cache
def _threads() -> int:
    """Return how many threads matrix products may have, which is asked before `one_core` takes them away."""
    return max((library.num_threads for library in _libraries().select(user_api="blas").lib_controllers), default=1)
