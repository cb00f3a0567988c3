"""Sources of every kind, how they are opened, and how their rows are copied."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from discovery.engines.duckdb import Done, DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.errors import EngineError
from discovery.intake.csv_head import CsvHead, csv_head
from discovery.intake.digest import files_digest
from discovery.intake.json_files import JsonFiles, open_json
from discovery.intake.one_table import require_one_table
from discovery.intake.paths import Files
from discovery.intake.source import Source, unreadable_source
from discovery.intake.sql import literal, path_list

__all__ = [
    "CsvFiles",
    "JsonFiles",
    "MemoryTable",
    "ParquetFiles",
    "Source",
    "copy_rows",
    "open_files",
    "sample_rows",
    "unreadable_source",
]

_NUMBERS = itertools.count(1)
_CSV_LOST_ITS_WAY = "invalid state"
_HEADLESS = 120  # columns of the enriched stream of Snowplow, which has no header
_FILE = quoted("discovery: file")


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
class ParquetFiles(Source):
    """Parquet files; where their columns differ, the missing ones read as empty.

    `partitions` are columns that are in the names of folders alone, `key=value`; their values are text.
    """

    files: Files
    partitions: tuple[str, ...] = ()

    def base(self, strict: bool, rejects: str) -> str:
        """Return the table expression."""
        scan = f"read_parquet({path_list(self.files.paths)}, union_by_name=true, hive_partitioning=false"
        if not self.partitions:
            return f"{scan})"
        values = ", ".join(f"{_partition_value(key)} AS {quoted(key)}" for key in self.partitions)
        return f"(SELECT * EXCLUDE ({_FILE}), {values} FROM {scan}, filename={literal(_FILE.strip(chr(34)))}))"

    def digest(self) -> str:
        """Return the digest of the files' bytes."""
        return files_digest(self.files.paths)

    @property
    def in_place(self) -> bool:
        """Whether reading again is cheap: it is."""
        return True

    def known_rows(self, engine: DuckDBEngine) -> int | None:
        """Return the number of rows from the files' own footers."""
        counted = engine.rows(f"SELECT sum(num_rows) FROM parquet_file_metadata({path_list(self.files.paths)})")
        return int(counted[0][0] or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvFiles(Source):
    """Delimited text files, every column as text; files are grouped by their header."""

    files: Files
    heads: Mapping[CsvHead, tuple[Path, ...]]

    @property
    def guessed_encoding(self) -> tuple[str, ...]:
        """The names of files that are not UTF-8 and read as Latin-1."""
        return tuple(path.name for head, paths in self.heads.items() if head.encoding == "latin-1" for path in paths)

    def digest(self) -> str:
        """Return the digest of the files' bytes."""
        return files_digest(self.files.paths)

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


def open_files(engine: DuckDBEngine, files: Files) -> Source:
    """Look at the head of the files and return them as a source.

    Raises
    ------
    SourceError
        If they cannot be read, or hold no columns.
    """
    if files.format == "csv":
        heads: dict[CsvHead, tuple[Path, ...]] = {}
        for path in files.paths:
            head = csv_head(path)
            heads[head] = (*heads.get(head, ()), path)
        _require_one_table(files, heads)
        columns = {name: "VARCHAR" for head in heads for name in head.names}
        return CsvFiles(label=files.label, path=files.asked, files=files, heads=heads, columns=columns)
    try:
        if files.format == "json":
            return open_json(engine, files)
        parquet = ParquetFiles(label=files.label, path=files.asked, files=files, columns={})
        described = engine.rows(f"DESCRIBE SELECT * FROM {parquet.base(True, '')}")
        columns = {str(row[0]): str(row[1]) for row in described}
        require_one_table(files.asked, _columns_of_each(engine, files.paths))
        held = {name.lower() for name in columns}
        keys = tuple(key for key in files.partitions if key.lower() not in held)
        return replace(parquet, columns=columns | dict.fromkeys(keys, "VARCHAR"), partitions=keys)
    except EngineError as error:
        raise unreadable_source(files.label, error) from error


def copy_rows(
    engine: DuckDBEngine, source: Source, target: str, fields: str, done: Done | None = None
) -> tuple[int, tuple[str, ...]]:
    """Create the table `target` from the select list `fields` over the source.

    `done` is called with the share that is read, as in `DuckDBEngine.execute`.

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
        try:
            return source.copied(engine, target, fields, f"rejects_{next(_NUMBERS)}", strict=strict, done=done)
        except EngineError as error:
            if not (strict and _CSV_LOST_ITS_WAY in str(error)):
                raise unreadable_source(source.label, error) from error
    raise AssertionError("unreachable")


def sample_rows(engine: DuckDBEngine, source: Source, target: str, rows: int) -> None:
    """Create the table `target` from the first rows of the source, all columns."""
    for strict in (True, False):
        try:
            selected = f"SELECT * FROM {source.table(strict)} LIMIT {rows}"
            engine.execute(f"CREATE OR REPLACE TABLE {quoted(target)} AS {selected}")
            return
        except EngineError as error:
            if not (strict and _CSV_LOST_ITS_WAY in str(error)):
                raise unreadable_source(source.label, error) from error


def _require_one_table(files: Files, heads: Mapping[CsvHead, tuple[Path, ...]]) -> None:
    narrow = {head: paths for head, paths in heads.items() if len(head.names) < _HEADLESS}
    require_one_table(files.asked, {path: set(head.names) for head, paths in narrow.items() for path in paths})


def _columns_of_each(engine: DuckDBEngine, paths: Sequence[Path]) -> dict[Path, set[str]]:
    if len(paths) == 1:
        return {}
    found = engine.rows(
        f"SELECT file_name, list(name) FROM parquet_schema({path_list(paths)}) GROUP BY file_name ORDER BY file_name"
    )
    return {Path(str(name)): set(map(str, names[1:])) for name, names in found}


def _partition_value(key: str) -> str:
    """Return the expression for what follows `key=` in the innermost such folder of a file's path."""
    folder = r".*[/\\]" + re.escape(key) + r"=([^/\\]*)[/\\]"
    found = f"regexp_extract({_FILE}, {literal(folder)}, 1)"
    return f"nullif(nullif(url_decode({found}), '__HIVE_DEFAULT_PARTITION__'), '')"
