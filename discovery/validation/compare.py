"""What an earlier run said of the same proposals, beside what is said now."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

from discovery import wording
from discovery.errors import MilestoneSyntaxError
from discovery.milestone import Milestone
from discovery.results import (
    Change,
    Criterion,
    Estimate,
    OutcomeSummary,
    Proposal,
    RankedFamily,
    StudyResult,
    ValidationResult,
)

_Rule = TypeVar("_Rule", RankedFamily, Proposal)

_FAR: Final = 0.05
"""A share that moves by more than this is worth a word, however few the accounts."""
_SAMPLING: Final = 1.96

_WIDTH: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class _Earlier:
    """What the earlier run said of one rule; `said` is its verdict in words, `agrees` the one to expect of it now."""

    milestone: str
    said: str
    agrees: str | None
    difference: Estimate
    reach: float
    n_described: int
    n_accounts: int
    judged_as: str | None
    origin: str | None
    criteria: tuple[Criterion, ...] = ()


def compare(earlier: StudyResult | ValidationResult, result: ValidationResult) -> ValidationResult:
    """Return `result` with what changed since an earlier run, proposal by proposal.

    A proposal is compared with the same milestone, or else with the earlier rule of the same events; then nothing
    about the rule is called notable, since the rule is another one. *Drift* is a change of reach, base rate or
    difference: of a share, by more than five points or beyond what sampling gives (two independent samples, which is
    strict where the earlier accounts are among the present ones); of the difference, out of the earlier interval.

    Parameters
    ----------
    earlier
        What `discover run` or `discover validate` found before.
    result
        What is found now.

    Returns
    -------
    ValidationResult
        The same, with `changes` of every proposal and `compared_with`.
    """
    same_question = _question(earlier.outcome) == _question(result.outcome)
    proposals = tuple(
        dataclasses.replace(proposal, changes=tuple(_changes(earlier, result, proposal, same_question)))
        for proposal in result.proposals
    )
    return dataclasses.replace(result, proposals=proposals, compared_with=_described(earlier, result, same_question))


def _changes(
    earlier: StudyResult | ValidationResult, result: ValidationResult, proposal: Proposal, same_question: bool
) -> Iterator[Change]:
    before = _judged_before(earlier, proposal)
    if before is None:
        yield _unknown(earlier, proposal)
    else:
        same_rule = _canonical(before.milestone) == _canonical(proposal.milestone)
        of_rule = (
            _verdict(before, proposal, result),
            _difference(before, proposal, same_question),
            _reach(before, proposal),
            _accounts(before, proposal, result),
            *_criteria(before, proposal),
        )
        yield from of_rule if same_rule else _beside_another_rule(of_rule, before.milestone)
    yield from _base_rate(earlier, result, same_question)


def _judged_before(earlier: StudyResult | ValidationResult, proposal: Proposal) -> _Earlier | None:
    """Return what the earlier run said of the same rule, else of the first one of the same events."""
    if isinstance(earlier, StudyResult):
        family = _same_or_related(proposal.milestone, earlier.ranking)
        return _of_study(family, earlier) if family else None
    same = _same_or_related(proposal.milestone, earlier.proposals)
    return _of_validation(same, earlier) if same else None


def _of_study(family: RankedFamily, earlier: StudyResult) -> _Earlier:
    expected = {"found": "holds", "lead": None}
    return _Earlier(
        milestone=family.milestone,
        said=family.status.replace("_", " "),
        agrees=expected.get(family.status, "not holds"),
        difference=family.adjusted,
        reach=family.reach,
        n_described=earlier.population.landmark,
        n_accounts=family.adjusted.n_accounts,
        judged_as=None,
        origin=None,
    )


def _of_validation(proposal: Proposal, earlier: ValidationResult) -> _Earlier:
    return _Earlier(
        milestone=proposal.milestone,
        said=proposal.verdict,
        agrees=proposal.verdict,
        difference=proposal.unwidened,
        reach=proposal.reach,
        n_described=proposal.n_described,
        n_accounts=proposal.n_accounts,
        judged_as=_judged_as(earlier),
        origin=earlier.origin,
        criteria=proposal.criteria,
    )


def _same_or_related(text: str, rules: Iterable[_Rule]) -> _Rule | None:
    rules = tuple(rules)
    same = (rule for rule in rules if _canonical(rule.milestone) == _canonical(text))
    related = (rule for rule in rules if _family(rule.milestone) == _family(text))
    return next(same, None) or next(related, None)


def _verdict(before: _Earlier, proposal: Proposal, result: ValidationResult) -> Change:
    now, judged_as = proposal.verdict, _judged_as(result)
    agrees = before.agrees is None or before.agrees == now or (before.agrees == "not holds" and now != "holds")
    if before.said == now:
        sentence = f"The verdict is “{now}”, as before."
    else:
        sentence = f"The verdict was “{before.said}” and is “{now}” now."
    if before.judged_as and before.judged_as != judged_as:
        sentence += f" Then it was judged as {before.judged_as}, now as {judged_as}."
    return Change(what="verdict", before=before.said, now=now, sentence=sentence, notable=not agrees)


def _difference(before: _Earlier, proposal: Proposal, same_question: bool) -> Change:
    old, new = before.difference, proposal.unwidened
    was, is_now = _interval(old), _interval(new)
    if not same_question:
        sentence, notable = "The differences are of two outcomes, which cannot be compared.", False
    elif not wording.known(old.estimate) or not wording.known(new.estimate):
        notable = wording.known(old.estimate)
        sentence = "The difference can no longer be estimated." if notable else "There was no difference to compare."
    elif not _inside(new.estimate, old):
        sentence, notable = f"The difference drifted out of the earlier interval: from {was} to {is_now}.", True
    else:
        sentence, notable = f"The difference is {is_now}, within the earlier interval: it was {was}.", False
    return Change(what="difference", before=was, now=is_now, sentence=sentence, notable=notable)


def _reach(before: _Earlier, proposal: Proposal) -> Change:
    notable = _moved(before.reach, before.n_described, proposal.reach, proposal.n_described)
    was, is_now = wording.percent(before.reach), wording.percent(proposal.reach)
    sentence = _share_moved("The share of accounts that reaches it", was, is_now, notable)
    return Change(what="reach", before=was, now=is_now, sentence=sentence, notable=notable)


def _accounts(before: _Earlier, proposal: Proposal, result: ValidationResult) -> Change:
    """Compare how many accounts decide; fewer are notable where both runs chose them alike."""
    was, is_now = wording.count(before.n_accounts), wording.count(proposal.n_accounts)
    more = proposal.n_accounts - before.n_accounts
    if more:
        sentence = f"It rests on {wording.count(abs(more))} {'more' if more > 0 else 'fewer'} accounts: {is_now}."
    else:
        sentence = f"It rests on as many accounts as before: {is_now}."
    return Change(
        what="accounts", before=was, now=is_now, sentence=sentence, notable=more < 0 and before.origin == result.origin
    )


def _criteria(before: _Earlier, proposal: Proposal) -> Iterator[Change]:
    """Yield the criteria whose status changed; to or from a failure is notable."""
    earlier = {criterion.name: criterion for criterion in before.criteria}
    for criterion in proposal.criteria:
        if criterion.name not in earlier:
            continue
        was, is_now = _status(earlier[criterion.name]), _status(criterion)
        if was != is_now:
            sentence = f"“{criterion.name}” was “{was}” and is “{is_now}” now: {criterion.sentence}"
            yield Change(what="criterion", before=was, now=is_now, sentence=sentence, notable="fail" in (was, is_now))


def _base_rate(
    earlier: StudyResult | ValidationResult, result: ValidationResult, same_question: bool
) -> Iterator[Change]:
    old, new = earlier.population, result.population
    if old.base_rate is None or new.base_rate is None:
        return
    was, is_now = wording.percent(old.base_rate), wording.percent(new.base_rate)
    notable = same_question and _moved(old.base_rate, old.mature, new.base_rate, new.mature)
    sentence = (
        _share_moved(f"The share of all accounts that {_STAYED[result.outcome.kind]}", was, is_now, notable)
        if same_question
        else "The earlier run asked for another outcome, so its share cannot be compared."
    )
    yield Change(what="base rate", before=was, now=is_now, sentence=sentence, notable=notable)


def _unknown(earlier: StudyResult | ValidationResult, proposal: Proposal) -> Change:
    ran = "study had no rule" if isinstance(earlier, StudyResult) else "validation judged no rule"
    return Change(
        what="verdict",
        before="not judged",
        now=proposal.verdict,
        sentence=f"The earlier {ran} of these events, so there is nothing to compare.",
        notable=False,
    )


def _beside_another_rule(changes: Iterable[Change], rule: str) -> Iterator[Change]:
    """Say what was said of another rule, which is no change of this one."""
    for change in changes:
        if change.what in ("verdict", "difference", "reach"):
            was, is_now = (f"“{text}”" if change.what == "verdict" else text for text in (change.before, change.now))
            said = (
                f"The earlier run judged another rule of these events, “{wording.shorten(rule, _WIDTH)}”: its "
                f"{change.what} was {was}; that of this one is {is_now}."
            )
            yield dataclasses.replace(change, sentence=said, notable=False)


_STAYED: Final = {"retained": "stayed", "active": "were active later", "converted": "converted"}


def _share_moved(what: str, was: str, is_now: str, notable: bool) -> str:
    if notable:
        return f"{what} drifted from {was} to {is_now}."
    if was == is_now:
        return f"{what} is {is_now}, as before."
    return f"{what} went from {was} to {is_now}, no more than sampling gives."


def _moved(before: float, n_before: int, now: float, n_now: int) -> bool:
    """Say whether a share moved by more than `_FAR`, or beyond what sampling gives."""
    if abs(now - before) > _FAR:
        return True
    if not n_before or not n_now:
        return False
    pooled = (before * n_before + now * n_now) / (n_before + n_now)
    variance = pooled * (1 - pooled) * (1 / n_before + 1 / n_now)
    return variance > 0 and abs(now - before) > _SAMPLING * math.sqrt(variance)


def _inside(value: float | None, interval: Estimate) -> bool:
    lower, upper = interval.ci_lower, interval.ci_upper
    return value is not None and (lower is None or lower <= value) and (upper is None or value <= upper)


def _interval(estimate: Estimate) -> str:
    return " ".join(wording.points_estimate(estimate)).strip()


def _status(criterion: Criterion) -> str:
    return criterion.status if criterion.judged else "not judged"


def _judged_as(result: ValidationResult) -> str:
    of = {"registered": "a registered rule", "independent": "an independent rule", "searched": "one of a search"}
    return of[result.origin] + (f" among {len(result.proposals)} proposals" if len(result.proposals) > 1 else "")


def _described(earlier: StudyResult | ValidationResult, result: ValidationResult, same_question: bool) -> str:
    """Return what the earlier run was, and what makes it hard to compare."""
    made, now = earlier.provenance, result.provenance
    kind = "study" if isinstance(earlier, StudyResult) else "validation"
    said = f"{kind} of {wording.moment(made.created_at)}, version {wording.clean(made.version)}"
    if not same_question:
        said += f", which asked for another outcome: an account that {wording.clean(earlier.outcome.stayed)}"
    elif made.input_sha256 == now.input_sha256:
        said += ", over the same input"
    return said


def _question(outcome: OutcomeSummary) -> tuple[object, ...]:
    active_days = tuple(outcome.active_days) if outcome.active_days else None
    by_day = outcome.by_day if outcome.kind != "active" else None
    return outcome.kind, by_day, active_days if outcome.kind == "active" else None, outcome.window_days


def _canonical(text: str) -> str:
    try:
        return str(Milestone.parse(text))
    except MilestoneSyntaxError:
        return text


def _family(text: str) -> str:
    try:
        return Milestone.parse(text).family
    except MilestoneSyntaxError:
        return text
