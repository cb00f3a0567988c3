"""Conditions on events, and milestones made of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from discovery.errors import MilestoneSyntaxError
from discovery.milestone.properties import PropertyTest
from discovery.milestone.writing import event_written


@dataclass(frozen=True, slots=True, order=True)
class Condition:
    """One behaviour: `event` at least `at_least` times within `within_hours`, by `min_users` users.

    `within_hours` None means the whole observation window. `min_users` 1 asks nothing of users. Only rows that meet
    every test of `where` count; the tests are kept in canonical order without repeats.
    """

    event: str
    at_least: int = 1
    within_hours: int | None = None
    min_users: int = 1
    where: tuple[PropertyTest, ...] = ()

    def __post_init__(self) -> None:
        if not self.event:
            raise MilestoneSyntaxError("A condition needs the name of an event; it is empty.")
        object.__setattr__(self, "where", tuple(sorted(set(self.where))))

    @property
    def within_days(self) -> float | None:
        """The window in days of 24 hours, or None for the whole observation window."""
        if self.within_hours is None:
            return None
        return self.within_hours // 24 if self.within_hours % 24 == 0 else self.within_hours / 24

    @property
    def act(self) -> Condition:
        """What is done, once and at any time: the event with the tests of its properties."""
        return Condition(self.event, where=self.where)

    @property
    def act_name(self) -> str:
        """The event's own name, or the canonical text of the event with its tests."""
        return str(self.act) if self.where else self.event

    def __str__(self) -> str:
        text = event_written(self.event)
        if self.where:
            text += f"[{', '.join(map(str, self.where))}]"
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
    def of(
        cls,
        event: str,
        at_least: int = 1,
        within_hours: int | None = None,
        min_users: int = 1,
        where: tuple[PropertyTest, ...] = (),
    ) -> Milestone:
        """Build a milestone of one condition."""
        return cls((Condition(event, at_least, within_hours, min_users, where),))

    @classmethod
    def parse(cls, text: str) -> Milestone:
        """Read a milestone as people write it.

        Raises
        ------
        MilestoneSyntaxError
            If the text is not a milestone; the message names the place and the remedy.
        """
        from discovery.milestone.reading import read  # reading builds milestones

        return read(text)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Every condition, in canonical order."""
        return tuple(self._walk())

    @property
    def events(self) -> tuple[str, ...]:
        """The distinct event names, sorted."""
        return tuple(sorted({condition.event for condition in self._walk()}))

    @property
    def acts(self) -> tuple[Condition, ...]:
        """The distinct events, each with the tests of its properties, sorted."""
        return tuple(sorted({condition.act for condition in self._walk()}, key=lambda act: (act.event, act.where)))

    @property
    def properties(self) -> tuple[str, ...]:
        """The distinct names of the properties that are tested, sorted."""
        return tuple(sorted({test.name for condition in self._walk() for test in condition.where}))

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
        """Any of its events, once, with the tests of its properties."""
        return Milestone(self.acts, "or")

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
