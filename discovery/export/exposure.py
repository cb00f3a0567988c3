"""The SQL whose answer is all that a study asks of the events, over the user's own tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from discovery.engines.aggregated import Settings
from discovery.engines.dialects import dialect_named
from discovery.engines.raw_tables import RawTables
from discovery.errors import InputError, SpecError
from discovery.export.sql import ACCOUNTS, EVENTS, below_notes, notes_of_tables, raw_tables, refuse_unnamed
from discovery.exposure.one_answer import one_answer
from discovery.spec import EventsSpec, StudySpec

if TYPE_CHECKING:
    from discovery.intake.heads import Heads


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureSelect:
    """One SELECT whose answer a study goes on from.

    Attributes
    ----------
    dialect : str
        Whose SQL it is.
    sql : str
        The SELECT, without a semicolon.
    notes : tuple of str
        What it gives and what it takes for granted, one sentence each.
    tables : RawTables
        What is known of the tables it reads.
    """

    dialect: str
    sql: str
    notes: tuple[str, ...]
    tables: RawTables

    @property
    def commented(self) -> str:
        """The SELECT below its notes, each a line of comment."""
        return below_notes(("All that a study asks of the events", *self.notes), self.sql)


def exposure_select(
    spec: StudySpec,
    dialect: str,
    *,
    heads: Heads | None = None,
    events_table: str = EVENTS,
    accounts_table: str = ACCOUNTS,
    types: Mapping[str, str] | None = None,
) -> ExposureSelect:
    """Write the SELECT of the aggregates over tables whose columns are those of a spec.

    Parameters
    ----------
    spec
        Names of the columns, the zone, what counts once or not at all, and the windows.
    dialect
        Name of the dialect.
    heads
        What was seen of the sources; None where there are none, and all is taken from the spec.
    events_table, accounts_table
        Names of the tables, with a schema where one is needed.
    types
        What columns of the tables hold, where that differs from the sources, as in `milestone_select`.

    Raises
    ------
    InputError
        If the dialect or a type is not known, or a column that is needed is not named.
    SpecError
        If the spec asks for what aggregates do not hold.
    """
    refuse_what_is_not_held(spec)
    types = types or {}
    seen = heads.spec if heads is not None else spec
    refuse_unnamed(seen, heads)
    events = spec.events
    by_id = events.duplicates == "by_id" and bool(seen.events.id)
    tables = replace(
        raw_tables(seen, dialect, heads, events_table, accounts_table, types),
        duplicates=events.duplicates if by_id or events.duplicates != "by_id" else "keep",
        event_creator=None,
        aliases={old: name for name, spellings in events.aliases.items() for old in spellings},
        leave_out=events.leave_out,
        leave_out_users=events.leave_out_users,
    )
    settings = Settings.of(spec, dates_only=tables.dates_only, has_users=tables.event_user is not None)
    return ExposureSelect(
        dialect=dialect_named(dialect).name,
        sql=one_answer(tables, settings, dialect),
        notes=_notes(tables, settings, heads, types),
        tables=tables,
    )


def without_rewriting(spec: StudySpec) -> StudySpec:
    """Return a spec that takes the rows as they are, for looking at the columns alone."""
    plain = {key: EventsSpec.model_fields[key].get_default() for key in ("aliases", "leave_out", "leave_out_users")}
    return spec.model_copy(update={"events": spec.events.model_copy(update=plain)})


def refuse_what_is_not_held(spec: StudySpec) -> None:
    """Raise `SpecError` or `InputError` if the spec asks for what aggregates do not hold."""
    asked = {
        "[identity]": (
            bool(spec.identity.source or spec.identity.persons),
            "join the accounts to the events in a view",
        ),
        'accounts.from = "events"': (spec.accounts.derived, "make a view of the accounts and their signups"),
        "candidates.properties": (bool(spec.candidates.properties), "leave them out, or run on the events"),
    }
    unknown = {name: remedy for name, (given, remedy) in asked.items() if given}
    if unknown:
        remedies = "; ".join(f"for {name}, {remedy}" for name, remedy in unknown.items())
        raise SpecError(f"The spec sets {', '.join(unknown)}, of which aggregates know nothing: {remedies}.")
    if spec.events.format not in ("auto", "table"):
        raise InputError(
            f"events.format = {spec.events.format!r} names an export of a tool, and the SQL reads a plain table. Make "
            'a view with the account, the name and the time of each event, and set events.format = "table".'
        )


def _notes(tables: RawTables, settings: Settings, heads: Heads | None, types: Mapping[str, str]) -> tuple[str, ...]:
    days = [*settings.within_days, settings.window_days]
    return (
        "Save the whole answer as Parquet (or CSV) and the accounts as they are now, then: discover run SPEC "
        "--exposure FILE.",
        f"Of every account and event: how often, by how many users, and when first, in the first "
        f"{', '.join(map(str, days))} days; no row of an event and no id of a user leaves the engine.",
        *notes_of_tables(tables, heads, types),
    )
