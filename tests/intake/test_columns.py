"""Columns are recognised by name and content, the spec's word wins, and every choice is explained."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from discovery.errors import ColumnError, SpecError
from discovery.intake.lexicon import normalised
from discovery.intake.relations import UNKNOWN_TIME

from .tables import START, Day, clean_accounts, clean_events, codes, micros, read, usable

EVENTS, ACCOUNTS = clean_events(), clean_accounts()


def chosen(relations, table: str) -> dict[str, str | None]:
    """Return role -> column of what was recognised or named."""
    wanted = ("spec", "recognised")
    return {c.role: c.column for c in relations.recognised if c.table == table and c.source in wanted}


def reason(relations, table: str, role: str, column: str | None = None) -> str:
    found = [c for c in relations.recognised if (c.table, c.role) == (table, role) and column in (None, c.column)]
    assert len(found) == 1
    return found[0].reason


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accountId", "account_id"),
        ("Account ID", "account_id"),
        ("AccountID", "account_id"),
        ("$insert_id", "insert_id"),
        ("organizationID", "organization_id"),
        ("  Event-Name ", "event_name"),
        ("utm_Source", "utm_source"),
    ],
)
def test_names_are_compared_in_snake_case(name, expected):
    assert normalised(name) == expected


@pytest.mark.parametrize(
    "names",
    [
        {"account_id": "accountId", "user_id": "distinct_id", "event": "event_name", "timestamp": "created_at"},
        {"account_id": "Workspace ID", "user_id": "actor_id", "event": "Action", "timestamp": "Time"},
        {"account_id": "tenant_id", "user_id": "memberId", "event": "eventType", "timestamp": "occurredAt"},
        {"account_id": "organization", "user_id": "userid", "event": "name", "timestamp": "date"},
    ],
)
def test_usual_names_are_recognised(names):
    relations = read(EVENTS.rename(columns=names), ACCOUNTS)
    assert chosen(relations, "events") == {
        "account": names["account_id"],
        "user": names["user_id"],
        "event": names["event"],
        "time": names["timestamp"],
    }
    assert relations.spec.events.account == names["account_id"]
    assert usable(relations) == usable(read(EVENTS, ACCOUNTS))
    assert relations.has_users


def test_the_account_column_is_the_one_that_overlaps():
    events = EVENTS.rename(columns={"account_id": "team_id"}).assign(account_id="elsewhere")
    relations = read(events, ACCOUNTS)
    assert relations.spec.events.account == "team_id"
    assert "preferred to account_id" in reason(relations, "events", "account")
    assert "100 %" in reason(relations, "events", "account")


def test_an_account_column_without_a_usual_name_is_found_by_its_values():
    relations = read(EVENTS.rename(columns={"account_id": "belongs_to"}), ACCOUNTS)
    assert relations.spec.events.account == "belongs_to"
    assert "its values are account ids" in reason(relations, "events", "account")


def test_a_user_column_that_is_the_account_is_no_user():
    events = EVENTS.drop(columns="user_id").rename(columns={"account_id": "user_id"})
    relations = read(events, ACCOUNTS, events={"account": "user_id"})
    assert not relations.has_users
    assert relations.spec.events.user == ""


def test_a_time_column_that_does_not_read_is_passed_over():
    relations = read(EVENTS.assign(time="noon"), ACCOUNTS)
    assert relations.spec.events.time == "timestamp"
    relations = read(EVENTS.rename(columns={"timestamp": "stamp"}).assign(time="noon"), ACCOUNTS)
    assert relations.spec.events.time == "time"
    assert codes(relations)["unreadable_time"].severity == "error"


def test_a_row_id_must_tell_rows_apart():
    unique = read(EVENTS.assign(event_id=range(len(EVENTS))), ACCOUNTS)
    assert unique.spec.events.id == "event_id"
    of_the_kind = read(EVENTS.assign(event_id=EVENTS["event"].map({"opened": 1, "shared": 2})), ACCOUNTS)
    assert of_the_kind.spec.events.id == ""
    assert len(usable(of_the_kind)) == len(EVENTS)


def test_columns_named_in_the_spec_win():
    events = EVENTS.assign(kind="named")
    relations = read(events, ACCOUNTS, events={"event": "kind"})
    assert {row[1] for row in usable(relations)} == {"named"}
    assert reason(relations, "events", "event") == "named in the spec"


@pytest.mark.parametrize(
    ("section", "role", "near"),
    [
        ("events", "account", "account_id"),
        ("events", "time", "timestamp"),
        ("accounts", "signup", "signup_at"),
        ("accounts", "churned", None),
        ("accounts", "seats", None),
        ("accounts", "exclude", None),
        ("accounts", "observed_until", None),
    ],
)
def test_a_named_column_that_is_absent_is_an_error_with_the_nearest_name(section, role, near):
    with pytest.raises(ColumnError) as caught:
        read(EVENTS, ACCOUNTS, **{section: {role: (near or "zzz") + "x"}})
    assert f"{section}.{role}" in str(caught.value)
    assert (f"Did you mean {near!r}?" in str(caught.value)) == (near is not None)
    assert "Its columns are: " in str(caught.value)


def test_a_named_segment_that_is_absent_is_an_error():
    with pytest.raises(ColumnError, match=r"chanel.*Did you mean 'channel'"):
        read(EVENTS, ACCOUNTS, accounts={"segments": ["chanel"]})


@pytest.mark.parametrize("column", ["account_id", "event", "timestamp"])
def test_a_needed_event_column_that_is_missing_is_an_error_with_the_remedy(column):
    with pytest.raises(ColumnError) as caught:
        read(EVENTS.drop(columns=column).assign(other=range(len(EVENTS))), ACCOUNTS)
    role = {"account_id": "account", "event": "event", "timestamp": "time"}[column]
    assert f"--set events.{role}=COLUMN" in str(caught.value)
    assert "user_id" in str(caught.value)


@pytest.mark.parametrize(("column", "role"), [("account_id", "account"), ("signup_at", "signup")])
def test_a_needed_account_column_that_is_missing_is_an_error_with_the_remedy(column, role):
    with pytest.raises(ColumnError, match=f"--set accounts.{role}=COLUMN"):
        read(EVENTS, ACCOUNTS.drop(columns=column))


def test_traits_constant_by_nature_become_segments_and_others_are_left_out_with_a_reason():
    accounts = ACCOUNTS.assign(
        country=["DE", "FR"] * 10,
        industry=[f"industry {i}" for i in range(20)],
        region="EU",
        utm_campaign=["x", "y"] * 10,
        company_size=["1-10", "11-50"] * 10,
        seats=range(20),
        n_users=range(20),
        churn_flag=False,
        last_seen="2024-02-01",
        source=[f"link {i}" for i in range(10)] * 2,
    )
    accounts.loc[20] = accounts.loc[19].to_dict() | {"account_id": "a20", "industry": "industry 20"}
    relations = read(EVENTS, accounts)
    assert relations.spec.accounts.segments == ("channel", "country", "utm_campaign", "source")
    left = {c.column: c.reason for c in relations.recognised if c.role == "segment" and c.source == "left out"}
    assert set(left) == {"plan", "industry", "region", "company_size", "seats", "n_users", "churn_flag", "last_seen"}
    assert "consequence of staying" in left["seats"]
    assert "accounts.segments" in left["plan"]
    assert "how the account ended" in left["churn_flag"]
    assert "21 different values" in left["industry"]
    assert relations.spec.accounts.seats == ""
    assert np.isnan(relations.accounts.seats).all()


def test_named_segments_seats_and_exclusion_are_read():
    accounts = ACCOUNTS.assign(seats=["3", "x"] * 10, is_internal=["TRUE", "no"] * 10, size=range(20))
    relations = read(EVENTS, accounts, accounts={"segments": ["plan", "size"], "seats": "seats"})
    assert set(relations.accounts.segments) == {"plan", "size"}
    assert relations.accounts.segments["size"].tolist()[:2] == ["0", "1"]
    assert relations.accounts.seats[0] == 3
    assert np.isnan(relations.accounts.seats[1])
    assert relations.accounts.excluded.tolist() == [True, False] * 10
    assert relations.spec.accounts.exclude == "is_internal"


@pytest.mark.parametrize("marks", [[True, False], [1, 0], ["t", "f"], ["Yes", None], [1.0, 0.0]])
def test_every_usual_mark_excludes(marks):
    assert read(EVENTS, ACCOUNTS.assign(is_test=marks * 10)).accounts.excluded.tolist() == [True, False] * 10


@pytest.mark.parametrize(
    ("here", "there"),
    [(int, str), (str, int), (float, str), (int, float), (str, float), (lambda s: s.astype(float).astype(str), int)],
)
def test_ids_of_different_types_are_the_same_text(here, there):
    numbers = EVENTS["account_id"].str[1:].astype(int) + 100
    change = lambda how, series: how(series) if not isinstance(how, type) else series.astype(how)
    events = EVENTS.assign(account_id=change(here, numbers))
    accounts = ACCOUNTS.assign(account_id=change(there, pd.Series(range(100, 120))))
    relations = read(events, accounts)
    assert relations.quality == ()
    assert relations.accounts.account_id.tolist() == [str(i) for i in range(100, 120)]


def test_nothing_else_of_an_id_is_changed():
    ids = ["007", "7", " 7", "A", "a", "1.5", "v1.0", "é", "'; DROP TABLE x; --", '"q"', "<b>&amp;</b>", "two\nlines"]
    events = pd.DataFrame(
        {"account_id": ids, "event": ids, "user_id": ids, "ts": START + pd.to_timedelta(range(12), "h")}
    )
    accounts = pd.DataFrame({"account_id": ids, "signup_at": START})
    relations = read(events, accounts)
    assert relations.accounts.account_id.tolist() == sorted(ids)
    assert sorted(row[0] for row in usable(relations)) == sorted(ids)
    assert {(row[0], row[1], row[2]) for row in usable(relations)} == {(i, i, i) for i in ids}
    assert codes(relations).keys() == {"account_is_user", "near_duplicate_names"}


def test_hostile_column_names_are_quoted(tmp_path):
    names = {"account_id": 'a"; DROP', "event": "it's, an é\nvent", "timestamp": "<t>", "user_id": "{source}"}
    events = EVENTS.rename(columns=names)
    asked = {"account": names["account_id"], "event": names["event"], "time": "<t>", "user": "{source}"}
    accounts = ACCOUNTS.rename(columns={"channel": "c'; \"x"})
    for given in (events, tmp_path / "e.csv", tmp_path / "e.jsonl", tmp_path / "e.parquet"):
        events.to_csv(tmp_path / "e.csv", index=False)
        events.to_json(tmp_path / "e.jsonl", orient="records", lines=True, date_format="iso")
        events.to_parquet(tmp_path / "e.parquet")
        relations = read(given, accounts, events=asked, accounts={"segments": ["c'; \"x"]})
        assert usable(relations) == usable(read(EVENTS, ACCOUNTS))


def test_accounts_are_numbered_in_the_order_of_their_ids():
    relations = read(EVENTS, ACCOUNTS.iloc[::-1].assign(signup_at=lambda a: a["signup_at"].where(a.index != 3)))
    rows = relations.engine.rows(
        f'SELECT account, account_id, signup FROM "{relations.accounts_table}" ORDER BY account'
    )
    assert [row[0] for row in rows] == [i for i in range(20) if i != 3]
    assert all(relations.accounts.account_id[i] == key for i, key, _ in rows)
    assert all(relations.accounts.signup[i] == signup for i, _, signup in rows)
    assert relations.accounts.signup[3] == UNKNOWN_TIME


def test_observation_ends_with_the_log_a_date_or_a_column():
    end = EVENTS["timestamp"].max().value // 1000
    assert set(read(EVENTS, ACCOUNTS).accounts.observed_until) == {end}
    for given in (dt.date(2024, 3, 1), dt.datetime(2024, 3, 1), "2024-03-01"):
        relations = read(EVENTS, ACCOUNTS, accounts={"observed_until": given})
        assert set(relations.accounts.observed_until) == {micros("2024-03-01")}
    column = ACCOUNTS.assign(observed_until=[None, "2024-03-02"] * 10)
    assert read(EVENTS, column).accounts.observed_until.tolist() == [end, micros("2024-03-02")] * 10
    in_zone = read(EVENTS, ACCOUNTS, accounts={"observed_until": "2024-03-01"}, events={"timezone": "Asia/Tokyo"})
    assert set(in_zone.accounts.observed_until) == {micros("2024-02-29 15:00")}


def with_departures(accounts: pd.DataFrame) -> pd.DataFrame:
    gone = accounts["signup_at"] + pd.to_timedelta([100 + 7.3 * i for i in range(len(accounts))], "D")
    return accounts.assign(churned_at=gone.where(accounts.index % 2 == 0))


def test_the_outcome_is_inferred_from_the_columns():
    assert read(EVENTS, ACCOUNTS).spec.outcome.kind == "active"
    assert read(EVENTS, ACCOUNTS.assign(churned_at=None)).spec.outcome.kind == "active"
    retained = read(EVENTS, with_departures(ACCOUNTS))
    assert retained.spec.outcome.kind == "retained"
    assert retained.has_departures
    converted = ACCOUNTS.assign(converted_at=ACCOUNTS["signup_at"] + pd.Timedelta(days=5))
    assert read(EVENTS, converted).spec.outcome.kind == "converted"
    assert read(EVENTS, with_departures(converted)).spec.outcome.kind == "retained"
    assert read(EVENTS, converted, outcome={"kind": "active"}).spec.outcome.kind == "active"
    assert read(EVENTS, converted).accounts.converted[0] == converted["converted_at"][0].value // 1000


def test_an_inferred_outcome_must_fit_the_spec():
    with pytest.raises(SpecError, match="active_days"):
        read(EVENTS, ACCOUNTS, candidates={"window_days": 30, "within_days": [1, 7]})


def test_a_flag_is_not_a_churn_time():
    relations = read(EVENTS, ACCOUNTS.assign(cancelled_on=[True, False] * 10))
    assert relations.spec.accounts.churned == ""
    assert "not times" in reason(relations, "accounts", "churned")


def test_resolved_spec_reads_the_same_again():
    first = read(EVENTS, with_departures(ACCOUNTS))
    second = read(EVENTS, with_departures(ACCOUNTS), **first.spec.as_dict())
    assert second.spec == first.spec
    assert usable(second) == usable(first)
    assert {c.source for c in second.recognised} == {"spec", "left out", "not found"}
    assert Day == 86_400_000_000
