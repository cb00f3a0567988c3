"""The SQL of a milestone over the user's own tables, and what it takes for granted about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, cast

from discovery.engines.dialects import dialect_named
from discovery.engines.raw_tables import TIME_TYPES, IdColumn, PropertyColumn, RawTables, TimeColumn, TimeType
from discovery.errors import InputError, SpecError
from discovery.exposure.portable import milestone_sql
from discovery.milestone import BY_OTHER, Milestone
from discovery.spec import Day, StudySpec

if TYPE_CHECKING:
    from discovery.intake.heads import Heads, Stored
    from discovery.intake.times import Clock

EVENTS, ACCOUNTS = "events", "accounts"
"""Names of the tables unless others are given."""

MARK_TYPES = ("boolean", "text")
_TYPED = {"events.time": TIME_TYPES, "accounts.signup": TIME_TYPES, "accounts.exclude": MARK_TYPES}
_UNITS = {1: "seconds", 1_000: "milliseconds", 1_000_000: "microseconds", 1_000_000_000: "nanoseconds"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneSelect:
    """One SELECT: `account_id, reached_at, days_since_signup`, one row per account that reached the milestone.

    Attributes
    ----------
    milestone : Milestone
        What is reached.
    dialect : str
        Whose SQL it is.
    sql : str
        The SELECT, without a semicolon.
    notes : tuple of str
        What it gives and what it takes for granted, one sentence each.
    tables : RawTables
        What is known of the tables it reads.
    window_days : int
        The observation window, for conditions without one of their own.
    """

    milestone: Milestone
    dialect: str
    sql: str
    notes: tuple[str, ...]
    tables: RawTables
    window_days: int

    @property
    def commented(self) -> str:
        """The SELECT below its notes, each a line of comment."""
        return below_notes((f"When every account reached the milestone {self.milestone}", *self.notes), self.sql)


def below_notes(notes: Iterable[str], sql: str) -> str:
    """Return SQL below notes, each a line of comment."""
    return "".join(f"-- {on_one_line(note)}\n" for note in notes) + sql + "\n"


def milestone_select(
    milestone: Milestone,
    spec: StudySpec,
    dialect: str,
    *,
    heads: Heads | None = None,
    events_table: str = EVENTS,
    accounts_table: str = ACCOUNTS,
    types: Mapping[str, str] | None = None,
) -> MilestoneSelect:
    """Write the SELECT of a milestone over tables whose columns are those of a spec.

    Parameters
    ----------
    milestone
        What is reached.
    spec
        Names of the columns, the zone, the rule for repeated rows, and the observation window; columns that
        `heads` recognised need not be in it.
    dialect
        Name of the dialect.
    heads
        What was seen of the sources; None where there are none, and all is taken from the spec.
    events_table, accounts_table
        Names of the tables, with a schema where one is needed.
    types
        What columns of the tables hold, by "events.time", "accounts.signup" or "accounts.exclude", where that
        differs from the sources.

    Raises
    ------
    InputError
        If the dialect or a type is not known, a column that is needed is not named, or a window outlasts the
        observation.
    """
    types = types or {}
    spec = heads.spec if heads is not None else spec
    refuse_unnamed(spec, heads)
    _refuse_rewritten(spec)
    _refuse_untestable(milestone, spec, heads)
    properties = tuple(_property_column(name, heads) for name in milestone.properties if name != BY_OTHER)
    tables = replace(
        raw_tables(spec, dialect, heads, events_table, accounts_table, types),
        properties=properties,
        exclude=spec.accounts.exclude,
        exclude_is_boolean=_is_boolean(heads, types),
    )
    window = spec.candidates.window_days
    return MilestoneSelect(
        milestone=milestone,
        dialect=dialect_named(dialect).name,
        sql=milestone_sql(tables, milestone, window * Day, dialect),
        notes=_notes(tables, milestone, window, heads, types),
        tables=tables,
        window_days=window,
    )


def raw_tables(
    spec: StudySpec,
    dialect: str,
    heads: Heads | None,
    events_table: str,
    accounts_table: str,
    types: Mapping[str, str],
) -> RawTables:
    """Return what is known of tables whose columns are those of a spec, as named in `milestone_select`."""
    return RawTables(
        events=events_table,
        accounts=accounts_table,
        event_account=_id_column(spec.events.account, "events.account", heads),
        event_name=spec.events.event,
        event_time=_time_column(spec.events.time, "events.time", heads, types, dialect),
        event_user=_id_column(spec.events.user, "events.user", heads) if spec.events.user else None,
        event_id=spec.events.id or None,
        event_creator=_id_column(spec.events.creator, "events.creator", heads) if spec.events.creator else None,
        account=_id_column(spec.accounts.account, "accounts.account", heads),
        signup=_time_column(spec.accounts.signup, "accounts.signup", heads, types, dialect),
        timezone=spec.events.timezone,
        duplicates=spec.events.duplicates,
        dates_only=_dates_only(heads, types),
    )


def read_types(settings: Sequence[str]) -> dict[str, str]:
    """Read types of columns as they are written on the command line: `events.time=timestamptz`.

    Raises
    ------
    InputError
        If the column or the type is not one that can be given.
    """
    types = {}
    for setting in settings:
        name, equals, kind = (part.strip() for part in setting.partition("="))
        if not equals or name not in _TYPED:
            raise InputError(
                f"--type {setting!r} is not of the form COLUMN=TYPE, as in events.time=timestamptz. A type can be "
                f"given for {', '.join(_TYPED)}."
            )
        if kind.lower() not in _TYPED[name]:
            raise InputError(
                f"--type {setting!r}: {kind!r} is no type of {name}. Known are: {', '.join(_TYPED[name])}."
            )
        types[name] = kind.lower()
    return types


def has_all_columns(spec: StudySpec) -> bool:
    """Say whether the spec names every column that is needed, so that no data need to be looked at."""
    return not _unnamed(spec)


def on_one_line(text: str) -> str:
    """Return text with every sign that could end a line of comment written out."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _unnamed(spec: StudySpec) -> list[str]:
    needed = {
        "events.account": spec.events.account,
        "events.event": spec.events.event,
        "events.time": spec.events.time,
        "accounts.account": spec.accounts.account,
        "accounts.signup": spec.accounts.signup,
    }
    return [name for name, column in needed.items() if not column]


