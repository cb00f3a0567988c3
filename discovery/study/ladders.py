"""What is read from the events for ladders, and one ladder for each finding and lead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from discovery import estimate, exposure, ladder
from discovery.exposure import Exposure, Met
from discovery.intake import Relations
from discovery.ladder import HABIT_DAYS, Climb, Cohort, Goal, Habit, Leg, Path, Seen, Step
from discovery.milestone import Condition, Milestone
from discovery.outcome import Outcome
from discovery.progress import Progress
from discovery.results import ExperimentPlan, Ladder, Persona, RankedFamily, Verdict
from discovery.spec import Day
from discovery.study.goals import goals_for_all, goals_of_personas, having
from discovery.study.launches import Launches
from discovery.study.properties import columns_of
from discovery.study.sample import Sample
from discovery.study.trials import Trials

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SPLITS = 25
"""Halvings of the accounts; each gives two half-samples."""
TEAM, WEEKS, ACTIVE_DAYS = 3, 3, 14
"""A team habit: users active in the last days of the month, and weeks of four with the core action."""
NO_STEP: Mapping[str, str] = {
    "vanity": "You call it vanity.",
    "risk": "You call it a risk.",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Found:
    """A goal, its accounts (bool[n]), when its milestone existed from, and the path to it."""

    goal: Goal
    milestone: Milestone
    accounts: Bools
    path: Path
    since: int | None


class _OnLeg(Mapping[str, Floats]):
    """First days on a leg by event, for some accounts; made when asked for, since all of them are large together."""

    def __init__(self, met: Met, positions: NDArray[np.int64]) -> None:
        self._met, self._positions = met, positions

    def __getitem__(self, event: str) -> Floats:
        if event not in self._met.events:
            raise KeyError(event)
        return self._met.first_days(event)[self._positions]

    def __iter__(self) -> Iterator[str]:
        return iter(self._met.events)

    def __len__(self) -> int:
        return len(self._met.events)


@dataclass(frozen=True)
class Ladders:
    """Builds the ladders of one study."""

    relations: Relations
    outcome: Outcome
    measured: Exposure
    sample: Sample
    _moments: dict[Milestone, Floats] = field(default_factory=dict, init=False, repr=False)

    def build(
        self,
        verdict: Verdict,
        ranking: Sequence[RankedFamily],
        personas: Sequence[Persona],
        progress: Progress,
    ) -> tuple[Ladder, ...]:
        """Return one ladder for each finding and lead, over all accounts and inside personas that differ.

        That of the verdict comes first.
        """
        spec = self.relations.spec
        goals = [*goals_for_all(ranking), *goals_of_personas(personas, ranking, verdict.persona, spec.inference.alpha)]
        if not goals:
            return ()
        stage = "Building one ladder" if len(goals) == 1 else f"Building {len(goals)} ladders"
        progress(stage)
        found = _telling([self._find(goal) for goal in goals], verdict.persona)
        sessions = self._sessions(found)
        met: dict[tuple[Milestone | None, Milestone], Met] = {}
        made: list[Ladder] = []
        for each in found:
            progress(stage, len(made) / len(found))
            made.append(self._ladder(each, sessions, met))
        return ladder.in_rank(
            sorted(made, key=lambda one: (one.milestone, one.persona) != (verdict.milestone, verdict.persona))
        )

    @cached_property
    def launches(self) -> Launches:
        """When events appeared that did not exist from the beginning."""
        return Launches(self.relations, self.outcome, self.measured)

    def path_to(self, milestone: Milestone, accounts: Bools) -> Path:
        """Return the steps required on the way to a milestone among some accounts, bool[n]."""
        spec, signup, places = self.relations.spec, self.sample.signup[accounts], self.outcome.positions[accounts]
        steps = [
            Step(
                event=event,
                first_days=self.measured.first_lags(event, places),
                since=self.launches.of_events.get(event),
                left_out=self._left_out(event),
            )
            for event in self.measured.events
            if event not in milestone.events and event not in self.sample.at_signup and event not in self.sample.apart
        ]
        halves = estimate.draw_halves(signup, SPLITS, spec.inference.seed)
        reached = self.reached(milestone)[places]
        return ladder.find_path(reached, steps, signup, halves, spec.ladder, date_only=self.relations.date_only)

    def _find(self, goal: Goal) -> _Found:
        milestone = Milestone.parse(goal.milestone)
        everyone = np.ones(len(self.sample), dtype=bool)
        accounts = everyone if goal.persona is None else having(goal.persona, self.sample.segments)
        path = self.path_to(milestone, accounts)
        moments = [self.launches.of(milestone), *(place.since for place in path.places)]
        known = [moment for moment in moments if moment is not None]
        return _Found(goal=goal, milestone=milestone, accounts=accounts, path=path, since=max(known) if known else None)

    def _youngest(self, found: _Found) -> str | None:
        """Return the rung that did not exist before the ladder's accounts signed up."""
        moments = [*((place.since, str(place.milestone)) for place in found.path.places)]
        moments.append((self.launches.of(found.milestone), str(found.milestone)))
        return next((rung for since, rung in moments if since is not None and since == found.since), None)

    def _left_out(self, event: str) -> str | None:
        kind = self.relations.spec.kinds.of(event)
        if kind is not None:
            return NO_STEP.get(kind)
        if ladder.is_presence(event):
            return "By its name it is a visit, not an action; name its kind in the spec if it is more."
        if ladder.is_failure(event):
            return "By its name, it is something that failed; name its kind if it is not."
        return None

    def reached(self, milestone: Milestone) -> Floats:
        """Return the days from signup to a milestone, one per account; each is asked for once."""
        if milestone not in self._moments:
            plain = milestone.conditions == tuple(Condition(event) for event in milestone.events)
            plain = plain and all(event in self.measured.events for event in milestone.events)
            if plain and (milestone.joined == "or" or len(milestone.events) == 1):
                everyone = np.arange(len(self.relations.accounts))
                days: Floats = np.minimum.reduce([self.measured.first_lags(e, everyone) for e in milestone.events])
            else:
                days = self._reach_times(milestone)
            self._moments[milestone] = days
        return self._moments[milestone]

    def _reach_times(self, milestone: Milestone) -> Floats:
        return exposure.reach_times(
            self.relations.engine,
            self.relations.events_table,
            self.relations.accounts_table,
            len(self.relations.accounts),
            milestone,
            self._window_us,
            columns_of(self.relations),
        )

    @property
    def _window_us(self) -> int:
        return self.relations.spec.candidates.window_days * Day

    def _sessions(self, found: Sequence[_Found]) -> dict[Milestone, Floats]:
        """Return the number of the session in which each rung of any ladder was done, one per account."""
        rungs = list(dict.fromkeys(rung for each in found for rung in _rungs(each)))
        moments = np.array([self.reached(rung) for rung in rungs])
        numbers = exposure.session_numbers(
            self.relations.engine,
            self.relations.events_table,
            self.relations.accounts_table,
            len(self.relations.accounts),
            self._window_us,
            moments,
            self.sample.no_use,
        )
        return dict(zip(rungs, numbers, strict=True))

    def _ladder(
        self, found: _Found, sessions: Mapping[Milestone, Floats], met: dict[tuple[Milestone | None, Milestone], Met]
    ) -> Ladder:
        spec = self.relations.spec
        counted = found.accounts if found.since is None else found.accounts & (self.sample.signup >= found.since)
        positions = self.outcome.positions[counted]
        everyone = Climb(
            milestone=found.milestone,
            top=self.reached(found.milestone)[self.outcome.positions[found.accounts]],
            places=found.path.places,
        )
        climb = everyone.among(counted[found.accounts])
        habit, cohort = self._habit_and_cohort(found, counted)
        segments = {name: values[counted] for name, values in self._segments.items()}
        seen = Seen(
            sessions=np.array([sessions[rung][positions] for rung in climb.rungs]),
            legs=tuple(self._leg(climb, place, positions, segments, met) for place in range(len(climb.rungs))),
            failures={e for e in self.measured.events if self._is_failure(e)},
            hidden={*self.sample.at_signup, *self.sample.apart, *self._presence},
            habit=habit,
            cohort=cohort,
            segments=segments,
            kinds=self.sample.kinds,
            date_only=self.relations.date_only,
            later=self.reached(found.milestone.without_windows)[positions],
            partly=self.reached(found.milestone.any_event)[positions],
        )
        built = ladder.build_ladder(
            found.goal,
            found.path,
            climb,
            seen,
            since=None if found.since is None else _day(found.since),
            youngest=self._youngest(found),
            fewest_rungs=spec.ladder.rungs[0],
            motion=spec.product.motion,
            alpha=spec.inference.alpha,
        )
        return replace(built, experiment=self._experiment(found, counted, climb))

    def _experiment(self, found: _Found, counted: Bools, climb: Climb) -> ExperimentPlan | None:
        """Return the test that would prove the milestone among a ladder's accounts; None where none is known of."""
        known = self.outcome.mature & counted
        if not known.any():
            return None
        trials = Trials(self.relations, self.outcome, self.outcome, self.measured, self.sample)
        return trials.plan(
            found.milestone,
            found.goal.adjusted,
            activation=float(np.isfinite(climb.top).mean()),
            base_rate=float(self.outcome.retained[known].mean()),
            part=float(found.accounts.mean()),
        )

    @property
    def _presence(self) -> list[str]:
        """Events that by their names say that somebody is there, unless the user calls them something."""
        return [e for e in self.measured.events if self.sample.kinds.get(e) is None and ladder.is_presence(e)]

    def _is_failure(self, event: str) -> bool:
        kind = self.relations.spec.kinds.of(event)
        return kind == "risk" or (kind is None and ladder.is_failure(event))

    def _leg(
        self,
        climb: Climb,
        place: int,
        positions: NDArray[np.int64],
        segments: Mapping[str, NDArray[np.object_]],
        met: dict[tuple[Milestone | None, Milestone], Met],
    ) -> Leg:
        """Return the way from one rung to the next, with what accounts meet on it."""
        key = (climb.rungs[place - 1] if place else None, climb.rungs[place])
        if key not in met:
            met[key] = exposure.met_between(
                self.relations.engine,
                self.relations.events_table,
                self.relations.accounts_table,
                len(self.relations.accounts),
                *key,
                self._window_us,
                columns=columns_of(self.relations),
            )
        start = climb.days[place - 1] if place else np.zeros(len(climb))
        arrives = climb.on_the_way[place]
        here = np.isfinite(start) & (arrives > start)
        end = np.minimum(arrives, self._window_us / Day)
        return Leg(
            time=(end - start)[here],
            went_on=np.isfinite(arrives)[here],
            met=_OnLeg(met[key], positions[here]),
            segments={name: values[here] for name, values in segments.items()},
        )

    def _habit_and_cohort(self, found: _Found, counted: Bools) -> tuple[Habit | None, Cohort]:
        """Return who has a team habit after a month, and every signup's way through the stages."""
        accounts, window = self.relations.accounts, self.relations.spec.candidates.window_days
        signups = np.concatenate([self.outcome.positions[counted], self._decided_early(found)])
        followed = accounts.observed_until >= accounts.signup + int(HABIT_DAYS) * Day
        rungs = [self.reached(rung) for rung in _rungs(found)]
        ends = ladder.ends_setup(_rungs(found), self.sample.kinds)
        setup = None if ends is None else np.minimum.reduce(rungs[ends:])[signups]
        parts = self._habit_parts(found.milestone) if followed[signups].any() else None
        has = None if parts is None else np.logical_and.reduce(parts)
        why = "" if has is not None else "No account was followed for 30 days, so a team habit cannot be seen."
        cohort = Cohort(
            setup=setup,
            aha=rungs[-1][signups],
            habit=None if has is None else has[signups[followed[signups]]],
            no_habit=why,
            window_days=float(window),
            sees_users=self.relations.has_users,
            habit_parts=_means(parts, signups[followed[signups]]),
        )
        if has is None:
            return None, cohort
        mine = self.outcome.positions[counted]
        return Habit(text=self._habit_text(found.milestone), followed=followed[mine], has=has[mine]), cohort

    def _decided_early(self, found: _Found) -> NDArray[np.int64]:
        """Return the accounts of a ladder's kind that left or converted before the landmark, if seen for all of it."""
        early, accounts = self.outcome.decided, self.relations.accounts
        kept = accounts.observed_until[early] >= accounts.signup[early] + self._window_us
        if found.goal.persona is not None:
            kept &= having(found.goal.persona, {n: v[early] for n, v in accounts.segments.items()})
        if found.since is not None:
            kept &= accounts.signup[early] >= found.since
        return np.asarray(early[kept], dtype=np.int64)

    def _habit_parts(self, milestone: Milestone) -> tuple[Bools, ...]:
        """Return who has enough users active, where the log names users, and who does the core action often enough."""
        habit = exposure.team_habit(
            self.relations.engine,
            exposure.with_acts(self.relations.events_table, milestone.acts, columns_of(self.relations)),
            self.relations.accounts_table,
            len(self.relations.accounts),
            [act.act_name for act in milestone.acts],
            self.sample.no_use,
            end_day=int(HABIT_DAYS),
            active_days=ACTIVE_DAYS,
        )
        often = np.asarray(habit.core_weeks >= WEEKS)
        return (np.asarray(habit.users >= TEAM), often) if self.relations.has_users else (often,)

    def _habit_text(self, milestone: Milestone) -> str:
        core = " or ".join(map(str, milestone.acts))
        weeks = f"{core} in {WEEKS} of the 4 weeks before day {HABIT_DAYS:g}"
        if not self.relations.has_users:
            return weeks
        first = HABIT_DAYS - ACTIVE_DAYS
        return f"{TEAM} or more users active from day {first:g} to day {HABIT_DAYS:g}, and {weeks}"

    @cached_property
    def _segments(self) -> dict[str, NDArray[np.object_]]:
        """Return the segments of the landmark accounts, seats in thirds among them."""
        found = dict(self.sample.segments)
        seats = self.relations.accounts.seats[self.outcome.positions]
        if self.relations.spec.accounts.seats and np.isfinite(seats).any():
            found.setdefault("seats", _thirds(seats))
        return found


