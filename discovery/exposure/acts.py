"""Rows that meet tests of their properties: filtered, or under the name of the act they are.

An act is an event with tests of its properties, as in `report_shared[channel = "email"]`. Whatever asks about
acts asks one of the relations made here, which have the columns of every events table and no others.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlglot import exp

from discovery.engines import Engine
from discovery.engines.expressions import Relation, aliased, column, identifier, named
from discovery.errors import InputError
from discovery.milestone import BY_OTHER, Condition, PropertyTest, Scalar

_KEPT = ("account_id", "event", "user_id", "t")
_CALLED_LIKE_AN_ACT = ""  # no event of the log has an empty name
_COMPARED: dict[str, type[exp.Binary]] = {
    "=": exp.EQ,
    "!=": exp.NEQ,
    "<": exp.LT,
    "<=": exp.LTE,
    ">": exp.GT,
    ">=": exp.GTE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventColumns:
    """What an events table holds beyond account, event, user and time.

    Attributes
    ----------
    properties : tuple of str
        Names of properties: the text of `properties[i]` is `property_i`, its number, where it reads as one, `number_i`.
    has_creator : bool
        Whether there is `creator_id`, the user who made the object an event is about.
    log_start : int or None
        The moment before which rows do not say who an account's first user is, in microseconds since 1970; None: all
        do.
    bytewise : str
        Text `{x}` as it is ordered by its bytes, where its plain order is another one; `dialect` writes it.
    dialect : str
        SQLGlot's name of the dialect of `bytewise`.
    """

    properties: tuple[str, ...] = ()
    has_creator: bool = False
    log_start: int | None = None
    bytewise: str = "{x}"
    dialect: str = ""

    def place(self, name: str) -> int:
        """Return the number of a property's columns.

        Raises
        ------
        InputError
            If the property is not among the columns.
        """
        if name in self.properties:
            return self.properties.index(name)
        near = difflib.get_close_matches(name, self.properties, n=3)
        known = f"the nearest that were read are {', '.join(map(repr, near))}" if near else "name it when reading them"
        raise InputError(f"The property {name!r} was not read from the events; {known}.")

    def ordered(self, text: exp.Column) -> exp.Expression:
        """Return text as it is ordered by its bytes."""
        if self.bytewise == "{x}":
            return text
        return exp.Var(this=self.bytewise.format(x=text.sql(dialect=self.dialect)))


PLAIN = EventColumns()
"""An events table without properties."""


def rows_of(events_table: Relation, condition: Condition, columns: EventColumns) -> Relation:
    """Return the relation that a condition counts in: the table itself, or its rows that meet the tests.

    Raises
    ------
    InputError
        If a property that is tested is not among the columns.
    """
    if not condition.where:
        return events_table
    asks_users = any(test.name == BY_OTHER for test in condition.where)
    rows = _source(events_table, columns, with_first=asks_users).select(*(column(name, "e") for name in _KEPT))
    return rows.where(_is(condition.event), *(_meets(test, columns) for test in condition.where))


def never_met(
    engine: Engine, events_table: Relation, acts: Iterable[Condition], columns: EventColumns
) -> tuple[Condition, ...]:
    """Return those acts that no row of the whole log is, sorted."""
    asked = sorted({act.act for act in acts}, key=lambda act: act.act_name)
    return tuple(act for act in asked if not engine.rows(_any_row(rows_of(events_table, act, columns), engine.dialect)))


def _any_row(rows: Relation, dialect: str) -> str:
    found = exp.select(column("account_id", "r")).from_(aliased(rows, "r")).limit(1)
    return found.sql(dialect=dialect)


def acts_table(events_table: Relation, acts: Iterable[Condition], columns: EventColumns) -> exp.Select | None:
    """Build the rows that meet the tests of any act, once for each of them, under its name; None without tests.

    Acts of one test of the same kind are told apart by a join with a list of them, so that thousands cost one pass
    over the events for each property and operator.
    """
    tested = sorted({act.act for act in acts if act.where}, key=lambda act: (_kind(act), act.act_name))
    selects: list[exp.Query] = []
    for kind, group in groupby(tested, key=_kind):
        alike = list(group)
        if kind and len(alike) > 1:
            selects.append(_listed(events_table, alike, columns))
        else:
            selects += [_renamed(events_table, act, columns) for act in alike]
    if not selects:
        return None
    return exp.select(*map(column, _KEPT)).from_(_stacked(selects).subquery(identifier("acts")))


def with_acts(events_table: Relation, acts: Sequence[Condition], columns: EventColumns) -> Relation:
    """Return the events and, below them, the rows of the acts under their names; the table itself without tests.

    An event that is called like an act, `a[b = 1]`, is not counted with it: it is here under another name.
    """
    added = acts_table(events_table, acts, columns)
    if added is None:
        return events_table
    names = sorted({act.act_name for act in acts if act.where})
    event = column("event", "e")
    another = exp.Case().when(event.isin(*map(exp.Literal.string, names)), exp.Literal.string(_CALLED_LIKE_AN_ACT))
    called = {"event": named(another.else_(event.copy()), "event")}
    plain = exp.select(*(called.get(name, column(name, "e")) for name in _KEPT)).from_(aliased(events_table, "e"))
    both = exp.union(plain, added, distinct=False)
    return exp.select(*map(column, _KEPT)).from_(both.subquery(identifier("rows_and_acts")))


def first_users(events_table: Relation, columns: EventColumns) -> exp.Select:
    """Build `account_id, first_user`: the user of an account's earliest row with one; of several the smallest id.

    Rows before the log's start are strays. Those at its end need no bound: no earlier row is compared with them.
    """
    named_user: exp.Condition = column("user_id", "e").is_(exp.null()).not_()
    if columns.log_start is not None:
        named_user = exp.and_(named_user, column("t", "e") >= exp.Literal.number(columns.log_start))
    began = (
        exp.select(column("account_id", "e"), named(exp.Min(this=column("t", "e")), "began"))
        .from_(aliased(events_table, "e"))
        .where(named_user)
        .group_by(column("account_id", "e"))
    )
    same = exp.and_(column("account_id", "e").eq(column("account_id", "b")), column("t", "e").eq(column("began", "b")))
    smallest = exp.Min(this=columns.ordered(column("user_id", "e")))
    return (
        exp.select(column("account_id", "e"), named(smallest, "first_user"))
        .from_(aliased(events_table, "e"))
        .join(began.subquery(identifier("b")), on=same)
        .where(named_user.copy())
        .group_by(column("account_id", "e"))
    )


def compared(test: PropertyTest, columns: EventColumns) -> tuple[exp.Expression, bool]:
    """Return the column that a test of one value compares, and whether it is that of numbers."""
    place = columns.place(test.name)
    by_number = _is_number(test.values[0])
    return column(f"number_{place}" if by_number else f"property_{place}", "e"), by_number


def scalar(value: Scalar) -> exp.Expression:
    """Return a value as a literal: text, with true and false among it, or double precision."""
    if isinstance(value, str):
        return exp.Literal.string(value)
    if isinstance(value, bool):
        return exp.Literal.string(str(value).lower())
    return exp.cast(exp.Literal.number(repr(float(value))), exp.DataType.Type.DOUBLE)


def _source(events_table: Relation, columns: EventColumns, *, with_first: bool) -> exp.Select:
    """Build a SELECT without columns over the events `e`, each beside its account's first user where that is asked.

    Rows of accounts without any user have no first one; they meet no test of it.
    """
    rows = exp.Select().from_(aliased(events_table, "e"))
    if not with_first or columns.has_creator:
        return rows
    same = column("account_id", "e").eq(column("account_id", "f"))
    return rows.join(first_users(events_table, columns).subquery(identifier("f")), on=same)


def _meets(test: PropertyTest, columns: EventColumns) -> exp.Binary | exp.Paren:
    if test.name == BY_OTHER:
        other = column("creator_id", "e") if columns.has_creator else column("first_user", "f")
        differs = exp.NEQ if test.value else exp.EQ
        return differs(this=columns.ordered(column("user_id", "e")), expression=columns.ordered(other))
    if test.operator != "in":
        asked, _ = compared(test, columns)
        return _COMPARED[test.operator](this=asked, expression=scalar(test.values[0]))
    place = columns.place(test.name)
    texts = [scalar(value) for value in test.values if not _is_number(value)]
    numbers = [scalar(value) for value in test.values if _is_number(value)]
    either = [column(f"property_{place}", "e").isin(*texts)] if texts else []
    either += [column(f"number_{place}", "e").isin(*numbers)] if numbers else []
    return exp.Paren(this=exp.or_(*either))


def _is(event: str) -> exp.EQ:
    return column("event", "e").eq(exp.Literal.string(event))


def _is_number(value: Scalar) -> bool:
    return not isinstance(value, str | bool)


def _kind(act: Condition) -> tuple[str, ...]:
    """Return what acts must share to be told apart by one join; empty where one cannot."""
    if len(act.where) != 1 or act.where[0].operator == "in":
        return ()
    test = act.where[0]
    if test.name == BY_OTHER:
        return (test.name, str(test.value))
    return (test.name, test.operator, "number" if _is_number(test.values[0]) else "text")


def _renamed(events_table: Relation, act: Condition, columns: EventColumns) -> exp.Select:
    rows = rows_of(events_table, act, columns)
    name = named(exp.Literal.string(act.act_name), "event")
    return exp.select(column("account_id", "r"), name, column("user_id", "r"), column("t", "r")).from_(
        aliased(rows, "r")
    )


def _listed(events_table: Relation, acts: Sequence[Condition], columns: EventColumns) -> exp.Select:
    """Build the rows of acts whose tests differ in event and value alone."""
    test = acts[0].where[0]
    lines = [
        exp.select(
            named(exp.Literal.string(act.event), "of_event"),
            named(exp.Literal.string(act.act_name), "act"),
            named(scalar(act.where[0].values[0]), "asked"),
        )
        for act in acts
    ]
    met: exp.Binary | exp.Paren
    if test.name == BY_OTHER:
        met = _meets(test, columns)
    else:
        met = _COMPARED[test.operator](this=compared(test, columns)[0], expression=column("asked", "l"))
    same = column("event", "e").eq(column("of_event", "l"))
    return (
        _source(events_table, columns, with_first=test.name == BY_OTHER)
        .select(column("account_id", "e"), named(column("act", "l"), "event"), column("user_id", "e"), column("t", "e"))
        .join(_stacked(lines).subquery(identifier("l")), on=exp.and_(same, met))
    )


def _stacked(selects: Sequence[exp.Query]) -> exp.Query:
    """Stack SELECTs, halves first: thousands in a row would nest too deeply."""
    if len(selects) == 1:
        return selects[0]
    half = len(selects) // 2
    return exp.union(_stacked(selects[:half]), _stacked(selects[half:]), distinct=False, copy=False)
