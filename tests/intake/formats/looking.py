"""Exports as a format looks at them, and formats with a part left out."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from discovery.engines.duckdb import DuckDBEngine
from discovery.intake.formats import Layout, Look
from discovery.intake.memory import open_source
from discovery.intake.sources import sample_rows
from discovery.spec import EventsSpec


def look_at(engine: DuckDBEngine, given: Any, **spec: Any) -> Look:
    """Return the look that a format gets of events, as the spec asks of them."""
    source = open_source(engine, given, "events", "given")
    sample_rows(engine, source, "sample", 20_000)
    return Look(engine=engine, source=source, rows="sample", spec=EventsSpec(**spec))


@contextmanager
def opened(path: Path, **spec: Any) -> Iterator[Look]:
    """Look at a file in an engine of its own."""
    with DuckDBEngine(threads=1) as engine:
        yield look_at(engine, path, **spec)


@contextmanager
def looked(rows: list[dict[str, Any]], folder: Path, **spec: Any) -> Iterator[Look]:
    """Look at rows as a file of JSON lines."""
    with opened(written(rows, folder), **spec) as look:
        yield look


def written(rows: list[dict[str, Any]], folder: Path) -> Path:
    """Write rows as a new file of JSON lines."""
    path = folder / f"rows-{len(list(folder.iterdir()))}.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


class Without:
    """A format with one part of its layout left out."""

    def __init__(self, whole: ModuleType, part: str) -> None:
        self.likeness, self._whole, self._part = whole.likeness, whole, part

    def layout(self, look: Look, reason: str) -> Layout:
        laid: Layout = self._whole.layout(look, reason)
        return dataclasses.replace(laid, **{self._part: ""})
