"""Real engines with tables in them: a PostgreSQL server, a Spark session, an embedded ClickHouse."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.exposure.postgres import lay, programs, running
from tests.requirements import require


@dataclass(frozen=True)
class Server:
    """Where it is, what makes a table of it, and what runs a statement there."""

    address: str
    lay: Callable[[str, pa.Table], None]
    do: Callable[[str], object]


@contextmanager
def postgres() -> Iterator[Server]:
    """Start a server that only this test uses."""
    folder = programs()
    require("PostgreSQL", folder is not None)
    for module in ("psycopg", "adbc_driver_postgresql"):
        require(module, importlib.util.find_spec(module) is not None)
    import psycopg

    with running(str(folder)) as how, psycopg.connect(how, autocommit=True) as connection:
        # Of every session of this database, so that nothing may depend on it.
        connection.execute("ALTER DATABASE postgres SET TimeZone = 'America/New_York'")
        place = how.split()[0].removeprefix("host=")
        address = f"postgresql:///postgres?host={place}&user=tester"
        yield Server(address, lambda name, rows: lay(connection, name, rows), connection.execute)


@contextmanager
def spark() -> Iterator[Server]:
    """Start a session with two workers; tables are temporary views of it."""
    require("pyspark", importlib.util.find_spec("pyspark") is not None)
    require("Java", shutil.which("java") is not None)
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "3",
        "spark.sql.codegen.wholeStage": "false",  # compiling takes longer than so few rows
        "spark.sql.session.timeZone": "America/New_York",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
    }
    session = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    try:
        with tempfile.TemporaryDirectory() as folder:

            def make(name: str, rows: pa.Table) -> None:
                place = Path(tempfile.mkdtemp(dir=folder))
                for i, start in enumerate(range(0, rows.num_rows, max(1, rows.num_rows // 2))):
                    pq.write_table(rows.slice(start, max(1, rows.num_rows // 2)), place / f"{i}.parquet")
                session.read.parquet(str(place)).createOrReplaceTempView(name)

            yield Server("spark://", make, session.sql)
    finally:
        session.stop()


@contextmanager
def clickhouse(folder: Path) -> Iterator[Server]:
    """Keep tables in a folder, which one session at a time may open."""
    require("chdb", importlib.util.find_spec("chdb") is not None)
    from discovery.engines.clickhouse import ClickHouseEngine

    def do(*statements: str) -> None:
        with closing(ClickHouseEngine(str(folder / "tables"))) as engine:
            for statement in statements:
                engine.rows(statement)

    def make(name: str, rows: pa.Table) -> None:
        file = folder / "rows.parquet"
        pq.write_table(rows, file)
        rows_of = f"SELECT * FROM file('{file}', 'Parquet')"
        do(f"DROP TABLE IF EXISTS {name}", f"CREATE TABLE {name} ENGINE = MergeTree ORDER BY tuple() AS {rows_of}")

    yield Server(f"clickhouse://{folder / 'tables'}", make, do)
