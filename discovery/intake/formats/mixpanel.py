"""Mixpanel: the raw event export, and the events table that its pipelines and other tools keep in a warehouse.

In the raw export everything but the event's name lies in `properties`; in a table the usual ones are columns of their
own. The company is a property like any other. Times of projects made before 2023 are those of the clock on the wall in
the project's time zone, counted as if it were UTC; the spec says so by naming that zone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.intake.formats.group_keys import (
    Extracted,
    keys_told,
    likeliest,
    named_like_account,
    plain_names,
    shared_keys,
    with_asked,
)
from discovery.intake.formats.layout import EventRole, Layout, Look, Role
from discovery.intake.formats.told import as_json, members_told, persons_told, with_column
from discovery.intake.sources import MemoryTable, Source
from discovery.intake.sql import id_text, is_number, is_text, literal
from discovery.intake.wording import listed, percent

ID = "$insert_id, distinct_id, time, event"
"""The column of the row's own id: Mixpanel takes rows for repeats that are alike in all four."""

RECEIVED = "$mp_api_timestamp_ms, else mp_processing_time_ms"
"""The column of when Mixpanel received the event; empty for what was imported later."""

_NO_BEHAVIOUR: Mapping[str, str] = {
    "$identify": "identify",
    "$create_alias": "alias",
    "$merge": "merge",
    "$mp_session_record": "session replay",
}
_USED = (
    "time",
    "distinct_id",
    "$insert_id",
    "$device_id",
    "$user_id",
    "$distinct_id_before_identity",
    "$identified_id",
    "$anon_id",
    "$anon_distinct_id",
    "alias",
    "$distinct_ids",
    "$import",
    "$mp_api_timestamp_ms",
    "mp_processing_time_ms",
)
_PROFILE = {"distinct_id", "group_id", "group_key", "data_group_id", "properties", "last_seen"}
_MILLISECONDS = 100_000_000_000
"""Numbers from here on are milliseconds, smaller ones seconds."""
_HOUR = 3_600_000_000
_LATER_THAN_ANY_TIME = 100_000_000_000_000_000


@dataclass(frozen=True, slots=True)
class _Shape:
    """Where Mixpanel's own fields are: columns of their own, and the rest under `properties`."""

    source: Source
    named: Mapping[str, str]
    event: str = ""  # the column of the event's name
    properties: str = ""  # the column of the properties
    record: str = "NULL"
    inside: Extracted = field(default_factory=lambda: Extracted("NULL", _USED))

    def text(self, name: str) -> str:
        """Return the expression for one of Mixpanel's fields as text."""
        column = self.named.get(name.removeprefix("$"))
        if column and column not in (self.event, self.properties):
            return f"({id_text(column, self.source.columns[column])})"
        return self.inside.whole(name) if self.properties else "CAST(NULL AS VARCHAR)"

    def column(self, name: str) -> str:
        """Return the name of the column that holds one of Mixpanel's fields, or is to hold it."""
        return self.named.get(name.removeprefix("$")) or f"{self.properties}.{name}"

    def clock(self, time: str) -> str:
        """Return the expression for a time in microseconds as it is written, in seconds or milliseconds."""
        column = self.named.get("time")
        kind = self.source.columns[column] if column else "VARCHAR"
        if not (is_text(kind) or is_number(kind)):
            return f"epoch_us(CAST({time} AS TIMESTAMPTZ))"
        number = f"CAST(TRY_CAST({time} AS DECIMAL(18, 4)) AS DOUBLE)"  # so many digits that none overflows below
        micros = f"CAST(round({number} * 1000 * (1 + 999 * CAST({number} < {_MILLISECONDS} AS INTEGER))) AS BIGINT)"
        return f"coalesce({micros}, epoch_us(TRY_CAST({time} AS TIMESTAMPTZ)))" if column else micros

    def told(self, table: str) -> str:
        """Return the SELECT of Mixpanel's own fields by their names, with `event` and `t`, over a table expression."""
        fields = ", ".join(f"{self.text(name)} AS {quoted(name)}" for name in _USED)
        event = quoted(self.event) if self.event else "NULL"
        return f"SELECT *, {self.clock(quoted('time'))} AS t FROM (SELECT {fields}, {event} AS event FROM {table})"


