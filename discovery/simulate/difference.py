"""What any rule is truly worth in a world: noiseless differences, computed from the known chances of staying."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from discovery.errors import InputError

if TYPE_CHECKING:
    from discovery.simulate.world import World

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
_TILE = 4096  # accounts per block of moment products
_RIDGE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueEffect:
    """One rule's differences in the chance of staying, in probability (0.2 is 20 points).

    Staying is being retained to day 90 or, in worlds of inertia, being active from day 29 to day 90.

    Attributes
    ----------
    naive_difference : float or None
        Retained share of those who met the rule minus that of those who did not, as drawn, among accounts
        alive at the landmark whose day 90 is no later than the log's last event. None where one side is empty.
    average_difference : float
        For a planted rule the mean over accounts alive at the landmark of P(stay | rule met) - P(stay | rule not
        met), from the known hazard, everything else held as it is.
    overlap_weighted_difference : float
        The same, weighted by e(1 - e), where e is the chance of meeting the rule given all that moves the
        chance of staying (plan, channel, size, engagement, and what else the world has): the coefficient of a
        partially linear regression.
    reach : float or None
        Share of the landmark accounts that met the rule. None where there is no such account.

    Notes
    -----
    In `Truth.effects` a rule that is neither planted nor made of planted events has the differences zero: meeting
    it changes nothing. `true_difference` gives the regression analogue instead, which is what a flawless estimate
    without sampling noise would return: a rule that goes with the planted one shares in its difference.
    """

    naive_difference: float | None
    average_difference: float
    overlap_weighted_difference: float
    reach: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """What the world knows of its landmark accounts: arrays of length n, or n rows."""

    landmark: Mask  # of length A
    span: Floats  # orthonormal: smooth terms of all that moves the chance of staying, and the chances themselves
    stays: Floats
    gain: Floats
    retained: Mask
    mature: Mask


def true_difference(world: World, met: NDArray[Any], *, among: NDArray[Any] | None = None) -> TrueEffect:
    """Compute what meeting a rule is truly worth in a world, free of sampling noise in the outcome.

    Parameters
    ----------
    world : World
        The world.
    met : array of bool, shape (A,)
        Who met the rule, in the order of `world.accounts`.
    among : array of bool, shape (A,), optional
        The accounts to look at, such as those of one segment; all of them unless given.

    Returns
    -------
    TrueEffect
        `overlap_weighted_difference` is sum (D - e(X)) p / sum (D - e(X))^2 over landmark accounts, p being the
        known chance of staying as lived and e(X) the least-squares projection of D = met on all that moves p
        (smooth terms, and the chances of staying with and without the plant themselves). `average_difference` is
        the mean over landmark accounts of two such projections of p, one among those who met the rule and one
        among the others: regression adjustment. Where nothing is planted both are zero; for a planted rule
        they are its overlap-weighted and its average effect.

    Raises
    ------
    InputError
        If an array does not have one entry per account.

    References
    ----------
    Robinson 1988, Econometrica 56, 931-954; Li, Morgan & Zaslavsky 2018, JASA 113, 390-400.
    """
    return true_differences(world, np.asarray(met)[None], among=among)[0]


def true_differences(world: World, met: NDArray[Any], *, among: NDArray[Any] | None = None) -> list[TrueEffect]:
    """Compute `true_difference` for many rules at once, `met` being bool[C, A]."""
    accounts = len(world.accounts)
    met = np.asarray(met, dtype=bool)
    chosen = np.ones(accounts, dtype=bool) if among is None else np.asarray(among, dtype=bool)
    if met.ndim != 2 or met.shape[1] != accounts or chosen.shape != (accounts,):
        raise InputError(
            f"The world has {accounts} accounts, the flags are of shape {met.shape} and the choice of accounts of "
            f"shape {chosen.shape}. Give one entry per account, in the order of world.accounts."
        )
    known = known_of(world.accounts, world.potential, world.truth.settings, chosen)
    return effects_of(known, met[:, known.landmark])


def known_of(accounts: pa.Table, potential: pa.Table, settings: Any, among: Mask | None = None) -> Known:
    """Read the known chances of staying, and all that moves them, of the accounts alive at the landmark."""
    hidden = {name: potential[name].to_numpy() for name in potential.column_names if name != "account_id"}
    landmark = hidden["alive_at_landmark"] if among is None else hidden["alive_at_landmark"] & among
    here = {name: values[landmark] for name, values in hidden.items()}
    terms = _terms(accounts.filter(pa.array(landmark)), here, settings)
    gain = here["stays_with"] - here["stays_without"]
    return Known(
        landmark=landmark,
        span=_orthonormal(np.column_stack([*terms, here["stays_without"], gain])),
        stays=here["stays"],
        gain=gain,
        retained=here["retained"],
        mature=here["mature"],
    )


def _terms(accounts: pa.Table, hidden: dict[str, NDArray[Any]], settings: Any) -> Iterator[Floats]:
    for power in range(4):
        yield hidden["engagement"] ** power
    for column in ("plan", "channel", "company_size"):
        codes = accounts[column].combine_chunks().dictionary_encode().indices.to_numpy()
        yield from np.eye(codes.max(initial=0) + 1)[codes, 1:].T
    signup = accounts["signup_at"].cast(pa.int64()).to_numpy()
    moving = []
    if settings["trait_on_hazard"]:
        moving.append(hidden["trait"])
    if settings["drift"] or settings["effect_drift"] or settings["inertia"]:
        moving.append(_scaled(signup.astype(np.float64)))
    if settings["seats_on_hazard"]:
        moving.append(_scaled(np.log(accounts["seats"].to_numpy())))
    if settings["inertia"]:
        moving += [_scaled(np.log1p(hidden["volume"])), _scaled(hidden["active_days"]), _scaled(hidden["recency"])]
    for place, values in enumerate(moving):
        yield from (values, values**2, values**3)
        yield from (values * other for other in moving[:place])


def _scaled(values: Floats) -> Floats:
    spread = float(values.std()) if len(values) else 0.0
    return (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)


def _orthonormal(design: Floats) -> Floats:
    """Return an orthonormal basis of the columns' span, leaving out what adds nothing."""
    size = np.sqrt((design**2).sum(axis=0))
    left, singular, _ = np.linalg.svd(design / np.where(size > 0, size, 1.0), full_matrices=False)
    kept: Floats = left[:, singular > 1e-9 * singular.max(initial=0.0)]
    return kept


