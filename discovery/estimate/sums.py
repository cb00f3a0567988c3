"""All that is linear in a flag, beside several null models at once: one pass over the flags.

Scores, least squares on the covariates, squared contributions and half-samples are sums of columns over the accounts
that met a flag. To unpack the flags takes longer than to multiply them, so the columns are multiplied together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discovery.estimate.effect import LeftOver, left_over
from discovery.estimate.logistic import EfficientScores, WorkingModel, efficient_scores
from discovery.estimate.max_t import contributions, half_scores
from discovery.estimate.products import Places, products_of

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A null model beside which sums are asked for.

    Attributes
    ----------
    null : NullModel or CoxNull
        Fitted over k accounts.
    inside : bool[m], optional
        Which of the m accounts that are gone over these are; without it, all.
    halves : float32[k, 2 S], optional
        Half-samples and their complements, whose scores are asked for as well.
    scores_only : bool
        Whether least squares on the covariates are not asked for.
    """

    null: WorkingModel
    inside: NDArray[np.bool_] | None = None
    halves: Singles | None = None
    scores_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagSums:
    """Sums beside one null model over the accounts that met each of c flags.

    Attributes
    ----------
    beside : Beside
    columns : float64[c, 3 + 2 p]
        Of the residual, of the weights and of the weighted design; of ones and of the design, unless scores only are
        asked for.
    squares : float64[c, 1 + p]
        Of the squared residual, and of the design times that; where half-samples are asked for.
    firsts : float64[c, S]
        Of the residual in each half.
    """

    beside: Beside
    columns: Floats
    squares: Floats
    firsts: Floats

    def of(self, flags: NDArray[np.intp]) -> FlagSums:
        """Return the sums of some flags."""
        some = self.beside.halves is not None
        return replace(
            self,
            columns=self.columns[flags],
            squares=self.squares[flags] if some else _NONE,
            firsts=self.firsts[flags] if some else _NONE,
        )

    def without_halves(self) -> FlagSums:
        """Return the same sums without the half-samples."""
        return replace(self, beside=replace(self.beside, halves=None), squares=_NONE, firsts=_NONE)

    @property
    def scores(self) -> EfficientScores:
        """Their efficient scores."""
        return efficient_scores(self.beside.null, self.columns[:, : self._plain])

    @property
    def left(self) -> LeftOver:
        """What least squares on the covariates leave of them."""
        ones, design = self.columns[:, self._plain], self.columns[:, self._plain + 1 :]
        return left_over(self.beside.null, np.column_stack([ones, self.columns[:, 0], design]))

    @property
    def _plain(self) -> int:
        """Where the sums of ones and of the design begin."""
        return 2 + len(self.beside.null.cholesky)

    @property
    def half_scores(self) -> Singles:
        """Their scores in each half-sample, as `bootstrap_packed` draws them: float32[c, 2 S]."""
        if self.beside.halves is None:
            raise ValueError("half-samples were not asked for")
        return half_scores(
            self.beside.null, self.scores, self.squares, self.columns[:, 0], self.firsts, self.beside.halves
        )

    @property
    def met(self) -> Floats:
        """How many accounts met each."""
        met: Floats = self.columns[:, self._plain]
        return met

    def along(self, coefficients: Floats) -> Floats:
        """Sum what coefficients make of the design over those who met each."""
        found: Floats = self.columns[:, self._plain + 1 :] @ coefficients
        return found


_NONE: Floats = np.zeros((0, 0))


def flag_sums(
    packed: NDArray[np.uint8], n: int, asked: Sequence[Beside], rows: Places | None = None
) -> tuple[FlagSums, ...]:
    """Sum what is asked for over the accounts that met each flag, all in one pass.

    Parameters
    ----------
    packed : uint8[c, ceil(n / 8)]
    n : int
        Accounts that have flags.
    asked : sequence of Beside
    rows : int[m], optional
        Places of the m accounts that are gone over among the n, ascending; without it, all n.
    """
    parts = [_Part(beside) for beside in asked]

    def columns(among: slice) -> list[NDArray[Any]]:
        return [array for part in parts for array in part(among)]

    found = iter(products_of(packed, n, columns, rows, narrow=True))
    gathered = []
    for part in parts:
        p = part.null.design.shape[1]
        sums, width = next(found), 2 + p if part.beside.scores_only else 3 + 2 * p
        firsts = next(found) if part.halves is not None else _NONE
        gathered.append(FlagSums(beside=part.beside, columns=sums[:, :width], squares=sums[:, width:], firsts=firsts))
    return tuple(gathered)


class _Part:
    """The columns beside one null model, block by block: zeros for accounts that it is not of."""

    def __init__(self, beside: Beside) -> None:
        self.beside, self.null, self.halves = beside, beside.null, beside.halves
        everyone = beside.inside is None or bool(beside.inside.all())
        self.inside = None if everyone else beside.inside
        self.place = None if self.inside is None else np.cumsum(np.concatenate([[0], self.inside]))

    def __call__(self, among: slice) -> list[NDArray[Any]]:
        if self.inside is None or self.place is None:
            return self._columns(among)
        own, inside = slice(int(self.place[among.start]), int(self.place[among.stop])), self.inside[among]
        return [_spread_out(part, inside) for part in self._columns(own)]

    def _columns(self, among: slice) -> list[NDArray[Any]]:
        design, residual, weights = self.null.design[among], self.null.residual[among], self.null.weights[among]
        columns = [residual, weights, design * weights[:, None]]
        columns += [] if self.beside.scores_only else [np.ones(len(design)), design]
        if self.halves is None:
            return [np.column_stack(columns)]
        some = self.halves[among, : self.halves.shape[1] // 2]
        return [
            np.column_stack([*columns, contributions(design, residual)]),
            some * residual.astype(np.float32)[:, None],
        ]


def _spread_out(part: NDArray[Any], inside: NDArray[np.bool_]) -> NDArray[Any]:
    wide = np.zeros((len(inside), part.shape[1]), dtype=part.dtype)
    wide[inside] = part
    return wide
