"""Past randomised tests of a drawn world: what they were called, when they ran, how much they moved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from discovery.simulate.blueprint import Blueprint
from discovery.simulate.population import SIGNUP_DAYS
from discovery.simulate.trial import Push, Trial

_COLUMNS = ("checklist_test", "template_test", "welcome_email", "guided_tour", "onboarding_variant", "nudge_test")
_ARMS = (("control", "variant"), ("control", "treatment"), ("holdout", "shown"), ("baseline", "new_flow"), ("a", "b"))
_FIRST_STAGE = (0.20, 0.35)  # of all accounts in the test, moved by the variant


def trait_behind(event: str, rng: np.random.Generator) -> dict[str, Any]:
    """Draw how strongly a hidden trait moves staying and one behaviour, and nothing else."""
    return {
        "decoys": (event,),
        "trait_on_hazard": -float(rng.uniform(0.6, 1.0)),
        "trait_on_decoys": float(rng.uniform(0.9, 1.4)),
        "trait_on_others": 0.0,
        "untracked": 0.0,
    }


def with_trials(
    product: Blueprint, wrong: tuple[str, float], right: tuple[str, float], rng: np.random.Generator
) -> Blueprint:
    """Give a drawn world a test of the wrong milestone and one of the planted rule, each a rule with its reach."""
    columns = rng.choice(_COLUMNS, 2, replace=False)
    trials = tuple(_trial(str(column), *rule, rng) for column, rule in zip(columns, (wrong, right), strict=True))
    return replace(product, trials=trials, wrong=wrong[0])


def _trial(column: str, rule: str, reach: float, rng: np.random.Generator) -> Trial:
    control, variant = _ARMS[int(rng.integers(len(_ARMS)))]
    share = float(rng.uniform(*_FIRST_STAGE)) / (1 - reach)
    first = int(rng.integers(0, 40))
    return Trial(
        column=column,
        control=control,
        variant=variant,
        pushes=(Push(rule=rule, share=min(share, 0.95)),),
        first_day=first,
        last_day=int(rng.integers(max(first + 150, 190), SIGNUP_DAYS + 1)),
    )
