from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from discovery.engines.clickhouse import ClickHouseEngine
from discovery.engines.postgres import PostgresEngine
from discovery.engines.spark import SparkEngine

from . import real


@pytest.fixture(scope="session")
def postgres_address() -> Iterator[str]:
    with real.postgres_server() as address:
        yield address


@pytest.fixture(scope="session")
def postgres(postgres_address: str) -> Iterator[PostgresEngine]:
    with PostgresEngine(postgres_address) as engine:
        yield engine


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkEngine]:
    with real.spark() as engine:
        yield engine


@pytest.fixture(scope="module")  # other tests open a folder, and a process opens one place at a time
def clickhouse() -> Iterator[ClickHouseEngine]:
    with real.clickhouse() as engine:
        yield engine


@pytest.fixture(params=["postgres", "spark", "clickhouse"])
def engine(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)
