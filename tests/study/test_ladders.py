"""Ladders from discovered milestones, in worlds whose way is planted."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import discovery
from discovery import exposure
from discovery.exposure import ranges
from discovery.milestone import Milestone


@pytest.fixture(scope="module")
def studied():
    """Return a function that studies a world once."""
    kept = {}

    def study(world, seed=1, accounts=2500, enough=ranges.ENOUGH, **sections):
        key = (world, seed, accounts, enough, str(sections))
        if key not in kept:
            made = discovery.simulate_world(world, accounts=accounts, seed=seed)
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(ranges, "ENOUGH", enough)
                kept[key] = made, discovery.Study(made.events, made.accounts, made.truth.spec, **sections).run()
        return kept[key]

    return study


def required(ladder):
    return tuple(Milestone.parse(rung.milestone).events for rung in ladder.rungs if rung.role == "required")


@pytest.mark.parametrize("world", ["chain", "chain_skips", "chain_untracked", "chain_alternatives", "chain_branches"])
def test_the_planted_way_is_the_first_ladder(studied, world):
    made, result = studied(world)
    first = result.ladders[0]
    assert first.milestone == result.verdict.milestone
    assert (first.rank, first.persona, first.status) == (1, None, "found")
    assert required(first) == made.truth.rungs
    assert first.stability > 0.9
    assert not first.warnings


def test_a_rung_that_appeared_late_counts_for_later_cohorts(studied):
    made, result = studied("chain_launched")
    first = result.ladders[0]
    assert required(first) == made.truth.rungs
    assert first.since is not None
    assert "later_cohorts" in first.warnings
    since = np.datetime64(first.since)
    signups = made.accounts.column("signup_at").to_numpy(zero_copy_only=False)
    assert first.n_accounts < (signups >= since).sum() < len(signups)


def test_the_error_that_stops_accounts_is_named_where_it_does_and_no_other(studied):
    made, result = studied("chain_errors")
    error, step = made.truth.hindrance
    named = {(e.event, rung.milestone) for rung in result.ladders[0].rungs for e in rung.errors_at_drop}
    assert named == {(error, step)}
    found = next(e for rung in result.ladders[0].rungs for e in rung.errors_at_drop)
    assert found.ratio.ci_upper < 0.6
    assert found.stopped > found.went_on


def test_alternatives_are_shown_with_their_shares_and_routes(studied):
    _, result = studied("chain_branches")
    both = [rung for rung in result.ladders[0].rungs if rung.alternatives]
    assert len(both) == 2
    for rung in both:
        assert 1 <= sum(branch.share for branch in rung.alternatives) <= 1.3
        assert {branch.route for branch in rung.alternatives} == {1, 2}
    first, second = ({branch.route: branch.milestone for branch in rung.alternatives} for rung in both)
    route_of = {"salesforce_connected": "fields_synced", "csv_uploaded": "columns_mapped"}
    assert all(second[route] == route_of[step] for route, step in first.items())


def test_counts_are_those_of_the_events_themselves(studied):
    """Recounted from the raw events with nothing of the package but the accounts at the landmark."""
    made, result = studied("chain")
    first = result.ladders[0]
    accounts = made.accounts.to_pandas()
    events = made.events.to_pandas().merge(accounts, on="account_id")
    landmark = accounts["signup_at"] + np.timedelta64(14, "D")
    end = made.events.to_pandas()["timestamp"].max()
    alive = accounts[(accounts["churned_at"].isna() | (accounts["churned_at"] >= landmark)) & (landmark <= end)]
    assert len(alive) == pytest.approx(first.n_accounts, abs=2)
    lag = events["timestamp"] - events["signup_at"]
    inside = events[(lag >= np.timedelta64(0)) & (lag < np.timedelta64(14, "D"))]
    last = first.rungs[-2 if first.rungs[-1].role == "milestone" else -3]
    own = inside[inside["event"] == last.milestone]
    top = inside[
        (inside["event"] == "report_shared") & (inside["timestamp"] - inside["signup_at"] < np.timedelta64(7, "D"))
    ]
    counts = top.groupby("account_id").size()
    anyone = set(own["account_id"]) | set(counts[counts >= 2].index)
    assert len(anyone & set(alive["account_id"])) == pytest.approx(last.n_reached, abs=2)


def test_stages_are_about_all_signups_and_shares_of_them(studied):
    _, result = studied("chain")
    setup, aha, habit = result.ladders[0].stages
    people = result.population
    assert setup.reached.n_accounts == people.landmark + people.decided_before_landmark
    assert setup.milestone == result.ladders[0].rungs[3].milestone
    assert aha.reached.estimate < result.ladders[0].rungs[4].reach
    assert habit.reached.n_accounts <= setup.reached.n_accounts
    assert [stage.target_days for stage in (setup, aha, habit)] == [3, 7, 30]


def test_the_motion_of_the_product_sets_the_time_to_value(studied):
    _, result = studied("chain", product={"motion": "plg"})
    assert [stage.target_days for stage in result.ladders[0].stages] == [3, 7, 30]
    assert [rung.target_days for rung in result.ladders[0].rungs if rung.role != "baseline"][:4] == [1, 1, 1, 1]
    _, slow = studied("chain", product={"motion": "enterprise"})
    aha = slow.ladders[0].stages[1]
    assert aha.target_days == 56
    assert "at least that" in aha.sentence


def test_without_users_a_habit_is_the_core_action_alone(studied):
    made, _ = studied("chain")
    events = made.events.drop_columns(["user_id"])
    spec = {**made.truth.spec, "events": {k: v for k, v in made.truth.spec["events"].items() if k != "user"}}
    result = discovery.Study(events, made.accounts, spec).run()
    habit = next(rung for rung in result.ladders[0].rungs if rung.role == "habit")
    assert habit.milestone == "report_shared in 3 of the 4 weeks before day 30"
    stage = result.ladders[0].stages[2]
    assert (stage.status, stage.advice) == ("unknown", ())
    assert "the log names no users" in stage.sentence
    assert "single user" not in stage.sentence


def test_a_persona_has_its_own_ladder_where_it_says_more(studied):
    """What holds for one kind of account only leads to a ladder of that kind; what holds for all is said once."""
    made, result = studied("segment_only", seed=2, accounts=4000)
    own = next(ladder for ladder in result.ladders if ladder.persona == made.truth.segment)
    assert own.n_accounts == next(p.accounts for p in result.personas if p.persona == made.truth.segment)
    assert own.status == "found"
    assert all(ladder.rank == place for place, ladder in enumerate(result.ladders, start=1))
    _, same = studied("chain")
    assert [ladder.persona for ladder in same.ladders] == [None]


def test_the_name_of_a_segment_may_hold_an_equals_sign(studied):
    made, _ = studied("segment_only", seed=2, accounts=4000)
    names = ["plan=tier" if name == "plan" else name for name in made.accounts.column_names]
    spec = {**made.truth.spec, "accounts": {**made.truth.spec["accounts"], "segments": ["plan=tier"]}}
    result = discovery.Study(made.events, made.accounts.rename_columns(names), spec).run()
    assert result.verdict.persona == "plan=tier=team"
    own = next(ladder for ladder in result.ladders if ladder.persona == "plan=tier=team")
    assert own.n_accounts == next(p.accounts for p in result.personas if p.persona == own.persona)


def test_the_kinds_that_the_user_names_keep_events_off_the_ladder(studied):
    _, result = studied("chain", kinds={"vanity": ["data_imported"]})
    first = result.ladders[0]
    assert "data_imported" not in {event for rung in required(first) for event in rung}
    assert {item.milestone: item.reason for item in first.left_out}["data_imported"] == "You call it vanity."


def test_the_ladder_survives_its_own_file(studied, tmp_path):
    from discovery.results import read_ladder

    _, result = studied("chain_branches")
    path = tmp_path / "result.json"
    path.write_text(result.to_json(), encoding="utf-8")
    _, again = read_ladder(f"{path}#1")
    assert again.rungs[1].alternatives[0].milestone == result.ladders[0].rungs[1].alternatives[0].milestone
    assert again.n_accounts == result.ladders[0].n_accounts


def test_a_few_early_testers_do_not_hide_that_a_step_appeared_late(studied):
    """Six customers had the feature two months before everybody else."""
    import pyarrow as pa
    import pyarrow.compute as pc

    made, plain = studied("chain_launched")
    events = made.events.to_pandas()
    launch = events.loc[events["event"] == "data_imported", "timestamp"].min()
    early = events[(events["event"] == "report_created") & (events["timestamp"] < launch - np.timedelta64(60, "D"))]
    testers = early.drop_duplicates("account_id").head(6).assign(event="data_imported")
    testers["event_id"] = [f"tester_{number}" for number in range(len(testers))]
    testers["timestamp"] -= np.timedelta64(1, "m")
    rows = pa.Table.from_pandas(testers, schema=made.events.schema, preserve_index=False)
    with_testers = pa.concat_tables([made.events, rows])
    assert pc.sum(pc.equal(with_testers.column("event_id"), "tester_0")).as_py() == 1
    result = discovery.Study(with_testers, made.accounts, made.truth.spec).run()
    assert required(result.ladders[0]) == made.truth.rungs
    gap = np.datetime64(result.ladders[0].since) - np.datetime64(plain.ladders[0].since)
    assert abs(gap) <= np.timedelta64(3, "D")


def test_the_user_says_where_setup_ends(studied):
    _, plain = studied("chain")
    _, named = studied("chain", kinds={"setup": ["integration_connected"]})
    assert plain.ladders[0].stages[0].milestone == "report_created"
    assert named.ladders[0].stages[0].milestone == "integration_connected"
    assert named.ladders[0].stages[0].reached.estimate > plain.ladders[0].stages[0].reached.estimate
    assert [rung.target_days for rung in named.ladders[0].rungs[1:5]] == [3, 7, 7, 7]


def test_those_that_stop_before_the_milestone_are_told_apart(studied):
    """Recounted from the raw events: too late for the rule, once instead of twice, or never."""
    made, result = studied("chain")
    first = result.ladders[0]
    top = next(rung for rung in first.rungs if rung.role == "milestone")
    short = top.fell_short
    assert short.later + short.partly + short.not_at_all == top.dropped
    assert min(short.later, short.partly, short.not_at_all) > 0
    events = made.events.to_pandas().merge(made.accounts.to_pandas(), on="account_id")
    lag = events["timestamp"] - events["signup_at"]
    shared = events[(events["event"] == "report_shared") & (lag >= np.timedelta64(0)) & (lag < np.timedelta64(14, "D"))]
    in_time = shared[shared["timestamp"] - shared["signup_at"] < np.timedelta64(7, "D")].groupby("account_id").size()
    twice = shared.groupby("account_id").size()
    later = set(twice[twice >= 2].index) - set(in_time[in_time >= 2].index)
    assert short.later == pytest.approx(len(later), abs=0.06 * len(later) + 3)


def test_a_log_of_dates_has_its_ladder_and_says_what_it_cannot_know(studied):
    made, _ = studied("chain", accounts=4000)
    events = made.events.to_pandas()
    events["timestamp"] = events["timestamp"].dt.strftime("%Y-%m-%d")
    accounts = made.accounts.to_pandas()
    for column in ("signup_at", "churned_at"):
        accounts[column] = accounts[column].dt.strftime("%Y-%m-%d")
    result = discovery.Study(events, accounts, made.truth.spec).run()
    first = result.ladders[0]
    assert required(first) == made.truth.rungs
    assert "dates_only" in first.warnings
    later = next(rung for rung in first.rungs if rung.milestone == "data_imported")
    assert later.order.n_accounts < 0.9 * later.n_reached
    assert "days of use" in next(rule.sentence for rule in later.rules if rule.name == "reachable")


def test_no_room_for_steps_is_not_called_no_step(studied):
    _, result = studied("chain", ladder={"rungs": [1, 1]})
    first = result.ladders[0]
    assert required(first) == ()
    assert "there is no room for them" in first.sentence


def test_a_target_beyond_what_was_read_is_not_judged(studied):
    _, result = studied("chain", product={"motion": "enterprise"})
    top = next(rung for rung in result.ladders[0].rungs if rung.role == "milestone")
    assert (top.target_days, top.target_met, top.in_target) == (56, None, None)
    _, own = studied("chain")
    of_itself = next(rung for rung in own.ladders[0].rungs if rung.role == "milestone")
    assert (of_itself.target_days, of_itself.target_met) == (7, None)


def of_some(ladder):
    """Return a ladder as plain values without what may be read of some of its accounts, and what was read of them."""
    values = dataclasses.asdict(ladder)
    left = {name: values.pop(name) for name in ("stability", "left_out", "sentence")}
    left["clusters"] = values["experiment"].pop("clusters")
    left["plan of users"] = values["experiment"].pop("secondary")
    left["habit in words"] = values["stages"][2].pop("sentence")
    for place, rung in enumerate(values["rungs"]):
        names = ("stability", "sessions", "in_first_sessions", "errors_at_drop", "between", "between_days", "warnings")
        left |= {(place, name): rung.pop(name) for name in names}
        left |= {(place, rule["name"]): rule for rule in rung.pop("rules")}
    return rounded(values), left


def rounded(values):
    """Return plain values to nine digits."""
    if isinstance(values, dict):
        return {name: rounded(value) for name, value in values.items()}
    if isinstance(values, tuple | list):
        return [rounded(value) for value in values]
    return float(f"{values:.9g}") if isinstance(values, float) else values


@pytest.mark.parametrize("world", ["chain", "chain_alternatives", "chain_launched", "chain_errors"])
def test_of_many_accounts_some_are_asked_and_all_are_counted(studied, world):
    """The way is that of all, and so is every figure but what some are asked about it."""
    made, whole = studied(world)
    _, result = studied(world, enough=1200)
    assert required(result.ladders[0]) == made.truth.rungs
    (counted, read), (expected, of_all) = of_some(result.ladders[0]), of_some(whole.ladders[0])
    assert counted == expected
    for place in range(1, len(made.truth.rungs) + 1):
        assert read[place, "sessions"] == pytest.approx(of_all[place, "sessions"], abs=1.5)
        assert (read[place, "between"] == of_all[place, "between"]) == (counted["n_accounts"] <= 1200)
    assert read["clusters"]["icc"] == pytest.approx(of_all["clusters"]["icc"], abs=0.1)
    assert read["clusters"] != of_all["clusters"]


def test_an_error_is_counted_among_the_accounts_that_were_looked_at(studied):
    made, _ = studied("chain_errors")
    _, result = studied("chain_errors", enough=1200)
    (found,) = (e for rung in result.ladders[0].rungs for e in rung.errors_at_drop)
    assert found.event == made.truth.hindrance[0]
    assert found.n_accounts < found.ratio.n_accounts <= 1202


def test_the_accounts_of_a_small_persona_are_all_asked(studied):
    """However many others there are: each ladder asks enough of its own."""
    made, whole = studied("segment_only", seed=2, accounts=4000)
    own, before = (
        next(ladder for ladder in result.ladders if ladder.persona == made.truth.segment)
        for result in (studied("segment_only", seed=2, accounts=4000, enough=1900)[1], whole)
    )
    assert own.n_accounts < 1900 < whole.population.landmark
    for name in ("rungs", "funnels", "left_out", "stability", "n_accounts"):
        assert getattr(own, name) == getattr(before, name)


def test_only_those_asked_are_looked_up_in_the_events(studied, monkeypatch):
    made, _ = studied("chain")
    asked = []

    def spied(name):
        ask = getattr(exposure, name)

        def spy(engine, events, accounts, *rest, **more):
            asked.append((name, ranges.row_count(engine, accounts)))
            return ask(engine, events, accounts, *rest, **more)

        return spy

    for name in ("met_between", "user_counts", "active_users"):
        monkeypatch.setattr(exposure, name, spied(name))
    monkeypatch.setattr(ranges, "ENOUGH", 1200)
    result = discovery.Study(made.events, made.accounts, made.truth.spec).run()
    assert {name for name, _ in asked} == {"met_between", "user_counts", "active_users"}
    for name, n in asked:
        assert 1198 <= n <= 1202 if name != "active_users" else 1202 < n < 2000  # and all that have the habit
    assert result.ladders[0].n_accounts > 2000
