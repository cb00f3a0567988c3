"""Who leaves, and when: a hazard that is known exactly, so that the truth can be computed and not guessed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery.simulate.behaviour import WINDOW_DAYS, Log
from discovery.simulate.blueprint import Blueprint, Nuisance
from discovery.simulate.population import CHANNELS, PLANS, SECONDS_PER_DAY, SIGNUP_DAYS, SIZES, Population

BY_DAY = 90
_PLAN = np.array([0.15, 0.0, -0.30])
_CHANNEL = np.array([0.0, 0.20, -0.15, -0.20])
_SIZE = np.array([0.06, 0.0, -0.06, -0.12])
_USUAL_SEATS = 6.0
_LAST_DAY = 400
_CONTRACT_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """Arrays of length A: when each account leaves, and its known chances of staying to day 90.

    The chances are those of an account alive at the landmark, with what is planted acting on it and not, and as
    it lived. In a world of inertia they are the chances of being active from day 29 to day 90.
    """

    left: NDArray[np.int64]  # seconds since 1970 UTC; beyond the log's end for those who stay
    stays_with: NDArray[np.float64]
    stays_without: NDArray[np.float64]
    stays: NDArray[np.float64]
    alive_at_landmark: NDArray[np.bool_]
    retained: NDArray[np.bool_]  # alive on day 90 (or active by then), seen or not


def draw_fate(
    blueprint: Blueprint,
    nuisance: Nuisance,
    population: Population,
    met: NDArray[np.bool_],
    rng: np.random.Generator,
    uses: NDArray[np.int64] | None = None,
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
    uses : array of int, shape (A,), optional
        How often each account used the event whose every use counts, where there is one.

    Returns
    -------
    Fate
        Departures and the probabilities they were drawn from.
    """
    hazard = _hazard(blueprint, nuisance, population)
    ratio = _hazard_ratio(blueprint, population, uses)
    early_wait, late_wait = rng.exponential(size=len(population)), rng.exponential(size=len(population))
    changed = hazard * np.where(met, ratio, 1.0)
    if blueprint.renewal:
        lag = _contract_ends(late_wait / changed)
    else:
        lag = _days(nuisance, early_wait, late_wait, hazard, changed)
    stays_with, stays_without = np.exp(-hazard * ratio), np.exp(-hazard)
    return Fate(
        left=population.signup + np.ceil(lag * SECONDS_PER_DAY).astype(np.int64),
        stays_with=stays_with,
        stays_without=stays_without,
        stays=np.where(met, stays_with, stays_without),
        alive_at_landmark=lag >= WINDOW_DAYS,
        retained=lag >= BY_DAY,
    )


def _hazard(blueprint: Blueprint, nuisance: Nuisance, population: Population) -> NDArray[np.float64]:
    log_hazard = (
        nuisance.log_hazard
        + _PLAN[population.plan]
        + _CHANNEL[population.channel]
        + _SIZE[population.size]
        + blueprint.engagement_on_hazard * population.engagement
        + blueprint.trait_on_hazard * population.trait
        + blueprint.drift * (population.clock / SIGNUP_DAYS - 0.5)
        + blueprint.seats_on_hazard * np.log(population.seats / _USUAL_SEATS)
    )
    hazard: NDArray[np.float64] = np.exp(log_hazard)
    return hazard


def _hazard_ratio(blueprint: Blueprint, population: Population, uses: NDArray[np.int64] | None) -> NDArray[np.float64]:
    """Return by what each account's hazard is multiplied if the plant acts on it.

    Where every use counts, that follows from its own number of uses, and from the usual one for those with none.
    Outside the segment that the plant acts in, it is 1.
    """
    ratio = np.full(len(population), blueprint.hazard_ratio)
    if blueprint.effect_drift:
        ratio **= 1 + blueprint.effect_drift * (2 * population.clock / SIGNUP_DAYS - 1)
    if uses is not None and (uses > 0).any():
        usual = np.log1p(uses[uses > 0]).mean()
        ratio = np.where(uses > 0, ratio ** (np.log1p(uses) / usual), ratio)
    return np.where(in_segment(blueprint.segment, population), ratio, 1.0)


def in_segment(segment: str, population: Population) -> NDArray[np.bool_]:
    """Tell which accounts lie in a segment written `column=value`; an empty one holds everybody."""
    if not segment:
        return np.ones(len(population), dtype=bool)
    column, _, value = segment.partition("=")
    codes, values = {
        "plan": (population.plan, PLANS),
        "channel": (population.channel, CHANNELS),
        "company_size": (population.size, SIZES),
    }[column]
    inside: NDArray[np.bool_] = codes == values.index(value)
    return inside


def _days(
    nuisance: Nuisance,
    early_wait: NDArray[np.float64],
    late_wait: NDArray[np.float64],
    hazard: NDArray[np.float64],
    changed: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the day each account leaves on: at its plain hazard to the landmark, at the changed one after it."""
    days, cumulative = _rhythm(nuisance)
    at_landmark = float(np.interp(WINDOW_DAYS, days, cumulative))
    early = np.interp(early_wait / hazard, cumulative, days)
    late = np.interp(at_landmark + late_wait / changed, cumulative, days)
    return np.where(early < WINDOW_DAYS, early, late)


def _contract_ends(wait: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the contract date each account leaves at: the hazard to day 90 falls on days 30 and 60 alike."""
    months = np.arange(1, _LAST_DAY // _CONTRACT_DAYS + 1)
    cumulative = np.cumsum(np.where(months * _CONTRACT_DAYS < BY_DAY, 0.5, 0.2))
    dates: NDArray[np.float64] = _CONTRACT_DAYS * np.searchsorted(cumulative, wait).astype(np.float64)
    return dates + _CONTRACT_DAYS


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


def draw_leaks(blueprint: Blueprint, population: Population, fate: Fate, rng: np.random.Generator) -> list[Log]:
    """Draw events that follow, inside the window, from a decision that has already been taken."""
    leaks = []
    for leak in blueprint.leaks:
        shows = rng.random(len(population)) < np.where(fate.retained, leak.if_stays, leak.if_leaves)
        account = np.flatnonzero(shows)
        lag = rng.uniform(3.0, WINDOW_DAYS, len(account)) * SECONDS_PER_DAY
        leaks.append(
            Log(
                account=account,
                user=np.zeros_like(account),
                event=np.full(len(account), blueprint.names.index(leak.event)),
                time=population.signup[account] + lag.astype(np.int64),
            )
        )
    return leaks
