"""Relations written to a folder and read back: plain values as JSON, the accounts' arrays as Arrow, never code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import TypeAdapter

from discovery.engines.duckdb import DuckDBEngine
from discovery.intake.checked import Checked
from discovery.intake.eventlog import EventLog
from discovery.intake.relations import Accounts, Relations
from discovery.intake.roster import Roster
from discovery.spec import StudySpec

_PLAIN, _ACCOUNTS = "relations.json", "accounts.arrow"
_SEGMENT, _ASSIGNMENT = "segment ", "assignment "
_TEXTS = ("account_id",)
_TABLES = ("events_table", "accounts_table")
_NOT_PLAIN = {Relations: ("engine", "accounts", "checked", *_TABLES), EventLog: (), Roster: ("accounts", "own_end")}

_Made = TypeVar("_Made", Relations, EventLog, Roster)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a folder says of a reading."""

    values: Mapping[str, Any]
    accounts: Accounts

    def relations(self, engine: DuckDBEngine) -> Relations:
        """Return the relations as they were under the spec of the run that read them."""
        tables = {name: str(self.values[name]) for name in _TABLES}
        return _again(Relations, self.values["relations"], engine=engine, accounts=self.accounts, **tables)

    def roster(self) -> Roster:
        """Return the accounts with what was found while reading them."""
        return _again(Roster, self.values["roster"], accounts=self.accounts)

    def checked(self, engine: DuckDBEngine, roster: Roster, spec: StudySpec) -> Checked:
        """Return what the checks that depend on the spec look at."""
        events = _again(EventLog, self.values["events"])
        return Checked(engine, events, roster, spec, str(self.values["silence"]), (0, ()))

    def has_traits(self, spec: StudySpec) -> bool:
        """Say whether the accounts were read for the segments and the seats that a spec asks for."""
        return bool(self.values["traits"] == _traits(spec))


def write_kept(relations: Relations, asked: StudySpec, folder: Path) -> None:
    """Write everything of the relations but their tables into a folder; `asked` is the spec they were read for.

    Raises
    ------
    OSError
        If the folder cannot be written to.
    """
    checked = relations.checked
    assert checked is not None, "kept are readings of events that lie here"
    values = {
        "relations": _plain(relations),
        "events": _plain(checked.events),
        "roster": _plain(checked.roster),
        "silence": checked.silence,
        "traits": _traits(asked),
        **{name: getattr(relations, name) for name in _TABLES},
    }
    (folder / _PLAIN).write_text(json.dumps(values), encoding="utf-8")
    table = _as_table(relations.accounts)
    with pa.OSFile(str(folder / _ACCOUNTS), "wb") as sink, pa.ipc.new_file(sink, table.schema) as file:
        file.write_table(table)


def read_kept(folder: Path) -> Kept:
    """Read back what `write_kept` has written.

    Raises
    ------
    OSError, ValueError
        If it is not there, or is something else.
    """
    values = json.loads((folder / _PLAIN).read_text(encoding="utf-8"))
    with pa.OSFile(str(folder / _ACCOUNTS), "rb") as source:
        return Kept(values, _as_accounts(pa.ipc.open_file(source).read_all()))


def _traits(spec: StudySpec) -> list[Any]:
    segments = spec.accounts.segments
    return [segments if segments is None else list(segments), spec.accounts.seats]


def _plain(made: Relations | EventLog | Roster) -> dict[str, Any]:
    hints = _hints(type(made))
    names = [field.name for field in fields(made) if field.name not in _NOT_PLAIN[type(made)]]
    return {
        name: TypeAdapter(hints[name]).dump_python(getattr(made, name), mode="json", by_alias=True) for name in names
    }


def _again(kind: type[_Made], values: Mapping[str, Any], **given: Any) -> _Made:
    hints = _hints(kind)
    return kind(**{name: TypeAdapter(hints[name]).validate_python(value) for name, value in values.items()}, **given)


def _hints(kind: type[object]) -> dict[str, Any]:
    return get_type_hints(kind, localns={"Checked": Checked})  # imported for type checkers alone where it is named


def _as_table(accounts: Accounts) -> pa.Table:
    columns: dict[str, pa.Array] = {}
    for field in fields(accounts):
        held = getattr(accounts, field.name)
        if field.name == "segments":
            columns |= {_SEGMENT + name: _texts(values) for name, values in held.items()}
        elif field.name == "assignments":
            columns |= {_ASSIGNMENT + name: _texts(values) for name, values in held.items()}
        else:
            columns[field.name] = _texts(held) if field.name in _TEXTS else pa.array(held)
    return pa.table(columns)


def _as_accounts(table: pa.Table) -> Accounts:
    columns = {name: _array(table.column(name)) for name in table.column_names}
    named = {name: values for name, values in columns.items() if not name.startswith((_SEGMENT, _ASSIGNMENT))}
    return Accounts(**named, segments=_under(_SEGMENT, columns), assignments=_under(_ASSIGNMENT, columns))


def _under(prefix: str, columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.object_]]:
    return {name.removeprefix(prefix): values for name, values in columns.items() if name.startswith(prefix)}


def _texts(values: NDArray[np.object_]) -> pa.Array:
    return pa.array(values, type=pa.large_string())


def _array(column: pa.ChunkedArray) -> NDArray[Any]:
    # A copy: arrays that point into the file would be read-only, which those of a first reading are not.
    return np.array(column.to_numpy())
