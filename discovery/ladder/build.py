"""A path and what was seen on it, into a ladder."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from discovery import wording
from discovery.errors import Caution
from discovery.ladder import rungs
from discovery.ladder.climb import Climb
from discovery.ladder.drops import Leg, between, errors_at_drops
from discovery.ladder.funnels import Stride, funnels
from discovery.ladder.path import Path
from discovery.ladder.rules import rules
from discovery.ladder.stages import HABIT_DAYS, Cohort, Motion, ends_setup, stages, targets
from discovery.results import DropEvent, Estimate, Ladder, Rung

Bools = NDArray[np.bool_]
Days = NDArray[np.float64]

FEWEST_HABITS, RAREST_HABIT = 20, 0.05
"""Accounts, and share of those at the milestone, that must have the habit for it to be shown as a rung."""
CURVE_STEPS = 28
"""Equal parts of the observation window for which the share done is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """The milestone that a ladder leads to. `why` says in a sentence what it rests on."""

    milestone: str
    status: Literal["found", "lead"]
    adjusted: Estimate
    persona: str | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Habit:
    """A team habit in words, and of the ladder's accounts who was followed long enough to see it, and who has it."""

    text: str
    followed: Bools
    has: Bools


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """What was read from the events for the accounts of one ladder.

    Attributes
    ----------
    sessions : float64[R, n]
        For each rung above signup, the number of the session in which it was done; NaN where it was not.
    legs : tuple of Leg, length R
        The way to each rung above signup.
    failures : set of str
        Events that say that something failed.
    hidden : set of str
        Events that are not shown between two rungs.
    habit : Habit or None
        None where it cannot be seen.
    cohort : Cohort
        Every signup, for the stages.
    segments : dict of str to object[n]
        Values at signup; None where unknown.
    kinds : dict of str to str or None
        The kinds that the user gave.
    date_only : bool
        Whether times are dates.
    later, partly : float64[n]
        Days to the milestone without its windows, and to the first of its events; inf where never.
    """

    sessions: NDArray[np.float64]
    legs: tuple[Leg, ...]
    failures: Collection[str]
    hidden: Collection[str]
    habit: Habit | None
    cohort: Cohort
    segments: Mapping[str, NDArray[np.object_]]
    kinds: Mapping[str, str | None]
    date_only: bool
    later: Days
    partly: Days


def build_ladder(
    goal: Goal,
    path: Path,
    climb: Climb,
    seen: Seen,
    *,
    since: str | None,
    youngest: str | None,
    fewest_rungs: int,
    motion: Motion,
    alpha: float,
) -> Ladder:
    """Return the ladder to a milestone; its rank is 0 until ladders are put in order.

    Parameters
    ----------
    goal
        The milestone on top, with what it rests on.
    path
        The places on the way.
    climb
        Who got where and when, among the ladder's accounts.
    seen
        What else was read from the events.
    since
        The day from which accounts count, if a rung is younger than the study.
    youngest
        That rung.
    fewest_rungs
        Rungs above signup below which the ladder is called short.
    motion
        How the product is sold; "" is unknown.
    alpha
        One minus the coverage of intervals.
    """
    days = np.linspace(0.0, seen.cohort.window_days, CURVE_STEPS + 1)
    by, setup = targets(motion), ends_setup(climb.rungs, seen.kinds)
    errors = errors_at_drops(seen.legs, set(seen.failures) - climb.names, alpha)
    made = [rungs.baseline(climb, days)]
    for place in range(1, len(climb.rungs) + 1):
        target = by["setup"] if setup is not None and place <= setup + 1 else by["aha"]
        plain = rungs.rung(climb, place, days, target, seen.sessions[place - 1], alpha)
        made.append(_whole(plain, place, goal, climb, seen, errors[place - 1]))
    habit = _habit(seen.habit, climb)
    short = len(made) - 1 < fewest_rungs
    return Ladder(
        rank=0,
        milestone=goal.milestone,
        persona=goal.persona,
        status=goal.status,
        sentence=_sentence(goal, path),
        n_accounts=len(climb),
        rungs=(*made, *([] if habit is None else [habit])),
        since=since,
        youngest=youngest,
        stability=path.alike,
        days=tuple(days.tolist()),
        stages=stages(
            seen.cohort,
            None if setup is None else str(climb.rungs[setup]),
            goal.milestone,
            None if seen.habit is None else seen.habit.text,
            motion,
            alpha,
        ),
        funnels=funnels(_strides(climb, seen.habit if habit else None), seen.segments, alpha, habit=habit is not None),
        left_out=path.left_out,
        warnings=_warnings(short=short, later=since is not None, dates=seen.date_only),
    )


