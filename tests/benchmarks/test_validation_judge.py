"""A scorecard made by hand, held against a truth made by hand."""

import dataclasses
import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.accuracy.store import Store
from benchmarks.accuracy.validation.judge import (
    Judged,
    Tried,
    ValidationRow,
    alone,
    detectable,
    failure,
    judge,
    refused,
    tried,
)
from benchmarks.accuracy.validation.proposals import Asked
from discovery.results import Criterion, Estimate, PastExperiment, Proposal

RULE = "shared >= 3 within 7d"


def interval(estimate=0.12, lower=0.05, upper=0.19):
    return Estimate(
        estimate=estimate, ci_lower=lower, ci_upper=upper, scale="risk difference", n_accounts=900, estimand=None
    )


def criterion(name="observable", status="pass", decides=False):
    return Criterion(name=name, status=status, sentence="", decides=decides)


def answer(shown=None, *criteria, better=None, verdict="not enough data"):
    return SimpleNamespace(
        milestone=RULE, verdict=verdict, unwidened=shown or interval(), criteria=criteria, better=better
    )


@pytest.mark.parametrize(
    ("shown", "verdict"),
    [
        (interval(0.12, 0.05, 0.19), "holds"),
        (interval(0.03, 0.01, 0.05), "holds"),
        (interval(0.029, 0.01, 0.05), "not enough data"),
        (interval(0.12, 0.0, 0.24), "not enough data"),
        (interval(0.01, -0.01, 0.029), "does not hold"),
        (interval(0.01, -0.01, 0.03), "not enough data"),
        (interval(None, None, None), "not enough data"),
    ],
)
def test_the_interval_decides_where_the_method_says(shown, verdict):
    assert alone(answer(shown), 0.03, active=False) == verdict


def test_a_criterion_that_decides_refuses_whatever_the_interval():
    disguised = answer(None, criterion("not the outcome in disguise", "fail", decides=True))
    assert refused(disguised)
    assert alone(disguised, 0.03, active=False) == "does not hold"
    for harmless in (criterion(status="fail"), criterion(status="warn", decides=True)):
        assert alone(answer(None, harmless), 0.03, active=False) == "holds"


def test_the_interval_of_a_joint_call_does_not_refuse_a_proposal_alone():
    joint = answer(None, criterion("predictive", "fail", decides=True), verdict="does not hold")
    assert alone(joint, 0.03, active=False) == "holds"


def test_an_outcome_of_activity_asks_for_more_than_activity():
    beside = criterion("better than vanity", "warn")
    assert alone(answer(None, beside), 0.03, active=True) == "not enough data"
    assert alone(answer(None, beside), 0.03, active=False) == "holds"
    assert alone(answer(None, criterion("better than vanity")), 0.03, active=True) == "holds"


def test_what_could_be_seen_is_read_from_the_ends_of_the_interval():
    even = detectable(interval(0.1, 0.1 - 0.01959964, 0.1 + 0.01959964))
    assert even == pytest.approx(0.01959964 + 0.00841621, abs=1e-7)
    lopsided = detectable(interval(0.1, 0.1 - 0.025, 0.1 + 0.01959964))
    assert lopsided == pytest.approx(0.025 + 0.00841621, abs=1e-7)
    assert detectable(interval(None, None, None)) is None


def judged(asked=None, better=None, **more):
    given = answer(better=better, verdict="holds")
    asked = asked or Asked(kind="planted", milestone=RULE)
    known = {"least": 0.03, "active": False, "overlap": 0.1, "likeness": lambda text: 0.97}
    return judge(given, asked, **{**known, **more})


def test_a_better_threshold_is_compared_with_the_planted_rule_another_behaviour_is_not():
    same = judged(better="shared >= 2 within 7d")
    assert (same.same_behaviour, same.better_alike, same.alone, same.searched) == (True, 0.97, "holds", "holds")
    other = judged(better="imported within 7d")
    assert (other.same_behaviour, other.better_alike, other.better) == (False, None, "imported within 7d")
    assert not judged().same_behaviour


def test_everything_that_is_read_of_a_proposal_is_in_the_results():
    read = {"milestone", "verdict", "unwidened", "criteria", "better", "evidence"}
    assert read <= {field.name for field in dataclasses.fields(Proposal)}
    read = {"column", "claims", "sample_ratio_p", "complier", "shape"}
    assert read <= {field.name for field in dataclasses.fields(PastExperiment)}


