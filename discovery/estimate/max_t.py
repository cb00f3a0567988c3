"""What a score is worth after a search: the multiplier bootstrap of the largest score of all.

Candidates are relatives of each other, so a bound for independent tests is too strict. Here each account's
contribution to every score is multiplied by one random number of mean 0 and variance 1, the same for all candidates;
the largest score in each such draw has, in large samples, the distribution that the largest real score has when no
candidate says anything. Null models differ between families, so draws are made block by block and joined at the end.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from discovery.estimate.flags import ENOUGH_ACCOUNTS, evenly_spaced, pack, tiles
from discovery.estimate.logistic import EfficientScores, WorkingModel, observed_packed, weighted_gram
from discovery.estimate.products import Places, products_of
from discovery.estimate.thinning import flags_of

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Law = Literal["normal", "mammen"]

BOOTSTRAP_ACCOUNTS = ENOUGH_ACCOUNTS
"""Beyond 100,000 accounts the draws rest on this many, evenly spaced; effects, ratios and scores on all."""
MANY_ACCOUNTS = 100_000
SAFE = 1e-9
"""Kept off products such as `(1 - .05) * 1000`, so that rounding never moves a rank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapBlock:
    """Scores of the c candidates of one null model, observed and drawn.

    Attributes
    ----------
    score : float64[c]
        The observed z, as `logistic.score_test` gives it: the efficient score over the root of the information.
        0 where the covariates leave nothing of the flag.
    scale : float64[c]
        Root of the mean square of the contributions over the information, near 1 where the null model has the
        variance right; `score / scale` is the score standardised by the observed contributions. 1 where nothing
        is left.
    draws : float32[c, B]
        Scores under the multipliers, standardised by the observed contributions: variance 1 in each row (0 where
        nothing is left), correlated between rows as the observed scores are.
    """

    score: Floats
    scale: Floats
    draws: Singles

    @property
    def score_draws(self) -> Singles:
        """The draws on the scale of `score`, `draws x scale`: what to hold `score` against.

        Where outcomes or reach are rare, a score that is far out by chance rests on contributions that are large by
        chance too; standardising either side by them undoes that (false findings: up to 80 % of null worlds where
        `score / scale` is compared with `draws`, 2-6 % here).
        """
        scaled: Singles = self.draws * self.scale[:, None].astype(np.float32)
        return scaled


def draw_multipliers(n: int, draws: int, seed: int, law: Law = "mammen") -> Singles:
    """Draw the random numbers that every block shares.

    Parameters
    ----------
    n : int
        Accounts.
    draws : int
        B. The p-values are multiples of `1 / (B + 1)`; 999 place a .05 quantile to within .01.
    seed : int
    law : str
        "mammen": two points with mean 0, variance 1 and third moment 1, which carry the skewness of the
        contributions into the draws; or "normal", which does not. With common outcomes they agree; where 5 to
        10 % leave, or stay, the one-sided error of the normal law was 0-8 % for a nominal 5, Mammen's 2-6 %.

    Returns
    -------
    float32[n, B]
        The same for the same arguments.

    References
    ----------
    Mammen (1993), Annals of Statistics 21, 255-285 (the two-point law); Deng & Zhang (2020), Annals of Statistics 48,
    3643-3671 (why the third moment counts for maxima).

    Examples
    --------
    >>> draw_multipliers(3, 2, seed=0).shape
    (3, 2)
    """
    generator = np.random.default_rng(seed)
    if law == "normal":
        return generator.standard_normal((n, draws), dtype=np.float32)
    root = math.sqrt(5)
    uniform = generator.random((n, draws), dtype=np.float32)
    low, high = np.float32((1 - root) / 2), np.float32((1 + root) / 2)
    seldom = uniform >= (root + 1) / (2 * root)
    uniform.fill(low)
    np.copyto(uniform, high, where=seldom)
    return uniform


def bootstrap_rows(accounts: int) -> NDArray[np.intp]:
    """Return the places of the accounts that bootstraps rest on: all of them up to 100,000."""
    if accounts <= MANY_ACCOUNTS:
        return np.arange(accounts)
    return evenly_spaced(accounts, BOOTSTRAP_ACCOUNTS)


def bootstrap_block(
    null: WorkingModel, flags: NDArray[Any], multipliers: Singles, rows: Places | None = None
) -> BootstrapBlock:
    """Score the candidates of one null model, and score them again under every draw of the multipliers.

    With `x~` the W-weighted residual of a flag on the covariates, account i contributes `psi_i = x~_i r_i` to the
    score; draw b is `sum_i g_ib psi_i / sqrt(sum_i psi_i^2)`.

    Parameters
    ----------
    null : NullModel or CoxNull
        Fitted over m accounts.
    flags : bool or uint8 [c, m], or float of 0 and 1
        Candidates over the same accounts.
    multipliers : float32[m, B]
        Row i belongs to account i in every block: where blocks rest on different accounts, each takes its rows.
    rows : int[k], optional
        Accounts whose contributions are drawn, where m is too large for all of them; `multipliers` then has k
        rows. Observed scores and slopes always rest on all m.

    Returns
    -------
    BootstrapBlock

    Notes
    -----
    Sums of the draws are taken in float32, block by block. A draw is then off by about 1e-6, times the root of the
    share of the flag that the covariates explain over the share they leave.

    References
    ----------
    Chernozhukov, Chetverikov & Kato (2013), Annals of Statistics 41, 2786-2819; Lin (2005), Bioinformatics 21,
    781-787 (score contributions).
    """
    return bootstrap_packed(null, pack(flags != 0), len(null.residual), None, multipliers, rows)


