"""PostHog: batch exports (Parquet, JSON lines, warehouse tables), older exports, and events of its API."""

from __future__ import annotations

from dataclasses import replace

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.intake.formats.layout import EventRole, Layout, Look, Role
from discovery.intake.formats.posthog_groups import (
    AccountOfEvents,
    account_of_events,
    account_rows,
    groups_table,
    members,
)
from discovery.intake.formats.posthog_persons import NOBODY, persons
from discovery.intake.formats.posthog_rows import PASSED_OVER, Rows, rows_of
from discovery.intake.formats.told import with_column
from discovery.intake.sources import Source
from discovery.intake.sql import literal, word_list
from discovery.intake.times import look_at_times

_NEEDED = ("event", "distinct_id", "timestamp")
_OWN_COLUMNS = (
    "elements_chain",
    "person_properties",
    "_inserted_at",
    "elements",
    "set_once",
    "$set_once",
    "people_set_once",
    "site_url",
    "bq_ingested_timestamp",
    "snowflake_ingested_timestamp",
)
_OWN_PROPERTIES = r'"\$(lib|groups?|group_[0-4]|process_person_profile|session_id|is_identified)"'
_OWN_EVENTS = (
    "$pageview",
    "$pageleave",
    "$autocapture",
    "$identify",
    "$groupidentify",
    "$create_alias",
    "$feature_flag_called",
    "$rageclick",
    "$screen",
)
_MOST_INNER = 60
_PROJECT = "team_id"
"""The column that says which PostHog project a row is from: not the account, unless someone says so."""


def likeness(look: Look) -> str:
    """Return from what the events are recognised as PostHog's; empty where they are not."""
    rows = rows_of(look)
    columns = rows.columns
    nested = "properties" in columns or any(name.startswith("properties.") for name in columns)
    if not nested or not all(name in columns for name in _NEEDED) or not {"uuid", "id"} & columns.keys():
        return ""
    common = "the columns event, distinct_id, timestamp and properties"
    own = [name for name in _OWN_COLUMNS if name in columns]
    if own:
        return f"{common}, with {' and '.join(own[:2])}"
    if any(name.startswith("properties.$") for name in columns):
        return f"{common}, spread over columns such as properties.$lib"
    if look.share(f"regexp_matches({rows.record('properties')}, {literal(_OWN_PROPERTIES)})") > 0.05:
        return f"{common}, with PostHog's own properties such as $lib"
    if look.share(f"{rows.filled('event')} IN {word_list(_OWN_EVENTS)}") > 0.01:
        return f"{common}, with PostHog's own events such as $pageview"
    return ""


def layout(look: Look, reason: str) -> Layout:
    """Return how the events are laid out."""
    rows = rows_of(look)
    source, roles = _user(rows, look.source)
    source = _with_inner_properties(rows, source)
    roles |= _plain_roles(rows)
    found = account_of_events(rows, look.spec.account)
    if found is not None:
        source = _with_property(rows, source, found.column, found.path, found.of)
        roles["account"] = Role(column=found.column, why=found.why)
    if look.share(f"{rows.told('$sent_at')} IS NOT NULL") > 0:
        column = rows.name_of("$sent_at")
        source = _with_property(rows, source, column, ("$sent_at",))
        roles["sent"] = Role(column=column, why="when the device sent it, by its own clock")
    if (project := rows.columns.get(_PROJECT)) and project != look.spec.account:
        source = replace(source, columns={name: kind for name, kind in source.columns.items() if name != project})
    laid = Layout(
        format="posthog",
        reason=reason,
        source=source,
        roles=roles,
        passed_over=_passed_over(rows) if "event" in rows.columns else "",
        properties=(rows.columns["properties"],) if "properties" in rows.columns else (),
        corrected_times=tuple(rows.columns[name] for name in ("timestamp", "created_at") if name in rows.columns),
    )
    return _with_identity(rows, laid, found)


def accounts(engine: DuckDBEngine, source: Source, rows: str) -> Source | None:
    """Return a table of groups as PostHog tells it with one row per group; None for any other table."""
    return groups_table(engine, source, rows)


def _with_identity(rows: Rows, laid: Layout, found: AccountOfEvents | None) -> Layout:
    """Add who is who, who belongs where, and the accounts themselves, under the columns that the spec names."""
    asked = rows.look.spec
    source = laid.source
    named = {"time": asked.time, "user": asked.user}
    time, user = (named[role] or (laid.roles[role].column if role in laid.roles else "") for role in ("time", "user"))
    if not {time, user} <= source.columns.keys() or not {"event", "distinct_id"} <= rows.columns.keys():
        return laid
    micros = look_at_times(rows.look.engine, rows.look.rows, time, source.columns[time]).micros(asked.timezone)
    laid = replace(laid, persons=persons(rows, user, micros, source))
    if found is None or found.column not in source.columns:
        return laid
    told = account_rows(rows, found, micros, source) if found.is_group else ""
    return replace(laid, members=members(user, found.column, micros, source), accounts=told)


def _plain_roles(rows: Rows) -> dict[EventRole, Role]:
    columns = rows.columns
    known: tuple[tuple[EventRole, tuple[str, ...], str], ...] = (
        ("event", ("event",), "the name that was captured"),
        ("time", ("timestamp",), "when it happened, the device's clock corrected"),
        ("id", ("uuid", "id"), "PostHog's id of the event: a row delivered twice repeats it"),
        ("received", ("created_at", "now"), "when PostHog took it in"),
        ("sent", ("sent_at",), "when the device sent it, by its own clock"),
    )
    found = ((role, [columns[name] for name in names if name in columns], why) for role, names, why in known)
    return {role: Role(column=there[0], why=why) for role, there, why in found if there}


def _user(rows: Rows, source: Source) -> tuple[Source, dict[EventRole, Role]]:
    """Return the source and the role of the user: the person where there is one, else the distinct id."""
    distinct = rows.columns.get("distinct_id", "")
    person = rows.columns.get("person_id", "")
    known = f"NULLIF({rows.filled('person_id')}, {literal(NOBODY)})"
    share = rows.look.share(f"{known} IS NOT NULL") if person else 0.0
    if share < 0.5:
        why = "the id that the events were sent under"
        return source, {"user": Role(column=distinct, why=why)} if distinct else {}
    why = "the person that PostHog resolved the distinct id to"
    if share == 1:
        return source, {"user": Role(column=person, why=why)}
    both = "person_id or distinct_id"
    source = with_column(source, both, f"COALESCE({known}, {rows.filled('distinct_id')})")
    return source, {"user": Role(column=both, why=f"{why}; the distinct id where there was none")}


def _with_inner_properties(rows: Rows, source: Source) -> Source:
    """Return the source with the properties that are JSON inside JSON, where a path does not reach, as columns."""
    for name in rows.names(limit=_MOST_INNER) if rows.twice else ():
        if not name.startswith("$"):
            source = with_column(source, rows.name_of(name), rows.told(name))
    return source


def _with_property(rows: Rows, source: Source, column: str, path: tuple[str, ...], of: str = "properties") -> Source:
    if column in source.columns:
        return source
    reached = None if rows.twice else source.reaching(rows.look.engine, column)
    if reached is not None or not path:
        return reached or source
    return with_column(source, column, rows.told(*path, of=of))


def _passed_over(rows: Rows) -> str:
    name = quoted(rows.columns["event"])
    kinds = " ".join(f"WHEN {name} IN {word_list(names)} THEN {literal(kind)}" for kind, names in PASSED_OVER.items())
    return f"CASE {kinds} END"
