"""The named worlds with a route of their own: the `chain` world, made as untidy as life."""

from __future__ import annotations

from discovery.simulate.blueprint import BASELINE_EVENT, ORDINARY, Blueprint, EventRate
from discovery.simulate.route import Mishap, Route, Step

_RULE = "report_shared >= 2 within 7d"
_SHARING = Step(events=("report_shared",), goes_on=0.84, median_days=0.5, repeats=2.2)


def _step(*events: str, days: float = 0.4, **more: object) -> Step:
    return Step(events=events, goes_on=0.86, median_days=days, repeats=1.2, **more)  # type: ignore[arg-type]


def _world(name: str, description: str, route: Route, *, without: tuple[str, ...] = ()) -> Blueprint:
    """Return the `chain` world with another route; events of the route that no other world has are added."""
    kept = tuple(rate for rate in ORDINARY if rate.event not in without)
    known = {rate.event for rate in kept}
    on_route = (*route.events, *(mishap.event for mishap in route.mishaps))
    new = tuple(EventRate(event=event, adoption=0.5, uses=1.5, later=0.5) for event in on_route if event not in known)
    return Blueprint(
        name=name,
        description=description,
        planted=_RULE,
        hazard_ratio=0.41,
        chain=(BASELINE_EVENT, *route.events),
        route=route,
        ordinary=kept + new,
    )


CHAINS = (
    _world(
        "chain_skips",
        "a setup chain; about a twelfth of the accounts skip each inner step, and a few turn two steps round",
        Route(
            variant="skips",
            steps=(
                _step("integration_connected", skipped=0.06),
                _step("data_imported", skipped=0.12),
                _step("report_created", skipped=0.08),
                _SHARING,
            ),
            out_of_order=0.03,
        ),
    ),
    _world(
        "chain_untracked",
        "a setup chain of which each step is missing from the record of one account in ten",
        Route(
            variant="untracked",
            steps=(_step("integration_connected"), _step("data_imported"), _step("report_created"), _SHARING),
            lost=0.10,
        ),
    ),
    _world(
        "chain_alternatives",
        "a setup chain whose first step is done in one of two ways; either serves",
        Route(
            variant="alternatives",
            steps=(
                _step("csv_uploaded", "salesforce_connected", shares=(0.50, 0.35)),
                _step("data_imported"),
                _step("report_created"),
                _SHARING,
            ),
            lost=0.02,
        ),
        without=("integration_connected",),
    ),
    _world(
        "chain_branches",
        "two routes of two steps each, which meet again at the planted rule",
        Route(
            variant="branches",
            steps=(
                _step("salesforce_connected", "csv_uploaded", shares=(0.50, 0.42)),
                _step("fields_synced", "columns_mapped", shares=(0.50, 0.42)),
                _SHARING,
            ),
            branches=True,
            lost=0.02,
        ),
        without=("integration_connected", "data_imported"),
    ),
    _world(
        "chain_launched",
        "a setup chain of which one step exists only from the middle of the log",
        Route(
            variant="launched",
            steps=(
                _step("integration_connected"),
                _step("data_imported", launched=True),
                _step("report_created"),
                _SHARING,
            ),
            lost=0.02,
        ),
    ),
    _world(
        "chain_errors",
        "a setup chain in which a failed sync keeps accounts from the second step; a failed export does nothing",
        Route(
            variant="errors",
            steps=(
                _step("integration_connected"),
                _step("data_imported", days=0.8),
                _step("report_created"),
                _SHARING,
            ),
            lost=0.02,
            mishaps=(
                Mishap(event="sync_failed", share=0.35, median_days=0.1, repeats=0.8, hazard_ratio=0.3),
                Mishap(event="export_failed", share=0.35, median_days=0.1, repeats=0.8),
            ),
        ),
    ),
)
"""Worlds in which only the rule at the end of the route has an effect."""
