"""Accounts where there is no table of them: one for each account id among the events, and what these tell of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.intake.columns import Table, as_date, recognise_accounts
from discovery.intake.eventlog import USABLE, EventLog
from discovery.intake.formats import Layout
from discovery.intake.formats.told import KNOWN_WITHIN, is_told_at, moment, told_at
from discovery.intake.lexicon import ACCOUNT_ROLES, is_trait_by_nature, normalised, why_left_out
from discovery.intake.properties import holders, reached
from discovery.intake.requirements import as_renamed, require_event, require_told, require_usable
from discovery.intake.sources import MemoryTable, Source
from discovery.intake.sql import id_text, literal, plain_text
from discovery.intake.wording import counted
from discovery.results import RecognisedColumn
from discovery.spec import FORMAT_NAMES, AccountsSpec, Day, StudySpec

ACCOUNT, SIGNUP, CHURNED = "(account)", "(signup)", "(churned)"
"""Columns that are computed; no column of an export is called like that."""

_LATEST = ("churned", "converted", "observed_until", "exclude")
_MOSTLY = 0.95
_FIRST_EVENT = "no table of accounts: the account's first event stands for its signup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """Columns of the events that say something of the account.

    `columns` maps the name of each, as the spec or the export has it, to the column of the events; `late` are those
    of which the last value told counts, `early` those of which the first does; of all others it is the value on the
    account's earliest row, unknown where rows of that moment disagree. `left_out` are columns with one value per
    account that no one vouched for.
    """

    columns: Mapping[str, str]
    late: frozenset[str]
    early: frozenset[str]
    left_out: tuple[str, ...] = ()


def with_named_traits(
    engine: DuckDBEngine, source: Source, rows: str, spec: StudySpec, layout: Layout, under: tuple[str, ...]
) -> tuple[Source, dict[str, str]]:
    """Return the events with the columns that `accounts` and `experiment` name, and where each was found."""
    told = {name for name in _told_columns(engine, layout) if not is_told_at(name)}
    found: dict[str, str] = {}
    for name in named_in(spec):
        if name not in told:
            source, column = reached(engine, source, rows, name, under)
            if column is not None:
                found[name] = column
    return source, found


def named_in(spec: StudySpec) -> tuple[str, ...]:
    """Return the columns of accounts that the spec names."""
    asked = spec.accounts
    observed = asked.observed_until if isinstance(asked.observed_until, str) else ""
    observed = "" if as_date(observed) else observed
    named = (asked.signup, asked.churned, asked.converted, observed, asked.seats, asked.exclude)
    tests = (test.column for test in spec.experiment.assignment)
    return tuple(dict.fromkeys(name for name in (*named, *(asked.segments or ()), *tests) if name))


def find_traits(log: Table, named: Mapping[str, str], spec: StudySpec, layout: Layout) -> Traits:
    """Return the columns of the events that say something of the account.

    They are those named in the spec, and those named like a column of accounts that have one value in at least 95 %
    of the accounts with several rows among those looked at.
    """
    taken = {*log.roles.values(), *named.values()}
    free = [c for c in log.names if c not in taken and not _is_nested(log.kind(c))]
    if layout.format != "table":  # what a tool adds to every row is its own affair
        free = [c for c in free if _role(c) or is_trait_by_nature(c)]
    constant = _constant(log, free)
    roles = {c: _role(c) for c in constant}
    used = {c: c for c in constant if roles[c] or is_trait_by_nature(c)}
    asked = spec.accounts
    late = {str(getattr(asked, role)) for role in _LATEST} | {c for c, role in roles.items() if role in _LATEST}
    early = {asked.signup, *(test.column for test in spec.experiment.assignment)}
    early |= {c for c, role in roles.items() if role == "signup"}
    return Traits(
        columns={**named, **used},
        late=frozenset(late),
        early=frozenset(early),
        left_out=tuple(c for c in constant if c not in used),
    )


def derive_accounts(
    log: Table, events: EventLog, layout: Layout, spec: StudySpec, traits: Traits, rows: str
) -> tuple[Table, tuple[str, ...], str]:
    """Read the accounts off the typed events, as if they had been a table.

    Returns
    -------
    tuple
        The table with its columns recognised; the segments; where signups are from.

    Raises
    ------
    SourceError
        If no event can be used.
    SpecError
        If `accounts.signup_event` never occurs.
    ColumnError
        If a column named in the spec is absent, or no event has the property it names.
    """
    engine, asked = log.engine, spec.accounts
    require_usable(log, events)
    if asked.signup_event:
        require_event(engine, events, spec)
    wanted = _numbered(traits)
    properties = {name: wanted[name] for name in named_in(spec) if traits.columns.get(name) in log.source.derived}
    besides = [name for name in _told_columns(engine, layout) if not is_told_at(name)]
    require_told(log, events, properties, besides, holders(log.source, layout.properties))
    told = _keep_told(engine, layout, f"{rows}_told", events.date_only, spec.events.timezone)
    columns = {name: column for name, column in _numbered(traits).items() if name not in told}
    signup, signup_from = _signup(spec, columns, told, traits, layout)
    late = _keep(log, events, spec, traits, columns, told, signup, rows)
    described = engine.rows(f"DESCRIBE {quoted(rows)}")
    source = MemoryTable(
        label=f"the accounts read off {log.source.label}",
        path=asked.source or "events",
        columns={str(row[0]): str(row[1]) for row in described},
        name=rows,
        sha256="",
    )
    roll = Table(engine, "accounts", source, rows)
    churned = CHURNED if asked.silence_days and not asked.churned else asked.churned
    stated = asked.model_copy(update={"account": ACCOUNT, "signup": signup, "churned": churned})
    segments = recognise_accounts(roll, stated, tuple(test.column for test in spec.experiment.assignment))
    _say_how(roll, log, spec, signup_from)
    roll.recognised[:] = [_as_first_told(noted) if noted.column in told else noted for noted in roll.recognised]
    _say_late(roll, late)
    for column in traits.left_out:
        roll.note("segment", column, "left out", f"one value per account; {why_left_out(column)}")
    return roll, segments, signup_from


def _as_first_told(noted: RecognisedColumn) -> RecognisedColumn:
    """Return why a column was left out in the words that fit what was told first."""
    column = noted.column or ""
    if noted.reason != why_left_out(column):
        return noted
    return replace(noted, reason=why_left_out(column, first_told=True))


def _signup(
    spec: StudySpec, columns: Mapping[str, str], told: Mapping[str, str], traits: Traits, layout: Layout
) -> tuple[str, str]:
    """Return the column of the signup, and where it is from."""
    asked = spec.accounts
    if asked.signup:
        return asked.signup, "column"
    if asked.signup_event:
        return SIGNUP, "signup event"
    if "signup_at" in told:
        return SIGNUP, layout.format
    wide = [name for name in columns if name in traits.early and _role(name) == "signup"]
    ranked = sorted(wide, key=lambda name: ACCOUNT_ROLES["signup"].index(normalised(name)))
    return (ranked[0], "column") if ranked else (SIGNUP, "first event")


def _keep(
    log: Table,
    events: EventLog,
    spec: StudySpec,
    traits: Traits,
    columns: Mapping[str, str],
    told: Mapping[str, str],
    signup: str,
    rows: str,
) -> dict[str, int]:
    """Keep the accounts, and return how many were told each trait only after their signup."""
    engine, asked = log.engine, spec.accounts
    usable = f"(SELECT * FROM {quoted(events.typed)} WHERE {USABLE})"
    inside = f"FILTER (WHERE t BETWEEN {events.start or 0} AND {events.end or 0})"
    marked = f"min(t) FILTER (WHERE event = {literal(as_renamed(asked.signup_event, spec))})"
    settled = [
        f"arg_{'max' if name in traits.late else 'min'}({column}, (t, CAST({column} AS VARCHAR))) AS {column}"
        for name, column in columns.items()
        if name in traits.late or name in traits.early
    ]
    begun = [column for name, column in columns.items() if name not in traits.late and name not in traits.early]
    times = [
        "account_id",
        f"coalesce(min(t) {inside}, min(t)) AS first",
        f"coalesce(max(t) {inside}, max(t)) AS last",
        f"{marked if asked.signup_event else 'CAST(NULL AS BIGINT)'} AS marked",
    ]
    engine.execute(
        f"CREATE OR REPLACE TABLE {quoted(rows + '_span')} AS SELECT {', '.join([*times, *settled])} FROM {usable} "
        "GROUP BY account_id"
    )
    if events.coding:
        named = events.coding.with_account_ids(f"(SELECT *, account_id AS called FROM {quoted(rows + '_span')})")
        engine.execute(f"CREATE OR REPLACE TABLE {quoted(rows + '_span')} AS SELECT * FROM {named}")
    called = "called" if events.coding else "account_id"
    span = quoted(f"{rows}_span")
    agreed = (f"CASE WHEN min(e.{c}) = max(e.{c}) THEN min(e.{c}) END AS {c}" for c in begun)
    early = ", ".join(["e.account_id", *agreed])
    joined = (
        f"{span} s JOIN (SELECT {early} FROM {usable} e JOIN {span} s ON e.account_id = s.{called} AND e.t = s.first "
        f"GROUP BY e.account_id) y ON s.{called} = y.account_id"
    )
    joined += f" LEFT JOIN {quoted(rows + '_told')} o ON s.account_id = o.account_id" if told else ""
    engine.execute(
        f"CREATE OR REPLACE TABLE {quoted(rows)} AS SELECT "
        f"{', '.join(_selected(events, asked, columns, told, signup, set(begun)))} FROM {joined}"
    )
    dated = [name for name in told if name != "signup_at" and not _of_any_time(name, asked)]
    since = _signed_up(asked, columns, told, signup, set(begun))
    counts = [
        f"count_if(o.{quoted(name)} IS NOT NULL AND NOT coalesce({_in_time(name, since)}, false))" for name in dated
    ]
    late = engine.rows(f"SELECT {', '.join(counts)} FROM {joined}")[0] if dated else ()
    for table in (f"{rows}_span", f"{rows}_told"):
        engine.execute(f"DROP TABLE IF EXISTS {quoted(table)}")
    return {name: int(count) for name, count in zip(dated, late, strict=True) if count}


def _selected(
    events: EventLog,
    asked: AccountsSpec,
    columns: Mapping[str, str],
    told: Mapping[str, str],
    signup: str,
    begun: set[str],
) -> list[str]:
    """Return the select list of the accounts, over their span `s`, earliest rows `y` and what was told `o`."""
    stamp = "make_timestamp" if events.date_only else "make_timestamptz"
    found = [f"s.account_id AS {quoted(ACCOUNT)}"]
    if signup == SIGNUP:
        first = f"{stamp}(s.{'marked' if asked.signup_event else 'first'})"
        as_told = f"coalesce(o.{quoted(told['signup_at'])}, {first})" if "signup_at" in told else first
        found.append(f"{first if asked.signup_event else as_told} AS {quoted(SIGNUP)}")
    if asked.silence_days and not asked.churned:
        gone = f"s.last + {asked.silence_days * Day}"
        found.append(f"CASE WHEN {gone} < {events.end or 0} THEN {stamp}({gone}) END AS {quoted(CHURNED)}")
    found += [f"{'y' if column in begun else 's'}.{column} AS {quoted(name)}" for name, column in columns.items()]
    unused = "signup_at" if signup == SIGNUP else ""
    since = _signed_up(asked, columns, told, signup, begun)
    for name in told:
        if name != unused:
            known = "" if _of_any_time(name, asked) else f"CASE WHEN {_in_time(name, since)} THEN o.{quoted(name)} END"
            found.append(f"{known or f'o.{quoted(name)}'} AS {quoted(name)}")
    return found


def _signed_up(
    asked: AccountsSpec, columns: Mapping[str, str], told: Mapping[str, str], signup: str, begun: set[str]
) -> str:
    """Return the expression for the signup in microseconds, over the tables of `_selected`."""
    if signup != SIGNUP:
        column = columns.get(signup)
        value = f"{'y' if column in begun else 's'}.{column}" if column else f"o.{quoted(signup)}"
        return f"coalesce(epoch_us({moment(value)}), s.first)"
    if asked.signup_event:
        return "s.marked"
    return f"coalesce(epoch_us(o.{quoted(told['signup_at'])}), s.first)" if "signup_at" in told else "s.first"


def _in_time(name: str, since: str) -> str:
    """Return the condition that a trait was known at signup."""
    return f"o.{quoted(told_at(name))} <= {since} + {KNOWN_WITHIN}"


def _of_any_time(name: str, asked: AccountsSpec) -> bool:
    """Say whether a column tells of an end, or of the signup itself, and is no trait."""
    return bool(_role(name)) or name in (asked.signup, *(getattr(asked, role) for role in _LATEST))


def _numbered(traits: Traits) -> dict[str, str]:
    return {name: f"trait_{i}" for i, name in enumerate(traits.columns)}


def _told_columns(engine: DuckDBEngine, layout: Layout) -> dict[str, str]:
    """Return the columns that the layout tells of accounts, with their types."""
    if not layout.accounts:
        return {}
    described = {str(row[0]): str(row[1]) for row in engine.rows(f"DESCRIBE {layout.accounts}")}
    return {name: kind for name, kind in described.items() if name != "account_id"}


def _keep_told(engine: DuckDBEngine, layout: Layout, table: str, date_only: bool, zone: str) -> dict[str, str]:
    """Keep what the layout tells of accounts as a table, times as the typed events have them."""
    told = _told_columns(engine, layout)
    if not told:
        return {}
    fields = ["CAST(account_id AS VARCHAR) AS account_id"]
    for name, kind in told.items():
        value, micros = quoted(name), f"epoch_us({quoted(name)})"
        if kind == "TIMESTAMP":
            wall = f"make_timestamp(epoch_us(timezone({literal(zone)}, make_timestamptz({micros}))))"
            value = wall if date_only else f"make_timestamptz({micros})"
        fields.append(f"{value} AS {quoted(name)}")
    one = "QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY ALL) = 1".replace(
        "ALL", ", ".join(quoted(name) for name in told)
    )
    engine.execute(
        f"CREATE OR REPLACE TABLE {quoted(table)} AS SELECT {', '.join(fields)} FROM ({layout.accounts}) "
        f"WHERE account_id IS NOT NULL {one}"
    )
    return {name: name for name in told if not is_told_at(name)}


def _constant(log: Table, names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns with one value in nearly all accounts that have several rows among those looked at."""
    account = log.roles.get("account")
    if account is None or not names:
        return ()
    values = [
        f"count({v}) AS n{i}, min({v}) = max({v}) AS same{i}" for i, v in enumerate(plain_text(name) for name in names)
    ]
    several = [f"count_if(n{i} > 1), count_if(n{i} > 1 AND same{i})" for i in range(len(names))]
    counts = log.engine.rows(
        f"SELECT {', '.join(several)} FROM (SELECT {', '.join(values)} FROM {quoted(log.rows)} "
        f"GROUP BY {id_text(account, log.kind(account))})"
    )[0]
    pairs = zip(names, counts[::2], counts[1::2], strict=True)
    return tuple(c for c, accounts, same in pairs if accounts and same >= _MOSTLY * accounts)


