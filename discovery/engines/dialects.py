"""What each engine's SQL calls the few things that differ: exact microseconds, both ways, and zones.

Every template was checked against the engine's documentation; DuckDB's and PostgreSQL's are executed in tests. In a
template, `{x}` stands for an expression and `{zone}` for the name of a time zone. SQLGlot does not translate these.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import Literal

from discovery.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one engine's SQL says what plain ANSI cannot.

    An *instant* is a moment in the world, a *wall* time what a clock shows, without a zone. Counts are microseconds
    since 1970, as BIGINT; those of wall times count as if the clock showed UTC.

    Attributes
    ----------
    name : str
        SQLGlot's name of the dialect.
    plain : "timestamp" or "timestamptz"
        What a column declared TIMESTAMP holds, as a rule: wall times or instants.
    instant_us, wall_us : str
        From an instant, or a wall time, to its count.
    at_zone : str
        From a wall time to the instant at which a clock in `{zone}` shows it.
    shown_us : str
        From an instant to the count of what a clock in `{zone}` shows.
    midnight : str
        From a date to the wall time at its start.
    text_instant, text_wall : str
        From ISO 8601 text, with an offset and without, to an instant and a wall time.
    text_fails : bool
        Whether text that is no time fails these, rather than being null.
    matches : str
        Whether text `{x}` holds the pattern `{pattern}`.
    moment, day : str
        From a count to an instant, and from days since 1970 to a date.
    quotient : str
        Whole quotient of a positive integer `{x}` by `{n}`.
    days : str
        `{x}` microseconds in days, in double precision.
    bytewise : str
        Text `{x}` as it is ordered by its bytes.
    together : str
        One text of the texts `{x}` of a group, in their order, with commas between.
    exact_case : bool
        Whether an unquoted name may have capitals and still be itself.
    """

    name: str
    plain: Literal["timestamp", "timestamptz"]
    instant_us: str
    wall_us: str
    at_zone: str
    shown_us: str
    midnight: str
    text_instant: str
    text_wall: str
    matches: str
    moment: str
    day: str
    quotient: str
    days: str = "CAST({x} AS DOUBLE) / 86400000000"
    bytewise: str = "{x}"
    together: str = "LISTAGG({x}, ',') WITHIN GROUP (ORDER BY {x})"
    text_fails: bool = False
    exact_case: bool = False


_DUCKDB = Dialect(
    name="duckdb",
    together="STRING_AGG({x}, ',' ORDER BY {x})",
    plain="timestamp",
    instant_us="epoch_us({x})",
    wall_us="epoch_us({x})",
    at_zone="timezone('{zone}', {x})",
    shown_us="epoch_us(timezone('{zone}', {x}))",
    midnight="CAST({x} AS TIMESTAMP)",
    text_instant="TRY_CAST({x} AS TIMESTAMPTZ)",
    text_wall="TRY_CAST({x} AS TIMESTAMP)",
    matches="regexp_matches({x}, '{pattern}')",
    moment="make_timestamptz({x})",
    day="DATE '1970-01-01' + CAST({x} AS INTEGER)",
    quotient="({x}) // {n}",
    exact_case=True,
)

_POSTGRES = Dialect(
    name="postgres",
    together="STRING_AGG({x}, ',' ORDER BY {x})",
    plain="timestamp",
    instant_us="CAST(EXTRACT(EPOCH FROM {x}) * 1000000 AS BIGINT)",
    wall_us="CAST(EXTRACT(EPOCH FROM {x}) * 1000000 AS BIGINT)",
    at_zone="({x} AT TIME ZONE '{zone}')",
    shown_us="CAST(EXTRACT(EPOCH FROM ({x} AT TIME ZONE '{zone}')) * 1000000 AS BIGINT)",
    midnight="CAST({x} AS TIMESTAMP)",
    text_instant="CAST({x} AS TIMESTAMPTZ)",
    text_wall="CAST({x} AS TIMESTAMP)",
    text_fails=True,
    matches="{x} ~ '{pattern}'",
    moment="(TIMESTAMPTZ '1970-01-01 00:00:00+00' + ({x}) * INTERVAL '1 microsecond')",
    day="DATE '1970-01-01' + CAST({x} AS INTEGER)",
    quotient="({x}) / {n}",
    days="CAST({x} AS DOUBLE PRECISION) / 86400000000",
    bytewise='{x} COLLATE "C"',
)

