import dataclasses
import json
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import discovery
from discovery.errors import InputError
from discovery.export.next_step import next_step
from discovery.results import read_validation
from discovery.study.validation import _correction, ask

DESCRIPTIVE = {"repeatable", "observable"}
TRUE, VANITY = "report_shared >= 3 within 7d", "dashboard_viewed >= 5 within 7d"


@pytest.fixture(scope="module")
def world():
    return discovery.simulate_world("easy", accounts=2500, seed=98)


def study(world, **sections):
    return discovery.Study(world.events, world.accounts, world.truth.spec, **sections)


@pytest.fixture(scope="module")
def answered(world):
    return study(world).validate(TRUE, VANITY, independent=True)


def cut(world, days):
    """The same export, made some days earlier."""
    end = pc.subtract(pc.max(world.events["timestamp"]), pa.scalar(days * 86_400, pa.duration("s")))
    accounts = world.accounts.filter(pc.less(world.accounts["signup_at"], end))
    left = accounts["churned_at"]
    known = pc.if_else(pc.less(left, end), left, pa.scalar(None, left.type))
    accounts = accounts.set_column(accounts.schema.get_field_index("churned_at"), "churned_at", known)
    return world.events.filter(pc.less(world.events["timestamp"], end)), accounts


def test_the_planted_milestone_holds_and_vanity_does_not(answered):
    true, vanity = answered.proposals
    assert true.milestone == TRUE
    assert true.verdict == "holds"
    assert true.adjusted.ci_lower > 0
    assert vanity.verdict != "holds"
    assert [c.name for c in true.criteria][:3] == ["predictive", "better than vanity", "adds beyond onboarding"]
    assert len({c.name for c in true.criteria}) == 13


def test_a_proposal_that_may_come_from_these_data_answers_for_the_search(world, answered):
    searched = study(world).validate(TRUE)
    (proposal,) = searched.proposals
    assert searched.origin == "searched"
    assert proposal.adjusted.ci_lower < answered.proposals[0].adjusted.ci_lower
    assert proposal.adjusted.estimate == answered.proposals[0].adjusted.estimate
    assert f"{searched.searched:,}" in searched.correction


def test_a_registered_proposal_rests_on_later_signups_alone(world):
    registered = study(world).validate(TRUE, registered=date(2025, 7, 1))
    (proposal,) = registered.proposals
    signups = world.accounts["signup_at"].to_numpy()
    later = (signups >= np.datetime64("2025-07-01")) & (signups < np.datetime64(registered.judged_through))
    assert 0 < proposal.n_accounts <= later.sum()
    assert proposal.n_accounts > 0.7 * later.sum()
    assert proposal.n_described > proposal.n_accounts
    assert proposal.coverage == pytest.approx(0.95)


def test_a_registration_after_the_last_judged_signup_is_not_enough_data(world):
    (proposal,) = study(world).validate(TRUE, registered=date(2026, 6, 1)).proposals
    assert proposal.verdict == "not enough data"
    assert proposal.adjusted.estimate is None
    assert proposal.reach > 0


def test_a_verdict_lasts_until_another_week_has_matured(world):
    results = []
    for days in range(9):
        events, accounts = cut(world, days)
        results.append(discovery.Study(events, accounts, world.truth.spec).validate(TRUE, independent=True))
    by_week = {}
    for result in results:
        (proposal,) = result.proposals
        by_week.setdefault(result.judged_through, []).append((result.judged, proposal.verdict, proposal.adjusted))
    assert len(by_week) in (2, 3)
    assert all(len(set(same)) == 1 for same in by_week.values())


def test_nothing_but_descriptive_criteria_reads_events_after_the_landmark(world, answered):
    signup = dict(zip(world.accounts["account_id"].to_pylist(), world.accounts["signup_at"].to_numpy(), strict=True))
    moments = world.events["timestamp"].to_numpy()
    begun = np.array([signup[account] for account in world.events["account_id"].to_pylist()])
    early = moments - begun < np.timedelta64(14, "D")
    early[np.argmax(moments)] = True  # the log ends where it ended
    again = discovery.Study(world.events.filter(pa.array(early)), world.accounts, world.truth.spec)
    assert again.validate(TRUE, VANITY, independent=True).judged == answered.judged
    for before, after in zip(answered.proposals, again.validate(TRUE, VANITY, independent=True).proposals, strict=True):
        assert (before.verdict, before.adjusted) == (after.verdict, after.adjusted)
        for one, other in zip(before.criteria, after.criteria, strict=True):
            assert one == other or one.name in DESCRIPTIVE
    assert answered.proposals[0].repeat != again.validate(TRUE, independent=True).proposals[0].repeat


def test_a_billing_event_never_holds(world):
    leaky = discovery.simulate_world("leaky", accounts=2500, seed=98)
    (proposal,) = study(leaky).validate("invoice_paid", independent=True).proposals
    assert proposal.verdict == "does not hold"
    assert proposal.criterion("not the outcome in disguise").status == "fail"


def test_an_event_that_the_log_does_not_have_does_not_hold(world):
    (proposal,) = study(world).validate("no_such_event", independent=True).proposals
    assert proposal.verdict == "does not hold"
    assert proposal.criterion("observable").status == "fail"


