"""PostHog: the log as its batch exports write it, and as the app before them did.

What is awkward in the real ones is in here too: people who are anonymous at first and merged later, events before the
group is known, records that are no behaviour, deliveries that come twice or days late, device clocks that are off,
numbers that are now and then text, and colleagues with an account of their own.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from zlib import crc32

import pyarrow as pa
import pyarrow.parquet as pq

from tests.exports.plain import Account, Event, Export, PlainLog, write_accounts

Row = dict[str, Any]

_COLLEAGUES = "acme-internal"
_TABLE = (
    *("uuid", "event", "properties", "elements", "set", "set_once"),
    *("distinct_id", "team_id", "ip", "site_url", "timestamp"),
)


def rows_of(log: PlainLog, *, colleagues: bool = False) -> list[Row]:
    """Return the events as PostHog keeps them, in the order in which it took them in."""
    rows = sorted(_captured(log, colleagues=colleagues), key=lambda row: (row["created_at"], row["uuid"]))
    again = [{**row, "created_at": row["created_at"] + timedelta(hours=1)} for row in rows[::40]]
    return sorted([*rows, *again], key=lambda row: (row["created_at"], row["uuid"]))


def write_parquet(log: PlainLog, folder: Path) -> tuple[Path, Path]:
    """Write batch exports of events to Parquet, and the table of groups as the answer to a query is downloaded."""
    events = folder / "events"
    events.mkdir()
    rows = rows_of(log, colleagues=True)
    half = len(rows) // 2
    for interval, part in (("2025-01-01-2025-07-01", rows[:half]), ("2025-07-01-2026-01-01", rows[half:])):
        name = f"{interval}.parquet.zst"  # compressed inside, as any Parquet
        pq.write_table(_batch(part), events / name, compression="zstd", compression_level=19)
        (events / f"{interval}_manifest.json").write_text(json.dumps({"files": [name]}) + "\n", encoding="utf-8")
    return events, write_groups(log, folder / "groups.csv")


def write_json_lines(log: PlainLog, folder: Path) -> tuple[Path, None]:
    """Write a batch export to JSON lines, from which the accounts have to be read as well."""
    path = folder / "events.jsonl.gz"
    lines = [
        {
            **{name: row[name] for name in ("uuid", "event", "properties", "distinct_id", "person_id")},
            "person_properties": row["person_properties"],
            "elements_chain": "",
            "timestamp": _iso(row["timestamp"]),
            "created_at": _iso(row["created_at"]),
        }
        for row in rows_of(log)
    ]
    _write_gzipped(path, lines)
    return path, None


def write_warehouse(log: PlainLog, folder: Path) -> tuple[Path, Path]:
    """Write the table that a batch export fills in a database, as text; accounts are from elsewhere."""
    path = folder / "events.csv.gz"
    text = io.StringIO(newline="")
    out = csv.writer(text)
    out.writerow(_TABLE)
    for row in rows_of(log, colleagues=True):
        told = [row["uuid"], row["event"], _json(row["properties"]), "", "", "", row["distinct_id"]]
        out.writerow([*told, 4711, "203.0.113.7", "", row["timestamp"].strftime("%Y-%m-%d %H:%M:%S.%f+00")])
    path.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))
    return path, write_accounts(log, folder / "accounts.csv")


def write_app(log: PlainLog, folder: Path) -> tuple[Path, Path]:
    """Write what the S3 export app of old wrote: no persons, and properties that are text inside the JSON."""
    path = folder / "20250630-events.jsonl.gz"
    lines = [
        {
            "uuid": row["uuid"],
            "distinct_id": row["distinct_id"],
            "event": row["event"],
            "ip": None,
            "site_url": "",
            "team_id": 4711,
            "now": _iso(row["created_at"]),
            "sent_at": row["properties"].get("$sent_at"),
            "timestamp": _iso(row["timestamp"]),
            "properties": _json(row["properties"]),
            "$set": row["properties"].get("$set"),
        }
        for row in rows_of(log, colleagues=True)
    ]
    _write_gzipped(path, lines)
    return path, write_accounts(log, folder / "accounts.csv")


EXPORTS: tuple[Export, ...] = (
    Export("posthog/parquet", write_parquet),
    Export("posthog/jsonl", write_json_lines, former="report shared"),
    Export("posthog/warehouse", write_warehouse),
    Export("posthog/app", write_app),
)


def write_groups(log: PlainLog, path: Path) -> Path:
    """Write the groups of two types, one of them with several versions of a row."""
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["index", "key", "properties", "created_at", "updated_at"])
        for account in log.accounts:
            seen = account.signup + timedelta(days=2)  # later than the signup that the properties tell
            out.writerow([0, account.id, _json(_traits(account)), _iso(seen), _iso(seen)])
            if account.churned:
                left = {**_traits(account), "plan": "free", "churned_at": account.churned.isoformat()}
                out.writerow([0, account.id, _json(left), _iso(seen), _iso(account.churned)])
            out.writerow([1, f"{account.id}/main", _json({"name": "Main"}), _iso(seen), _iso(seen)])
    return path


def write_persons(log: PlainLog, path: Path) -> Path:
    """Write the persons model: every distinct id, and the person it ended up with."""
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["team_id", "distinct_id", "person_id", "properties", "person_version"])
        for user in sorted({event.user for event in log.events}):
            for distinct in (user, _anonymous(user)):
                out.writerow([4711, distinct, _id("person", user), _json({"email": f"{user}@example.org"}), 1])
    return path


def _captured(log: PlainLog, *, colleagues: bool) -> Iterator[Row]:
    accounts = {account.id: account for account in log.accounts}
    soon = log.soon_followed()
    told: set[str] = set()
    known: set[str] = set()
    for number, event in enumerate(log.events):
        stranger = event.user not in known and event.id in soon and crc32(event.user.encode()) % 3 > 0
        if stranger:  # no group yet, and a person of its own
            yield _row(event.name, event.time, _anonymous(event.user), _own(number, event), key=event.id)
        if event.user not in known:
            known.add(event.user)
            merged = {"$anon_distinct_id": _anonymous(event.user), "$set": {"email": f"{event.user}@example.org"}}
            yield _row("$identify", event.time, event.user, merged, key=event.user)
        if event.account not in told:
            told.add(event.account)
            yield _group_record(event, accounts[event.account])
        if not stranger:
            properties = _own(number, event) | _in_group(event.account, project=number % 5 == 0)
            yield _row(event.name, event.time, event.user, properties, key=event.id)
        yield from _around(number, event)
        if colleagues and number % 50 == 0:
            ours = _own(number, event) | _in_group(_COLLEAGUES)
            yield _row(event.name, event.time, "dana@acme.example", ours, key=f"ours {number}")
    for account in log.accounts:
        if account.churned:
            yield _left(account, account.churned)


def _around(number: int, event: Event) -> Iterator[Row]:
    """Yield what the libraries and visitors of the website add to the log."""
    if number % 12 == 0:
        called = {"$feature_flag": "new-nav", "$feature_flag_response": True} | _in_group(event.account)
        yield _row("$feature_flag_called", event.time, event.user, called, key=f"flag {number}")
    if number % 30 == 0:
        yield _row("$set", event.time, event.user, {"$set": {"theme": "dark"}}, key=f"set {number}")
        visitor = f"visitor-{number}"
        yield _row("$pageview", event.time, visitor, {"$current_url": "https://acme.example/"}, key=visitor)


def _group_record(event: Event, account: Account) -> Row:
    record = {"$group_type": "company", "$group_key": account.id, "$group_set": _traits(account)}
    return _row("$groupidentify", event.time, event.user, record | _in_group(account.id), key=f"group {account.id}")


def _left(account: Account, at: datetime) -> Row:
    """Return the record that a server writes of a group; it is an event of nobody in particular."""
    left = {"plan": "free", "churned_at": at.isoformat()}
    record = {"$group_type": "company", "$group_key": account.id, "$group_set": left}
    return _row("$groupidentify", at, f"$company_{account.id}", record, key=f"left {account.id}")


def _traits(account: Account) -> dict[str, Any]:
    """Return the properties of a group at signup; some SDKs told its time in ISO 8601, some in milliseconds."""
    odd = crc32(account.id.encode()) % 4 == 0
    created = int(account.signup.timestamp() * 1000) if odd else account.signup.isoformat()
    return {
        "name": f"Größe & Co {account.id}",
        "created_at": created,
        "plan": account.plan,
        "channel": account.channel,
        "seats": account.seats,
    }


def _own(number: int, event: Event) -> dict[str, Any]:
    """Return the event's own properties: one nested, one missing at times, one of mixed types."""
    values = dict(event.properties)
    if number % 7 == 0:
        values["size"] = str(values["size"])
    if number % 11 == 0:
        values["screen"] = {"size": {"width": 1280}, "tags": ["a", "ü"]}
    return values


