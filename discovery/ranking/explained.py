"""Why a family that separates well does not hold, in words and numbers: the list that teaches a team."""

from __future__ import annotations

import numpy as np

from discovery.ranking.evidence import Evidence
from discovery.ranking.grading import GradedFamily
from discovery.ranking.wording import interval, points
from discovery.results import OutcomeSummary

CLEAR_Z = 4.0
"""Unadjusted z from which a separation is one that a team would have noticed."""
_LATER = {"retained": "stayed", "active": "were active later", "converted": "converted"}


def explained_away(family: GradedFamily, evidence: Evidence, summary: OutcomeSummary) -> str | None:
    """Return what became of a clear unadjusted separation, or None where there is none or the family stands."""
    i = family.best
    naive, phi = float(evidence.separation.difference[i]), float(evidence.separation.phi[i])
    if family.status in ("found", "lead") or not np.isfinite(phi) or abs(phi) * np.sqrt(evidence.n_mature) < CLEAR_Z:
        return None
    separates = f"Separates by {points(abs(naive))} points{' downwards' if naive < 0 else ''}"
    if family.rank is None:
        return f"{separates}. {family.reason or ''}".strip()
    if family.status == "harm":
        return f"{separates}; {_adjusted(family, evidence)} among comparably active accounts: it goes with leaving."
    if family.status == "habit":
        return f"{separates}; {_composition(i, evidence)} at as many actions, on as many days, as recently."
    if naive < 0:
        return None
    if family.reason:
        return f"{separates}. {family.reason}"
    compared = f"{separates}; {_adjusted(family, evidence)} among comparably active accounts"
    effect = evidence.held_out.get(family.place)
    if effect is not None and effect.ci_lower > 0:
        return f"{compared}: no more than chance alone shows somewhere among {evidence.searched:,} rules."
    return f"{compared}. Active accounts do it more, and they {_LATER[summary.kind]} anyway."


def _adjusted(family: GradedFamily, evidence: Evidence) -> str:
    effect = evidence.held_out.get(family.place)
    if effect is None or not np.isfinite(effect.estimate):
        return "no difference that could be estimated"
    return _interval(effect.estimate, effect.ci_lower, effect.ci_upper)


def _composition(i: int, evidence: Evidence) -> str:
    c = evidence.composition
    return _interval(float(c.estimate[i]), float(c.lower[i]), float(c.upper[i]))


def _interval(estimate: float, lower: float, upper: float) -> str:
    if not np.isfinite(estimate):
        return "no difference that could be estimated"
    return f"{points(estimate)} {'point' if points(abs(estimate)) == '1' else 'points'} {interval(lower, upper)}"
