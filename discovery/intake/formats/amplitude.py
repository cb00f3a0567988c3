"""Amplitude: the files of its Export API, its buckets, and the events table it keeps in a warehouse.

All have the same columns, in a warehouse sometimes in upper case. `event_time` is UTC and already set right by
Amplitude for the clock of the device: `client_event_time + (server_received_time - client_upload_time)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from discovery.engines.expressions import quoted
from discovery.intake.formats.group_keys import (
    Extracted,
    keys_told,
    likeliest,
    named_like_account,
    narrowed,
    plain_names,
    with_asked,
)
from discovery.intake.formats.layout import EventRole, Layout, Look, Role
from discovery.intake.formats.told import (
    accounts_told,
    as_json,
    members_told,
    persons_told,
    scalar_fields,
    with_column,
)
from discovery.intake.reaching import pointer
from discovery.intake.sources import Source
from discovery.intake.sql import id_text, is_text, literal
from discovery.intake.wording import listed, percent

USER = "user_id, else amplitude_id"
"""The column of who did it: the id the product gave, else the one that Amplitude gave."""

TIME = "event_time (UTC)"
"""The column of the time where the spec names another zone: Amplitude's times are UTC whatever it says."""

_DECIDING = ("event_type", "event_time", "amplitude_id")
_NESTED = ("groups", "user_properties", "event_properties")
_ALSO = ("uuid", "insert_id", "event_properties", "client_event_time", "server_upload_time")
_CORRECTED = ("event_time", "server_received_time", "server_upload_time")
_NO_BEHAVIOUR: Mapping[str, tuple[str, ...]] = {
    "identify": ("$identify",),
    "group": ("$groupidentify",),
    "session end": ("session_end", "[Amplitude] End Session", "Session Ended"),
    "session replay": ("[Amplitude] Replay Captured",),
    "experiment exposure": ("$exposure", "[Experiment] Exposure", "[Experiment] Assignment"),
}


@dataclass(frozen=True, slots=True)
class _Account:
    """The column that names the account, and how it was found."""

    column: str
    expression: str
    why: str
    group_type: str = ""


def likeness(look: Look) -> str:
    """Return from what Amplitude's events are recognised; empty for anything else."""
    named = plain_names(look.source)
    if not all(name in named for name in _DECIDING) or not any(name in named for name in _ALSO):
        return ""
    return f"it has the columns {listed([named[name] for name in _DECIDING])}"


def layout(look: Look, reason: str) -> Layout:
    """Return how Amplitude's events are laid out."""
    named = plain_names(look.source)
    source = look.source
    roles: dict[EventRole, Role] = {}
    found = _accounts_told(look, named)
    for account in found:
        source = with_column(source, account.column, account.expression)
    if found:
        roles["account"] = Role(column=found[0].column, why=found[0].why)
    source, roles = _with_user(with_asked(look, source), named, roles)
    source, roles = _with_time(look, source, named, roles)
    roles |= _plain_roles(named)
    told = _chosen(look, source, found)
    return Layout(
        format="amplitude",
        reason=reason,
        source=source,
        roles=roles,
        passed_over=_passed_over(named),
        properties=tuple(named[name] for name in ("event_properties", "user_properties") if name in named),
        members=_members(look, source, named, told),
        persons=_persons(look, source, named),
        accounts=_accounts(look, source, named, told),
        corrected_times=(TIME, *(named[name] for name in _CORRECTED if name in named)),
    )


def _accounts_told(look: Look, named: Mapping[str, str]) -> list[_Account]:
    """Return the columns that may name the account, the likeliest first."""
    groups = _groups_told(look, named)
    return groups or [
        account
        for column in ("user_properties", "event_properties")
        for account in _properties_told(look, named, column)
    ]


def _groups_told(look: Look, named: Mapping[str, str]) -> list[_Account]:
    if "groups" not in named:
        return []
    column, record = named["groups"], _record(look.source, named["groups"])
    shares = keys_told(look, record)
    asked = look.spec.account.removeprefix(f"{column}.")
    types = list(dict.fromkeys([*shares, *([asked] if look.spec.account != asked else [])]))
    first = likeliest(shares, types)
    values = Extracted(record, tuple(types))
    others = [kind for kind in shares if kind != first]
    said = f"; other types: {listed(others)} (name one in the spec if this is wrong)" if others else ""
    return [
        _Account(
            f"{column}.{kind}",
            values.text(kind),
            f"the group of type {kind!r}, which {percent(shares.get(kind, 0.0))} of the rows looked at carry{said}",
            kind,
        )
        for kind in sorted(types, key=lambda kind: kind != first)
    ]


def _properties_told(look: Look, named: Mapping[str, str], properties: str) -> list[_Account]:
    if properties not in named:
        return []
    column, record = named[properties], _record(look.source, named[properties])
    shares = keys_told(look, record)
    keys = named_like_account(shares)
    values = Extracted(record, tuple(keys))
    return [
        _Account(
            f"{column}.{key}",
            values.text(key),
            f"no event carries a group; this property is named like an account id, and {percent(shares[key])} of the "
            "rows looked at have it",
        )
        for key in keys
    ]


def _with_user(
    source: Source, named: Mapping[str, str], roles: dict[EventRole, Role]
) -> tuple[Source, dict[EventRole, Role]]:
    ids = [_id(source, named[name]) for name in ("user_id", "amplitude_id", "device_id") if name in named]
    if not ids:
        return source, roles
    why = "the id that the product gave the user, else the one that Amplitude gave"
    return with_column(source, USER, f"coalesce({', '.join(ids)})"), {**roles, "user": Role(column=USER, why=why)}


