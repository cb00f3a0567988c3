"""How one value of a raw table is read in a dialect: times as microseconds, identifiers as text, marks as 0 and 1."""

from __future__ import annotations

import functools
import re

from sqlglot import Dialect as SqlDialect
from sqlglot import exp

from discovery.engines.dialects import Dialect
from discovery.engines.raw_tables import PER_SECOND, IdColumn, PropertyColumn, TimeColumn
from discovery.milestone import NUMBER

FIRST_US, LAST_US = 31_536_000_000_000, 7_258_118_400_000_000
"""1971 and 2200: the times that count as readable. One before is a zero that stands for "missing"."""

_TRUE_WORDS = ("true", "t", "yes", "y", "1", "1.0")
_WITH_ZONE = ":[0-9]{2}([.][0-9]+)?[ ]*([+-][0-9]|[A-Za-z])"
_ISO = "^[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}"
_WHOLE = "^-?[0-9]+[.]0$"
_WRITTEN_BY_PYTHON = "'True', 'TRUE', 'False', 'FALSE'"
_SIMPLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED_IN_SNOWFLAKE = re.compile(
    "all|alter|and|any|as|between|by|case|cast|check|column|connect|create|cross|current|delete|distinct|drop|else|"
    "exists|false|following|for|from|full|grant|group|having|ilike|in|increment|inner|insert|intersect|into|is|join|"
    "lateral|left|like|minus|natural|not|null|of|on|or|order|qualify|regexp|revoke|right|rlike|row|rows|sample|select|"
    "set|some|start|table|tablesample|then|to|trigger|true|union|unique|update|using|values|when|where|with",
    re.IGNORECASE,
)


def written(name: str, dialect: Dialect) -> str:
    """Return a column's name as the dialect writes it: quoted where the bare name would not be the column.

    Snowflake folds bare names to capitals, as it does those of the table when it is made; there a plain name stays
    bare, so that `signup_at` finds the column made as signup_at.
    """
    simple = _SIMPLE.fullmatch(name) is not None
    if dialect.name == "snowflake":
        if simple and _RESERVED_IN_SNOWFLAKE.fullmatch(name):
            return f'"{name.upper()}"'
        bare = simple
    else:
        bare = simple and name.upper() not in _keywords(dialect.name) and (dialect.exact_case or name == name.lower())
    quoted: str = exp.to_identifier(name, quoted=not bare).sql(dialect=dialect.name)
    return quoted


@functools.cache
def _keywords(dialect: str) -> frozenset[str]:
    known = SqlDialect.get_or_raise(dialect).tokenizer_class.KEYWORDS
    return frozenset(word for keyword in known for word in keyword.split())


def time_read(column: TimeColumn, side: str, zone: str, dialect: Dialect, *, on_wall: bool) -> str:
    """Return the expression of a time in microseconds since 1970.

    Parameters
    ----------
    column
        The column of times.
    side
        Alias of its table.
    zone
        Zone of wall times.
    dialect
        The dialect to write.
    on_wall
        Count what a clock in `zone` shows as if it showed UTC, so that days are whole multiples of a day.
    """
    x = _qualified(column.name, side, dialect)
    if column.holds in PER_SECOND:
        count = _number(x, column, dialect)
        if not on_wall or zone == "UTC":
            return count
        return dialect.shown_us.format(x=dialect.moment.format(x=count), zone=zone)
    if column.holds == "timestamptz":
        return (dialect.shown_us if on_wall and zone != "UTC" else dialect.instant_us).format(x=x, zone=zone)
    if column.holds == "text":
        return _text(x, zone, dialect, on_wall=on_wall)
    if column.holds == "yyyymmdd":
        digits = _as_text(f"CAST({x} AS {_type('BIGINT', dialect)})", dialect)
        dashed = " || '-' || ".join(f"SUBSTRING({digits}, {start}, {length})" for start, length in _DATE_PARTS)
        wall = _guarded(dialect.text_wall.format(x=f"({dashed})"), digits, "^[0-9]{8}$", dialect)
    else:
        wall = dialect.midnight.format(x=x) if column.holds == "date" else x
    return _of_wall(wall, zone, dialect, on_wall=on_wall)


_DATE_PARTS = ((1, 4), (5, 2), (7, 2))


def id_read(column: IdColumn, side: str, dialect: Dialect) -> str:
    """Return the expression of an identifier as text, equal for 12, 12.0 and '12'; null where missing."""
    x = _qualified(column.name, side, dialect)
    text = _as_text(x, dialect)
    if column.stored == "integer":
        return text
    if column.stored == "float":
        whole = _as_text(f"CAST({x} AS {_type('BIGINT', dialect)})", dialect)
        return f"CASE WHEN ABS({x}) < 1e18 THEN CASE WHEN {x} = FLOOR({x}) THEN {whole} ELSE {text} END END"
    if column.stored == "whole text":
        stripped = f"SUBSTRING({text}, 1, LENGTH({text}) - 2)"
        matches = dialect.matches.format(x=text, pattern=_WHOLE)
        return f"CASE WHEN {matches} THEN {stripped} ELSE NULLIF({text}, '') END"
    return f"NULLIF({text}, '')"


