"""What is kept of earlier runs: where it lies, what it is of, and how to be rid of it."""

from __future__ import annotations

import json
import sys
import warnings
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from discovery.errors import InputError

if TYPE_CHECKING:
    from discovery.cache import Cache
    from discovery.cli.terminal import Console

_ACTIONS = ("info", "clear")
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def cache(
    action: Annotated[
        str, typer.Argument(metavar="[info|clear]", help="Say what is kept, or remove it; info unless given.")
    ] = "info",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what is kept, or was removed, as JSON on standard output.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors (and --json).")] = False,
) -> None:
    """Show or clear what earlier runs kept.

    What they read of files of 8 MB or more in all is kept, so that another run of the same data need not read it again.
    """
    from discovery.cache import Cache, cache_folder
    from discovery.cli.terminal import Console, print_utf8
    from discovery.intake.kept import made_by

    if action not in _ACTIONS:
        raise InputError(f"There is no {action!r} of the cache. Write discover cache, or discover cache clear.")
    console, held = Console(quiet=quiet, as_json=as_json), Cache(cache_folder(), made_by=made_by())
    told = _cleared(held, console) if action == "clear" else _kept(held, console)
    if as_json:
        print_utf8(json.dumps({"folder": str(held.folder), **told}, indent=2, ensure_ascii=False) + "\n")


def warn_plainly() -> None:
    """Let a warning of the cache be one line on standard error; others are shown as Python does."""
    shown = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if category.__name__ != "CacheWarning":
            shown(message, category, filename, lineno, file, line)
            return
        sys.stderr.write(f"discover: {message}\n")

    warnings.showwarning = show


def _kept(held: Cache, console: Console) -> dict[str, Any]:
    from discovery.cache import is_off

    entries = held.kept()
    size = sum(entry.size for entry in entries)
    console.say(f"{held.folder}: {_size(size)} of at most {_size(held.limit)}{'; turned off' if is_off() else ''}.")
    if not entries:
        console.say("Nothing is kept; files below 8 MB in all are read anew.")
    for entry in entries:
        dates = f"made {_moment(entry.made)}  used {_moment(entry.used)}"
        other = "" if entry.current else "  (of another version, no longer used)"
        console.say(f"  {_size(entry.size):>9}  {entry.rows:>13,} events  {dates}  {entry.of}{other}")
    listed = [
        {
            "of": entry.of,
            "events": entry.rows,
            "bytes": entry.size,
            "made": _moment(entry.made),
            "used": _moment(entry.used),
            "current": entry.current,
            "key": entry.key,
        }
        for entry in entries
    ]
    return {"off": is_off(), "bytes": size, "limit": held.limit, "entries": listed}


def _cleared(held: Cache, console: Console) -> dict[str, Any]:
    entries, size = held.clear()
    console.say(f"{held.folder}: {entries} {'reading' if entries == 1 else 'readings'} removed, {_size(size)}.")
    return {"removed": entries, "bytes": size}


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _size(size: float) -> str:
    for unit in _UNITS[:-1]:
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 10 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} {_UNITS[-1]}"
