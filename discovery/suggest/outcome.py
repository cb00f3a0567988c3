"""Until when accounts are followed: as late as enough of them could be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from discovery.results import Choice
from discovery.spec import StudySpec

Kind = Literal["retained", "active", "converted"]

BY_DAYS = (90, 60, 30)
ACTIVE_DAYS = ((21, 28), (14, 21), (29, 60), (29, 90))
"""Week 4, as practitioners read retention; week 3 where the log is short; and later, which takes longer."""
ENOUGH = 0.5
"""Share of the accounts whose outcome should be known."""
NEARLY = 0.95

_STAYED: dict[Kind, str] = {"retained": "stayed", "active": "were active", "converted": "had converted"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """One possible outcome: its days, and of the accounts at the landmark how many could be followed and stayed."""

    days: int | tuple[int, int]
    landmark: int
    known: int
    stayed: int

    @property
    def enough(self) -> bool:
        """Whether at least half of the accounts could be followed that far."""
        return self.landmark > 0 and self.known >= ENOUGH * self.landmark


def kind_choice(kind: Kind, possible: Sequence[Kind], silence: bool) -> Choice:
    """Return the choice of what staying means.

    Parameters
    ----------
    kind
        What a run would infer.
    possible
        What the columns allow, the inferred one among them.
    silence
        Whether churn dates only repeat when accounts were last seen, so that no departure is recorded.
    """
    because: dict[Kind, str] = {
        "retained": "the accounts say when they left, so an account stays that has not left by then",
        "converted": "the accounts say when they converted, and not when they left",
        "active": "no departure is recorded, so an account stays that does something again later",
    }
    if kind == "active" and silence:
        because["active"] = (
            "the churn dates only repeat when accounts were last seen, so to stay is to do something again later"
        )
    return Choice(
        section="outcome",
        key="kind",
        question="What does staying mean?",
        value=kind,
        options=tuple(possible),
        reason=f"{because[kind]}.",
        rereads=True,
    )


def horizons_of(kind: Kind, spec: StudySpec, asked: bool) -> tuple[int | tuple[int, int], ...]:
    """Return the days worth looking at; those that were asked for alone, if any."""
    given = spec.outcome.active_days if kind == "active" else spec.outcome.by_day
    if asked:
        return (given,)
    window = spec.candidates.window_days
    usual: tuple[int | tuple[int, int], ...] = ACTIVE_DAYS if kind == "active" else BY_DAYS
    fitting = tuple(days for days in usual if (days[0] >= window if isinstance(days, tuple) else days > window))
    return fitting or (given,)


def chosen_horizon(kind: Kind, horizons: Sequence[Horizon]) -> Horizon:
    """Return the usual outcome if enough accounts could be followed, else the longest of which that holds.

    Where it holds of none, the one that most accounts could be followed to.
    """
    preferred = horizons[:2] if kind == "active" else horizons
    sound = [horizon for horizon in preferred if horizon.enough]
    return sound[0] if sound else max(preferred, key=lambda horizon: horizon.known)


def outcome_choice(kind: Kind, horizons: Sequence[Horizon], chosen: Horizon, asked: bool) -> Choice:
    """Return the choice of days as a question, its reason with the figures of every one."""
    known = ", ".join(f"{h.known:,} to {_days(h)}{_stayed(kind, h)}" for h in horizons)
    reason = f"{chosen.landmark:,} accounts were there through their observation window. They can be followed: {known}"
    if asked:
        reason = f"you set it. {reason}"
    elif not chosen.enough:
        reason += ". Fewer than half can be followed that far, because the log is short for its signups"
    share = chosen.stayed / chosen.known if chosen.known else 0.5
    if not 1 - NEARLY <= share <= NEARLY:
        nearly = "nearly all" if share > NEARLY else "hardly any"
        reason += f". {nearly.capitalize()} {_STAYED[kind]}: there is little to tell apart"
    question = {
        "retained": "By which day after signup must an account still be there?",
        "converted": "By which day after signup must an account have converted?",
        "active": "Between which days after signup must an account be active again?",
    }[kind]
    return Choice(
        section="outcome",
        key="active_days" if kind == "active" else "by_day",
        question=question,
        value=chosen.days,
        options=tuple(horizon.days for horizon in horizons),
        reason=reason + ".",
    )


def _days(horizon: Horizon) -> str:
    if isinstance(horizon.days, tuple):
        return f"days {horizon.days[0]} to {horizon.days[1]}"
    return f"day {horizon.days}"


def _stayed(kind: Kind, horizon: Horizon) -> str:
    return f" ({100 * horizon.stayed / horizon.known:.0f} % {_STAYED[kind]})" if horizon.known else ""
