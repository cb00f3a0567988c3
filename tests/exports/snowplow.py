"""The plain log as Snowplow loads it: a lake, Snowflake, Redshift, and the enriched stream before any of them.

The columns are those of the public description of the atomic events table, of how schemas become columns, and of the
enriched stream (docs.snowplow.io/docs/fundamentals/canonical-event).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import re
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.exports.plain import Account, Event, Export, PlainLog, write_accounts

VENDOR = "com.acme-apps"
TEST_ACCOUNT = "internal-test"
_ACCOUNT_COLUMN = "contexts_com_acme_apps_account_1"
_ROBOT_COLUMN = "contexts_com_iab_snowplow_spiders_and_robots_1"
_ACCOUNT = pa.list_(
    pa.struct({"account_id": pa.string(), "created_at": pa.timestamp("us"), "plan": pa.string(), "seats": pa.int64()})
)
_ROBOT = pa.list_(pa.struct({"category": pa.string(), "reason": pa.string(), "spider_or_robot": pa.bool_()}))
_OWN = pa.struct({"channel": pa.string(), "size": pa.float64(), "automatic": pa.bool_()})

# The columns of the enriched stream, as its makers list them; the files have no header.
_COLUMNS = (
    "app_id,platform,etl_tstamp,collector_tstamp,dvce_created_tstamp,event,event_id,txn_id,name_tracker,v_tracker,"
    "v_collector,v_etl,user_id,user_ipaddress,user_fingerprint,domain_userid,domain_sessionidx,network_userid,"
    "geo_country,geo_region,geo_city,geo_zipcode,geo_latitude,geo_longitude,geo_region_name,ip_isp,ip_organization,"
    "ip_domain,ip_netspeed,page_url,page_title,page_referrer,page_urlscheme,page_urlhost,page_urlport,page_urlpath,"
    "page_urlquery,page_urlfragment,refr_urlscheme,refr_urlhost,refr_urlport,refr_urlpath,refr_urlquery,"
    "refr_urlfragment,refr_medium,refr_source,refr_term,mkt_medium,mkt_source,mkt_term,mkt_content,mkt_campaign,"
    "contexts,se_category,se_action,se_label,se_property,se_value,unstruct_event,tr_orderid,tr_affiliation,tr_total,"
    "tr_tax,tr_shipping,tr_city,tr_state,tr_country,ti_orderid,ti_sku,ti_name,ti_category,ti_price,ti_quantity,"
    "pp_xoffset_min,pp_xoffset_max,pp_yoffset_min,pp_yoffset_max,useragent,br_name,br_family,br_version,br_type,"
    "br_renderengine,br_lang,br_features_pdf,br_features_flash,br_features_java,br_features_director,"
    "br_features_quicktime,br_features_realplayer,br_features_windowsmedia,br_features_gears,br_features_silverlight,"
    "br_cookies,br_colordepth,br_viewwidth,br_viewheight,os_name,os_family,os_manufacturer,os_timezone,dvce_type,"
    "dvce_ismobile,dvce_screenwidth,dvce_screenheight,doc_charset,doc_width,doc_height,tr_currency,tr_total_base,"
    "tr_tax_base,tr_shipping_base,ti_currency,ti_price_base,base_currency,geo_timezone,mkt_clickid,mkt_network,"
    "etl_tags,dvce_sent_tstamp,refr_domain_userid,refr_device_tstamp,derived_contexts,domain_sessionid,derived_tstamp,"
    "event_vendor,event_name,event_format,event_version,event_fingerprint,true_tstamp"
)
STREAM = _COLUMNS.split(",")


def write_lake(log: PlainLog, folder: Path) -> tuple[Path, None]:
    """Write the events as a lake has them: entities as lists of records, each event's own fields as a record."""
    rows = list(atomic_rows(log))
    types = {_ACCOUNT_COLUMN: _ACCOUNT, _ROBOT_COLUMN: _ROBOT}
    types |= {name: _OWN for row in rows for name in row if name.startswith("unstruct_event_")}
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = pa.table({name: pa.array([row.get(name) for row in rows], type=types.get(name)) for name in names})
    path = folder / "events"
    path.mkdir()
    half = len(rows) // 2
    for i, part in enumerate((table.slice(0, half), table.slice(half))):
        # The columns of events that a part has none of are not in it, as a schema of its own file has it.
        names = [name for name in part.column_names if part[name].null_count < len(part)]
        pq.write_table(part.select(names), path / f"part-{i:05d}.parquet", compression="zstd", compression_level=19)
    return path, None


