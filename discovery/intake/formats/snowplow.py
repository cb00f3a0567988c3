"""Snowplow: the `atomic.events` table of any warehouse or lake, and the enriched stream as headless TSV.

Every form has the same standard columns. What is an event's own, and the entities attached to it, lie in columns such
as `unstruct_event_com_acme_report_shared_1` and `contexts_com_acme_account_1`: records and lists of them (BigQuery,
Databricks, Parquet), JSON as text (Snowflake, CSV), in tables of their own (Redshift), or all in one column of JSON
(the enriched stream).

References
----------
Standard columns: https://docs.snowplow.io/docs/fundamentals/canonical-event/; entities in a warehouse:
https://docs.snowplow.io/docs/api-reference/loaders-storage-targets/schemas-in-warehouse/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from discovery.engines.expressions import quoted
from discovery.intake.formats.layout import EventRole, Layout, Look, Role
from discovery.intake.formats.snowplow_stream import ENRICHED, is_enriched, with_entities, with_header
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
    record,
    scalar_fields,
    settled,
    with_column,
)
from discovery.intake.lexicon import EVENT_ROLES, by_preference
from discovery.intake.reaching import pointer
from discovery.intake.sources import Source, sample_rows
from discovery.intake.sql import id_text, literal, plain_text, word_list

NO_BEHAVIOUR = (
    "page_view",
    "screen_view",
    "page_ping",
    "media_ping",
    "ping_event",
    "web_vitals",
    "performance_timing",
    "screen_end",
)
"""Events that a page, a screen or a timer sends by itself: they say that someone looked, not what was done."""

_STANDARD = ("collector_tstamp", "event_id")
_ALSO_STANDARD = (
    "dvce_created_tstamp",
    "etl_tstamp",
    "derived_tstamp",
    "domain_userid",
    "v_tracker",
    "app_id",
    "event",
)
_STANDARD_ENTITIES = re.compile(
    r"contexts_(com_snowplowanalytics|com_iab|com_google|org_w3|org_ietf|nl_basjes|org_openweathermap|com_optimizely)_.*"
)
_ACCOUNT_ENTITY = re.compile(
    r".*_(account|organi[sz]ation|org|workspace|company|tenant|team|customer|client)_\d+(_\d+)*"
)
_IDS = ("user_id", "domain_userid")
_READ = (*_IDS, "event", "event_name", "se_category", "se_action", "br_type", "derived_tstamp", "collector_tstamp")
"""Columns from which others are computed."""
_CORRECTED = ("derived_tstamp", "collector_tstamp")
_ROBOT = ("Robot", "Robot Mobile", "Robot Imitator")


def likeness(look: Look) -> str:
    """Return from what Snowplow events are recognised; empty where the source is something else."""
    names = folded_names(look.source)
    also = [name for name in _ALSO_STANDARD if name in names]
    if names.keys() >= set(_STANDARD) and len(also) >= 2:
        return f"its columns collector_tstamp, event_id, {', '.join(also[:3])}"
    return "a file of the enriched stream, without a header" if is_enriched(look.source) else ""


def layout(look: Look, reason: str) -> Layout:
    """Return how the events are laid out, whichever warehouse or stream they are from."""
    if not is_enriched(look.source):
        return _laid_out(look, reason)
    source = with_header(look.source)
    rows = f"{look.rows}_named"
    sample_rows(look.engine, source, rows, 20_000)
    try:
        source = with_entities(replace(look, source=source, rows=rows))
        sample_rows(look.engine, source, rows, 20_000)
        return _laid_out(replace(look, source=source, rows=rows), reason)
    finally:
        look.engine.execute(f"DROP TABLE IF EXISTS {quoted(rows)}")


def _laid_out(look: Look, reason: str) -> Layout:
    names = folded_names(look.source)
    roles: dict[EventRole, Role] = {}
    own = _own_fields(look)
    source = look.source if not own else settled(with_column(look.source, "properties", own))
    source = _with_name(look, source, names, roles)
    source = _with_time(look, source, names, roles)
    source = _with_user(look, source, names, roles)
    source, entity = _with_account(look, source, own, names, roles)
    if "event_id" in names:
        roles["id"] = Role(column=names["event_id"], why="the same where a row was loaded twice")
    if "dvce_sent_tstamp" in names:
        roles["sent"] = Role(column=names["dvce_sent_tstamp"], why="the clock of the device when the event was sent")
    if "collector_tstamp" in names:
        roles["received"] = Role(column=names["collector_tstamp"], why="the collector's own clock")
    if look.spec.account and look.spec.account != (roles["account"].column if "account" in roles else ""):
        entity = ""
    roles = as_asked(look, source, roles)
    source = _without_empty(look, source, {role.column for role in roles.values()})
    members, persons, accounts = _told(look, source, names, roles, entity)
    return Layout(
        format="snowplow",
        reason=reason,
        source=source,
        roles=roles,
        passed_over=_passed_over(look, names),
        properties=("properties",) if "properties" in source.columns else (),
        members=members,
        persons=persons,
        accounts=accounts,
        corrected_times=(*(names[name] for name in _CORRECTED if name in names), " or ".join(_times(names))),
    )


def _without_empty(look: Look, source: Source, used: set[str]) -> Source:
    """Forget the standard columns that are empty, most of 131 as a rule: nobody means them."""
    used = {*used, *(name for name in look.source.columns if name.lower() in _READ)}
    standard = [name for name in look.source.columns if name.lower() in ENRICHED and name not in used]
    counts = ", ".join(f"count({plain_text(name)})" for name in standard)
    filled = look.engine.rows(f"SELECT {counts} FROM {quoted(look.rows)}")[0] if standard else ()
    empty = {name for name, count in zip(standard, filled, strict=True) if not count}
    return replace(source, columns={name: kind for name, kind in source.columns.items() if name not in empty})


def _with_name(look: Look, source: Source, names: Mapping[str, str], roles: dict[EventRole, Role]) -> Source:
    """Choose the event's name: that of its schema; for structured events, which share one, category and action."""
    there = [names[name] for name in ("event_name", "event") if name in names]
    if not there:
        return source
    if not {"event", "se_category", "se_action"} <= names.keys():
        roles["event"] = Role(column=there[0], why="the name of the event's schema")
        return source
    category, action = (plain_text(names[name]) for name in ("se_category", "se_action"))
    schema = ", ".join(plain_text(name) for name in there)
    column = "event_name or se_category: se_action"
    roles["event"] = Role(
        column=column, why="the name of the event's schema; of a structured event category and action"
    )
    return with_column(
        source,
        column,
        f"CASE WHEN {quoted(names['event'])} = 'struct' AND {action} IS NOT NULL "
        f"THEN concat_ws(': ', {category}, {action}) ELSE coalesce({schema}) END",
    )


