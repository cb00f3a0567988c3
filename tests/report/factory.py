"""A synthetic `StudyResult` for renderers: every verdict, hostile names, and numbers that are not there."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import Any

from discovery.errors import Caution
from discovery.results import (
    Between,
    Branch,
    CandidateTable,
    DropEvent,
    Estimate,
    FellShort,
    Funnel,
    FunnelRow,
    Ladder,
    LeftOut,
    OutcomeSummary,
    Persona,
    Population,
    Provenance,
    QualityFinding,
    RankedFamily,
    RecognisedColumn,
    Rule,
    Rung,
    SecondOpinion,
    Stage,
    StudyResult,
    SurvivalCurve,
    Verdict,
)

PLAIN_NAMES = ("report_shared", "teammate_invited", "Deal Created", "csv_uploaded", "dashboard_viewed")
HOSTILE_NAMES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)> \'quoted\' & $x^2$ id="p1"',
    "a_very_long_event_name_that_somebody_generated_from_a_url/" * 5,
    "تم إنشاء المشروع",
    "\u202etxet desrever",
    "🚀 launched 🎉",
    "日本語のイベント名はとても長くなることがあります",
    "{{ 7 * 7 }} {% raw %} line\nbreak\x00\x1b[31m",
    "</style></title><svg onload=alert(3)>",
    "javascript:alert(4)",
)


DAYS = tuple(day / 2 for day in range(29))
"""Half days of the observation window."""


def estimate(value: float | None, half: float = 0.07, *, scale: str = "risk difference", **more: Any) -> Estimate:
    if value is None:
        return Estimate(estimate=None, ci_lower=None, ci_upper=None, scale=scale, n_accounts=0, **more)
    return Estimate(estimate=value, ci_lower=value - half, ci_upper=value + half, scale=scale, n_accounts=3100, **more)


def family(rank: int | None, name: str, **changes: Any) -> RankedFamily:
    place = rank or 9
    values: dict[str, Any] = {
        "rank": rank,
        "family": name,
        "milestone": f"{name} >= 3 within 7d by 2 users",
        "conditions": ({"event": name, "at_least": 3, "within_days": 7, "min_users": 2, "where": []},),
        "status": "unsupported",
        "kind": "value",
        "reach": 0.31,
        "n_reached": 961,
        "retained_if_reached": 0.70,
        "retained_if_not": 0.40,
        "lift": 1.75,
        "phi": 0.28,
        "odds_ratio": 3.5,
        "adjusted": estimate(0.13 - 0.025 * place, estimand="overlap-weighted"),
        "naive_difference": estimate(0.32 - 0.02 * place, 0.05, estimand="unadjusted"),
        "hazard_ratio": estimate(0.6, 0.1, scale="hazard ratio"),
        "adjusted_odds_ratio": estimate(1.9, 0.4, scale="odds ratio"),
        "score": 5.6 - place,
        "p_adjusted": 0.0002 * 4**place if place < 6 else 1.0,
        "q_value": 0.001,
        "second_opinion_rank": 2,
        "equivalent": (f"{name} >= 2 within 7d by 2 users", f"{name} >= 3 within 14d by 2 users"),
        "median_days_to_reach": 2.4,
        "warnings": (Caution.RARE_FLAG, Caution.NO_TRAITS),
    }
    return RankedFamily(**(values | changes))


def unknown_family(rank: int | None, name: str, **changes: Any) -> RankedFamily:
    """A family all of whose optional numbers are missing."""
    gone = ("kind", "retained_if_reached", "retained_if_not", "lift", "phi", "odds_ratio", "hazard_ratio")
    gone += ("adjusted_odds_ratio", "score", "p_adjusted", "q_value", "second_opinion_rank", "median_days_to_reach")
    nothing = dict.fromkeys(gone)
    failed = {"adjusted": estimate(None, status="not_converged"), "naive_difference": estimate(None, status="too_few")}
    return family(rank, name, **(nothing | failed | {"equivalent": (), "warnings": (Caution.NOT_CONVERGED,)} | changes))


def baseline(n: int = 3100) -> Rung:
    return Rung(
        milestone="signed up",
        role="baseline",
        n_accounts=n,
        reach=1.0,
        n_reached=n,
        step_conversion=None,
        median_days=0.0,
        dropped=0,
        by_day=(1.0,) * len(DAYS),
    )


def rung(place: int, name: str, counts: list[int], *, top: bool = False, **changes: Any) -> Rung:
    here, before = counts[place], counts[place - 1]
    values: dict[str, Any] = {
        "milestone": f"{name} >= 3 within 7d by 2 users" if top else name,
        "role": "milestone" if top else "required",
        "n_accounts": counts[0],
        "reach": here / counts[0],
        "n_reached": here,
        "step_conversion": here / before,
        "median_days": 0.02 * 7**place,
        "quartile_days": (0.01 * 7**place, 0.05 * 7**place),
        "target_days": 7.0 if top else 3.0,
        "in_target": 0.71,
        "target_met": 0.02 * 7**place <= (7.0 if top else 3.0),
        "dropped": before - here,
        "skipped": 0 if top else 41,
        "necessity": None if top else 0.93,
        "milestone_with": None if top else 0.52,
        "milestone_without": None if top else 0.03,
        "order": None if place == 1 else estimate(0.94, 0.02, scale="share"),
        "stability": None if top else 0.98,
        "sessions": float(place),
        "in_first_sessions": 0.81,
        "by_day": tuple(here / counts[0] * (1 - math.exp(-day / (0.6 * place))) for day in DAYS),
    }
    return Rung(**(values | changes))


def ladder(names: tuple[str, ...], rank: int = 1, **changes: Any) -> Ladder:
    """A plain ladder: signup, the first names as required steps, the last as milestone."""
    counts = [3100, 2418, 1702, 1204, 961][: len(names) + 1]
    steps = [rung(place, name, counts, top=place == len(names)) for place, name in enumerate(names, start=1)]
    values: dict[str, Any] = {
        "rank": rank,
        "milestone": steps[-1].milestone,
        "persona": None,
        "status": "found",
        "sentence": "Its milestone is the one behaviour that was found. 3 steps are required on the way; the same come "
        "out in 96 % of random halves of the accounts.",
        "n_accounts": counts[0],
        "rungs": (baseline(), *steps),
        "stability": 0.96,
        "days": DAYS,
    }
    return Ladder(**(values | changes))


RULES = (
    Rule(name="specific", status="pass", sentence="It is one named action of a user."),
    Rule(
        name="trackable",
        status="warn",
        sentence="12 % of the accounts further up have no such event on record.",
        value=0.12,
    ),
    Rule(name="reachable", status="fail", sentence="Half of the accounts need 5 sessions or more.", value=0.31),
    Rule(name="towards value", status="pass", sentence="Without it 3 % reach the milestone, with it 52 %.", value=17.3),
    Rule(name="stands for value", status="unknown", sentence="The name does not tell; ask the team."),
)


def full_ladder(rank: int = 1, names: tuple[str, ...] = PLAIN_NAMES, **changes: Any) -> Ladder:
    """A ladder with everything a ladder can have: alternatives, errors, paths, a habit, stages and funnels."""
    counts = [3100, 2418, 1702, 1204, 961]
    either = rung(
        1,
        f'{names[3]} or "Salesforce Connected"',
        counts,
        rules=RULES,
        alternatives=(
            Branch(milestone=names[3], n_reached=1430, share=0.61, median_days=0.2, goes_on=0.74, route=1),
            Branch(
                milestone='"Salesforce Connected"', n_reached=1120, share=0.48, median_days=1.6, goes_on=0.66, route=2
            ),
        ),
        between=(
            Between(event="help_opened", went_on=0.18, stopped=0.41),
            Between(event="settings_opened", went_on=0.33, stopped=0.22),
        ),
        between_days=2.0,
    )
    second = rung(
        2,
        names[1],
        counts,
        errors_at_drop=(
            DropEvent(
                event="sync_failed",
                n_accounts=380,
                stopped=0.31,
                went_on=0.12,
                ratio=estimate(0.45, 0.1, scale="rate ratio"),
                p_adjusted=0.0004,
            ),
        ),
        between=(
            Between(event="sync_failed", went_on=0.12, stopped=0.31),
            Between(event="dashboard_viewed", went_on=0.9, stopped=0.7),
            Between(event="tour_finished", went_on=None, stopped=0.2),
        ),
        between_days=2.0,
        rules=RULES[:3],
    )
    third = rung(3, names[2], counts, warnings=(Caution.UNSTEADY_RUNG,), stability=0.62)
    short = FellShort(later=60, partly=140, not_at_all=43)
    top = rung(4, names[0], counts, top=True, rules=RULES, fell_short=short)
    habit = Rung(
        milestone="3 or more users active in days 16 to 30",
        role="habit",
        n_accounts=2800,
        reach=0.14,
        n_reached=392,
        step_conversion=0.39,
        median_days=None,
        dropped=476,
        target_days=30.0,
    )
    values: dict[str, Any] = {
        "rungs": (baseline(), either, second, third, top, habit),
        "milestone": top.milestone,
        "since": "2025-03-01",
        "youngest": names[1],
        "stages": STAGES,
        "funnels": FUNNELS,
        "left_out": (LeftOut(milestone=names[4], necessity=0.97, reason="It only says that somebody looked."),),
        "warnings": (Caution.LATER_COHORTS,),
    }
    return ladder((*names[1:4], names[0]), rank, **(values | changes))


def branching_ladder(rank: int = 2, names: tuple[str, ...] = PLAIN_NAMES, **changes: Any) -> Ladder:
    """A ladder to a lead with two routes, each of two steps, and a rung that takes long and is often done late."""
    counts = [1800, 1320, 904, 610]

    def forked(place: int, name: str, other: str) -> Rung:
        return rung(
            place,
            f"{name} or {other}",
            counts,
            rules=RULES[:2],
            alternatives=tuple(
                Branch(milestone=text, n_reached=n, share=share, median_days=place * 0.4, goes_on=on, route=route)
                for text, n, share, on, route in ((name, 720, 0.58, 0.71, 1), (other, 610, 0.47, None, 2))
            ),
        )

    values: dict[str, Any] = {
        "status": "lead",
        "sentence": "Its milestone is a lead, not a finding.",
        "milestone": f"{names[0]} >= 3 within 7d by 2 users",
        "n_accounts": 1800,
        "rungs": (
            baseline(1800),
            forked(1, names[1], names[2]),
            forked(2, names[3], names[4]),
            rung(3, names[0], counts, top=True, target_met=False, in_target=0.31),
        ),
        "stability": 0.41,
        "warnings": (Caution.FEW_RUNGS,),
    }
    return ladder((*names[1:3], names[0]), rank, **(values | changes))


STAGES = (
    Stage(
        name="setup",
        milestone="csv_uploaded",
        reached=estimate(0.44, 0.02, scale="share"),
        target_days=3.0,
        benchmark=0.7,
        floor=0.5,
        status="problem",
        sentence="44 % of signups are set up within 72 hours; under 50 % points to friction in onboarding.",
        advice=("Ask for fewer required steps.", "Offer templates and sample data."),
    ),
    Stage(
        name="aha",
        milestone="report_shared >= 3 within 7d by 2 users",
        reached=estimate(0.33, 0.02, scale="share"),
        target_days=7.0,
        benchmark=0.4,
        floor=0.3,
        status="below",
        sentence="33 % of signups reach the milestone within 7 days; the benchmark is 40 %.",
    ),
    Stage(
        name="habit",
        milestone=None,
        reached=estimate(None, scale="share", status="too_few"),
        target_days=30.0,
        benchmark=0.25,
        floor=0.2,
        status="unknown",
        sentence="The log names no users, so a team habit cannot be seen.",
    ),
)

FUNNELS = (
    Funnel(
        segment="channel",
        rows=tuple(
            FunnelRow(
                value=value,
                n_reached=counts,
                conversion=(
                    None,
                    *(estimate(b / a, 0.04, scale="share") for a, b in itertools.pairwise(counts)),
                ),
            )
            for value, counts in (
                ("organic", (1400, 1190, 860, 610, 500, 200)),
                ("paid", (1000, 640, 410, 280, 220, 90)),
                ("partner", (700, 588, 432, 314, 241, 102)),
            )
        ),
        p_adjusted=(None, 0.0003, 0.4, 1.0, 1.0, None),
        differs_at=('csv_uploaded or "Salesforce Connected"',),
        sentence="The first step differs: 64 % of paid go on, against 85 % of organic.",
    ),
    Funnel(
        segment="plan",
        rows=(
            FunnelRow(
                value="team",
                n_reached=(1600, 1250, 880, 620, 500, 210),
                conversion=(None,) * 6,
            ),
            FunnelRow(
                value="solo",
                n_reached=(1500, 1168, 822, 584, 461, 182),
                conversion=(None,) * 6,
            ),
        ),
        p_adjusted=(None, 1.0, 1.0, 1.0, 1.0, None),
        differs_at=(),
        sentence="No step differs by plan beyond noise.",
    ),
)


def curve(label: str, hazard: float) -> SurvivalCurve:
    days = tuple(float(day) for day in range(0, 181, 3))
    survival = tuple((1 - hazard) ** day for day in days)
    at_risk_days = (0.0, 45.0, 90.0, 135.0, 180.0)
    return SurvivalCurve(
        label=label,
        days=days,
        survival=survival,
        ci_lower=tuple(s - 0.0002 * d for s, d in zip(survival, days, strict=True)),
        ci_upper=tuple(min(1.0, s + 0.0002 * d) for s, d in zip(survival, days, strict=True)),
        at_risk_days=at_risk_days,
        at_risk=tuple(int(1500 * (1 - hazard) ** day * (1 - day / 400)) for day in at_risk_days),
    )


VERDICTS = {
    "found": Verdict(
        status="found",
        milestone="report_shared >= 3 within 7d by 2 users",
        sentence="“report_shared >= 3 within 7d by 2 users” separates accounts that stay from accounts that leave.",
        reasons=("Its adjusted score is 4.6; anything beyond 3.9 is unlikely by chance.",),
        minimum_detectable=0.041,
    ),
    "lead": Verdict(
        status="lead",
        milestone="report_shared >= 3 within 7d by 2 users",
        sentence="A lead, not yet a finding: “report_shared >= 3 within 7d by 2 users” separates accounts that stay "
        "from accounts that leave, beyond how busy they are anyway.",
        reasons=(
            "Its adjusted score is 4.6; anything beyond 3.9 is unlikely by chance among the 1,204 rules searched.",
            "It has not been confirmed on accounts that took no part in choosing it.",
        ),
        minimum_detectable=0.041,
    ),
    "none": Verdict(
        status="none",
        milestone=None,
        sentence="These data do not support a first value moment among the behaviours that were searched.",
        reasons=("None of 1,204 rules stands out once the search is accounted for.",),
        minimum_detectable=0.052,
        accounts_needed=9800,
    ),
    "insufficient": Verdict(
        status="insufficient",
        milestone=None,
        sentence="These data cannot say whether there is a first value moment: only 61 accounts have a known outcome.",
        reasons=("Only 61 accounts have a known outcome.",),
    ),
}

OUTCOME = OutcomeSummary(
    kind="retained",
    stayed="was still a customer 90 days after signup",
    left="had left by day 90",
    inferred=True,
    by_day=90,
    active_days=None,
    window_days=14,
    has_departures=True,
)

POPULATION = Population(
    accounts=4210,
    excluded=38,
    before_log=310,
    not_observed_to_landmark=122,
    decided_before_landmark=633,
    landmark=3100,
    mature=2874,
    retained=1412,
    base_rate=1412 / 2874,
    unusable=7,
)

SETTINGS = {
    "events": {"from": "export/events.parquet", "account": "account_id", "event": "event"},
    "outcome": {"kind": "retained", "by_day": 90, "active_days": [21, 28]},
    "candidates": {"window_days": 14, "at_least": [1, 2, 3, 5, 10], "min_reach": 0.05},
    "inference": {"alpha": 0.05, "seed": 0, "minimum_effect": 0.03},
}


def study(status: str = "lead", names: tuple[str, ...] = PLAIN_NAMES, **changes: Any) -> StudyResult:
    """Build a result; `names` become the events, `changes` replace whole fields."""
    supported = status in ("found", "lead")
    word = VERDICTS[status]
    if supported:
        word = dataclasses.replace(
            word,
            milestone=f"{names[0]} >= 3 within 7d by 2 users",
            sentence=word.sentence.replace("report_shared", names[0]),
        )
    ranking = [family(place, name) for place, name in enumerate(names, start=1)]
    if supported:
        ranking[0] = family(1, names[0], status=status, warnings=(Caution.NON_PROPORTIONAL,))
    ranking.append(unknown_family(len(names) + 1, "never_converged"))
    for apart, event in (
        ("outcome_adjacent", "subscription_upgraded"),
        ("at_signup", "signed_up"),
        ("passive", "badge"),
    ):
        ranking.append(family(None, event, status=apart, reason=f"{event} is {apart}."))
    values: dict[str, Any] = {
        "verdict": word,
        "population": POPULATION,
        "outcome": OUTCOME,
        "ranking": tuple(ranking),
        "ladders": (ladder((*names[1:4], names[0])),) if supported else (),
        "quality": (
            QualityFinding(
                code="duplicates_kept",
                severity="info",
                message="12 rows are equal.",
                count=12,
                share=0.0004,
                examples=(),
                remedy="Name the id column.",
            ),
            QualityFinding(
                code="events_before_signup",
                severity="warning",
                message="604 events lie before their account's signup.",
                count=604,
                share=0.003,
                examples=("a19", names[0]),
                remedy="Check the time zone of the signup column.",
            ),
            QualityFinding(
                code="unknown_accounts",
                severity="error",
                message="37 events have an account that is missing from accounts.",
                count=37,
                share=None,
                examples=("a22",),
                remedy="Add these accounts, or remove their events.",
            ),
        ),
        "recognised": (
            RecognisedColumn(
                table="events", role="account", column="account_id", source="recognised", reason="named like an account"
            ),
            RecognisedColumn(table="accounts", role="seats", column=None, source="not found", reason="no such column"),
        ),
        "second_opinion": tuple(
            SecondOpinion(rank=place, family=name, milestone=f"{name} >= 2 within 7d", sign="+" if place % 2 else "-")
            for place, name in enumerate(names, start=1)
        ),
        "curves": (curve(f"reached {names[0]}", 0.002), curve(f"did not reach {names[0]}", 0.006)),
        "searched": 1204,
        "settings": SETTINGS,
        "provenance": Provenance(
            version="0.1.0",
            spec_sha256="a" * 64,
            input_sha256="b" * 64,
            seed=0,
            seconds=12.3,
            events_rows=1_204_331,
            created_at="2025-01-01T00:00:00Z",
        ),
        "candidates": CandidateTable(columns={}),
    }
    return StudyResult(**(values | changes))


SURE: dict[str, Any] = {
    "stability": 0.82,
    "horizon_score": 4.1,
    "composition": estimate(0.062, 0.04),
    "composition_score": 2.9,
    "threshold_score": 2.2,
    "latest": estimate(0.081, 0.09),
    "overlap": 0.64,
    "e_value": 1.74,
    "robustness_value": 0.081,
    "strongest_trait": "company_size",
    "left_over": 0.055,
}

AWAY = (
    "“{}”: those who did it stay 22 points more often than those who did not. Compared with accounts as active, 1 "
    "point [−3, 5] is left: being active at all accounts for it.",
    "“{}”: 18 points more often. Nearly the same accounts do report_shared; beside it, nothing is left.",
    "“{}”: 15 points more often, 12 of them because larger companies do it and stay.",
)


def conjunction(rank: int | None, *names: str, **changes: Any) -> RankedFamily:
    conditions = tuple({"event": name, "at_least": 3, "within_days": 14, "min_users": 1, "where": []} for name in names)
    milestone = " and ".join(f"{name} >= 3 within 14d" for name in names)
    values = {"milestone": milestone, "conditions": conditions, "equivalent": ()}
    return family(rank, " + ".join(sorted(names)), **(values | changes))


def persona(value: str, status: str, **changes: Any) -> Persona:
    """One persona: `found` and `lead` name the first rule of its ranking."""
    named = status in ("found", "lead")
    rule = family(1, "report_shared", status=status if named else "unsupported", adjusted=estimate(0.19, 0.08), **SURE)
    verdict = dataclasses.replace(VERDICTS[status], persona=value, milestone=rule.milestone if named else None)
    values: dict[str, Any] = {
        "persona": value,
        "accounts": 812,
        "verdict": verdict,
        "ranking": (rule,),
        "heterogeneity_p": 0.012,
        "shrunken": estimate(0.142, 0.06),
    }
    return Persona(**(values | changes))


PERSONAS = (
    persona("plan=team", "found"),
    persona("plan=solo", "none", accounts=1204, shrunken=None),
    persona("channel=partner", "insufficient", accounts=96, heterogeneity_p=None, shrunken=None),
    persona("channel=organic", "lead", accounts=1530, heterogeneity_p=0.41),
)


def telling(status: str = "found", **changes: Any) -> StudyResult:
    """Build a result in which every status, a conjunction, clusters, personas and explanations occur."""
    supported = status in ("found", "lead")
    sure = SURE | {"latest": None, "left_over": -0.012} if status == "lead" else SURE
    doubts = (Caution.HIDDEN_TRAIT, Caution.POOR_OVERLAP) if status == "lead" else ()
    first = family(
        1, "report_shared", status=status if supported else "unsupported", warnings=doubts, cluster=1, **sure
    )
    ranking = (
        first,
        family(2, "report_exported", cluster=1, adjusted=estimate(0.08)),
        conjunction(3, "Deal Created", "email_sync_enabled", "first_follow_up_sent", warnings=(Caution.RARE_FLAG,)),
        family(
            4,
            "dashboard_viewed",
            status="habit",
            adjusted=estimate(0.01, 0.04),
            naive_difference=estimate(0.22),
            explained_away=AWAY[0].format("dashboard_viewed"),
            composition_score=0.3,
            warnings=(Caution.FADES,),
        ),
        family(5, "pdf_made", adjusted=estimate(0.002, 0.03), explained_away=AWAY[1].format("pdf_made")),
        conjunction(6, "a", "b", adjusted=estimate(0.03, 0.03), explained_away=AWAY[2].format("a and b")),
        family(
            7,
            "support_ticket_opened",
            status="harm",
            score=-4.9,
            adjusted=estimate(-0.13, 0.06),
            naive_difference=estimate(0.02, 0.05),
            reason="Accounts that did it left more often than comparably active accounts that did not.",
        ),
        family(None, "commit", status="volume_axis", reason="It is the sum of file_added and file_changed."),
        family(None, "subscription_upgraded", status="outcome_adjacent", reason="It belongs to the decision."),
        family(None, "signed_up", status="at_signup", reason="It happens within five minutes of signup."),
        family(None, "badge", status="passive", reason="It happens to the account."),
        family(None, "rare_thing", reason="Too few accounts did it, or too few did not, to compare them."),
    )
    values: dict[str, Any] = {
        "ranking": ranking,
        "personas": PERSONAS if status != "insufficient" else (),
        "adjusted_for": ("plan", "company_size", "signup date"),
        "score_model": "cox",
        "ladders": ladders() if supported else (),
    }
    return study(status, **(values | changes))


def ladders() -> tuple[Ladder, ...]:
    """A full ladder, one to a lead, and one for a persona with routes and without pictures of times or paths."""
    personal = ladder(("csv_uploaded", "report_shared"), 2, persona="plan=team", days=())
    return (full_ladder(), personal, branching_ladder(3))


def for_one_persona() -> StudyResult:
    """Build a result whose finding holds for one persona alone."""
    steps = dataclasses.replace(study().ladders[0], persona="plan=team")
    return telling("none", verdict=PERSONAS[0].verdict, ladders=(steps,))


def of_aggregates(status: str = "found") -> StudyResult:
    """Build a result that goes on from aggregates, which hold nothing that ladders ask."""
    told = QualityFinding(
        code="aggregates_only",
        severity="info",
        message="The study goes on from aggregates of 900 events.",
        count=900,
        share=1.0,
        examples=(),
        remedy="Nothing to do.",
    )
    return study(status, ladders=(), quality=(told,))


def bare(status: str = "insufficient") -> StudyResult:
    """A result in which everything that may be empty is empty."""
    nobody = dict.fromkeys((f.name for f in dataclasses.fields(Population)), 0) | {"base_rate": None}
    return study(
        verdict=VERDICTS[status],
        population=Population(**nobody),
        ranking=(),
        ladders=(),
        quality=(),
        recognised=(),
        second_opinion=(),
        curves=(),
        searched=0,
        settings={},
    )
