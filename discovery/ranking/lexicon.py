"""Event names that speak of the decision to stay or go rather than of early behaviour.

Billing, renewing, upgrading, cancelling and leaving follow from the decision, so such events separate
perfectly and teach nothing. They are suggested here by name; a kind given by the user overrides this.
The words, and where they come from, are in `discovery.ranking.decision_words`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from discovery.naming import folded, words_of
from discovery.ranking.decision_words import ENTRIES, Entry

_LONGEST = 200
"""Signs of a name that are looked at: nobody writes longer ones, but a property may hold whole documents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeTerm:
    """The words of a name that speak of the decision, as people write them, and what they mean."""

    word: str
    language: str
    meaning: str


def outcome_word(event: str) -> str | None:
    """Return the words of an event name that speak of staying or going, or None.

    Words are split at punctuation and at capitals, and matched whole or from their beginning, so that
    `Plan Upgraded` and `planUpgraded` match while `unpaid_leave_requested` does not. Japanese and Chinese
    words are found anywhere. Accents and case make no difference.

    Examples
    --------
    >>> outcome_word("Subscription Cancelled")
    'subscription'
    >>> outcome_word("report_shared") is None
    True
    """
    term = outcome_term(event)
    return term.word if term else None


def outcome_term(event: str) -> OutcomeTerm | None:
    """Return the first words of an event name that speak of staying or going, with language and meaning.

    Examples
    --------
    >>> outcome_term("Kündigung_bestätigt")
    OutcomeTerm(word='kündigung', language='German', meaning='cancelling')
    """
    words = words_of(event[:_LONGEST])
    spelled = "_".join(folded(word) for word in words)
    found: list[tuple[int, int, OutcomeTerm]] = []
    for entry, speaks, ordinary in _patterns():
        match = speaks.search(spelled)
        if match and not (ordinary and ordinary.search(spelled)):
            term = OutcomeTerm(word=_as_written(match, words, entry), language=entry.language, meaning=entry.meaning)
            found.append((match.start(), -match.end(), term))
    return min(found, key=lambda each: each[:2])[2] if found else None


def _as_written(match: re.Match[str], words: list[str], entry: Entry) -> str:
    if not entry.spaced:
        return match.group(0)
    first = match.string.count("_", 0, match.start())
    return " ".join(words[first : first + match.group(0).count("_") + 1])


@cache
def _patterns() -> tuple[tuple[Entry, re.Pattern[str], re.Pattern[str] | None], ...]:
    return tuple(
        (entry, _pattern(entry.words, entry.spaced), _pattern(entry.unless, entry.spaced) if entry.unless else None)
        for entry in ENTRIES
    )


def _pattern(words: str, spaced: bool) -> re.Pattern[str]:
    forms = sorted((folded(word) for word in words.split()), key=len, reverse=True)
    any_of = "|".join(re.escape(form).replace(r"\*", "[^_]*") for form in forms)
    return re.compile(rf"(?<![^_])(?:{any_of})(?![^_])" if spaced else any_of)
