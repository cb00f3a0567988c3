"""Who may be ranked, what represents a family, and how hard the search is corrected for."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import norm

from discovery.estimate import separate
from discovery.milestone import Condition
from discovery.ranking import grade
from discovery.spec import StudySpec, build_spec

from .worlds import evidence

ZERO = StudySpec()


def by_event(grading):
    return {family.event: family for family in grading.families}


def test_families_are_ranked_by_the_best_score_of_their_rules():
    graded = grade(evidence({"a": 1.0, "a 3": 3.0, "b": 2.0, "b 3": 1.5, "c": -1.0}), ZERO)
    assert [(f.event, f.rank) for f in graded.families] == [("a", 1), ("b", 2), ("c", 3)]
    assert by_event(graded)["a"].best == 1
    assert by_event(graded)["b"].best == 2


def test_equal_scores_take_the_simplest_rule():
    assert grade(evidence({"a": 2.0, "a 3": 2.0}), ZERO).families[0].best == 0


def test_a_lead_lies_beyond_the_bound_over_every_rule_that_was_searched():
    many = {f"e{i}": 0.0 for i in range(99)}
    bound = norm.isf(0.05 / 200)
    for score, status in ((bound - 0.01, "unsupported"), (bound + 0.01, "lead"), (-bound + 0.01, "unsupported")):
        graded = grade(evidence({**many, "top": score}), ZERO)
        assert graded.critical == pytest.approx(bound)
        assert by_event(graded)["top"].status == status
    top = grade(evidence({**many, "top": 4.0}), ZERO)
    assert top.p_adjusted[-1] == pytest.approx(100 * 2 * norm.sf(4.0))


def test_what_is_too_small_to_matter_is_no_lead_and_says_so():
    found = evidence({"a": 9.0})
    spec = build_spec({"inference": {"minimum_effect": float(found.adjusted.difference_upper[0]) + 0.001}})
    family = grade(found, spec).families[0]
    assert (family.status, family.rank) == ("unsupported", 1)
    assert "too little to matter" in family.reason


def test_a_harm_is_shown_by_its_most_harmful_rule_and_never_leads():
    graded = grade(evidence({"a": -2.0, "a 3": -9.0, "b": 1.0}), ZERO)
    family = by_event(graded)["a"]
    assert (family.status, family.best, family.rank) == ("harm", 1, 2)
    assert graded.leads == ()
    assert [harm.event for harm in graded.harms] == ["a"]


def test_a_family_that_stands_out_both_ways_is_shown_by_its_positive_rule():
    assert grade(evidence({"a": 6.0, "a 3": -9.0}), ZERO).families[0].status == "lead"


@pytest.mark.parametrize("kind", ["vanity", "risk"])
def test_what_the_user_calls_vanity_or_risk_never_leads(kind):
    graded = grade(evidence({"a": 9.0, "b": 1.0}), build_spec({"kinds": {kind: ["a"]}}))
    assert (graded.families[0].event, graded.families[0].status) == ("a", "unsupported")
    assert kind in graded.families[0].reason
    assert graded.leads == ()


def test_a_side_with_few_known_outcomes_is_not_compared():
    found = evidence({"a": 9.0}, reached=[60], n=1000)
    mature = np.zeros(1000, dtype=bool)
    mature[:100] = True
    few = dataclasses.replace(
        found,
        separation=separate(np.packbits(np.arange(1000)[None] % 17 == 0, axis=1), np.arange(1000) % 2 == 0, mature),
    )
    assert grade(found, ZERO).eligible.all()
    assert not grade(few, ZERO).eligible.any()


def test_rules_that_may_not_win_are_not_counted_in_the_search():
    scores = {"a": 1.0, "invoice_paid": 9.0, "merged": 9.0, "joined": 9.0, "joined 3": 1.0}
    spec = build_spec({"outcome": {"passive": ["merged"]}})
    graded = grade(evidence(scores, at_signup=["joined"]), spec)
    assert graded.searched == 2
    assert by_event(graded)["joined"].best == 4
    for event, status in (("invoice_paid", "outcome_adjacent"), ("merged", "passive")):
        assert (by_event(graded)[event].status, by_event(graded)[event].rank) == (status, None)
    assert np.isnan(graded.p_adjusted[1])


def test_an_event_at_signup_without_repeats_is_said_to_be_that():
    family = by_event(grade(evidence({"joined": 9.0, "a": 1.0}, at_signup=["joined"]), ZERO))["joined"]
    assert (family.status, family.rank) == ("at_signup", None)


@pytest.mark.parametrize(
    ("reached", "n", "base_rate", "eligible"),
    [
        (50, 1000, 0.5, True),  # 5 % of all
        (49, 1000, 0.5, False),  # below 5 %, and below 50 accounts
        (50, 4000, 0.5, True),  # rare, but 50 accounts and enough of each outcome
        (50, 4000, 0.05, False),  # rare, with too few expected to stay among them
        (951, 1000, 0.5, False),  # nearly everyone, and fewer than 50 did not
        (3950, 4000, 0.5, True),
    ],
)
def test_reach_and_support_decide_what_is_compared(reached, n, base_rate, eligible):
    graded = grade(evidence({"a": 1.0}, reached=[reached], n=n, base_rate=base_rate), ZERO)
    assert graded.eligible.tolist() == [eligible]
    assert (graded.families[0].rank is not None) == eligible


def test_a_model_that_failed_keeps_its_rules_out_and_says_so():
    graded = grade(evidence({"a": 9.0}, status="not_converged"), ZERO)
    assert not graded.eligible.any()
    assert "did not converge" in graded.families[0].reason


def test_no_candidates_at_all_is_an_empty_grading():
    graded = grade(evidence({}, conditions=[]), ZERO)
    assert graded.families == ()
    assert graded.searched == 0


def test_the_users_word_overrides_the_lexicon_both_ways():
    spec = build_spec({"kinds": {"value": ["invoice_paid"], "outcome_adjacent": ["a"]}})
    graded = by_event(grade(evidence({"a": 9.0, "invoice_paid": 5.0}), spec))
    assert graded["a"].status == "outcome_adjacent"
    assert graded["invoice_paid"].status == "lead"
    assert graded["invoice_paid"].kind == "value"


def test_breadth_and_window_do_not_split_a_family():
    rules = [Condition("a", 1, 24), Condition("a", 1, 336, 2), Condition("b", 1, 24)]
    graded = grade(evidence({"x": 1.0, "y": 5.0, "z": 2.0}, conditions=rules), ZERO)
    assert [(f.event, f.best) for f in graded.families] == [("a", 1), ("b", 2)]
