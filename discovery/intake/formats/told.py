"""What a log tells of its users and accounts, as SELECTs: who belongs where, who is one person, who signed up when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.errors import EngineError
from discovery.intake.formats.layout import EventRole, Look, Role
from discovery.intake.lexicon import ACCOUNT_ROLES, EVENT_ROLES, by_preference, normalised
from discovery.intake.reaching import pointer
from discovery.intake.sources import Source
from discovery.intake.sql import id_text, is_text, literal
from discovery.intake.times import Clock, look_at_times
from discovery.spec import Day

ASKED: tuple[EventRole, ...] = ("account", "user", "time")
KNOWN_WITHIN = Day
"""A trait counts as known at signup if it was told no later than this after it."""

_MOST_TRAITS = 60
_RESERVED = ("account_id", "group_id", "id", "signup_at")
_TOLD_AT = "(told) "
_OF_LATER = frozenset(
    name for role in ("churned", "converted", "observed_until", "exclude") for name in ACCOUNT_ROLES[role]
)
_TIME_LIKE = re.compile(r".*([_ ](at|on|date|time|until)|[a-z](At|On|Date|Time|Until))", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(Source):
    """The answer of `query` over another source, for which `{table}` stands in it."""

    of: Source
    query: str

    def base(self, strict: bool, rejects: str) -> str:
        """Return the query as a table expression."""
        return f"({self.query.replace('{table}', self.of.table(strict, rejects))})"

    def unreadable(self, engine: DuckDBEngine, rejects: str) -> tuple[int, tuple[str, ...]]:
        """Return how many rows of the source could not be read, and the first few."""
        return self.of.unreadable(engine, rejects)

    @property
    def guessed_encoding(self) -> tuple[str, ...]:
        """The names of files whose encoding had to be guessed."""
        return self.of.guessed_encoding

    @property
    def located(self) -> dict[str, str]:
        """What a spec says to read the source again."""
        return self.of.located

    @property
    def in_place(self) -> bool:
        """Whether reading again is cheap."""
        return self.of.in_place

    def digest(self) -> str:
        """Return the digest of the source."""
        return self.of.digest()


def told_by(engine: DuckDBEngine, of: Source, query: str) -> Source:
    """Return what a query over a source tells as a source of its own."""
    told = Told(label=of.label, path=of.path, columns={}, of=of, query=query)
    described = engine.rows(f"DESCRIBE SELECT * FROM {told.table()}")
    return replace(told, columns={str(row[0]): str(row[1]) for row in described})


def settled(source: Source) -> Source:
    """Return the source with its computed columns as columns of its own: paths can begin in them."""
    return Told(label=source.label, path=source.path, columns=source.columns, of=source, query="SELECT * FROM {table}")


def field_text(column: str, kind: str, name: str, *, first: bool = False) -> str:
    """Return an expression for one field of a nested column, or of the first in a list of records, as text."""
    if kind.startswith("STRUCT"):
        record = f"{quoted(column)}[1]" if kind.endswith("]") else quoted(column)
        return f"CAST(struct_extract({record}, {literal(name)}) AS VARCHAR)"
    return f"json_extract_string({as_json(column, kind)}, {literal(('/0' if first else '') + pointer([name]))})"


def record(column: str, kind: str, *, first: bool = False) -> str:
    """Return an expression for a nested column, or the first in a list of records, as JSON."""
    if kind.startswith("STRUCT") and kind.endswith("]"):
        return f"to_json({quoted(column)}[1])"
    return f"json_extract({as_json(column, kind)}, '/0')" if first else as_json(column, kind)


def as_json(column: str, kind: str) -> str:
    """Return an expression for a nested column as JSON; NULL where it is text that is none."""
    if is_text(kind):
        return f"CASE WHEN json_valid({quoted(column)}) THEN CAST({quoted(column)} AS JSON) END"
    return f"to_json({quoted(column)})"


def scalar_fields(look: Look, nested: str, where: str = "true", rows: str = "") -> tuple[str, ...]:
    """Return the names of the plain values in a JSON expression among the first rows, the most frequent first."""
    kind = "json_type(j, '/' || replace(replace(k, '~', '~0'), '/', '~1'))"
    given = rows or quoted(look.rows)
    found = look.engine.rows(
        f"SELECT k FROM (SELECT unnest(json_keys(j)) AS k, j FROM (SELECT {nested} AS j FROM {given} WHERE {where}) "
        f"WHERE json_type(j) = 'OBJECT') WHERE {kind} NOT IN ('OBJECT', 'ARRAY', 'NULL') AND k <> '' "
        f"GROUP BY k ORDER BY count(*) DESC, k LIMIT {_MOST_TRAITS}"
    )
    return tuple(str(name) for (name,) in found)


def holds(look: Look, expression: str) -> bool:
    """Say whether an expression has a value among the first rows; False where it cannot be asked."""
    try:
        return bool(look.engine.rows(f"SELECT count({expression}) FROM {quoted(look.rows)}")[0][0])
    except EngineError:
        return False


def folded_names(source: Source) -> dict[str, str]:
    """Return the names of the columns by their lower-case form: warehouses write them in either case."""
    return {name.lower(): name for name in reversed(tuple(source.columns))}


def with_column(source: Source, name: str, expression: str) -> Source:
    """Return the source with one more column of text, computed."""
    return replace(source, columns={**source.columns, name: "VARCHAR"}, derived={**source.derived, name: expression})


def own_account(look: Look, columns: Iterable[str]) -> Role | None:
    """Return the only column of the maker's own that is named like an account id and has values, if there is just one.

    Between several the recognition of plain tables chooses, which compares them with the accounts.
    """
    likely = [name for name in by_preference(tuple(columns), EVENT_ROLES["account"]) if holds(look, quoted(name))]
    return Role(column=likely[0], why="the only column named like an account id") if len(likely) == 1 else None


def as_asked(look: Look, source: Source, roles: Mapping[EventRole, Role]) -> dict[EventRole, Role]:
    """Return the roles with the columns that the spec names in their place, as far as the source has them."""
    asked: dict[EventRole, Role] = dict(roles)
    for role in ASKED:
        column = getattr(look.spec, role)
        if column in (look.source if role == "time" else source).columns:
            asked[role] = Role(column=column, why="named in the spec")
    return asked


def micros(look: Look, column: str) -> str:
    """Return an expression for a column of times in microseconds, read as the events' own times are."""
    clock = look_at_times(look.engine, look.rows, column, look.source.columns[column])
    return clock.micros(look.spec.timezone)


