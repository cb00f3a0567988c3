"""Who signs up, when, and with what known at signup; and the hidden engagement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery.simulate.blueprint import Nuisance

PLANS = ("starter", "team", "business")
CHANNELS = ("organic", "paid", "referral", "sales")
SIZES = ("1-10", "11-50", "51-200", "201+")
SIZE_MIX = (0.45, 0.30, 0.17, 0.08)
MEDIAN_SEATS = (3.0, 7.0, 15.0, 35.0)

SECONDS_PER_DAY = 86_400
LOG_START = int(np.datetime64("2025-01-06T00:00:00", "s").astype(np.int64))  # a Monday
SIGNUP_DAYS = 280
LOG_DAYS = 345
LOG_END = LOG_START + LOG_DAYS * SECONDS_PER_DAY
_HOLIDAYS = (189.0, 210.0)  # days since the log's start: the second half of July

_WEEK_SHARE = np.array([0.0, 0.19, 0.385, 0.58, 0.77, 0.93, 0.965, 1.0])  # by the end of each weekday
_HOUR_SHARE = np.array([0.0, 0.02, 0.06, 0.17, 0.50, 0.57, 0.90, 0.97, 1.0])
_HOURS = np.array([0.0, 6.0, 8.0, 9.0, 12.0, 13.0, 17.0, 19.0, 24.0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """Arrays of length A, in order of signup. `clock` is days since the log's start before working hours."""

    clock: NDArray[np.float64]
    signup: NDArray[np.int64]  # seconds since 1970 UTC
    plan: NDArray[np.int64]
    channel: NDArray[np.int64]
    size: NDArray[np.int64]
    seats: NDArray[np.int64]
    users: NDArray[np.int64]
    engagement: NDArray[np.float64]  # standard normal, known to nobody
    trait: NDArray[np.float64]  # likewise, apart from engagement; zeros where the world has none

    def __len__(self) -> int:
        return len(self.signup)


def draw_population(accounts: int, nuisance: Nuisance, rng: np.random.Generator) -> Population:
    """Draw the accounts; signups grow slowly, seats follow the company's size, users the seats."""
    share = rng.random(accounts)
    clock = np.sort(in_season(SIGNUP_DAYS * (0.85 * share + 0.15 * np.sqrt(share)), nuisance.season))
    size = rng.choice(len(SIZES), accounts, p=SIZE_MIX)
    typical = np.array(MEDIAN_SEATS)[size]
    spread = np.exp(nuisance.seats_spread * rng.standard_normal(accounts))
    seats = np.ceil(typical * spread).astype(np.int64)
    engagement = rng.standard_normal(accounts)
    invited = rng.poisson(0.45 * seats**0.6 * np.exp(0.15 * engagement))
    return Population(
        clock=clock,
        signup=working_time(clock),
        plan=rng.choice(len(PLANS), accounts, p=nuisance.plan_mix),
        channel=rng.choice(len(CHANNELS), accounts, p=nuisance.channel_mix),
        size=size,
        seats=seats,
        users=1 + np.minimum(invited, seats - 1),
        engagement=engagement,
        trait=np.zeros(accounts),
    )


def bustle(days: NDArray[np.float64], swing: float) -> NDArray[np.float64]:
    """Return how busy the season is, as a share of its height: a yearly wave and three weeks of holidays."""
    wave = (1 + swing * np.sin(2 * np.pi * (days - 60.0) / 365.0)) / (1 + swing)
    holidays = (days >= _HOLIDAYS[0]) & (days < _HOLIDAYS[1])
    return np.where(holidays, wave * (1 - 1.6 * swing), wave)


def in_season(clock: NDArray[np.float64], swing: float) -> NDArray[np.float64]:
    """Move even moments to where the season puts them; the order is kept."""
    if swing == 0.0:
        return clock
    days = np.arange(SIGNUP_DAYS + 1, dtype=np.float64)
    reached = np.concatenate([[0.0], np.cumsum(bustle(days[:-1], swing))])
    moved: NDArray[np.float64] = np.interp(clock, SIGNUP_DAYS * reached / reached[-1], days)
    return moved


def working_time(clock: NDArray[np.float64]) -> NDArray[np.int64]:
    """Turn an even clock (days since the log's start) into seconds since 1970, mostly in working hours.

    The map is increasing and repeats every week, so the order of moments is kept.
    """
    week, share = np.divmod(clock, 7.0)
    day, within = np.divmod(np.interp(share / 7.0, _WEEK_SHARE, np.arange(8.0)), 1.0)
    hours = np.interp(within, _HOUR_SHARE, _HOURS)
    seconds = (week * 7.0 + day) * SECONDS_PER_DAY + hours * 3600.0
    moments: NDArray[np.int64] = LOG_START + seconds.astype(np.int64)
    return moments
