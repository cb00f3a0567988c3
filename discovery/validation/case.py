"""Everything that is known about one proposal before it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from discovery.estimate import NullModel
from discovery.milestone import Milestone

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Packed = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """A milestone and which of the n accounts met it, bool[n]."""

    milestone: Milestone
    met: Bools


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setup:
    """The steps of onboarding: `finished` is the days to the last of them, `begun` whether any was done, [n].

    `source` says where the steps come from: named in the spec, the rungs of a ladder, or found on the way to the
    proposal.
    """

    steps: tuple[str, ...]
    source: Literal["spec", "ladder", "path"]
    finished: Floats
    begun: Bools


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Presence:
    """How many rows of an act's event there are in every whole week, and how many have a property that it tests.

    Both int64[W]. `name` is the property; for `by_other` it stands for the creator.
    """

    act: str
    event: str
    name: str
    rows: NDArray[np.int64]
    known: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tracking:
    """How steadily the proposal's events are in the log: rows per event and whole week, int64[E, W].

    `days` int64[W] are the weeks' first days, since 1970; `everything` int64[W] all rows of the log in those weeks.
    `launched` is when an event appeared that did not exist from the beginning (microseconds), by event. `repeated` is
    the share of the events' rows that repeat another one (same account, user, event and time). `unknown_users` is the
    share of the events' rows without a user, whether they meet tests of properties or not. `presence` has the
    properties that are tested.
    """

    events: tuple[str, ...]
    days: NDArray[np.int64]
    counts: NDArray[np.int64]
    everything: NDArray[np.int64]
    launched: Mapping[str, int]
    repeated: float
    unknown_users: float
    has_users: bool
    presence: tuple[Presence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Repeats:
    """Use after reaching it, by account that did: `followed` for 28 days after, events again in each of 4 weeks.

    Arrays over the accounts that reached it: bool[r], bool[r, 4]. A week counts from the day after.
    """

    followed: Bools
    weekly: Bools


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One proposal over n judged accounts: those whose outcome is known, and that could reach it.

    Attributes
    ----------
    milestone : Milestone
    days : float64[n]
        Days from signup to reaching it; inf where never.
    retained : bool[n]
    signup : int64[n]
        Microseconds since 1970.
    decides : bool[n]
        The accounts the verdict rests on: all, or those that signed up since the proposal was registered.
    null : NullModel
        The outcome on the deciding covariates, over all n.
    deciding : NullModel or None
        The same over the accounts in `decides`; None where they are too few.
    composition : NullModel or None
        For `active` outcomes: at equal amount, days and recency of activity, over the accounts in `decides`.
    traits : NullModel
        On what was known at signup alone, over all n.
    trait_columns : mapping of str to tuple of int
        Columns of `null.design` that belong to each trait known at signup.
    minimum_effect, alpha : float
    seed : int
    outcome : {"retained", "active", "converted"}
    window_days : int
    motion : {"", "plg", "sales", "enterprise"}
    date_only : bool
        Times are dates.
    apart : mapping of str to (status, reason)
        Which of its events, or its events with their tests, may not be a milestone at all, and why.
    at_signup : frozenset of str
        Events, and events with tests, that happen at signup.
    defines_outcome : frozenset of str
        Its events that the outcome itself counts.
    kinds : mapping of str to str or None
        What the user calls its events.
    vanity : tuple of Rule
        Thresholds of events that stand for no value.
    vanity_source : {"spec", "names", "none"}
    actions : Rule thresholds of all activity
        "At least this many actions" and "active on at least this many days", none of them the proposal's own events.
    setup : Setup or None
    grid : tuple of Rule
        The proposal with other thresholds, windows and numbers of users; not the proposal itself.
    rivals : tuple of Rule
        The best rule of every other family that may be ranked, by its score.
    segments : mapping of str to object[n]
        Values at signup; None where unknown.
    before : int64[n, window_days]
        Actions per account and day since signup, without the proposal's own events.
    tracking : Tracking
    repeats : Repeats
    missing_events, near_names : tuple of str
        Events of the proposal that the log does not have at all, and the nearest names that it has.
    same_within : mapping of (str, str) to float
        Its events with a property that is the same on all rows of an account, and the share of the accounts with
        several rows for which that holds.
    """

    milestone: Milestone
    days: Floats
    retained: Bools
    signup: NDArray[np.int64]
    decides: Bools
    null: NullModel
    deciding: NullModel | None
    composition: NullModel | None
    traits: NullModel
    trait_columns: Mapping[str, tuple[int, ...]]
    minimum_effect: float
    alpha: float
    seed: int
    outcome: Literal["retained", "active", "converted"]
    window_days: int
    motion: Literal["", "plg", "sales", "enterprise"]
    date_only: bool
    apart: Mapping[str, tuple[str, str]]
    at_signup: frozenset[str]
    defines_outcome: frozenset[str]
    kinds: Mapping[str, str | None]
    vanity: tuple[Rule, ...]
    vanity_source: Literal["spec", "names", "none"]
    actions: tuple[Rule, ...]
    setup: Setup | None
    grid: tuple[Rule, ...]
    rivals: tuple[Rule, ...]
    segments: Mapping[str, NDArray[np.object_]]
    before: NDArray[np.int64]
    tracking: Tracking
    repeats: Repeats
    missing_events: tuple[str, ...]
    near_names: tuple[str, ...] = ()
    same_within: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.days)

    @property
    def met(self) -> Bools:
        """Which accounts reached it."""
        return np.isfinite(self.days)

    @property
    def flag(self) -> Packed:
        """The same as one row of flags, uint8[1, n]."""
        return self.met.astype(np.uint8)[None]
