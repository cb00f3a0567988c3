"""Randomised tests of a proposal: what past ones say, and what the next one would take."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from discovery import experiment, exposure, ladder
from discovery.exposure import Exposure, UserCounts
from discovery.intake import Relations
from discovery.milestone import Condition, Milestone
from discovery.outcome import Outcome
from discovery.results import Estimate, ExperimentPlan, PastExperiment
from discovery.spec import Day
from discovery.study.properties import columns_of
from discovery.study.sample import Sample
from discovery.study.settled import signups_per_week

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Trials:
    """The randomised tests of one study: `overall` has all its accounts, `outcome` and `sample` those judged."""

    relations: Relations
    overall: Outcome
    outcome: Outcome
    measured: Exposure
    sample: Sample

    def past(
        self, milestone: Milestone, met: Bools, decides: Bools, signups: tuple[int, int]
    ) -> tuple[PastExperiment, ...]:
        """Read every past test as an encouragement to reach a milestone.

        Parameters
        ----------
        milestone : Milestone
        met : bool[n]
            Which of the judged accounts reached it.
        decides : bool[n]
            Which of them the verdict rests on; the others are in no test.
        signups : tuple of int
            The first moment, and that after the last, at which accounts that decide signed up; microseconds since 1970.
        """
        tests, accounts = self.relations.spec.experiment.assignment, self.relations.accounts
        if not tests:
            return ()
        positions, early = self.outcome.positions, self.overall.decided
        early = early[(accounts.signup[early] >= signups[0]) & (accounts.signup[early] < signups[1])]
        variants = {column: values[positions] for column, values in accounts.assignments.items()}
        people = experiment.Participants(
            milestone=milestone,
            met=met,
            retained=self.sample.retained,
            signup=self.sample.signup,
            assignments={column: _of_some(values, decides) for column, values in variants.items()},
            design=self.sample.adjustment.design(self.sample.rows, "traits").values,
            parts=self._parts(milestone),
            others=self._others,
            early=experiment.Assigned(
                signup=accounts.signup[early],
                assignments={column: values[early] for column, values in accounts.assignments.items()},
            ),
            everybody=experiment.Assigned(signup=accounts.signup, assignments=accounts.assignments),
            outcome=self.sample.outcome,
        )
        return experiment.read_experiments(tests, people, self.relations.spec.inference.alpha)

    def _parts(self, milestone: Milestone) -> tuple[tuple[Milestone, Bools], ...]:
        """Return what a milestone asks piece by piece: each of its conditions alone, and any use of each event."""
        alone = [Milestone((condition,)) for condition in milestone.conditions]
        used = [*(Milestone((act,)) for act in milestone.acts), *(Milestone.of(event) for event in milestone.events)]
        pieces = dict.fromkeys([*alone, *used])
        return tuple(
            (piece, exposure.flag(self.measured, self.outcome.positions, piece))
            for piece in pieces
            if piece != milestone
        )

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
        self,
        milestone: Milestone,
        adjusted: Estimate,
        *,
        activation: float,
        base_rate: float,
        part: float = 1.0,
        from_test: bool = False,
    ) -> ExperimentPlan:
        """Return the test that would prove a milestone, at the signups of late; `part` of them could be in it.

        It assigns accounts at signup, so those that leave before the landmark count, as leavers that did not reach it.
        """
        mine = exposure.enough_of(self.outcome.positions)
        counts = self._user_counts(milestone, mine)
        staying = self._staying_to_the_landmark
        return experiment.plan_experiment(
            milestone=milestone,
            outcome=self.outcome.summary,
            adjusted=adjusted,
            base_rate=staying * base_rate,
            activation=staying * activation,
            signups_per_week=part * signups_per_week(self.overall, self.relations) / staying,
            minimum_effect=self.relations.spec.inference.minimum_effect,
            error_events=[event for event in self.sample.events if self._is_failure(event)],
            users=None if counts is None else counts.users[mine],
            did=None if counts is None else counts.did[mine],
            alpha=self.relations.spec.inference.alpha,
            from_test=from_test,
        )

    @property
    def _staying_to_the_landmark(self) -> float:
        """Return the share of the signups that do not leave early; 1 where early deciders did not leave."""
        population = self.overall.population
        if self.sample.outcome != "retained" or not population.landmark:
            return 1.0
        return population.landmark / (population.landmark + population.decided_before_landmark)

    def _user_counts(self, milestone: Milestone, positions: NDArray[np.int64]) -> UserCounts | None:
        """Return the users of the accounts at some positions; how alike they do is an estimate of its own."""
        if not self.relations.has_users:
            return None
        relations, n = self.relations, len(self.relations.accounts)
        return exposure.user_counts(
            relations.engine,
            exposure.with_acts(relations.events_table, milestone.acts, columns_of(relations)),
            exposure.accounts_at(relations.engine, relations.accounts_table, n, positions, "with_users"),
            n,
            [act.act_name for act in milestone.acts],
            relations.spec.candidates.window_days * Day,
        )

    def _is_failure(self, event: str) -> bool:
        kind = self.relations.spec.kinds.of(event)
        return kind == "risk" or (kind is None and ladder.is_failure(event))


def _of_some(values: NDArray[np.object_], accounts: Bools) -> NDArray[np.object_]:
    """Return the values of some accounts, None for the others."""
    kept = values.copy()
    kept[~accounts] = None
    return kept
