"""The raw world with properties in it: texts, numbers in text and in columns of their own, truth values, creators."""

from __future__ import annotations

import functools
import random
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from discovery import intake
from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.raw_tables import IdColumn, PropertyColumn, RawTables
from discovery.exposure import EventColumns, reach_times
from discovery.milestone import BY_OTHER, Milestone
from discovery.spec import Day, build_spec

from .portable_world import RawWorld, raw_world

STORED = {"channel": "text", "size": "text", "weight": "float", "seats": "integer", "automatic": "boolean", "plan": ""}
MILESTONES = (
    'report_shared[channel = "email"]',
    'report_shared[channel != "email"] >= 2 within 7d',
    'report_shared[channel in ("größe/日本", "it\'s; --", "no such")]',
    "report_shared[size >= 2.5] >= 2 by 2 users",
    "report_shared[size < -1]",
    'report_shared[size = 10, channel = "email"] or "Deal Created"[weight <= 0.1]',
    'report_shared[size in (3, "soon")]',
    "report_shared[size != 3] within 7d",
    "report_shared[weight > 0.3]",
    'report_shared[seats = 3] and "Deal Created"[seats != 3]',
    'report_shared[seats = "3"]',
    "report_shared[automatic = true] >= 2",
    "report_shared[automatic != true] within 3d",
    "report_shared[plan = true]",
    "report_shared[by_other = true] >= 2",
    "report_shared[by_other = false] within 7d",
    'report_shared[by_other = true, channel = "email"] by 2 users',
)
_SIZES = ("1", "2.5", " 3 ", "10", "1e1", "-7", "+3", ".5", "3.", "soon", "nan", "inf", "", None, "12 kg")


@dataclass(frozen=True, eq=False)
class WithProperties:
    """A raw world with properties, and what our own intake and exposure say of it."""

    world: RawWorld

    def tables(self, milestone: Milestone) -> RawTables:
        asked = [name for name in milestone.properties if name != BY_OTHER]
        columns = tuple(PropertyColumn(name=name, stored=STORED[name]) for name in asked)
        return replace(self.world.tables, properties=columns)

    def expected(self, milestone: Milestone) -> dict[str, tuple[int, float]]:
        names = [name for name in milestone.properties if name != BY_OTHER]
        spec, engine = build_spec(self.world.spec), DuckDBEngine(threads=1)
        with closing(engine):
            relations = intake.load(self.world.events, self.world.accounts, spec, engine=engine, properties=names)
            columns = EventColumns(properties=relations.properties, has_creator=relations.has_creator)
            tables = (relations.events_table, relations.accounts_table)
            days = reach_times(engine, *tables, len(relations.accounts), milestone, 14 * Day, columns)
        known = relations.accounts
        return {
            str(known.account_id[i]): (int(known.signup[i]) + round(days[i] * Day), float(days[i]))
            for i in np.flatnonzero(np.isfinite(days) & ~known.excluded)
        }


@functools.cache
def with_properties(*, creator: bool = False, duplicates: str = "by_id") -> WithProperties:
    draw = random.Random(5)
    world = raw_world(duplicates=duplicates)
    n = len(world.events)
    columns = {
        "channel": pa.array([draw.choice(["email", "link", "größe/日本", "it's; --", "", None]) for _ in range(n)]),
        "size": pa.array([draw.choice(_SIZES) for _ in range(n)], pa.string()),
        "weight": pa.array([draw.choice([0.1, 0.3, 0.1 + 0.2, 1e20, float("nan"), None]) for _ in range(n)]),
        "seats": pa.array([draw.choice([3, 0, -3, None]) for _ in range(n)], pa.int64()),
        "automatic": pa.array([draw.choice([True, False, None]) for _ in range(n)]),
        "plan": pa.array([draw.choice(["True", "FALSE", "true", "maybe", None]) for _ in range(n)]),
        "maker": pa.array([draw.choice(["u1", "u2", "", None]) for _ in range(n)]),
    }
    events = world.events
    for name, values in columns.items():
        events = events.append_column(name, values)
    tables, spec = world.tables, dict(world.spec)
    if creator:
        tables = replace(tables, event_creator=IdColumn(name="maker", stored="text"))
        spec["events"] = {**spec["events"], "creator": "maker"}
    return WithProperties(replace(world, events=events, tables=tables, spec=spec))
