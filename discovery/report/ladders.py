"""A ladder laid out for the page: its pictures, the rules it breaks, its routes, and its worksheet.

Nothing is computed here: numbers are chosen, ordered and put into words.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Final

from discovery import plots, wording
from discovery.export.worksheet import Worksheet, worksheet
from discovery.plots.steps import biggest_drop
from discovery.results import Estimate, Funnel, Ladder, Rule, RuleStatus, Rung, StudyResult

MOST_LADDERS: Final = 5
"""Keeps the file small; every ladder is in `result.json`."""
_RULE_WORDS: Final[dict[RuleStatus, tuple[str, str]]] = {
    "pass": ("passed", "passed"),
    "warn": ("warning", "warnings"),
    "fail": ("failed", "failed"),
    "unknown": ("unknown", "unknown"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRule:
    """A rule, with the numbers of the rungs that fail it."""

    name: str
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Alternatives of several rungs that the same accounts take, each with its rung's number, from below."""

    number: int
    steps: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPath:
    """What accounts do between a rung and the one before, as a picture."""

    place: int
    rung: Rung
    picture: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelStep:
    """One rung of a funnel by segment: accounts left and step conversion for each value, in the funnel's order."""

    place: int
    rung: Rung
    cells: tuple[tuple[int, Estimate | None], ...]
    p_adjusted: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnFunnel:
    """A funnel by segment beside its picture, and turned for a table: a row for each rung, a cell for each value."""

    funnel: Funnel
    rows: tuple[FunnelStep, ...]
    picture: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnLadder:
    """A ladder beside its pictures. Without required steps there is nothing between its ends to draw."""

    ladder: Ladder
    picture: str
    times_picture: str = ""
    paths: tuple[DrawnPath, ...] = ()
    funnels: tuple[DrawnFunnel, ...] = ()
    broken: tuple[BrokenRule, ...] = ()
    routes: tuple[Route, ...] = ()
    biggest_drop: int | None = None
    worksheet: Worksheet | None = None

    @property
    def has_steps(self) -> bool:
        """Whether any step is required on the way."""
        return any(rung.role == "required" for rung in self.ladder.rungs)

    @property
    def paths_undrawn(self) -> bool:
        """Whether there are paths that are not among the pictures."""
        return len(self.paths) < sum(bool(rung.between) for rung in self.ladder.rungs)

    @property
    def differing(self) -> tuple[str, ...]:
        """The segments whose values differ at some rung, beyond noise."""
        return tuple(drawn.funnel.segment for drawn in self.funnels if drawn.funnel.differs_at)


def ladder_alone(ladder: Ladder, result: StudyResult) -> DrawnLadder:
    """Lay out a ladder with its own picture and nothing else, for a card."""
    return DrawnLadder(ladder=ladder, picture=plots.svg(plots.ladder(ladder, result)))


def whole_ladder(ladder: Ladder, result: StudyResult, *, every_picture: bool) -> DrawnLadder:
    """Lay out everything a ladder tells.

    Without `every_picture` paths are drawn at the biggest drop only, and funnels where they differ: with five ladders
    the file would grow beyond what people mail.
    """
    at = biggest_drop(ladder)
    with_paths = [place for place, rung in enumerate(ladder.rungs) if rung.between and (every_picture or place == at)]
    return dataclasses.replace(
        ladder_alone(ladder, result),
        times_picture=plots.svg(plots.time_to_rung(ladder)) if _has_times(ladder) else "",
        paths=tuple(_path(ladder, place) for place in with_paths),
        funnels=tuple(
            _funnel(funnel, ladder, drawn=every_picture or bool(funnel.differs_at))
            for funnel in sorted(ladder.funnels, key=lambda funnel: not funnel.differs_at)
        ),
        broken=_broken(ladder),
        routes=_routes(ladder),
        biggest_drop=at,
        worksheet=worksheet(result, ladder),
    )


def share_estimate(estimate: Estimate | None) -> tuple[str, str]:
    """Return a share and its interval as two texts, such as `94 %` and `[92, 96]`."""
    if estimate is None:
        return wording.MISSING, ""
    text = wording.percent(estimate.estimate)
    bounds = (estimate.ci_lower, estimate.ci_upper)
    if text == wording.MISSING or not all(wording.known(bound) for bound in bounds):
        return text, ""
    return text, f"[{', '.join(wording.percent(bound).rpartition(chr(0x202F))[0] for bound in bounds)}]"


def rules_in_words(rules: tuple[Rule, ...]) -> str:
    """Return how many rules are kept and how many are not: `all 5 passed`, `3 passed, 1 failed`."""
    counted = {status: sum(rule.status == status for rule in rules) for status in _RULE_WORDS}
    if counted["pass"] == len(rules) > 1:
        return f"all {len(rules)} passed"
    return ", ".join(f"{n} {_RULE_WORDS[status][n > 1]}" for status, n in counted.items() if n)


def _has_times(ladder: Ladder) -> bool:
    return bool(ladder.days) and any(rung.by_day for rung in ladder.rungs if rung.role != "baseline")


def _path(ladder: Ladder, place: int) -> DrawnPath:
    rung, before = ladder.rungs[place], "signup" if place == 1 else ladder.rungs[place - 1].milestone
    return DrawnPath(place=place, rung=rung, picture=plots.svg(plots.between(rung, before)))


def _funnel(funnel: Funnel, ladder: Ladder, *, drawn: bool) -> DrawnFunnel:
    steps = zip(ladder.rungs, funnel.p_adjusted, strict=True)
    rows = tuple(
        FunnelStep(
            place=place,
            rung=rung,
            cells=tuple((row.n_reached[place], row.conversion[place]) for row in funnel.rows),
            p_adjusted=p,
        )
        for place, (rung, p) in enumerate(steps)
    )
    picture = plots.svg(plots.funnel(funnel, ladder)) if drawn else ""
    return DrawnFunnel(funnel=funnel, rows=rows, picture=picture)


def _broken(ladder: Ladder) -> tuple[BrokenRule, ...]:
    failed: dict[str, tuple[int, ...]] = {}
    for place, rung in enumerate(ladder.rungs):
        for rule in rung.rules:
            if rule.status == "fail":
                failed[rule.name] = (*failed.get(rule.name, ()), place)
    return tuple(BrokenRule(name=name, places=places) for name, places in failed.items())


def _routes(ladder: Ladder) -> tuple[Route, ...]:
    """Return the routes that pass several rungs; within one rung its alternatives say it all."""
    steps: dict[int, list[tuple[int, str]]] = {}
    for place, rung in enumerate(ladder.rungs):
        for branch in rung.alternatives:
            if branch.route is not None:
                steps.setdefault(branch.route, []).append((place, branch.milestone))
    several = {number: tuple(taken) for number, taken in steps.items() if len({place for place, _ in taken}) > 1}
    return tuple(Route(number=number, steps=several[number]) for number in sorted(several))
