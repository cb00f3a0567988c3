"""A made-up export of Segment's raw logs: gzipped JSON lines with nested context, as large as asked for."""

from __future__ import annotations

import csv
import json
import random
import uuid
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path

LINES = 40_000
"""Lines of one gzip member; the file holds many, as an export put together from parts does."""

_BEGINS = datetime(2025, 1, 6, tzinfo=UTC)
_DAYS = 150
_NAMES = tuple(
    f"{thing} {done}"
    for thing in ("Report", "Dashboard", "Invite", "Deal", "Contact", "Workflow", "Import", "Comment", "Export", "Task")
    for done in ("Created", "Viewed", "Shared", "Updated", "Deleted")
)
_PATHS = ("/app/reports", "/app/settings/team", "/app/deals/board", "/app/contacts", "/login", "/app/größe/überblick")
_AGENTS = tuple(
    f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
    for system in ("Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64")
    for version in range(118, 130)
)


@dataclass(frozen=True, slots=True)
class Export:
    """Where the events and the accounts are, and how much they hold."""

    events: Path
    accounts: Path
    rows: int
    bytes: int


def written(folder: Path, megabytes: int, *, accounts: int = 20_000, workers: int = 2, lines: int = LINES) -> Export:
    """Return the export of that size in the folder, written first where it is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    events, roll, note = (folder / f"segment_{megabytes}mb{end}" for end in (".jsonl.gz", "_accounts.csv", ".json"))
    if not note.exists():
        _write_accounts(roll, accounts)
        rows = _write_events(events, megabytes * 1_000_000, accounts, workers, lines)
        note.write_text(json.dumps({"rows": rows}), encoding="utf-8")
    return Export(events, roll, json.loads(note.read_text(encoding="utf-8"))["rows"], events.stat().st_size)


def _write_events(path: Path, size: int, accounts: int, workers: int, lines: int) -> int:
    rows = 0
    with path.open("wb") as file, ProcessPoolExecutor(workers) as pool:
        for first in range(0, 1 << 30, 4 * workers):
            seeds = range(first, first + 4 * workers)
            for member in pool.map(_member, seeds, repeat(accounts), repeat(lines)):
                file.write(member)
                rows += lines
                if file.tell() >= size:
                    return rows
    return rows


def _member(seed: int, accounts: int, lines: int) -> bytes:
    squeezer = zlib.compressobj(4, zlib.DEFLATED, 31)
    text = "".join(_lines(random.Random(seed), accounts, lines)).encode()
    return squeezer.compress(text) + squeezer.flush()


def _lines(rng: random.Random, accounts: int, lines: int) -> Iterator[str]:
    for _ in range(lines):
        account = int(accounts * rng.random() ** 2)
        yield _line(rng, account)


def _line(rng: random.Random, account: int) -> str:
    user = f"user-{account}-{int(8 * rng.random() ** 2)}"
    lived = _DAYS * 86_400_000 - _signup(account)
    at = _BEGINS + timedelta(milliseconds=_signup(account) + int(lived * rng.random() ** 3))
    stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    path, name, bits = rng.choice(_PATHS), _NAMES[int(50 * rng.random() ** 2)], rng.getrandbits(128)
    call = _call(bits, name, account, user, path)
    return (
        f'{{"anonymousId":"{uuid.UUID(int=rng.getrandbits(128))}","context":{{"groupId":"acc-{account}","ip":"'
        f'{bits & 255}.{bits >> 8 & 255}.{bits >> 16 & 255}.{bits >> 24 & 255}","library":{{"name":"analytics.js",'
        f'"version":"next-1.{bits & 63}.0"}},"locale":"en-GB","page":{{"path":"{path}","referrer":"","search":"?id='
        f'{bits >> 80}","title":"Acme","url":"https://app.example.com{path}?id={bits >> 80}"}},"timezone":'
        f'"Europe/Berlin","userAgent":"{rng.choice(_AGENTS)}","campaign":{{}}}},{call},"integrations":{{}},'
        f'"messageId":"ajs-next-{bits:032x}","originalTimestamp":"{stamp}","receivedAt":"{stamp}","sentAt":"{stamp}",'
        f'"timestamp":"{stamp}","userId":"{user}","version":2,"writeKey":"made-up"}}\n'
    )


def _call(bits: int, name: str, account: int, user: str, path: str) -> str:
    """Return what differs by the kind of call: nine of ten are events, the others views, people and groups."""
    kind = bits % 128
    if kind < 8:
        return f'"name":"{path}","properties":{{"path":"{path}","title":"Acme"}},"type":"page"'
    if kind < 12:
        return f'"traits":{{"email":"{user}@example.com","name":"Größe {bits & 7}"}},"type":"identify"'
    if kind == 12:
        return f'"groupId":"acc-{account}","traits":{{"plan":"{("free", "team")[bits >> 9 & 1]}"}},"type":"group"'
    return (
        f'"event":"{name}","properties":{{"channel":"{("email", "link", "slack")[bits % 3]}","size":{bits % 97 / 2},'
        f'"automatic":{("true", "false")[bits & 1]},"object_id":{bits >> 70},"tags":["a","b{bits & 7}"],"note":null}},'
        f'"type":"track"'
    )


def _signup(account: int) -> int:
    """Return when an account signed up, in milliseconds after the log begins: over its first ninety days."""
    return account * 7_919_000 % (90 * 86_400_000)


def _write_accounts(path: Path, accounts: int) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["account_id", "signup_at", "churned_at", "channel"])
        for account in range(accounts):
            signup = _BEGINS + timedelta(milliseconds=_signup(account))
            left = (signup + timedelta(days=50 + account % 40)).isoformat() if account % 3 == 0 else ""
            out.writerow([f"acc-{account}", signup.isoformat(), left, ("ads", "search", "partner")[account % 3]])
