"""One SELECT over raw tables: when every account reached a milestone, in the SQL of any known engine.

It does what the intake does to the rows, then asks the query of the milestone itself: zones, blank identifiers,
repeated rows and accounts, internal accounts, windows that are half-open to the microsecond.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp
from sqlglot.errors import SqlglotError

from discovery.errors import InputError
from discovery.exposure.acts import EventColumns
from discovery.exposure.dialects import Dialect, dialect_named
from discovery.exposure.query import aliased, column, identifier, named
from discovery.exposure.raw_tables import RawTables
from discovery.exposure.reach import reached_query
from discovery.exposure.readings import (
    FIRST_US,
    LAST_US,
    id_read,
    mark_read,
    number_read,
    property_read,
    text_read,
    time_read,
)
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
    reached = reached_query(_EVENTS, _ACCOUNTS, milestone, observation_us, held)
    query = (
        _answer(tables, chosen)
        .with_(identifier(_TYPED_EVENTS), as_=_typed_events(tables, chosen))
        .with_(identifier(_EVENTS), as_=_kept_events(tables, milestone, chosen))
        .with_(identifier(_TYPED_ACCOUNTS), as_=_typed_accounts(tables, chosen))
        .with_(identifier(_ACCOUNTS), as_=_kept_accounts(tables))
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
    table = _table(name, dialect)
    return table.catalog, table.db, table.name


def _table(name: str, dialect: str) -> exp.Table:
    """Return a table by its name; what is no plain or dotted name is one quoted identifier."""
    try:
        table = exp.to_table(name.strip(), dialect=dialect)
    except (SqlglotError, ValueError):
        table = None
    if not isinstance(table, exp.Table) or not table.name:
        raise InputError(
            f"{name!r} does not read as the name of a table. Write it as in events or analytics.events."
        ) from None
    for part in table.walk():
        part.comments = None
    return table


def _typed_events(tables: RawTables, dialect: Dialect) -> exp.Select:
    side = "e"
    user = id_read(tables.event_user, side, dialect) if tables.event_user else None
    time = time_read(tables.event_time, side, tables.timezone, dialect, on_wall=tables.dates_only)
    columns = [
        _raw(id_read(tables.event_account, side, dialect), "account_id"),
        _raw(text_read(tables.event_name, side, dialect), "event"),
        _raw(user, "user_id") if user else named(exp.cast(exp.null(), exp.DataType.Type.TEXT), "user_id"),
        _raw(time, "t"),
    ]
    if tables.event_creator:
        columns.append(_raw(id_read(tables.event_creator, side, dialect), "creator_id"))
    for i, each in enumerate(tables.properties):
        columns.append(_raw(property_read(each, side, dialect), f"property_{i}"))
        columns.append(_raw(number_read(each, side, dialect), f"number_{i}"))
    if _by_id(tables):
        columns.append(_raw(text_read(str(tables.event_id), side, dialect), "row_id"))
    return exp.select(*columns).from_(_aliased_bare(tables.events, side, dialect))


def _kept_events(tables: RawTables, milestone: Milestone, dialect: Dialect) -> exp.Select:
    """Build the usable rows, repeated ones once: `account_id, event, user_id, t` and what conditions test."""
    same = ("account_id", "event", "user_id", "t")
    tested = _tested(tables)
    columns = [column(name) for name in (*same, *tested)]
    usable = exp.and_(_filled("account_id"), _filled("event"), _readable("t"))
    # Who came first is told from all events, not only those asked for.
    by_other = BY_OTHER in milestone.properties and tables.event_creator is None
    asked = [] if by_other else [column("event").isin(*map(exp.Literal.string, milestone.events))]
    rows = exp.select(*columns).from_(aliased(_TYPED_EVENTS, "r")).where(usable)
    if not _by_id(tables) and (tables.duplicates != "exact" or not tested):
        rows = rows.where(*asked) if asked else rows
        return rows.distinct() if tables.duplicates == "exact" else rows
    alike, order = list(same), _in_order(tested, dialect)
    if _by_id(tables):
        rows = rows.select(column("row_id"))
        alike, order = ["row_id"], [column("t"), *_in_order(same[:3], dialect), *order]
    # The row that counts among those that are alike is chosen before the events asked for are.
    copy = exp.Window(
        this=exp.RowNumber(),
        partition_by=[column(name) for name in alike],
        order=exp.Order(expressions=[_ordered(key) for key in order]),
    )
    once: exp.Condition = column("copy").eq(exp.Literal.number(1))
    if _by_id(tables):
        once = exp.or_(once, column("row_id").is_(exp.null()))
    numbered = rows.select(named(copy, "copy")).subquery(identifier("numbered"))
    return exp.select(*columns).from_(numbered).where(once, *asked)


def _tested(tables: RawTables) -> tuple[str, ...]:
    """Return the typed columns that conditions on properties read."""
    creator = ("creator_id",) if tables.event_creator else ()
    held = (name for i in range(len(tables.properties)) for name in (f"property_{i}", f"number_{i}"))
    return (*creator, *held)


def _in_order(names: Sequence[str], dialect: Dialect) -> list[exp.Expression]:
    """Return the keys that order rows by columns of text, by their bytes, missing ones last."""
    keys: list[exp.Expression] = []
    for name in names:
        if name.startswith("number_"):  # it is told by the text
            continue
        by_bytes = dialect.bytewise.format(x=column(name).sql(dialect=dialect.name))
        missing = exp.Case().when(_filled(name), exp.Literal.number(0)).else_(exp.Literal.number(1))
        keys += [missing, exp.Var(this=by_bytes)]
    return keys


def _typed_accounts(tables: RawTables, dialect: Dialect) -> exp.Select:
    side = "a"
    signup = time_read(tables.signup, side, tables.timezone, dialect, on_wall=tables.dates_only)
    columns = [_raw(id_read(tables.account, side, dialect), "account_id"), _raw(signup, "signed_up")]
    if tables.exclude:
        mark = mark_read(tables.exclude, side, dialect, is_boolean=tables.exclude_is_boolean)
        columns.append(_raw(mark, "excluded"))
    return exp.select(*columns).from_(_aliased_bare(tables.accounts, side, dialect))


def _kept_accounts(tables: RawTables) -> exp.Select:
    """Build `account, account_id, signup`: one row per account, its earliest signup; none without one."""
    usable = exp.and_(_filled("account_id"), _readable("signed_up"))
    rows = exp.Select().from_(aliased(_TYPED_ACCOUNTS, "r")).where(usable)
    if not tables.exclude:
        first = exp.Min(this=column("signed_up"))
        grouped = rows.select(column("account_id"), named(first, "first")).group_by(column("account_id"))
    else:
        # Of an account in several rows, the first to sign up says whether it is internal.
        order = exp.Order(expressions=[_ordered(column("signed_up")), _ordered(column("excluded"))])
        place = exp.Window(this=exp.RowNumber(), partition_by=[column("account_id")], order=order)
        numbered = rows.select(
            column("account_id"), named(column("signed_up"), "first"), column("excluded"), named(place, "place")
        )
        grouped = (
            exp.select(column("account_id"), column("first"))
            .from_(numbered.subquery(identifier("numbered")))
            .where(column("place").eq(exp.Literal.number(1)), column("excluded").eq(exp.Literal.number(0)))
        )
    signup = _day_begun(column("first")) if tables.dates_only else column("first")
    return exp.select(named(column("account_id"), "account"), column("account_id"), named(signup, "signup")).from_(
        grouped.subquery(identifier("signups"))
    )


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


def _day_begun(count: exp.Column) -> exp.Sub:
    """Return the start of the day of a count; readable ones are never negative."""
    return exp.Sub(this=count, expression=exp.Mod(this=count.copy(), expression=exp.Literal.number(Day)))


def _by_id(tables: RawTables) -> bool:
    return tables.duplicates == "by_id" and tables.event_id is not None


def _aliased_bare(table: str, alias: str, dialect: Dialect) -> exp.Table:
    found = _table(table, dialect.name)
    found.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
    return found


def _raw(text: str, name: str) -> exp.Alias:
    return named(exp.Var(this=text), name)


def _ordered(key: exp.Expression) -> exp.Ordered:
    return exp.Ordered(this=key, nulls_first=False)


def _filled(name: str) -> exp.Not:
    return column(name).is_(exp.null()).not_()


def _readable(name: str) -> exp.Between:
    return column(name).between(exp.Literal.number(FIRST_US), exp.Literal.number(LAST_US))
