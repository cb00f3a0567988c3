"""What past randomised tests did: arms tossed at signup, uses added, assignments recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from discovery.milestone import Condition
from discovery.simulate.behaviour import WINDOW_DAYS, Log, joined, reached, same_event, visitors
from discovery.simulate.difference import Known
from discovery.simulate.population import LOG_START, SECONDS_PER_DAY, Population, working_time
from discovery.simulate.trial import Push, Trial

Mask = NDArray[np.bool_]
_EARLINESS = 1.7  # as of sessions: a variant moves accounts early rather than late
_FIRST, _LAST = 0.01, 0.95  # shares of the rule's window between which the added uses lie


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One test as it went: bool[A] each.

    `moves` has for every rule the accounts that meet it only if the variant moves them, of either arm.
    """

    trial: Trial
    entered: Mask
    variant: Mask
    recorded: Mask
    moves: Mapping[str, Mask]


def run_trials(
    trials: tuple[Trial, ...],
    names: tuple[str, ...],
    population: Population,
    first_weeks: Log,
    rng: np.random.Generator,
) -> tuple[Log, tuple[Tried, ...]]:
    """Toss every account's arms independently, and add what the variants make accounts do.

    A pushed account does the behaviour as often as the rule asks, inside the rule's window, and nothing else: staying
    changes only where the planted rule is met that way.
    """
    log, tried = first_weeks, []
    for trial in trials:
        one = _tossed(trial, names, population, log, rng)
        added = [
            _uses(push.condition, one.variant & one.moves[push.rule], names, population, log, rng)
            for push in trial.pushes
        ]
        log = joined(log, *added)
        tried.append(one)
    return log, tuple(tried)


def _tossed(trial: Trial, names: tuple[str, ...], population: Population, log: Log, rng: np.random.Generator) -> Tried:
    day = (population.signup - LOG_START) // SECONDS_PER_DAY
    entered = (day >= trial.first_day) & (day < trial.last_day)
    variant = entered & (rng.random(len(population)) < 0.5)
    forgotten = variant & (population.engagement < 0) & (rng.random(len(population)) < trial.unrecorded)
    return Tried(
        trial=trial,
        entered=entered,
        variant=variant,
        recorded=entered & ~forgotten,
        moves={push.rule: entered & _movable(push, names, population, log, rng) for push in trial.pushes},
    )


def _movable(push: Push, names: tuple[str, ...], population: Population, log: Log, rng: np.random.Generator) -> Mask:
    would_not = ~reached(log, names, population.signup, push.condition)
    movable: Mask = would_not & (rng.random(len(population)) < push.share)
    return movable


def _uses(
    rule: Condition, pushed: Mask, names: tuple[str, ...], population: Population, log: Log, rng: np.random.Generator
) -> Log:
    """Draw the uses that pushed accounts still lack, inside the rule's window."""
    event, days = names.index(rule.event), rule.within_days or WINDOW_DAYS
    lag = log.time - population.signup[log.account]
    inside = (log.event == event) & (lag < days * SECONDS_PER_DAY)
    lacking = rule.at_least - np.bincount(log.account[inside], minlength=len(population))
    account = np.repeat(np.arange(len(population)), np.where(pushed, lacking, 0))
    when = days * (_FIRST + (_LAST - _FIRST) * rng.random(len(account)) ** _EARLINESS)
    time = working_time(population.clock[account] + when)
    return same_event(event, account, visitors(population, account, when, rng), time)


def assignments(tried: tuple[Tried, ...]) -> dict[str, pa.Array]:
    """Return the columns of the accounts table: the arm, null for accounts that were in no arm on record."""
    return {
        one.trial.column: pa.array([one.trial.control, one.trial.variant]).take(
            pa.array(one.variant.astype(np.int64), mask=~one.recorded)
        )
        for one in tried
    }


def true_experiments(tried: tuple[Tried, ...], known: Known, planted: str | None) -> dict[str, dict[str, Any]]:
    """Return what each test truly did, by its column, among the accounts that entered it and reached the landmark.

    Of every rule that the variant moves: `first_stage` is the share of accounts it moves, and `complier_effect` what
    meeting the rule adds to the chance of staying of those, on average.
    """
    told = {}
    for one in tried:
        entered = one.entered[known.landmark]
        moves = {}
        for rule, who in one.moves.items():
            moved = who[known.landmark]
            acts = rule == planted and bool(moved.any())
            moves[rule] = {
                "first_stage": float(moved[entered].mean()) if entered.any() else 0.0,
                "complier_effect": float(known.gain[moved].mean()) if acts else 0.0,
            }
        told[one.trial.column] = {
            **dates(one.trial),
            "control": one.trial.control,
            "variant": one.trial.variant,
            "broken_split": one.trial.unrecorded > 0,
            "moves": moves,
        }
    return told


def dates(trial: Trial) -> dict[str, str]:
    """Return the first day of the test and the day after its last, as ISO dates."""
    return {"start": _day(trial.first_day), "end": _day(trial.last_day)}


def _day(day: int) -> str:
    return str(np.datetime64(LOG_START, "s").astype("datetime64[D]") + day)