def write_snowflake(log: PlainLog, folder: Path) -> tuple[Path, Path]:
    """Write the events as Snowflake unloads them: names in upper case, entities and own fields as JSON text."""
    rows = list(atomic_rows(log, test_users=True))
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name.upper(): pa.array([_as_text(_camel(row.get(name))) for row in rows]) for name in names}
    path = folder / "EVENTS.parquet"
    pq.write_table(pa.table(columns), path, compression="zstd", compression_level=19)
    return path, write_accounts(log, folder / "accounts.csv")


def write_redshift(log: PlainLog, folder: Path) -> tuple[Path, Path]:
    """Write what UNLOAD gives of the events, with the account joined from the table of its entity."""
    out = io.StringIO()
    lines = csv.writer(out, delimiter="|")
    nested = ("contexts", "derived_contexts", "unstruct_event")
    names = [*(name for name in STREAM if name not in nested), "load_tstamp", "account_id"]
    lines.writerow(names)
    for row in atomic_rows(log, test_users=True):
        entity = row[_ACCOUNT_COLUMN]
        joined = {
            **row,
            "load_tstamp": row["collector_tstamp"],
            "account_id": entity[0]["account_id"] if entity else "",
        }
        lines.writerow([_stamp(joined.get(name)) for name in names])
    path = folder / "atomic_events.csv.gz"
    path.write_bytes(gzip.compress(out.getvalue().encode(), mtime=0))
    return path, write_accounts(log, folder / "accounts.csv")


def write_stream(log: PlainLog, folder: Path) -> tuple[Path, None]:
    """Write the enriched stream: tabs, no header, entities in one column of self-describing JSON."""
    lines = []
    for row in atomic_rows(log):
        told = {**row, "contexts": None, "derived_contexts": None, "unstruct_event": None}
        if row[_ACCOUNT_COLUMN]:
            told["contexts"] = _contexts(("com.acme-apps/account", _camel(row[_ACCOUNT_COLUMN][0])))
        robot = _camel(row[_ROBOT_COLUMN][0])
        told["derived_contexts"] = _contexts(
            ("org.w3/PerformanceTiming", {"navigationStart": 1}), ("com.iab.snowplow/spiders_and_robots", robot)
        )
        own = next((value for name, value in row.items() if name.startswith("unstruct_event_")), None)
        if own is not None:
            schema = f"iglu:{VENDOR}/{row['event_name']}/jsonschema/1-0-0"
            told["unstruct_event"] = {
                "schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0",
                "data": {"schema": schema, "data": own},
            }
        lines.append("\t".join(_stamp(_as_text(told.get(name))) for name in STREAM) + "\n")
    path = folder / "enriched"
    path.mkdir()
    half = len(lines) // 2
    for i, part in enumerate((lines[:half], lines[half:])):
        (path / f"part-{i:05d}.tsv.gz").write_bytes(gzip.compress("".join(part).encode(), mtime=0))
    return path, None


def atomic_rows(log: PlainLog, *, test_users: bool = False, seed: int = 31) -> Iterator[dict[str, Any]]:
    """Yield the rows: repeats, late ones, wrong clocks, visitors before login, robots, views of pages and pings."""
    rng = random.Random(seed)
    accounts = {account.id: account for account in log.accounts}
    people = sorted({event.user for event in log.events})
    browsers = {user: _uuid(rng) for user in people}
    wrong = {user for user in people if rng.random() < 0.05}
    seen: set[str] = set()
    for event in log.events:
        known = event.user in seen
        skew = timedelta(hours=-11) if event.user in wrong else timedelta()
        row = _row(event, accounts[event.account], browsers[event.user], skew, rng)
        if not known and rng.random() < 0.3:
            row["user_id"] = None  # before the first login
        elif known and rng.random() < 0.2:
            row[_ACCOUNT_COLUMN] = None  # sent by a page that does not know the account
        if known and rng.random() < 0.02:
            row["derived_tstamp"] = None  # as old pipelines left it, with a clock that was right
            row["collector_tstamp"] = event.time
        yield row
        if rng.random() < 0.02:  # loaded twice
            yield {**row, "etl_tstamp": event.time + timedelta(hours=1)}
        if rng.random() < 0.1:
            yield _standard(row, rng.choice(("page_view", "page_ping", "page_ping")), rng)
        if rng.random() < 0.02:
            yield _by_robot(row, rng)
        seen.add(event.user)
    # Every user is seen with an id and an account at least once; the last word is the sign-out of all.
    for event in {event.user: event for event in log.events}.values():
        yield _standard(_row(event, accounts[event.account], browsers[event.user], timedelta(), rng), "page_ping", rng)
    if test_users:
        team = Account(TEST_ACCOUNT, log.events[0].time, None, "free", "direct", 1)
        for event in log.events[::100]:
            tried = Event(TEST_ACCOUNT, "qa+test@acme.example", event.name, event.time, "evt_0", event.properties)
            yield _row(tried, team, _uuid(rng), timedelta(), rng) | {"event_id": _uuid(rng)}