def _warnings(*, short: bool, later: bool, dates: bool) -> tuple[Caution, ...]:
    said = {Caution.FEW_RUNGS: short, Caution.LATER_COHORTS: later, Caution.DATES_ONLY: dates}
    return tuple(caution for caution, holds in said.items() if holds)


def _whole(rung: Rung, place: int, goal: Goal, climb: Climb, seen: Seen, errors: tuple[DropEvent, ...]) -> Rung:
    """Add to the figures of a rung what happened before it, and the rules."""
    shown, read = between(seen.legs[place - 1], climb.names | set(seen.hidden), errors)
    short = rungs.fell_short(climb, seen.later, seen.partly) if rung.role == "milestone" else None
    full = dataclasses.replace(rung, errors_at_drop=errors, between=shown, between_days=read, fell_short=short)
    checked = rules(
        full,
        climb.rungs[place - 1],
        seen.kinds,
        further_up=None if place == len(climb.rungs) else int(climb.arrived[place + 1].sum()),
        date_only=seen.date_only,
        difference=" ".join(wording.points_estimate(goal.adjusted)).strip(),
        status=goal.status,
    )
    return dataclasses.replace(full, rules=checked)


def in_rank(ladders: list[Ladder]) -> tuple[Ladder, ...]:
    """Put ladders in order and number them: the first stays, then all accounts before personas, findings first."""
    first, others = ladders[:1], ladders[1:]
    others = sorted(others, key=lambda ladder: (ladder.persona is not None, ladder.status != "found"))
    return tuple(dataclasses.replace(ladder, rank=rank) for rank, ladder in enumerate([*first, *others], start=1))


def _habit(habit: Habit | None, climb: Climb) -> Rung | None:
    """Return the rung above the milestone, where enough of the accounts at the milestone have the habit."""
    if habit is None:
        return None
    before = climb.arrived[-1] & habit.followed
    went_on = int((habit.has & before).sum())
    if went_on < max(FEWEST_HABITS, RAREST_HABIT * int(before.sum())):
        return None
    return Rung(
        milestone=habit.text,
        role="habit",
        n_accounts=int(habit.followed.sum()),
        reach=went_on / int(habit.followed.sum()),
        n_reached=went_on,
        step_conversion=went_on / int(before.sum()),
        median_days=None,
        dropped=int(before.sum()) - went_on,
        target_days=HABIT_DAYS,
    )


def _strides(climb: Climb, habit: Habit | None) -> list[Stride]:
    """Return every step of the ladder: its rung, the accounts at the rung before, and those that went on."""
    strides = [(str(rung), climb.arrived[place], climb.arrived[place + 1]) for place, rung in enumerate(climb.rungs)]
    if habit is not None:
        could = climb.arrived[-1] & habit.followed
        strides.append((habit.text, could, could & habit.has))
    return strides


def _sentence(goal: Goal, path: Path) -> str:
    """Say why the ladder stands where it stands, and how steady its rungs are."""
    required = len(path.places)
    if not required:
        if path.crowded:
            return f"{goal.why} Steps are required on the way, but there is no room for them (ladder.rungs)."
        return f"{goal.why} No step was found to be required on the way to it."
    steps, same = ("One step is", "the same one comes") if required == 1 else (f"{required} steps are", "the same come")
    steady = ""
    if path.alike is not None:
        steady = f"; {same} out in {wording.percent(path.alike)} of random halves of the accounts"
    return f"{goal.why} {steps} required on the way{steady}."
