"""Past tests say what they can and no more: the effect among those moved, the whole variant, or nothing."""

from __future__ import annotations

import numpy as np
import pytest

from discovery.experiment import Assigned, experimental_evidence, read_experiments
from discovery.milestone import Milestone
from discovery.results import as_json_values
from discovery.spec import AssignmentSpec, Day

from .worlds import DECOY, REAL, but, participants, points

TEST = AssignmentSpec(column="test")


def only(accounts, *tests: AssignmentSpec, alpha: float = 0.05):
    (found,) = read_experiments(tests or (TEST,), accounts, alpha)
    assert found.sentence.endswith(".")
    assert "nan" not in found.sentence.lower()
    return found


def test_a_behaviour_that_acts_is_supported():
    found = only(participants(REAL))
    assert (found.claims, found.shape, found.control, found.variant) == ("complier", "interval", "control", "template")
    assert (found.first_signup, found.last_signup) == ("1970-04-11", "1970-10-27")
    assert found.first_stage.estimate == pytest.approx(0.27, abs=0.04)
    assert found.first_stage_f > 100
    assert found.complier.estimate == pytest.approx(
        found.intention_to_treat.estimate / found.first_stage.estimate, rel=1e-9
    )
    assert found.complier.ci_lower < 0.15 < found.complier.ci_upper
    assert "in no other way" in found.sentence
    assert "none of 21 other behaviours" in found.sentence


def test_a_decoy_is_not():
    """The decoy separates by far more than 10 points in the log; the test that pushed it shows nothing."""
    accounts = participants(DECOY, seed=1, n=16_000)
    naive = accounts.retained[accounts.met].mean() - accounts.retained[~accounts.met].mean()
    assert naive > 0.12
    found = only(accounts)
    assert found.claims == "complier"
    assert found.complier.ci_lower < 0 < found.complier.ci_upper
    criterion, says = experimental_evidence([found], points(naive), 0.03)
    assert says == "contradicts"
    assert criterion.status in ("warn", "fail")


def test_the_wrong_milestone_loses_and_the_right_one_holds_over_many_worlds():
    """Of 40 worlds each: what a test of this size cannot confirm does not hold, the truth in one case of four too."""
    right, wrong = [], []
    for seed in range(40):
        for milestone, said in ((REAL, right), (DECOY, wrong)):
            found = only(participants(milestone, seed=100 + seed))
            said.append(experimental_evidence([found], points(0.15), 0.03)[1])
    assert wrong.count("supports") <= 3
    assert wrong.count("contradicts") >= 35
    assert right.count("supports") >= 28


def test_a_side_effect_leaves_the_whole_variant():
    found = only(participants(REAL, side=0.2))
    assert found.claims == "intention to treat"
    assert [(m.milestone, m.material) for m in found.moved] == [("invited", True)]
    assert found.moved[0].difference.ci_lower > 0.02
    assert "“invited”" in found.sentence
    assert "judged as a whole" in found.sentence


def test_a_small_side_effect_is_shown_and_not_material():
    found = only(participants(REAL, side=0.045, n=40_000, push=0.3))
    assert found.claims == "complier"
    assert [m.material for m in found.moved] == [False]
    assert "“invited”" in found.sentence


def test_side_effects_that_could_not_be_seen_leave_the_whole_variant():
    found = only(participants(REAL, n=900, push=0.14, families=40, seed=3))
    assert found.claims == "intention to treat"
    assert found.first_stage.ci_lower > 0
    assert "could have gone unnoticed" in found.sentence


def test_without_other_behaviours_nothing_was_checked():
    found = only(but(participants(REAL), others=()))
    assert found.claims == "intention to treat"
    assert "no other behaviour" in found.sentence


def test_rules_of_its_own_events_are_no_side_effect():
    accounts = participants(REAL)
    pair = Milestone.parse("report_shared and event_1")
    found = only(but(accounts, others=(*accounts.others, (pair, accounts.met))))
    assert found.claims == "complier"


def test_a_variant_that_moves_nothing_says_nothing_of_the_milestone():
    found = only(participants(REAL, push=0.0, seed=2))
    assert found.claims == "intention to treat"
    assert (found.complier, found.shape) == (None, None)
    assert "did not clearly move" in found.sentence


