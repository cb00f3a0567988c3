"""`discover export --milestone` as a user meets it: what is printed runs, what is written is written once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import discovery
from tests.report import factory

COMMAND = [sys.executable, "-c", "from discovery.cli import main; main()"]
ASKED = "report_shared >= 2 within 7d"
SPEC = """
[events]
account = "account_id"
event = "event"
time = "timestamp"
[accounts]
account = "account_id"
signup = "signup_at"
"""


def export(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "export", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    discovery.simulate_world("easy", accounts=300, seed=3).write(folder)
    return folder


def reached(world: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE events AS FROM '{world}/events.parquet'")
        connection.execute(f"CREATE TABLE accounts AS FROM '{world}/accounts.csv'")
        return connection.execute(sql).fetchall()


def test_the_select_of_two_files_is_printed_and_runs(world: Path, tmp_path: Path) -> None:
    done = export(world / "events.parquet", world / "accounts.csv", "--milestone", ASKED, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.startswith(f"-- When every account reached the milestone {ASKED}\n")
    assert 20 < len(reached(world, done.stdout)) < 300
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_written_once_and_json_is_printed_beside_it(world: Path, tmp_path: Path) -> None:
    sources = (world / "events.parquet", world / "accounts.csv")
    asked = (*sources, "--milestone", ASKED, "--dialect", "Snowflake", "--out", "fvm.sql")
    done = export(*asked, "--json", "--events-table", "raw.log", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    values = json.loads(done.stdout)
    assert values.keys() == {"milestone", "dialect", "notes", "sql"}
    assert (values["milestone"], values["dialect"]) == (ASKED, "snowflake")
    assert "FROM raw.log AS e" in values["sql"]
    assert (tmp_path / "fvm.sql").read_text(encoding="utf-8").endswith(values["sql"] + "\n")
    again = export(*asked, cwd=tmp_path)
    assert again.returncode == 2
    assert "somebody may have written in it" in again.stderr


def test_a_spec_alone_is_enough_and_what_is_assumed_is_said(tmp_path: Path) -> None:
    (tmp_path / "discover.toml").write_text(SPEC)
    done = export("discover.toml", "--milestone", ASKED, "--dialect", "bigquery", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "instants (assumed, no data were looked at; --type events.time=timestamptz)" in done.stdout
    told = export("discover.toml", "--milestone", ASKED, "--type", "events.time=seconds", cwd=tmp_path)
    assert "numbers: seconds since 1970 (as told" in told.stdout


def test_sources_of_a_spec_that_are_gone_are_said_and_done_without(tmp_path: Path) -> None:
    (tmp_path / "discover.toml").write_text(SPEC.replace("account =", 'from = "gone.csv"\naccount ='))
    done = export("discover.toml", "--milestone", ASKED, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "gone.csv" in done.stderr
    assert "What the columns hold is assumed" in done.stderr
    assert done.stdout.startswith("-- ")


def test_an_event_that_never_occurs_is_a_warning(world: Path, tmp_path: Path) -> None:
    done = export(world / "events.parquet", world / "accounts.csv", "--milestone", "rport_shared", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr == (
        "Warning: the event 'rport_shared' never occurs in the events looked at. Check its spelling.\n"
    )
    assert reached(world, done.stdout) == []


def test_the_sql_of_a_ladder_is_that_of_its_milestone(world: Path, tmp_path: Path) -> None:
    sources = (str(world / "events.parquet"), str(world / "accounts.csv"))
    columns = {"account": "account_id", "from": sources[1], "signup": "signup_at"}
    settings = {"events": {**columns_of_events(), "from": sources[0]}, "accounts": columns}
    result = factory.study(ladders=(factory.full_ladder(),), settings=settings)
    (tmp_path / "result.json").write_text(result.to_json(), encoding="utf-8")
    of_ladder = export("--ladder", "result.json#1", "--dialect", "duckdb", "--quiet", cwd=tmp_path)
    assert of_ladder.returncode == 0, of_ladder.stderr
    proposed = export(*sources, "--milestone", result.ladders[0].milestone, "--quiet", cwd=tmp_path)
    assert of_ladder.stdout == proposed.stdout
    assert result.ladders[0].milestone in of_ladder.stdout


def columns_of_events() -> dict[str, str]:
    return {"account": "account_id", "event": "event", "time": "timestamp", "user": "user_id", "id": "event_id"}


def test_a_dbt_model_is_a_folder(world: Path, tmp_path: Path) -> None:
    sources = (world / "events.parquet", world / "accounts.csv")
    done = export(*sources, "--milestone", ASKED, "--dbt", "--out", "fvm", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")) == [
        "fvm/models/first_value_moment/first_value_moment.sql",
        "fvm/models/first_value_moment/schema.yml",
        "fvm/tests/first_value_moment_within_window.sql",
    ]
    again = export(*sources, "--milestone", ASKED, "--dbt", "--out", "fvm", cwd=tmp_path)
    assert again.returncode == 2


BAD = {
    "no milestone": (("e.csv", "a.csv", "--dialect", "duckdb"), "No milestone was named"),
    "two milestones": (("--milestone", "x", "--ladder", "r.json"), "--milestone and --ladder each name a milestone"),
    "ladder and sources": (("e.csv", "a.csv", "--ladder", "r.json", "--dialect", "duckdb"), "leave out e.csv a.csv"),
    "no sources": (("--milestone", "x"), "EVENTS and ACCOUNTS"),
    "a seed": (("e.csv", "a.csv", "--milestone", "x", "--seed", "1"), "--seed changes nothing"),
    "memory": (("e.csv", "a.csv", "--milestone", "x", "--memory", "5GB"), "--memory changes nothing"),
    "no cache either": (
        ("e.csv", "a.csv", "--milestone", "x", "--memory", "5GB", "--no-cache"),
        "--memory and --no-cache change nothing",
    ),
    "dbt without a folder": (("e.csv", "a.csv", "--milestone", "x", "--dbt"), "--out DIR"),
    "unknown dialect": (("e.csv", "a.csv", "--milestone", "x", "--dialect", "oracle"), "Known are: duckdb, postgres"),
    "unknown type": (("e.csv", "a.csv", "--milestone", "x", "--type", "a=b"), "events.time=timestamptz"),
    "both kinds": (("e.csv", "a.csv", "--milestone", "x", "--worksheet"), "--worksheet writes a ladder in words"),
    "no such file": (("e.csv", "a.csv", "--milestone", "x"), "There is no file at"),
    "not a milestone": (("e.csv", "a.csv", "--milestone", "x >="), "cannot be read"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_written_ends_in_one_message(name: str, tmp_path: Path) -> None:
    arguments, words = BAD[name]
    done = export(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []
