"""The plain log as Mixpanel exports it: raw in seconds, milliseconds and project time, and as a table of a pipeline.

The fields are those of the public descriptions (docs.mixpanel.com/reference/raw-event-export and
docs.mixpanel.com/docs/data-pipelines/json-pipelines).
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from tests.exports.plain import Event, Export, PlainLog, write_accounts

PROJECT_ZONE = "America/New_York"
TEST_ACCOUNT = "internal-test"
_FILES = 4

Writing = Literal["seconds", "milliseconds", "project"]


def write_seconds(log: PlainLog, folder: Path) -> tuple[Path, Path]:
    """Write the raw export as it comes by default, and the accounts of a customer system."""
    return write_raw(log, folder, "seconds"), write_accounts(log, folder / "accounts.csv")


def write_milliseconds(log: PlainLog, folder: Path) -> tuple[Path, Path]:
    """Write the raw export asked for in milliseconds, and the profiles of the groups."""
    return write_raw(log, folder, "milliseconds"), write_group_profiles(log, folder / "companies.jsonl")


def write_project_time(log: PlainLog, folder: Path) -> tuple[Path, Path]:
    """Write the raw export of a project made before 2023, whose times are those of its time zone."""
    return write_raw(log, folder, "project"), write_accounts(log, folder / "accounts.csv")


def write_pipeline(log: PlainLog, folder: Path) -> tuple[Path, Path]:
    """Write the events table that a pipeline keeps in a warehouse, as Parquet."""
    told = [(row["event"], dict(row["properties"])) for row in mixpanel_rows(log, "seconds")]
    columns = {
        "device_id": [properties.get("$device_id") for _, properties in told],
        "distinct_id": [properties.get("distinct_id") for _, properties in told],
        "event_name": [event for event, _ in told],
        "insert_id": [properties.get("$insert_id") for _, properties in told],
        "time": [datetime.fromtimestamp(properties["time"], UTC) for _, properties in told],
        "user_id": [properties.get("$user_id") for _, properties in told],
        "properties": [json.dumps(_without(properties), ensure_ascii=False) for _, properties in told],
    }
    path = folder / "mp_master_event.parquet"
    pq.write_table(pa.table(columns), path, compression="zstd")
    return path, write_accounts(log, folder / "accounts.csv")


def write_raw(log: PlainLog, folder: Path, writing: Writing) -> Path:
    """Write the raw export as several gzipped files of JSON lines."""
    rows = list(mixpanel_rows(log, writing, test_users=True))
    events = folder / "events"
    events.mkdir()
    size = len(rows) // _FILES + 1
    for i in range(_FILES):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows[i * size : (i + 1) * size])
        (events / f"export-{i + 1}.jsonl.gz").write_bytes(gzip.compress(lines.encode(), mtime=0))
    return events


def write_group_profiles(log: PlainLog, path: Path, *, page: bool = False) -> Path:
    """Write the profiles of the companies, one to a line or as one page of the query's answer."""
    profiles = [
        {
            "$distinct_id": account.id,
            "$properties": {
                "$name": f"Größe {account.id}",
                "$created": account.signup.isoformat(),
                **({"churned_at": account.churned.isoformat()} if account.churned else {}),
                "channel": account.channel,
                "seats": account.seats,
                "tags": ["a", "b"],
            },
        }
        for account in log.accounts
    ]
    answer = {"page": 0, "page_size": 1000, "session_id": "1", "status": "ok", "total": 60, "results": profiles}
    lines = [answer] if page else profiles
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def mixpanel_rows(
    log: PlainLog, writing: Writing, *, test_users: bool = False, seed: int = 12
) -> Iterator[dict[str, Any]]:
    """Yield the rows: repeats, users before login and merged ones, late ones, and records that are no behaviour."""
    rng = random.Random(seed)
    soon = log.soon_followed()
    seen: set[str] = set()
    before = {"$insert_id": "none"}
    for n, event in enumerate(log.events):
        known = event.user in seen
        properties = _properties(n, event, writing, rng)
        how = rng.choice(["simplified", "identify", "anonymous", "alias", "merge"])
        if known and rng.random() < 0.1:
            del properties["company_id"]
        elif not known and event.id in soon and rng.random() < 0.8:
            yield from _before_login(event, properties, how)
            continue
        if rng.random() < 0.01:
            properties["$insert_id"] = before["$insert_id"]  # taken again for another event: no repeat
        before = properties
        seen.add(event.user)
        row = {"event": event.name, "properties": properties}
        yield row
        if rng.random() < 0.03:
            yield {
                **row,
                "properties": {**properties, "$city": "elsewhere", "mp_processing_time_ms": _ms(event.time, 99)},
            }
        if rng.random() < 0.02:
            yield {"event": "$mp_session_record", "properties": {**properties, "$insert_id": f"rec{n:09d}"}}
        if test_users and rng.random() < 0.01:
            inside = {"company_id": TEST_ACCOUNT, "distinct_id": "qa@acme-testing.com", "$user_id": None}
            yield {"event": event.name, "properties": {**properties, **inside, "$device_id": None}}


