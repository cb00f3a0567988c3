"""Which column plays which role: the spec's word first, then names, then what the values say."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.errors import ColumnError
from discovery.intake.lexicon import ACCOUNT_ROLES, EVENT_ROLES, by_preference, is_trait_by_nature, why_left_out
from discovery.intake.sources import Source
from discovery.intake.sql import FALSE_WORDS, TRUE_WORDS, is_missing, is_text, plain_text, word_list
from discovery.intake.times import Clock, look_at_times
from discovery.intake.wording import listed, percent
from discovery.results import RecognisedColumn
from discovery.spec import AccountsSpec
from discovery.spec.section import Section

Side = Literal["events", "accounts"]

SPOKEN = {
    "account": "the account id",
    "user": "the user id",
    "event": "the event name",
    "time": "the time of the event",
    "id": "the row's own id",
    "creator": "who made the object",
    "sent": "when the event was sent",
    "received": "when the event arrived",
    "signup": "the signup time",
    "churned": "the time of leaving",
    "converted": "the time of converting",
    "observed_until": "the end of observation",
    "seats": "the number of seats",
    "exclude": "the mark of internal accounts",
}


@dataclass(slots=True)
class Table:
    """One side as recognition sees it: rows to look at, and what has been decided so far."""

    engine: DuckDBEngine
    side: Side
    source: Source
    rows: str  # a table in the engine with the rows to look at
    roles: dict[str, str] = field(default_factory=dict)
    clocks: dict[str, Clock] = field(default_factory=dict)
    recognised: list[RecognisedColumn] = field(default_factory=list)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns there are."""
        return tuple(self.source.columns)

    def kind(self, column: str) -> str:
        """Return a column's engine type."""
        return self.source.columns[column]

    def clock(self, column: str) -> Clock:
        """Return how a column's times are written; looked at once."""
        if column not in self.clocks:
            self.clocks[column] = look_at_times(self.engine, self.rows, column, self.kind(column))
        return self.clocks[column]

    def settle(self, role: str, column: str, source: Literal["spec", "recognised"], reason: str) -> None:
        """Give a role to a column."""
        self.roles[role] = column
        self.note(role, column, source, reason)

    def note(
        self,
        role: str,
        column: str | None,
        source: Literal["spec", "recognised", "not found", "left out"],
        reason: str,
    ) -> None:
        """Record what was decided about a role or column."""
        self.recognised.append(
            RecognisedColumn(table=self.side, role=role, column=column, source=source, reason=reason)
        )

    def missing(self, role: str) -> ColumnError:
        """Return the error for a needed role that no column plays."""
        return ColumnError(
            f"{self.source.label} has no column recognised as {SPOKEN[role]} ({self.side}.{role}). "
            f"Its columns are: {listed(self.names, 40)}. Name the right one: --set {self.side}.{role}=COLUMN."
        )

    def check_named(self, role: str, column: str) -> None:
        """Raise unless a column named in the spec exists."""
        if column in self.source.columns:
            return
        near = difflib.get_close_matches(column, self.names, n=1, cutoff=0.5)
        folded = [name for name in self.names if name.lower() == column.lower()]
        hint = f" Did you mean {(folded or near)[0]!r}?" if folded or near else ""
        raise ColumnError(
            f"{self.side}.{role} names the column {column!r}, which {self.source.label} does not have.{hint} "
            f"Its columns are: {listed(self.names, 40)}. Set it right: --set {self.side}.{role}=COLUMN."
        )


def widened(engine: DuckDBEngine, source: Source, named: Sequence[str]) -> Source:
    """Return the source with the columns that the spec reaches by a dotted path or that few rows have."""
    for name in named:
        if name and name not in source.columns:
            source = source.reaching(engine, name) or source
    return source


