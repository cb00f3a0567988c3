"""A ladder read as set-up, aha and team habit, beside the benchmarks that practitioners give for B2B products.

The benchmarks, the diagnoses and the advice are the literature's (see docs/method.md), not results.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from discovery import estimate, wording
from discovery.milestone import Milestone
from discovery.results import Estimate, Stage, StageName, StageStatus

Days = NDArray[np.float64]
Bools = NDArray[np.bool_]
Motion = Literal["", "plg", "sales", "enterprise"]

SETUP_DAYS, AHA_DAYS, HABIT_DAYS, RISKY_DAYS = 3.0, 7.0, 30.0, 90.0
TIME_TO_VALUE: dict[Motion, float] = {"": AHA_DAYS, "plg": 1.0, "sales": 7.0, "enterprise": 56.0}
"""Days in which first value is expected, by how the product is sold; without a motion, the B2B stage's seven."""
BENCHMARKS: dict[StageName, tuple[float, float]] = {"setup": (0.70, 0.50), "aha": (0.40, 0.30), "habit": (0.25, 0.20)}
"""The benchmark, and the share below which there is a named problem."""
FEWEST_SIGNUPS = 30
"""Signups below which a share is not held against a benchmark."""
_NOBODY = "There is no signup to look at."
_PROBLEM: dict[StageName, str] = {
    "setup": "friction in onboarding",
    "aha": "an unclear path from set-up to value",
    "habit": "dependency on a single user",
}
_ADVICE: dict[StageName, tuple[str, ...]] = {
    "setup": (
        "Require fewer steps before first use.",
        "Offer templates and sample data.",
        "Suggest the integrations that similar accounts connect.",
        "Offer a set-up call.",
    ),
    "aha": (
        "Make the shortest path to the milestone the default; move the rest to “next steps”.",
        "Prompt the core action where it can be done.",
        "Branch the path by use case.",
    ),
    "habit": (
        "Bring team features into onboarding.",
        "Ask for invitations after the champion’s own first value, not before.",
        "Use digests and mentions to bring colleagues back.",
        "Suggest workflows that are shared.",
    ),
}


def ends_setup(rungs: Sequence[Milestone], kinds: Mapping[str, str | None]) -> int | None:
    """Return the place of the rung that ends set-up: the last one called set-up, else the last before the milestone.

    None where there is no rung before the milestone, the last of `rungs`.
    """
    named = [place for place, rung in enumerate(rungs[:-1]) if any(kinds.get(e) == "setup" for e in rung.events)]
    return named[-1] if named else len(rungs) - 2 if len(rungs) > 1 else None


def targets(motion: Motion) -> dict[StageName, float]:
    """Return by which day after signup the rungs of each stage should be done."""
    value = TIME_TO_VALUE[motion]
    return {"setup": min(SETUP_DAYS, value), "aha": value, "habit": HABIT_DAYS}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cohort:
    """Every signup that could be followed through the observation window, those that left early included.

    Attributes
    ----------
    setup : float64[m] or None
        Days from signup to the end of set-up; None where no step comes before the milestone.
    aha : float64[m]
        Days to the milestone.
    habit : bool[k] or None
        Of the k signups that could be followed for 30 days, which had a team habit; None where it cannot be seen.
    no_habit : str
        Why it cannot be seen.
    window_days : float
        How long after signup behaviour was read.
    sees_users : bool
        Whether the log names users; without them a habit is not a team's.
    habit_parts : (float, float) or None
        Shares of the k signups with enough users active, and with the core action often enough.
    """

    setup: Days | None
    aha: Days
    habit: Bools | None
    no_habit: str
    window_days: float
    sees_users: bool = True
    habit_parts: tuple[float, float] | None = None


def stages(
    cohort: Cohort, setup: str | None, milestone: str, habit: str | None, motion: Motion, alpha: float
) -> tuple[Stage, ...]:
    """Return the three stages; `setup`, `milestone` and `habit` are what stands for them.

    Benchmarks are those of three, seven and thirty days; where first value may take longer, of that time.
    """
    aha = _by_day("aha", milestone, cohort.aha, max(AHA_DAYS, TIME_TO_VALUE[motion]), cohort, alpha)
    return (
        _by_day("setup", setup, cohort.setup, SETUP_DAYS, cohort, alpha),
        _late(aha, cohort.aha),
        _habit(habit, cohort, alpha),
    )


def _by_day(
    name: StageName, milestone: str | None, days: Days | None, target: float, cohort: Cohort, alpha: float
) -> Stage:
    if days is None or not len(days):
        why = "The ladder has no rung before the milestone, so set-up cannot be told from first value."
        return _stage(name, milestone, _nothing(), target, "unknown", why if days is None else _NOBODY)
    read = min(target, cohort.window_days)
    reached = estimate.share(int((days < read).sum()), len(days), alpha)
    if read < target:
        return _read_short(name, milestone, reached, target, cohort.window_days)
    return _judged(name, milestone, reached, target)


