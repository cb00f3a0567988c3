"""A second opinion that shares nothing with the score: the order in which a lasso admits the families.

An L1-penalised logistic regression of retention on all candidates at once, from the heaviest penalty down;
through scikit-learn (known to this module alone). It adjusts for nothing but the other candidates.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack
from scipy.special import expit

from discovery.estimate.flags import unpack

Floats = NDArray[np.float64]
MAX_ACCOUNTS = 20_000
PENALTIES = 30
LIGHTEST = 0.02
"""The last penalty, as a share of the one at which the first candidate enters."""
_ROW_BLOCK = 256


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
) -> tuple[Admission, ...]:
    """Return the order in which an L1-penalised logistic path admits the families.

    Parameters
    ----------
    packed : uint8[C, ceil(n / 8)]
        Flags of C candidates.
    mature, retained : bool[n]
        Only mature accounts are used; above 20,000 of them, every k-th, with the smallest k that suffices.
    family : int64[C]
        Family index of each candidate.
    most : int, optional
        Stop once this many families have entered.

    Returns
    -------
    tuple of Admission
        First admitted first; families admitted at the same penalty by the size of their largest standardised
        coefficient there. Empty where the outcome does not vary, or no flag does.

    Notes
    -----
    Flags are standardised. The path has 30 penalties, equally spaced in log, from the one that admits the first
    candidate to a fiftieth of it. At each, only candidates that the sequential strong rule cannot rule out
    are fitted, and the optimality conditions of the others are checked afterwards, so the screening changes
    nothing but the time. Deterministic.

    References
    ----------
    Tibshirani (1996), JRSS B 58; Tibshirani et al. (2012), JRSS B 74 (strong rules).
    """
    used = np.flatnonzero(mature)
    used = used[:: max(1, -(-len(used) // MAX_ACCOUNTS))]
    y = retained[used].astype(float)
    if not len(packed) or not len(y) or y.min() == y.max():
        return ()
    x, usable = _standardised(packed, len(retained), used)
    return _path(x, y, usable, family, len(family) if most is None else most)


def _standardised(packed: NDArray[np.uint8], n: int, used: NDArray[np.int64]) -> tuple[Any, NDArray[np.bool_]]:
    """Return candidates x accounts, sparse, in units of each flag's standard deviation, and which flags vary.

    The intercept does the centring, which keeps the zeros.
    """
    blocks, varying = [], []
    for start in range(0, len(packed), _ROW_BLOCK):
        flags = unpack(packed[start : start + _ROW_BLOCK], n)[:, used]
        share = flags.mean(axis=1)
        varies = (share > 0) & (share < 1)
        unit = np.sqrt(np.where(varies, share * (1 - share), np.inf))
        blocks.append(csr_array(flags / unit[:, None]))
        varying.append(varies)
    return csr_array(vstack(blocks)), np.concatenate(varying)


def _path(x: Any, y: Floats, usable: NDArray[np.bool_], family: NDArray[np.int64], most: int) -> tuple[Admission, ...]:
    gradient = np.abs(x @ (y - y.mean())) * usable
    heaviest = previous = float(gradient.max())
    if heaviest <= 1e-9 * len(y):
        return ()
    entered: dict[int, Admission] = {}
    for share in np.geomspace(0.999, LIGHTEST, PENALTIES):
        penalty = heaviest * share
        screened = np.flatnonzero(usable & (gradient >= 2 * penalty - previous))
        coefficients, gradient = _at(x, y, usable, screened, penalty)
        previous = penalty
        for j in np.argsort(-np.abs(coefficients), kind="stable")[: np.count_nonzero(coefficients)]:
            sign = int(np.sign(coefficients[j]))
            admitted = Admission(family=int(family[j]), candidate=int(j), sign=sign, penalty=float(share))
            entered.setdefault(admitted.family, admitted)
        if len(entered) >= most:
            break
    return tuple(entered.values())[:most]


def _at(
    x: Any, y: Floats, usable: NDArray[np.bool_], screened: NDArray[np.int64], penalty: float
) -> tuple[Floats, Floats]:
    """Fit the screened candidates, and again with any that violate the optimality conditions."""
    while True:
        coefficients = np.zeros(x.shape[0])
        coefficients[screened], intercept = _lasso(x[screened].T.tocsr(), y, penalty)
        gradient = np.abs(x @ (y - expit(x.T @ coefficients + intercept))) * usable
        missed = np.setdiff1d(np.flatnonzero(gradient > penalty * 1.01), screened)
        if not len(missed):
            return coefficients, gradient
        screened = np.union1d(screened, missed)


def _lasso(x: Any, y: Floats, penalty: float) -> tuple[Floats, float]:
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        l1_ratio=1.0,
        C=1 / penalty,
        solver="liblinear",
        tol=1e-5,
        max_iter=500,
        intercept_scaling=10.0,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(csr_matrix(x), y)
    return np.asarray(model.coef_[0], dtype=float), float(model.intercept_[0])
