"""A first look: counts that a slower way confirms, and what the first rows say beside."""

from __future__ import annotations

import json
from contextlib import closing

import pandas as pd
import pytest

from discovery.intake import profile
from discovery.spec import build_spec
from tests.intake.tables import clean_accounts, clean_events, read


@pytest.fixture
def looked_at():
    """Return a function that loads events and looks at their first rows."""

    def look(events, accounts=None, **spec):
        relations = read(events, clean_accounts() if accounts is None else accounts, **spec)
        with closing(relations.engine):
            return profile.look_at_first_rows(relations, events, build_spec(spec))

    return look


def test_every_event_is_counted():
    events = clean_events()
    events = pd.concat([events, events.iloc[:3].assign(event="rare", user_id=None)])
    relations = read(events, clean_accounts())
    with closing(relations.engine):
        counted = {each.event: each for each in profile.count_events(relations)}
        users = profile.count_users(relations)
    assert [each.rows for each in counted.values()] == sorted((e.rows for e in counted.values()), reverse=True)
    for event, rows in events.groupby("event"):
        found = counted[str(event)]
        per_account = rows.groupby("account_id")
        assert found.rows == len(rows)
        assert found.accounts == per_account.ngroups
        assert found.rows_per_account == per_account.size().median()
        if event == "rare":
            assert (found.users, found.users_per_account, found.shared) == (None, None, None)
        else:
            assert found.users == per_account.user_id.nunique().sum()
            assert found.users_per_account == pytest.approx(per_account.user_id.nunique().mean())
            assert found.shared == pytest.approx((per_account.user_id.nunique() > 1).mean())
    pairs = events.groupby("account_id").user_id.nunique()
    assert (users.users, users.shared) == (pairs.sum(), (pairs > 1).mean())
    assert users.named == pytest.approx(events.user_id.notna().mean())


def test_a_log_without_users_names_none():
    relations = read(clean_events().drop(columns="user_id"), clean_accounts())
    with closing(relations.engine):
        assert profile.count_users(relations) == profile.UserCount(users=None, shared=0.0, named=0.0)


def test_names_in_the_same_account_and_second_are_seen_together():
    events = clean_events()
    shared = events[events.event == "shared"]
    twins = shared.iloc[::2].assign(event="Shared", timestamp=shared.timestamp + pd.Timedelta(milliseconds=300))
    alone = shared.iloc[:5].assign(event="it's", timestamp=shared.timestamp + pd.Timedelta(hours=3))
    relations = read(pd.concat([events, twins, alone]), clean_accounts())
    with closing(relations.engine):
        assert profile.together(relations, "shared", "Shared") == 1.0
        assert profile.together(relations, "Shared", "shared") == pytest.approx(0.5, abs=0.01)
        assert profile.together(relations, "shared", "it's") == 0.0


def test_columns_named_like_an_account_are_measured(looked_at):
    events = clean_events()
    events = events.assign(company=[f"c{k % 3}" for k in range(len(events))], workspace_id=events.account_id)
    found = {each.column: each for each in looked_at(events).account_columns}
    assert found.keys() == {"account_id", "workspace_id"}  # no company is in the accounts
    assert (found["workspace_id"].different, found["workspace_id"].known) == (20, 1.0)


@pytest.mark.parametrize(
    ("write", "asked_for"),
    [
        (lambda times: times, True),
        (lambda times: times.dt.tz_localize("UTC"), False),
        (lambda times: times.dt.strftime("%Y-%m-%d %H:%M:%S"), True),
        (lambda times: times.dt.strftime("%Y-%m-%dT%H:%M:%SZ"), False),
        (lambda times: times.dt.strftime("%Y-%m-%d %H:%M:%S+02:00"), False),
        (lambda times: times.astype("int64") // 10**9, False),
    ],
)
def test_the_zone_is_asked_for_where_times_name_none(looked_at, write, asked_for):
    events = clean_events()
    events["timestamp"] = write(events["timestamp"].astype("datetime64[ns]"))
    assert bool(looked_at(events).zoneless) == asked_for


def test_properties_of_a_table_are_its_free_columns(looked_at):
    events = clean_events()
    count = len(events)
    events["size"] = [k % 30 for k in range(count)]
    events["automatic"] = [k % 2 == 0 for k in range(count)]
    events["channel"] = [("email", None)[k % 2] for k in range(count)]
    events["empty"] = None
    found = {each.name: each for each in looked_at(events).properties}
    assert found.keys() == {"size", "automatic", "channel"}
    assert (found["size"].holds, found["size"].distinct) == ("number", 30)
    assert (found["automatic"].holds, found["automatic"].examples) == ("yes or no", ("false", "true"))
    assert (found["channel"].filled, found["channel"].examples) == (0.5, ("email",))


def test_it_is_counted_in_how_many_accounts_a_property_does_not_change(looked_at):
    events = clean_events()
    accounts = sorted(events["account_id"].unique())
    tier = {account: ("free", "paid", "paid")[k % 3] for k, account in enumerate(accounts)}
    events["tier"] = [tier[account] for account in events["account_id"]]
    events["size"] = [k % 30 for k in range(len(events))]
    events["once"] = [account if first else None for account, first in _firsts(events["account_id"])]
    several = int((events.groupby("account_id").size() > 1).sum())
    found = {each.name: each for each in looked_at(events).properties}
    paid = sum(tier[a] == "paid" for a, n in events.groupby("account_id").size().items() if n > 1)
    assert (found["tier"].several, found["tier"].same, found["tier"].commonest) == (several, several, paid)
    assert found["size"].several == several > found["size"].same
    assert (found["once"].several, found["once"].same, found["once"].commonest) == (0, 0, 0)


def _firsts(values):
    seen = set()
    for value in values:
        yield value, value not in seen
        seen.add(value)


def test_properties_are_found_inside_nested_records(looked_at, tmp_path):
    rows = clean_events().to_dict("records")
    with (tmp_path / "events.jsonl").open("w") as file:
        for k, row in enumerate(rows):
            row["timestamp"] = row["timestamp"].isoformat() + "Z"
            row["properties"] = {"chan/nel": ["a", "b"][k % 2], "größe": k, "deep": {"x": 1}}
            file.write(json.dumps(row) + "\n")
    found = {each.name: each for each in looked_at(str(tmp_path / "events.jsonl")).properties}
    assert found.keys() == {"chan/nel", "größe", "deep"}
    assert found["chan/nel"].examples == ("a", "b")
    assert (found["größe"].holds, found["deep"].holds) == ("number", "lists or records")


def test_what_can_be_read_once_only_is_not_read_again(looked_at):
    pa = pytest.importorskip("pyarrow")
    reader = pa.Table.from_pandas(clean_events()).to_reader()
    assert looked_at(reader) == profile.FirstRows()
