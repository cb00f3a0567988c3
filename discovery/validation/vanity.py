"""Whether the proposal says more than vanity events, and more than any activity at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from discovery import estimate, wording
from discovery.results import Criterion, CriterionStatus, Estimate
from discovery.validation.beside import difference, enough_on_each_side, with_more
from discovery.validation.case import Case, Packed, Rule
from discovery.validation.words import oftener

MOST_EVENTS: Final = 3
"""Vanity events that are held equal, the strongest rule of each; more would hold the milestone's own trace equal."""

_EQUAL: Final = "With as many actions on as many days as recently"


@dataclass(frozen=True, slots=True, kw_only=True)
class Duel:
    """A vanity rule and the proposal beside each other in one model; `lead` is the proposal's less the rule's."""

    rule: Rule
    proposal: float
    vanity: float
    lead: Estimate


def better_than_vanity(case: Case) -> Criterion:
    """Judge what is left of the proposal among accounts alike in vanity events and in any activity at all.

    Passed where it still separates them (lower bound above 0). Failed where that is less than `minimum_effect`, where
    a vanity rule beside it separates clearly better, or, and these decide, where the user calls all its events
    vanity, or an `active` outcome is as frequent without it at equal amount, days and recency of activity.

    Returns
    -------
    Criterion
        Its value is the remaining adjusted difference, in points.
    """
    if not enough_on_each_side(case):
        return _unjudged(
            "Too few accounts reached it, or did not, or stayed, or left, to compare it with vanity events."
        )
    vanity, activity = _strongest(case, case.vanity)[:MOST_EVENTS], _strongest(case, case.actions)
    composition = composition_difference(case)
    if not vanity and not activity and composition is None:
        return _unjudged("There is neither a vanity event nor any other activity to compare it with.")
    if difference(case.null, case.flag, case.alpha).estimate is None:
        return _unjudged("What is held equal anyway already tells who reached it; nothing is left to compare.")
    remaining = difference(with_more(case.null, _flags([*vanity, *activity])), case.flag, case.alpha)
    return _judged(case, remaining, composition, duel(case), vanity)


def composition_difference(case: Case) -> Estimate | None:
    """Return the difference at equal amount, days and recency of activity; None where the outcome is no activity.

    It rests on the accounts that decide.
    """
    if case.composition is None:
        return None
    return difference(case.composition, case.flag[:, case.decides], case.alpha)


def duel(case: Case) -> Duel | None:
    """Set the proposal beside the vanity rule with the largest adjusted difference, both in one model.

    Returns
    -------
    Duel or None
        None where no vanity rule goes with the outcome, or where the two cannot be told apart. The interval of the
        lead answers for the choice among the vanity rules.

    Notes
    -----
    Outcome less its prediction, regressed on both flags less theirs; one HC3 sandwich for both differences.

    References
    ----------
    MacKinnon & White (1985), Journal of Econometrics 29 (HC3).
    """
    if not case.vanity:
        return None
    alone = estimate.adjusted_difference(case.null, _flags(case.vanity)).estimate
    if not (np.nan_to_num(alone) > 0).any():
        return None
    rule = case.vanity[int(np.argmax(np.nan_to_num(alone, nan=-np.inf)))]
    x = estimate.residualised(case.null.design, np.concatenate([case.flag, _flags([rule])]))
    gram = x @ x.T
    if np.linalg.det(gram) <= 1e-6 * max(float(np.prod(np.diag(gram))), 1.0):
        return None
    inverse = np.linalg.inv(gram)
    theta = inverse @ x @ case.null.residual
    basis = np.linalg.qr(case.null.design)[0]
    leverage = (basis**2).sum(axis=1) + np.einsum("in,ij,jn->n", x, inverse, x)
    error = (case.null.residual - theta @ x) / np.maximum(1 - leverage, 1e-3)
    lead = np.array([1.0, -1.0]) @ inverse @ x
    half = estimate.critical_z(case.alpha, len(case.vanity)) * float(np.sqrt(lead**2 @ error**2))
    ahead = float(theta[0] - theta[1])
    return Duel(
        rule=rule,
        proposal=float(theta[0]),
        vanity=float(theta[1]),
        lead=Estimate(
            estimate=ahead,
            ci_lower=ahead - half,
            ci_upper=ahead + half,
            scale="risk difference",
            n_accounts=len(case),
        ),
    )


