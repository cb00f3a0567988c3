"""The rows people read say what the evidence says, and nothing of what was not compared."""

import json

import numpy as np
import pytest

from discovery.errors import Caution
from discovery.ranking import candidate_table, describe_families, grade
from discovery.results import as_json_values
from discovery.spec import StudySpec

from .worlds import closer, evidence, held_out, summary

NAN = float("nan")


def rows(scores, **given):
    found = evidence(scores, **given)
    told = describe_families(found, grade(found, StudySpec()), {}, {"a": 2}, summary())
    return {row.family: row for row in told}


def test_the_printed_difference_is_the_one_that_chose_nothing():
    row = rows({"a": 9.0}, held_out={0: held_out(0.11, 0.04)})["a"]
    assert (row.adjusted.estimate, row.adjusted.ci_lower, row.adjusted.ci_upper) == pytest.approx((0.11, 0.07, 0.15))
    assert (row.adjusted.estimand, row.adjusted.n_accounts) == ("overlap-weighted", 1000)
    assert row.naive_difference.estimand == "unadjusted"


def test_without_a_held_out_difference_that_over_all_accounts_is_given():
    assert rows({"a": 5.0}, held_out={0: held_out(NAN)})["a"].adjusted.estimate == pytest.approx(0.1)


def test_what_a_closer_look_shows_is_told():
    row = rows({"a": 9.0}, closer={0: closer(threshold=2.0, left=0.03, trait="channel", overlap=0.6)})["a"]
    assert (row.threshold_score, row.strongest_trait, row.left_over, row.overlap) == (2.0, "channel", 0.03, 0.6)
    assert (row.latest.estimate, row.latest.n_accounts) == (0.08, 250)
    assert row.e_value > 1
    assert (row.stability, row.second_opinion_rank, row.composition_score) == (1.0, 2, 9.0)


def test_what_got_no_closer_look_says_nothing_of_it():
    row = rows({"a": 1.0})["a"]
    assert (row.threshold_score, row.latest, row.overlap, row.e_value, row.strongest_trait) == (None,) * 5


def test_what_was_not_compared_has_no_numbers_of_a_comparison():
    row = rows({"a": 9.0}, apart={"a": ("passive", "It happens to them.")}, reached=[40])["a"]
    told = (row.rank, row.p_adjusted, row.q_value, row.stability, row.composition, row.second_opinion_rank, row.cluster)
    assert told == (None,) * 7
    assert row.warnings == ()
    assert row.lift is not None


@pytest.mark.parametrize(
    ("given", "caution"),
    [
        ({"reached": [40]}, Caution.RARE_FLAG),
        ({"closer": {0: closer(overlap=0.1)}}, Caution.POOR_OVERLAP),
        ({"closer": {0: closer(threshold=0.0, kept=0.5)}}, Caution.HIDDEN_TRAIT),
        ({"closer": {0: closer(latest=(-0.01, -0.1, 0.08, 200))}}, Caution.FADES),
        ({"has_traits": False}, Caution.NO_TRAITS),
    ],
)
def test_each_caution_is_given_where_it_holds_and_only_there(given, caution):
    assert rows({"a": 9.0}, **given)["a"].warnings == (caution,)
    assert rows({"a": 9.0})["a"].warnings == ()


def test_cautions_of_what_stands_out_are_not_given_of_anything_else():
    given = {"closer": {0: closer(threshold=0.0, kept=0.5, latest=(-0.1, -0.2, 0.0, 200))}, "has_traits": False}
    assert rows({"a": 1.0}, **given)["a"].warnings == ()


def test_only_families_that_share_a_cluster_have_a_number():
    told = rows({"a": 9.0, "b": 8.0, "c": 1.0}, cluster=np.array([0, 0, 2]))
    assert (told["a"].cluster, told["b"].cluster, told["c"].cluster) == (0, 0, None)


def test_a_conjunction_names_both_its_conditions():
    row = rows({"a": 1.0, "a + b 3": 9.0})["a + b"]
    assert row.milestone == "a within 14d and b >= 3 within 14d"
    assert [(c["event"], c["at_least"]) for c in row.conditions] == [("a", 1), ("b", 3)]


def test_a_number_that_is_not_known_is_none_and_never_nan():
    unknown = np.array([NAN])
    told = rows({"a": NAN}, p_adjusted=unknown, horizon_score=unknown, composition_score=unknown)["a"]
    assert (told.score, told.p_adjusted, told.horizon_score, told.composition_score) == (None,) * 4
    assert "NaN" not in json.dumps(as_json_values(told))


def test_every_rule_has_a_row_in_the_table_of_candidates():
    found = evidence({"a": 1.0, "a 3": 2.0, "a + b": 9.0}, eligible=np.array([True, False, True]))
    table = candidate_table(found, grade(found, StudySpec())).to_frame()
    assert table["milestone"].tolist() == [str(each) for each in found.candidates.milestones]
    assert table["at_least"].tolist()[:2] == [1, 3]
    assert np.isnan(table["at_least"].tolist()[2])
    assert table["eligible"].tolist() == [True, False, True]
    assert np.isnan(table["q_value"][1])
    assert table["n_reached"].tolist() == found.candidates.reached.tolist()
