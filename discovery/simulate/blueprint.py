"""What each world plants: the events of the imaginary product, the blueprints, and their seeded nuisances."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from discovery.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """One world. Logarithms of the hazard are per day after the landmark unless said otherwise.

    `engagement_on_volume` scales every event's own loading; `vanity_loading` is the loading of logins and
    dashboard views; `engagement_on_hazard` is the log hazard per standard deviation of engagement.
    """

    name: str
    description: str
    planted: str = ""
    hazard_ratio: float = 1.0
    retained_without: float = 0.55
    engagement_on_volume: float = 0.35
    engagement_on_hazard: float = 0.0
    vanity_loading: float = 0.4
    chain: tuple[str, ...] = ()
    outcome_adjacent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRate:
    """How one event comes about: share of accounts that take it up, and uses in 14 days once taken up."""

    event: str
    adoption: float
    uses: float
    spread: float = 0.6
    later: float = 1.0  # weight in the mix of events after the window


SIGNUP_EVENT = "account_created"
BASELINE_EVENT = "workspace_created"
INVITATION = "teammate_invited"
SESSION_EVENT = "login"
VIEW_EVENT = "dashboard_viewed"
VANITY = (VIEW_EVENT, SESSION_EVENT)

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

CHAIN = (BASELINE_EVENT, "integration_connected", "data_imported", "report_created", "report_shared")
OUTCOME_ADJACENT = ("subscription_cancelled", "invoice_paid", "renewal_discussed", "plan_upgraded")

BLUEPRINTS = MappingProxyType(
    {
        blueprint.name: blueprint
        for blueprint in (
            Blueprint(
                name="easy",
                description="one strong planted rule, sharing reports, and nothing that misleads",
                planted="report_shared >= 3 within 7d",
                hazard_ratio=0.43,
            ),
            Blueprint(
                name="confounded",
                description="a planted rule of middling strength; hidden engagement moves volumes and staying alike",
                planted="report_shared >= 3 within 7d",
                hazard_ratio=0.56,
                retained_without=0.52,
                engagement_on_hazard=-0.65,
                engagement_on_volume=0.5,
                vanity_loading=0.9,
            ),
            Blueprint(
                name="chain",
                description="setup steps, each needed for the next; only the rule at their end has an effect",
                planted="report_shared >= 2 within 7d",
                hazard_ratio=0.41,
                chain=CHAIN,
            ),
            Blueprint(
                name="leaky",
                description="the easy world, and events that follow from the decision to stay or leave",
                planted="report_shared >= 3 within 7d",
                hazard_ratio=0.43,
                outcome_adjacent=OUTCOME_ADJACENT,
            ),
            Blueprint(
                name="null",
                description="volumes vary, accounts leave, and no behaviour has anything to do with it",
                retained_without=0.64,
                engagement_on_volume=0.5,
                vanity_loading=0.7,
            ),
            Blueprint(
                name="confounded_null",
                description="hidden engagement moves volumes and staying; no behaviour has an effect",
                retained_without=0.62,
                engagement_on_hazard=-0.65,
                engagement_on_volume=0.5,
                vanity_loading=0.9,
            ),
        )
    }
)
WORLDS = MappingProxyType({name: blueprint.description for name, blueprint in BLUEPRINTS.items()})
"""The known worlds, each with one line that says what is planted in it."""


def blueprint_of(world: str) -> Blueprint:
    """Return the blueprint of a world.

    Raises
    ------
    InputError
        If no world has that name.
    """
    try:
        return BLUEPRINTS[world]
    except KeyError:
        raise InputError(f"There is no world named {world!r}. Choose one of {', '.join(BLUEPRINTS)}.") from None


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


def draw_nuisance(blueprint: Blueprint, rng: np.random.Generator) -> Nuisance:
    """Draw the settings that vary by seed; the planted event's own rates vary least."""
    planted = np.array([rate.event in blueprint.planted for rate in ORDINARY])
    wobble = np.where(planted, 0.05, 0.15)
    adoption = np.array([rate.adoption for rate in ORDINARY])
    uses = np.array([rate.uses for rate in ORDINARY])
    retained = blueprint.retained_without + rng.uniform(-0.025, 0.025)
    return Nuisance(
        log_hazard=math.log(-math.log(retained)),
        early_hazard=rng.uniform(0.08, 0.12),
        adoption=np.log(adoption / (1 - adoption)) + wobble * rng.uniform(-1.5, 1.5, len(ORDINARY)),
        uses=uses * np.exp(wobble * rng.uniform(-1.5, 1.5, len(ORDINARY))),
        sessions=rng.uniform(4.5, 5.5),
        later_sessions=rng.uniform(0.26, 0.32),
        plan_mix=rng.dirichlet([60.0, 42.0, 18.0]),
        channel_mix=rng.dirichlet([48.0, 36.0, 21.0, 15.0]),
    )
