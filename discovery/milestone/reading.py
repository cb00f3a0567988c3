"""From the text of a milestone to the milestone: recursive descent over its tokens."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from discovery.errors import MilestoneSyntaxError
from discovery.milestone.parts import Condition, Milestone
from discovery.milestone.properties import OPERATORS, Operator, PropertyTest, Scalar
from discovery.milestone.writing import Token, tokens_of, unquoted

_MOST_DIGITS, _MOST_BRACKETS = 9, 20


def read(text: str) -> Milestone:
    """Read a milestone.

    Raises
    ------
    MilestoneSyntaxError
        If the text is none.
    """
    return _Parser(text).milestone()


class _Parser:
    """expression := term ((and|or) term)*; term := condition | "(" expression ")" [within].

    condition := event ["[" test ("," test)* "]"] [>= k] [within] [by u users]; test := property operator value.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens_of(text, self._error)
        self.at = 0
        self.depth = 0

    def _error(self, what: str) -> MilestoneSyntaxError:
        return MilestoneSyntaxError(
            f"The milestone {self.text!r} cannot be read: {what}. "
            "Write it like: report_shared >= 3 within 7d by 2 users"
        )

    def _peek(self, *values: str) -> bool:
        if self.at >= len(self.tokens):
            return False
        token = self.tokens[self.at]
        return token.value in values and token.kind != "string"

    def _next(self, *kinds: str) -> Token:
        wanted = " or ".join(kinds)
        if self.at >= len(self.tokens):
            raise self._error(f"it ends where a {wanted} was expected")
        token = self.tokens[self.at]
        if token.kind not in kinds:
            raise self._error(f"{token.value!r} at character {token.place + 1} where a {wanted} was expected")
        self.at += 1
        return token

    def _take(self, *kinds: str) -> str:
        return self._next(*kinds).value

    def milestone(self) -> Milestone:
        if not self.tokens:
            raise self._error("it is empty")
        whole = self._expression()
        if self.at < len(self.tokens):
            token = self.tokens[self.at]
            raise self._error(f"{token.value!r} at character {token.place + 1} is not expected there")
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
            inner = self._within(inner, window)
        return (inner.parts[0] if len(inner.parts) == 1 else inner), True

    def _within(self, part: Milestone, hours: int) -> Milestone:
        """Give every condition of a bracket the bracket's window."""

        def widened(inner: Condition | Milestone) -> Condition | Milestone:
            if isinstance(inner, Milestone):
                return self._within(inner, hours)
            if inner.within_hours is not None:
                raise self._error(f"{inner.event!r} has a window of its own inside brackets that have one")
            return replace(inner, within_hours=hours)

        return Milestone(tuple(widened(p) for p in part.parts), part.joined)

    def _condition(self) -> Condition:
        event = self._name("an event name is empty")
        where = self._where()
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
        return Condition(event, at_least, window, users, where)

    def _name(self, empty: str) -> str:
        value = self._take("name", "string")
        if value.startswith('"'):
            value = unquoted(value)
            if not value:
                raise self._error(empty)
        return value

    def _where(self) -> tuple[PropertyTest, ...]:
        if not self._peek("["):
            return ()
        self._take("symbol")
        tests = [self._test()]
        while self._peek(","):
            self._take("symbol")
            tests.append(self._test())
        if self._peek("and", "or"):
            raise self._error('several tests of a property are joined by a comma, as in x[a = 1, b = "c"]')
        if not self._peek("]"):
            raise self._error("a square bracket is not closed")
        self._take("symbol")
        if self._peek("["):
            raise self._error("all tests of an event stand in one pair of square brackets, joined by a comma")
        return tuple(tests)

    def _test(self) -> PropertyTest:
        name = self._name("the name of a property is empty")
        operator = self._operator(name)
        value = self._values() if operator == "in" else self._value()
        try:
            return PropertyTest(name, operator, value)
        except MilestoneSyntaxError as error:
            raise self._error(str(error).removesuffix(".")) from None

    def _operator(self, name: str) -> Operator:
        if not self._peek(*OPERATORS):
            raise self._error(f"the property {name!r} must be followed by one of {' '.join(OPERATORS)}")
        return cast(Operator, self._take("symbol", "word"))

    def _values(self) -> tuple[Scalar, ...]:
        if not self._peek("("):
            raise self._error('in must be followed by values in brackets, as in ("a", "b")')
        self._take("symbol")
        values = [self._value()]
        while self._peek(","):
            self._take("symbol")
            values.append(self._value())
        if not self._peek(")"):
            raise self._error("a bracket is not closed")
        self._take("symbol")
        return tuple(values)

    def _value(self) -> Scalar:
        if self._peek("true", "false"):
            return self._take("word") == "true"
        if self.at < len(self.tokens) and self.tokens[self.at].kind == "name":
            token = self.tokens[self.at]
            raise self._error(f'{token.value!r} at character {token.place + 1} is a text; write it as "{token.value}"')
        token = self._next("string", "number")
        if token.kind == "string":
            return unquoted(token.value)
        number = float(token.value)
        if not math.isfinite(number):
            raise self._error("a number is too large")
        return number

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
