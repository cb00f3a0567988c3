"""The benchmark of reading: its export is what it says, and its page says what was measured."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from benchmarks.reading.export import Export, written
from benchmarks.reading.measure import Measured, measured
from benchmarks.reading.page import Reading, publish
from discovery.intake import load
from discovery.spec import build_spec


@pytest.fixture(scope="module")
def export(tmp_path_factory) -> Export:
    return written(tmp_path_factory.mktemp("reading"), 1, accounts=200, workers=1, lines=2_000)


def test_every_line_is_a_record_and_is_counted(export):
    with gzip.open(export.events, "rt", encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    assert len(records) == export.rows
    assert export.bytes == export.events.stat().st_size >= 1_000_000
    assert {record["type"] for record in records} == {"track", "page", "identify", "group"}
    assert len({record["messageId"] for record in records}) == len(records)


def test_an_export_that_is_there_is_not_written_again(export):
    before = export.events.stat().st_mtime_ns
    assert written(export.events.parent, 1, accounts=200) == export
    assert export.events.stat().st_mtime_ns == before


def test_the_export_is_recognised_and_usable(export):
    relations = load(str(export.events), str(export.accounts), build_spec({}))
    with gzip.open(export.events, "rt", encoding="utf-8") as file:
        events = sum('"type":"track"' in line for line in file)
    assert relations.layout == "segment"
    assert relations.events_rows == export.rows
    assert relations.engine.rows(f'SELECT count(*) FROM "{relations.events_table}"') == [(events,)]


def test_a_reading_is_measured_in_a_process_of_its_own(export, monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    count = measured("count", export.events, export.accounts, "500MB")
    assert (count.task, count.rows) == ("count", export.rows)
    assert count.peak >= count.before > 10_000_000
    assert count.seconds > 0


def test_the_page_says_what_was_measured(export, tmp_path):
    def took(task, seconds: float, peak: int) -> Measured:
        return Measured(task=task, seconds=seconds, peak=peak, before=10**8, rows=1234567, usable=1100000)

    made = Export(export.events, export.accounts, 1234567, 10**9)
    reading = Reading(
        export=made, memory="1GB", baseline=took("count", 10.0, 1), read=took("load", 25.0, 1_500_000_000)
    )
    publish([reading], "python -m benchmarks.reading --sizes 1000", tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text()
    assert "| 1.00 GB | 1,234,567 | 1,100,000 | 1GB | 25.0 | 10.0 | 2.5 | 1.50 GB |" in page
    assert "`python -m benchmarks.reading --sizes 1000`" in page
