"""One scorecard held against the truth."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Protocol

from discovery.milestone import Milestone
from discovery.results import Criterion, Estimate
from discovery.simulate import Truth

from .proposals import Asked, Kind

HOLDS, FAILS, OPEN = "holds", "does not hold", "not enough data"
ALPHA, POWER = 0.05, 0.8
BROKEN_SPLIT = 0.001
"""A split of a test that is less likely than this by chance counts as broken."""
_BY_LEVEL = "predictive"
"""The criterion that the proposal's own interval is; it is judged anew where the interval is another."""


class Answer(Protocol):
    """What is read of a judged proposal."""

    @property
    def milestone(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def unwidened(self) -> Estimate: ...
    @property
    def criteria(self) -> Sequence[Criterion]: ...
    @property
    def better(self) -> str | None: ...


class Test(Protocol):
    """What is read of a past experiment."""

    @property
    def column(self) -> str: ...
    @property
    def claims(self) -> str: ...
    @property
    def sample_ratio_p(self) -> float | None: ...
    @property
    def complier(self) -> Estimate | None: ...
    @property
    def shape(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One proposal. `alone` is its verdict as the only one, by a team that swears it came from elsewhere.

    `searched` is its verdict where a search may have proposed it. `lower` and `upper` are the ordinary interval, whose
    true value is `overlap`. `detectable` is the difference that these accounts would show with 80 % power. `better` is
    the rule said to do better, `better_alike` its correlation with the planted rule where both are of the same event.
    """

    kind: Kind
    milestone: str
    phi: float | None
    alone: str
    searched: str
    estimate: float | None
    lower: float | None
    upper: float | None
    detectable: float | None
    overlap: float
    better: str | None
    better_alike: float | None

    @property
    def same_behaviour(self) -> bool:
        """Whether the rule said to be better is another threshold of the same events."""
        return of_same_events(self.better, self.milestone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A proposal that a past experiment moved, judged with and without it; both as the only proposal.

    `claims` is what is claimed of that experiment, `lower` and `upper` the ends of the set of effects among those moved
    (None is open), `effect` the true one. `broken` says whether the split was, `mismatch` whether that was seen.
    """

    kind: Kind
    without: str
    with_it: str
    claims: str
    shape: str | None
    estimate: float | None
    lower: float | None
    upper: float | None
    effect: float
    broken: bool
    mismatch: bool

    @property
    def covered(self) -> bool | None:
        """Whether the set holds the true effect; None where none is claimed, or it is not one interval."""
        if self.claims != "complier" or self.estimate is None or self.shape == "two rays":
            return None
        below = self.lower is None or self.lower <= self.effect
        return below and (self.upper is None or self.effect <= self.upper)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationRow:
    """One run: every proposal of one world. `group` and `segment` say where anything has an effect."""

    world: str
    accounts: int
    seed: int
    version: str
    seconds: float
    group: str = "failed"
    segment: str | None = None
    minimum_effect: float = 0.03
    proposals: tuple[Judged, ...] = ()
    tried: tuple[Tried, ...] = ()
    failed: str | None = None

    @property
    def key(self) -> tuple[str, int, int]:
        """What tells runs of one version of the code apart."""
        return (self.world, self.accounts, self.seed)

    def of(self, *kinds: Kind) -> list[Judged]:
        """Return the proposals of some kinds."""
        return [one for one in self.proposals if one.kind in kinds]

    def as_dict(self) -> dict[str, Any]:
        """Return the row as plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ValidationRow:
        """Return the row that `as_dict` described."""
        nested = {
            "proposals": tuple(Judged(**_still_kept(Judged, one)) for one in values["proposals"]),
            "tried": tuple(Tried(**_still_kept(Tried, one)) for one in values["tried"]),
        }
        return cls(**{**_still_kept(cls, values), **nested})


def _still_kept(kind: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values without those that only rows of earlier versions have."""
    return {field.name: values[field.name] for field in dataclasses.fields(kind) if field.name in values}


def failure(key: tuple[str, int, int], version: str, message: str) -> ValidationRow:
    """Return the row of a run that ended in an error: it counts as one, and as nothing else."""
    world, accounts, seed = key
    return ValidationRow(world=world, accounts=accounts, seed=seed, version=version, seconds=0.0, failed=message)


def alone(answer: Answer, least: float, *, active: bool) -> str:
    """Return the verdict on a proposal had it been the only one, and no search in play.

    It holds if the ordinary interval lies above 0, the estimate is at least `least`, and no criterion that alone
    decides fails. An outcome of activity asks, too, that it be better than activity.
    """
    shown = answer.unwidened
    if refused(answer):
        return FAILS
    if shown.estimate is None or shown.ci_lower is None or shown.ci_upper is None:
        return OPEN
    if shown.ci_upper < least:
        return FAILS
    if not (shown.ci_lower > 0 and shown.estimate >= least):
        return OPEN
    beside = next((one for one in answer.criteria if one.name == "better than vanity"), None)
    return OPEN if active and beside is not None and beside.status != "pass" else HOLDS


def refused(answer: Answer) -> bool:
    """Say whether a criterion alone refuses a proposal, whatever its interval."""
    return any(one.decides and one.status == "fail" and one.name != _BY_LEVEL for one in answer.criteria)


def of_same_events(rule: str | None, milestone: str) -> bool:
    """Say whether a rule is a threshold of the same events as a milestone."""
    return rule is not None and Milestone.parse(rule).family == Milestone.parse(milestone).family


def detectable(shown: Estimate) -> float | None:
    """Return the difference that the ordinary interval would have lain above 0 for, in 80 of 100 cases."""
    if shown.estimate is None or shown.ci_lower is None or shown.ci_upper is None:
        return None
    error = (shown.ci_upper - shown.estimate) / NormalDist().inv_cdf(1 - ALPHA / 2)
    return shown.estimate - shown.ci_lower + NormalDist().inv_cdf(POWER) * error


def judge(
    answer: Answer,
    asked: Asked,
    *,
    least: float,
    active: bool,
    overlap: float,
    likeness: Callable[[str], float | None],
) -> Judged:
    """Hold one answer against the truth; `likeness` is the correlation of a rule with the planted one."""
    shown, better = answer.unwidened, answer.better
    return Judged(
        kind=asked.kind,
        milestone=asked.milestone,
        phi=asked.phi,
        alone=alone(answer, least, active=active),
        searched=answer.verdict,
        estimate=shown.estimate,
        lower=shown.ci_lower,
        upper=shown.ci_upper,
        detectable=detectable(shown),
        overlap=overlap,
        better=better,
        better_alike=likeness(better) if better is not None and of_same_events(better, asked.milestone) else None,
    )


def tried(kind: Kind, without: str, with_it: str, tests: Sequence[Test], truth: Truth, rule: str) -> Tried:
    """Hold the past experiment that moved a rule against what it truly did."""
    column = next(column for column, told in truth.experiments.items() if rule in told["moves"])
    told = truth.experiments[column]
    test = next((one for one in tests if one.column == column), None)
    effect = test.complier if test else None
    return Tried(
        kind=kind,
        without=without,
        with_it=with_it,
        claims=test.claims if test else "not read",
        shape=test.shape if test else None,
        estimate=effect.estimate if effect else None,
        lower=effect.ci_lower if effect else None,
        upper=effect.ci_upper if effect else None,
        effect=float(told["moves"][rule]["complier_effect"]),
        broken=bool(told["broken_split"]),
        mismatch=test is not None and test.sample_ratio_p is not None and test.sample_ratio_p < BROKEN_SPLIT,
    )
