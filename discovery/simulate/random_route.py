"""A route to the planted rule, drawn from the seed: its variant, its length, its steps and their names."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from discovery.simulate.blueprint import BASELINE_EVENT, Blueprint, EventRate
from discovery.simulate.route import Route, Step
from discovery.simulate.vocabulary import NO_STEPS, ORDINARY_NAMES

VARIANTS = ("sequential", "skips", "untracked", "alternatives", "branches")
_FEWEST, _MOST = 2, 4
_UNTRACKED = 0.10


def with_route(product: Blueprint, rng: np.random.Generator) -> Blueprint:
    """Give a drawn product a route of two to four steps below the planted one.

    Its events are taken from the product's own and from the rest of the vocabulary. Rows are lost by step where
    that is the variant, and as in the product where it is not.
    """
    variant = str(rng.choice(VARIANTS))
    required = int(rng.integers(_FEWEST, _MOST + 1))
    widths = _widths(variant, required, rng)
    open_names = [name for name in ORDINARY_NAMES if name not in NO_STEPS]
    names = [str(name) for name in rng.choice(open_names, sum(widths), replace=False)]
    both = float(rng.uniform(0.05, 0.15))
    first = float(rng.uniform(0.40, 0.60)) * (1 - both)
    skips = variant == "skips"
    steps = []
    for place, width in enumerate(widths):
        own, names = tuple(names[:width]), names[width:]
        step = Step(
            events=own,
            goes_on=float(rng.uniform(0.6, 0.9)),
            median_days=math.exp(rng.uniform(math.log(0.1), math.log(1.0))),
            repeats=float(rng.uniform(0.3, 1.8)) if place < required else float(rng.uniform(1.2, 3.0)),
            loading=float(rng.uniform(0.0, 0.6)),
            shares=(1.0,) if width == 1 else (first, 1 - both - first),
        )
        skipped = float(rng.uniform(0.05, 0.12))
        steps.append(replace(step, skipped=skipped if skips and place < required else 0.0))
    out_of_order, lost = float(rng.uniform(0.02, 0.05)), float(rng.uniform(0.0, 0.03))
    route = Route(
        variant=variant,
        steps=tuple(steps),
        branches=variant == "branches",
        out_of_order=out_of_order if skips else 0.0,
        lost=_UNTRACKED if variant == "untracked" else 0.0 if skips else lost,
    )
    return _on(product, route, rng)


def _widths(variant: str, required: int, rng: np.random.Generator) -> list[int]:
    """Return how many events serve at each step, the planted one last."""
    widths = [1] * (required + 1)
    if variant == "alternatives":
        widths[int(rng.integers(required))] = 2
    if variant == "branches":
        start = int(rng.integers(required - 1))
        widths[start] = widths[start + 1] = 2
    return widths


def _on(product: Blueprint, route: Route, rng: np.random.Generator) -> Blueprint:
    known = {rate.event for rate in product.ordinary}
    later = [math.exp(rng.uniform(math.log(0.05), math.log(3.0))) for _ in route.events]
    new = tuple(
        EventRate(event=event, adoption=0.5, uses=1.5, later=weight)
        for event, weight in zip(route.events, later, strict=True)
        if event not in known
    )
    return replace(
        product,
        chain=(BASELINE_EVENT, *route.events),
        route=route,
        ordinary=product.ordinary + new,
        season=0.0,
        untracked=0.0 if route.variant == "untracked" else product.untracked,
    )
