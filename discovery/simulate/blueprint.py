"""What a world plants, and what varies beside it: blueprints, event rates, and their seeded nuisances."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discovery.milestone import Milestone
from discovery.simulate.route import Route
from discovery.simulate.trial import Trial

SIGNUP_EVENT = "account_created"
BASELINE_EVENT = "workspace_created"
INVITATION = "teammate_invited"
SESSION_EVENT = "login"
VIEW_EVENT = "dashboard_viewed"
VANITY = (VIEW_EVENT, SESSION_EVENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRate:
    """How one event comes about: share of accounts that take it up, and uses in 14 days once taken up."""

    event: str
    adoption: float
    uses: float
    spread: float = 0.6
    later: float = 1.0  # weight in the mix of events after the window
    loading: float | None = None  # on engagement; None: the blueprint's


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """An event that follows from the decision: shares of those who stay, and of those who leave, that show it."""

    event: str
    if_stays: float
    if_leaves: float
    telling: bool = True  # whether the name gives it away


ORDINARY = (
    EventRate(event=VIEW_EVENT, adoption=0.94, uses=6.5, spread=0.3, later=6.0),
    EventRate(event="integration_connected", adoption=0.50, uses=1.4, later=0.2),
    EventRate(event="data_imported", adoption=0.55, uses=2.2, later=1.0),
    EventRate(event="report_created", adoption=0.62, uses=2.8, later=1.5),
    EventRate(event="report_shared", adoption=0.62, uses=4.8, spread=0.5, later=1.2),
    EventRate(event="alert_configured", adoption=0.32, uses=1.5, later=0.3),
    EventRate(event="comment_added", adoption=0.48, uses=3.0, spread=0.8, later=1.5),
    EventRate(event="search_performed", adoption=0.70, uses=3.5, later=2.0),
    EventRate(event="settings_opened", adoption=0.60, uses=1.7, later=0.4),
    EventRate(event="help_opened", adoption=0.42, uses=1.5, later=0.3),
    EventRate(event="export_downloaded", adoption=0.36, uses=1.7, later=0.6),
    EventRate(event="api_key_created", adoption=0.22, uses=1.2, later=0.1),
    EventRate(event="sync_failed", adoption=0.32, uses=1.6, spread=0.9, later=0.5),
    EventRate(event="task_completed", adoption=0.60, uses=4.0, spread=0.8, later=2.5),
    EventRate(event="filter_saved", adoption=0.32, uses=1.4, later=0.4),
    EventRate(event="template_used", adoption=0.40, uses=1.6, later=0.4),
    EventRate(event="profile_updated", adoption=0.45, uses=1.2, later=0.2),
    EventRate(event="tour_finished", adoption=0.40, uses=1.1, later=0.05),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """One world. Logarithms of the hazard are those of leaving from the landmark to day 90.

    What is planted: `planted` (a condition or a conjunction) multiplies the hazard by `hazard_ratio`, only in
    `segment` ("column=value") where one is named; or `dose_event` lowers the log hazard in proportion to
    log(1 + uses), by log `hazard_ratio` at its usual number of uses. With `inertia` nobody leaves: being active
    later is drawn from early volume, active days, recency and cohort, and `planted` adds `lift` to its chance.

    What misleads: `engagement_on_volume` scales every event's own loading, `vanity_loading` that of sessions and
    views, `engagement_on_hazard` is the log hazard per standard deviation of engagement. The `trait` is a second
    hidden normal, with the loadings `trait_on_hazard`, `trait_on_decoys` (log volume) and `trait_on_others`.

    What varies: `drift` is the change of the log hazard from first to last signup, `effect_drift` that of the
    planted log hazard ratio as a share of it; `early_churn` the share leaving before the landmark; `renewal` has
    departures at contract dates only; `season` the swing of signups and activity; `untracked` and `repeated` shares
    of rows lost and sent twice, `new_ids` the share of the repeats with an id of their own; `launched` has the
    planted feature appear in the middle of the log; `seats_spread` the log spread of seats,
    `users_on_volume` the elasticity of volume to users, `seats_on_hazard` the log hazard per unit of log seats.

    The `chain` is the steps from the baseline to the planted event; with a `route`, all events that serve on it.
    `trials` are randomised tests that were once run; `wrong` is a rule that goes with the hidden trait and that one of
    them moved, so that it shows to do nothing.
    """

    name: str
    description: str
    planted: str = ""
    dose_event: str = ""
    segment: str = ""
    hazard_ratio: float = 1.0
    retained_without: float = 0.55
    inertia: bool = False
    lift: float = 0.0
    engagement_on_volume: float = 0.35
    engagement_on_hazard: float = 0.0
    vanity_loading: float = 0.4
    decoys: tuple[str, ...] = ()
    trait_on_hazard: float = 0.0
    trait_on_decoys: float = 0.0
    trait_on_others: float = 0.0
    drift: float = 0.0
    effect_drift: float = 0.0
    early_churn: float | None = None
    renewal: bool = False
    season: float = 0.0
    untracked: float = 0.0
    repeated: float = 0.0
    new_ids: float = 0.0
    launched: bool = False
    seats_spread: float = 0.5
    users_on_volume: float = 0.15
    seats_on_hazard: float = 0.0
    chain: tuple[str, ...] = ()
    route: Route | None = None
    leaks: tuple[Leak, ...] = ()
    trials: tuple[Trial, ...] = ()
    wrong: str = ""
    ordinary: tuple[EventRate, ...] = ORDINARY
    session_event: str = SESSION_EVENT
    view_event: str = VIEW_EVENT
    drawn: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def milestone(self) -> Milestone | None:
        """The planted rule, or None."""
        return Milestone.parse(self.planted) if self.planted else None

    @property
    def planted_events(self) -> tuple[str, ...]:
        """The events with an effect, sorted."""
        if self.dose_event:
            return (self.dose_event,)
        return self.milestone.events if self.milestone else ()

    @property
    def on_the_way(self) -> tuple[str, ...]:
        """The events that come about on the way to the planted rule and not by themselves."""
        return (*self.chain, *(mishap.event for mishap in self.route.mishaps)) if self.route else self.chain

    @property
    def rungs(self) -> tuple[tuple[str, ...], ...]:
        """The steps between the baseline and the planted rule, in order, each with the events that serve."""
        return self.route.rungs if self.route else tuple((event,) for event in self.chain[1:-1])

    @property
    def outcome_adjacent(self) -> tuple[str, ...]:
        """The events that follow from the decision to stay or leave."""
        return tuple(leak.event for leak in self.leaks)

    @property
    def leaks_to_name(self) -> tuple[str, ...]:
        """Those a suggested spec lists: all of them, or in a drawn world those whose names do not tell."""
        return tuple(leak.event for leak in self.leaks if not (self.drawn and leak.telling))

    @property
    def vanity(self) -> tuple[str, ...]:
        """The events that only say how busy an account is."""
        return self.view_event, self.session_event

    @property
    def names(self) -> tuple[str, ...]:
        """Every event of the world; an event's position here is its number in a log."""
        ordinary = tuple(rate.event for rate in self.ordinary)
        return (SIGNUP_EVENT, BASELINE_EVENT, INVITATION, self.session_event, *ordinary, *self.outcome_adjacent)

    @property
    def kind(self) -> str:
        """What kind of plant it is, in one word."""
        if self.dose_event:
            return "dose_response"
        if self.milestone is None:
            return "none"
        if self.chain:
            return "chain"
        if len(self.milestone.conditions) > 1:
            return "conjunction"
        if self.segment:
            return "segment_only"
        return "multi_user" if self.milestone.conditions[0].min_users > 1 else "single"

    def settings(self) -> dict[str, Any]:
        """Return every setting as a plain value, those drawn from the seed included."""
        apart = {"name", "description", "planted", "segment", "chain", "route", "ordinary", "leaks", "decoys", "drawn"}
        apart |= {"trials", "wrong"}
        plain = {key: getattr(self, key) for key in self.__dataclass_fields__ if key not in apart}
        counts = {"events": len(self.names), "leaks": len(self.leaks), "decoys": len(self.decoys)}
        way = self.route.settings() if self.route else {}
        return {"kind": self.kind, **plain, **counts, "chain_steps": len(self.chain), **way, **self.drawn}


