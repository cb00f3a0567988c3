"""Tables as their owner keeps them, read as typed rows in the SQL of any known engine.

It does to the rows what reading a file does: zones, blank identifiers, other spellings, rows that are passed over,
repeated rows and accounts, internal accounts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp
from sqlglot.errors import SqlglotError

from discovery.engines.dialects import Dialect, dialect_named
from discovery.engines.expressions import Relation, aliased, column, identifier, named
from discovery.engines.raw_tables import RawTables
from discovery.engines.readings import (
    FIRST_US,
    LAST_US,
    id_read,
    mark_read,
    number_read,
    property_read,
    text_read,
    time_read,
)
from discovery.errors import InputError
from discovery.spec import Day

SAME = ("account_id", "event", "user_id", "t")
"""The columns of every row; rows with the same values in all four repeat each other."""

_ANYTHING = "([^a]|a)*"  # a dot is no line break
_PLAIN_IN_PATTERNS = re.compile(r"[^\[\]^\\'{}]*")
_SPECIAL = re.compile(r"[.+?()|$]")


def table_named(name: str, dialect: str) -> exp.Table:
    """Return a table by its name; what is no plain or dotted name is one quoted identifier.

    Raises
    ------
    InputError
        If it is no name of a table.
    """
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


def typed_events(tables: RawTables, dialect: str) -> exp.Select:
    """Build the events as a study reads them, from the table as it is.

    Parameters
    ----------
    tables : RawTables
        The table and what its columns hold.
    dialect : str
        Name of the dialect, a key of `DIALECTS`.

    Returns
    -------
    sqlglot.exp.Select
        `account_id`, `event`, `user_id` (text), `t` (microseconds since 1970), and where the table has them
        `creator_id` and for `properties[i]` `property_i` and `number_i`: usable rows, repeated ones once.
    """
    return kept_rows(tables, dialect_named(dialect), event_rows(tables, dialect_named(dialect)))


def event_rows(tables: RawTables, dialect: Dialect) -> exp.Select:
    """Build every row of the events, typed: as `typed_events`, and what says which rows are kept."""
    side = "e"
    user = id_read(tables.event_user, side, dialect) if tables.event_user else None
    time = time_read(tables.event_time, side, tables.timezone, dialect, on_wall=tables.dates_only)
    spelled = text_read(tables.event_name, side, dialect)
    event = _renamed(spelled, tables, dialect)
    columns = [
        _raw(id_read(tables.event_account, side, dialect), "account_id"),
        _raw(event, "event"),
        _raw(user, "user_id") if user else named(exp.cast(exp.null(), exp.DataType.Type.TEXT), "user_id"),
        _raw(time, "t"),
    ]
    if tables.event_creator:
        columns.append(_raw(id_read(tables.event_creator, side, dialect), "creator_id"))
    for i, each in enumerate(tables.properties):
        columns.append(_raw(property_read(each, side, dialect), f"property_{i}"))
        columns.append(_raw(number_read(each, side, dialect), f"number_{i}"))
    if by_id(tables):
        columns.append(_raw(text_read(str(tables.event_id), side, dialect), "row_id"))
    if tables.leave_out or (tables.leave_out_users and user):
        columns.append(_raw(_passed_over({spelled, event}, user, tables, dialect), "passed_over"))
    return exp.select(*columns).from_(_aliased_bare(tables.events, side, dialect))


def kept_rows(tables: RawTables, dialect: Dialect, rows_of: Relation, asked: Sequence[str] = ()) -> exp.Select:
    """Build the usable rows among those of `event_rows`, repeated ones once.

    Parameters
    ----------
    tables, dialect
        As in `typed_events`.
    rows_of
        What `event_rows` builds, or the name it has in the query.
    asked
        Events to keep alone, once it is known which rows count; without any all are kept.
    """
    tested = _tested(tables)
    columns = [column(name) for name in (*SAME, *tested)]
    usable: exp.Condition = exp.and_(_filled("account_id"), _filled("event"), _readable("t"))
    if tables.leave_out or (tables.leave_out_users and tables.event_user):
        usable = exp.and_(usable, column("passed_over").eq(exp.Literal.number(0)))
    named_events = [column("event").isin(*map(exp.Literal.string, asked))] if asked else []
    rows = exp.select(*columns).from_(aliased(rows_of, "r")).where(usable)
    if not by_id(tables) and (tables.duplicates != "exact" or not tested):
        rows = rows.where(*named_events) if named_events else rows
        return rows.distinct() if tables.duplicates == "exact" else rows
    alike, order = list(SAME), _in_order(tested, dialect)
    if by_id(tables):
        rows = rows.select(column("row_id"))
        alike, order = ["row_id"], [column("t"), *_in_order(SAME[:3], dialect), *order]
    # The row that counts among those that are alike is chosen before the events asked for are.
    copy = exp.Window(
        this=exp.RowNumber(),
        partition_by=[column(name) for name in alike],
        order=exp.Order(expressions=[_ordered(key) for key in order]),
    )
    once: exp.Condition = column("copy").eq(exp.Literal.number(1))
    if by_id(tables):
        once = exp.or_(once, column("row_id").is_(exp.null()))
    numbered = rows.select(named(copy, "copy")).subquery(identifier("numbered"))
    return exp.select(*columns).from_(numbered).where(once, *named_events)


def _tested(tables: RawTables) -> tuple[str, ...]:
    """Return the typed columns that conditions on properties read."""
    creator = ("creator_id",) if tables.event_creator else ()
    held = (name for i in range(len(tables.properties)) for name in (f"property_{i}", f"number_{i}"))
    return (*creator, *held)


def account_rows(tables: RawTables, dialect: Dialect) -> exp.Select:
    """Build every row of the accounts, typed: `account_id`, `signed_up`, and `excluded` where it is marked."""
    side = "a"
    signup = time_read(tables.signup, side, tables.timezone, dialect, on_wall=tables.dates_only)
    columns = [_raw(id_read(tables.account, side, dialect), "account_id"), _raw(signup, "signed_up")]
    if tables.exclude:
        mark = mark_read(tables.exclude, side, dialect, is_boolean=tables.exclude_is_boolean)
        columns.append(_raw(mark, "excluded"))
    return exp.select(*columns).from_(_aliased_bare(tables.accounts, side, dialect))


def kept_accounts(tables: RawTables, rows_of: Relation, *, internal: bool = False) -> exp.Select:
    """Build `account, account_id, signup`: one row per account, its earliest signup; `internal` ones where asked."""
    usable = exp.and_(_filled("account_id"), _readable("signed_up"))
    rows = exp.Select().from_(aliased(rows_of, "r")).where(usable)
    if not tables.exclude or internal:
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


def by_id(tables: RawTables) -> bool:
    """Say whether rows with the same id count once."""
    return tables.duplicates == "by_id" and tables.event_id is not None


def _renamed(spelled: str, tables: RawTables, dialect: Dialect) -> str:
    """Return the expression of an event's name: its own, or the one that it is another spelling of."""
    if not tables.aliases:
        return spelled
    cases = " ".join(f"WHEN {_text(old, dialect)} THEN {_text(new, dialect)}" for old, new in tables.aliases.items())
    return f"CASE {spelled} {cases} ELSE {spelled} END"


