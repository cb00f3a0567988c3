"""Ladders as results: rungs from signup to a milestone, and everything a team asks about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from discovery.errors import Caution
from discovery.results.estimates import Estimate
from discovery.results.experiments import ExperimentPlan

Role = Literal["baseline", "required", "milestone", "habit"]
RuleName = Literal["specific", "trackable", "reachable", "towards value", "stands for value"]
RuleStatus = Literal["pass", "warn", "fail", "unknown"]
StageName = Literal["setup", "aha", "habit"]
StageStatus = Literal["met", "below", "problem", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One of the alternatives at a rung.

    `share` is of the accounts that did any of the alternatives, `goes_on` the share of those that did this one that
    reach the rung after. Alternatives of several rungs that the same accounts take have the same `route`, from 1.
    """

    milestone: str
    n_reached: int
    share: float
    median_days: float | None
    goes_on: float | None
    route: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One of the rules for a rung: whether it is kept, the number it rests on, and a sentence that says why."""

    name: RuleName
    status: RuleStatus
    sentence: str
    value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DropEvent:
    """An error or failure event that goes with stopping at the rung before.

    `ratio` compares the rate of going on after the event with the rate without it (Mantel and Byar); below 1 accounts
    go on more rarely. `p_adjusted` counts all error events and rungs of the ladder (Holm). `stopped` and `went_on`
    are the shares that met the event, of the accounts that stopped and of those that went on. All of it is about the
    `ratio.n_accounts` accounts that were looked at on the way to the rung, of which `n_accounts` met the event.
    """

    event: str
    n_accounts: int
    stopped: float | None
    went_on: float | None
    ratio: Estimate
    p_adjusted: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """What accounts do after the rung before, within the same time: shares of those that go on and that stop."""

    event: str
    went_on: float | None
    stopped: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FellShort:
    """What became of the accounts that stop before the milestone: accounts of the rung before.

    `later` did what the milestone asks, but not in its time; `partly` did some of it; `not_at_all` nothing of it.
    """

    later: int
    partly: int
    not_at_all: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One step of a ladder, among the `n_accounts` accounts that could be seen taking it.

    An account counts as having reached a rung when it did this rung or a later one, since single steps go untracked
    or are skipped; `skipped` counts those without this one on record. Times are days from signup, among accounts that
    did the rung itself. `necessity` is the share of accounts at the milestone that did this rung before it;
    `milestone_with` and `milestone_without` are the shares that reach the milestone of those that did the rung and of
    those that did not. `order` is P(the rung before this one came first | both were done, at different times).
    `stability` is the share of half-samples in which the rung belongs to the ladder again. `sessions` is the median
    number of the session (a pause of 30 minutes begins a new one) in which it was done, `in_first_sessions` the share
    done within the first three; of a ladder of more than 50,000 accounts, these two, the errors and what is done
    `between` are read of about as many. `by_day` has the share of the accounts that did the rung by each day of
    `Ladder.days`.
    """

    milestone: str
    role: Role
    n_accounts: int
    reach: float
    n_reached: int
    step_conversion: float | None
    median_days: float | None
    dropped: int
    quartile_days: tuple[float, float] | None = None
    target_days: float | None = None
    in_target: float | None = None
    target_met: bool | None = None
    skipped: int = 0
    necessity: float | None = None
    milestone_with: float | None = None
    milestone_without: float | None = None
    order: Estimate | None = None
    stability: float | None = None
    sessions: float | None = None
    in_first_sessions: float | None = None
    alternatives: tuple[Branch, ...] = ()
    fell_short: FellShort | None = None
    rules: tuple[Rule, ...] = ()
    errors_at_drop: tuple[DropEvent, ...] = ()
    between: tuple[Between, ...] = ()
    between_days: float | None = None
    by_day: tuple[float, ...] = ()
    warnings: tuple[Caution, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A ladder read as one of the three stages, beside the benchmarks that practitioners give.

    `reached` is a share of all signups that could be followed for long enough, those that left early included, within
    `target_days` of signup. At or above `benchmark` it is met, below `floor` a named problem. `advice` is what the
    literature says to try: advice, never a result.
    """

    name: StageName
    milestone: str | None
    reached: Estimate
    target_days: float
    benchmark: float
    floor: float
    status: StageStatus
    sentence: str
    advice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelRow:
    """The funnel of one segment value: accounts left on each rung, and each step's conversion (None at the first)."""

    value: str
    n_reached: tuple[int, ...]
    conversion: tuple[Estimate | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """A ladder's funnel by the values of one segment, the largest first.

    `p_adjusted` has, for each rung, the p-value that its step conversion is the same for all values (Pearson's
    chi-squared; Holm over all segments and rungs of the ladder); None where nothing could be tested. `differs_at`
    lists the rungs at which it is not, beyond noise.
    """

    segment: str
    rows: tuple[FunnelRow, ...]
    p_adjusted: tuple[float | None, ...]
    differs_at: tuple[str, ...]
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A step that nearly every account takes on the way and that is no rung, with the reason."""

    milestone: str
    necessity: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Ordered rungs from signup to a milestone, and a team habit above it where the data show one.

    `status` is that of the milestone. The rungs are about the `n_accounts` landmark accounts (of the persona) that
    signed up from `since` on, the day the `youngest` rung appeared in the log; None: all. `sentence` says why the
    ladder stands where it stands. `stability` is the share of half-samples in which the same steps
    are required. `experiment` is the test that would show whether helping accounts to the milestone keeps more of them.
    """

    rank: int
    milestone: str
    persona: str | None
    status: Literal["found", "lead"]
    sentence: str
    n_accounts: int
    rungs: tuple[Rung, ...]
    since: str | None = None
    youngest: str | None = None
    stability: float | None = None
    days: tuple[float, ...] = ()
    stages: tuple[Stage, ...] = ()
    funnels: tuple[Funnel, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    warnings: tuple[Caution, ...] = ()
    experiment: ExperimentPlan | None = None
