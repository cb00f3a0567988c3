"""How a column of times is written, and the expression that reads it as microseconds since 1970 UTC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.intake.sql import is_fractional, is_missing, is_number, is_text, literal

Writing = Literal["date", "number", "day number", "text", "zoned", "naive", "nothing"]

_FIRST = 31_536_000  # 1971-01-01; a time before it is a zero that stands for "missing"
_LAST = 7_258_118_400  # 2200-01-01
_UNITS = {1: "seconds", 1_000: "milliseconds", 1_000_000: "microseconds", 1_000_000_000: "nanoseconds"}
_NUMBER = r"\s*[+-]?[0-9]+([.][0-9]*)?([eE][+]?[0-9]+)?\s*"
_DATE = r"\s*[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}\s*"
_WITH_ZONE = r":[0-9]{2}([.][0-9]+)?\s*([+-][0-9]|[A-Za-z])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How one column of times is read.

    `readable` is the share of its filled values that parse; `filled` is how many there were to judge by. With
    `wall_numbers` numbers count the seconds that the clock on the wall showed, not those since 1970 UTC.
    """

    column: str
    kind: str
    writing: Writing
    units_per_second: int
    readable: float
    filled: int
    wall_numbers: bool = False

    def micros(self, timezone: str, wall: bool = False) -> str:
        """Return the expression: microseconds since 1970 UTC as BIGINT, NULL where missing or unreadable.

        Times without a zone are in `timezone`. With `wall` the result is what the clock on the wall in
        `timezone` showed, counted as if it were UTC, so that calendar days are whole multiples of a day.
        """
        read = self._read(timezone, wall)
        low, high = _FIRST * 1_000_000, _LAST * 1_000_000
        return f"CASE WHEN {read} BETWEEN {low} AND {high} THEN {read} END"

    @property
    def words(self) -> str:
        """How the times are written, for people."""
        if self.writing == "number":
            return f"numbers: {_UNITS[self.units_per_second]} since 1970"
        return {
            "date": "dates without a time of day",
            "day number": "dates written as YYYYMMDD",
            "text": "ISO 8601 text",
            "zoned": "times with a time zone",
            "naive": "times without a time zone",
            "nothing": "nothing that reads as a time",
        }[self.writing]

    def _read(self, timezone: str, wall: bool) -> str:
        name = quoted(self.column)
        zone = literal(timezone)
        if self.writing == "date":
            value = f"TRY_CAST(trim(CAST({name} AS VARCHAR)) AS TIMESTAMP)" if is_text(self.kind) else name
            midnight = f"CAST({value} AS TIMESTAMP)"
            return f"epoch_us({midnight})" if wall or timezone == "UTC" else f"epoch_us(timezone({zone}, {midnight}))"
        if self.writing == "day number":
            midnight = f"try_strptime(CAST(CAST({name} AS BIGINT) AS VARCHAR), '%Y%m%d')"
            return f"epoch_us({midnight})" if wall or timezone == "UTC" else f"epoch_us(timezone({zone}, {midnight}))"
        if self.writing == "number" and self.wall_numbers and timezone != "UTC":
            return self._number() if wall else f"epoch_us(timezone({zone}, make_timestamp({self._number()})))"
        if self.writing == "number":
            return _on_wall(self._number(), zone, wall and timezone != "UTC")
        if self.writing == "text":
            return self._text(zone, wall, timezone)
        if self.writing == "zoned":
            exact = f"epoch_ns({name}) // 1000" if self.kind.endswith("_NS") else f"epoch_us({name})"
            return _on_wall(exact, zone, wall and timezone != "UTC")
        if self.writing == "naive":
            exact = f"epoch_ns({name}) // 1000" if self.kind == "TIMESTAMP_NS" else f"epoch_us({name})"
            if wall or timezone == "UTC":
                return exact
            return f"epoch_us(timezone({zone}, make_timestamp({exact})))"
        return "CAST(NULL AS BIGINT)"

    def _number(self) -> str:
        name, units = quoted(self.column), self.units_per_second
        value = f"TRY_CAST(trim({name}) AS DECIMAL(38, 9))" if is_text(self.kind) else name
        inside = f"{value} BETWEEN {_FIRST * units} AND {_LAST * units}"
        if is_fractional(self.kind) or is_text(self.kind):
            scaled = (
                f"{value} * {1_000_000 // units}" if units <= 1_000_000 else f"floor({value} / {units // 1_000_000})"
            )
            scaled = f"round({scaled})" if units <= 1_000_000 else scaled
        else:
            whole = f"CAST({value} AS BIGINT)"
            scaled = f"{whole} * {1_000_000 // units}" if units <= 1_000_000 else f"{whole} // {units // 1_000_000}"
        return f"CASE WHEN {inside} THEN CAST({scaled} AS BIGINT) END"

    def _text(self, zone: str, wall: bool, timezone: str) -> str:
        text = f"trim({quoted(self.column)})"
        instant = f"TRY_CAST({text} AS TIMESTAMPTZ)"
        if timezone == "UTC":
            return f"epoch_us({instant})"
        naive = f"TRY_CAST({text} AS TIMESTAMP)"
        zoned = f"regexp_matches({text}, {literal(_WITH_ZONE)})"
        if wall:
            return f"CASE WHEN {zoned} THEN epoch_us(timezone({zone}, {instant})) ELSE epoch_us({naive}) END"
        return f"CASE WHEN {zoned} THEN epoch_us({instant}) ELSE epoch_us(timezone({zone}, {naive})) END"


