"""What the study says: found, a lead, nothing, or not enough to say."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from scipy.special import ndtr

from discovery.estimate import accounts_needed, minimum_detectable
from discovery.milestone import Milestone
from discovery.ranking.evidence import Evidence
from discovery.ranking.grading import GradedFamily, Grading
from discovery.ranking.wording import interval, points
from discovery.results import OutcomeSummary, Persona, Population, Verdict
from discovery.spec import StudySpec

MORE_OR_LONGER = "Come back with more accounts or a longer follow-up."
MIN_MATURE = 100
MIN_EITHER_OUTCOME = 20
MOSTLY_MATURE = 0.8
"""Below this share of accounts with a known outcome, the verdict says that the others play no part."""
HALF = 0.5
"""Power is stated for a rule that half of the accounts reach, the easiest to see."""
DIFFERS_P = 0.01
"""Cochran's p below which a persona's rule is taken to differ from the other values of its segment."""
SURELY_DIFFERS_P = 1e-4
"""The same, where it would take back that a rule holds for everyone."""
LARGE_DIFFERENCE = 0.25
"""A study that could not even have seen a difference this large has not looked at all."""
_WITH = {"retained": "staying", "active": "later activity", "converted": "converting"}
_AGAINST = {"retained": "leaving", "active": "less activity later", "converted": "not converting"}
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
        reasons=(MORE_OR_LONGER,),
    )


def decide(
    evidence: Evidence,
    grading: Grading,
    population: Population,
    summary: OutcomeSummary,
    spec: StudySpec,
    persona: str | None = None,
) -> Verdict:
    """Turn the grading into a verdict.

    `found` when the first family passes every check, `lead` when it lies beyond the bound and fails some;
    `insufficient` when nothing could be searched, or when even a difference of 25 points would have gone unseen;
    `none` otherwise. The smallest difference these data could have shown is at 80 % power, for a rule half of the
    accounts reach.
    """
    effect = spec.inference.minimum_effect
    if not evidence.eligible.any():
        return dataclasses.replace(
            insufficient(
                f"no event inside the observation window has enough accounts on both sides{_nearest(evidence, grading)}"
            ),
            persona=persona,
        )
    tests, base, mature = _effective_tests(evidence, spec.inference.alpha), evidence.base_rate, evidence.n_mature
    smallest = minimum_detectable(mature, base, HALF, spec.inference.alpha, tests)
    needed = accounts_needed(effect, base, HALF, spec.inference.alpha, tests)
    if grading.standing_out:
        return _standing_out(evidence, grading, population, summary, smallest, persona)
    seen = _unseen(smallest, mature)
    if smallest > LARGE_DIFFERENCE:
        verdict = insufficient(seen)
        more = _how_many_more(needed, mature, effect)
        return dataclasses.replace(
            verdict,
            reasons=(*verdict.reasons, *more),
            minimum_detectable=_finite(smallest),
            accounts_needed=needed,
            persona=persona,
        )
    return Verdict(
        status="none",
        milestone=None,
        sentence="These data do not support a first value moment among the behaviours that were searched.",
        reasons=(
            *_nothing(evidence, grading),
            *_without_outcome(population, evidence),
            f"A smaller effect may still exist: {seen}.",
        ),
        persona=persona,
        minimum_detectable=_finite(smallest),
        accounts_needed=needed if needed and needed > mature else None,
    )


def of_all(overall: Verdict, personas: Sequence[Persona]) -> Verdict:
    """Return the verdict of the study: that over all accounts, or a finding that holds for one persona only.

    Where no rule is found over all accounts and the first rule of some persona is, and differs between the values
    of its segment, the persona's finding is the study's. So it is where the rule that is found over all accounts
    stands out for one value alone and the values differ beyond doubt.
    """
    if overall.status == "found":
        alone = [persona for persona in personas if _carries_alone(persona, personas, overall)]
        said = "Over all accounts it separates too, but only because of this segment: for no other value does it hold."
    else:
        alone = [persona for persona in personas if _is_found(persona, DIFFERS_P)]
        said = "Over all accounts together no rule is found: it holds for this segment."
    if not alone:
        return overall
    first = max(alone, key=lambda persona: persona.ranking[0].score or 0.0).verdict
    return dataclasses.replace(first, reasons=(*first.reasons, said))


def _is_found(persona: Persona, differs: float) -> bool:
    p = persona.heterogeneity_p
    return persona.verdict.status == "found" and p is not None and p < differs


def _carries_alone(persona: Persona, personas: Sequence[Persona], overall: Verdict) -> bool:
    """Tell whether what is found over all accounts is the doing of one segment value."""
    if not _is_found(persona, SURELY_DIFFERS_P) or _family(persona.verdict) != _family(overall):
        return False
    segment = persona.persona.partition("=")[0]
    others = [p for p in personas if p is not persona and p.persona.partition("=")[0] == segment]
    return bool(others) and all(_family(other.verdict) != _family(overall) for other in others)


def _family(verdict: Verdict) -> str | None:
    return Milestone.parse(verdict.milestone).family if verdict.milestone else None


def _effective_tests(evidence: Evidence, alpha: float) -> int:
    """Return how many independent tests have the same bound as the search, of related ones, had."""
    bound = float(evidence.bound[evidence.eligible].min())
    return max(1, round(alpha / (2 * float(ndtr(-bound))))) if math.isfinite(bound) else max(1, evidence.searched)


def _standing_out(
    evidence: Evidence,
    grading: Grading,
    population: Population,
    summary: OutcomeSummary,
    smallest: float,
    persona: str | None,
) -> Verdict:
    first = grading.standing_out[0]
    milestone = str(evidence.candidates.milestones[first.best])
    who = f"Among accounts with {persona.replace('=', ' = ')}, “{milestone}”" if persona else f"“{milestone}”"
    separates = f"{who} separates accounts that {_SIDES[summary.kind]}"
    if first.status == "found":
        sentence = f"{separates}{_held_out_words(evidence, first)}."
        reasons = _found_reasons(evidence, first, persona)
    else:
        begins = separates[0].lower() if persona else separates[0]
        sentence = f"A lead, not a finding: {begins}{separates[1:]}, but it does not pass every check."
        reasons = (_score_reason(evidence, first, persona), *first.short_of)
    return Verdict(
        status="found" if first.status == "found" else "lead",
        milestone=milestone,
        sentence=sentence,
        reasons=(*reasons, *_others(grading), *_without_outcome(population, evidence)),
        persona=persona,
        minimum_detectable=_finite(smallest),
    )


def _held_out_words(evidence: Evidence, family: GradedFamily) -> str:
    effect = evidence.held_out[family.place]
    return (
        f" by {points(effect.estimate)} points {interval(effect.ci_lower, effect.ci_upper)} "
        "among comparably active accounts"
    )


def _score_reason(evidence: Evidence, family: GradedFamily, persona: str | None) -> str:
    score, bound = float(evidence.score[family.best]), float(evidence.bound[family.best])
    where = "in all segments together" if persona else f"among the {evidence.searched:,} rules searched"
    return f"Its adjusted score is {score:.1f}; {where}, chance alone stays below {bound:.1f}."


def _found_reasons(evidence: Evidence, family: GradedFamily, persona: str | None) -> tuple[str, ...]:
    naive = float(evidence.separation.difference[family.best])
    effect = evidence.held_out[family.place]
    reasons = [
        _score_reason(evidence, family, persona),
        f"Unadjusted, it separates by {points(naive)} points; {points(effect.estimate)} points "
        f"{interval(effect.ci_lower, effect.ci_upper)} remain at equal activity, on accounts that took no "
        "part in choosing the rule.",
        f"It comes first in {100 * float(evidence.wins[family.place]):.0f} % of random halves of the accounts.",
    ]
    closer = evidence.closer.get(family.best)
    if closer and closer.robustness.strongest and closer.robustness.left_over is not None:
        reasons.append(
            f"Something unmeasured as strong as “{closer.robustness.strongest}” would leave "
            f"{points(closer.robustness.left_over)} points of it."
        )
    reasons.append("This is an association in past accounts: an experiment is what would prove it.")
    return tuple(reasons)


def _others(grading: Grading) -> tuple[str, ...]:
    others = len(grading.standing_out) - 1
    if others < 1:
        return ()
    return (f"{others} other {'family is' if others == 1 else 'families are'} beyond the bound as well.",)


def _without_outcome(population: Population, evidence: Evidence) -> tuple[str, ...]:
    """Say when many accounts are too young to play a full part."""
    young = population.landmark - population.mature
    if young <= (1 - MOSTLY_MATURE) * population.landmark:
        return ()
    part = "count for as long as they were seen" if evidence.model == "cox" else "play no part in the score"
    return (f"{young:,} of {population.landmark:,} accounts are too young to know, and {part}.",)


def _nearest(evidence: Evidence, grading: Grading) -> str:
    """Name the rule that comes nearest to dividing the accounts, of those that might have been compared."""
    open_to_all = [family.best for family in grading.having("unsupported")]
    if not open_to_all:
        return ""
    candidates = evidence.candidates
    nearest = min(open_to_all, key=lambda i: abs(candidates.reach[i] - HALF))
    rule = candidates.milestones[nearest]
    return f" (the nearest, “{rule}”, was met by {candidates.reached[nearest]:,} of {candidates.n_accounts:,})"


def _nothing(evidence: Evidence, grading: Grading) -> tuple[str, ...]:
    """Say what stands out although nothing is a lead, or that nothing does."""
    said = [f"“{family.name}”: {family.reason}" for family in grading.dismissed[:3]]
    habits = grading.having("habit")
    if habits:
        names = ", ".join(f"“{evidence.candidates.milestones[family.best]}”" for family in habits[:3])
        said.append(f"Separating no more than any activity would: {names}.")
    if not said:
        said = [
            f"None of {evidence.searched:,} rules stands out as going with {_WITH[evidence.outcome]} once the search "
            "is accounted for."
        ]
    harms = grading.having("harm")
    if harms:
        names = ", ".join(f"“{family.name}”" for family in harms[:3])
        said.append(f"Going with {_AGAINST[evidence.outcome]}, beyond the bound: {names}.")
    return tuple(said)


def _unseen(smallest: float, mature: int) -> str:
    if not math.isfinite(smallest):
        return f"any difference possible at this base rate would probably have been missed in {mature:,} accounts"
    return (
        f"differences below {100 * smallest:.2g} points would probably have been missed in {mature:,} accounts, "
        "even for a rule that half of them meet"
    )


def _how_many_more(needed: int | None, mature: int, effect: float) -> tuple[str, ...]:
    if needed is None:
        return ()
    return (
        f"A difference of {points(effect)} points would show in some {needed:,} accounts with a known outcome; "
        f"there are {mature:,}.",
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
