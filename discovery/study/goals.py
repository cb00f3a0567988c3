"""Where ladders lead: the findings and leads over all accounts, and those of personas that say more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from discovery import wording
from discovery.ladder import Goal
from discovery.results import Persona, RankedFamily

MOST = 5
"""Ladders over all accounts, and inside personas, at the most."""


def goals_for_all(ranking: Sequence[RankedFamily]) -> list[Goal]:
    """Return the findings and leads of a ranking, best first."""
    named = [family for family in ranking if family.rank is not None and family.status in ("found", "lead")]
    return [_goal(family, None) for family in named[:MOST]]


def goals_of_personas(
    personas: Sequence[Persona], ranking: Sequence[RankedFamily], named: str | None, alpha: float
) -> list[Goal]:
    """Return what personas are told beyond what holds for all: another milestone, or one that differs between them.

    The persona that the verdict names comes first.
    """
    for_all = {goal.milestone for goal in goals_for_all(ranking)}
    families = {family.family for family in ranking if family.milestone in for_all}
    found = []
    for persona in personas:
        first = next((f for f in persona.ranking if f.milestone == persona.verdict.milestone), None)
        if first is None or first.status not in ("found", "lead"):
            continue
        differs = persona.heterogeneity_p is not None and persona.heterogeneity_p <= alpha
        if first.family not in families or differs or persona.persona == named:
            found.append(_goal(first, persona.persona))
    found.sort(key=lambda goal: (goal.persona != named, goal.status != "found"))
    return found[:MOST]


def _goal(family: RankedFamily, persona: str | None) -> Goal:
    value, interval = wording.points_estimate(family.adjusted)
    size = "difference not known" if value == wording.MISSING else f"{value} {interval}".strip() + ", adjusted"
    who = "" if persona is None else f" among {persona}"
    if family.status == "found":
        why = f"Its milestone was found{who}: {size}."
    else:
        why = f"Its milestone is a lead{who}, not a finding ({size}): test it before building on it."
    return Goal(
        milestone=family.milestone,
        status="found" if family.status == "found" else "lead",
        adjusted=family.adjusted,
        persona=persona,
        why=why,
    )


def having(persona: str, segments: Mapping[str, NDArray[np.object_]]) -> NDArray[np.bool_]:
    """Return which accounts have a persona's value; the names of segments may hold an equals sign themselves."""
    masks = [
        np.array([value is not None and f"{name}={value}" == persona for value in values], dtype=bool)
        for name, values in segments.items()
    ]
    return np.asarray(np.any(masks, axis=0))
