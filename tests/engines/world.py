"""A small log with everything in it that engines treat differently, as raw tables and as what a study reads."""

from __future__ import annotations

import dataclasses
import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from sqlglot import exp

from discovery.engines.dialects import DIALECTS
from discovery.engines.raw_tables import IdColumn, PropertyColumn, RawTables, TimeColumn
from discovery.engines.typed_rows import typed_events
from discovery.exposure import EventColumns
from discovery.spec import Day

NAMES = ("report_shared", "Deal Created", 'it\'s \\ "odd"; -- {0} ${env:HOME} `tick` %s', "zażółć 🦆\n\t", "NULL")
USERS = (None, "u1", "U1", "u-2", "u 2", "Ü'", "null")
CHANNELS = (None, "email", "Email", "e-mail", "", "İ")
SIZES = (None, "", "0", "1", "1.0", "2.5", "1e-3", "12345678.125", "-3", "inf", "nan", "many", "1,5")
_HOUR = Day // 24
# Microseconds since 1970 at which clocks change: New York in March and November, Berlin in October 2024.
_NIGHTS = (1_710_054_000_000_000, 1_730_613_600_000_000, 1_729_990_800_000_000)
_EDGES = [int(days * Day) for days in (0, 1, 3, 7, 14, 30)]


@dataclass(frozen=True, eq=False)
class World:
    """Raw events with instants, and the accounts by their position."""

    events: pa.Table
    accounts: pa.Table
    n_accounts: int

    def lay(self, engine: Any) -> tuple[exp.Table | exp.Select, exp.Table | exp.Select, EventColumns]:
        """Give an engine both tables, and return what a study asks of: events, accounts, and columns of the events.

        The raw events are read by the engine, as instants, and then held there as read: it keeps queries short.
        """
        events = engine.bring('ev"ents', self.typed(engine))
        accounts = engine.bring("acc;o`unts", self.accounts)
        bytewise = DIALECTS[engine.dialect].bytewise
        return events, accounts, EventColumns(properties=("channel", "size"), bytewise=bytewise, dialect=engine.dialect)

    def typed(self, engine: Any) -> pa.Table:
        """Let an engine read the raw events, and return what it reads."""
        engine.bring("raw_events", self.events)
        kinds = pa.schema(
            [(name, pa.string()) for name in ("account_id", "event", "user_id")]
            + [("t", pa.int64())]
            + [
                (f"{kind}_{i}", of)
                for i in (0, 1)
                for kind, of in (("property", pa.string()), ("number", pa.float64()))
            ]
        )
        batches = list(engine.batches(typed_events(TABLES, engine.dialect).sql(dialect=engine.dialect)))
        return pa.Table.from_batches(batches, kinds)


TABLES = RawTables(
    events="raw_events",
    accounts="",
    event_account=IdColumn(name="account", stored="text"),
    event_name="name",
    event_time=TimeColumn(name="at", holds="timestamptz"),
    event_user=IdColumn(name="Person Id", stored="text"),
    properties=(PropertyColumn(name="channel", stored="text"), PropertyColumn(name="size", stored="text")),
    account=IdColumn(name="id", stored="text"),
    signup=TimeColumn(name="signup", holds="timestamptz"),
)


def world(seed: int, accounts: int = 70) -> World:
    """Make a world; of no accounts, one without a row."""
    draw = random.Random(seed)
    signups = [_signup(draw) for _ in range(accounts)]
    rows = [row for place, signup in enumerate(signups) for row in _rows(draw, f"a{place}", signup)]
    rows += _rows(draw, "unknown", signups[0]) if signups else []
    draw.shuffle(rows)
    known = [(place, f"a{place}", signup) for place, signup in enumerate(signups) if place % 11]
    kinds = {
        "account": pa.string(),
        "name": pa.string(),
        "Person Id": pa.string(),
        "at": pa.timestamp("us", "UTC"),
        "channel": pa.string(),
        "size": pa.string(),
    }
    positions = {"account": pa.int32(), "account_id": pa.string(), "signup": pa.int64()}
    return World(_table(rows, kinds), _table(known, positions), accounts)


def _signup(draw: random.Random) -> int:
    near = draw.choice(_NIGHTS) - draw.choice(_EDGES) + draw.randrange(-2, 3) * _HOUR
    return draw.choice([near, near + draw.randrange(-1, 2), 1_700_000_000_000_000 + draw.randrange(200 * Day)])


def _rows(draw: random.Random, account: str, signup: int) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for _ in range(draw.randrange(40)):
        edge = draw.choice(_EDGES) + draw.choice([-_HOUR, -1, 0, 1, _HOUR])
        lag = draw.choice([edge, draw.randrange(-2 * Day, 40 * Day), draw.randrange(3 * Day)])
        size = draw.choice(SIZES)
        name = draw.choice([*NAMES, NAMES[0], NAMES[0]])
        row = (account, name, draw.choice(USERS), signup + lag, draw.choice(CHANNELS), size)
        rows += [row] * draw.choice([1, 1, 1, 2, 4])
    return rows


def _table(rows: list[tuple[Any, ...]], kinds: dict[str, pa.DataType]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ((),) * len(kinds)
    return pa.table({name: pa.array(column, kind) for (name, kind), column in zip(kinds.items(), columns, strict=True)})


def assert_same(found: Any, expected: Any, place: str = "") -> None:
    """Assert that two answers are equal to the bit, whatever they are made of."""
    assert type(found) is type(expected), place
    if dataclasses.is_dataclass(expected):
        for field in dataclasses.fields(expected):
            assert_same(getattr(found, field.name), getattr(expected, field.name), f"{place}.{field.name}")
    elif isinstance(expected, np.ndarray):
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape), place
        assert found.tobytes() == expected.tobytes(), f"{place}: {found} {expected}"
    elif isinstance(expected, tuple | list):
        assert len(found) == len(expected), f"{place}: {found} {expected}"
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_same(one, other, f"{place}[{number}]")
    elif isinstance(expected, dict):
        assert_same(sorted(found.items()), sorted(expected.items()), place)
    else:
        assert repr(found) == repr(expected), f"{place}: {found} {expected}"
