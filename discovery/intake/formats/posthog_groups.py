"""PostHog's groups: which of them are the accounts, who belongs to one, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.intake.formats.layout import Look
from discovery.intake.formats.posthog_rows import Rows, rows_of
from discovery.intake.formats.told import members_told, moment, told_at, told_by
from discovery.intake.lexicon import ACCOUNT_ROLES, EVENT_ROLES, by_preference
from discovery.intake.sources import Source
from discovery.intake.sql import id_text, literal
from discovery.intake.times import look_at_times
from discovery.intake.wording import percent
from discovery.spec import EventsSpec

_GROUPS = tuple(f"$group_{i}" for i in range(5))  # PostHog has no more types of groups
_MOST_TRAITS = 60
_SIGNUPS = (*ACCOUNT_ROLES["signup"], "date_joined")
_ENDINGS = (*ACCOUNT_ROLES["churned"], *ACCOUNT_ROLES["converted"])


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOfEvents:
    """The property of the events that says which account they belong to.

    `column` is its name as a column, `kind` the type of the group, as in "company"; empty where none is known.
    """

    path: tuple[str, ...]
    column: str
    why: str
    of: str = "properties"
    kind: str = ""
    is_group: bool = True


def account_of_events(rows: Rows, asked: str = "") -> AccountOfEvents | None:
    """Return which property names the account: what the spec asks for, else a group, else a property named like one.

    Only where the first rows have none of these are all rows read for a group.
    """
    if asked:
        return _asked(rows, asked)
    first = quoted(rows.look.rows)
    return (
        _numbered_group(rows, first)
        or _named_group(rows)
        or _plain_property(rows)
        or _numbered_group(rows, rows.source.table())
    )


def members(user: str, account: str, time: str, source: Source) -> str:
    """Return the SELECT of who belongs to which account since when, from the events that say both.

    `time` is an expression in microseconds, here and below.
    """
    return members_told(
        f"SELECT {id_text(user, source.columns[user])} AS user_id, "
        f"{id_text(account, source.columns[account])} AS account_id, {time} AS t FROM {source.table()}"
    )


def account_rows(rows: Rows, found: AccountOfEvents, time: str, source: Source) -> str:
    """Return the SELECT of the accounts: signup and traits as `$groupidentify` told them, else the first event.

    Traits are as they were first told, times of leaving and converting as they were last. A record of a group that no
    event carries, as servers write them in bulk, says nothing about when the account signed up.
    """
    record = f"{rows.filled('event')} = '$groupidentify'"
    if found.kind:
        record += f" AND {rows.told('$group_type')} = {literal(found.kind)}"
    traits = _traits(rows.names("$group_set", where=record, limit=_MOST_TRAITS))
    carried = id_text(found.column, source.columns[found.column])
    values = [f"CASE WHEN {record} THEN {rows.told('$group_set', key)} END AS {quoted(name)}" for name, key in traits]
    told = ", ".join(
        [
            f"CASE WHEN {record} THEN COALESCE({rows.told('$group_key')}, {carried}) ELSE {carried} END AS account_id",
            f"{carried} IS NOT NULL AS carried",
            f"{time} AS told_at",
            *values,
        ]
    )
    ending = by_preference(tuple(name for name, _ in traits), _ENDINGS)
    return _one_row_each(
        f"SELECT {told} FROM {source.table()}",
        [(name, "max" if name in ending else "min") for name, _ in traits],
        "min(CASE WHEN carried THEN told_at END)",
        "" if found.kind else " HAVING bool_or(carried)",
        dated=True,
    )


def groups_table(engine: DuckDBEngine, source: Source, rows: str) -> Source | None:
    """Return a table of PostHog's groups with one row per group; None for any other table.

    Of several types of groups the first is read. Properties are as of the export; the signup is a property such as
    `created_at` or `signup_date`, else when PostHog first heard of the group.
    """
    table = rows_of(Look(engine=engine, source=source, rows=rows, spec=EventsSpec()))
    key, index, of = _group_columns(table)
    if not key:
        return None
    traits = _traits(table.names(of=of, limit=_MOST_TRAITS))
    first = engine.rows(f"SELECT min({table.filled(index)}) FROM {quoted(rows)}")[0][0] if index else None
    values = [f"{table.told(name, of=of)} AS {quoted(column)}" for column, name in traits]
    told = ", ".join(
        [
            f"{id_text(table.columns[key], source.columns[table.columns[key]])} AS account_id",
            f"{_micros(table, 'created_at')} AS created",
            f"COALESCE({_micros(table, 'updated_at')}, {_micros(table, '_timestamp')}, 0) AS told_at",
            *values,
        ]
    )
    of_type = "" if first is None else f" WHERE {table.filled(index)} = {literal(str(first))}"
    selected = _one_row_each(
        f"SELECT {told} FROM {{table}}{of_type}", [(column, "max") for column, _ in traits], "min(created)"
    )
    zoned = "make_timestamptz(epoch_us(signup_at)) AS signup_at"  # whatever the zone of times that have none
    return told_by(engine, source, f"SELECT * REPLACE ({zoned}) FROM ({selected})")


def _asked(rows: Rows, asked: str) -> AccountOfEvents:
    prefix = rows.name_of() + "."
    path = tuple(asked.removeprefix(prefix).split(".", 1)) if asked.startswith(prefix) else ()
    kind = path[1] if path[:1] == ("$groups",) else _kinds(rows).get(path[0], "") if path else ""
    is_group = bool(path) and (path[0] in _GROUPS or path[0] == "$groups")
    return AccountOfEvents(path=path, column=asked, why="named in the spec", kind=kind, is_group=is_group)


def _numbered_group(rows: Rows, table: str) -> AccountOfEvents | None:
    counts = _counts(rows, {name: rows.told(name) for name in _GROUPS}, table)
    if not counts:
        return None
    kinds = _kinds(rows)
    chosen = _most_told(counts, {name: kinds.get(name, "") for name in counts})
    others = [_with_kind(name, kinds) for name in counts if name != chosen]
    why = f"the group {_with_kind(chosen, kinds)}: {percent(counts[chosen][0])} of the events looked at carry it"
    return AccountOfEvents(
        path=(chosen,),
        column=rows.name_of(chosen),
        why=why + (f"; preferred to {', '.join(others)}" if others else ""),
        kind=kinds.get(chosen, ""),
    )


def _named_group(rows: Rows) -> AccountOfEvents | None:
    told = {name: rows.told("$groups", name) for name in rows.names("$groups", limit=20)}
    counts = _counts(rows, told, quoted(rows.look.rows))
    if not counts:
        return None
    chosen = _most_told(counts, {name: name for name in counts})
    why = f"the group of type {chosen!r}: {percent(counts[chosen][0])} of the events looked at carry it"
    return AccountOfEvents(path=("$groups", chosen), column=rows.name_of("$groups", chosen), why=why, kind=chosen)


def _plain_property(rows: Rows) -> AccountOfEvents | None:
    for of in ("properties", "person_properties"):
        own = tuple(name for name in rows.names(of=of) if not name.startswith("$"))
        named = by_preference(own, EVENT_ROLES["account"])
        counts = _counts(rows, {name: rows.told(name, of=of) for name in named}, quoted(rows.look.rows))
        usual = [name for name in named if name in counts and counts[name][0] >= 0.2 and counts[name][1] > 1]
        if usual:
            share = percent(counts[usual[0]][0])
            why = f"no event carries a group; named like an account id, and {share} of the events looked at have it"
            return AccountOfEvents(
                path=(usual[0],), column=rows.name_of(usual[0], of=of), why=why, of=of, is_group=False
            )
    return None


def _counts(rows: Rows, told: dict[str, str], table: str) -> dict[str, tuple[float, int]]:
    """Return the share of events that have each of some properties, and its number of values, if there are any."""
    if not told:
        return {}
    fields = ", ".join(f"{value} AS v{i}" for i, value in enumerate(told.values()))
    counted = ", ".join(f"count(v{i}), count(DISTINCT v{i})" for i in range(len(told)))
    found = rows.look.engine.rows(
        f"SELECT count(*), {counted} FROM (SELECT {fields} FROM {table} WHERE {rows.behaviour})"
    )[0]
    pairs = {name: (found[1 + 2 * i], found[2 + 2 * i]) for i, name in enumerate(told)}
    return {name: (filled / found[0], values) for name, (filled, values) in pairs.items() if filled}


def _most_told(counts: dict[str, tuple[float, int]], kinds: dict[str, str]) -> str:
    """Return the group that most events carry; one that is called an account or company wins from half as many."""
    several = {name: share for name, (share, values) in counts.items() if values > 1} or {
        name: share for name, (share, _) in counts.items()
    }
    most = max(several.values())
    called = by_preference(tuple(kinds[name] for name in several), EVENT_ROLES["account"])
    return max(several, key=lambda name: (kinds[name] in called and several[name] >= most / 2, round(several[name], 2)))


def _kinds(rows: Rows) -> dict[str, str]:
    """Return the type of each numbered group, as far as the rows looked at tell."""
    told = {name: rows.told("$groups", name) for name in rows.names("$groups", limit=20)}
    kinds = {}
    for group in _GROUPS:
        same = {kind: rows.look.share(f"{value} = {rows.told(group)}") for kind, value in told.items()}
        if same and max(same.values()):
            kinds[group] = max(same, key=lambda kind: same[kind])
            continue
        keys = f"SELECT {rows.told(group)} FROM {quoted(rows.look.rows)} WHERE {rows.told(group)} IS NOT NULL"
        types = f"CASE WHEN {rows.told('$group_key')} IN ({keys}) THEN {rows.told('$group_type')} END"
        named = rows.look.values(types, limit=1)
        kinds |= {group: named[0]} if named else {}
    return kinds


def _with_kind(group: str, kinds: dict[str, str]) -> str:
    return f"{group}, of type {kinds[group]!r}" if group in kinds else group


def _traits(keys: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the traits as pairs of a column's name and a property; two that differ in case alone are one column."""
    taken = {"account_id", "signup_at", "carried", "told_at", "created"}
    traits = []
    for key in keys:
        column = f"{key}_told" if key.lower() in taken else key
        if key and column.lower() not in taken:
            taken.add(column.lower())
            traits.append((column, key))
    return traits


