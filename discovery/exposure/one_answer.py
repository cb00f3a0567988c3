"""One SELECT over raw tables, in the SQL of any known engine, whose answer is all that a study asks of the events.

The answer is one tall table with the parts and columns of `discovery.engines.aggregated`. Everything in it is a whole
number or a name, so a study of it gives the same numbers as one of the events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from discovery.engines.aggregated import COUNTS, DAYS_IN_ONE, TEXTS, Settings
from discovery.engines.dialects import Dialect, dialect_named
from discovery.engines.expressions import Relation, aliased, column, counted, identifier, named
from discovery.engines.raw_tables import RawTables
from discovery.engines.typed_rows import account_rows, event_rows, kept_accounts, kept_rows
from discovery.exposure.query import lags
from discovery.spec import Day

_SECOND = 1_000_000
_KEY = ("account", "event")
_MET = (("account", "m"), ("moment", "m"), ("code", "c"))


def one_answer(tables: RawTables, settings: Settings, dialect: str) -> str:
    """Write the SELECT of the aggregates.

    Parameters
    ----------
    tables : RawTables
        The tables and what their columns hold.
    settings : Settings
        What the study asks for.
    dialect : str
        Name of the dialect, a key of `DIALECTS`.

    Returns
    -------
    str
        SQL with the columns of `settings.columns`; those that a part does not have are null.

    Raises
    ------
    InputError
        If the dialect is not known, or a table's name cannot be read.
    """
    chosen = dialect_named(dialect)
    parts = [
        _setting_rows(settings),
        _count_rows(tables, settings),
        _moment_rows(settings),
        _part(settings, "event", "names", code="code", n="total", first_us="began", last_us="ended", event="event"),
        _part(settings, "account", "signed_up", account_id="account_id", first_us="signup"),
        _part(settings, "day", "days", n="total", users="accounts", first_us="began", last_us="ended"),
        _cell_rows(settings),
        _part(settings, "burst", "bursts", account_id="account", event="codes", n="total"),
    ]
    query: exp.Query = exp.union(*parts, distinct=False)
    for name, rows in _steps(tables, settings, chosen).items():
        query = query.with_(identifier(name), as_=rows)
    text: str = query.sql(dialect=chosen.name, pretty=True)
    return text


def _steps(tables: RawTables, settings: Settings, dialect: Dialect) -> Mapping[str, exp.Select]:
    return {
        "typed_events": event_rows(tables, dialect),
        "usable_events": kept_rows(tables, dialect, "typed_events"),
        "typed_accounts": account_rows(tables, dialect),
        "signed_up": kept_accounts(tables, "typed_accounts", internal=True),
        "lags": lags("usable_events", "signed_up", ("event", "user_id")),
        "by_user": _by_user(settings),
        "by_event": _by_event(settings),
        "moments": _moments(settings),
        "alone": _alone(),
        "names": _names(),
        "together": _together(settings, dialect),
        "bursts": _bursts(),
        "days": _days(),
    }


def _by_user(settings: Settings) -> exp.Select:
    """Build how often, when first and when last every user of an account did an event."""
    lag = column("lag")
    inside = _inside(0, settings.window_days)
    later = _inside(*settings.active_days)
    days = ((f"day_{day}", _inside(day, day + 1)) for day in range(settings.window_days))
    return (
        _grouped("lags", *_KEY, "user_id")
        .select(
            named(_rows(), "all_rows"),
            named(exp.Min(this=lag), "all_first"),
            named(exp.Max(this=lag.copy()), "all_last"),
            named(counted(inside), "own_rows"),
            named(exp.Min(this=_where(inside, lag)), "own_first"),
            named(exp.Max(this=_where(inside, lag)), "own_last"),
            named(counted(later), "later_rows"),
        )
        .select(*(named(counted(_inside(0, days)), f"rows_{days}d") for days in settings.within_days))
        .select(*(named(exp.Max(this=_where(held, _number(1), _number(0))), day) for day, held in days))
    )


def _by_event(settings: Settings) -> exp.Select:
    """Build the same of every account and event, with users counted, and a bit for every day."""
    first, user = column("own_first"), column("user_id").is_(exp.null()).not_()
    columns: dict[str, exp.Expression] = {
        "n": _whole(exp.Sum(this=column("own_rows"))),
        "users": counted(exp.and_(user, first.is_(exp.null()).not_())),
        "first_us": exp.Min(this=first),
        "last_us": exp.Max(this=column("own_last")),
        "ever_n": _whole(exp.Sum(this=column("all_rows"))),
        "ever_first": exp.Min(this=column("all_first")),
        "ever_last": exp.Max(this=column("all_last")),
        "later": _whole(exp.Sum(this=column("later_rows"))),
    }
    for days in settings.within_days:
        columns[f"n_{days}d"] = _whole(exp.Sum(this=column(f"rows_{days}d")))
        columns[f"u_{days}d"] = counted(exp.and_(user.copy(), first.copy() < _number(days * Day)))
    for place, mask in enumerate(settings.masks):
        own = range(place * DAYS_IN_ONE, min(settings.window_days, (place + 1) * DAYS_IN_ONE))
        columns[mask] = _sum_of([_bit(f"day_{day}", day - own.start) for day in own])
    return _grouped("by_user", *_KEY).select(*(named(value, name) for name, value in columns.items()))


def _moments(settings: Settings) -> exp.Select:
    """Build every second in which an account did anything, with the first and the last name of what it did."""
    second = exp.Paren(this=_floor(column("lag"), _SECOND))
    return (
        exp.select(
            column("account"),
            named(second, "moment"),
            named(exp.Min(this=column("event")), "one_event"),
            named(exp.Max(this=column("event")), "other_event"),
        )
        .from_(_from("lags"))
        .where(_inside(0, settings.window_days))
        .group_by(column("account"), second.copy())
    )


def _alone() -> exp.Select:
    """Build in how many of these seconds an event was the only one."""
    return (
        exp.select(column("account"), named(column("one_event"), "event"), named(_rows(), "alone"))
        .from_(_from("moments"))
        .where(column("one_event").eq(column("other_event")))
        .group_by(column("account"), column("one_event"))
    )


def _names() -> exp.Select:
    """Build a number for every name of an event, with its rows."""
    times = exp.Min(this=column("t")), exp.Max(this=column("t"))
    own = _grouped("usable_events", "event").select(
        named(_rows(), "total"), named(times[0], "began"), named(times[1], "ended")
    )
    order = exp.Order(expressions=[exp.Ordered(this=column("event"), nulls_first=False)])
    return exp.select(
        column("event"),
        named(exp.Window(this=exp.RowNumber(), order=order), "code"),
        *(column(name) for name in ("total", "began", "ended")),
    ).from_(own.subquery(identifier("own")))


def _together(settings: Settings, dialect: Dialect) -> exp.Select:
    """Build for every second with several events the numbers of their names."""
    same_moment = exp.and_(
        column("account", "l").eq(column("account", "m")),
        exp.Paren(this=_floor(column("lag", "l"), _SECOND)).eq(column("moment", "m")),
        column("one_event", "m").neq(column("other_event", "m")),
    )
    met = (
        exp.select(*(named(column(name, table), name) for name, table in _MET))
        .distinct()
        .from_(aliased("lags", "l"))
        .join(aliased("moments", "m"), on=same_moment)
        .join(aliased("names", "c"), on=column("event", "l").eq(column("event", "c")))
        .where(_inside(0, settings.window_days, "l"))
    )
    text = exp.cast(column("code"), exp.DataType.Type.TEXT).sql(dialect=dialect.name)
    codes = exp.Var(this=dialect.together.format(x=text))
    return (
        exp.select(column("account"), column("moment"), named(codes, "codes"))
        .from_(met.subquery(identifier("met")))
        .group_by(column("account"), column("moment"))
    )


def _bursts() -> exp.Select:
    return _grouped("together", "account", "codes").select(named(_rows(), "total"))


def _days() -> exp.Select:
    """Build for every day of the log the rows of known accounts, and how many accounts have any."""
    known = exp.select(column("account_id")).distinct().from_(_from("typed_accounts"))
    known = known.where(column("account_id").is_(exp.null()).not_())
    day = exp.Paren(this=_floor(column("t", "e"), Day))
    return (
        exp.select(
            named(_rows(), "total"),
            named(exp.Count(this=exp.Distinct(expressions=[column("account_id", "e")])), "accounts"),
            named(exp.Min(this=column("t", "e")), "began"),
            named(exp.Max(this=column("t", "e")), "ended"),
        )
        .from_(aliased("usable_events", "e"))
        .join(known.subquery(identifier("k")), on=column("account_id", "e").eq(column("account_id", "k")))
        .group_by(day)
    )


def _count_rows(tables: RawTables, settings: Settings) -> exp.Select:
    """Build a row for each of `COUNTS`, of which one pass over the rows of each kind gives the numbers."""
    passes_over = tables.leave_out or (tables.leave_out_users and tables.event_user)
    over = column("passed_over").eq(_number(1)) if passes_over else exp.false()
    own = exp.not_(over)
    missing = {"no_account": "account_id", "no_event": "event", "no_time": "t"}
    lacks = {name: counted(exp.and_(own, column(of).is_(exp.null()))) for name, of in missing.items()}
    with_user = counted(exp.and_(own.copy(), column("user_id").is_(exp.null()).not_()))
    typed = {"rows": _rows(), **lacks, "passed_over": counted(over.copy()), "with_user": with_user}
    second = exp.Mod(this=exp.Paren(this=_floor(column("t"), _SECOND)), expression=_number(60 * _SECOND))
    off_midnight = counted(exp.Mod(this=column("t"), expression=_number(Day)).neq(_number(0)))
    usable = {
        "usable": _rows(),
        "seconds": exp.Count(this=exp.Distinct(expressions=[second])),
        "off_midnight": off_midnight,
    }
    rows = exp.Select().from_(_texts(COUNTS))
    chosen = exp.Case()
    for alias, (source, counts) in {
        "r": ("typed_events", typed),
        "u": ("usable_events", usable),
        "j": ("lags", {"joined": _rows()}),
    }.items():
        one = exp.select(*(named(count, f"{name}_count") for name, count in counts.items())).from_(_from(source))
        rows = rows.join(one.subquery(identifier(alias)), join_type="cross")
        for name in counts:
            chosen = chosen.when(
                column("word", "k").eq(exp.Literal.string(name)), column(f"{name}_count", alias).copy()
            )
    return rows.select(*_columns(settings, part="count", event=column("word", "k"), n=chosen))


def _setting_rows(settings: Settings) -> exp.Select:
    words = [f"{name}={value}" for name, value in settings.words.items()]
    return exp.select(*_columns(settings, part="setting", event=column("word", "k"))).from_(_texts(words))


def _texts(words: Sequence[str]) -> exp.Subquery:
    """Build `word`: one row for each of some texts."""
    rows = (exp.select(named(exp.Literal.string(word), "word")) for word in words)
    return exp.union(*rows, distinct=False).subquery(identifier("k"))


def _moment_rows(settings: Settings) -> exp.Select:
    return exp.select(*_columns(settings, part="count", event=exp.Literal.string("moments"), n=_rows())).from_(
        _from("moments")
    )


def _cell_rows(settings: Settings) -> exp.Select:
    """Build the rows of accounts and events."""
    known = {name: column(name, "c") for name in settings.columns if name not in (*TEXTS, "code", "alone")}
    alone = exp.Coalesce(this=column("alone", "a"), expressions=[_number(0)])
    same = exp.and_(*(column(name, "c").eq(column(name, "a")) for name in _KEY))
    return (
        exp.select(
            *_columns(
                settings,
                part="cell",
                account_id=column("account", "c"),
                event=column("event", "c"),
                alone=alone,
                **known,
            )
        )
        .from_(aliased("by_event", "c"))
        .join(aliased("alone", "a"), on=same, join_type="left")
    )


def _part(settings: Settings, part: str, source: str, **held: str) -> exp.Select:
    """Build a part whose columns are those of a step, under other names."""
    return exp.select(*_columns(settings, part=part, **{name: column(of, "s") for name, of in held.items()})).from_(
        aliased(source, "s")
    )


def _columns(settings: Settings, *, part: str, **held: exp.Expression) -> list[exp.Alias]:
    """Return every column of the answer, null where it is not held; names are bare, as files are easiest to read."""
    values: dict[str, exp.Expression] = {"part": exp.Literal.string(part), **held}
    text, whole = exp.DataType.Type.TEXT, exp.DataType.Type.BIGINT
    kinds = {name: text if name in TEXTS else whole for name in settings.columns}
    return [
        exp.Alias(this=exp.cast(values.get(name, exp.null()), kind), alias=exp.to_identifier(name))
        for name, kind in kinds.items()
    ]


def _grouped(source: str, *keys: str) -> exp.Select:
    return exp.select(*map(column, keys)).from_(_from(source)).group_by(*map(column, keys))


def _from(source: Relation) -> exp.Table | exp.Subquery:
    return aliased(source, "s")


def _inside(start_day: int, end_day: int, table: str | None = None) -> exp.Condition:
    """Return the condition that a row lies so many days after signup."""
    lag = column("lag", table)
    return exp.and_(lag >= _number(start_day * Day), lag.copy() < _number(end_day * Day))


def _where(condition: exp.Condition, value: exp.Expression, otherwise: exp.Expression | None = None) -> exp.Case:
    chosen = exp.Case().when(condition.copy(), value.copy())
    return chosen if otherwise is None else chosen.else_(otherwise)


def _bit(day: str, place: int) -> exp.Expression:
    """Return the bit of a day, where any row lies on it."""
    return exp.Mul(this=_whole(exp.Max(this=column(day))), expression=_number(1 << place))


def _sum_of(values: list[exp.Expression]) -> exp.Expression:
    total = values[0]
    for value in values[1:]:
        total = exp.Add(this=total, expression=value)
    return total


def _floor(time: exp.Column, unit: int) -> exp.Sub:
    """Return a time that is not negative rounded down to whole units."""
    return exp.Sub(this=time, expression=exp.Mod(this=time.copy(), expression=_number(unit)))


def _whole(value: exp.Expression) -> exp.Cast:
    return exp.cast(value, exp.DataType.Type.BIGINT)


def _rows() -> exp.Count:
    return exp.Count(this=exp.Star())


def _number(value: int) -> exp.Literal:
    return exp.Literal(this=str(value), is_string=False)
