"""Randomised tests of a proposal: what past ones say, and what the next one would take."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from discovery import experiment, exposure, ladder
from discovery.exposure import UserCounts
from discovery.intake import Relations
from discovery.milestone import Condition, Milestone
from discovery.outcome import Outcome
from discovery.results import Estimate, ExperimentPlan, PastExperiment
from discovery.spec import Day
from discovery.study.sample import Sample
from discovery.study.settled import signups_per_week

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Trials:
    """The randomised tests of one study: `overall` has all its accounts, `outcome` and `sample` those judged."""

    relations: Relations
    overall: Outcome
    outcome: Outcome
    sample: Sample

    def past(self, milestone: Milestone, met: Bools, before: int) -> tuple[PastExperiment, ...]:
        """Read every past test as an encouragement to reach a milestone.

        Parameters
        ----------
        milestone : Milestone
        met : bool[n]
            Which of the judged accounts reached it.
        before : int
            Accounts that signed up before this moment are judged, in microseconds since 1970.
        """
        tests, accounts = self.relations.spec.experiment.assignment, self.relations.accounts
        if not tests:
            return ()
        positions, early = self.outcome.positions, self.overall.decided
        early = early[accounts.signup[early] < before]
        people = experiment.Participants(
            milestone=milestone,
            met=met,
            retained=self.sample.retained,
            signup=self.sample.signup,
            assignments={column: values[positions] for column, values in accounts.assignments.items()},
            design=self.sample.adjustment.design(self.sample.rows, "traits").values,
            others=self._others,
            early=experiment.EarlyLeavers(
                signup=accounts.signup[early],
                assignments={column: values[early] for column, values in accounts.assignments.items()},
            ),
            outcome=self.sample.outcome,
        )
        return experiment.read_experiments(tests, people, self.relations.spec.inference.alpha)

    @cached_property
    def _others(self) -> tuple[tuple[Milestone, Bools], ...]:
        """Any use of every event, to see what else a variant moved."""
        counts = self.sample.counts.tocsc()
        used = []
        for place, event in enumerate(self.sample.events):
            if event in self.sample.apart:
                continue
            met = np.zeros(len(self.sample), dtype=bool)
            met[counts.indices[counts.indptr[place] : counts.indptr[place + 1]]] = True
            used.append((Milestone((Condition(event),)), met))
        return tuple(used)

    def plan(
        self, milestone: Milestone, adjusted: Estimate, activation: float, base_rate: float, part: float = 1.0
    ) -> ExperimentPlan:
        """Return the test that would prove a milestone, at the signups of late; `part` of them could be in it."""
        counts = self._user_counts(milestone)
        mine = self.outcome.positions
        return experiment.plan_experiment(
            milestone=milestone,
            outcome=self.outcome.summary,
            adjusted=adjusted,
            base_rate=base_rate,
            activation=activation,
            signups_per_week=part * signups_per_week(self.overall, self.relations),
            minimum_effect=self.relations.spec.inference.minimum_effect,
            error_events=[event for event in self.sample.events if self._is_failure(event)],
            users=None if counts is None else counts.users[mine],
            did=None if counts is None else counts.did[mine],
            alpha=self.relations.spec.inference.alpha,
        )

    def _user_counts(self, milestone: Milestone) -> UserCounts | None:
        if not self.relations.has_users:
            return None
        return exposure.user_counts(
            self.relations.engine,
            self.relations.events_table,
            self.relations.accounts_table,
            len(self.relations.accounts),
            milestone.events,
            self.relations.spec.candidates.window_days * Day,
        )

    def _is_failure(self, event: str) -> bool:
        kind = self.relations.spec.kinds.of(event)
        return kind == "risk" or (kind is None and ladder.is_failure(event))
