"""What the estimates adjust for: traits known at signup, the calendar, and how busy the account is anyway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery.spec import Day

Floats = NDArray[np.float64]

ACTIVITY = "activity"
INERTIA = "inertia"
SEATS = ("log seats", "seats unknown")
CALENDAR = "signup date"
UNKNOWN = "unknown"
OTHER = "other"
SPLINE_ACCOUNTS = 200
SPLINE_QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
COLLINEAR = 1e-8
"""Share of a column's variance below which the columns before it are taken to explain it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Covariates:
    """Standardised covariates of n accounts, without an intercept.

    Attributes
    ----------
    names : tuple of str
        For people: `plan=team`, `log seats`, `signup date 1`. `design` tells by them what to drop first.
    values : float64[n, p]
        Mean 0 and standard deviation 1 over the accounts they were built on.
    """

    names: tuple[str, ...]
    values: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A full-rank design with an intercept in column 0.

    Attributes
    ----------
    names : tuple of str
        `intercept` first.
    values : float64[n, q]
    dropped : tuple of str
        Columns left out, because the accounts are too few for them or other columns already say the same.
    """

    names: tuple[str, ...]
    values: Floats
    dropped: tuple[str, ...]


Columns = list[tuple[str, Floats]]


def static_covariates(
    signup: NDArray[np.int64],
    segments: Mapping[str, NDArray[np.object_]],
    seats: Floats | None,
    extra: Mapping[str, Floats] | None = None,
) -> Covariates:
    """Build the covariates known at signup.

    Parameters
    ----------
    signup : int64[n]
        Microseconds since 1970 UTC.
    segments : mapping of str to object[n]
        Traits known at signup; None (or NaN) is a level of its own, "unknown". The most common level is the
        reference. Levels with fewer than max(20, 1 % of n) accounts are pooled as "other".
    seats : float64[n] or None
        Seats at signup, NaN where unknown; enters as `log(1 + seats)` with an indicator of the unknown.
    extra : mapping of str to float64[n], optional
        Further numeric covariates, NaN where unknown.

    Returns
    -------
    Covariates
        Constant columns are left out. The signup date is an orthogonalised natural cubic spline with 4 degrees
        of freedom (knots at the quartiles) from 200 accounts on, a quadratic below, and always fewer columns
        than there are distinct days.

    Examples
    --------
    >>> plan = np.array(["team", "free", "free", None], dtype=object)
    >>> static_covariates(np.zeros(4, dtype=np.int64), {"plan": plan}, None).names
    ('plan=team', 'plan=unknown')
    """
    columns = [column for name, levels in segments.items() for column in _one_hot(name, levels)]
    if seats is not None:
        columns += _with_missing(*SEATS, np.log1p(np.where(seats >= 0, seats, np.nan)))
    columns += [(f"{CALENDAR} {index}", values) for index, values in enumerate(_calendar(signup), start=1)]
    for name, values in (extra or {}).items():
        columns += _with_missing(name, f"{name} unknown", np.asarray(values, dtype=float))
    return _standardised(columns, len(signup))


def activity_covariates(scores: Floats) -> Covariates:
    """Build the covariates that say how busy the account is anyway, from its activity factors.

    Parameters
    ----------
    scores : float64[n, K]
        Factor scores, the strongest first (`activity.activity_factors`).

    Returns
    -------
    Covariates
        A natural cubic spline of each factor: what lies behind the counts need not go with staying in a
        straight line. The first has 5 degrees of freedom from 1,000 accounts on, 3 from 400, 2 below;
        the others have at most 3.
    """
    n, factors = scores.shape
    most = 5 if n >= 1000 else 3 if n >= 400 else 2
    columns: Columns = []
    for factor in range(factors):
        terms = _spline(scores[:, factor], most if factor == 0 else min(most, 3))
        columns += [(f"{ACTIVITY} {factor + 1}.{term}", values) for term, values in enumerate(terms)]
    return _standardised(columns, n)


def inertia_covariates(
    actions: NDArray[np.int64], moments: NDArray[np.int64], days: NDArray[np.int64], last_days: Floats
) -> Covariates:
    """Build the covariates of the composition test: how much, on how many days and how recently, of anything.

    Beside them a candidate is compared at the same number of actions, on as many days, as recently: what is
    left is that the actions were this event.

    Parameters
    ----------
    actions, moments, days : int64[n]
        Rows, distinct seconds and distinct days with any row in the observation window.
    last_days : float64[n]
        Days from signup to the last row.
    """
    log_moments = np.log1p(moments.astype(float))
    recency = np.asarray(last_days, dtype=float)
    columns: Columns = [
        *((f"{INERTIA} moments {term}", values) for term, values in enumerate(_spline(log_moments, 3))),
        *((f"{INERTIA} days {least}", (days >= least).astype(float)) for least in (2, 3, 4)),
        (f"{INERTIA} log days", np.log1p(days.astype(float))),
        *((f"{INERTIA} recency {term}", values) for term, values in enumerate(_spline(recency, 3))),
        (f"{INERTIA} actions", np.log1p(actions.astype(float))),
        *((f"{INERTIA} repeated {least}", (moments >= least).astype(float)) for least in (2, 3)),
    ]
    return _standardised(columns, len(log_moments))


def smooth(values: Floats, degrees: int, name: str) -> Covariates:
    """Build a natural cubic spline of one number per account."""
    columns = [(f"{ACTIVITY} {name} {term}", terms) for term, terms in enumerate(_spline(values, degrees))]
    return _standardised(columns, len(values))


def trait_of(name: str) -> str | None:
    """Return the trait known at signup that a column belongs to, or None for activity and the signup date."""
    if "=" in name:
        return name.split("=")[0]
    if name.startswith((f"{ACTIVITY} ", f"{INERTIA} ", f"{CALENDAR} ")) or name == "intercept":
        return None
    return "seats" if name in SEATS else name.removesuffix(" unknown")


def _spline(x: Floats, degrees: int) -> list[Floats]:
    """Orthonormal terms of a natural cubic spline with knots at quantiles, the linear one first."""
    spread = float(x.max() - x.min()) if len(x) else 0.0
    if spread <= 0:
        return []
    scaled = (x - x.min()) / spread
    knots = np.unique(np.quantile(scaled, np.linspace(0, 1, degrees + 1)))
    return _orthonormal([scaled] if len(knots) < 3 else _natural_cubic(scaled, knots))


def design(parts: Sequence[Covariates], limit: int) -> Design:
    """Put an intercept and covariates into one full-rank design of at most `limit` columns.

    Parameters
    ----------
    parts : sequence of Covariates
        Over the same accounts.
    limit : int
        Most columns allowed, intercept included: a twentieth of the accounts. One column always stays.

    Returns
    -------
    Design
        Where columns have to go, the rarest segment levels go first, then the calendar from its last term, then
        extra covariates, seats, and activity last of all. The rank is settled first: a column that those
        that matter more explain is left out whatever the limit.
    """
    names = [name for part in parts for name in part.names]
    values = np.concatenate([part.values for part in parts], axis=1)
    by_importance = sorted(range(len(names)), key=lambda j: _importance(names[j], values[:, j]))
    kept = sorted(_independent_columns(values, by_importance)[: max(0, limit - 1)])
    return Design(
        names=("intercept", *(names[j] for j in kept)),
        values=np.column_stack([np.ones(len(values)), values[:, kept]]),
        dropped=tuple(name for j, name in enumerate(names) if j not in kept),
    )


def _importance(name: str, values: Floats) -> tuple[int, int]:
    """Order columns from the last to be dropped to the first; among segment levels the rarest goes first."""
    if name.startswith((f"{ACTIVITY} ", f"{INERTIA} ")):
        return 0, 0
    if name in SEATS:
        return 1, SEATS.index(name)
    if name.startswith(f"{CALENDAR} "):
        return 3, 0
    return (4, -int(np.count_nonzero(values > 0))) if "=" in name else (2, 0)


def _one_hot(name: str, levels: NDArray[np.object_]) -> Columns:
    labels = np.array([_label(level) for level in levels], dtype=object)
    floor = max(20.0, 0.01 * len(labels)) if len(labels) >= SPLINE_ACCOUNTS else 1.0
    found, where, counts = np.unique(labels.astype(str), return_inverse=True, return_counts=True)
    pooled = np.array([OTHER if c < floor and f != UNKNOWN else f for f, c in zip(found, counts, strict=True)])
    labels = pooled[where] if len(labels) else labels.astype(str)
    names, counts = np.unique(labels, return_counts=True)
    if len(names) < 2:
        return []
    reference = names[np.argmax(counts)]
    return [(f"{name}={level}", (labels == level).astype(float)) for level in names if level != reference]


def _label(level: object) -> str:
    return UNKNOWN if level is None or level != level else str(level)


def _with_missing(name: str, missing_name: str, values: Floats) -> Columns:
    known = np.isfinite(values)
    if not known.any():
        return []
    filled = np.where(known, values, values[known].mean())
    return [(name, filled), (missing_name, (~known).astype(float))]


def _calendar(signup: NDArray[np.int64]) -> list[Floats]:
    """Orthonormal terms of the signup date, the linear one first."""
    distinct = len(np.unique(signup // Day))
    if distinct < 2:
        return []
    span = float(signup.max() - signup.min())
    x = (signup - signup.min()) / span
    knots = np.unique(np.quantile(x, SPLINE_QUANTILES))
    terms = [x, x**2] if len(x) < SPLINE_ACCOUNTS or len(knots) < 3 else _natural_cubic(x, knots)
    return _orthonormal(terms[: distinct - 1])


def _natural_cubic(x: Floats, knots: Floats) -> list[Floats]:
    """Truncated-power basis of the natural cubic spline, linear beyond the outer knots, without the constant."""

    def cubic(knot: float) -> Floats:
        beyond_last = np.maximum(x - knots[-1], 0.0) ** 3
        above: Floats = (np.maximum(x - knot, 0.0) ** 3 - beyond_last) / (knots[-1] - knot)
        return above

    terms: list[Floats] = [x, *(cubic(knot) - cubic(knots[-2]) for knot in knots[:-2])]
    return terms


def _orthonormal(terms: Sequence[Floats]) -> list[Floats]:
    kept: list[Floats] = [np.full(len(terms[0]), len(terms[0]) ** -0.5)]
    for term in terms:
        rest = term
        for _ in range(2):
            for earlier in kept:
                rest = rest - (earlier @ rest) * earlier
        if rest @ rest > COLLINEAR * (term @ term):
            kept.append(rest / np.sqrt(rest @ rest))
    return kept[1:]


def _standardised(columns: Columns, n: int) -> Covariates:
    varying = [(name, values - values.mean()) for name, values in columns if n and values.min() < values.max()]
    scaled = [values / np.sqrt(np.mean(values**2)) for _, values in varying]
    return Covariates(
        names=tuple(name for name, _ in varying), values=np.column_stack(scaled) if scaled else np.empty((n, 0))
    )


def _independent_columns(values: Floats, order: Sequence[int] | range) -> list[int]:
    """Go through the columns in `order`; keep those that the intercept and the kept ones do not explain.

    A Cholesky factorisation of the covariance that pivots by importance instead of by size.
    """
    centred = values - values.mean(axis=0) if len(values) else values
    gram = centred.T @ centred
    floor = COLLINEAR * np.maximum(np.diag(gram), len(values) * 1e-12)
    kept: list[int] = []
    for j in order:
        pivot = gram[j, j]
        if pivot <= floor[j]:
            continue
        kept.append(j)
        gram = gram - np.outer(gram[:, j], gram[j]) / pivot
    return kept