def look_at_times(engine: DuckDBEngine, table: str, column: str, kind: str) -> Clock:
    """Decide how the times of a column are written, from the rows of `table`.

    The decision is one for the whole column. Numbers are seconds, milliseconds, microseconds or
    nanoseconds by the size of their median. Text such as 03/04/2024 is never guessed at.
    """
    writing, units = _writing(engine, table, column, kind)
    draft = Clock(column=column, kind=kind, writing=writing, units_per_second=units, readable=0.0, filled=0)
    filled, read = engine.rows(
        f"SELECT count(*), count({draft.micros('UTC')}) FROM {quoted(table)} WHERE NOT {is_missing(column)}"
    )[0]
    return Clock(
        column=column,
        kind=kind,
        writing=writing,
        units_per_second=units,
        readable=read / filled if filled else 0.0,
        filled=filled,
    )


def _writing(engine: DuckDBEngine, table: str, column: str, kind: str) -> tuple[Writing, int]:
    if kind == "DATE":
        return "date", 1
    if kind.startswith("TIMESTAMP"):
        return ("zoned" if "ZONE" in kind or kind.startswith("TIMESTAMPTZ") else "naive"), 1
    name = quoted(column)
    if is_number(kind):
        return _number_writing(engine.rows(f"SELECT median(CAST({name} AS DOUBLE)) FROM {quoted(table)}")[0][0])
    if not is_text(kind):
        return "nothing", 1
    filled, numbers, dates, median = engine.rows(
        f"SELECT count(*), count_if(regexp_full_match({name}, {literal(_NUMBER)})), "
        f"count_if(regexp_full_match({name}, {literal(_DATE)})), median(TRY_CAST({name} AS DOUBLE)) "
        f"FROM {quoted(table)} WHERE NOT {is_missing(column)}"
    )[0]
    if not filled:
        return "nothing", 1
    if numbers > filled / 2:
        return _number_writing(median)
    return ("date" if dates == filled else "text"), 1


def _number_writing(median: float | None) -> tuple[Writing, int]:
    if median is None:
        return "nothing", 1
    if 19_000_101 <= median <= 22_000_101:
        return "day number", 1
    for units in _UNITS:
        # 1990 to 2100: the ranges of the four units do not meet.
        if 631_152_000 * units <= median <= 4_102_444_800 * units:
            return "number", units
    return "nothing", 1


def _on_wall(micros: str, zone: str, wall: bool) -> str:
    return f"epoch_us(timezone({zone}, make_timestamptz({micros})))" if wall else micros