def text_read(name: str, side: str, dialect: Dialect) -> str:
    """Return the expression of any value as text; null where missing or empty."""
    return f"NULLIF({_as_text(_qualified(name, side, dialect), dialect)}, '')"


def property_read(column: PropertyColumn, side: str, dialect: Dialect) -> str:
    """Return the expression of a property as text, truth values as true and false; null where missing or empty."""
    x = _qualified(column.name, side, dialect)
    if column.stored == "boolean":
        return f"CASE WHEN {x} THEN 'true' WHEN NOT {x} THEN 'false' END"
    text = f"NULLIF({_as_text(x, dialect)}, '')"
    if column.stored in ("integer", "float"):
        return text
    return f"CASE WHEN {text} IN ({_WRITTEN_BY_PYTHON}) THEN LOWER({text}) ELSE {text} END"


def number_read(column: PropertyColumn, side: str, dialect: Dialect) -> str:
    """Return the expression of a property as a number in double precision; null where it does not read as one."""
    x = _qualified(column.name, side, dialect)
    double = _type("DOUBLE", dialect)
    if column.stored == "boolean":
        return f"CAST(NULL AS {double})"
    if column.stored == "integer":
        return f"CAST({x} AS {double})"
    text = _as_text(x, dialect)
    number = f"CAST({x} AS {double})"
    if column.stored != "float":
        tried = exp.TryCast(this=exp.Var(this=f"TRIM({text})"), to=exp.DataType.build("DOUBLE"))
        number = tried.sql(dialect=dialect.name)
    # The pattern keeps out what no number is, and infinities, which some engines read as numbers.
    return f"CASE WHEN {dialect.matches.format(x=text, pattern=NUMBER)} THEN {number} END"


def mark_read(name: str, side: str, dialect: Dialect, *, is_boolean: bool) -> str:
    """Return the expression of a yes or no as 1 and 0; missing is no."""
    x = _qualified(name, side, dialect)
    words = ", ".join(f"'{word}'" for word in _TRUE_WORDS)
    holds = x if is_boolean else f"LOWER(TRIM({_as_text(x, dialect)})) IN ({words})"
    return f"CASE WHEN {holds} THEN 1 ELSE 0 END"


def _qualified(name: str, side: str, dialect: Dialect) -> str:
    return f"{side}.{written(name, dialect)}" if side else written(name, dialect)


def _type(name: str, dialect: Dialect) -> str:
    """Return a type's name in the dialect, one that may be null."""
    cast: str = exp.cast(exp.column("x"), name).sql(dialect=dialect.name)
    return cast.removeprefix("CAST(x AS ")[:-1]


def _as_text(x: str, dialect: Dialect) -> str:
    return f"CAST({x} AS {_type('TEXT', dialect)})"


def _of_wall(wall: str, zone: str, dialect: Dialect, *, on_wall: bool) -> str:
    if on_wall or zone == "UTC":
        return dialect.wall_us.format(x=wall)
    return dialect.instant_us.format(x=dialect.at_zone.format(x=wall, zone=zone))


def _text(x: str, zone: str, dialect: Dialect, *, on_wall: bool) -> str:
    text = f"TRIM({_as_text(x, dialect)})"
    instant, wall = dialect.text_instant.format(x=text), dialect.text_wall.format(x=text)
    of_instant = (dialect.shown_us if on_wall and zone != "UTC" else dialect.instant_us).format(x=instant, zone=zone)
    of_wall = _of_wall(wall, zone, dialect, on_wall=on_wall)
    with_zone = dialect.matches.format(x=text, pattern=_WITH_ZONE)
    read = f"CASE WHEN {with_zone} THEN {of_instant} ELSE {of_wall} END"
    return _guarded(read, text, _ISO, dialect)


def _guarded(read: str, text: str, pattern: str, dialect: Dialect) -> str:
    """Read only text that looks like it, where other text would fail the query."""
    return (
        f"CASE WHEN {dialect.matches.format(x=text, pattern=pattern)} THEN {read} END" if dialect.text_fails else read
    )


def _number(x: str, column: TimeColumn, dialect: Dialect) -> str:
    per_second = PER_SECOND[column.holds]
    whole = _type("BIGINT", dialect)
    exact = f"CAST({x} AS {_type('DECIMAL(38, 9)', dialect)})"
    if column.holds == "nanoseconds":
        value, count = exact, dialect.quotient.format(x=f"CAST({x} AS {whole})", n=1_000)
    elif column.stored == "integer":
        value = f"CAST({x} AS {whole})"
        count = f"{value} * {1_000_000 // per_second}"
    else:
        value = x if column.stored == "float" else exact
        count = f"CAST(ROUND({value} * {1_000_000 // per_second}) AS {whole})"
    first, last = FIRST_US * per_second // 1_000_000, LAST_US * per_second // 1_000_000
    # A number far outside would overflow, rather than be left out below.
    return f"CASE WHEN {value} BETWEEN {first} AND {last} THEN {count} END"