def bootstrap_packed(
    null: WorkingModel,
    packed: NDArray[np.uint8],
    n: int,
    rows: Places | None,
    multipliers: Singles,
    drawn: Places | None = None,
) -> BootstrapBlock:
    """Do the same for packed flags, from sums over the accounts that met them alone.

    Flags are 0 and 1, so that `sum_i g_ib psi_i` is the sum of `g_ib r_i` over the accounts that met the candidate less
    its slopes times that of `g_ib r_i z_i` over all, and `sum_i psi_i^2` comes apart likewise.

    Parameters
    ----------
    null : NullModel or CoxNull
        Fitted over m accounts.
    packed : uint8[c, ceil(n / 8)]
    n : int
        Accounts that have flags.
    rows : int[m], optional
        Places of the m among the n, ascending; without it, all n.
    multipliers : float32[k, B]
    drawn : int[k], optional
        Accounts, of the m and ascending, whose contributions are drawn; without it, all m.
    """
    observed = observed_packed(null, packed, n, rows)
    if drawn is None:
        return bootstrap_beside(null, observed, packed, n, rows, multipliers)
    places = drawn if rows is None else rows[drawn]
    return bootstrap_beside(null, observed, flags_of(packed, places), len(places), None, multipliers, drawn)


def bootstrap_beside(
    null: WorkingModel,
    observed: EfficientScores,
    packed: NDArray[np.uint8],
    n: int,
    rows: Places | None,
    multipliers: Singles,
    drawn: Places | None = None,
) -> BootstrapBlock:
    """Do the same beside known scores; `packed` and `rows` are of the accounts that are drawn, of the m `drawn`."""
    design = null.design if drawn is None else null.design[drawn]
    residual = null.residual if drawn is None else null.residual[drawn]

    def multiplied(among: slice) -> NDArray[Any]:
        return multipliers[among] * residual[among, None].astype(np.float32)

    def columns(among: slice) -> tuple[NDArray[Any], NDArray[Any]]:
        return contributions(design[among], residual[among]), multiplied(among)

    sums, draws = products_of(packed, n, columns, rows, narrow=drawn is not None)
    squares = _squares(sums, design, residual, observed.slopes)
    share = len(null.residual) / max(1, len(residual))
    crossed = np.zeros((design.shape[1], multipliers.shape[1]))
    for start in range(0, len(design), MANY_ACCOUNTS):
        among = slice(start, start + MANY_ACCOUNTS)
        crossed += design[among].astype(np.float32).T @ multiplied(among)
    return _block(observed, squares * share, squares, draws, crossed)


def half_scores(
    null: WorkingModel,
    observed: EfficientScores,
    sums: Floats,
    whole: Floats,
    firsts: Floats,
    halves: Singles,
) -> Singles:
    """Return the scores of half-samples, `BootstrapBlock.score_draws`, from sums over the accounts that met each flag.

    Parameters
    ----------
    null : NullModel or CoxNull
        Fitted over m accounts.
    observed : EfficientScores
    sums : float64[c, 1 + p]
        Of `contributions`.
    whole : float64[c]
        Of the residual.
    firsts : float64[c, S]
        Of the residual in each half.
    halves : float32[m, 2 S]
        Halves and their complements.
    """
    splits, design, residual = halves.shape[1] // 2, null.design, null.residual
    crossed = np.zeros((design.shape[1], splits))
    for start in range(0, len(design), MANY_ACCOUNTS):
        among = slice(start, start + MANY_ACCOUNTS)
        crossed += design[among].T @ (halves[among, :splits] * residual[among, None])
    crossed = np.column_stack([crossed, (design.T @ residual)[:, None] - crossed])
    draws = np.column_stack([firsts, whole[:, None] - firsts])
    squares = _squares(sums, design, residual, observed.slopes)
    return _block(observed, squares, squares, draws, crossed).score_draws


def _block(
    observed: EfficientScores, mean: Floats, squares: Floats, draws: Floats, crossed: NDArray[Any]
) -> BootstrapBlock:
    """Standardise sums of draws; `mean` are the squared contributions on the scale of the information."""
    usable = (observed.information > 0) & (squares > 0)
    information = np.where(usable, observed.information, 1.0)
    scale = np.where(usable, np.sqrt(np.where(usable, mean, 0.0) / information), 1.0)
    draws -= observed.slopes @ crossed
    draws *= np.where(usable, 1 / np.sqrt(np.where(usable, squares, 1.0)), 0.0)[:, None]
    return BootstrapBlock(score=observed.score, scale=scale, draws=draws.astype(np.float32))


