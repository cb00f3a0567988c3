"""Whether those about to reach it had already done more: planted, counted pair by pair, and hostile."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from discovery.validation.parting import _in_words, parting, precedes_separation

from .cases import make_case


def pair_by_pair(days, before):
    """Every pair of every day, one after the other."""
    won = pairs = 0
    for day in range(1, before.shape[1]):
        done = before[:, :day].sum(axis=1)
        for i in np.flatnonzero((days >= day) & (days < day + 1)):
            for j in np.flatnonzero(days >= day + 1):
                won += (done[i] > done[j]) + 0.5 * (done[i] == done[j])
                pairs += 1
    return won / pairs if pairs else None


@settings(max_examples=60, deadline=None)
@given(
    days=arrays(np.float64, 12, elements=st.sampled_from([0.0, 0.9, 1.0, 1.5, 2.0, 3.99, 4.0, 9.0, np.inf])),
    before=arrays(np.int64, (12, 5), elements=st.integers(0, 3)),
)
def test_the_chance_is_that_of_all_pairs(days, before):
    expected, found = pair_by_pair(days, before), parting(days, before)
    assert (found is None) == (expected is None)
    if found is not None:
        assert found.chance == pytest.approx(expected)


def world(seed, busier, n=800, share=0.3):
    """Accounts act at their own pace; reaching it on a day is likelier the busier they are, by `busier`."""
    rng = np.random.default_rng(seed)
    pace = rng.normal(size=n)
    before = rng.poisson(np.exp(0.8 * pace)[:, None], (n, 14))
    hazard = 0.05 * np.exp(busier * pace)
    days = np.floor(rng.exponential(1 / hazard)) + rng.random(n)
    days[days >= 14] = np.inf
    return days, before


def test_the_interval_covers_as_often_as_it_says():
    """Nothing parts them: one half lies inside the interval in 95 of 100, and the mean is one half."""
    found = [parting(*world(seed, 0.0)) for seed in range(300)]
    chance, se = np.array([(f.chance, f.se) for f in found]).T
    assert chance.mean() == pytest.approx(0.5, abs=0.004)
    assert np.mean(np.abs(chance - 0.5) < 1.96 * se) == pytest.approx(0.95, abs=0.035)


@pytest.mark.parametrize(("busier", "status"), [(0.0, "pass"), (0.6, "warn"), (2.0, "fail")])
def test_the_more_the_pace_decides_the_less_it_passes(busier, status):
    days, before = world(1, busier, n=3000)
    found = precedes_separation(make_case(np.isfinite(days), np.arange(3000) % 2 == 0, days=days, before=before))
    assert (found.status, found.unit, found.decides) == (status, "share", False)
    assert found.value == pytest.approx(parting(days, before).chance)


@pytest.mark.parametrize(
    ("chance", "half", "said"),
    [
        (0.45, 0.02, "no more than the half that chance gives: it comes before accounts part"),
        (0.35, 0.02, " less than the half that chance gives: it comes before accounts part"),
        (0.52, 0.01, "hardly more than the half that chance gives: it comes before accounts part"),
        (0.55, 0.06, "hardly more than the half that chance gives: it comes before accounts part"),
        (0.54, 0.02, ", more than the half that chance gives: they were slightly busier before"),
        (0.597, 0.05, ", more than the half that chance gives: they were slightly busier before"),
        (0.62, 0.02, ", more than the half that chance gives: part of the difference may have been there before"),
    ],
)
def test_those_a_little_busier_are_called_so(chance, half, said):
    status = "pass" if chance < 0.6 else "warn"
    assert said in _in_words(status, chance, half, 0.0)


def test_more_on_the_day_itself_is_no_sign_of_parting():
    days, before = world(2, 0.0)
    there = np.flatnonzero(np.isfinite(days))
    before[there, days[there].astype(int)] += 50
    plain = parting(*world(2, 0.0))
    assert parting(days, before).chance == plain.chance


def test_a_parting_from_two_accounts_alone_is_no_failure():
    """Twenty reach it on the second day; of the two that do not, one had done less than all, one more than half."""
    days, before = np.full(22, 1.5), np.zeros((22, 14), dtype=np.int64)
    before[:20, 0] = np.arange(1, 21)
    days[20:], before[21, 0] = np.inf, 11
    found = precedes_separation(make_case(np.isfinite(days), np.arange(22) % 2 == 0, days=days, before=before))
    assert found.value == pytest.approx((1 + 9.5 / 20) / 2)
    assert found.status == "warn"


def test_where_most_reach_it_on_the_first_day_nothing_can_part_before():
    days, before = world(3, 2.0, n=2000)
    days[:1500] = 0.2
    found = precedes_separation(make_case(np.isfinite(days), np.arange(2000) % 2 == 0, days=days, before=before))
    assert found.status == "pass"
    assert "too early for the log to show whether they differed before" in found.sentence
    everyone = make_case(np.ones(100), np.arange(100) % 2 == 0, days=np.zeros(100))
    assert precedes_separation(everyone).status == "pass"
    assert precedes_separation(everyone).value is None


@pytest.mark.parametrize("met", [0, 5, 19])
def test_too_few_are_not_judged(met):
    found = precedes_separation(make_case(np.arange(100) < met, np.arange(100) % 2 == 0))
    assert (found.judged, found.status, found.value) == (False, "warn", None)


def test_everyone_reaching_it_at_once_leaves_nobody_to_compare():
    found = precedes_separation(make_case(np.ones(100), np.arange(100) % 2 == 0))
    assert not found.judged
    one_day = make_case(np.arange(50) < 25, np.ones(50), before=np.zeros((50, 1), dtype=np.int64), window_days=1)
    assert not precedes_separation(one_day).judged
