"""Whether another threshold of the same behaviour, or another behaviour, separates accounts better."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from discovery import estimate, wording
from discovery.estimate import NullModel
from discovery.milestone import Milestone
from discovery.results import Competitor, Criterion, CriterionName, CriterionStatus, Estimate, Neighbour
from discovery.validation.beside import difference, enough_on_each_side
from discovery.validation.case import Bools, Case, Rule
from discovery.validation.contest import Contest, beside_it, flags_of, set_against

NEAR_DUPLICATE: Final = 0.9
"""Correlation of who met two rules, from which on they are one behaviour."""
SHOWN: Final = 10
"""Other behaviours that are shown beside the proposal, the best first."""
CHOSEN_AMONG: Final = 4
"""Another family's best rule was chosen among some forty that are relatives of each other; they count like this many.
In 152 outcomes drawn without any effect, over 38 logs of 1,000 accounts, another behaviour was called better than the
proposal in 16 % without it and in 5 % with it."""
MOST_ALIKE: Final = 0.5
"""Share of the grid beyond which the data have not settled the threshold."""


def specific_threshold(case: Case) -> tuple[Criterion, tuple[Neighbour, ...], str | None, tuple[str, ...]]:
    """Judge whether the proposal's threshold, window and number of users are the right ones.

    If they are, no other threshold says anything beside the proposal. So each is scored with the proposal among the
    covariates, and the largest such score is held against its distribution under the multiplier bootstrap. A rule is
    better if it lies beyond it, scores higher than the proposal does, and either does so clearly or leaves nothing
    clear of the proposal beside it. In logs of 2,500 accounts with a planted rule, saying something beside the proposal
    told 95 % of wrong thresholds, comparing the two scores 66 %.

    Returns
    -------
    Criterion
        Its value is how many other thresholds cannot be told from the proposal: neither says anything clear beside
        the other. Failed where one is better, a warning where more than half of them are alike.
    tuple of Neighbour
        All other thresholds, in the order they were given.
    str or None
        The best of those that are better.
    tuple of str
        Those that are alike.

    Notes
    -----
    Type I error: if the proposal is the right rule, none is named better with probability at least `1 - alpha` in
    large samples, whatever the grid.

    References
    ----------
    Mizon & Richard (1986), Econometrica 54, 657-678 (encompassing); Davidson & MacKinnon (1981), Econometrica 49
    (non-nested models); Chernozhukov, Chetverikov & Kato (2013), Annals of Statistics 41 (the bootstrap).
    """
    if not case.grid:
        return (
            _unjudged("specific threshold", "It has no other threshold, window or number of users to compare."),
            (),
            None,
            (),
        )
    contest = set_against(case, case.grid) if enough_on_each_side(case) else None
    if contest is None:
        sentence = "Too few accounts reached it, or did not, to compare other thresholds with it."
        return _unjudged("specific threshold", sentence), _neighbours(case, None, _none(case.grid)), None, ()
    beside, adds = beside_it(case, contest)
    better = _best(contest, adds & (contest.score > contest.own) & (contest.leads | ~contest.remains))
    alike = contest.twin | (contest.apart & ~adds & ~contest.remains)
    names = tuple(str(rule.milestone) for rule, same in zip(case.grid, alike, strict=True) if same)
    criterion = _specific(case, alike) if better is None else _not_specific(case, beside, case.grid[better], alike)
    name = None if better is None else str(case.grid[better].milestone)
    return criterion, _neighbours(case, contest, alike), name, names


def beaten_by_none(case: Case, better_in_family: str | None) -> tuple[Criterion, tuple[Competitor, ...], str | None]:
    """Judge whether another behaviour separates accounts clearly better than the proposal.

    The best rule of every other family is compared with it score by score. Each was chosen within its family, which
    the bound takes into account; a rule that nearly the same accounts meet is the same behaviour, not a better one.

    Parameters
    ----------
    case : Case
    better_in_family : str or None
        What `specific_threshold` calls better.

    Returns
    -------
    Criterion
        Its value is how many other behaviours score higher. Failed where one does so clearly, or another threshold
        of the same behaviour is better; a warning where some score higher, but none clearly.
    tuple of Competitor
        The ten best by their scores.
    str or None
        The better rule with the highest score, of this or another family.

    Notes
    -----
    Scores beside one null model have variance 1 and correlation rho, so that their difference has standard error
    `sqrt(2 (1 - rho))`; the largest standardised difference is held against its multiplier bootstrap.

    References
    ----------
    Vuong (1989), Econometrica 57, 307-333, of which this is the score form; Romano & Wolf (2005), Econometrica 73.
    """
    contest = set_against(case, case.rivals, CHOSEN_AMONG) if case.rivals and enough_on_each_side(case) else None
    if contest is None:
        return _by_family_alone(better_in_family), (), better_in_family
    same = _near_duplicates(case)
    ahead = _best(contest, contest.leads & ~same)
    higher = contest.apart & ~same & (contest.score > contest.own)
    value = int(higher.sum())
    better = _best_of_all(case, contest, ahead, better_in_family)
    status: CriterionStatus = "fail" if better is not None else "warn" if value else "pass"
    sentence = _standing(case, contest, higher, same, ahead, better_in_family)
    criterion = Criterion(name="beaten by none", status=status, sentence=sentence, value=float(value), unit="count")
    return criterion, _competitors(case, contest), better


def _best(contest: Contest, among: Bools) -> int | None:
    return int(np.argmax(np.where(among, contest.score, -np.inf))) if among.any() else None


def _none(rules: Sequence[Rule]) -> Bools:
    return np.zeros(len(rules), dtype=bool)


def _specific(case: Case, alike: Bools) -> Criterion:
    """Say that no other threshold is better, and how many may be as good."""
    same, everyone = int(alike.sum()), len(alike)
    one = everyone == 1
    of = f"{'the only other one' if one else f'{same} of {everyone} others'} cannot be told from it"
    wide = same > MOST_ALIKE * everyone
    if not same:
        others = "the only other one" if one else f"all {everyone} others"
        sentence = f"No other threshold separates better, and {others} can be told from it."
    elif wide:
        sentence = f"These data do not settle the threshold: {of}{_spread(case, alike)}."
    else:
        sentence = f"No other threshold separates better; {of}{_spread(case, alike)}."
    return Criterion(
        name="specific threshold",
        status="warn" if wide else "pass",
        sentence=sentence,
        value=float(same),
        unit="count",
    )


def _not_specific(case: Case, beside: NullModel, better: Rule, alike: Bools) -> Criterion:
    still = difference(beside, flags_of([better]), case.alpha)
    number, interval = wording.points_estimate(still)
    sentence = (
        f"{_quoted(better.milestone)} is the better {_kind(case, better.milestone)}: among accounts alike in the "
        f"proposal it still separates by {number.removeprefix('+')} {interval}, and on its own more sharply than the "
        "proposal."
    )
    value = float(alike.sum())
    return Criterion(name="specific threshold", status="fail", sentence=sentence, value=value, unit="count")


def _kind(case: Case, other: Milestone) -> str:
    """Return what sets another rule of the same events apart from the proposal: its tests of properties, or numbers."""
    return "threshold" if other.acts == case.milestone.acts else "form"


def _spread(case: Case, alike: Bools) -> str:
    """Return what the rules that are alike range over, as in " (3 to 5 times, within 7 to 14 days)"."""
    milestones = [case.milestone, *(rule.milestone for rule, same in zip(case.grid, alike, strict=True) if same)]
    if any(len(milestone.conditions) != 1 or milestone.acts != case.milestone.acts for milestone in milestones):
        named = ", ".join(_quoted(milestone) for milestone in milestones[1:3])
        return f" (such as {named})"
    conditions = [milestone.conditions[0] for milestone in milestones]
    ranges = (
        _range([c.at_least for c in conditions], "{} times"),
        _range([c.within_days or case.window_days for c in conditions], "within {} days"),
        _range([c.min_users for c in conditions], "by {} users"),
    )
    return f" ({', '.join(words for words in ranges if words)})"


def _range(values: Sequence[float], words: str) -> str:
    least, most = min(values), max(values)
    return "" if least == most else words.format(f"{least:g} to {most:g}")


def _neighbours(case: Case, contest: Contest | None, alike: Bools) -> tuple[Neighbour, ...]:
    found = _differences(case, case.grid)
    return tuple(
        Neighbour(
            milestone=str(rule.milestone),
            reach=float(rule.met.mean()) if len(case) else 0.0,
            difference=found[i],
            ahead=_ahead(contest, i),
            alike=bool(alike[i]),
        )
        for i, rule in enumerate(case.grid)
    )


def _competitors(case: Case, contest: Contest) -> tuple[Competitor, ...]:
    order = np.argsort(-contest.score, kind="stable")[:SHOWN]
    shown = [case.rivals[i] for i in order]
    found = _differences(case, shown)
    return tuple(
        Competitor(
            family=rule.milestone.family,
            milestone=str(rule.milestone),
            reach=float(rule.met.mean()),
            difference=found[place],
            ahead=_ahead(contest, int(order[place])),
        )
        for place, rule in enumerate(shown)
    )


def _differences(case: Case, rules: Sequence[Rule]) -> list[Estimate]:
    return [difference(case.null, flags_of([rule]), case.alpha) for rule in rules]


def _ahead(contest: Contest | None, i: int) -> float | None:
    return float(contest.ahead[i]) if contest is not None and contest.apart[i] else None


def _near_duplicates(case: Case) -> Bools:
    """Return which rivals nearly the same accounts meet; one that nearly all the others meet is another rule."""
    own = case.met - case.met.mean()
    others = (rule.met - rule.met.mean() for rule in case.rivals)
    spread = np.sqrt(own @ own)
    phi = np.array([float(own @ x) / max(spread * np.sqrt(float(x @ x)), 1e-12) for x in others])
    return np.asarray(phi > NEAR_DUPLICATE)


def _best_of_all(case: Case, contest: Contest, ahead: int | None, in_family: str | None) -> str | None:
    if ahead is None:
        return in_family
    other = case.rivals[ahead]
    rule = next((rule for rule in case.grid if str(rule.milestone) == in_family), None)
    if rule is not None and estimate.score_test(case.null, flags_of([rule])).score[0] > contest.score[ahead]:
        return in_family
    return str(other.milestone)


def _standing(
    case: Case, contest: Contest, higher: Bools, same: Bools, ahead: int | None, in_family: str | None
) -> str:
    """Say where the proposal stands among all behaviours."""
    n, value = len(case.rivals) - int(same.sum()), int(higher.sum())
    others = f"Of {wording.count(n)} other behaviour{'' if n == 1 else 's'},"
    if ahead is not None:
        rule = case.rivals[ahead]
        theirs, own = (wording.points(_differences(case, [each])[0].estimate) for each in (rule, _own(case)))
        return f"{_quoted(rule.milestone)} separates accounts clearly better: {theirs} against {own} for the proposal."
    twin = _twin(case, contest, same)
    if in_family is not None:
        better = _quoted(Milestone.parse(in_family))
        kind = _kind(case, Milestone.parse(in_family))
        return f"{others} none is clearly better, but {better}, another {kind} of this one, is{twin}."
    if value:
        first = _quoted(case.rivals[_best(contest, higher) or 0].milestone)
        score = "1 scores" if value == 1 else f"{value} score"
        return f"{others} {score} higher (first {first}), none of them clearly{twin}."
    return f"{others} none separates accounts better{twin}."


def _twin(case: Case, contest: Contest, same: Bools) -> str:
    place = _best(contest, same)
    if place is None:
        return ""
    return f"; {_quoted(case.rivals[place].milestone)} is the same behaviour, met by nearly the same accounts"


def _own(case: Case) -> Rule:
    return Rule(milestone=case.milestone, met=case.met)


def _by_family_alone(in_family: str | None) -> Criterion:
    if in_family is None:
        return _unjudged(
            "beaten by none", "There is no other behaviour, or there are too few accounts, to compare it with."
        )
    return Criterion(
        name="beaten by none",
        status="fail",
        sentence=f"{_quoted(Milestone.parse(in_family))}, another threshold of the same behaviour, is better.",
    )


def _quoted(milestone: Milestone) -> str:
    return f"“{wording.clean(str(milestone))}”"


def _unjudged(name: CriterionName, sentence: str) -> Criterion:
    return Criterion(name=name, status="warn", sentence=sentence, judged=False)
