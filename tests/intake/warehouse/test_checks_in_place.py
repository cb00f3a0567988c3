"""What is asked of events in a database, and what is not: no rule that nobody asked is said to be passed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from discovery import intake
from discovery.engines.duckdb import DuckDBEngine
from discovery.errors import EngineError
from discovery.intake import rules
from discovery.intake.kept import load_kept
from discovery.spec import build_spec
from tests.intake.unclean import PAST_THE_LOG, SPEC, unclean

from .servers import Server
from .test_reading_in_place import as_tables, closed, log_of

OF_THE_QUESTION = {"names_not_in_log", "constant_segment", "unusable_seats"}
NEED_EVERY_ROW = {
    *("placeholder_account", "shared_user_id", "users_in_several_accounts", "account_is_user", "bot_like"),
    *("internal_users", "duplicate_rows", "aliases_applied"),
    *("tracking_starts", "tracking_stops", "tracking_gaps", "renamed_event", "volume_jump"),
}


def in_place(server: Server, tables: tuple[Any, Any], spec: dict[str, Any]) -> intake.Relations:
    server.lay("unclean_events", tables[0])
    named = {"from": server.address, "table": "unclean_events"}
    return intake.load(None, tables[1], build_spec({**spec, "events": {**spec.get("events", {}), **named}}))


def standing(relations: intake.Relations) -> dict[str, tuple[str, int]]:
    closed(relations)
    return {rule.code: (rule.state, rule.count) for rule in relations.rules}


@pytest.mark.parametrize(
    ("silent", "spec", "further"),
    [
        (True, SPEC, {"churn_is_silence"}),
        (False, SPEC, {"activity_after_churn"}),
        (False, PAST_THE_LOG, {"activity_after_churn", "observed_past_log"}),
    ],
)
@pytest.mark.parametrize("kind", ["postgres", "clickhouse"])
def test_every_rule_stands_as_on_files_or_was_not_asked(
    kind: str, silent: bool, spec: dict[str, Any], further: set[str], request: pytest.FixtureRequest
) -> None:
    tables = unclean(silent=silent)
    there = standing(in_place(request.getfixturevalue(kind), tables, spec))
    here = standing(intake.load(*tables, build_spec(spec)))
    assert {code for code in here if there[code] != here[code]} <= NEED_EVERY_ROW
    assert {there[code][0] for code in NEED_EVERY_ROW} == {"not applicable"}
    assert all(here[code][0] in ("warning", "info") for code in OF_THE_QUESTION | further)


def test_a_rule_that_nobody_asks_is_not_passed(clickhouse: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    new = rules.NamedRule(code="tuesdays", subject="rows", question="Is no event on a Tuesday?")
    monkeypatch.setattr(rules, "RULES", (*rules.RULES, new))
    found = in_place(clickhouse, as_tables(*log_of()), {})
    closed(found)
    told = {rule.code: rule for rule in found.rules}
    assert (told["tuesdays"].state, told["missing_time"].state) == ("not applicable", "passed")
    assert "clickhouse" in told["tuesdays"].reason


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[DuckDBEngine, str | None]]]:
    made: list[tuple[DuckDBEngine, str | None]] = []
    usual = DuckDBEngine.__init__

    def making(self: DuckDBEngine, memory_limit: str | None = None, *args: Any, **named: Any) -> None:
        made.append((self, memory_limit))
        usual(self, memory_limit, *args, **named)

    monkeypatch.setattr(DuckDBEngine, "__init__", making)
    yield made
    for engine, _ in made:
        engine.close()


def test_one_engine_here_within_its_limit_and_none_afterwards(
    clickhouse: Server, engines: list[tuple[DuckDBEngine, str | None]]
) -> None:
    events, accounts = as_tables(*log_of())
    clickhouse.lay("raw_events", events)
    spec = build_spec({"events": {"from": clickhouse.address, "table": "raw_events"}})
    closed(load_kept(None, accounts, spec, cache=None, memory="1GB"))
    assert [limit for _, limit in engines] == ["400000000B"]
    closed(intake.load(None, accounts, spec))
    assert len(engines) == 2
    for engine, _ in engines:
        with pytest.raises(EngineError):
            engine.rows("SELECT 1")


def test_an_engine_that_is_given_stays_open(clickhouse: Server) -> None:
    events, accounts = as_tables(*log_of())
    clickhouse.lay("raw_events", events)
    spec = build_spec({"events": {"from": clickhouse.address, "table": "raw_events"}})
    given = DuckDBEngine()
    closed(intake.load(None, accounts, spec, engine=given))
    assert given.rows("SELECT 1") == [(1,)]
    given.close()


@pytest.mark.parametrize(
    ("zone", "signups", "says"),
    [
        ("America/New_York", "naive", "but signup times that name no zone as those of a clock in America/New_York"),
        ("America/New_York", "zoned", "so these are read as they are: events.timezone"),
        ("UTC", "naive", ""),
    ],
)
def test_instants_that_the_zone_of_the_spec_does_not_move_are_told(
    zone: str, signups: str, says: str, clickhouse: Server
) -> None:
    events, accounts = as_tables(*log_of())
    if signups == "naive":
        place = accounts.schema.get_field_index("signup_at")
        accounts = accounts.set_column(place, "signup_at", accounts["signup_at"].cast(pa.timestamp("us")))
    relations = in_place(clickhouse, (events, accounts), {"events": {"timezone": zone}})
    closed(relations)
    told = [found for found in relations.quality if found.code == "zone_not_applied"]
    assert [found.severity for found in told] == (["warning"] if says else [])
    assert all(says in found.message for found in told)


def test_a_zone_moves_the_times_of_other_databases_untold(postgres: Server) -> None:
    relations = in_place(postgres, as_tables(*log_of()), {"events": {"timezone": "America/New_York"}})
    closed(relations)
    assert "zone_not_applied" not in {found.code for found in relations.quality}
