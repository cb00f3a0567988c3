"""Whether accounts that reached the proposal come back to it."""

from __future__ import annotations

from typing import Final

from discovery import estimate, wording
from discovery.results import Criterion, CriterionStatus, RepeatUse
from discovery.validation.case import Case

OFTEN, SELDOM = 0.5, 0.2
"""Shares that come back within four weeks: from the first on it lasts, below the second it is a shallow moment."""
FEWEST_FOLLOWED: Final = 30
WEEKS: Final = 4


def repeatable(case: Case) -> tuple[Criterion, RepeatUse | None]:
    """Judge whether accounts do the proposal's events again in the four weeks after reaching it.

    This looks beyond the landmark: it describes, and never decides.

    Returns
    -------
    Criterion
        Its value is the share that came back within 28 days, among those followed as long.
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
    share = use.again.estimate
    status: CriterionStatus = "pass" if share >= OFTEN else "warn" if share >= SELDOM else "fail"
    return Criterion(
        name="repeatable", status=status, sentence=_in_words(share, use.weekly[-1]), value=share, unit="share"
    ), use


def _in_words(share: float, last_week: float) -> str:
    how = "so it lasts" if share >= OFTEN else "so for many it stays a single moment"
    if share < SELDOM:
        how = "so it is a shallow moment"
    return (
        f"{wording.percent(share)} of those that reached it did it again within 28 days, {wording.percent(last_week)} "
        f"in the fourth week, {how}."
    )
