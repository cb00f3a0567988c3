from __future__ import annotations

import gc
import os
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from discovery.engines.duckdb import DuckDBEngine, _answer, _config
from discovery.errors import EngineError


@pytest.fixture
def engine():
    with DuckDBEngine(memory_limit="500MB") as held:
        yield held


def test_settings_keep_time_utc_and_nothing_downloaded(engine):
    names = ["TimeZone", "autoinstall_known_extensions", "autoload_known_extensions", "preserve_insertion_order"]
    values = engine.rows("SELECT " + ", ".join(f"current_setting('{name}')" for name in names))[0]
    assert values == ("UTC", False, False, False)
    assert engine.rows("SELECT current_setting('temp_directory')") == [(engine.temp_directory,)]


def test_settings_hold_for_batches_as_well(engine):
    batch = next(engine.batches("SELECT current_setting('TimeZone') AS zone"))
    assert batch.column(0).to_pylist() == ["UTC"]


def test_batches_stream_while_other_queries_run(engine):
    batches = engine.batches("SELECT range AS i FROM range(300000)")
    first = next(batches)
    assert first.num_rows < 300_000
    assert engine.rows("SELECT 1") == [(1,)]
    rest = sum(batch.num_rows for batch in batches)
    assert first.num_rows + rest == 300_000


def test_a_query_that_fails_midway_is_an_engine_error(engine):
    late = "SELECT CAST(CASE WHEN range = 250000 THEN 'x' ELSE '1' END AS INTEGER) AS i FROM range(300000)"
    with pytest.raises(EngineError, match="Could not convert string 'x'"):
        list(engine.batches(late))


def test_a_refused_query_is_an_engine_error_of_one_line(engine):
    with pytest.raises(EngineError) as caught:
        engine.rows("SELECT * FROM nowhere")
    assert "nowhere" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_register_copies_and_quotes_the_name(engine):
    engine.register('odd "name"; --', pa.table({"a": [1, 2]}))
    assert engine.rows('SELECT sum(a) FROM "odd ""name""; --"') == [(3,)]
    assert sum(b.num_rows for b in engine.batches('SELECT * FROM "odd ""name""; --"')) == 2


def test_python_variables_are_not_tables(engine):
    frame = pa.table({"a": [1]})
    with pytest.raises(EngineError):
        engine.rows("SELECT * FROM frame")
    assert frame.num_rows == 1


def test_close_removes_the_temporary_folder_and_may_be_repeated():
    engine = DuckDBEngine()
    folder = engine.temp_directory
    assert os.path.isdir(folder)
    engine.close()
    engine.close()
    assert not os.path.exists(folder)
    with pytest.raises(EngineError):
        engine.rows("SELECT 1")


def test_a_forgotten_engine_leaves_no_folder():
    engine = DuckDBEngine()
    folder = engine.temp_directory
    del engine
    gc.collect()
    assert not os.path.exists(folder)


def test_a_memory_limit_that_is_no_size_is_refused():
    with pytest.raises(EngineError, match="could not be started"):
        DuckDBEngine(memory_limit="plenty")


def test_table_keeps_order_of_an_ordered_query(engine):
    ids = engine.table("SELECT range AS i FROM range(200000) ORDER BY i DESC").column("i").to_numpy()
    assert np.array_equal(ids, np.arange(200_000)[::-1])


@pytest.mark.skipif(duckdb.__version__.startswith("1."), reason="DuckDB 1 always waits")
def test_tables_that_are_removed_do_not_wait_for_the_disk_and_others_do(engine, tmp_path):
    asked = "SELECT current_setting('fsync_mode')"
    assert engine.rows(asked) == [("NONE",)]
    with DuckDBEngine(folder=str(tmp_path)) as lasting:
        assert lasting.rows(asked) == [("STANDARD",)]


def test_no_progress_bar_reaches_standard_output(engine):
    asked = "SELECT current_setting('enable_progress_bar_print') AS printed"
    assert engine.rows(asked) == [(False,)]
    assert next(engine.batches(asked)).column(0).to_pylist() == [False]