def _is_nested(kind: str) -> bool:
    return kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION", "JSON"))


def _role(column: str) -> str:
    """Return the role in accounts that a column is named like; "" where it is none."""
    name = normalised(column)
    roles = ("signup", *_LATEST)
    return next((role for role in roles if name in ACCOUNT_ROLES[role]), "")


def _say_late(roll: Table, late: Mapping[str, int]) -> None:
    """Say of each column in how many accounts it was not known at signup."""
    for i, noted in enumerate(roll.recognised):
        if count := late.get(noted.column or ""):
            later = f"unknown in {counted(count, 'account')} told it more than a day after signup"
            roll.recognised[i] = replace(noted, reason=f"{noted.reason}; {later}")


def _say_how(roll: Table, log: Table, spec: StudySpec, signup_from: str) -> None:
    """Say in words how the columns came about that the spec does not name."""
    days, asked = counted(spec.accounts.silence_days, "day"), spec.accounts
    tool = FORMAT_NAMES.get(signup_from, signup_from)
    signup = {
        "first event": _FIRST_EVENT,
        "signup event": f"the account's first {asked.signup_event!r}",
    }.get(signup_from, f"when the export of {tool} says; else the account's first event")
    said: dict[str | None, tuple[str, str | None, str]] = {
        ACCOUNT: (
            "account",
            log.roles.get("account"),
            "no table of accounts: one for each account id among the events",
        ),
        SIGNUP: ("signup", None, signup),
        CHURNED: ("churned", None, f"{days} after the account's last event: silence, not a recorded departure"),
    }
    if not asked.signup and (column := roll.roles["signup"]) != SIGNUP:
        said[column] = ("signup", column, f"named like the signup time; {roll.clock(column).words}")
    for i, noted in enumerate(roll.recognised):
        if noted.column in said:
            role, named, reason = said[noted.column]
            roll.recognised[i] = RecognisedColumn(
                table="accounts",
                role=role,
                column=named,
                source="recognised",
                reason=reason,
            )
