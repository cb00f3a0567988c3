"""The ladder as stages beside benchmarks, and as a measurement plan."""

from __future__ import annotations

from discovery import wording
from discovery.export.worksheet.phrases import (
    at_rung,
    in_words,
    listed,
    milestone_rung,
    quoted,
    sentence,
    share,
    window_days,
)
from discovery.export.worksheet.rows import WorksheetRow, WorksheetSection, as_advice, for_team, from_data
from discovery.results import Ladder, Rung, Stage, StudyResult

_STATUS = {
    "met": "Benchmark reached.",
    "below": "Below the benchmark.",
    "problem": "Far below the benchmark.",
    "unknown": "Not known.",
}
_TIME_TO_VALUE = {
    "plg": "self-serve products: minutes to hours",
    "sales": "inside sales: 1 to 7 days",
    "enterprise": "enterprise: 2 to 8 weeks",
}


def stages(ladder: Ladder) -> WorksheetSection:
    """Read the ladder as setup, aha and habit, with the advice of the literature marked as such."""
    rows: list[WorksheetRow] = []
    for stage in ladder.stages:
        rows += from_data(f"{stage.name.capitalize()}, within {wording.days(stage.target_days)}", *_stage(stage))
        rows += [as_advice(f"To try for {stage.name}", sentence(text)) for text in stage.advice]
    return WorksheetSection(title="Setup, aha and habit", rows=tuple(rows))


def measurement_plan(result: StudyResult, ladder: Ladder) -> WorksheetSection:
    """Say what to count: the funnel, one primary metric with today's value, secondary metrics, segments."""
    steps = [f"({place}) {_step(result, ladder, rung)}" for place, rung in enumerate(_ladder_steps(ladder), start=1)]
    within = wording.days(_measured_within(result, ladder))
    primary = (
        f"Activation rate: the share of signups that reach the milestone within {within} of signup, by signup cohort."
    )
    return WorksheetSection(
        title="Measurement plan",
        rows=(
            *from_data("Funnel steps", sentence("; ".join(steps))),
            *from_data("Primary metric", primary, _today(result, ladder)),
            *from_data("Secondary metrics", *_secondary(ladder)),
            *from_data("Biggest loss", biggest_loss(ladder)),
            *from_data("Segments", *_segments(ladder)),
            as_advice("Time to first value", _time_to_value(result)),
            *for_team("Target for the primary metric, and by when", "Who looks at these numbers, and how often"),
        ),
    )


def _stage(stage: Stage) -> list[str]:
    said = [_STATUS[stage.status], sentence(stage.sentence)]
    if stage.reached.estimate is not None:
        said.append(f"Measured: {share(stage.reached)} of {wording.count(stage.reached.n_accounts)} signups.")
    if wording.clean(wording.percent(stage.benchmark)) not in wording.clean(stage.sentence):
        limit = wording.percent(stage.floor)
        said.append(f"Practitioners expect {wording.percent(stage.benchmark)}, and see a problem below {limit}.")
    return said


def _ladder_steps(ladder: Ladder) -> list[Rung]:
    return [rung for rung in ladder.rungs if rung.role != "habit"]


def _step(result: StudyResult, ladder: Ladder, rung: Rung) -> str:
    own = f", {in_words(rung.milestone, result)}" if rung.role == "milestone" else ""
    return at_rung(ladder, rung.milestone) + own


def _measured_within(result: StudyResult, ladder: Ladder) -> float:
    """Return the days within which the milestone was counted: those of the stage, else of the rule itself."""
    aha = next((stage for stage in ladder.stages if stage.name == "aha"), None)
    if aha and aha.milestone == ladder.milestone and aha.reached.estimate is not None:
        return min(aha.target_days, result.outcome.window_days)
    return window_days(ladder.milestone, result)


def _today(result: StudyResult, ladder: Ladder) -> str:
    aha = next((stage for stage in ladder.stages if stage.name == "aha"), None)
    if aha and aha.milestone == ladder.milestone and aha.reached.estimate is not None:
        return (
            f"Today: {share(aha.reached)} of {wording.count(aha.reached.n_accounts)} signups within "
            f"{wording.days(_measured_within(result, ladder))}."
        )
    top = milestone_rung(ladder)
    if top is None:
        return ""
    return (
        f"Today: {wording.percent(top.reach)} of the {wording.count(top.n_accounts)} accounts that were still there "
        f"after {result.outcome.window_days} days; the share of all signups is not known here."
    )


def _secondary(ladder: Ladder) -> list[str]:
    said = []
    top = milestone_rung(ladder)
    if top and top.median_days is not None:
        said.append(f"Median time to first value, of those that reach it: {wording.days(top.median_days)} today.")
    steps = [rung for rung in _ladder_steps(ladder) if rung.step_conversion is not None]
    if steps:
        rates = (f"{at_rung(ladder, rung.milestone)} {wording.percent(rung.step_conversion)}" for rung in steps)
        said.append(f"Share that goes on to each step, of those at the step before: {'; '.join(rates)}.")
    said += [
        f"Team habit above it: {wording.percent(rung.reach)} of {wording.count(rung.n_accounts)} accounts."
        for rung in ladder.rungs
        if rung.role == "habit"
    ]
    return said


def biggest_loss(ladder: Ladder) -> str:
    """Say at which step most accounts stop; empty where none do."""
    steps = [rung for rung in _ladder_steps(ladder) if rung.step_conversion is not None and rung.dropped > 0]
    if not steps:
        return ""
    weakest = max(steps, key=lambda rung: rung.dropped)
    before = ladder.rungs[ladder.rungs.index(weakest) - 1]
    lost = wording.percent(1 - (weakest.step_conversion or 0.0))
    way = f"From {at_rung(ladder, before.milestone)} to {at_rung(ladder, weakest.milestone)}"
    return f"{way}: {wording.count(weakest.dropped)} accounts ({lost}) stop there."


def _segments(ladder: Ladder) -> list[str]:
    if not ladder.funnels:
        return []
    said = [f"Read it by {listed([quoted(funnel.segment, 40) for funnel in ladder.funnels])}."]
    differing = [funnel for funnel in ladder.funnels if funnel.differs_at]
    for funnel in differing:
        places = listed([at_rung(ladder, text) for text in funnel.differs_at])
        said.append(f"{quoted(funnel.segment, 40)} differs beyond noise on the way to {places}.")
    if not differing:
        said.append("No step differs beyond noise.")
    return said


def _time_to_value(result: StudyResult) -> str:
    motion = str(result.settings.get("product", {}).get("motion", ""))
    usual = _TIME_TO_VALUE.get(motion) or "; ".join(_TIME_TO_VALUE.values())
    return f"What practitioners give for {usual}. Past 90 days they see a churn risk."
