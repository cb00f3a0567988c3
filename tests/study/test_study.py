"""What must not matter to a whole study does not, and what must be refused is."""

import json

import numpy as np
import pandas as pd
import pytest

import discovery
from discovery import exposure
from discovery.errors import QualityError, SpecError

from .habits import without_habits

SPEC = {"accounts": {"segments": ["plan", "channel"]}, "outcome": {"kind": "retained"}}


@pytest.fixture(scope="module")
def world():
    made = discovery.simulate_world("chain", accounts=900, seed=5)
    return made.events.to_pandas(), made.accounts.to_pandas()


def answer(events, accounts, spec=SPEC):
    """Return the result as plain values, without what says where it came from."""
    result = discovery.Study(events, accounts, spec).run()
    values = json.loads(result.to_json())
    for key in ("provenance", "recognised", "quality"):
        values.pop(key)
    return values


@pytest.fixture(scope="module")
def expected(world):
    return answer(*world)


def test_the_order_of_rows_is_irrelevant(world, expected):
    events, accounts = world
    assert answer(events.sample(frac=1, random_state=1), accounts.sample(frac=1, random_state=2)) == expected


def test_the_names_of_accounts_are_irrelevant(world, expected):
    events, accounts = (table.copy() for table in world)
    names = dict(zip(accounts["account_id"], np.random.default_rng(3).permutation(10**6)[: len(accounts)], strict=True))
    for table in (events, accounts):
        table["account_id"] = table["account_id"].map(names).astype(str)
    assert answer(events, accounts) == expected


def test_rows_repeated_with_the_same_id_change_nothing(world, expected):
    events, accounts = world
    assert answer(pd.concat([events, events.sample(frac=0.3, random_state=4)]), accounts) == expected


def test_events_after_the_window_change_nothing(world, expected):
    """For a recorded departure; later activity is not early behaviour."""
    events, accounts = world
    late = events.merge(accounts[["account_id", "signup_at"]], on="account_id")
    late = late[late["timestamp"] >= late["signup_at"] + pd.Timedelta(days=14)]
    noise = late.sample(frac=0.5, random_state=6).assign(event="report_shared", event_id=lambda t: t["event_id"] + "x")
    changed = answer(pd.concat([events, noise[events.columns]]), accounts)
    assert without_habits(changed) == without_habits(expected)
    assert without_habits(expected)["ladders"][0]["rungs"]


def test_what_is_known_only_after_the_horizon_changes_no_rank(world):
    """Where the stated day decides, departures beyond it are not looked at; with many departures it describes."""
    events, accounts = world
    late = accounts["churned_at"] >= accounts["signup_at"] + pd.Timedelta(days=91)
    moved = accounts.assign(
        churned_at=accounts["churned_at"].where(~late, accounts["churned_at"] + pd.Timedelta(days=1))
    )
    fields = ("family", "milestone", "n_reached", "naive_difference", "horizon_score", "composition_score")
    before, after = ({f["family"]: f for f in answer(events, these)["ranking"]} for these in (accounts, moved))
    assert late.sum() > 20
    assert before.keys() == after.keys()
    for name in before:
        if before[name]["milestone"] == after[name]["milestone"]:
            assert [before[name][field] for field in fields] == [after[name][field] for field in fields]


def test_the_account_flow_adds_up_and_rates_agree_with_counts(expected):
    flow = expected["population"]
    out = sum(
        flow[k] for k in ("excluded", "unusable", "before_log", "not_observed_to_landmark", "decided_before_landmark")
    )
    assert flow["accounts"] == out + flow["landmark"]
    assert flow["base_rate"] == pytest.approx(flow["retained"] / flow["mature"])
    for family in expected["ranking"]:
        assert family["reach"] == pytest.approx(family["n_reached"] / flow["landmark"])


def test_without_a_lead_there_is_no_ladder_and_no_milestone():
    made = discovery.simulate_world("null", accounts=900, seed=5)
    values = answer(made.events, made.accounts)
    assert values["verdict"]["status"] == "none"
    assert values["verdict"]["milestone"] is None
    assert values["ladders"] == []
    assert values["ranking"]


