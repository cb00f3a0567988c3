"""The named worlds in which a company once randomised something: what correlation cannot see, a coin can."""

from __future__ import annotations

from discovery.simulate.blueprint import Blueprint
from discovery.simulate.trial import Push, Trial

_RIGHT = "report_created >= 2 within 7d"
_WRONG = "integration_connected within 7d"
_CHECKLIST = (Push(rule=_WRONG, share=0.42),)
_TEMPLATE = (Push(rule=_RIGHT, share=0.44),)


def _world(name: str, description: str, *trials: Trial) -> Blueprint:
    return Blueprint(
        name=name,
        description=description,
        planted=_RIGHT,
        hazard_ratio=0.45,
        retained_without=0.58,
        engagement_on_hazard=-0.2,
        decoys=("integration_connected",),
        trait_on_hazard=-0.8,
        trait_on_decoys=1.2,
        trials=trials,
        wrong=_WRONG,
    )


def _checklist(pushes: tuple[Push, ...] = _CHECKLIST, unrecorded: float = 0.0) -> Trial:
    return Trial(
        column="checklist_test", variant="checklist", pushes=pushes, first_day=14, last_day=255, unrecorded=unrecorded
    )


def _template(unrecorded: float = 0.0) -> Trial:
    return Trial(
        column="template_test", variant="template", pushes=_TEMPLATE, first_day=7, last_day=248, unrecorded=unrecorded
    )


TESTED = (
    _world(
        "past_experiment",
        "a hidden trait moves staying and a behaviour without effect; past tests moved that one, and the planted rule",
        _checklist(),
        _template(),
    ),
    _world(
        "experiment_side_effect",
        "the same, with one past test that moved both behaviours",
        _checklist((*_CHECKLIST, *_TEMPLATE)),
    ),
    _world(
        "experiment_srm",
        "the same with both tests, and part of the variants' less engaged accounts missing from the record",
        _checklist(unrecorded=0.5),
        _template(unrecorded=0.5),
    ),
)
"""Worlds of one product: sharing nothing but the trait, the planted rule, and what the company tried."""
