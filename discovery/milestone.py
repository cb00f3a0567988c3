"""The language of behaviour: conditions on events, and milestones made of them.

::

    report_shared                                   at least once within the observation window
    report_shared >= 3 within 7d                    threshold and window
    report_shared >= 3 within 7d by 2 users         breadth: at least two distinct users
    "Deal Created" within 3d and email_synced       each part with its own window
    (deal_created and email_synced) within 7d       one window for all
    csv_uploaded or salesforce_connected            alternatives

`within 7d` means `signup <= t < signup + 7 x 24 h`. `str(Milestone.parse(text))` is canonical: equal
milestones print alike, and the printed form parses back to an equal milestone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from discovery.errors import MilestoneSyntaxError

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<symbol>>=|[()\[\]=])
      | (?P<window>\d+[dh](?!\w))
      | (?P<number>\d+(?!\w))
      | (?P<name>[^\s()\[\]"=<>]+)
    )""",
    re.VERBOSE,
)
_WORDS = {"and", "or", "within", "by", "user", "users", "in"}
_MOST_DIGITS, _MOST_BRACKETS = 9, 20
_PLAIN_NAME = re.compile(r'[^\s()\[\]"=<>\d][^\s()\[\]"=<>]*')


@dataclass(frozen=True, slots=True, order=True)
class Condition:
    """One behaviour: `event` at least `at_least` times within `within_hours`, by `min_users` users.

    `within_hours` None means the whole observation window. `min_users` 1 asks nothing of users.
    """

    event: str
    at_least: int = 1
    within_hours: int | None = None
    min_users: int = 1

    def __post_init__(self) -> None:
        if not self.event:
            raise MilestoneSyntaxError("A condition needs the name of an event; it is empty.")

    @property
    def within_days(self) -> float | None:
        """The window in days of 24 hours, or None for the whole observation window."""
        if self.within_hours is None:
            return None
        return self.within_hours // 24 if self.within_hours % 24 == 0 else self.within_hours / 24

    def __str__(self) -> str:
        text = _quoted(self.event)
        if self.at_least > 1:
            text += f" >= {self.at_least}"
        if self.within_hours is not None:
            whole_days = self.within_hours % 24 == 0
            text += f" within {self.within_hours // 24}d" if whole_days else f" within {self.within_hours}h"
        if self.min_users > 1:
            text += f" by {self.min_users} users"
        return text