def test_a_later_activity_is_compared_at_equal_inertia(world):
    values = answer(*world, {"outcome": {"kind": "active"}})
    assert values["outcome"]["active_days"] == [21, 28]
    assert values["score_model"] == "logistic"
    assert "amount, days and recency of activity" in values["adjusted_for"]
    assert all(family["hazard_ratio"] is None for family in values["ranking"])
    assert all(
        family["composition"]["estimand"] == "at equal inertia" for family in values["ranking"] if family["rank"]
    )


def test_a_converted_outcome_counts_early_conversions_apart(world):
    events, accounts = world
    rng = np.random.default_rng(8)
    days = pd.to_timedelta(rng.uniform(1, 120, len(accounts)), unit="D")
    converted = (accounts["signup_at"] + days).where(rng.random(len(accounts)) < 0.6)
    values = answer(events, accounts.drop(columns="churned_at").assign(converted_at=converted), {})
    assert values["outcome"]["kind"] == "converted"
    assert values["population"]["decided_before_landmark"] > 20


def test_passive_and_outcome_adjacent_events_are_never_ranked(world):
    events, accounts = world
    spec = {
        **SPEC,
        "outcome": {"kind": "retained", "passive": ["report_created"]},
        "kinds": {"outcome_adjacent": ["report_shared"]},
    }
    statuses = {
        family["family"]: (family["status"], family["rank"]) for family in answer(events, accounts, spec)["ranking"]
    }
    assert statuses["report_created"] == ("passive", None)
    assert statuses["report_shared"] == ("outcome_adjacent", None)


def test_a_kind_given_by_the_user_overrides_the_lexicon(world):
    events, accounts = world
    renamed = events.assign(event=events["event"].replace({"report_shared": "invoice_sent"}))
    set_apart = answer(renamed, accounts)
    assert {f["family"]: f["status"] for f in set_apart["ranking"]}["invoice_sent"] == "outcome_adjacent"
    ranked = answer(renamed, accounts, {**SPEC, "kinds": {"value": ["invoice_sent"]}})
    assert ranked["ranking"][0]["family"] == "invoice_sent"
    assert ranked["ranking"][0]["kind"] == "value"


def test_events_at_signup_are_no_milestone_but_their_repeats_may_be(world):
    events, accounts = world
    at_signup = accounts.iloc[::2].assign(event="tour_seen", user_id=None, timestamp=lambda t: t["signup_at"])
    later = at_signup.iloc[::3].assign(timestamp=lambda t: t["timestamp"] + pd.Timedelta(days=2))
    for extra, rank_is_none in ((at_signup, True), (pd.concat([at_signup, later]), False)):
        rows = extra.assign(event_id=[f"t{i}" for i in range(len(extra))])[events.columns]
        family = next(f for f in answer(pd.concat([events, rows]), accounts)["ranking"] if f["family"] == "tour_seen")
        assert (family["rank"] is None) == rank_is_none
        assert family["status"] == ("at_signup" if rank_is_none else "unsupported")
        assert rank_is_none == ("within five minutes of signup" in (family["reason"] or ""))
        assert family["conditions"][0]["at_least"] == (1 if rank_is_none else 2)


def test_cancelling_is_no_activity(world):
    """An account whose only later event belongs to the decision to go was not active."""
    events, accounts = world
    early = events.merge(accounts[["account_id", "signup_at"]], on="account_id")
    early = early[early["timestamp"] < early["signup_at"] + pd.Timedelta(days=14)][events.columns]
    late = accounts.iloc[:300].assign(
        event="subscription_cancelled", user_id=None, timestamp=lambda t: t["signup_at"] + pd.Timedelta(days=22)
    )
    late["event_id"] = [f"c{i}" for i in range(len(late))]
    both = pd.concat([early, late[events.columns]])
    end = {"accounts": {"observed_until": "2026-01-01"}, "outcome": {"kind": "active"}}
    assert answer(both, accounts, end)["population"]["retained"] == 0
    named = {**end, "outcome": {"kind": "active", "activity": ["subscription_cancelled"]}}
    assert answer(both, accounts, named)["population"]["retained"] > 200


def test_what_follows_from_the_decision_is_no_busyness(world):
    """Adding invoices to the accounts that stay changes no other family's score."""
    events, accounts = world
    stayed = accounts[accounts["churned_at"].isna()].assign(
        event="invoice_paid", user_id=None, timestamp=lambda t: t["signup_at"] + pd.Timedelta(days=10)
    )
    stayed["event_id"] = [f"i{i}" for i in range(len(stayed))]
    before = {f["family"]: f["score"] for f in answer(events, accounts)["ranking"]}
    after = {f["family"]: f["score"] for f in answer(pd.concat([events, stayed[events.columns]]), accounts)["ranking"]}
    after.pop("invoice_paid")
    assert after == before


