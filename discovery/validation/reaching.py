"""How soon, and by how many accounts, the proposal is reached."""

from __future__ import annotations

from typing import Final

import numpy as np

from discovery import wording
from discovery.ladder.stages import AHA_DAYS, SETUP_DAYS, TIME_TO_VALUE
from discovery.milestone import Milestone
from discovery.results import Criterion, CriterionStatus, Reaching
from discovery.validation.case import Case, Floats

DAYS: Final = (1.0, 3.0, 7.0, 14.0)
MINUTE: Final = 0.5 / 1440
"""Days below which wording says "under a minute"."""
FEWEST_REACHED: Final = 10
"""Accounts that reach it below which a median says nothing."""
FEWEST_ACCOUNTS: Final = 30
MODERATE: Final = (0.10, 0.80)
"""Reach that leaves enough accounts on either side, both ends included."""
EXTREME: Final = (0.05, 0.95)
"""Reach outside of which a milestone tells accounts apart badly."""


def early(case: Case) -> tuple[Criterion, Reaching]:
    """Judge whether first value comes soon after signup, beside the days that its kind of product allows.

    Returns
    -------
    Criterion
        Its value is the median days among accounts that reach it: passed up to three days or half of the target,
        failed beyond the target. A rule can never be later than its own window.
    Reaching
        Shares are of all accounts; "within 7 days" is before seven days of 24 hours are over.
    """
    reached, target = np.sort(case.days[case.met]), _target(case)
    said = _reaching(case, reached)
    if said.median_days is None or len(reached) < FEWEST_REACHED:
        few = f"Only {_accounts(len(reached))}" if len(reached) else "No account"
        sentence = f"{few} reached it, too few to say how soon it comes."
        return Criterion(name="early", status="warn", sentence=sentence, judged=False), said
    median = said.median_days
    status: CriterionStatus = "warn" if median <= target else "fail"
    if median <= _soon(target):
        status = "pass"
    return Criterion(
        name="early", status=status, sentence=_how_soon(case, said, median, target), value=median, unit="days"
    ), said


def narrow_but_reachable(case: Case) -> Criterion:
    """Judge the share of accounts that reach the proposal: neither so few nor so many that it says nothing."""
    n, reached = len(case), int(case.met.sum())
    if n < FEWEST_ACCOUNTS:
        sentence = f"Only {_accounts(n)} could be judged, too few to say how many reach it."
        return Criterion(name="narrow but reachable", status="warn", sentence=sentence, judged=False)
    reach = reached / n
    within = [low <= reach <= high for low, high in (MODERATE, EXTREME)]
    status: CriterionStatus = "pass" if within[0] else "warn" if within[1] else "fail"
    return Criterion(
        name="narrow but reachable", status=status, sentence=_how_many(reached, n, reach), value=reach, unit="share"
    )


def _target(case: Case) -> float:
    """Return the days allowed for first value: a week, or longer where the product is sold that way."""
    return max(AHA_DAYS, TIME_TO_VALUE[case.motion])


def _soon(target: float) -> float:
    """Return the days within which first value comes without a doubt."""
    return max(SETUP_DAYS, target / 2)


def _own_days(milestone: Milestone, window_days: int) -> float:
    """Return the days within which the rule can be reached at all."""
    return max(window_days if c.within_hours is None else c.within_hours / 24 for c in milestone.conditions)


def _reaching(case: Case, reached: Floats) -> Reaching:
    days = [day for day in DAYS if day <= case.window_days]
    shares = np.searchsorted(reached, days, side="left") / max(len(case), 1)
    quartiles = (float(np.quantile(reached, 0.25)), float(np.quantile(reached, 0.75))) if len(reached) else None
    return Reaching(
        by_day=tuple(zip(days, shares.tolist(), strict=True)),
        median_days=float(np.median(reached)) if len(reached) else None,
        quartile_days=quartiles,
    )


def _how_soon(case: Case, said: Reaching, median: float, target: float) -> str:
    when = f"{'in' if median < MINUTE else 'within'} {wording.days(median)}"
    if case.date_only:
        when = f"by day {median:g} after signup" if median else "on the day of signup"
    soon = [f", {wording.percent(share)} of all accounts within 3 days" for day, share in said.by_day if day == 3]
    own, allowed = _own_days(case.milestone, case.window_days), wording.days(target)
    beside = f"{allowed} are allowed for first value"
    if median > target:
        beside = f"later than the {allowed} allowed for first value"
    elif median > _soon(target):
        beside = f"later than {wording.days(_soon(target))}, half of the {allowed} allowed for first value"
    elif own <= target:
        beside = f"its own window of {wording.days(own)} keeps it within the {allowed} allowed for first value"
    return f"Half of the accounts that reach it do so {when}{''.join(soon)}; {beside}."


def _how_many(reached: int, n: int, reach: float) -> str:
    share, others = wording.percent(reach), n - reached
    still = f"{wording.count(others)} of {wording.count(n)} accounts did not"
    if reach < MODERATE[0]:
        how = "is too narrow to build onboarding around" if reach < EXTREME[0] else "is narrow"
        return f"{share} of the accounts reach it, which {how}; {still}."
    if reach > MODERATE[1]:
        how = "so it hardly tells accounts apart" if reach > EXTREME[1] else "so few are left to tell apart"
        moved = f"only {_accounts(others)} did not, and could still be moved by"
        moved = moved if others else "nobody is left to be moved by"
        return f"{share} of the accounts reach it, {how}: {moved} onboarding."
    return f"{share} of the accounts reach it; {still}, and are those whom onboarding could still move."


def _accounts(n: int) -> str:
    return f"{wording.count(n)} {'account' if n == 1 else 'accounts'}"
