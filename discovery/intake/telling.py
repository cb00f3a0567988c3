"""What an export tells of its own users and accounts, kept in the one pass that reads its events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.intake.columns import Table
from discovery.intake.formats import Layout

NARROW = 400
"""Bytes per row up to which the columns that tell are kept; beyond, the source is read again for each SELECT."""

_SELECTS = 8  # more than a layout and a spec have between them


def told_by(layout: Layout) -> tuple[str, ...]:
    """Return the SELECTs that a layout has."""
    return tuple(select for select in (layout.members, layout.persons, layout.accounts) if select)


def columns_that_tell(table: Table, layout: Layout, selects: Iterable[str]) -> tuple[str, ...]:
    """Return the columns of the events that SELECTs of a layout read, if these are few enough to be kept.

    Empty where reading again is cheap, where a SELECT reads anything else, or where rows would be wide.
    """
    asked, scan = [select for select in selects if select], layout.source.table()
    if not asked or layout.source.in_place or any(scan not in select for select in asked):
        return ()
    rest = " ".join(select.replace(scan, "") for select in asked).lower()
    found = tuple(column for column in layout.source.columns if quoted(column).lower() in rest)
    if not found:
        return ()
    widths = " + ".join(f"coalesce(strlen(CAST({quoted(column)} AS VARCHAR)), 0)" for column in found)
    width = table.engine.rows(f"SELECT avg({widths}) FROM {quoted(table.rows)}")[0][0] or 0
    return found if width <= NARROW else ()


def told(
    engine: DuckDBEngine, typed: str, layout: Layout, columns: Sequence[str], selects: Sequence[str]
) -> dict[str, str]:
    """Answer those SELECTs that are a layout's from `told_0`, `told_1`, ... of the typed events, and drop these.

    Returns
    -------
    dict
        Each SELECT, and the one over its answer.
    """
    kept = ", ".join(f"told_{i} AS {quoted(column)}" for i, column in enumerate(columns))
    scan, answers = f"(SELECT {kept} FROM {quoted(typed)})", {}
    for i, select in enumerate(selects):
        if select in told_by(layout):
            answer = quoted(f"{typed}_told_{i}")
            engine.execute(f"CREATE OR REPLACE TABLE {answer} AS {select.replace(layout.source.table(), scan)}")
            answers[select] = f"SELECT * FROM {answer}"
    for i in range(len(columns)):
        engine.execute(f"ALTER TABLE {quoted(typed)} DROP COLUMN told_{i}")
    return answers


def with_answers(layout: Layout, answers: dict[str, str]) -> Layout:
    """Return a layout whose SELECTs are over answers that were kept."""
    return replace(
        layout,
        members=answers.get(layout.members, layout.members),
        persons=answers.get(layout.persons, layout.persons),
        accounts=answers.get(layout.accounts, layout.accounts),
    )


def forget(engine: DuckDBEngine, typed: str) -> None:
    """Drop the answers that were kept."""
    for i in range(_SELECTS):
        engine.execute(f"DROP TABLE IF EXISTS {quoted(f'{typed}_told_{i}')}")
