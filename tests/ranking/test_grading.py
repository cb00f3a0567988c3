"""What represents a family, how families are ordered, and what is said of those that were not compared."""

import numpy as np
import pytest

from discovery.milestone import Condition, Milestone
from discovery.ranking import grade
from discovery.spec import StudySpec, build_spec

from .worlds import BOUND, closer, evidence, held_out

ZERO = StudySpec()


def by_name(grading):
    return {family.name: family for family in grading.families}


def test_families_are_ranked_by_the_best_score_of_their_rules():
    graded = grade(evidence({"a": 1.0, "a 3": 2.9, "b": 2.0, "b 3": 1.5, "c": -1.0}), ZERO)
    assert [(f.name, f.rank) for f in graded.families] == [("a", 1), ("b", 2), ("c", 3)]
    assert by_name(graded)["a"].best == 1
    assert by_name(graded)["b"].best == 2


def test_equal_scores_take_the_simplest_rule():
    assert grade(evidence({"a": 2.0, "a 3": 2.0}), ZERO).families[0].best == 0


def test_findings_come_before_leads_and_leads_before_all_others_whatever_their_scores():
    graded = grade(
        evidence({"a": 5.0, "b": 9.0, "c": 12.0}, wins=np.array([1.0, 0.1, 1.0]), kinds={"c": "vanity"}), ZERO
    )
    assert [(f.name, f.status) for f in graded.families] == [("a", "found"), ("b", "lead"), ("c", "unsupported")]
    assert [f.name for f in graded.standing_out] == ["a", "b"]


@pytest.mark.parametrize(
    ("score", "status"),
    [(BOUND + 0.01, "found"), (BOUND, "unsupported"), (-BOUND, "unsupported"), (-BOUND - 0.01, "harm")],
)
def test_only_what_lies_beyond_its_bound_stands_out(score, status):
    assert grade(evidence({"a": score, "b": 0.0}), ZERO).families[0 if score > 0 else 1].status == status


def test_each_rule_is_held_against_its_own_bound():
    """A conjunction of many that were searched needs more than a single rule."""
    graded = by_name(grade(evidence({"a": 4.0, "a + b": 4.0}, bound=np.array([3.0, 5.0])), ZERO))
    assert (graded["a"].status, graded["a + b"].status) == ("found", "unsupported")


def test_a_harm_is_shown_by_its_most_harmful_rule_and_never_stands_out():
    graded = grade(evidence({"a": -2.0, "a 3": -9.0, "b": 1.0}), ZERO)
    family = by_name(graded)["a"]
    assert (family.status, family.best, family.rank) == ("harm", 1, 2)
    assert graded.standing_out == ()
    assert [harm.name for harm in graded.having("harm")] == ["a"]


def test_a_family_that_stands_out_both_ways_is_shown_by_its_positive_rule():
    assert grade(evidence({"a": 6.0, "a 3": -9.0}), ZERO).families[0].status == "found"


def test_what_is_not_eligible_never_represents_its_family():
    """At signup `once` says who came; its repeats may still be compared."""
    graded = grade(evidence({"a": 9.0, "a 3": 1.0}, eligible=np.array([False, True])), ZERO)
    assert (graded.families[0].best, graded.families[0].status) == (1, "unsupported")
    assert np.isnan(graded.q_value[0])


@pytest.mark.parametrize("status", ["outcome_adjacent", "passive", "volume_axis", "at_signup"])
def test_what_is_set_apart_has_its_status_and_reason_and_no_rank(status):
    graded = grade(evidence({"a": 9.0, "b": 1.0}, apart={"a": (status, "for a reason")}), ZERO)
    family = by_name(graded)["a"]
    assert (family.status, family.rank, family.reason) == (status, None, "for a reason")
    assert graded.families[-1] is family
    assert by_name(graded)["b"].rank == 1


def test_what_is_set_apart_is_shown_by_the_rule_that_separates_most_and_what_is_rare_by_its_most_common():
    none = np.zeros(2, dtype=bool)
    rare = {"reached": [9, 4], "eligible": none}
    phi = np.abs(evidence({"a": 0.0, "a 3": 0.0}, **rare).separation.phi)
    apart = evidence({"a": 0.0, "a 3": 0.0}, apart={"a": ("passive", "so")}, **rare)
    assert grade(apart, ZERO).families[0].best == int(np.argmax(phi))
    few = grade(evidence({"a": 0.0, "a 3": 0.0}, **rare), ZERO).families[0]
    assert (few.best, few.rank, few.status) == (0, None, "unsupported")
    assert "Too few" in few.reason


def test_a_model_that_failed_keeps_its_rules_out_and_says_so():
    failed = evidence({"a": np.nan}, status="not_converged", eligible=np.zeros(1, dtype=bool))
    assert "did not converge" in grade(failed, ZERO).families[0].reason


def test_no_candidates_at_all_is_an_empty_grading():
    assert grade(evidence({}), ZERO).families == ()


def test_breadth_and_window_do_not_split_a_family():
    rules = [Milestone((c,)) for c in (Condition("a", 1, 24), Condition("a", 1, 336, 2), Condition("b", 1, 24))]
    graded = grade(evidence({"x": 1.0, "y": 2.5, "z": 2.0}, rules=rules), ZERO)
    assert [(f.name, f.best) for f in graded.families] == [("a", 1), ("b", 2)]


def test_the_equivalence_set_has_the_rules_of_the_family_that_often_come_first_the_likeliest_first():
    scores = {"a": 5.0, "a 2": 4.0, "a 3": 6.0, "a 5": 1.0, "b": 0.0}
    shares = np.array([0.2, 0.35, 0.4, 0.05, 1.0])
    family = grade(evidence(scores, rule_wins=shares), ZERO).families[0]
    assert (family.best, family.equivalent) == (2, (1, 0))


def test_only_what_stands_out_has_an_equivalence_set():
    family = grade(evidence({"a": 2.0, "a 3": 1.0}, rule_wins=np.array([0.5, 0.5])), ZERO).families[0]
    assert family.equivalent == ()


def test_what_stands_out_and_is_dismissed_keeps_its_rank_and_its_reason():
    small = {0: held_out(0.01, 0.005)}
    graded = grade(evidence({"a": 9.0, "b": 1.0}, held_out=small), ZERO)
    assert [(f.name, f.rank) for f in graded.dismissed] == [("a", 1)]
    assert graded.standing_out == ()


def test_the_first_thing_a_lead_falls_short_of_is_its_reason():
    near = evidence({"a": 9.0}, wins=np.array([0.3]), closer={0: closer(left=-0.01)})
    lead = grade(near, build_spec({})).families[0]
    assert lead.status == "lead"
    assert len(lead.short_of) == 2
    assert lead.reason == lead.short_of[0]