def _telling(found: Sequence[_Found], named: str | None) -> list[_Found]:
    """Leave out the ladders of personas that say no more than one over all accounts, but for the persona named."""
    said = {(e.milestone.family, _places(e), status) for e in found if e.goal.persona is None for status in _covers(e)}
    return [
        e
        for e in found
        if e.goal.persona in (None, named) or (e.milestone.family, _places(e), e.goal.status) not in said
    ]


def _covers(found: _Found) -> tuple[str, ...]:
    """Return the statuses that a persona must have to say nothing new: what is found for all is more than a lead."""
    return ("found", "lead") if found.goal.status == "found" else ("lead",)


def _places(found: _Found) -> tuple[Milestone, ...]:
    return tuple(place.milestone for place in found.path.places)


def _rungs(found: _Found) -> tuple[Milestone, ...]:
    return (*_places(found), found.milestone)


def _means(parts: tuple[Bools, ...] | None, accounts: NDArray[np.int64]) -> tuple[float, float] | None:
    if parts is None or len(parts) < 2 or not len(accounts):
        return None
    return float(parts[0][accounts].mean()), float(parts[1][accounts].mean())


def _thirds(values: Floats) -> NDArray[np.object_]:
    """Return values as the text of the third they fall in; None where unknown."""
    known = np.isfinite(values)
    edges = np.unique(np.quantile(values[known], [1 / 3, 2 / 3]))
    group = np.searchsorted(edges, values, side="left")
    texts = np.full(len(values), None, dtype=object)
    for number in np.unique(group[known]):
        inside = known & (group == number)
        low, high = values[inside].min(), values[inside].max()
        texts[inside] = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    return texts


def _day(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1e6, UTC).date().isoformat()