_REDSHIFT = Dialect(
    name="redshift",
    plain="timestamp",
    instant_us="DATEDIFF(microsecond, TIMESTAMP '1970-01-01 00:00:00', ({x} AT TIME ZONE 'UTC'))",
    wall_us="DATEDIFF(microsecond, TIMESTAMP '1970-01-01 00:00:00', {x})",
    at_zone="({x} AT TIME ZONE '{zone}')",
    shown_us="DATEDIFF(microsecond, TIMESTAMP '1970-01-01 00:00:00', ({x} AT TIME ZONE '{zone}'))",
    midnight="CAST({x} AS TIMESTAMP)",
    text_instant="CAST({x} AS TIMESTAMPTZ)",
    text_wall="CAST({x} AS TIMESTAMP)",
    text_fails=True,
    matches="{x} ~ '{pattern}'",
    # DATEADD takes an INTEGER, so the count is added in three parts.
    moment="(DATEADD(microsecond, CAST(MOD({x}, 1000000) AS INTEGER), "
    "DATEADD(second, CAST(MOD(({x}) / 1000000, 86400) AS INTEGER), "
    "DATEADD(day, CAST(({x}) / 86400000000 AS INTEGER), TIMESTAMP '1970-01-01 00:00:00'))) AT TIME ZONE 'UTC')",
    day="CAST(DATEADD(day, CAST({x} AS INTEGER), DATE '1970-01-01') AS DATE)",
    quotient="({x}) / {n}",
    days="CAST({x} AS DOUBLE PRECISION) / 86400000000",
)

_SNOWFLAKE = Dialect(
    name="snowflake",
    plain="timestamp",
    instant_us="DATE_PART(epoch_microsecond, {x})",
    wall_us="DATE_PART(epoch_microsecond, {x})",
    at_zone="CONVERT_TIMEZONE('{zone}', 'UTC', {x})",
    shown_us="DATE_PART(epoch_microsecond, CAST(CONVERT_TIMEZONE('{zone}', {x}) AS TIMESTAMP_NTZ))",
    midnight="CAST({x} AS TIMESTAMP_NTZ)",
    text_instant="TRY_TO_TIMESTAMP_TZ({x})",
    text_wall="TRY_TO_TIMESTAMP_NTZ({x})",
    matches="REGEXP_INSTR({x}, '{pattern}') > 0",
    moment="TO_TIMESTAMP_LTZ({x}, 6)",
    day="DATEADD(day, {x}, DATE '1970-01-01')",
    quotient="FLOOR(({x}) / {n})",
    exact_case=True,
)

_BIGQUERY = Dialect(
    name="bigquery",
    together="STRING_AGG({x}, ',' ORDER BY {x})",
    plain="timestamptz",
    instant_us="UNIX_MICROS({x})",
    wall_us="UNIX_MICROS(TIMESTAMP({x}, 'UTC'))",
    at_zone="TIMESTAMP({x}, '{zone}')",
    shown_us="UNIX_MICROS(TIMESTAMP(DATETIME({x}, '{zone}'), 'UTC'))",
    midnight="CAST({x} AS DATETIME)",
    text_instant="SAFE_CAST({x} AS TIMESTAMP)",
    text_wall="SAFE_CAST({x} AS DATETIME)",
    matches="REGEXP_CONTAINS({x}, '{pattern}')",
    moment="TIMESTAMP_MICROS({x})",
    day="DATE_FROM_UNIX_DATE({x})",
    quotient="DIV({x}, {n})",
    days="CAST({x} AS FLOAT64) / 86400000000",
    exact_case=True,
)

_SPARK = Dialect(
    name="spark",
    together="ARRAY_JOIN(ARRAY_SORT(COLLECT_LIST({x})), ',')",
    plain="timestamptz",
    instant_us="unix_micros({x})",
    # By way of text: a cast between TIMESTAMP_NTZ and TIMESTAMP would follow the session's time zone.
    wall_us="unix_micros(CAST(CONCAT(CAST({x} AS STRING), ' UTC') AS TIMESTAMP))",
    # Of an hour that clocks show twice the second is meant, as elsewhere; a cast takes the first.
    at_zone="GREATEST(CAST(CONCAT(CAST({x} AS STRING), ' {zone}') AS TIMESTAMP), "
    "CAST(CONCAT(CAST({x} + INTERVAL '1' HOUR AS STRING), ' {zone}') AS TIMESTAMP) - INTERVAL '1' HOUR)",
    shown_us="unix_micros(from_utc_timestamp({x}, '{zone}'))",
    midnight="CAST({x} AS TIMESTAMP_NTZ)",
    text_instant="TRY_CAST({x} AS TIMESTAMP)",
    text_wall="TRY_CAST({x} AS TIMESTAMP_NTZ)",
    matches="{x} RLIKE '{pattern}'",
    moment="timestamp_micros({x})",
    day="date_from_unix_date(CAST({x} AS INT))",
    quotient="({x}) DIV {n}",
    exact_case=True,
)

