"""A query that a spec names: one SELECT, over the tables of one database alone, otherwise left as it was written."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from discovery.engines.expressions import quoted
from discovery.errors import SourceError
from discovery.intake.wording import listed

Named = tuple[str, str]
"""The schema and the name of a table."""

_MAKE_ROWS = (exp.GenerateSeries, exp.Unnest, exp.Explode)
_REACH_OUTSIDE = ("getenv", "current_setting", "getvariable", "read_", "glob", "query", "query_table", "sniff_csv")
_BY_CHANCE = ("random", "rand", "uuid", "uuidv4", "uuidv7", "gen_random_uuid", "setseed", "nextval")
_WRITES = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Into, exp.Command, exp.DDL)


def qualified(sql: str, catalog: str, stem: str, there: Sequence[Named], named: str) -> str:
    """Return a query with every table named in full, so that it can mean no other table.

    Parameters
    ----------
    sql
        The query, in DuckDB's SQL.
    catalog, stem
        The name under which the database is attached, and the one its own SQL may use.
    there
        The tables there are.
    named
        What to call the query in a message.

    Raises
    ------
    SourceError
        If it is no single SELECT, names a table that is not there, or reads from anything but tables.
    """
    query = _parsed(sql, named)
    text = sql.strip().rstrip(";").rstrip()
    offset = len(sql) - len(sql.lstrip())
    edits = []
    for table in query.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            _refuse_function(table.this, named)
            continue
        if table.db or not _is_cte(table):
            parts = table.parts
            start, end = parts[0].meta["start"] - offset, parts[-1].meta["end"] - offset + 1
            edits.append((start, end, _in_full(table, catalog, stem, there, named)))
    for start, end, name in sorted(edits, reverse=True):
        text = text[:start] + name + text[end:]
    return f"{text}\n"  # a comment may end it


def _parsed(sql: str, named: str) -> exp.Expression:
    try:
        statements = [statement for statement in sqlglot.parse(sql, dialect="duckdb") if statement is not None]
    except SqlglotError as error:
        why = str(error).splitlines()[0] if str(error) else "it does not parse"
        raise SourceError(f"{named} cannot be read as SQL ({why}). Mend it.") from error
    one = statements[0] if len(statements) == 1 else None
    if not isinstance(one, exp.Select | exp.SetOperation | exp.Subquery) or one.find(*_WRITES):
        raise SourceError(f"{named} must be one SELECT, with nothing else beside or inside it. Leave the rest out.")
    if one.find(exp.Placeholder, exp.Parameter):
        raise SourceError(f"{named} holds a parameter, and there is nothing to fill it with. Write the value.")
    for function in one.find_all(exp.Func):
        if function.sql_name().lower().startswith(_REACH_OUTSIDE) or _name(function).startswith(_REACH_OUTSIDE):
            _refuse_function(function, named)
    _refuse_chance(one, named)
    return one


def _refuse_chance(query: exp.Expression, named: str) -> None:
    """Refuse what answers differently every time: a query is asked more than once."""
    calls = (called for function in query.find_all(exp.Func) for called in (_sql_name(function), _name(function)))
    found = next((f"calls {called}()" for called in calls if called in _BY_CHANCE), "")
    found = found or ("takes a sample" if query.find(exp.TableSample) else "")
    if found:
        raise SourceError(
            f"{named} {found}, so it answers differently every time, and it is asked more than once. Choose rows by "
            "something that stays, as in WHERE hash(account_id) % 10 = 0."
        )


def _sql_name(function: exp.Func) -> str:
    return function.sql_name().lower()


def _name(function: Any) -> str:
    return str(function.this).lower() if isinstance(function, exp.Anonymous) else ""


def _refuse_function(function: Any, named: str) -> None:
    if isinstance(function, _MAKE_ROWS):
        return
    shown = _name(function) or function.sql(dialect="duckdb").partition("(")[0].lower()
    raise SourceError(
        f"{named} calls {shown}(), which reads from outside the database. Only its tables and views are read: name "
        "files in from, or load them into the database first."
    )


def _is_cte(table: exp.Table) -> bool:
    return any(table.name.lower() == name.lower() for name in _ctes_in_sight(table))


def _ctes_in_sight(node: Any) -> Iterator[str]:
    """Return the names that WITH clauses give to queries and that are known where the node stands."""
    child, parent = node, node.parent
    while parent is not None:
        if isinstance(parent, exp.With):
            # Inside one of its own queries: those before it, and itself where it may call itself.
            for held in parent.expressions:
                if held is child and not parent.args.get("recursive"):
                    break
                yield held.alias
                if held is child:
                    break
        else:
            clause = parent.args.get("with_") or parent.args.get("with")
            if clause is not None and clause is not child:
                yield from (held.alias for held in clause.expressions)
        child, parent = parent, parent.parent


def _in_full(table: exp.Table, catalog: str, stem: str, there: Sequence[Named], named: str) -> str:
    if table.catalog and table.catalog.lower() not in (catalog.lower(), stem.lower()):
        raise SourceError(
            f"{named} names the database {table.catalog!r}; only the tables of {stem!r} are read. Leave it out."
        )
    wanted = table.name.lower()
    hits = [(s, n) for s, n in there if n.lower() == wanted and table.db.lower() in ("", s.lower())]
    hits = [hit for hit in hits if hit[0] == "main"] or hits
    if len(hits) == 1:
        return ".".join(map(quoted, (catalog, *hits[0])))
    names = [".".join(held) for held in there]
    near = difflib.get_close_matches(table.name, [n for _, n in there], n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near and not hits else ""
    problem = "which is not in the database" if not hits else "which is in several schemas"
    asked = f"{table.db}.{table.name}" if table.db else table.name
    raise SourceError(f"{named} names the table {asked!r}, {problem}.{hint} There are: {listed(names, 20)}.")
