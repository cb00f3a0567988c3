"""Real engines for tests: a PostgreSQL server, a Spark session and an embedded ClickHouse, gone afterwards.

All of them show times as New York does, and the server orders text as English does, so that neither can go unnoticed.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from discovery.engines.clickhouse import ClickHouseEngine
from discovery.engines.postgres import PostgresEngine
from discovery.engines.spark import SparkEngine
from tests.exposure.postgres import programs, running
from tests.requirements import require

NEW_YORK = "America/New_York"


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start a PostgreSQL server and yield the address of a database on it, of a superuser."""
    folder = programs()
    require("PostgreSQL", folder is not None)
    require("adbc-driver-postgresql", importlib.util.find_spec("adbc_driver_postgresql") is not None)
    with running(str(folder)) as settings:
        place = dict(setting.split("=") for setting in settings.split())
        address = f"postgresql://{place['user']}@/{{}}?host={place['host']}"
        with PostgresEngine(address.format(place["dbname"])) as engine:
            engine.rows("CREATE DATABASE study TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'")
            engine.rows(f"ALTER DATABASE study SET TimeZone = '{NEW_YORK}'")
        yield address.format("study")


@contextmanager
def spark_session() -> Iterator[Any]:
    """Make a Spark session of two workers, whose answers come in several parts."""
    require("PySpark", importlib.util.find_spec("pyspark") is not None)
    require("Java", shutil.which("java") is not None)
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.session.timeZone": NEW_YORK,
        "spark.sql.shuffle.partitions": "2",
        # Compiling a query takes longer than running it on a small log.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
        "spark.sql.adaptive.enabled": "false",  # it would join small parts into one
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    try:
        yield session
    finally:
        session.stop()


@contextmanager
def clickhouse() -> Iterator[ClickHouseEngine]:
    """Open an embedded ClickHouse in memory."""
    require("chdb", importlib.util.find_spec("chdb") is not None)
    with ClickHouseEngine() as engine:
        engine.rows(f"SET session_timezone = '{NEW_YORK}'")
        yield engine


@contextmanager
def spark() -> Iterator[SparkEngine]:
    """Open an engine over a Spark session of our own."""
    with spark_session() as session, SparkEngine(session) as engine:
        yield engine


@contextmanager
def postgres() -> Iterator[PostgresEngine]:
    """Open a connection to a server of our own."""
    with postgres_server() as address, PostgresEngine(address) as engine:
        yield engine