def refuse_unnamed(spec: StudySpec, heads: Heads | None) -> None:
    """Refuse a spec that leaves a column open, and columns that no table has."""
    unnamed = _unnamed(spec)
    if unnamed:
        raise SpecError(
            f"There are no data to recognise columns from, and {len(unnamed)} that are needed are not named: "
            f"{', '.join(unnamed)}. Name them in the spec or with --set, or give EVENTS and ACCOUNTS."
        )
    if heads is not None and heads.reached_by_path:
        raise InputError(
            f"{', '.join(map(repr, heads.reached_by_path))} is a path into nested records, for which no portable SQL "
            "is written. Make a view in which it is a column, and name that column."
        )


def _refuse_rewritten(spec: StudySpec) -> None:
    """Refuse a spec whose events are not the rows of the table as they are."""
    asked = {
        "events.aliases": bool(spec.events.aliases),
        "events.leave_out": bool(spec.events.leave_out),
        "events.leave_out_users": bool(spec.events.leave_out_users),
        "accounts.leave_out": bool(spec.accounts.leave_out),
        "[identity]": bool(spec.identity.source or spec.identity.persons),
    }
    unknown = [name for name, given in asked.items() if given]
    if unknown:
        raise InputError(
            f"The spec sets {', '.join(unknown)}, of which the SQL of a milestone knows nothing: it would tell "
            "of other events or accounts. Make views in which that is done already, and a spec of these without it."
        )


def _refuse_untestable(milestone: Milestone, spec: StudySpec, heads: Heads | None) -> None:
    """Refuse tests of properties that the table cannot answer alike in every dialect."""
    tests = [test for condition in milestone.conditions for test in condition.where]
    if any(test.name == BY_OTHER for test in tests) and not spec.events.user:
        raise InputError("by_other asks who did it, and no column of users is known: --set events.user=COLUMN.")
    paths = sorted({test.name for test in tests if "." in test.name}) if heads is None else []
    if paths:
        raise InputError(
            f"{', '.join(map(repr, paths))} reads as a path into nested records, for which no portable SQL is written. "
            "Make a view in which it is a column of its own, and name that column in the milestone."
        )
    kept = {} if heads is None else heads.properties
    for test in tests:
        if kept.get(test.name) == "float" and any(isinstance(value, str) for value in test.values):
            raise InputError(
                f"{test} compares numbers with text, and engines write numbers differently. Leave out the quotes: "
                f"{test.name} {test.operator} 1.5."
            )


def _property_column(name: str, heads: Heads | None) -> PropertyColumn:
    return PropertyColumn(name=name, stored="" if heads is None else heads.properties[name])


def _id_column(name: str, role: str, heads: Heads | None) -> IdColumn:
    if heads is None:
        return IdColumn(name=name)
    if role in heads.whole_text:
        return IdColumn(name=name, stored="whole text")
    kept = heads.stored[role]
    return IdColumn(name=name, stored="" if kept == "boolean" else kept)


