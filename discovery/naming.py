"""The words that event names are made of, whatever convention they are written in."""

from __future__ import annotations

import re
import unicodedata

_NO_SPACES = "\u3040-\u30ff\u3400-\u9fff"  # kana and Chinese characters
_WORD_BREAK = re.compile(
    r"[\W_]+|(?<=[A-Z])(?=[A-Z][a-z])"
    rf"|(?<=[{_NO_SPACES}])(?=[^\W{_NO_SPACES}])|(?<=[^\W{_NO_SPACES}])(?=[{_NO_SPACES}])"
)
_ACCENTS = re.compile("[\u0300-\u036f]")
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "ı": "i", "đ": "d", "æ": "ae", "œ": "oe"})


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
