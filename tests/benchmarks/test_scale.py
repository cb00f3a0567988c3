"""The benchmark of size: its log is what it says, its tasks give one answer, its page says what was measured."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from benchmarks.scale.log import NAMES, written
from benchmarks.scale.measure import Measured, Stages, measured
from benchmarks.scale.page import Figure, publish
from benchmarks.scale.ranking import TASKS as RANKING
from benchmarks.scale.ranking import made
from benchmarks.scale.tasks import TASKS


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return written(tmp_path_factory.mktemp("scale"), 20_000)


def test_a_log_is_as_large_as_it_says_and_always_the_same(log, tmp_path):
    rows, accounts, names = duckdb.sql(
        f"SELECT count(*), count(DISTINCT account_id), count(DISTINCT event) FROM '{log.pattern}'"
    ).fetchall()[0]
    assert rows == 20_000
    assert 150 < accounts <= log.accounts == 200
    assert 100 < names <= NAMES
    again = written(tmp_path, 20_000)
    same = "SELECT sum(hash(account_id, event, user_id, timestamp)) FROM '{}'"
    assert duckdb.sql(same.format(log.pattern)).fetchall() == duckdb.sql(same.format(again.pattern)).fetchall()


def test_what_is_timed_gives_one_answer(log):
    counted = [TASKS[task](log, "1GB", Stages()) for task in ("naive_sql", "polars", "pandas", "exposure")]
    found = [{name: said[name] for name in ("groups", "rows", "users_in_7_days")} for said in counted]
    assert found[0]["groups"] > 1_000
    assert all(one == found[0] for one in found)


def test_a_task_is_measured_in_a_process_of_its_own(log, monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    took = measured("group_by", log, "1GB", repeats=2)
    assert took.task == "group_by"
    assert took.peak >= took.before > 10_000_000
    assert took.seconds > 0
    assert took.said["groups"] > 1_000


def test_a_task_that_fails_says_so(log, monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    with pytest.raises(SystemExit, match="failed"):
        measured("group_by", log, "nonsense")


def test_stages_add_up():
    stages = Stages()
    for stage in ("reading", "reading", "counting", "reading"):
        stages(stage, 0.5)
    assert list(stages.seconds()) == ["reading", "counting"]


def test_the_page_says_what_was_measured(tmp_path):
    figures = [
        _figure("group_by", 1_000_000, 2.0, 3e9),
        _figure("exposure", 1_000_000, 3.0, 1e9, {"Reading the events": 1.4, "counting": 1.5, "packing": 0.1}),
        _figure("run", 1_000_000, 10.0, 2e9, {"Reading the events": 4.0, "Writing the report": 6.0}),
        _figure("group_by", 10_000_000, 20.0, 3e9),
        _figure("run", 10_000_000, 150.0, 4e9),
        _figure("help", 300_000, 0.25, 5e7),
        _figure("command", 300_000, 8.5, 5e8),
    ]
    page = tmp_path / "performance.md"
    publish(figures, page)
    text = page.read_text(encoding="utf-8")
    assert "| **the whole study and its report** | 10.00 | 5.0 |" in text
    assert "| of that, exposure and flags from the log as it is kept | 1.60 | 0.8 |  |  |" in text
    assert "| 10,000,000 | 2.00 |  | 15.00 |" in text
    assert "| `discover run` on 5,000 accounts and 300,000 events | 8.50 | 0.50 GB |" in text
    assert (tmp_path / "performance.svg").read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.parametrize("task", sorted(RANKING))
def test_ranking_is_timed_and_held_to_the_other_libraries(task):
    said = RANKING[task](made(72, 3_000))
    assert said["seconds"] > 0
    assert said.get("largest_difference", 0.0) < 1e-5  # lifelines stops its steps early


def _figure(task: str, events: int, seconds: float, peak: float, stages: dict[str, float] | None = None) -> Figure:
    took = Measured(task=task, seconds=seconds, cpu=seconds, peak=int(peak), before=1, stages=stages or {})
    return Figure(log_events=events, log_accounts=events // 100, memory="6GB", repeats=3, took=took)
