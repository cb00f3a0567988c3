"""Small logs whose rows have properties, and answers computed row by row."""

from __future__ import annotations

import operator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from discovery.milestone import BY_OTHER, Condition, Milestone, PropertyTest
from discovery.spec import Day

from .naive_log import ACCOUNTS, EVENTS, NAMES, SmallBatches

PROPERTIES = ("channel", 'it\'s; "size"')
TEXTS = ("email", "true", "false", "10", "2.5", "-1", "größe/日本", "it's; --", 'say "hi" \\ {0}')
_ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@dataclass(frozen=True)
class PropertyRow:
    account: int
    event: str
    user: str | None
    t: int
    values: tuple[str | None, str | None]
    creator: str | None


@dataclass(frozen=True)
class PropertyLog:
    rows: tuple[PropertyRow, ...]
    n_accounts: int
    with_creator: bool

    @property
    def first_users(self) -> dict[int, str]:
        """The user of each account's earliest row with one; of several the smallest."""
        firsts: dict[int, tuple[int, bytes, str]] = {}
        for row in self.rows:
            if row.user is not None:
                key = (row.t, row.user.encode(), row.user)
                firsts[row.account] = min(firsts.get(row.account, key), key)
        return {account: user for account, (_, _, user) in firsts.items()}


def number_of(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def meets(log: PropertyLog, row: PropertyRow, test: PropertyTest) -> bool:
    if test.name == BY_OTHER:
        other = row.creator if log.with_creator else log.first_users.get(row.account)
        return row.user is not None and other is not None and (row.user != other) is test.value
    text = row.values[PROPERTIES.index(test.name)]
    if text is None:
        return False
    equal = []
    for value in test.values:
        if isinstance(value, str | bool):
            equal.append(text == (value if isinstance(value, str) else str(value).lower()))
            continue
        number = number_of(text)
        if number is None:
            equal.append(False)
            if test.operator != "in":
                return False
        elif test.operator in _ORDER:
            return bool(_ORDER[test.operator](number, value))
        else:
            equal.append(number == value)
    return not equal[0] if test.operator == "!=" else any(equal)


def naive_moments(log: PropertyLog, part: Condition | Milestone) -> np.ndarray:
    """The moment of reach in days, walking each account's rows in order of time; signups are at 0."""
    if isinstance(part, Milestone):
        moments = [naive_moments(log, inner) for inner in part.parts]
        return (np.max if part.joined == "and" else np.min)(moments, axis=0)
    window = 14 * Day if part.within_hours is None else part.within_hours * Day // 24
    reached = np.full(log.n_accounts, np.inf)
    for account in range(log.n_accounts):
        count, users = 0, set()
        mine = [row for row in log.rows if row.account == account and row.event == part.event and 0 <= row.t < window]
        for row in sorted(mine, key=lambda row: row.t):
            if not all(meets(log, row, test) for test in part.where):
                continue
            count += 1
            users |= {row.user} - {None}
            if count >= part.at_least and (part.min_users == 1 or len(users) >= part.min_users):
                reached[account] = row.t / Day
                break
    return reached


_numbers = st.sampled_from([10, 2.5, -1, 0])
_tests = (
    st.builds(
        PropertyTest, st.sampled_from(PROPERTIES), st.sampled_from(["=", "!="]), st.sampled_from(TEXTS) | _numbers
    )
    | st.builds(PropertyTest, st.sampled_from(PROPERTIES), st.sampled_from([*_ORDER]), _numbers)
    | st.builds(PropertyTest, st.sampled_from(PROPERTIES), st.just("!="), st.booleans())
    | st.builds(
        PropertyTest,
        st.sampled_from(PROPERTIES),
        st.just("in"),
        st.lists(st.sampled_from(TEXTS) | _numbers, min_size=1, max_size=3).map(tuple),
    )
    | st.builds(PropertyTest, st.just(BY_OTHER), st.just("="), st.booleans())
)
conditions = st.builds(
    Condition,
    st.sampled_from(NAMES[:2]),
    st.integers(1, 3),
    st.sampled_from([None, 24, 168]),
    st.integers(1, 2),
    st.lists(_tests, max_size=2).map(tuple),
)
milestones = st.builds(
    lambda parts, joined: Milestone(tuple(parts), joined),
    st.lists(conditions, min_size=1, max_size=3),
    st.sampled_from(["and", "or"]),
)


@st.composite
def property_logs(draw: st.DrawFn) -> PropertyLog:
    n = draw(st.integers(1, 4))
    value = st.none() | st.sampled_from(TEXTS)
    user = st.sampled_from([None, "u1", "u2", "Ü", "U3"])
    row = st.builds(
        PropertyRow,
        st.integers(0, n - 1),
        st.sampled_from(NAMES[:2]),
        user,
        st.sampled_from([-5, 0, 1, Day - 1, Day, 7 * Day - 1, 7 * Day, 14 * Day - 1, 14 * Day]),
        st.tuples(value, value),
        user,
    )
    return PropertyLog(tuple(draw(st.lists(row, max_size=40))), n, draw(st.booleans()))


def lay(engine: SmallBatches, log: PropertyLog) -> None:
    """Register a log's two relations on the engine, properties and creators among the columns."""
    texts = [[row.values[i] for row in log.rows] for i in range(len(PROPERTIES))]
    events = {
        "account_id": pa.array([f"a{row.account}" for row in log.rows], pa.string()),
        "event": pa.array([row.event for row in log.rows], pa.string()),
        "user_id": pa.array([row.user for row in log.rows], pa.string()),
        "t": pa.array([row.t for row in log.rows], pa.int64()),
        "creator_id": pa.array([row.creator for row in log.rows], pa.string()),
    }
    for i, column in enumerate(texts):
        events[f"property_{i}"] = pa.array(column, pa.string())
        events[f"number_{i}"] = pa.array([number_of(text) for text in column], pa.float64())
    accounts = {
        "account": pa.array(range(log.n_accounts), pa.int32()),
        "account_id": pa.array([f"a{i}" for i in range(log.n_accounts)], pa.string()),
        "signup": pa.array([0] * log.n_accounts, pa.int64()),
    }
    engine.register(EVENTS, pa.table(events))
    engine.register(ACCOUNTS, pa.table(accounts))
