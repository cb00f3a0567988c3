"""Whether several files are one table: those of one share their columns, as events and accounts do not."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from discovery.errors import SourceError
from discovery.intake.lexicon import ACCOUNT_ROLES, EVENT_ROLES, normalised

SHARED = 0.5
"""Share of the columns of the narrower of two files that the other has, from which they are one table."""

_LOOKED_AT = 100
_LISTED = 6
_IDS = {*EVENT_ROLES["account"], *EVENT_ROLES["user"], *ACCOUNT_ROLES["account"]}
_ID = re.compile(r"(?:.*_)?(?:id|ids|uuid|guid)")


def require_one_table(asked: str, columns: Mapping[Path, AbstractSet[str]], shared: float = SHARED) -> None:
    """Refuse files that are several tables.

    Parameters
    ----------
    asked
        The folder, pattern or archive they were found in.
    columns
        The names of the columns of each file; of a file that cannot be judged, none.
    shared
        Share of the columns of the narrower file, ids aside, that the other must have; 0 for any at all.

    Raises
    ------
    SourceError
        If a file shares hardly any column but ids with the others.
    """
    tables: list[tuple[set[str], list[Path]]] = []
    for path, names in sorted(columns.items(), key=lambda item: -len(item[1])):
        telling = {name.lower() for name in names if not _is_id(normalised(name))}
        if not names:
            continue
        same = [table for table in tables if _alike(table[0], telling, shared)]
        rest = [table for table in tables if not any(table is held for held in same)]
        merged = (telling.union(*(held for held, _ in same)), [p for _, paths in same for p in paths] + [path])
        tables = [*rest, merged]
    if len(tables) > 1:
        raise several_tables(asked, [paths for _, paths in tables], "share no columns but ids")


def several_tables(asked: str, tables: Sequence[Sequence[Path]], why: str) -> SourceError:
    """Return what to do about files that are no one table: which there are, and what to give."""
    folder = asked if os.path.isdir(asked) else os.path.dirname(asked)
    named = sorted(_named(folder, sorted(paths), [p for table in tables if table is not paths for p in table])
                   for paths in tables)  # fmt: skip
    told = "; ".join(f"{name}{f' ({count:,} files)' if count > 1 else ''}" for name, count in named[:_LISTED])
    told += " …" if len(named) > _LISTED else ""
    accounts = [name for name, _ in named if re.search(r"account|compan|customer|group|organi[sz]ation|tenant", name)]
    others = [name for name, _ in named if name not in accounts]
    remedy = "Give one of them by its path, or a pattern such as *.csv"
    if len(named) == 2 and len(accounts) == 1:
        remedy = f"Give {_below(folder, others[0])} as events and {_below(folder, accounts[0])} as accounts"
    return SourceError(f"{asked} holds files that are not one table ({why}): {told}. {remedy}.")


def keys_of(lines: str) -> set[str]:
    """Return the keys of the first objects in the beginning of a file of JSON; none where none can be read."""
    text = lines.strip().removeprefix("\ufeff")
    keys: set[str] = set()
    reader = json.JSONDecoder()
    at = 0
    for _ in range(_LOOKED_AT):
        at = next((i for i in range(at, len(text)) if text[i] == "{"), len(text))
        try:
            found, at = reader.raw_decode(text, at)
        except (ValueError, RecursionError):
            line = text.find("\n", at)
            if line < 0 or not keys:
                break
            at = line
            continue
        keys |= set(found)
    return keys


def _named(folder: str, paths: Sequence[Path], others: Sequence[Path]) -> tuple[str, int]:
    """Return what to call some files: the folder they alone are in, else the first of them."""
    if len(paths) == 1:
        return _inside(folder, paths[0]), 1
    common = Path(os.path.commonpath(paths))
    alone = not any(path.is_relative_to(common) for path in others)
    while alone and common.parent != Path(folder) and common.parent.is_relative_to(folder):
        if any(path.is_relative_to(common.parent) for path in others):
            break
        common = common.parent
    if alone and common.is_relative_to(folder) and common != Path(folder):
        return f"{_inside(folder, common)}{os.sep}", len(paths)
    return f"{_inside(folder, paths[0])} …", len(paths)


def _inside(folder: str, path: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else path.name


def _below(folder: str, name: str) -> str:
    return os.path.join(folder, name).rstrip(os.sep)


def _is_id(name: str) -> bool:
    return name in _IDS or _ID.fullmatch(name) is not None


def _alike(one: AbstractSet[str], other: AbstractSet[str], shared: float) -> bool:
    if not one or not other:
        return not one and not other
    common = len(one & other)
    return common > 0 and common >= shared * min(len(one), len(other))
