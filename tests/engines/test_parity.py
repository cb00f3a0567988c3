"""Every question of the exposure room has the same answer, to the bit, on every engine."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sqlglot import exp

from discovery import exposure as asked
from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import aliased, column
from discovery.engines.typed_rows import typed_events
from discovery.milestone import Condition, Milestone
from discovery.spec import Day

from .world import NAMES, TABLES, World, assert_same, world

SHARED, DEAL, ODD = NAMES[:3]
OBSERVED, WINDOWS = 14 * Day, (Day, 3 * Day, 7 * Day)
ACTS = tuple(
    part
    for text in (
        'report_shared[channel = "email"]',
        'report_shared[channel = "Email"]',
        'report_shared[channel in ("e-mail", "İ")]',
        "report_shared[size > 1]",
        '"Deal Created"[size <= 2.5, channel != "email"]',
        "report_shared[by_other = true]",
        '"Deal Created"[by_other = false]',
    )
    for part in Milestone.parse(text).parts
    if isinstance(part, Condition)
)
MILESTONES = (
    "report_shared >= 3 within 7d",
    "report_shared >= 2 within 7d by 2 users",
    '("Deal Created" and report_shared) within 3d or "zażółć 🦆\n\t" >= 4',
    "report_shared[by_other = true] >= 2 within 14d",
)


class Asked:
    """One engine with a world laid on it."""

    def __init__(self, engine: Any, of: World) -> None:
        self.events, self.accounts, self.columns = of.lay(engine)
        self.engine, self.n = engine, of.n_accounts

    @property
    def both(self) -> tuple[Any, Any, Any]:
        return self.engine, self.events, self.accounts

    @property
    def every(self) -> asked.Among:
        return asked.Among(np.arange(self.n), self.n)

    @functools.cached_property
    def exposure(self) -> asked.Exposure:
        return asked.measure(*self.both, self.n, WINDOWS, OBSERVED, acts=ACTS, columns=self.columns)

    def values(self, name: str) -> asked.PropertyValues:
        return asked.PropertyValues(
            engine=self.engine,
            events_table=self.events,
            accounts_table=self.accounts,
            columns=self.columns,
            name=name,
            observation_us=OBSERVED,
            latest=1_730_000_000_000_000,
        )


def decided(of: Asked) -> np.ndarray:
    return np.where(np.arange(of.n) % 3 == 0, np.inf, (np.arange(of.n) * 1.7) % 31)


def of_many(of: Asked) -> Any:
    """Ask as if half of these accounts were enough: which are asked, and the decisions of those that are."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(asked.ranges, "ENOUGH", of.n // 2)
        some = asked.ranges.enough_accounts(of.engine, of.accounts)
        query = exp.select(column("account", "s")).from_(aliased(some, "s")).sql(dialect=of.engine.dialect)
        places = sorted(int(row[0]) for row in of.engine.rows(query))
        return places, asked.decision_times(*of.both, decided(of), decided(of)[::-1], min_shared=3)


def values_of(name: str) -> Callable[[Asked], Any]:
    def ask(of: Asked) -> Any:
        values = of.values(name)
        return values.counted(), values.sameness(), values.reached(NAMES[:2]), values.quartiles(NAMES[:3])

    return ask