_CLICKHOUSE = Dialect(
    name="clickhouse",
    together="arrayStringConcat(arraySort(groupArray({x})), ',')",
    plain="timestamptz",
    instant_us="toUnixTimestamp64Micro(toDateTime64({x}, 6))",
    # There are no wall times: a column that holds them is taken to show them in UTC.
    wall_us="toUnixTimestamp64Micro(toDateTime64({x}, 6))",
    # Of an hour that clocks show twice the second is meant, and one that they skip lies after it, as elsewhere.
    at_zone="greatest(toDateTime64(toString(toDateTime64({x}, 6, 'UTC')), 6, '{zone}'), "
    "addHours(toDateTime64(toString(addHours(toDateTime64({x}, 6, 'UTC'), 1)), 6, '{zone}'), -1), "
    "addHours(toDateTime64(toString(addHours(toDateTime64({x}, 6, 'UTC'), -1)), 6, '{zone}'), 1))",
    shown_us="toUnixTimestamp64Micro(toDateTime64(toString(toDateTime64({x}, 6, '{zone}')), 6, 'UTC'))",
    midnight="toDateTime64({x}, 6, 'UTC')",
    text_instant="parseDateTime64BestEffortOrNull({x}, 6, 'UTC')",
    text_wall="parseDateTime64BestEffortOrNull({x}, 6, 'UTC')",
    text_fails=True,  # it does not fail, but reads 03/04/2024 one way or the other
    matches="match({x}, '{pattern}')",
    moment="fromUnixTimestamp64Micro({x}, 'UTC')",
    day="addDays(toDate32('1970-01-01'), {x})",
    quotient="intDiv({x}, {n})",
    days="toFloat64({x}) / 86400000000",
    exact_case=True,
)

_TRINO_MICROS = (
    "CAST(to_unixtime(date_trunc('second', {t})) AS BIGINT) * 1000000 + CAST(date_format({t}, '%f') AS BIGINT)"
)


def _trino_micros(time: str) -> str:
    return _TRINO_MICROS.replace("{t}", time)


_TRINO = Dialect(
    name="trino",
    plain="timestamp",
    instant_us=_trino_micros("{x}"),
    wall_us=_trino_micros("with_timezone({x}, 'UTC')"),
    at_zone="with_timezone({x}, '{zone}')",
    shown_us=_trino_micros("with_timezone(CAST({x} AT TIME ZONE '{zone}' AS TIMESTAMP(6)), 'UTC')"),
    midnight="CAST({x} AS TIMESTAMP(6))",
    text_instant="TRY(from_iso8601_timestamp_nanos(REPLACE({x}, ' ', 'T')))",
    text_wall="TRY_CAST(REPLACE({x}, 'T', ' ') AS TIMESTAMP(6))",
    matches="REGEXP_LIKE({x}, '{pattern}')",
    moment="CAST(from_unixtime_nanos(({x}) * 1000) AS TIMESTAMP(6) WITH TIME ZONE)",
    day="date_add('day', {x}, DATE '1970-01-01')",
    quotient="({x}) / {n}",
    exact_case=True,
)

DIALECTS = {
    dialect.name: dialect
    for dialect in (
        _DUCKDB,
        _POSTGRES,
        _SNOWFLAKE,
        _BIGQUERY,
        _SPARK,
        replace(_SPARK, name="databricks"),
        _CLICKHOUSE,
        _TRINO,
        _REDSHIFT,
    )
}
"""The dialects of SQL that can be written, by name."""


def dialect_named(name: str) -> Dialect:
    """Return a dialect by its name, in any case.

    Raises
    ------
    InputError
        If there is none of that name; the message lists those there are.
    """
    found = DIALECTS.get(name.strip().lower())
    if found is not None:
        return found
    near = difflib.get_close_matches(name.strip().lower(), [*DIALECTS, "postgresql"], n=1)
    hint = f" Did you mean {near[0].replace('postgresql', 'postgres')!r}?" if near else ""
    raise InputError(f"There is no dialect {name!r}.{hint} Known are: {', '.join(DIALECTS)}.")