def contributions(design: Floats, residual: Floats) -> Floats:
    """Return the columns whose sums make the squared contributions of flags, [m, 1 + p]."""
    square = residual[:, None] ** 2
    return np.column_stack([square, design * square])


def _squares(sums: Floats, design: Floats, residual: Floats, slopes: Floats) -> Floats:
    """Return the sums of the squared contributions, float64[c], from those of `contributions`."""
    gram = weighted_gram(design, residual**2)
    crossed = np.einsum("ij,ij->i", sums[:, 1:], slopes)
    squares: Floats = sums[:, 0] - 2 * crossed + np.einsum("ij,jk,ik->i", slopes, gram, slopes, optimize=True)
    return squares


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxT:
    """The largest score in each draw, and what it makes of every observed one.

    Attributes
    ----------
    p_single_step : float64[C]
        Probability that the largest of all scores is as large as this one, when no candidate says anything.
        NaN where the observed score is.
    p_step_down : float64[C]
        The same against the candidates that do not score higher, never below that of a higher score. It holds
        the family-wise error rate too, and is never above `p_single_step`.
    maxima : float32[B]
        Ascending.
    searched : int
        Candidates that have a score.
    """

    p_single_step: Floats
    p_step_down: Floats
    maxima: Singles
    searched: int

    def critical(self, alpha: float) -> float:
        """Return the value that a score must exceed for `p_single_step <= alpha`.

        Infinity where B draws are too few for such a p: fewer than `1 / alpha - 1`.
        """
        return upper_bound(self.maxima, alpha)


def upper_bound(maxima: Floats | Singles, alpha: float) -> float:
    """Return the value that the largest of all scores exceeds with probability `alpha`, from its draws, ascending.

    Infinity where there are too few draws for such a probability.
    """
    rank = math.ceil((1 - alpha) * (len(maxima) + 1) - SAFE)
    return float(maxima[rank - 1]) if 0 < rank <= len(maxima) else math.inf


def max_t(observed: Floats, draws: Singles | Iterable[Singles], two_sided: bool = False) -> MaxT:
    """Adjust observed scores for the search, from the scores of all candidates under the multipliers.

    Parameters
    ----------
    observed : float64[C]
        Large: evidence. NaN is a candidate without a score; it is not searched.
    draws : float32[C, B], or blocks of it in order
    two_sided : bool
        Whether large negative scores count as well.

    Returns
    -------
    MaxT
        p-values carry the +1 correction, `(1 + draws at least as large) / (B + 1)`, so none is 0.

    Raises
    ------
    ValueError
        If draws and observed scores differ in number.

    Notes
    -----
    Draws are float32 products: they agree between machines to about 1e-6, not to the bit.

    References
    ----------
    Westfall & Young (1993), Resampling-Based Multiple Testing, algorithms 2.5 and 2.8; Romano & Wolf (2005), JASA
    100, 94-108; Phipson & Smyth (2010), Statistical Applications in Genetics 9 (the +1).

    Examples
    --------
    >>> found = max_t(np.array([3.0, 1.0]), np.array([[0.0, 1, 2, -1], [0, 2, 1, -2]], dtype=np.float32))
    >>> found.p_single_step, found.critical(0.4)
    (array([0.2, 0.6]), 2.0)
    """
    drawn = draws if isinstance(draws, np.ndarray) else np.concatenate(list(draws))
    observed = np.asarray(observed, dtype=float)
    if len(drawn) != len(observed):
        raise ValueError(f"There are {len(observed)} observed scores but draws of {len(drawn)}; give one row each.")
    known = np.flatnonzero(~np.isnan(observed))
    size = np.abs(observed) if two_sided else observed
    ascending = known[np.argsort(size[known], kind="stable")]
    exceeded, largest = _exceedances(drawn, size, ascending, two_sided)
    maxima = np.sort(largest)
    single, step_down = np.full(len(size), np.nan), np.full(len(size), np.nan)
    at_least = len(maxima) - np.searchsorted(maxima, size[known], side="left")
    single[known] = (1 + at_least) / (len(maxima) + 1)
    step_down[ascending] = np.maximum.accumulate((1 + exceeded[::-1]) / (len(maxima) + 1))[::-1]
    return MaxT(p_single_step=single, p_step_down=step_down, maxima=maxima, searched=len(known))


def _exceedances(
    drawn: Singles, size: Floats, ascending: NDArray[np.intp], two_sided: bool
) -> tuple[NDArray[np.int64], Singles]:
    """Count, for each candidate, the draws in which one that scores no higher reaches its score.

    Returns the counts in ascending order of score, and the largest of all in each draw.
    """
    running = np.full(drawn.shape[1], -np.inf, dtype=np.float32)
    exceeded = np.empty(len(ascending), dtype=np.int64)
    for tile in tiles(len(ascending), drawn.shape[1]):
        chosen = ascending[tile]
        rows = np.abs(drawn[chosen]) if two_sided else drawn[chosen]
        rows[0] = np.maximum(rows[0], running)
        np.maximum.accumulate(rows, axis=0, out=rows)
        exceeded[tile] = np.count_nonzero(rows >= size[chosen, None], axis=1)
        running = rows[-1]
    return exceeded, running