def members_told(rows: str) -> str:
    """Return the SELECT of who belongs where from a SELECT of `user_id`, `account_id`, `t`: each change once.

    A user that returns to an account is a member of it again. Rows without a time do not say since when.
    """
    seen = (
        f"SELECT user_id, {id_text('account_id', 'VARCHAR')} AS account_id, t FROM ({rows}) "
        "WHERE user_id IS NOT NULL AND account_id <> '' AND t IS NOT NULL"
    )
    before = "lag(account_id) OVER (PARTITION BY user_id ORDER BY t, account_id)"
    return f"SELECT user_id, account_id, t AS since FROM ({seen}) QUALIFY {before} IS DISTINCT FROM account_id"


def persons_told(rows: str) -> str:
    """Return the SELECT of ids that are one person from a SELECT of `user_id`, `person_id`, `t`: the first one told."""
    told = (
        f"SELECT user_id, person_id, min(t) AS t FROM ({rows}) "
        "WHERE user_id <> '' AND person_id <> '' AND user_id <> person_id GROUP BY user_id, person_id"
    )
    return (
        f"SELECT user_id, first(person_id ORDER BY t NULLS LAST, person_id) AS person_id FROM ({told}) GROUP BY user_id"
    )


def accounts_told(rows: str, traits: Mapping[str, str], *, always: bool = False) -> str:
    """Return the SELECT of accounts, each trait as it was first told, and when that was.

    Parameters
    ----------
    rows
        SELECT of `account_id` (text), `t` (microseconds) and whatever `traits` are over.
    traits
        Expressions by name of trait. The one named most like a signup, such as `createdAt`, is the signup; an account
        of which none was told signed up when it was first named.
    always
        Whether the accounts are a table of their own: with a signup even where no trait is named like one, without
        what was told more than `KNOWN_WITHIN` after it, times apart, and without when it was told. Otherwise who reads
        it decides by the signup that counts.
    """
    signup = _signup_traits(traits)
    columns = _by_column({name: text for name, text in traits.items() if name not in signup})
    told = [f"{moment(_first_of([traits[name] for name in signup]))} AS told_signup"] if signup else []
    told += [f"{text} AS trait_{i}" for i, text in enumerate(columns.values())]
    named = "make_timestamp(min(t))"
    begun = f"coalesce({_first('told_signup')}, {named})" if signup else named
    selected = ["account_id"] + ([f"{begun} AS signup_at"] if signup or always else [])
    for i, name in enumerate(columns):
        value, when = _first(f"trait_{i}"), f"min(t) FILTER (WHERE trait_{i} IS NOT NULL)"
        if always and not (normalised(name) in _OF_LATER or _TIME_LIKE.fullmatch(name)):
            value = f"CASE WHEN {when} <= epoch_us({begun}) + {KNOWN_WITHIN} THEN {value} END"
        selected += [f"{value} AS {quoted(name)}"] + ([] if always else [f"{when} AS {quoted(told_at(name))}"])
    inner = ", ".join([f"{id_text('account_id', 'VARCHAR')} AS account_id", "t", *told])
    return (
        f"SELECT {', '.join(selected)} FROM (SELECT {inner} FROM ({rows})) WHERE account_id IS NOT NULL "
        "GROUP BY account_id"
    )