def test_a_broken_split_claims_nothing():
    accounts = participants(REAL)
    lost = accounts.assignments["test"].copy()
    lost[(lost == "template") & ~accounts.met & (np.arange(len(lost)) % 2 == 0)] = None
    found = only(but(accounts, assignments={"test": lost}))
    assert (found.claims, found.complier, found.intention_to_treat) == ("nothing", None, None)
    assert found.sample_ratio_p < 0.001
    assert "claims nothing" in found.sentence


def test_a_planned_uneven_split_is_not_broken():
    accounts = participants(REAL, variant_share=0.2)
    assert only(accounts).claims == "nothing"
    planned = AssignmentSpec(column="test", shares={"control": 0.8, "template": 0.2})
    found = only(accounts, planned)
    assert found.claims == "complier"
    assert found.expected_share == pytest.approx(0.2)


def test_arms_that_lost_accounts_unevenly_claim_nothing():
    early = Assigned(
        signup=np.full(300, 150) * Day,
        assignments={"test": np.array(["control"] * 190 + ["template"] * 110, dtype=object)},
    )
    found = only(but(participants(REAL), early=early))
    assert found.claims == "nothing"
    assert "before the landmark" in found.sentence
    even = Assigned(signup=early.signup, assignments={"test": np.array(["control", "template"] * 150, dtype=object)})
    assert only(but(participants(REAL), early=even)).claims == "complier"


@pytest.mark.parametrize(("lost", "claims"), [((180, 130), "complier"), ((190, 110), "nothing")])
def test_only_what_one_sound_test_in_a_thousand_shows_is_uneven(lost, claims):
    """180 against 130 of about 2,100 each has p = .005 (nothing), 190 against 110 has p < .0001."""
    left = np.array(["control"] * lost[0] + ["template"] * lost[1], dtype=object)
    early = Assigned(signup=np.full(len(left), 150) * Day, assignments={"test": left})
    assert only(but(participants(REAL), early=early)).claims == claims


def test_the_split_is_checked_over_all_that_were_assigned():
    """Accounts that left early restore the planned split; the arms at the landmark alone need not show it."""
    accounts = participants(REAL)
    values = accounts.assignments["test"].copy()
    gone = (values == "template") & (np.arange(len(values)) % 6 == 0)
    early = Assigned(
        signup=accounts.signup[gone], assignments={"test": np.full(int(gone.sum()), "template", dtype=object)}
    )
    values[gone] = None
    assert "where" in only(but(accounts, assignments={"test": values})).sentence
    assert "before the landmark" in only(but(accounts, assignments={"test": values}, early=early)).sentence


@pytest.mark.parametrize("n", [60, 150])
def test_few_accounts_claim_nothing(n):
    found = only(participants(REAL, n=n))
    assert found.claims == "nothing"
    assert "too few" in found.sentence


@pytest.mark.parametrize("constant", [False, True])
def test_an_outcome_that_does_not_vary(constant):
    accounts = participants(REAL)
    found = only(but(accounts, retained=np.full(len(accounts.met), constant)))
    assert found.claims == "nothing"


@pytest.mark.parametrize("constant", [False, True])
def test_a_milestone_that_all_or_none_reach(constant):
    accounts = participants(REAL)
    found = only(but(accounts, met=np.full(len(accounts.met), constant)))
    assert (found.claims, found.complier, found.shape) == ("intention to treat", None, None)


def test_everybody_pushed_and_nobody_else():
    accounts = participants(REAL)
    found = only(but(accounts, met=accounts.assignments["test"] == "template"))
    assert found.first_stage.estimate == pytest.approx(1)
    assert found.complier.estimate == pytest.approx(found.intention_to_treat.estimate)
    as_json_values(found)


def test_nobody_yet():
    accounts = participants(REAL)
    nobody = {"test": np.full(len(accounts.met), None, dtype=object)}
    found = only(but(accounts, assignments=nobody))
    assert (found.claims, found.accounts, found.sample_ratio_p) == ("nothing", (0, 0), None)
    assert read_experiments((), accounts) == ()


