"""The plain log as Segment hands it over: raw calls as gzipped JSON lines, old ones too, and tables of a warehouse.

The fields are those of the public Segment spec (segment.com/docs/connections/spec) and of the description of its
warehouse schemas (segment.com/docs/connections/storage/warehouses/schema).
"""

from __future__ import annotations

import csv
import gzip
import json
import random
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.exports.plain import Account, Event, Export, PlainLog, write_accounts

SOURCE = "q8mJkzDnW1"
TEST_ACCOUNT = "internal-test"
_FILES = 4
_OF_A_TABLE = {
    "messageId": "id",
    "anonymousId": "anonymous_id",
    "userId": "user_id",
    "originalTimestamp": "original_timestamp",
    "sentAt": "sent_at",
    "receivedAt": "received_at",
    "timestamp": "timestamp",
}


def write_raw(log: PlainLog, folder: Path) -> tuple[Path, None]:
    """Write raw logs as a bucket holds them; the accounts are told by the group calls alone."""
    return _write_lines(raw_calls(log), folder / "segment-logs"), None


def write_old(log: PlainLog, folder: Path) -> tuple[Path, Path]:
    """Write raw logs of a tracking plan without `context.groupId`, and the accounts of a customer system."""
    calls = raw_calls(log, group_in_context=False, test_users=True)
    return _write_lines(calls, folder / "segment-logs"), write_accounts(log, folder / "accounts.csv")


def write_warehouse(log: PlainLog, folder: Path) -> tuple[Path, Path]:
    """Write the tables tracks and groups of a warehouse as Parquet."""
    calls = list(raw_calls(log, of_a_table=True))
    tracks = [_track(call) for call in calls if call["type"] == "track"]
    groups = [_group(call) for call in calls if call["type"] == "group"]
    for name, rows in (("tracks", tracks), ("groups", groups)):
        columns = list(dict.fromkeys(column for row in rows for column in row))
        table = pa.table({column: pa.array([row.get(column) for row in rows]) for column in columns})
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd", compression_level=19)
    return folder / "tracks.parquet", folder / "groups.parquet"


def write_upper_case(log: PlainLog, folder: Path) -> tuple[Path, Path]:
    """Write the table tracks as a warehouse that writes names in upper case unloads it to CSV, and the accounts."""
    rows = [_track(call) for call in raw_calls(log, of_a_table=True, test_users=True) if call["type"] == "track"]
    path = folder / "TRACKS.csv.gz"
    with gzip.GzipFile(path, "wb", mtime=0) as packed:
        lines = _Lines()
        out = csv.writer(lines)
        out.writerow([name.upper() for name in rows[0]])
        for row in rows:
            out.writerow([f"{v:%Y-%m-%d %H:%M:%S.%f}"[:-3] if isinstance(v, datetime) else v for v in row.values()])
        packed.write("".join(lines.written).encode())
    return path, write_accounts(log, folder / "accounts.csv")


def raw_calls(
    log: PlainLog,
    *,
    group_in_context: bool = True,
    of_a_table: bool = False,
    test_users: bool = False,
    seed: int = 21,
) -> Iterator[dict[str, Any]]:
    """Yield the calls as they were received: the events among the calls that say who is who and who belongs where.

    The context of some track calls has the group, where `group_in_context`. A table of tracks has no other word of it,
    and none of aliases: with `of_a_table` a user's first call has it too, and nobody was known by another id.
    """
    rng = random.Random(seed)
    accounts = {account.id: account for account in log.accounts}
    people = sorted({event.user for event in log.events})
    devices = {user: _uuid(rng) for user in people}
    wrong = {user for user in people if rng.random() < 0.05}
    merged = {user for user in people if rng.random() < 0.05 and not of_a_table}
    seen: set[str] = set()
    for event in log.events:
        first = event.user not in seen
        visit = _Visit(event, devices[event.user], event.user in wrong, rng)
        if first:
            yield visit.page()
            # The first event of some comes before they are known; some were known by another id at first.
            yield visit.track(known=rng.random() < 0.7, former=event.user in merged, grouped=of_a_table)
            yield from visit.introduced(accounts[event.account], event.user in merged, group_in_context)
            seen.add(event.user)
            continue
        call = visit.track(grouped=group_in_context and rng.random() < 0.6)
        yield call
        if rng.random() < 0.02:  # sent again after a broken connection
            yield {**call, "receivedAt": _text(event.time + timedelta(minutes=7, milliseconds=rng.randrange(1000)))}
        if rng.random() < 0.05:
            yield visit.page() if rng.random() < 0.5 else visit.screen()
        if rng.random() < 0.02:  # the account is told again, as it is by then
            yield visit.group(accounts[event.account], plan="enterprise", employees=rng.randrange(2, 900))
    if test_users:
        yield from _of_the_team(log, rng, group_in_context)


