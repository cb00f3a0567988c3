"""What is read, whatever holds it: named columns with their types, as one SQL table expression."""

from __future__ import annotations

import codecs
import gzip
import itertools
import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from discovery.engines.duckdb import DuckDBEngine
from discovery.errors import EngineError, SourceError
from discovery.intake.csv_head import CsvHead, csv_head, distinct_names, first_bytes
from discovery.intake.digest import files_digest
from discovery.intake.paths import Files
from discovery.intake.sql import is_text, literal, path_list, quoted

_NUMBERS = itertools.count(1)


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

    def unreadable(self, engine: DuckDBEngine, rejects: str) -> tuple[int, tuple[str, ...]]:
        """Return how many rows could not be read, and the first few."""
        return 0, ()

    @property
    def guessed_encoding(self) -> tuple[str, ...]:
        """The names of files whose encoding had to be guessed."""
        return ()

    @abstractmethod
    def digest(self) -> str:
        """Return the SHA-256 of the content."""

    def known_rows(self, engine: DuckDBEngine) -> int | None:
        """Return the number of rows where that is known without reading them."""
        return None

    def reaching(self, engine: DuckDBEngine, name: str) -> Source | None:
        """Return the source with one more column, reached by the dotted path `name`; None where there is none."""
        root, dot, rest = name.partition(".")
        if not dot or root not in self.columns:
            return None
        kind, expression = self.columns[root], quoted(root)
        if is_text(kind):
            text = f"CASE WHEN json_valid({expression}) THEN {expression} END"
            expression = f"json_extract_string({text}, {literal(_pointer(rest.split('.')))})"
        else:
            for part in rest.split("."):
                expression = f"({expression})[{literal(part)}]"
        wider = replace(self, derived={**self.derived, name: expression})
        try:
            described = engine.rows(f"DESCRIBE SELECT {quoted(name)} FROM {wider.table()}")
        except EngineError:
            return None
        return replace(wider, columns={**self.columns, name: str(described[0][1])})


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryTable(Source):
    """A table that was handed over in memory and copied into the engine."""

    name: str
    sha256: str

    def base(self, strict: bool, rejects: str) -> str:
        """Return the table's name."""
        return quoted(self.name)

    def digest(self) -> str:
        """Return the digest taken while copying."""
        return self.sha256

    def known_rows(self, engine: DuckDBEngine) -> int | None:
        """Return the number of rows."""
        return int(engine.rows(f"SELECT count(*) FROM {quoted(self.name)}")[0][0])


