"""Where the events lie: an engine, and the table or query in it."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from discovery.engines import Engine, open_engine
from discovery.engines.expressions import identifier
from discovery.engines.typed_rows import table_named
from discovery.errors import DiscoveryError, EngineError, InputError, SourceError
from discovery.intake.addresses import masked, without_secrets
from discovery.intake.databases import Part
from discovery.spec.secrets import holds_secret

GIVEN = "given_rows"
"""What a query of the user's is called in others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A table or a query of an engine.

    Attributes
    ----------
    engine : Engine
        What answers queries.
    address : str
        As the spec gives it; it holds no password.
    part : Part
        The table or the query.
    columns : dict
        Names of columns, and the engine's names of their types.
    label : str
        What messages call it.
    """

    engine: Engine
    address: str
    part: Part
    columns: dict[str, str]
    label: str

    @property
    def name(self) -> str:
        """The table as SQL names it; for a query, what it is called by `within`."""
        return self.part.table or GIVEN

    def within(self, select: exp.Select) -> exp.Select:
        """Return a SELECT over `name` such that it can be asked."""
        if not self.part.sql:
            return select
        return select.with_(identifier(GIVEN), as_=_parsed(self.part.sql, self.engine.dialect))

    def table(self, select: exp.Select) -> pa.Table:
        """Return the answer of a SELECT over `name`."""
        batches = list(self.engine.batches(self.within(select).sql(dialect=self.engine.dialect)))
        return pa.Table.from_batches(batches) if batches else pa.table({})


def opened_place(address: str, part: Part, role: str, held: Place | None = None) -> Place:
    """Reach a table or a query by the address of its database.

    Parameters
    ----------
    address
        As in postgresql://db.example.com/crm.
    part
        The table or the query.
    role
        "events", "accounts", "users" or "persons", for messages.
    held
        A place whose engine serves, where it has the same address.

    Raises
    ------
    SourceError
        If there is no such table, none is named, or the address holds a password.
    EngineError
        If the database cannot be reached.
    """
    shown = without_secrets(address)
    if holds_secret(address):
        raise SourceError(
            f"The address of the {role} holds a password or token ({shown}). Give it in the environment (PGPASSWORD) "
            "or in the driver's own profile (~/.pgpass, a service file), and leave it out of the address."
        )
    if not part:
        raise SourceError(
            f"The {role} are in a database ({shown}), and neither a table nor a query of it is named. Name one: "
            f"--set {_section(role)}.table=SCHEMA.TABLE."
        )
    label = f"the table {part.table} of {shown}" if part.table else f"the answer of {_section(role)}.sql at {shown}"
    same = held is not None and held.address == address
    engine = held.engine if held is not None and same else open_engine(address)
    try:
        columns = engine.columns(_relation(part, engine.dialect, role))
        if not columns:
            raise SourceError(f"{_capital(label)} has no columns. Check which one is meant.")
        return Place(engine=engine, address=address, part=part, columns=columns, label=label)
    except DiscoveryError as error:
        if not same:
            engine.close()
        if isinstance(error, EngineError):
            raise SourceError(
                f"{_capital(label)} (the {role}) cannot be read: {masked(str(error))} Check its name, and that you "
                "may read it."
            ) from error
        raise


def _relation(part: Part, dialect: str, role: str) -> str:
    try:
        if part.table:
            return table_named(part.table, dialect).sql(dialect=dialect)
        return f"({_parsed(part.sql, dialect).sql(dialect=dialect)})"
    except InputError as error:
        raise SourceError(f"{_section(role)}: {error}") from error


def _parsed(sql: str, dialect: str) -> exp.Query:
    """Return a query of the user's own.

    Raises
    ------
    SourceError
        If it is no single SELECT.
    """
    try:
        found = [each for each in sqlglot.parse(sql, read=dialect) if each is not None]
    except SqlglotError:
        found = []
    changes = (exp.DML, exp.DDL, exp.Command, exp.Into)
    if len(found) != 1 or not isinstance(found[0], exp.Query) or found[0].find(*changes):
        raise SourceError("The query is no single SELECT that reads as SQL of this database. Mend it, or make a view.")
    return found[0]


def _section(role: str) -> str:
    return role if role in ("events", "accounts") else "identity"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
