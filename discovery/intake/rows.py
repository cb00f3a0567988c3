"""One row of the events as it is typed: the select list over the source, and the columns it makes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from discovery.engines.expressions import quoted
from discovery.intake import properties
from discovery.intake.columns import Table
from discovery.intake.formats import Layout
from discovery.intake.names import other_spelling, renamed, why_passed_over
from discovery.intake.sql import id_text, is_missing, plain_text
from discovery.spec import EventsSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the rows of the events are read.

    Attributes
    ----------
    table : Table
        The events with their columns recognised.
    layout : Layout
        What the export tells.
    spec : EventsSpec
        What is asked.
    properties : tuple of str
        The columns of the properties that are asked for.
    traits : tuple of str
        Columns that say something of the account, kept as they are: `trait_0`, `trait_1`, ...
    told : tuple of str
        Columns from which the layout tells of users and accounts: `told_0`, `told_1`, ...
    by_id : bool
        Whether the id of the row is kept, for duplicates to be told by.
    """

    table: Table
    layout: Layout
    spec: EventsSpec
    properties: tuple[str, ...] = ()
    traits: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    by_id: bool = False

    def fields(self) -> str:
        """Return the select list."""
        table, roles = self.table, self.table.roles
        time = replace(table.clock(roles["time"]), wall_numbers=self.layout.wall_numbers)
        micros = time.micros(self.spec.timezone)
        spelled, user = plain_text(roles["event"]), self._id("user")
        over = why_passed_over(self.layout.passed_over, spelled, user, self.spec)
        found = [
            f"{self._id('account')} AS account_id",
            f"{renamed(spelled, self.spec.aliases)} AS event",
            f"{user} AS user_id",
            f"{micros} AS t",
            f"{self._unread(micros)} AS unread",
            f"{over} AS passed_over",
        ]
        if self.spec.aliases:
            found.append(f"{other_spelling(spelled, self.spec.aliases)} AS spelling")
        if "creator" in roles:
            found.append(f"{self._id('creator')} AS creator_id")
        found += [
            f"{table.clock(roles[role]).micros(self.spec.timezone)} AS {role}"
            for role in ("sent", "received")
            if role in roles
        ]
        found += properties.fields(table, self.properties)
        found += [f"{quoted(column)} AS trait_{i}" for i, column in enumerate(self.traits)]
        found += [f"{quoted(column)} AS told_{i}" for i, column in enumerate(self.told)]
        if self.by_id:
            found.append(f"{plain_text(roles['id'])} AS row_id")
        return ", ".join(found)

    @property
    def further(self) -> tuple[str, ...]:
        """The typed columns beyond those that say who did what and when."""
        roles = self.table.roles
        found = ["spelling"] if self.spec.aliases else []
        found += ["creator_id"] if "creator" in roles else []
        found += [role for role in ("sent", "received") if role in roles]
        found += [f"property_{i}" for i in range(len(self.properties))]
        return (*found, *(f"trait_{i}" for i in range(len(self.traits))))

    @property
    def handed_on(self) -> tuple[str, ...]:
        """The columns of the usable events."""
        creator = ("creator_id",) if "creator" in self.table.roles else ()
        asked = [name for i in range(len(self.properties)) for name in (f"property_{i}", f"number_{i}")]
        return ("account_id", "event", "user_id", "t", *creator, *asked)

    def _unread(self, micros: str) -> str:
        """Return the expression for a time as written that could not be read."""
        column = self.table.roles["time"]
        text = f"CAST({quoted(column)} AS VARCHAR)"
        # Of what is a time by its type only NULL is missing; each row's words for it would take longest of all.
        words = "" if self.table.kind(column).startswith(("TIMESTAMP", "DATE")) else f" AND NOT {is_missing(column)}"
        return f"CASE WHEN {micros} IS NULL{words} THEN {text} END"

    def _id(self, role: str) -> str:
        column = self.table.roles.get(role)
        return id_text(column, self.table.kind(column)) if column else "CAST(NULL AS VARCHAR)"
