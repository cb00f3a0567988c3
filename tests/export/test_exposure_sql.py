"""The SQL of the aggregates: what a spec must say, what is written down, and what the documentation shows of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
import sqlglot
from typer.testing import CliRunner

from discovery import simulate
from discovery.cli import app
from discovery.errors import InputError, SpecError
from discovery.export.exposure import exposure_select
from discovery.spec import build_spec

PAGE = (Path(__file__).parents[2] / "docs/aggregates.md").read_text(encoding="utf-8")
SPEC: dict[str, Any] = {
    "events": {"account": "account_id", "event": "event", "time": "occurred_at", "user": "user_id", "id": "event_id"},
    "accounts": {"from": "accounts.parquet", "account": "account_id", "signup": "signup_at"},
    "candidates": {"window_days": 7, "within_days": [1, 7]},
}


def select(dialect: str = "duckdb", **sections: dict[str, Any]) -> Any:
    spec = build_spec({**SPEC, **{key: {**SPEC.get(key, {}), **values} for key, values in sections.items()}})
    return exposure_select(spec, dialect, events_table="analytics.events", accounts_table="crm.accounts")


def test_the_sql_in_the_documentation_is_what_is_written() -> None:
    shown = re.findall(r"```sql (\w+)\n(.*?)```", PAGE, flags=re.DOTALL)
    assert {dialect for dialect, _ in shown} == {"snowflake", "bigquery", "databricks", "trino", "redshift"}
    for dialect, text in shown:
        assert text.strip() in select(dialect).sql, dialect
    assert any(text.strip() == select(dialect).sql for dialect, text in shown)


def test_every_column_is_documented() -> None:
    columns = [each.alias for each in sqlglot.parse_one(select().sql, dialect="duckdb").selects]
    for name in columns:
        assert f"`{re.sub('_[0-9]+d$', '_3d', name)}`" in PAGE, name


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"identity": {"from": "users.csv"}}, "join the accounts to the events"),
        ({"accounts": {"from": "events", "account": ""}}, "view of the accounts"),
        ({"candidates": {"properties": ["plan"]}}, "leave them out"),
    ],
)
def test_what_aggregates_do_not_hold_is_refused(sections: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        select(**sections)


def test_an_export_of_a_tool_and_patterns_that_no_sql_reads_are_refused() -> None:
    with pytest.raises(InputError, match="plain table"):
        select(events={"format": "segment"})
    with pytest.raises(InputError, match="leave_out"):
        select(events={"leave_out": ["it's*"]})


def test_the_comment_on_top_says_what_is_assumed() -> None:
    text = select("bigquery").commented
    assert "-- occurred_at is taken to hold instants (assumed, no data were looked at" in text
    assert "Of rows with the same event_id the earliest counts" in text or "rows with the same event_id" in text


def test_the_command_writes_what_the_next_one_goes_on_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    world = simulate.simulate_world("easy", accounts=300, seed=1)
    pq.write_table(world.events, "events.parquet")
    pq.write_table(world.accounts, "accounts.parquet")
    Path("discover.toml").write_text(
        '[events]\nfrom = "events.parquet"\n[accounts]\nfrom = "accounts.parquet"\n[outcome]\nby_day = 60\n', "utf-8"
    )
    run = CliRunner().invoke
    made = run(app, ["export", "discover.toml", "--exposure", "--out", "aggregates.sql"], catch_exceptions=False)
    assert made.exit_code == 0
    with duckdb.connect() as there:
        there.execute("CREATE VIEW events AS FROM 'events.parquet'; CREATE VIEW accounts AS FROM 'accounts.parquet'")
        sql = Path("aggregates.sql").read_text("utf-8")
        there.execute(f"COPY ({sql}\n) TO 'aggregates.parquet'")
    Path("events.parquet").unlink()
    arguments = ["run", "discover.toml", "--exposure", "aggregates.parquet", "--json"]
    done = run(app, [*arguments, "--out", "report"], catch_exceptions=False)
    assert done.exit_code == 0
    said = json.loads(done.stdout)
    assert said["ladders"] == []
    assert [each["code"] for each in said["quality"]] == ["aggregates_only"]
    assert (tmp_path / "report/report.html").exists()
    plain = ["run", "accounts.parquet", "--exposure", "aggregates.parquet", "--set", "outcome.by_day=60", "--json"]
    beside = run(app, [*plain, "--out", "plain"], catch_exceptions=False)
    assert json.loads(beside.stdout)["ranking"] == said["ranking"]
    both = run(app, ["run", "events.parquet", "accounts.parquet", "--exposure", "aggregates.parquet"])
    assert isinstance(both.exception, InputError)
    assert "no EVENTS; got 2: events.parquet accounts.parquet" in str(both.exception)


def test_events_or_accounts_alone_are_said_to_lack_the_other(tmp_path: Path) -> None:
    pq.write_table(simulate.simulate_world("easy", accounts=50, seed=1).events, tmp_path / "events.parquet")
    half = tmp_path / "discover.toml"
    half.write_text('[accounts]\nfrom = "accounts.parquet"\n', "utf-8")
    for given, lacking in ((tmp_path / "events.parquet", "accounts"), (half, "events")):
        done = CliRunner().invoke(app, ["export", str(given), "--exposure"])
        assert isinstance(done.exception, InputError)
        assert f"No {lacking} were given" in str(done.exception)


def test_what_aggregates_do_not_hold_is_refused_before_any_look(tmp_path: Path) -> None:
    spec = tmp_path / "discover.toml"
    spec.write_text('[events]\nfrom = "e.csv"\n[accounts]\nfrom = "a.csv"\n[identity]\nfrom = "u.csv"\n', "utf-8")
    done = CliRunner().invoke(app, ["export", str(spec), "--exposure"])
    assert isinstance(done.exception, SpecError)
    assert "join the accounts to the events in a view" in str(done.exception)


@pytest.mark.parametrize(
    "beside",
    [
        ["--milestone", "x"],
        ["--worksheet"],
        ["--dbt", "--out", "x"],
        ["--seed", "1"],
        ["--memory", "5GB"],
        ["--no-cache"],
    ],
)
def test_what_else_is_exported_is_refused_beside_it(beside: list[str]) -> None:
    done = CliRunner().invoke(app, ["export", "discover.toml", "--exposure", *beside])
    assert isinstance(done.exception, InputError)
    idle = beside[0] in ("--seed", "--memory", "--no-cache")
    assert (f"{beside[0]} changes nothing" if idle else "of the aggregates alone") in str(done.exception)