def test_dates_alone_set_apart_what_happens_on_the_day_of_signup(world):
    events, accounts = world
    guests = accounts.iloc[::3].assign(event="came_by_link", user_id=None, timestamp=lambda t: t["signup_at"])
    guests["event_id"] = [f"g{i}" for i in range(len(guests))]
    dated = pd.concat([events, guests[events.columns]])
    dated = dated.assign(timestamp=dated["timestamp"].dt.strftime("%Y-%m-%d"))
    family = next(f for f in answer(dated, accounts)["ranking"] if f["family"] == "came_by_link")
    assert (family["status"], family["rank"]) == ("at_signup", None)
    assert "day of signup" in family["reason"]


def test_without_a_trait_known_at_signup_nothing_is_found(world, expected):
    """A segment with one level is no trait: there is nothing to compare an unmeasured one with."""
    events, accounts = world
    spec = {"accounts": {"segments": ["region"]}, "outcome": {"kind": "retained"}}
    values = answer(events, accounts.assign(region="emea"), spec)
    assert (expected["verdict"]["status"], values["verdict"]["status"]) == ("found", "lead")
    assert values["personas"] == []
    first, stands_out = values["ranking"][0], [f for f in values["ranking"] if f["status"] in ("found", "lead")]
    assert "No trait of the account was known at signup" in first["reason"]
    assert all("no_traits" in family["warnings"] for family in stands_out)
    assert not any("no_traits" in family["warnings"] for family in expected["ranking"])


def test_accounts_that_all_did_the_same_are_told_so(world):
    _, accounts = world
    same = accounts.assign(event="hello", user_id="u", timestamp=lambda t: t["signup_at"] + pd.Timedelta(days=1))
    end = {"accounts": {"observed_until": "2026-01-01"}, "outcome": {"kind": "retained"}}
    verdict = answer(same[["account_id", "user_id", "event", "timestamp"]], accounts, end)["verdict"]
    assert "nothing tells them apart" in verdict["sentence"]


def test_a_section_that_is_no_mapping_is_refused():
    with pytest.raises(SpecError, match="outcome"):
        discovery.Study(None, None, outcome="retained")


def test_errors_stop_a_run_and_are_named(world):
    events, accounts = world
    with pytest.raises(QualityError, match="account"):
        discovery.Study(events, accounts.assign(account_id="z" + accounts["account_id"])).run()


def test_an_unknown_key_is_refused_with_the_nearest_known_one():
    with pytest.raises(SpecError, match="by_day"):
        discovery.Study(None, None, outcome={"by_dya": 30})


def test_sections_are_laid_over_the_spec():
    study = discovery.Study(None, None, SPEC, outcome={"by_day": 45}, inference={"alpha": 0.1})
    assert (study.spec.outcome.kind, study.spec.outcome.by_day, study.spec.inference.alpha) == ("retained", 45, 0.1)


def test_results_reach_a_notebook_and_a_file(world, tmp_path):
    result = discovery.Study(*world, SPEC).run()
    assert "<" in result._repr_html_()
    assert result.report(tmp_path / "r.html").read_text().startswith("<!")
    assert list(result.to_frame()["family"]) == [family.family for family in result.ranking]
    assert len(result.candidates.to_frame()) == len(result.candidates)


def test_the_counting_says_how_far_it_is(world, monkeypatch):
    def measure(*given):
        given[-1]("Counting", 0.5)
        raise SpecError("Far enough.")

    monkeypatch.setattr(exposure, "measure", measure)
    told = []
    with pytest.raises(SpecError, match="Far enough"):
        discovery.Study(*world, SPEC).run(progress=lambda stage, share=None: told.append((stage, share)))
    assert told[-1] == ("Counting", 0.5)


def test_every_ladder_is_a_share_of_its_stage(world):
    told = []
    made = discovery.Study(*world, SPEC).run(progress=lambda stage, share=None: told.append((stage, share)))
    stages = [each for each in told if each[0].startswith("Building")]
    n = len(made.ladders)
    stage = "Building one ladder" if n == 1 else f"Building {n} ladders"
    assert stages == [(stage, None), *((stage, place / n) for place in range(n))]
    assert n
