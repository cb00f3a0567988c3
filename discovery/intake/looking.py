"""The first look at what was opened: the accounts as rows, the first rows of the events and how they are laid out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.errors import SourceError
from discovery.intake.columns import Table, recognise_accounts, widened
from discovery.intake.derived import with_named_traits
from discovery.intake.formats import Layout, Look, accounts_of, layout_of
from discovery.intake.properties import absent, asked_for, holders, reached
from discovery.intake.sources import Source, copy_rows, sample_rows
from discovery.intake.sql import id_text
from discovery.spec import StudySpec

LOOKED_AT = 20_000
"""Rows of the events that columns are recognised from."""


@dataclass(frozen=True, slots=True)
class Roll:
    """The accounts with their columns recognised; `lost` are lines that could not be read, and the first of them."""

    table: Table
    segments: tuple[str, ...]
    lost: tuple[int, tuple[str, ...]] = (0, ())
    signup_from: str = "table"

    @property
    def ids(self) -> str:
        """A SELECT of the `account_id` of every account."""
        key = self.table.roles["account"]
        return f"SELECT {id_text(key, self.table.kind(key))} AS account_id FROM {quoted(self.table.rows)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The first rows of the events, and how they are laid out.

    `names` are the properties asked for, `columns` where each was found, `under` the columns that properties lie
    under; `traits` are the columns of accounts that the spec names, where the accounts are read off the events.
    """

    log: Table
    layout: Layout
    names: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    traits: Mapping[str, str] = field(default_factory=dict)


def assigned(spec: StudySpec) -> tuple[str, ...]:
    """Return the columns with the variants of past tests."""
    return tuple(dict.fromkeys(test.column for test in spec.experiment.assignment))


def account_roll(engine: DuckDBEngine, source: Source, spec: StudySpec, rows: str) -> Roll:
    """Copy the accounts into a table, one row each where a tool exported several, and recognise their columns.

    Raises
    ------
    SourceError
        If there are no columns or no rows that can be read.
    ColumnError
        If a column named in the spec is absent, or the account id or signup time is not found.
    """
    table, lost = account_rows(engine, source, spec, rows)
    return Roll(table, recognise_accounts(table, spec.accounts, assigned(spec)), lost)


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
    named += [*(asked.segments or ()), *assigned(spec)]
    source = widened(engine, source, named)
    _require_columns(source)
    lost = copy_rows(engine, source, rows, "*")
    _require_rows(engine, source, rows, lost)
    own = accounts_of(engine, source, rows)
    if own is not None:
        source = widened(engine, replace(own[1], path=source.path, label=source.label), named)
        copy_rows(engine, source, f"{rows}_own", "*")
        engine.execute(f"DROP TABLE {quoted(rows)}")
        engine.execute(f"ALTER TABLE {quoted(f'{rows}_own')} RENAME TO {quoted(rows)}")
    return Table(engine, "accounts", source, rows), lost


def event_sample(
    engine: DuckDBEngine,
    source: Source,
    spec: StudySpec,
    rows: str,
    properties: Sequence[str] = (),
    *,
    derived: bool = False,
) -> Seen:
    """Copy the first rows of the events into a table, and say how they are laid out.

    Parameters
    ----------
    engine, source, spec
        Where, what and how.
    rows
        Name of the table to create.
    properties
        Properties of events that are asked for, beside those of `candidates.properties`.
    derived
        Whether the accounts are read off the events.

    Raises
    ------
    SourceError
        If there are no columns or no rows that can be read.
    ColumnError
        If a property is neither a column nor under one.
    """
    _require_columns(source)
    sample_rows(engine, source, rows, LOOKED_AT)
    _require_rows(engine, source, rows, (0, ()))
    layout = layout_of(Look(engine=engine, source=source, rows=rows, spec=spec.events))
    asked = spec.events
    wide = widened(engine, layout.source, [asked.account, asked.user, asked.event, asked.time, asked.id, asked.creator])
    if wide is not source:
        sample_rows(engine, wide, rows, LOOKED_AT)
    under, known = holders(wide, layout.properties), wide
    names, columns = asked_for(properties, spec.candidates.properties), []
    for name in names:
        wide, column = reached(engine, wide, rows, name, under)
        if column is None:
            raise absent(engine, wide, rows, name, under)
        columns.append(column)
    traits: dict[str, str] = {}
    if derived:
        wide, traits = with_named_traits(engine, wide, rows, spec, layout, under)
    if wide is not known:
        sample_rows(engine, wide, rows, LOOKED_AT)
    return Seen(
        log=Table(engine, "events", wide, rows),
        layout=layout,
        names=names,
        columns=tuple(columns),
        under=under,
        traits=traits,
    )


def _require_columns(source: Source) -> None:
    if not source.columns:
        raise SourceError(f"{source.label} holds no columns that can be read. Check the file, or export it again.")


def _require_rows(engine: DuckDBEngine, source: Source, rows: str, lost: tuple[int, tuple[str, ...]]) -> None:
    if not engine.rows(f"SELECT count(*) FROM {quoted(rows)}")[0][0]:
        unread = f"; {lost[0]:,} lines could not be read (first: {lost[1][0]!r})" if lost[0] else ""
        raise SourceError(f"{source.label} has columns but no rows that can be read{unread}. Export it again.")