def _with_time(
    look: Look, source: Source, named: Mapping[str, str], roles: dict[EventRole, Role]
) -> tuple[Source, dict[EventRole, Role]]:
    if "event_time" not in named:
        return source, roles
    column = named["event_time"]
    why = "the time of the event in UTC, set right by Amplitude for the clock of the device"
    if look.spec.timezone == "UTC" or not is_text(source.columns[column]):
        return source, {**roles, "time": Role(column=column, why=why)}
    utc = f"regexp_replace({quoted(column)}, '[Zz]$', '') || '+00'"
    return with_column(source, TIME, utc), {**roles, "time": Role(column=TIME, why=why)}


def _plain_roles(named: Mapping[str, str]) -> dict[EventRole, Role]:
    wanted: dict[EventRole, tuple[tuple[str, str], ...]] = {
        "event": (("event_type", "the name of the event"),),
        "id": (("uuid", "Amplitude's own id of the row"), ("insert_id", "the id by which Amplitude knows repeats")),
        "sent": (("client_upload_time", "when the device sent the event, by its own clock"),),
        "received": (
            ("server_received_time", "when Amplitude received the event"),
            ("server_upload_time", "when Amplitude received the event"),
        ),
    }
    roles: dict[EventRole, Role] = {}
    for role, choices in wanted.items():
        there = [Role(column=named[name], why=why) for name, why in choices if name in named]
        if there:
            roles[role] = there[0]
    return roles


def _passed_over(named: Mapping[str, str]) -> str:
    if "event_type" not in named:
        return ""
    event = quoted(named["event_type"])
    cases = [
        f"WHEN {event} IN ({', '.join(map(literal, names))}) THEN {literal(kind)}"
        for kind, names in _NO_BEHAVIOUR.items()
    ]
    if "merged_amplitude_id" in named:
        cases.append(f"WHEN {event} IS NULL AND {quoted(named['merged_amplitude_id'])} IS NOT NULL THEN 'merge'")
    return f"CASE {' '.join(cases)} END"


def _chosen(look: Look, source: Source, found: list[_Account]) -> _Account | None:
    """Return the column that names the account: the spec's, else the likeliest."""
    asked = look.spec.account
    if not asked:
        return found[0] if found else None
    known = [account for account in found if account.column == asked]
    if known:
        return known[0]
    return _Account(asked, quoted(asked), "") if asked in source.columns else None


def _members(look: Look, source: Source, named: Mapping[str, str], account: _Account | None) -> str:
    if account is None or USER not in source.columns or "event_time" not in named:
        return ""
    table = narrowed(source, [*_needed(named, "user_id", "device_id", *_NESTED), USER, account.column])
    return members_told(
        f"SELECT {id_text(USER, 'VARCHAR')} AS user_id, CAST({quoted(account.column)} AS VARCHAR) AS account_id, "
        f"{_micros(source, named)} AS t FROM {table}"
    )


def _persons(look: Look, source: Source, named: Mapping[str, str]) -> str:
    """Return the SELECT of Amplitude ids and the users they turned out to be."""
    if not {"user_id", "amplitude_id", "event_time"} <= named.keys():
        return ""
    amplitude, user = (_id(source, named[name]) for name in ("amplitude_id", "user_id"))
    table = narrowed(source, _needed(named, "user_id", "merged_amplitude_id"))
    rows = f"SELECT {amplitude} AS user_id, {user} AS person_id, {_micros(source, named)} AS t FROM {table}"
    if "merged_amplitude_id" in named:
        merged = _id(source, named["merged_amplitude_id"])
        rows += f" UNION ALL SELECT {amplitude}, {merged}, NULL FROM {table}"
    return persons_told(rows)


def _accounts(look: Look, source: Source, named: Mapping[str, str], account: _Account | None) -> str:
    """Return the SELECT of groups with the properties that events tell of them; empty where they tell none."""
    if account is None or not account.group_type or not {"group_properties", "event_time"} <= named.keys():
        return ""
    record = _group_record(source, named, account)
    traits = scalar_fields(look, record)
    if not traits:
        return ""
    values = Extracted("record", traits)
    table = narrowed(source, [*_needed(named, "event_type", "group_properties", *_NESTED), account.column])
    rows = (
        f"SELECT CAST({quoted(account.column)} AS VARCHAR) AS account_id, {_micros(source, named)} AS t, "
        f"{record} AS record FROM {table}"
    )
    return accounts_told(rows, {name: values.whole(name) for name in traits})


def _group_record(source: Source, named: Mapping[str, str], account: _Account) -> str:
    """Return the expression for the properties of the row's group: under its type and id, or as they were set."""
    everything = _record(source, named["group_properties"])
    key = f"replace(replace({account.expression}, '~', '~0'), '/', '~1')"
    own = f"json_extract({everything}, {literal(pointer([account.group_type]) + '/')} || {key})"
    event = quoted(named["event_type"]) if "event_type" in named else "NULL"
    sets = [f"json_extract({record}, '/{verb}')" for verb in ("$set", "$setOnce") for record in (own, everything)]
    return f"coalesce({', '.join(sets)}, {own}, CASE WHEN {event} = '$groupidentify' THEN {everything} END)"


def _needed(named: Mapping[str, str], *names: str) -> list[str]:
    """Return the columns of these names that there are, and those of the id and the time."""
    return [named[name] for name in ("amplitude_id", "event_time", *names) if name in named]


def _micros(source: Source, named: Mapping[str, str]) -> str:
    column = named["event_time"]
    return f"epoch_us(TRY_CAST({quoted(column)} AS TIMESTAMPTZ))"


def _record(source: Source, column: str) -> str:
    return as_json(column, source.columns[column])


def _id(source: Source, column: str) -> str:
    return f"({id_text(column, source.columns[column])})"