@dataclass(frozen=True, slots=True, kw_only=True)
class _FileSource(Source):
    files: Files

    def digest(self) -> str:
        """Return the digest of the files' bytes."""
        return files_digest(self.files.paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetFiles(_FileSource):
    """Parquet files; where their columns differ, the missing ones read as empty."""

    def base(self, strict: bool, rejects: str) -> str:
        """Return the table expression."""
        return f"read_parquet({path_list(self.files.paths)}, union_by_name=true, hive_partitioning=false)"

    def known_rows(self, engine: DuckDBEngine) -> int | None:
        """Return the number of rows from the files' own footers."""
        counted = engine.rows(f"SELECT sum(num_rows) FROM parquet_file_metadata({path_list(self.files.paths)})")
        return int(counted[0][0] or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvFiles(_FileSource):
    """Delimited text files, every column as text; files are grouped by their header."""

    heads: Mapping[CsvHead, tuple[Path, ...]]

    @property
    def guessed_encoding(self) -> tuple[str, ...]:
        """The names of files that are not UTF-8 and read as Latin-1."""
        return tuple(path.name for head, paths in self.heads.items() if head.encoding == "latin-1" for path in paths)

    def base(self, strict: bool, rejects: str) -> str:
        """Return the table expression."""
        parts = [
            f"SELECT * FROM {head.scan(paths, strict, f'{rejects}_{i}' if rejects else '')}"
            for i, (head, paths) in enumerate(self.heads.items())
        ]
        return "(" + " UNION ALL BY NAME ".join(parts) + ")"

    def unreadable(self, engine: DuckDBEngine, rejects: str) -> tuple[int, tuple[str, ...]]:
        """Return how many lines could not be read, and the first few."""
        count, lines = 0, []
        for i in range(len(self.heads)):
            # An unclosed quote swallows the lines after it: they are in `csv_line`, and are lost as well.
            found = engine.rows(
                "SELECT sum(n), list(line_text ORDER BY file_id, line)[:5] FROM (SELECT file_id, line, "
                "max(1 + length(trim(csv_line, chr(10))) - length(replace(trim(csv_line, chr(10)), chr(10), ''))) AS n,"
                f" any_value(trim(csv_line, chr(10) || chr(13))) AS line_text FROM {quoted(f'{rejects}_{i}_errors')} "
                "GROUP BY file_id, line)"
            )
            count += int(found[0][0] or 0)
            lines += [str(line)[:200] for line in found[0][1] or ()]
            engine.execute(f"DROP TABLE {quoted(f'{rejects}_{i}_errors')}")
            engine.execute(f"DROP TABLE {quoted(f'{rejects}_{i}_scans')}")
        return count, tuple(lines[:5])


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonFiles(_FileSource):
    """One JSON object per line (or one array of objects), every field as text exactly as written."""

    layout: str
    plain: tuple[Path, ...]  # the files, or copies of them in UTF-8 without a byte order mark

    def base(self, strict: bool, rejects: str) -> str:
        """Return the table expression."""
        named = [name for name in self.columns if name not in self.derived]
        fields = ", ".join(
            f"json_extract_string(json, {literal(_pointer([name]))}) AS {quoted(name)}" for name in named
        )
        return f"(SELECT {fields} FROM {self._objects()} WHERE json_type(json) = 'OBJECT')"

    def unreadable(self, engine: DuckDBEngine, rejects: str) -> tuple[int, tuple[str, ...]]:
        """Return how many lines are not JSON objects, and the first few."""
        count = int(
            engine.rows(f"SELECT count(*) FROM {self._objects()} WHERE json IS NULL OR json_type(json) <> 'OBJECT'")[0][
                0
            ]
        )
        return count, _broken_lines(self.plain) if count else ()

    def keys(self, engine: DuckDBEngine, limit: int | None) -> list[str]:
        """Return the names of the fields of the first `limit` objects, or of all of them."""
        some = f"{self._objects()} WHERE json_type(json) = 'OBJECT'" + (f" LIMIT {limit}" if limit else "")
        found = engine.rows(f"SELECT DISTINCT unnest(json_keys(json)) AS k FROM (SELECT json FROM {some}) ORDER BY k")
        return [str(key) for (key,) in found]

    def reaching(self, engine: DuckDBEngine, name: str) -> Source | None:
        """Return the source with one more column: a rare field, or one reached by a dotted path."""
        if name in self.keys(engine, None):
            return replace(self, columns={**self.columns, name: "VARCHAR"})
        return super(JsonFiles, self).reaching(engine, name)

    def _objects(self) -> str:
        tolerant = ", ignore_errors=true" if self.layout == "newline_delimited" else ""
        return f"read_json_objects({path_list(self.plain)}, format={literal(self.layout)}{tolerant})"


def open_files(engine: DuckDBEngine, files: Files) -> Source:
    """Look at the head of the files and return them as a source.

    Raises
    ------
    SourceError
        If they cannot be read, or hold no columns.
    """
    common: dict[str, Any] = {"label": files.label, "path": files.asked, "files": files}
    if files.format == "csv":
        heads: dict[CsvHead, tuple[Path, ...]] = {}
        for path in files.paths:
            head = csv_head(path)
            heads[head] = (*heads.get(head, ()), path)
        return CsvFiles(**common, heads=heads, columns={name: "VARCHAR" for head in heads for name in head.names})
    try:
        if files.format == "json":
            plain = tuple(_plain_json(engine, path) for path in files.paths)
            source = JsonFiles(**common, layout=_json_layout(plain[0]), plain=plain, columns={})
            return replace(source, columns=dict.fromkeys(distinct_names(source.keys(engine, 20_000)), "VARCHAR"))
        parquet = ParquetFiles(**common, columns={})
        described = engine.rows(f"DESCRIBE SELECT * FROM {parquet.base(True, '')}")
        return replace(parquet, columns={str(row[0]): str(row[1]) for row in described})
    except EngineError as error:
        raise unreadable_source(files.label, error) from error


def copy_rows(engine: DuckDBEngine, source: Source, target: str, fields: str) -> tuple[int, tuple[str, ...]]:
    """Create the table `target` from the select list `fields` over the source.

    Returns
    -------
    tuple
        The number of rows that could not be read, and the first few of them.

    Raises
    ------
    SourceError
        If the source cannot be read.
    """
    for strict in (True, False):
        rejects = f"rejects_{next(_NUMBERS)}"
        try:
            selected = f"SELECT {fields} FROM {source.table(strict, rejects)}"
            engine.execute(f"CREATE OR REPLACE TABLE {quoted(target)} AS {selected}")
            return source.unreadable(engine, rejects)
        except EngineError as error:
            if not (strict and isinstance(source, CsvFiles) and "invalid state" in str(error)):
                raise unreadable_source(source.label, error) from error
    raise AssertionError("unreachable")


def sample_rows(engine: DuckDBEngine, source: Source, target: str, rows: int) -> None:
    """Create the table `target` from the first rows of the source, all columns."""
    for strict in (True, False):
        try:
            engine.execute(
                f"CREATE OR REPLACE TABLE {quoted(target)} AS SELECT * FROM {source.table(strict)} LIMIT {rows}"
            )
            return
        except EngineError as error:
            if not (strict and isinstance(source, CsvFiles) and "invalid state" in str(error)):
                raise unreadable_source(source.label, error) from error


def unreadable_source(label: str, error: EngineError) -> SourceError:
    """Return what a reader can do about a file the engine refuses."""
    why = str(error).removeprefix("DuckDB could not answer: ").rstrip(".")
    return SourceError(f"{label} cannot be read; it may be damaged or not what its name says ({why}). Export it again.")


def _plain_json(engine: DuckDBEngine, path: Path) -> Path:
    """Return the file, or a copy as DuckDB reads JSON: UTF-8 without a byte order mark."""
    start = first_bytes(path, 4)
    if start.startswith(codecs.BOM_UTF8):
        encoding = "utf-8-sig"
    elif start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    else:
        return path
    copy = Path(engine.temp_directory) / f"plain_{next(_NUMBERS)}.json"
    try:
        with _opened_text(path, encoding) as given, copy.open("w", encoding="utf-8") as plain:
            shutil.copyfileobj(given, plain)
    except (OSError, EOFError) as error:
        raise SourceError(f"{path.name} cannot be read ({error}). Check the file, or export it again.") from error
    return copy


def _json_layout(path: Path) -> str:
    text = first_bytes(path).decode("utf-8-sig", errors="replace").lstrip()
    if text.startswith("["):
        return "array"
    line = text.partition("\n")[0].rstrip()
    # An object spread over several lines starts with a line that is no object.
    return "unstructured" if line in ("{", "{ ") else "newline_delimited"


def _broken_lines(paths: tuple[Path, ...], look_at: int = 200_000) -> tuple[str, ...]:
    broken: list[str] = []
    for path in paths:
        with _opened_text(path) as file:
            for line in itertools.islice(file, look_at):
                if line.strip() and not _is_object(line):
                    broken.append(line.strip()[:200])
                    if len(broken) == 5:
                        return tuple(broken)
    return tuple(broken)


def _opened_text(path: Path, encoding: str = "utf-8") -> IO[str]:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding=encoding, errors="replace")
    return path.open(encoding=encoding, errors="replace")


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _pointer(parts: list[str]) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)
