"""What is read, whatever holds it: named columns with their types, as one SQL table expression."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from discovery.engines.duckdb import Done, DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.errors import EngineError, SourceError
from discovery.intake.packed import unpacked
from discovery.intake.reaching import LOOKED_AT, reached

_LONGEST_LINE = 33_000_000  # the buffer that DuckDB gives a line is of 32 MiB, and begins with what is left of another


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(ABC):
    """A readable table. `columns` maps each name to its engine type.

    `derived` holds columns reached by a dotted path into a nested one: name -> expression.
    """

    label: str
    path: str
    columns: Mapping[str, str]
    derived: Mapping[str, str] = field(default_factory=dict)

    @abstractmethod
    def base(self, strict: bool, rejects: str) -> str:
        """Return the table expression without derived columns."""

    def table(self, strict: bool = True, rejects: str = "") -> str:
        """Return the table expression; rows that cannot be read are listed in tables called after `rejects`."""
        base = self.base(strict, rejects)
        if not self.derived:
            return base
        extra = ", ".join(f"{expression} AS {quoted(name)}" for name, expression in self.derived.items())
        return f"(SELECT *, {extra} FROM {base})"

    def copied(
        self, engine: DuckDBEngine, target: str, fields: str, rejects: str, *, strict: bool, done: Done | None = None
    ) -> tuple[int, tuple[str, ...]]:
        """Create a table from a select list; return how many rows could not be read, and the first few.

        `done` is called with the share that is read, as in `DuckDBEngine.execute`.
        """
        selected = f"SELECT {fields} FROM {self.table(strict, rejects)}"
        engine.execute(f"CREATE OR REPLACE TABLE {quoted(target)} AS {selected}", done)
        return self.unreadable(engine, rejects)

    def unreadable(self, engine: DuckDBEngine, rejects: str) -> tuple[int, tuple[str, ...]]:
        """Return how many rows could not be read, and the first few."""
        return 0, ()

    @property
    def guessed_encoding(self) -> tuple[str, ...]:
        """The names of files whose encoding had to be guessed."""
        return ()

    @property
    def located(self) -> dict[str, str]:
        """What a spec says to read the same again: `from`, `table` and `sql`."""
        return {"from": self.path, "table": "", "sql": ""}

    @property
    def in_place(self) -> bool:
        """Whether reading again is cheap, so that a large source need not be copied."""
        return False

    @abstractmethod
    def digest(self) -> str:
        """Return the SHA-256 of the content."""

    def known_rows(self, engine: DuckDBEngine) -> int | None:
        """Return the number of rows where that is known without reading them."""
        return None

    def reaching(self, engine: DuckDBEngine, name: str) -> Source | None:
        """Return the source with one more column, reached by the dotted path `name`; None where there is none.

        The longest name of a column or key that there is wins; a list of one stands for its element.
        """
        parts = name.split(".")
        known = {column: kind for column, kind in self.columns.items() if column not in self.derived}
        root = next((".".join(parts[:n]) for n in range(len(parts) - 1, 0, -1) if ".".join(parts[:n]) in known), None)
        if root is None:
            return None
        rows = f"(SELECT {quoted(root)} FROM {self.base(False, '')} LIMIT {LOOKED_AT})"
        try:
            expression = reached(engine, rows, quoted(root), known[root], parts[root.count(".") + 1 :])
            if expression is None:
                return None
            described = engine.rows(f"DESCRIBE SELECT {expression} AS v FROM {rows}")
        except EngineError:
            return None
        return replace(
            self,
            derived={**self.derived, name: expression},
            columns={**self.columns, name: str(described[0][1])},
        )


def unreadable_source(label: str, error: EngineError) -> SourceError:
    """Return what a reader can do about a source the engine refuses."""
    if "maximum_object_size" in str(error):
        where = _longest_line(str(error)) or f"a line of {label}"
        return SourceError(
            f"{where[0].upper()}{where[1:]} holds more than 32 MB, which is no event. Take it out, and try again."
        )
    why = str(error).removeprefix("DuckDB could not answer: ").rstrip(".")
    return SourceError(f"{label} cannot be read; it may be damaged or not what its name says ({why}). Export it again.")


def _longest_line(told: str) -> str:
    """Return where the line is that DuckDB refuses: its file, and its number."""
    named = re.search(r'file "([^"]+)"', told)
    if named is None:
        return ""
    path = Path(named[1])
    with suppress(OSError, EOFError), unpacked(path) as file:
        number, size = 1, 0
        while chunk := bytes(file.read(1 << 20)):
            first, *ends = chunk.split(b"\n")
            for i, held in enumerate([first, *ends]):
                number, size = (number + 1, len(held)) if i else (number, size + len(held))
                if size > _LONGEST_LINE:
                    return f"line {number:,} of {path.name}"
    return f"a line of {path.name}"
