"""Coming back to it, among those that could be followed."""

from __future__ import annotations

import numpy as np
import pytest

from discovery.validation.case import Repeats
from discovery.validation.repeating import repeatable

from .cases import make_case


def repeats(followed, again, others=0, *, still=0, first=0):
    """`again` of `followed` come back in the second week, `first` of these in the first and `still` in the fourth.

    `others` could not be followed and come back every week.
    """
    weekly = np.zeros((followed + others, 4), dtype=bool)
    weekly[:again, 1] = weekly[:first, 0] = weekly[:still, 3] = True
    weekly[followed:] = True
    case = make_case(np.arange(500) < 200, np.arange(500) % 2 == 0)
    there = np.arange(followed + others) < followed
    return repeatable(type(case)(**fields(case) | {"repeats": Repeats(followed=there, weekly=weekly)}))


def fields(case):
    return {name: getattr(case, name) for name in case.__dataclass_fields__}


@pytest.mark.parametrize(
    ("again", "status"),
    [(0, "fail"), (19, "fail"), (20, "warn"), (49, "warn"), (50, "pass"), (100, "pass")],
)
def test_shares_at_the_boundaries(again, status):
    found, use = repeats(100, again, others=300, still=min(again, 10))
    assert (found.status, found.value, found.unit, found.decides) == (status, again / 100, "share", False)
    assert use.n_accounts == use.again.n_accounts == 100
    assert use.weekly == (0.0, again / 100, 0.0, min(again, 10) / 100)
    assert use.again.ci_lower <= again / 100 <= use.again.ci_upper


@pytest.mark.parametrize(
    ("still", "first", "lasts"),
    [(10, 60, True), (9, 60, False), (9, 19, False), (9, 18, True), (3, 6, True), (1, 0, True), (0, 0, False)],
)
def test_it_lasts_where_the_fourth_week_still_has_some(still, first, lasts):
    found, _ = repeats(100, 60, still=still, first=first)
    assert found.status == ("pass" if lasts else "warn")
    assert ("so it lasts" in found.sentence) == lasts
    assert ("does not last" in found.sentence) == (not lasts)


def test_many_that_never_come_back_are_a_single_moment_whatever_the_fourth_week():
    found, _ = repeats(100, 40, still=0)
    assert (found.status, "single moment" in found.sentence) == ("warn", True)
    found, _ = repeats(100, 40, still=40)
    assert (found.status, "single moment" in found.sentence) == ("warn", True)


def test_any_week_counts_and_once():
    weekly = np.zeros((40, 4), dtype=bool)
    weekly[:10, 0] = weekly[:10, 3] = weekly[10:20, 3] = True
    case = make_case(
        np.arange(80) < 40, np.arange(80) % 2 == 0, repeats=Repeats(followed=np.ones(40, bool), weekly=weekly)
    )
    found, use = repeatable(case)
    assert found.value == 0.5
    assert use.weekly == (0.25, 0.0, 0.0, 0.5)
    assert "50" in found.sentence


@pytest.mark.parametrize("followed", [0, 1, 29])
def test_too_few_to_follow_are_not_judged(followed):
    found, use = repeats(followed, followed, others=50)
    assert (found.judged, found.status, found.value) == (False, "warn", None)
    assert (use is None) == (followed == 0)
    assert repeats(30, 30)[0].judged
