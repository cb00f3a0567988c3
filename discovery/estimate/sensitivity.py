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
    x, y = flag.astype(float), outcome.astype(float)
    everything = tuple(range(design.shape[1]))
    flag_left, outcome_left = _left_over(design, everything, np.column_stack([x, y])).T
    information = float(flag_left @ flag_left)
    if information <= 1e-8 * max(1.0, float(x.sum())):
        return Robustness(robustness_value=0.0, strongest=None, left_over=None)
    error = outcome_left - flag_left * (flag_left @ outcome_left / information)
    spread = float(np.sqrt(error @ error / information))
    # The root of the published formula, 0.5 (sqrt(f^4 + 4 f^2) - f^2) with f = estimate / spread, without cancellation.
    away = abs(estimate)
    value = float(2 * away / (away + np.hypot(away, 2 * spread))) if away > 0 else 0.0
    biases = {name: spread * _bias(design, columns, x, y, less_noise) for name, columns in groups.items() if columns}
    if not biases:
        return Robustness(robustness_value=value, strongest=None, left_over=None)
    strongest = max(biases, key=lambda name: biases[name])
    return Robustness(
        robustness_value=value,
        strongest=strongest,
        left_over=float(np.sign(estimate) * (abs(estimate) - biases[strongest])),
    )


def _left_over(design: Floats, columns: tuple[int, ...], values: Floats) -> Floats:
    kept = design[:, list(columns)]
    factor = gram_factor(kept.T @ kept)
    rest: Floats = values - kept @ cho_solve((factor, True), kept.T @ values)
    return rest


def _bias(design: Floats, group: tuple[int, ...], x: Floats, y: Floats, less_noise: bool) -> float:
    """Return `sqrt(b a / (1 - a))` of a trait as strong as the group; infinity where it could be anything."""
    others = tuple(j for j in range(design.shape[1]) if j not in group)
    with_flag = np.column_stack([design[:, list(others)], x])
    flag_share = _explained(design[:, list(others)], design[:, list(group)], x, less_noise)
    outcome_share = _explained(with_flag, design[:, list(group)], y, less_noise)
    odds = flag_share / (1 - flag_share) if flag_share < 1 else np.inf
    if odds >= 1:
        return float("inf")
    strength = (1 + odds) / np.sqrt(1 - odds**2)
    outcome_odds = min(1.0, float(strength**2 * outcome_share / max(1 - outcome_share, 1e-12)))
    return float(np.sqrt(outcome_odds * odds / (1 - odds)))


def _explained(base: Floats, added: Floats, target: Floats, less_noise: bool) -> float:
    """Return the share of what `base` leaves of the target that `added` explains."""
    columns = np.column_stack([base, added])
    rest = _left_over(base, tuple(range(base.shape[1])), target[:, None])[:, 0]
    closer = _left_over(columns, tuple(range(columns.shape[1])), target[:, None])[:, 0]
    whole, freedom = float(rest @ rest), len(target) - base.shape[1]
    if whole <= 0 or freedom <= added.shape[1]:
        return 0.0
    lost = freedom / (freedom - added.shape[1]) if less_noise else 1.0
    return float(max(0.0, 1 - lost * float(closer @ closer) / whole))