def told_at(trait: str) -> str:
    """Return the name of the column that says when a trait was first told, in microseconds."""
    return _TOLD_AT + trait


def is_told_at(column: str) -> bool:
    """Say whether a column tells when a trait was first told."""
    return column.startswith(_TOLD_AT)


def moment(value: str) -> str:
    """Return an expression for a value as a TIMESTAMP in UTC: text in ISO 8601, or a number since 1970 in any unit."""
    numbers = [_clock("number", units).micros("UTC") for units in (1, 1_000, 1_000_000)]
    text = f"CASE WHEN NOT regexp_full_match(v, '[0-9.]*') THEN {_clock('text', 1).micros('UTC')} END"
    read = f"make_timestamp(coalesce({', '.join([*numbers, text])}))"
    return f"list_transform([CAST({value} AS VARCHAR)], lambda v: {read})[1]"


def _clock(writing: Literal["number", "text"], units: int) -> Clock:
    return Clock(column="v", kind="VARCHAR", writing=writing, units_per_second=units, readable=1.0, filled=1)


def _signup_traits(traits: Iterable[str]) -> list[str]:
    likely = by_preference(tuple(traits), ("created_at", *ACCOUNT_ROLES["signup"]))
    return [name for name in likely if normalised(name) == normalised(likely[0])]


def _by_column(traits: Mapping[str, str]) -> dict[str, str]:
    """Return one expression per column: names that differ in case or separators only are one trait."""
    alike: dict[str, list[str]] = {}
    for name in traits:
        alike.setdefault(normalised(name) or name, []).append(name)
    return {
        names[0]: _first_of([traits[name] for name in names]) for key, names in alike.items() if key not in _RESERVED
    }


def _first_of(values: Sequence[str]) -> str:
    return f"coalesce({', '.join(values)})" if len(values) > 1 else values[0]


def _first(value: str) -> str:
    return f"first({value} ORDER BY t NULLS LAST, CAST({value} AS VARCHAR)) FILTER (WHERE {value} IS NOT NULL)"
