"""Which candidates may be ranked at all, decided without a look at who stayed."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from discovery.milestone import Condition
from discovery.ranking.lexicon import outcome_term
from discovery.results import FamilyStatus
from discovery.spec import StudySpec

MIN_ACCOUNTS = 50
MIN_OUTCOMES = 10
"""A rare candidate is still tested when each side holds this many accounts, and this many of each outcome would
be expected there if it made no difference."""
MIN_SIDE = 10
"""A candidate needs this many accounts with a known outcome on each side, whatever its reach."""

OF_ACCOUNT = 0.95
"""Share of the accounts with several rows in which a property must be one and the same to be a trait of theirs."""
JUDGED_BY = 20
"""Accounts with several rows by which that is judged at least."""
OTHERS, OTHERS_SAME = 5, 0.5
"""Of the accounts that do not keep to the commonest value: how many there must be, and the share with one value. A
value that is merely rare leaves most accounts with the commonest one, and the rest with several."""


def is_trait(several: int, same: int, commonest: int) -> bool:
    """Say whether a property of events says who an account is: it does not change within it, but between accounts.

    Parameters
    ----------
    several
        Accounts with two or more rows that have the property.
    same
        Those among them with one value on all of these rows.
    commonest
        Those with the one value that most of them have.
    """
    others, others_same = several - commonest, same - commonest
    mostly = several >= JUDGED_BY and same >= OF_ACCOUNT * several
    return mostly and others >= OTHERS and others_same >= OTHERS_SAME * others


def set_apart(
    event: str, spec: StudySpec, axes: Collection[str] = (), after_decision: Mapping[str, float] | None = None
) -> tuple[FamilyStatus, str] | None:
    """Return the status and reason that keep a whole family out of the ranking, or None.

    `axes` are events that are the sum of others; `after_decision` gives, for events that timing shows to belong to
    the decision to stay or go, the share of accounts that did them first around that moment.
    """
    kind = spec.kinds.of(event)
    if kind == "outcome_adjacent":
        return "outcome_adjacent", "You named it as part of the decision to stay or go."
    if event in spec.outcome.passive:
        return "passive", "You named it as something that happens to an account."
    if kind is not None:
        return None
    term = outcome_term(event)
    if term:
        return (
            "outcome_adjacent",
            f"Its name contains “{term.word}” ({term.meaning}), so it looks like part of the decision to stay or go. "
            "If it is ordinary use of your product, name it in kinds.value.",
        )
    if after_decision and event in after_decision:
        return (
            "outcome_adjacent",
            f"{100 * after_decision[event]:.0f} % of the accounts that did it and then left did it for the first time "
            "within two days of leaving, so it looks like part of that decision. If it is ordinary use of your "
            "product, name it in kinds.value.",
        )
    if event in axes:
        return (
            "volume_axis",
            "It is written whenever anything else is: it counts all activity, and is no behaviour of its own.",
        )
    return None


def eligible_candidates(
    conditions: tuple[Condition, ...],
    apart: NDArray[np.bool_],
    at_signup: NDArray[np.bool_],
    sides: NDArray[np.int64],
    base_rate: float,
    reach: NDArray[np.float64],
    spec: StudySpec,
) -> NDArray[np.bool_]:
    """Return which candidates may be ranked: enough accounts on both sides, and not set apart.

    Parameters
    ----------
    conditions : tuple of Condition, length C
    apart, at_signup : bool[C]
        Whether the candidate's event is set apart, and whether what it counts, rows that meet its tests, happens at
        signup.
    sides : int64[2, C]
        Mature accounts that met each candidate, and that did not.
    base_rate : float
        Retention of all mature accounts.
    reach : float64[C]
        Share of the landmark accounts.
    """
    once = np.array([condition.at_least == 1 for condition in conditions], dtype=bool)
    smaller = sides.min(axis=0)
    ordinary = (reach >= spec.candidates.min_reach) & (reach <= spec.candidates.max_reach)
    well_supported = (smaller >= MIN_ACCOUNTS) & (smaller * min(base_rate, 1 - base_rate) >= MIN_OUTCOMES)
    return np.asarray((ordinary | well_supported) & (smaller >= MIN_SIDE) & ~apart & ~(at_signup & once), dtype=bool)
