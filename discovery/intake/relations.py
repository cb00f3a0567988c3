"""What intake hands on: two checked relations, and what is known about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from discovery.engines import Engine
from discovery.engines.aggregated import Aggregated
from discovery.engines.expressions import Relation
from discovery.results import QualityFinding, RecognisedColumn, RuleChecked
from discovery.spec import StudySpec

if TYPE_CHECKING:
    from discovery.intake.checked import Checked

UNKNOWN_TIME = np.iinfo(np.int64).min
"""Stands for a missing time in the integer arrays of `Accounts`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """The accounts table as arrays of length A, sorted by `account_id`; times in microseconds since 1970 UTC.

    An account's position in these arrays is the integer `account` of both relations. Accounts without a
    usable signup are kept here with `signup == UNKNOWN_TIME`, so that the account flow can count them.
    """

    account_id: NDArray[np.object_]
    signup: NDArray[np.int64]
    churned: NDArray[np.int64]
    converted: NDArray[np.int64]
    observed_until: NDArray[np.int64]  # administrative end per account; never unknown
    excluded: NDArray[np.bool_]
    seats: NDArray[np.float64]  # NaN where unknown
    segments: Mapping[str, NDArray[np.object_]]  # strings; None where unknown
    assignments: Mapping[str, NDArray[np.object_]]  # variants of past randomised tests; None where not in the test

    def __len__(self) -> int:
        return len(self.account_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relations:
    """Two relations on an engine, checked and typed, and what was found out on the way.

    `events_table` has the columns `account_id` (text), `event` (text, not null), `user_id` (text or null)
    and `t` (BIGINT, microseconds since 1970 UTC, not null); duplicates are already treated as the spec asks, aliases
    renamed, and rows that are left out are gone. For `properties[i]` it has `property_i` (text or null; numbers as
    they are written, "true" and "false") and `number_i` (DOUBLE or null, where the value reads as a finite number);
    with `has_creator` it has `creator_id` (text or null). In a large log the ids are integers that sort as the ids do:
    `account_id` is the position in `Accounts`, in both relations, and below 0 where the account is unknown.
    `accounts_table` has `account` (INTEGER, the position in `Accounts`), `account_id` (text, unique) and
    `signup` (BIGINT, not null: accounts without a usable signup are not in it).
    """

    engine: Engine
    events_table: Relation
    accounts_table: Relation
    accounts: Accounts
    spec: StudySpec  # as run: every recognised column filled in
    recognised: tuple[RecognisedColumn, ...]
    quality: tuple[QualityFinding, ...]
    log_start: int  # time of the first usable event of a known account, strays apart
    log_end: int  # time of the last one
    events_rows: int  # rows read, before any were left out
    events_used: int  # those of them that count as events
    date_only: bool  # event times are dates: windows mean calendar days
    has_users: bool
    churn_is_silence: bool  # churn dates repeat each account's last event: no departure was recorded
    has_departures: bool  # at least one recorded churn date that is not silence
    input_sha256: str
    properties: tuple[str, ...] = ()  # event properties that were asked for, in the order of their columns
    has_creator: bool = False
    layout: str = "table"  # the format of the events
    accounts_derived: bool = False  # there was no table of accounts: they were read off the events
    signup_from: str = "table"  # what signups are, as in `Roster`
    rules: tuple[RuleChecked, ...] = ()  # every check, and how the data stand to it
    checked: Checked | None = None  # what the checks were asked of, for asking some of them again

    @property
    def where(self) -> Literal["here", "there", "aggregates"]:
        """Where the events are: in tables of our own engine, in a database of theirs, or only aggregates of them."""
        if isinstance(self.events_table, Aggregated):
            return "aggregates"
        return "here" if isinstance(self.events_table, str) else "there"
