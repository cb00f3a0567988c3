"""User ids become persons, and events without an account take that of their user; nothing is guessed or multiplied."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.engines.duckdb import DuckDBEngine
from discovery.errors import ColumnError, SourceError, SpecError
from discovery.intake.identity import Identity, followed, identify

from .tables import START, clean_accounts, clean_events, codes, named, read, usable

EVENTS, ACCOUNTS = clean_events(), clean_accounts()
OWNERS = EVENTS[["user_id", "account_id"]].drop_duplicates()
DAY = pd.Timedelta(days=1)


@pytest.fixture
def table(tmp_path):
    """Write a frame as a file, and return its path."""

    def write(frame: pd.DataFrame, name: str = "people.csv") -> str:
        frame.to_csv(tmp_path / name, index=False)
        return str(tmp_path / name)

    return write


def log_of(*rows: tuple) -> pd.DataFrame:
    """Return events of (account or None, user, day), all called "opened"."""
    return pd.DataFrame(
        [(account, user, "opened", START + day * DAY) for account, user, day in rows],
        columns=["account_id", "user_id", "event", "timestamp"],
    )


def owners_of(relations) -> list[tuple]:
    """Return (user, account, day) of the usable events."""
    return sorted((row[2], row[0], (row[3] - START.value // 1000) // 86_400_000_000) for row in usable(relations))


def test_a_table_of_users_stands_in_for_the_account_column(table):
    relations = read(EVENTS.drop(columns="account_id"), ACCOUNTS, identity={"from": table(OWNERS)})
    assert usable(relations) == usable(read(EVENTS, ACCOUNTS))
    assert relations.spec.identity.user == "user_id"
    assert relations.spec.identity.account == "account_id"
    reasons = [c.reason for c in relations.recognised if (c.table, c.role) == ("events", "account")]
    assert reasons == ["each event belongs to the account of its user: user_id and account_id of people.csv"]


def test_numbers_are_the_same_id_however_they_are_stored(table):
    people = pd.DataFrame({"user_id": [12.0, 13.0], "account_id": ["a00", "a01"]})
    events = pd.DataFrame({"user_id": ["12", "13"], "event": "x", "timestamp": START + DAY})
    relations = read(events, ACCOUNTS, identity={"from": table(people)})
    assert [row[:3] for row in usable(relations)] == [("a00", "x", "12"), ("a01", "x", "13")]


def test_an_account_that_an_event_has_is_never_overwritten(table):
    people = pd.DataFrame({"user_id": ["u"], "account_id": ["a01"]})
    relations = read(
        log_of(("a00", "u", 1), (None, "u", 2), (None, "v", 3)), ACCOUNTS, identity={"from": table(people)}
    )
    assert owners_of(relations) == [("u", "a00", 1), ("u", "a01", 2)]
    found = codes(relations)
    assert (found["unmapped_events"].count, "missing_account" in found) == (1, False)


def test_repeated_and_blank_rows_of_people_multiply_nothing(table):
    people = pd.concat([OWNERS, OWNERS, pd.DataFrame({"user_id": [None, "u00_0"], "account_id": ["a00", None]})])
    relations = read(EVENTS.drop(columns="account_id"), ACCOUNTS, identity={"from": table(people)})
    assert usable(relations) == usable(read(EVENTS, ACCOUNTS))


def test_a_user_in_several_accounts_has_none_without_a_since(table):
    people = pd.DataFrame({"user_id": ["u", "u", "v"], "account_id": ["a00", "a01", "a02"]})
    events = log_of((None, "u", 1), (None, "v", 1), ("a03", "u", 2))
    relations = read(events, ACCOUNTS, identity={"from": table(people)})
    assert owners_of(relations) == [("u", "a03", 2), ("v", "a02", 1)]
    assert codes(relations)["ambiguous_users"].count == 1


def test_since_decides_and_the_first_membership_reaches_back_a_day(table):
    people = pd.DataFrame(
        {
            "user_id": ["u"] * 3,
            "account_id": ["a01", "a00", "a01"],
            "joined_at": [START + 4 * DAY, START + 2 * DAY, START + 9 * DAY],
        }
    )
    relations = read(
        log_of(*((None, "u", day) for day in (0, 1, 2, 3, 4, 8, 9, 20))), ACCOUNTS, identity={"from": table(people)}
    )
    assert codes(relations)["before_joining"].count == 1
    assert "unmapped_events" not in codes(relations)
    expected = {1: "a00", 2: "a00", 3: "a00", 4: "a01", 8: "a01", 9: "a01", 20: "a01"}
    assert owners_of(relations) == sorted(("u", account, day) for day, account in expected.items())
    assert relations.spec.identity.since == "joined_at"


def test_accounts_joined_at_the_same_moment_are_ambiguous_until_the_next(table):
    people = pd.DataFrame(
        {
            "user_id": ["u"] * 4,
            "account_id": ["a00", "a01", "a02", "a03"],
            "joined_at": [START, START + 2 * DAY, START + 2 * DAY, START + 5 * DAY],
        }
    )
    relations = read(log_of(*((None, "u", day) for day in (1, 2, 4, 5))), ACCOUNTS, identity={"from": table(people)})
    assert owners_of(relations) == [("u", "a00", 1), ("u", "a03", 5)]


def test_persons_merge_users_before_these_are_mapped(table):
    people = table(pd.DataFrame({"user_id": ["u"], "account_id": ["a05"]}))
    persons = table(
        pd.DataFrame({"anonymous_id": ["x1", "x2", "x3", "u"], "user_id": ["x2", "x3", "u", "u"]}), "persons.csv"
    )
    events = log_of((None, "x1", 1), (None, "x2", 2), (None, "u", 3), (None, "zz", 4)).drop(columns="account_id")
    relations = read(events, ACCOUNTS, identity={"from": people, "persons": persons})
    assert owners_of(relations) == [("u", "a05", day) for day in (1, 2, 3)]
    again = read(events, ACCOUNTS, **{k: v for k, v in relations.spec.as_dict().items() if k in ("events", "identity")})
    assert usable(again) == usable(relations)


def test_an_id_told_to_be_two_persons_stays_itself(table):
    persons = table(pd.DataFrame({"distinct_id": ["d", "d", "e"], "person_id": ["p", "q", "p"]}), "persons.csv")
    relations = read(log_of(("a00", "d", 1), ("a00", "e", 2)), ACCOUNTS, identity={"persons": persons})
    assert owners_of(relations) == [("d", "a00", 1), ("p", "a00", 2)]
    assert codes(relations)["merged_users"].count == 1


def test_the_latest_version_of_a_person_counts(table):
    frame = pd.DataFrame({"distinct_id": ["d", "d"], "person_id": ["old", "new"], "version": [1, 12]})
    relations = read(log_of(("a00", "d", 1)), ACCOUNTS, identity={"persons": table(frame, "persons.csv")})
    assert owners_of(relations) == [("new", "a00", 1)]


def test_persons_that_are_left_out_are_passed_over(table):
    persons = table(pd.DataFrame({"distinct_id": ["d"], "person_id": ["qa@acme.test"]}), "persons.csv")
    events = log_of(("a00", "d", 1), ("a00", "e", 2), ("a00", "f@acme.test", 2))
    relations = read(events, ACCOUNTS, identity={"persons": persons}, events={"leave_out_users": ["*@acme.test"]})
    assert owners_of(relations) == [("e", "a00", 2)]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_large_files_read_in_place_are_mapped_too(table, tmp_path, monkeypatch, zone):
    frame = EVENTS.drop(columns="account_id").assign(timestamp=EVENTS["timestamp"].dt.normalize())
    frame.to_parquet(tmp_path / "e.parquet")
    asked = {
        "identity": {
            "from": table(OWNERS),
            "persons": table(pd.DataFrame({"alias": ["u00_0"], "user": ["u00_1"]}), "p.csv"),
        },
        "events": {"timezone": zone},
    }
    copied = read(tmp_path / "e.parquet", ACCOUNTS, **asked)
    monkeypatch.setattr("discovery.intake.eventlog.LARGE", 10)
    in_place = read(tmp_path / "e.parquet", ACCOUNTS, **asked)
    assert named(in_place, usable(copied)) == usable(copied)
    assert "u00_0" not in {row[2] for row in usable(copied)}
    assert {row[0] for row in usable(copied)} == set(ACCOUNTS["account_id"])


def test_hostile_ids_are_only_text(table):
    ids = ["'; DROP TABLE x; --", 'q"q', "größe/日本", "a,b", " spaced "]
    people = pd.DataFrame({"user_id": ids, "account_id": [f"a{i:02d}" for i in range(5)]})
    events = pd.DataFrame({"user_id": ids, "event": "x", "timestamp": START + DAY})
    relations = read(events, ACCOUNTS, identity={"from": table(people)})
    assert {row[2]: row[0] for row in usable(relations)} == dict(zip(ids, people["account_id"], strict=True))


def test_lines_of_people_that_cannot_be_read_are_an_error(tmp_path):
    (tmp_path / "p.csv").write_text("user_id,account_id\nu,a00\nv,a01,b,c\n")
    with pytest.raises(SourceError, match=r"1 lines of p.csv could not be read"):
        read(EVENTS, ACCOUNTS, identity={"from": str(tmp_path / "p.csv")})


def test_missing_columns_are_named(table):
    nobody = table(pd.DataFrame({"a": ["x"], "b": ["y"]}))
    with pytest.raises(ColumnError, match=r"identity.user=COLUMN"):
        read(EVENTS, ACCOUNTS, identity={"from": nobody})
    with pytest.raises(ColumnError, match=r"identity.account names the column 'c'"):
        read(EVENTS, ACCOUNTS, identity={"from": nobody, "user": "a", "account": "c"})
    with pytest.raises(ColumnError, match=r"identity.from=PATH"):
        read(EVENTS.drop(columns="account_id"), ACCOUNTS)
    with pytest.raises(ColumnError, match=r"events.user=COLUMN"):
        read(EVENTS.drop(columns=["account_id", "user_id"]), ACCOUNTS, identity={"from": table(OWNERS, "p.csv")})


def expected_account(memberships: list[tuple], user: str, t: int) -> str | None:
    """Return the account of a user at a time, worked out plainly."""
    own = [(-1 if since is None else since, account) for name, account, since in memberships if name == user]
    if not own:
        return None
    moments = sorted({since for since, _ in own})
    at = max((since for since in moments if since <= t), default=moments[0])  # all within the day that it reaches back
    accounts = {account for since, account in own if since == at}
    return accounts.pop() if len(accounts) == 1 else None


@pytest.fixture(scope="module")
def engine():
    with DuckDBEngine(threads=1) as held:
        yield held


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("uvw"), st.sampled_from(["a00", "a01"]), st.integers(9, 60)), max_size=8),
    st.lists(st.tuples(st.sampled_from("uvw"), st.integers(0, 7)), min_size=1, max_size=6),
)
def test_memberships_that_begin_after_the_window_change_no_early_event(engine, joined, early):
    """What happens after the first week, here on day 9 and later, changes nothing of that week."""
    day = 86_400_000_000
    rows = ", ".join(f"(NULL, '{user}', {t * day})" for user, t in early)
    first = "('u', 'a00', 0)"  # one who belongs somewhere from the start
    told = ", ".join([first, *(f"('{user}', '{account}', {t * day})" for user, account, t in joined)])
    found = []
    for values in (first, told):
        engine.execute(
            "CREATE OR REPLACE TABLE e AS SELECT CAST(a AS VARCHAR) AS account_id, u AS user_id, "
            f"CAST(t AS BIGINT) AS t, CAST(NULL AS VARCHAR) AS passed_over FROM (VALUES {rows}) AS v(a, u, t)"
        )
        members = f"SELECT * FROM (VALUES {values}) AS m(user_id, account_id, since)"
        identify(engine, "e", Identity(members=members), in_place=False)
        found.append(sorted(engine.rows("SELECT user_id, t, account_id FROM e")))
    assert found[0] == found[1]


def test_where_the_tables_are_is_written_as_absolute_paths(table, tmp_path, monkeypatch):
    table(OWNERS, "people.csv")
    table(pd.DataFrame({"distinct_id": ["d"], "person_id": ["p"]}), "persons.csv")
    monkeypatch.chdir(tmp_path)
    found = read(EVENTS, ACCOUNTS, identity={"from": "people.csv", "persons": "persons.csv"}).spec.identity
    assert (found.source, found.persons) == (str(tmp_path / "people.csv"), str(tmp_path / "persons.csv"))


def test_columns_of_a_table_that_is_not_named_are_refused():
    with pytest.raises(SpecError, match=r"identity.user and identity.since .*identity.from"):
        read(EVENTS, ACCOUNTS, identity={"user": "user_id", "since": "day"})


USERS, TIMES = st.sampled_from("uvw"), st.integers(0, 6)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(USERS, st.sampled_from("AB"), st.none() | TIMES), min_size=1, max_size=6),
    st.lists(st.tuples(st.none() | st.just("Z"), st.none() | USERS | st.just("x"), TIMES), min_size=1, max_size=8),
)
def test_events_are_mapped_as_one_would_by_hand(engine, memberships, events):
    values = ", ".join(
        f"('{user}', '{account}', {'NULL' if since is None else since})" for user, account, since in memberships
    )
    members = f"SELECT * FROM (VALUES {values}) AS m(user_id, account_id, since)"
    rows = ", ".join(
        f"({i}, {'NULL' if a is None else repr(a)}, {'NULL' if u is None else repr(u)}, {t})"
        for i, (a, u, t) in enumerate(events)
    )
    engine.execute(
        "CREATE OR REPLACE TABLE e AS SELECT i, CAST(a AS VARCHAR) AS account_id, CAST(u AS VARCHAR) AS user_id, "
        f"CAST(t AS BIGINT) AS t, CAST(NULL AS VARCHAR) AS passed_over FROM (VALUES {rows}) AS v(i, a, u, t)"
    )
    found = identify(engine, "e", Identity(members=members), in_place=False)
    mapped = [account for _, account in sorted(engine.rows("SELECT i, account_id FROM e"))]
    assert mapped == [a or expected_account(memberships, u, t) for a, u, t in events]
    assert found.mapped == sum(a is None and m is not None for (a, _, _), m in zip(events, mapped, strict=True))


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")))
def test_chains_end_where_they_end_and_rings_at_their_smallest(next_id):
    ends = followed(next_id)
    for start, end in ends.items():
        assert end not in next_id or ends[end] == end
        assert ends.get(next_id[start], next_id[start]) == end
        reached, at = [], start
        while at in next_id and at not in reached:
            reached.append(at)
            at = next_id[at]
        ring = reached[reached.index(at) :] if at in reached else [at]
        assert end == min(ring)


def test_who_made_an_object_is_a_person_too(table):
    persons = table(pd.DataFrame({"anonymous_id": ["x"], "user_id": ["p"]}), "persons.csv")
    events = log_of(("a00", "x", 1), ("a00", "p", 2), ("a00", "q", 3))
    events["maker"] = ["p", "x", None]
    relations = read(events, ACCOUNTS, identity={"persons": persons}, events={"creator": "maker"})
    found = relations.engine.rows(f'SELECT user_id, creator_id FROM "{relations.events_table}" ORDER BY t')
    assert found == [("p", "p"), ("p", "p"), ("q", None)]
