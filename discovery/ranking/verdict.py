"""What the study says: a lead, nothing, or not enough to say."""

from __future__ import annotations

import dataclasses
import math

from discovery.errors import Caution
from discovery.estimate import accounts_needed, minimum_detectable
from discovery.ranking.grading import Evidence, Grading
from discovery.results import OutcomeSummary, Population, Verdict
from discovery.spec import StudySpec

MIN_MATURE = 100
MIN_EITHER_OUTCOME = 20
MOSTLY_MATURE = 0.8
"""Below this share of accounts with a known outcome, the verdict says that the others play no part."""
HALF = 0.5
"""Power is stated for a rule that half of the accounts reach, the easiest to see."""
LARGE_DIFFERENCE = 0.25
"""A study that could not even have seen a difference this large has not looked at all."""
_SIDES = {
    "retained": "stay from accounts that leave",
    "active": "are active later from accounts that are not",
    "converted": "convert from accounts that do not",
}


def shortfall(population: Population, summary: OutcomeSummary) -> str | None:
    """Return why these accounts cannot be studied at all, or None if they can."""
    mature, stayed = population.mature, population.retained
    if population.landmark == 0:
        return f"no account was observed up to the end of its observation window{_where_they_went(population)}"
    if mature == 0:
        return "no account has been observed long enough to know what became of it"
    if mature < MIN_MATURE:
        which = "account has" if mature == 1 else "accounts have"
        return f"only {mature:,} {which} a known outcome, and at least {MIN_MATURE} are needed"
    if mature - stayed < MIN_EITHER_OUTCOME:
        return _too_few_of(mature - stayed, mature, summary.left)
    if stayed < MIN_EITHER_OUTCOME:
        return _too_few_of(stayed, mature, summary.stayed)
    return None


def _where_they_went(population: Population) -> str:
    """Name the largest reason for which accounts fell out of the flow."""
    reasons = {
        "signed up before the log began": population.before_log,
        "are too young, or their observation ended": population.not_observed_to_landmark,
        "left before it": population.decided_before_landmark,
        "are marked as internal": population.excluded,
        "have no usable signup time": population.unusable,
    }
    reason, count = max(reasons.items(), key=lambda item: item[1])
    return f" ({count:,} of {population.accounts:,} {reason})" if count else ""


def _too_few_of(count: int, mature: int, words: str) -> str:
    which = f"only {count:,}" if count else "none"
    return f"{which} of {mature:,} accounts {words}, and at least {MIN_EITHER_OUTCOME} are needed"


def insufficient(reason: str) -> Verdict:
    """Return the verdict of a study that could not be made."""
    return Verdict(
        status="insufficient",
        milestone=None,
        sentence=f"These data cannot say whether there is a first value moment: {reason}.",
        reasons=(reason[0].upper() + reason[1:] + ".",),
    )


def decide(
    evidence: Evidence, grading: Grading, population: Population, summary: OutcomeSummary, spec: StudySpec
) -> Verdict:
    """Turn the grading into a verdict.

    `lead` when the first family lies beyond the bound; `insufficient` when nothing could be searched, or
    when even a difference of 25 points would have gone unseen; `none` otherwise. The smallest difference
    these data could have shown is at 80 % power, for a rule half of the accounts reach.
    """
    alpha, effect = spec.inference.alpha, spec.inference.minimum_effect
    if grading.searched == 0:
        return insufficient(
            f"no event inside the observation window has enough accounts on both sides{_nearest(evidence, grading)}"
        )
    base = population.base_rate or 0.0
    smallest = minimum_detectable(population.mature, base, HALF, alpha, grading.searched)
    needed = accounts_needed(effect, base, HALF, alpha, grading.searched)
    leads = grading.leads
    if leads:
        first = leads[0]
        milestone = str(evidence.conditions[first.best])
        return Verdict(
            status="lead",
            milestone=milestone,
            sentence=(
                f"A lead, not yet a finding: “{milestone}” separates accounts that {_SIDES[summary.kind]}, "
                "beyond the activity that was measured."
            ),
            reasons=(*_lead_reasons(evidence, grading, summary), *_without_outcome(population)),
            minimum_detectable=_finite(smallest),
        )
    seen = _unseen(smallest, population.mature)
    if smallest > LARGE_DIFFERENCE:
        return dataclasses.replace(insufficient(seen), minimum_detectable=_finite(smallest), accounts_needed=needed)
    return Verdict(
        status="none",
        milestone=None,
        sentence="These data do not support a first value moment among the behaviours that were searched.",
        reasons=(
            *_nothing(grading),
            *_without_outcome(population),
            f"A smaller effect may still exist: {seen}.",
        ),
        minimum_detectable=_finite(smallest),
        accounts_needed=needed if needed and needed > population.mature else None,
    )


def _without_outcome(population: Population) -> tuple[str, ...]:
    """Say when many accounts are too young to play a part."""
    young = population.landmark - population.mature
    if young <= (1 - MOSTLY_MATURE) * population.landmark:
        return ()
    return (f"{young:,} of {population.landmark:,} accounts are too young to know, and play no part in the score.",)


def _nearest(evidence: Evidence, grading: Grading) -> str:
    """Name the rule that comes nearest to dividing the accounts, of those that might have been compared."""
    open_to_all = [family.best for family in grading.families if family.status == "unsupported"]
    if not open_to_all:
        return ""
    nearest = min(open_to_all, key=lambda i: abs(evidence.reach[i] - HALF))
    rule = evidence.conditions[nearest]
    return f" (the nearest, “{rule}”, was met by {evidence.reached[nearest]:,} of {evidence.n_landmark:,})"


def _nothing(grading: Grading) -> tuple[str, ...]:
    """Say what stands out although nothing is a lead, or that nothing does."""
    searched = f"{grading.searched:,} rules"
    if not grading.dismissed:
        said = [f"None of {searched} stands out as going with staying once the search is accounted for."]
    else:
        said = [f"“{family.event}”: {family.reason}" for family in grading.dismissed[:3]]
    if grading.harms:
        names = ", ".join(f"“{family.event}”" for family in grading.harms[:3])
        said.append(f"Going with leaving, beyond the bound: {names}.")
    return tuple(said)


def _unseen(smallest: float, mature: int) -> str:
    if not math.isfinite(smallest):
        return f"any difference possible at this base rate would probably have been missed in {mature:,} accounts"
    return (
        f"differences below {100 * smallest:.2g} points would probably have been missed in {mature:,} accounts, "
        "even for a rule that half of them meet"
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _lead_reasons(evidence: Evidence, grading: Grading, summary: OutcomeSummary) -> tuple[str, ...]:
    first = grading.leads[0]
    score = float(evidence.adjusted.score[first.best])
    reasons = [
        f"Its adjusted score is {score:.1f}; anything beyond {grading.critical:.1f} is unlikely by chance "
        f"among the {grading.searched:,} rules searched.",
        "It has not been confirmed on accounts that took no part in choosing it, and hidden differences "
        "between accounts may explain it.",
    ]
    if summary.kind == "active":
        reasons.append(Caution.INERTIA.sentence)
    if len(grading.leads) > 1:
        others = len(grading.leads) - 1
        reasons.append(f"{others} other {'family is' if others == 1 else 'families are'} beyond the bound as well.")
    return tuple(reasons)
