"""What must hold for accounts to be read off the events, and the errors where it does not."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.errors import ColumnError, SourceError, SpecError
from discovery.intake.columns import Table
from discovery.intake.eventlog import EventLog
from discovery.intake.properties import keys
from discovery.intake.wording import listed
from discovery.spec import StudySpec


def require_usable(log: Table, events: EventLog) -> None:
    """Raise unless an event can be used.

    Raises
    ------
    SourceError
        If none can.
    """
    if events.usable_rows:
        return
    lacking = {
        "without an account": events.missing_account,
        "without a name": events.missing_event,
        "without a time": events.missing_time,
        "with a time that does not read as one": events.unreadable_time,
        "passed over or left out": sum(events.passed_over.values()),
    }
    why = ", ".join(f"{count:,} {what}" for what, count in lacking.items() if count)
    raise SourceError(
        f"No account can be read off {log.source.label}: none of its {events.rows_read:,} rows is an event with an "
        f"account, a name and a time ({why}). Check which columns are named in the spec, and that times are ISO 8601."
    )


def require_event(engine: DuckDBEngine, events: EventLog, spec: StudySpec) -> None:
    """Raise unless the event that marks the signup occurs.

    Raises
    ------
    SpecError
        If it never does.
    """
    asked = spec.accounts
    names = [str(name) for (name,) in engine.rows(f"SELECT DISTINCT event FROM {quoted(events.usable)} ORDER BY event")]
    if as_renamed(asked.signup_event, spec) in names:
        return
    near = difflib.get_close_matches(asked.signup_event, names, n=3, cutoff=0.65)
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise SpecError(
        f"accounts.signup_event names {asked.signup_event!r}, which never occurs among the {len(names)} event names of "
        f"the log.{hint} Write it as the log does; case and spaces matter."
    )


def require_told(
    log: Table, events: EventLog, properties: Mapping[str, str], told: Sequence[str], under: Sequence[str]
) -> None:
    """Raise where the spec names a property that no event has: any path can be asked for of a nested record.

    Parameters
    ----------
    log, events
        The events as looked at, and as typed.
    properties
        The column of the typed events that holds each.
    told
        What the export tells of accounts beside the events.
    under
        The columns under which properties lie.

    Raises
    ------
    ColumnError
        If one is filled in no row.
    """
    if not properties:
        return
    counts = log.engine.rows(
        f"SELECT {', '.join(f'count({column})' for column in properties.values())} FROM {quoted(events.typed)}"
    )[0]
    absent = next((name for name, count in zip(properties, counts, strict=True) if not count), None)
    if absent is None:
        return
    inside = [key for column in under for key in keys(log.engine, log.source, log.rows, column)]
    own = [name for name in log.source.columns if name not in log.source.derived]
    there = list(dict.fromkeys([*told, *inside, *own]))
    near = difflib.get_close_matches(absent, there, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else f" There are: {listed(there, 40)}."
    raise ColumnError(
        f"The spec names {absent!r} for the accounts, which are read off the events, but nothing tells it of accounts, "
        f"and no event of {log.source.label} has it.{hint} Name it as the export does; case matters."
    )


def as_renamed(event: str, spec: StudySpec) -> str:
    """Return the name under which an event is counted."""
    return next((name for name, spellings in spec.events.aliases.items() if event in spellings), event)
