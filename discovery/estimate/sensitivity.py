"""How strong something unmeasured would have to be to explain a difference away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve

from discovery.estimate.logistic import gram_factor

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Robustness:
    """What an unmeasured trait would have to be like to explain a difference away.

    Attributes
    ----------
    robustness_value : float
        The share of the remaining variance, of both the flag and the outcome, that it would have to explain; in
        [0, 1].
    strongest : str or None
        The measured trait whose like would take most of the difference away; None where no trait is known.
    left_over : float or None
        The difference that remains if something as strong as that trait was not measured (risk difference; at
        most the estimate, negative where it would be turned around).
    """

    robustness_value: float
    strongest: str | None
    left_over: float | None


def e_value(difference: float, base_rate: float, reach: float) -> float | None:
    """Return the E-value of an adjusted difference in retention.

    The least risk ratio by which something unmeasured would have to go with both reaching the rule and staying to
    explain the difference away, given what was adjusted for. 1: nothing is needed.

    Parameters
    ----------
    difference : float
        Adjusted risk difference.
    base_rate : float
        Overall retention, in (0, 1).
    reach : float
        Share of accounts that reach the rule, in (0, 1).

    Returns
    -------
    float or None
        None where the difference is not possible at these margins.

    References
    ----------
    VanderWeele & Ding (2017), Annals of Internal Medicine 167, 268-274.

    Examples
    --------
    >>> round(e_value(0.2, 0.5, 0.5), 2)
    2.37
    """
    without = base_rate - difference * reach
    reached = without + difference
    if not (0 < without < 1 and 0 < reached < 1):
        return None
    ratio = max(reached / without, without / reached)
    return float(ratio + np.sqrt(ratio * (ratio - 1)))


def robustness(
    design: Floats,
    groups: Mapping[str, tuple[int, ...]],
    flag: NDArray[np.bool_],
    outcome: NDArray[np.bool_],
    estimate: float,
    *,
    less_noise: bool = False,
) -> Robustness:
    """Set a difference beside the strongest measured trait.

    Parameters
    ----------
    design : float64[m, p]
        Covariates with an intercept, of full rank.
    groups : mapping of str to tuple of int
        Columns of each measured trait.
    flag, outcome : bool[m]
    estimate : float
        The adjusted difference that is judged.
    less_noise : bool
        Whether a trait's strength is what it explains beyond as many columns of noise (Ezekiel's adjusted R2): a
        trait of eighteen levels explains something of anything. Off, the bounds are those of the paper.

    Notes
    -----
    In the linear regression of outcome on flag and covariates, an unmeasured trait with partial R2 of `a` with the
    flag and `b` with the outcome moves the coefficient by `se sqrt(df) sqrt(b a / (1 - a))`. For a trait as strong
    as measured group j, `a` and `b` are bounded from the group's own partial R2.

    References
    ----------
    Cinelli & Hazlett (2020), JRSS B 82, 39-67, sections 4.2 (robustness value) and 4.4 (benchmarks); Ezekiel (1930),
    Methods of Correlation Analysis.
    """
    columns = np.column_stack([design, flag, outcome])
    products: Floats = columns.T @ columns
    everything = tuple(range(design.shape[1]))
    flag_at, outcome_at = len(everything), len(everything) + 1
    information = _left(products, everything, flag_at, flag_at)
    if information <= 1e-8 * max(1.0, float(flag.sum())):
        return Robustness(robustness_value=0.0, strongest=None, left_over=None)
    error = _left(products, (*everything, flag_at), outcome_at, outcome_at)
    spread = float(np.sqrt(max(error, 0.0) / information))
    # The root of the published formula, 0.5 (sqrt(f^4 + 4 f^2) - f^2) with f = estimate / spread, without cancellation.
    away = abs(estimate)
    value = float(2 * away / (away + np.hypot(away, 2 * spread))) if away > 0 else 0.0
    freedom = len(outcome) if less_noise else None
    biases = {name: spread * _bias(products, columns, freedom) for name, columns in groups.items() if columns}
    if not biases:
        return Robustness(robustness_value=value, strongest=None, left_over=None)
    strongest = max(biases, key=lambda name: biases[name])
    return Robustness(
        robustness_value=value,
        strongest=strongest,
        left_over=float(np.sign(estimate) * (abs(estimate) - biases[strongest])),
    )


def _left(products: Floats, columns: tuple[int, ...], one: int, other: int) -> float:
    """Return the product of two columns, less what others say of them by least squares, from all columns' products."""
    kept = list(columns)
    factor = gram_factor(products[np.ix_(kept, kept)])
    return float(products[one, other] - products[one, kept] @ cho_solve((factor, True), products[kept, other]))


def _bias(products: Floats, group: tuple[int, ...], accounts: int | None) -> float:
    """Return `sqrt(b a / (1 - a))` of a trait as strong as the group; infinity where it could be anything."""
    flag, outcome = len(products) - 2, len(products) - 1
    others = tuple(j for j in range(flag) if j not in group)
    flag_share = _explained(products, others, group, flag, accounts)
    outcome_share = _explained(products, (*others, flag), group, outcome, accounts)
    odds = flag_share / (1 - flag_share) if flag_share < 1 else np.inf
    if odds >= 1:
        return float("inf")
    strength = (1 + odds) / np.sqrt(1 - odds**2)
    outcome_odds = min(1.0, float(strength**2 * outcome_share / max(1 - outcome_share, 1e-12)))
    return float(np.sqrt(outcome_odds * odds / (1 - odds)))


def _explained(
    products: Floats, base: tuple[int, ...], added: tuple[int, ...], target: int, accounts: int | None
) -> float:
    """Return the share of what `base` leaves of the target that `added` explains, beyond noise of so many accounts."""
    whole = _left(products, base, target, target)
    if whole <= 0:
        return 0.0
    lost = 1.0
    if accounts is not None:
        freedom = accounts - len(base)
        if freedom <= len(added):
            return 0.0
        lost = freedom / (freedom - len(added))
    return float(max(0.0, 1 - lost * _left(products, (*base, *added), target, target) / whole))