TRUTH = SimpleNamespace(
    experiments={
        "other_test": {"broken_split": True, "moves": {"imported": {"complier_effect": 0.3}}},
        "share_test": {"broken_split": False, "moves": {RULE: {"complier_effect": 0.2}}},
    }
)


def experiment_of(column, p=0.5, lower=0.1, upper=0.3, shape="interval", claims="complier"):
    return SimpleNamespace(
        column=column,
        claims=claims,
        sample_ratio_p=p,
        complier=None if shape is None else interval(0.15, lower, upper),
        shape=shape,
    )


def test_the_experiment_that_moved_the_rule_is_the_one_that_is_judged():
    tests = [experiment_of("other_test", p=1e-9), experiment_of("share_test")]
    one = tried("planted", "holds", "does not hold", tests, TRUTH, RULE)
    assert (one.effect, one.broken, one.mismatch, one.covered) == (0.2, False, False, True)
    assert (one.without, one.with_it, one.claims) == ("holds", "does not hold", "complier")
    unknown = tried("planted", "holds", "holds", [experiment_of("share_test", p=None)], TRUTH, RULE)
    assert not unknown.mismatch
    broken = tried("planted", "holds", "holds", tests, TRUTH, "imported")
    assert (broken.effect, broken.broken, broken.mismatch) == (0.3, True, True)
    assert tried("planted", "holds", "holds", [], TRUTH, RULE).claims == "not read"


@pytest.mark.parametrize(
    ("lower", "upper", "shape", "covered"),
    [
        (0.1, 0.3, "interval", True),
        (0.21, 0.3, "interval", False),
        (None, 0.3, "half-line", True),
        (None, 0.1, "half-line", False),
        (0.1, None, "half-line", True),
        (None, None, "line", True),
        (0.1, 0.3, "two rays", None),
        (None, None, None, None),
    ],
)
def test_an_open_end_holds_everything_beyond(lower, upper, shape, covered):
    tests = [experiment_of("share_test", lower=lower, upper=upper, shape=shape)]
    assert tried("planted", "holds", "holds", tests, TRUTH, RULE).covered is covered


def test_a_set_that_is_not_claimed_covers_nothing():
    tests = [experiment_of("share_test", claims="intention to treat")]
    assert tried("planted", "holds", "holds", tests, TRUTH, RULE).covered is None


numbers = st.none() | st.floats(-1, 1)
made = st.builds(
    Judged,
    kind=st.sampled_from(["planted", "vanity", "wrong threshold"]),
    milestone=st.just(RULE),
    phi=numbers,
    alone=st.sampled_from(["holds", "does not hold"]),
    searched=st.just("holds"),
    estimate=numbers,
    lower=numbers,
    upper=numbers,
    detectable=numbers,
    overlap=st.floats(-1, 1),
    better=st.none() | st.just("imported"),
    better_alike=numbers,
)


@given(st.lists(made, max_size=3).map(tuple), numbers)
def test_rows_come_back_from_disk_as_they_were(tmp_path_factory, proposals, lower):
    one = Tried(
        kind="planted", without="holds", with_it="holds", claims="complier", shape="interval", estimate=0.1,
        lower=lower, upper=None, effect=0.2, broken=False, mismatch=True,
    )  # fmt: skip
    row = ValidationRow(
        world="w", accounts=9, seed=3, version="v", seconds=1.5, group="planted", proposals=proposals, tried=(one,)
    )
    store = Store(tmp_path_factory.mktemp("rows") / "rows.jsonl", ValidationRow)
    store.add(row)
    store.add(failure(("easy", 10, 1), "v", "RuntimeError: no"))
    assert store.rows("v")[0] == row
    assert store.rows("v")[1].failed == "RuntimeError: no"
    assert json.dumps(row.as_dict())


def test_a_row_that_an_earlier_version_wrote_is_read_without_what_it_had_more():
    kept = row_of(judged()).as_dict()
    older = {**kept, "plant": "single", "proposals": [{**one, "blamed": []} for one in kept["proposals"]]}
    assert ValidationRow.from_dict(older) == row_of(judged())


def row_of(*proposals):
    return ValidationRow(world="w", accounts=9, seed=3, version="v", seconds=1.5, proposals=proposals)
