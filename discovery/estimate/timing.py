"""Evidence from timing that an event follows from the decision to stay or go, whatever its name says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TimingEvidence:
    """What timing says of E events beside one kind of moment, departure or conversion.

    Attributes
    ----------
    follows : bool[E]
        The event belongs to the decision: strong evidence only.
    share : float64[E]
        Share of the accounts having the event that first did it near the moment; NaN where there are none.
    share_lower : float64[E]
        Lower confidence bound of it.
    expected : float64[E]
        Share to be expected of an ordinary event in the same accounts.
    n_accounts : int64[E]
        Accounts having the event and the moment.
    """

    follows: NDArray[np.bool_]
    share: NDArray[np.float64]
    share_lower: NDArray[np.float64]
    expected: NDArray[np.float64]
    n_accounts: NDArray[np.int64]


def after_decision(
    having: NDArray[np.int64],
    near: NDArray[np.int64],
    expected: NDArray[np.float64],
    *,
    min_accounts: int = 20,
    most: float = 0.5,
    times_expected: float = 5.0,
    alpha: float = 0.05,
) -> TimingEvidence:
    """Judge which events happen when the decision is taken or carried out, and not before.

    An event follows the decision if at least `min_accounts` accounts that left (or converted) have it, more
    than `most` of them did it for the *first* time near that moment, and even the lower bound of that share
    is at least `times_expected` times what the typical other event of the same accounts shows. First times
    are what tells a cancellation from a login or a logout, which may well be the last thing an account does
    but began long before. The typical other event is what tells it from a life of two days, in which
    everything is near the end. Silence is no acquittal: a cancellation weeks before the recorded departure
    is not seen.

    Parameters
    ----------
    having, near : int64[E]
        Accounts with the moment that have the event, and those among them that first did it near the moment.
    expected : float64[E]
        Share of the same accounts in which the typical other event was first done near it; NaN where
        nothing can be compared.
    min_accounts : int
        Least number of accounts to judge by.
    most : float
        Share that must be exceeded.
    times_expected : float
        Least ratio of the bound to the expected share.
    alpha : float
        One minus the one-sided confidence of the bound.

    Returns
    -------
    TimingEvidence

    References
    ----------
    The bound is that of Clopper and Pearson (1934), one-sided.

    Examples
    --------
    >>> import numpy as np
    >>> after_decision(np.array([40, 900]), np.array([38, 300]), np.array([0.04, 0.3])).follows
    array([ True, False])
    """
    having, near = np.asarray(having, dtype=np.int64), np.asarray(near, dtype=np.int64)
    share = np.divide(near, having, out=np.full(len(having), np.nan), where=having > 0)
    lower = np.zeros(len(having))
    some = near > 0
    lower[some] = betaincinv(near[some], having[some] - near[some] + 1, alpha)
    comparable = (having >= min_accounts) & np.isfinite(expected)
    strong = (share > most) & (lower >= times_expected * expected)
    return TimingEvidence(
        follows=np.asarray(comparable & strong, dtype=bool),
        share=share,
        share_lower=lower,
        expected=np.asarray(expected, dtype=np.float64),
        n_accounts=having,
    )
