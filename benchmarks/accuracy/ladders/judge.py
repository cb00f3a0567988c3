"""One ladder held against the planted one."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from discovery.milestone import Milestone
from discovery.simulate import Truth

Rungs = tuple[tuple[str, ...], ...]
"""Steps in order, each the events that serve, sorted."""
STEPS = ("required", "milestone")
"""Roles whose text is a milestone; a baseline or a habit may be told in words."""


class DropEvent(Protocol):
    """What is read of an error event at a rung."""

    @property
    def event(self) -> str: ...


class Rung(Protocol):
    """What is read of a rung."""

    @property
    def milestone(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def errors_at_drop(self) -> Sequence[DropEvent]: ...


class Ladder(Protocol):
    """What is read of a ladder."""

    @property
    def milestone(self) -> str: ...
    @property
    def rungs(self) -> Sequence[Rung]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """What is true of one world. Without `rungs` nothing leads to the milestone."""

    family: str | None
    rungs: Rungs
    hindrance: tuple[str, str] | None = None
    variant: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A list of steps beside the planted one, in counts.

    A step is found when its events are those of a planted step. `pairs` are those of found steps, `in_order` the ones
    in the planted order. Events count singly, wherever they stand. `choices` are planted steps that any of several
    events serves.
    """

    said: int
    planted: int
    found: int
    exact: bool
    pairs: int
    in_order: int
    events_said: int
    events_planted: int
    events_found: int
    choices: int
    choices_found: int

    @property
    def precision(self) -> float | None:
        """Share of the steps said that are planted; None where none is said."""
        return self.found / self.said if self.said else None

    @property
    def recall(self) -> float:
        """Share of the planted steps that are said."""
        return self.found / self.planted

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall over steps."""
        return 2 * self.found / (self.said + self.planted)

    @property
    def event_f1(self) -> float:
        """The same over single events."""
        return 2 * self.events_found / (self.events_said + self.events_planted)

    @property
    def order(self) -> float | None:
        """Share of the pairs of found steps that stand in the planted order; None with fewer than two."""
        return self.in_order / self.pairs if self.pairs else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """What another method said of the same accounts; `score` is None in a world without a planted ladder."""

    name: str
    said: Rungs
    score: Score | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderRow:
    """One run. `said` is None without a ladder; `score` also where the ladder leads to another milestone.

    `hindrance_found` is None where none is planted or the milestone was not discovered; `false_hindrances` counts
    the pairs of rung and error event that are not the planted one.
    """

    world: str
    accounts: int
    seed: int
    version: str
    seconds: float
    variant: str | None = None
    planted: Rungs = ()
    status: str = "failed"
    milestone: str | None = None
    discovered: bool = False
    said: Rungs | None = None
    score: Score | None = None
    hindrance_found: bool | None = None
    false_hindrances: int = 0
    rivals: tuple[Rival, ...] = ()
    failed: str | None = None

    @property
    def key(self) -> tuple[str, int, int]:
        """What tells runs of one version of the code apart."""
        return (self.world, self.accounts, self.seed)

    @property
    def exact(self) -> bool:
        """Whether the planted ladder was found step by step."""
        return self.score is not None and self.score.exact

    def as_dict(self) -> dict[str, Any]:
        """Return the row as plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LadderRow:
        """Return the row that `as_dict` described."""
        nested = {
            "planted": _rungs(values["planted"]),
            "said": None if values["said"] is None else _rungs(values["said"]),
            "score": _score(values["score"]),
            "rivals": tuple(
                Rival(**{**one, "said": _rungs(one["said"]), "score": _score(one["score"])}) for one in values["rivals"]
            ),
        }
        return cls(**{**values, **nested})


def _rungs(values: Sequence[Sequence[str]]) -> Rungs:
    return tuple(tuple(rung) for rung in values)


def _score(values: Mapping[str, Any] | None) -> Score | None:
    return None if values is None else Score(**values)


def planted_in(truth: Truth) -> Planted:
    """Return what is judged of a simulated truth."""
    return Planted(
        family=Milestone.parse(truth.planted[0]).family if truth.planted else None,
        rungs=truth.rungs,
        hindrance=truth.hindrance,
        variant=truth.settings.get("variant"),
    )


def failure(key: tuple[str, int, int], version: str, message: str) -> LadderRow:
    """Return the row of a run that ended in an error: it counts as one, and as nothing else."""
    world, accounts, seed = key
    return LadderRow(world=world, accounts=accounts, seed=seed, version=version, seconds=0.0, failed=message)


def judge(
    ladder: Ladder | None,
    planted: Planted,
    key: tuple[str, int, int],
    *,
    version: str,
    status: str,
    seconds: float,
    rivals: Sequence[Rival] = (),
) -> LadderRow:
    """Hold a ladder against what was planted.

    The milestone is discovered when its family is the planted one; the required rungs are then scored. Of rungs only
    the events count, whatever their thresholds.
    """
    world, accounts, seed = key
    discovered = ladder is not None and Milestone.parse(ladder.milestone).family == planted.family
    said = required_rungs(ladder) if ladder else None
    blamed = hindrances(ladder) if ladder else frozenset()
    true = blamed & _planted_hindrance(ladder, planted)
    return LadderRow(
        world=world,
        accounts=accounts,
        seed=seed,
        version=version,
        seconds=seconds,
        variant=planted.variant,
        planted=planted.rungs,
        status=status,
        milestone=ladder.milestone if ladder else None,
        discovered=discovered,
        said=said,
        score=score(said, planted.rungs) if said is not None and discovered and planted.rungs else None,
        hindrance_found=bool(true) if planted.hindrance and discovered else None,
        false_hindrances=len(blamed - true),
        rivals=tuple(rivals),
    )


def required_rungs(ladder: Ladder) -> Rungs:
    """Return the events of each required rung, in order."""
    return tuple(Milestone.parse(rung.milestone).events for rung in ladder.rungs if rung.role == "required")


def hindrances(ladder: Ladder) -> frozenset[tuple[str, str]]:
    """Return the error events blamed, each with the text of the rung it stands before."""
    return frozenset((drop.event, rung.milestone) for rung in ladder.rungs for drop in rung.errors_at_drop)


def _planted_hindrance(ladder: Ladder | None, planted: Planted) -> frozenset[tuple[str, str]]:
    if ladder is None or planted.hindrance is None:
        return frozenset()
    error, step = planted.hindrance
    own = (rung.milestone for rung in ladder.rungs if rung.role in STEPS)
    return frozenset((error, text) for text in own if step in Milestone.parse(text).events)


def score(said: Rungs, planted: Rungs) -> Score:
    """Count what two lists of steps have in common.

    Examples
    --------
    >>> score((("b",), ("a",), ("c",)), (("a",), ("b",))).f1
    0.8
    """
    steps, truth = [frozenset(rung) for rung in said], [frozenset(rung) for rung in planted]
    found = [step for step in dict.fromkeys(steps) if step in truth]
    pairs = list(itertools.combinations([truth.index(step) for step in found], 2))
    events_said, events_planted = frozenset().union(*steps), frozenset().union(*truth)
    choices = [step for step in truth if len(step) > 1]
    return Score(
        said=len(steps),
        planted=len(truth),
        found=len(found),
        exact=steps == truth,
        pairs=len(pairs),
        in_order=sum(one < other for one, other in pairs),
        events_said=len(events_said),
        events_planted=len(events_planted),
        events_found=len(events_said & events_planted),
        choices=len(choices),
        choices_found=sum(step in found for step in choices),
    )
