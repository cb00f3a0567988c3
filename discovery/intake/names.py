"""Names of events, users and accounts as the spec writes them: other spellings, and what is passed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.intake.sql import literal
from discovery.spec import EventsSpec

LEFT_OUT = "left out"
USER_LEFT_OUT = "user left out"
"""Why rows are passed over that `events.leave_out` and `events.leave_out_users` name."""

Aliases = Mapping[str, tuple[str, ...]]


def matches_any(expression: str, patterns: Sequence[str]) -> str:
    """Return a condition that holds where text is one of the patterns, in which only `*` stands for any text."""
    plain = [pattern for pattern in patterns if "*" not in pattern]
    parts = [f"{expression} IN ({', '.join(map(literal, plain))})"] if plain else []
    parts += [f"{expression} LIKE {literal(_like(pattern))} ESCAPE '\\'" for pattern in patterns if "*" in pattern]
    return f"coalesce({' OR '.join(parts)}, false)" if parts else "false"


def renamed(expression: str, aliases: Aliases) -> str:
    """Return an expression for an event's name: its own, or the one that it is another spelling of."""
    pairs = [(spelling, name) for name, spellings in aliases.items() for spelling in spellings]
    if not pairs:
        return expression
    cases = " ".join(f"WHEN {literal(spelling)} THEN {literal(name)}" for spelling, name in pairs)
    return f"CASE {expression} {cases} ELSE {expression} END"


def other_spelling(expression: str, aliases: Aliases) -> str:
    """Return an expression for the spelling in the log where it is not the name itself, else NULL."""
    spellings = [spelling for listed in aliases.values() for spelling in listed]
    return f"CASE WHEN {matches_literally(expression, spellings)} THEN {expression} END"


def matches_literally(expression: str, words: Sequence[str]) -> str:
    """Return a condition that holds where text is one of the words; nothing in them is a pattern."""
    return f"coalesce({expression} IN ({', '.join(map(literal, words))}), false)" if words else "false"


def why_passed_over(kind: str, event: str, user: str, spec: EventsSpec) -> str:
    """Return an expression: why a row is no behaviour, NULL where it is one.

    Parameters
    ----------
    kind
        The layout's own expression; empty where it has none.
    event, user
        Expressions for the event as spelled in the log, and for the user.
    spec
        What is left out; names of events are compared as spelled and as renamed.
    """
    parts = [f"CAST({kind} AS VARCHAR)"] if kind else []
    if spec.leave_out:
        either = {event: None, renamed(event, spec.aliases): None}
        left = " OR ".join(matches_any(name, spec.leave_out) for name in either)
        parts.append(f"CASE WHEN {left} THEN {literal(LEFT_OUT)} END")
    if spec.leave_out_users:
        parts.append(f"CASE WHEN {matches_any(user, spec.leave_out_users)} THEN {literal(USER_LEFT_OUT)} END")
    if not parts:
        return "CAST(NULL AS VARCHAR)"
    return parts[0] if len(parts) == 1 else f"coalesce({', '.join(parts)})"


def matching_nothing(engine: DuckDBEngine, table: str, columns: Sequence[str], patterns: Sequence[str]) -> set[str]:
    """Return the patterns that none of the columns of a table matches in any row."""
    if not patterns:
        return set()
    found = [f"bool_or({' OR '.join(matches_any(column, [pattern]) for column in columns)})" for pattern in patterns]
    hits = engine.rows(f"SELECT {', '.join(found)} FROM {quoted(table)}")[0]
    return {pattern for pattern, hit in zip(patterns, hits, strict=True) if not hit}


def spelled(engine: DuckDBEngine, typed: str, aliases: Aliases) -> dict[str, int]:
    """Return how many events each other spelling has, those that never occur included."""
    counts = {spelling: 0 for spellings in aliases.values() for spelling in spellings}
    if counts:
        rows = engine.rows(
            f"SELECT spelling, count(*) FROM {quoted(typed)} WHERE spelling IS NOT NULL AND passed_over IS NULL "
            "GROUP BY spelling ORDER BY spelling"
        )
        counts |= {str(spelling): int(count) for spelling, count in rows}
    return counts


def _like(pattern: str) -> str:
    for mark in ("\\", "%", "_"):
        pattern = pattern.replace(mark, "\\" + mark)
    return pattern.replace("*", "%")
