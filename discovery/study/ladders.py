"""What is read from the events for ladders, and one ladder for each finding and lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from discovery import estimate, exposure, ladder
from discovery.exposure import Exposure
from discovery.intake import Relations
from discovery.ladder import HABIT_DAYS, Climb, Cohort, Goal, Habit, Leg, Path, Seen, Step
from discovery.milestone import Condition, Milestone
from discovery.outcome import Outcome
from discovery.progress import Progress
from discovery.results import ExperimentPlan, Ladder, Persona, RankedFamily, Verdict
from discovery.spec import Day
from discovery.study.goals import goals_for_all, goals_of_personas, having
from discovery.study.launches import Launches
from discovery.study.panel import Panel, some_of
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
    """A goal, the path to it, and when its milestone existed from.

    Of the goal's `accounts`, those are `counted` that signed up since, and of these some are `asked` about their way;
    all bool[n].
    """

    goal: Goal
    milestone: Milestone
    path: Path
    since: int | None
    accounts: Bools
    counted: Bools
    asked: Bools


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
        panel = Panel(self.relations, self.outcome.positions[np.logical_or.reduce([each.asked for each in found])])
        rungs = dict.fromkeys(rung for each in found for rung in _rungs(each))
        sessions = panel.sessions({rung: self.reached(rung) for rung in rungs}, self.sample.no_use)
        made: list[Ladder] = []
        for each in found:
            progress(stage, len(made) / len(found))
            made.append(self._ladder(each, panel, sessions))
        return ladder.in_rank(
            sorted(made, key=lambda one: (one.milestone, one.persona) != (verdict.milestone, verdict.persona))
        )

    @cached_property
    def launches(self) -> Launches:
        """When events appeared that did not exist from the beginning."""
        return Launches(self.relations, self.outcome, self.measured)

    def path_to(self, milestone: Milestone, accounts: Bools) -> Path:
        """Return the steps required on the way to a milestone among some accounts, bool[n].

        Of many accounts about 50,000 are searched; the times and the necessity of what is found are those of all.
        """
        spec, asked, of_all = self.relations.spec, some_of(accounts), self.outcome.positions[accounts]
        signup, positions = self.sample.signup[asked], self.outcome.positions[asked]
        halves = estimate.draw_halves(signup, SPLITS, spec.inference.seed)
        reached, steps = self.reached(milestone), self._steps(milestone, positions)
        path = ladder.find_path(
            reached[positions], steps, signup, halves, spec.ladder, date_only=self.relations.date_only
        )
        return path.among(
            reached[of_all],
            self.sample.signup[accounts],
            {event: self.measured.first_lags(event, of_all) for place in path.places for event in place.events},
        )

    def _steps(self, milestone: Milestone, positions: NDArray[np.int64]) -> list[Step]:
        """Return what may lie on the way to a milestone, as some accounts did it."""
        apart = {*milestone.events, *self.sample.at_signup, *self.sample.apart}
        return [
            Step(
                event=event,
                first_days=days,
                since=self.launches.of_events.get(event),
                left_out=self._left_out(event),
            )
            for event, days in zip(self.measured.events, self.measured.every_first_lags(positions), strict=True)
            if event not in apart
        ]

    def _find(self, goal: Goal) -> _Found:
        milestone = Milestone.parse(goal.milestone)
        everyone = np.ones(len(self.sample), dtype=bool)
        accounts = everyone if goal.persona is None else having(goal.persona, self.sample.segments)
        path = self.path_to(milestone, accounts)
        moments = [self.launches.of(milestone), *(place.since for place in path.places)]
        since = max((moment for moment in moments if moment is not None), default=None)
        counted = accounts if since is None else accounts & (self.sample.signup >= since)
        return _Found(
            goal=goal,
            milestone=milestone,
            path=path,
            since=since,
            accounts=accounts,
            counted=counted,
            asked=some_of(counted),
        )

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

    def _ladder(self, found: _Found, panel: Panel, sessions: Mapping[Milestone, Floats]) -> Ladder:
        spec = self.relations.spec
        positions, asked = self.outcome.positions[found.counted], self.outcome.positions[found.asked]
        everyone = Climb(
            milestone=found.milestone,
            top=self.reached(found.milestone)[self.outcome.positions[found.accounts]],
            places=found.path.places,
        )
        climb = everyone.among(found.counted[found.accounts])
        of_asked = everyone.among(found.asked[found.accounts])
        habit, cohort = self._habit_and_cohort(found)
        seen = Seen(
            sessions=np.array([sessions[rung][panel.places(asked)] for rung in climb.rungs]),
            legs=tuple(self._leg(found, of_asked, place, panel) for place in range(len(climb.rungs))),
            failures={e for e in self.measured.events if self._is_failure(e)},
            hidden={*self.sample.at_signup, *self.sample.apart, *self._presence},
            habit=habit,
            cohort=cohort,
            segments={name: values[found.counted] for name, values in self._segments.items()},
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
        return replace(built, experiment=self._experiment(found, climb))

    def _experiment(self, found: _Found, climb: Climb) -> ExperimentPlan | None:
        """Return the test that would prove the milestone among a ladder's accounts; None where none is known of."""
        known = self.outcome.mature & found.counted
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

    def _leg(self, found: _Found, climb: Climb, place: int, panel: Panel) -> Leg:
        """Return the way from one rung to the next, with what the accounts asked meet on it; the climb is theirs."""
        start = climb.days[place - 1] if place else np.zeros(len(climb))
        arrives = climb.on_the_way[place]
        here = np.isfinite(start) & (arrives > start)
        end = np.minimum(arrives, self._window_us / Day)
        rungs, positions = (None, *climb.rungs), self.outcome.positions[found.asked]
        return Leg(
            time=(end - start)[here],
            went_on=np.isfinite(arrives)[here],
            met=panel.first_days(rungs[place], climb.rungs[place], positions[here]),
            segments={name: values[found.asked][here] for name, values in self._segments.items()},
        )

    def _habit_and_cohort(self, found: _Found) -> tuple[Habit | None, Cohort]:
        """Return who has a team habit after a month, and every signup's way through the stages."""
        accounts, window = self.relations.accounts, self.relations.spec.candidates.window_days
        mine = self.outcome.positions[found.counted]
        signups = np.concatenate([mine, self._decided_early(found)])
        some = exposure.enough_of(signups)
        followed = accounts.observed_until >= accounts.signup + int(HABIT_DAYS) * Day
        rungs = [self.reached(rung) for rung in _rungs(found)]
        ends = ladder.ends_setup(_rungs(found), self.sample.kinds)
        setup = None if ends is None else np.minimum.reduce(rungs[ends:])[signups]
        parts = self._habit_parts(found.milestone, some) if followed[signups].any() else None
        has = None if parts is None else np.logical_and.reduce(parts)
        why = "" if has is not None else "No account was followed for 30 days, so a team habit cannot be seen."
        cohort = Cohort(
            setup=setup,
            aha=rungs[-1][signups],
            habit=None if has is None else has[signups[followed[signups]]],
            no_habit=why,
            window_days=float(window),
            sees_users=self.relations.has_users,
            habit_parts=None if parts is None else _shares(parts, (some[followed[some]], signups[followed[signups]])),
        )
        if has is None:
            return None, cohort
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

    def _habit_parts(self, milestone: Milestone, some: NDArray[np.int64]) -> tuple[Bools, ...]:
        """Return who has enough users active, where the log names users, and who does the core action often enough.

        Of many accounts, the users of those that do it often enough are counted, and of `some` beside them.
        """
        relations, n = self.relations, len(self.relations.accounts)
        rows = exposure.with_acts(relations.events_table, milestone.acts, columns_of(relations))
        core = [act.act_name for act in milestone.acts]
        weeks = exposure.core_weeks(relations.engine, rows, relations.accounts_table, n, core, end_day=int(HABIT_DAYS))
        often = np.asarray(weeks >= WEEKS)
        if not relations.has_users:
            return (often,)
        asked = np.union1d(np.flatnonzero(often), some)
        accounts = exposure.accounts_at(relations.engine, relations.accounts_table, n, asked, "with_habit")
        users = exposure.active_users(
            relations.engine,
            rows,
            accounts,
            n,
            self.sample.no_use,
            end_day=int(HABIT_DAYS),
            active_days=ACTIVE_DAYS,
        )
        return np.asarray(users >= TEAM), often

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


def _shares(
    parts: tuple[Bools, ...], accounts: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> tuple[float, float] | None:
    """Return the share of the accounts of each part that has it; None without two parts, or accounts."""
    if len(parts) < 2 or not all(map(len, accounts)):
        return None
    return float(parts[0][accounts[0]].mean()), float(parts[1][accounts[1]].mean())


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
