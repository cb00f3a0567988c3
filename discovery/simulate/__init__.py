"""Worlds with planted truth: logs of an imaginary product whose every cause of leaving is known."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from discovery.errors import InputError
from discovery.milestone import Milestone
from discovery.simulate.behaviour import EVENT_NAMES, Log, early_life, joined, later_life, reached
from discovery.simulate.blueprint import WORLDS, Blueprint, blueprint_of, draw_nuisance
from discovery.simulate.fate import draw_fate, draw_leaks
from discovery.simulate.population import LOG_END, draw_population
from discovery.simulate.truth import TrueEffect, Truth, tell_truth
from discovery.simulate.world import World, accounts_table, events_table, potential_table

__all__ = ["WORLDS", "TrueEffect", "Truth", "World", "simulate_world"]


def simulate_world(world: str, *, accounts: int = 5000, seed: int = 0) -> World:
    """Make a world: events and accounts as a company would export them, and the truth behind them.

    Accounts sign up over some nine months of a log that runs for a little over eleven. The planted rule
    multiplies the hazard of leaving after the landmark (day 14); everything else an account does has no
    effect of its own.

    Parameters
    ----------
    world : str
        One of `WORLDS`.
    accounts : int
        How many accounts sign up.
    seed : int
        Same seed, same world; another seed also varies base rates within limits, never what is planted.

    Returns
    -------
    World
        The tables and the truth.

    Raises
    ------
    InputError
        If the world is unknown, there would be no account, or the seed is negative.

    Examples
    --------
    >>> simulate_world("easy", accounts=50, seed=1).truth.planted
    ('report_shared >= 3 within 7d',)
    """
    blueprint = blueprint_of(world)
    if accounts < 1:
        raise InputError(f"A world needs at least 1 account, not {accounts}.")
    if seed < 0:
        raise InputError(f"The seed must be 0 or more, not {seed}.")
    names = EVENT_NAMES + blueprint.outcome_adjacent
    settings, who, early, fates, leaks, later = _sources(world, seed)

    nuisance = draw_nuisance(blueprint, settings)
    population = draw_population(accounts, nuisance, who)
    first_weeks = early_life(blueprint, nuisance, population, early)
    met = _met(blueprint, first_weeks, names, population.signup)
    fate = draw_fate(blueprint, nuisance, population, met, fates)
    afterwards = later_life(blueprint, nuisance, population, fate.left, first_weeks, later)
    decided = draw_leaks(blueprint, names, population, fate, leaks)
    log = _as_recorded(joined(first_weeks, afterwards, *decided), fate.left)
    return World(
        events=events_table(log, names, population),
        accounts=accounts_table(population, fate),
        truth=tell_truth(blueprint, seed, population, names, log, fate),
        potential=potential_table(population, fate, met),
    )


def _sources(world: str, seed: int) -> list[np.random.Generator]:
    """Return one source of chance per stage, so that a change to one leaves the others' draws alone."""
    sequence = np.random.SeedSequence([seed, zlib.crc32(world.encode())])
    return [np.random.default_rng(child) for child in sequence.spawn(6)]


def _met(blueprint: Blueprint, log: Log, names: tuple[str, ...], signup: NDArray[np.int64]) -> NDArray[np.bool_]:
    if not blueprint.planted:
        return np.zeros(len(signup), dtype=bool)
    return reached(log, names, signup, Milestone.parse(blueprint.planted).conditions[0])


def _as_recorded(log: Log, left: NDArray[np.int64]) -> Log:
    """Keep what happened before the account left and the log ended, in order of time."""
    seen = log.where((log.time < left[log.account]) & (log.time < LOG_END))
    return seen.where(np.lexsort((seen.event, seen.user, seen.account, seen.time)))
