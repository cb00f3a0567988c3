"""Synthetic `ValidationResult`s for renderers: every verdict and origin, hostile names, numbers that are not there."""

from __future__ import annotations

import dataclasses
from typing import Any

from discovery.results import (
    Change,
    CohortRow,
    Competitor,
    Criterion,
    CriterionName,
    Estimate,
    ExperimentPlan,
    LadderStep,
    MovedFamily,
    Neighbour,
    OnboardingGroup,
    PastExperiment,
    PlanRow,
    Population,
    Power,
    Proposal,
    Reaching,
    RepeatUse,
    SegmentRow,
    UserClusters,
    ValidationResult,
)

from . import factory
from .factory import estimate

MILESTONE = "deal_created within 7d and email_sync_enabled within 7d"
VERDICTS = ("holds", "does not hold", "not enough data")
ORIGINS = ("registered", "independent", "searched")


def share(value: float | None, half: float = 0.03) -> Estimate:
    return estimate(value, half, scale="share")


def criterion(name: CriterionName, status: str, sentence: str, value: float | None = None, unit: str = "", **more: Any):
    return Criterion(name=name, status=status, sentence=sentence, value=value, unit=unit, **more)


CRITERIA = (
    criterion(
        "predictive",
        "pass",
        "Accounts alike in everything else stayed 12 points more often when they reached it, and the latest signups "
        "agree.",
        0.12,
        "points",
    ),
    criterion(
        "better than vanity",
        "pass",
        "Beside “dashboard_viewed” and any activity at all, 9 points of the difference are left.",
        0.09,
        "points",
    ),
    criterion(
        "adds beyond onboarding",
        "pass",
        "Finishing setup alone goes with 2 points; reaching the milestone after it adds 11.",
        0.11,
        "points",
    ),
    criterion("observable", "pass", "Its events are on record in every one of 61 weeks.", 1.0, "share"),
    criterion("early", "warn", "Half of those that reach it do so within 4.2 days; the target is 7.", 4.2, "days"),
    criterion(
        "narrow but reachable", "pass", "31 % of accounts reach it: 2 in 3 could still be helped.", 0.31, "share"
    ),
    criterion(
        "precedes separation",
        "warn",
        "In 64 of 100 pairs the account about to reach it had already done more than the one that did not.",
        0.64,
        "share",
    ),
    criterion("stable", "fail", "Among accounts on plan “solo” it goes the other way.", 0.004, "p"),
    criterion("specific threshold", "pass", "It cannot be told from 3 neighbours.", 3, "count"),
    criterion("repeatable", "warn", "41 % do it again on another day within 28 days.", 0.41, "share"),
    criterion("not the outcome in disguise", "pass", "None of its events belongs to the decision to stay or go."),
    criterion(
        "confounding",
        "warn",
        "Something unmeasured that makes accounts 1.7 times as likely to do both would explain it.",
        1.74,
        "ratio",
    ),
    criterion("beaten by none", "pass", "No other behaviour stands out more.", 0, "count"),
    criterion(
        "experimental evidence",
        "warn",
        "There was no past experiment, so this could not be judged.",
        judged=False,
    ),
)

NOT_JUDGED = tuple(
    dataclasses.replace(line, status="warn", value=None, judged=False, sentence="Too few accounts reached it to say.")
    for line in CRITERIA
)

POWER = Power(minimum_detectable=0.041, accounts_needed=5200, accounts_missing=2326, on_their_way=812, weeks=17.5)
NO_POWER = Power(minimum_detectable=None, accounts_needed=None, accounts_missing=None, on_their_way=0, weeks=None)


def neighbours(milestone: str = MILESTONE) -> tuple[Neighbour, ...]:
    rows = ((0.42, 0.10, -0.6, True), (0.36, 0.11, 0.3, True), (0.22, 0.13, 0.9, True), (0.09, 0.02, -2.9, False))
    names = (milestone.replace("7d", f"{days}d") for days in (14, 10, 5, 1))
    unknown = Neighbour(
        milestone=f"{milestone} by 3 users", reach=0.0, difference=estimate(None), ahead=None, alike=False
    )
    known = (
        Neighbour(milestone=name, reach=reach, difference=estimate(value), ahead=ahead, alike=alike)
        for name, (reach, value, ahead, alike) in zip(names, rows, strict=True)
    )
    return (*known, unknown)


