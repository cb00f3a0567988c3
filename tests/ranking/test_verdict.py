"""One word and one sentence, never more confident than the numbers."""

import pytest

from discovery.ranking import decide, grade, shortfall
from discovery.spec import StudySpec, build_spec

from .worlds import evidence, population, summary

ZERO = StudySpec()


def verdict(scores, people=None, kind="retained", **how):
    found = evidence(scores, **how)
    return decide(found, grade(found, ZERO), people or population(), summary(kind), ZERO)


def test_a_lead_names_its_rule_and_is_no_finding():
    said = verdict({"a 3": 9.0, "b": 0.0})
    assert said.status == "lead"
    assert said.milestone == "a >= 3 within 14d"
    assert "not yet a finding" in said.sentence


def test_none_names_no_rule_and_says_what_could_have_been_seen():
    said = verdict({"a": 1.0, "b": 0.0})
    assert (said.status, said.milestone) == ("none", None)
    assert 0 < said.minimum_detectable < 0.25
    assert said.accounts_needed > 1000
    assert any("probably have been missed" in reason for reason in said.reasons)


def test_none_does_not_say_that_nothing_stands_out_where_something_small_does():
    found, spec = evidence({"a": 9.0}), build_spec({"inference": {"minimum_effect": 0.9}})
    said = decide(found, grade(found, spec), population(), summary(), spec)
    assert said.status == "none"
    assert "too little to matter" in said.reasons[0]
    assert "None of" not in " ".join(said.reasons)


def test_none_names_what_goes_with_leaving():
    said = verdict({"a": -9.0, "b": 0.0})
    assert said.status == "none"
    assert any("leaving" in reason and "“a”" in reason for reason in said.reasons)


def test_many_young_accounts_are_said_to_play_no_part():
    assert any("too young" in reason for reason in verdict({"a": 9.0}, population(mature=700, landmark=1000)).reasons)
    assert not any("too young" in r for r in verdict({"a": 9.0}, population(mature=900, landmark=1000)).reasons)


def test_what_could_not_even_have_shown_a_large_difference_is_insufficient():
    said = verdict({f"e{i}": 0.0 for i in range(60)}, population(mature=150, retained=75))
    assert said.status == "insufficient"
    assert said.minimum_detectable > 0.25


def test_nothing_to_compare_is_insufficient():
    assert verdict({}, conditions=[]).status == "insufficient"


def test_the_nearest_rule_is_one_that_might_have_been_compared():
    said = verdict({"a": 1.0, "b": 1.0, "invoice_paid": 9.0}, reached=[12, 20, 500])
    assert said.status == "insufficient"
    assert "“b within 14d”, was met by 20 of 1,000" in said.sentence


def test_activity_outcomes_carry_their_caveat_in_the_reasons():
    assert any("activity" in reason for reason in verdict({"a": 9.0}, kind="active").reasons)
    assert "active later" in verdict({"a": 9.0}, kind="active").sentence


@pytest.mark.parametrize(
    ("people", "word"),
    [
        (population(mature=0, retained=0, landmark=0, before_log=40), "before the log"),
        (population(mature=0, retained=0, landmark=500), "long enough"),
        (population(mature=99, retained=50), "99 accounts"),
        (population(mature=1, retained=0), "1 account has"),
        (population(mature=1000, retained=1000), "none of 1,000"),
        (population(mature=1000, retained=19), "only 19 of 1,000"),
        (population(mature=1000, retained=981), "only 19 of 1,000"),
    ],
)
def test_too_little_is_said_with_its_numbers(people, word):
    assert word in shortfall(people, summary())


def test_enough_is_enough():
    assert shortfall(population(mature=100, retained=20), summary()) is None
