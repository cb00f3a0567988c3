"""Two rules over the same accounts: which of them says more, and what each says beside the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve

from discovery import estimate
from discovery.estimate import BootstrapBlock, NullModel
from discovery.validation.beside import COLLINEAR, FEWEST_ON_A_SIDE, with_more
from discovery.validation.case import Bools, Case, Floats, Packed, Rule

Singles = NDArray[np.float32]

DRAWS: Final = 999


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """The proposal against c other rules beside one null model; every array has length c.

    Attributes
    ----------
    own : float
        The proposal's score, a z.
    score : float64[c]
    ahead : float64[c]
        How far each score lies above the proposal's, in standard errors of their difference; NaN where hardly any
        account meets one of the two alone.
    apart : bool[c]
        Where enough accounts meet one of the two alone, and the covariates leave something of the rule.
    twin : bool[c]
        Where hardly any account meets one of the two alone.
    leads : bool[c]
        The score is clearly higher, given how many rules were looked at.
    remains : bool[c]
        Beside the rule the proposal still clearly separates, given how many were looked at.
    """

    own: float
    score: Floats
    ahead: Floats
    apart: Bools
    twin: Bools
    leads: Bools
    remains: Bools


def set_against(case: Case, rules: Sequence[Rule], chosen_among: int = 1) -> Contest | None:
    """Compare the proposal's score with those of other rules, beside the null model of all accounts.

    Parameters
    ----------
    case : Case
    rules : sequence of Rule
    chosen_among : int
        Of how many rules each was chosen as the best; the bound on `leads` is that much stricter.

    Returns
    -------
    Contest or None
        None where the covariates leave nothing of the proposal.

    Notes
    -----
    Scores beside one null model have variance 1 and correlation rho, that of the flags less what the covariates say
    of them. So `z_j - z_p` has variance `2 (1 - rho)`, and the score of the proposal beside rule j is, to first order,
    `(z_p - rho z_j) / sqrt(1 - rho^2)`.
    """
    flags = np.concatenate([case.flag, flags_of(rules)])
    tested = estimate.score_test(case.null, flags)
    if tested.status[0] != "ok":
        return None
    drawn = _block(case, case.null, flags)
    draws = drawn.score_draws.astype(float)
    rho = _correlation(case, flags, tested.information)
    twin = ((flags[1:] != flags[0]).sum(axis=1) < FEWEST_ON_A_SIDE) | (rho > 1 - COLLINEAR)
    apart = (tested.status[1:] == "ok") & ~twin & (rho > COLLINEAR - 1)
    own, score = float(tested.score[0]), tested.score[1:]
    spread = np.where(apart, np.sqrt(np.maximum(2 * (1 - rho), 1e-9)), np.nan)
    ahead = (score - own) / spread
    lead_draws = (draws[1:] - draws[0]) / spread[:, None]
    rest = np.where(apart, np.sqrt(np.maximum(1 - rho**2, 1e-9)), np.nan)
    beside = (own - rho * score) / rest
    beside_draws = (draws[0] - rho[:, None] * draws[1:]) / rest[:, None]
    return Contest(
        own=own,
        score=score,
        ahead=ahead,
        apart=apart,
        twin=twin,
        leads=_beyond(ahead, lead_draws, apart, case.alpha / chosen_among),
        remains=_beyond(beside, beside_draws, apart, case.alpha),
    )


def beside_it(case: Case, contest: Contest) -> tuple[NullModel, Bools]:
    """Score the grid with the proposal among the covariates.

    Returns
    -------
    NullModel
        With the proposal in it, fitted again: what a large effect of the proposal leaves is no longer in the residuals.
    bool[c]
        Which rules clearly separate accounts that are alike in the proposal, given how many were looked at.
    """
    beside = with_more(case.null, case.flag)
    drawn = _block(case, beside, flags_of(case.grid))
    return beside, _beyond(drawn.score, drawn.score_draws, contest.apart, case.alpha)


def _block(case: Case, null: NullModel, flags: Packed) -> BootstrapBlock:
    rows = estimate.bootstrap_rows(len(case))
    multipliers = estimate.draw_multipliers(len(rows), DRAWS, case.seed)
    return estimate.bootstrap_block(null, flags, multipliers, None if len(rows) == len(case) else rows)


def _beyond(observed: Floats, draws: Floats | Singles, among: Bools, alpha: float) -> Bools:
    """Return which values lie beyond what the largest of those in `among` reaches by chance."""
    if not among.any():
        return np.zeros(len(observed), dtype=bool)
    bound = estimate.upper_bound(np.sort(draws[among].max(axis=0)), alpha)
    return np.asarray(among & (observed > bound))


def _correlation(case: Case, flags: Packed, information: Floats) -> Floats:
    """Return the correlation of each score with the first one's, float64[c]."""
    null = case.null
    x = flags[0].astype(float)
    x = x - null.design @ cho_solve((null.cholesky, True), null.design.T @ (null.weights * x))
    shared = np.concatenate([flags[1:][tile] @ (null.weights * x) for tile in estimate.tiles(len(flags) - 1, len(x))])
    scale = np.sqrt(np.where(information[1:] > 0, information[1:] * information[0], np.inf))
    return np.clip(shared / scale, -1.0, 1.0)


def flags_of(rules: Sequence[Rule]) -> Packed:
    """Return who met each rule, uint8[c, n]."""
    return np.array([rule.met for rule in rules], dtype=np.uint8)
