"""What is asked about the events over there: a few aggregate queries, whose answers are all that comes here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlglot import exp

from discovery.engines import Engine
from discovery.engines.dialects import Dialect
from discovery.engines.expressions import Relation, aliased, column, counted, identifier, named
from discovery.engines.readings import FIRST_US, LAST_US
from discovery.intake.warehouse.rows import TypedEvents
from discovery.spec import Day

SECOND = 1_000_000
HOUR, MINUTE = Day // 24, Day // 1440

_CUBE = ("n", "users", "first", "last", "of_day", "off_midnight", "on_hour", "on_minute")
_LIVES = ("account", "n", "first", "last", "early", "almost", "at_leaving")


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How many rows there are, and what they lack; those passed over and blank ones are in no other count."""

    rows: int
    blank: int
    passed_over: int
    missing_account: int
    missing_event: int
    missing_time: int
    unreadable_time: int
    complete: int  # before repeated rows are dropped


@dataclass(frozen=True, eq=False)
class Cube:
    """The usable events by name and day; arrays of length N, times in microseconds since 1970.

    Attributes
    ----------
    event, day : arrays
        The name, and the start of the day.
    numbers : mapping
        Of each: rows `n`, those with a user, the first and last time, the sum of times since the day's start, and
        how many rows lie off midnight, on a whole hour and on a whole minute by the clock in the zone of the events.
    """

    event: NDArray[np.object_]
    day: NDArray[np.int64]
    numbers: dict[str, NDArray[np.int64]]

    def total(self, name: str) -> int:
        """Return the sum of one of the numbers."""
        return int(self.numbers[name].sum())

    @cached_property
    def names(self) -> dict[str, int]:
        """The rows of every event, most rows first."""
        counts: dict[str, int] = {}
        for event, n in zip(self.event, self.numbers["n"], strict=True):
            counts[str(event)] = counts.get(str(event), 0) + int(n)
        return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))

    def digest(self) -> str:
        """Return the SHA-256 of all that is here, in whatever order it came."""
        order = np.lexsort((self.day, self.event.astype(str)))
        held = [(str(self.event[i]), int(self.day[i]), *(int(self.numbers[k][i]) for k in _CUBE[:5])) for i in order]
        return hashlib.sha256(repr(held).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lives:
    """What is known of every account with events; arrays of length M.

    `account` is its position, `first` and `last` are times of its events, `early` counts those before its signup,
    `almost` those of them by less than a day, `at_leaving` those in the second in which it left.
    """

    account: NDArray[np.int64]
    n: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    early: NDArray[np.int64]
    almost: NDArray[np.int64]
    at_leaving: NDArray[np.int64]


def totals(events: TypedEvents) -> Totals:
    """Ask how many rows there are, and what they lack."""
    own: exp.Condition | None = column("passed_over").eq(exp.Literal.number(0)) if events.passes_over else None
    account, event, user = (_missing(name) for name in ("account_id", "event", "user_id"))
    readable = column("t").between(exp.Literal.number(FIRST_US), exp.Literal.number(LAST_US))
    filled = column("unread").eq(exp.Literal.number(1))
    # Of a missing time the comparison is neither true nor false.
    unread = exp.and_(filled, exp.or_(_missing("t"), readable.copy().not_()))
    asked = (
        exp.and_(account, event, user, filled.not_()),
        account,
        event,
        filled.not_(),
        unread,
        exp.and_(account.not_(), event.not_(), readable),
    )
    counts = [counted(condition if own is None else exp.and_(own.copy(), condition)) for condition in asked]
    over = counted(own.copy().not_()) if own is not None else exp.Literal.number(0)
    select = exp.select(exp.Count(this=exp.Star()), over, *counts).from_(aliased(events.every, "r"))
    rows, passed_over, blank, *lacking, complete = _numbers(events.place.engine, select)
    no_account, no_event, no_time, unreadable = lacking
    return Totals(
        rows=rows - blank,
        blank=blank,
        passed_over=passed_over,
        missing_account=no_account - blank,
        missing_event=no_event - blank,
        missing_time=no_time - blank,
        unreadable_time=unreadable,
        complete=complete,
    )


def cube(events: TypedEvents) -> Cube:
    """Ask how often every event happens on every day."""
    t = column("t")
    of_day = exp.Mod(this=t, expression=exp.Literal.number(Day))
    rows = exp.select(
        column("event"),
        column("user_id"),
        t.copy(),
        named(of_day, "of_day"),
        named(exp.Var(this=_on_the_wall(events)), "wall"),
    ).from_(aliased(events.usable, "r"))
    numbers: tuple[exp.Expression, ...] = (
        exp.Count(this=exp.Star()),
        exp.Count(this=column("user_id")),
        exp.Min(this=t.copy()),
        exp.Max(this=t.copy()),
        _whole(exp.Sum(this=column("of_day"))),
        counted(_over(Day).neq(exp.Literal.number(0))),
        counted(_over(HOUR).eq(exp.Literal.number(0))),
        counted(_over(MINUTE).eq(exp.Literal.number(0))),
    )
    day = exp.Sub(this=column("t"), expression=column("of_day"))
    cut = exp.select(exp.Star(), named(day, "day")).from_(rows.subquery(identifier("timed")))
    select = (
        exp.select(column("event"), column("day"), *map(named, numbers, _CUBE))
        .from_(cut.subquery(identifier("days")))
        .group_by(column("event"), column("day"))
    )
    found = _answer(events.place.engine, select, ("event", "day", *_CUBE))
    return Cube(
        np.array(found["event"], dtype=object),
        np.array(found["day"], dtype=np.int64),
        {name: np.array(found[name], dtype=np.int64) for name in _CUBE},
    )


def lives(events: TypedEvents, known: Relation) -> Lives:
    """Ask when the events of every known account are; `known` has `account, account_id, signup, churned`."""
    t, signup, churned = column("t", "e"), column("signup", "k"), column("churned", "k")
    numbers: tuple[exp.Expression, ...] = (
        exp.Count(this=exp.Star()),
        exp.Min(this=t),
        exp.Max(this=t.copy()),
        counted(t < signup),
        counted(exp.and_(t < signup, t > exp.Sub(this=signup.copy(), expression=exp.Literal.number(Day)))),
        counted(_same(t, churned, SECOND)),
    )
    select = (
        _joined(events, known)
        .select(column("account", "k"), *map(named, numbers, _LIVES[1:]))
        .group_by(column("account", "k"))
    )
    found = _answer(events.place.engine, select, _LIVES)
    return Lives(**{name: np.array(found[name], dtype=np.int64) for name in _LIVES})


def known_days(events: TypedEvents, known: Relation, *, accounts: bool = False) -> NDArray[np.int64]:
    """Ask for the days on which known accounts have events: start, rows, first, last, and how many accounts there are.

    Returns
    -------
    array of shape (D, 5)
        In order of the days; accounts are counted where asked, else 0.
    """
    of_day = exp.Mod(this=column("t", "e"), expression=exp.Literal.number(Day))
    day = exp.Sub(this=column("t", "e"), expression=of_day)
    rows = _joined(events, known).select(column("account", "k"), column("t", "e"), named(day, "day"))
    different = exp.Count(this=exp.Distinct(expressions=[column("account")]))
    names = ("day", "n", "first", "last", "accounts")
    numbers: tuple[exp.Expression, ...] = (
        exp.Count(this=exp.Star()),
        exp.Min(this=column("t")),
        exp.Max(this=column("t")),
        different if accounts else exp.Max(this=exp.Literal.number(0)),
    )
    select = (
        exp.select(column("day"), *map(named, numbers, names[1:]))
        .from_(rows.subquery(identifier("days")))
        .group_by(column("day"))
    )
    found = _answer(events.place.engine, select, names)
    days = np.array([found[name] for name in names], dtype=np.int64).T
    return days[np.argsort(days[:, 0])] if len(days) else days.reshape(0, len(names))


def at_leaving(events: TypedEvents, known: Relation, unit: int) -> dict[str, tuple[int, int]]:
    """Ask what happens in the second or on the day in which accounts leave: by event, rows and accounts."""
    different = exp.Count(this=exp.Distinct(expressions=[column("account", "k")]))
    select = (
        _joined(events, known)
        .where(_same(column("t", "e"), column("churned", "k"), unit))
        .select(column("event", "e"), named(exp.Count(this=exp.Star()), "n"), named(different, "accounts"))
        .group_by(column("event", "e"))
    )
    found = _answer(events.place.engine, select, ("event", "n", "accounts"))
    rows = zip(found["event"], found["n"], found["accounts"], strict=True)
    return {str(event): (int(n), int(accounts)) for event, n, accounts in rows}


def unknown_accounts(events: TypedEvents, known: Relation, limit: int) -> tuple[str, ...]:
    """Ask for the first few account ids of the events that are not among the known."""
    ids = exp.select(column("account_id")).from_(aliased(known, "k"))
    select = (
        exp.select(column("account_id", "e"))
        .distinct()
        .from_(aliased(events.usable, "e"))
        .where(column("account_id", "e").isin(query=ids).not_())
        .order_by(column("account_id", "e"))
        .limit(limit)
    )
    found = events.place.engine.rows(select.sql(dialect=events.place.engine.dialect))
    return tuple(str(key) for (key,) in found)


def _joined(events: TypedEvents, known: Relation) -> exp.Select:
    same = column("account_id", "e").eq(column("account_id", "k"))
    return exp.Select().from_(aliased(events.usable, "e")).join(aliased(known, "k"), on=same)


def _on_the_wall(events: TypedEvents) -> str:
    """Return the expression of what the clock on the wall showed, counted as if it were UTC."""
    dialect: Dialect = events.dialect
    t = column("t").sql(dialect=dialect.name)
    if events.raw.timezone == "UTC" or events.raw.dates_only:
        return t
    return dialect.shown_us.format(x=dialect.moment.format(x=t), zone=events.raw.timezone)


def _over(unit: int) -> exp.Mod:
    return exp.Mod(this=column("wall"), expression=exp.Literal.number(unit))


def _same(one: exp.Column, other: exp.Column, unit: int) -> exp.Condition:
    """Return the condition that two times lie in the same second or day."""
    cut = (
        exp.Paren(
            this=exp.Sub(this=each.copy(), expression=exp.Mod(this=each.copy(), expression=exp.Literal.number(unit)))
        )
        for each in (one, other)
    )
    return exp.EQ(this=next(cut), expression=next(cut))


def _missing(name: str) -> exp.Is:
    return column(name).is_(exp.null())


def _whole(value: exp.Expression) -> exp.Cast:
    return exp.cast(value, exp.DataType.Type.BIGINT)


def _numbers(engine: Engine, select: exp.Select) -> list[int]:
    return [int(str(value)) for value in engine.rows(select.sql(dialect=engine.dialect))[0]]


def _answer(engine: Engine, select: exp.Select, names: tuple[str, ...]) -> dict[str, list[Any]]:
    batches = list(engine.batches(select.sql(dialect=engine.dialect)))
    if not batches:
        return {name: [] for name in names}
    table = pa.Table.from_batches(batches)
    return {name: table.column(i).to_pylist() for i, name in enumerate(names)}
