"""The bricks of queries, as SQLGlot expressions with every identifier quoted; text only when rendered."""

from __future__ import annotations

from typing import TypeAlias

from sqlglot import exp

from discovery.engines.aggregated import Aggregated
from discovery.errors import InputError

Relation: TypeAlias = str | exp.Table | exp.Select | Aggregated
"""A table by its name or as SQLGlot has it, rows that a SELECT makes, or aggregates in the place of events."""


def identifier(name: str) -> exp.Identifier:
    """Return `name` as a quoted identifier."""
    return exp.to_identifier(name, quoted=True)


def quoted(name: str) -> str:
    """Return `name` as a quoted identifier in text, as most engines write it.

    Examples
    --------
    >>> print(quoted('the "best" one'))
    "the ""best"" one"
    """
    return '"' + name.replace('"', '""') + '"'


def column(name: str, table: str | None = None) -> exp.Column:
    """Return a column with every identifier quoted."""
    return exp.column(identifier(name), table=identifier(table) if table else None)


def aliased(table: Relation, alias: str) -> exp.Table | exp.Subquery:
    """Return a table, its name quoted, or the rows of a SELECT, under an alias.

    Raises
    ------
    InputError
        If only aggregates of the rows are there.
    """
    if isinstance(table, Aggregated):
        raise InputError("This needs the events themselves, and only aggregates of them were given. Run on the events.")
    if isinstance(table, exp.Select):
        return table.subquery(identifier(alias))
    named = table.copy() if isinstance(table, exp.Table) else exp.Table(this=identifier(table))
    named.set("alias", exp.TableAlias(this=identifier(alias)))
    return named


def named(value: exp.Expression, name: str) -> exp.Alias:
    """Return a value under a quoted name."""
    return exp.Alias(this=value, alias=identifier(name))


def counted(condition: exp.Condition) -> exp.Count:
    """Return COUNT(CASE WHEN ... THEN 1 END): the form every dialect reads alike."""
    return exp.Count(this=exp.Case().when(condition, exp.Literal.number(1)))
