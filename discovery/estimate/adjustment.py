"""What the estimates adjust for: traits known at signup, the calendar, and how busy the account is anyway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery.spec import Day

Floats = NDArray[np.float64]

VOLUME = ("log volume", "log volume squared", "distinct events")
SEATS = ("log seats", "seats unknown")
CALENDAR = "signup date"
UNKNOWN = "unknown"
OTHER = "other"
SPLINE_ACCOUNTS = 200
SPLINE_QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
COLLINEAR = 1e-8
"""Share of a column's variance below which the columns before it are taken to explain it."""
AFTER_SHARE = 0.65
DESCENDANT_LIFT = 2.5
DESCENDANT_ACCOUNTS = 20
_CHUNK = 1 << 16


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


def volume_covariates(total: NDArray[np.int64], distinct: NDArray[np.int64]) -> Covariates:
    """Build the covariates that say how busy the account is anyway.

    The caller has already taken out the candidate's own event and its descendants.

    Parameters
    ----------
    total : int64[n]
        Events in the observation window.
    distinct : int64[n]
        Distinct event names in it.

    Returns
    -------
    Covariates
        `log(1 + total)`, its square about the mean, and the number of distinct events; columns that are
        constant or collinear with earlier ones are left out.
    """
    log_total = np.log1p(np.asarray(total, dtype=float))
    square = (log_total - log_total.mean()) ** 2 if len(log_total) else log_total
    columns = list(zip(VOLUME, (log_total, square, np.asarray(distinct, dtype=float)), strict=True))
    standardised = _standardised(columns, len(log_total))
    kept = _independent_columns(standardised.values, range(len(standardised.names)))
    return Covariates(names=tuple(standardised.names[j] for j in kept), values=standardised.values[:, kept])


def design(static: Covariates, volume: Covariates | None, limit: int) -> Design:
    """Put an intercept, volume and static covariates into one full-rank design of at most `limit` columns.

    Parameters
    ----------
    static, volume : Covariates
        Over the same accounts. `volume` None adjusts for traits alone.
    limit : int
        Most columns allowed, intercept included: a twentieth of the mature accounts. One column always stays.

    Returns
    -------
    Design
        Where columns have to go, the rarest segment levels go first, then the calendar from its last term, then
        extra covariates, seats, and volume last of all. The rank is settled first: a column that those
        that matter more explain is left out whatever the limit.
    """
    parts = [static] if volume is None else [volume, static]
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
    if name in VOLUME:
        return 0, VOLUME.index(name)
    if name in SEATS:
        return 1, SEATS.index(name)
    if name.startswith(f"{CALENDAR} "):
        return 3, 0
    return (4, -int(np.count_nonzero(values > 0))) if "=" in name else (2, 0)


def descendants(first_days: Floats) -> NDArray[np.bool_]:
    """Tell which events mostly come after which others.

    Event b is a descendant of a where P(first b after first a | both) > .65 and P(b | a) / P(b) > 2.5, among
    at least 20 accounts with both: doing a opens the way to b, so b must not count as how busy the account
    was anyway.

    Parameters
    ----------
    first_days : float64[E, n]
        Time of each event's first occurrence since signup, any unit; infinity where it never occurred.

    Returns
    -------
    bool[E, E]
        Row a, column b: b is a descendant of a. The diagonal is False.

    Notes
    -----
    Equal times are not "after": two events of one moment are descendants of neither, so at a coarse
    resolution relations are missed rather than invented.
    """
    events, n = first_days.shape
    both = _together(first_days)
    having = np.diag(both)
    with np.errstate(divide="ignore", invalid="ignore"):
        lift = both * float(n) / (having[:, None] * having[None, :].astype(float))
    likely = (both >= DESCENDANT_ACCOUNTS) & (lift > DESCENDANT_LIFT)
    np.fill_diagonal(likely, False)
    found = np.zeros((events, events), dtype=bool)
    for a in np.flatnonzero(likely.any(axis=1)):
        accounts, others = np.flatnonzero(np.isfinite(first_days[a])), np.flatnonzero(likely[a])
        for b in others:
            later = first_days[b, accounts]
            after = np.count_nonzero((later > first_days[a, accounts]) & np.isfinite(later))
            found[a, b] = after > AFTER_SHARE * both[a, b]
    return found


def _together(first_days: Floats) -> NDArray[np.int64]:
    events, n = first_days.shape
    both = np.zeros((events, events), dtype=np.int64)
    for start in range(0, n, _CHUNK):
        has = np.isfinite(first_days[:, start : start + _CHUNK]).astype(np.float32)
        both += (has @ has.T).astype(np.int64)
    return both


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
