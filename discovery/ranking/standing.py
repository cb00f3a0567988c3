"""The standing of a family: what it must show to be found, and why it falls short."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from discovery.ranking.evidence import Evidence
from discovery.ranking.wording import interval, points
from discovery.results import FamilyStatus
from discovery.spec import StudySpec

NO_MILESTONE = ("vanity", "risk")
"""Kinds of event that the user has said stand for no value; they are ranked, and never a lead."""
STEADY = 0.6
"""Share of the half-samples that a finding must win."""
COMPOSITION_Z = 1.645
"""One test, one-sided 5 %."""
THRESHOLD_Z = 2.6
"""One test, one-sided .5 %, since the rule was chosen for its score: what only a threshold explains."""
KEPT_SHARE = 2 / 3
"""A difference that loses less than a third to all the activity that was measured would need something unmeasured
twice as strong as that to lose the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A family's status, the one sentence that says why, and the checks of a finding that it fails."""

    status: FamilyStatus
    reason: str | None = None
    short_of: tuple[str, ...] = ()


def standing(best: int, kind: str | None, evidence: Evidence, spec: StudySpec) -> Standing:
    """Return the standing of a family by its best candidate."""
    score, bound = float(evidence.score[best]), float(evidence.bound[best])
    if score < -bound:
        return Standing(
            status="harm",
            reason=f"Accounts that did it {_WORSE[evidence.outcome]} than comparably active accounts that did not.",
        )
    if not score > bound:
        return Standing(status="habit", reason=_HABIT) if is_habit(best, evidence) else Standing(status="unsupported")
    if kind in NO_MILESTONE:
        return Standing(
            status="unsupported", reason=f"It stands out, but you named it {kind}, so it stands for no value."
        )
    least = spec.inference.minimum_effect
    held_out = evidence.held_out.get(int(evidence.candidates.family_of[best]))
    if held_out is not None and held_out.ci_upper < least:
        return Standing(
            status="unsupported",
            reason=f"It stands out, but by less than {100 * least:g} points: too little to matter.",
        )
    if not evidence.composition_score[best] > COMPOSITION_Z:
        return Standing(status="habit", reason=_HABIT)
    short_of = tuple(_short_of(best, evidence, spec))
    return Standing(status="lead" if short_of else "found", reason=None, short_of=short_of)


_HABIT = (
    "It separates, but no more than any activity would: with as many actions, on as many days, as recently, accounts "
    "did as well without it."
)


_WORSE = {
    "retained": "left more often",
    "active": "were less often active later",
    "converted": "converted less often",
}


def is_habit(rule: int, evidence: Evidence) -> bool:
    """Tell whether a rule stands out only until the same amount of activity is compared."""
    return bool(
        evidence.outcome == "active"
        and evidence.activity_score[rule] > evidence.bound[rule]
        and not evidence.score[rule] > evidence.bound[rule]
    )


def _short_of(best: int, evidence: Evidence, spec: StudySpec) -> list[str]:
    """Return what keeps a lead from being a finding, in sentences."""
    family = int(evidence.candidates.family_of[best])
    return [
        sentence
        for sentence in (
            _steadiness(family, evidence),
            _held_out(family, evidence, spec),
            _horizon(best, evidence),
            _hidden(best, evidence),
            _traits(best, evidence),
        )
        if sentence
    ]


def _steadiness(family: int, evidence: Evidence) -> str | None:
    wins = float(evidence.wins[family])
    if wins >= STEADY:
        return None
    return (
        f"It comes first in {100 * wins:.0f} % of random halves of the accounts; "
        f"a finding comes first in at least {100 * STEADY:.0f} %."
    )


def _held_out(family: int, evidence: Evidence, spec: StudySpec) -> str | None:
    effect, least = evidence.held_out.get(family), spec.inference.minimum_effect
    if effect is None or not np.isfinite(effect.estimate):
        return "Its difference could not be estimated on accounts that took no part in choosing it."
    if effect.ci_lower > 0 and effect.estimate >= least:
        return None
    shown = f"{points(effect.estimate)} points {interval(effect.ci_lower, effect.ci_upper)}"
    return (
        f"On accounts that took no part in choosing it, the adjusted difference is {shown}: not clear of 0, or below "
        f"the {100 * least:g} points that would matter."
    )


def _horizon(best: int, evidence: Evidence) -> str | None:
    if evidence.model == "logistic" or evidence.horizon_score[best] > 0:
        return None
    return "Over the whole follow-up it goes with staying, on the stated day with leaving: the two disagree."


def _hidden(best: int, evidence: Evidence) -> str | None:
    """Ask whether something hidden could be behind it.

    A hidden trait makes accounts do more of everything, smoothly; what adjusting removes shows how strong it is.
    """
    closer = evidence.closer.get(best)
    if closer is None or closer.threshold_score > THRESHOLD_Z or closer.kept_share >= KEPT_SHARE:
        return None
    return (
        f"Adjusting for activity takes {100 * (1 - closer.kept_share):.0f} % of the difference away, and the exact "
        "threshold does not matter: something unmeasured behind both could explain the rest."
    )


def _traits(best: int, evidence: Evidence) -> str | None:
    if not evidence.has_traits:
        return (
            "No trait of the account was known at signup, so there is nothing to compare an unmeasured trait with. "
            "Name some in accounts.segments."
        )
    closer = evidence.closer.get(best)
    if closer is None:
        return None
    left = closer.robustness.left_over
    if left is None:
        return "Too few accounts to adjust for their traits, so there is nothing to compare an unmeasured one with."
    if left > 0:
        return None
    return f"An unmeasured trait as strong as “{closer.robustness.strongest}” would explain it away."
