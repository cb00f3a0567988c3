"""What to do after a validation, and what more data would tell: the words of the page and of the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from discovery import wording
from discovery.export.plan import unplanned
from discovery.ranking import MIN_MATURE, MORE_OR_LONGER
from discovery.results import PastExperiment, Proposal

NEARLY_ALL: Final = 0.95
"""Reach from which on too few accounts are left to compare with, however many sign up."""

Part = Literal["", "truth", "plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A piece of advice; `part` is the part of the report on this proposal that it refers to, if any."""

    text: str
    part: Part = ""


def next_step(proposal: Proposal, judged: int) -> tuple[Said, ...]:
    """Return what to do next, in pieces that make one text.

    Parameters
    ----------
    proposal
        One proposal.
    judged
        Accounts with a known outcome, of all that were validated.
    """
    if not proposal.n_described:
        return (Said(text=_come_back(judged)),)
    if proposal.verdict == "holds":
        return (*_built_on(proposal), *_look_first(proposal))
    if proposal.verdict == "does not hold":
        return (_dropped(proposal),)
    if proposal.decided_by == "experiment":
        return (
            Said(text="A past test contradicts it. Do not build on it until a "),
            Said(text="larger test", part="plan" if _planned(proposal) else ""),
            Said(text=" says otherwise: more accounts that nobody assigned to an arm would not settle it."),
        )
    return (Said(text="Neither build on it nor drop it."), *_would_tell(proposal))


def data_would_show(proposal: Proposal, smallest: float | None) -> str:
    """Say what these data could have shown and what is missing; nothing where the proposal holds.

    Parameters
    ----------
    proposal
        One proposal with its `power`.
    smallest
        The smallest difference that matters, as a share.
    """
    power = proposal.power
    if proposal.verdict == "holds":
        return ""
    if proposal.n_described and proposal.reach >= NEARLY_ALL:
        left = wording.percent(1 - proposal.reach)
        return f"Hardly anybody does not reach it ({left}): no amount of data of this kind will help."
    if proposal.decided_by == "experiment":
        return "What is missing is not accounts but a larger test." if proposal.verdict == "not enough data" else ""
    if power.minimum_detectable is None:
        return "These accounts could not have shown a difference of any size."
    seen = wording.points(power.minimum_detectable, plus=False)
    said = f"In these data, four studies in five would notice a difference of {seen}; a smaller one would probably be "
    return f"{said}missed.{_missing(proposal, smallest)}"


def wants_accounts(proposal: Proposal) -> bool:
    """Tell whether more accounts of the same kind are what would settle it."""
    lacking = proposal.verdict == "not enough data" and proposal.decided_by == "difference"
    return lacking and not (proposal.n_described and proposal.reach >= NEARLY_ALL)


def raised(proposal: Proposal) -> PastExperiment | None:
    """Return the past test that decided for the proposal, if its variant as a whole clearly raised staying."""
    test = proposal.deciding_test() if proposal.verdict == "holds" else None
    whole = test.intention_to_treat if test else None
    return test if whole is not None and whole.ci_lower is not None and whole.ci_lower > 0 else None


def _built_on(proposal: Proposal) -> tuple[Said, ...]:
    test = raised(proposal)
    if test is not None and test.intention_to_treat is not None:
        number, interval = wording.points_estimate(test.intention_to_treat)
        variant = wording.shorten(test.variant, 60)
        return (
            Said(
                text=f"“{variant}” raised the share that stays by {number} {interval} as assigned: offer it to "
                f"everybody, and keep a holdout of 10{_NARROW}% to see that it still works. Put the "
            ),
            Said(text="question no log answers", part="truth"),
            Said(text=" to people who know the product."),
        )
    decided = proposal.decided_by == "experiment"
    first = (
        "A past test speaks for it; what it moved then need not move now."
        if decided
        else "It is an association, not a proof."
    )
    return (
        Said(text=f"{first} Put the "),
        Said(text="question no log answers", part="truth"),
        Said(text=" to people who know the product, then "),
        Said(text="run the experiment", part="plan")
        if _planned(proposal)
        else Said(text="test it on a random half of the new accounts"),
        Said(text=" before onboarding is built around it."),
    )


def _look_first(proposal: Proposal) -> tuple[Said, ...]:
    failed = [line.name for line in proposal.criteria if line.judged and line.status == "fail"]
    return (Said(text=f" Look first at what failed: {_listed(failed)}."),) if failed else ()


def _dropped(proposal: Proposal) -> Said:
    if proposal.decided_by == "experiment":
        said = "Do not build onboarding around it: a past test rules out an effect that would matter."
    else:
        deciding = [c.name for c in proposal.criteria if c.judged and c.decides and c.status == "fail"]
        named = [name for name in deciding if name != "predictive"]
        said = "Do not build onboarding around it."
        said += f" It fails what alone decides: {_listed(named)}." if named else ""
    if not proposal.better:
        said += " Nothing beside it is known to do better; ask which event would show the value."
    return Said(text=said)


def _come_back(judged: int) -> str:
    if judged >= MIN_MATURE:
        return MORE_OR_LONGER
    return f"Come back with at least {MIN_MATURE} accounts whose outcome is known ({wording.count(judged)} now)."


def _would_tell(proposal: Proposal) -> tuple[Said, ...]:
    power, plan = proposal.power, proposal.experiment
    if wants_accounts(proposal) and power.accounts_missing:
        more = f" About {wording.count(power.accounts_missing)} more accounts with a known outcome would tell"
        if power.weeks is None:
            return (Said(text=f"{more}."),)
        long = power.weeks >= wording.LONG_WEEKS
        when = (
            f", which takes {wording.lasting(power.weeks)} at the present rate of signups"
            if long
            else f": come back in {wording.lasting(power.weeks)}"
        )
        return (Said(text=f"{more}{when}."),)
    if plan is not None and plan.per_arm is not None:
        return (Said(text=" An "), Said(text="experiment", part="plan"), Said(text=" would tell."))
    if power.accounts_missing == 0:
        return (Said(text=" No accounts are missing; only a planned test would tell."),)
    return (Said(text=" No number of accounts of this kind would tell."),)


def _missing(proposal: Proposal, smallest: float | None) -> str:
    power = proposal.power
    if not wants_accounts(proposal):
        return ""
    if power.accounts_needed is None:
        return " No number of accounts would show the smallest that matters."
    least = wording.points(smallest, plus=False) if wording.known(smallest) else "the smallest difference that matters"
    needed = f" To show {least} takes about {wording.count(power.accounts_needed)} accounts with a known outcome;"
    said = f"{needed} {wording.count(proposal.n_accounts)} are there."
    if power.accounts_missing == 0:
        return f"{said} None is missing."
    if power.accounts_missing is not None:
        waiting = f"; {_waiting(proposal)}" if power.on_their_way else ""
        said += f" {wording.count(power.accounts_missing)} are missing{waiting}."
    elif power.on_their_way:
        said += f" {_waiting(proposal)}."
    if power.weeks:
        return f"{said} At the present rate of signups that is {wording.lasting(power.weeks)} from now."
    return f"{said} When they will be there cannot be told from the signups so far." if power.accounts_missing else said


def _waiting(proposal: Proposal) -> str:
    return f"{wording.count(proposal.power.on_their_way)} have signed up already and wait for their outcome"


def _planned(proposal: Proposal) -> bool:
    return proposal.experiment is not None and not unplanned(proposal)


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


_NARROW: Final = "\u202f"
