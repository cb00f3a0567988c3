"""Conjunctions equal `and` judged account by account, and say something that none of their parts does."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.exposure import Flags
from discovery.exposure.conjunctions import pair_flags, triple_flags
from discovery.milestone import Condition, Milestone

GRID = tuple(itertools.product((1, 3), (14, 7)))


def flags_of(counts: dict[str, np.ndarray]) -> Flags:
    """Candidates k in {1, 2, 3} of events done `counts` (int[2, n]: within 7 and within 14 days) times."""
    conditions, event_of, rows = [], [], []
    for index, (event, (week, fortnight)) in enumerate(counts.items()):
        for k, (days, often) in itertools.product((1, 2, 3), ((14, fortnight), (7, week))):
            conditions.append(Condition(event, k, 24 * days))
            event_of.append(index)
            rows.append(np.packbits(often >= k))
    n = len(next(iter(counts.values()))[0])
    packed = np.array(rows, dtype=np.uint8)
    return Flags(conditions=tuple(conditions), packed=packed, n_accounts=n, event_of=np.array(event_of, dtype=np.int32))


@st.composite
def some_flags(draw: st.DrawFn, n_events: int = 4) -> Flags:
    n, seed = draw(st.integers(2, 70)), draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    week = rng.integers(0, 5, (n_events, n)) * rng.integers(0, 2, (n_events, 1 if draw(st.booleans()) else n))
    both = np.stack((week, week + rng.integers(0, 3, (n_events, n))), axis=1)
    return flags_of({f"e{index}": both[index] for index in range(n_events)})


def phi(one: np.ndarray, other: np.ndarray) -> float:
    table = [[np.sum((one == a) & (other == b)) for b in (True, False)] for a in (True, False)]
    (a, b), (c, d) = np.array(table, dtype=float)
    spread = (a + b) * (c + d) * (a + c) * (b + d)
    return float((a * d - b * c) / np.sqrt(spread)) if spread else 1.0


def naive_pairs(flags: Flags, allowed: list[int], min_side: int, max_phi: float) -> dict[bytes, tuple[int, ...]]:
    """Every indicator that should be there, and the simplest pair of rows for it."""
    dense, n = flags.dense(slice(None)), flags.n_accounts
    may = [row for row in range(len(flags)) if flags.event_of[row] in allowed]
    cells = [r for r in may if (flags.conditions[r].at_least, flags.conditions[r].within_days) in GRID]
    pairs = [pair for pair in itertools.combinations(cells, 2) if len(set(flags.event_of[list(pair)])) == 2]

    def simple(pair: tuple[int, ...]) -> tuple[object, ...]:
        parts = [flags.conditions[row] for row in pair]
        return sum(p.at_least for p in parts), -sum(p.within_hours or 0 for p in parts), pair

    taken = {dense[row].tobytes() for row in may}
    found: dict[bytes, tuple[int, ...]] = {}
    for pair in sorted(pairs, key=simple):
        met = dense[pair[0]] & dense[pair[1]]
        nearest = max(phi(met, dense[row]) for row in pair)
        if min_side <= met.sum() <= n - min_side and nearest <= max_phi and met.tobytes() not in taken:
            found.setdefault(met.tobytes(), pair)
    return found


@settings(max_examples=60, deadline=None)
@given(
    flags=some_flags(),
    allowed=st.sets(st.integers(0, 3)).map(sorted),
    min_side=st.integers(1, 8),
    max_phi=st.sampled_from([0.5, 0.77, 0.951, 2.0]),
)
def test_pairs_equal_those_found_one_by_one(flags: Flags, allowed: list[int], min_side: int, max_phi: float) -> None:
    pairs = pair_flags(flags, allowed, min_side=min_side, max_phi=max_phi)
    wanted = naive_pairs(flags, allowed, min_side, max_phi)
    dense = pairs.dense(slice(None))
    assert {met.tobytes(): tuple(parts) for met, parts in zip(dense, pairs.parts.tolist(), strict=True)} == wanted


@settings(max_examples=40, deadline=None)
@given(flags=some_flags(), seed=st.integers(0, 99))
def test_a_pair_is_met_by_those_who_met_both_parts(flags: Flags, seed: int) -> None:
    pairs = pair_flags(flags, range(4))
    some = np.random.default_rng(seed).random(flags.n_accounts) < 0.5
    alone, both = flags.dense(slice(None)), pairs.dense(slice(None))
    assert (both == alone[pairs.parts].all(axis=1)).all()
    assert (pairs.reached()[:, None] <= flags.reached()[pairs.parts]).all()
    assert pairs.reached().tolist() == both.sum(axis=1).tolist()
    assert pairs.among(some).tolist() == both[:, some].sum(axis=1).tolist()
    assert (np.packbits(both, axis=1) == pairs.packed()).all()


@settings(max_examples=30, deadline=None)
@given(flags=some_flags(), order=st.permutations(range(4)))
def test_the_order_of_events_is_irrelevant(flags: Flags, order: list[int]) -> None:
    rows = np.concatenate([np.flatnonzero(flags.event_of == event) for event in order])
    shuffled = Flags(
        conditions=tuple(flags.conditions[row] for row in rows),
        packed=flags.packed[rows],
        n_accounts=flags.n_accounts,
        event_of=np.repeat(np.arange(4, dtype=np.int32), len(flags) // 4),
    )
    one, other = pair_flags(flags, range(4)), pair_flags(shuffled, range(4))
    assert {bits.tobytes() for bits in one.packed()} == {bits.tobytes() for bits in other.packed()}


@settings(max_examples=30, deadline=None)
@given(flags=some_flags(), min_side=st.integers(1, 5), max_phi=st.sampled_from([0.77, 0.951, 2.0]))
def test_triples_are_new_and_met_by_those_who_met_all_three(flags: Flags, min_side: int, max_phi: float) -> None:
    pairs = pair_flags(flags, range(4), min_side=min_side)
    triples = triple_flags(pairs, range(len(pairs)), min_side=min_side, max_phi=max_phi)
    alone, dense = flags.dense(slice(None)), triples.dense(slice(None))
    assert (dense == alone[triples.parts].all(axis=1)).all()
    assert all(len(set(flags.event_of[parts])) == 3 for parts in triples.parts)
    assert ((dense.sum(axis=1) >= min_side) & ((~dense).sum(axis=1) >= min_side)).all()
    known = {bits.tobytes() for bits in pairs.packed()}
    assert len({bits.tobytes() for bits in triples.packed()} - known) == len(triples)
    for parts, met in zip(triples.parts, dense, strict=True):
        inside = [
            alone[parts[0]] & alone[parts[1]],
            alone[parts[0]] & alone[parts[2]],
            alone[parts[1]] & alone[parts[2]],
        ]
        assert max(phi(met, pair) for pair in inside) <= max_phi


def test_a_conjunction_has_a_canonical_text_and_a_family() -> None:
    rng = np.random.default_rng(1)
    flags = flags_of({name: rng.integers(0, 4, (2, 60)) for name in ("zeta", "Deal Created", "csv")})
    pairs = pair_flags(flags, [0, 1, 2])
    for row in range(len(pairs)):
        milestone = pairs.milestone(row)
        assert Milestone.parse(str(milestone)) == milestone
        assert pairs.families[pairs.family_of[row]] == milestone.family
    assert set(pairs.families) == {"Deal Created + zeta", "Deal Created + csv", "csv + zeta"}
    assert (np.diff(pairs.family_of) >= 0).all()


def test_a_triple_is_built_once_from_whichever_pair() -> None:
    rng = np.random.default_rng(2)
    flags = flags_of({name: rng.integers(0, 4, (2, 400)) for name in "abc"})
    pairs = pair_flags(flags, [0, 1, 2])
    triples = triple_flags(pairs, range(len(pairs)))
    assert len({tuple(parts) for parts in triples.parts.tolist()}) == len(triples) > 20
    assert triples.families == ("a + b + c",)
    first = triple_flags(pairs, [0])
    assert all(set(pairs.parts[0]) < set(parts) for parts in first.parts.tolist())


@pytest.mark.parametrize("allowed", [[], [0]])
def test_without_two_events_there_is_no_pair(allowed: list[int]) -> None:
    flags = flags_of({name: np.arange(40).reshape(2, 20) % 4 for name in "ab"})
    pairs = pair_flags(flags, allowed)
    assert (len(pairs), pairs.packed().shape, pairs.families) == (0, (0, 3), ())
    assert len(triple_flags(pairs, [])) == 0
    assert pairs.among(np.ones(20, dtype=bool)).tolist() == []


def test_a_grid_that_was_not_searched_is_not_combined() -> None:
    rng = np.random.default_rng(3)
    flags = flags_of({name: rng.integers(0, 4, (2, 90)) for name in "ab"})
    assert len(pair_flags(flags, [0, 1], base_d=(3,))) == 0
    asked = {c for row in pair_flags(flags, [0, 1], base_k=(2,), base_d=(7,)).parts for c in row.tolist()}
    assert {str(flags.conditions[row]) for row in asked} == {"a >= 2 within 7d", "b >= 2 within 7d"}


@pytest.mark.parametrize(("min_side", "kept"), [(10, 1), (11, 0)])
def test_a_pair_that_nearly_everyone_met_is_left_out(min_side: int, kept: int) -> None:
    often = np.ones((2, 2, 200), dtype=np.int64)
    often[0, :, :5] = often[1, :, 195:] = 0
    flags = flags_of({"a": often[0], "b": often[1]})
    assert len(pair_flags(flags, [0, 1], min_side=min_side)) == kept


@settings(deadline=None, max_examples=60)
@given(some_flags(), st.integers(0, 1000))
def test_thinned_pairs_and_sums_are_those_account_by_account(flags: Flags, seed: int) -> None:
    pairs = pair_flags(flags, range(4))
    if not len(pairs):
        return
    rng, met = np.random.default_rng(seed), pairs.dense(slice(None))
    some = np.flatnonzero(rng.random(flags.n_accounts) < 0.5)
    fewer = pairs.thinned(some)
    np.testing.assert_array_equal(fewer.dense(slice(None)), met[:, some])
    np.testing.assert_array_equal(fewer.counts, met[:, some].sum(axis=1))
    assert [str(fewer.milestone(i)) for i in range(len(fewer))] == [str(pairs.milestone(i)) for i in range(len(pairs))]
    values = rng.normal(size=flags.n_accounts)
    np.testing.assert_allclose(pairs.sums(values), met @ values, atol=1e-4)
    np.testing.assert_array_equal(pairs.among(np.ones(flags.n_accounts, dtype=bool)), met.sum(axis=1))


def test_pairs_over_several_blocks_of_accounts_are_counted_whole() -> None:
    rng = np.random.default_rng(3)
    flags = flags_of({f"e{i}": np.sort(rng.poisson(0.8, (2, 40_003)), axis=0) for i in range(3)})
    pairs = pair_flags(flags, range(3))
    met = pairs.dense(slice(None))
    assert len(pairs) > 40
    np.testing.assert_array_equal(pairs.counts, met.sum(axis=1))
    values = rng.normal(size=40_003)
    np.testing.assert_allclose(pairs.sums(values), met @ values, atol=0.01)


def test_sums_are_taken_over_pairs_alone() -> None:
    rng = np.random.default_rng(0)
    flags = flags_of({f"e{i}": np.sort(rng.poisson(1.0, (2, 60)), axis=0) for i in range(3)})
    triples = triple_flags(pair_flags(flags, range(3)), range(2))
    with pytest.raises(ValueError, match="pairs"):
        triples.sums(np.ones(60))
