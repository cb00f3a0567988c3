"""What accounts do: sessions and events of the first two weeks, the setup chain, and life afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery.milestone import Condition, Milestone
from discovery.simulate.blueprint import Blueprint, Nuisance
from discovery.simulate.population import LOG_END, SECONDS_PER_DAY, Population, working_time

WINDOW_DAYS = 14
_EARLINESS = 1.7  # lag = 14 days x uniform ** this: two thirds of the sessions fall in the first week
_FADING_DAYS = 25.0  # after the landmark the rate of sessions falls as 1 / (1 + t / this)
_STEP_CONVERSION = (0.80, 0.86, 0.86, 0.84)
_STEP_MEDIAN_DAYS = (0.5, 0.25, 0.5, 0.5)
_STEP_REPEATS = (0.4, 1.2, 1.6, 2.2)
_UNTRACKED = 0.03

_SIGNUP, _BASELINE, _INVITATION, _SESSION, _FIRST_ORDINARY = range(5)  # positions in `Blueprint.names`


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Events as equally long arrays. `user` counts from 0 within the account; `time` is seconds since 1970 UTC."""

    account: NDArray[np.int64]
    user: NDArray[np.int64]
    event: NDArray[np.int64]  # position in the names of the world
    time: NDArray[np.int64]

    def where(self, kept: NDArray[np.bool_] | NDArray[np.int64]) -> Log:
        """Return the selected events, by mask or by position."""
        return Log(account=self.account[kept], user=self.user[kept], event=self.event[kept], time=self.time[kept])


def joined(*parts: Log) -> Log:
    """Return all events of all parts."""
    return Log(
        account=np.concatenate([part.account for part in parts]),
        user=np.concatenate([part.user for part in parts]),
        event=np.concatenate([part.event for part in parts]),
        time=np.concatenate([part.time for part in parts]),
    )


def same_event(event: int, account: NDArray[np.int64], user: NDArray[np.int64], time: NDArray[np.int64]) -> Log:
    """Return a log of one event only."""
    return Log(account=account, user=user, event=np.full(len(account), event), time=time)


def early_life(blueprint: Blueprint, nuisance: Nuisance, population: Population, rng: np.random.Generator) -> Log:
    """Draw what every account would do in its first two weeks if it stayed that long."""
    parts = [_beginnings(population, rng), _sessions_and_uses(blueprint, nuisance, population, rng)]
    if blueprint.chain and blueprint.route is None:
        parts.append(_setup_chain(blueprint, population, rng))
    return joined(*parts)


def _beginnings(population: Population, rng: np.random.Generator) -> Log:
    everyone = np.arange(len(population))
    first_user = np.zeros_like(everyone)
    created = population.signup + rng.integers(15, 240, len(population))
    guests = np.repeat(everyone, population.users - 1)
    invited = population.clock[guests] + 0.01 + rng.exponential(4.0, len(guests))
    after_start = np.maximum(working_time(invited), created[guests] + rng.integers(60, 3600, len(guests)))
    return joined(
        same_event(_SIGNUP, everyone, first_user, population.signup),
        same_event(_BASELINE, everyone, first_user, created),
        same_event(_INVITATION, guests, np.zeros_like(guests), after_start),
    )


def _sessions_and_uses(
    blueprint: Blueprint, nuisance: Nuisance, population: Population, rng: np.random.Generator
) -> Log:
    """Draw sessions, then place each use of each event in one of its account's sessions."""
    busy = population.users.astype(np.float64) ** blueprint.users_on_volume
    tempo = blueprint.vanity_loading * population.engagement + 0.3 * rng.standard_normal(len(population))
    n_sessions = 1 + rng.poisson(nuisance.sessions * busy * np.exp(tempo - 0.5 * tempo.var()))
    first = np.cumsum(n_sessions) - n_sessions
    owner = np.repeat(np.arange(len(population)), n_sessions)
    lag = WINDOW_DAYS * rng.random(len(owner)) ** _EARLINESS
    lag[first] = 0.0
    start = working_time(population.clock[owner] + lag)
    visitor = visitors(population, owner, lag, rng)
    returning = np.ones(len(owner), dtype=bool)
    returning[first] = False

    account, event = _uses(blueprint, nuisance, population, busy, rng)
    session = first[account] + (rng.random(len(account)) * n_sessions[account]).astype(np.int64)
    delay = 300 + np.minimum(rng.exponential(700.0, len(account)), 10_000.0).astype(np.int64)
    uses = Log(account=account, user=visitor[session], event=event, time=start[session] + delay)
    return joined(same_event(_SESSION, owner, visitor, start).where(returning), uses)