def _before_login(event: Event, properties: dict[str, Any], how: str) -> Iterator[dict[str, Any]]:
    """Yield an event of a user whom Mixpanel did not know yet, and the record that says who it was."""
    inside = {key: value for key, value in properties.items() if key not in ("$user_id", "company_id")}
    anonymous = f"anon-{properties['$insert_id']}"
    said = {key: inside[key] for key in ("time", "mp_processing_time_ms")} | {"distinct_id": event.user}
    if how == "simplified":  # the user's other events carry both ids
        yield {"event": event.name, "properties": {**inside, "distinct_id": f"$device:{inside['$device_id']}"}}
        return
    if how == "identify":
        yield {"event": event.name, "properties": {**inside, "distinct_id": anonymous}}
        ids = {"$identified_id": event.user, "$anon_id": anonymous, "$insert_id": f"id-{anonymous}"}
        yield {"event": "$identify", "properties": {**said, **ids}}
    elif how == "alias":
        yield {"event": event.name, "properties": {**inside, "distinct_id": anonymous}}
        yield {"event": "$create_alias", "properties": {**said, "alias": anonymous, "$insert_id": f"al-{anonymous}"}}
    elif how == "merge":
        yield {"event": event.name, "properties": {**inside, "distinct_id": anonymous}}
        ids = {"$distinct_ids": [event.user, anonymous], "$insert_id": f"me-{anonymous}"}
        yield {"event": "$merge", "properties": {**said, **ids}}
    else:  # already settled by Mixpanel
        settled = {"distinct_id": event.user, "$distinct_id_before_identity": anonymous}
        yield {"event": event.name, "properties": {**inside, **settled}}


def _properties(n: int, event: Event, writing: Writing, rng: random.Random) -> dict[str, Any]:
    late = 2 * 86_400 if rng.random() < 0.02 else rng.randrange(1, 30)
    company: Any = [event.account] if rng.random() < 0.3 else event.account
    imported = {"$import": True} if rng.random() < 0.05 else {}
    detail = rng.choice([{}, {"detail": 7}, {"detail": "✓"}, {"detail": {"deep": [1, "zwei"]}}])
    return {
        "time": _clock(event.time, writing),
        "distinct_id": event.user,
        "$city": rng.choice(["Zürich", "東京", "St. John's"]),
        "$device_id": f"dev-{event.user}",
        "$insert_id": f"{n:010x}",
        "$lib_version": "2.60.0",
        "$mp_api_timestamp_ms": _ms(event.time, late),
        "$user_id": event.user,
        "company_id": company,
        "mp_lib": "web",
        "mp_processing_time_ms": _ms(event.time, late + 1),
        **imported,
        **event.properties,
        **detail,
    }


def _clock(moment: datetime, writing: Writing) -> int:
    if writing == "project":
        on_wall = moment.astimezone(ZoneInfo(PROJECT_ZONE)).replace(tzinfo=UTC)
        return int(on_wall.timestamp())
    return int(moment.timestamp()) * (1000 if writing == "milliseconds" else 1)


def _ms(moment: datetime, seconds: int) -> int:
    return int((moment + timedelta(seconds=seconds)).timestamp() * 1000)


def _without(properties: dict[str, Any]) -> dict[str, Any]:
    columns = ("$device_id", "distinct_id", "$insert_id", "time", "$user_id")
    return {key: value for key, value in properties.items() if key not in columns}


EXPORTS: tuple[Export, ...] = (
    Export("mixpanel/seconds", write_seconds, former="reportShared"),
    Export("mixpanel/milliseconds", write_milliseconds),
    Export("mixpanel/pipeline", write_pipeline),
)
