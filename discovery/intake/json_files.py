"""JSON lines, and arrays of objects: each line is parsed once, and what cannot be read is counted on the way."""

from __future__ import annotations

import codecs
import itertools
import json
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from discovery.engines.duckdb import Done, DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.errors import SourceError
from discovery.intake.csv_head import distinct_names
from discovery.intake.digest import files_digest
from discovery.intake.one_table import keys_of, require_one_table
from discovery.intake.packed import first_bytes, opened_text
from discovery.intake.paths import Files
from discovery.intake.reaching import LOOKED_AT, held_pointer, pointer, unwrapped
from discovery.intake.source import Source
from discovery.intake.sql import literal, path_list

_COPIES = itertools.count(1)
_KEYS_FROM = 20_000
_IS_OBJECT = "starts_with(ltrim(json, ' \t'), '{')"  # the reader has checked already that it is JSON
_LOST, _MARK = "discovery: unreadable line", "discovery: line was lost"
_EVERYTHING = re.compile(r"(^|[(,.])\s*\*|\bCOLUMNS\s*\(|\bEXCLUDE\b", re.IGNORECASE)
_HIDDEN = "at "
_WRAPPED = re.compile(r'\s*\{\s*"([^"\\]+)"\s*:\s*\[\s*\{')
_LARGEST_WRAPPED = 1 << 28


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonFiles(Source):
    """One JSON object per line (or arrays of objects), every field as text; numbers as JSON writes them.

    All fields that are needed are taken from a line at once, dotted paths included: `pointers` are those of the
    derived columns, held under the names `at /pointer`.
    """

    files: Files
    parts: Mapping[str, tuple[Path, ...]]  # by layout: the files, or copies of them in UTF-8 without a mark
    pointers: Mapping[str, str] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)  # columns whose names differ from another's in case alone

    def base(self, strict: bool, rejects: str) -> str:
        """Return the table expression without derived columns."""
        return self._taken(self._own_columns(), marked=False)

    def table(self, strict: bool = True, rejects: str = "") -> str:
        """Return the table expression."""
        return self._table("*", marked=False)

    def copied(
        self, engine: DuckDBEngine, target: str, fields: str, rejects: str, *, strict: bool, done: Done | None = None
    ) -> tuple[int, tuple[str, ...]]:
        """Create a table from a select list, in one pass; return how many lines could not be read, and the first."""
        name = quoted(target)
        selected = f"{fields}, {quoted(_LOST)} AS {quoted(_MARK)}"
        rows = self._table(fields, marked=True)
        engine.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {selected} FROM {rows}", done)
        lost = int(engine.rows(f"SELECT count_if({quoted(_MARK)}) FROM {name}")[0][0])
        if lost:
            engine.execute(f"DELETE FROM {name} WHERE {quoted(_MARK)}")
        for column in (_MARK, _LOST):
            engine.execute(f"ALTER TABLE {name} DROP COLUMN IF EXISTS {quoted(column)}")
        return lost, self._broken_lines() if lost else ()

    def unreadable(self, engine: DuckDBEngine, rejects: str) -> tuple[int, tuple[str, ...]]:
        """Return how many lines are not JSON objects, and the first few; reads everything once more."""
        count = int(engine.rows(f"SELECT count(*) FROM {self._objects()} WHERE {_IS_OBJECT} IS NOT TRUE")[0][0])
        return count, self._broken_lines() if count else ()

    def digest(self) -> str:
        """Return the digest of the files' bytes."""
        return files_digest(self.files.paths)

    def reaching(self, engine: DuckDBEngine, name: str) -> Source | None:
        """Return the source with one more column: a field that the first lines lack, or one at a dotted path."""
        parts = name.split(".")
        own = self._own_columns()
        root = next((".".join(parts[:n]) for n in range(len(parts) - 1, 0, -1) if ".".join(parts[:n]) in own), None)
        if root is None:
            return self._with_rare_field(engine, name)
        at, rest = own[root], parts[root.count(".") + 1 :]
        head = f"(SELECT json FROM {self._objects()} WHERE {_IS_OBJECT} LIMIT {LOOKED_AT})"
        written_as_text = f"json_type(json, {literal(at)}) = 'VARCHAR'"
        if engine.rows(f"SELECT count_if({written_as_text}) FROM {head}")[0][0]:
            return Source.reaching(self, engine, name)
        found = held_pointer(engine, head, "json", [root], rest)
        return replace(
            self,
            pointers={**self.pointers, _HIDDEN + found: found},
            derived={**self.derived, name: unwrapped(quoted(_HIDDEN + found))},
            columns={**self.columns, name: "VARCHAR"},
        )

    def keys(self, engine: DuckDBEngine) -> list[str]:
        """Return the names of the fields of the first objects."""
        some = f"SELECT json FROM {self._objects()} WHERE {_IS_OBJECT} LIMIT {_KEYS_FROM}"
        found = engine.rows(
            f"SELECT DISTINCT k FROM (SELECT unnest(json_keys(json)) AS k FROM ({some})) WHERE k <> '' ORDER BY k"
        )
        return [str(key) for (key,) in found]

    def _with_rare_field(self, engine: DuckDBEngine, name: str) -> Source | None:
        holding = f"WHERE {_IS_OBJECT} AND json_exists(json, {literal(pointer([name]))}) LIMIT 1"
        if not engine.rows(f"SELECT 1 FROM {self._objects()} {holding}"):
            root, dot, _ = name.rpartition(".")
            wider = self._with_rare_field(engine, root) if dot else None
            return None if wider is None else wider.reaching(engine, name)
        return replace(self, columns={**self.columns, name: "VARCHAR"})

    def _own_columns(self) -> dict[str, str]:
        """Return the pointer to every field of the objects that is a column."""
        return {name: pointer([self.renamed.get(name, name)]) for name in self.columns if name not in self.derived}

    def _table(self, used: str, *, marked: bool) -> str:
        """Return the table expression with at least the columns that are named in the SQL text `used`."""
        everything = bool(_EVERYTHING.search(used))
        told = "".join(self.derived.values()).lower()
        derived = {n: e for n, e in self.derived.items() if everything or _is_named(n, used.lower() + told)}
        text = used.lower() + "".join(derived.values()).lower()
        own = {name: at for name, at in self._own_columns().items() if everything or _is_named(name, text)}
        hidden = {name: at for name, at in self.pointers.items() if _is_named(name, text)}
        taken = self._taken({**own, **hidden}, marked=marked)
        if not derived:
            return taken
        shown = f"* EXCLUDE ({', '.join(map(quoted, hidden))})" if hidden else "*"
        extra = ", ".join(f"{expression} AS {quoted(name)}" for name, expression in derived.items())
        return f"(SELECT {shown}, {extra} FROM {taken})"

    def _taken(self, columns: Mapping[str, str], *, marked: bool) -> str:
        """Return the fields at the pointers, each object parsed once; with a mark, lines that are lost as well."""
        wanted = columns or {"nothing": "/"}
        fields = [f"v[{i}] AS {quoted(name)}" for i, name in enumerate(wanted, start=1)]
        values = f"json_extract_string(json, [{', '.join(map(literal, wanted.values()))}]) AS v"
        if marked:
            lost = f"{_IS_OBJECT} IS NOT TRUE AS {quoted(_LOST)}"
            return (
                f"(SELECT {', '.join([*fields, quoted(_LOST)])} FROM (SELECT {values}, {lost} FROM {self._objects()}))"
            )
        return f"(SELECT {', '.join(fields)} FROM (SELECT {values} FROM {self._objects()} WHERE {_IS_OBJECT}))"

    def _objects(self) -> str:
        scans = [
            f"read_json_objects({path_list(paths)}, format={literal(layout)}"
            f"{', ignore_errors=true' if layout == 'newline_delimited' else ''})"
            for layout, paths in self.parts.items()
        ]
        return scans[0] if len(scans) == 1 else f"({' UNION ALL '.join(f'SELECT json FROM {scan}' for scan in scans)})"

    def _broken_lines(self, look_at: int = 200_000) -> tuple[str, ...]:
        broken: list[str] = []
        for path in self.parts.get("newline_delimited", ()):
            with suppress(OSError), opened_text(path) as file:  # a damaged file is the digest's to refuse
                lost = (line.strip()[:200] for line in itertools.islice(file, look_at) if _is_broken(line))
                broken.extend(itertools.islice(lost, 5 - len(broken)))
            if len(broken) == 5:
                break
        return tuple(broken)


