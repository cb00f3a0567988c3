"""The query for the moment at which every account reached a milestone, built from the milestone's own parts."""

from __future__ import annotations

from sqlglot import exp

from discovery.engines.expressions import Relation, column, identifier, named
from discovery.errors import InputError
from discovery.exposure.acts import PLAIN, EventColumns, rows_of
from discovery.exposure.query import nth_event_query, nth_user_query
from discovery.milestone import Condition, Milestone
from discovery.spec import Day


def reached_query(
    events_table: Relation,
    accounts_table: Relation,
    milestone: Milestone,
    observation_us: int,
    columns: EventColumns = PLAIN,
) -> exp.Select:
    """Build `account, reached`: the microseconds from signup to the moment a milestone was reached.

    A condition is reached at the earliest moment at which both the k-th row and the u-th distinct user's
    first row have occurred, inside the condition's own window. `and` is reached with its last part, `or`
    with its first. Accounts that never reached it have no row.

    Parameters
    ----------
    events_table, accounts_table : str, sqlglot.exp.Table or sqlglot.exp.Select
        Relations as described at `discovery.exposure.query.exposure_query`.
    milestone : Milestone
        Conditions with windows no longer than the observation; none means the observation window.
    observation_us : int
        The observation window in microseconds.
    columns : EventColumns
        The properties that the events table holds, for conditions that test some.

    Raises
    ------
    InputError
        If a window outlasts the observation, or a property that is tested is not among the columns.
    """

    def reached(part: Condition | Milestone) -> exp.Select:
        if isinstance(part, Condition):
            return _condition_query(rows_of(events_table, part, columns), accounts_table, part, observation_us)
        joined = latest if part.joined == "and" else earliest
        return joined(*(reached(inner) for inner in part.parts))

    return reached(milestone)


def earliest(*moments: exp.Select) -> exp.Select:
    """Build `account, reached` of the first of several moments; an account needs any of them."""
    return moments[0] if len(moments) == 1 else _combined(moments, exp.Min)


def latest(*moments: exp.Select) -> exp.Select:
    """Build `account, reached` of the last of several moments; an account needs all of them."""
    if len(moments) == 1:
        return moments[0]
    has_all = exp.Count(this=exp.Star()).eq(exp.Literal.number(len(moments)))
    return _combined(moments, exp.Max).having(has_all)


def _combined(moments: tuple[exp.Select, ...], choice: type[exp.Min] | type[exp.Max]) -> exp.Select:
    # Stacked rather than joined: what a missing row of an outer join holds differs between engines.
    stacked = exp.union(*moments, distinct=False)
    return (
        exp.select(column("account"), named(choice(this=column("reached")), "reached"))
        .from_(stacked.subquery(identifier("moments")))
        .group_by(column("account"))
    )


def _condition_query(
    events_table: Relation, accounts_table: Relation, condition: Condition, observation_us: int
) -> exp.Select:
    window = _window(condition, observation_us)
    asked = []
    if condition.min_users < 2 or condition.at_least > condition.min_users:
        asked.append(nth_event_query(events_table, accounts_table, condition.event, condition.at_least, window))
    if condition.min_users > 1:
        asked.append(nth_user_query(events_table, accounts_table, condition.event, condition.min_users, window))
    return latest(*asked)


def _window(condition: Condition, observation_us: int) -> int:
    if condition.within_hours is None:
        return observation_us
    window = condition.within_hours * (Day // 24)
    if window > observation_us:
        raise InputError(
            f"{str(condition)!r} looks {condition.within_hours}h ahead, beyond the observation window of "
            f"{observation_us / Day:g} days. Shorten its window, or widen candidates.window_days."
        )
    return window