def likeness(look: Look) -> str:
    """Return from what Mixpanel's events are recognised; empty for anything else."""
    shape = _shape(look)
    if not shape.event:
        return ""
    if {"time", "distinct_id", "insert_id"} <= shape.named.keys():
        said = [shape.named[name] for name in ("time", "distinct_id", "insert_id")]
        return f"it has the columns {listed([shape.event, *said])}"
    others = {"distinct_id", "uuid", "timestamp", "messageid", "type"} & shape.named.keys()
    if not shape.properties or others:
        return ""
    alike = " OR ".join(
        f"{shape.text(name)} IS NOT NULL" for name in ("distinct_id", "$insert_id", "mp_processing_time_ms")
    )
    share = look.share(f"{shape.text('time')} IS NOT NULL AND ({alike})")
    return f"its {shape.properties} hold the time and distinct_id of each event" if share > 0.5 else ""


def layout(look: Look, reason: str) -> Layout:
    """Return how Mixpanel's events are laid out."""
    keys, account = _account_keys(look, _shape(look))
    shape = _shape(look, keys)
    source = look.source
    for key in keys:
        source = with_column(source, f"{shape.properties}.{key}", shape.inside.text(key))
    source, roles = _with_roles(look, with_asked(look, source), shape)
    if account is not None:
        roles["account"] = account
    named = look.spec.account or (account.column if account else "")
    return Layout(
        format="mixpanel",
        reason=reason,
        source=source,
        roles=roles,
        passed_over=_passed_over(shape),
        properties=(shape.properties,) if shape.properties else (),
        members=_members(shape, source, named, look.spec.timezone) if named in source.columns else "",
        persons=_persons(shape.told(source.table(strict=False))),
        wall_numbers=look.spec.timezone != "UTC",
    )


def accounts(engine: DuckDBEngine, source: Source, rows: str) -> Source | None:
    """Return Mixpanel's group profiles as a table of accounts, one row each; None where the source is something else.

    Profiles are read as the query of profiles answers: one to a line, or a whole page of `results`.
    """
    named = plain_names(source)
    given = quoted(rows)
    if "results" in named and {"page", "session_id"} & named.keys():
        page = as_json(named["results"], source.columns[named["results"]])
        given = f"(SELECT unnest(from_json({page}, '[\"JSON\"]')) AS profile FROM {quoted(rows)})"
        key, record = "profile", "json_extract(profile, '/$properties')"
        key = "coalesce(json_extract_string(profile, '/$group_id'), json_extract_string(profile, '/$distinct_id'))"
    else:
        ids = [named[name] for name in ("group_id", "distinct_id") if name in named]
        if not ids or "properties" not in named or not named.keys() <= _PROFILE:
            return None
        key = f"coalesce({', '.join(id_text(name, source.columns[name]) for name in ids)})"
        record = as_json(named["properties"], source.columns[named["properties"]])
    return _profiles(engine, source, f"SELECT {key} AS account_id, {record} AS record FROM {given}", f"{rows}_profiles")


def _shape(look: Look, keys: Sequence[str] = ()) -> _Shape:
    source, named = look.source, plain_names(look.source)
    event = next((named[name] for name in ("event", "event_name", "name") if name in named), "")
    properties = named.get("properties", "")
    if not properties:
        return _Shape(source, named, event)
    record = as_json(properties, source.columns[properties])
    return _Shape(source, named, event, properties, record, Extracted(record, tuple(dict.fromkeys((*_USED, *keys)))))


