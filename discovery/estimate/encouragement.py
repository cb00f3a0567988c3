"""A past randomised test as an encouragement: what the variant moved, and what that meant for those it moved."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr
from scipy.special import bdtr, bdtrc, fdtrc, ndtr, ndtri

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Shape = Literal["interval", "half-line", "two rays", "line"]

COLLINEAR = 1e-8
"""Share of a column's length below which the columns before it are taken to explain it."""
ACCOUNTS_PER_COLUMN = 10
"""With fewer accounts per column of the design, nothing is adjusted for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrasts:
    """Differences between variant and control in k things, in accounts as they were assigned.

    Attributes
    ----------
    difference : float64[k]
        Risk differences, variant less control.
    covariance : float64[k, k]
        Of the differences with each other, heteroscedasticity-robust (HC2).
    n : int
        Accounts in both arms.
    """

    difference: Floats
    covariance: Floats
    n: int

    @property
    def se(self) -> Floats:
        """Standard errors, float64[k]."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))

    @property
    def p_value(self) -> Floats:
        """Two-sided p-values of no difference, float64[k]; NaN where nothing varies."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(2 * ndtr(-np.abs(self.difference / self.se)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplierSet:
    """The effects that a test of level alpha does not reject; a bound that is None is open.

    With "two rays" both bounds are None and `hole` is the open interval that is left out.
    """

    lower: float | None
    upper: float | None
    shape: Shape
    hole: tuple[float, float] | None = None


def contrasts(variant: Bools, outcomes: Floats, design: Floats) -> Contrasts | None:
    """Estimate the differences between variant and control, as assigned (intention to treat).

    Least squares on the assignment beside `design` (ANCOVA). The differences estimate the average effect of being
    assigned, whatever the design says of the outcome, since chance alone assigned.

    Parameters
    ----------
    variant : bool[n]
        True for the variant, False for the control.
    outcomes : float64[n, k]
        0 or 1; the more columns, the more differences.
    design : float64[n, p]
        What was known at signup; an intercept is added, columns that others explain are left out. Nothing is adjusted
        for with fewer than ten accounts per column.

    Returns
    -------
    Contrasts or None
        None where an arm is empty or the design tells the arms apart by itself.

    Notes
    -----
    Without a design the HC2 variance is Neyman's, `s1^2 / n1 + s0^2 / n0`.

    References
    ----------
    Freedman (2008), Advances in Applied Mathematics 40; Lin (2013), Annals of Applied Statistics 7, on adjusting
    randomised tests; MacKinnon & White (1985), Journal of Econometrics 29 (HC2).
    """
    n = len(variant)
    if not 0 < variant.sum() < n:
        return None
    basis = _basis(design if n >= ACCOUNTS_PER_COLUMN * (design.shape[1] + 1) else design[:, :0], n)
    assigned = variant.astype(np.float64)
    z = _residual(assigned, basis)
    weight = float(z @ z)
    if weight < COLLINEAR * n:
        return None
    left = _residual(np.asarray(outcomes, dtype=np.float64), basis)
    left[:, np.ptp(outcomes, axis=0) == 0] = 0.0
    difference = z @ left / weight
    residual = left - np.outer(z, difference)
    leverage = np.einsum("ij,ij->i", basis, basis) + z**2 / weight
    own = (z / weight) ** 2 / np.maximum(1 - leverage, COLLINEAR)
    return Contrasts(difference=difference, covariance=residual.T @ (own[:, None] * residual), n=n)


def arms_alike(variant: Bools, design: Floats) -> float | None:
    """Return the p-value that what was known at signup says nothing of who got the variant (joint F-test).

    Parameters
    ----------
    variant : bool[n]
    design : float64[n, p]
        Columns that others explain are left out.

    Returns
    -------
    float or None
        None where an arm is empty, or the design has nothing to tell by or as many columns as there are accounts. 0
        where it tells the arms apart by itself.
    """
    n = len(variant)
    basis = _basis(design, n)
    freedom, rest = basis.shape[1] - 1, n - basis.shape[1]
    if not 0 < variant.sum() < n or freedom < 1 or rest < 1:
        return None
    assigned = variant - variant.mean()
    left = _residual(assigned, basis)
    whole, unexplained = float(assigned @ assigned), float(left @ left)
    if unexplained < COLLINEAR * whole:
        return 0.0
    return float(fdtrc(freedom, rest, (whole - unexplained) / freedom / (unexplained / rest)))


def complier_set(first: float, itt: float, covariance: Floats, alpha: float) -> ComplierSet:
    """Return the Anderson-Rubin set of the effect among accounts that the variant moved.

    All `b` for which `itt - b first` does not differ from 0: the set covers the truth with probability `1 - alpha`
    however little the variant moved. Of two rays, one that lies outside [-1, 1] holds no possible effect and is left
    out.

    Parameters
    ----------
    first, itt : float
        Difference in reaching the milestone, and in staying.
    covariance : float64[2, 2]
        Of (first, itt).
    alpha : float

    References
    ----------
    Anderson & Rubin (1949), Annals of Mathematical Statistics 20, 46-63; Fieller (1954), JRSS B 16; Andrews, Stock &
    Sun (2019), Annual Review of Economics 11, section 5.

    Examples
    --------
    >>> complier_set(0.25, 0.03, np.diag([1e-4, 1e-4]), 0.05).shape
    'interval'
    >>> complier_set(0.01, 0.03, np.diag([1e-4, 1e-3]), 0.05).shape
    'line'
    """
    limit = float(ndtri(alpha / 2)) ** 2
    a = first**2 - limit * float(covariance[0, 0])
    b = itt * first - limit * float(covariance[0, 1])
    c = itt**2 - limit * float(covariance[1, 1])
    discriminant = b * b - a * c
    if a > 0:
        root = math.sqrt(max(discriminant, 0.0))
        return ComplierSet(lower=(b - root) / a, upper=(b + root) / a, shape="interval")
    if a == 0 and b != 0:
        bound = c / (2 * b)
        return ComplierSet(lower=bound if b > 0 else None, upper=None if b > 0 else bound, shape="half-line")
    if a == 0 or discriminant <= 0:
        return ComplierSet(lower=None, upper=None, shape="line")
    root = math.sqrt(discriminant)
    return _two_rays((b + root) / a, (b - root) / a)


def sample_ratio(variant: int, control: int, share: float) -> float:
    """Return the exact two-sided p that chance alone split the accounts so, where `share` should get the variant.

    Twice the smaller binomial tail.

    Examples
    --------
    >>> round(sample_ratio(480, 520, 0.5), 3), sample_ratio(430, 570, 0.5) < 0.001
    (0.217, True)
    """
    n = variant + control
    below, above = float(bdtr(variant, n, share)), float(bdtrc(variant - 1, n, share)) if variant else 1.0
    return min(1.0, 2 * min(below, above))


def holm_levels(p: Floats, alpha: float) -> Floats:
    """Return the level at which Holm's procedure tests each hypothesis, float64[m].

    An interval of coverage one less the level then leaves out 0 exactly where Holm's procedure rejects.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6, 65-70.

    Examples
    --------
    >>> holm_levels(np.array([0.2, 0.001]), 0.05)
    array([0.05 , 0.025])
    """
    levels = np.empty(len(p))
    level, open_ = alpha / max(1, len(p)), True
    for place, which in enumerate(np.argsort(p, kind="stable")):
        if open_:
            level = alpha / (len(p) - place)
            open_ = bool(p[which] <= level)
        levels[which] = level
    return levels


def _basis(design: Floats, n: int) -> Floats:
    """Return an orthonormal basis of the intercept and the design, float64[n, rank]."""
    centred = design - design.mean(axis=0) if design.shape[1] else design
    length = np.sqrt((centred**2).mean(axis=0))
    varies = length > COLLINEAR * np.maximum(1.0, np.abs(design).max(axis=0, initial=0.0))
    columns = np.column_stack([np.ones(n), centred[:, varies] / length[varies]])
    q, r, _ = qr(columns, mode="economic", pivoting=True)
    diagonal = np.abs(np.diag(r))
    basis: Floats = q[:, diagonal > COLLINEAR * diagonal[0]]
    return basis


def _residual(values: Floats, basis: Floats) -> Floats:
    left: Floats = values - basis @ (basis.T @ values)
    return left


def _two_rays(left: float, right: float) -> ComplierSet:
    """Return everything but the interval between `left` and `right`, as far as an effect can lie there."""
    if left < -1 <= right <= 1:
        return ComplierSet(lower=right, upper=None, shape="half-line")
    if right > 1 >= left >= -1:
        return ComplierSet(lower=None, upper=left, shape="half-line")
    return ComplierSet(lower=None, upper=None, shape="two rays", hole=(left, right))
