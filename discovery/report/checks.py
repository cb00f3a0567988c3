"""How sure a study can be of its first family: one line a check, in words, with its number.

Nothing is computed and no bound is set here: a mark says what the number itself says (its sign, where its interval
lies, whether it is beyond `alpha`, or the caution beside it). What the verdict made of it is in its reasons.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from discovery import wording
from discovery.errors import Caution
from discovery.results import Estimate, RankedFamily, StudyResult

Speaks = Literal["for it", "against it", "open"]
TWO_SIDED_5_PERCENT: Final = 1.96


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: its question, its number, what that says in words, and which way it speaks, if it does."""

    question: str
    number: str
    interval: str = ""
    sentence: str
    speaks: Speaks | None = None


def checks(family: RankedFamily, result: StudyResult) -> tuple[Check, ...]:
    """Return the checks of a family whose numbers are known, in the order in which they are usually asked."""
    made = (
        _search(family, result),
        _stability(family),
        _held_out(family, result),
        *_stated_day(family, result),
        _composition(family),
        _threshold(family),
        _latest(family),
        _overlap(family),
        _e_value(family),
        _robustness(family),
        _strongest_trait(family),
    )
    return tuple(check for check in made if check is not None)


def _search(family: RankedFamily, result: StudyResult) -> Check | None:
    if not wording.known(family.score):
        return None
    p, alpha = family.p_adjusted, result.settings.get("inference", {}).get("alpha")
    sentence = "It stands out by this many standard errors, beside everything measured."
    speaks: Speaks | None = None
    if p is not None and wording.known(p):
        sentence += (
            f" If no rule mattered, a score this large would turn up somewhere among {wording.count(result.searched)} "
            f"rules with a probability {_probability(p)}"
        )
        if alpha is not None:
            speaks = "for it" if p <= alpha else "against it"
            sentence += f" ({wording.percent(alpha)} at most is allowed)"
        sentence += "."
    return Check(
        question="Could a search this wide turn it up by chance?",
        number=wording.decimal(family.score),
        sentence=sentence,
        speaks=speaks,
    )


def _probability(p: float) -> str:
    return f"of {wording.percent(p)}" if p >= 0.001 else "below 0.1\u202f%"


def _stability(family: RankedFamily) -> Check | None:
    if family.stability is None or not wording.known(family.stability):
        return None
    return Check(
        question="Would other accounts name the same one?",
        number=wording.percent(family.stability),
        sentence="It comes first this often, itself or a family that moves together with it, when the search is "
        "repeated on random halves of the accounts.",
        speaks="for it" if family.stability > 0.5 else "open",
    )


def _held_out(family: RankedFamily, result: StudyResult) -> Check | None:
    if not wording.known(family.adjusted.estimate):
        return None
    smallest = result.settings.get("inference", {}).get("minimum_effect")
    sentence = (
        "The adjusted difference, on accounts that took no part in choosing the rule. "
        f"Without any adjustment it is {wording.points_estimate(family.naive_difference)[0]}."
    )
    if smallest is not None:
        sentence += f" Less than {wording.points(smallest, plus=False)} would be too little to matter."
    number, interval = wording.points_estimate(family.adjusted)
    return Check(
        question="How large is it on accounts that did not choose the rule?",
        number=number,
        interval=interval,
        sentence=sentence,
        speaks=_side(family.adjusted),
    )


def _stated_day(family: RankedFamily, result: StudyResult) -> Iterator[Check]:
    """Yield the score of the stated day where the deciding score reads the whole time."""
    if result.score_model != "cox" or family.horizon_score is None or not wording.known(family.horizon_score):
        return
    agrees = family.score is not None and family.score * family.horizon_score > 0
    day = "the stated day" if result.outcome.by_day is None else f"day {result.outcome.by_day}"
    yield Check(
        question=f"Does it also hold for {day} alone?",
        number=wording.decimal(family.horizon_score),
        sentence="The same score, from the accounts whose outcome on that day is known. It points the "
        + ("same way." if agrees else "other way."),
        speaks="for it" if agrees else "against it",
    )


