"""Whether several independent estimates of one difference agree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

Floats = NDArray[np.float64]


def heterogeneity(theta: Floats, se: Floats) -> tuple[float, float]:
    """Test whether several estimates are of the same difference, and estimate how far the differences lie apart.

    Parameters
    ----------
    theta : float64[k]
        Estimates from accounts that do not overlap, k at least 2.
    se : float64[k]
        Their standard errors, above 0.

    Returns
    -------
    p : float
        Of Cochran's Q, chi-squared with k - 1 degrees of freedom where all differences are the same.
    between : float
        Variance of the differences themselves, by moments; 0 where the estimates vary no more than their errors do.

    Notes
    -----
    The standard errors are taken as known. In parts of a hundred accounts they are not, and Q is then somewhat too
    large: hold p against 0.01 rather than 0.05 before saying that the parts differ.

    References
    ----------
    Cochran (1954), Biometrics 10, 101-129; DerSimonian & Laird (1986), Controlled Clinical Trials 7, 177-188.

    Examples
    --------
    >>> p, between = heterogeneity(np.array([0.0, 0.2]), np.array([0.05, 0.05]))
    >>> round(p, 4), round(between, 4)
    (0.0047, 0.0175)
    """
    weight = 1 / se**2
    mean = (weight * theta).sum() / weight.sum()
    q, freedom = float((weight * (theta - mean) ** 2).sum()), len(theta) - 1
    between = (q - freedom) / float(weight.sum() - (weight**2).sum() / weight.sum())
    return float(chdtrc(freedom, q)), max(0.0, between)
