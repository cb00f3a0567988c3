"""One proposed milestone: all that its judgement needs, gathered from the rooms below."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from discovery import exposure, ladder
from discovery.estimate import unpack
from discovery.exposure import Exposure
from discovery.intake import Relations
from discovery.milestone import BY_OTHER, Condition, Milestone
from discovery.outcome import Outcome
from discovery.ranking import MIN_MATURE, MIN_SIDE, NO_MILESTONE, Evidence
from discovery.spec import Day
from discovery.study.evidence import acts_apart
from discovery.study.ladders import Ladders
from discovery.study.launches import Launches
from discovery.study.properties import columns_of, of_account, with_fewer_tests
from discovery.study.sample import Sample
from discovery.validation import Case, Presence, Repeats, Rule, Setup, Tracking

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
VanitySource = Literal["spec", "names", "none"]
SetupSource = Literal["spec", "ladder", "path"]

RULES_OF_AN_EVENT, VANITY_EVENTS, RIVALS = 6, 8, 60
CHECKLIST = 0.8
"""Share of the named setup events that finish setup, as practitioners count a checklist."""
ACTIVE_DAYS = (2, 3, 5, 7)
ACTION_QUANTILES = (0.2, 0.4, 0.6, 0.8)
FOLLOWED_DAYS = 29
WEEKS = 4


@dataclass(frozen=True)
class Proposals:
    """Gathers the cases of one validation; `decides` says which of the judged accounts the verdict rests on."""

    relations: Relations
    outcome: Outcome
    measured: Exposure
    sample: Sample
    evidence: Evidence
    decides: Bools

    @cached_property
    def _ladders(self) -> Ladders:
        return Ladders(self.relations, self.outcome, self.measured, self.sample)

    @property
    def launches(self) -> Launches:
        """When events appeared that did not exist from the beginning."""
        return self._ladders.launches

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every event name in the log, sorted."""
        return exposure.event_names(self.relations.engine, self.relations.events_table)

    @property
    def _window_us(self) -> int:
        return self.relations.spec.candidates.window_days * Day

    def reached(self, milestone: Milestone) -> Floats:
        """Return the days from signup to a milestone, one per judged account; inf where never."""
        return self._ladders.reached(milestone)[self.outcome.positions]

    def available(self, milestone: Milestone) -> Bools:
        """Return which judged accounts could reach a milestone: all, or those since its events exist."""
        since = self.launches.of(milestone)
        return np.ones(len(self.sample), dtype=bool) if since is None else self.sample.signup >= since

    def case(self, milestone: Milestone, steps: Sequence[Milestone] = ()) -> Case:
        """Gather one proposal; `steps` are the rungs of its ladder, where it comes with one."""
        spec, here = self.relations.spec, self.available(milestone)
        some, decides = self.sample.among(here), self._deciding(here)
        days = self.reached(milestone)[here]
        before = self._before(milestone)[here]
        events = milestone.events
        vanity, source = self._vanity(milestone, here)
        missing = tuple(event for event in events if event not in self.names)
        return Case(
            milestone=milestone,
            days=days,
            retained=self.sample.retained[here],
            signup=self.sample.signup[here],
            decides=self.decides[here],
            null=some.horizon_null,
            deciding=None if decides is None else decides.horizon_null,
            composition=decides.composition_null if decides and self.sample.outcome == "active" else None,
            traits=some.traits_null,
            trait_columns=some.trait_columns,
            minimum_effect=spec.inference.minimum_effect,
            alpha=spec.inference.alpha,
            seed=spec.inference.seed,
            outcome=self.sample.outcome,
            window_days=spec.candidates.window_days,
            motion=spec.product.motion,
            date_only=self.relations.date_only,
            apart={event: self.sample.apart[event] for event in events if event in self.sample.apart}
            | dict(acts_apart(self.relations, milestone.acts)),
            at_signup=self.sample.at_signup | self.sample.acts_at_signup,
            defines_outcome=frozenset(spec.outcome.activity if self.sample.outcome == "active" else ()) & {*events},
            kinds={event: spec.kinds.of(event) for event in events},
            vanity=vanity,
            vanity_source=source,
            actions=_any_activity(before),
            setup=self._setup(milestone, steps, here),
            grid=self._grid(milestone, here, days),
            rivals=self._rivals(milestone, here),
            segments={name: values[here] for name, values in self.sample.segments.items()},
            before=before,
            tracking=self._tracking(milestone),
            repeats=self._repeats(milestone, here, days),
            missing_events=missing,
            near_names=tuple(name for event in missing for name in get_close_matches(event, self.names, n=1)),
            same_within=self._same_within(milestone),
        )

    def _same_within(self, milestone: Milestone) -> dict[tuple[str, str], float]:
        tested: dict[str, set[str]] = {}
        for act in milestone.acts:
            for test in act.where:
                tested.setdefault(test.name, set()).add(act.event)
        return {
            (event, name): share
            for name, events in tested.items()
            for event, share in of_account(self.relations, self.outcome, name, events).items()
        }

    def _deciding(self, here: Bools) -> Sample | None:
        """Return the accounts the verdict rests on; None where they are too few to hold anything equal."""
        some = self.sample.among(here & self.decides)
        stayed = int(some.retained[some.rows].sum())
        enough = len(some.rows) >= MIN_MATURE and min(stayed, len(some.rows) - stayed) >= MIN_SIDE
        return some if enough else None

    def _before(self, milestone: Milestone) -> NDArray[np.int64]:
        daily = exposure.daily_actions(
            self.relations.engine,
            self.relations.events_table,
            self.relations.accounts_table,
            len(self.relations.accounts),
            self.relations.spec.candidates.window_days,
            sorted({*self.sample.no_use, *milestone.events}),
        )
        return daily[self.outcome.positions]

    def _vanity(self, milestone: Milestone, here: Bools) -> tuple[tuple[Rule, ...], VanitySource]:
        """Return the thresholds of vanity events that separate most; those named by the user, else by their names."""
        others = [event for event in self.measured.events if event not in milestone.events]
        named = [event for event in others if self.sample.kinds.get(event) == "vanity"]
        source: VanitySource = "spec" if named else "names"
        found = named or [e for e in others if self.sample.kinds.get(e) is None and ladder.is_presence(e)]
        strongest = sorted((self._strongest(event) for event in found), key=lambda own: -self._strength(own[:1]).sum())
        rules = [rule for own in strongest[:VANITY_EVENTS] for rule in self._rules(own[:RULES_OF_AN_EVENT], here)]
        return tuple(rules), source if rules else "none"

    def _strongest(self, event: str) -> NDArray[np.intp]:
        """Return the single candidates of an event, those that separate most first."""
        own = np.flatnonzero(self.sample.flags.event_of == self.measured.event_index(event))
        return own[np.argsort(-self._strength(own), kind="stable")]

    def _strength(self, candidates: NDArray[np.intp]) -> Floats:
        return np.abs(np.nan_to_num(self.evidence.separation.phi[candidates]))

    def _rules(self, candidates: NDArray[np.intp], here: Bools) -> list[Rule]:
        """Return single candidates of the search as rules, but for those that hardly anyone, or nearly all, meet."""
        flags = self.sample.flags
        met = unpack(flags.packed[candidates], len(self.sample)).astype(bool)[:, here]
        both = [
            Rule(milestone=Milestone((flags.conditions[i],)), met=row) for i, row in zip(candidates, met, strict=True)
        ]
        return [rule for rule in both if _told_apart(rule.met)]

    def _setup(self, milestone: Milestone, steps: Sequence[Milestone], here: Bools) -> Setup | None:
        """Return the steps of onboarding: those of the ladder, those named in the spec, or those found on the way."""
        named = [event for event in self.relations.spec.kinds.setup if event not in milestone.events]
        below = tuple(step for step in steps if not {*step.events} & {*milestone.events})
        if below:
            return self._finished(below, "ladder", 1.0, here)
        if named:
            return self._finished(tuple(Milestone.of(event) for event in named), "spec", CHECKLIST, here)
        path = self._ladders.path_to(milestone, here)
        if not path.places:
            return None
        return self._finished(tuple(place.milestone for place in path.places), "path", 1.0, here)

    def _finished(self, steps: tuple[Milestone, ...], source: SetupSource, share: float, here: Bools) -> Setup:
        days = np.sort(np.array([self.reached(step)[here] for step in steps]), axis=0)
        needed = max(1, int(np.ceil(share * len(steps))))
        return Setup(
            steps=tuple(str(step) for step in steps),
            source=source,
            finished=days[needed - 1],
            begun=np.isfinite(days[0]),
        )

    def _grid(self, milestone: Milestone, here: Bools, days: Floats) -> tuple[Rule, ...]:
        """Return the proposal with one condition's threshold, window and users changed; one of those met alike."""
        met = np.isfinite(days)
        seen, rules = {np.packbits(met).tobytes()}, []
        varied = [condition for condition in milestone.conditions if condition.event in self.names]
        for other in neighbours(milestone, varied, self.relations):
            flag = exposure.flag(self.measured, self.outcome.positions, other)[here]
            bits = np.packbits(flag).tobytes()
            if bits not in seen and _told_apart(flag):
                seen.add(bits)
                rules.append(Rule(milestone=other, met=flag))
        return tuple(rules)

    def _rivals(self, milestone: Milestone, here: Bools) -> tuple[Rule, ...]:
        """Return the best rule of every other family that may be ranked, the highest score first."""
        candidates, score = self.evidence.candidates, self.evidence.score
        best: list[int] = []
        for family, name in enumerate(candidates.families):
            own = candidates.of(family)
            own = own[self.evidence.eligible[own] & np.isfinite(score[own])]
            if len(own) and name != milestone.family and self.sample.kinds.get(name) not in NO_MILESTONE:
                best.append(int(own[np.argmax(score[own])]))
        ordered = sorted(best, key=lambda i: -score[i])[:RIVALS]
        flags = (exposure.flag(self.measured, self.outcome.positions, candidates.milestones[i])[here] for i in ordered)
        rules = [Rule(milestone=candidates.milestones[i], met=met) for i, met in zip(ordered, flags, strict=True)]
        return tuple(rule for rule in rules if _told_apart(rule.met))

    def _tracking(self, milestone: Milestone) -> Tracking:
        relations = self.relations
        counted_in = exposure.with_acts(relations.events_table, milestone.acts, columns_of(relations))
        names = tuple(act.act_name for act in milestone.acts)
        span = relations.log_start, relations.log_end
        rows = exposure.weekly_rows(relations.engine, counted_in, names, *span)
        tested = any(act.where for act in milestone.acts)
        events = milestone.events
        alone = exposure.weekly_rows(relations.engine, relations.events_table, events, *span) if tested else rows
        launched = {act.act_name: self.launches.of_act(act) for act in milestone.acts}
        return Tracking(
            events=names,
            days=rows.days,
            counts=rows.counts,
            everything=alone.everything,
            launched={name: moment for name, moment in launched.items() if moment is not None},
            repeated=rows.repeated,
            unknown_users=alone.unknown_users,
            has_users=relations.has_users,
            presence=tuple(self._presence(milestone)),
        )

    def _presence(self, milestone: Milestone) -> Iterator[Presence]:
        """Count the rows that have the properties that are tested; who did it is no property, but its creator is."""
        relations = self.relations
        columns, span = columns_of(relations), (relations.log_start, relations.log_end)
        for act in milestone.acts:
            for name in dict.fromkeys(test.name for test in act.where):
                if name != BY_OTHER or columns.has_creator:
                    rows, known = exposure.weekly_presence(
                        relations.engine, relations.events_table, (act.event, name), columns, *span
                    )
                    yield Presence(act=act.act_name, event=act.event, name=name, rows=rows, known=known)

    def _repeats(self, milestone: Milestone, here: Bools, days: Floats) -> Repeats:
        relations, positions = self.relations, self.outcome.positions[here]
        again = exposure.used_again(
            relations.engine,
            relations.events_table,
            relations.accounts_table,
            len(relations.accounts),
            milestone,
            self._window_us,
            WEEKS,
            columns_of(relations),
        )
        reached = np.isfinite(days)
        after = ((days[reached] + FOLLOWED_DAYS) * Day).astype(np.int64)
        moment = relations.accounts.signup[positions][reached] + after
        followed = moment <= np.minimum(relations.accounts.observed_until[positions][reached], relations.log_end)
        return Repeats(followed=followed, weekly=again[positions][reached])