def effects_of(known: Known, met: Mask) -> list[TrueEffect]:
    """Compute the true differences of rules met as in bool[C, n], n being the landmark accounts."""
    flags = met.astype(np.float64)
    overlap = average = np.zeros(len(flags))
    if known.gain.any():
        overlap, average = _overlap_weighted(known, flags), _average(known, flags)
    return [
        TrueEffect(
            naive_difference=naive_difference(known.retained[known.mature], flag[known.mature]),
            average_difference=float(average[place]),
            overlap_weighted_difference=float(overlap[place]),
            reach=float(flag.mean()) if len(flag) else None,
        )
        for place, flag in enumerate(met)
    ]


def _overlap_weighted(known: Known, flags: Floats) -> Floats:
    explained = flags @ known.span
    leftover = flags.sum(axis=1) - (explained**2).sum(axis=1)
    together = flags @ known.stays - explained @ (known.span.T @ known.stays)
    return np.where(leftover > 1e-6, together / np.maximum(leftover, 1e-6), 0.0)


def _average(known: Known, flags: Floats) -> Floats:
    """Return the mean difference of two projections of the chance of staying: among those who met, and others."""
    span, terms = known.span * np.sqrt(len(known.span)), known.span.shape[1]
    moments = np.zeros((len(flags), terms * terms))
    for start in range(0, len(span), _TILE):
        rows = span[start : start + _TILE]
        moments += flags[:, start : start + _TILE] @ (rows[:, :, None] * rows[:, None, :]).reshape(len(rows), -1)
    inside = moments.reshape(-1, terms, terms)
    whole = span.T @ span
    stays_inside = flags * known.stays @ span
    here = _solved(inside, stays_inside)
    elsewhere = _solved(whole - inside, known.stays @ span - stays_inside)
    sides = flags.sum(axis=1)
    average: Floats = (here - elsewhere) @ span.mean(axis=0) if len(span) else np.zeros(len(flags))
    return np.where((sides > 0) & (sides < len(span)), average, 0.0)


def _solved(moments: Floats, products: Floats) -> Floats:
    diagonal = np.einsum("cii->ci", moments)
    ridge = _RIDGE * np.maximum(diagonal.mean(axis=1), 1.0)
    steady = moments + ridge[:, None, None] * np.eye(moments.shape[1])
    solution: Floats = np.linalg.solve(steady, products[:, :, None])[:, :, 0]
    return solution


def naive_difference(stayed: Mask, met: Mask) -> float | None:
    """Return the retained share of those who met the rule minus that of the others; None where a side is empty."""
    if not met.any() or met.all():
        return None
    return float(stayed[met].mean() - stayed[~met].mean())