class _Visit:
    """One event and the calls around it, from one device."""

    def __init__(self, event: Event, device: str, wrong: bool, rng: random.Random) -> None:
        self.event, self.device, self.rng = event, device, rng
        late = timedelta(days=2, hours=5) if rng.random() < 0.01 else timedelta(milliseconds=50 * rng.randrange(2, 18))
        skew = timedelta(hours=9) if wrong else timedelta()
        # The receiver takes off what the clock of the device is ahead: timestamp = receivedAt - (sentAt - original).
        self.times = {
            "originalTimestamp": _text(event.time + skew),
            "sentAt": _text(event.time + skew + late),
            "receivedAt": _text(event.time + late),
            "timestamp": _text(event.time),
        }

    def track(self, *, known: bool = True, former: bool = False, grouped: bool = False) -> dict[str, Any]:
        user = f"{self.event.user}@old.example" if former else self.event.user
        call = self._call("track", user if known else None, message=self.event.id)
        call |= {"event": self.event.name, "properties": _properties(self.event, self.rng)}
        if grouped:
            call["context"] = {**call["context"], "groupId": self.event.account}
        return call

    def introduced(self, account: Account, merged: bool, recent: bool) -> Iterator[dict[str, Any]]:
        """Yield what is called when a user logs in for the first time."""
        yield self._call("identify", self.event.user) | {"traits": {"email": f"{self.event.user}@example.com"}}
        if merged:
            yield self._call("alias", self.event.user) | {"previousId": f"{self.event.user}@old.example"}
        created: Any = _text(account.signup)
        traits = {"createdAt": created} if recent else {"created_at": int(account.signup.timestamp())}
        yield self.group(account, **traits, plan=account.plan, channel=account.channel, employees=str(account.seats))

    def group(self, account: Account, **traits: Any) -> dict[str, Any]:
        told = {"name": f"Größe & {account.id}", "address": {"city": "東京"}, **traits}
        return self._call("group", self.event.user) | {"groupId": account.id, "traits": told}

    def page(self) -> dict[str, Any]:
        url = {"url": "https://app.example.com/home?q=1", "path": "/home"}
        return self._call("page", None) | {"name": "Home", "category": None, "properties": url}

    def screen(self) -> dict[str, Any]:
        return self._call("screen", self.event.user) | {"name": "Inbox", "properties": {}}

    def _call(self, kind: str, user: str | None, message: str = "") -> dict[str, Any]:
        return {
            "type": kind,
            "anonymousId": self.device,
            "userId": user,
            "messageId": message or f"ajs-{_uuid(self.rng)}",
            "context": {
                "ip": "203.0.113.7",
                "library": {"name": "analytics.js", "version": "2.1.0"},
                "page": {"path": "/home", "title": "Home — \N{HOUSE BUILDING}"},
            },
            "integrations": {"All": True},
            "version": 2,
            **self.times,
        }


def _of_the_team(log: PlainLog, rng: random.Random, grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield what people of the maker's own team did, in an account that no customer system knows."""
    for event in log.events[::100]:
        tried = Event(TEST_ACCOUNT, "qa+test@acme.example", event.name, event.time, _uuid(rng), event.properties)
        visit = _Visit(tried, _uuid(rng), False, rng)
        yield visit.track(grouped=grouped)
        yield visit.group(Account(TEST_ACCOUNT, event.time, None, "free", "direct", 1), plan="free")


def _properties(event: Event, rng: random.Random) -> dict[str, Any] | None:
    told = dict(event.properties)
    if rng.random() < 0.1:
        told["size"] = str(told["size"])  # a number by one library, text by another
    if rng.random() < 0.1:
        told["automatic"] = None
    told["item"] = {"kind": "doc", "tags": ["a", "b"]}
    return told if rng.random() < 0.97 else None


def _track(call: dict[str, Any]) -> dict[str, Any]:
    slug = call["event"].lower().replace(" ", "_")
    context = {
        "context_ip": call["context"]["ip"],
        "context_library_name": call["context"]["library"]["name"],
        "context_group_id": call["context"].get("groupId"),
    }
    return _common(call) | context | {"event": slug, "event_text": call["event"], "uuid_ts": _time(call["receivedAt"])}


def _group(call: dict[str, Any]) -> dict[str, Any]:
    traits = {("created_at" if name == "createdAt" else name): value for name, value in call["traits"].items()}
    traits["address_city"] = traits.pop("address")["city"]
    if "created_at" in traits:
        traits["created_at"] = _time(traits["created_at"])
    traits["employees"] = int(traits["employees"])
    return _common(call) | {"group_id": call["groupId"], "context_ip": call["context"]["ip"]} | traits


def _common(call: dict[str, Any]) -> dict[str, Any]:
    times = ("originalTimestamp", "sentAt", "receivedAt", "timestamp")
    return {column: _time(call[name]) if name in times else call[name] for name, column in _OF_A_TABLE.items()}


def _write_lines(calls: Iterable[dict[str, Any]], folder: Path) -> Path:
    """Write calls in the order in which they were received, in files by the day of receipt."""
    received = sorted(calls, key=lambda call: (call["receivedAt"], call["messageId"]))
    size = len(received) // _FILES + 1
    for i in range(_FILES):
        part = received[i * size : (i + 1) * size]
        day = datetime.fromisoformat(part[0]["receivedAt"]).replace(hour=0, minute=0, second=0, microsecond=0)
        path = folder / SOURCE / f"{int(day.timestamp())}000" / f"{i:04d}.json.gz"
        path.parent.mkdir(parents=True)
        lines = "".join(json.dumps(call, ensure_ascii=False) + "\n" for call in part)
        path.write_bytes(gzip.compress(lines.encode(), mtime=0))
    return folder


class _Lines:
    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, line: str) -> None:
        self.written.append(line)


def _text(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


EXPORTS: tuple[Export, ...] = (
    Export("segment/raw", write_raw, former="Report Shared"),
    Export("segment/old", write_old),
    Export("segment/warehouse", write_warehouse),
    Export("segment/upper-case", write_upper_case),
)
