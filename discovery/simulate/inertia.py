"""Worlds where activity follows from activity: who is active later is drawn from early habits, and nobody leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery.simulate.behaviour import WINDOW_DAYS, Log
from discovery.simulate.blueprint import Blueprint
from discovery.simulate.fate import BY_DAY, Fate
from discovery.simulate.population import LOG_END, SECONDS_PER_DAY, SIGNUP_DAYS, Population, working_time
from discovery.simulate.recording import inside_window

ACTIVE_FROM = 29
_LOWEST, _SPAN = 0.05, 0.75  # chances of being active without the rule lie within [.05, .80]
_WEIGHTS = np.array([0.5, 0.7, 0.5])  # of volume, active days and recency, each in standard deviations


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """Arrays of length A: what an account's first two weeks amount to, whatever the events were."""

    volume: NDArray[np.float64]  # rows
    active_days: NDArray[np.float64]  # distinct days since signup with a row, at least 1
    recency: NDArray[np.float64]  # day since signup of the last row


def habits_of(log: Log, signup: NDArray[np.int64]) -> Habits:
    """Count rows and active days, and date the last row, within the observation window."""
    early = log.where(inside_window(log, signup))
    lag = early.time - signup[early.account]
    day = np.unique(early.account * WINDOW_DAYS + lag // SECONDS_PER_DAY) // WINDOW_DAYS
    last = np.zeros(len(signup))
    np.maximum.at(last, early.account, lag / SECONDS_PER_DAY)
    return Habits(
        volume=np.bincount(early.account, minlength=len(signup)).astype(np.float64),
        active_days=np.bincount(day, minlength=len(signup)).astype(np.float64),
        recency=last,
    )


def draw_activity(
    blueprint: Blueprint, population: Population, habits: Habits, met: NDArray[np.bool_], rng: np.random.Generator
) -> Fate:
    """Draw who is active from day 29 to day 90; what an account used moves it only through the planted rule.

    The weights of volume, active days, recency and cohort vary by seed. Accounts that are not active do nothing
    from day 29 on, which stands as the day they left; no departure is recorded.
    """
    weights = _WEIGHTS * np.exp(0.35 * rng.standard_normal(3))
    centre, cohort = rng.uniform(-0.6, 0.4), rng.uniform(-1.2, 0.4)
    z = centre + cohort * (population.clock / SIGNUP_DAYS - 0.5)
    for weight, habit in zip(weights, (np.log1p(habits.volume), habits.active_days, habits.recency), strict=True):
        z = z + weight * (habit - habit.mean()) / max(float(habit.std()), 1e-9)
    without = _LOWEST + _SPAN / (1 + np.exp(-z))
    chance = without + np.where(met, blueprint.lift, 0.0)
    active = rng.random(len(population)) < chance
    silent = population.signup + ACTIVE_FROM * SECONDS_PER_DAY
    return Fate(
        left=np.where(active, LOG_END + BY_DAY * SECONDS_PER_DAY, silent),
        stays_with=without + blueprint.lift,
        stays_without=without,
        stays=chance,
        alive_at_landmark=np.ones(len(population), dtype=bool),
        retained=active,
    )


def returns(population: Population, fate: Fate, session: int, rng: np.random.Generator) -> Log:
    """Draw one session of each active account between day 29 and day 90, so that it shows in the log."""
    account = np.flatnonzero(fate.retained)
    lag = rng.uniform(ACTIVE_FROM, BY_DAY, len(account))
    signup = population.signup[account]
    first, last = signup + ACTIVE_FROM * SECONDS_PER_DAY, signup + BY_DAY * SECONDS_PER_DAY - 1
    time = np.clip(working_time(population.clock[account] + lag), first, last)
    return Log(account=account, user=np.zeros_like(account), event=np.full(len(account), session), time=time)
