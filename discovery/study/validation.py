"""A validation from checked relations to the verdict on every proposal: the rooms in order."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discovery import estimate, experiment, exposure, ranking, wording
from discovery.errors import InputError
from discovery.intake import Relations
from discovery.milestone import BY_OTHER, Condition, Milestone, PropertyTest
from discovery.outcome import Outcome, read_outcome
from discovery.progress import Progress
from discovery.ranking import Evidence
from discovery.results import (
    Estimate,
    ExperimentPlan,
    LadderStep,
    Origin,
    PastExperiment,
    Proposal,
    SurvivalCurve,
    read_ladder,
)
from discovery.study.evidence import lifetimes
from discovery.study.properties import acts_to_measure, columns_of, tested_by
from discovery.study.proposals import Proposals, windows_us
from discovery.study.search import PLASMODES
from discovery.study.settled import as_day, judged_through, moment_of, settled, signups_per_week, weeks_until
from discovery.study.trials import Trials
from discovery.study.walk import search_all
from discovery.validation import Aside, Case, Effect, decide, effect_of, judge, not_judged

NEARLY_THE_SAME = 0.85
"""Likeness (difflib's ratio) from which a name that the log does not have is taken for a slip."""
SHOWN_VALUES = 10
"""Values of a property that are named where another one was asked for."""
LEAST_BOUND = 3.5
"""The bound on rules of which none could be searched: that of pairs is never nearer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is proposed, and where it came from; `steps` has the rungs below the milestone of a ladder."""

    milestones: tuple[Milestone, ...]
    steps: Mapping[Milestone, tuple[Milestone, ...]] = field(default_factory=dict)
    registered: date | None = None
    independent: bool = False

    @property
    def everything(self) -> tuple[Milestone, ...]:
        """The proposals and the steps below them."""
        return (*self.milestones, *itertools.chain(*self.steps.values()))

    @property
    def origin(self) -> Origin:
        """Where the proposals came from."""
        return "registered" if self.registered else "independent" if self.independent else "searched"


def ask(
    milestones: Sequence[str | Milestone], ladder: str | None, registered: date | None, independent: bool
) -> Question:
    """Return the question, equal proposals once; refuse what cannot be answered.

    Raises
    ------
    InputError
        If nothing is proposed, or `registered` and `independent` are both given.
    """
    if registered is not None and independent:
        raise InputError("registered and independent are two answers to where a proposal came from; give one of them.")
    proposed = [Milestone.parse(one) if isinstance(one, str) else one for one in milestones]
    steps: dict[Milestone, tuple[Milestone, ...]] = {}
    if ladder is not None:
        _, found = read_ladder(ladder)
        if found.persona is not None:
            raise InputError(
                f"{ladder} is a ladder for {found.persona} alone, and a validation judges all accounts. Give it the "
                "accounts of that segment, and the milestone with --milestone."
            )
        top = Milestone.parse(found.milestone)
        steps[top] = tuple(Milestone.parse(rung.milestone) for rung in found.rungs if rung.role == "required")
        proposed.append(top)
    if not proposed:
        raise InputError("No milestone was proposed. Give one, such as report_shared >= 3 within 7d, or a ladder.")
    return Question(
        milestones=tuple(dict.fromkeys(proposed)), steps=steps, registered=registered, independent=independent
    )


def validate(relations: Relations, question: Question, inferred: bool, progress: Progress) -> dict[str, Any]:
    """Walk from checked relations to everything a validation says about them."""
    spec = relations.spec
    _refuse_long_windows(question, spec.candidates.window_days)
    _refuse_misspelt(question, relations)
    _refuse_absent_values(question, relations)
    progress("Reading who stayed and who left")
    overall = read_outcome(
        lifetimes(relations), spec.outcome, window_days=spec.candidates.window_days, inferred=inferred
    )
    through = judged_through(relations)
    outcome = settled(overall, relations, through)
    said: dict[str, Any] = {
        "origin": question.origin,
        "registered": question.registered.isoformat() if question.registered else None,
        "population": overall.population,
        "outcome": overall.summary,
        "judged": len(outcome.positions),
        "judged_through": as_day(through),
    }
    # The stated day alone decides: what happens after it must not move a verdict from one night to the next.
    windows = windows_us(question.milestones, relations)
    found = search_all(
        relations,
        outcome,
        windows,
        progress,
        stated_day=True,
        acts=acts_to_measure(question.everything),
        also=tested_by(question.milestones),
    )
    if isinstance(found, str):
        return said | _unanswered(question, found)

    since = moment_of(question.registered) if question.registered else None
    decides = np.ones(len(found.sample), dtype=bool) if since is None else found.sample.signup >= since
    proposals = Proposals(relations, outcome, found.measured, found.sample, found.evidence, decides)
    each = _Each(
        proposals=proposals,
        overall=overall,
        trials=Trials(relations, overall, outcome, found.measured, found.sample),
        registered=since or 0,
        through=through,
        steps=question.steps,
    )
    return said | {
        "proposals": each.judged(question, progress),
        "correction": _correction(question, found.evidence.searched, found.opened.acts),
        "searched": found.evidence.searched,
        "first": found.verdict.milestone,
        "first_status": found.verdict.status,
        "adjusted_for": found.sample.adjusted_for,
    }


@dataclass(frozen=True, kw_only=True)
class _Each:
    """Judges the proposals of one validation, one after the other and all beside each other."""

    proposals: Proposals
    overall: Outcome
    trials: Trials
    registered: int
    through: int
    steps: Mapping[Milestone, tuple[Milestone, ...]]

    def judged(self, question: Question, progress: Progress) -> tuple[Proposal, ...]:
        cases: dict[Milestone, Case | str] = {}
        for milestone in question.milestones:
            progress(f"Looking at {milestone}")
            cases[milestone] = self._case(milestone)
        known = {milestone: case for milestone, case in cases.items() if isinstance(case, Case)}
        effects = {milestone: self._effect(case) for milestone, case in known.items()}
        alpha = self.proposals.relations.spec.inference.alpha
        decisions = dict(zip(effects, decide(list(effects.values()), question.origin, alpha), strict=True))
        progress("Judging")
        return tuple(
            not_judged(milestone, case)
            if isinstance(case, str)
            else judge(
                case,
                effects[milestone],
                decisions[milestone],
                self._arrival,
                self._aside(case, decisions, question.origin),
            )
            for milestone, case in cases.items()
        )

    def _case(self, milestone: Milestone) -> Case | str:
        """Return all that is known of a proposal, or why it cannot be judged."""
        here = self.proposals.available(milestone)
        stayed = int(self.proposals.sample.retained[here].sum())
        left = int(here.sum()) - stayed
        if min(stayed, left) < ranking.MIN_EITHER_OUTCOME:
            return (
                f"only {int(here.sum()):,} accounts with a known outcome signed up since it can be reached, of which "
                f"{min(stayed, left):,} had the rarer outcome; at least {ranking.MIN_EITHER_OUTCOME} are needed"
            )
        return self.proposals.case(milestone, self.steps.get(milestone, ()))

    def _effect(self, case: Case) -> Effect:
        evidence, sample = self.proposals.evidence, self.proposals.sample
        inertia = None
        if sample.outcome == "active" and case.composition is not None and case.deciding is not None:
            chance = estimate.inertia_chance(case.composition.design, case.retained[case.decides])
            flag = case.flag[:, case.decides]
            inertia = np.abs(estimate.plasmode_maxima(case.deciding, flag, chance, PLASMODES, case.seed))
        return effect_of(case, _bound(case.milestone, evidence), inertia)

    def _arrival(self, missing: int) -> tuple[int, float]:
        relations = self.proposals.relations
        rate = signups_per_week(self.overall, relations)
        return weeks_until(missing, self.overall, relations, max(self.registered, self.through), rate)

    def _aside(self, case: Case, decisions: dict[Milestone, Any], origin: Origin) -> Aside:
        adjusted = decisions[case.milestone].unwidened
        met = np.isfinite(self.proposals.reached(case.milestone))
        evidence = self.trials.past(case.milestone, met, self.proposals.decides, (self.registered, self.through))
        tried, standing = experiment.experimental_evidence(evidence, adjusted, case.minimum_effect)
        since = self.proposals.launches.of(case.milestone)
        return Aside(
            origin=origin,
            evidence=evidence,
            tried=tried,
            standing=standing,
            experiment=self._plan(case, adjusted, evidence, standing),
            curves=self._curves(case),
            ladder=self._climb(case.milestone),
            since=None if since is None else as_day(since),
        )

    def _plan(
        self, case: Case, adjusted: Estimate, evidence: Sequence[PastExperiment], standing: experiment.Says
    ) -> ExperimentPlan:
        """Size the next experiment by what a past one found, where it says something, else by the comparison."""
        tested = [test.complier for test in evidence if test.claims == "complier" and test.complier is not None]
        known = [effect for effect in tested if effect.ci_lower is not None and effect.ci_upper is not None]
        known = known if standing in ("supports", "contradicts") else []
        found = min(known, key=lambda effect: (effect.ci_upper or 0.0) - (effect.ci_lower or 0.0), default=None)
        return self.trials.plan(
            case.milestone,
            adjusted if found is None else found,
            activation=float(case.met.mean()),
            base_rate=float(case.retained.mean()),
            from_test=found is not None,
        )

    def _curves(self, case: Case) -> tuple[SurvivalCurve, ...]:
        duration, departed = self.proposals.outcome.duration, self.proposals.outcome.departed
        if duration is None or departed is None:
            return ()
        here = self.proposals.available(case.milestone)
        sides = (f"reached {case.milestone}", case.met), ("did not reach it", ~case.met)
        return tuple(
            estimate.kaplan_meier(duration[here][side], departed[here][side], label, case.alpha)
            for label, side in sides
            if side.any()
        )

    def _climb(self, milestone: Milestone) -> tuple[LadderStep, ...]:
        """Return the rungs of the proposed ladder in these accounts."""
        if milestone not in self.steps:
            return ()
        rungs = [*self.steps[milestone], milestone]
        days = [self.proposals.reached(rung) for rung in rungs]
        top = np.isfinite(days[-1])
        steps, arrived = [], np.ones(len(top), dtype=bool)
        for rung, own in zip(rungs, days, strict=True):
            there = arrived & np.isfinite(own)
            steps.append(
                LadderStep(
                    milestone=str(rung),
                    reach=float(np.isfinite(own).mean()),
                    step_conversion=_share(there, arrived),
                    before_milestone=None if rung == milestone else _share(top & (own <= days[-1]), top),
                    median_days=float(np.median(own[np.isfinite(own)])) if np.isfinite(own).any() else None,
                )
            )
            arrived = there
        return tuple(steps)


def _share(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float | None:
    return float((part & whole).sum() / whole.sum()) if whole.any() else None


def _bound(milestone: Milestone, evidence: Evidence) -> float:
    """Return the score that the search over such rules reaches by chance."""
    single, pair = (
        bound if np.isfinite(bound) else LEAST_BOUND for bound in (evidence.single_bound, evidence.pair_bound)
    )
    return single if len(milestone.conditions) == 1 else max(single, pair)


def _correction(question: Question, searched: int, opened: Sequence[Condition]) -> str:
    proposals = len(question.milestones)
    if question.origin == "searched":
        if not searched:  # then it keeps clear of the least that a search reaches by chance
            return ""
        both = "" if proposals == 1 else f"; the upper bound answers for the {proposals} proposals"
        return (
            f"A search over these accounts may have proposed {'it' if proposals == 1 else 'them'}, so the lower bound "
            f"answers for {_rules(searched)} of that search{both}."
            f"{_not_covered(question, opened)}"
        )
    if proposals == 1:
        return "One proposal that did not come from these accounts: nothing to correct for."
    return f"{proposals} proposals that did not come from these accounts answer for each other (Holm)."


def _not_covered(question: Question, opened: Sequence[Condition]) -> str:
    """Say which tests of the proposals no search opened, so that the bound does not answer for rules like them."""
    known = {(act.event, test.name) for act in opened for test in act.where}
    acts = (act for milestone in question.milestones for act in milestone.acts)
    apart = {act.act_name: None for act in acts for test in act.where if (act.event, test.name) not in known}
    if not apart:
        return ""
    named = ", ".join(wording.clean(name) for name in list(apart)[:3])
    return f" No rules with such tests as in {named} are among them: it does not answer for a search through those."


def _rules(searched: int) -> str:
    return "the one rule" if searched == 1 else f"all {searched:,} rules"


def _unanswered(question: Question, reason: str) -> dict[str, Any]:
    return {
        "proposals": tuple(not_judged(milestone, reason) for milestone in question.milestones),
        "correction": "",
        "searched": 0,
        "first": None,
        "first_status": None,
        "adjusted_for": (),
    }


def _refuse_misspelt(question: Question, relations: Relations) -> None:
    """Refuse an event that the log does not have where one of nearly the same name is there.

    An event with a name of its own may be one that is not tracked yet, which the criteria say.
    """
    names = exposure.event_names(relations.engine, relations.events_table)
    asked = sorted({event for milestone in question.milestones for event in milestone.events} - {*names})
    near = {event: get_close_matches(event, names, n=1, cutoff=NEARLY_THE_SAME) for event in asked}
    said = [f"“{event}” (did you mean “{found[0]}”?)" for event, found in near.items() if found]
    if said:
        raise InputError(f"{len(said)} event(s) are not in the log: {', '.join(said[:3])}. Nothing was judged.")


def _refuse_absent_values(question: Question, relations: Relations) -> None:
    """Refuse a value of a property that no row of its event has, in the whole log."""
    names = exposure.event_names(relations.engine, relations.events_table)
    events, columns = relations.events_table, columns_of(relations)
    acts = (act for milestone in question.milestones for act in milestone.acts if act.event in names)
    values = [
        Condition(act.event, where=(PropertyTest(test.name, "=", value),))
        for act in acts
        for test in act.where
        if test.operator in ("=", "in") and test.name != BY_OTHER
        for value in test.values
    ]
    absent = exposure.never_met(relations.engine, events, values, columns)
    if not absent:
        return
    event, (test,) = absent[0].event, absent[0].where
    found = exposure.usual_values(relations.engine, events, columns, event, test.name, SHOWN_VALUES + 1)
    shown = ", ".join(map(wording.clean, found[:SHOWN_VALUES])) + (" and more" if len(found) > SHOWN_VALUES else "")
    there = f"there are {shown}. Case counts" if found else f"none has any {test.name}"
    raise InputError(f"No row of {event} has {test}; {there}. Nothing was judged.")


def _refuse_long_windows(question: Question, window_days: int) -> None:
    for milestone in question.everything:
        longest = max(milestone.conditions, key=lambda condition: condition.within_hours or 0)
        hours = longest.within_hours or 0
        if hours > 24 * window_days:
            raise InputError(
                f"“{longest}” looks {hours / 24:g} days ahead, beyond the observation window of {window_days} days. "
                f"Shorten its window, or widen it: --set candidates.window_days={-(-hours // 24)}"
            )
