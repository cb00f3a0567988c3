"""Who leaves, and when: a hazard that is known exactly, so that the truth can be computed and not guessed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery.simulate.behaviour import WINDOW_DAYS, Log
from discovery.simulate.blueprint import Blueprint, Nuisance
from discovery.simulate.population import SECONDS_PER_DAY, Population

BY_DAY = 90
_PLAN = np.array([0.15, 0.0, -0.30])
_CHANNEL = np.array([0.0, 0.20, -0.15, -0.20])
_SIZE = np.array([0.06, 0.0, -0.06, -0.12])
_LAST_DAY = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """Arrays of length A: when each account leaves, and its known chances of staying to day 90.

    The chances are those of an account alive at the landmark, with the planted rule met and not met.
    """

    left: NDArray[np.int64]  # seconds since 1970 UTC; beyond the log's end for those who stay
    stays_with: NDArray[np.float64]
    stays_without: NDArray[np.float64]
    alive_at_landmark: NDArray[np.bool_]
    retained: NDArray[np.bool_]  # alive on day 90, seen or not


def draw_fate(
    blueprint: Blueprint,
    nuisance: Nuisance,
    population: Population,
    met: NDArray[np.bool_],
    rng: np.random.Generator,
) -> Fate:
    """Draw departures from a proportional hazard with a monthly rhythm; the rule acts after the landmark only.

    Parameters
    ----------
    blueprint, nuisance, population
        The world, its seeded settings and its accounts.
    met : array of bool, shape (A,)
        Whether the account met the planted rule (or was assigned to, in a randomised contrast).
    rng : numpy.random.Generator
        The source of chance.

    Returns
    -------
    Fate
        Departures and the probabilities they were drawn from.
    """
    days, cumulative = _rhythm(nuisance)
    at_landmark = float(np.interp(WINDOW_DAYS, days, cumulative))
    hazard = np.exp(
        nuisance.log_hazard
        + _PLAN[population.plan]
        + _CHANNEL[population.channel]
        + _SIZE[population.size]
        + blueprint.engagement_on_hazard * population.engagement
    )
    early = np.interp(rng.exponential(size=len(population)) / hazard, cumulative, days)
    changed = hazard * np.where(met, blueprint.hazard_ratio, 1.0)
    late = np.interp(at_landmark + rng.exponential(size=len(population)) / changed, cumulative, days)
    lag = np.where(early < WINDOW_DAYS, early, late)
    return Fate(
        left=population.signup + np.ceil(lag * SECONDS_PER_DAY).astype(np.int64),
        stays_with=np.exp(-hazard * blueprint.hazard_ratio),
        stays_without=np.exp(-hazard),
        alive_at_landmark=lag >= WINDOW_DAYS,
        retained=lag >= BY_DAY,
    )


def _rhythm(nuisance: Nuisance) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the cumulative baseline hazard by day: 1 from landmark to day 90, more at the turn of each month."""
    days = np.arange(_LAST_DAY + 1, dtype=np.float64)
    start = days[:-1]
    monthly = np.where(np.isin(start % 30, (28, 29, 0, 1, 2)), 3.0, 1.0)
    weight = np.where(start >= BY_DAY, 0.6, 1.0) * monthly
    observed = (start >= WINDOW_DAYS) & (start < BY_DAY)
    scale = 1.0 / weight[observed].sum()
    settling = (start >= 2) & (start < WINDOW_DAYS)
    weight = np.where(start < WINDOW_DAYS, settling * nuisance.early_hazard / settling.sum(), weight * scale)
    return days, np.concatenate([[0.0], np.cumsum(weight)])


_LEAKS = {  # share of the accounts that stay, and of those that leave, which show the event in the window
    "subscription_cancelled": (0.01, 0.55),
    "invoice_paid": (0.85, 0.20),
    "renewal_discussed": (0.60, 0.12),
    "plan_upgraded": (0.40, 0.03),
}


def draw_leaks(
    blueprint: Blueprint, names: tuple[str, ...], population: Population, fate: Fate, rng: np.random.Generator
) -> list[Log]:
    """Draw events that follow, inside the window, from a decision that has already been taken."""
    leaks = []
    for name in blueprint.outcome_adjacent:
        if_stays, if_leaves = _LEAKS[name]
        shows = rng.random(len(population)) < np.where(fate.retained, if_stays, if_leaves)
        account = np.flatnonzero(shows)
        lag = rng.uniform(3.0, WINDOW_DAYS, len(account)) * SECONDS_PER_DAY
        leaks.append(
            Log(
                account=account,
                user=np.zeros_like(account),
                event=np.full(len(account), names.index(name)),
                time=population.signup[account] + lag.astype(np.int64),
            )
        )
    return leaks
