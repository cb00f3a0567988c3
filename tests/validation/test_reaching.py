"""How soon and by how many it is reached, at the boundaries."""

from __future__ import annotations

import numpy as np
import pytest

from discovery.validation.reaching import early, narrow_but_reachable

from .cases import make_case


def reached(days, n=100, **parts):
    everyone = np.full(n, np.inf)
    everyone[: len(days)] = days
    met = np.isfinite(everyone)
    return make_case(met, np.arange(n) % 2 == 0, days=everyone, **parts)


@pytest.mark.parametrize(
    ("motion", "median", "status"),
    [
        ("", 3.5, "pass"),
        ("", 3.6, "warn"),
        ("plg", 7.0, "warn"),
        ("sales", 7.1, "fail"),
        ("enterprise", 13.0, "pass"),
    ],
)
def test_the_median_is_held_against_what_the_motion_allows(motion, median, status):
    found, _ = early(reached(np.full(40, median), milestone="report_shared", motion=motion))
    assert (found.status, found.value, found.unit) == (status, median, "days")


def test_long_windows_reach_the_enterprise_target():
    parts = {"milestone": "report_shared", "motion": "enterprise", "window_days": 90}
    assert [early(reached(np.full(40, days), **parts))[0].status for days in (28.0, 56.0, 57.0)] == [
        "pass",
        "warn",
        "fail",
    ]


def test_a_rule_is_never_later_than_its_own_window():
    found, _ = early(reached(np.full(40, 6.9), milestone="report_shared within 7d"))
    assert found.status == "warn"
    assert "later than 3.5 days, half of the 7 days allowed" in found.sentence
    found, _ = early(reached(np.full(40, 3.2), milestone="report_shared within 7d"))
    assert found.status == "pass"
    assert "its own window of 7 days" in found.sentence
    either, _ = early(reached(np.full(40, 9.0), milestone="deal_created or (report_shared within 7d)"))
    assert either.status == "fail"
    assert "later than the 7 days" in either.sentence


def test_shares_are_of_all_accounts_and_end_before_the_day():
    _, said = early(reached([0.5, 1.0, 2.9, 3.0, 6.9, 7.0, 13.9, 2.0, 2.0, 2.0], n=50))
    assert said.by_day == ((1.0, 0.02), (3.0, 0.12), (7.0, 0.16), (14.0, 0.2))
    assert said.median_days == 2.45
    assert said.quartile_days == pytest.approx((2.0, 5.925))


def test_days_go_as_far_as_the_window():
    _, said = early(reached(np.full(20, 1.0), window_days=5))
    assert [day for day, _ in said.by_day] == [1.0, 3.0]


@pytest.mark.parametrize("n", [0, 1, 9])
def test_too_few_that_reach_it_are_not_judged(n):
    found, said = early(reached(np.full(n, 2.0)))
    assert (found.judged, found.status, found.value) == (False, "warn", None)
    assert (said.median_days is None) == (n == 0)
    assert (said.quartile_days is None) == (n == 0)


def test_dates_are_days_after_signup():
    assert "on the day of signup" in early(reached(np.zeros(20), date_only=True))[0].sentence
    assert "by day 2 after signup" in early(reached(np.full(20, 2.0), date_only=True))[0].sentence
    assert "in under a minute" in early(reached(np.zeros(20)))[0].sentence


@pytest.mark.parametrize(
    ("share", "status"),
    [
        (0.0, "fail"),
        (0.049, "fail"),
        (0.05, "warn"),
        (0.099, "warn"),
        (0.1, "pass"),
        (0.8, "pass"),
        (0.801, "warn"),
        (0.95, "warn"),
        (0.951, "fail"),
        (1.0, "fail"),
    ],
)
def test_reach_is_neither_few_nor_nearly_all(share, status):
    found = narrow_but_reachable(reached(np.full(round(1000 * share), 2.0), n=1000))
    assert (found.status, found.value, found.unit, found.decides) == (status, share, "share", False)


def test_reach_says_how_many_onboarding_could_move():
    assert "700 of 1,000 accounts" in narrow_but_reachable(reached(np.full(300, 2.0), n=1000)).sentence
    assert "only 1 account did not" in narrow_but_reachable(reached(np.full(999, 2.0), n=1000)).sentence
    assert "nobody is left" in narrow_but_reachable(reached(np.full(1000, 2.0), n=1000)).sentence


@pytest.mark.parametrize("n", [1, 29])
def test_reach_of_a_handful_is_not_judged(n):
    assert not narrow_but_reachable(reached([1.0], n=n)).judged