def _uses(
    blueprint: Blueprint,
    nuisance: Nuisance,
    population: Population,
    busy: NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw how often each account uses each ordinary event: taken up or not, then Poisson with a heavy tail."""
    loading, trait_loading = _loadings(blueprint)
    spread = np.array([rate.spread for rate in blueprint.ordinary])
    pull = population.engagement[:, None] * loading + population.trait[:, None] * trait_loading
    taste = rng.standard_normal(pull.shape) * spread
    mean = nuisance.uses * busy[:, None] * np.exp(pull + taste - 0.5 * (loading**2 + spread**2 + trait_loading**2))
    taken_up = rng.random(pull.shape) < 1 / (1 + np.exp(-(nuisance.adoption + pull)))
    counts = rng.poisson(mean) * taken_up
    counts[:, [rate.event in blueprint.on_the_way for rate in blueprint.ordinary]] = 0
    account, column = np.nonzero(counts)
    repeats = counts[account, column]
    return np.repeat(account, repeats), np.repeat(column + _FIRST_ORDINARY, repeats)


def _loadings(blueprint: Blueprint) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return every ordinary event's log volume per unit of engagement, and of the hidden trait."""
    engagement, trait = [], []
    for rate in blueprint.ordinary:
        own = blueprint.engagement_on_volume if rate.loading is None else rate.loading
        engagement.append(blueprint.vanity_loading if rate.event == blueprint.view_event else own)
        trait.append(blueprint.trait_on_decoys if rate.event in blueprint.decoys else blueprint.trait_on_others)
    return np.array(engagement), np.array(trait)


def visitors(
    population: Population, account: NDArray[np.int64], lag: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Choose who comes: lower numbers more often, guests only once some days have passed."""
    here = 1 + ((population.users[account] - 1) * (1 - np.exp(-lag / 4.0)) + 0.3).astype(np.int64)
    here = np.minimum(here, population.users[account])
    chosen: NDArray[np.int64] = (here * rng.random(len(account)) ** 1.5).astype(np.int64)
    return chosen


def _setup_chain(blueprint: Blueprint, population: Population, rng: np.random.Generator) -> Log:
    """Draw the setup steps: each account stops somewhere, and a step comes only after the one before."""
    parts = []
    going = np.arange(len(population))
    lag = np.full(len(population), 0.004)
    earliest = population.signup + 300
    steps = zip(blueprint.chain[1:], _STEP_CONVERSION, _STEP_MEDIAN_DAYS, _STEP_REPEATS, strict=False)
    for name, conversion, median_days, repeats in steps:
        odds = np.log(conversion / (1 - conversion)) + 0.3 * population.engagement[going]
        goes_on = rng.random(len(going)) < 1 / (1 + np.exp(-odds))
        going, lag, earliest = going[goes_on], lag[goes_on], earliest[goes_on]
        lag = lag + median_days * np.exp(0.9 * rng.standard_normal(len(going)))
        time = np.maximum(working_time(population.clock[going] + lag), earliest + rng.integers(60, 900, len(going)))
        event = blueprint.names.index(name)
        step = joined(
            same_event(event, going, visitors(population, going, lag, rng), time),
            used_again(event, repeats, population, going, lag, time, rng),
        )
        untracked = rng.random(len(population)) < (_UNTRACKED if name != blueprint.chain[-1] else 0.0)
        parts.append(step.where(~untracked[step.account]))
        earliest = time
    return joined(*parts)


def used_again(
    event: int,
    mean: float,
    population: Population,
    account: NDArray[np.int64],
    lag: NDArray[np.float64],
    time: NDArray[np.int64],
    rng: np.random.Generator,
) -> Log:
    """Draw the later uses of an event that accounts used first at `time`."""
    pull = 0.3 * population.engagement[account] + 0.5 * rng.standard_normal(len(account))
    times = rng.poisson(mean * np.exp(pull - 0.17))
    again, later = np.repeat(account, times), np.repeat(lag, times)
    later = later + 8.0 * rng.random(len(again)) ** 1.6
    moment = np.maximum(working_time(population.clock[again] + later), np.repeat(time, times) + 120)
    return same_event(event, again, visitors(population, again, later, rng), moment)


def later_life(
    blueprint: Blueprint,
    nuisance: Nuisance,
    population: Population,
    end: NDArray[np.int64],
    early: Log,
    rng: np.random.Generator,
) -> Log:
    """Draw what accounts do from the landmark until they leave or the log ends.

    Sessions fade as 1 / (1 + t / 25 days). A setup step nobody has taken yet is not taken here either: its
    use is drawn as a view.
    """
    landmark = population.signup + WINDOW_DAYS * SECONDS_PER_DAY
    days = np.maximum(np.minimum(end, LOG_END) - landmark, 0) / SECONDS_PER_DAY
    exposure = _FADING_DAYS * np.log1p(days / _FADING_DAYS)
    tempo = 0.4 * population.engagement + 0.4 * rng.standard_normal(len(population))
    sessions = rng.poisson(nuisance.later_sessions * np.exp(tempo - 0.16) * exposure)
    owner = np.repeat(np.arange(len(population)), sessions)
    lag = WINDOW_DAYS + _FADING_DAYS * np.expm1(rng.random(len(owner)) * exposure[owner] / _FADING_DAYS)
    start = np.maximum(working_time(population.clock[owner] + lag), landmark[owner])
    visitor = visitors(population, owner, lag, rng)

    size = 1 + rng.poisson(1.1, len(owner))
    account, time = np.repeat(owner, size), np.repeat(start, size)
    weight = np.array([0.0, 0.02, 0.3, 3.0, *(rate.later for rate in blueprint.ordinary)])
    event = np.searchsorted(np.cumsum(weight / weight.sum())[:-1], rng.random(len(account)), side="right")
    time = time + np.minimum(rng.exponential(700.0, len(account)), 10_000.0).astype(np.int64)
    event = _only_steps_taken(blueprint, early, len(population), account, event, time)
    return Log(account=account, user=np.repeat(visitor, size), event=event, time=time)


def _only_steps_taken(
    blueprint: Blueprint,
    early: Log,
    accounts: int,
    account: NDArray[np.int64],
    event: NDArray[np.int64],
    time: NDArray[np.int64],
) -> NDArray[np.int64]:
    view = blueprint.names.index(blueprint.view_event)
    for name in blueprint.chain[1:]:
        step = blueprint.names.index(name)
        first = np.full(accounts, np.iinfo(np.int64).max)
        taken = early.event == step
        np.minimum.at(first, early.account[taken], early.time[taken])
        event = np.where((event == step) & (time < first[account]), view, event)
    return event


def reached(log: Log, names: tuple[str, ...], signup: NDArray[np.int64], rule: Condition) -> NDArray[np.bool_]:
    """Tell which accounts meet a condition within the observation window."""
    hours = rule.within_hours if rule.within_hours is not None else WINDOW_DAYS * 24
    lag = log.time - signup[log.account]
    inside = (log.event == names.index(rule.event)) & (lag >= 0) & (lag < hours * 3600)
    often = np.bincount(log.account[inside], minlength=len(signup)) >= rule.at_least
    if rule.min_users == 1:
        return often
    pairs = np.unique(np.stack([log.account[inside], log.user[inside]]), axis=1)
    return often & (np.bincount(pairs[0], minlength=len(signup)) >= rule.min_users)


def met_by(
    log: Log, names: tuple[str, ...], signup: NDArray[np.int64], milestone: Milestone | None
) -> NDArray[np.bool_]:
    """Tell which accounts meet every condition of a conjunction; nobody meets none."""
    if milestone is None:
        return np.zeros(len(signup), dtype=bool)
    everywhere = np.ones(len(signup), dtype=bool)
    for rule in milestone.conditions:
        everywhere &= reached(log, names, signup, rule)
    return everywhere