LONG = "CREATE OR REPLACE TABLE made AS SELECT md5(CAST(range AS VARCHAR)) AS text FROM range(1000000)"


knows_progress = pytest.mark.skipif(duckdb.__version__.startswith("1."), reason="DuckDB 1 knows no progress")


@pytest.fixture
def looking_often(monkeypatch):
    monkeypatch.setattr("discovery.engines.answers._HEARD_WITHIN", 0.002)


@knows_progress
def test_a_statement_says_how_far_it_is(engine, looking_often):
    shares = []
    engine.execute(LONG, shares.append)
    assert len(shares) > 3
    assert shares == sorted(set(shares))
    assert 0 < shares[0] < shares[-1] <= 1
    assert engine.rows("SELECT count(*) FROM made") == [(1_000_000,)]


@knows_progress
def test_what_fails_or_is_stopped_while_it_says_so_is_told_as_ever(engine, looking_often):
    def stop(share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.execute(LONG, stop)
    with pytest.raises(EngineError, match="DuckDB could not answer"):
        engine.execute("CREATE TABLE made AS SELECT nothing", print)
    assert engine.rows("SELECT 1") == [(1,)]


@pytest.mark.parametrize("error", [RuntimeError("Query interrupted"), duckdb.InterruptException("Interrupted!")])
def test_an_interrupted_query_is_a_keyboard_interrupt(error):
    def ask():
        raise error

    with pytest.raises(KeyboardInterrupt):
        _answer(ask)


def test_the_memory_limit_is_a_share_of_the_memory_in_bytes():
    limit = _config("folder", None, None)["memory_limit"]
    assert limit.endswith("B")
    assert 0 < int(limit[:-1]) <= 0.7 * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux says what is resident")
def test_memory_is_given_back_and_the_limit_stays():
    with DuckDBEngine(memory_limit="500MB") as engine:
        asked = "SELECT current_setting('memory_limit')"
        before = engine.rows(asked)
        engine.execute(LONG)
        engine.execute("CREATE TABLE sorted AS SELECT * FROM made ORDER BY text")
        engine.execute("DROP TABLE sorted")
        held = resident()
        engine.give_back()
        assert engine.rows(asked) == before
        assert resident() < held - 5_000


def test_tables_are_let_go_of_and_read_again_from_disk():
    held = "SELECT sum(memory_usage_bytes) FROM duckdb_memory()"
    with DuckDBEngine(memory_limit="500MB") as engine:
        engine.execute("CREATE TABLE large AS SELECT hash(range) AS value FROM range(10_000_000)")
        asked = "SELECT count(*), bit_xor(value) FROM large"
        before = engine.rows(asked)
        assert engine.rows(held)[0][0] > 60e6
        engine.give_back()
        assert engine.rows(held)[0][0] < 25e6
        assert engine.rows(asked) == before


def test_an_engine_at_rest_holds_a_quarter_and_answers_as_before():
    with DuckDBEngine(memory_limit="4GiB") as engine:
        engine.execute("CREATE TABLE large AS SELECT hash(range) AS value FROM range(3_000_000)")
        asked = "SELECT count(*), bit_xor(value) FROM large"
        before = engine.rows(asked)
        engine.rest()
        assert engine.rows("SELECT current_setting('memory_limit')") == [("1.0 GiB",)]
        assert engine.rows(asked) == before


def test_what_is_being_read_stays_when_memory_is_given_back():
    with DuckDBEngine(memory_limit="500MB") as engine:
        batches = engine.batches("SELECT range FROM range(20_000_000) ORDER BY hash(range)")
        first = next(batches)
        engine.give_back()
        assert first.num_rows + sum(batch.num_rows for batch in batches) == 20_000_000
        assert engine.rows("SELECT current_setting('memory_limit')")[0][0].startswith("476.")


def resident() -> int:
    """Return the pages of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1])
