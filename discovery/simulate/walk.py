"""Accounts on their way to the planted rule: who takes which step, when, and what of it is recorded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtr, ndtri

from discovery.simulate.behaviour import Log, joined, same_event, used_again, visitors
from discovery.simulate.blueprint import Blueprint
from discovery.simulate.population import Population, working_time
from discovery.simulate.recording import LAUNCH
from discovery.simulate.route import Mishap, Route, Step

_SPREAD = 0.9  # of the log of the days between two steps
_CERTAIN = 1.0 - 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """A step as taken: arrays of length A. `choice` is the place of the event taken first, `all` whether all were."""

    taken: NDArray[np.bool_]
    lag: NDArray[np.float64]
    time: NDArray[np.int64]
    choice: NDArray[np.int64]
    all: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Met:
    """A mishap as met: arrays of length A, where `days` counts from the first step and is infinite if not met."""

    mishap: Mishap
    days: NDArray[np.float64]
    time: NDArray[np.int64]


def walk(route: Route, names: tuple[str, ...], population: Population, rng: np.random.Generator) -> Log:
    """Draw the steps and mishaps of every account; `names` are the world's."""
    taken, met = _on_the_way(route, population, rng)
    rows = [_rows_of_mishap(one, taken[0], names, population, rng) for one in met]
    for step, own in zip(route.steps, _out_of_order(taken, route.out_of_order, rng), strict=True):
        rows += _rows_of_step(step, own, names, population, rng)
    return joined(*rows)


def as_recorded(blueprint: Blueprint, log: Log, accounts: int, rng: np.random.Generator) -> Log:
    """Lose steps on their way into the log: all rows of an account and step, each step independently."""
    if blueprint.route is None or not blueprint.route.lost:
        return log
    lost = np.zeros((len(blueprint.names), accounts), dtype=bool)
    for step in blueprint.route.steps[:-1]:
        for event in step.events:
            lost[blueprint.names.index(event)] = rng.random(accounts) < blueprint.route.lost
    return log.where(~lost[log.event, log.account])


def _on_the_way(route: Route, population: Population, rng: np.random.Generator) -> tuple[list[_Taken], list[_Met]]:
    """Draw who takes which step first when; a step skipped or not offered yet takes no time."""
    n = len(population)
    going, lag, time = np.ones(n, dtype=bool), np.full(n, 0.004), population.signup + 300
    chosen: tuple[NDArray[np.int64], NDArray[np.bool_]] | None = None
    steps: list[_Taken] = []
    met: list[_Met] = []
    for place, step in enumerate(route.steps):
        delay = _days_until(step, population, met if place == 1 else [], rng)
        offered = (time >= LAUNCH) if step.launched else np.ones(n, dtype=bool)
        skips = rng.random(n) < step.skipped
        going = going & (np.isfinite(delay) | ~offered)
        takes = going & offered & ~skips
        lag = np.where(takes, lag + delay, lag)
        on_clock = working_time(population.clock + lag)
        time = np.where(takes, np.maximum(on_clock, time + rng.integers(60, 900, n)), time)
        choice = _choice(step, n, rng)
        if route.branches and len(step.events) > 1:
            choice = chosen = chosen or choice
        steps.append(_Taken(taken=takes, lag=lag, time=time, choice=choice[0], all=choice[1]))
        if place == 0:
            met = [_meet(mishap, steps[0], population, rng) for mishap in route.mishaps]
    return steps, met


def _days_until(step: Step, population: Population, met: list[_Met], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw the days until a step is taken, infinite for never, from a log-normal hazard that mishaps may lower."""
    n = len(population)
    ever = expit(logit(step.goes_on) + step.loading * population.engagement)
    needed = rng.exponential(size=n)
    for one in met:
        with np.errstate(divide="ignore"):
            before = -np.log1p(-ever * ndtr(np.log(one.days / step.median_days) / _SPREAD))
        needed = np.where(needed > before, before + (needed - before) / one.mishap.hazard_ratio, needed)
    share = -np.expm1(-needed) / ever
    with np.errstate(invalid="ignore"):
        days = step.median_days * np.exp(_SPREAD * ndtri(np.minimum(share, _CERTAIN)))
    return np.where(share < 1.0, days, np.inf)


def _meet(mishap: Mishap, first: _Taken, population: Population, rng: np.random.Generator) -> _Met:
    n = len(population)
    days = rng.exponential(mishap.median_days / np.log(2.0), n)
    days = np.where(first.taken & (rng.random(n) < mishap.share), days, np.inf)
    on_clock = working_time(population.clock + first.lag + np.where(np.isfinite(days), days, 0.0))
    return _Met(mishap=mishap, days=days, time=np.maximum(on_clock, first.time + rng.integers(5, 60, n)))


def _choice(step: Step, accounts: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Choose the event taken first, and whether the others follow."""
    if len(step.events) == 1:
        return np.zeros(accounts, dtype=np.int64), np.zeros(accounts, dtype=bool)
    alone = np.cumsum(step.shares)
    drawn = rng.random(accounts)
    every = drawn >= alone[-1]
    again = np.where(every, rng.random(accounts) * alone[-1], drawn)
    return np.minimum(np.searchsorted(alone, again, side="right"), len(step.events) - 1), every


def _out_of_order(steps: list[_Taken], share: float, rng: np.random.Generator) -> list[_Taken]:
    """Exchange the moments of two neighbouring steps for a share of the accounts."""
    if not share:
        return steps
    taken = np.stack([step.taken for step in steps])
    lag, time = np.stack([step.lag for step in steps]), np.stack([step.time for step in steps])
    accounts = np.arange(taken.shape[1])
    first = rng.integers(0, len(steps) - 1, len(accounts))
    turned = (rng.random(len(accounts)) < share) & taken[first, accounts] & taken[first + 1, accounts]
    one, two, column = first[turned], first[turned] + 1, accounts[turned]
    lag[one, column], lag[two, column] = lag[two, column], lag[one, column]
    time[one, column], time[two, column] = time[two, column], time[one, column]
    return [
        _Taken(taken=old.taken, lag=lag[place], time=time[place], choice=old.choice, all=old.all)
        for place, old in enumerate(steps)
    ]


def _rows_of_step(
    step: Step, own: _Taken, names: tuple[str, ...], population: Population, rng: np.random.Generator
) -> list[Log]:
    """Return the rows of a step: its first time, its repeats, and the other events of those that take all."""
    rows = []
    for place, name in enumerate(step.events):
        event = names.index(name)
        second = own.taken & own.all & (own.choice != place)
        who = np.flatnonzero(own.taken & (own.choice == place) | second)
        later = np.where(second[who], step.median_days * np.exp(_SPREAD * rng.standard_normal(len(who))), 0.0)
        lag = own.lag[who] + later
        time = np.maximum(working_time(population.clock[who] + lag), own.time[who] + np.where(second[who], 120, 0))
        rows.append(same_event(event, who, visitors(population, who, lag, rng), time))
        rows.append(used_again(event, step.repeats, population, who, lag, time, rng))
    return rows


def _rows_of_mishap(
    met: _Met, first: _Taken, names: tuple[str, ...], population: Population, rng: np.random.Generator
) -> Log:
    event = names.index(met.mishap.event)
    who = np.flatnonzero(np.isfinite(met.days))
    lag, time = first.lag[who] + met.days[who], met.time[who]
    return joined(
        same_event(event, who, visitors(population, who, lag, rng), time),
        used_again(event, met.mishap.repeats, population, who, lag, time, rng),
    )
