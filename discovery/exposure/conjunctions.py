"""Conjunctions: accounts that met two or three conditions of different events, searched like any candidate.

Which conditions are combined is settled before any outcome is looked at: a small base grid, a few cells per
event. Only the parts are kept; the bits of a conjunction are made when they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from discovery.exposure.flags import Flags, _popcount
from discovery.milestone import Condition, Milestone

_Rows: TypeAlias = slice | NDArray[np.integer[Any]] | Sequence[int]
_BLOCK_BYTES = 1 << 22
_YIELDED_BYTES = 1 << 25
_ACCOUNTS = 1 << 14
_MARK_BITS = 8  # with the 14 of _ACCOUNTS below 24: sums of marks are exact in single precision


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conjunctions:
    """Conjunctions of `m` conditions that tell accounts apart in a way that none of their parts does.

    Attributes
    ----------
    flags : Flags
        The candidates they are made of.
    cells : int32[B]
        Rows of `flags` that were combined: the base grid, ascending.
    parts : int32[P, m]
        Rows of `flags` joined by `and`, each row ascending and of m different events.
    counts : int64[P]
        How many accounts met each.
    families : tuple of str, length F
        Sorted event names joined by ` + `, in the order of the rows.
    family_of : int32[P]
        Place of each conjunction's family in `families`; one family's rows lie together.
    """

    flags: Flags
    cells: NDArray[np.int32]
    parts: NDArray[np.int32]
    counts: NDArray[np.int64]
    families: tuple[str, ...]
    family_of: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.parts)

    @property
    def n_accounts(self) -> int:
        """Number n of accounts."""
        return self.flags.n_accounts

    def milestone(self, row: int) -> Milestone:
        """Return one conjunction as a milestone; its text is canonical."""
        return Milestone(tuple(self.flags.conditions[part] for part in self.parts[row]))

    def reached(self) -> NDArray[np.int64]:
        """Return how many accounts met each conjunction, int64[P]."""
        return self.counts

    def packed(self, rows: _Rows = slice(None)) -> NDArray[np.uint8]:
        """Return the flags of some conjunctions, uint8[len(rows), ceil(n / 8)], padding bits 0."""
        parts = self.parts[rows]
        bits = np.empty((len(parts), self.flags.packed.shape[1]), dtype=np.uint8)
        for block in _blocks(len(parts), bits.shape[1]):
            bits[block] = _met(self.flags.packed, parts[block])
        return bits

    def blocks(
        self, rows: _Rows = slice(None), *, most_bytes: int = _YIELDED_BYTES
    ) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
        """Yield some conjunctions, some megabytes at a time: (their slice of `rows`, uint8[<= size, ceil(n / 8)])."""
        parts = self.parts[rows]
        for block in _blocks(len(parts), self.flags.packed.shape[1], most_bytes):
            yield block, _met(self.flags.packed, parts[block])

    def among(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return how many of the accounts in `mask` (bool[n]) met each conjunction, int64[P]."""
        if np.all(mask):
            return self.counts
        asked = np.packbits(np.asarray(mask, dtype=bool))
        counts = np.empty(len(self), dtype=np.int64)
        for rows, bits in self.blocks():
            counts[rows] = _popcount(bits & asked)
        return counts

    def thinned(self, accounts: NDArray[np.integer[Any]]) -> Conjunctions:
        """Return the same conjunctions over some accounts only, int[k] ascending; as candidates, their parts alone."""
        used = np.unique(self.parts)
        byte, shift = accounts // 8, (7 - accounts % 8).astype(np.uint8)
        fewer = Flags(
            conditions=tuple(self.flags.conditions[row] for row in used),
            packed=np.stack([np.packbits(self.flags.packed[row, byte] >> shift & 1) for row in used]),
            n_accounts=len(accounts),
            event_of=self.flags.event_of[used],
        )
        parts = np.searchsorted(used, self.parts).astype(np.int32)
        counts = _counted(fewer, parts)
        return replace(self, flags=fewer, cells=np.arange(len(used), dtype=np.int32), parts=parts, counts=counts)

    def sums(self, values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the sum of a number per account (float[n]) over those that met each conjunction, float64[P].

        In single precision within some ten thousand accounts. For pairs this takes no longer than to count them.
        """
        if self.parts.shape[1] != 2:
            raise ValueError("sums are taken over pairs")
        used, place = np.unique(self.parts, return_inverse=True)
        one, other = place.reshape(-1, 2).T
        summed: NDArray[np.float64] = _together(self.flags.packed[used], self.n_accounts, values)[one, other]
        return summed

    def dense(self, rows: _Rows) -> NDArray[np.bool_]:
        """Return the flags of some conjunctions unpacked, bool[len(rows), n]."""
        return np.unpackbits(self.packed(rows), axis=1, count=self.n_accounts).view(np.bool_)


def pair_flags(
    flags: Flags,
    allowed: Sequence[int] | NDArray[np.integer[Any]],
    *,
    min_side: int = 1,
    base_k: Sequence[int] = (1, 3),
    base_d: Sequence[int] = (7, 14),
    max_phi: float = 0.95,
) -> Conjunctions:
    """Combine the base grid of every two different events.

    Left out are pairs that too few accounts tell apart, those that nearly repeat one of their parts, and
    those met by exactly the accounts of a candidate or of a simpler pair: fewest repetitions, then longest
    windows, then the earlier events.

    Parameters
    ----------
    flags : Flags
        The candidates. Cells of the base grid that are not among them are not combined.
    allowed : sequence of int
        Places in `Exposure.events` of the events that may take part.
    min_side : int
        Least number of accounts that meet a pair, and that do not.
    base_k, base_d : sequence of int
        At least how often, and within how many days, in the base grid; of users and properties it asks nothing.
    max_phi : float
        Largest correlation (phi) with a part. A pair above it says nothing beyond that part.

    Returns
    -------
    Conjunctions
        With m = 2, in the order of events and then of candidates.

    Notes
    -----
    The accounts of a pair are among those of each part, so phi follows from the three counts alone. Memory
    beyond `flags` grows with the number of pairs and not with the accounts.
    """
    cells = _base_cells(flags, allowed, frozenset(base_k), frozenset(24 * days for days in base_d))
    mark = np.random.default_rng(0).integers(0, 1 << _MARK_BITS, flags.n_accounts)
    parts, counts, marked, phi = _count_pairs(flags, cells, mark)
    kept = _two_sided(counts, flags.n_accounts, min_side) & (phi <= max_phi)
    parts, counts, marked = parts[kept], counts[kept], marked[kept]
    singles = np.flatnonzero(np.isin(flags.event_of, np.asarray(allowed, dtype=np.int64)))
    most = flags.n_accounts << _MARK_BITS
    keys = flags.reached()[singles] * most + _marked(flags, singles, mark)
    first = _first_of_each(flags, parts, counts * most + marked, [(singles[:, None], keys)])
    return _arranged(flags, cells, parts[first], counts[first])


def triple_flags(
    pairs: Conjunctions,
    finalists: Sequence[int] | NDArray[np.integer[Any]],
    *,
    min_side: int = 1,
    max_phi: float = 0.95,
) -> Conjunctions:
    """Combine chosen pairs with the base grid of every third event.

    Parameters
    ----------
    pairs : Conjunctions
        As returned by `pair_flags`.
    finalists : sequence of int
        Rows of `pairs` to build on.
    min_side, max_phi
        As for `pair_flags`; phi is that with the nearest of the three pairs inside a triple.

    Returns
    -------
    Conjunctions
        With m = 3; triples met by exactly the accounts of a pair, or of a simpler triple, are left out.
    """
    flags, chosen = pairs.flags, pairs.parts[np.asarray(finalists, dtype=np.int64)]
    joined = np.column_stack((np.repeat(chosen, len(pairs.cells), axis=0), np.tile(pairs.cells, len(chosen))))
    events = np.sort(flags.event_of[joined], axis=1)
    joined = joined[(events[:, 0] != events[:, 1]) & (events[:, 1] != events[:, 2])]
    parts = np.unique(np.sort(joined, axis=1), axis=0).astype(np.int32).reshape(-1, 3)
    counts = _counted(flags, parts)
    inner = np.array([_counted(flags, np.delete(parts, left_out, axis=1)) for left_out in range(3)])
    nearest = _phi(counts, inner.min(axis=0), flags.n_accounts)
    kept = _two_sided(counts, flags.n_accounts, min_side) & (nearest <= max_phi)
    parts, counts = parts[kept], counts[kept]
    first = _first_of_each(flags, parts, counts, [(pairs.parts, pairs.counts)])
    return _arranged(flags, pairs.cells, parts[first], counts[first])


def _base_cells(
    flags: Flags, allowed: Sequence[int] | NDArray[np.integer[Any]], ks: frozenset[int], hours: frozenset[int]
) -> NDArray[np.int32]:
    def in_grid(condition: Condition) -> bool:
        plain = condition.min_users == 1 and not condition.where
        return plain and condition.at_least in ks and condition.within_hours in hours

    wanted = np.isin(flags.event_of, np.asarray(allowed, dtype=np.int64))
    rows = [row for row in np.flatnonzero(wanted) if in_grid(flags.conditions[row])]
    return np.array(rows, dtype=np.int32)


def _count_pairs(
    flags: Flags, cells: NDArray[np.int32], mark: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the cells of two events each, how many accounts met both, their marks, and phi with the nearer cell."""
    bits, event = flags.packed[cells], flags.event_of[cells]
    both = _together(bits, flags.n_accounts).astype(np.int64)
    marked = _together(bits, flags.n_accounts, mark).astype(np.int64)
    one, other = np.nonzero(np.triu(event[:, None] != event, 1))
    counts, alone = both[one, other], _popcount(bits)
    phi = _phi(counts, np.minimum(alone[one], alone[other]), flags.n_accounts)
    return np.column_stack((cells[one], cells[other])), counts, marked[one, other], phi


def _marked(flags: Flags, rows: NDArray[np.int64], mark: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sum the accounts' marks over those that met each candidate; where sums differ, so do the accounts."""
    sums = np.zeros(len(rows), dtype=np.int64)
    for bit in range(_MARK_BITS):
        having = np.packbits((mark >> bit & 1).astype(bool))
        for block in _blocks(len(rows), len(having)):
            sums[block] += _popcount(flags.packed[rows[block]] & having) << bit
    return sums


def _together(bits: NDArray[np.uint8], n: int, values: NDArray[np.number[Any]] | None = None) -> NDArray[np.float64]:
    """Sum values over the accounts that met both of every two rows; without values, count them."""
    sums = np.zeros((len(bits), len(bits)))
    for start in range(0, n, _ACCOUNTS):
        size = min(_ACCOUNTS, n - start)
        met = np.unpackbits(bits[:, start // 8 : (start + _ACCOUNTS) // 8], axis=1, count=size).astype(np.float32)
        weighed = met if values is None else met * values[start : start + size].astype(np.float32)
        sums += weighed @ met.T
    return sums


def _phi(inner: NDArray[np.int64], outer: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    """Correlate a set of accounts with a larger one around it; 1 where either tells no accounts apart."""
    told_apart = (outer > 0) & (outer < n) & (inner < n)
    share = np.divide(inner * (n - outer), outer * (n - inner), out=np.ones(len(inner)), where=told_apart)
    phi: NDArray[np.float64] = np.sqrt(share)
    return phi


def _two_sided(counts: NDArray[np.int64], n: int, min_side: int) -> NDArray[np.bool_]:
    return (counts >= max(min_side, 1)) & (counts <= n - max(min_side, 1))


def _first_of_each(
    flags: Flags,
    parts: NDArray[np.int32],
    keys: NDArray[np.int64],
    earlier: Sequence[tuple[NDArray[Any], NDArray[np.int64]]],
) -> NDArray[np.int64]:
    """Return the rows met by other accounts than those of `earlier` (parts and keys) and of simpler rows.

    Keys are the same for rows met by the same accounts, and mostly for no others.
    """
    seen: set[bytes] = set()
    for known, reached in earlier:
        seen.update(digest for _, digest in _digests(flags, known, np.flatnonzero(np.isin(reached, keys))))
    _, twin, how_many = np.unique(keys, return_inverse=True, return_counts=True)
    alone = (how_many[twin] == 1) & ~np.isin(keys, np.concatenate([known for _, known in earlier]))
    first = np.flatnonzero(alone).tolist()
    order = _simplest_first(flags, parts)
    for row, digest in _digests(flags, parts, order[~alone[order]]):
        if digest not in seen:
            seen.add(digest)
            first.append(row)
    return np.array(first, dtype=np.int64)


def _digests(flags: Flags, parts: NDArray[Any], rows: NDArray[np.int64]) -> Iterator[tuple[int, bytes]]:
    for block in _blocks(len(rows), flags.packed.shape[1]):
        met = _met(flags.packed, parts[rows[block]])
        yield from zip(rows[block].tolist(), (blake2b(bits, digest_size=16).digest() for bits in met), strict=True)


def _simplest_first(flags: Flags, parts: NDArray[np.int32]) -> NDArray[np.int64]:
    often = np.array([condition.at_least for condition in flags.conditions], dtype=np.int64)[parts].sum(axis=1)
    hours = np.array([condition.within_hours or 0 for condition in flags.conditions], dtype=np.int64)[parts].sum(axis=1)
    return np.lexsort((*parts.T[::-1], -hours, often))


def _arranged(
    flags: Flags, cells: NDArray[np.int32], parts: NDArray[np.int32], counts: NDArray[np.int64]
) -> Conjunctions:
    """Order the conjunctions by their events and then by their parts, and name their families."""
    events = flags.event_of[parts]
    order = np.lexsort((*parts.T[::-1], *events.T[::-1]))
    parts, counts = parts[order], counts[order]
    _, first, family_of = np.unique(events[order], axis=0, return_index=True, return_inverse=True)
    named = [Milestone(tuple(flags.conditions[part] for part in parts[row])).family for row in first]
    for array in (cells, parts, counts):
        array.flags.writeable = False
    return Conjunctions(
        flags=flags,
        cells=cells,
        parts=parts,
        counts=counts,
        families=tuple(named),
        family_of=family_of.reshape(-1).astype(np.int32),
    )


def _counted(flags: Flags, parts: NDArray[np.int32]) -> NDArray[np.int64]:
    counts = np.empty(len(parts), dtype=np.int64)
    for rows in _blocks(len(parts), flags.packed.shape[1]):
        counts[rows] = _popcount(_met(flags.packed, parts[rows]))
    return counts


def _met(packed: NDArray[np.uint8], parts: NDArray[Any]) -> NDArray[np.uint8]:
    bits: NDArray[np.uint8] = packed[parts[:, 0]]
    for part in parts.T[1:]:
        bits &= packed[part]
    return bits


def _blocks(rows: int, row_bytes: int, most_bytes: int = _BLOCK_BYTES) -> Iterator[slice]:
    step = max(1, most_bytes // max(1, row_bytes))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))