@pytest.mark.parametrize("arm", ["control", "template"])
def test_an_arm_of_which_nobody_is_judged_yet(arm):
    """A test that has begun only now, or a variant that came late, ends nothing."""
    accounts = participants(REAL)
    values = accounts.assignments["test"].copy()
    everybody = Assigned(signup=accounts.signup, assignments={"test": values.copy()})
    values[values == arm] = None
    found = only(but(accounts, assignments={"test": values}, everybody=everybody))
    assert (found.claims, found.control, found.variant) == ("nothing", "control", "template")
    assert (found.sample_ratio_p, 0 in found.accounts) == (None, True)
    assert found.sentence.startswith(f"No account of “{arm}” that signed up during the test has a known outcome yet")
    criterion, says = experimental_evidence([found], points(0.15), 0.03)
    assert (criterion.judged, criterion.decides, says) == (False, False, "inconclusive")


def test_both_of_two_empty_arms_are_named():
    accounts = participants(REAL, names=("mail", "mail"))
    everybody = Assigned(
        signup=np.full(3, 150) * Day, assignments={"test": np.array(["control", "mail", "call"], dtype=object)}
    )
    call, mail = read_experiments((TEST,), but(accounts, everybody=everybody))
    assert "No account of “control” or “call” that" in call.sentence
    assert "No account of “control” that" in mail.sentence


def test_a_difference_beyond_all_shares_is_not_the_milestones():
    """The variant moves few and keeps all: no effect through those few could be as large."""
    accounts = participants(REAL, push=0.1, families=2)
    rare = np.random.default_rng(1).random(len(accounts.met)) < 0.02
    kept = accounts.retained | (accounts.assignments["test"] == "template")
    found = only(but(accounts, retained=kept, others=[(Milestone.of("rare"), rare)]))
    assert found.claims == "intention to treat"
    assert found.shape == "interval"
    assert (found.complier.estimate, found.complier.ci_lower, found.complier.ci_upper) == (1, 1, 1)
    assert "by more than that could explain" in found.sentence


def test_no_number_lies_beyond_a_hundred_points():
    found = [
        only(participants(REAL, n=n, push=push, seed=s)) for n in (300, 900) for push in (0.05, 0.6) for s in range(8)
    ]
    estimates = [e for f in found for e in (f.first_stage, f.intention_to_treat, f.complier) if e is not None]
    numbers = [v for e in estimates for v in (e.estimate, e.ci_lower, e.ci_upper) if v is not None]
    assert len(numbers) > 60
    assert max(map(abs, numbers)) <= 1


def test_several_comparisons_widen_the_intervals():
    accounts = participants(REAL, n=6000)
    again = {"test": accounts.assignments["test"], "same": accounts.assignments["test"]}
    alone = only(accounts)
    both = read_experiments((TEST, AssignmentSpec(column="same")), but(accounts, assignments=again))
    widths = sorted(found.complier.ci_upper - found.complier.ci_lower for found in both)
    one = alone.complier.ci_upper - alone.complier.ci_lower
    assert widths[1] > 1.1 * one
    assert any("widened" in found.sentence for found in both)
    assert both[0].intention_to_treat == alone.intention_to_treat


def test_a_second_test_that_moved_something_else_widens_nothing():
    accounts = participants(REAL)
    rng = np.random.default_rng(5)
    other = np.array(["control", "banner"], dtype=object)[rng.integers(0, 2, len(accounts.met))]
    both = read_experiments(
        (TEST, AssignmentSpec(column="other")),
        but(accounts, assignments={"test": accounts.assignments["test"], "other": other}),
    )
    assert both[0].complier == only(accounts).complier


def test_row_order_does_not_matter():
    accounts = participants(REAL, n=3000)
    order = np.random.default_rng(1).permutation(3000)
    shuffled = but(
        accounts,
        met=accounts.met[order],
        retained=accounts.retained[order],
        signup=accounts.signup[order],
        design=accounts.design[order],
        assignments={"test": accounts.assignments["test"][order]},
        others=[(rule, met[order]) for rule, met in accounts.others],
    )
    assert as_json_values(only(shuffled)) == as_json_values(only(accounts))


def test_a_sample_ratio_alarm_is_rare():
    false = sum(only(participants(REAL, n=1500, seed=seed, families=3)).sample_ratio_p < 0.001 for seed in range(200))
    assert false <= 2


