"""A stopped run goes on where it was."""

import dataclasses
import json

from benchmarks.accuracy.judge import Interval, Judged, Rival, failure
from benchmarks.accuracy.store import ROWS_COME_FROM, Store, code_version


def row(seed, version="v1"):
    return dataclasses.replace(
        failure(("easy", 1000, seed), version, "x"),
        failed=None,
        intervals=(Interval(rank=1, planted=True, estimate=0.1, lower=0.0, upper=0.2, overlap=0.1, average=0.12),),
        rivals=(Rival(name="lift", rank=None, vanity_first=False, declared=True, seconds=0.1),),
        settings={"kind": "single"},
    )


def test_rows_come_back_as_they_were(tmp_path):
    store = Store(tmp_path / "deep" / "rows.jsonl", Judged)
    assert store.rows("v1") == []
    store.add(row(1))
    store.add(row(2, "v2"))
    assert store.rows("v1") == [row(1)]
    assert store.rows() == [row(1), row(2, "v2")]


def test_resumes_after_a_truncated_last_line(tmp_path):
    path = tmp_path / "rows.jsonl"
    for seed in (1, 2):
        Store(path, Judged).add(row(seed))
    path.write_bytes(path.read_bytes()[:-25])
    store = Store(path, Judged)
    assert store.rows("v1") == [row(1)]
    store.add(row(2))
    assert store.rows("v1") == [row(1), row(2)]
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_a_run_done_twice_counts_once(tmp_path):
    store = Store(tmp_path / "rows.jsonl", Judged)
    store.add(row(1))
    store.add(row(1))
    assert store.rows("v1") == [row(1)]


def test_rows_are_plain_json():
    values = json.loads(json.dumps(row(1).as_dict()))
    assert Judged.from_dict(values) == row(1)


def test_the_version_is_that_of_the_sources():
    assert code_version() == code_version()
    assert "judge.py" in ROWS_COME_FROM
