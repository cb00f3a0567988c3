"""The log that the exports of every format tell of, what must come of it, and each export of it written once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from discovery.engines.duckdb import DuckDBEngine
from tests.exports.plain import Export, PlainLog, loaded_flags, plain_log, write_plain

Written = Callable[[Export], tuple[Path, Path | None]]


@pytest.fixture(scope="session")
def log() -> PlainLog:
    return plain_log(20)


@pytest.fixture(scope="session")
def plain_files(log: PlainLog, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_plain(log, tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="session")
def plain(plain_files: tuple[Path, Path]) -> dict[str, frozenset[str]]:
    return loaded_flags(*plain_files)


@pytest.fixture(scope="session")
def exported(log: PlainLog, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Return where the events and accounts of an export are; tests that change them write their own."""
    done: dict[str, tuple[Path, Path | None]] = {}

    def of(export: Export) -> tuple[Path, Path | None]:
        if export.name not in done:
            done[export.name] = export.write(log, tmp_path_factory.mktemp("export"))
        return done[export.name]

    return of


@pytest.fixture
def engine() -> Iterator[DuckDBEngine]:
    with DuckDBEngine(threads=1) as held:
        yield held