@dataclass(frozen=True, slots=True, kw_only=True)
class Nuisance:
    """What differs from seed to seed and is nobody's finding: base rates, mixes, sizes."""

    log_hazard: float  # of an account at the reference levels, integrated from the landmark to day 90
    early_hazard: float  # integrated from signup to the landmark, as a share of the later one
    adoption: NDArray[np.float64]  # log-odds per ordinary event
    uses: NDArray[np.float64]  # mean uses in 14 days per ordinary event
    sessions: float  # mean sessions in 14 days, beyond the first
    later_sessions: float  # sessions per day right after the landmark
    plan_mix: NDArray[np.float64]
    channel_mix: NDArray[np.float64]
    seats_spread: float  # standard deviation of log seats within a size
    season: float  # swing of signups over the year, 0 for none


def draw_nuisance(blueprint: Blueprint, rng: np.random.Generator) -> Nuisance:
    """Draw the settings that vary by seed; the planted event's own rates vary least."""
    planted = np.array([rate.event in blueprint.planted_events for rate in blueprint.ordinary])
    wobble = np.where(planted, 0.05, 0.15)
    adoption = np.array([rate.adoption for rate in blueprint.ordinary])
    uses = np.array([rate.uses for rate in blueprint.ordinary])
    retained = blueprint.retained_without + rng.uniform(-0.025, 0.025)
    early_hazard = rng.uniform(0.08, 0.12)
    if blueprint.early_churn is not None:
        early_hazard = math.log(1 - blueprint.early_churn) / math.log(retained)
    return Nuisance(
        log_hazard=math.log(-math.log(retained)),
        early_hazard=early_hazard,
        adoption=np.log(adoption / (1 - adoption)) + wobble * rng.uniform(-1.5, 1.5, len(adoption)),
        uses=uses * np.exp(wobble * rng.uniform(-1.5, 1.5, len(uses))),
        sessions=rng.uniform(4.5, 5.5),
        later_sessions=rng.uniform(0.26, 0.32),
        plan_mix=rng.dirichlet([60.0, 42.0, 18.0]),
        channel_mix=rng.dirichlet([48.0, 36.0, 21.0, 15.0]),
        seats_spread=blueprint.seats_spread,
        season=blueprint.season,
    )
