"""Properties that are opened for the search: which values, what is left out, and what a planted one does."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import discovery
from discovery import intake
from discovery.errors import ColumnError, InputError
from discovery.milestone import Milestone
from discovery.outcome import read_outcome
from discovery.spec import build_spec
from discovery.study import properties
from discovery.study.evidence import lifetimes
from discovery.study.properties import Opened, acts_to_measure, open_properties, properties_of

from .property_world import PLANTED, SPEC, property_world

START = datetime(2024, 1, 1, tzinfo=UTC)
N = 100
RECORDED = datetime(2024, 4, 1, tzinfo=UTC)


def opened(column: str, values: list[list[Any]], kind: Any = None, **candidates: Any) -> Opened:
    """Open one property of N accounts; `values` has those of each account's rows, an hour after its signup on."""
    rows = [
        (f"a{account}", f"u{place % 2}", "shared", START + timedelta(days=account / 10, hours=1 + place), value)
        for account in range(N)
        for place, value in enumerate(values[account % len(values)])
    ]
    events = pa.table(
        {name: [row[i] for row in rows] for i, name in enumerate(("account_id", "user_id", "event", "timestamp"))}
        | {column: pa.array([row[4] for row in rows], kind)}
    )
    accounts = pa.table(
        {
            "account_id": [f"a{i}" for i in range(N)],
            "signup_at": [START + timedelta(days=i / 10) for i in range(N)],
            "churned_at": [START + timedelta(days=i / 10 + 40) if i % 2 else None for i in range(N)],
            "observed_until": [START + timedelta(days=200)] * N,
        }
    )
    spec = build_spec({"candidates": {"properties": [column], **candidates}, "outcome": {"kind": "retained"}})
    relations = intake.load(events, accounts, spec)
    with closing(relations.engine):
        outcome = read_outcome(lifetimes(relations), relations.spec.outcome, window_days=14)
        return open_properties(relations, outcome)


def names(found: Opened) -> list[str]:
    return [act.act_name for act in found.acts]


def test_few_values_are_searched_each() -> None:
    found = opened("channel", [["email", None], ["link"], ["email", "größe/日本"]])
    assert names(found) == [f'shared[channel = "{value}"]' for value in ("email", "größe/日本", "link")]
    assert found.said[0].left_out == ()
    assert [sorted(one.conditions) for one in found.said] == [names(found)]


def test_truth_values_and_few_numbers_are_compared_as_what_they_are() -> None:
    assert names(opened("auto", [[True], [False], [None]])) == ["shared[auto = false]", "shared[auto = true]"]
    assert names(opened("size", [[1.0, 2.5], [2.5]])) == ["shared[size = 1]", "shared[size = 2.5]"]
    assert names(opened("size", [["1", "2.5"], ["n/a"]])) == [f'shared[size = "{v}"]' for v in ("1", "2.5", "n/a")]


def test_many_numbers_are_cut_at_the_quartiles_of_the_rows() -> None:
    found = opened("size", [[float(10 * i + place) for place in range(4)] for i in range(25)])
    every = sorted(10 * i + place for i in range(25) for place in range(4))
    cuts = [every[24], every[49], every[74]]
    assert names(found) == sorted(f"shared[size >= {cut}]" for cut in cuts)


def test_a_few_rows_without_a_number_do_not_hide_the_others_and_are_counted() -> None:
    values: list[list[Any]] = [[str(float(10 * i + place)) for place in range(4)] for i in range(N)]
    values[7][0] = "n/a"
    found = opened("size", values)
    assert len(names(found)) == 3
    assert all(name.startswith("shared[size >= ") for name in names(found))
    assert "On 1 of 400 rows of events that are cut by size it is no number" in found.said[0].left_out[0]
    many = [["n/a" if i % 10 == 0 else value for value in own] for i, own in enumerate(values)]
    assert names(opened("size", many)) == []


def test_a_count_that_is_mostly_nothing_is_cut_above_nothing() -> None:
    assert names(opened("n", [[0] * 30 + [*range(1, 10)]])) == [f"shared[n >= {cut}]" for cut in (3, 5, 7)]
    assert names(opened("n", [[0, 0, *range(1, 11)]])) == [f"shared[n >= {cut}]" for cut in (1, 4, 7)]


def test_texts_with_underscores_are_no_numbers_and_large_ones_are_compared_as_text() -> None:
    assert names(opened("variant", [[f"1_{i}"] for i in range(10)])) == []
    large = [9_007_199_254_740_992, 9_007_199_254_740_993]
    assert names(opened("n", [large])) == [f'shared[n = "{value}"]' for value in large]