def competitors(names: tuple[str, ...] = factory.PLAIN_NAMES) -> tuple[Competitor, ...]:
    rows = ((0.31, 0.09, -0.4), (0.44, 0.02, -2.8), (0.12, -0.04, -4.4), (0.3, None, None), (0.2, 0.01, -3.1))
    return tuple(
        Competitor(family=name, milestone=f"{name} >= 2", reach=reach, difference=estimate(value), ahead=ahead)
        for name, (reach, value, ahead) in zip(names, rows, strict=False)
    )


def cohorts() -> tuple[CohortRow, ...]:
    rows = (
        ("2024-01-01", "2024-03-31", 702, 0.27, 0.14),
        ("2024-04-01", "2024-06-30", 711, 0.29, 0.10),
        ("2024-07-01", "2024-09-30", 740, 0.33, 0.13),
        ("2024-10-01", "2024-12-19", 721, 0.35, None),
    )
    return tuple(
        CohortRow(first=first, last=last, n_accounts=n, reach=reach, difference=estimate(value, 0.09))
        for first, last, n, reach, value in rows
    )


def segments(values: tuple[str, ...] = ("team", "solo", "organic", "paid")) -> tuple[SegmentRow, ...]:
    rows = (("plan", 0.16, 0.003), ("plan", -0.08, 0.003), ("channel", 0.11, 0.8), ("channel", 0.12, 0.8))
    return tuple(
        SegmentRow(
            segment=segment,
            value=value,
            n_accounts=900 - 100 * place,
            reach=0.3,
            difference=estimate(difference, 0.06 + 0.01 * place),
            p_differs=p,
        )
        for place, (value, (segment, difference, p)) in enumerate(zip(values, rows, strict=False))
    )


ONBOARDING = (
    OnboardingGroup(label="never began setup", n_accounts=612, retained=share(0.31), adjusted=None),
    OnboardingGroup(label="began, did not finish", n_accounts=804, retained=share(0.36), adjusted=estimate(0.02, 0.05)),
    OnboardingGroup(
        label="finished setup, no milestone", n_accounts=571, retained=share(0.41), adjusted=estimate(0.03, 0.05)
    ),
    OnboardingGroup(label="reached the milestone", n_accounts=887, retained=share(0.71), adjusted=estimate(0.14, 0.05)),
)
REACHING = Reaching(by_day=((1, 0.08), (3, 0.14), (7, 0.31), (14, 0.31)), median_days=4.2, quartile_days=(0.9, 6.1))
REPEAT = RepeatUse(n_accounts=790, again=share(0.41), weekly=(0.36, 0.28, 0.22, 0.19))
LADDER = (
    LadderStep(milestone="signed up", reach=1.0, step_conversion=None, before_milestone=None, median_days=0.0),
    LadderStep(milestone="csv_uploaded", reach=0.61, step_conversion=0.61, before_milestone=0.94, median_days=0.4),
    LadderStep(milestone=MILESTONE, reach=0.31, step_conversion=0.51, before_milestone=None, median_days=4.2),
)
CHANGES = (
    Change(
        what="verdict",
        before="not enough data",
        now="holds",
        sentence="The verdict was “not enough data” and is “holds” now.",
        notable=True,
    ),
    Change(
        what="difference",
        before="+9.0 points [−1.0, 19.0]",
        now="+12.0 points [5.0, 19.0]",
        sentence="The new difference lies within the earlier interval.",
        notable=False,
    ),
    Change(what="reach", before="24 %", now="31 %", sentence="7 points more accounts reach it.", notable=True),
)


