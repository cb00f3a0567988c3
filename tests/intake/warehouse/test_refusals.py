"""What cannot be read where it is says so in one message: what, why, and what to do; never a password."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from discovery import intake
from discovery.errors import ColumnError, DiscoveryError, EngineError, SourceError
from discovery.spec import build_spec

from .servers import Server

EVENTS = pa.table(
    {
        "account_id": ["a1", "a2", "a1", None],
        "event": ["opened", "shared", "shared", "opened"],
        "happened at": ["2024-01-02T10:00:00Z", "2024-01-03T11:00:01Z", "soon", None],
    }
)
ACCOUNTS = pa.table({"account_id": ["a1", "a2", "a3"], "signup_at": ["2024-01-02", "2024-01-02", "2024-01-05"]})


def load(server: Server, accounts: object = ACCOUNTS, **events: Any) -> intake.Relations:
    server.lay("small", EVENTS)
    spec = {"events": {"from": server.address, "table": "small", **events}}
    return intake.load(None, accounts, build_spec(spec))


def test_a_few_rows_are_read_and_counted(postgres: Server) -> None:
    relations = load(postgres, time="happened at")
    relations.engine.close()
    assert (relations.events_rows, relations.events_used) == (4, 2)
    counts = {finding.code: finding.count for finding in relations.quality}
    assert counts["missing_account"] == counts["missing_time"] == counts["unreadable_time"] == 1
    assert counts["accounts_without_events"] == 1


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"table": "nowhere"}, "nowhere"),
        ({"table": "secret.small"}, "secret.small"),
        ({"table": ""}, "events.table="),
        ({"table": "", "sql": "DELETE FROM small"}, "single SELECT"),
        ({"table": "", "sql": "SELECT 1; DROP TABLE small"}, "single SELECT"),
        ({"table": "", "sql": "WITH gone AS (DELETE FROM small RETURNING *) SELECT * FROM gone"}, "single SELECT"),
        ({"table": "", "sql": "SELECT * FROM small WHERE event = 'never'"}, "no rows"),
        ({"format": "segment"}, "events.format"),
        ({"account": "account"}, "account_id"),
    ],
)
def test_what_is_asked_for_and_is_not_there(asked: dict[str, Any], says: str, postgres: Server) -> None:
    with pytest.raises((SourceError, ColumnError)) as caught:
        load(postgres, **{"time": "happened at", **asked})
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_accounts_must_be_named(postgres: Server) -> None:
    with pytest.raises(SourceError, match=r"accounts\.sql"):
        load(postgres, accounts=None, time="happened at")


def test_users_of_accounts_are_not_looked_up(postgres: Server) -> None:
    spec = {"events": {"from": postgres.address, "table": "small"}, "identity": {"from": "users.csv"}}
    with pytest.raises(SourceError, match="view"):
        intake.load(None, ACCOUNTS, build_spec(spec))


def test_a_server_that_is_not_there(tmp_path: Any) -> None:
    spec = build_spec({"events": {"from": f"postgresql://ann@/crm?host={tmp_path}", "table": "events"}})
    with pytest.raises(EngineError) as caught:
        intake.load(None, ACCOUNTS, spec)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("side", ["events", "accounts"])
def test_a_password_in_an_address_is_refused_and_not_repeated(side: str, postgres: Server) -> None:
    address = "postgresql://ann:s3cret@localhost/crm"
    given = {"events": EVENTS, "accounts": ACCOUNTS, side: address}
    with pytest.raises(DiscoveryError) as caught:
        intake.load(given["events"], given["accounts"], build_spec({side: {"table": "small"}}))
    assert "s3cret" not in str(caught.value)
    assert "PGPASSWORD" in str(caught.value)


def test_accounts_may_be_in_a_database_and_events_in_a_file(postgres: Server) -> None:
    postgres.lay("few", ACCOUNTS)
    spec = {"accounts": {"from": postgres.address, "table": "few"}, "events": {"time": "happened at"}}
    with intake.load(EVENTS, None, build_spec(spec)).engine as engine:  # type: ignore[attr-defined]
        assert engine.dialect == "duckdb"


def test_without_the_right_to_temporary_tables_few_accounts_are_written_into_the_query(postgres: Server) -> None:
    postgres.lay("small", EVENTS)
    for statement in ("CREATE ROLE reader LOGIN", _TEMPORARY.format("REVOKE", "FROM")):
        postgres.do(statement)
    address = postgres.address.replace("user=tester", "user=reader")
    spec = {"events": {"from": address, "table": "small", "time": "happened at"}}
    try:
        with pytest.raises(SourceError, match="permission denied"):
            intake.load(None, ACCOUNTS, build_spec(spec))
        postgres.do("GRANT SELECT ON small TO reader")
        relations = intake.load(None, ACCOUNTS, build_spec(spec))
        relations.engine.close()
        assert relations.events_used == 2
    finally:
        postgres.do(_TEMPORARY.format("GRANT", "TO"))


_TEMPORARY = "{} TEMPORARY ON DATABASE postgres {} PUBLIC"
