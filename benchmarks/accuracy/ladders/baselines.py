"""Three methods that look for the events that best predict staying: arrays in, events in order out.

Each chooses its events by the outcome and orders them by the median time of their first use.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ..baselines import cells, phi
from ..seen import Bools, Floats

HELD_OUT = 0.3
MOST_EVENTS, MOST_OF_A_SUBSET, TOP = 12, 5, 4
_RIDGE, _STEPS, _STEADY = 1e-4, 40, 1e-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """Arrays over n mature accounts and E events.

    Attributes
    ----------
    events : tuple of str, length E
    used : bool[n, E]
        Whether the account did the event inside the window.
    first_days : float[n, E]
        Days from signup to the first time; inf where never.
    stayed : bool[n]
    """

    events: tuple[str, ...]
    used: Bools
    first_days: Floats
    stayed: Bools


def greedy_likelihood(seen: Used, seed: int = 0) -> tuple[str, ...]:
    """Add the event that raises the held-out log likelihood of staying most, until none raises it."""
    held = np.random.default_rng(seed).random(len(seen.stayed)) < HELD_OUT
    chosen: list[int] = []
    best = _held_out(seen, chosen, held)
    while open_events := [place for place in range(len(seen.events)) if place not in chosen]:
        scores = [_held_out(seen, [*chosen, place], held) for place in open_events]
        if max(scores) <= best:
            break
        best = max(scores)
        chosen.append(open_events[int(np.argmax(scores))])
    return in_time(seen, chosen)


def best_subset(seen: Used) -> tuple[str, ...]:
    """Take the subset of at most 5 of the 12 events of highest phi whose logistic model has the lowest BIC."""
    candidates = _by_phi(seen)[:MOST_EVENTS]
    subsets = (subset for size in range(MOST_OF_A_SUBSET + 1) for subset in itertools.combinations(candidates, size))
    return in_time(seen, min(subsets, key=lambda subset: bic(seen, subset)))


def top_phi(seen: Used) -> tuple[str, ...]:
    """Take the 4 events of highest phi."""
    return in_time(seen, _by_phi(seen)[:TOP])


def in_time(seen: Used, chosen: Sequence[int]) -> tuple[str, ...]:
    """Order events by the median day of their first use, among those who used them."""
    medians = {place: float(np.median(seen.first_days[seen.used[:, place], place])) for place in chosen}
    return tuple(seen.events[place] for place in sorted(chosen, key=lambda place: (medians[place], place)))


def bic(seen: Used, subset: Sequence[int]) -> float:
    """Return the Bayesian information criterion of a logistic model on the flags of some events."""
    code = seen.used[:, list(subset)] @ (1 << np.arange(len(subset)))
    size = 1 << len(subset)
    n = np.bincount(code, minlength=size).astype(float)
    k = np.bincount(code, weights=seen.stayed, minlength=size).astype(float)
    design = np.column_stack([np.ones(size), (np.arange(size)[:, None] >> np.arange(len(subset))) & 1])
    beta = logistic(design, k, n)
    return (len(subset) + 1) * math.log(len(code)) - 2 * log_likelihood(design @ beta, k, n)


def logistic(design: Floats, successes: Floats, trials: Floats) -> Floats:
    """Fit a binomial logistic model by Newton steps, with a ridge just large enough for separated flags."""
    beta = np.zeros(design.shape[1])
    penalty = _RIDGE * np.eye(len(beta))
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-design @ beta))
        gradient = design.T @ (successes - trials * chance) - penalty @ beta
        information = (design.T * (trials * chance * (1 - chance))) @ design + penalty
        step = np.linalg.solve(information, gradient)
        beta = beta + step * min(1.0, 4.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < _STEADY:
            break
    return beta


def log_likelihood(linear: Floats, successes: Floats, trials: Floats) -> float:
    """Return the binomial log likelihood, without its constant, of log odds."""
    return float((successes * linear - trials * np.logaddexp(0.0, linear)).sum())


def _held_out(seen: Used, chosen: Sequence[int], held: Bools) -> float:
    design = np.column_stack([np.ones(len(held)), seen.used[:, list(chosen)]])
    y, once = seen.stayed.astype(float), np.ones(len(held))
    beta = logistic(design[~held], y[~held], once[~held])
    return log_likelihood(design[held] @ beta, y[held], once[held])


def _by_phi(seen: Used) -> list[int]:
    everyone: NDArray[np.bool_] = np.ones(len(seen.stayed), dtype=bool)
    values = phi(*cells(seen.used.T, seen.stayed, everyone))
    return [int(place) for place in np.argsort(-values, kind="stable")]


BASELINES: Mapping[str, Callable[[Used], tuple[str, ...]]] = MappingProxyType(
    {
        "greedy held-out likelihood": greedy_likelihood,
        "best subset by BIC": best_subset,
        "top four by phi": top_phi,
    }
)
"""Every baseline, in the order of the tables."""
