"""What a check looks at, and how it writes down what it found."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.intake.columns import Table
from discovery.intake.eventlog import EventLog
from discovery.intake.formats import Layout
from discovery.intake.roster import Roster
from discovery.intake.volume import Log, Volume, read_volume, with_sample
from discovery.results import QualityFinding, Severity
from discovery.spec import FORMAT_NAMES, StudySpec

SHOWN = 5
_PASTED = 50


@dataclass(frozen=True)
class Checked:
    """Both sides as read, the spec as resolved, and how the churn dates only repeat silence (empty: they do not)."""

    engine: DuckDBEngine
    events: EventLog
    roster: Roster
    spec: StudySpec
    silence: str
    account_losses: tuple[int, tuple[str, ...]]  # lines of the accounts that could not be read
    guessed_encoding: tuple[str, ...] = ()  # files that are not UTF-8 and were read as Latin-1
    roll: Table | None = None  # the accounts as given, all columns
    layout: Layout | None = None  # what the export of the events tells; None: nothing
    time: str = ""  # the column that the times of the events are read from
    counts: Mapping[str, int] | None = None  # the rows of every event name, where they were counted elsewhere

    @property
    def tool(self) -> str:
        """The tool whose export the events are, as people write it; empty for a plain table."""
        return "" if self.layout is None or self.layout.format == "table" else FORMAT_NAMES[self.layout.format]

    @property
    def corrects_times(self) -> bool:
        """Whether the times of the events do not depend on the clocks of devices."""
        return self.layout is not None and self.time in self.layout.corrected_times

    def first(self, value: str, relation: str, where: str) -> tuple[str, ...]:
        """Return the first few different values of an expression, in their own order."""
        found = self.engine.rows(
            f"SELECT DISTINCT {value} AS v FROM {relation} WHERE ({where}) AND {value} IS NOT NULL "
            f"ORDER BY v LIMIT {SHOWN}"
        )
        return tuple(shortened(str(text)) for (text,) in found)

    def known(self, column: str) -> str:
        """Return the condition that an account of the events is one of the accounts."""
        return self.events.coding.known(column, self.roster.typed)

    @cached_property
    def pairs(self) -> str:
        """A table of every account and user of the usable events: `account_id`, `user_id`, `n`, `first` and `last`.

        `account_key` and `user_key` are what the events call them: the ids, or in a large log numbers.
        """
        name, coding = quoted(f"{self.events.usable}_pairs"), self.events.coding
        counted = (
            "SELECT account_id AS account_key, user_id AS user_key, count(*) AS n, min(t) AS first, max(t) AS last "
            f"FROM {quoted(self.events.usable)} GROUP BY account_id, user_id"
        )
        named = f"SELECT account_key AS account_id, user_key AS user_id, * FROM ({counted})"
        if coding:
            named = (
                f"SELECT a.id AS account_id, u.id AS user_id, p.* FROM ({counted}) p "
                f"JOIN {quoted(coding.accounts)} a ON p.account_key = a.code "
                f"LEFT JOIN {quoted(coding.users)} u ON p.user_key = u.code"
            )
        self.engine.execute(f"CREATE OR REPLACE TABLE {name} AS {named}")
        return name

    @cached_property
    def users(self) -> str:
        """A table of every user of the usable events: `user_id`, in how many `accounts`, and `n` rows."""
        name = quoted(f"{self.events.usable}_users")
        self.engine.execute(
            f"CREATE OR REPLACE TABLE {name} AS SELECT any_value(user_id) AS user_id, count(*) AS accounts, "
            f"sum(n) AS n FROM {self.pairs} WHERE user_key IS NOT NULL GROUP BY user_key"
        )
        return name

    @cached_property
    def silent_accounts(self) -> NDArray[np.bool_]:
        """Which accounts with a usable signup have no event, in their order."""
        found = self.engine.rows(
            f"SELECT a.account FROM {quoted(self.roster.table)} a ANTI JOIN {self.pairs} p "
            "ON a.account_id = p.account_key"
        )
        silent = np.zeros(len(self.roster.accounts), dtype=bool)
        silent[[account for (account,) in found]] = True
        return silent

    @cached_property
    def log(self) -> Log | None:
        """The usable events between the log's ends; None where there are none."""
        events = self.events
        if events.start is None or events.end is None:
            return None
        return with_sample(
            Log(
                engine=self.engine,
                events=events.usable,
                accounts=self.roster.table,
                start=events.start,
                end=events.end,
                rows=events.usable_rows,
            )
        )

    @cached_property
    def volume(self) -> Volume | None:
        """How often every event happens on every day."""
        return None if self.log is None else read_volume(self.log)

    @cached_property
    def names(self) -> dict[str, int]:
        """The rows of every usable event name, most rows first."""
        if self.counts is not None:
            return dict(sorted(self.counts.items(), key=lambda each: (-each[1], each[0])))
        found = self.engine.rows(
            f"SELECT event, count(*) AS n FROM {quoted(self.events.usable)} GROUP BY event ORDER BY n DESC, event"
        )
        return {str(name): int(rows) for name, rows in found}

    def clear(self) -> None:
        """Drop the tables that the checks made for each other."""
        for name in ("pairs", "users"):
            if name in self.__dict__:
                self.engine.execute(f"DROP TABLE IF EXISTS {self.__dict__[name]}")
        if self.__dict__.get("log") is not None:
            self.__dict__["log"].close()
        self.events.coding.drop(self.engine)


def finding(
    code: str,
    severity: Severity,
    message: str,
    *,
    count: int,
    of: int,
    examples: Iterable[str],
    remedy: str,
    names_accounts: bool = False,
    paste: str = "",
) -> QualityFinding:
    """Return a finding whose share is `count` of `of`."""
    return QualityFinding(
        code=code,
        severity=severity,
        message=message,
        count=int(count),
        share=count / of if of else None,
        examples=tuple(shortened(str(example)) for example in examples)[:SHOWN],
        remedy=remedy,
        names_accounts=names_accounts,
        paste=paste,
    )


def shortened(text: str, limit: int = 120) -> str:
    """Return text cut to a length that fits a line."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def setting(section: str, key: str, values: Iterable[str]) -> str:
    """Return lines for `discover.toml` that set a key to a list of names."""
    listed = ", ".join(toml_text(value) for value in list(values)[:_PASTED])
    return f"[{section}]\n{toml_text(key, key=True)} = [{listed}]"


def aliases(names: Iterable[tuple[str, Iterable[str]]]) -> str:
    """Return lines for `discover.toml` that give events their other spellings."""
    lines = [f"aliases.{toml_text(name, key=True)} = [{', '.join(map(toml_text, others))}]" for name, others in names]
    return "\n".join(["[events]", *lines])


def toml_text(text: str, *, key: bool = False) -> str:
    """Return text as TOML writes it: in quotes, or bare where it is a key of plain letters."""
    if key and text and text.replace("_", "").replace("-", "").isalnum() and text.isascii():
        return text
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
