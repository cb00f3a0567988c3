"""The rooms of a study, entered one by one: what a benchmark needs beyond `Study.run`.

This is the only module here that knows how a study is put together.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discovery import estimate, exposure, intake, ranking
from discovery.exposure import Exposure, Flags
from discovery.intake import Relations
from discovery.milestone import Milestone
from discovery.outcome import Outcome, read_outcome
from discovery.results import RankedFamily, Verdict
from discovery.spec import Day, StudySpec
from discovery.study.evidence import FIVE_MINUTES, lifetimes, prepare_sample
from discovery.study.search import gather

MIN_SIDE = ranking.MIN_SIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Everything that is settled before the outcome is compared with anything."""

    relations: Relations
    outcome: Outcome
    measured: Exposure
    flags: Flags

    @property
    def spec(self) -> StudySpec:
        """The spec as run."""
        return self.relations.spec

    def met(self, milestone: str) -> NDArray[np.bool_]:
        """Return which accounts met a milestone, in the order of their ids; bool[A]."""
        everyone = np.arange(len(self.relations.accounts))
        return exposure.flag(self.measured, everyone, Milestone.parse(milestone))


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """The parts of a result that are judged."""

    verdict: Verdict
    ranking: tuple[RankedFamily, ...]
    personas: tuple[Any, ...] = ()


def prepare(events: object, accounts: object, spec: StudySpec) -> Prepared:
    """Read the tables, the outcome, and who met which candidate. The caller closes `relations.engine`."""
    relations = intake.load(events, accounts, spec)
    grid = relations.spec.candidates
    outcome = read_outcome(lifetimes(relations), relations.spec.outcome, window_days=grid.window_days)
    measured = exposure.measure(
        relations.engine,
        relations.events_table,
        relations.accounts_table,
        len(relations.accounts),
        tuple(days * Day for days in grid.within_days),
        grid.window_days * Day,
    )
    users = grid.min_users if relations.has_users else (1,)
    flags = exposure.candidate_flags(measured, outcome.positions, grid.at_least, grid.within_days, users, MIN_SIDE)
    return Prepared(relations=relations, outcome=outcome, measured=measured, flags=flags)


def set_apart(prepared: Prepared) -> frozenset[str]:
    """Return the events that a study never ranks, whatever they show: leaks, and what merely happens to accounts."""
    return frozenset(name for name in prepared.measured.events if ranking.set_apart(name, prepared.spec))


def at_signup(prepared: Prepared) -> frozenset[str]:
    """Return the events whose first use says who came, not what they did."""
    within = Day if prepared.relations.date_only else FIVE_MINUTES
    return frozenset(exposure.events_at_signup(prepared.measured, prepared.outcome.positions, within))


def known_at_signup(prepared: Prepared, *, traits: bool = True) -> NDArray[np.float64]:
    """Return the signup date as a spline, with or without the traits of the account, standardised; float[n, p]."""
    accounts, positions = prepared.relations.accounts, prepared.outcome.positions
    segments = {name: values[positions] for name, values in accounts.segments.items()} if traits else {}
    seats = accounts.seats[positions] if traits and prepared.spec.accounts.seats else None
    return estimate.static_covariates(accounts.signup[positions], segments, seats).values


def study_with_outcome(prepared: Prepared, retained: NDArray[np.bool_]) -> Conclusion:
    """Run the inference on the same accounts and flags with another outcome.

    Parameters
    ----------
    prepared
        A log as read.
    retained : bool[n]
        The outcome to put in its place, one value per landmark account, read at the mature ones.
    """
    spec, outcome = prepared.spec, _with(prepared.outcome, retained)
    sample = prepare_sample(prepared.relations, outcome, prepared.measured, prepared.flags)
    evidence = gather(sample, spec)
    grading = ranking.grade(evidence, spec)
    return Conclusion(
        verdict=ranking.decide(evidence, grading, outcome.population, outcome.summary, spec),
        ranking=ranking.describe_families(evidence, grading, {}, {}, outcome.summary),
    )


def _with(outcome: Outcome, retained: NDArray[np.bool_]) -> Outcome:
    stayed = retained & outcome.mature
    mature = max(outcome.population.mature, 1)
    population = dataclasses.replace(
        outcome.population, retained=int(stayed.sum()), base_rate=float(stayed.sum() / mature)
    )
    return dataclasses.replace(outcome, retained=stayed, duration=None, departed=None, population=population)
