"""How well each candidate separates accounts that stay from accounts that leave, unadjusted.

Every measure is a function of one 2x2 table per candidate, counted by popcount on packed flags::

                     retained          left
    reached       reached_retained  reached_left
    not reached   missed_retained   missed_left

These are the numbers people know from product analytics suites. They describe; they do not adjust for
anything, and a busy account reaches everything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtri

from discovery.estimate.flags import count_within

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Interval = tuple[Floats, Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """Unadjusted separation of C candidates among mature landmark accounts; every array has length C.

    Attributes
    ----------
    reached_retained, reached_left, missed_retained, missed_left : int64[C]
        The 2x2 table. "Missed" accounts did not reach the candidate.
    reach : float64[C]
        Share of mature accounts that reached it.
    retained_if_reached, retained_if_not : float64[C]
        Retention on either side, with Wilson intervals; NaN only where that side is empty. The first is also
        the positive predictive value.
    lift : float64[C]
        Risk ratio of retention, `retained_if_reached / retained_if_not`, with Katz's log interval.
    difference : float64[C]
        Risk difference of retention, with Newcombe's hybrid score interval (method 10).
    odds_ratio : float64[C]
        With Woolf's logit interval.
    odds_ratio_smoothed : float64[C]
        Odds ratio with 1 added to every cell, as in PostHog's public correlation analysis.
    phi : float64[C]
        Correlation of flag and outcome, in [-1, 1]; equal to Matthews' correlation.
    ppv, npv, sensitivity, specificity : float64[C]
        Reading the flag as a prediction of retention.
    auc : float64[C]
        Area under the ROC curve of the flag alone, `(sensitivity + specificity) / 2`, with DeLong's interval.
    p_value : float64[C]
        Pearson's chi-squared, one degree of freedom, no continuity correction.
    status : str[C]
        "ok"; "separated" where one cell is empty; "too_few" where a whole margin is.
    """

    reached_retained: Ints
    reached_left: Ints
    missed_retained: Ints
    missed_left: Ints
    reach: Floats
    retained_if_reached: Floats
    retained_if_reached_lower: Floats
    retained_if_reached_upper: Floats
    retained_if_not: Floats
    retained_if_not_lower: Floats
    retained_if_not_upper: Floats
    lift: Floats
    lift_lower: Floats
    lift_upper: Floats
    difference: Floats
    difference_lower: Floats
    difference_upper: Floats
    odds_ratio: Floats
    odds_ratio_lower: Floats
    odds_ratio_upper: Floats
    odds_ratio_smoothed: Floats
    phi: Floats
    ppv: Floats
    npv: Floats
    sensitivity: Floats
    specificity: Floats
    auc: Floats
    auc_lower: Floats
    auc_upper: Floats
    p_value: Floats
    status: NDArray[np.str_]


def separate(
    packed: NDArray[np.uint8], retained: NDArray[np.bool_], mature: NDArray[np.bool_], alpha: float = 0.05
) -> Separation:
    """Measure the unadjusted separation of every candidate at once.

    The population is the mature accounts; the comparison is accounts that reached a candidate against those
    that did not. No account outside `mature` is counted.

    Parameters
    ----------
    packed : uint8[C, ceil(n / 8)]
        Flags of C candidates, one bit per account.
    retained : bool[n]
        Whether the account stayed; read only where `mature`.
    mature : bool[n]
        Whether the account was observed to the horizon.
    alpha : float
        Intervals have nominal coverage `1 - alpha`.

    Returns
    -------
    Separation
        Shares and differences are in [0, 1] and [-1, 1]; ratios are on their natural scale.

    Notes
    -----
    With an empty cell ("separated"), the odds ratio adds 1/2 to every cell (Haldane-Anscombe), which for a
    saturated logistic model is exactly Firth's bias reduction. The lift does the same where the empty cell is
    a retained one; the interval of the AUC uses the smoothed table. With an empty margin ("too_few") every
    comparison is NaN; counts, reach and the retention of a side that has accounts remain.

    References
    ----------
    Wilson (1927), JASA 22; Katz, Baptista, Azen & Pike (1978), Biometrics 34; Newcombe (1998), Statistics in
    Medicine 17, method 10; Woolf (1955), Annals of Human Genetics 19; Haldane (1956), Annals of Human Genetics
    20; Anscombe (1956), Biometrika 43; Firth (1993), Biometrika 80; DeLong, DeLong & Clarke-Pearson (1988),
    Biometrics 44; Matthews (1975), Biochimica et Biophysica Acta 405.

    Examples
    --------
    >>> flags = np.packbits([[1, 1, 1, 1, 0, 0, 0, 0]], axis=1)
    >>> stayed = np.array([1, 1, 1, 0, 1, 0, 0, 0], dtype=bool)
    >>> found = separate(flags, stayed, np.ones(8, dtype=bool))
    >>> found.difference.item(), found.lift.item(), found.phi.item()
    (0.5, 3.0, 0.5)
    """
    z = float(-ndtri(alpha / 2))
    a = count_within(packed, mature & retained)
    b = count_within(packed, mature & ~retained)
    c = int(np.count_nonzero(mature & retained)) - a
    d = int(np.count_nonzero(mature & ~retained)) - b
    with np.errstate(divide="ignore", invalid="ignore"):
        return _measures(a, b, c, d, z)


def _measures(a: Ints, b: Ints, c: Ints, d: Ints, z: float) -> Separation:
    status = _status(a, b, c, d)
    known = status != "too_few"

    def compared(values: Floats) -> Floats:
        return np.where(known, values, np.nan)

    rate, other_rate = a / (a + b), c / (c + d)
    inside, outside = wilson(a, a + b, z), wilson(c, c + d, z)
    difference = newcombe(rate, inside, other_rate, outside)
    lift, lift_interval = _katz(a, b, c, d, z)
    odds, odds_interval = _woolf(a, b, c, d, z)
    auc, auc_interval = _auc(a, b, c, d, z)
    phi = _phi(a, b, c, d)
    return Separation(
        reached_retained=a,
        reached_left=b,
        missed_retained=c,
        missed_left=d,
        reach=(a + b) / (a + b + c + d),
        retained_if_reached=rate,
        retained_if_reached_lower=inside[0],
        retained_if_reached_upper=inside[1],
        retained_if_not=other_rate,
        retained_if_not_lower=outside[0],
        retained_if_not_upper=outside[1],
        lift=compared(lift),
        lift_lower=compared(lift_interval[0]),
        lift_upper=compared(lift_interval[1]),
        difference=compared(rate - other_rate),
        difference_lower=compared(difference[0]),
        difference_upper=compared(difference[1]),
        odds_ratio=compared(odds),
        odds_ratio_lower=compared(odds_interval[0]),
        odds_ratio_upper=compared(odds_interval[1]),
        odds_ratio_smoothed=compared((a + 1.0) * (d + 1.0) / ((b + 1.0) * (c + 1.0))),
        phi=compared(phi),
        ppv=compared(rate),
        npv=compared(d / (c + d)),
        sensitivity=compared(a / (a + c)),
        specificity=compared(d / (b + d)),
        auc=compared(auc),
        auc_lower=compared(auc_interval[0]),
        auc_upper=compared(auc_interval[1]),
        p_value=compared(np.asarray(chdtrc(1.0, (a + b + c + d) * phi**2), dtype=float)),
        status=status,
    )


def _status(a: Ints, b: Ints, c: Ints, d: Ints) -> NDArray[np.str_]:
    no_margin = (a + b == 0) | (c + d == 0) | (a + c == 0) | (b + d == 0)
    no_cell = (a == 0) | (b == 0) | (c == 0) | (d == 0)
    return np.where(no_margin, "too_few", np.where(no_cell, "separated", "ok"))


def wilson(successes: Ints, trials: Ints, z: float) -> Interval:
    """Return Wilson's score interval of a share, (lower, upper), NaN without trials.

    References
    ----------
    Wilson (1927), JASA 22, 209-212.
    """
    share = successes / trials
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z * np.sqrt(share * (1 - share) / trials + z**2 / (4.0 * trials.astype(float) ** 2)) / (1 + z**2 / trials)
    lower = np.where(successes == 0, 0.0, centre - half)
    upper = np.where(successes == trials, 1.0, centre + half)
    empty = trials == 0
    return np.where(empty, np.nan, lower), np.where(empty, np.nan, upper)


def newcombe(rate: Floats, interval: Interval, other: Floats, other_interval: Interval) -> Interval:
    """Return Newcombe's hybrid score interval of `rate - other`, from the Wilson interval of each.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.
    """
    difference = rate - other
    lower = difference - np.hypot(rate - interval[0], other_interval[1] - other)
    upper = difference + np.hypot(interval[1] - rate, other - other_interval[0])
    return lower, upper


def _katz(a: Ints, b: Ints, c: Ints, d: Ints, z: float) -> tuple[Floats, Interval]:
    half = np.where((a == 0) | (c == 0), 0.5, 0.0)
    a_, c_, n1, n0 = a + half, c + half, a + b + 2 * half, c + d + 2 * half
    ratio = (a_ / n1) / (c_ / n0)
    se = np.sqrt(1 / a_ - 1 / n1 + 1 / c_ - 1 / n0)
    return ratio, (ratio * np.exp(-z * se), ratio * np.exp(z * se))


def _smoothed(a: Ints, b: Ints, c: Ints, d: Ints) -> tuple[Floats, Floats, Floats, Floats]:
    half = np.where((a == 0) | (b == 0) | (c == 0) | (d == 0), 0.5, 0.0).astype(float)
    return a + half, b + half, c + half, d + half


def _woolf(a: Ints, b: Ints, c: Ints, d: Ints, z: float) -> tuple[Floats, Interval]:
    a_, b_, c_, d_ = _smoothed(a, b, c, d)
    ratio = (a_ / b_) / (c_ / d_)
    se = np.sqrt(1 / a_ + 1 / b_ + 1 / c_ + 1 / d_)
    return ratio, (ratio * np.exp(-z * se), ratio * np.exp(z * se))


def _auc(a: Ints, b: Ints, c: Ints, d: Ints, z: float) -> tuple[Floats, Interval]:
    """For a binary marker DeLong's structural components take two values, and its variance this closed form."""
    auc = (a / (a + c) + d / (b + d)) / 2
    a_, b_, c_, d_ = _smoothed(a, b, c, d)
    stayed, left = a_ + c_, b_ + d_
    variance = a_ * c_ / stayed**2 / np.maximum(stayed - 1, 1) + b_ * d_ / left**2 / np.maximum(left - 1, 1)
    half = z * np.sqrt(variance) / 2
    return auc, (np.maximum(auc - half, 0.0), np.minimum(auc + half, 1.0))


def _phi(a: Ints, b: Ints, c: Ints, d: Ints) -> Floats:
    margins = np.sqrt((a + b).astype(float) * (c + d)) * np.sqrt((a + c).astype(float) * (b + d))
    phi: Floats = (a.astype(float) * d - b.astype(float) * c) / margins
    return phi
