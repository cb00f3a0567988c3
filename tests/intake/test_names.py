"""Other spellings are counted under the name that is named, and what is left out is gone, and counted."""

from __future__ import annotations

import pandas as pd
import pytest

from discovery.engines.duckdb import DuckDBEngine
from discovery.intake.names import matches_any

from .tables import START, clean_accounts, clean_events, codes, read, usable

EVENTS, ACCOUNTS = clean_events(), clean_accounts()


def named(*names: str) -> pd.DataFrame:
    rows = [("a00", f"u{i}", name, START + pd.Timedelta(hours=i + 1)) for i, name in enumerate(names)]
    return pd.DataFrame(rows, columns=["account_id", "user_id", "event", "timestamp"])


def names_of(relations) -> list[str]:
    return sorted(row[1] for row in usable(relations))


def test_aliases_are_one_event():
    spellings = ["Report Shared", "reportShared", 'It\'s 100% "größe/日本"', "a*b"]
    relations = read(named("report_shared", *spellings), ACCOUNTS, events={"aliases": {"report_shared": spellings}})
    assert names_of(relations) == ["report_shared"] * 5
    found = codes(relations)["aliases_applied"]
    assert found.count == 4


def test_a_star_in_an_alias_is_a_star():
    relations = read(named("ab", "a*b", "axb"), ACCOUNTS, events={"aliases": {"x": ["a*b"]}})
    assert names_of(relations) == ["ab", "axb", "x"]


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("$*", ["a_b", "axb", "a%b", "A_B"]),
        ("a_b", ["$x", "axb", "a%b", "A_B"]),
        ("a%b", ["$x", "a_b", "axb", "A_B"]),
        ("a*", ["$x", "A_B"]),
        ("*_*", ["$x", "axb", "a%b"]),
        ("*", []),
    ],
)
def test_only_the_star_is_a_wildcard(pattern, left):
    relations = read(named("$x", "a_b", "axb", "a%b", "A_B"), ACCOUNTS, events={"leave_out": [pattern]})
    assert names_of(relations) == sorted(left)


@pytest.mark.parametrize("text", ["a\\b", "it's", "100%", "a_b", 'q"', "日本", "*"])
def test_patterns_match_themselves(text):
    literal = "'" + text.replace("'", "''") + "'"
    asked = [(literal, [text]), (literal, [text + "*"]), ("NULL", [text, "*"])]
    with DuckDBEngine(threads=1) as engine:
        found = engine.rows(f"SELECT {', '.join(matches_any(value, patterns) for value, patterns in asked)}")
    assert found == [(True, True, False)]


def test_events_are_left_out_before_and_after_they_are_renamed():
    aliases = {"seen": ["Page Viewed", "page"]}
    events = named("Page Viewed", "page", "seen", "shared")
    assert names_of(read(events, ACCOUNTS, events={"aliases": aliases, "leave_out": ["page"]})) == [
        "seen",
        "seen",
        "shared",
    ]
    assert names_of(read(events, ACCOUNTS, events={"aliases": aliases, "leave_out": ["seen"]})) == ["shared"]


def test_what_is_left_out_is_counted_and_nothing_else_is_missing():
    events = named("ok", "bot ping", "ok", "ok")
    events.loc[1, "account_id"] = None
    events.loc[2, "user_id"] = "me@acme.test"
    relations = read(events, ACCOUNTS, events={"leave_out": ["bot*"], "leave_out_users": ["*@acme.test"]})
    assert names_of(relations) == ["ok", "ok"]
    assert codes(relations)["left_out"].count == 2
    assert "missing_account" not in codes(relations)
    assert relations.events_rows == 4


def test_names_that_match_nothing_are_told():
    relations = read(
        named("ok", "OK", "gone"),
        ACCOUNTS,
        events={
            "aliases": {"ok": ["OK", "Okay"], "x": ["gone"]},
            "leave_out": ["gone", "nothing*"],
            "leave_out_users": ["u0", "nobody"],
        },
    )
    assert set(codes(relations)["names_not_in_log"].examples) == {"Okay", "nothing*", "nobody"}


def test_accounts_are_left_out_by_id():
    relations = read(EVENTS, ACCOUNTS, accounts={"leave_out": ["a0*", "a1_"]})
    excluded = relations.accounts.account_id[relations.accounts.excluded].tolist()
    assert excluded == [f"a{i:02d}" for i in range(10)]


def test_rows_repeated_under_two_spellings_are_one_row():
    events = named("Shared", "shared").assign(timestamp=START, user_id="u")
    relations = read(events, ACCOUNTS, events={"aliases": {"shared": ["Shared"]}, "duplicates": "exact"})
    assert names_of(relations) == ["shared"]