def _row(event: Event, account: Account, browser: str, skew: timedelta, rng: random.Random) -> dict[str, Any]:
    late = timedelta(days=2, hours=3) if rng.random() < 0.01 else timedelta(milliseconds=100 * rng.randrange(1, 9))
    return {
        "app_id": "acme-web",
        "platform": "web",
        "etl_tstamp": event.time + late + timedelta(seconds=4),
        "collector_tstamp": event.time + late,
        "dvce_created_tstamp": event.time + skew,
        "dvce_sent_tstamp": event.time + skew + late,
        "derived_tstamp": event.time,
        "event": "unstruct",
        "event_id": _numbered_uuid(int(event.id.rpartition("_")[2])),
        "v_tracker": "js-3.24.0",
        "v_collector": "ssc-3.1.0-kinesis",
        "user_id": event.user,
        "domain_userid": browser,
        "network_userid": browser,
        "page_title": 'Home — "größe", 日本',
        "se_category": None,
        "se_action": None,
        "br_type": "Browser",
        "event_vendor": VENDOR,
        "event_name": event.name,
        "event_format": "jsonschema",
        "event_version": "1-0-0",
        _ACCOUNT_COLUMN: [
            {
                "account_id": account.id,
                "created_at": account.signup,
                "plan": account.plan if rng.random() < 0.5 or event.time < account.signup + timedelta(30) else "grown",
                "seats": account.seats,
            }
        ],
        _ROBOT_COLUMN: [{"category": "BROWSER", "reason": "PASSED_ALL", "spider_or_robot": False}],
        f"unstruct_event_com_acme_apps_{_snake(event.name)}_1": dict(event.properties),
    }


def _standard(row: dict[str, Any], name: str, rng: random.Random) -> dict[str, Any]:
    kept = {key: value for key, value in row.items() if not key.startswith("unstruct_event_")}
    vendor = "com.snowplowanalytics.snowplow"
    return kept | {"event": name, "event_name": name, "event_vendor": vendor, "event_id": _uuid(rng)}


def _by_robot(row: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    marked = [{"category": "SPIDER_OR_ROBOT", "reason": "FAILED_UA_EXCLUDE", "spider_or_robot": True}]
    return row | {
        "event_id": _uuid(rng),
        "user_id": None,
        "domain_userid": "00000000-0000-4000-8000-00000000b075",
        "network_userid": None,
        "br_type": "Robot",
        _ROBOT_COLUMN: marked,
    }


def _contexts(*entities: tuple[str, Any]) -> dict[str, Any]:
    listed = [{"schema": f"iglu:{name}/jsonschema/1-0-0", "data": value} for name, value in entities]
    return {"schema": "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1", "data": listed}


def _camel(value: Any) -> Any:
    """Return records with the names of fields as they were sent."""
    if isinstance(value, list):
        return [_camel(each) for each in value]
    if not isinstance(value, dict):
        return value
    parts = {name: name.split("_") for name in value}
    return {"".join([p[0], *map(str.title, p[1:])]): value[name] for name, p in parts.items()}


def _snake(name: str) -> str:
    """Return the name of a schema as it is part of the name of a column."""
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()


def _as_text(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False, default=_iso) if isinstance(value, list | dict) else value


def _iso(value: datetime) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%SZ}"


def _stamp(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S.%f}"[:-3]
    return "" if value is None else str(value)


def _numbered_uuid(number: int) -> str:
    return str(uuid.UUID(int=number, version=4))


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(48), version=4))


EXPORTS: tuple[Export, ...] = (
    Export("snowplow/lake", write_lake, former="reportShared"),
    Export("snowplow/snowflake", write_snowflake),
    Export("snowplow/redshift", write_redshift),
    Export("snowplow/stream", write_stream),
)
