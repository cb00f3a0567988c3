"""How many accounts an experiment takes, through statsmodels' power functions (known to this module alone)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]

MOST_PER_ARM = 1_000_000_000


def accounts_per_arm(base: float, raised: float, alpha: float = 0.05, power: float = 0.8) -> int | None:
    """Return how many accounts each of two equal arms needs to tell `raised` from `base`.

    Two-sided z-test of two proportions on the arcsine scale, both tails counted.

    Parameters
    ----------
    base, raised : float
        The shares in the two arms.
    alpha, power : float

    Returns
    -------
    int or None
        None where no number would do: a share outside (0, 1), no difference, or beyond a thousand million.

    References
    ----------
    Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, chapter 6 (effect size h).

    Examples
    --------
    >>> accounts_per_arm(0.5, 0.512)
    27248
    """
    if not (0 < base < 1 and 0 < raised < 1):
        return None
    from statsmodels.stats.power import NormalIndPower
    from statsmodels.stats.proportion import proportion_effectsize

    size = abs(float(proportion_effectsize(raised, base)))
    if size < 1e-9:
        return None
    needed = float(np.ravel(NormalIndPower().solve_power(effect_size=size, alpha=alpha, power=power))[0])
    return math.ceil(needed) if math.isfinite(needed) and needed <= MOST_PER_ARM else None


def intraclass_correlation(did: Counts, users: Counts) -> float | None:
    """Return how alike users of one account are in doing something or not, by the one-way ANOVA estimator.

    Parameters
    ----------
    did, users : int64[a]
        Per account, how many users did it and how many there are; accounts without users do not count.

    Returns
    -------
    float or None
        Between 0 and 1 (a negative estimate is 0); None with fewer than two accounts, where every account has one
        user, or where all users or none did it.

    References
    ----------
    Donner (1986), International Statistical Review 54, 67-82; Ridout, Demetrio & Firth (1999), Biometrics 55, on the
    estimator for binary outcomes.
    """
    yes, m = (np.asarray(values, dtype=float)[np.asarray(users) > 0] for values in (did, users))
    k, n = len(m), float(m.sum())
    if k < 2 or n <= k or not 0 < yes.sum() < n:
        return None
    between = (float((yes**2 / m).sum()) - float(yes.sum()) ** 2 / n) / (k - 1)
    within = float((yes - yes**2 / m).sum()) / (n - k)
    size = (n - float((m**2).sum()) / n) / (k - 1)
    return min(1.0, max(0.0, (between - within) / (between + (size - 1) * within)))


def design_effect(users: Counts, icc: float) -> float:
    """Return by how much more users a test needs that assigns whole accounts: `1 + ((cv^2 + 1) m - 1) icc`.

    Parameters
    ----------
    users : int64[a]
        Users per account, of mean `m` and coefficient of variation `cv`; accounts without users do not count.
    icc : float
        Intraclass correlation.

    References
    ----------
    Eldridge, Ashby & Kerry (2006), International Journal of Epidemiology 35, 1292-1300, equation 2.

    Examples
    --------
    >>> design_effect(np.array([5, 5, 5]), 0.1)
    1.4
    """
    m = np.asarray(users, dtype=float)
    m = m[m > 0]
    if not len(m):
        return 1.0
    return float(1 + ((m.var() / m.mean() ** 2 + 1) * m.mean() - 1) * icc)