def _in_group(account: str, *, project: bool = False) -> dict[str, Any]:
    if not project:
        return {"$groups": {"company": account}, "$group_0": account}
    main = f"{account}/main"
    return {"$groups": {"company": account, "project": main}, "$group_0": account, "$group_1": main}


def _row(name: str, at: datetime, distinct_id: str, properties: Mapping[str, Any], *, key: str) -> Row:
    lucky = crc32(key.encode()) % 50
    received = at + (timedelta(days=3) if lucky == 0 else timedelta(seconds=1 + lucky))
    off = timedelta(hours=2) if crc32(distinct_id.encode()) % 20 == 0 else timedelta()
    internal = distinct_id.endswith("@acme.example")
    server = {"$lib": "posthog-python"}
    return {
        "uuid": _id("event", key),
        "event": name,
        "properties": {**({"$lib": "web", "$sent_at": _iso(received + off)} if lucky % 3 else server), **properties},
        "person_properties": {"email": distinct_id} if internal else {},
        "distinct_id": distinct_id,
        "person_id": _id("person", distinct_id),
        "timestamp": at,
        "created_at": received,
    }


def _batch(rows: list[Row]) -> pa.Table:
    moment = pa.timestamp("us", tz="UTC")
    return pa.table(
        {
            **{name: [row[name] for row in rows] for name in ("uuid", "event", "distinct_id", "person_id")},
            "properties": [_json(row["properties"]) for row in rows],
            "person_properties": [_json(row["person_properties"]) for row in rows],
            "elements_chain": [""] * len(rows),
            "timestamp": pa.array([row["timestamp"] for row in rows], moment),
            "created_at": pa.array([row["created_at"] for row in rows], moment),
            "_inserted_at": pa.array([row["created_at"] + timedelta(seconds=4) for row in rows], moment),
        }
    )


def _write_gzipped(path: Path, lines: list[Row]) -> None:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def _anonymous(user: str) -> str:
    return _id("device", user)


def _id(kind: str, key: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{kind}:{key}"))


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
