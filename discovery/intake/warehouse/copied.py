"""Rows of a database, brought here: all of the accounts, the first few of the events."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from sqlglot import exp

from discovery.engines.dialects import dialect_named
from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import named, quoted
from discovery.engines.readings import written
from discovery.engines.typed_rows import table_named
from discovery.errors import SourceError
from discovery.intake.databases import Part
from discovery.intake.digest import table_digest
from discovery.intake.sources import MemoryTable
from discovery.intake.warehouse.place import Place, opened_place

_NUMBERS = itertools.count(1)
_PLAIN = re.compile(
    r"(nullable\(|lowcardinality\()*"
    r"(u?int|integer|bigint|smallint|tinyint|long|short|byte|float|double|real|numeric|decimal|bool|"
    r"text|string|varchar|character|char|date|timestamp)",
    re.IGNORECASE,
)
"""Types whose values mean the same here; all others come as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedTable(MemoryTable):
    """Rows of a database that lie in the engine here."""

    part: Part

    @property
    def located(self) -> dict[str, str]:
        """What a spec says to read the same again."""
        return {"from": self.path, "table": self.part.table, "sql": self.part.sql}


def copied(place: Place, engine: DuckDBEngine, name: str, limit: int | None = None) -> CopiedTable:
    """Copy rows of a database into the table `name`, all of them or the first so many.

    Raises
    ------
    SourceError
        If there are none.
    EngineError
        If they cannot be read.
    """
    select = exp.select(*_columns(place)).from_(table_named(place.name, place.engine.dialect))
    rows = place.table(select if limit is None else select.limit(limit))
    if not rows.num_rows:
        raise SourceError(f"{place.label[:1].upper()}{place.label[1:]} has no rows. Check which one is meant.")
    engine.register(name, rows)
    return CopiedTable(
        label=place.label,
        path=place.address,
        columns=engine.columns(quoted(name)),
        name=name,
        sha256=table_digest(rows) if limit is None else "",
        part=place.part,
    )


def open_copied(engine: DuckDBEngine, address: str, part: Part, role: str, held: Place | None = None) -> CopiedTable:
    """Copy a table or a query of a database, by its address, into the engine here.

    Parameters
    ----------
    engine
        Where the rows go.
    address, part, role, held
        As in `opened_place`.

    Raises
    ------
    SourceError
        If it cannot be reached or read.
    """
    place = opened_place(address, part, role, held)
    try:
        return copied(place, engine, f"{role}_copied_{next(_NUMBERS)}")
    finally:
        if held is None or place.engine is not held.engine:
            place.engine.close()


def _columns(place: Place) -> list[exp.Expression]:
    dialect = dialect_named(place.engine.dialect)
    found: list[exp.Expression] = []
    for name, kind in place.columns.items():
        bare = written(name, dialect)
        if dialect.name == "clickhouse":  # these two come as numbers
            bare = f"toDateTime64({bare}, 6)" if re.search("DateTime(?!64)", kind) else bare
            bare = f"toDate32({bare})" if re.search(r"\bDate\b", kind) else bare
        value: exp.Expression = exp.Var(this=bare)
        if not _PLAIN.match(kind) or "[]" in kind:
            value = exp.cast(value, exp.DataType.Type.TEXT)
        found.append(named(value, name))
    return found