def experiment(**changes: Any) -> PastExperiment:
    values: dict[str, Any] = {
        "column": "checklist_test",
        "control": "control",
        "variant": "checklist",
        "first_signup": "2024-02-01",
        "last_signup": "2024-05-31",
        "accounts": (512, 498),
        "expected_share": 0.5,
        "sample_ratio_p": 0.66,
        "first_stage": estimate(0.14, 0.05),
        "first_stage_f": 31.4,
        "intention_to_treat": estimate(0.021, 0.03),
        "complier": estimate(0.15, 0.19),
        "shape": "interval",
        "moved": (
            MovedFamily(milestone="help_opened", difference=estimate(0.09, 0.04), material=True),
            MovedFamily(milestone="tour_finished", difference=estimate(0.01, 0.04), material=False),
        ),
        "claims": "complier",
        "sentence": "Accounts that the checklist moved stayed 15 points more often. This holds only if the checklist "
        "helped accounts stay through the milestone and in no other way.",
    }
    return PastExperiment(**(values | changes))


EXPERIMENTS = (
    experiment(),
    experiment(
        column="email_test",
        variant="nudge",
        first_stage=estimate(0.02, 0.04),
        first_stage_f=1.1,
        complier=Estimate(
            estimate=0.4, ci_lower=-0.1, ci_upper=None, scale="risk difference", n_accounts=1010, status="ok"
        ),
        shape="half-line",
        claims="intention to treat",
        moved=(),
        sentence="The e-mail hardly moved the milestone, so only the e-mail as a whole can be judged.",
    ),
    experiment(
        column="template_test",
        accounts=(512, 398),
        first_signup=None,
        last_signup=None,
        sample_ratio_p=0.0002,
        first_stage=None,
        first_stage_f=None,
        intention_to_treat=None,
        complier=None,
        shape=None,
        claims="nothing",
        moved=(),
        sentence="The arms are not as large as they should be, so nothing is claimed.",
    ),
)


def plan(**changes: Any) -> ExperimentPlan:
    rows = tuple(
        PlanRow(
            rise=rise,
            effect_share=part,
            effect=rise * part * 0.12,
            per_arm=round(3.92 / (rise * part * 0.12) ** 2),
            weeks=round(7.84 / (rise * part * 0.12) ** 2 / 71 + 13, 1),
        )
        for rise in (0.05, 0.1, 0.2)
        for part in (1.0, 0.5)
    )
    values: dict[str, Any] = {
        "per_arm": 27222,
        "weeks": 779.8,
        "effect": 0.12,
        "base_rate": 0.49,
        "activation": 0.31,
        "signups_per_week": 71.0,
        "alpha": 0.05,
        "power": 0.8,
        "rows": rows,
        "gain": estimate(0.012, 0.007, estimand="if causal"),
        "activation_per_arm": 356,
        "activation_weeks": 12.0,
        "clusters": UserClusters(
            users_per_account=4.1, icc=0.21, design_effect=1.74, users_per_arm=47366, accounts_per_arm=11552
        ),
        "design": "Help a random half of the new accounts towards the milestone and leave the others alone. Compare "
        "everybody as assigned, whether or not they reached it.",
        "primary": "Share of accounts retained at day 90, by the arm they were assigned to.",
        "secondary": ("Share that reaches the milestone within 7 days.", "Median days to the milestone."),
        "guardrails": ("Accounts that leave within 14 days.", "Support tickets per account."),
        "success": ("The interval of the difference lies above 0.",),
        "rollback": ("The variant retains 2 points less than the control, with an interval below 0.",),
    }
    return ExperimentPlan(**(values | changes))


IMPOSSIBLE = plan(
    per_arm=None,
    weeks=None,
    effect=None,
    rows=(PlanRow(rise=0.05, effect_share=1.0, effect=0.0015, per_arm=None, weeks=None),),
    gain=estimate(None),
    activation_per_arm=None,
    activation_weeks=None,
    clusters=None,
    secondary=(),
    guardrails=(),
    success=(),
    rollback=(),
)

_SAID = {
    "holds": "“{}” holds: accounts that reach it stay 12 points more often [5, 19] than accounts alike that do not.",
    "does not hold": "“{}” does not hold: at most 2 points are left beside how active accounts are anyway.",
    "not enough data": "These data cannot say whether “{}” holds: the difference may be anywhere from −3 to 14 points.",
}
_ADJUSTED = {"holds": (0.12, 0.07), "does not hold": (0.004, 0.02), "not enough data": (0.055, 0.085)}
_CHANGED: dict[str, dict[str, tuple[str, str, float]]] = {
    "holds": {},
    "does not hold": {
        "predictive": ("fail", "At most 2 points are left once accounts alike in everything else are compared.", 0.004),
        "better than vanity": ("fail", "Beside “dashboard_viewed”, nothing of the difference is left.", -0.001),
        "beaten by none": ("fail", "One other behaviour does better.", 1),
    },
    "not enough data": {"predictive": ("warn", "The difference may be anywhere from −3 to 14 points.", 0.055)},
}


