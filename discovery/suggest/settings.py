"""The suggested spec: what was recognised, what was asked for, and the answers to the choices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from discovery.results import AliasSuggestion, Choice, EventKind, EventProfile
from discovery.spec import StudySpec
from discovery.suggest.aliases import as_setting, canonical_names

Settings = dict[str, dict[str, Any]]

KINDS: tuple[EventKind, ...] = get_args(EventKind)
_ALWAYS = {
    "accounts": ("segments",),
    "outcome": ("kind",),
    "candidates": ("window_days",),
}
"""Settings that are written even where they are the default, because a reader looks for them."""

NO_TRAIT = "Without a trait known at signup the best possible verdict is a lead."

_ABOUT_KINDS: dict[EventKind, str] = {
    "setup": "Which events are setting up?",
    "value": "Which events are value: what the customer came for?",
    "collaboration": "Which events bring in other people?",
    "vanity": "Which events are only being there or looking around?",
    "risk": "Which events are failures or warnings?",
    "outcome_adjacent": "Which events are part of the decision to stay or go?",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """Columns of the accounts that may be traits known at signup: taken, and left out but possible.

    With `first_told` they hold what an export told first of each account, up to a day after its signup, else what was
    true when it was exported.
    """

    taken: tuple[str, ...]
    possible: tuple[str, ...]
    seats: tuple[str, ...]
    seats_taken: str
    first_told: bool = False


def suggested_settings(run: StudySpec, layout: str, derived: bool, choices: Iterable[Choice]) -> Settings:
    """Return the spec as plain values: all that differs from the defaults, with the value of every choice."""
    plain = run.model_dump(by_alias=True)
    usual = StudySpec().model_dump(by_alias=True)
    settings: Settings = {section: {} for section in plain}
    for section, values in plain.items():
        for key, value in values.items():
            if value != usual[section][key] or key in _ALWAYS.get(section, ()):
                settings[section][key] = value
    if layout != "table":
        settings["events"]["format"] = layout
    if derived:
        settings["accounts"]["from"] = "events"
    return settled(settings, choices, {})


def settled(
    settings: Mapping[str, Mapping[str, Any]], choices: Iterable[Choice], answers: Mapping[str, Any]
) -> Settings:
    """Return settings with the answers to choices, by `section.key`; a choice without an answer takes its value.

    What is empty is left out, and so are other spellings of an event wherever events are named.
    """
    made: Settings = {section: dict(values) for section, values in settings.items()}
    for choice in choices:
        value = answers.get(f"{choice.section}.{choice.key}", choice.value)
        made.setdefault(choice.section, {})[choice.key] = value
        if choice.key != "segments" and (value in ("", (), [], {}) or value is None):
            del made[choice.section][choice.key]
    renamed = canonical_names(made.get("events", {}).get("aliases", {}))
    for section, keys in (("kinds", KINDS), ("outcome", ("activity", "passive"))):
        for key in keys:
            if key in made.get(section, {}):
                made[section][key] = tuple(name for name in made[section][key] if name not in renamed)
                if not made[section][key]:
                    del made[section][key]
    return {section: values for section, values in made.items() if values}


def lacks_trait(settings: Mapping[str, Mapping[str, Any]]) -> bool:
    """Say whether settings name nothing of the accounts that was known at signup."""
    accounts = settings.get("accounts", {})
    return not accounts.get("segments") and not accounts.get("seats")


def kind_choices(events: Sequence[EventProfile], asked: StudySpec) -> tuple[Choice, ...]:
    """Return a choice for each kind that is suggested for any event, and for what happens by itself."""
    made = []
    for kind in KINDS:
        named = [event for event in events if event.kind == kind]
        if named:
            made.append(_of_events("kinds", kind, _ABOUT_KINDS[kind], named, getattr(asked.kinds, kind)))
    passive = [event for event in events if event.passive]
    if passive:
        said = "Which events happen to an account rather than being done by it?"
        made.append(_of_events("outcome", "passive", said, passive, asked.outcome.passive))
    return tuple(made)


def alias_choice(aliases: Sequence[AliasSuggestion], given: Mapping[str, Sequence[str]]) -> Choice | None:
    """Return the choice of aliases; None where no names look alike."""
    if not aliases:
        return None
    sure = [each for each in aliases if each.merge == "yes"]
    return Choice(
        section="events",
        key="aliases",
        question="Are these one event, spelled differently?",
        value={**given, **as_setting(sure)},
        options=tuple((each.name, *each.spellings) for each in aliases if each.merge != "no"),
        reason="; ".join(f"{each.name}: {each.reason}" for each in aliases) + ".",
    )


def trait_choices(traits: Traits, asked: bool) -> tuple[Choice, ...]:
    """Return the choice of segments, and of the seats where a column is named like them."""
    made = []
    if not asked and (traits.taken or traits.possible):
        made.append(
            Choice(
                section="accounts",
                key="segments",
                question="Which traits were known at signup? They are adjusted for, and each value is searched alone. "
                "Without any, the best possible verdict is a lead.",
                value=traits.taken,
                options=(*traits.taken, *traits.possible),
                reason="what is not constant by nature is left out unless you know that it says who came; all are as "
                "first told, up to a day after signup."
                if traits.first_told
                else "a column that may have changed since signup is left out unless you know that it has not.",
            )
        )
    if traits.seats and not traits.seats_taken:
        made.append(
            Choice(
                section="accounts",
                key="seats",
                question=f'Does the column "{traits.seats[0]}" hold the number of seats at signup?',
                value="",
                options=traits.seats,
                reason="it is as first told, up to a day after signup, and worth adjusting for."
                if traits.first_told
                else "as of the export it may be a consequence of staying; at signup it is worth adjusting for.",
            )
        )
    return tuple(made)


def motion_choice() -> Choice:
    """Return the question how the product is sold, which has no default."""
    return Choice(
        section="product",
        key="motion",
        question="How is the product sold?",
        value="",
        options=("plg", "sales", "enterprise"),
        reason="it says which time to value practitioners expect: hours (plg, self-serve), days (sales) or weeks "
        "(enterprise); nothing else depends on it.",
    )


def _of_events(section: str, key: str, question: str, events: Sequence[EventProfile], given: tuple[str, ...]) -> Choice:
    sure = (event.event for event in events if event.sure)
    return Choice(
        section=section,
        key=key,
        question=question,
        value=tuple(dict.fromkeys((*given, *sure))),
        options=tuple(dict.fromkeys((*given, *(event.event for event in events)))),
        reason="; ".join(f"{event.event}: {event.reason}" for event in events) + ".",
    )
