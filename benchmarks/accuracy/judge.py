"""One answer held against the truth."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from discovery.milestone import Condition, Milestone
from discovery.results import RankedFamily, Verdict

WINDOW_HOURS = 14 * 24
DEEPEST = 10
"""Intervals are judged down to this rank."""

TrueDifference = Callable[[str], tuple[float, float]]
"""A milestone's true overlap-weighted and average difference."""
SameAccounts = Callable[[str, str], bool]
"""Whether two milestones are met by the same accounts; a search keeps one of such twins."""


class Answer(Protocol):
    """What is read of a study's result."""

    @property
    def verdict(self) -> Verdict: ...
    @property
    def ranking(self) -> Sequence[RankedFamily]: ...
    @property
    def personas(self) -> Sequence[Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is true of one world. Without `families` nothing has an effect; `segment` is where the effect holds."""

    families: tuple[str, ...]
    rules: tuple[str, ...]
    vanity: tuple[str, ...] = ()
    decoys: tuple[str, ...] = ()
    segment: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def group(self) -> str:
        """Whether anything is planted, and if not, whether a hidden trait misleads."""
        if self.families:
            return "segment" if self.segment else "planted"
        return "hidden" if self.decoys else "null"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A printed interval and the differences it should hold."""

    rank: int
    planted: bool
    estimate: float
    lower: float
    upper: float
    overlap: float
    average: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """What a baseline said of the same accounts. `declared` None: the method declares nothing."""

    name: str
    rank: int | None
    vanity_first: bool
    declared: bool | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One run. `exact` and `equivalent` are None where no rule was planted, `right` where no milestone was named."""

    world: str
    accounts: int
    seed: int
    version: str
    group: str
    seconds: float
    status: str
    right: bool | None
    rank: int | None
    exact: bool | None
    equivalent: bool | None
    vanity_first: bool
    decoy_first: bool
    segment_status: str | None
    wrong_personas: int
    intervals: tuple[Interval, ...] = ()
    rivals: tuple[Rival, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    failed: str | None = None

    @property
    def key(self) -> tuple[str, int, int]:
        """What tells runs of one version of the code apart."""
        return (self.world, self.accounts, self.seed)

    def as_dict(self) -> dict[str, Any]:
        """Return the row as plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Judged:
        """Return the row that `as_dict` described."""
        nested = {
            "intervals": tuple(Interval(**one) for one in values["intervals"]),
            "rivals": tuple(Rival(**one) for one in values["rivals"]),
        }
        return cls(**{**values, **nested})


def failure(key: tuple[str, int, int], version: str, message: str) -> Judged:
    """Return the row of a run that ended in an error: it counts as one, and as nothing else."""
    world, accounts, seed = key
    return Judged(
        world=world, accounts=accounts, seed=seed, version=version, group="failed", seconds=0.0, status="failed",
        right=None, rank=None, exact=None, equivalent=None, vanity_first=False, decoy_first=False,
        segment_status=None, wrong_personas=0, failed=message,
    )  # fmt: skip


def judge(
    answer: Answer,
    facts: Facts,
    key: tuple[str, int, int],
    *,
    version: str,
    seconds: float,
    true_difference: TrueDifference | None = None,
    same_accounts: SameAccounts | None = None,
    rivals: Sequence[Rival] = (),
) -> Judged:
    """Hold an answer against the facts.

    A family is right when it is a planted one; a rule is exact when it is the planted rule, read with the
    observation window written out, and equivalent when the planted rule is in its equivalence set or met by the
    same accounts. Where the effect holds in one segment only, a milestone named for all
    accounts, or for that segment, is right.
    """
    ranked = sorted((f for f in answer.ranking if f.rank is not None), key=lambda f: f.rank or 0)
    first = ranked[0] if ranked else None
    world, accounts, seed = key
    exact, equivalent = _rule_found(first, facts, same_accounts)
    return Judged(
        world=world,
        accounts=accounts,
        seed=seed,
        version=version,
        group=facts.group,
        seconds=seconds,
        status=answer.verdict.status,
        right=_is_right(answer.verdict, facts),
        rank=place_of([family.family for family in ranked], facts.families),
        exact=exact,
        equivalent=equivalent,
        vanity_first=first is not None and first.family in facts.vanity,
        decoy_first=first is not None and first.family in facts.decoys,
        segment_status=_segment_status(answer, facts),
        wrong_personas=sum(_is_wrong(persona, facts) for persona in answer.personas),
        intervals=_intervals(ranked, facts, true_difference) if true_difference else (),
        rivals=tuple(rivals),
        settings=dict(facts.settings),
    )


def place_of(families: Sequence[str], planted: Sequence[str]) -> int | None:
    """Return the rank, from 1, of the first planted family in an ordered list; None where there is none."""
    return next((place for place, family in enumerate(families, start=1) if family in planted), None)


def same_rule(one: str, other: str) -> bool:
    """Tell whether two milestones ask the same.

    A missing window is the observation window, and u users are at least u rows: `a >= 2 by 2 users` is `a by 2 users`.
    """
    return _written_out(one) == _written_out(other)


def _written_out(text: str) -> tuple[str, frozenset[Condition]]:
    milestone = Milestone.parse(text)
    return milestone.joined, frozenset(map(_plainest, milestone.conditions))


def _plainest(condition: Condition) -> Condition:
    rows = 1 if condition.at_least <= condition.min_users else condition.at_least
    return dataclasses.replace(condition, at_least=rows, within_hours=condition.within_hours or WINDOW_HOURS)


def _rule_found(
    first: RankedFamily | None, facts: Facts, same_accounts: SameAccounts | None
) -> tuple[bool | None, bool | None]:
    if not facts.rules:
        return None, None
    if first is None:
        return False, False
    exact = any(same_rule(first.milestone, rule) for rule in facts.rules)
    alike = any(same_rule(text, rule) for text in first.equivalent for rule in facts.rules)
    alike = alike or (same_accounts is not None and any(same_accounts(first.milestone, rule) for rule in facts.rules))
    return exact, exact or alike


def _is_right(verdict: Verdict, facts: Facts) -> bool | None:
    if verdict.milestone is None:
        return None
    elsewhere = verdict.persona is not None and verdict.persona != facts.segment
    return Milestone.parse(verdict.milestone).family in facts.families and not (facts.segment and elsewhere)


def _segment_status(answer: Answer, facts: Facts) -> str | None:
    """Return how the planted family is named for its segment, or for all accounts; None without a segment."""
    if facts.segment is None:
        return None
    verdicts = [p.verdict for p in answer.personas if p.persona == facts.segment]
    if answer.verdict.persona in (None, facts.segment):
        verdicts.append(answer.verdict)
    named = {verdict.status for verdict in verdicts if _is_right(verdict, facts)}
    return next((status for status in ("found", "lead") if status in named), "missed")


def _is_wrong(persona: Any, facts: Facts) -> bool:
    return persona.verdict.status == "found" and not (
        Milestone.parse(persona.verdict.milestone).family in facts.families and facts.segment in (None, persona.persona)
    )


def _intervals(ranked: Sequence[RankedFamily], facts: Facts, true_difference: TrueDifference) -> tuple[Interval, ...]:
    judged = []
    for family in ranked:
        shown, rank = family.adjusted, family.rank or 0
        if rank > DEEPEST or shown.estimate is None or shown.ci_lower is None or shown.ci_upper is None:
            continue
        overlap, average = true_difference(family.milestone)
        judged.append(
            Interval(
                rank=rank,
                planted=family.family in facts.families,
                estimate=shown.estimate,
                lower=shown.ci_lower,
                upper=shown.ci_upper,
                overlap=overlap,
                average=average,
            )
        )
    return tuple(judged)