def open_json(engine: DuckDBEngine, files: Files) -> JsonFiles:
    """Look at the first lines of the files and return them as a source.

    Raises
    ------
    SourceError
        If a file cannot be read.
    EngineError
        If the engine cannot read one.
    """
    parts: dict[str, tuple[Path, ...]] = {}
    held: dict[Path, set[str]] = {}
    for path in files.paths:
        plain = _unwrapped(engine, _plain(engine, path))
        start = first_bytes(plain, 1 << 16).decode("utf-8-sig", errors="replace").lstrip()
        layout = _layout(start)
        held[path] = keys_of(start) if len(files.paths) > 1 else set()
        parts[layout] = (*parts.get(layout, ()), plain)
    require_one_table(files.asked, held, shared=0)
    source = JsonFiles(label=files.label, path=files.asked, files=files, parts=parts, columns={})
    # Of names that differ in case alone, the one in lower case is the usual one and keeps its name.
    keys = sorted(source.keys(engine), key=lambda key: (key != key.lower(), key))
    names = distinct_names(keys)
    renamed = {name: key for name, key in zip(names, keys, strict=True) if name != key}
    return replace(source, columns=dict.fromkeys(names, "VARCHAR"), renamed=renamed)


def _is_named(column: str, sql: str) -> bool:
    """Say whether SQL in lower case may name a column; a part of a path, such as `/context/page`, is none."""
    name = column.lower()
    return quoted(name) in sql or re.search(rf"(?<![\w/]){re.escape(name)}(?![\w/.])", sql) is not None