def recognise_accounts(table: Table, spec: AccountsSpec, assigned: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Settle the roles of the accounts' columns and return the segments.

    `assigned` are the columns with the variants of past randomised tests; nothing else is read from them.

    Raises
    ------
    ColumnError
        If a column named in the spec is absent, the account id or signup time is not found, or an assignment column
        is named for something else too.
    """
    _settle_assignments(table, spec, assigned)
    _settle_account_id(table, spec.account)
    for role, named in (("signup", spec.signup), ("churned", spec.churned), ("converted", spec.converted)):
        settle_time(table, role, named, needed=role == "signup")
    _settle_observed_until(table, spec.observed_until)
    _settle_exclude(table, spec.exclude, assigned)
    if spec.seats:
        table.check_named("seats", spec.seats)
        table.settle("seats", spec.seats, "spec", "named in the spec")
    return _segments(table, spec.segments, assigned)


def _settle_account_id(table: Table, named: str) -> None:
    if named:
        table.check_named("account", named)
        table.settle("account", named, "spec", "named in the spec")
        return
    candidates = by_preference(table.names, ACCOUNT_ROLES["account"])
    if not candidates:
        raise table.missing("account")
    unique = {column: distinct_share(table, column) for column in candidates}
    chosen = next((column for column in candidates if unique[column] > 0.9), candidates[0])
    reason = f"named like an account id; {percent(unique[chosen])} of its values are different"
    table.settle("account", chosen, "recognised", reason + also_named(chosen, candidates))


def settle_time(table: Table, role: str, named: str, *, needed: bool) -> None:
    """Settle the role of a column of times.

    Raises
    ------
    ColumnError
        If a column named in the spec is absent, or one is needed and not found.
    """
    if named:
        table.check_named(role, named)
        table.settle(role, named, "spec", f"named in the spec; {table.clock(named).words}")
        return
    lexicon = (EVENT_ROLES if table.side == "events" else ACCOUNT_ROLES)[role]
    candidates = by_preference(table.names, lexicon)
    sound = [c for c in candidates if _may_be_times(table, c, needed=needed)]
    chosen = next(iter(sound or (candidates if needed else [])), None)
    if chosen is None and role == "time":
        chosen = _only_time_column(table)
    if chosen is None:
        if needed:
            raise table.missing(role)
        why = f"no column is named like {SPOKEN[role]}"
        why = why if not candidates else f"{listed(candidates)}: named like it, but the values are not times"
        table.note(role, None, "not found", why)
        return
    clock = table.clock(chosen)
    likeness = f"named like {SPOKEN[role]}" if chosen in candidates else "the only column whose values are times"
    content = f"{clock.words}" if clock.filled else "empty so far"
    table.settle(role, chosen, "recognised", f"{likeness}; {content}{also_named(chosen, candidates)}")


def _may_be_times(table: Table, column: str, *, needed: bool) -> bool:
    """Say whether a column named like a time holds times, is still empty, or holds dates in an unreadable writing."""
    clock = table.clock(column)
    if clock.readable > 0.5 or not (needed or clock.filled):
        return True
    if needed or clock.writing != "text":
        return False
    dated = table.engine.rows(
        f"SELECT count_if(regexp_matches({quoted(column)}, '[0-9].*[-/. ,].*[0-9]')) FROM {quoted(table.rows)}"
    )
    return bool(dated[0][0] > clock.filled / 2)


def _only_time_column(table: Table) -> str | None:
    times = [column for column in table.names if table.clock(column).readable > 0.9]
    return times[0] if len(times) == 1 else None


def _settle_observed_until(table: Table, given: str | date | datetime) -> None:
    role = "observed_until"
    if given and not isinstance(given, str):
        table.note(role, None, "spec", f"the date {given.isoformat()} given in the spec, for every account")
        return
    if given and given not in table.source.columns and as_date(str(given)) is not None:
        table.note(role, None, "spec", f"the date {given} given in the spec, for every account")
        return
    settle_time(table, role, str(given), needed=False)


def as_date(text: str) -> datetime | None:
    """Return an ISO 8601 date or time, or None."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _settle_exclude(table: Table, named: str, assigned: tuple[str, ...]) -> None:
    if named:
        table.check_named("exclude", named)
        table.settle("exclude", named, "spec", "named in the spec")
        return
    words = word_list(TRUE_WORDS + FALSE_WORDS)
    for column in by_preference(tuple(c for c in table.names if c not in assigned), ACCOUNT_ROLES["exclude"]):
        filled, marks = table.engine.rows(
            f"SELECT count(*), count_if(lower(trim(CAST({quoted(column)} AS VARCHAR))) IN {words}) "
            f"FROM {quoted(table.rows)} WHERE NOT {is_missing(column)}"
        )[0]
        if filled == marks:
            table.settle("exclude", column, "recognised", "named like a mark of internal or test accounts; yes or no")
            return
    table.note("exclude", None, "not found", f"no column is named like {SPOKEN['exclude']}")


def _segments(table: Table, named: tuple[str, ...] | None, assigned: tuple[str, ...]) -> tuple[str, ...]:
    if named is not None:
        for column in named:
            table.check_named("segments", column)
            table.note("segment", column, "spec", "named in the spec as a value at signup")
    taken = {*table.roles.values(), *(named or ()), *assigned}
    free = [c for c in table.names if c not in taken]
    chosen = []
    for column in free:
        values = distinct(table, column) if is_trait_by_nature(column) else 0
        if named is not None:
            table.note("segment", column, "left out", "not among the segments named in the spec")
        elif not is_trait_by_nature(column):
            table.note("segment", column, "left out", why_left_out(column))
        elif not is_text(table.kind(column)) or not 2 <= values <= 20:
            why = f"named like a trait known at signup, but it has {values:,} different values (2 to 20 are used)"
            table.note("segment", column, "left out", why)
        else:
            chosen.append(column)
            why = f"named like a trait that does not change after signup; {values} different values"
            table.note("segment", column, "recognised", why)
    return tuple(chosen) if named is None else named


def _settle_assignments(table: Table, spec: AccountsSpec, assigned: tuple[str, ...]) -> None:
    there_are = f"The columns of {table.source.label} are: {listed(table.names, 40)}."
    observed = spec.observed_until if isinstance(spec.observed_until, str) else ""
    named = [spec.account, spec.signup, spec.churned, spec.converted, observed, spec.seats, spec.exclude]
    for column in assigned:
        if column not in table.source.columns:
            near = difflib.get_close_matches(column, table.names, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ColumnError(
                f"experiment.assignment names the column {column!r}, which {table.source.label} does not have.{hint} "
                f"{there_are} Name the column with the variant, or leave the test out."
            )
        if column in (spec.segments or ()):
            raise ColumnError(
                f"{column!r} is named both in accounts.segments and in experiment.assignment: what was assigned at "
                "random is no trait of the account. Take it out of accounts.segments."
            )
        if column in named:
            raise ColumnError(
                f"{column!r} is named in experiment.assignment and for something else in [accounts]. {there_are} Name "
                "the column with the variant."
            )
        table.note("assignment", column, "spec", "named in the spec as the variant of a past randomised test")


def distinct_share(table: Table, column: str) -> float:
    """Return the share of a column's values that are different from each other."""
    filled, different = table.engine.rows(
        f"SELECT count(v), count(DISTINCT v) FROM (SELECT {plain_text(column)} AS v FROM {quoted(table.rows)})"
    )[0]
    return different / filled if filled else 0.0


def distinct(table: Table, column: str) -> int:
    """Return how many different values a column has."""
    return int(table.engine.rows(f"SELECT count(DISTINCT {plain_text(column)}) FROM {quoted(table.rows)}")[0][0])


def also_named(chosen: str, candidates: Sequence[str]) -> str:
    """Return the words that mention the other columns that would do by their name."""
    others = [column for column in candidates if column != chosen]
    if not others:
        return ""
    return f"; preferred to {listed(others)}, also named like it (name another in the spec if this is wrong)"


def filled_in(spec: Section, roles: Mapping[str, str]) -> dict[str, object]:
    """Return a section of the spec as plain values with every recognised column that it has a key for named."""
    known = {role: column for role, column in roles.items() if role in type(spec).model_fields}
    return {**spec.model_dump(by_alias=True), **known}
