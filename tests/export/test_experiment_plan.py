"""The experiment plan as Markdown: every number it has, and none that it has not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report import validation_factory as made

from discovery.experiment import plan_experiment
from discovery.export.plan import assumed, feasible, plan_as_markdown, unplanned
from discovery.milestone import Milestone
from discovery.results import Criterion, Estimate, OutcomeSummary, PastExperiment, Power, Proposal

ADJUSTED = Estimate(estimate=0.12, ci_lower=0.09, ci_upper=0.15, scale="risk difference", n_accounts=5000)
OUTCOME = OutcomeSummary(
    kind="retained",
    stayed="was still a customer 90 days after signup",
    left="had left by day 90",
    inferred=False,
    by_day=90,
    active_days=None,
    window_days=14,
    has_departures=True,
)
PLAN = plan_experiment(
    milestone=Milestone.parse('"Report *Shared*" >= 3'),
    outcome=OUTCOME,
    adjusted=ADJUSTED,
    base_rate=0.5,
    activation=0.85,
    signups_per_week=400,
    minimum_effect=0.03,
)
PAST = PastExperiment(
    column="checklist_test",
    control="control",
    variant="checklist",
    first_signup="2024-01-01",
    last_signup="2024-05-01",
    accounts=(900, 910),
    expected_share=0.5,
    sample_ratio_p=0.8,
    first_stage=None,
    first_stage_f=None,
    intention_to_treat=None,
    complier=None,
    shape=None,
    moved=(),
    claims="nothing",
    sentence="It says <nothing>.",
)


def proposal(**changed) -> Proposal:
    made = Proposal(
        milestone='"Report *Shared*" >= 3',
        verdict="holds",
        sentence="",
        reasons=(),
        decided_by="difference",
        reach=0.3,
        n_reached=1500,
        n_described=5000,
        n_accounts=5000,
        retained_if_reached=0.6,
        retained_if_not=0.45,
        naive_difference=ADJUSTED,
        adjusted=ADJUSTED,
        unwidened=ADJUSTED,
        coverage=0.95,
        p_value=0.001,
        p_adjusted=0.001,
        criteria=(),
        better=None,
        power=Power(minimum_detectable=0.03, accounts_needed=100, accounts_missing=0, on_their_way=0, weeks=0.0),
        experiment=PLAN,
        evidence=(PAST,),
    )
    return replace(made, **changed)


def test_the_table_holds_every_row():
    text = plan_as_markdown(proposal())
    rows = [line for line in text.splitlines() if line.startswith("| +")]
    assert len(rows) == 6
    assert f"{PLAN.per_arm:,}" in rows[2]
    assert "+1.20 points" in rows[2]
    assert "+12.0 points (all of it)" in rows[2]
    assert "+6.0 points" in rows[3]
    assert [("not possible" in row) for row in rows] == [False] * 4 + [True] * 2


@pytest.mark.parametrize(
    "title", ["Size", "Primary metric", "Secondary metrics", "Guardrails", "Success", "Rollback", "Past tests"]
)
def test_every_part_is_there(title):
    assert f"\n## {title}" in plan_as_markdown(proposal())


def test_names_are_not_markup():
    text = plan_as_markdown(proposal())
    assert "\\*Shared\\*" in text
    assert "&lt;nothing>" in text
    assert "**checklist_test** (2024-01-01 to 2024-05-01)" in text


def test_the_gain_is_conditional():
    assert "accounts that came by themselves gained, staying changes by +1.2 points [0.9, 1.5]." in plan_as_markdown(
        proposal()
    )


def test_no_plan_and_no_tests():
    assert "No experiment could be planned" in plan_as_markdown(proposal(experiment=None))
    assert "## Past tests" not in plan_as_markdown(proposal(evidence=()))


def test_it_begins_with_the_verdict_its_date_and_where_the_proposal_came_from():
    result = made.single("holds", origin="registered", registered="2024-09-01")
    lines = plan_as_markdown(result.proposals[0], result).splitlines()
    day = result.provenance.created_at[:10]
    assert lines[2] == f"Verdict of {day}: **holds** (registered on 2024-09-01)."
    assert lines[4]


def test_what_is_ruled_out_gets_no_plan_but_the_reason():
    failed = Criterion(name="early", status="fail", sentence="It is reached at signup.", decides=True)
    ruled_out = proposal(verdict="does not hold", criteria=(failed,))
    text = plan_as_markdown(ruled_out)
    assert "**does not hold**" in text
    assert "No experiment is planned: It is reached at signup." in text
    assert "## Size" not in text
    assert "## Past tests" in text
    assert unplanned(proposal(criteria=(failed,))) == ""


def test_sizes_beyond_what_anybody_waits_for_are_not_numbers():
    row = PLAN.rows[0]
    never = replace(row, per_arm=423_252_553, weeks=5_707_776.0, effect=0.00075)
    slow = replace(PLAN, rows=(never, replace(PLAN.rows[4], weeks=74.0)), weeks=1026.0, activation_weeks=20.0)
    text = plan_as_markdown(proposal(experiment=slow))
    assert "| +0.07 points | over 1 million | more than 10 years: not feasible |" in text
    assert "423,252,553" not in text.split("## Primary")[0].replace(slow.design, "")
    said = feasible(slow)
    assert said == (
        "Feasible at 400 signups a week: a help that moves 20 points (74 weeks); or first only whether it moves "
        "activation (20 weeks)."
    )
    assert feasible(replace(slow, weeks=90.0)) == ""
    assert feasible(replace(slow, rows=(never,), activation_weeks=None)) == (
        "Not feasible at 400 signups a week within two years."
    )


def test_an_effect_other_than_the_adjusted_difference_is_said():
    assert assumed(PLAN, proposal()) == ""
    less = replace(ADJUSTED, estimate=0.01)
    assert "the smallest that would matter: the adjusted difference is only +1.0 points" in assumed(
        PLAN, proposal(adjusted=less)
    )
    test = replace(PAST, complier=ADJUSTED)
    assert assumed(PLAN, proposal(adjusted=less, evidence=(test,))).endswith("moves: what a past test showed.")


def test_nothing_unknown_is_printed():
    unknown = Estimate(
        estimate=None, ci_lower=None, ci_upper=None, scale="risk difference", n_accounts=0, status="too_few"
    )
    plan = plan_experiment(
        milestone=Milestone.parse("a"),
        outcome=OUTCOME,
        adjusted=unknown,
        base_rate=0.999,
        activation=0.999,
        signups_per_week=0,
        minimum_effect=0.03,
    )
    text = plan_as_markdown(proposal(experiment=plan))
    assert "None" not in text
    assert "nan" not in text
    assert "staying changes by" not in text
