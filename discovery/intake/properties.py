"""Properties of events as text and as numbers, wherever the export keeps them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.errors import ColumnError
from discovery.intake.columns import Table, widened
from discovery.intake.lexicon import PROPERTY_COLUMNS, normalised
from discovery.intake.reaching import unwrapped
from discovery.intake.sources import JsonFiles, Source
from discovery.intake.sql import is_fractional, is_number, literal
from discovery.intake.wording import listed
from discovery.milestone import NUMBER

BY_OTHER = "by_other"
"""What `candidates.properties` calls the condition on who did it; no column of the events holds it."""


def asked_for(*lists: Sequence[str]) -> tuple[str, ...]:
    """Return the names of properties in several lists, each once."""
    return tuple(name for name in dict.fromkeys(name for names in lists for name in names) if name != BY_OTHER)


def holders(source: Source, told: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns under which properties lie: those the layout tells, else those with a usual name."""
    return told or tuple(column for column in source.columns if normalised(column) in PROPERTY_COLUMNS)


def reached(
    engine: DuckDBEngine, source: Source, rows: str, name: str, under: tuple[str, ...]
) -> tuple[Source, str | None]:
    """Return the source with a property among its columns, and that column; None where there is none.

    It is a column or a dotted path, else looked for under each of the columns `under`. `rows` is a table with the
    first rows.
    """
    paths = [name, *(f"{column}.{name}" for column in under)]
    if name not in source.columns:  # looking for a rare column may read everything: last
        held = [column for column in under if name in keys(engine, source, rows, column)]
        paths = [*(f"{column}.{name}" for column in held), *paths]
    for path in paths:
        source = widened(engine, source, [path])
        if path in source.columns:
            return source, path
    return source, None


def fields(table: Table, columns: Sequence[str]) -> list[str]:
    """Return the select list of `property_i` and `number_i` for the columns of the properties."""
    found = []
    for i, column in enumerate(columns):
        text = _text(table, column)
        found.append(f"{text} AS property_{i}")
        found.append(f"{_number(table, column, text)} AS number_{i}")
    return found


def require(engine: DuckDBEngine, table: Table, typed: str, names: Sequence[str], under: tuple[str, ...]) -> None:
    """Raise unless every property occurs in the events.

    Raises
    ------
    ColumnError
        If a property is filled in no row.
    """
    if not names:
        return
    counts = engine.rows(f"SELECT {', '.join(f'count(property_{i})' for i in range(len(names)))} FROM {quoted(typed)}")
    for name, count in zip(names, counts[0], strict=True):
        if not count:
            raise absent(engine, table.source, table.rows, name, under)


def absent(engine: DuckDBEngine, source: Source, rows: str, name: str, under: tuple[str, ...]) -> ColumnError:
    """Return the error for a property that no event has; `rows` is a table with the first rows."""
    inside = [key for column in under for key in keys(engine, source, rows, column)]
    held = tuple(f"{column}." for column in under)
    known = [c for c in dict.fromkeys([*inside, *source.columns]) if c != name and not c.startswith(held)]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else f" There are: {listed(known, 40)}."
    return ColumnError(
        f"No event of {source.label} has the property {name!r}.{hint} Name it as the export does, in "
        "candidates.properties or in the milestone; case matters."
    )


def _text(table: Table, column: str) -> str:
    kind, name = table.kind(column), quoted(column)
    if kind.startswith("JSON"):
        text = unwrapped(f"json_extract_string({name}, '$')")
    elif ("(" in kind and kind.startswith(("STRUCT", "MAP"))) or kind.endswith("]"):
        text = unwrapped(f"CAST(to_json({name}) AS VARCHAR)")
    elif is_fractional(kind) and not kind.startswith("DECIMAL"):
        text = f"CASE WHEN NOT isnan({name}) THEN CAST({name} AS VARCHAR) END"
    else:
        text = f"CAST({name} AS VARCHAR)"
    text = f"NULLIF({text}, '')"
    if isinstance(table.source, JsonFiles):
        return text if column in table.source.derived else unwrapped(text)  # what lies at a path is so already
    if not kind.startswith("VARCHAR"):
        return text
    # What wrote the file may have been Python: True is "true".
    return f"CASE WHEN {text} IN ('True', 'TRUE', 'False', 'FALSE') THEN lower({text}) ELSE {text} END"


def _number(table: Table, column: str, text: str) -> str:
    """Return the expression of a property as a number, as the SQL of a milestone reads it."""
    if table.kind(column) == "BOOLEAN":
        return "CAST(NULL AS DOUBLE)"
    if is_number(table.kind(column)) and not is_fractional(table.kind(column)):
        return f"CAST({quoted(column)} AS DOUBLE)"
    return f"CASE WHEN regexp_matches({text}, {literal(NUMBER)}) THEN TRY_CAST(trim({text}) AS DOUBLE) END"


def keys(engine: DuckDBEngine, source: Source, rows: str, column: str) -> list[str]:
    """Return the names under a nested column in the first rows."""
    if column not in source.columns:
        return []
    text = f"CAST({quoted(column)} AS VARCHAR)"
    if source.columns[column].startswith(("STRUCT", "MAP")):
        text = f"CAST(to_json({quoted(column)}) AS VARCHAR)"
    found = engine.rows(
        f"SELECT DISTINCT unnest(json_keys(v)) AS k FROM (SELECT {text} AS v FROM {quoted(rows)}) "
        "WHERE CASE WHEN json_valid(v) THEN json_type(v) END = 'OBJECT' ORDER BY k"
    )
    return [str(key) for (key,) in found]
