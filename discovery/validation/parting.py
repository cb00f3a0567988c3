"""Whether the proposal comes before accounts part, or those about to reach it already behave differently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from discovery import estimate, wording
from discovery.results import Criterion, CriterionStatus
from discovery.validation.case import Case, Floats

SLIGHT, CLEAR = 0.6, 0.7
"""Chances, half of which is none, up to which accounts have not parted, and beyond which they clearly have."""
BUSIER: Final = 0.53
"""Chance from which, where its interval is clear of one half, those about to reach it are called slightly busier."""
FEWEST_REACHED: Final = 20
"""Accounts that reach it after their first day, below which nothing is said of those."""
MOSTLY: Final = 0.5
"""Share that reaches it on the first day beyond which the log cannot show a parting before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parting:
    """How much more those about to reach it had done than those that have not: 0.5 is no more.

    `chance` is that of a random pair from the same day of their lives; `n_reaching` accounts reached it after their
    first day, beside at least one that had not.
    """

    chance: float
    se: float
    n_reaching: int


def precedes_separation(case: Case) -> Criterion:
    """Judge whether accounts about to reach the proposal had already done more of everything else.

    On each day after the first, those that reach it are compared with those that still have not (later reachers
    among them) by their actions on the days before, without the proposal's own events.

    Returns
    -------
    Criterion
        Its value is the chance that, of a pair, the one about to reach it had done more (ties count half). Passed
        below 0.6, or where most reach it on the first day; failed above 0.7 where the interval is above one half.
    """
    met = int(case.met.sum())
    first_day = float((case.days[case.met] < 1).mean()) if met else 0.0
    if met < FEWEST_REACHED:
        return _unjudged(f"Only {met} of the accounts reached it, too few to say whether they had parted before.")
    parted = parting(case.days, case.before)
    if first_day > MOSTLY:
        share = wording.percent(first_day)
        sentence = (
            f"{share} of those that reach it do so on their first day, too early for the log to show whether they "
            "differed before."
        )
        value = None if parted is None or parted.n_reaching < FEWEST_REACHED else parted.chance
        return Criterion(name="precedes separation", status="pass", sentence=sentence, value=value, unit="share")
    if parted is None or parted.n_reaching < FEWEST_REACHED:
        return _unjudged("Too few accounts reach it after their first day to say whether they had parted before.")
    half = estimate.normal_quantile(case.alpha) * parted.se
    status = _status(parted.chance, parted.chance - half)
    return Criterion(
        name="precedes separation",
        status=status,
        sentence=_in_words(status, parted.chance, half, first_day),
        value=parted.chance,
        unit="share",
    )


def parting(days: Floats, before: NDArray[np.int64]) -> Parting | None:
    """Estimate the chance that an account about to reach a milestone had done more than one that has not.

    Parameters
    ----------
    days : float64[n]
        Days from signup to reaching it; inf where never.
    before : int64[n, d]
        Actions on each day since signup.

    Returns
    -------
    Parting or None
        None where no day has accounts on both sides.

    Notes
    -----
    Day s compares `s <= days < s + 1` with `days >= s + 1` by the actions in `[0, s)`. Every pair of every day counts
    alike. An account stands in many pairs, on many days; its part in all of them is one term of the variance
    (DeLong's structural components, added up over the days).

    References
    ----------
    DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, 837-845.
    """
    n, window = before.shape
    won, pairs = np.zeros(n), np.zeros(n)
    reaching = 0
    done = np.zeros(n, dtype=np.int64)
    for day in range(1, window):
        done = done + before[:, day - 1]
        about, yet = np.flatnonzero((days >= day) & (days < day + 1)), np.flatnonzero(days >= day + 1)
        if not len(about) or not len(yet):
            continue
        wins, against = _wins(done[about], done[yet])
        won[about] += wins
        won[yet] += against
        pairs[about] += len(yet)
        pairs[yet] += len(about)
        reaching += len(about)
    everything = pairs.sum() / 2
    if not everything:
        return None
    chance = float(won.sum() / 2 / everything)
    se = float(np.sqrt(((won - chance * pairs) ** 2).sum()) / everything)
    return Parting(chance=chance, se=se, n_reaching=reaching)


def _wins(about: NDArray[np.int64], yet: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return for each account of either side the pairs that the side about to reach it wins, ties as halves."""
    rising, other = np.sort(about), np.sort(yet)
    below = np.searchsorted(other, about, side="left") + np.searchsorted(other, about, side="right")
    above = 2 * len(rising) - np.searchsorted(rising, yet, side="left") - np.searchsorted(rising, yet, side="right")
    return below / 2, above / 2


def _status(chance: float, lower: float) -> CriterionStatus:
    if chance < SLIGHT:
        return "pass"
    return "fail" if chance > CLEAR and lower > 0.5 else "warn"


_APART: Final[dict[CriterionStatus, str]] = {
    "pass": "it comes before accounts part",
    "warn": "part of the difference may have been there before",
    "fail": "accounts had parted before they reached it",
}


def _in_words(status: CriterionStatus, chance: float, half: float, first_day: float) -> str:
    interval = f"[{wording.percent(max(0.0, chance - half))}, {wording.percent(min(1.0, chance + half))}]"
    busier = BUSIER <= chance < SLIGHT and chance - half > 0.5
    apart = "they were slightly busier before" if busier else _APART[status]
    early = f"; {wording.percent(first_day)} of those that reach it do so on their first day" if first_day else ""
    return (
        f"In {wording.percent(chance)} {interval} of pairs the account about to reach it had done more than one that "
        f"had not, {'more than' if busier else _beside_half(chance)} the half that chance gives: {apart}{early}."
    )


def _beside_half(chance: float) -> str:
    if chance <= 0.5:
        return "less than" if chance < 1 - SLIGHT else "no more than"
    return "hardly more than" if chance < SLIGHT else "more than"


def _unjudged(sentence: str) -> Criterion:
    return Criterion(
        name="precedes separation",
        status="warn",
        sentence=sentence,
        judged=False,
    )
