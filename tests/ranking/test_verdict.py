"""One word and one sentence, never more confident than the numbers."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import norm

from discovery.estimate import minimum_detectable
from discovery.ranking import decide, describe_families, grade, insufficient, of_all, shortfall
from discovery.results import Persona
from discovery.spec import StudySpec, build_spec

from .worlds import BOUND, closer, evidence, held_out, population, summary

ZERO = StudySpec()
INSIDE = {"a": ("passive", "It happens to them.")}


def verdict(scores, people=None, kind="retained", spec=ZERO, persona=None, **how):
    found = evidence(scores, outcome=kind, **how)
    return decide(found, grade(found, spec), people or population(), summary(kind), spec, persona)


def test_a_finding_names_its_rule_and_the_difference_on_accounts_that_chose_nothing():
    said = verdict({"a 3": 9.0, "b": 0.0}, held_out={0: held_out(0.12, 0.05), 1: held_out(0.0, 0.05)})
    assert (said.status, said.milestone) == ("found", "a >= 3 within 14d")
    assert said.sentence == (
        "“a >= 3 within 14d” separates accounts that stay from accounts that leave by 12 points [7, 17] "
        "among comparably active accounts."
    )
    words = " ".join(said.reasons)
    assert "Its adjusted score is 9.0; among the 2 rules searched, chance alone stays below 3.0." in words
    assert "12 points [7, 17] remain at equal activity" in words
    assert "comes first in 100 % of random halves" in words
    assert "as strong as “plan” would leave 5 points" in words
    assert "an experiment is what would prove it" in words


def test_a_lead_is_no_finding_and_says_what_it_falls_short_of():
    said = verdict({"a 3": 9.0, "b": 0.0}, wins=np.array([0.4, 0.6]), closer={0: closer(left=-0.02)})
    assert (said.status, said.milestone) == ("lead", "a >= 3 within 14d")
    assert said.sentence.startswith("A lead, not a finding: “a >= 3 within 14d” separates")
    assert said.sentence.endswith("but it does not pass every check.")
    assert "40 % of random halves" in said.reasons[1]
    assert "would explain it away" in said.reasons[2]


def test_a_finding_outweighs_a_lead_with_a_higher_score():
    said = verdict({"a": 5.0, "b": 9.0}, wins=np.array([1.0, 0.1]))
    assert (said.status, said.milestone) == ("found", "a within 14d")
    assert any("1 other family is beyond the bound" in reason for reason in said.reasons)


def test_a_persona_is_named_in_the_sentence():
    found = verdict({"a": 9.0}, persona="plan=team")
    assert found.sentence.startswith("Among accounts with plan = team, “a within 14d” separates")
    assert found.persona == "plan=team"
    lead = verdict({"a": 9.0}, persona="plan=team", has_traits=False)
    assert lead.sentence.startswith("A lead, not a finding: among accounts with plan = team, “a within 14d”")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("retained", "stay from accounts that leave"),
        ("active", "are active later from accounts that are not"),
        ("converted", "convert from accounts that do not"),
    ],
)
def test_the_sentence_says_what_the_outcome_was(kind, words):
    assert words in verdict({"a": 9.0}, kind=kind).sentence


def test_none_names_no_rule_and_says_what_could_have_been_seen():
    said = verdict({"a": 1.0, "b": 0.0})
    assert (said.status, said.milestone) == ("none", None)
    assert said.sentence.startswith("These data do not support a first value moment")
    assert said.reasons[0].startswith("None of 2 rules stands out")
    assert 0 < said.minimum_detectable < 0.25
    assert said.accounts_needed > 1000
    assert any("probably have been missed" in reason for reason in said.reasons)


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_what_could_have_been_seen_is_held_against_the_bound_of_the_search(alpha):
    """As many independent tests as have that bound, whatever error rate was asked for."""
    spec = build_spec({"inference": {"alpha": alpha}})
    one_test = minimum_detectable(1000, 0.5, 0.5, 2 * norm.sf(BOUND), 1)
    assert verdict({"a": 1.0, "b": 0.0}, spec=spec).minimum_detectable == pytest.approx(one_test, rel=0.02)


def test_a_bound_that_was_never_reached_is_held_against_all_that_was_searched():
    said = verdict({"a": 1.0, "b": 0.0}, bound=np.full(2, np.inf), searched=40)
    assert said.minimum_detectable == pytest.approx(minimum_detectable(1000, 0.5, 0.5, 0.05, 40))


def test_none_does_not_say_that_nothing_stands_out_where_something_small_does():
    said = verdict({"a": 9.0}, held_out={0: held_out(0.01, 0.01)})
    assert said.status == "none"
    assert "too little to matter" in said.reasons[0]
    assert "None of" not in " ".join(said.reasons)


def test_none_names_habits_and_what_goes_with_leaving():
    said = verdict({"a": -9.0, "b 3": 9.0}, composition_score=np.array([0.0, 1.0]))
    assert said.status == "none"
    assert "Separating no more than any activity would: “b >= 3 within 14d”." in said.reasons
    assert "Going with leaving, beyond the bound: “a”." in said.reasons


def test_many_young_accounts_are_said_to_play_no_part_or_a_shorter_one():
    young, few = population(mature=700, landmark=1000), population(mature=900, landmark=1000)
    for scores in ({"a": 9.0}, {"a": 0.0}):
        assert any("count for as long as they were seen" in r for r in verdict(scores, young).reasons)
        assert any("play no part" in r for r in verdict(scores, young, model="logistic").reasons)
        assert not any("too young" in r for r in verdict(scores, few).reasons)


def test_what_could_not_even_have_shown_a_large_difference_is_insufficient():
    said = verdict({"a": 0.0}, population(mature=150, retained=75), n=150)
    assert said.status == "insufficient"
    assert said.milestone is None
    assert said.minimum_detectable > 0.25
    assert "in 150 accounts" in said.sentence


def test_what_stands_out_in_few_accounts_is_a_finding_all_the_same():
    assert verdict({"a": 9.0}, population(mature=150, retained=75), n=150).status == "found"


def test_nothing_to_compare_is_insufficient():
    assert verdict({}).status == "insufficient"
    assert verdict({"a": 9.0}, apart=INSIDE).status == "insufficient"


def test_the_nearest_rule_is_one_that_might_have_been_compared():
    scores = {"a": 1.0, "b": 1.0, "c": 9.0}
    apart = {"c": ("passive", "It happens to them.")}
    said = verdict(scores, reached=[12, 20, 500], apart=apart, eligible=np.zeros(3, dtype=bool), persona="plan=team")
    assert (said.status, said.persona) == ("insufficient", "plan=team")
    assert "“b within 14d”, was met by 20 of 1,000" in said.sentence


def persona(name, score, p, **how):
    found = evidence({"a": score}, **how)
    grading = grade(found, ZERO)
    return Persona(
        persona=name,
        accounts=1000,
        verdict=decide(found, grading, population(), summary(), ZERO, name),
        ranking=describe_families(found, grading, {}, {}, summary()),
        heterogeneity_p=p,
    )


def test_a_finding_of_one_persona_only_is_the_findings_of_the_study_where_the_values_differ():
    overall = verdict({"a": 1.0})
    both = of_all(overall, [persona("plan=free", 1.0, 0.001), persona("plan=team", 9.0, 0.001)])
    assert (both.status, both.persona) == ("found", "plan=team")
    assert both.reasons[-1] == "Over all accounts together no rule is found: it holds for this segment."


def test_of_several_personas_the_highest_score_speaks():
    several = [persona("plan=a", 8.0, 0.001), persona("plan=b", 9.0, 0.001), persona("plan=c", 7.0, 0.001)]
    assert of_all(verdict({"a": 1.0}), several).persona == "plan=b"


def test_a_finding_over_all_accounts_is_never_overruled():
    overall = verdict({"a": 5.0})
    assert of_all(overall, [persona("plan=team", 9.0, 0.001)]) is overall


@pytest.mark.parametrize("p", [0.05, 0.9, None])
def test_a_persona_that_does_not_differ_from_the_others_does_not_speak_for_the_study(p):
    overall = verdict({"a": 9.0}, has_traits=False)
    assert of_all(overall, [persona("plan=team", 9.0, p)]) is overall


def test_a_lead_of_a_persona_does_not_speak_for_the_study():
    overall = verdict({"a": 1.0})
    assert of_all(overall, [persona("plan=team", 9.0, 0.001, wins=np.array([0.1]))]) is overall
    assert of_all(overall, []) is overall


def test_none_of_the_words_says_more_than_an_association():
    for said in (verdict({"a": 9.0}), verdict({"a": 9.0}, has_traits=False), verdict({"a": -9.0}), verdict({})):
        text = " ".join(map(str, dataclasses.astuple(said)))
        assert not {"causes", "drives", "because"} & set(text.split())


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


def test_data_that_cannot_answer_say_why_once_and_what_to_do():
    said = insufficient("only 53 accounts have a known outcome")
    assert said.sentence.endswith(": only 53 accounts have a known outcome.")
    assert said.reasons == ("Come back with more accounts or a longer follow-up.",)