def _with_time(look: Look, source: Source, names: Mapping[str, str], roles: dict[EventRole, Role]) -> Source:
    there = _times(names)
    if not there:
        return source
    why = "corrected for the clock of the device"
    if len(there) == 1 or look.share(f"{plain_text(there[0])} IS NULL") == 0:
        why = why if there[0].lower() == "derived_tstamp" else "there is no derived_tstamp"
        roles["time"] = Role(column=there[0], why=why)
        return source
    column = " or ".join(there)
    roles["time"] = Role(column=column, why=f"{why}; where it is missing, when the event was collected")
    return with_column(source, column, f"coalesce({', '.join(map(plain_text, there))})")


def _times(names: Mapping[str, str]) -> list[str]:
    return [names[name] for name in _CORRECTED if name in names]


def _with_user(look: Look, source: Source, names: Mapping[str, str], roles: dict[EventRole, Role]) -> Source:
    """Choose who it was; never network_userid, which is a new one for each call of a server."""
    words = [names[name] for name in _IDS if name in names]
    ids = [id_text(name, source.columns[name]) for name in words]
    session = _session(look)
    if session:
        ids, words = [*ids, session], [*words, "session"]
    if not ids:
        return source
    why = "the user_id, and before a user is known the id of the browser or device"
    if len(words) == 1 and not session:
        roles["user"] = Role(column=words[0], why=why)
        return source
    column = " or ".join(words)
    roles["user"] = Role(column=column, why=why)
    return with_column(source, column, f"coalesce({', '.join(ids)})")


def _own_fields(look: Look) -> str:
    """Return the expression for what is an event's own, whatever column its schema has; empty where there is none."""
    own = [name for name in look.source.columns if name.lower().startswith("unstruct_event_")]
    if not own or "properties" in folded_names(look.source):
        return ""
    records = [f"CAST({as_json(name, look.source.columns[name])} AS VARCHAR)" for name in own]
    return f"coalesce({', '.join(records)})" if len(records) > 1 else records[0]


def _with_account(
    look: Look, source: Source, properties: str, names: Mapping[str, str], roles: dict[EventRole, Role]
) -> tuple[Source, str]:
    """Choose the account: a column of the user's own, an entity, else a property; and name the entity, if it is one.

    A warehouse without columns for entities has the account joined to each event, under a name of its own.
    """
    own = [actual for name, actual in names.items() if name not in ENRICHED]
    if by_preference(tuple(own), EVENT_ROLES["account"]):
        if joined := own_account(look, own):
            roles["account"] = joined
        return source, ""
    entity = _account_entity(look)
    if entity:
        column, field = entity
        name = f"{column}.{field}"
        roles["account"] = Role(column=name, why="the field named like an account id of an entity sent with the events")
        return with_column(source, name, field_text(column, source.columns[column], field, first=True)), column
    if "properties" in source.columns:
        fields = as_json("properties", "VARCHAR")
        rows = f"(SELECT {properties or 'properties'} AS properties FROM {quoted(look.rows)})"
        likely = by_preference(scalar_fields(look, fields, rows=rows), EVENT_ROLES["account"])
        if likely:
            name = f"properties.{likely[0]}"
            roles["account"] = Role(column=name, why="the property of the events that is named like an account id")
            return with_column(source, name, field_text("properties", "VARCHAR", likely[0])), ""
    return source, ""