def _strongest(case: Case, rules: Sequence[Rule]) -> list[Rule]:
    """Return the rule of each event that separates accounts most (|phi|), the strongest event first."""
    stays = case.retained - case.retained.mean()
    strength = {}
    for rule in rules:
        reach = float(rule.met.mean())
        spread = np.sqrt(max(reach * (1 - reach), 1e-12))
        strength[id(rule)] = abs(float(stays @ rule.met)) / spread
    best: dict[str, Rule] = {}
    for rule in sorted(rules, key=lambda rule: -strength[id(rule)]):
        best.setdefault(rule.milestone.family, rule)
    return list(best.values())


def _flags(rules: Sequence[Rule]) -> Packed:
    return np.array([rule.met for rule in rules], dtype=np.uint8)


def _judged(
    case: Case, remaining: Estimate, composition: Estimate | None, against: Duel | None, vanity: Sequence[Rule]
) -> Criterion:
    least, left, lower, upper = case.minimum_effect, remaining.estimate, remaining.ci_lower, remaining.ci_upper

    def criterion(status: CriterionStatus, sentence: str, decides: bool = False) -> Criterion:
        return Criterion(
            name="better than vanity", status=status, sentence=sentence, value=left, unit="points", decides=decides
        )

    if composition is not None and composition.ci_upper is not None and composition.ci_upper < max(least, 1e-9):
        return criterion("fail", f"{_EQUAL}, accounts did about as well without it: {_number(composition)}.", True)
    if _all_vanity(case):
        return criterion("fail", f"It consists of events that you call vanity. {_left(case, remaining, vanity)}.", True)
    if left is None or lower is None or upper is None:
        return criterion("fail", f"It is met by the same accounts as {_named(vanity)}: it says nothing beside that.")
    if against is not None and against.lead.ci_upper is not None and against.lead.ci_upper < 0:
        sentence = (
            f"“{wording.clean(str(against.rule.milestone))}” separates better: side by side it goes with "
            f"{wording.points(against.vanity)}, the proposal with {wording.points(against.proposal)}, "
            f"{_behind(against.lead)} less."
        )
        return criterion("fail", sentence)
    said = _left(case, remaining, vanity)
    if upper < least:
        return criterion("fail", f"{said}: less than the {wording.points(least, plus=False)} that would matter.")
    if lower <= 0:
        return criterion("warn", f"{said}, which is not clear of 0.")
    if composition is None:
        return criterion("pass", f"{said}.")
    clear = composition.ci_lower is not None and composition.ci_lower > 0
    equal = f"{_EQUAL[0].lower()}{_EQUAL[1:]}, by {_number(composition)}"
    return criterion("pass" if clear else "warn", f"{said}; {equal}{'' if clear else ', not clear of 0'}.")


def _left(case: Case, remaining: Estimate, vanity: Sequence[Rule]) -> str:
    guessed = " (vanity by name)" if case.vanity_source == "names" else ""
    alike = f"Among accounts alike in {_named(vanity)}{guessed} and in how busy they are"
    if not vanity:
        alike = "No vanity event is known; among accounts that are equally busy"
    return f"{alike}, those that reached it {oftener(case.outcome, remaining)}"


def _named(rules: Sequence[Rule]) -> str:
    names = [f"“{wording.clean(str(rule.milestone))}”" for rule in rules] or ["other activity"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _behind(lead: Estimate) -> str:
    """Return by how much the proposal trails, with the interval: the lead turned round."""
    value, lower, upper = lead.estimate, lead.ci_lower, lead.ci_upper
    if value is None or lower is None or upper is None:
        return wording.MISSING
    return _number(replace(lead, estimate=-value, ci_lower=-upper, ci_upper=-lower))


def _number(found: Estimate) -> str:
    number, interval = wording.points_estimate(found)
    return f"{number.removeprefix('+')} {interval}".strip()


def _all_vanity(case: Case) -> bool:
    return all(case.kinds.get(event) == "vanity" for event in case.milestone.events)


def _unjudged(sentence: str) -> Criterion:
    return Criterion(name="better than vanity", status="warn", sentence=sentence, judged=False)
