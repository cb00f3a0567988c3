"""What every engine promises, kept by real ones: types, streams, tables brought in, errors of one line, Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from typing import Any

import pyarrow as pa
import pytest
from sqlglot import exp

from discovery.engines import SCHEMES, open_engine
from discovery.engines.answers import plain_batches
from discovery.engines.clickhouse import ClickHouseEngine
from discovery.engines.postgres import PostgresEngine, _inlined
from discovery.engines.spark import SparkEngine
from discovery.errors import EngineError

NUMBERS = {
    "postgres": "generate_series(0, {n} - 1) AS t(i)",
    "spark": "range({n}) AS t(i)",
    "clickhouse": "(SELECT toInt64(number) AS i FROM numbers({n})) AS t",
}
SLOW = {
    "postgres": "SELECT pg_sleep(60)",
    "spark": "SELECT COUNT(DISTINCT i % 1000003) AS n FROM range(100000000000) AS t(i)",
    "clickhouse": "SELECT SUM(sipHash64(number)) AS n FROM numbers_mt(1000000000000)",
}
PEOPLE = pa.table(
    {
        "account": pa.array([0, 1, 2], pa.int32()),
        "account_id": pa.array(["a", None, 'it\'s \\ "ü" 🦆 ${env:HOME}'], pa.string()),
        "signup": pa.array([1, None, 2**62], pa.int64()),
        "seats": pa.array([0.5, None, 1e300], pa.float64()),
        "paid": pa.array([True, None, False], pa.bool_()),
        "at": pa.array([0, None, 1_710_054_000_000_001], pa.timestamp("us", "UTC")),
    }
)


def sql(engine: Any, found: Any) -> str:
    rows = found.subquery("x") if isinstance(found, exp.Select) else found
    return f"SELECT * FROM {rows.sql(engine.dialect)}"


def read(engine: Any, query: str) -> pa.Table:
    return pa.Table.from_batches(list(engine.batches(query)))


def one_line(caught: pytest.ExceptionInfo[EngineError]) -> str:
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


def test_a_long_answer_comes_in_several_batches_and_whole(engine: Any) -> None:
    text = {"postgres": "TEXT", "spark": "STRING", "clickhouse": "String"}[engine.dialect]
    query = f"SELECT CAST(i AS BIGINT) AS i, CAST(i AS {text}) AS s FROM {NUMBERS[engine.dialect]}"
    batches = list(engine.batches(query.format(n=1_000_000)))
    assert len(batches) > 1
    table = pa.Table.from_batches(batches)
    assert table.schema.types == [pa.int64(), pa.string()]
    assert sorted(table["i"].to_pylist()) == list(range(1_000_000))
    assert table["s"].to_pylist() == list(map(str, table["i"].to_pylist()))


def test_sums_and_counts_are_whole_numbers(engine: Any) -> None:
    query = f"SELECT SUM(i) AS s, COUNT(*) AS n, SUM(CAST(i AS DECIMAL(20, 0))) AS d FROM {NUMBERS[engine.dialect]}"
    (row,) = engine.rows(query.format(n=10))
    assert [(value, type(value)) for value in row] == [(45, int), (10, int), (45, int)]
    table = read(engine, query.format(n=10))
    assert table.schema.types == [pa.int64()] * 3


def test_an_answer_may_be_left_midway(engine: Any) -> None:
    batches = engine.batches(f"SELECT i FROM {NUMBERS[engine.dialect]}".format(n=3_000_000))
    assert next(batches).num_rows
    batches.close()
    assert engine.rows("SELECT 1 AS one") == [(1,)]


@pytest.mark.parametrize("ask", ["batches", "rows"])
def test_a_refused_query_is_an_error_of_one_line(ask: str, engine: Any) -> None:
    with pytest.raises(EngineError) as caught:
        list(getattr(engine, ask)("SELECT a FROM nowhere"))
    assert "nowhere" in one_line(caught)
    assert engine.rows("SELECT 1 AS one") == [(1,)]


def test_a_query_that_fails_midway_is_an_error_of_one_line(engine: Any) -> None:
    divide = "intDiv(100, 900000 - i)" if engine.dialect == "clickhouse" else "100 / (900000 - i)"
    with pytest.raises(EngineError) as caught:
        list(engine.batches(f"SELECT {divide} AS x FROM {NUMBERS[engine.dialect]}".format(n=1_000_000)))
    assert "zero" in one_line(caught).lower()
    assert engine.rows("SELECT 1 AS one") == [(1,)]


def test_columns_of_a_table_and_of_a_select(engine: Any) -> None:
    found = engine.bring("peo`ple", PEOPLE)
    assert list(engine.columns(found.sql(engine.dialect))) == PEOPLE.column_names
    columns = engine.columns("(SELECT 1 AS one, 'x' AS two WHERE 1 = 0)")
    assert list(columns) == ["one", "two"]
    assert columns["two"].lower() in ("text", "string")
    with pytest.raises(EngineError, match="nowhere"):
        engine.columns("nowhere")


@pytest.mark.parametrize("name", ["people", 'odd "name"; --', "back\\slash ` tick"])
def test_what_is_brought_is_read_as_it_was(name: str, engine: Any) -> None:
    engine.bring(name, PEOPLE.slice(0, 1))
    found = engine.bring(name, PEOPLE)
    table = read(engine, sql(engine, found))
    assert table.schema == PEOPLE.schema
    assert sorted(table.to_pylist(), key=repr) == sorted(PEOPLE.to_pylist(), key=repr)


def test_a_table_without_rows_can_be_brought(engine: Any) -> None:
    found = engine.bring("nobody", PEOPLE.slice(0, 0))
    assert engine.rows(sql(engine, found)) == []


def test_ctrl_c_ends_the_query_and_the_engine_goes_on(engine: Any) -> None:
    threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        engine.rows(SLOW[engine.dialect])
    assert time.monotonic() - started < 40
    assert engine.rows("SELECT 1 AS one") == [(1,)]


def test_postgres_says_what_the_server_said(postgres_address: str) -> None:
    with PostgresEngine(postgres_address) as engine, PostgresEngine(postgres_address) as other:
        engine.rows("SET statement_timeout = 200")
        with pytest.raises(EngineError, match="could not answer: canceling statement due to statement timeout"):
            engine.rows("SELECT pg_sleep(30)")
        engine.rows("SET statement_timeout = 0")
        ((process,),) = engine.rows("SELECT pg_backend_pid()")
        threading.Timer(0.5, other.rows, (f"SELECT pg_terminate_backend({process})",)).start()
        with pytest.raises(EngineError) as caught:
            engine.rows("SELECT pg_sleep(30)")
        assert "terminating connection" in one_line(caught)
        with pytest.raises(EngineError):
            engine.rows("SELECT 1")


def test_postgres_reads_one_answer_at_a_time(postgres: PostgresEngine) -> None:
    batches = postgres.batches("SELECT i FROM generate_series(1, 3000000) AS t(i)")
    first = next(batches)
    with pytest.raises(EngineError, match="still being read"):
        postgres.rows("SELECT 1")
    assert first.num_rows + sum(batch.num_rows for batch in batches) == 3_000_000


def test_postgres_writes_rows_into_the_query_where_no_table_may_be_made(postgres_address: str) -> None:
    with PostgresEngine(postgres_address) as owner:
        owner.rows("REVOKE TEMPORARY ON DATABASE study FROM PUBLIC")
        owner.rows("DROP ROLE IF EXISTS poor")
        owner.rows("CREATE ROLE poor LOGIN")
    with PostgresEngine(postgres_address.replace("tester@", "poor@")) as engine:
        found = engine.bring("people", PEOPLE)
        table = read(engine, sql(engine, found))
        # Times keep their microseconds; an integer of any width is read as one of eight bytes.
        assert sorted(table.to_pylist(), key=repr) == sorted(PEOPLE.to_pylist(), key=repr)
        assert engine.rows(sql(engine, engine.bring("nobody", PEOPLE.slice(0, 0)))) == []
        many = pa.table({"account": range(5_001)})
        with pytest.raises(EngineError, match=r"5,001 rows .* the right TEMPORARY on the database"):
            engine.bring("many", many)


def test_postgres_writes_rows_into_the_query_on_a_server_that_only_reads(postgres_address: str) -> None:
    with PostgresEngine(postgres_address) as engine:
        engine.rows("SET default_transaction_read_only = on")
        assert read(engine, sql(engine, engine.bring("people", PEOPLE))).num_rows == PEOPLE.num_rows


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ann:s3cret@127.0.0.1:1/none",
        "postgresql://ann:s3c@ret@127.0.0.1:1/none",
        "postgresql://ann:s3c?ret@127.0.0.1:1/none",
        "postgresql://ann:s3c%ret@127.0.0.1:1/none",
        "postgresql://ann:s3c/ret@127.0.0.1:1/none",
        "postgresql://127.0.0.1:1/none?password=s3c%ret",
        "mysql://ann:s3cret@127.0.0.1/none",
        "ann:s3cret",
    ],
)
def test_no_message_shows_a_password(address: str) -> None:
    with pytest.raises(EngineError) as caught:
        open_engine(address)
    message = one_line(caught)
    assert "s3c" not in message
    assert "ret@" not in message


def test_an_engine_is_opened_by_its_address(postgres_address: str, spark: SparkEngine, clickhouse: Any) -> None:
    with open_engine(postgres_address) as found:  # type: ignore[attr-defined]
        assert found.rows("SELECT 1") == [(1,)]
    with open_engine("spark") as found:  # type: ignore[attr-defined]
        assert found.rows("SELECT current_timezone()") == [("America/New_York",)]
    assert spark.rows("SELECT 1") == [(1,)]  # an active session is not stopped
    with open_engine("clickhouse://") as found:  # type: ignore[attr-defined]
        assert found.rows("SELECT 1") == [(1,)]
    with pytest.raises(EngineError, match="There is no engine duckdb://"):
        open_engine("duckdb://")
    with pytest.raises(EngineError, match="There is no engine oracle://; known are") as caught:
        open_engine("oracle://db")
    assert all(scheme in str(caught.value) for scheme in SCHEMES)


@pytest.mark.parametrize("address", ["clickhouse://localhost/x", "clickhouse://localhost", "ClickHouse://db:9000"])
def test_a_clickhouse_server_is_not_taken_for_a_folder(address: str, tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EngineError, match=r"server is not read; clickhouse:///FOLDER .* --dialect clickhouse"):
        open_engine(address)
    assert not list(tmp_path.iterdir())


def test_clickhouse_keeps_tables_in_a_folder(tmp_path: Any) -> None:
    script = f"""
        from discovery.engines import open_engine
        with open_engine("clickhouse://{tmp_path}/store") as engine:
            engine.rows("CREATE TABLE kept ENGINE = MergeTree ORDER BY a AS SELECT 1 AS a")
        with open_engine("clickhouse://{tmp_path}/store") as engine:
            print(engine.rows("SELECT a FROM kept"))
            try:
                open_engine("clickhouse://{tmp_path}/other")
            except Exception as error:
                print(type(error).__name__)
    """
    asked = [sys.executable, "-c", textwrap.dedent(script)]
    found = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=120)
    assert found.stdout.split("\n")[:2] == ["[(1,)]", "EngineError"]


def test_a_closed_engine_says_so(postgres_address: str) -> None:
    for engine in (PostgresEngine(postgres_address), ClickHouseEngine()):
        engine.close()
        engine.close()
        with pytest.raises(EngineError):
            engine.rows("SELECT 1")


@pytest.mark.parametrize(
    ("package", "address", "extra"),
    [
        ("adbc_driver_postgresql", "postgresql://localhost/none", "postgres"),
        ("pyspark", "spark", "spark"),
        ("chdb", "clickhouse://", "clickhouse"),
    ],
)
def test_a_missing_package_names_its_extra(package: str, address: str, extra: str, monkeypatch: Any) -> None:
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(EngineError) as caught:
        open_engine(address)
    assert f'pip install "milestone-discovery[{extra}]"' in one_line(caught)


def test_a_missing_java_is_said_before_spark_is_started() -> None:
    script = "from discovery.engines import open_engine; open_engine('spark')"
    bare = {name: value for name, value in os.environ.items() if name != "JAVA_HOME"} | {"PATH": "/nowhere"}
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=bare, timeout=120)
    assert "EngineError: Spark needs Java 17 or newer" in found.stderr


def test_engines_are_imported_only_when_used() -> None:
    packages = ("pyspark", "chdb", "adbc_driver_postgresql")
    script = f"import sys, discovery.engines; print([name for name in {packages} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    assert found.stdout.strip() == "[]"


def test_arrow_types_are_made_plain() -> None:
    batch = pa.record_batch(
        {
            "tiny": pa.array([1, None], pa.uint8()),
            "large": pa.array([1, 2**40], pa.uint64()),
            "whole": pa.array([1, None], pa.decimal128(38, 0)),
            "part": pa.array([1, None], pa.decimal128(38, 2)),
            "single": pa.array([0.5, None], pa.float32()),
            "long": pa.array(["x", None], pa.large_string()),
            "coded": pa.array(["x", None]).dictionary_encode(),
            "nanos": pa.array([1_001, None], pa.timestamp("ns", "Asia/Tokyo")),
        }
    )
    (found,) = plain_batches([batch])
    kinds = [pa.int32(), pa.int64(), pa.int64(), pa.float64(), pa.float64(), pa.string(), pa.string()]
    assert found.schema.types == [*kinds, pa.timestamp("us", "UTC")]
    assert found.slice(1).to_pylist()[0] == dict.fromkeys(batch.schema.names) | {"large": 2**40}
    beyond = pa.record_batch({"n": pa.array([2**63], pa.uint64())})
    with pytest.raises(EngineError, match="column 'n' does not fit int64"):
        list(plain_batches([beyond]))


def test_inlined_rows_are_cast_to_their_types() -> None:
    written = _inlined(pa.table({"a": [1], "b": ["it's"]})).sql("postgres")
    assert """CAST("c0" AS BIGINT) AS "a", CAST("c1" AS TEXT) AS "b" FROM (VALUES ('1', 'it''s'))""" in written