def test_a_bound_beyond_what_is_possible_is_not_shown():
    found = only(participants(REAL, n=2400, push=0.06, families=2, seed=8))
    assert found.shape == "interval"
    assert found.complier.ci_lower == -1.0
    assert found.complier.ci_upper < 1
    assert "it moved few" in found.sentence or found.first_stage_f > 10


def test_a_push_too_weak_for_two_bounds_leaves_the_whole_variant():
    """F = 4.8 bounds the effect at the 5 % level, but not at the level of two comparisons."""
    rare = np.random.default_rng(1).random(2400) < 0.03  # a move of the milestone's size would be seen
    accounts = but(participants(REAL, n=2400, push=0.06, families=2, seed=5), others=[(Milestone.of("rare"), rare)])
    assert (only(accounts).shape, only(accounts).claims) == ("interval", "complier")
    again = {"test": accounts.assignments["test"], "same": accounts.assignments["test"]}
    both = read_experiments((TEST, AssignmentSpec(column="same")), but(accounts, assignments=again))
    assert {found.claims for found in both} == {"intention to treat"}
    assert all(found.shape != "interval" and "too little to say" in found.sentence for found in both)


def test_a_roll_out_from_one_day_on_is_no_random_split():
    """Before day 200 the old way, then the new one; what was known at signup tells the two apart."""
    accounts = participants(REAL)
    inside = np.array([value is not None for value in accounts.assignments["test"]])
    by_date = np.where(accounts.signup < 200 * Day, "control", "template").astype(object)
    by_date[~inside] = None
    clock = (accounts.signup / (400 * Day))[:, None]
    found = only(
        but(accounts, assignments={"test": by_date}, design=np.column_stack([accounts.design, clock, clock**2]))
    )
    assert found.claims == "nothing"
    assert "no random split" in found.sentence


def test_random_splits_are_alike_but_for_one_in_a_thousand():
    claims = [only(participants(REAL, seed=seed, n=3000)).claims for seed in range(40)]
    assert "nothing" not in claims


def test_a_milestone_of_which_a_part_was_moved_further_claims_no_effect_of_its_own():
    """The variant pushes one behaviour; that and another together is reached by a third of those it moved."""
    accounts = participants(REAL)
    besides = np.random.default_rng(9).random(8000) < 0.35
    other = Milestone.of("template_used")
    both = Milestone((*REAL.parts, *other.parts))
    found = only(
        but(accounts, milestone=both, met=accounts.met & besides, parts=[(REAL, accounts.met), (other, besides)])
    )
    assert found.claims == "intention to treat"
    assert [moved.milestone for moved in found.moved] == [str(REAL)]
    assert found.moved[0].difference.ci_lower > 0.1


def test_a_part_that_moved_no_further_than_the_milestone_does_not_matter():
    """Any use of it moves less than the rule: some that had used it already were brought over the threshold."""
    accounts = participants(REAL)
    any_use = accounts.met | (np.random.default_rng(9).random(8000) < 0.3)
    assert only(but(accounts, parts=[(Milestone.of("shared"), any_use)])).claims == "complier"


def test_a_variant_that_drives_out_those_who_would_leave_keeps_nobody():
    """Among those left the variant looks better; counting those it drove out, as many stay in either arm."""
    rng = np.random.default_rng(4)
    claims = []
    for seed in range(40):
        accounts = participants(REAL, seed=200 + seed, effect=0.0)
        variant = accounts.assignments["test"] == "template"
        leaves = variant & ~accounts.retained & (rng.random(8000) < 0.05)
        lost = rng.random(8000) < 0.06
        early = Assigned(
            signup=accounts.signup[leaves | lost], assignments={"test": accounts.assignments["test"][leaves | lost]}
        )
        kept = ~(leaves | lost)
        some = but(
            accounts,
            met=accounts.met[kept],
            retained=accounts.retained[kept],
            signup=accounts.signup[kept],
            assignments={"test": accounts.assignments["test"][kept]},
            design=accounts.design[kept],
            others=[(rule, flag[kept]) for rule, flag in accounts.others],
            early=early,
        )
        found = only(some)
        claims.append(experimental_evidence([found], points(0.10), 0.03)[1])
    assert claims.count("supports") <= 3
