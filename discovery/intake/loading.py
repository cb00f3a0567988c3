"""From what was given to two checked relations, in the order it happens."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from discovery.engines import Engine
from discovery.engines.duckdb import DuckDBEngine
from discovery.errors import EngineError, SourceError
from discovery.intake.checks import Checked, check_quality
from discovery.intake.columns import Table, filled_in, recognise_accounts, recognise_events, widened
from discovery.intake.digest import combined
from discovery.intake.eventlog import build_events
from discovery.intake.memory import open_source
from discovery.intake.observation import with_end_of_observation
from discovery.intake.relations import UNKNOWN_TIME, Relations
from discovery.intake.roster import Roster, build_accounts
from discovery.intake.silence import silence_in_words
from discovery.intake.sources import Source, copy_rows, sample_rows
from discovery.intake.span import with_span
from discovery.intake.sql import quoted
from discovery.spec import StudySpec, build_spec

LOOKED_AT = 20_000
"""Rows of the events that columns are recognised from."""

_NUMBERS = itertools.count(1)


def load(
    events: object,
    accounts: object,
    spec: StudySpec,
    *,
    engine: Engine | None = None,
    progress: Callable[[str], None] | None = None,
) -> Relations:
    """Read events and accounts, recognise their columns, and check every row.

    Parameters
    ----------
    events, accounts
        Each a file, folder or glob (CSV, TSV, JSON lines, each also as .gz, or Parquet), a pandas,
        Polars or Arrow table, an Arrow record batch reader, or a DuckDB relation. None takes the
        `from` of the spec.
    spec
        What is asked. Columns it names are used as they are; others are recognised.
    engine
        A `DuckDBEngine`; one is created where none is given.
    progress
        Called with a few words when a stage begins.

    Returns
    -------
    Relations
        Also where a check found an error in the rows: its `quality` then holds a finding of severity
        "error", and the caller decides whether to go on.

    Raises
    ------
    SourceError
        If a file, folder or table is missing, empty or unreadable.
    ColumnError
        If a column that is needed is not found, or one named in the spec does not exist.
    SpecError
        If the inferred outcome does not fit the rest of the spec.
    """
    held = engine if engine is not None else DuckDBEngine()
    if not isinstance(held, DuckDBEngine):
        raise EngineError(
            f"Events are read with DuckDB; the engine given speaks {held.dialect!r}. Give a DuckDBEngine."
        )
    try:
        return _load(held, events, accounts, spec, progress or _silent)
    except BaseException:
        if engine is None:
            held.close()
        raise


def _load(
    engine: DuckDBEngine, events: object, accounts: object, spec: StudySpec, progress: Callable[[str], None]
) -> Relations:
    number = next(_NUMBERS)
    with ThreadPoolExecutor(max_workers=1) as pool:
        progress("Reading the accounts")
        account_source = opened(engine, accounts, spec.accounts.source, "accounts", f"accounts_given_{number}")
        event_source = opened(engine, events, spec.events.source, "events", f"events_given_{number}")
        digest = pool.submit(lambda: combined([event_source.digest(), account_source.digest()]))
        roll, lost = account_rows(engine, account_source, spec, f"accounts_{number}_rows")
        assigned = tuple(dict.fromkeys(test.column for test in spec.experiment.assignment))
        segments = recognise_accounts(roll, spec.accounts, assigned)
        log = event_sample(engine, event_source, spec, f"events_{number}_sample")
        recognise_events(log, spec.events, roll)
        progress("Reading the events")
        relations = _checked(log, roll, segments, assigned, spec, digest, lost, number, progress)
    for given in (log.rows, f"events_given_{number}", f"accounts_given_{number}"):
        engine.execute(f"DROP TABLE IF EXISTS {quoted(given)}")
    return relations


def _checked(
    log: Table,
    roll: Table,
    segments: tuple[str, ...],
    assigned: tuple[str, ...],
    spec: StudySpec,
    digest: Future[str],
    account_losses: tuple[int, tuple[str, ...]],
    number: int,
    progress: Callable[[str], None],
) -> Relations:
    engine, zone = log.engine, spec.events.timezone
    events = build_events(log, f"events_{number}", zone, spec.events.duplicates)
    roster = build_accounts(roll, f"accounts_{number}", segments, assigned, timezone=zone, date_only=events.date_only)
    events = with_span(engine, events, roster)
    roster = with_end_of_observation(engine, roster, events, spec.accounts, zone)
    progress("Checking the rows")
    silence = silence_in_words(roll, events, roster)
    departures = bool((roster.accounts.churned != UNKNOWN_TIME).any()) and not silence
    resolved = _resolved(spec, log, roll, segments, _kind(spec, roster, departures))
    sha256 = digest.result()
    guessed = (*log.source.guessed_encoding, *roll.source.guessed_encoding)
    return Relations(
        engine=engine,
        events_table=events.usable,
        accounts_table=roster.table,
        accounts=roster.accounts,
        spec=resolved,
        recognised=(*log.recognised, *roll.recognised),
        quality=check_quality(Checked(engine, events, roster, resolved, silence, account_losses, guessed)),
        log_start=events.start if events.start is not None else 0,
        log_end=events.end if events.end is not None else 0,
        events_rows=events.rows_read,
        date_only=events.date_only,
        has_users=events.has_users and "user" in log.roles,
        churn_is_silence=bool(silence),
        has_departures=departures,
        input_sha256=sha256,
    )


def opened(engine: DuckDBEngine, given: object, named: str, role: str, table: str) -> Source:
    """Open what was given, else what the spec names; `role` is "events" or "accounts".

    Raises
    ------
    SourceError
        If there is neither, or it cannot be read.
    """
    given = named if given is None else given
    if isinstance(given, str) and not given:
        raise SourceError(
            f"No {role} were given. Give a path, or set {role}.from in the spec: the spec of a study of tables in "
            "memory names none."
        )
    return open_source(engine, given, role, table)


def account_rows(
    engine: DuckDBEngine, source: Source, spec: StudySpec, rows: str
) -> tuple[Table, tuple[int, tuple[str, ...]]]:
    """Copy the accounts into a table, and return it with how many lines were lost and the first of them.

    Raises
    ------
    SourceError
        If there are no columns or no rows that can be read.
    """
    asked = spec.accounts
    observed = asked.observed_until if isinstance(asked.observed_until, str) else ""
    named = [asked.account, asked.signup, asked.churned, asked.converted, observed, asked.seats, asked.exclude]
    assigned = [test.column for test in spec.experiment.assignment]
    source = widened(engine, source, [*named, *(asked.segments or ()), *assigned])
    _require_columns(source)
    lost = copy_rows(engine, source, rows, "*")
    _require_rows(engine, source, rows, lost)
    return Table(engine, "accounts", source, rows), lost


def event_sample(engine: DuckDBEngine, source: Source, spec: StudySpec, rows: str) -> Table:
    """Copy the first rows of the events into a table, for columns to be recognised from.

    Raises
    ------
    SourceError
        If there are no columns or no rows that can be read.
    """
    asked = spec.events
    source = widened(engine, source, [asked.account, asked.user, asked.event, asked.time, asked.id])
    _require_columns(source)
    sample_rows(engine, source, rows, LOOKED_AT)
    _require_rows(engine, source, rows, (0, ()))
    return Table(engine, "events", source, rows)


def _require_columns(source: Source) -> None:
    if not source.columns:
        raise SourceError(f"{source.label} holds no columns that can be read. Check the file, or export it again.")


def _require_rows(engine: DuckDBEngine, source: Source, rows: str, lost: tuple[int, tuple[str, ...]]) -> None:
    if not engine.rows(f"SELECT count(*) FROM {quoted(rows)}")[0][0]:
        unread = f"; {lost[0]:,} lines could not be read (first: {lost[1][0]!r})" if lost[0] else ""
        raise SourceError(f"{source.label} has columns but no rows that can be read{unread}. Export it again.")


def _kind(spec: StudySpec, roster: Roster, departures: bool) -> str:
    if spec.outcome.kind:
        return spec.outcome.kind
    if departures:
        return "retained"
    return "converted" if bool((roster.accounts.converted != UNKNOWN_TIME).any()) else "active"


def _resolved(spec: StudySpec, log: Table, roll: Table, segments: tuple[str, ...], kind: str) -> StudySpec:
    values: dict[str, Any] = spec.model_dump(by_alias=True)
    values["events"] = {**filled_in(spec.events, log.roles), "from": log.source.path}
    values["accounts"] = {**filled_in(spec.accounts, roll.roles), "from": roll.source.path, "segments": segments}
    values["outcome"] = {**values["outcome"], "kind": kind}
    return build_spec(values)


def _silent(stage: str) -> None:
    return
