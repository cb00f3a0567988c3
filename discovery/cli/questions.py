"""Questions in a terminal: plain text, one line for an answer, enter takes what stands in brackets."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TextIO

from discovery.results import AliasSuggestion, Choice
from discovery.wording import capitalised, clean

WIDTH = 78
_GLUE = "\x1f"  # keeps a percentage on one line
_NONE = ("none", "no", "-", "0")

Accepts = Callable[[Any], str]
"""Says what is wrong with an answer; empty where it will do."""


class Asker:
    """Asks on one stream, reads answers from standard input, and counts its questions.

    Answers that end (Ctrl-D) stop the command, as Ctrl-C does.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.asked = 0

    def choose(self, choice: Choice, accepts: Accepts, named: Mapping[Any, str] | None = None) -> Any:
        """Return the answer to a choice; `named` says in words what its options mean."""
        self._put(choice.question, "" if choice.section == "kinds" else choice.reason)
        several = isinstance(choice.value, tuple | list) and choice.key != "active_days"
        numbered = [f"{number} {_shown(option)}" for number, option in enumerate(choice.options, start=1)]
        if named:
            for text, option in zip(numbered, choice.options, strict=True):
                self._say(wrapped(f"{text}: {named.get(option, '')}", "     ", more="  "))
        elif numbered and (several or isinstance(choice.value, str)):
            self._say(wrapped(", ".join(numbered), "     "))
        elif choice.options:
            self._say(f"     one of: {', '.join(_shown(option) for option in choice.options)}")
        hint = f" ({_hint(len(choice.options))})" if several else ""
        return self._until(f"   [{_shown(choice.value)}]{hint} ", lambda text: _answer(text, choice, several), accepts)

    def agree(self, question: str, reason: str, *, default: bool, lines: Sequence[str] = ()) -> bool:
        """Return whether the person says yes."""
        self._put(question, reason)
        for line in lines:
            self._say(line)
        said = self._until(f"   [{'Y/n' if default else 'y/N'}] ", lambda text: _yes(text, default), lambda _: "")
        return bool(said)

    def same_event(self, alias: AliasSuggestion) -> bool:
        """Return whether names are spellings of one event."""
        names = ", ".join(
            f'"{clean(name)}" ({rows:,})' for name, rows in zip((alias.name, *alias.spellings), alias.rows, strict=True)
        )
        return self.agree(f"One event, spelled differently? {names}", f"{alias.reason}.", default=True)

    def _put(self, question: str, reason: str) -> None:
        self.asked += 1
        self._say()
        self._say(wrapped(question, f"{self.asked}. "))
        if reason:
            self._say(wrapped(capitalised(reason), "   "))

    def _until(self, prompt: str, read: Callable[[str], Any], accepts: Accepts) -> Any:
        while True:
            self.stream.write(prompt)
            self.stream.flush()
            try:
                line = sys.stdin.readline()
            except UnicodeDecodeError:
                line = "?\n"
            if not line:
                raise KeyboardInterrupt
            try:
                answer = read(clean(line).strip())
                fault = accepts(answer)
            except ValueError as error:
                fault = str(error)
            if not fault:
                return answer
            self._say(wrapped(fault, "   "))

    def _say(self, text: str = "") -> None:
        self.stream.write(text + "\n")


def _answer(text: str, choice: Choice, several: bool) -> Any:
    """Return what an answer means: an option by its number or name, else a value of the same form.

    Raises
    ------
    ValueError
        If it means nothing; the text says what would.
    """
    if not text:
        return choice.value
    if several:
        if text.lower() in _NONE:
            return ()
        return tuple(dict.fromkeys(_option(part.strip(), choice) for part in text.split(",") if part.strip()))
    if isinstance(choice.value, tuple | list):
        days = re.fullmatch(r"\[?(\d+)\D+(\d+)\]?", text)
        if not days:
            raise ValueError("Write two days, as in 21-28.")
        return int(days[1]), int(days[2])
    if isinstance(choice.value, int):
        if not re.fullmatch(r"\d{1,4}", text):
            raise ValueError("Write a number of days, as in 60.")
        return int(text)
    if choice.value == "" and text.lower() in _NONE:
        return ""
    return _option(text, choice) if choice.options else text


def _hint(options: int) -> str:
    """Return how to answer with several of so many options."""
    if options < 2:
        return "1, or none" if options else "or none"
    return f"several: 1, {min(options, 3)}; or none"


def _option(text: str, choice: Choice) -> Any:
    if re.fullmatch(r"\d{1,4}", text) and 1 <= int(text) <= len(choice.options):
        return choice.options[int(text) - 1]
    for option in choice.options:
        if text.strip("\"'").lower() == str(option).lower():
            return option
    raise ValueError(f'"{text}" is none of them. Give its number or its name, or nothing for what stands in brackets.')


def _yes(text: str, default: bool) -> bool:
    if not text:
        return default
    if text.lower() in ("y", "yes", "n", "no"):
        return text.lower().startswith("y")
    raise ValueError("Answer y or n.")


def _shown(value: Any) -> str:
    if isinstance(value, tuple | list) and len(value) == 2 and all(isinstance(day, int) for day in value):
        return f"{value[0]}-{value[1]}"
    if isinstance(value, tuple | list):
        return ", ".join(clean(str(item)) for item in value) or "none"
    return clean(str(value)) or "none"


def wrapped(text: str, start: str = "", more: str = "") -> str:
    """Return text in lines that fit a terminal, all as far in as `start`, all but the first further in by `more`."""
    lines = textwrap.fill(
        clean(text).replace(" %", f"{_GLUE}%"),
        WIDTH,
        initial_indent=start,
        subsequent_indent=" " * len(start) + more,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines.replace(_GLUE, " ")