def test_thresholds_have_three_digits() -> None:
    found = names(opened("size", [[1.23456 + i, 100.789 + i, 1234.5 + i] for i in range(20)]))
    assert [float(name.split(">= ")[1].rstrip("]")) for name in found] == [110.0, 1240.0, 15.2]


def test_values_of_few_accounts_and_texts_of_many_kinds_are_left_out_and_said() -> None:
    rare = opened("channel", [["email"]] * 99 + [["fax"]])
    assert names(rare) == ['shared[channel = "email"]']
    many = opened("channel", [[f"v{i}"] for i in range(9)])
    assert names(many) == []
    assert "more than 8 different values" in many.said[0].left_out[0]
    assert "“shared”" in many.said[0].left_out[0]
    assert names(opened("channel", [[f"v{i}"] for i in range(8)])) != []


def test_what_speaks_of_the_decision_is_left_out_and_said() -> None:
    found = opened("status", [["active"], ["cancelled"]])
    assert names(found) == ['shared[status = "active"]']
    assert "“cancelled” contains “cancelled” (cancelling)" in found.said[0].left_out[0]
    assert names(opened("renewal_date_known", [[True], [False]])) == []


def test_who_did_it_is_opened_from_the_users() -> None:
    assert names(opened("by_other", [[None, None]])) == ["shared[by_other = false]", "shared[by_other = true]"]


def test_a_search_that_would_be_too_wide_keeps_what_most_accounts_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(properties, "MOST_ACTS", 2)
    found = opened("channel", [["a", "b", "c"], ["a", "b"], ["a"]])
    assert names(found) == ['shared[channel = "a"]', 'shared[channel = "b"]']
    assert found.said[0].left_out[0].startswith("1 of its conditions would make the search too wide")


def test_no_outcome_and_no_later_row_is_looked_at() -> None:
    """Rows after the observation window change nothing."""
    values = [["email"], ["link"]]
    late = [[value] + [None] * 24 * 14 + ["late"] * 12 for (value,) in values]
    assert names(opened("channel", late)) == names(opened("channel", values))


def test_a_property_that_does_not_exist_is_refused() -> None:
    world = property_world(accounts=200)
    with pytest.raises(ColumnError, match="'chanel'"):
        discovery.Study(world.events, world.accounts, spec=SPEC).validate("report_shared[chanel = 1]")


def test_a_property_is_offered_where_it_is_and_not_where_it_was_looked_for(tmp_path) -> None:
    lines = [
        {"account_id": "a", "event": "x", "timestamp": f"2025-01-0{day}T00:00:00Z", "properties": {"channel": "b"}}
        for day in range(1, 9)
    ]
    (tmp_path / "events.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    with pytest.raises(ColumnError, match=r"Did you mean 'channel'\? Name"):
        discovery.Study(str(tmp_path / "events.jsonl")).validate("x[chanel = 1]")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ('report_shared[channel = "Email"]', 'channel = "Email"; there are email, '),
        ('report_shared[channel in ("link", "Email")]', 'channel = "Email"; there are email, '),
        ('login or file_uploaded[channel = "email"]', 'No row of file_uploaded has channel = "email"; none has any'),
        ("file_uploaded[size = -1]", "size = -1; there are "),
    ],
)
def test_a_value_that_no_row_has_is_a_slip_and_no_verdict(asked: str, said: str) -> None:
    world = property_world(accounts=200)
    with pytest.raises(InputError) as caught:
        discovery.Study(world.events, world.accounts, spec=SPEC).validate(asked)
    assert said in str(caught.value)


def test_other_comparisons_and_events_that_are_not_tracked_yet_are_not_slips() -> None:
    world = property_world(accounts=200)
    asked = ('report_shared[channel != "Email"]', "file_uploaded[size >= 1e9]", 'deal_signed[channel = "fax"]')
    made = discovery.Study(world.events, world.accounts, spec=SPEC).validate(*asked)
    assert len(made.proposals) == 3


def test_all_that_proposals_test_is_measured_and_what_is_left_without_a_test() -> None:
    asked = Milestone.parse('a[b = 1, by_other = true] >= 3 and c[d = "e"]')
    assert properties_of([asked]) == ("b", "d")
    acts = [str(act) for act in acts_to_measure([asked])]
    assert acts == ["a[b = 1, by_other = true]", "a[by_other = true]", "a[b = 1]", 'c[d = "e"]']


@pytest.fixture(scope="module")
def planted() -> discovery.StudyResult:
    world = property_world(seed=2)
    return discovery.Study(world.events, world.accounts, spec=SPEC).run()


