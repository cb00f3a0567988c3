"""What the columns over there hold, and the events as a study reads them, as SELECTs for that engine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from sqlglot import exp

from discovery.engines.dialects import Dialect, dialect_named
from discovery.engines.expressions import named, quoted
from discovery.engines.raw_tables import IdColumn, PropertyColumn, RawTables, TimeColumn, TimeType
from discovery.engines.readings import written
from discovery.engines.typed_rows import event_rows, kept_rows
from discovery.errors import ColumnError
from discovery.intake.columns import Table
from discovery.intake.sql import NULL_WORDS, is_fractional, is_number, is_text
from discovery.intake.warehouse.place import Place
from discovery.spec import EventsSpec

_UNITS: dict[int, TimeType] = {
    1: "seconds",
    1_000: "milliseconds",
    1_000_000: "microseconds",
    1_000_000_000: "nanoseconds",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedEvents:
    """The events of a place, typed over there."""

    place: Place
    raw: RawTables

    @property
    def dialect(self) -> Dialect:
        """The SQL of the engine."""
        return dialect_named(self.place.engine.dialect)

    @property
    def every(self) -> exp.Select:
        """Every row, with `unread`: 1 where there is a time that may not read as one, else 0."""
        rows = event_rows(self.raw, self.dialect).select(named(self._filled(), "unread"))
        return self.place.within(rows)

    @property
    def usable(self) -> exp.Select:
        """The rows a study can use: `account_id, event, user_id, t`, and what conditions test."""
        return self.place.within(kept_rows(self.raw, self.dialect, event_rows(self.raw, self.dialect)))

    @property
    def passes_over(self) -> bool:
        """Whether rows are left out by name or user."""
        return bool(self.raw.leave_out or (self.raw.leave_out_users and self.raw.event_user))

    def with_dates(self) -> TypedEvents:
        """Return the events with every time as what the calendar shows, in whole days."""
        return replace(self, raw=replace(self.raw, dates_only=True))

    def with_all_rows(self) -> TypedEvents:
        """Return the events without a search for repeated rows, where there are none."""
        return replace(self, raw=replace(self.raw, duplicates="keep"))

    def _filled(self) -> exp.Case:
        value = exp.Var(this=f"e.{written(self.raw.event_time.name, self.dialect)}")
        text = exp.Lower(this=exp.Trim(this=exp.cast(value, exp.DataType.Type.TEXT)))
        missing = text.isin(*map(exp.Literal.string, NULL_WORDS)) if self.raw.event_time.holds == "text" else None
        filled = value.is_(exp.null()).not_()
        both = filled if missing is None else exp.and_(filled, missing.not_())
        return exp.Case().when(both, exp.Literal.number(1)).else_(exp.Literal.number(0))


def typed_events(place: Place, log: Table, spec: EventsSpec, properties: tuple[str, ...]) -> TypedEvents:
    """Say how the events are typed over there, from the columns as recognised in a few rows.

    Parameters
    ----------
    place
        Where they lie.
    log
        The first rows, with every role settled.
    spec
        What is asked.
    properties
        Columns with properties of events.

    Raises
    ------
    ColumnError
        If the column of times holds none in the rows looked at, or a property is no column.
    """
    roles = log.roles
    by_id = spec.duplicates == "by_id" and "id" not in roles
    raw = RawTables(
        events=place.name,
        accounts="",
        event_account=_id(place, log, roles["account"]),
        event_name=roles["event"],
        event_time=_time(place, log),
        event_user=_id(place, log, roles["user"]) if "user" in roles else None,
        event_id=roles.get("id"),
        event_creator=_id(place, log, roles["creator"]) if "creator" in roles else None,
        properties=tuple(_property(place, log, name) for name in properties),
        account=IdColumn(name=""),
        signup=TimeColumn(name="", holds="timestamptz"),
        timezone=spec.timezone,
        duplicates="keep" if by_id else spec.duplicates,
        dates_only=False,
        aliases={old: name for name, spellings in spec.aliases.items() for old in spellings},
        leave_out=spec.leave_out,
        leave_out_users=spec.leave_out_users,
    )
    return TypedEvents(place=place, raw=raw)


def _id(place: Place, log: Table, name: str) -> IdColumn:
    kind = log.kind(name)
    stored = _stored(place, log, name)
    if is_text(kind) and log.engine.rows(
        f"SELECT 1 FROM {quoted(log.rows)} WHERE regexp_full_match({quoted(name)}, '-?[0-9]+[.]0') LIMIT 1"
    ):
        return IdColumn(name=name, stored="whole text")
    return IdColumn(name=name, stored="" if stored == "boolean" else stored)


def _stored(place: Place, log: Table, name: str) -> Literal["", "text", "integer", "float", "boolean"]:
    kind = log.kind(name)
    if is_text(kind):
        return "text"
    if is_fractional(kind) or any(word in place.columns[name].lower() for word in ("numeric", "decimal")):
        return "float"  # whole ones may be written like 12.00
    if is_number(kind):
        return "integer"
    return "boolean" if kind == "BOOLEAN" else ""


def _time(place: Place, log: Table) -> TimeColumn:
    name = log.roles["time"]
    clock, stored = log.clock(name), _stored(place, log, name)
    if clock.writing == "nothing":
        raise ColumnError(
            f"The column {name!r} of {place.label} holds nothing that reads as a time. Name another: "
            "--set events.time=COLUMN."
        )
    holds: dict[str, TimeType] = {
        "date": "text" if stored == "text" else "date",
        "day number": "yyyymmdd",
        "text": "text",
        "zoned": "timestamptz",
        "naive": dialect_named(place.engine.dialect).plain if place.engine.dialect == "clickhouse" else "timestamp",
        "number": _UNITS[clock.units_per_second],
    }
    return TimeColumn(name=name, holds=holds[clock.writing], stored=stored if stored in ("integer", "float") else "")


def _property(place: Place, log: Table, name: str) -> PropertyColumn:
    if name not in place.columns:
        raise ColumnError(
            f"No event of {place.label} has the property {name!r} as a column. Where it lies inside a nested one, make "
            "a view in which it is a column of its own, and name that view in events.table."
        )
    stored = _stored(place, log, name)
    return PropertyColumn(name=name, stored=stored)
