from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from discovery.exposure import Exposure, measure

from .naive_log import ACCOUNTS, EVENTS, Log, SmallBatches, lay


@pytest.fixture(scope="session")
def engine() -> Iterator[SmallBatches]:
    with SmallBatches(threads=1) as opened:
        yield opened


@pytest.fixture(scope="session")
def measured(engine: SmallBatches) -> Callable[[Log], Exposure]:
    """Lay a log on the engine and measure it."""

    def exposed(log: Log) -> Exposure:
        lay(engine, log)
        return measure(engine, EVENTS, ACCOUNTS, log.n_accounts, log.windows_us, log.observation_us)

    return exposed