def scorecard(verdict: str) -> tuple[Criterion, ...]:
    """Every criterion; where the verdict is “does not hold”, one that decides alone has failed."""
    changed = _CHANGED[verdict]
    lines = []
    for line in CRITERIA:
        status, sentence, value = changed.get(line.name, (line.status, line.sentence, line.value))
        decides = line.name == "better than vanity" and status == "fail"
        lines.append(dataclasses.replace(line, status=status, sentence=sentence, value=value, decides=decides))
    return tuple(lines)


def proposal(verdict: str = "holds", milestone: str = MILESTONE, **changes: Any) -> Proposal:
    """One proposal with everything it can have."""
    middle, half = _ADJUSTED[verdict]
    values: dict[str, Any] = {
        "milestone": milestone,
        "verdict": verdict,
        "sentence": _SAID[verdict].format(milestone),
        "reasons": (
            "The whole interval lies above 0." if verdict == "holds" else "The interval reaches below 3 points.",
            "No criterion disqualifies it.",
        ),
        "reach": 0.31,
        "n_reached": 961,
        "n_described": 3100,
        "n_accounts": 2874,
        "retained_if_reached": 0.70,
        "retained_if_not": 0.40,
        "naive_difference": estimate(0.30, 0.05),
        "adjusted": estimate(middle, half),
        "unwidened": estimate(middle, half * 0.7),
        "coverage": 0.9833,
        "p_value": 0.0004,
        "p_adjusted": 0.0012,
        "criteria": scorecard(verdict),
        "better": None if verdict == "holds" else "report_shared >= 3 within 7d by 2 users",
        "power": POWER,
        "decided_by": "difference",
        "latest": estimate(0.09, 0.11),
        "composition": estimate(0.07, 0.05),
        "alike": (milestone.replace("7d", "5d"), milestone.replace("7d", "10d"), milestone.replace("7d", "14d")),
        "neighbours": neighbours(milestone),
        "competitors": competitors(),
        "cohorts": cohorts(),
        "segments": segments(),
        "onboarding": ONBOARDING,
        "reaching": REACHING,
        "repeat": REPEAT,
        "evidence": EXPERIMENTS,
        "experiment": plan(),
        "curves": (factory.curve("reached it", 0.002), factory.curve("did not reach it", 0.006)),
        "ladder": LADDER,
        "since": "2024-02-01",
        "changes": CHANGES,
    }
    return Proposal(**(values | changes))


def sparse(verdict: str = "not enough data", milestone: str = MILESTONE) -> Proposal:
    """A proposal of which only what must be known is known, and little of that."""
    return Proposal(
        milestone=milestone,
        verdict=verdict,
        sentence=f"Nothing can be said about “{milestone}”: nobody reached it.",
        reasons=(),
        decided_by="difference",
        reach=0.0,
        n_reached=0,
        n_described=0,
        n_accounts=0,
        retained_if_reached=None,
        retained_if_not=None,
        naive_difference=estimate(None, status="too_few"),
        adjusted=estimate(None, status="not_converged"),
        unwidened=estimate(None, status="not_converged"),
        coverage=0.95,
        p_value=None,
        p_adjusted=None,
        criteria=NOT_JUDGED,
        better=None,
        power=NO_POWER,
        neighbours=(Neighbour(milestone="x", reach=0.0, difference=estimate(None), ahead=None, alike=False),),
        competitors=(Competitor(family="y", milestone="y", reach=0.0, difference=estimate(None), ahead=None),),
        cohorts=(CohortRow(first="2024-01-01", last="2024-02-01", n_accounts=3, reach=0.0, difference=estimate(None)),),
        segments=(
            SegmentRow(segment="a", value="b", n_accounts=3, reach=0.0, difference=estimate(None), p_differs=None),
        ),
        onboarding=(OnboardingGroup(label="began", n_accounts=3, retained=share(None), adjusted=None),),
        reaching=Reaching(by_day=(), median_days=None, quartile_days=None),
        repeat=RepeatUse(n_accounts=0, again=share(None), weekly=()),
        evidence=(EXPERIMENTS[2],),
        experiment=IMPOSSIBLE,
        ladder=(LadderStep(milestone="x", reach=0.0, step_conversion=None, before_milestone=None, median_days=None),),
    )


