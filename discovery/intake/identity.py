"""Who is who: user ids that are one person, and the account a user belongs to where the events do not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pyarrow as pa

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.errors import ColumnError
from discovery.intake.columns import Table
from discovery.intake.lexicon import MEMBERSHIP, PERSONS, by_preference
from discovery.intake.names import USER_LEFT_OUT, matches_any
from discovery.intake.sql import id_text, literal
from discovery.intake.wording import listed
from discovery.spec import Day

ALWAYS = -(1 << 63)
"""The time of joining of those who were always there."""

REACH = Day
"""How far a first membership reaches back: a session before its group call, and nothing that would make what happens
long after a signup part of its first days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Where identities are told.

    Attributes
    ----------
    members : str
        SELECT of `user_id`, `account_id`, `since` (microseconds; NULL: always). Empty: nothing tells.
    persons : tuple of str
        SELECTs of `user_id`, `person_id`, that of the spec first.
    users_left_out : tuple of str
        Patterns of users that are passed over, whose person may match where the id did not.
    words : str
        What says which account a user belongs to.
    columns : mapping
        The recognised columns of the table of members, for the spec as run.
    paths : mapping
        Where the tables are, by `from` and `persons`.
    """

    members: str = ""
    persons: tuple[str, ...] = ()
    users_left_out: tuple[str, ...] = ()
    words: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)

    def over(self, answers: Mapping[str, str]) -> Identity:
        """Return the same over answers that were kept, by SELECT."""
        persons = tuple(answers.get(select, select) for select in self.persons)
        return replace(self, members=answers.get(self.members, self.members), persons=persons)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """What identities changed: rows given an account, rows whose user id changed.

    `ambiguous` counts the users in several accounts at once whose events have no account for it, `before_joining` the
    rows of users more than `REACH` before they joined their first account. `rewritten` says that the events are a table
    now, however they were read.
    """

    mapped: int = 0
    merged: int = 0
    ambiguous: int = 0
    before_joining: int = 0
    examples: tuple[str, ...] = ()
    rewritten: bool = False


def members_of(table: Table, named: Mapping[str, str], timezone: str) -> tuple[str, dict[str, str], str]:
    """Recognise the columns of a table of users and their accounts.

    Returns
    -------
    tuple
        The SELECT of `user_id`, `account_id`, `since`; the columns by role; the table in words.

    Raises
    ------
    ColumnError
        If a column named in the spec is absent, or the user or the account is not found.
    """
    columns: dict[str, str] = {}
    for role in ("user", "account", "since"):
        column = _column(table, role, named.get(role, ""), MEMBERSHIP[role], columns, needed=role != "since")
        if column:
            columns[role] = column
    user, account = (id_text(columns[role], table.kind(columns[role])) for role in ("user", "account"))
    since = table.clock(columns["since"]).micros(timezone) if "since" in columns else "CAST(NULL AS BIGINT)"
    words = f"{columns['user']} and {columns['account']} of {table.source.label}"
    words += f", from {columns['since']} on" if "since" in columns else ""
    rows = quoted(table.rows)
    return f"SELECT {user} AS user_id, {account} AS account_id, {since} AS since FROM {rows}", columns, words


def persons_of(table: Table) -> str:
    """Recognise the columns of a table of user ids and persons, and return the SELECT of `user_id`, `person_id`.

    Where rows of one id are numbered by version, the latest one counts.

    Raises
    ------
    ColumnError
        If either column is not found.
    """
    columns: dict[str, str] = {}
    for role in ("user", "person"):
        columns[role] = _column(table, role, "", PERSONS[role], columns, needed=True) or ""
    user, person = (id_text(columns[role], table.kind(columns[role])) for role in ("user", "person"))
    version = next(iter(by_preference(table.names, PERSONS["version"])), None)
    order = f"TRY_CAST({quoted(version)} AS DOUBLE)" if version else "0"
    latest = "QUALIFY version IS NOT DISTINCT FROM max(version) OVER (PARTITION BY user_id)"
    return (
        f"SELECT user_id, person_id FROM (SELECT {user} AS user_id, {person} AS person_id, {order} AS version "
        f"FROM {quoted(table.rows)}) WHERE user_id IS NOT NULL {latest}"
    )


def identify(
    engine: DuckDBEngine, typed: str, identity: Identity, *, in_place: bool, has_creator: bool = False
) -> Identified:
    """Replace the users of the typed events by their persons, and give events without an account that of their user.

    Where the events have a creator, that is a user too.

    The relation `typed`, a view where it is read `in_place`, is rewritten as a table where anything could change.
    """
    name = quoted(typed)
    persons = _persons(engine, f"{typed}_persons", identity.persons)
    bare = "account_id IS NULL AND user_id IS NOT NULL AND passed_over IS NULL"
    lacking = bool(identity.members) and bool(engine.rows(f"SELECT 1 FROM {name} WHERE {bare} LIMIT 1"))
    merged = 0
    if persons:
        same = f"{name} e LEFT JOIN {quoted(persons)} p ON e.user_id = p.user_id"
        merged = int(engine.rows(f"SELECT count(p.person_id) FROM {same} WHERE e.passed_over IS NULL")[0][0])
        left = matches_any("p.person_id", identity.users_left_out)
        over = f"CASE WHEN e.passed_over IS NULL AND {left} THEN {literal(USER_LEFT_OUT)} ELSE e.passed_over END"
        replaced = f"coalesce(p.person_id, e.user_id) AS user_id, {over} AS passed_over"
        if has_creator:
            same += f" LEFT JOIN {quoted(persons)} c ON e.creator_id = c.user_id"
            replaced += ", coalesce(c.person_id, e.creator_id) AS creator_id"
        _rewrite(engine, typed, f"SELECT e.* REPLACE ({replaced}) FROM {same}", in_place)
    found = Identified(merged=merged, rewritten=bool(persons))
    if lacking:
        found = _mapped(engine, typed, identity, persons, bare, in_place and not persons, merged)
    for table in (f"{typed}_persons", f"{typed}_members"):
        engine.execute(f"DROP TABLE IF EXISTS {quoted(table)}")
    return found


def _mapped(
    engine: DuckDBEngine, typed: str, identity: Identity, persons: str, bare: str, in_place: bool, merged: int
) -> Identified:
    members, name = _members(engine, f"{typed}_members", identity.members, persons), quoted(typed)
    timed = engine.rows(f"SELECT 1 FROM {members} WHERE since > {ALWAYS} LIMIT 1")
    joined = (
        f"ASOF LEFT JOIN {members} m ON e.user_id = m.user_id AND coalesce(e.t, 0) >= m.since"
        if timed
        else f"LEFT JOIN {members} m ON e.user_id = m.user_id"
    )
    before = int(engine.rows(f"SELECT count(*) FROM {name} WHERE account_id IS NULL AND passed_over IS NULL")[0][0])
    _rewrite(
        engine,
        typed,
        f"SELECT * FROM {name} WHERE NOT coalesce({bare}, false) UNION ALL "
        f"SELECT e.* REPLACE (m.account_id AS account_id) FROM (SELECT * FROM {name} WHERE {bare}) e {joined}",
        in_place,
    )
    unmapped = int(engine.rows(f"SELECT count(*) FROM {name} WHERE account_id IS NULL AND passed_over IS NULL")[0][0])
    early = engine.rows(
        f"SELECT count(*) FROM (SELECT user_id, t FROM {name} WHERE {bare}) e JOIN (SELECT user_id, "
        f"min(since) AS since FROM {members} GROUP BY user_id) m ON e.user_id = m.user_id AND e.t < m.since"
    )
    torn = engine.rows(
        f"SELECT DISTINCT user_id FROM {name} SEMI JOIN (SELECT user_id FROM {members} WHERE account_id IS NULL) "
        f"USING (user_id) WHERE {bare} ORDER BY user_id"
    )
    return Identified(
        mapped=before - unmapped,
        merged=merged,
        ambiguous=len(torn),
        before_joining=int(early[0][0]) if timed else 0,
        examples=tuple(str(user) for (user,) in torn[:5]),
        rewritten=True,
    )


def _rewrite(engine: DuckDBEngine, typed: str, selected: str, in_place: bool) -> None:
    """Replace the typed events by a query over them; a view becomes a table."""
    engine.execute(f"CREATE TABLE {quoted(typed + '_next')} AS {selected}")
    engine.execute(f"DROP {'VIEW' if in_place else 'TABLE'} {quoted(typed)}")
    engine.execute(f"ALTER TABLE {quoted(typed + '_next')} RENAME TO {quoted(typed)}")


def _members(engine: DuckDBEngine, name: str, told: str, persons: str) -> str:
    """Keep who belongs where: per user one row for each change, the earliest one from `REACH` before it on.

    Two accounts that a user joined at the same moment are none: `account_id` is NULL.
    """
    if persons:
        told = (
            f"SELECT coalesce(p.person_id, m.user_id) AS user_id, m.account_id, m.since FROM ({told}) m "
            f"LEFT JOIN {quoted(persons)} p ON m.user_id = p.user_id"
        )
    moments = (
        "SELECT user_id, since, CASE WHEN min(account_id) = max(account_id) THEN min(account_id) END AS account_id "
        f"FROM (SELECT user_id, CAST(account_id AS VARCHAR) AS account_id, coalesce(since, {ALWAYS}) AS since "
        f"FROM ({told})) WHERE user_id <> '' AND account_id <> '' GROUP BY user_id, since"
    )
    changes = (
        f"SELECT user_id, account_id, since, row_number() OVER w AS nth FROM ({moments}) WINDOW w AS "
        "(PARTITION BY user_id ORDER BY since) QUALIFY nth = 1 OR account_id IS DISTINCT FROM lag(account_id) OVER w"
    )
    engine.execute(
        f"CREATE OR REPLACE TABLE {quoted(name)} AS SELECT user_id, account_id, "
        f"CASE WHEN nth = 1 AND since > {ALWAYS} THEN since - {REACH} ELSE since END AS since FROM ({changes})"
    )
    return quoted(name)


def _persons(engine: DuckDBEngine, name: str, told: tuple[str, ...]) -> str:
    """Keep which user id is which person, chains followed to their end; return the table, "" where there is none.

    What the first SELECT tells goes before the others. An id that is told to be several persons stays what it is.
    """
    if not told:
        return ""
    union = " UNION ALL ".join(
        f"SELECT CAST(user_id AS VARCHAR) AS user_id, CAST(person_id AS VARCHAR) AS person_id, {i} AS place "
        f"FROM ({select})"
        for i, select in enumerate(told)
    )
    first = "QUALIFY place = min(place) OVER (PARTITION BY user_id)"
    engine.execute(
        f"CREATE OR REPLACE TABLE {quoted(name)} AS SELECT user_id, min(person_id) AS person_id "
        f"FROM (SELECT * FROM ({union}) WHERE user_id <> '' AND person_id <> '' {first}) GROUP BY user_id "
        "HAVING min(person_id) = max(person_id) AND user_id <> min(person_id)"
    )
    chained = engine.rows(
        f"SELECT 1 FROM {quoted(name)} p SEMI JOIN {quoted(name)} q ON p.person_id = q.user_id LIMIT 1"
    )
    if chained:
        rows = engine.table(f"SELECT user_id, person_id FROM {quoted(name)}")
        next_id = dict(zip(rows.column("user_id").to_pylist(), rows.column("person_id").to_pylist(), strict=True))
        ends = followed(next_id)
        changed = {user: end for user, end in ends.items() if user != end}
        engine.register(
            name,
            pa.table(
                {
                    "user_id": pa.array(list(changed), type=pa.string()),
                    "person_id": pa.array(list(changed.values()), type=pa.string()),
                }
            ),
        )
    return name


def followed(next_id: Mapping[str, str]) -> dict[str, str]:
    """Return the end of the chain that begins at each id; the end of a ring is its smallest id."""
    ends: dict[str, str] = {}
    for start in next_id:
        path: dict[str, None] = {}
        at = start
        while at not in ends and at not in path and at in next_id:
            path[at] = None
            at = next_id[at]
        if at in path:
            ring = list(path)[list(path).index(at) :]
            end = min(ring)
        else:
            end = ends.get(at, at)
        ends |= dict.fromkeys(path, end)
    return ends


def _column(
    table: Table, role: str, named: str, usual: tuple[str, ...], taken: Mapping[str, str], *, needed: bool
) -> str | None:
    if named and named not in table.source.columns:
        raise ColumnError(
            f"identity.{role} names the column {named!r}, which {table.source.label} does not have. Its columns are: "
            f"{listed(table.names, 40)}. Set it right: --set identity.{role}=COLUMN."
        )
    if named:
        return named
    free = [column for column in by_preference(table.names, usual) if column not in taken.values()]
    if role == "since":
        free = [column for column in free if table.clock(column).readable > 0.5]
    if not free and needed:
        raise ColumnError(
            f"{table.source.label} has no column recognised as the {role} (for identity). Its columns are: "
            f"{listed(table.names, 40)}. Rename the right one"
            + ("." if role == "person" else f", or name it: --set identity.{role}=COLUMN.")
        )
    return free[0] if free else None
