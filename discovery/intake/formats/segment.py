"""Segment: raw calls as JSON lines, and the tables it writes to a warehouse.

A raw log holds the calls as they were received: track calls among those that identify users, group them into accounts,
alias them, and report pages and screens. A warehouse has a table for each kind; `tracks` holds the events.

References
----------
Segment spec, common fields and the calls: https://segment.com/docs/connections/spec/common/;
warehouse schemas: https://segment.com/docs/connections/storage/warehouses/schema/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.intake.formats.layout import EventRole, Layout, Look, Role
from discovery.intake.formats.told import (
    accounts_told,
    as_asked,
    as_json,
    field_text,
    folded_names,
    holds,
    members_told,
    micros,
    own_account,
    persons_told,
    scalar_fields,
    told_by,
    with_column,
)
from discovery.intake.lexicon import EVENT_ROLES, by_preference
from discovery.intake.reaching import pointer
from discovery.intake.sources import JsonFiles, Source
from discovery.intake.sql import id_text, literal, word_list
from discovery.intake.wording import percent
from discovery.spec import EventsSpec

CALLS = ("track", "identify", "group", "alias", "page", "screen")
"""The kinds of calls, as in the field `type`."""

_RAW_FIELDS = ("type", "event", "userId", "anonymousId", "groupId", "previousId", "context", "properties", "traits")
_OF_A_TABLE = ("original_timestamp", "sent_at", "uuid_ts")
_NO_TRAITS = (
    "id",
    "uuid",
    "uuid_ts",
    "user_id",
    "anonymous_id",
    "group_id",
    "timestamp",
    "original_timestamp",
    "sent_at",
    "received_at",
    "loaded_at",
)


def likeness(look: Look) -> str:
    """Return from what a Segment log or `tracks` table is recognised; empty where it is something else."""
    names = folded_names(look.source)
    by_user = "userid" in names or "anonymousid" in names
    if {"type", "messageid"} <= names.keys() and by_user and "context" in names:
        share = look.share(f"lower(CAST({quoted(names['type'])} AS VARCHAR)) IN {word_list(CALLS)}")
        return f"{percent(share)} of its rows are calls with a messageId and a context" if share >= 0.9 else ""
    if {"event", "event_text"} <= names.keys() and _is_of_a_warehouse(names):
        return "a warehouse table with event_text, received_at and the other columns of tracks"
    return ""


def layout(look: Look, reason: str) -> Layout:
    """Return how the calls, or the rows of a warehouse table, are laid out."""
    return _table(look, reason) if "event_text" in folded_names(look.source) else _raw(look, reason)


def accounts(engine: DuckDBEngine, source: Source, rows: str) -> Source | None:
    """Return the accounts that a raw log or a warehouse table of group calls tells of; None for anything else."""
    look = Look(engine=engine, source=source, rows=rows, spec=EventsSpec())
    names = folded_names(source)
    if "group_id" in names and "event" not in names and _is_of_a_warehouse(names):
        return told_by(engine, source, _groups(look, names))
    if likeness(look) and "event_text" not in names:
        wider, roles = _raw_roles(look)
        if {"user", "time"} <= roles.keys():
            return told_by(engine, wider, _accounts(look, _calls(look, wider, roles, "{table}"), always=True))
    return None


def _is_of_a_warehouse(names: Mapping[str, str]) -> bool:
    by_user = "user_id" in names or "anonymous_id" in names
    return by_user and "received_at" in names and any(name in names for name in _OF_A_TABLE)


def _raw(look: Look, reason: str) -> Layout:
    names = folded_names(look.source)
    source, roles = _raw_roles(look)
    calls = _calls(look, source, roles, source.table()) if {"user", "time"} <= roles.keys() else ""
    return Layout(
        format="segment",
        reason=reason,
        source=source,
        roles=roles,
        passed_over=_passed_over(names),
        properties=tuple(names[name] for name in ("properties", "context") if name in names),
        members=members_told(f"SELECT user_id, account_id, t FROM ({calls})") if calls else "",
        persons=_persons(calls) if calls else "",
        accounts=_accounts(look, calls) if calls else "",
        corrected_times=_corrected(names),
    )


def _raw_roles(look: Look) -> tuple[Source, dict[EventRole, Role]]:
    source = _with_rare_fields(look.source)
    names = folded_names(source)
    roles = _roles(
        names,
        {
            "event": ("event", "the name of a track call"),
            "id": ("messageid", "the same when a call is sent again"),
            "sent": ("sentat", "the clock of the device when the call was sent"),
            "received": ("receivedat", "Segment's own clock"),
        },
    )
    source, user = _first_of(source, names, ("userid", "anonymousid"))
    if user:
        roles["user"] = Role(column=user, why="the userId, and before a user is known the anonymousId")
    _add_time(look, roles, ("timestamp", "originaltimestamp", "receivedat"))
    source, account = _raw_account(look, source)
    if account:
        roles["account"] = account
    return source, as_asked(look, source, roles)


def _raw_account(look: Look, source: Source) -> tuple[Source, Role | None]:
    """Choose where a track call says its account: the documented place, else a property named like an account.

    Where neither has a value the group calls alone tell, by way of `members`, and the column is theirs.
    """
    names, kinds = folded_names(look.source), look.source.columns
    grouped = f"{_kind(names)} IS NOT DISTINCT FROM 'group'"
    for field in ("groupId", "group_id"):
        root = names.get("context", "")
        reached = field_text(root, kinds[root], field) if root else ""
        if reached and holds(look, reached):
            return _with_path(look, source, f"{root}.{field}", reached, "the group a call was made for")
    if "groupid" in names and look.share(grouped) > 0:
        why = "track calls name no group; each event belongs to the group its user was last put in by a group call"
        return source, Role(column=names["groupid"], why=why)
    for root in (names[name] for name in ("properties", "traits") if name in names):
        told = scalar_fields(look, as_json(root, kinds[root]), f"NOT ({grouped})")
        for field in by_preference(told, EVENT_ROLES["account"])[:1]:
            why = "named like an account id; there is no context.groupId and no group call"
            return _with_path(look, source, f"{root}.{field}", field_text(root, kinds[root], field), why)
    return source, None


def _with_path(look: Look, source: Source, path: str, reached: str, why: str) -> tuple[Source, Role]:
    return source.reaching(look.engine, path) or with_column(source, path, reached), Role(column=path, why=why)


def _kind(names: Mapping[str, str]) -> str:
    """Return the expression for the kind of a call; a row that does not say is an event."""
    return f"lower(CAST({quoted(names['type'])} AS VARCHAR))" if "type" in names else "'track'"


def _calls(look: Look, source: Source, roles: Mapping[EventRole, Role], table: str) -> str:
    """Return the SELECT of every call: who, in which account, when, under which other id, with which traits."""
    names = folded_names(source)

    def text(name: str) -> str:
        return id_text(names[name], source.columns[names[name]]) if name in names else "CAST(NULL AS VARCHAR)"

    kind = _kind(folded_names(look.source))
    account = roles.get("account")
    named = quoted(account.column) if account else "CAST(NULL AS VARCHAR)"
    told = as_json(names["traits"], source.columns[names["traits"]]) if "traits" in names else "CAST(NULL AS JSON)"
    fields = {
        "user_id": f"CAST({quoted(roles['user'].column)} AS VARCHAR)",
        "known_id": text("userid"),
        "other_ids": f"[{text('anonymousid')}, CASE WHEN {kind} = 'alias' THEN {text('previousid')} END]",
        "account_id": f"coalesce(CASE WHEN {kind} = 'group' THEN {text('groupid')} END, {named})",
        "t": micros(look, roles["time"].column),
        "told": f"CASE WHEN {kind} = 'group' THEN {told} END",
    }
    return f"SELECT {_listed(fields)} FROM {table}"


def _persons(calls: str) -> str:
    return persons_told(f"SELECT unnest(other_ids) AS user_id, known_id AS person_id, t FROM ({calls})")


def _accounts(look: Look, calls: str, *, always: bool = False) -> str:
    names = folded_names(look.source)
    if "traits" not in names or "type" not in names:
        return accounts_told(f"SELECT account_id, t FROM ({calls})", {}, always=always)
    record = as_json(names["traits"], look.source.columns[names["traits"]])
    traits = scalar_fields(look, record, f"{_kind(names)} = 'group'")
    return accounts_told(
        f"SELECT account_id, t, told FROM ({calls})",
        {name: f"json_extract_string(told, {literal(pointer([name]))})" for name in traits},
        always=always,
    )


def _passed_over(names: Mapping[str, str]) -> str:
    if "type" not in names:
        return ""
    kind = _kind(names)
    return f"CASE WHEN {kind} <> 'track' THEN {kind} END"


def _table(look: Look, reason: str) -> Layout:
    source, names = look.source, folded_names(look.source)
    roles = _roles(
        names,
        {
            "event": ("event_text", "the name as it was sent; the column event is that of a table"),
            "id": ("id", "the same when a call is sent again"),
            "sent": ("sent_at", "the clock of the device when the call was sent"),
            "received": ("received_at", "Segment's own clock"),
        },
    )
    _add_time(look, roles, ("timestamp", "original_timestamp", "received_at"))
    source, user = _first_of(source, names, ("user_id", "anonymous_id"))
    if user:
        roles["user"] = Role(column=user, why="the user_id, and before a user is known the anonymous_id")
    if "context_group_id" in names and holds(look, quoted(names["context_group_id"])):
        roles["account"] = Role(column=names["context_group_id"], why="the group a call was made for")
    elif own := own_account(look, (name for name in names.values() if not name.lower().startswith("context_"))):
        roles["account"] = own
    roles = as_asked(look, source, roles)
    members, persons = _told_by_table(look, source, names, roles)
    return Layout(
        format="segment",
        reason=reason,
        source=source,
        roles=roles,
        members=members,
        persons=persons,
        corrected_times=_corrected(names),
    )


def _told_by_table(
    look: Look, source: Source, names: Mapping[str, str], roles: Mapping[EventRole, Role]
) -> tuple[str, str]:
    """Return the SELECTs of members and of persons, as far as the table tells."""
    members = persons = ""
    t = micros(look, roles["time"].column) if "time" in roles else "CAST(NULL AS BIGINT)"
    if "account" in roles and "user" in roles:
        account = f"CAST({quoted(roles['account'].column)} AS VARCHAR)"
        fields = {"user_id": quoted(roles["user"].column), "account_id": account, "t": t}
        members = members_told(f"SELECT {_listed(fields)} FROM {source.table()}")
    if "user_id" in names and "anonymous_id" in names:
        ids = (id_text(names[name], source.columns[names[name]]) for name in ("anonymous_id", "user_id"))
        fields = dict(zip(("user_id", "person_id", "t"), (*ids, t), strict=True))
        persons = persons_told(f"SELECT {_listed(fields)} FROM {source.table()}")
    return members, persons


def _groups(look: Look, names: Mapping[str, str]) -> str:
    """Return the SELECT of accounts from a warehouse table of group calls."""
    time = next((names[name] for name in ("timestamp", "original_timestamp", "received_at") if name in names), "")
    traits = [actual for name, actual in names.items() if name not in _NO_TRAITS and not name.startswith("context_")]
    fields = {"account_id": f"CAST({quoted(names['group_id'])} AS VARCHAR)", "t": micros(look, time)}
    fields |= {f"told_{i}": quoted(name) for i, name in enumerate(traits)}
    rows = f"SELECT {_listed(fields)} FROM {{table}}"
    return accounts_told(rows, {name: f"told_{i}" for i, name in enumerate(traits)}, always=True)


def _roles(names: Mapping[str, str], known: Mapping[EventRole, tuple[str, str]]) -> dict[EventRole, Role]:
    roles: dict[EventRole, Role] = {}
    for role, (name, why) in known.items():
        if name in names:
            roles[role] = Role(column=names[name], why=why)
    return roles


def _add_time(look: Look, roles: dict[EventRole, Role], wanted: tuple[str, ...]) -> None:
    names = folded_names(look.source)
    there = [name for name in wanted if name in names]
    if there:
        why = "the time of the call, corrected for the clock of the device"
        roles["time"] = Role(column=names[there[0]], why=why if there[0] == "timestamp" else "there is no timestamp")


def _corrected(names: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(names[name] for name in ("timestamp", "receivedat", "received_at") if name in names)


def _first_of(source: Source, names: Mapping[str, str], wanted: tuple[str, ...]) -> tuple[Source, str]:
    """Return the column of ids: one that is there, or a new one with the first that has a value."""
    there = [names[name] for name in wanted if name in names]
    if len(there) < 2:
        return source, there[0] if there else ""
    name = " or ".join(there)
    ids = ", ".join(id_text(column, source.columns[column]) for column in there)
    return with_column(source, name, f"coalesce({ids})"), name


def _with_rare_fields(source: Source) -> Source:
    """Name the fields of a call that may first occur beyond the rows looked at; a JSON file is asked for any name."""
    if not isinstance(source, JsonFiles):
        return source
    known = folded_names(source)
    rare = {name: "VARCHAR" for name in _RAW_FIELDS if name.lower() not in known}
    return replace(source, columns={**source.columns, **rare})


def _listed(fields: Mapping[str, str]) -> str:
    return ", ".join(f"{expression} AS {name}" for name, expression in fields.items())
