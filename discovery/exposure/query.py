"""The queries over events, as SQLGlot expressions: plain ANSI, every identifier quoted, every name a literal.

Whole microseconds since signup are computed once per row (`lag`), so no session time zone, interval or
calendar enters. Nothing here is text until it is rendered with `.sql(dialect=engine.dialect)`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from discovery.engines.aggregated import Aggregated
from discovery.engines.expressions import Relation, aliased, column, counted, identifier, named
from discovery.exposure import from_aggregates
from discovery.spec import Day

SECOND = 1_000_000
"""Microseconds of a second."""


def exposure_query(
    events_table: Relation,
    accounts_table: Relation,
    windows_us: Sequence[int],
    observation_us: int,
) -> exp.Select:
    """Build the one query from which every flag is made.

    Two levels: by account, event and user first (how often, and when first), by account and event then.
    Distinct users within every window come from the first times of the users, almost for free. Rows with
    `0 <= lag < observation_us` count; a row without a user counts as a row and as no user.

    Parameters
    ----------
    events_table : str, sqlglot.exp.Table or sqlglot.exp.Select
        Relation with `account_id`, `event`, `user_id` (text or null), `t` (BIGINT, microseconds).
    accounts_table : str, sqlglot.exp.Table or sqlglot.exp.Select
        Relation with `account` (INTEGER), `account_id` (text), `signup` (BIGINT, microseconds).
    windows_us : sequence of int
        Windows shorter than the observation, in microseconds since signup.
    observation_us : int
        Length of the observation window in microseconds.

    Returns
    -------
    sqlglot.exp.Select
        One row per account and event inside the observation: `account, event, n, users, first_lag`
        (microseconds), then `n_i, u_i` (rows and distinct users) for `windows_us[i]`.
    """
    if isinstance(events_table, Aggregated):
        return from_aggregates.exposure_rows(events_table, accounts_table, windows_us, observation_us)
    inside = between(lags(events_table, accounts_table, ("event", "user_id")), 0, observation_us)
    per_user = inside.select(
        column("account"),
        column("event"),
        column("user_id"),
        named(exp.Count(this=exp.Star()), "user_rows"),
        named(exp.Min(this=column("lag")), "user_first"),
        *(named(_count_below("lag", window), f"user_rows_{i}") for i, window in enumerate(windows_us)),
    ).group_by(column("account"), column("event"), column("user_id"))
    has_user = column("user_id").is_(exp.null()).not_()
    columns = [
        named(_whole(exp.Sum(this=column("user_rows"))), "n"),
        named(exp.Count(this=column("user_id")), "users"),
        named(exp.Min(this=column("user_first")), "first_lag"),
    ]
    for i, window in enumerate(windows_us):
        columns.append(named(_whole(exp.Sum(this=column(f"user_rows_{i}"))), f"n_{i}"))
        columns.append(named(_count_below("user_first", window, has_user), f"u_{i}"))
    return (
        exp.select(column("account"), column("event"), *columns)
        .from_(per_user.subquery(identifier("per_user")))
        .group_by(column("account"), column("event"))
    )


def lags(events_table: Relation, accounts_table: Relation, kept: Sequence[str] = ()) -> exp.Select:
    """Build the rows of known accounts: `account`, the `kept` columns of the events, and `lag` since signup."""
    e, a = "e", "a"
    same_account = column("account_id", e).eq(column("account_id", a))
    return (
        exp.select(column("account", a), *(column(name, e) for name in kept))
        .select(named(exp.Sub(this=column("t", e), expression=column("signup", a)), "lag"))
        .from_(aliased(events_table, e))
        .join(aliased(accounts_table, a), on=same_account)
    )


def without(rows: exp.Select, left_out: Sequence[str]) -> exp.Select:
    """Leave rows of some events out of what `lags` built."""
    if not left_out:
        return rows
    return rows.where(column("event", "e").isin(*map(exp.Literal.string, left_out)).not_())


def between(rows: exp.Select, start_us: int, end_us: int) -> exp.Select:
    """Build a SELECT without columns over `rows` that keeps `start_us <= lag < end_us`."""
    return (
        exp.Select()
        .from_(rows.subquery(identifier("lags")))
        .where(column("lag") >= exp.Literal.number(start_us), column("lag") < exp.Literal.number(end_us))
    )


def nth_event_query(
    events_table: Relation, accounts_table: Relation, event: str, nth: int, window_us: int
) -> exp.Select:
    """Build `account, reached`: the microseconds from signup to the `nth` row of `event` inside the window."""
    rows = between(_lags_of(events_table, accounts_table, event), 0, window_us)
    if nth == 1:
        first = named(exp.Min(this=column("lag")), "reached")
        return rows.select(column("account"), first).group_by(column("account"))
    return _nth(rows.select(column("account"), column("lag")), "lag", nth)


def nth_user_query(
    events_table: Relation, accounts_table: Relation, event: str, nth: int, window_us: int
) -> exp.Select:
    """Build `account, reached`: the microseconds from signup to the first `event` of the `nth` distinct user."""
    first_of_user = (
        between(_lags_of(events_table, accounts_table, event, ("user_id",)), 0, window_us)
        .where(column("user_id").is_(exp.null()).not_())
        .select(column("account"), named(exp.Min(this=column("lag")), "user_first"))
        .group_by(column("account"), column("user_id"))
    )
    return _nth(first_of_user, "user_first", nth)


def active_query(
    events_table: Relation,
    accounts_table: Relation,
    start_us: int,
    end_us: int,
    activity: Sequence[str],
    passive: Sequence[str],
) -> exp.Select:
    """Build `account`: those with an activity event in `start_us <= lag < end_us`."""
    if isinstance(events_table, Aggregated):
        return from_aggregates.active_rows(events_table, accounts_table, activity, passive)
    rows = between(lags(events_table, accounts_table, ("event",)), start_us, end_us)
    if activity:
        rows = rows.where(column("event").isin(*map(exp.Literal.string, activity)))
    elif passive:
        rows = rows.where(column("event").isin(*map(exp.Literal.string, passive)).not_())
    return rows.select(column("account")).group_by(column("account"))


def rhythm_query(
    events_table: Relation, accounts_table: Relation, observation_us: int, left_out: Sequence[str]
) -> exp.Select:
    """Build `account, actions, moments, days, last`: rows, distinct seconds and days, last lag in microseconds."""
    if isinstance(events_table, Aggregated):
        return from_aggregates.rhythm_rows(events_table, accounts_table, observation_us, left_out)
    rows = without(lags(events_table, accounts_table, ("event",)), left_out)
    return (
        between(rows, 0, observation_us)
        .select(
            column("account"),
            named(exp.Count(this=exp.Star()), "actions"),
            named(_distinct_units(SECOND), "moments"),
            named(_distinct_units(Day), "days"),
            named(exp.Max(this=column("lag")), "last"),
        )
        .group_by(column("account"))
    )


def company_query(events_table: Relation, accounts_table: Relation, observation_us: int) -> exp.Select:
    """Build `event, moments, shared`: seconds in which it occurs, and those in which others do too.

    The row without an event counts the moments, and among them those with several events.
    """
    if isinstance(events_table, Aggregated):
        return from_aggregates.company_rows(events_table, accounts_table)
    met = (
        between(lags(events_table, accounts_table, ("event",)), 0, observation_us)
        .select(column("account"), column("event"), named(_unit(SECOND), "moment"))
        .distinct()
    )
    together = exp.Window(this=exp.Count(this=exp.Star()), partition_by=[column("account"), column("moment")])
    first = exp.Window(
        this=exp.RowNumber(),
        partition_by=[column("account"), column("moment")],
        order=exp.Order(expressions=[exp.Ordered(this=column("event"), nulls_first=False)]),
    )
    sized = exp.select(column("event"), named(together, "size"), named(first, "place")).from_(
        met.subquery(identifier("met"))
    )
    several = exp.Count(this=exp.Case().when(column("size") > exp.Literal.number(1), exp.Literal.number(1)))
    by_event = (
        exp.select(column("event"), named(exp.Count(this=exp.Star()), "moments"), named(several, "shared"))
        .from_(sized.subquery(identifier("sized")))
        .group_by(column("event"))
    )
    in_all = (
        exp.select(
            named(exp.cast(exp.null(), exp.DataType.Type.VARCHAR), "event"),
            named(exp.Count(this=exp.Star()), "moments"),
            named(several.copy(), "shared"),
        )
        .from_(sized.copy().subquery(identifier("sized")))
        .where(column("place").eq(exp.Literal.number(1)))
    )
    both = exp.union(by_event, in_all, distinct=False)
    return exp.select(column("event"), column("moments"), column("shared")).from_(both.subquery(identifier("company")))


def clock_query(events_table: Relation) -> exp.Select:
    """Build `seconds`: how many of the sixty seconds of a minute occur; one where times are dates or whole minutes."""
    if isinstance(events_table, Aggregated):
        return from_aggregates.clock_rows(events_table)
    second = exp.Paren(this=_unit(SECOND, "t"))
    of_minute = exp.Mod(this=second, expression=exp.Literal.number(60 * SECOND))
    return exp.select(named(exp.Count(this=exp.Distinct(expressions=[of_minute])), "seconds")).from_(
        aliased(events_table, "e")
    )


def _unit(length: int, time: str = "lag") -> exp.Sub:
    """Return the time rounded down to whole units; lags inside an observation are never negative."""
    return exp.Sub(this=column(time), expression=exp.Mod(this=column(time), expression=exp.Literal.number(length)))


def _distinct_units(length: int) -> exp.Count:
    return exp.Count(this=exp.Distinct(expressions=[_unit(length)]))


def names_query(events_table: Relation) -> exp.Select:
    """Build `event`: every event name there is."""
    if isinstance(events_table, Aggregated):
        return from_aggregates.name_rows(events_table)
    return exp.select(column("event")).distinct().from_(aliased(events_table, "e"))


def _lags_of(events_table: Relation, accounts_table: Relation, event: str, kept: Sequence[str] = ()) -> exp.Select:
    rows = lags(events_table, accounts_table, kept)
    return rows.where(column("event", "e").eq(exp.Literal.string(event)))


def _nth(times: exp.Select, time: str, nth: int) -> exp.Select:
    """Build `account, reached` of the `nth` row of each account in order of time; ties are interchangeable."""
    place = exp.Window(
        this=exp.RowNumber(),
        partition_by=[column("account")],
        order=exp.Order(expressions=[exp.Ordered(this=column(time), nulls_first=False)]),
    )
    numbered = exp.select(column("account"), column(time), named(place, "place")).from_(
        times.subquery(identifier("times"))
    )
    return (
        exp.select(column("account"), named(column(time), "reached"))
        .from_(numbered.subquery(identifier("numbered")))
        .where(column("place").eq(exp.Literal.number(nth)))
    )


def _count_below(name: str, window_us: int, also: exp.Condition | None = None) -> exp.Count:
    below: exp.Condition = column(name) < exp.Literal.number(window_us)
    return counted(exp.and_(also.copy(), below) if also is not None else below)


def _whole(value: exp.Expression) -> exp.Cast:
    return exp.cast(value, exp.DataType.Type.BIGINT)
