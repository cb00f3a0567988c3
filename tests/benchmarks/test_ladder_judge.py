"""A ladder made by hand, held against a ladder planted by hand."""

import dataclasses
import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.accuracy.ladders.judge import (
    LadderRow,
    Planted,
    Rival,
    failure,
    hindrances,
    judge,
    planted_in,
    required_rungs,
    score,
)
from benchmarks.accuracy.store import Store
from discovery.results import Ladder
from discovery.simulate import simulate_world

KEY = ("chain", 2500, 7)
STEPS = (("connected",), ("csv", "salesforce"), ("created",))
PLANTED = Planted(family="shared", rungs=STEPS, hindrance=("sync_failed", "created"), variant="alternatives")


def rung(milestone, role="required", errors=()):
    return SimpleNamespace(
        milestone=milestone, role=role, errors_at_drop=[SimpleNamespace(event=error) for error in errors]
    )


def ladder(*rungs, milestone="shared >= 2 within 7d"):
    ends = rung("signed up", "baseline"), rung(milestone, "milestone")
    return SimpleNamespace(milestone=milestone, rungs=[ends[0], *rungs, ends[1]])


def judged(ladder_, planted=PLANTED, **more):
    return judge(ladder_, planted, KEY, version="v", status="found", seconds=1.0, **more)


def test_the_planted_ladder_is_exact_whatever_the_thresholds():
    row = judged(ladder(rung("connected"), rung("(csv or salesforce) within 3d"), rung("created >= 2 within 7d")))
    assert (row.discovered, row.exact, row.said) == (True, True, STEPS)
    assert (row.score.precision, row.score.recall, row.score.f1, row.score.event_f1, row.score.order) == (1,) * 5
    assert (row.score.choices, row.score.choices_found, row.variant) == (1, 1, "alternatives")


def test_a_missing_step_a_needless_one_and_half_a_choice():
    row = judged(ladder(rung("connected"), rung("csv"), rung("viewed"), rung("created")))
    assert (row.score.found, row.score.said, row.exact) == (2, 4, False)
    assert row.score.f1 == pytest.approx(4 / 7)
    assert row.score.event_f1 == pytest.approx(6 / 8)
    assert (row.score.choices, row.score.choices_found) == (1, 0)


def test_right_steps_in_the_wrong_order_are_not_exact():
    row = judged(ladder(rung("created"), rung("connected"), rung("csv or salesforce")))
    assert (row.score.f1, row.score.in_order, row.score.pairs, row.exact) == (1.0, 1, 3, False)


def test_the_order_of_one_found_step_is_not_known():
    assert score((("created",),), STEPS).order is None
    assert score((), STEPS).precision is None
    assert score((), STEPS).f1 == 0.0


def test_another_milestone_is_not_discovered_and_not_scored():
    row = judged(ladder(rung("connected"), milestone="shared and viewed"))
    assert (row.discovered, row.score, row.exact, row.hindrance_found) == (False, None, False, None)
    assert row.said == (("connected",),)
    nothing = judged(None)
    assert (nothing.discovered, nothing.said, nothing.score, nothing.false_hindrances) == (False, None, None, 0)


def test_baseline_milestone_and_habit_are_no_required_rungs():
    found = ladder(rung("connected"), rung("3 users active in 14 days", "habit"))
    assert required_rungs(found) == (("connected",),)


def test_without_a_planted_ladder_every_rung_is_one_too_many():
    row = judged(ladder(rung("connected"), rung("csv")), Planted(family="shared", rungs=()))
    assert (row.discovered, row.score, len(row.said), row.planted) == (True, None, 2, ())


def test_an_error_counts_at_the_step_it_stands_before_and_nowhere_else():
    found = ladder(rung("connected", errors=("export_failed",)), rung("created", errors=("sync_failed", "job_failed")))
    row = judged(found)
    assert (row.hindrance_found, row.false_hindrances) == (True, 2)
    assert len(hindrances(found)) == 3
    elsewhere = judged(ladder(rung("connected", errors=("sync_failed",)), rung("created")))
    assert (elsewhere.hindrance_found, elsewhere.false_hindrances) == (False, 1)
    none_planted = judged(found, dataclasses.replace(PLANTED, hindrance=None))
    assert (none_planted.hindrance_found, none_planted.false_hindrances) == (None, 3)


def test_what_is_read_of_a_ladder_is_in_the_results():
    fields = {field.name: field for field in dataclasses.fields(Ladder)}
    assert {"milestone", "persona", "rungs"} <= set(fields)


rungs = st.lists(st.sets(st.sampled_from("abcde"), min_size=1, max_size=2).map(lambda s: tuple(sorted(s))), max_size=5)


@given(rungs, st.lists(st.sampled_from([("a",), ("b", "c"), ("d",)]), min_size=1, max_size=3, unique=True))
def test_scores_are_shares_and_one_for_the_same_list_alone(said, planted):
    one = score(tuple(said), tuple(planted))
    assert 0 <= one.f1 <= 1
    assert 0 <= one.event_f1 <= 1
    assert one.exact == (said == planted)
    if one.exact:
        assert (one.f1, one.event_f1, one.order) in ((1, 1, 1), (1, 1, None))
    assert one.found <= min(one.said, one.planted)
    assert one.in_order <= one.pairs == one.found * (one.found - 1) // 2


def test_rows_come_back_from_disk_as_they_were(tmp_path):
    rival = Rival(name="top", said=(("created",),), score=score((("created",),), STEPS), seconds=0.1)
    rows = [
        judged(ladder(rung("csv or salesforce"), rung("created")), rivals=(rival,)),
        dataclasses.replace(judged(None, Planted(family=None, rungs=())), seed=8),
        failure(("easy", 10, 1), "v", "RuntimeError: no"),
    ]
    store = Store(tmp_path / "ladders.jsonl", LadderRow)
    for row in rows:
        store.add(row)
    assert store.rows("v") == rows
    assert all(json.dumps(row.as_dict()) for row in rows)


def test_what_is_planted_is_what_the_truth_says():
    planted = planted_in(simulate_world("chain_errors", accounts=30).truth)
    assert planted.family == "report_shared"
    assert planted.rungs == (("integration_connected",), ("data_imported",), ("report_created",))
    assert planted.hindrance == ("sync_failed", "data_imported")
    assert planted_in(simulate_world("easy", accounts=30).truth).rungs == ()
    assert planted_in(simulate_world("null", accounts=30).truth).family is None