def bare_proposal(verdict: str = "not enough data", milestone: str = MILESTONE) -> Proposal:
    """A proposal with nothing that may be left out."""
    gone = dict.fromkeys(("neighbours", "competitors", "cohorts", "segments", "onboarding", "evidence", "ladder"), ())
    none = dict.fromkeys(("reaching", "repeat", "experiment"))
    return dataclasses.replace(sparse(verdict, milestone), criteria=(), **gone, **none)


def validation(*proposals: Proposal, **changes: Any) -> ValidationResult:
    """Build a result; without proposals, of one that holds."""
    whole = factory.study()
    values: dict[str, Any] = {
        "proposals": proposals or (proposal(),),
        "origin": "searched",
        "registered": None,
        "correction": "Holm over 3 proposals" if len(proposals) > 1 else "none",
        "judged": 2874,
        "judged_through": "2024-12-20",
        "searched": 1204,
        "first": "report_shared >= 3 within 7d by 2 users",
        "first_status": "found",
        "population": factory.POPULATION,
        "outcome": factory.OUTCOME,
        "adjusted_for": ("plan", "company_size", "signup date"),
        "quality": whole.quality,
        "recognised": whole.recognised,
        "settings": factory.SETTINGS,
        "provenance": whole.provenance,
        "compared_with": "validation of 2024-11-20 09:30 UTC, version 0.1.0",
    }
    return ValidationResult(**(values | changes))


def several(milestones: tuple[str, ...] = (MILESTONE, "dashboard_viewed >= 5", "report_shared")) -> ValidationResult:
    """Build a result of one proposal for each milestone, their verdicts in turn."""
    made = [proposal(VERDICTS[place % 3], text) for place, text in enumerate(milestones)]
    return validation(*made)


def hostile(names: tuple[str, ...] = factory.HOSTILE_NAMES) -> ValidationResult:
    """Build a result in which every name and sentence is somebody else's text."""

    def renamed(verdict: str, name: str) -> Proposal:
        return proposal(
            verdict,
            name,
            better=f"{names[2]} >= 5",
            competitors=competitors(names[:5]),
            segments=segments(names[:4]),
            evidence=(
                experiment(column=names[0], control=names[1], variant=names[2], sentence=f"{names[2]} moved it."),
            ),
            criteria=tuple(
                dataclasses.replace(line, sentence=f"{line.sentence} {name}") for line in scorecard(verdict)
            ),
            curves=(factory.curve(name, 0.002), factory.curve(f"not {name}", 0.006)),
            ladder=(dataclasses.replace(LADDER[1], milestone=name), dataclasses.replace(LADDER[2], milestone=names[2])),
            changes=(dataclasses.replace(CHANGES[0], sentence=name, before=name),),
            reasons=(f"{name} is a name.",),
            experiment=plan(guardrails=(f"Accounts that do {name}.",)),
        )

    made = tuple(renamed(VERDICTS[place % 3], name) for place, name in enumerate(names[:4]))
    return validation(*made, first=names[3], correction=names[0], adjusted_for=names[:3], compared_with=names[4])


def bare() -> ValidationResult:
    """A result in which everything that may be empty is empty."""
    nobody = dict.fromkeys((f.name for f in dataclasses.fields(Population)), 0) | {"base_rate": None}
    gone: dict[str, Any] = dict.fromkeys(("judged_through", "first", "first_status", "compared_with"))
    empty: dict[str, Any] = dict.fromkeys(("adjusted_for", "quality", "recognised"), ())
    people = Population(**nobody)
    return validation(
        bare_proposal(), origin="independent", judged=0, searched=0, population=people, settings={}, **gone, **empty
    )


def single(verdict: str, **changes: Any) -> ValidationResult:
    """Build a result of one proposal."""
    return validation(proposal(verdict), **changes)
