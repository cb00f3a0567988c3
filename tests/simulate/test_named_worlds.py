"""Every named world has the property it promises, measured in its tables and in its known chances."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from discovery.milestone import Milestone
from discovery.simulate import WORLDS, simulate_world, true_difference
from discovery.simulate.recording import LAUNCH

DAY = pd.Timedelta(days=1)


@cache
def made(name):
    return simulate_world(name, accounts=3000, seed=11)


@cache
def frame(name) -> pd.DataFrame:
    """Return accounts with their hidden side, in the order of the world."""
    world = made(name)
    return world.accounts.to_pandas().merge(world.potential.to_pandas(), on="account_id")


@cache
def early(name) -> pd.DataFrame:
    """Return the rows of the first 14 days, with `lag`."""
    world = made(name)
    events = world.events.to_pandas().merge(world.accounts.to_pandas(), on="account_id")
    events["lag"] = events.timestamp - events.signup_at
    return events[events.lag < 14 * DAY]


def met(name, text) -> np.ndarray:
    """Evaluate a rule by pandas, in the order of the accounts."""
    flags = []
    for rule in Milestone.parse(text).conditions:
        rows = early(name)
        hours = pd.Timedelta(hours=rule.within_hours or 14 * 24)
        seen = rows[(rows.event == rule.event) & (rows.lag < hours)].groupby("account_id").user_id
        enough = (seen.size() >= rule.at_least) & (seen.nunique() >= rule.min_users)
        flags.append(enough.reindex(frame(name).account_id, fill_value=False).to_numpy())
    return np.logical_and.reduce(flags)


def lived(name) -> pd.DataFrame:
    """Return the accounts that reach the landmark: those before it may have left in the middle of a rule."""
    return frame(name)[frame(name).alive_at_landmark]


@pytest.mark.parametrize(
    "name",
    ["multi_user", "conjunction", "segment_only", "drift", "renewal", "separable", "launched", "inertia_planted"],
)
def test_the_planted_rule_was_met_by_those_who_met_it_in_the_tables(name):
    shown = pd.Series(met(name, made(name).truth.planted[0]))[lived(name).index]
    pd.testing.assert_series_equal(shown, lived(name).met, check_names=False)
    assert 0.1 < shown.mean() < 0.6


def test_dose_response_has_no_threshold():
    truth = made("dose_response").truth
    assert truth.planted == ()
    assert truth.planted_events == ("task_completed",)
    rows = early("dose_response")
    uses = rows[rows.event == "task_completed"].groupby("account_id").size()
    accounts = lived("dose_response").set_index("account_id")
    uses = uses.reindex(accounts.index, fill_value=0)
    fall = np.log(np.log(accounts.stays) / np.log(accounts.stays_without))
    per_unit = (fall / np.log1p(uses))[uses > 0]
    assert per_unit.std() < 1e-9
    assert per_unit.mean() < -0.3
    assert (fall[uses == 0] == 0).all()


def test_one_user_alone_does_nothing_in_multi_user():
    accounts = lived("multi_user")
    alone = met("multi_user", "report_shared >= 2 within 7d")[accounts.index] & ~accounts.met
    assert alone.mean() > 0.05
    assert (accounts.stays[alone] == accounts.stays_without[alone]).all()


def test_the_parts_of_a_conjunction_do_nothing_alone():
    world = made("conjunction")
    one, other = met("conjunction", "data_imported within 7d"), met("conjunction", "report_shared within 7d")
    for part, rest in ((one, other), (other, one)):
        assert true_difference(world, part, among=~rest).overlap_weighted_difference == pytest.approx(0, abs=1e-9)
        assert true_difference(world, part, among=rest).overlap_weighted_difference > 0.18
    both = true_difference(world, one & other).overlap_weighted_difference
    assert both > 1.3 * true_difference(world, one).overlap_weighted_difference
    assert world.truth.effects["data_imported"].average_difference > 0.05


def test_a_rule_of_one_segment_does_nothing_in_the_others():
    world = made("segment_only")
    team = (frame("segment_only").plan == "team").to_numpy()
    rule = met("segment_only", world.truth.planted[0])
    assert world.truth.segment == "plan=team"
    assert true_difference(world, rule, among=team).average_difference > 0.2
    assert true_difference(world, rule, among=~team).average_difference == 0
    whole = true_difference(world, rule).average_difference
    assert whole == pytest.approx(world.truth.effects[world.truth.planted[0]].average_difference, abs=1e-6)


def test_a_hidden_trait_lifts_its_decoys_and_nothing_has_an_effect():
    world = made("hidden_trait")
    assert 2 <= len(world.truth.decoy_events) <= 4
    assert world.truth.planted == world.truth.planted_events == ()
    entered = lived("hidden_trait")
    naive = {}
    for event in world.truth.vanity_events + tuple(name for name in early("hidden_trait").event.unique()):
        flag = met("hidden_trait", f"{event} >= 2")
        if 0.05 < flag.mean() < 0.95:
            effect = true_difference(world, flag)
            naive[event] = effect.naive_difference
            assert effect.overlap_weighted_difference == effect.average_difference == 0
            trait = np.corrcoef(flag[entered.index], entered.trait)[0, 1]
            assert (trait > 0.2) == (event in world.truth.decoy_events), (event, trait)
    assert set(sorted(naive, key=naive.get)[-3:]) == set(world.truth.decoy_events)
    assert min(naive[event] for event in world.truth.decoy_events) > 0.1
    assert abs(np.corrcoef(entered.trait, entered.engagement)[0, 1]) < 0.06


def test_drift_lowers_staying_and_the_effect_over_the_signup_dates():
    accounts = frame("drift").copy()
    accounts["gain"] = accounts.stays_with - accounts.stays_without
    first, last = accounts[:750], accounts[-750:]
    assert first.stays_without.mean() > last.stays_without.mean() + 0.1
    assert first.gain.mean() > last.gain.mean() + 0.08


def test_a_third_leaves_before_the_landmark_of_early_churn():
    assert 0.27 < 1 - frame("early_churn").alive_at_landmark.mean() < 0.40


def test_practically_everybody_who_meets_the_separating_rule_stays():
    accounts = lived("separable")
    assert accounts.retained[accounts.met].mean() > 0.99
    assert accounts.retained[~accounts.met].mean() < 0.55


def test_leaving_is_rare_in_rare_outcome():
    assert 0.90 < made("rare_outcome").truth.base_rate < 0.955


def test_renewals_are_the_only_days_of_departure():
    accounts = frame("renewal")
    stay = (accounts.churned_at - accounts.signup_at).dropna()
    assert (stay % (30 * DAY) == pd.Timedelta(0)).all()
    assert {30, 60, 90} <= set(stay // DAY)
    assert accounts.alive_at_landmark.all()
    assert made("renewal").truth.base_rate == pytest.approx(accounts.stays[accounts.mature].mean(), abs=0.035)


def test_the_season_moves_signups_and_activity():
    accounts = frame("seasonal")
    week = (accounts.signup_at - pd.Timestamp("2025-01-06", tz="UTC")) // (7 * DAY)
    signups = week.value_counts().sort_index()
    assert signups[27:30].mean() < 0.65 * signups[[23, 24, 25, 31, 32, 33]].mean()
    assert signups[[12, 13, 14, 15]].mean() > 1.2 * signups[[0, 1, 2]].mean()
    active = early("seasonal").groupby("account_id").size().reindex(accounts.account_id).groupby(week.to_numpy())
    assert active.mean()[27:29].mean() < 0.75 * active.mean()[12:20].mean()


def test_an_eighth_of_the_rows_is_lost_unevenly():
    truth, accounts = made("untracked").truth, lived("untracked")
    shown = met("untracked", truth.planted[0])[accounts.index]
    assert not (shown & ~accounts.met).any()  # loss never makes a rule met
    assert 0.05 < 1 - shown.sum() / accounts.met.sum() < 0.30
    invited = early("untracked").query("event == 'teammate_invited'").groupby("account_id").size()
    assert len(invited) > 1000
    planted = truth.effects[truth.planted[0]]
    assert true_difference(made("untracked"), accounts_flag(shown, accounts)).average_difference < (
        planted.average_difference - 0.005
    )


def accounts_flag(shown, accounts) -> np.ndarray:
    flag = np.zeros(3000, dtype=bool)
    flag[accounts.index] = shown
    return flag


def test_a_tenth_of_the_rows_is_sent_twice_half_of_them_under_a_new_id():
    events = made("duplicated").events.to_pandas()
    same_id = events.duplicated().sum()
    same_row = events.duplicated(["account_id", "user_id", "event", "timestamp"]).sum()
    assert 0.04 < same_id / len(events) < 0.05
    assert 0.085 < same_row / len(events) < 0.10
    assert events.drop_duplicates().event_id.is_unique


def test_the_launched_feature_is_used_from_the_middle_of_the_log_on():
    events = made("launched").events.to_pandas()
    when = events[events.event == "report_shared"].timestamp
    launch = pd.Timestamp(LAUNCH, unit="s", tz="UTC")
    middle = events.timestamp.min() + (events.timestamp.max() - events.timestamp.min()) / 2
    assert when.min() >= launch
    assert abs(launch - middle) < 2 * DAY
    assert when.max() - launch > 100 * DAY


def test_sizes_are_uneven_and_matter():
    accounts = frame("uneven_sizes")
    size = np.log(accounts.seats)
    volume = np.log(early("uneven_sizes").groupby("account_id").size().reindex(accounts.account_id).to_numpy())
    assert size.std() > 1.35 > 1.15 > np.log(frame("drift").seats).std()
    assert np.corrcoef(size, volume)[0, 1] > 0.35
    assert np.corrcoef(size, accounts.stays_without)[0, 1] > 0.4


@pytest.mark.parametrize("name", ["inertia_null", "inertia_planted"])
def test_activity_follows_from_early_habits_alone(name):
    accounts, rows = frame(name).set_index("account_id"), early(name)
    habits = rows.groupby("account_id").agg(volume=("lag", "size"), recency=("lag", lambda lag: lag.max() / DAY))
    habits["active_days"] = (rows.lag // DAY).groupby(rows.account_id).nunique()
    pd.testing.assert_frame_equal(
        accounts[["volume", "recency", "active_days"]].sort_index(),
        habits[["volume", "recency", "active_days"]].sort_index(),
        check_dtype=False,
    )
    odds = (accounts.stays_without - 0.05) / 0.75
    cohort = (accounts.signup_at - accounts.signup_at.min()) / DAY
    habit = (np.log1p(accounts.volume), accounts.active_days, accounts.recency)
    design = np.column_stack([np.ones(3000), *habit, cohort])
    fit, *_ = np.linalg.lstsq(design, logit := np.log(odds / (1 - odds)), rcond=None)
    assert np.abs(design @ fit - logit).max() < 0.1  # the clock skips nights and weekends
    lift = 0.15 if name == "inertia_planted" else 0.0
    np.testing.assert_allclose(accounts.stays - accounts.stays_without, lift * accounts.met, atol=1e-12)


@pytest.mark.parametrize("name", ["inertia_null", "inertia_planted"])
def test_the_active_are_seen_again_and_the_others_never(name):
    world, accounts = made(name), frame(name).set_index("account_id")
    events = world.events.to_pandas()
    lag = events.timestamp - events.account_id.map(accounts.signup_at)
    later = lag >= 29 * DAY
    seen = accounts.index.isin(events.account_id[later & (lag < 90 * DAY)])
    assert (seen == accounts.retained)[accounts.mature].all()
    assert not accounts.index.isin(events.account_id[later])[~accounts.retained].any()
    assert 0.2 < world.truth.base_rate < 0.7
    assert world.truth.spec["outcome"] == {"kind": "active", "active_days": [29, 90]}


@pytest.mark.parametrize("name", [name for name in WORLDS if name.endswith("null") or "hidden" in name])
def test_in_a_world_without_a_plant_every_candidate_is_worth_nothing(name):
    world = simulate_world(name, accounts=400, seed=5)
    assert world.truth.planted == world.truth.planted_events == ()
    assert world.truth.settings["kind"] == "none"
    assert (world.potential["stays"].to_numpy() == world.potential["stays_without"].to_numpy()).all()
    assert all(e.average_difference == e.overlap_weighted_difference == 0 for e in world.truth.effects.values())