def neighbours(milestone: Milestone, varied: Sequence[Condition], relations: Relations) -> list[Milestone]:
    """Return a milestone with one of some conditions put anywhere on the grid of the search, or with fewer tests."""
    spec = relations.spec.candidates
    users = spec.min_users if relations.has_users else (1,)
    found = []
    for old in dict.fromkeys(varied):
        least = sorted({*spec.at_least, old.at_least})
        hours = sorted({*(24 * days for days in spec.within_days), _hours(old, spec.window_days)})
        for k, h, u in itertools.product(least, hours, sorted({*users, old.min_users})):
            if u == 1 or k == 1 or k > u:
                found.append(_exchanged(milestone, old, replace(old, at_least=k, within_hours=h, min_users=u)))
        found += [_exchanged(milestone, old, fewer) for fewer in with_fewer_tests(old)]
    return [other for other in dict.fromkeys(found) if other != milestone]


def windows_us(milestones: Sequence[Milestone], relations: Relations) -> tuple[int, ...]:
    """Return every window that the search or a proposal asks for, in microseconds."""
    spec = relations.spec.candidates
    hours = {_hours(condition, spec.window_days) for one in milestones for condition in one.conditions}
    return tuple(sorted({*(days * Day for days in spec.within_days), *(h * (Day // 24) for h in hours)}))


def _hours(condition: Condition, window_days: int) -> int:
    return 24 * window_days if condition.within_hours is None else condition.within_hours


def _exchanged(part: Milestone, old: Condition, new: Condition) -> Milestone:
    parts = [
        new if inner == old else inner if isinstance(inner, Condition) else _exchanged(inner, old, new)
        for inner in part.parts
    ]
    return replace(part, parts=tuple(parts))


def _told_apart(met: Bools) -> bool:
    return min(int(met.sum()), int((~met).sum())) >= MIN_SIDE


def _any_activity(before: NDArray[np.int64]) -> tuple[Rule, ...]:
    """Return thresholds of all actions, and of the days with any, beside the proposal's own events."""
    actions, days = before.sum(axis=1), (before > 0).sum(axis=1)
    least = sorted({max(1, int(level)) for level in np.quantile(actions, ACTION_QUANTILES)}) if len(actions) else []
    rules = [Rule(milestone=Milestone.of("any activity", k), met=actions >= k) for k in least]
    rules += [Rule(milestone=Milestone.of("active days", k), met=days >= k) for k in ACTIVE_DAYS]
    return tuple(rule for rule in rules if _told_apart(rule.met))