def _plain(engine: DuckDBEngine, path: Path) -> Path:
    """Return the file, or a copy as DuckDB reads JSON: UTF-8 without a byte order mark."""
    start = first_bytes(path, 4)
    if start.startswith(codecs.BOM_UTF8):
        encoding = "utf-8-sig"
    elif start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    else:
        return path
    copy = Path(engine.temp_directory) / f"plain_{next(_COPIES)}.json"
    try:
        with opened_text(path, encoding) as given, copy.open("w", encoding="utf-8") as plain:
            shutil.copyfileobj(given, plain)
    except (OSError, EOFError) as error:
        raise SourceError(f"{path.name} cannot be read ({error}). Check the file, or export it again.") from error
    return copy


def _unwrapped(engine: DuckDBEngine, path: Path) -> Path:
    """Return the file, or a copy of the list of objects alone where that is all that one object around it holds."""
    start = first_bytes(path, 1 << 16).decode("utf-8", errors="replace")
    found = _WRAPPED.match(start)
    line, _, rest = start.partition("\n")
    if found is None or (rest.strip() and line.rstrip().endswith("}") and not _is_broken(line)):
        return path
    with opened_text(path) as file:
        text = file.read(_LARGEST_WRAPPED + 1)
    try:
        if len(text) > _LARGEST_WRAPPED:
            raise _too_large(path, found[1])
        held = json.loads(text)
    except (ValueError, RecursionError):
        return path  # several objects
    if len(held) != 1 or not all(isinstance(row, dict) for row in held[found[1]]):
        return path
    copy = Path(engine.temp_directory) / f"plain_{next(_COPIES)}.json"
    with copy.open("w", encoding="utf-8", errors="replace") as plain:
        plain.writelines(f"{json.dumps(row)}\n" for row in held[found[1]])
    return copy


def _too_large(path: Path, key: str) -> SourceError:
    return SourceError(
        f"{path.name} is one object around a list of rows ({key!r}), too large to be read like this. Write a row to a "
        f"line: jq -c '.[\"{key}\"][]' {path.name} > {path.stem}.jsonl"
    )


def _layout(text: str) -> str:
    if text.startswith("["):
        return "array"
    line = text.partition("\n")[0].rstrip()
    # An object spread over several lines starts with a line that is no object.
    return "unstructured" if line in ("{", "{ ") else "newline_delimited"


def _is_broken(line: str) -> bool:
    try:
        return bool(line.strip()) and not isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return True
