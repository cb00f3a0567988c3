"""Whether accounts that reached the proposal come back to it."""

from __future__ import annotations

from typing import Final

from discovery import estimate, wording
from discovery.results import Criterion, CriterionStatus, RepeatUse
from discovery.validation.case import Case

OFTEN, SELDOM = 0.5, 0.2
"""Shares that come back within four weeks: from the first on many do, below the second it is a shallow moment."""
STILL, OF_FIRST = 0.1, 0.5
"""Share that still comes back in the fourth week, or that of the first week's, from which on it lasts."""
FEWEST_FOLLOWED: Final = 30


def repeatable(case: Case) -> tuple[Criterion, RepeatUse | None]:
    """Judge whether accounts do the proposal's events again in the four weeks that begin a day after reaching it.

    This looks beyond the landmark: it describes, and never decides. Passed where half do and the fourth week still
    has a tenth of the accounts, or half as many as the first.

    Returns
    -------
    Criterion
        Its value is the share that came back within those weeks, among those followed for 29 days.
    RepeatUse or None
        None where nobody could be followed.
    """
    again = case.repeats.weekly[case.repeats.followed]
    n = len(again)
    use = None
    if n:
        back = estimate.share(int(again.any(axis=1).sum()), n, case.alpha)
        use = RepeatUse(n_accounts=n, again=back, weekly=tuple(again.mean(axis=0).tolist()))
    if use is None or use.again.estimate is None or n < FEWEST_FOLLOWED:
        whom = f"Only {wording.count(n)} that reached it" if n else "No account that reached it"
        sentence = f"{whom} could be followed for four weeks, too few to say whether they come back to it."
        return Criterion(name="repeatable", status="warn", sentence=sentence, judged=False), use
    share, lasts = use.again.estimate, _lasts(use.weekly)
    status: CriterionStatus = "fail" if share < SELDOM else "pass" if share >= OFTEN and lasts else "warn"
    return Criterion(
        name="repeatable", status=status, sentence=_in_words(share, use.weekly[-1], lasts), value=share, unit="share"
    ), use


def _lasts(weekly: tuple[float, ...]) -> bool:
    first, last = weekly[0], weekly[-1]
    return last > 0 and last >= min(STILL, OF_FIRST * first)


def _in_words(share: float, last_week: float, lasts: bool) -> str:
    how = "so it lasts" if lasts else "so it comes back but does not last"
    if share < OFTEN:
        how = "so for many it stays a single moment" if share >= SELDOM else "so it is a shallow moment"
    return (
        f"{wording.percent(share)} of those that reached it did it again in the four weeks that begin a day later, "
        f"{wording.percent(last_week)} in the fourth, {how}."
    )
