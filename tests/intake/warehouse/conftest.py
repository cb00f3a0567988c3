"""One server of each kind for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from . import servers


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.Server]:
    with servers.postgres() as server:
        yield server


@pytest.fixture(scope="session")
def spark() -> Iterator[servers.Server]:
    with servers.spark() as server:
        yield server


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    with servers.clickhouse(tmp_path_factory.mktemp("clickhouse")) as server:
        yield server


@pytest.fixture(params=["postgres", "spark", "clickhouse"])
def server(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)