def _one_row_each(
    told: str, traits: list[tuple[str, str]], first: str, having: str = "", *, dated: bool = False
) -> str:
    """Return the SELECT of one row per `account_id` of `told`: signup, each trait as told first or last, and when."""
    signups = by_preference(tuple(name for name, _ in traits), _SIGNUPS)
    signup = ", ".join([*(f"min({moment(quoted(name))})" for name in signups), f"make_timestamp({first})"])
    columns = "".join(
        f", arg_{which}({value}, (told_at, {value})) FILTER ({value} IS NOT NULL) AS {value}"
        for value, which in ((quoted(name), which) for name, which in traits if name not in signups)
    )
    if dated:
        columns += "".join(
            f", min(told_at) FILTER ({quoted(name)} IS NOT NULL) AS {quoted(told_at(name))}"
            for name, _ in traits
            if name not in signups
        )
    return (
        f"SELECT account_id, COALESCE({signup}) AS signup_at{columns} FROM ({told}) "
        f"WHERE account_id IS NOT NULL GROUP BY account_id{having}"
    )


def _micros(table: Rows, name: str) -> str:
    if name not in table.columns:
        return "CAST(NULL AS BIGINT)"
    column = table.columns[name]
    return look_at_times(table.look.engine, table.look.rows, column, table.source.columns[column]).micros("UTC")


def _group_columns(table: Rows) -> tuple[str, str, str]:
    """Return the columns of a group's key, of its type and of its properties; empty where it is no table of groups."""
    there = table.columns.keys()
    index = "group_type_index" if "group_type_index" in there else "index" if "index" in there else ""
    if "group_key" in there and (index or "group_properties" in there):
        return "group_key", index, "group_properties" if "properties" not in there else "properties"
    if {"index", "key"} <= there and ("properties" in there or "group_properties" in there):
        return "key", "index", "properties" if "properties" in there else "group_properties"
    return "", "", ""