def _time_column(name: str, role: str, heads: Heads | None, types: Mapping[str, str], dialect: str) -> TimeColumn:
    if role in types:
        return TimeColumn(name=name, holds=cast(TimeType, types[role]))
    if heads is None:
        return TimeColumn(name=name, holds=dialect_named(dialect).plain)
    return _as_seen(heads.clocks[role], heads.stored[role])


def _as_seen(clock: Clock, kept: Stored) -> TimeColumn:
    stored: Literal["", "integer", "float"] = kept if kept in ("integer", "float") else ""
    holds: dict[str, TimeType] = {
        "date": "text" if kept == "text" else "date",
        "day number": "yyyymmdd",
        "text": "text",
        "zoned": "timestamptz",
        "naive": "timestamp",
        "number": cast(TimeType, _UNITS[clock.units_per_second]),
    }
    return TimeColumn(name=clock.column, holds=holds[clock.writing], stored=stored)


def _is_boolean(heads: Heads | None, types: Mapping[str, str]) -> bool:
    if "accounts.exclude" in types:
        return types["accounts.exclude"] == "boolean"
    return heads is None or heads.stored.get("accounts.exclude") == "boolean"


def _dates_only(heads: Heads | None, types: Mapping[str, str]) -> bool:
    return types.get("events.time") in ("date", "yyyymmdd") or (heads is not None and heads.dates_only)


def _notes(
    tables: RawTables, milestone: Milestone, window: int, heads: Heads | None, types: Mapping[str, str]
) -> tuple[str, ...]:
    moment = (
        f"reached_at (a date, by the calendar of {tables.timezone})" if tables.dates_only else "reached_at (an instant)"
    )
    asked = [condition for condition in milestone.conditions if condition.within_hours is None]
    sentences = [
        f"One row per account that reached it: account_id (text), {moment}, days_since_signup (in days of 24 hours).",
        "A window runs from signup up to, not including, its end"
        + (f"; without one of its own a condition has the first {window} days." if asked else "."),
        *_property_notes(tables, milestone, heads),
        *notes_of_tables(tables, heads, types),
        "Of an account in several rows the earliest signup counts; accounts without one are left out"
        + (f", and so are those that {tables.exclude} marks as internal." if tables.exclude else "."),
    ]
    return tuple(sentence for sentence in sentences if sentence)


def notes_of_tables(tables: RawTables, heads: Heads | None, types: Mapping[str, str]) -> tuple[str, ...]:
    """Say how times are read and which rows count once."""
    repeated = {
        "by_id": f"of rows with the same {tables.event_id} the earliest counts" if tables.event_id else "",
        "exact": "rows that are the same in account, event, user and time count once",
        "keep": "",
    }[tables.duplicates]
    sentences = [
        _times_note("events.time", tables.event_time, heads, types),
        _times_note("accounts.signup", tables.signup, heads, types),
        f"Times without a zone are in {tables.timezone}." if _has_walls(tables) else "",
        f"Times are dates: windows mean calendar days in {tables.timezone}." if tables.dates_only else "",
        f"{repeated[0].upper()}{repeated[1:]}." if repeated else "",
    ]
    return tuple(sentence for sentence in sentences if sentence)


def _property_notes(tables: RawTables, milestone: Milestone, heads: Heads | None) -> list[str]:
    """Say how properties are compared, and who counts as somebody else."""
    kinds = {"integer": "whole numbers", "float": "numbers", "boolean": "true and false"}
    held = [f"{each.name} ({kinds.get(each.stored, 'text')})" for each in tables.properties]
    seen = "as in the files looked at" if heads is not None else "assumed, no data were looked at"
    notes = [f"Columns of properties: {', '.join(held)}, {seen}; a row without a value meets no test."] if held else []
    if BY_OTHER in milestone.properties:
        creator = tables.event_creator
        other = f"than {creator.name}" if creator else "than that of the account's earliest event with a user"
        notes.append(f"by_other: done by another user {other}.")
    return notes


def _times_note(role: str, column: TimeColumn, heads: Heads | None, types: Mapping[str, str]) -> str:
    words = {
        "timestamp": "times without a zone",
        "timestamptz": "instants",
        "date": "dates",
        "text": "ISO 8601 text",
        "yyyymmdd": "dates written as YYYYMMDD",
    }.get(column.holds, f"numbers: {column.holds} since 1970")
    if role in types:
        why = "as told"
    elif heads is not None:
        why = "as in the files looked at"
    else:
        why = "assumed, no data were looked at"
    return f"{column.name} is taken to hold {words} ({why}; --type {role}={column.holds})."


def _has_walls(tables: RawTables) -> bool:
    return any(time.holds in ("timestamp", "date", "text", "yyyymmdd") for time in (tables.event_time, tables.signup))
