"""The tables as their owner keeps them: which columns are read, and what those hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

TimeType = Literal[
    "timestamp", "timestamptz", "date", "text", "seconds", "milliseconds", "microseconds", "nanoseconds", "yyyymmdd"
]
"""What a column of times holds: wall times, instants, dates, ISO 8601 text, or numbers."""

TIME_TYPES: tuple[TimeType, ...] = get_args(TimeType)
PER_SECOND: Mapping[str, int] = {
    "seconds": 1,
    "milliseconds": 1_000,
    "microseconds": 1_000_000,
    "nanoseconds": 1_000_000_000,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeColumn:
    """A column of times. `stored` says how its numbers are kept, where that is known."""

    name: str
    holds: TimeType
    stored: Literal["", "integer", "float"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdColumn:
    """A column of identifiers, as text in the end.

    `stored` is what is known of how it is kept; in "whole text" whole numbers are written like 12.0, as they are
    by programs that hold a missing number as NaN.
    """

    name: str
    stored: Literal["", "text", "whole text", "integer", "float"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyColumn:
    """A column with a property of events; `stored` is what is known of how it is kept."""

    name: str
    stored: Literal["", "text", "integer", "float", "boolean"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTables:
    """Two tables of a warehouse and the columns that a milestone is computed from.

    Attributes
    ----------
    events, accounts : str
        Their names as SQL writes them, with a schema where one is needed.
    event_account, event_name, event_time, event_user, event_id
        Columns of the events; the last two may be None.
    event_creator : IdColumn or None
        Column of the events with the user who made the object an event is about.
    properties : tuple of PropertyColumn
        Columns of the events that conditions test.
    account, signup, exclude, exclude_is_boolean
        Columns of the accounts; `exclude` marks internal ones and may be empty.
    timezone : str
        Zone of wall times.
    duplicates : "by_id", "exact" or "keep"
        What rows count once; by_id asks for `event_id`.
    dates_only : bool
        Event times are dates: windows mean calendar days in `timezone`.
    aliases : mapping
        Names of events by their other spellings.
    leave_out, leave_out_users : tuple of str
        Names of events and of users, with `*` for any text, whose rows are passed over.
    """

    events: str
    accounts: str
    event_account: IdColumn
    event_name: str
    event_time: TimeColumn
    event_user: IdColumn | None = None
    event_id: str | None = None
    event_creator: IdColumn | None = None
    properties: tuple[PropertyColumn, ...] = ()
    account: IdColumn
    signup: TimeColumn
    exclude: str = ""
    exclude_is_boolean: bool = True
    timezone: str = "UTC"
    duplicates: Literal["by_id", "exact", "keep"] = "keep"
    dates_only: bool = False
    aliases: Mapping[str, str] = field(default_factory=dict)
    leave_out: tuple[str, ...] = ()
    leave_out_users: tuple[str, ...] = ()
