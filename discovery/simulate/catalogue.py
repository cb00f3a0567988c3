"""The named worlds, each one blueprint with a line that says what is planted in it."""

from __future__ import annotations

from types import MappingProxyType

from discovery.simulate.blueprint import BASELINE_EVENT, Blueprint, Leak
from discovery.simulate.chains import CHAINS
from discovery.simulate.tested import TESTED

CHAIN = (BASELINE_EVENT, "integration_connected", "data_imported", "report_created", "report_shared")
LEAKS = (
    Leak(event="subscription_cancelled", if_stays=0.01, if_leaves=0.55),
    Leak(event="invoice_paid", if_stays=0.85, if_leaves=0.20),
    Leak(event="renewal_discussed", if_stays=0.60, if_leaves=0.12),
    Leak(event="plan_upgraded", if_stays=0.40, if_leaves=0.03),
)

_WORLDS = (
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
        leaks=LEAKS,
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
    Blueprint(
        name="dose_response",
        description="the more tasks are completed the fewer leave, in proportion to log(1 + uses): no threshold",
        dose_event="task_completed",
        hazard_ratio=0.45,
        engagement_on_hazard=-0.3,
    ),
    Blueprint(
        name="multi_user",
        description="sharing acts once two users of an account do it; one user alone does nothing",
        planted="report_shared within 7d by 2 users",
        hazard_ratio=0.42,
        users_on_volume=0.3,
    ),
    Blueprint(
        name="conjunction",
        description="importing and sharing act together; neither does anything alone",
        planted="data_imported within 7d and report_shared within 7d",
        hazard_ratio=0.42,
        engagement_on_hazard=-0.2,
    ),
    Blueprint(
        name="segment_only",
        description="the rule acts for accounts on the team plan and for nobody else",
        planted="report_shared >= 3 within 7d",
        segment="plan=team",
        hazard_ratio=0.35,
        engagement_on_hazard=-0.2,
    ),
    Blueprint(
        name="hidden_trait",
        description="a strong hidden trait moves a few decoy events and staying; no behaviour has an effect",
        retained_without=0.60,
        engagement_on_hazard=-0.2,
        decoys=("integration_connected", "alert_configured", "template_used"),
        trait_on_hazard=-0.8,
        trait_on_decoys=1.0,
        trait_on_others=0.12,
    ),
    Blueprint(
        name="drift",
        description="staying gets rarer over the signup dates, and the planted rule loses its effect",
        planted="report_shared >= 3 within 7d",
        hazard_ratio=0.45,
        engagement_on_hazard=-0.2,
        drift=0.9,
        effect_drift=-0.7,
    ),
    Blueprint(
        name="early_churn",
        description="a third of the accounts leave before the landmark; one planted rule",
        planted="report_shared >= 3 within 7d",
        hazard_ratio=0.45,
        engagement_on_hazard=-0.3,
        early_churn=1 / 3,
    ),
    Blueprint(
        name="separable",
        description="practically every account that meets the planted rule stays",
        planted="report_shared >= 3 within 7d",
        hazard_ratio=0.004,
        retained_without=0.45,
    ),
    Blueprint(
        name="rare_outcome",
        description="nine accounts in ten and more stay; one planted rule",
        planted="report_shared >= 3 within 7d",
        hazard_ratio=0.4,
        retained_without=0.90,
    ),
    Blueprint(
        name="renewal",
        description="accounts leave at contract dates only, every 30 days after signup; one planted rule",
        planted="report_shared >= 3 within 7d",
        hazard_ratio=0.45,
        engagement_on_hazard=-0.2,
        renewal=True,
    ),
    Blueprint(
        name="seasonal",
        description="signups and activity swing with the season and dip in the holidays; one planted rule",
        planted="report_shared >= 2 within 7d",
        hazard_ratio=0.45,
        engagement_on_hazard=-0.2,
        season=0.35,
    ),
    Blueprint(
        name="untracked",
        description="an eighth of the rows never arrive, unevenly by account and event; one planted rule",
        planted="report_shared >= 3 within 7d",
        hazard_ratio=0.43,
        engagement_on_hazard=-0.2,
        untracked=0.12,
    ),
    Blueprint(
        name="duplicated",
        description="a tenth of the rows are sent twice, half of them under a new event_id; one planted rule",
        planted="report_shared >= 3 within 7d",
        hazard_ratio=0.43,
        engagement_on_hazard=-0.2,
        repeated=0.1,
        new_ids=0.5,
    ),
    Blueprint(
        name="launched",
        description="the planted feature exists only from the middle of the log",
        planted="report_shared >= 2 within 7d",
        hazard_ratio=0.4,
        engagement_on_hazard=-0.2,
        launched=True,
    ),
    Blueprint(
        name="uneven_sizes",
        description="a few accounts are huge, do more and stay longer; one planted rule",
        planted="report_shared >= 3 within 7d",
        hazard_ratio=0.45,
        engagement_on_hazard=-0.2,
        seats_spread=1.5,
        users_on_volume=0.5,
        seats_on_hazard=-0.2,
    ),
    Blueprint(
        name="inertia_null",
        description="later activity follows from early volume, active days, recency and cohort; no event matters",
        inertia=True,
        engagement_on_volume=0.6,
        vanity_loading=0.9,
    ),
    Blueprint(
        name="inertia_planted",
        description="the same, and one planted rule adds 15 points to the chance of being active later",
        planted="report_shared >= 2 within 7d",
        inertia=True,
        lift=0.15,
        engagement_on_volume=0.6,
        vanity_loading=0.9,
    ),
)
BLUEPRINTS = MappingProxyType({blueprint.name: blueprint for blueprint in (*_WORLDS, *CHAINS, *TESTED)})

DRAWN = MappingProxyType(
    {
        "random": "a world whose product, plant and nuisances are all drawn from the seed",
        "random_null": "the same with nothing planted",
        "random_hidden": "the same with nothing planted, and a strong hidden trait that moves decoy events and staying",
        "random_segment": "the same with a rule that acts in one segment only",
        "random_conjunction": "the same with two behaviours that act together and not alone",
        "random_chain": "the same with a way to the planted rule: plain, skipped, untracked, alternative or branching",
        "random_no_chain": "the same with one rule of one event, and no way that leads to it",
        "random_experiment": "the same with a hidden trait behind one behaviour, and past tests of it and of the rule",
    }
)
WORLDS = MappingProxyType({name: blueprint.description for name, blueprint in BLUEPRINTS.items()} | DRAWN)
"""The known worlds, each with one line that says what is planted in it."""
