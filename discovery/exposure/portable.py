"""One SELECT over raw tables: when every account reached a milestone, in the SQL of any known engine.

It does what the intake does to the rows, then asks the query of the milestone itself: zones, blank identifiers,
repeated rows and accounts, internal accounts, windows that are half-open to the microsecond.
"""

from __future__ import annotations

from sqlglot import exp

from discovery.engines.dialects import Dialect, dialect_named
from discovery.engines.expressions import aliased, column, identifier
from discovery.engines.raw_tables import RawTables
from discovery.engines.readings import id_read
from discovery.engines.typed_rows import account_rows, event_rows, kept_accounts, kept_rows, table_named
from discovery.exposure.acts import EventColumns
from discovery.exposure.reach import reached_query
from discovery.milestone import BY_OTHER, Milestone
from discovery.spec import Day

_TYPED_EVENTS, _EVENTS = "typed_events", "milestone_events"
_TYPED_ACCOUNTS, _ACCOUNTS = "typed_accounts", "milestone_accounts"
_REACHED = "milestone_reached"


def milestone_sql(tables: RawTables, milestone: Milestone, observation_us: int, dialect: str) -> str:
    """Write the SELECT of when every account reached a milestone.

    Parameters
    ----------
    tables : RawTables
        The tables and what their columns hold.
    milestone : Milestone
        Conditions with windows no longer than the observation; none means the observation window.
    observation_us : int
        The observation window in microseconds.
    dialect : str
        Name of the dialect, a key of `DIALECTS`.

    Returns
    -------
    str
        SQL with the columns `account_id` (text), `reached_at` (an instant; a date where times are dates) and
        `days_since_signup` (double precision): one row per account that reached it, internal accounts left out.

    Raises
    ------
    InputError
        If the dialect is not known, a table's name cannot be read, a window outlasts the observation, or a property
        that is tested is not among the columns.
    """
    chosen = dialect_named(dialect)
    held = EventColumns(
        properties=tuple(each.name for each in tables.properties),
        has_creator=tables.event_creator is not None,
        bytewise=chosen.bytewise,
        dialect=chosen.name,
    )
    # Who came first is told from all events, not only those asked for.
    by_other = BY_OTHER in milestone.properties and tables.event_creator is None
    asked = () if by_other else milestone.events
    reached = reached_query(_EVENTS, _ACCOUNTS, milestone, observation_us, held)
    query = (
        _answer(tables, chosen)
        .with_(identifier(_TYPED_EVENTS), as_=event_rows(tables, chosen))
        .with_(identifier(_EVENTS), as_=kept_rows(tables, chosen, _TYPED_EVENTS, asked))
        .with_(identifier(_TYPED_ACCOUNTS), as_=account_rows(tables, chosen))
        .with_(identifier(_ACCOUNTS), as_=kept_accounts(tables, _TYPED_ACCOUNTS))
        .with_(identifier(_REACHED), as_=reached)
    )
    text: str = query.sql(dialect=chosen.name, pretty=True)
    return text


def account_text(tables: RawTables, dialect: str) -> str:
    """Return the expression of the accounts' own identifier as text, over the accounts alone."""
    return id_read(tables.account, "", dialect_named(dialect))


def table_parts(name: str, dialect: str) -> tuple[str, str, str]:
    """Return the catalog, schema and name of a table as written; empty where it names none.

    Raises
    ------
    InputError
        If it is no name of a table.
    """
    table = table_named(name, dialect)
    return table.catalog, table.db, table.name


def _answer(tables: RawTables, dialect: Dialect) -> exp.Select:
    signup, lag = (column(*of).sql(dialect=dialect.name) for of in (("signup", "a"), ("reached", "r")))
    count = f"{signup} + {lag}"
    moment = (
        dialect.day.format(x=dialect.quotient.format(x=count, n=Day))
        if tables.dates_only
        else dialect.moment.format(x=count)
    )
    return (
        exp.select(
            exp.alias_(column("account_id", "a"), "account_id"),
            exp.alias_(exp.Var(this=moment), "reached_at"),
            exp.alias_(exp.Var(this=dialect.days.format(x=lag)), "days_since_signup"),
        )
        .from_(aliased(_REACHED, "r"))
        .join(aliased(_ACCOUNTS, "a"), on=column("account", "r").eq(column("account", "a")))
    )