def test_a_ladder_brings_its_milestone_and_its_steps(world, tmp_path):
    made = discovery.simulate_world("chain", accounts=2500, seed=98)
    found = discovery.Study(made.events, made.accounts, made.truth.spec).run()
    path = tmp_path / "result.json"
    path.write_text(found.to_json(), encoding="utf-8")
    (proposal,) = discovery.Study(made.events, made.accounts, made.truth.spec).validate(ladder=f"{path}#1").proposals
    assert proposal.milestone == found.ladders[0].milestone
    assert [step.milestone for step in proposal.ladder][-1] == proposal.milestone
    assert all(step.before_milestone > 0.8 for step in proposal.ladder[:-1])
    assert proposal.criterion("adds beyond onboarding").judged


def test_a_milestone_beside_a_ladder_has_no_part_in_it(tmp_path):
    made = discovery.simulate_world("chain", accounts=2500, seed=98)
    found = discovery.Study(made.events, made.accounts, made.truth.spec).run()
    path = tmp_path / "result.json"
    path.write_text(found.to_json(), encoding="utf-8")
    study = discovery.Study(made.events, made.accounts, made.truth.spec)
    beside, ladder = study.validate("teammate_invited", ladder=f"{path}#1").proposals
    assert (beside.ladder, ladder.ladder[-1].milestone) == ((), ladder.milestone)
    personal = dataclasses.replace(found, ladders=(dataclasses.replace(found.ladders[0], persona="plan=team"),))
    path.write_text(personal.to_json(), encoding="utf-8")
    with pytest.raises(InputError, match="plan=team alone"):
        study.validate(ladder=f"{path}#1")


def test_a_level_that_no_search_can_bound_is_still_answered(world):
    result = study(world, inference={"alpha": 1e-4}).validate(TRUE)
    assert result.proposals[0].adjusted.ci_lower is not None
    json.dumps(result.to_dict(), allow_nan=False)


def test_a_misspelt_event_is_a_slip_and_no_verdict(world):
    with pytest.raises(InputError, match="did you mean “report_shared”"):
        study(world).validate("report_shred >= 3 within 7d")


def test_only_tests_since_the_registration_speak_for_a_registered_proposal():
    made = discovery.simulate_world("past_experiment", accounts=2500, seed=98)
    asked = discovery.Study(made.events, made.accounts, made.truth.spec)
    (late,) = asked.validate(made.truth.planted[0], registered=date(2025, 9, 20)).proposals
    assert late.verdict == "not enough data"
    assert {test.claims for test in late.evidence} == {"nothing"}


def test_too_few_accounts_are_said_and_not_judged(world):
    small = discovery.simulate_world("easy", accounts=60, seed=3)
    result = study(small).validate(TRUE, "login", independent=True)
    assert [p.verdict for p in result.proposals] == ["not enough data"] * 2
    assert "known outcome" in result.proposals[0].sentence
    (said,) = next_step(result.proposals[0], result.judged)
    assert said.text == f"Come back with at least 100 accounts whose outcome is known ({result.judged} now)."
    (said,) = next_step(result.proposals[0], 250)
    assert said.text == "Come back with more accounts or a longer follow-up."


def test_the_correction_names_no_search_that_was_none():
    question = ask([TRUE], None, None, False)
    assert _correction(question, 0, ()) == ""
    assert "answers for all 12 rules" in _correction(question, 12, ())


@pytest.mark.parametrize(
    ("milestones", "options", "words"),
    [
        ((), {}, "No milestone"),
        ((TRUE,), {"registered": date(2025, 1, 1), "independent": True}, "one of them"),
        (("login within 60d",), {}, "observation window"),
        (("login >=",), {}, "cannot be read"),
    ],
)
def test_questions_that_cannot_be_asked(world, milestones, options, words):
    with pytest.raises(InputError, match=words):
        study(world).validate(*milestones, **options)


def test_equal_proposals_are_judged_once(world):
    result = study(world).validate(TRUE, "report_shared within 7d", "report_shared >= 1 within 168h", independent=True)
    assert len(result.proposals) == 2


def test_the_same_question_gives_the_same_bytes_and_reads_back(world, answered, tmp_path):
    again = study(world).validate(TRUE, VANITY, independent=True)
    first, second = (json.loads(result.to_json()) for result in (answered, again))
    for told in (first, second):
        del told["provenance"]
    assert first == second
    path = tmp_path / "validation.json"
    path.write_text(answered.to_json(), encoding="utf-8")
    assert json.loads(read_validation(path).to_json()) == json.loads(answered.to_json())


def test_names_do_not_matter(world):
    shuffled = dataclasses.replace(
        world,
        events=world.events.set_column(0, "account_id", pc.utf8_reverse(world.events["account_id"])),
        accounts=world.accounts.set_column(0, "account_id", pc.utf8_reverse(world.accounts["account_id"])),
    )
    one, other = (study(each).validate(TRUE, independent=True).proposals[0] for each in (world, shuffled))
    assert one.verdict == other.verdict
    assert one.adjusted.estimate == pytest.approx(other.adjusted.estimate, abs=1e-9)


def test_a_past_experiment_tells_the_wrong_milestone_from_the_right_one():
    made = discovery.simulate_world("past_experiment", accounts=8000, seed=98)
    spec = dict(made.truth.spec)
    wrong, right = made.truth.wrong_milestone, made.truth.planted[0]
    without = {section: values for section, values in spec.items() if section != "experiment"}
    before = discovery.Study(made.events, made.accounts, without).validate(wrong, right, independent=True)
    after = discovery.Study(made.events, made.accounts, spec).validate(wrong, right, independent=True)
    assert [p.verdict for p in before.proposals] == ["holds", "holds"]
    assert after.proposals[0].verdict != "holds"
    assert after.proposals[1].verdict == "holds"
    assert after.proposals[0].criterion("experimental evidence").status in ("warn", "fail")
