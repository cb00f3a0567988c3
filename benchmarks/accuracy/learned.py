"""The rivals that fit models. The only module here that knows scikit-learn."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from .seen import Floats, Ranked, Seen, by_family

TREES, LEAF = 100, 5
PENALTIES = tuple(np.geomspace(0.7, 0.05, 10))
"""Shares of the smallest L1 penalty that keeps everything out."""
BORUTA_ROUNDS, BORUTA_TREES, BORUTA_DEPTH = 20, 50, 7
BORUTA_LEVEL = 0.05
LEAST_CHANCE = 0.02


def forest(seen: Seen) -> Ranked:
    """Rank families by the highest impurity importance of their candidates in a random forest."""
    x = seen.flags[:, seen.mature].T.astype(np.float32)
    model = RandomForestClassifier(TREES, min_samples_leaf=LEAF, max_features="sqrt", n_jobs=1, random_state=0)
    model.fit(x, seen.stayed[seen.mature])
    return Ranked(families=_names(by_family(seen, model.feature_importances_)), declared=None)


def l1_path(seen: Seen) -> Ranked:
    """Rank families in the order in which an L1-penalised logistic path gives them a positive coefficient."""
    x, y = _standardised(seen.flags[:, seen.mature].T.astype(float)), seen.stayed[seen.mature]
    heaviest = float(np.abs(x.T @ (y - y.mean())).max())
    entered: dict[str, None] = {}
    for share in PENALTIES:
        model = _logistic(x, y, l1_ratio=1.0, C=1 / (share * heaviest), solver="liblinear", tol=1e-3)
        coefficients = model.coef_[0]
        for j in np.argsort(-coefficients, kind="stable")[: np.count_nonzero(coefficients > 0)]:
            entered.setdefault(seen.families[seen.family[j]])
        if len(entered) >= len(seen.families) // 2:
            break
    return Ranked(families=tuple(entered), declared=None)


def boruta(seen: Seen) -> Ranked:
    """Rank families by how often a candidate of the small grid beats every shuffled copy (Kursa & Rudnicki 2010).

    A candidate is confirmed, and with it something declared, when it wins more rounds than a fair coin would,
    with Bonferroni's correction over the candidates.
    """
    rows = np.flatnonzero(seen.base)
    x, y = seen.flags[rows][:, seen.mature].T.astype(np.float32), seen.stayed[seen.mature]
    rng = np.random.default_rng(0)
    wins, total = np.zeros(len(rows)), np.zeros(len(rows))
    for round_ in range(BORUTA_ROUNDS):
        model = RandomForestClassifier(
            BORUTA_TREES, max_depth=BORUTA_DEPTH, max_features="sqrt", n_jobs=1, random_state=round_
        )
        model.fit(np.hstack([x, rng.permuted(x, axis=0)]), y)
        own, shadows = np.split(model.feature_importances_, 2)
        wins += own > shadows.max()
        total += own
    confirmed = binom.sf(wins - 1, BORUTA_ROUNDS, 0.5) < BORUTA_LEVEL / max(len(rows), 1)
    score = wins + total / max(float(total.sum()), 1e-12)
    return Ranked(families=_names(by_family(seen, score, rows)), declared=bool(confirmed.any()))


def aipw(seen: Seen, rows: NDArray[np.int64]) -> Floats:
    """Return the z of the augmented inverse-probability-weighted difference of each candidate.

    Both nuisances are logistic in what was known at signup and in the volume of all other events.
    """
    mature, y = seen.mature, seen.stayed[seen.mature]
    z = np.full(len(rows), np.nan)
    for place, row in enumerate(rows):
        met = seen.flags[row][mature]
        others = seen.volume - seen.counts[:, seen.family[row]]
        x = _with_volume(seen.traits[mature], others[mature])
        if min(len(np.unique(y[met])), len(np.unique(y[~met]))) == 2:
            z[place] = _aipw_z(x, met, y)
    return z


def _aipw_z(x: Floats, met: NDArray[np.bool_], y: NDArray[np.bool_]) -> float:
    chance = np.clip(_logistic(x, met).predict_proba(x)[:, 1], LEAST_CHANCE, 1 - LEAST_CHANCE)
    with_, without = (_logistic(x[side], y[side]).predict_proba(x)[:, 1] for side in (met, ~met))
    influence = with_ - without + met * (y - with_) / chance - ~met * (y - without) / (1 - chance)
    return float(influence.mean() / influence.std() * np.sqrt(len(y)))


def _with_volume(traits: Floats, volume: Floats) -> Floats:
    log = np.log1p(volume)
    return _standardised(np.column_stack([traits, log, (log - log.mean()) ** 2]))


def _standardised(x: Floats) -> Floats:
    spread = x.std(axis=0)
    return np.asarray((x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def _logistic(x: Floats, y: NDArray[np.bool_], **settings: Any) -> Any:
    model = LogisticRegression(**{"C": 10.0, "max_iter": 200, "random_state": 0, **settings})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(x, y)


def _names(ranked: list[tuple[str, float]]) -> tuple[str, ...]:
    return tuple(name for name, value in ranked if value > 0)
