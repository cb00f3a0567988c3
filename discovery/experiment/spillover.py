"""What else a variant moved: the one part of the exclusion restriction that a log can contradict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery.estimate import contrasts, critical_z, holm
from discovery.milestone import Milestone
from discovery.results import Estimate, MovedFamily

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MATERIAL_POINTS = 0.02
MATERIAL_PART = 0.25
"""A move counts where it is clear, and both two points and a quarter of the move of the milestone itself."""
FEWEST = 10
"""Accounts that must and must not show a behaviour for its arms to be compared."""
_TILE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Spillover:
    """The other behaviours that clearly differ between the arms, largest first, of `looked` that were compared.

    `unseen` is the largest move that could have gone unnoticed: half the widest simultaneous interval; None where
    nothing could be compared.
    """

    families: tuple[MovedFamily, ...]
    looked: int
    unseen: float | None

    @property
    def material(self) -> tuple[MovedFamily, ...]:
        """Those that are large enough to matter."""
        return tuple(family for family in self.families if family.material)


def spillover(
    variant: Bools, others: Sequence[tuple[Milestone, Bools]], design: Floats, first: float, alpha: float
) -> Spillover:
    """Compare every other behaviour between the arms.

    A behaviour that follows the milestone is moved through it, and counts as moved all the same: the log cannot tell
    that from a side effect, and a claim must not rest on the assumption.

    Parameters
    ----------
    variant : bool[n]
    others : sequence of (Milestone, bool[n])
        One or several rules of every other family.
    design : float64[n, p]
        What was known at signup.
    first : float
        By how much the variant moved the milestone itself.
    alpha : float
        Holm's correction and the simultaneous (Bonferroni) intervals hold it over all behaviours.
    """
    n = len(variant)
    compared = [(rule, met) for rule, met in others if FEWEST <= int(met.sum()) <= n - FEWEST]
    difference, se, p = _differences(variant, [met for _, met in compared], design)
    if not len(p):
        return Spillover(families=(), looked=0, unseen=None)
    margin = critical_z(alpha, len(p)) * se
    clear = np.flatnonzero(holm(p) < alpha)
    families = [
        MovedFamily(
            milestone=str(compared[i][0]),
            difference=as_assigned(float(difference[i]), float(margin[i]), n),
            material=bool(abs(difference[i]) >= max(MATERIAL_POINTS, MATERIAL_PART * abs(first))),
        )
        for i in clear[np.argsort(-np.abs(difference[clear]), kind="stable")]
    ]
    return Spillover(families=tuple(families), looked=len(p), unseen=possible(float(np.nanmax(margin))))


def partly_moved(
    variant: Bools,
    met: Bools,
    parts: Sequence[tuple[Milestone, Bools]],
    design: Floats,
    first: float,
    alpha: float,
) -> tuple[MovedFamily, ...]:
    """Return the parts of the milestone that the variant moved materially further than the milestone itself.

    An account that was moved to a part alone, and stays for it, would be put down to the few moved to the whole. The
    differences are those of the part less the milestone.
    """
    told = [(rule, flag.astype(np.float64) - met) for rule, flag in parts if (flag != met).sum() >= FEWEST]
    if not told:
        return ()
    seen = contrasts(variant, np.column_stack([beyond for _, beyond in told]), design)
    if seen is None:
        return ()
    margin = critical_z(alpha, len(told)) * seen.se
    further = np.sign(first) * seen.difference
    least = max(MATERIAL_POINTS, MATERIAL_PART * abs(first))
    return tuple(
        MovedFamily(
            milestone=str(told[i][0]),
            difference=as_assigned(float(seen.difference[i]), float(margin[i]), len(variant)),
            material=True,
        )
        for i in np.flatnonzero((further > margin) & (further >= least))
    )


def as_assigned(difference: float, margin: float, n: int) -> Estimate:
    """Return a difference between two arms of together `n` accounts, with `margin` on either side."""
    return Estimate(
        estimate=possible(difference),
        ci_lower=possible(difference - margin),
        ci_upper=possible(difference + margin),
        scale="risk difference",
        n_accounts=n,
        estimand="as assigned",
    )


def possible(difference: float) -> float:
    """Return the nearest difference that two shares can have."""
    return min(max(difference, -1.0), 1.0)


def _differences(variant: Bools, flags: Sequence[Bools], design: Floats) -> tuple[Floats, Floats, Floats]:
    found = []
    for start in range(0, len(flags), _TILE):
        seen = contrasts(variant, np.column_stack(flags[start : start + _TILE]).astype(np.float64), design)
        if seen is not None:
            found.append((seen.difference, seen.se, seen.p_value))
    if not found:
        return np.empty(0), np.empty(0), np.empty(0)
    difference, se, p = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return difference, se, p
