"""Which properties of events would do as conditions: few values, or a number, and about the act itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from discovery.naming import folded, words_of
from discovery.ranking.lexicon import outcome_term
from discovery.results import PropertyProfile

FEW = 8
"""Different values up to which each is searched as a condition."""
FILLED = 0.01
"""Share of the rows below which a property is too rare."""
_DEVICE = re.compile(
    r"browser|os|device|screen|viewport|lib|library|sdk|user|agent|locale|language|timezone|referr?er|utm|ip|city|country|"
    r"region|continent|latitude|longitude|geoip|carrier|platform|manufacturer|model|brand|host|hostname|pathname|url|path|"
    r"href|title|version|build|session|window|pageview|active|feature|flag|insert|sent|received|distinct|anonymous|raw|mp|robot|event"
)
_IDENTITY = re.compile(r"ids?|uuid|guid|key|hash|e?mail|name|username|phone|token")
_TIME = re.compile(r"(?:.*_)?(?:at|time|timestamp|date|ts|datetime)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenProperty:
    """What the first rows hold of a property; `examples` are its most frequent values.

    `of_account` says that it does not change within an account.
    """

    name: str
    holds: Literal["text", "number", "yes or no", "lists or records"]
    filled: float
    distinct: int
    examples: tuple[str, ...]
    of_account: bool = False


def property_profile(seen: SeenProperty) -> PropertyProfile:
    """Judge a property; values are shown of those alone that are suggested, for others may hold personal data."""
    against = _against(seen)
    if against:
        reason = against
    elif seen.holds == "number" and seen.distinct > FEW:
        reason = f"a number with {seen.distinct:,} different values: searched at its quartiles"
    else:
        reason = f"{seen.distinct} different values: each is searched"
    return PropertyProfile(
        name=seen.name,
        holds="text" if seen.holds == "lists or records" else seen.holds,
        filled=seen.filled,
        distinct=seen.distinct,
        examples=() if against else seen.examples,
        suggested=not against,
        reason=reason,
    )


def by_other_profile(named: float, shared: float) -> PropertyProfile:
    """Return `by_other` as a property: shares of the rows that name a user, and of the accounts with several."""
    return PropertyProfile(
        name="by_other",
        holds="yes or no",
        filled=named,
        distinct=2,
        examples=("true", "false"),
        suggested=True,
        reason=f"done by another user than the account's first; {100 * shared:.0f} % of the accounts have several",
    )


def _against(seen: SeenProperty) -> str:
    """Return why a property is not worth opening; empty where it may be."""
    words = [folded(word) for word in words_of(seen.name.rpartition(".")[2])]
    term = outcome_term(seen.name) or next((t for v in seen.examples if (t := outcome_term(v)) is not None), None)
    if seen.holds == "lists or records":
        return "it holds lists or records"
    if seen.distinct < 2:
        return "it is the same on every row that has it"
    if seen.filled < FILLED:
        return "fewer than 1 % of the rows have it"
    if term is not None:
        return f'"{term.word}" speaks of the decision to stay or go ({term.meaning})'
    if any(map(_IDENTITY.fullmatch, words)):
        return "it names something or somebody"
    if _TIME.fullmatch("_".join(words)):
        return "it is a time"
    if seen.name.startswith("$") or any(map(_DEVICE.fullmatch, words)):
        return "it describes the device or the visit, not what was done"
    if seen.of_account:
        return (
            "it is the same on all rows of an account, so it is a trait: name it in accounts.segments, if it was known "
            "at signup"
        )
    if seen.holds != "number" and seen.distinct > FEW:
        return f"it has {seen.distinct:,} different values in the first rows (up to {FEW} are searched)"
    return ""
