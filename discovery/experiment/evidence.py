"""What past tests together say about a proposal: the line *experimental evidence* of the scorecard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from discovery import wording
from discovery.estimate import normal_quantile
from discovery.experiment.phrases import named, with_interval
from discovery.results import Criterion, CriterionStatus, Estimate, PastExperiment

Says = Literal["supports", "contradicts", "inconclusive", "none"]


_ANY_THRESHOLD = "It speaks for the behaviour, not for this exact threshold: a test moves all thresholds together."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What one test with an effect among those moved says; `decides` alone makes the proposal not hold."""

    test: PastExperiment
    effect: float
    lower: float
    upper: float
    says: Says
    decides: bool
    why: str

    def overlaps(self, other: _Said) -> bool:
        return self.lower <= other.upper and other.lower <= self.upper


def experimental_evidence(
    experiments: Sequence[PastExperiment], adjusted: Estimate, minimum_effect: float
) -> tuple[Criterion | None, Says]:
    """Return the criterion, and whether past tests support or contradict the proposal.

    A test that claims the effect among the accounts it moved outranks the adjusted difference. It *supports* where the
    interval lies above 0 and the effect is at least `minimum_effect`; it *contradicts*, and alone decides, where the
    interval lies below `minimum_effect`; it contradicts without deciding where the interval includes 0 and either
    lies below the adjusted difference, or the effect is nearer to 0 than to that difference, which the test would more
    likely than not have shown. Else it is *inconclusive*, and the adjusted difference stands. Of several the one with
    the narrowest interval speaks first; one that supports beside one that contradicts is a conflict, and nothing then
    holds.

    Parameters
    ----------
    experiments : sequence of PastExperiment
    adjusted : Estimate
        The difference that decides without tests.
    minimum_effect : float

    Returns
    -------
    tuple of (Criterion or None, {"supports", "contradicts", "inconclusive", "none"})
        No criterion without past tests.
    """
    if not experiments:
        return None, "none"
    said = [_said(test, adjusted, minimum_effect) for test in experiments if _has_interval(test)]
    if not said:
        return _without_effect(experiments), "inconclusive"
    said.sort(key=lambda one: (one.upper - one.lower, one.test.column, one.test.variant))
    return _together(said, len(experiments))


def _has_interval(test: PastExperiment) -> bool:
    effect = test.complier
    return (
        test.claims == "complier"
        and effect is not None
        and None not in (effect.estimate, effect.ci_lower, effect.ci_upper)
    )


def _said(test: PastExperiment, adjusted: Estimate, minimum_effect: float) -> _Said:
    effect = test.complier
    if effect is None or effect.estimate is None or effect.ci_lower is None or effect.ci_upper is None:
        raise ValueError("an effect without an interval")
    lower, upper, size = effect.ci_lower, effect.ci_upper, adjusted.estimate
    says, decides = _judged(effect.estimate, lower, upper, size, minimum_effect)
    return _Said(
        test=test,
        effect=effect.estimate,
        lower=lower,
        upper=upper,
        says=says,
        decides=decides,
        why=_why(says, decides, (effect.estimate, lower, upper), size, minimum_effect),
    )


def _judged(
    effect: float, lower: float, upper: float, adjusted: float | None, minimum_effect: float
) -> tuple[Says, bool]:
    if upper < minimum_effect:
        return "contradicts", True
    if lower > 0:
        return ("supports" if effect >= minimum_effect else "inconclusive"), False
    if adjusted is None:
        return "inconclusive", False
    unseen = adjusted >= _visible(lower, upper) and not _leans_towards(adjusted, effect)
    return ("contradicts" if adjusted > upper or unseen else "inconclusive"), False


def _visible(lower: float, upper: float) -> float:
    """Return the effect that an interval of this width leaves 0 out of as often as not."""
    return (upper - lower) / 2


def _leans_towards(adjusted: float, effect: float) -> bool:
    """Say whether a test's estimate is as near to the adjusted difference as to none, or nearer."""
    return effect >= adjusted / 2


def _why(
    says: Says, decides: bool, found: tuple[float, float, float], adjusted: float | None, minimum_effect: float
) -> str:
    (effect, lower, upper), smallest = found, wording.points(minimum_effect, plus=False)
    compared = f"the adjusted difference ({wording.points(adjusted)})"
    if says == "supports":
        return "clear of zero, and as large as matters"
    if decides:
        return f"an effect of the {smallest} that would matter is ruled out"
    if says == "contradicts":
        if adjusted is not None and adjusted > upper:
            return f"no effect is seen, and one as large as {compared} is ruled out"
        return f"nearer to none than to {compared}, which the test would more likely than not have shown"
    if lower > 0:
        return f"above zero, but smaller than the {smallest} that would matter, so far"
    if adjusted is not None and adjusted > 0 and _leans_towards(adjusted, effect):
        return (
            f"this fits an effect of the size of {compared} as well as none, so the test settles nothing and the "
            "comparison of accounts stands"
        )
    stands = "" if adjusted is None else ", so the adjusted difference stands"
    return f"too few accounts were moved to tell an effect from none{stands}"


def _together(said: Sequence[_Said], tests: int) -> tuple[Criterion, Says]:
    decided = next((one for one in said if one.decides), None)
    against = decided or next((one for one in said if one.says == "contradicts"), None)
    speaks_for = next((one for one in said if one.says == "supports"), None)
    if speaks_for and against and (against.decides or not speaks_for.overlaps(against)):
        sentence = f"Past tests disagree: {_one(speaks_for)}; but {_one(against)}."
        return _criterion("warn", sentence, said[0]), "contradicts"
    chosen = speaks_for or against or said[0]
    status: CriterionStatus = "pass" if chosen is speaks_for else "fail" if chosen.decides else "warn"
    said_more = [f"{_capital(_one(chosen))}."]
    if speaks_for:
        said_more.append(_ANY_THRESHOLD)
    if speaks_for and against:
        said_more.append(f"Another test alone would not show it: {_one(against)}.")
    if tests > 1:
        said_more.append(f"(One of {tests} comparisons, whose intervals answer for all of them.)")
    return _criterion(status, " ".join(said_more), chosen), chosen.says


def _one(said: _Said) -> str:
    effect = said.test.complier
    shown = with_interval(effect) if effect else wording.MISSING
    return (
        f"among the accounts that {named(said.test.variant, 40)} moved to the milestone, the difference was {shown}: "
        f"{said.why}"
    )


def _criterion(status: CriterionStatus, sentence: str, said: _Said) -> Criterion:
    return Criterion(
        name="experimental evidence",
        status=status,
        sentence=sentence,
        value=said.effect,
        unit="points",
        decides=status == "fail" and said.decides,
    )


def _without_effect(experiments: Sequence[PastExperiment]) -> Criterion:
    """Say why no test speaks of the milestone, by the one that came nearest to it."""
    critical = normal_quantile(0.05) ** 2
    whole = [test for test in experiments if test.claims == "intention to treat"]
    moved = [test for test in whole if test.first_stage_f is None or test.first_stage_f > critical]
    unread = sorted((test for test in experiments if test.claims == "nothing"), key=lambda test: -sum(test.accounts))
    if moved or not unread:
        shown = max(moved or whole or experiments, key=lambda test: test.first_stage_f or 0.0)
        sentence = f"Past tests say something of a variant as a whole, not of the milestone: {shown.sentence}"
    else:
        sentence = f"No past test can be read for this milestone: {_uncapital(unread[0].sentence)}"
    return Criterion(name="experimental evidence", status="warn", sentence=sentence, judged=False)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _uncapital(text: str) -> str:
    return text[:1].lower() + text[1:]
