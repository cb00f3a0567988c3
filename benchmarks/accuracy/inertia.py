"""Outcomes redrawn from inertia alone, on the features of a log that nobody here made.

The real outcome is fitted on how much an account did, on how many days, how recently, and when it signed up.
Outcomes drawn from that fit know nothing else: any rule that is found on them is false, unless it was planted.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from discovery.milestone import Milestone
from discovery.spec import Day, load_spec

from .inference import Conclusion, Prepared, known_at_signup, prepare, study_with_outcome
from .judge import Facts
from .seen import Seen, show
from .worlds import RealLog

Floats = NDArray[np.float64]

PLANTED_LIFT = 0.15
PLANTED_REACH = (0.10, 0.50)
PENALTY = 1.0
"""Ridge on standardised coefficients: enough for a separated column, nothing beside thousands of accounts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrawable:
    """A log, and each landmark account's chance of the good outcome if only inertia counts."""

    prepared: Prepared
    seen: Seen
    chance: Floats


def redrawn(log: RealLog, seed: int, *, planted: bool) -> tuple[Conclusion, Facts, float]:
    """Draw one outcome, study it, and return what was said, what was true, and the seconds taken."""
    held, rng = _redrawable(log), np.random.default_rng([seed, int(planted)])
    chance, facts = held.chance, Facts(families=(), rules=())
    if planted:
        chance, facts = _with_a_rule(held, rng)
    outcome = rng.random(len(chance)) < chance
    started = time.perf_counter()
    conclusion = study_with_outcome(held.prepared, outcome)
    return conclusion, facts, time.perf_counter() - started


@lru_cache(maxsize=2)
def _redrawable(log: RealLog) -> Redrawable:
    prepared = prepare(log.events, log.accounts, load_spec(log.spec))
    return Redrawable(prepared=prepared, seen=show(prepared), chance=chance_by_inertia(prepared))


def _with_a_rule(held: Redrawable, rng: np.random.Generator) -> tuple[Floats, Facts]:
    """Add the lift for one rule drawn from those that may be ranked, with a reach of 10 to 50 %."""
    least, most = PLANTED_REACH
    seen, flags = held.seen, held.prepared.flags
    reach = seen.flags[:, seen.mature].mean(axis=1)
    open_rows = np.flatnonzero((reach >= least) & (reach <= most))
    chosen = seen.flags[rng.choice(open_rows)]
    packed = np.packbits(chosen)
    row = int(np.flatnonzero((flags.packed == packed).all(axis=1))[0])
    rule = Milestone((flags.conditions[row],))
    chance = np.clip(held.chance + PLANTED_LIFT * chosen, 0.0, 1.0)
    return chance, Facts(families=(rule.family,), rules=(str(rule),), settings={"reach": float(chosen.mean())})


def chance_by_inertia(prepared: Prepared) -> Floats:
    """Fit the outcome of the mature on inertia, and return the fitted chance of every landmark account."""
    outcome = prepared.outcome
    x = inertia_features(prepared)
    y = outcome.retained[outcome.mature].astype(float)
    coefficients = _ridge_logistic(x[outcome.mature], y)
    return np.asarray(expit(x @ coefficients), dtype=float)


def inertia_features(prepared: Prepared) -> Floats:
    """Return intercept, volume, active days, whether it came back, recency, squares, and the cohort; float[n, p]."""
    positions = prepared.outcome.positions
    total, days, last = _activity(prepared)[:, positions]
    window = float(prepared.spec.candidates.window_days)
    raw = np.column_stack([np.log1p(total), days, np.maximum(days - 1, 0) > 0, np.log1p(window - last)])
    raw = np.column_stack([raw, (raw - raw.mean(axis=0)) ** 2, np.log1p(total) * days])
    spread = raw.std(axis=0)
    scaled = (raw - raw.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return np.column_stack([np.ones(len(positions)), scaled, known_at_signup(prepared, traits=False)])


def _activity(prepared: Prepared) -> Floats:
    """Return total events, distinct active days and the day of the last event inside the window; float[3, A]."""
    relations = prepared.relations
    window = prepared.spec.candidates.window_days * Day
    rows = relations.engine.rows(f"""
        SELECT a.account, count(*), count(DISTINCT (e.t - a.signup) // {Day}), max(e.t - a.signup) / {Day}
        FROM {relations.events_table} e JOIN {relations.accounts_table} a ON e.account_id = a.account_id
        WHERE e.t >= a.signup AND e.t < a.signup + {window} GROUP BY a.account""")
    found = np.zeros((3, len(relations.accounts)))
    if rows:
        account, *values = np.array(rows, dtype=float).T
        found[:, account.astype(np.int64)] = values
    return found


def _ridge_logistic(x: Floats, y: Floats) -> Floats:
    def loss(b: Floats) -> tuple[float, Floats]:
        linear = x @ b
        ridge = np.concatenate([[0.0], b[1:]])
        value = float(np.logaddexp(0, linear).sum() - y @ linear + PENALTY * ridge @ ridge / 2)
        return value, np.asarray(x.T @ (expit(linear) - y) + PENALTY * ridge)

    return np.asarray(minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x, dtype=float)
