"""What is said to go with stopping, and what accounts do between two rungs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from discovery.ladder.drops import FEWEST_MET, MOST_SHOWN, Leg, between, errors_at_drops

from .climbs import leg

ALPHA = 0.05


def named(legs, *failures):
    return [[event.event for event in found] for found in errors_at_drops(legs, failures, ALPHA)]


@pytest.mark.parametrize("seed", range(5))
def test_an_error_after_which_accounts_go_on_rarely_is_found_where_it_happens(seed):
    legs = [leg(seed, others=["page_failed"]), leg(100 + seed, hindered=0.2, others=["page_failed"])]
    assert named(legs, "sync_failed", "page_failed") == [[], ["sync_failed"]]


def test_its_figures_are_those_of_the_leg():
    one = leg(3, n=4000, hindered=0.25)
    (found,) = errors_at_drops([one], ["sync_failed"], ALPHA)[0]
    met = one.met["sync_failed"] < one.time
    assert found.n_accounts == met.sum()
    assert found.stopped == met[~one.went_on].mean()
    assert found.went_on == met[one.went_on].mean()
    assert found.ratio.ci_lower < 0.25 < found.ratio.ci_upper < 1
    assert found.ratio.n_accounts == 4000
    assert found.ratio.status == "ok"
    assert 0 <= found.p_adjusted <= ALPHA


def test_of_harmless_errors_hardly_any_is_named():
    """Three legs and three failures each: 150 ladders, of which chance alone may name something in one of 40."""
    failures = ["sync_failed", "page_failed", "import_error"]
    wrong = 0
    for seed in range(150):
        legs = [leg(1000 * step + seed, n=250, others=failures[1:]) for step in range(3)]
        wrong += any(named(legs, *failures))
    assert wrong <= 150 * ALPHA


def test_an_error_that_comes_with_waiting_is_not_held_against_it():
    """Those that stop have longer to meet it: twice as many of them did, and it does no harm."""
    one = leg(5, n=4000, share_met=1.0)
    met = one.met["sync_failed"] < one.time
    assert met[~one.went_on].mean() > met[one.went_on].mean() + 0.2
    assert named([one], "sync_failed") == [[]]


def test_what_goes_with_going_on_is_no_error_at_the_drop():
    assert named([leg(6, hindered=4.0)], "sync_failed") == [[]]


def test_no_account_goes_on_after_it():
    rng = np.random.default_rng(7)
    met = np.where(rng.random(300) < 0.3, 0.0, np.inf)
    went_on = np.isinf(met) & (rng.random(300) < 0.8)
    one = Leg(time=np.where(went_on, rng.random(300) + 0.1, 10.0), went_on=went_on, met={"sync_failed": met})
    (found,) = errors_at_drops([one], ["sync_failed"], ALPHA)[0]
    assert found.ratio.status == "separated"
    assert 0 < found.ratio.estimate < 0.1
    assert (found.stopped > 0, found.went_on) == (True, 0)


@pytest.mark.parametrize(("accounts", "looked_at"), [(FEWEST_MET - 1, False), (FEWEST_MET, True)])
def test_an_error_of_few_accounts_is_not_looked_at(accounts, looked_at):
    went_on = np.arange(400) >= accounts
    one = Leg(
        time=np.where(went_on, np.linspace(1, 2, 400), 10.0),
        went_on=went_on,
        met={"sync_failed": np.where(went_on, np.inf, 0.5)},
    )
    assert named([one], "sync_failed") == [["sync_failed"] if looked_at else []]


def test_every_error_and_every_leg_is_paid_for():
    one, others = leg(8, hindered=0.3), [f"{number}_failed" for number in range(9)]
    alone = errors_at_drops([one], ["sync_failed"], ALPHA)[0][0]
    many = errors_at_drops([leg(8, hindered=0.3, others=others), leg(9)], ["sync_failed", *others], ALPHA)[0][0]
    assert many.p_adjusted == pytest.approx(11 * alone.p_adjusted)


def test_the_clearest_error_comes_first():
    one, two = leg(10, hindered=0.5), leg(11, hindered=0.2)
    joined = Leg(
        time=np.concatenate([one.time, two.time]),
        went_on=np.concatenate([one.went_on, two.went_on]),
        met={
            "a_failed": np.concatenate([one.met["sync_failed"], np.full(600, np.inf)]),
            "b_failed": np.concatenate([np.full(600, np.inf), two.met["sync_failed"]]),
        },
    )
    assert named([joined], "a_failed", "b_failed") == [["b_failed", "a_failed"]]


def test_nobody_on_a_leg_and_no_leg():
    nobody = Leg(time=np.zeros(0), went_on=np.zeros(0, bool), met={"sync_failed": np.zeros(0)})
    assert named([nobody, nobody], "sync_failed") == [[], []]
    assert errors_at_drops([], ["sync_failed"], ALPHA) == []
    assert named([leg(0, hindered=0.1)]) == [[]]
    assert between(nobody, (), ()) == ((), None)


def test_the_order_of_the_accounts_is_irrelevant():
    one = leg(12, hindered=0.3, others=["opened"])
    shuffled = np.random.default_rng(0).permutation(len(one.time))
    other = Leg(
        time=one.time[shuffled],
        went_on=one.went_on[shuffled],
        met={event: met[shuffled] for event, met in one.met.items()},
    )
    (mine,), (theirs,) = (
        errors_at_drops([one], ["sync_failed"], ALPHA)[0],
        errors_at_drops([other], ["sync_failed"], ALPHA)[0],
    )
    assert mine.ratio.estimate == pytest.approx(theirs.ratio.estimate, rel=1e-9)
    assert mine.p_adjusted == pytest.approx(theirs.p_adjusted, rel=1e-6)
    assert between(one, (), ()) == between(other, (), ())


def reading(**met):
    """Return a leg of ten accounts: six go on, on days 1 to 2, four stop; three of four have gone on by day 1.75."""
    return Leg(
        time=np.array([1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 9.0, 9.0, 9.0, 1.0]),
        went_on=np.arange(10) < 6,
        met={event: np.array(days, dtype=float) for event, days in met.items()},
    )


INF = np.inf


def test_both_sides_are_read_for_the_same_time():
    """Four of six are read for a day, two for 1.75; the last account was followed for a day only and is on no side."""
    one = reading(
        early=[0.5, 0.5, 0.5, INF, INF, INF, 0.5, INF, INF, 0.5], late=[1.0, INF, INF, INF, 1.9, 1.5, 1.75, 8, 1.5, INF]
    )
    found, read = between(one, (), ())
    assert read == 1.75
    assert {b.event: (b.went_on, b.stopped) for b in found} == {"early": (0.5, 1 / 3), "late": (1 / 6, 1 / 9)}


@pytest.mark.parametrize(("scale", "expected"), [(0.001, 1 / 24), (1, 1.75), (5, 7.0)])
def test_it_is_read_for_an_hour_at_least_and_a_week_at_most(scale, expected):
    one = reading(early=[0.0] * 10)
    assert between(dataclasses.replace(one, time=one.time * scale), (), ())[1] == expected


def test_what_has_nothing_to_do_with_going_on_is_as_frequent_on_both_sides():
    """Those that stop are watched for longer; that alone must not make them look busier."""
    found, _ = between(leg(14, n=20_000, share_met=0.0, others=["opened", "shared"]), (), ())
    assert {b.event for b in found} == {"opened", "shared"}
    for b in found:
        assert b.went_on == pytest.approx(b.stopped, abs=0.015)


def test_rungs_and_what_is_hidden_are_not_between_them():
    one = reading(rung=[0.5] * 10, hidden=[0.5] * 10, shared=[0.5] * 10)
    assert [b.event for b in between(one, {"rung", "hidden"}, ())[0]] == ["shared"]


def test_what_hardly_anybody_does_is_left_out_and_the_rest_is_cut():
    rng = np.random.default_rng(1)
    went_on = np.arange(1000) < 500
    many = {f"event_{share:02}": np.where(rng.permutation(1000) < 10 * share, 0.5, INF) for share in range(0, 60, 4)}
    found, _ = between(Leg(time=np.where(went_on, 1.0, 9.0), went_on=went_on, met=many), (), ())
    assert len(found) == MOST_SHOWN
    assert "event_00" not in {b.event for b in found}
    gaps = [abs(b.went_on - b.stopped) for b in found]
    assert gaps == sorted(gaps, reverse=True)


def test_errors_named_at_the_drop_come_first():
    one = leg(13, hindered=0.3, others=["opened", "shared"])
    (errors,) = errors_at_drops([one], ["sync_failed"], ALPHA)
    met = one.met | {"big": np.where(one.went_on, 0.0, INF)}
    assert [b.event for b in between(dataclasses.replace(one, met=met), (), errors)[0]][:2] == ["sync_failed", "big"]


@pytest.mark.parametrize("all_of_them", [True, False])
def test_without_both_sides_nothing_is_compared(all_of_them):
    one = dataclasses.replace(reading(early=[0.5] * 10), went_on=np.full(10, all_of_them))
    assert between(one, (), ()) == ((), None)


def test_nobody_that_stopped_was_followed_for_long_enough():
    one = reading(early=[0.5] * 10)
    found, _ = between(dataclasses.replace(one, time=np.where(one.went_on, one.time, 0.5)), (), ())
    assert [(b.event, b.went_on, b.stopped) for b in found] == [("early", 1.0, None)]


def walked(seed, *, hindered, n=1500, load=1.0, life=3.0, kinds=15, viewers=False):
    """A leg on which the active do everything sooner and stay longer; viewers are slow and alone meet the error."""
    rng = np.random.default_rng(seed)
    activity = load * rng.standard_normal(n)
    viewer = rng.random(n) < 0.4
    lives = np.minimum(14, rng.exponential(life * np.exp(activity)))
    error = rng.exponential(10 / np.exp(activity) / np.where(viewers, np.where(viewer, 1.5, 0.05), 1.0))
    step = rng.exponential(7 / np.exp(activity) / np.where(viewers & viewer, 0.33, 1.0))
    step = np.where(step < error, step, error + (step - error) / hindered)
    others = [rng.exponential(1 / (rate * np.exp(activity))) for rate in rng.uniform(0.03, 0.3, kinds)]
    names = {"sync_failed": error, **{f"event_{k}": days for k, days in enumerate(others)}}
    went_on = step < lives
    return Leg(
        time=np.where(went_on, step, 14.0),
        went_on=went_on,
        met={name: np.where(days < lives, days, np.inf) for name, days in names.items()},
        segments={"role": np.where(viewer, "viewer", "editor").astype(object)} if viewers else {},
    )


def test_an_error_that_the_active_meet_more_is_still_found():
    """Compared without regard to activity, going on looks more frequent after it: who meets errors is at work."""
    found = [errors_at_drops([walked(seed, hindered=0.3)], ["sync_failed"], 0.05)[0] for seed in range(8)]
    assert all(events and events[0].ratio.ci_upper < 0.85 for events in found)


def test_a_harmless_error_that_the_active_meet_more_is_not_blamed():
    found = [errors_at_drops([walked(seed, hindered=1.0)], ["sync_failed"], 0.05)[0] for seed in range(40)]
    assert sum(map(bool, found)) <= 3


def test_an_error_that_one_kind_of_account_meets_is_compared_within_that_kind():
    slow = [walked(seed, hindered=1.0, load=0.0, life=50.0, viewers=True) for seed in range(10)]
    assert sum(bool(errors_at_drops([leg], ["sync_failed"], 0.05)[0]) for leg in slow) <= 1
    blind = [Leg(time=leg.time, went_on=leg.went_on, met=leg.met) for leg in slow]
    assert sum(bool(errors_at_drops([leg], ["sync_failed"], 0.05)[0]) for leg in blind) >= 8
    held_up = [walked(seed, hindered=0.3, load=0.0, life=50.0, viewers=True) for seed in range(5)]
    assert all(errors_at_drops([leg], ["sync_failed"], 0.05)[0] for leg in held_up)


def test_a_segment_of_one_account_each_silences_nothing():
    leg = walked(3, hindered=0.2, load=0.0, life=50.0)
    alone = np.array([f"account {number}" for number in range(len(leg.time))], dtype=object)
    fine = Leg(time=leg.time, went_on=leg.went_on, met=leg.met, segments={"name": alone})
    assert errors_at_drops([fine], ["sync_failed"], 0.05)[0]


def test_an_error_that_hardly_anybody_met_is_not_named():
    rng = np.random.default_rng(0)
    n = 4000
    went_on = np.arange(n) < 3000
    met = np.where(~went_on & (rng.random(n) < 0.03), 0.1, np.inf)
    leg = Leg(time=np.where(went_on, 1.0, 14.0), went_on=went_on, met={"sync_failed": met})
    assert 20 <= np.isfinite(met).sum() < 50
    assert errors_at_drops([leg], ["sync_failed"], 0.05)[0] == ()
