"""What a source turns out to be: the columns that play a role, and what is no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.intake.sources import Source
from discovery.spec import EventsSpec, Format

EventRole = Literal["account", "user", "event", "time", "id", "creator", "sent", "received"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """The column that plays a role in a format, and why."""

    column: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How an export is laid out.

    SQL expressions are over the columns of `source.table()`; SELECTs are complete queries, run only if they are needed.

    Attributes
    ----------
    format : str
        The format, "table" for a plain table.
    reason : str
        From what it was recognised, as words that follow "recognised as Segment: ".
    source : Source
        The source, with every column that plays a role: reached by a dotted path, or computed.
    roles : mapping
        What the format itself knows. A column that the spec names goes before; roles that are not here are
        recognised by name and content, as for a plain table.
    passed_over : str
        Expression: the kind of record ("identify", "group") where a row is no behaviour, else NULL. Empty: none.
    properties : tuple of str
        Columns under which the properties of an event lie, as in `properties`; a property is looked for among the
        columns first, then in these.
    members : str
        SELECT of `user_id`, `account_id` (text) and `since` (BIGINT, microseconds; NULL where unknown): who belongs
        where, told by the same source. Empty: it does not tell.
    persons : str
        SELECT of `user_id`, `person_id`: user ids that are one person. Empty: it does not tell.
    accounts : str
        SELECT with one row per account: `account_id` and what the same source tells of it, times as TIMESTAMP (UTC)
        under the usual names (`signup_at`), traits as they were first told, each with a column "(told) NAME" that says
        when (microseconds). Empty: it does not tell.
    corrected_times : tuple of str
        Columns of times that the tool has set right for the clock of the device, or that a server wrote.
    wall_numbers : bool
        Numeric times count the seconds of the clock on the wall in `events.timezone`, not those since 1970 UTC.
    like_it : bool
        Whether the source looks like the format; it may not where the spec names one.
    """

    format: Format
    reason: str
    source: Source
    roles: Mapping[EventRole, Role] = field(default_factory=dict)
    passed_over: str = ""
    properties: tuple[str, ...] = ()
    members: str = ""
    persons: str = ""
    accounts: str = ""
    corrected_times: tuple[str, ...] = ()
    wall_numbers: bool = False
    like_it: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a format may look at to recognise itself: the columns, and the first rows as a table in the engine."""

    engine: DuckDBEngine
    source: Source
    rows: str
    spec: EventsSpec

    def share(self, condition: str) -> float:
        """Return the share of the first rows for which an expression holds."""
        found = self.engine.rows(f"SELECT count(*), count_if({condition}) FROM {quoted(self.rows)}")[0]
        return (found[1] or 0) / found[0] if found[0] else 0.0

    def values(self, expression: str, limit: int = 20) -> tuple[str, ...]:
        """Return the most frequent values of an expression among the first rows, as text."""
        found = self.engine.rows(
            f"SELECT CAST({expression} AS VARCHAR) AS v, count(*) AS n FROM {quoted(self.rows)} "
            f"WHERE {expression} IS NOT NULL GROUP BY v ORDER BY n DESC, v LIMIT {limit}"
        )
        return tuple(str(value) for value, _ in found)
