"""What may be claimed of a past test, and the sentence that says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from discovery import wording
from discovery.experiment.arms import Arms
from discovery.experiment.phrases import STAY, STAYING, named, with_interval
from discovery.experiment.spillover import Spillover
from discovery.results import Estimate

Fault = Literal["nobody yet", "sample ratio", "not alike", "too few", "left early", "nothing varies"]
Claims = Literal["complier", "intention to treat", "nothing"]

STRONG = 10
"""F of the first stage below which an instrument counts as weak (Staiger & Stock 1997, Econometrica 65)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The numbers of one sound comparison.

    `bounded` says whether the effect among those moved has two bounds, `possible` whether any difference of two shares
    lies between them, `checked` whether side effects would have been noticed, `lasting` whether a difference is as
    clear once accounts that left early are counted in.
    """

    arms: Arms
    milestone_moved: bool
    bounded: bool
    possible: bool
    first: Estimate
    f: float
    itt: Estimate
    itt_differs: bool
    complier: Estimate | None
    widened: bool
    spilled: Spillover
    checked: bool
    lasting: bool
    outcome: Literal["retained", "active", "converted"]

    @property
    def claims(self) -> Claims:
        """What the numbers allow."""
        read = self.milestone_moved and self.bounded and self.possible and self.lasting
        return "complier" if read and self.checked and not self.spilled.material else "intention to treat"


def said_of_reading(reading: Reading) -> str:
    """Say what the test shows, and on what that rests."""
    if not reading.milestone_moved:
        return (
            f"{named(reading.arms.variant)} did not clearly move how many accounts reach the milestone "
            f"({with_interval(reading.first)}), so the test says nothing about it. {_whole(reading)}"
        )
    moved = (
        f"{named(reading.arms.variant)} moved reaching the milestone by {with_interval(reading.first)} against "
        f"{named(reading.arms.control)}"
    )
    if reading.claims == "complier" and reading.complier is not None:
        among = _among_moved(reading, reading.complier)
        return f"{moved} and {_staying(reading)} by {with_interval(reading.itt)}. {among}"
    if not reading.bounded:
        return f"{moved}, too little to say what that meant for the accounts it moved. {_whole(reading)}"
    if not reading.possible:
        return (
            f"{moved}, and {_staying(reading)} by more than that could explain: it acted in another way as well, so it "
            f"is judged as a whole. {_whole(reading)}"
        )
    if not reading.lasting:
        return (
            f"{moved}, but its arms lost accounts before the comparison began, and with those counted in the "
            f"difference is not clear, so it is judged as a whole. {_whole(reading)}"
        )
    return f"{moved}, but {_not_alone(reading)} {_whole(reading)}"


def said_of_fault(arms: Arms, fault: Fault, ratio_p: float) -> str:
    """Say why the test claims nothing."""
    control, variant = arms.assigned
    match fault:
        case "nobody yet":
            sizes = (arms.control, control), (arms.variant, variant)
            empty = " or ".join(named(arm) for arm, size in sizes if not size)
            return (
                f"No account of {empty} that signed up during the test has a known outcome yet, so there is nothing to "
                "compare."
            )
        case "sample ratio":
            return (
                f"{wording.count(variant)} accounts were assigned {named(arms.variant)} and {wording.count(control)} "
                f"{named(arms.control)}, where {wording.percent(arms.share)} of them were to get the variant "
                f"({wording.p_value(ratio_p)}): some were lost or the split was not the planned one, so the test "
                "claims nothing. If the plan was another one, give its shares."
            )
        case "not alike":
            return (
                f"The accounts with {named(arms.variant)} differ from those with {named(arms.control)} in what was "
                "known when they signed up, by more than chance: this was no random split of them (or its dates are "
                "missing from the spec), so it claims nothing."
            )
        case "left early":
            return (
                f"Of the accounts with {named(arms.variant)} {wording.percent(arms.early[1] / variant)} left (or "
                f"converted) before the landmark, of those with {named(arms.control)} "
                f"{wording.percent(arms.early[0] / control)}: those that remain are no longer alike by chance, so the "
                "test claims nothing here."
            )
        case "too few":
            return (
                f"Only {wording.count(arms.judged[1])} accounts with {named(arms.variant)} and "
                f"{wording.count(arms.judged[0])} with {named(arms.control)} have a known outcome: too few to say."
            )
    return f"In the arms of {named(arms.variant)} and {named(arms.control)} nothing varies that could be compared."


def _among_moved(reading: Reading, effect: Estimate) -> str:
    stay, (value, interval) = STAY[reading.outcome], wording.points_estimate(effect)
    weak = f" (it moved few: F = {wording.decimal(reading.f)})" if reading.f < STRONG else ""
    wide = ", the interval widened for several comparisons" if reading.widened else ""
    return (
        f"Among the accounts that it moved{weak} that is {value} {interval}{wide}. This holds only if the variant "
        f"helped accounts {stay} through the milestone and in no other way: {_none_moved(reading.spilled)}."
    )


def _none_moved(spilled: Spillover) -> str:
    unseen = f"a difference below {wording.points(spilled.unseen, plus=False)} could have gone unnoticed"
    if spilled.families:
        largest = spilled.families[0]
        return (
            f"of {wording.count(spilled.looked)} other behaviours {len(spilled.families)} differed a little between "
            f"the arms (most {named(largest.milestone)}, {wording.points(largest.difference.estimate)}), and {unseen}"
        )
    if spilled.looked == 1:
        return f"the one other behaviour in the log did not clearly differ between the arms, but {unseen}"
    return (
        f"none of {wording.count(spilled.looked)} other behaviours clearly differed between the arms, but {unseen}, "
        "and nothing is known of what the log does not hold"
    )


def _not_alone(reading: Reading) -> str:
    material = reading.spilled.material
    if material:
        shown = ", ".join(f"{named(f.milestone)} ({wording.points(f.difference.estimate)})" for f in material[:3])
        more = f" and {len(material) - 3} more" if len(material) > 3 else ""
        return (
            f"other behaviours as well, or a part of it further than the whole: {shown}{more}. Some may only follow "
            "the milestone; the log cannot tell that from another way in which the variant helped, so it is judged as "
            "a whole."
        )
    if reading.spilled.unseen is None:
        return "the log holds no other behaviour to see what else it moved, so it is judged as a whole."
    return (
        "differences as large as that in other behaviours could have gone unnoticed "
        f"(below {wording.points(reading.spilled.unseen, plus=False)}), so it is judged as a whole."
    )


def _whole(reading: Reading) -> str:
    clear = "" if reading.itt_differs else ", not clear of chance"
    return f"As assigned, {_staying(reading)} differs by {with_interval(reading.itt)}{clear}."


def _staying(reading: Reading) -> str:
    return STAYING[reading.outcome]