def _with_roles(look: Look, source: Source, shape: _Shape) -> tuple[Source, dict[EventRole, Role]]:
    time, user = shape.column("time"), shape.column("distinct_id")
    base = source.columns.keys() - source.derived.keys()
    if shape.properties and time not in base:
        source = with_column(source, time, shape.clock(shape.text("time")))
        source = replace(source, columns={**source.columns, time: "BIGINT"})
    if shape.properties and user not in base:
        source = with_column(source, user, shape.text("distinct_id"))
    if shape.properties or "insert_id" in shape.named:
        source = with_column(source, ID, _row_id(shape))
    if shape.properties or {"mp_api_timestamp_ms", "mp_processing_time_ms"} & shape.named.keys():
        source = with_column(source, RECEIVED, _received(shape))
        source = replace(source, columns={**source.columns, RECEIVED: "TIMESTAMP WITH TIME ZONE"})
    roles: dict[EventRole, Role] = {
        "time": Role(column=time, why="the time of the event" + _clock_in_words(look, shape)),
        "user": Role(column=user, why="the id by which Mixpanel counts users"),
        "id": Role(column=ID, why="to Mixpanel rows alike in all four are one event; it exports repeats as they came"),
        "received": Role(column=RECEIVED, why="when Mixpanel received the event"),
    }
    if shape.event:
        roles["event"] = Role(column=shape.event, why="the name of the event")
    return source, {role: found for role, found in roles.items() if found.column in source.columns}


def _clock_in_words(look: Look, shape: _Shape) -> str:
    """Return what is to be said of the times: whose clock they follow, and whether they seem to follow another."""
    if look.spec.timezone != "UTC":
        return f"; numbers follow the clock in {look.spec.timezone}"
    lag = f"epoch_us({_received(shape)}) - {shape.clock(shape.text('time'))}"
    low, middle, high = look.engine.rows(
        f"SELECT quantile_disc(lag, 0.25), median(lag), quantile_disc(lag, 0.75) FROM (SELECT {lag} AS lag "
        f"FROM {quoted(look.rows)})"
    )[0]
    if middle is None or abs(middle) < _HOUR / 2 or high - low > 2 * _HOUR:
        return ""
    side = "after" if middle > 0 else "before"
    return (
        f"; most were received about {abs(middle) / _HOUR:.0f} hours {side} it: the times of a project made before "
        "2023 are in its own time zone, which events.timezone then names"
    )


def _row_id(shape: _Shape) -> str:
    event = quoted(shape.event) if shape.event else "''"
    seconds = f"{shape.clock(shape.text('time'))} // 1000000"
    alike = f"md5(concat_ws('|', {shape.text('distinct_id')}, {seconds}, {event}))"
    return f"{shape.text('$insert_id')} || ' ' || substr({alike}, 1, 12)"


def _received(shape: _Shape) -> str:
    """Return the expression for when the event was received; what was imported has a word behind the number."""
    told = f"list_any_value([{shape.text('$mp_api_timestamp_ms')}, {shape.text('mp_processing_time_ms')}])"
    millis = f"regexp_extract(concat({told}, {shape.text('$import')}), '^[0-9]{{12,14}}$')"
    return f"make_timestamptz(TRY_CAST({millis} AS BIGINT) * 1000)"


def _account_keys(look: Look, shape: _Shape) -> tuple[Sequence[str], Role | None]:
    """Return the properties that may name the account, and the one that does where its name says so."""
    if not shape.properties:
        return (), None
    shares = keys_told(look, shape.record)
    likely = named_like_account(shares)
    inside = f"{shape.properties}."
    asked = [key for key in shares if look.spec.account == f"{inside}{key}"]
    chosen = likeliest(shares, likely)
    if chosen is None:
        return list(dict.fromkeys([*asked, *shared_keys(look, shape.record, shares)])), None
    others = [key for key in likely if key != chosen]
    said = f"; preferred to {listed(others)}, also named like it" if others else ""
    why = f"a property named like an account id; {percent(shares[chosen])} of the rows looked at have it{said}"
    return list(dict.fromkeys([*likely, *asked])), Role(column=f"{inside}{chosen}", why=why)


