"""Cases made of arrays: what a proposal is judged from, without a log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from discovery import estimate
from discovery.milestone import Milestone
from discovery.spec import Day
from discovery.validation.case import Case, Repeats, Rule, Setup, Tracking

PROPOSAL = "report_shared >= 3 within 7d"
START = 20_000 * Day
"""The first signup, microseconds since 1970."""


def rule(text: str, met: Any) -> Rule:
    """A milestone and who met it."""
    return Rule(milestone=Milestone.parse(text), met=np.asarray(met, dtype=bool))


def setup(begun: Any, finished: Any, steps: tuple[str, ...] = ("invited", "imported"), source: Any = "spec") -> Setup:
    """Onboarding steps from two bool[n]: who began, and who finished (on the second day)."""
    days = np.where(np.asarray(finished, dtype=bool), 2.0, np.inf)
    return Setup(steps=steps, source=source, finished=days, begun=np.asarray(begun, dtype=bool))


def make_case(
    met: Any,
    retained: Any,
    *,
    milestone: str = PROPOSAL,
    days: Any = None,
    traits: Mapping[str, Any] | None = None,
    activity: Any = None,
    inertia: Any = None,
    decides: Any = None,
    **parts: Any,
) -> Case:
    """A case over n accounts, signing up one after the other over half a year.

    `met` bool[n] says who reached the proposal (after three days, unless `days` float64[n] says when; inf is never).
    `traits` are columns known at signup by name, `activity` float64[n] or [n, k] what else is adjusted for, `inertia`
    the covariates of the composition test (none: no such test). `decides` bool[n] defaults to everyone. Any other
    field of `Case` may be given as it is.
    """
    met, retained = np.asarray(met, dtype=bool), np.asarray(retained, dtype=bool)
    n = len(met)
    decides = np.ones(n, dtype=bool) if decides is None else np.asarray(decides, dtype=bool)
    known = {name: np.asarray(column, dtype=float).reshape(n, -1) for name, column in (traits or {}).items()}
    at_signup = np.column_stack([np.ones(n), *known.values()])
    covariates = at_signup if activity is None else np.column_stack([at_signup, np.asarray(activity, dtype=float)])
    fields: dict[str, Any] = {
        "milestone": Milestone.parse(milestone),
        "days": np.where(met, 3.0, np.inf) if days is None else np.asarray(days, dtype=float),
        "retained": retained,
        "signup": START + np.arange(n, dtype=np.int64) * (180 * Day // max(n, 1)),
        "decides": decides,
        "null": estimate.fit_null(covariates, retained),
        "deciding": estimate.fit_null(covariates[decides], retained[decides]),
        "composition": None if inertia is None else _composition(np.asarray(inertia, dtype=float), retained, decides),
        "traits": estimate.fit_null(at_signup, retained),
        "trait_columns": _places(known),
        "minimum_effect": 0.03,
        "alpha": 0.05,
        "seed": 7,
        "outcome": "retained" if inertia is None else "active",
        "window_days": 14,
        "motion": "",
        "date_only": False,
        "apart": {},
        "at_signup": frozenset(),
        "defines_outcome": frozenset(),
        "kinds": {},
        "vanity": (),
        "vanity_source": "none",
        "actions": (),
        "setup": None,
        "grid": (),
        "rivals": (),
        "segments": {},
        "before": np.zeros((n, 14), dtype=np.int64),
        "tracking": steady_tracking(Milestone.parse(milestone).events),
        "repeats": Repeats(followed=np.ones(met.sum(), dtype=bool), weekly=np.ones((met.sum(), 4), dtype=bool)),
        "missing_events": (),
    }
    return Case(**(fields | parts))


def steady_tracking(events: tuple[str, ...], weeks: int = 26, **parts: Any) -> Tracking:
    """Every event in every week, as often."""
    fields: dict[str, Any] = {
        "events": events,
        "days": START // Day + 7 * np.arange(weeks, dtype=np.int64),
        "counts": np.full((len(events), weeks), 100, dtype=np.int64),
        "everything": np.full(weeks, 1_000, dtype=np.int64),
        "launched": {},
        "repeated": 0.0,
        "unknown_users": 0.0,
        "has_users": True,
    }
    return Tracking(**(fields | parts))


def _composition(inertia: Any, retained: Any, decides: Any) -> estimate.NullModel:
    design = np.column_stack([np.ones(len(retained)), inertia])
    return estimate.fit_null(design[decides], retained[decides])


def _places(known: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    places, start = {}, 1
    for name, columns in known.items():
        places[name] = tuple(range(start, start + columns.shape[1]))
        start += columns.shape[1]
    return places
