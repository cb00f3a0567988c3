"""The words that event names are made of, whatever convention they are written in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

_NO_SPACES = "\u3040-\u30ff\u3400-\u9fff"  # kana and Chinese characters
_WORD_BREAK = re.compile(
    r"[\W_]+|(?<=[A-Z])(?=[A-Z][a-z])"
    rf"|(?<=[{_NO_SPACES}])(?=[^\W{_NO_SPACES}])|(?<=[^\W{_NO_SPACES}])(?=[{_NO_SPACES}])"
)
_ACCENTS = re.compile("[\u0300-\u036f]")
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "ı": "i", "đ": "d", "æ": "ae", "œ": "oe"})
_SEPARATORS = " _-./:,;|>()[]{}'\"’–—"
_SHORTEST_STEM = 3
_IRREGULAR = {
    "sent": "send", "made": "make", "paid": "pay", "built": "build", "ran": "run", "began": "begin", "begun": "begin",
    "wrote": "write", "written": "write", "chose": "choose", "chosen": "choose", "gave": "give", "given": "give",
    "took": "take", "taken": "take", "bought": "buy", "sold": "sell", "left": "leave", "won": "win", "saw": "see",
    "seen": "see", "got": "get", "kept": "keep", "lost": "lose", "drew": "draw", "drawn": "draw", "hid": "hide",
    "hidden": "hide",
}  # fmt: skip


def words_of(name: str) -> list[str]:
    """Return the words of a name in lower case, split at punctuation, at capitals and between scripts.

    Examples
    --------
    >>> words_of("Plan Upgraded"), words_of("planUpgraded"), words_of("APIKey_added")
    (['plan', 'upgraded'], ['plan', 'upgraded'], ['api', 'key', 'added'])
    """
    text = unicodedata.normalize("NFKC", name)
    capitals = (
        f"_{after}" if after.isupper() and (before.islower() or before.isdigit()) else after
        for before, after in zip(f" {text}", text, strict=False)
    )
    return [word.lower() for word in _WORD_BREAK.split("".join(capitals)) if word]


def folded(word: str) -> str:
    """Return a word without case and accents; kana keep their sound marks.

    Examples
    --------
    >>> folded("Kündigung")
    'kundigung'
    """
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", word.casefold()))
    return unicodedata.normalize("NFKC", plain).translate(_LETTERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarNames:
    """Names that may be one, in the order in which they were given.

    `likeness` is `spelling` where they differ in case, punctuation, spaces and accents alone, `wording` where also in
    the tense, number or order of their words: that is weak, and often two things.
    """

    names: tuple[str, ...]
    likeness: Literal["spelling", "wording"]


def similar_names(names: Iterable[str]) -> tuple[SimilarNames, ...]:
    """Return the groups of names that look like one, those alike in spelling first.

    A name is in at most one group of each likeness. A group alike in wording has names that differ in spelling too,
    and holds every spelling of each.

    Examples
    --------
    >>> for group in similar_names(["Report Shared", "report_shared", "share_report", "reports", "zoom+", "zoom-"]):
    ...     print(group.likeness, *group.names, sep=", ")
    spelling, Report Shared, report_shared
    wording, Report Shared, report_shared, share_report
    """
    spelled: dict[str, list[str]] = {}
    worded: dict[tuple[str, ...], list[str]] = {}
    for name in dict.fromkeys(name for name in names if words_of(name)):
        spelled.setdefault(_spelling(name), []).append(name)
        worded.setdefault(_wording(name), []).append(name)
    alike = [group for group in spelled.values() if len(group) > 1]
    reworded = [group for group in worded.values() if len({_spelling(name) for name in group}) > 1]
    return (
        *(SimilarNames(names=tuple(group), likeness="spelling") for group in alike),
        *(SimilarNames(names=tuple(group), likeness="wording") for group in reworded),
    )


def _spelling(name: str) -> str:
    """Return the letters, figures and telling signs of a name; figures of different words stay apart."""
    letters = ""
    for word in map(folded, words_of(name)):
        letters += "_" + word if letters[-1:].isdigit() and word[:1].isdigit() else word
    return f"{letters} {_signs(name)}"


def _wording(name: str) -> tuple[str, ...]:
    return (*sorted(_stem(folded(word)) for word in words_of(name)), _signs(name))


def _signs(name: str) -> str:
    """Return the signs that do more than part words: `zoom+` is not `zoom-`, `$pageview` not `pageview`."""
    text = unicodedata.normalize("NFKC", name).strip()
    signs = "".join(c for c in text if not (c.isalnum() or c in _SEPARATORS or c.isspace()))
    return signs + "-" * text.endswith("-")


def _stem(word: str) -> str:
    word = _IRREGULAR.get(word, word)
    for ending in ("ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM and not word.endswith("ss"):
            word = word.removesuffix(ending)
            break
    doubled = len(word) > _SHORTEST_STEM and word[-1] == word[-2] and word[-1] not in "aeiou"
    return (word[:-1] if doubled else word).removesuffix("e")
