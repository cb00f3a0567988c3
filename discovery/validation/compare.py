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
_HOLDS: Final = "holds"
_NOT_JUDGED: Final = "not judged"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Earlier:
    """What the earlier run said of one rule.

    `said` is its verdict in a validation's words where it has one of them; `status` is what a study called it. `agrees`
    is the verdict to expect of it now. `judged_as` and `chosen` (how the accounts were chosen) are None for a study.
    """

    milestone: str
    said: str
    agrees: str | None
    difference: Estimate
    reach: float
    n_described: int
    n_accounts: int
    status: str | None = None
    judged_as: str | None = None
    chosen: str | None = None
    criteria: tuple[Criterion, ...] = ()


def compare(earlier: StudyResult | ValidationResult, result: ValidationResult) -> ValidationResult:
    """Return `result` with what changed since an earlier run, proposal by proposal.

    A proposal is compared with the same milestone, or else with the earlier rule of the same events; then nothing
    about the rule is called notable, since the rule is another one. *Drift* is a change of reach, base rate or
    difference: of a share, by more than five points or beyond what sampling gives (two independent samples, which is
    strict where the earlier accounts are among the present ones); of the difference, out of the earlier interval.
    What is judged on accounts chosen otherwise, registered then or now, is not compared; nor is a share of no account.

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
            _difference(before, proposal, result, same_question),
            _reach(before, proposal),
            _accounts(before, proposal, result),
            *_criteria(before, proposal),
        )
        yield from of_rule if same_rule else _beside_another_rule(of_rule, before)
    yield from _base_rate(earlier, result, same_question)


def _judged_before(earlier: StudyResult | ValidationResult, proposal: Proposal) -> _Earlier | None:
    """Return what the earlier run said of the same rule, else of the first one of the same events."""
    if isinstance(earlier, StudyResult):
        family = _same_or_related(proposal.milestone, earlier.ranking)
        return _of_study(family, earlier) if family else None
    same = _same_or_related(proposal.milestone, earlier.proposals)
    return _of_validation(same, earlier) if same else None


def _of_study(family: RankedFamily, earlier: StudyResult) -> _Earlier:
    expected = {"found": _HOLDS, "lead": None}
    status = family.status.replace("_", " ")
    return _Earlier(
        milestone=family.milestone,
        said=_HOLDS if family.status == "found" else status,
        status=status,
        agrees=expected.get(family.status, "not holds"),
        difference=family.adjusted,
        reach=family.reach,
        n_described=earlier.population.landmark,
        n_accounts=family.adjusted.n_accounts,
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
        chosen=_chosen(earlier),
        criteria=proposal.criteria,
    )


def _same_or_related(text: str, rules: Iterable[_Rule]) -> _Rule | None:
    rules = tuple(rules)
    same = (rule for rule in rules if _canonical(rule.milestone) == _canonical(text))
    related = (rule for rule in rules if _family(rule.milestone) == _family(text))
    return next(same, None) or next(related, None)


def _verdict(before: _Earlier, proposal: Proposal, result: ValidationResult) -> Change:
    now, judged_as = proposal.verdict, _judged_as(result)
    agrees = before.agrees is None or before.agrees == now or (before.agrees == "not holds" and now != _HOLDS)
    if before.status:
        expected = ", as that leads to expect" if agrees and before.agrees else ""
        sentence = f"The study called it “{before.status}”; the verdict is “{now}” now{expected}."
    elif before.said == now:
        sentence = f"The verdict is “{now}”, as before."
    else:
        sentence = f"The verdict was “{before.said}” and is “{now}” now."
    if before.judged_as and before.judged_as != judged_as:
        sentence += f" Then it was judged as {before.judged_as}, now as {judged_as}."
    return Change(what="verdict", before=before.said, now=now, sentence=sentence, notable=not agrees)


def _difference(before: _Earlier, proposal: Proposal, result: ValidationResult, same_question: bool) -> Change:
    old, new = before.difference, proposal.unwidened
    was, is_now = _interval(old), _interval(new)
    notable = False
    if not same_question:
        sentence = "The differences are of two outcomes, which cannot be compared."
    elif not wording.known(old.estimate):
        sentence = "There was no difference to compare."
    elif not wording.known(new.estimate):
        sentence, notable = "The difference can no longer be estimated.", True
    elif before.judged_as and before.chosen != _chosen(result):
        sentence = f"Not comparable: {_chosen(result)} now, {before.chosen} then. It was {was} and is {is_now}."
    elif not _inside(new.estimate, old):
        sentence, notable = f"The difference drifted out of the earlier interval: from {was} to {is_now}.", True
    else:
        sentence = f"The difference is {is_now}, within the earlier interval: it was {was}."
    return Change(what="difference", before=was, now=is_now, sentence=sentence, notable=notable)


def _reach(before: _Earlier, proposal: Proposal) -> Change:
    if not before.n_described or not proposal.n_described:
        was, is_now = _share(before.reach, before.n_described), _share(proposal.reach, proposal.n_described)
        when = _when_not_judged(before.n_described, proposal.n_described)
        return Change(what="reach", before=was, now=is_now, sentence=f"How many reach it {when}.", notable=False)
    notable = _moved(before.reach, before.n_described, proposal.reach, proposal.n_described)
    was, is_now = wording.percent(before.reach), wording.percent(proposal.reach)
    sentence = _share_moved("The share of accounts that reaches it", was, is_now, notable)
    return Change(what="reach", before=was, now=is_now, sentence=sentence, notable=notable)


def _accounts(before: _Earlier, proposal: Proposal, result: ValidationResult) -> Change:
    """Compare how many accounts decide; fewer are notable where both runs chose them alike."""
    was, is_now = wording.count(before.n_accounts), wording.count(proposal.n_accounts)
    more, notable = proposal.n_accounts - before.n_accounts, False
    if not before.n_accounts or not proposal.n_accounts:
        sentence = f"It {_when_not_judged(before.n_accounts, proposal.n_accounts)}: {was} accounts then, {is_now} now."
    elif before.status:
        sentence = f"Not comparable: the study chose its accounts otherwise. Then {was}, now {is_now}."
    elif before.chosen != _chosen(result):
        sentence = f"Not comparable: {_chosen(result)} now, {before.chosen} then. It rested on {was}, and now {is_now}."
    elif more:
        sentence = f"It rests on {wording.count(abs(more))} {'more' if more > 0 else 'fewer'} accounts: {is_now}."
        notable = more < 0
    else:
        sentence = f"It rests on as many accounts as before: {is_now}."
    return Change(what="accounts", before=was, now=is_now, sentence=sentence, notable=notable)


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
        before=_NOT_JUDGED,
        now=proposal.verdict,
        sentence=f"The earlier {ran} of these events, so there is nothing to compare.",
        notable=False,
    )


def _beside_another_rule(changes: Iterable[Change], before: _Earlier) -> Iterator[Change]:
    """Say what was said of another rule, which is no change of this one: this one was not judged."""
    for change in changes:
        if change.what == "verdict":
            said = (
                f"The earlier run judged another rule of these events, “{wording.shorten(before.milestone, _WIDTH)}”, "
                f"so none of this is a change: its verdict was “{before.status or before.said}”; that of this one is "
                f"“{change.now}”."
            )
            yield dataclasses.replace(change, before=_NOT_JUDGED, sentence=said, notable=False)
        elif change.what in ("difference", "reach"):
            said = f"Of another rule of these events the {change.what} was {change.before}; of this one {change.now}."
            yield dataclasses.replace(change, sentence=said, notable=False)


_STAYED: Final = {"retained": "stayed", "active": "were active later", "converted": "converted"}


def _share_moved(what: str, was: str, is_now: str, notable: bool) -> str:
    if notable:
        return f"{what} drifted from {was} to {is_now}."
    if was == is_now:
        return f"{what} is {is_now}, as before."
    return f"{what} went from {was} to {is_now}, no more than sampling gives."


def _moved(before: float, n_before: int, now: float, n_now: int) -> bool:
    """Say whether a share moved by more than `_FAR`, or beyond what sampling gives; a share of nobody has not."""
    if not n_before or not n_now:
        return False
    if abs(now - before) > _FAR:
        return True
    pooled = (before * n_before + now * n_now) / (n_before + n_now)
    variance = pooled * (1 - pooled) * (1 / n_before + 1 / n_now)
    return variance > 0 and abs(now - before) > _SAMPLING * math.sqrt(variance)


def _when_not_judged(n_before: int, n_now: int) -> str:
    if n_before:
        return "is not judged now"
    return "was not judged then" if n_now else "was not judged then and is not now"


def _share(share: float, n: int) -> str:
    return wording.percent(share) if n else _NOT_JUDGED


def _inside(value: float | None, interval: Estimate) -> bool:
    lower, upper = interval.ci_lower, interval.ci_upper
    return value is not None and (lower is None or lower <= value) and (upper is None or value <= upper)


def _interval(estimate: Estimate) -> str:
    return " ".join(wording.points_estimate(estimate)).strip()


def _status(criterion: Criterion) -> str:
    return criterion.status if criterion.judged else _NOT_JUDGED


def _judged_as(result: ValidationResult) -> str:
    of = {"registered": "a registered rule", "independent": "an independent rule", "searched": "one of a search"}
    return of[result.origin] + (f" among {len(result.proposals)} proposals" if len(result.proposals) > 1 else "")


def _chosen(result: ValidationResult) -> str:
    """Return how the accounts that decide were chosen."""
    if result.origin != "registered":
        return "judged on all accounts"
    return "judged as registered" + (f" on {wording.clean(result.registered)}" if result.registered else "")


def _described(earlier: StudyResult | ValidationResult, result: ValidationResult, same_question: bool) -> str:
    """Return what the earlier run was, and what makes it hard to compare."""
    made, now = earlier.provenance, result.provenance
    kind = "study" if isinstance(earlier, StudyResult) else "validation"
    said = f"{kind} of {wording.moment(made.created_at)}, version {wording.clean(made.version)}"
    if not same_question:
        said += f", which asked for another outcome: an account that {wording.clean(earlier.outcome.stayed)}"
    elif made.input_sha256 == now.input_sha256:
        said += ", over the same input"
    if isinstance(earlier, ValidationResult) and _judged_as(earlier) != _judged_as(result):
        said += f", judged then as {_judged_as(earlier)}, now as {_judged_as(result)}"
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