def _passed_over(events: set[str], user: str | None, tables: RawTables, dialect: Dialect) -> str:
    """Return the expression of whether a row is left out, by its name as spelled or renamed, or by its user."""
    parts = [_matches(event, tables.leave_out, dialect) for event in sorted(events) if tables.leave_out]
    parts += [_matches(user, tables.leave_out_users, dialect)] if user and tables.leave_out_users else []
    return f"CASE WHEN {' OR '.join(parts)} THEN 1 ELSE 0 END"


def _matches(x: str, patterns: Sequence[str], dialect: Dialect) -> str:
    """Return the condition that text is one of the patterns, in which only `*` stands for any text."""
    plain = [_text(pattern, dialect) for pattern in patterns if "*" not in pattern]
    parts = [f"{x} IN ({', '.join(plain)})"] if plain else []
    parts += [
        dialect.matches.format(x=x, pattern=f"^{_ANYTHING.join(map(_literally, _cut(pattern)))}$")
        for pattern in patterns
        if "*" in pattern
    ]
    return f"({' OR '.join(parts)})"


def _cut(pattern: str) -> list[str]:
    if not _PLAIN_IN_PATTERNS.fullmatch(pattern):
        raise InputError(
            f"{pattern!r} in leave_out holds a sign (one of [ ] ^ {{ }} \\ ') that no pattern reads alike in every "
            "SQL. Write the names out in full, or make a view without these rows."
        )
    return pattern.split("*")


def _literally(text: str) -> str:
    return _SPECIAL.sub(lambda sign: f"[{sign.group()}]", text)


def _text(text: str, dialect: Dialect) -> str:
    written: str = exp.Literal.string(text).sql(dialect=dialect.name)
    return written


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


def _day_begun(count: exp.Column) -> exp.Sub:
    """Return the start of the day of a count; readable ones are never negative."""
    return exp.Sub(this=count, expression=exp.Mod(this=count.copy(), expression=exp.Literal.number(Day)))


def _aliased_bare(table: str, alias: str, dialect: Dialect) -> exp.Table:
    found = table_named(table, dialect.name)
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
