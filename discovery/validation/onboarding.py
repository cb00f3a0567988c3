"""Whether finishing the setup without the proposal retains like never starting it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from discovery import estimate, wording
from discovery.results import Criterion, CriterionStatus, Estimate, OnboardingGroup
from discovery.validation.beside import among, difference, with_more
from discovery.validation.case import Bools, Case, Setup
from discovery.validation.words import oftener

FEWEST: Final = 30
"""Accounts of a group that is shown, and on either side of the comparison that is judged."""
WIDEST: Final = 0.15
"""Half the width of an interval beyond which a group's adjusted difference is not told."""
NAMED: Final = 6
"""Steps of setup that are named."""
NEVER, BEGAN, SHORT = "never began setup", "began setup, did not finish", "did not finish setup"
FINISHED, REACHED = "finished setup, did not reach it", "reached it"


def beyond_onboarding(case: Case) -> tuple[Criterion, tuple[OnboardingGroup, ...]]:
    """Judge what reaching the proposal adds among accounts that finished the setup.

    Passed where the lower bound of the adjusted difference lies above 0, failed where the upper bound lies below
    `minimum_effect`.

    Returns
    -------
    Criterion
        Its value is that difference, in points.
    tuple of OnboardingGroup
        Accounts by how far they came within the observation window, those without the proposal by their setup, the
        least first. `adjusted` is the difference to the first group shown, None for that one; of status "too_few"
        where its interval is wider than fifteen points on either side.
    """
    if case.setup is None or not case.setup.steps:
        return _unjudged(_NO_STEPS), ()
    finished = case.setup.finished < case.window_days
    members = _members(case, case.setup, finished)
    groups = _groups(case, members)
    sides = int((finished & case.met).sum()), int((finished & ~case.met).sum())
    if min(sides) < FEWEST:
        sentence = (
            f"{_steps(case.setup)} Of {wording.count(sum(sides))} accounts that finished setup, "
            f"{wording.count(sides[0])} reached it and {wording.count(sides[1])} did not, too few to tell it from "
            "finishing."
        )
        return _unjudged(sentence), groups
    flag = case.flag
    added = difference(among(case.null, finished, flag), flag[:, finished], case.alpha)
    return _judged(case, case.setup, added, groups), groups


_NO_STEPS: Final = (
    "No steps of setup are known, so it cannot be told apart from finishing them; name them in the spec under [kinds] "
    "setup, or propose a ladder."
)


def _members(case: Case, setup: Setup, finished: Bools) -> dict[str, Bools]:
    """Return the groups that are large enough, the least far first; the first two as one where either is small."""
    begun = (setup.begun | finished) & ~case.met
    never = ~setup.begun & ~finished & ~case.met
    began = begun & ~finished
    members = {NEVER: never, BEGAN: began}
    if min(int(never.sum()), int(began.sum())) < FEWEST:
        members = {SHORT: never | began}
    members |= {FINISHED: finished & ~case.met, REACHED: case.met}
    return {label: accounts for label, accounts in members.items() if int(accounts.sum()) >= FEWEST}


def _groups(case: Case, members: Mapping[str, Bools]) -> tuple[OnboardingGroup, ...]:
    """Describe the groups: each one's difference to the first beside the covariates and the other groups."""
    shown = np.any(list(members.values()), axis=0) if members else np.zeros(len(case), dtype=bool)
    adjusted: dict[str, Estimate] = {}
    later = {label: accounts[None].astype(np.uint8) for label, accounts in list(members.items())[1:]}
    for label, flag in later.items():
        others = [other[:, shown] for name, other in later.items() if name != label]
        null = among(case.null, shown, flag)
        beside = with_more(null, np.concatenate(others)) if others else null
        adjusted[label] = _narrow(difference(beside, flag[:, shown], case.alpha))
    return tuple(
        OnboardingGroup(
            label=label,
            n_accounts=int(accounts.sum()),
            retained=estimate.share(int(case.retained[accounts].sum()), int(accounts.sum()), case.alpha),
            adjusted=adjusted.get(label),
        )
        for label, accounts in members.items()
    )


def _narrow(found: Estimate) -> Estimate:
    """Return an estimate whose interval says something, else one that is not known."""
    if found.ci_lower is None or found.ci_upper is None or found.ci_upper - found.ci_lower <= 2 * WIDEST:
        return found
    return replace(found, estimate=None, ci_lower=None, ci_upper=None, status="too_few")


def _judged(case: Case, setup: Setup, added: Estimate, groups: tuple[OnboardingGroup, ...]) -> Criterion:
    value, lower, upper = added.estimate, added.ci_lower, added.ci_upper
    if value is None or lower is None or upper is None:
        sentence = f"{_steps(setup)} Among accounts that finished it, too little tells apart those that reached it."
        return _unjudged(sentence)
    reached = f"among those that finished, accounts that reached it {oftener(case.outcome, added)}"
    status: CriterionStatus = "pass"
    ending = ""
    if upper < case.minimum_effect:
        status = "fail"
        ending = f", less than the {wording.points(case.minimum_effect, plus=False)} that would matter"
    elif lower <= 0:
        status, ending = "warn", ", which is not clear of 0"
    return Criterion(
        name="adds beyond onboarding",
        status=status,
        sentence=f"{_steps(setup)} {_alone(groups)}; {reached}{ending}.",
        value=value,
        unit="points",
    )


def _alone(groups: tuple[OnboardingGroup, ...]) -> str:
    """Say what finishing setup alone goes with."""
    finished = next((group for group in groups if group.label == FINISHED), None)
    if finished is None or finished.adjusted is None:
        return "Hardly any account left setup unfinished"
    if finished.adjusted.estimate is None:
        return "What finishing setup alone goes with cannot be told with so few accounts"
    against = {NEVER: "never beginning it", BEGAN: "not finishing it", SHORT: "not finishing it"}[groups[0].label]
    number, interval = wording.points_estimate(finished.adjusted)
    return f"Finishing setup alone goes with {number} {interval} against {against}"


def _steps(setup: Setup) -> str:
    """Name the steps, and where they come from."""
    named = ", ".join(f"“{wording.clean(step)}”" for step in setup.steps[:NAMED])
    more = f" and {wording.count(len(setup.steps) - NAMED)} more" if len(setup.steps) > NAMED else ""
    return f"Setup, {_SOURCES[setup.source]}: {named}{more}."


_SOURCES: Final[Mapping[str, str]] = {
    "spec": "as you named it",
    "ladder": "the rungs of your ladder",
    "path": "as found in the log",
}


def _unjudged(sentence: str) -> Criterion:
    return Criterion(name="adds beyond onboarding", status="warn", sentence=sentence, judged=False)
