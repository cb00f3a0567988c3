"""A dotted path into a nested column, as one SQL expression: structs, maps, lists of one, JSON as text."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

from discovery.engines.duckdb import DuckDBEngine
from discovery.intake.sql import is_text, literal

LOOKED_AT = 2_000
"""Rows in which keys are looked for where a path can be read in several ways."""

_MOST_PARTS = 6


def reached(engine: DuckDBEngine, rows: str, expression: str, kind: str, parts: Sequence[str]) -> str | None:
    """Return the expression for what lies at a path; None where the type has no such field.

    Keys may hold dots: the longest key that there is wins. A list of one stands for its element; others are entered
    by number, from 0.

    Parameters
    ----------
    engine, rows
        Where the first rows can be looked at, as a table expression.
    expression, kind
        The column the path begins in, and its engine type.
    parts
        The rest of the path.
    """
    if kind == "VARIANT":
        expression, kind = f"CAST({expression} AS JSON)", "JSON"
    if parts and is_text(kind):
        return _in_json(engine, rows, expression, kind, parts)
    element = _element(kind)
    if element and parts and parts[0].isdigit():
        return reached(engine, rows, f"({expression})[{int(parts[0]) + 1}]", element, parts[1:])
    if element and parts:
        return reached(engine, rows, f"CASE WHEN len({expression}) = 1 THEN ({expression})[1] END", element, parts)
    if element:
        text = f"CAST(to_json({expression}) AS VARCHAR)"
        return f"CASE WHEN len({expression}) = 1 THEN CAST(({expression})[1] AS VARCHAR) ELSE {text} END"
    if not parts:
        return expression
    if kind.startswith("STRUCT"):
        return _in_struct(engine, rows, expression, kind, parts)
    return _in_map(engine, rows, expression, kind, parts) if kind.startswith("MAP") else None


def pointer(parts: Sequence[str]) -> str:
    """Return the JSON pointer to a path of keys."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def held_pointer(engine: DuckDBEngine, rows: str, json: str, root: Sequence[str], parts: Sequence[str]) -> str:
    """Return the pointer by which the rows hold a path under `root`: keys with dots first, lists of one last."""
    readings = list(dict.fromkeys(_readings(root, parts)))
    counts = engine.rows(
        f"SELECT {', '.join(f'count_if(json_exists({json}, {literal(reading)}))' for reading in readings)} FROM {rows}"
    )[0]
    return next((reading for reading, count in zip(readings, counts, strict=True) if count), pointer([*root, *parts]))


def unwrapped(text: str) -> str:
    """Return the expression for JSON as text, a list of one as its element."""
    one = f"CASE WHEN starts_with({text}, '[') AND json_valid({text}) THEN json_array_length({text}) END = 1"
    return f"CASE WHEN {one} THEN json_extract_string({text}, '/0') ELSE {text} END"


def _readings(root: Sequence[str], parts: Sequence[str]) -> Iterator[str]:
    """Return every pointer a path may stand for, longest keys first."""
    if len(parts) > _MOST_PARTS:
        yield pointer([*root, *parts])
        return
    gaps = len(parts) - 1
    cuts = [cut for number in range(gaps + 1) for cut in itertools.combinations(range(1, gaps + 1), number)]
    for cut in cuts:
        ends = (0, *cut, len(parts))
        yield pointer([*root, *(".".join(parts[a:b]) for a, b in itertools.pairwise(ends))])
    for entered in itertools.product((False, True), repeat=len(parts)):
        inside = [step for part, list_before in zip(parts, entered, strict=True) for step in _steps(part, list_before)]
        yield pointer([*root, *inside])


def _steps(part: str, list_before: bool) -> tuple[str, ...]:
    return ("0", part) if list_before else (part,)


def _in_json(engine: DuckDBEngine, rows: str, expression: str, kind: str, parts: Sequence[str]) -> str:
    text = expression if kind == "JSON" else f"CASE WHEN json_valid({expression}) THEN {expression} END"
    path = literal(held_pointer(engine, rows, text, (), parts))
    return unwrapped(f"json_extract_string({text}, {path})")


def _in_struct(engine: DuckDBEngine, rows: str, expression: str, kind: str, parts: Sequence[str]) -> str | None:
    fields = _fields(engine, kind)
    folded = {name.lower(): name for name in fields}
    for size in range(len(parts), 0, -1):
        name = ".".join(parts[:size])
        name = name if name in fields else folded.get(name.lower(), "")
        if name:
            inner = f"struct_extract({expression}, {literal(name)})"
            found = reached(engine, rows, inner, fields[name], parts[size:])
            if found is not None:
                return found
    return None


def _in_map(engine: DuckDBEngine, rows: str, expression: str, kind: str, parts: Sequence[str]) -> str | None:
    value = _element(engine.rows(f"DESCRIBE SELECT map_values(CAST(NULL AS {kind})) AS v")[0][1]) or ""
    nested = is_text(value) or _element(value) or value.startswith(("STRUCT", "MAP"))
    for size in range(len(parts), 0, -1):
        key = literal(".".join(parts[:size]))
        last = size == 1 if nested else size == len(parts)
        if last or engine.rows(f"SELECT count_if(map_contains({expression}, {key})) FROM {rows}")[0][0]:
            return reached(engine, rows, f"map_extract_value({expression}, {key})", value, parts[size:])
    return None


def _element(kind: str) -> str:
    """Return the type of a list's elements; "" for what is no list."""
    return kind[: kind.rindex("[")] if kind.endswith("]") else ""


def _fields(engine: DuckDBEngine, kind: str) -> Mapping[str, str]:
    described = engine.rows(f"DESCRIBE SELECT unnest(CAST(NULL AS {kind}))")
    return {str(row[0]): str(row[1]) for row in described}
