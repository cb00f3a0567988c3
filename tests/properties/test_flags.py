"""What must hold of flags whatever the log: the promises that every later page leans on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.exposure import Exposure, candidate_flags, flag, measure
from discovery.milestone import Milestone
from discovery.spec import Day

from ..exposure.naive_log import ACCOUNTS, EVENTS, Log, SmallBatches, lay, logs

GRID = ((1, 2, 3), (1, 3, 7, 14), (1, 2, 3))


@pytest.fixture(scope="module")
def engine() -> Iterator[SmallBatches]:
    with SmallBatches(threads=1) as opened:
        yield opened


def exposed(engine: SmallBatches, log: Log) -> Exposure:
    lay(engine, log)
    return measure(engine, EVENTS, ACCOUNTS, log.n_accounts, log.windows_us, log.observation_us)


def same_flags(one: Exposure, other: Exposure, positions: np.ndarray, others: np.ndarray) -> None:
    first, second = candidate_flags(one, positions, *GRID), candidate_flags(other, others, *GRID)
    assert first.conditions == second.conditions
    assert first.packed.tobytes() == second.packed.tobytes()


@settings(max_examples=25, deadline=None)
@given(log=logs(), late=logs(), after=st.integers(0, 400 * Day))
def test_events_outside_the_window_never_change_a_flag(engine: SmallBatches, log: Log, late: Log, after: int) -> None:
    """Rows after the landmark, and before signup, are as if they were not there."""
    positions = np.arange(log.n_accounts)
    starts = {f"a{i}": signup for i, signup in enumerate(log.signups) if signup is not None}
    beyond = [(a, e, u, starts[a] + 14 * Day + after) for a, e, u, _ in late.events if a in starts]
    before = [(a, e, u, starts[a] - 1 - after) for a, e, u, _ in late.events if a in starts]
    more = replace(log, events=(*beyond, *log.events, *before))
    same_flags(exposed(engine, log), exposed(engine, more), positions, positions)


@settings(max_examples=25, deadline=None)
@given(
    log=logs(),
    k=st.integers(1, 4),
    u=st.integers(1, 3),
    d=st.sampled_from([1, 3, 7, 14]),
    harder=st.sampled_from(["k", "u", "d"]),
)
def test_raising_a_threshold_never_adds_accounts(
    engine: SmallBatches, log: Log, k: int, u: int, d: int, harder: str
) -> None:
    exposure = exposed(engine, log)
    positions = np.arange(log.n_accounts)
    tighter = {14: 7, 7: 3, 3: 1, 1: 1}[d]
    for event in exposure.events:
        easy = flag(exposure, positions, Milestone.of(event, k, 24 * d, u))
        raised = {"k": (k + 1, 24 * d, u), "u": (k, 24 * d, u + 1), "d": (k, 24 * tighter, u)}[harder]
        assert not (flag(exposure, positions, Milestone.of(event, *raised)) & ~easy).any()


@settings(max_examples=20, deadline=None)
@given(log=logs(), seed=st.integers(0, 999))
def test_row_order_is_irrelevant(engine: SmallBatches, log: Log, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(log.events))
    shuffled = replace(log, events=tuple(log.events[i] for i in order))
    positions = np.arange(log.n_accounts)
    same_flags(exposed(engine, log), exposed(engine, shuffled), positions, positions)


@settings(max_examples=20, deadline=None)
@given(log=logs(), seed=st.integers(0, 999))
def test_relabelling_accounts_permutes_the_columns(engine: SmallBatches, log: Log, seed: int) -> None:
    """Account i becomes account new[i]: asked for in that order, the flags are the same bits."""
    new = np.random.default_rng(seed).permutation(log.n_accounts)
    signups = tuple(log.signups[i] for i in np.argsort(new))
    names = {f"a{i}": f"a{new[i]}" for i in range(log.n_accounts)}
    events = tuple((names.get(a, a), e, u, t) for a, e, u, t in log.events)
    one, other = exposed(engine, log), exposed(engine, Log(events, signups))
    same_flags(one, other, np.arange(log.n_accounts), new)
