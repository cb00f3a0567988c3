"""How names, texts and numbers are written in a milestone, and how its text falls into tokens."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

_STRING = r'(?P<string>"(?:[^"\\]|\\.)*")'
_NO_NAME = r'\s()\[\]"=<>'
_NO_PROPERTY = rf"{_NO_NAME}!,"
_OUTSIDE = re.compile(
    rf"""\s*(?:
        {_STRING}
      | (?P<symbol>>=|[()\[\]=])
      | (?P<window>\d+[dh](?!\w))
      | (?P<number>\d+(?!\w))
      | (?P<name>[^{_NO_NAME}]+)
    )""",
    re.VERBOSE,
)
_INSIDE = re.compile(
    rf"""\s*(?:
        {_STRING}
      | (?P<symbol>!=|<=|>=|[=<>,()\[\]])
      | (?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![^{_NO_PROPERTY}]))
      | (?P<name>[^{_NO_PROPERTY}]+)
    )""",
    re.VERBOSE,
)
"""Inside the brackets of a condition names end at commas and exclamation marks too."""

WORDS: Final = frozenset({"and", "or", "within", "by", "user", "users", "in"})
WORDS_INSIDE: Final = frozenset({"and", "or", "in", "true", "false"})
_PLAIN_NAME = re.compile(rf"[^{_NO_NAME}\d][^{_NO_NAME}]*")
_PLAIN_PROPERTY = re.compile(rf"[^{_NO_PROPERTY}\d.+-][^{_NO_PROPERTY}]*")
_POSITIONAL = 1e15
"""Whole numbers up to here are held, and written, as whole numbers."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a milestone's text: what it is, how it reads, and at which character it begins."""

    kind: str
    value: str
    place: int


def tokens_of(text: str, refuse: Callable[[str], Exception]) -> list[Token]:
    """Cut text into tokens; `refuse` makes the error for what is none."""
    tokens: list[Token] = []
    place, inside = 0, False
    while text[place:].strip():
        match = (_INSIDE if inside else _OUTSIDE).match(text, place)
        if match is None or match.lastgroup is None:
            raise refuse(f"cannot read {text[place:].strip()[:20]!r}")
        kind, value = match.lastgroup, match.group(match.lastgroup)
        if kind == "name" and value.lower() in (WORDS_INSIDE if inside else WORDS):
            kind, value = "word", value.lower()
        tokens.append(Token(kind, value, match.start(match.lastgroup)))
        if kind == "symbol" and value in "[]":
            inside = value == "["
        place = match.end()
    return tokens


def event_written(name: str) -> str:
    """Return the name of an event as it is written: quoted where it would not be read as one."""
    return name if _PLAIN_NAME.fullmatch(name) and name.lower() not in WORDS else quoted(name)


def property_written(name: str) -> str:
    """Return the name of a property as it is written inside brackets."""
    return name if _PLAIN_PROPERTY.fullmatch(name) and name.lower() not in WORDS_INSIDE else quoted(name)


def quoted(text: str) -> str:
    """Return text in quotation marks, those inside it escaped."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquoted(text: str) -> str:
    """Return what is written in quotation marks."""
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def canonical_number(value: float) -> float:
    """Return a number as it is held: whole ones as integers, the nearest double of any other."""
    exact = float(value)
    return int(exact) if exact.is_integer() and abs(exact) < _POSITIONAL else exact


def number_written(value: float) -> str:
    """Return a number in digits, without an exponent."""
    return str(value) if isinstance(value, int) else format(Decimal(repr(value)), "f")
