"""Quoting, and the few expressions that read a value as text the same way whatever its type."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from discovery.engines.expressions import quoted

NULL_WORDS = ("", "null", "none", "nan", "nat", "n/a", "na", "<na>", "\\n")
"""What exports write, in any case, where a time is missing."""

TRUE_WORDS = ("true", "t", "yes", "y", "1", "1.0")
FALSE_WORDS = ("false", "f", "no", "n", "0", "0.0")


def literal(text: str) -> str:
    """Return text as a string literal."""
    return "'" + text.replace("'", "''") + "'"


def word_list(words: tuple[str, ...]) -> str:
    """Return words as a bracketed list of literals."""
    return "(" + ", ".join(literal(word) for word in words) + ")"


def path_list(paths: Iterable[Path]) -> str:
    """Return paths as a list of literals in which nothing is a pattern."""
    return "[" + ", ".join(literal(_unglobbed(str(path))) for path in paths) + "]"


def is_text(kind: str) -> bool:
    """Say whether an engine type holds text."""
    return kind.startswith(("VARCHAR", "ENUM", "JSON"))


def is_fractional(kind: str) -> bool:
    """Say whether an engine type holds numbers with a fractional part."""
    return kind.startswith(("DOUBLE", "FLOAT", "REAL", "DECIMAL"))


def is_number(kind: str) -> bool:
    """Say whether an engine type holds numbers."""
    return is_fractional(kind) or kind.removeprefix("U") in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")


def id_text(column: str, kind: str) -> str:
    """Return an expression for an identifier as text, equal for 12, 12.0 and "12"; NULL where missing.

    Nothing else is changed: case, spaces and leading zeros are the identifier's own.
    """
    name = quoted(column)
    if is_fractional(kind):
        whole = f"CAST(CAST({name} AS HUGEINT) AS VARCHAR)"
        exact = f"isfinite(CAST({name} AS DOUBLE)) AND abs({name}) < 1e18 AND {name} = round({name}, 0)"
        other = f"CASE WHEN isnan(CAST({name} AS DOUBLE)) THEN NULL ELSE CAST({name} AS VARCHAR) END"
        return f"CASE WHEN {exact} THEN {whole} ELSE {other} END"
    text = f"CAST({name} AS VARCHAR)"
    if not is_text(kind):
        return text
    # DuckDB evaluates both sides of an AND for every row, but the branches of a CASE only where they apply.
    pandas_float = f"CASE WHEN regexp_full_match({text}, '-?[0-9]+[.]0') THEN {text}[:-3] ELSE {text} END"
    return f"CASE WHEN {text} = '' THEN NULL WHEN suffix({text}, '.0') THEN {pandas_float} ELSE {text} END"


def plain_text(column: str) -> str:
    """Return an expression for any value as text; NULL where missing or empty."""
    return f"NULLIF(CAST({quoted(column)} AS VARCHAR), '')"


def is_missing(column: str) -> str:
    """Return a condition that holds where a time or number is missing rather than unreadable."""
    text = f"lower(trim(CAST({quoted(column)} AS VARCHAR)))"
    return f"({quoted(column)} IS NULL OR {text} IN {word_list(NULL_WORDS)})"


def _unglobbed(path: str) -> str:
    return "".join(f"[{mark}]" if mark in "*?[" else mark for mark in path)
