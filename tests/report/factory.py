"""A synthetic `StudyResult` for renderers: every verdict, hostile names, and numbers that are not there."""

from __future__ import annotations

import dataclasses
from typing import Any

from discovery.errors import Caution
from discovery.results import (
    CandidateTable,
    Estimate,
    Ladder,
    OutcomeSummary,
    Population,
    Provenance,
    QualityFinding,
    RankedFamily,
    RecognisedColumn,
    Rung,
    SecondOpinion,
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
        "warnings": (Caution.SAME_ACCOUNTS, Caution.NO_TRAITS),
    }
    return RankedFamily(**(values | changes))


def unknown_family(rank: int | None, name: str, **changes: Any) -> RankedFamily:
    """A family all of whose optional numbers are missing."""
    gone = ("kind", "retained_if_reached", "retained_if_not", "lift", "phi", "odds_ratio", "hazard_ratio")
    gone += ("adjusted_odds_ratio", "score", "p_adjusted", "q_value", "second_opinion_rank", "median_days_to_reach")
    nothing = dict.fromkeys(gone)
    failed = {"adjusted": estimate(None, status="not_converged"), "naive_difference": estimate(None, status="too_few")}
    return family(rank, name, **(nothing | failed | {"equivalent": (), "warnings": (Caution.NOT_CONVERGED,)} | changes))


def ladder(names: tuple[str, ...], rank: int = 1) -> Ladder:
    counts = [3100, 2418, 1702, 1204, 961][: len(names) + 1]
    rungs = [
        Rung(
            milestone="signed up",
            role="baseline",
            reach=1.0,
            n_reached=3100,
            step_conversion=None,
            median_days=0.0,
            dropped=0,
        )
    ]
    for place, name in enumerate(names, start=1):
        top = place == len(names)
        rungs.append(
            Rung(
                milestone=f"{name} >= 3 within 7d by 2 users" if top else name,
                role="milestone" if top else "required",
                reach=counts[place] / 3100,
                n_reached=counts[place],
                step_conversion=counts[place] / counts[place - 1],
                median_days=0.02 * 7**place,
                dropped=counts[place - 1] - counts[place],
                necessity=None if top else 0.93,
                order_share=None if place == 1 else 0.88,
            )
        )
    return Ladder(rank=rank, milestone=rungs[-1].milestone, persona=None, rungs=tuple(rungs))


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
        ranking[0] = family(1, names[0], status=status, warnings=(Caution.SAME_ACCOUNTS, Caution.NON_PROPORTIONAL))
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
