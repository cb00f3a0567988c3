"""Which values the properties of events take inside observation windows, and how many accounts have each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlglot import exp

from discovery.engines import Engine
from discovery.engines.expressions import Relation, aliased, column, identifier, named
from discovery.exposure.acts import EventColumns, first_users, scalar
from discovery.exposure.query import between, lags
from discovery.milestone import BY_OTHER

QUARTERS = (1, 2, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueCounts:
    """How many different values a property takes on an event, and on how many rows; numbers among them."""

    event: str
    values: int
    numbers: int
    rows: int
    number_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueReach:
    """One value of a property on an event, as text and as the number it reads as, and accounts with such a row.

    `accounts` has their positions, int64.
    """

    event: str
    value: str
    number: float | None
    accounts: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sameness:
    """How often a property is one and the same on all rows of an account, among accounts with two rows or more.

    `same` counts the accounts with one value, `commonest` those of the value that most of them have. `event` is None
    over the rows of all events together.
    """

    event: str | None
    accounts: int
    same: int
    commonest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyValues:
    """Asks for the values of one property, inside the observation windows of accounts that signed up in time.

    Attributes
    ----------
    engine : Engine
        What holds both relations.
    events_table, accounts_table : str, sqlglot.exp.Table or sqlglot.exp.Select
        Relations as described at `discovery.exposure.query.exposure_query`.
    columns : EventColumns
        The properties that the events table holds.
    name : str
        The property, or `by_other`.
    observation_us : int
        The observation window in microseconds.
    latest : int
        The last signup that counts, in microseconds since 1970.
    """

    engine: Engine
    events_table: Relation
    accounts_table: Relation
    columns: EventColumns
    name: str
    observation_us: int
    latest: int

    def counted(self) -> tuple[ValueCounts, ...]:
        """Return how many values there are, by event, sorted."""
        query = (
            self._inside()
            .select(
                column("event"),
                named(exp.Count(this=exp.Distinct(expressions=[column("value")])), "value_count"),
                named(exp.Count(this=exp.Distinct(expressions=[column("number")])), "number_count"),
                named(exp.Count(this=exp.Star()), "row_count"),
                named(exp.Count(this=column("number")), "number_rows"),
            )
            .group_by(column("event"))
        )
        found = [
            ValueCounts(event=str(row[0]), values=row[1], numbers=row[2], rows=row[3], number_rows=row[4])
            for row in self._rows(query)
        ]
        return tuple(sorted(found, key=lambda each: each.event))

    def reached(self, events: Sequence[str]) -> tuple[ValueReach, ...]:
        """Return who has which value on some events, sorted by event and value; all of it is read, so ask of few."""
        if not events:
            return ()
        parts = (column("account"), column("event"), column("value"))
        query = self._inside().where(column("event").isin(*map(exp.Literal.string, events)))
        query = query.select(*parts, named(exp.Min(this=column("number")), "number"))
        query = query.group_by(*(part.copy() for part in parts))
        batches = list(self.engine.batches(query.sql(dialect=self.engine.dialect)))
        return _gathered(pa.Table.from_batches(batches)) if batches else ()

    def sameness(self) -> tuple[Sameness, ...]:
        """Return how often the values of an account are all the same: of all events together, then by event."""
        return (*self._same(()), *sorted(self._same(("event",)), key=lambda each: each.event or ""))

    def _same(self, by: tuple[str, ...]) -> list[Sameness]:
        different = exp.Count(this=exp.Distinct(expressions=[column("value")]))
        one = exp.Case().when(different.eq(exp.Literal.number(1)), exp.Min(this=column("value")))
        several = exp.GTE(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(2))
        of_account = self._inside().select(*map(column, by), named(one, "only")).having(several)
        of_account = of_account.group_by(column("account"), *map(column, by))
        of_value = exp.select(*map(column, by), column("only"), named(exp.Count(this=exp.Star()), "n"))
        of_value = of_value.from_(of_account.subquery(identifier("of_account"))).group_by(*map(column, (*by, "only")))
        same = exp.Case().when(column("only").is_(exp.null()), exp.Literal.number(0)).else_(column("n"))
        figures: tuple[exp.Expression, ...] = (exp.Sum(this=column("n")), exp.Sum(this=same), exp.Max(this=same.copy()))
        query = exp.select(*map(column, by), *(named(each, f"n_{place}") for place, each in enumerate(figures)))
        query = query.from_(of_value.subquery(identifier("of_value")))
        rows = self._rows(query.group_by(*map(column, by)) if by else query)
        return [
            Sameness(
                event=str(row[0]) if by else None, accounts=int(row[-3]), same=int(row[-2]), commonest=int(row[-1])
            )
            for row in rows
            if row[-3]
        ]

    def quartiles(self, events: Sequence[str]) -> dict[str, tuple[float, ...]]:
        """Return the numbers that a quarter, a half and three quarters of the rows do not exceed, by event.

        Where a quarter of the rows have the least number, as in a count that is mostly 0, those of the rows above it.
        """
        cuts, least = self._cuts([_is(event) for event in events])
        crowded = {event: number for event, number in least.items() if cuts[event][0] == number}
        above = [exp.and_(_is(event), column("number") > scalar(number)) for event, number in crowded.items()]
        return dict(sorted((cuts | self._cuts(above)[0]).items()))

    def _cuts(self, some: Sequence[exp.Condition]) -> tuple[dict[str, tuple[float, ...]], dict[str, float]]:
        """Return the quartiles among rows that meet one of some conditions, and the least number, by event."""
        if not some:
            return {}, {}
        of_event = [column("event")]
        order = exp.Order(expressions=[exp.Ordered(this=column("number"), nulls_first=False)])
        place = exp.Window(this=exp.RowNumber(), partition_by=of_event, order=order)
        everyone = exp.Window(this=exp.Count(this=exp.Star()), partition_by=[column("event")])
        lowest = exp.Window(this=exp.Min(this=column("number")), partition_by=[column("event")])
        known = column("number").is_(exp.null()).not_()
        placed = (
            self._inside()
            .where(exp.or_(*some), known)
            .select(column("event"), column("number"), named(lowest, "least"))
            .select(named(place, "place"), named(everyone, "everyone"))
        )
        query = (
            exp.select(column("event"), column("place"), column("number"), column("least"))
            .from_(placed.subquery(identifier("placed")))
            .where(exp.or_(*(_at_quarter(quarter) for quarter in QUARTERS)))
        )
        found: dict[str, list[tuple[int, float]]] = {}
        least: dict[str, float] = {}
        for event, rank, number, smallest in self._rows(query):
            found.setdefault(str(event), []).append((int(rank), float(number)))
            least[str(event)] = float(smallest)
        return {event: tuple(number for _, number in sorted(places)) for event, places in found.items()}, least

    def _rows(self, query: exp.Select) -> list[tuple[Any, ...]]:
        return self.engine.rows(query.sql(dialect=self.engine.dialect))

    def _inside(self) -> exp.Select:
        """Build a SELECT without columns over rows that have the property: `account, event, value, number`."""
        rows = lags(self._valued(), self.accounts_table, ("event", "value", "number"))
        in_time = column("signup", "a") <= exp.Literal.number(self.latest)
        return between(rows.where(in_time), 0, self.observation_us)

    def _valued(self) -> exp.Select:
        kept = exp.select(*(column(part, "e") for part in ("account_id", "event", "t")))
        rows = kept.from_(aliased(self.events_table, "e"))
        if self.name != BY_OTHER:
            place = self.columns.place(self.name)
            value = column(f"property_{place}", "e")
            rows = rows.select(named(value, "value"), named(column(f"number_{place}", "e"), "number"))
            return rows.where(value.copy().is_(exp.null()).not_())
        other = column("creator_id", "e")
        if not self.columns.has_creator:
            other = column("first_user", "f")
            same = column("account_id", "e").eq(column("account_id", "f"))
            firsts = first_users(self.events_table, self.columns).subquery(identifier("f"))
            rows = rows.join(firsts, on=same)
        one, another = self.columns.ordered(column("user_id", "e")), self.columns.ordered(other)
        differs = exp.NEQ(this=one, expression=another)
        said = exp.Case().when(differs, exp.Literal.string("true")).else_(exp.Literal.string("false"))
        known = (column("user_id", "e").is_(exp.null()).not_(), other.copy().is_(exp.null()).not_())
        number = exp.cast(exp.null(), exp.DataType.Type.DOUBLE)
        return rows.select(named(said, "value"), named(number, "number")).where(*known)


def _is(event: str) -> exp.Condition:
    return column("event").eq(exp.Literal.string(event))


def usual_values(
    engine: Engine, events_table: Relation, columns: EventColumns, event: str, name: str, most: int
) -> tuple[str, ...]:
    """Return the values a property has on an event in the whole log, those of most rows first, at most so many."""
    value = column(f"property_{columns.place(name)}", "e")
    query = (
        exp.select(named(value, "value"))
        .from_(aliased(events_table, "e"))
        .where(column("event", "e").eq(exp.Literal.string(event)), value.copy().is_(exp.null()).not_())
        .group_by(value.copy())
        .order_by(exp.Ordered(this=exp.Count(this=exp.Star()), desc=True), value.copy())
        .limit(most)
    )
    return tuple(str(row[0]) for row in engine.rows(query.sql(dialect=engine.dialect)))


def _gathered(rows: pa.Table) -> tuple[ValueReach, ...]:
    """Gather the accounts of every event and value from rows of `account, event, value, number`."""
    accounts, number = (rows.column(place).to_numpy() for place in (0, 3))
    of_event, of_value = (rows.column(place).combine_chunks().dictionary_encode() for place in (1, 2))
    names, values = of_event.dictionary.to_pylist(), of_value.dictionary.to_pylist()
    both = of_event.indices.to_numpy().astype(np.int64) * len(values) + of_value.indices.to_numpy()
    order = np.lexsort((accounts, both))
    keys, starts = np.unique(both[order], return_index=True)
    found = []
    for key, mine in zip(keys.tolist(), np.split(order, starts[1:]), strict=True):
        read = float(number[mine[0]])
        found.append(
            ValueReach(
                event=names[key // len(values)],
                value=values[key % len(values)],
                number=None if np.isnan(read) else read,
                accounts=accounts[mine].astype(np.int64),
            )
        )
    return tuple(sorted(found, key=lambda each: (each.event, each.value)))


def _at_quarter(quarter: int) -> exp.Condition:
    """Tell the row at which a quarter, a half or three quarters of the rows are reached, in whole numbers."""
    place = exp.Mul(this=column("place"), expression=exp.Literal.number(4))
    before = exp.Mul(this=exp.Paren(this=column("place") - exp.Literal.number(1)), expression=exp.Literal.number(4))
    share = exp.Mul(this=column("everyone"), expression=exp.Literal.number(quarter))
    return exp.and_(exp.GTE(this=place, expression=share), exp.LT(this=before, expression=share.copy()))