@dataclass(frozen=True, slots=True)
class Milestone:
    """A combination of conditions, joined by `and` (all of them) or by `or` (any of them).

    A milestone of one condition is a milestone of one part. Parts are kept in canonical order without
    repeats, and a part joined by the same word is taken apart, so equal milestones compare equal.
    """

    parts: tuple[Condition | Milestone, ...]
    joined: Literal["and", "or"] = "and"

    def __post_init__(self) -> None:
        flat: list[Condition | Milestone] = []
        for part in self.parts:
            if isinstance(part, Milestone) and (part.joined == self.joined or len(part.parts) == 1):
                flat.extend(part.parts)
            else:
                flat.append(part)
        if not flat:
            raise MilestoneSyntaxError("A milestone needs at least one condition.")
        unique, joined = tuple(sorted(set(flat), key=_order)), self.joined
        if len(unique) == 1:
            only = unique[0]
            unique, joined = (only.parts, only.joined) if isinstance(only, Milestone) else (unique, "and")
        object.__setattr__(self, "parts", unique)
        object.__setattr__(self, "joined", joined)

    @classmethod
    def of(cls, event: str, at_least: int = 1, within_hours: int | None = None, min_users: int = 1) -> Milestone:
        """Build a milestone of one condition."""
        return cls((Condition(event, at_least, within_hours, min_users),))

    @classmethod
    def parse(cls, text: str) -> Milestone:
        """Read a milestone as people write it.

        Raises
        ------
        MilestoneSyntaxError
            If the text is not a milestone; the message names the place and the remedy.
        """
        return _Parser(text).milestone()

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Every condition, in canonical order."""
        return tuple(self._walk())

    @property
    def events(self) -> tuple[str, ...]:
        """The distinct event names, sorted."""
        return tuple(sorted({condition.event for condition in self._walk()}))

    @property
    def family(self) -> str:
        """The sorted event names joined by ` + `."""
        return " + ".join(self.events)

    @property
    def without_windows(self) -> Milestone:
        """The same behaviour at any time of the observation window."""
        parts = (replace(p, within_hours=None) if isinstance(p, Condition) else p.without_windows for p in self.parts)
        return Milestone(tuple(parts), self.joined)

    @property
    def any_event(self) -> Milestone:
        """Any of its events, once."""
        return Milestone(tuple(Condition(event) for event in self.events), "or")

    def _walk(self) -> Iterator[Condition]:
        for part in self.parts:
            if isinstance(part, Condition):
                yield part
            else:
                yield from part._walk()

    def __str__(self) -> str:
        texts = [f"({part})" if isinstance(part, Milestone) else str(part) for part in self.parts]
        last = self.parts[-1]
        ambiguous = isinstance(last, Condition) and last.within_hours is not None
        if ambiguous and any(isinstance(p, Condition) and p.within_hours is None for p in self.parts[:-1]):
            texts[-1] = f"({texts[-1]})"
        return f" {self.joined} ".join(texts)


def _order(part: Condition | Milestone) -> tuple[int, str]:
    return (isinstance(part, Milestone), str(part))


def _quoted(name: str) -> str:
    if _PLAIN_NAME.fullmatch(name) and name.lower() not in _WORDS:
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


class _Parser:
    """Recursive descent: expression := term ((and|or) term)*; term := condition | "(" expression ")" [within]."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self._tokenise(text)
        self.at = 0
        self.depth = 0

    def _tokenise(self, text: str) -> list[tuple[str, str, int]]:
        tokens, place = [], 0
        while text[place:].strip():
            match = _TOKEN.match(text, place)
            if match is None or match.lastgroup is None:
                raise self._error(f"cannot read {text[place:].strip()[:20]!r}")
            kind, value = match.lastgroup, match.group(match.lastgroup)
            if kind == "name" and value.lower() in _WORDS:
                kind, value = "word", value.lower()
            tokens.append((kind, value, match.start(match.lastgroup)))
            place = match.end()
        return tokens

    def _error(self, what: str) -> MilestoneSyntaxError:
        return MilestoneSyntaxError(
            f"The milestone {self.text!r} cannot be read: {what}. "
            "Write it like: report_shared >= 3 within 7d by 2 users"
        )

    def _peek(self, *values: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at][1] in values and self.tokens[self.at][0] != "string"

    def _take(self, *kinds: str) -> str:
        wanted = " or ".join(kinds)
        if self.at >= len(self.tokens):
            raise self._error(f"it ends where a {wanted} was expected")
        kind, value, place = self.tokens[self.at]
        if kind not in kinds:
            raise self._error(f"{value!r} at character {place + 1} where a {wanted} was expected")
        self.at += 1
        return value

    def milestone(self) -> Milestone:
        if not self.tokens:
            raise self._error("it is empty")
        whole = self._expression()
        if self.at < len(self.tokens):
            _, value, place = self.tokens[self.at]
            raise self._error(f"{value!r} at character {place + 1} is not expected there")
        return whole

    def _expression(self) -> Milestone:
        terms = [self._term()]
        joined: str | None = None
        while self._peek("and", "or"):
            word = self._take("word")
            if joined not in (None, word):
                raise self._error("'and' and 'or' are mixed; put brackets around the part that belongs together")
            joined = word
            terms.append(self._term())
        self._refuse_trailing_window(terms)
        return Milestone(tuple(terms for terms, _ in terms), "or" if joined == "or" else "and")

    def _refuse_trailing_window(self, terms: Sequence[tuple[Condition | Milestone, bool]]) -> None:
        """Refuse `a and b within 7d`, which could mean b alone or both."""
        last, bracketed = terms[-1]
        if bracketed or not isinstance(last, Condition) or last.within_hours is None:
            return
        if any(isinstance(term, Condition) and term.within_hours is None for term, _ in terms[:-1]):
            raise self._error(
                "the window at the end could belong to the last part or to all of them; "
                "write (a and b) within 7d for all, or a and (b within 7d) for the last"
            )

    def _term(self) -> tuple[Condition | Milestone, bool]:
        if not self._peek("("):
            return self._condition(), False
        self._take("symbol")
        self.depth += 1
        if self.depth > _MOST_BRACKETS:
            raise self._error(f"it has more than {_MOST_BRACKETS} brackets inside each other")
        inner = self._expression()
        self.depth -= 1
        if not self._peek(")"):
            raise self._error("a bracket is not closed")
        self._take("symbol")
        window = self._window()
        if window is not None:
            inner = _within(inner, window, self)
        return (inner.parts[0] if len(inner.parts) == 1 else inner), True

    def _condition(self) -> Condition:
        event = self._event()
        if self._peek("["):
            raise self._error('conditions on properties, as in event[plan = "pro"], are not supported yet')
        at_least = 1
        if self._peek(">="):
            self._take("symbol")
            at_least = self._positive("at least", self._take("number"))
        window = self._window()
        users = 1
        if self._peek("by"):
            self._take("word")
            users = self._positive("users", self._take("number"))
            if not self._peek("user", "users"):
                raise self._error("'by 2' must be followed by the word users")
            self._take("word")
        return Condition(event, at_least, window, users)

    def _event(self) -> str:
        value = self._take("name", "string")
        if value.startswith('"'):
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
            if not value:
                raise self._error("an event name is empty")
        return value

    def _window(self) -> int | None:
        if not self._peek("within"):
            return None
        self._take("word")
        text = self._take("window")
        return self._positive("window", text[:-1]) * (24 if text[-1] == "d" else 1)

    def _positive(self, what: str, text: str) -> int:
        if len(text) > _MOST_DIGITS:
            raise self._error(f"{what} is too large a number")
        if int(text) < 1:
            raise self._error(f"{what} must be at least 1")
        return int(text)


def _within(part: Milestone, hours: int, parser: _Parser) -> Milestone:
    """Give every condition of a bracket the bracket's window."""

    def widened(inner: Condition | Milestone) -> Condition | Milestone:
        if isinstance(inner, Milestone):
            return _within(inner, hours, parser)
        if inner.within_hours is not None:
            raise parser._error(f"{inner.event!r} has a window of its own inside brackets that have one")
        return Condition(inner.event, inner.at_least, hours, inner.min_users)

    return Milestone(tuple(widened(p) for p in part.parts), part.joined)
