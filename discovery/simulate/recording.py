"""What stands between life and log: seasons and launches before it, lost and repeated rows after it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from discovery.simulate.behaviour import WINDOW_DAYS, Log
from discovery.simulate.blueprint import Blueprint
from discovery.simulate.population import LOG_DAYS, LOG_START, SECONDS_PER_DAY, bustle

LAUNCH = LOG_START + (LOG_DAYS // 2) * SECONDS_PER_DAY
_KEPT_ALWAYS = 2  # the first two names of every world: signing up, and the workspace that comes with it
_LOSS_CONCENTRATION = 2.0


def as_lived(blueprint: Blueprint, log: Log, rng: np.random.Generator) -> Log:
    """Take out what the season keeps accounts from doing, and what the product does not offer yet.

    A quiet season takes whole days from an account, never its setup steps.
    """
    if blueprint.season:
        log = log.where(~_day_off(blueprint, log, rng))
    if blueprint.launched:
        planted = np.isin(log.event, [blueprint.names.index(name) for name in blueprint.planted_events])
        log = log.where(~planted | (log.time >= LAUNCH))
    return log


def _day_off(blueprint: Blueprint, log: Log, rng: np.random.Generator) -> NDArray[np.bool_]:
    day = (log.time - LOG_START) // SECONDS_PER_DAY
    days, of_row = np.unique(log.account * 1_000 + day, return_inverse=True)
    off = rng.random(len(days)) >= bustle((days % 1_000).astype(np.float64), blueprint.season)
    steps = [blueprint.names.index(name) for name in blueprint.chain]
    free = (log.event >= _KEPT_ALWAYS) & ~np.isin(log.event, steps)
    return off[of_row] & free


def as_tracked(blueprint: Blueprint, log: Log, rng: np.random.Generator) -> Log:
    """Lose rows on their way: each event of each account has a rate of loss of its own, many none and some high."""
    if not blueprint.untracked:
        return log
    pairs, of_row = np.unique(log.account * len(blueprint.names) + log.event, return_inverse=True)
    share = blueprint.untracked
    rate = rng.beta(_LOSS_CONCENTRATION * share, _LOSS_CONCENTRATION * (1 - share), len(pairs))
    lost = rng.random(len(of_row)) < rate[of_row]
    return log.where(~lost | (log.event < _KEPT_ALWAYS))


def as_sent(blueprint: Blueprint, log: Log, rng: np.random.Generator) -> tuple[Log, NDArray[np.int64]]:
    """Send some rows twice; return the rows in order of time and the number that each row's id bears."""
    rows = len(log.time)
    number = np.arange(rows)
    if not blueprint.repeated:
        return log, number
    twice = np.flatnonzero(rng.random(rows) < blueprint.repeated)
    new = rng.random(len(twice)) < blueprint.new_ids
    row = np.concatenate([number, twice])
    number = np.concatenate([number, np.where(new, rows + np.arange(len(twice)), twice)])
    order = np.lexsort((number, log.time[row]))
    return log.where(row[order]), number[order]


def inside_window(log: Log, signup: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which rows lie within the observation window."""
    lag = log.time - signup[log.account]
    return (lag >= 0) & (lag < WINDOW_DAYS * SECONDS_PER_DAY)