def _passed_over(shape: _Shape) -> str:
    if not shape.event:
        return ""
    cases = " ".join(f"WHEN {literal(name)} THEN {literal(kind)}" for name, kind in _NO_BEHAVIOUR.items())
    return f"CASE {quoted(shape.event)} {cases} END"


def _members(shape: _Shape, source: Source, account: str, timezone: str) -> str:
    user, time = shape.column("distinct_id"), shape.column("time")
    if not {user, time} <= source.columns.keys():
        return ""
    t = quoted(time) if time in source.derived else shape.clock(shape.text("time"))
    if timezone != "UTC" and is_number(source.columns[time]):
        t = f"epoch_us(timezone({literal(timezone)}, make_timestamp({t})))"
    return members_told(
        f"SELECT {id_text(user, source.columns[user])} AS user_id, CAST({quoted(account)} AS VARCHAR) AS account_id, "
        f"{t} AS t FROM {source.table(strict=False)}"
    )


def _persons(told: str) -> str:
    """Return the SELECT of ids that are one person.

    An export gives most events the id that Mixpanel has settled on (and the one before as
    `$distinct_id_before_identity`); what it says goes before what single records say, whichever way round these are.
    """
    pairs = [
        ('"$distinct_id_before_identity"', "distinct_id", 0, "true"),
        ("'$device:' || \"$device_id\"", '"$user_id"', 1, "true"),
        ('"$device_id"', '"$user_id"', 1, "true"),
        ('"$anon_id"', '"$identified_id"', 1, "event = '$identify'"),
        ('"$anon_distinct_id"', "distinct_id", 1, "event = '$identify'"),
        ("alias", "distinct_id", 1, "event = '$create_alias'"),
        ("json_extract_string(ids, '/1')", "json_extract_string(ids, '/0')", 1, "event = '$merge'"),
    ]
    pairing = ", ".join(
        f"CASE WHEN {where} THEN {{'a': {a}, 'b': {b}, 'rank': {rank}}} END" for a, b, rank, where in pairs
    )
    ids = 'CASE WHEN json_valid("$distinct_ids") THEN "$distinct_ids" END AS ids'
    return persons_told(
        f"WITH said AS (SELECT unnest([{pairing}]) AS pair, t FROM (SELECT *, {ids} FROM ({told}))), "
        "told AS MATERIALIZED (SELECT pair.a AS a, pair.b AS b, pair.rank AS rank, min(t) AS t FROM said "
        "WHERE pair.a <> '' AND pair.b <> '' AND pair.a <> pair.b GROUP BY ALL), "
        "settled AS (SELECT a, first(b ORDER BY t NULLS LAST, b) AS b FROM told WHERE rank = 0 GROUP BY a) "
        "SELECT told.a AS user_id, coalesce(settled.b, told.b) AS person_id, "
        f"rank * {_LATER_THAN_ANY_TIME} + coalesce(told.t, 0) AS t FROM told LEFT JOIN settled ON settled.a = told.b"
    )


def _profiles(engine: DuckDBEngine, source: Source, rows: str, table: str) -> Source:
    keys = engine.rows(
        f"SELECT DISTINCT k FROM (SELECT unnest(json_keys(record)) AS k FROM ({rows}) "
        "WHERE json_type(record) = 'OBJECT') WHERE k <> '' ORDER BY k"
    )
    names: dict[str, str] = {}
    for (key,) in keys:
        names.setdefault(str(key).removeprefix("$") or str(key), str(key))
    names.pop("account_id", None)
    values = Extracted("record", tuple(names.values()))
    told = "".join(f", min({values.whole(key)}) AS {quoted(name)}" for name, key in names.items())
    selected = f"SELECT account_id{told} FROM ({rows}) WHERE account_id <> '' GROUP BY account_id"
    engine.execute(f"CREATE OR REPLACE TABLE {quoted(table)} AS {selected}")
    return MemoryTable(
        label=source.label,
        path=source.path,
        columns=dict.fromkeys(["account_id", *names], "VARCHAR"),
        name=table,
        sha256=source.digest(),
    )
