"""A second opinion that shares nothing with the score: the order in which a lasso admits the families.

An L1-penalised logistic regression of retention on all candidates at once, from the heaviest penalty down;
through scikit-learn (known to this module alone). It adjusts for nothing but the other candidates.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from discovery.estimate.flags import count_within, evenly_spaced, unpack
from discovery.estimate.products import products
from discovery.estimate.thinning import flags_of

Floats = NDArray[np.float64]
MAX_ACCOUNTS = 20_000
PENALTIES = 30
LIGHTEST = 0.05
"""The last penalty, as a share of the one at which the first candidate enters."""
_ROUNDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """One family's entry into the path.

    Attributes
    ----------
    family : int
        Family index.
    candidate : int
        The family's candidate with the largest standardised coefficient at that penalty.
    sign : int
        +1 where it goes with retention, -1 where it goes with leaving.
    penalty : float
        Penalty at admission, as a share of the heaviest, in (0, 1].
    """

    family: int
    candidate: int
    sign: int
    penalty: float


def second_opinion(
    packed: NDArray[np.uint8],
    mature: NDArray[np.bool_],
    retained: NDArray[np.bool_],
    family: NDArray[np.int64],
    most: int | None = None,
    rules: NDArray[np.intp] | None = None,
) -> tuple[Admission, ...]:
    """Return the order in which an L1-penalised logistic path admits the families.

    Parameters
    ----------
    packed : uint8[C, ceil(n / 8)]
        Flags of C candidates.
    mature, retained : bool[n]
        Only mature accounts are used; above 20,000 of them, as many, evenly spaced.
    family : int64[C]
        Family index of each candidate.
    most : int, optional
        Stop once this many families have entered.
    rules : int[C], optional
        Which flags of `packed` are those of the C candidates; without it, all.

    Returns
    -------
    tuple of Admission
        First admitted first; families admitted at the same penalty by the size of their largest standardised
        coefficient there. Empty where the outcome does not vary, or no flag does.

    Notes
    -----
    Flags are standardised. The path has 30 penalties, equally spaced in log, from the one that admits the first
    candidate to a twentieth of it. At each, only candidates that the sequential strong rule cannot rule out
    are fitted, and the optimality conditions of the others are checked afterwards, so the screening changes
    nothing but the time. Deterministic.

    References
    ----------
    Tibshirani (1996), JRSS B 58; Tibshirani et al. (2012), JRSS B 74 (strong rules).
    """
    used = np.flatnonzero(mature)
    used = used[evenly_spaced(len(used), MAX_ACCOUNTS)]
    y = retained[used].astype(float)
    if not len(family) or not len(y) or y.min() == y.max():
        return ()
    return _path(_flags(flags_of(packed, used, rules), len(used)), y, family, len(family) if most is None else most)


@dataclass(frozen=True, slots=True)
class _Flags:
    """Candidates over the accounts used; centred and scaled only where they are looked at."""

    packed: NDArray[np.uint8]
    n: int
    share: Floats
    unit: Floats  # standard deviation; infinite where the flag does not vary

    def standardised(self, rows: NDArray[np.int64]) -> Floats:
        scaled: Floats = (unpack(self.packed[rows], self.n) - self.share[rows, None]) / self.unit[rows, None]
        return scaled

    def gradient(self, residual: Floats) -> Floats:
        met = products(self.packed, self.n, residual[:, None])[:, 0]
        return np.asarray(np.abs((met - self.share * residual.sum()) / self.unit))


def _flags(packed: NDArray[np.uint8], n: int) -> _Flags:
    share = count_within(packed, np.ones(n, dtype=bool)) / n
    varies = (share > 0) & (share < 1)
    return _Flags(packed, n, share, np.sqrt(np.where(varies, share * (1 - share), np.inf)))


def _path(flags: _Flags, y: Floats, family: NDArray[np.int64], most: int) -> tuple[Admission, ...]:
    gradient = flags.gradient(y - y.mean())
    heaviest = previous = float(gradient.max())
    if heaviest <= 1e-9 * len(y):
        return ()
    entered: dict[int, Admission] = {}
    for share in np.geomspace(0.999, LIGHTEST, PENALTIES):
        penalty = heaviest * share
        screened = np.flatnonzero((gradient >= 2 * penalty - previous) & np.isfinite(flags.unit))
        coefficients, gradient = _at(flags, y, screened, penalty)
        previous = penalty
        for j in np.argsort(-np.abs(coefficients), kind="stable")[: np.count_nonzero(coefficients)]:
            sign = int(np.sign(coefficients[j]))
            admitted = Admission(family=int(family[j]), candidate=int(j), sign=sign, penalty=float(share))
            entered.setdefault(admitted.family, admitted)
        if len(entered) >= most:
            break
    return tuple(entered.values())[:most]


def _at(flags: _Flags, y: Floats, screened: NDArray[np.int64], penalty: float) -> tuple[Floats, Floats]:
    """Fit the screened candidates, and again with any that violate the optimality conditions."""
    for _ in range(_ROUNDS):
        x = flags.standardised(screened)
        coefficients = np.zeros(len(flags.packed))
        coefficients[screened], intercept = _lasso(x.T, y, penalty)
        gradient = flags.gradient(y - expit(coefficients[screened] @ x + intercept))
        missed = np.setdiff1d(np.flatnonzero(gradient > penalty * 1.01), screened)
        if not len(missed):
            break
        screened = np.union1d(screened, missed)
    return coefficients, gradient


def _lasso(x: Floats, y: Floats, penalty: float) -> tuple[Floats, float]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        l1_ratio=1.0, C=1 / penalty, solver="liblinear", tol=1e-5, intercept_scaling=10.0, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(x, y)
    return np.asarray(model.coef_[0], dtype=float), float(model.intercept_[0])
