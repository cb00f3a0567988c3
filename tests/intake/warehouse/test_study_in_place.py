"""A study of events that stay in a database says the same as one of the same rows in files."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import discovery
from discovery import intake
from discovery.cli import app
from discovery.exposure import met_between
from discovery.intake.addresses import is_in_place
from discovery.milestone import Milestone
from discovery.spec import Day, build_spec

from .servers import Server

OF_THE_INPUT = ("provenance", "quality", "settings")
OUTCOME = {"by_day": 60}


@cache
def world() -> Any:
    return discovery.simulate_world("easy", accounts=600, seed=1)


@cache
def from_files() -> dict[str, Any]:
    return parts(discovery.Study(world().events, world().accounts, outcome=OUTCOME).run())


def parts(result: Any) -> dict[str, Any]:
    return {name: part for name, part in json.loads(result.to_json()).items() if name not in OF_THE_INPUT}


def spec_of(server: Server) -> dict[str, Any]:
    server.lay("app_events", world().events)
    server.lay("app_accounts", world().accounts)
    return {
        "events": {"from": server.address, "table": "app_events"},
        "accounts": {"from": server.address, "table": "app_accounts"},
        "outcome": OUTCOME,
    }


def test_a_run_says_the_same_as_on_files(server):
    result = discovery.Study(spec=spec_of(server)).run()
    assert result.verdict.status == "found"
    assert parts(result) == from_files()
    assert [finding.code for finding in result.quality] == ["events_in_place"]


MILESTONE = "report_shared >= 3 within 7d"


@pytest.fixture
def spec_file(postgres: Server, tmp_path: Path) -> Path:
    spec = spec_of(postgres)
    lines = [
        f"[{name}]\n" + "\n".join(f"{k} = {json.dumps(v)}" for k, v in part.items()) for name, part in spec.items()
    ]
    path = tmp_path / "discover.toml"
    path.write_text("\n\n".join(lines), encoding="utf-8")
    return path


def called(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_the_command_line_runs_and_runs_again_what_it_wrote(spec_file: Path, tmp_path: Path) -> None:
    first = called("run", spec_file, "--out", tmp_path / "first", "--json", "--quiet")
    assert first.exit_code == 0, first.output
    told = json.loads((tmp_path / "first" / "result.json").read_text(encoding="utf-8"))
    assert {name: told[name] for name in from_files() if name in told} == from_files()
    assert (tmp_path / "first" / "report.html").exists()
    written = tomllib.loads((tmp_path / "first" / "discover.toml").read_text(encoding="utf-8"))
    assert (written["events"]["table"], written["accounts"]["table"]) == ("app_events", "app_accounts")
    second = discovery.Study(spec=build_spec(written)).check()
    assert second.provenance.input_sha256 == told["provenance"]["input_sha256"]


def test_validate_and_check_say_the_same_as_on_files(spec_file: Path, tmp_path: Path) -> None:
    pq.write_table(world().events, tmp_path / "events.parquet")
    pq.write_table(world().accounts, tmp_path / "accounts.parquet")
    here = (tmp_path / "events.parquet", tmp_path / "accounts.parquet", "--set", "outcome.by_day=60")
    answers = {}
    for place, given in (("there", (spec_file,)), ("here", here)):
        found = called("validate", *given, "--milestone", MILESTONE, "--out", tmp_path / f"v {place}", "--quiet")
        assert found.exit_code in (0, 1), found.output
        told = json.loads((tmp_path / f"v {place}" / "validation.json").read_text(encoding="utf-8"))
        answers[place] = (found.exit_code, {k: v for k, v in told.items() if k not in OF_THE_INPUT})
    assert answers["there"] == answers["here"]
    check = called("check", spec_file, "--out", tmp_path / "check", "--json", "--quiet")
    assert check.exit_code == 0, check.output
    told, same = json.loads(check.stdout), json.loads(discovery.Study(*map(str, here[:2])).check().to_json())
    assert told["coverage"] == same["coverage"]
    assert (told["accounts"], told["events_used"]) == (same["accounts"], same["events_used"])


def test_a_first_look_says_what_to_give_instead(postgres: Server) -> None:
    with pytest.raises(discovery.InputError, match="sample"):
        discovery.Study(spec=spec_of(postgres)).profile()


def test_a_first_look_is_refused_before_a_table_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(discovery.InputError, match="Give a sample of them as a file"):
        discovery.Study("spark://", world().accounts).profile()
    with pytest.raises(discovery.InputError, match="Give a sample of them as a file"):
        CliRunner().invoke(
            app, ["init", "postgresql://db/crm", "--out", str(tmp_path / "new.toml")], catch_exceptions=False
        )
    assert not (tmp_path / "new.toml").exists()


def test_the_specs_of_the_page_load() -> None:
    page = (Path(__file__).parents[3] / "docs/warehouses.md").read_text(encoding="utf-8")
    specs = [build_spec(tomllib.loads(block)) for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL)]
    assert len(specs) == 3
    assert all(is_in_place(spec.events.source) for spec in specs)
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        made = [part for part in map(ast.unparse, ast.parse(block).body) if "Study(" in part]
        assert made
        for statement in made:
            known: dict[str, Any] = {"discovery": discovery, "accounts_frame": world().accounts}
            exec(statement, known)
            assert is_in_place(known["study"].events)
            assert known["study"].spec.events.table in block


def test_no_event_is_compared_with_every_account(postgres: Server) -> None:
    postgres.do(_PLAN)
    relations = intake.load(None, None, build_spec(spec_of(postgres)))
    asked: list[str] = []
    rungs = Milestone.parse("report_shared"), Milestone.parse("teammate_invited")
    with closing(relations.engine) as engine, pytest.MonkeyPatch.context() as patch:
        batches = engine.batches

        def noted(sql: str) -> Iterator[Any]:
            asked.append(sql)
            return batches(sql)

        patch.setattr(engine, "batches", noted)
        tables = relations.events_table, relations.accounts_table, len(relations.accounts)
        met_between(engine, *tables, *rungs, 14 * Day)
        patch.undo()
        plan = [str(line) for (line,) in engine.rows(f"SELECT line FROM plan_of($asked${asked[-1]}$asked$) AS line")]
    assert any("Hash Join" in line or "Merge Join" in line for line in plan)
    assert not any("Nested Loop" in line or "JIT" in line for line in plan)


_PLAN = """
CREATE OR REPLACE FUNCTION plan_of(asked text) RETURNS SETOF text LANGUAGE plpgsql
AS 'BEGIN RETURN QUERY EXECUTE ''EXPLAIN '' || asked; END'
"""
