"""The plain log as Amplitude exports it: gzipped JSON lines by the hour, and the events table of a warehouse.

The fields are those of the public description of the Export API (amplitude.com/docs/apis/analytics/export).
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.exports.plain import Account, Event, Export, PlainLog, write_accounts

APP = 203138
TEST_ACCOUNT = "internal-test"
_FILES = 6
_TIMES = ("event_time", "client_event_time", "client_upload_time", "server_received_time", "server_upload_time")
_NEVER = (
    *("$schema", "adid", "amplitude_attribution_ids", "amplitude_event_type", "device_brand", "device_carrier"),
    *("device_manufacturer", "device_model", "dma", "idfa", "is_attribution_event", "location_lat", "location_lng"),
    *("paying", "partner_id", "sample_rate", "source_id", "start_version"),
)


def write_export(log: PlainLog, folder: Path) -> tuple[Path, Path]:
    """Write what unpacking the archive of the Export API gives, and the accounts of a customer system."""
    rows = sorted(amplitude_rows(log, test_users=True), key=lambda row: row["server_upload_time"])
    events = folder / str(APP)
    events.mkdir()
    size = len(rows) // _FILES + 1
    for i in range(_FILES):
        part = rows[i * size : (i + 1) * size]
        hour = datetime.fromisoformat(part[0]["server_upload_time"])
        path = events / f"{APP}_{hour:%Y-%m-%d}_{hour.hour}#{i}.json.gz"
        lines = "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in part)
        path.write_bytes(gzip.compress(lines.encode(), mtime=0))
    return events, write_accounts(log, folder / "accounts.csv")


def write_warehouse(log: PlainLog, folder: Path) -> tuple[Path, None]:
    """Write the events table of a warehouse as Parquet: columns in upper case, nested fields as JSON text."""
    rows = list(amplitude_rows(log, group_properties=True))
    columns = {name: [_stored(name, row[name]) for row in rows] for name in rows[0]}
    kinds = {name: pa.timestamp("us") for name in _TIMES} | {"amplitude_id": pa.decimal128(38, 0)}
    table = pa.table({name.upper(): pa.array(values, type=kinds.get(name)) for name, values in columns.items()})
    path = folder / f"EVENTS_{APP}.parquet"
    pq.write_table(table, path, compression="zstd")
    return path, None


def amplitude_rows(
    log: PlainLog, *, group_properties: bool = False, test_users: bool = False, seed: int = 11
) -> Iterator[dict[str, Any]]:
    """Yield the rows: repeats, late ones, wrong clocks, users before login, and records that are no behaviour."""
    rng = random.Random(seed)
    accounts = {account.id: account for account in log.accounts}
    amplitude_ids = {user: 2_234_540_000 + 7 * i for i, user in enumerate(sorted({e.user for e in log.events}))}
    skews = {user: timedelta(hours=26) if rng.random() < 0.05 else timedelta() for user in amplitude_ids}
    soon = log.soon_followed()
    seen: set[str] = set()
    for n, event in enumerate(log.events):
        known = event.user in seen
        row = _row(n, event, amplitude_ids[event.user], skews[event.user], rng)
        if known and rng.random() < 0.1:
            row["groups"] = {}  # sent before the group was set again
        if not known and event.id in soon and rng.random() < 0.8:
            row |= {"user_id": None, "groups": {}}  # before the first login
        if row["groups"] and group_properties:
            row["group_properties"] = {"company": {event.account: _traits(accounts[event.account], event, rng)}}
        yield row
        if row["user_id"] and not known:
            seen.add(event.user)
            yield row | {"event_type": "$identify", "uuid": _uuid(n, 1), "$insert_id": _uuid(n, 2)}
        if rng.random() < 0.02:
            yield row | {"server_upload_time": _text(event.time + timedelta(days=3))}  # exported twice
        if rng.random() < 0.02:
            yield row | {"event_type": "session_end", "uuid": _uuid(n, 3), "$insert_id": _uuid(n, 4)}
        if test_users and rng.random() < 0.01:
            company = {"company": [TEST_ACCOUNT]}
            tester = {"user_id": "qa@acme-testing.com", "amplitude_id": 2_234_539_999}
            yield row | tester | {"groups": company, "uuid": _uuid(n, 5)}


def write_merged_ids(pairs: Iterable[tuple[int, int]], path: Path) -> Path:
    """Write Amplitude's table of merged ids: an id, and the one it was merged into."""
    moment = "2025-02-01 00:00:00.000000"
    rows = [
        {"amplitude_id": new, "merged_amplitude_id": old, "merge_event_time": moment, "merge_server_time": moment}
        for new, old in pairs
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _row(n: int, event: Event, amplitude_id: int, skew: timedelta, rng: random.Random) -> dict[str, Any]:
    late = timedelta(days=2) if rng.random() < 0.02 else timedelta(seconds=rng.randrange(1, 60))
    received = event.time + late
    company: Any = event.account if rng.random() < 0.1 else [event.account]
    detail = rng.choice([None, "✓", 7, {"nested": {"deep": [1, "zwei"]}}, ["a", 1]])
    return {
        **dict.fromkeys(_NEVER),
        "amplitude_id": amplitude_id,
        "app": APP,
        "city": rng.choice(["Zürich", "東京", "St. John's"]),
        "client_event_time": _text(event.time + skew),
        "client_upload_time": _text(received + skew),
        "country": "Switzerland",
        "data": {"group_ids": {"3124": [2357687219]}, "path": "/2/httpapi"},
        "device_family": "Mac OS",
        "device_id": f"dev-{amplitude_id}",
        "device_type": "Mac",
        "event_id": n % 1000,
        "event_properties": {**event.properties, **({} if detail is None else {"detail": detail})},
        "event_time": _text(event.time),
        "event_type": event.name,
        "group_properties": {},
        "groups": {"company": company} | ({"plan tier": ["a"]} if rng.random() < 0.3 else {}),
        "$insert_id": _uuid(n, 9),
        "ip_address": "203.0.113.42",
        "language": "English",
        "library": "amplitude-js/8.21.0",
        "os_name": "Mac OS X",
        "os_version": "14.5",
        "platform": "Web",
        "processed_time": _text(received + timedelta(minutes=2)),
        "region": "ZH",
        "server_received_time": _text(received),
        "server_upload_time": _text(received),
        "session_id": int(event.time.timestamp() * 1000) // 3_600_000 * 3_600_000,
        "user_creation_time": None,
        "user_id": event.user,
        "user_properties": {"role": "member", "email": f"{event.user}@example.com"},
        "uuid": _uuid(n, 0),
        "version_name": None,
    }


def _traits(account: Account, event: Event, rng: random.Random) -> dict[str, Any]:
    """Return the group's properties as of an event: what changed later is told differently later."""
    first = event.time < account.signup + timedelta(days=30)
    told: dict[str, Any] = {"created_at": account.signup.isoformat(), "plan": account.plan if first else "renewed"}
    return told if rng.random() < 0.5 else {**told, "acquisition channel": account.channel, "seats": account.seats}


def _stored(name: str, value: Any) -> Any:
    if name in _TIMES:
        return datetime.fromisoformat(value)
    if name == "amplitude_id":
        return Decimal(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def _uuid(n: int, kind: int) -> str:
    return f"{n:08x}-2e3b-11eb-9a8{kind:x}-0a62134d514d"


EXPORTS: tuple[Export, ...] = (
    Export("amplitude/export", write_export, former="Report Shared"),
    Export("amplitude/warehouse", write_warehouse),
)
