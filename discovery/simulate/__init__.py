"""Worlds with planted truth: logs of an imaginary product whose every cause of leaving is known."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from discovery.errors import InputError
from discovery.simulate.behaviour import Log, early_life, joined, later_life, met_by, reached
from discovery.simulate.blueprint import Blueprint, draw_nuisance
from discovery.simulate.catalogue import BLUEPRINTS, WORLDS
from discovery.simulate.difference import TrueEffect, true_difference, true_differences
from discovery.simulate.fate import draw_fate, draw_leaks
from discovery.simulate.inertia import draw_activity, habits_of, returns
from discovery.simulate.population import LOG_END, draw_population
from discovery.simulate.random_world import draw_blueprint
from discovery.simulate.randomised import assignments, run_trials
from discovery.simulate.recording import as_lived, as_sent, as_tracked, inside_window
from discovery.simulate.truth import Truth, tell_truth
from discovery.simulate.walk import as_recorded, walk
from discovery.simulate.world import World, accounts_table, events_table, potential_table

__all__ = [
    "WORLDS",
    "TrueEffect",
    "Truth",
    "World",
    "blueprint_of",
    "draw_fate",
    "draw_nuisance",
    "draw_population",
    "reached",
    "simulate_world",
    "true_difference",
    "true_differences",
]


def simulate_world(world: str, *, accounts: int = 5000, seed: int = 0) -> World:
    """Make a world: events and accounts as a company would export them, and the truth behind them.

    Accounts sign up over some nine months of a log that runs for a little over eleven. The planted rule
    multiplies the hazard of leaving after the landmark (day 14); everything else an account does has no
    effect of its own. In worlds of inertia nobody leaves, and the rule adds to the chance of being active later.
    In worlds with past experiments, some accounts were once tossed into arms and moved to a behaviour.

    Parameters
    ----------
    world : str
        One of `WORLDS`.
    accounts : int
        How many accounts sign up.
    seed : int
        Same seed, same world; another seed also varies base rates within limits, never what is planted, except
        in the `random` worlds, where everything is drawn from it.

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
    if accounts < 1:
        raise InputError(f"A world needs at least 1 account, not {accounts}.")
    if seed < 0:
        raise InputError(f"The seed must be 0 or more, not {seed}.")
    blueprint = blueprint_of(world, seed)
    settings, who, early, fates, leaks, later, hidden, lived, habit, tracked, sent, steps, unseen, tosses = _sources(
        world, seed
    )

    nuisance = draw_nuisance(blueprint, settings)
    population = draw_population(accounts, nuisance, who)
    if blueprint.trait_on_hazard:
        population = replace(population, trait=hidden.standard_normal(accounts))
    first_weeks = early_life(blueprint, nuisance, population, early)
    if blueprint.route:
        first_weeks = joined(first_weeks, walk(blueprint.route, blueprint.names, population, steps))
    first_weeks = as_lived(blueprint, first_weeks, lived)
    first_weeks, tried = run_trials(blueprint.trials, blueprint.names, population, first_weeks, tosses)
    met = met_by(first_weeks, blueprint.names, population.signup, blueprint.milestone)
    habits = habits_of(first_weeks, population.signup) if blueprint.inertia else None
    if habits is not None:
        fate = draw_activity(blueprint, population, habits, met, habit)
        decided = [returns(population, fate, blueprint.names.index(blueprint.session_event), habit)]
    else:
        uses = _uses(blueprint, first_weeks, population.signup)
        met = met if uses is None else uses > 0
        fate = draw_fate(blueprint, nuisance, population, met, fates, uses)
        decided = draw_leaks(blueprint, population, fate, leaks)
    afterwards = as_lived(blueprint, later_life(blueprint, nuisance, population, fate.left, first_weeks, later), lived)
    log = as_tracked(blueprint, _as_seen(joined(first_weeks, afterwards, *decided), fate.left), tracked)
    log = as_recorded(blueprint, log, accounts, unseen)
    rows, numbers = as_sent(blueprint, log, sent)
    exported = accounts_table(population, fate, departures=not blueprint.inertia, assignments=assignments(tried))
    potential = potential_table(population, fate, met, habits, int(log.time.max()))
    return World(
        events=events_table(rows, blueprint.names, population, numbers),
        accounts=exported,
        truth=tell_truth(blueprint, world, seed, population, log, exported, potential, tried),
        potential=potential,
    )


def blueprint_of(world: str, seed: int = 0) -> Blueprint:
    """Return the blueprint of a world; the seed decides it for the random ones.

    Raises
    ------
    InputError
        If no world has that name.
    """
    if world in BLUEPRINTS:
        return BLUEPRINTS[world]
    if world in WORLDS:
        return draw_blueprint(world, seed)
    raise InputError(f"There is no world named {world!r}. Choose one of {', '.join(WORLDS)}.")


def _sources(world: str, seed: int) -> list[np.random.Generator]:
    """Return one source of chance per stage, so that a change to one leaves the others' draws alone."""
    sequence = np.random.SeedSequence([seed, zlib.crc32(world.encode())])
    return [np.random.default_rng(child) for child in sequence.spawn(14)]


def _uses(blueprint: Blueprint, log: Log, signup: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Count the uses, within the window, of the event whose every use counts."""
    if not blueprint.dose_event:
        return None
    mine = (log.event == blueprint.names.index(blueprint.dose_event)) & inside_window(log, signup)
    return np.bincount(log.account[mine], minlength=len(signup))


def _as_seen(log: Log, left: NDArray[np.int64]) -> Log:
    """Keep what happened before the account left and the log ended, in order of time."""
    seen = log.where((log.time < left[log.account]) & (log.time < LOG_END))
    return seen.where(np.lexsort((seen.event, seen.user, seen.account, seen.time)))
