"""Accounts with past tests in them: a hidden trait behind a decoy and staying, and a behaviour that acts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from discovery.experiment import Participants
from discovery.milestone import Milestone
from discovery.results import Estimate, OutcomeSummary
from discovery.spec import Day

DECOY, REAL = Milestone.of("decoy_opened"), Milestone.of("report_shared")
OUTCOME = OutcomeSummary(
    kind="retained",
    stayed="was still a customer 90 days after signup",
    left="had left by day 90",
    inferred=False,
    by_day=90,
    active_days=None,
    window_days=14,
    has_departures=True,
)


def points(estimate: float | None, half: float = 0.03) -> Estimate:
    """An adjusted difference with a symmetric interval."""
    bounds = (None, None) if estimate is None else (estimate - half, estimate + half)
    return Estimate(
        estimate=estimate,
        ci_lower=bounds[0],
        ci_upper=bounds[1],
        scale="risk difference",
        n_accounts=5000,
        status="too_few" if estimate is None else "ok",
    )


def participants(
    milestone: Milestone = REAL,
    *,
    n: int = 8000,
    seed: int = 0,
    push: float = 0.27,
    effect: float = 0.15,
    families: int = 20,
    side: float = 0.0,
    variant_share: float = 0.5,
    names: tuple[str, str] = ("control", "template"),
) -> Participants:
    """One test (`test`) whose variant pushes `milestone`, and another family by `side`.

    Nobody outside the days 100 to 300 was in it.
    """
    rng = np.random.default_rng(seed)
    signup = rng.integers(0, 400, n) * Day
    inside = (signup >= 100 * Day) & (signup < 300 * Day)
    variant = rng.random(n) < variant_share
    hidden = rng.random(n) < 0.5
    pushed = push * (variant & inside)
    decoy = rng.random(n) < 0.1 + 0.45 * hidden + pushed * (milestone == DECOY)
    real = rng.random(n) < 0.3 + pushed * (milestone == REAL)
    others = [(Milestone.of(f"event_{i}"), rng.random(n) < 0.1 + 0.03 * i) for i in range(families)]
    if side:
        others.append((Milestone.of("invited"), rng.random(n) < 0.2 + side * (variant & inside)))
    others += [(REAL, real)] if milestone == DECOY else [(DECOY, decoy)]
    values = np.array(names, dtype=object)[variant.astype(int)]
    values[~inside] = None
    return Participants(
        milestone=milestone,
        met=decoy if milestone == DECOY else real,
        retained=rng.random(n) < 0.3 + 0.35 * hidden + effect * real,
        signup=signup,
        assignments={"test": values},
        design=rng.normal(size=(n, 3)),
        others=others,
    )


def but(accounts: Participants, **changed) -> Participants:
    """The same accounts, something changed."""
    return replace(accounts, **changed)