def test_a_planted_property_is_found_and_not_the_plain_event(planted: discovery.StudyResult) -> None:
    assert planted.verdict.status == "found"
    assert planted.verdict.milestone is not None
    assert planted.verdict.milestone.startswith(PLANTED)
    first = planted.ranking[0]
    assert first.family == "report_shared"
    assert json.loads(planted.to_json())["ranking"][0]["conditions"][0]["where"] == [
        {"property": "channel", "operator": "=", "value": "email"}
    ]
    assert all(Milestone.parse(text).acts == Milestone.parse(PLANTED).acts for text in first.equivalent)


def test_the_result_says_what_was_opened_and_counts_it(planted: discovery.StudyResult) -> None:
    said = {one.name: one for one in planted.opened}
    assert set(said) == {"channel", "by_other", "size"}
    assert PLANTED in said["channel"].conditions
    assert len(said["by_other"].conditions) == 12
    assert len(said["size"].conditions) == 3
    columns = planted.candidates.columns
    assert planted.searched == sum(columns["eligible"])
    tested = [text for text, eligible in zip(columns["where"], columns["eligible"], strict=True) if text and eligible]
    assert len(tested) > 50


def test_the_ladder_of_a_property_milestone_keeps_its_test(planted: discovery.StudyResult) -> None:
    top = planted.ladders[0]
    assert top.milestone == planted.verdict.milestone
    rung = next(rung for rung in top.rungs if rung.role == "milestone")
    assert rung.reach == pytest.approx(planted.ranking[0].reach)
    habit = [rung.milestone for rung in top.rungs if rung.role == "habit"]
    assert all(PLANTED in text for text in habit)


def test_channels_dealt_out_anew_are_not_found_but_the_event_may_be() -> None:
    world = property_world(seed=3, shuffled=True)
    asked = {**SPEC, "accounts": {"segments": [], "observed_until": "observed_until"}}
    result = discovery.Study(world.events, world.accounts, spec=asked).run()
    first = result.ranking[0]
    assert (first.family, first.status) == ("report_shared", "lead")
    assert all(not condition["where"] for condition in first.conditions)
    assert not any("[" in family.milestone for family in result.ranking if family.status in ("found", "lead"))


def test_a_proposal_with_a_test_is_judged_and_compared_with_what_lacks_it() -> None:
    world = property_world(seed=2)
    study = discovery.Study(world.events, world.accounts, spec=SPEC, candidates={"conjunctions": 1, "properties": []})
    asked = (f"{PLANTED} >= 2", 'report_shared[channel = "link"] >= 2')
    planted, decoy = study.validate(*asked, independent=True).proposals
    assert planted.verdict == "holds"
    assert "report_shared >= 2" in [neighbour.milestone for neighbour in planted.neighbours]
    assert decoy.verdict != "holds"
    tracked = next(c for c in planted.criteria if c.name == "observable")
    assert f"“{PLANTED}” is tracked" in tracked.sentence
    assert 0 < planted.reach < 0.5
    assert not np.isclose(planted.reach, decoy.reach)


def test_accounts_from_before_a_property_was_recorded_could_not_reach_it() -> None:
    world = property_world(accounts=700, seed=2)
    known = [moment >= RECORDED for moment in world.events["timestamp"].to_pylist()]
    told = world.events["channel"].to_pylist()
    channels = [channel if here else None for channel, here in zip(told, known, strict=True)]
    place = world.events.column_names.index("channel")
    events = world.events.set_column(place, "channel", pa.array(channels, pa.string()))
    study = discovery.Study(events, world.accounts, spec=SPEC, candidates={"conjunctions": 1, "properties": []})
    (proposal,) = study.validate(PLANTED, independent=True).proposals
    tracked = next(c for c in proposal.criteria if c.name == "observable")
    assert f"“{PLANTED}” is in the log since 2024-04-0" in tracked.sentence


def test_users_and_properties_that_rows_lack_are_told_from_the_plain_event() -> None:
    world = property_world(accounts=500, seed=2)
    generator = np.random.default_rng(0)
    events = world.events
    for name, share in (("user_id", 0.6), ("channel", 0.7)):
        lacking = generator.random(len(events)) < share
        values = [None if gone else v for gone, v in zip(lacking, events[name].to_pylist(), strict=True)]
        events = events.set_column(events.column_names.index(name), name, pa.array(values, pa.string()))
    study = discovery.Study(events, world.accounts, spec=SPEC, candidates={"conjunctions": 1, "properties": []})
    asked = ("report_shared[by_other = true]", 'report_shared[channel != "email"]')
    found = study.validate(*asked, independent=True).proposals
    who, channel = (next(c for c in p.criteria if c.name == "observable") for p in found)
    assert (who.status, channel.status) == ("warn", "warn")
    assert "of its events name no user" in who.sentence
    assert "60" in who.sentence
    assert "of the rows of “report_shared” do not say “channel”" in channel.sentence