def _account_entity(look: Look) -> tuple[str, str] | None:
    """Return the entity with the account, and its field; of several the one that most events have."""
    found = []
    for column, kind in look.source.columns.items():
        name = column.lower()
        if not name.startswith("contexts_") or _STANDARD_ENTITIES.fullmatch(name):
            continue
        fields = scalar_fields(look, record(column, kind, first=True))
        likely = by_preference(fields, EVENT_ROLES["account"])
        if not likely and _ACCOUNT_ENTITY.fullmatch(name):
            likely = [field for field in fields if field.lower() == "id"]
        if likely:
            share = look.share(f"{field_text(column, kind, likely[0], first=True)} <> ''")
            found.append((-share, column, likely[0]))
    return min(found)[1:] if found else None


def _told(
    look: Look, source: Source, names: Mapping[str, str], roles: Mapping[EventRole, Role], entity: str
) -> tuple[str, str, str]:
    """Return the SELECTs of members, persons and accounts, as far as the events tell."""
    members = accounts = ""
    if not {"time", "user"} <= roles.keys():
        return "", "", ""
    t, table = _micros(look, source, roles["time"].column), source.table()
    if "account" in roles:
        account, user = f"CAST({quoted(roles['account'].column)} AS VARCHAR)", quoted(roles["user"].column)
        members = members_told(f"SELECT {user} AS user_id, {account} AS account_id, {t} AS t FROM {table}")
        if entity:
            accounts = _accounts(look, f"SELECT {account} AS account_id, {t} AS t", source, roles["account"], entity)
    return members, _persons(look, source, names, t), accounts


def _persons(look: Look, source: Source, names: Mapping[str, str], t: str) -> str:
    ids = {name: id_text(names[name], source.columns[names[name]]) for name in _IDS if name in names}
    devices = [text for text in (ids.get("domain_userid"), _session(look)) if text]
    if not devices or "user_id" not in ids:
        return ""
    return persons_told(
        f"SELECT unnest([{', '.join(devices)}]) AS user_id, {ids['user_id']} AS person_id, {t} AS t "
        f"FROM {source.table()}"
    )


def _accounts(look: Look, selected: str, source: Source, account: Role, entity: str) -> str:
    nested = record(entity, source.columns[entity], first=True)
    traits = [field for field in scalar_fields(look, nested) if f"{entity}.{field}" != account.column]
    return accounts_told(
        f"{selected}, {nested} AS told FROM {source.table()}",
        {field: f"json_extract_string(told, {literal(pointer([field]))})" for field in traits},
    )


def _micros(look: Look, source: Source, column: str) -> str:
    if column in look.source.columns:
        return micros(look, column)
    rows = f"{look.rows}_timed"
    look.engine.execute(
        f"CREATE OR REPLACE TABLE {quoted(rows)} AS SELECT {source.derived[column]} AS {quoted(column)} "
        f"FROM {quoted(look.rows)}"
    )
    try:
        return micros(replace(look, source=source, rows=rows), column)
    finally:
        look.engine.execute(f"DROP TABLE {quoted(rows)}")


def _passed_over(look: Look, names: Mapping[str, str]) -> str:
    """Return why a row is no behaviour: Snowplow's own enrichments say a robot did it, or nobody did anything."""
    robots = [f"lower({text}) = 'true'" for text in _robot_marks(look)]
    for field in (("deviceClass", "device_class"), ("agentClass", "agent_class")):
        text = _field(look, r"contexts_nl_basjes_yauaa_context_.*", field)
        robots += [f"{text} IN {word_list(_ROBOT)}"] if text else []
    if "br_type" in names:
        robots.append(f"CAST({quoted(names['br_type'])} AS VARCHAR) = 'Robot'")
    cases = [f"WHEN {' OR '.join(robots)} THEN 'robot'"] if robots else []
    if name := names.get("event_name", names.get("event", "")):
        cases.append(f"WHEN {quoted(name)} IN {word_list(NO_BEHAVIOUR)} THEN {quoted(name)}")
    return f"CASE {' '.join(cases)} END" if cases else ""


def _robot_marks(look: Look) -> list[str]:
    marks = [
        _field(look, r"contexts_com_iab_snowplow_spiders_and_robots_.*", ("spiderOrRobot", "spider_or_robot")),
        _field(look, r"contexts_.*bot_detection_[0-9]+.*", ("bot",)),
    ]
    return [mark for mark in marks if mark]


def _session(look: Look) -> str:
    return _field(look, r"contexts_com_snowplowanalytics_snowplow_client_session_.*", ("userId", "user_id"))


def _field(look: Look, columns: str, fields: tuple[str, ...]) -> str:
    """Return the expression for a field of an entity; empty where it has no value among the first rows."""
    for column, kind in look.source.columns.items():
        if re.fullmatch(columns, column.lower()):
            for field in fields:
                text = field_text(column, kind, field, first=True)
                if holds(look, text):
                    return text
    return ""
