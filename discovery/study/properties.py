"""Which properties of events are searched as conditions: chosen by their values alone, before any outcome is looked at.

For every event that has the property: few different values each as `=`, numbers of more than a few values as `>=` at
their quartiles. What by its words belongs to the decision to stay or go is left out and said, and so is a property that
does not change within an account.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from discovery import wording
from discovery.exposure import EventColumns, PropertyValues, ValueCounts, ValueReach
from discovery.intake import Relations
from discovery.milestone import BY_OTHER, EXACT, Condition, Milestone, PropertyTest, Scalar
from discovery.outcome import Outcome
from discovery.ranking import JUDGED_BY, MIN_ACCOUNTS, OutcomeTerm, is_trait, outcome_term, set_apart
from discovery.results import OpenedProperty
from discovery.spec import Day

MOST_VALUES = 8
"""Different values of a property on an event up to which each is searched."""
LOOKED_THROUGH = 64
"""Different values on an event, over all accounts, beyond which it is not asked who has which."""
MOST_ACTS = 500
"""Acts that are searched, four rules each, those of most accounts first."""
NUMERIC = 0.95
"""Share of the rows with a property that must read as numbers for it to be one: a few may say `n/a`."""
DIGITS = 3
"""Significant digits of a threshold, so that it reads well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The acts that are searched, and what is said of each property."""

    acts: tuple[Condition, ...] = ()
    said: tuple[OpenedProperty, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Act:
    condition: Condition
    accounts: int


def columns_of(relations: Relations) -> EventColumns:
    """Return what the events of a study hold beyond account, event, user and time."""
    return EventColumns(
        properties=relations.properties, has_creator=relations.has_creator, log_start=relations.log_start
    )


def properties_of(milestones: Iterable[Milestone]) -> tuple[str, ...]:
    """Return the properties that must be read from the events to tell who reached milestones."""
    return tuple(sorted({name for one in milestones for name in one.properties} - {BY_OTHER}))


def with_fewer_tests(condition: Condition) -> list[Condition]:
    """Return a condition with each of its tests left out in turn, and without any."""
    one_less = [tuple(test for test in condition.where if test != left_out) for left_out in condition.where]
    return [replace(condition, where=where) for where in dict.fromkeys([*one_less, ()])] if condition.where else []


def acts_to_measure(milestones: Iterable[Milestone]) -> list[Condition]:
    """Return what must be measured to tell who reached milestones, and who would with fewer tests of properties."""
    acts = [act for one in milestones for act in one.acts]
    return [each for act in acts for each in (act, *with_fewer_tests(act)) if each.where]


def tested_by(milestones: Iterable[Milestone]) -> tuple[str, ...]:
    """Return the properties that milestones test, `by_other` among them."""
    return tuple(sorted({name for one in milestones for name in one.properties}))


def of_account(relations: Relations, outcome: Outcome, name: str, events: Collection[str]) -> Mapping[str, float]:
    """Return those of some events on which a property is a trait of the account, and the share that says so.

    Where too few accounts have several rows of one event, those of all events together are looked at.
    """
    if name == BY_OTHER or not len(outcome.positions):
        return {}
    seen = {each.event: each for each in _values(relations, outcome, name).sameness()}
    enough = {event: each for event, each in seen.items() if each.accounts >= JUDGED_BY}
    if None not in enough:
        return {}
    found = {event: enough.get(event, enough[None]) for event in events}
    return {
        event: each.same / each.accounts
        for event, each in found.items()
        if is_trait(each.accounts, each.same, each.commonest)
    }


def _values(relations: Relations, outcome: Outcome, name: str) -> PropertyValues:
    return PropertyValues(
        engine=relations.engine,
        events_table=relations.events_table,
        accounts_table=relations.accounts_table,
        columns=columns_of(relations),
        name=name,
        observation_us=relations.spec.candidates.window_days * Day,
        latest=int(relations.accounts.signup[outcome.positions].max()),
    )


def open_properties(relations: Relations, outcome: Outcome, also: Sequence[str] = ()) -> Opened:
    """Choose the acts that are searched, as `candidates.properties` asks.

    Parameters
    ----------
    relations, outcome
        What was read, and who is at the landmark; nothing else of the outcome is looked at.
    also
        Properties that are opened beside those.
    """
    names = (*relations.spec.candidates.properties, *also)
    if not names or not len(outcome.positions):
        return Opened()
    openings = [_Opening(relations=relations, outcome=outcome, name=name) for name in dict.fromkeys(names)]
    found = {opening.name: opening.found() for opening in openings}
    ordered = sorted(
        (act for acts, _ in found.values() for act in acts), key=lambda act: (-act.accounts, act.condition.act_name)
    )
    kept = {act.condition for act in ordered[:MOST_ACTS]}
    said = [_said(name, acts, left_out, kept) for name, (acts, left_out) in found.items()]
    return Opened(acts=tuple(sorted(kept, key=lambda act: act.act_name)), said=tuple(said))


def _said(name: str, acts: Sequence[_Act], left_out: Sequence[str], kept: set[Condition]) -> OpenedProperty:
    mine = [act.condition for act in acts if act.condition in kept]
    beyond = len(acts) - len(mine)
    crowded = (
        [f"{beyond:,} of its conditions would make the search too wide: only the {MOST_ACTS} that most accounts meet."]
        if beyond
        else []
    )
    return OpenedProperty(
        name=name, conditions=tuple(sorted(act.act_name for act in mine)), left_out=(*left_out, *crowded)
    )


@dataclass(frozen=True, kw_only=True)
class _Opening:
    """Finds the acts of one property."""

    relations: Relations
    outcome: Outcome
    name: str

    def found(self) -> tuple[list[_Act], list[str]]:
        """Return the acts, and sentences on what is left out."""
        term = outcome_term(self.name) if self.name != BY_OTHER else None
        if term is not None:
            return [], [f"Its name contains {_spoken(term)}, so none of its values was searched."]
        if self.name == BY_OTHER and not self.relations.has_users:
            return [], ["The events name no users."]
        everywhere = [each for each in self._values.counted() if set_apart(each.event, self.relations.spec) is None]
        if not everywhere:
            return [], ["No event has it inside an observation window."]
        traits = of_account(self.relations, self.outcome, self.name, [each.event for each in everywhere])
        counts = [each for each in everywhere if each.event not in traits]
        numeric = [each for each in counts if each.number_rows >= NUMERIC * each.rows and each.numbers > MOST_VALUES]
        listed = [each for each in counts if each not in numeric]
        few = [each.event for each in listed if each.values <= LOOKED_THROUGH]
        acts, left_out = self._of_values(self._values.reached(few))
        wide = sorted({each.event for each in listed} - {*few})
        crowded = [*wide, *left_out.crowded]
        sentences = [*_as_traits(traits, {each.event for each in everywhere}), *_unread(numeric), *left_out.sentences]
        if crowded:
            named = ", ".join(f"“{wording.clean(event)}”" for event in sorted(crowded)[:3])
            sentences.append(
                f"On {len(crowded):,} event(s) (first: {named}) it takes more than {MOST_VALUES} different values that "
                "are no numbers, or no value that enough accounts have."
            )
        return acts + self._of_numbers([each.event for each in numeric]), sentences

    @property
    def _values(self) -> PropertyValues:
        return _values(self.relations, self.outcome, self.name)

    @property
    def _fewest(self) -> int:
        """The accounts below which a value could not be ranked, whatever the outcome."""
        share = self.relations.spec.candidates.min_reach * len(self.outcome.positions)
        return max(1, min(int(np.ceil(share)), MIN_ACCOUNTS))

    def _of_values(self, reached: Sequence[ValueReach]) -> tuple[list[_Act], _LeftOut]:
        """Return an act for each value of the events that take few among the accounts at the landmark."""
        here = np.zeros(len(self.relations.accounts), dtype=bool)
        here[self.outcome.positions] = True
        by_event: dict[str, list[ValueReach]] = {}
        for each in reached:
            if here[each.accounts].any():
                by_event.setdefault(each.event, []).append(each)
        acts: list[_Act] = []
        crowded: list[str] = []
        speaking: dict[str, OutcomeTerm] = {}
        for event, values in by_event.items():
            grouped = _grouped(values, here)
            frequent = {value: n for value, n in grouped.items() if n >= self._fewest}
            if len(grouped) > MOST_VALUES or not frequent:
                crowded.append(event)
                continue
            for value, accounts in frequent.items():
                term = outcome_term(value) if isinstance(value, str) else None
                if term is None:
                    acts.append(self._act(event, PropertyTest(self.name, "=", value), accounts))
                else:
                    speaking[str(value)] = term
        sentences = [
            f"Its value “{wording.clean(value)}” contains {_spoken(term)}, so it was not searched."
            for value, term in sorted(speaking.items())
        ]
        return acts, _LeftOut(crowded=tuple(crowded), sentences=tuple(sentences))

    def _of_numbers(self, events: Sequence[str]) -> list[_Act]:
        """Return acts at the quartiles of the rows' numbers; how many accounts meet them is not counted here."""
        return [
            self._act(event, PropertyTest(self.name, ">=", threshold), len(self.outcome.positions))
            for event, numbers in self._values.quartiles(events).items()
            for threshold in sorted({_rounded(number) for number in numbers})
        ]

    def _act(self, event: str, test: PropertyTest, accounts: int) -> _Act:
        return _Act(condition=Condition(event, where=(test,)), accounts=accounts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _LeftOut:
    crowded: tuple[str, ...]
    sentences: tuple[str, ...]


def _grouped(values: Sequence[ValueReach], here: NDArray[np.bool_]) -> dict[Scalar, int]:
    """Return how many accounts have each value: numbers where all are, truth values where all are, else texts."""
    by_number = all(each.number is not None and abs(each.number) < EXACT for each in values)
    by_truth = {each.value for each in values} <= {"true", "false"}
    having: dict[Scalar, list[NDArray[np.int64]]] = {}
    for each in values:
        value: Scalar = each.value
        if by_number and each.number is not None:
            value = each.number
        elif by_truth:
            value = each.value == "true"
        having.setdefault(value, []).append(each.accounts)
    return {value: int(here[np.unique(np.concatenate(accounts))].sum()) for value, accounts in having.items()}


def _unread(numeric: Sequence[ValueCounts]) -> list[str]:
    """Say how many rows have a value that is no number where the others' are cut by size."""
    unread = sum(each.rows - each.number_rows for each in numeric)
    if not unread:
        return []
    rows = sum(each.rows for each in numeric)
    return [f"On {unread:,} of {rows:,} rows of events that are cut by size it is no number; those meet no threshold."]


def _as_traits(traits: Mapping[str, float], events: set[str]) -> list[str]:
    found = sorted(events & set(traits))
    if not found:
        return []
    named = ", ".join(f"“{wording.clean(event)}”" for event in found[:3])
    where = "" if len(found) == len(events) else f"On {len(found):,} event(s) (first: {named}) "
    share = min(traits[event] for event in found)
    mostly = "in all" if share == 1 else f"in at least {int(100 * share)} %"
    return [
        f"{where}{'it' if where else 'It'} is the same on all rows of an account, {mostly} of those that have several: "
        "a trait of the account, not something it does. Name it in accounts.segments, if it was known at signup."
    ]


def _rounded(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")


def _spoken(term: OutcomeTerm) -> str:
    return f"“{term.word}” ({term.meaning}), which speaks of the decision to stay or go"