START, END = 1_690_000_000_000_000, 1_735_000_000_000_000
QUESTIONS: dict[str, Callable[[Asked], Any]] = {
    "exposure": lambda of: of.exposure,
    "flags": lambda of: asked.candidate_flags(
        of.exposure, np.arange(of.n), (1, 2, 3, 5), (1, 3, 7, 14), (1, 2, 3), opened=ACTS
    ),
    "names": lambda of: asked.event_names(of.engine, of.events),
    "never met": lambda of: asked.never_met(of.engine, of.events, ACTS, of.columns),
    "rhythm": lambda of: asked.account_rhythm(*of.both, of.n, OBSERVED, (DEAL,)),
    "volume axes": lambda of: asked.volume_axes(*of.both, OBSERVED),
    "decisions": lambda of: asked.decision_times(*of.both, decided(of), decided(of)[::-1], min_shared=3),
    "some of many accounts": of_many,
    "sessions": lambda of: asked.session_numbers(*of.both, of.every, OBSERVED, decided(of)[None, :], (DEAL,)),
    "weekly": lambda of: asked.weekly_rows(of.engine, of.events, NAMES[:3], START, END),
    "weekly presence": lambda of: asked.weekly_presence(
        of.engine, of.events, (SHARED, "channel"), of.columns, START, END
    ),
    "core weeks": lambda of: asked.core_weeks(*of.both, of.n, (SHARED, ODD)),
    "active users": lambda of: asked.active_users(*of.both, of.n, (DEAL,)),
    "daily": lambda of: asked.daily_actions(*of.both, of.n, 14, (SHARED,)),
    "active": lambda of: asked.active_between(*of.both, of.n, 21 * Day, 28 * Day, (), (SHARED,)),
    "active by events": lambda of: asked.active_between(*of.both, of.n, 7 * Day, 14 * Day, (SHARED, ODD)),
    "users": lambda of: asked.user_counts(*of.both, of.n, (SHARED, DEAL), OBSERVED),
    "usual values": lambda of: asked.usual_values(of.engine, of.events, of.columns, SHARED, "channel", 3),
    "values of text": values_of("channel"),
    "values of numbers": values_of("size"),
    "values of by_other": values_of("by_other"),
    "with acts": lambda of: asked.event_names(of.engine, asked.with_acts(of.events, ACTS, of.columns)),
}
for text in MILESTONES:
    QUESTIONS[f"reach {text}"] = lambda of, text=text: asked.reach_times(
        *of.both, of.n, Milestone.parse(text), OBSERVED, of.columns
    )
QUESTIONS["used again"] = lambda of: asked.used_again(
    *of.both, of.n, Milestone.parse(MILESTONES[0]), OBSERVED, columns=of.columns
)
QUESTIONS["met between"] = lambda of: asked.met_between(
    *of.both, of.n, Milestone.parse(SHARED), Milestone.parse(MILESTONES[1]), OBSERVED, (ODD,), of.columns
)
QUESTIONS["met from signup"] = lambda of: asked.met_between(*of.both, of.n, None, None, OBSERVED)


@functools.cache
def expected(which: World) -> dict[str, Any]:
    with DuckDBEngine(threads=1) as engine:
        of = Asked(engine, which)
        return {name: ask(of) for name, ask in QUESTIONS.items()}


WORLDS = {"full": world(seed=3), "empty": world(seed=0, accounts=0)}


@pytest.fixture(scope="module")
def laid() -> Callable[[Any, str], Asked]:
    return functools.cache(lambda engine, which: Asked(engine, WORLDS[which]))


def in_order(rows: pa.Table) -> list[dict[str, Any]]:
    return sorted(rows.to_pylist(), key=repr)


def test_raw_rows_are_read_alike(engine: Any) -> None:
    with DuckDBEngine(threads=1) as reference:
        assert in_order(WORLDS["full"].typed(engine)) == in_order(WORLDS["full"].typed(reference))


def test_the_exposure_of_raw_rows_is_that_of_rows_as_read(engine: Any, laid: Callable[[Any, str], Asked]) -> None:
    of = laid(engine, "full")
    raw = typed_events(TABLES, engine.dialect)
    found = asked.measure(engine, raw, of.accounts, of.n, WINDOWS, OBSERVED)
    assert_same(found, asked.measure(*of.both, of.n, WINDOWS, OBSERVED))


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_has_the_same_answer(question: str, engine: Any, laid: Callable[[Any, str], Asked]) -> None:
    found = QUESTIONS[question](laid(engine, "full"))
    assert_same(found, expected(WORLDS["full"])[question], question)


def test_without_any_row_every_answer_is_the_same(engine: Any, laid: Callable[[Any, str], Asked]) -> None:
    of = laid(engine, "empty")
    for question, answer in expected(WORLDS["empty"]).items():
        assert_same(QUESTIONS[question](of), answer, question)