def _late(aha: Stage, days: Days) -> Stage:
    """Add that first value comes late enough to be called a churn risk."""
    there = days[np.isfinite(days)]
    if not len(there) or np.median(there) <= RISKY_DAYS:
        return aha
    late = f"Half of those that get there take more than {RISKY_DAYS:g} days, which is said to be a churn risk."
    return dataclasses.replace(aha, sentence=f"{aha.sentence} {late}")


def _read_short(name: StageName, milestone: str | None, reached: Estimate, target: float, window: float) -> Stage:
    """Judge a stage whose target lies beyond what was read: what was read is a lower limit."""
    share = reached.estimate or 0.0
    status: StageStatus = "met" if share >= BENCHMARKS[name][0] else "unknown"
    said = (
        f"{wording.percent(share)} of signups get there within the {wording.days(window)} that "
        f"{'was' if window == 1 else 'were'} read; the target allows {wording.days(target)}, so the share to compare "
        "with the benchmark is at least that."
    )
    return _stage(name, milestone, reached, target, status, said)


def _habit(milestone: str | None, cohort: Cohort, alpha: float) -> Stage:
    if cohort.habit is None or not len(cohort.habit):
        return _stage("habit", None, _nothing(), HABIT_DAYS, "unknown", cohort.no_habit or _NOBODY)
    reached = estimate.share(int(cohort.habit.sum()), len(cohort.habit), alpha)
    if not cohort.sees_users:
        said = (
            f"{wording.percent(reached.estimate)} of signups have the habit, but the log names no users: whether it is "
            "a team's, or one user carries the account, cannot be told."
        )
        return _stage("habit", milestone, reached, HABIT_DAYS, "unknown", said)
    judged = _judged("habit", milestone, reached, HABIT_DAYS)
    return judged if cohort.habit_parts is None else _in_parts(judged, *cohort.habit_parts)


def _in_parts(habit: Stage, team: float, regular: float) -> Stage:
    """Add which part of a habit is the rarer; a low share points to a single user only where that is the team."""
    said = f"{wording.percent(team)} had the users active, {wording.percent(regular)} the core action often enough."
    if habit.status != "problem" or team <= regular:
        return dataclasses.replace(habit, sentence=f"{habit.sentence} {said}")
    plain = habit.sentence.replace(f" Under {wording.percent(habit.floor)} points to {_PROBLEM['habit']}.", "")
    why = f"{said} Regular use is the rarer of the two."
    return dataclasses.replace(habit, sentence=f"{plain} {why}", advice=())


def _judged(name: StageName, milestone: str | None, reached: Estimate, target: float) -> Stage:
    share = reached.estimate or 0.0
    benchmark, floor = BENCHMARKS[name]
    if reached.n_accounts < FEWEST_SIGNUPS:
        signups = f"{reached.n_accounts} {'signup' if reached.n_accounts == 1 else 'signups'}"
        few = f"Only {signups} could be followed, too few to hold against a benchmark."
        return _stage(name, milestone, reached, target, "unknown", few)
    status: StageStatus = "met" if share >= benchmark else "below" if share >= floor else "problem"
    what = {"setup": "get through set-up", "aha": "reach the milestone", "habit": "have a team habit"}[name]
    when = f"within {_in_words(target)}" if name != "habit" else f"by day {target:g}"
    percent = _percent(share, benchmark, floor)
    said = f"{percent} of signups {what} {when}; the benchmark is {wording.percent(benchmark)}."
    if status == "problem":
        said += f" Under {wording.percent(floor)} points to {_PROBLEM[name]}."
    return _stage(name, milestone, reached, target, status, said)


def _stage(
    name: StageName, milestone: str | None, reached: Estimate, target: float, status: StageStatus, sentence: str
) -> Stage:
    benchmark, floor = BENCHMARKS[name]
    return Stage(
        name=name,
        milestone=milestone,
        reached=reached,
        target_days=target,
        benchmark=benchmark,
        floor=floor,
        status=status,
        sentence=sentence,
        advice=_ADVICE[name] if status in ("below", "problem") else (),
    )


def _nothing() -> Estimate:
    return Estimate(estimate=None, ci_lower=None, ci_upper=None, scale="share", n_accounts=0, status="too_few")


def _percent(share: float, *limits: float) -> str:
    """Return a share as a percentage that does not read like a limit it falls short of."""
    text = wording.percent(share)
    return f"Just under {text}" if any(share < limit and text == wording.percent(limit) for limit in limits) else text


def _in_words(days: float) -> str:
    return f"{24 * days:g} hours" if days <= 3 else f"{days:g} days"