def _composition(family: RankedFamily) -> Check | None:
    score, estimate = family.composition_score, family.composition
    question = "Is it more than being active?"
    meaning = "Compared at the same number of actions, on as many days, as recently"
    if estimate is not None and wording.known(estimate.estimate):
        number, interval = wording.points_estimate(estimate)
        scored = f" (score {wording.decimal(score)})" if wording.known(score) else ""
        return Check(
            question=question,
            number=number,
            interval=interval,
            sentence=f"{meaning}, this is what is left of the difference{scored}.",
            speaks=_side(estimate),
        )
    if score is None or not wording.known(score):
        return None
    return Check(
        question=question,
        number=wording.decimal(score),
        sentence=f"{meaning}, it stands out by this score. Around 0, it would say no more than any activity does.",
        speaks=_way(score),
    )


def _threshold(family: RankedFamily) -> Check | None:
    score = family.threshold_score
    if score is None or not wording.known(score):
        return None
    return Check(
        question="Does the threshold matter, or is more simply better?",
        number=wording.decimal(score),
        sentence="How far reaching the rule stands out beyond a smooth “more of it is better”. Around 0, the exact "
        "number in the rule is a convention.",
        speaks="for it" if score >= TWO_SIDED_5_PERCENT else "open",
    )


def _latest(family: RankedFamily) -> Check | None:
    if family.latest is None or not wording.known(family.latest.estimate):
        return None
    number, interval = wording.points_estimate(family.latest)
    return Check(
        question="Does it still hold for the latest signups?",
        number=number,
        interval=interval,
        sentence="The adjusted difference among the latest quarter of signups alone"
        f" ({wording.count(family.latest.n_accounts)} accounts). Fewer accounts, so a wider interval.",
        speaks="against it" if Caution.FADES in family.warnings else _side(family.latest),
    )


def _overlap(family: RankedFamily) -> Check | None:
    if family.overlap is None or not wording.known(family.overlap):
        return None
    return Check(
        question="Are there accounts alike to compare?",
        number=wording.percent(family.overlap),
        sentence="This share of the accounts could have gone either way, given what else they did. The comparison "
        "rests on them.",
        speaks="against it" if Caution.POOR_OVERLAP in family.warnings else "for it",
    )


def _e_value(family: RankedFamily) -> Check | None:
    if family.e_value is None or not wording.known(family.e_value):
        return None
    factor = wording.ratio(family.e_value)
    return Check(
        question="How strong would something unmeasured have to be?",
        number=factor,
        sentence=f"It would have to make accounts {factor} times as likely to do this and {factor} times as likely to "
        "have the outcome, to explain the difference away (E-value; 1 means that nothing is needed).",
    )


def _robustness(family: RankedFamily) -> Check | None:
    if family.robustness_value is None or not wording.known(family.robustness_value):
        return None
    share = wording.percent(family.robustness_value)
    return Check(
        question="The same in shares",
        number=share,
        sentence=f"Something unmeasured would have to explain {share} of what is still unexplained both in who does it "
        "and in the outcome (robustness value).",
    )


def _strongest_trait(family: RankedFamily) -> Check | None:
    if Caution.NO_TRAITS in family.warnings and not family.strongest_trait:
        return Check(
            question="And set beside the traits that were measured?",
            number=wording.MISSING,
            sentence=f"{Caution.NO_TRAITS.sentence} There is nothing to set it beside.",
            speaks="open",
        )
    if not family.strongest_trait or family.left_over is None or not wording.known(family.left_over):
        return None
    trait = wording.shorten(family.strongest_trait, 60)
    left = wording.points_estimate(
        Estimate(estimate=family.left_over, ci_lower=None, ci_upper=None, scale="risk difference", n_accounts=0)
    )[0]
    stays = family.left_over * (family.adjusted.estimate or 0.0) > 0
    nothing = "" if stays else " Nothing of it would be left: such a trait could explain it away."
    return Check(
        question=f"And set beside “{trait}”?",
        number=left,
        sentence="This much of the difference would be left if something as strong as that, the strongest trait "
        f"measured, had gone unmeasured.{nothing}",
        speaks="for it" if stays else "against it",
    )


def _side(estimate: Estimate) -> Speaks:
    """Say where an interval lies: above zero, around it, or the estimate itself not above it."""
    if estimate.estimate is None or estimate.estimate <= 0:
        return "against it"
    return "for it" if estimate.ci_lower is not None and estimate.ci_lower > 0 else "open"


def _way(score: float) -> Speaks:
    if score <= 0:
        return "against it"
    return "for it" if score >= TWO_SIDED_5_PERCENT else "open"
