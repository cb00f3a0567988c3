"""Effects from accounts that took no part in choosing: half of the accounts choose a rule, the others estimate it.

Chosen and estimated on the same accounts, an effect is overstated: what stood out did so partly by luck. Here every
split repeats the whole choice of a family's rule on one half and estimates that rule on the other, then swaps. Many
splits are combined by their median.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve
from scipy.special import ndtri

from discovery.estimate.effect import LeftOver, regressed_on
from discovery.estimate.flags import pack
from discovery.estimate.logistic import NullModel, gram_factor
from discovery.estimate.products import ACCOUNTS, Blocks, Places, sweep, sweep_precision

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

COLLINEAR = 1e-8
"""Share of a flag's own sum of squares below which nothing of it is left beside the covariates."""


def draw_halves(order: NDArray[np.integer], splits: int, seed: int) -> Singles:
    """Draw random halves of the accounts, stratified by their order, and their complements.

    Neighbours in `order` (of signup) are parted: of every two, one falls on either side.

    Parameters
    ----------
    order : int[m]
        Any number to sort the accounts by.
    splits : int
        S.
    seed : int

    Returns
    -------
    float32[m, 2 S]
        0 and 1; column `s` is a half, column `S + s` its complement.
    """
    m = len(order)
    generator = np.random.default_rng(seed)
    sides = generator.random((-(-m // 2), splits)) < 0.5
    halves = np.empty((m, splits), dtype=bool)
    ranked = np.argsort(order, kind="stable")
    halves[ranked[0::2]] = sides
    halves[ranked[1::2]] = ~sides[: m // 2]
    return np.concatenate([halves, ~halves], axis=1).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """One family's adjusted difference on accounts that did not choose its rule.

    Attributes
    ----------
    estimate, ci_lower, ci_upper : float
        Overlap-weighted risk difference, median over the splits; NaN where no split allows one.
    se : float
        Of the median, with the spread between splits.
    same_sign : float
        Share of the held-out halves whose estimate has the sign of `estimate`.
    """

    estimate: float
    ci_lower: float
    ci_upper: float
    se: float
    same_sign: float


def held_out_packed(
    null: NullModel,
    packed: NDArray[np.uint8],
    n: int,
    rows: Places | None,
    chosen: Sequence[NDArray[np.intp]],
    halves: Singles,
    alpha: float = 0.05,
    left: LeftOver | None = None,
) -> tuple[HeldOut, ...]:
    """Estimate each family's difference on the halves that did not choose its rule.

    Partially linear double machine learning: retention less its prediction by the covariates, regressed on the
    flag less its own, `theta = sum x~ r / sum x~ x~` over the held-out half. The nuisance models know neither
    rule nor half.

    Parameters
    ----------
    null : NullModel
        Logistic model of retention on the covariates, over m accounts.
    packed : uint8[c, ceil(n / 8)]
        The rules that were chosen at least once, as `pack` has them.
    n : int
        Accounts that `packed` is of.
    rows : int[m], optional
        Places of the m accounts among the n; None where they are the same.
    chosen : sequence of int[2 S]
        For each family the row of `packed` that each half chose.
    halves : float32[m, 2 S]
        From `draw_halves`.
    alpha : float
        Intervals are normal with nominal coverage `1 - alpha`.
    left : LeftOver, optional
        What the covariates leave of the rules, where it is known.

    Notes
    -----
    Each split's estimate is the mean of its two, its variance a quarter of the sum of theirs
    (heteroscedasticity-robust). Over the splits: the median estimate, and the median of variance plus squared
    distance from it.

    References
    ----------
    Chernozhukov et al. (2018), Econometrics Journal 21, C1-C68, definition 3.3 and the partially linear model;
    Robinson (1988), Econometrica 56; Rinaldo, Wasserman & G'Sell (2019), Annals of Statistics 47 (sample
    splitting after selection).
    """
    columns = np.arange(halves.shape[1])
    estimates, variances = _on_other_halves(null, packed, n, rows, halves, left)
    return tuple(combined(estimates[each, columns], variances[each, columns], alpha) for each in chosen)


def on_other_halves(
    null: NullModel, flags: NDArray[np.uint8], halves: Singles, columns: NDArray[np.intp]
) -> tuple[Floats, Floats]:
    """Return estimate and variance of each rule on the complements of some halves, two arrays [c, len(columns)]."""
    estimates, variances = _on_other_halves(null, pack(flags), len(null.outcome), None, halves)
    return estimates[:, columns], variances[:, columns]


def _on_other_halves(
    null: NullModel,
    packed: NDArray[np.uint8],
    n: int,
    rows: Places | None,
    halves: Singles,
    left: LeftOver | None = None,
) -> tuple[Floats, Floats]:
    left = regressed_on(null, packed, n, rows) if left is None else left
    information, product, first, second, third = _sums_on_others(null, packed, n, rows, left.slopes, halves)
    usable = information > COLLINEAR * np.maximum(left.own, 1.0)[:, None]
    information = np.where(usable, information, np.nan)
    theta = product / information
    freedom = len(null.residual) / max(1, len(null.residual) - null.design.shape[1])
    variance = freedom * (first - 2 * theta * second + theta**2 * third) / information**2
    return theta, np.maximum(variance, 0.0)


def _sums_on_others(
    null: NullModel, packed: NDArray[np.uint8], n: int, rows: Places | None, slopes: Floats, halves: Singles
) -> Floats:
    """Sum, with `x~` what is left of a flag and r the residual, over the complement of each half.

    Returns `x~^2`, `x~ r`, `x~^2 r^2`, `x~^3 r` and `x~^4`: float64[5, c, 2 S]. Where not all accounts are swept, the
    first three are still those of all: what they are beside accounts that did not meet the rule has a closed form.
    """
    precision = sweep_precision(len(null.outcome))
    design, residual = null.design.astype(precision), null.residual.astype(precision)
    splits = halves.shape[1] // 2
    sums = np.zeros((5, len(packed), splits + 1))

    def add_up(tile: slice, blocks: Blocks) -> None:
        own = slopes[tile].astype(precision)
        for among, x, times in blocks:
            sides = _sides(halves, among, precision)
            said = own @ design[among].T
            if times is None:
                x -= said
                parts = _powers(x, residual[among])
            else:
                parts = _beyond_what_is_said(x, said, residual[among], times)
            for place, values in enumerate(parts):
                sums[place, tile] += values @ sides

    sweep(packed, n, add_up, rows)
    if precision != np.float64:
        sums[:3] += _said_on_halves(null, slopes, halves)
    on_halves, on_all = sums[..., :splits], sums[..., splits:]
    return np.concatenate([on_all - on_halves, on_halves], axis=2)


def _sides(halves: Singles, among: Any, precision: np.dtype[Any]) -> NDArray[Any]:
    """Return who of some accounts is in each half, and that all of them are in all."""
    some = halves[among, : halves.shape[1] // 2]
    return np.column_stack([some, np.ones(len(some), dtype=np.float32)]).astype(precision, copy=False)


def _powers(x: NDArray[Any], residual: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    score, square = x * residual, x**2
    return square, score, score**2, square * score, square**2


def _beyond_what_is_said(
    x: NDArray[Any], said: NDArray[Any], residual: NDArray[Any], times: NDArray[Any]
) -> tuple[NDArray[Any], ...]:
    """Return the same, the first three less what they were if nobody met a rule; `x` are flags of 0 and 1."""
    score = x * residual
    square = x * (1 - 2 * said)
    x -= said
    third = x**2 * times
    last = third * x**2
    third *= x * residual
    return square, score, square * residual**2, third, last


def _said_on_halves(null: NullModel, slopes: Floats, halves: Singles) -> Floats:
    """Return the first three sums if nobody met a rule, from products of the covariates: float64[3, c, S + 1]."""
    one, other = np.triu_indices(null.design.shape[1])
    squares = np.zeros((2, len(one), halves.shape[1] // 2 + 1))
    linear = np.zeros((null.design.shape[1], squares.shape[2]))
    for start in range(0, len(null.design), ACCOUNTS):
        among = slice(start, start + ACCOUNTS)
        design, residual = null.design[among], null.residual[among, None]
        sides, both = _sides(halves, among, np.dtype(np.float64)), design[:, one] * design[:, other]
        linear += design.T @ (residual * sides)
        squares += both.T @ sides, both.T @ (residual**2 * sides)
    of_both = slopes[:, one] * slopes[:, other] * np.where(one == other, 1, 2)
    return np.stack([of_both @ squares[0], -(slopes @ linear), of_both @ squares[1]])


def residualised(design: Floats, flags: NDArray[np.uint8]) -> Floats:
    """Return flags less their least-squares prediction by the design, float64[c, m]."""
    x = np.asarray(flags, dtype=float)
    factor = gram_factor(design.T @ design)
    return np.asarray(x - cho_solve((factor, True), design.T @ x.T).T @ design.T)


def combined(estimates: Floats, variances: Floats, alpha: float) -> HeldOut:
    """Combine the estimates of halves and their complements, two arrays [2 S], over the splits."""
    splits = len(estimates) // 2
    theta = (estimates[:splits] + estimates[splits:]) / 2
    variance = (variances[:splits] + variances[splits:]) / 4
    known = np.isfinite(theta) & np.isfinite(variance)
    if not known.any():
        return HeldOut(estimate=np.nan, ci_lower=np.nan, ci_upper=np.nan, se=np.nan, same_sign=np.nan)
    middle = float(np.median(theta[known]))
    se = float(np.sqrt(np.median(variance[known] + (theta[known] - middle) ** 2)))
    z = float(-ndtri(alpha / 2))
    halves = estimates[np.isfinite(estimates)]
    return HeldOut(
        estimate=middle,
        ci_lower=middle - z * se,
        ci_upper=middle + z * se,
        se=se,
        same_sign=float(np.mean(np.sign(halves) == np.sign(middle))),
    )
