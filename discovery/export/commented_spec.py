"""A spec that explains itself: every setting with its reason, and what was suggested and not taken, commented out."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from discovery.results import AliasSuggestion, Choice, EventProfile, Profile
from discovery.spec import DERIVED, FORMAT_NAMES, StudySpec
from discovery.suggest import NO_TRAIT, lacks_trait, signup_words
from discovery.version import __version__
from discovery.wording import capitalised, clean, events_read

_WIDTH = 100
_GLUE = "\x1f"  # keeps a percentage on one line
_MOST_GUESSES = 15
_MOST_UP = 2
"""Folders above the spec's own up to which a path is written from there."""

_ABOUT = {
    "events": "Where the events are, and which column is which.",
    "accounts": "Where the accounts are, and which column is which.",
    "identity": "Which account a user belongs to.",
    "product": "How the product is sold: plg (self-serve), sales (inside sales) or enterprise.",
    "outcome": "What staying means. It is read strictly after the observation window.",
    "kinds": "What events are. Your word is final: a run takes these lists as yours, so correct them. An event may "
    "stand in one list only.",
    "candidates": "What is searched.",
    "inference": "Error rates, the seed, and the smallest difference that would matter.",
    "experiment": "Past randomised tests: account columns with the variant.",
    "ladder": "How many steps a ladder has.",
}
_ABOUT_KINDS = {
    "setup": "Setting up: steps on the way, not value.",
    "value": "What the customer came for.",
    "collaboration": "Bringing in other people.",
    "vanity": "Being there and looking around: compared with, and never proposed as a milestone.",
    "risk": "Failures and warnings: never proposed as a milestone.",
    "outcome_adjacent": "Part of the decision to stay or go: never ranked.",
}
_ABOUT_KEYS = {
    ("outcome", "passive"): "Happens to an account rather than being done by it: no activity, never ranked.",
    ("outcome", "activity"): "The events that count as activity.",
    ("candidates", "window_days"): "The observation window: behaviour is read in these days after signup.",
    (
        "outcome",
        "kind",
    ): "retained: has not left by then; active: does something again; converted: has converted.",
    ("events", "timezone"): "The clock by which times without a zone were written.",
    ("events", "duplicates"): "by_id: rows with a repeated id count once; exact: identical rows too; keep: all count.",
    (
        "accounts",
        "silence_days",
    ): "Dates the end of accounts that fell silent; never counts as leaving, and changes no verdict.",
}
_WORTH_A_LOOK = ("error", "warning")


def commented_spec(profile: Profile, settings: Mapping[str, Mapping[str, Any]], folder: str | os.PathLike[str]) -> str:
    """Return settings as the text of a `discover.toml` to be written into `folder`.

    Parameters
    ----------
    profile
        What was found, with the reasons.
    settings
        The settings to write, by section and key; what is empty is left out.
    folder
        Where the file will be: paths near it are written as seen from there.

    Returns
    -------
    str
        TOML that holds exactly `settings`; comments hold everything else.
    """
    page = _Page(profile, settings, Path(folder))
    return "\n".join(page.lines()).rstrip("\n") + "\n"


class _Page:
    """Lines of one file."""

    def __init__(self, profile: Profile, settings: Mapping[str, Mapping[str, Any]], folder: Path) -> None:
        self.profile, self.settings, self.folder = profile, settings, folder
        self.choices = {(choice.section, choice.key): choice for choice in profile.choices}
        self.roles = {(c.table, c.role): c for c in profile.recognised if c.role != "segment"}

    def lines(self) -> Iterator[str]:
        yield from self._head()
        for section, usual in StudySpec().model_dump(by_alias=True).items():
            body = list(self._body(section, list(usual)))
            if body:
                yield from ("", *_comment(_ABOUT[section]), f"[{section}]", *body)
        yield from ("", *_comment('Everything else has a default: docs/commands.md, "The spec", lists them all.'))

    def _head(self) -> Iterator[str]:
        seen = self.profile
        names = f"{seen.event_names:,} {'name' if seen.event_names == 1 else 'names'}"
        users = "" if seen.users is None else f", {seen.users:,} users"
        span = f", {seen.starts[:10]} to {seen.ends[:10]}" if seen.starts else ""
        yield from _comment(
            f"Written by discover init {__version__} from a first look at the data, for discover run. It is yours to "
            "change. What was suggested and not taken is commented out: remove the # in front to take it."
        )
        yield "#"
        named = FORMAT_NAMES.get(seen.format, seen.format)
        format = seen.format_reason if seen.format == "table" else f"{named}: {seen.format_reason}"
        read = events_read(seen.events_rows, seen.events_used)
        yield from _comment(f"Read: {read}, of {names}, {seen.accounts:,} accounts{users}{span} ({format}).")
        if seen.shortfall and self.settings.get("outcome") == seen.settings.get("outcome"):
            yield "#"
            yield from _comment(f"A run will say that the data are insufficient: {seen.shortfall}.")
        loud = [f for f in seen.quality if f.severity in _WORTH_A_LOOK]
        if loud:
            yield "#"
            yield from _comment("Worth a look before a run; discover check says more:")
        for finding in loud:
            yield from _comment(f"- {finding.code}: {finding.message} {finding.remedy}", indent="  ")

    def _body(self, section: str, keys: Sequence[str]) -> Iterator[str]:
        for key in keys:
            if section == "kinds" or (section, key) in (("outcome", "passive"), ("outcome", "activity")):
                yield from self._events(section, key)
            elif (section, key) != ("events", "aliases"):
                yield from self._setting(section, key)
        if section == "events":
            yield from self._aliases()

    def _setting(self, section: str, key: str) -> Iterator[str]:
        held = self.settings.get(section, {})
        extra = list(self._beside(section, key))
        if key in held:
            value = self._located(section, held[key]) if key in ("from", "persons") else held[key]
            reason = self._reason(section, key, value)
            yield from (*_comment(reason), *extra, f"{key} = {_value(value)}")
        else:
            yield from extra

    def _reason(self, section: str, key: str, value: Any) -> str:
        if (section, key) == ("accounts", "from"):
            derived = "There is no table of accounts: each is read off its events. Signup"
            return f"{derived}: {signup_words(self.profile)}." if value == DERIVED else ""
        choice = self.choices.get((section, key))
        if choice is not None:
            unknown = key == "segments" and lacks_trait(self.settings)
            return f"{_sentence(choice.reason)}{f' {NO_TRAIT}' if unknown else ''}"
        if key == "segments" and lacks_trait(self.settings):
            return NO_TRAIT
        role = self.roles.get((section, key))  # type: ignore[arg-type]
        if role is not None and role.column == value:
            return _sentence(role.reason)
        return _ABOUT_KEYS.get((section, key), "")

    def _beside(self, section: str, key: str) -> Iterator[str]:
        """Yield what was suggested for a setting and not taken."""
        held = self.settings.get(section, {})
        if (section, key) == ("accounts", "segments"):
            taken = held.get("segments") or ()
            reasons: dict[str, list[str]] = {}
            for column in self.profile.recognised:
                if column.role == "segment" and column.source == "left out" and column.column not in taken:
                    reasons.setdefault(column.reason, []).append(str(column.column))
            for reason, columns in reasons.items():
                yield from _comment(f"- left out: {', '.join(columns)}: {reason}", indent="  ")
        elif (section, key) == ("candidates", "properties") and key not in held:
            yield from self._properties()
        elif (section, key) == ("accounts", "observed_until") and key not in held and self.profile.ends:
            yield from _comment("Until when accounts could be seen: the end of the log, unless a date is given.")
            yield f"# observed_until = {_value(self.profile.ends[:10])}"
        elif key not in held and (pasted := self._pasted(section, key)):
            yield from pasted
        elif key not in held and (choice := self.choices.get((section, key))) is not None and choice.options:
            yield from self._not_taken(choice)

    def _pasted(self, section: str, key: str) -> list[str]:
        """Return the lines that findings suggest for a setting."""
        found = []
        for finding in self.profile.quality:
            head, *lines = finding.paste.splitlines() or [""]
            if head == f"[{section}]" and lines and lines[0].startswith(f"{key} = "):
                found += [*_comment(f"{finding.message} Nothing was removed."), *(f"# {line}" for line in lines)]
        return found

    def _not_taken(self, choice: Choice) -> Iterator[str]:
        yield from _comment(_sentence(choice.reason))
        others = ", ".join(_value(option) for option in choice.options[1:])
        yield f"# {choice.key} = {_value(choice.options[0])}{f'  # or {others}' if others else ''}"

    def _properties(self) -> Iterator[str]:
        suggested = [each for each in self.profile.properties if each.suggested]
        if not suggested:
            return
        yield from _comment(
            "Properties of events that would do as conditions. Each makes the search wider, and so raises the bar that "
            "every rule has to clear: open those alone that you have a reason for. Each must be the value at the time "
            "of the event: one that is overwritten later tells of the outcome, and the data cannot show it."
        )
        yield "# properties = ["
        for each in suggested:
            shown = each.name != "by_other" and each.holds != "number"
            values = f" ({', '.join(map(clean, each.examples))})" if shown else ""
            yield from _beside_or_above("#     ", f"{_value(each.name)},", f"{each.reason}{values}")
        yield "# ]"

    def _events(self, section: str, key: str) -> Iterator[str]:
        """Yield a list of events, one on a line with its reason; those not taken commented out inside the list."""
        taken = self.settings.get(section, {}).get(key, ())
        named = {event.event: event for event in self.profile.events}
        elsewhere = {name for names in self.settings.get("kinds", {}).values() for name in names}
        renamed = {s for spellings in self.settings.get("events", {}).get("aliases", {}).values() for s in spellings}
        weaker = [
            event
            for event in self.profile.events
            if _suggests(event, section, key) and event.event not in {*taken, *elsewhere, *renamed}
        ]
        if not taken and not weaker:
            return
        yield from _comment(_ABOUT_KINDS.get(key, "") if section == "kinds" else _ABOUT_KEYS[section, key])
        yield f"{key} = ["
        for name in taken:
            because = named[name].reason if name in named and _suggests(named[name], section, key) else ""
            yield from _beside_or_above("    ", f"{_value(name)},", because)
        for event in weaker[:_MOST_GUESSES]:
            yield from _beside_or_above("    # ", f"{_value(event.event)},", f"perhaps: {event.reason}")
        if len(weaker) > _MOST_GUESSES:
            yield f"    # ... and {len(weaker) - _MOST_GUESSES:,} rarer ones"
        yield "]"

    def _aliases(self) -> Iterator[str]:
        taken = self.settings.get("events", {}).get("aliases", {})
        held = {(name, spelling) for name, spellings in taken.items() for spelling in spellings}
        others = [a for a in self.profile.aliases if not held.issuperset((a.name, each) for each in a.spellings)]
        if not taken and not others:
            return
        reasons = {each.name: each for each in self.profile.aliases if each not in others}
        yield ""
        yield from _comment("Other spellings of an event: its name, then the spellings that are read as it.")
        yield "[events.aliases]" if taken else "# [events.aliases]"
        for name, spellings in taken.items():
            yield from _comment(_counted(reasons[name]) if name in reasons else "")
            yield f"{_key(name)} = {_value(tuple(spellings))}"
        for each in others:
            yield from _comment(("not merged: " if each.merge == "no" else "not taken: ") + _counted(each))
            if each.merge != "no":
                yield f"# {_key(each.name)} = {_value(each.spellings)}"

    def _located(self, section: str, source: Any) -> Any:
        if not isinstance(source, str) or (section == "accounts" and source == DERIVED):
            return source
        scheme = "duckdb://" if source.startswith("duckdb://") else ""
        if "://" in source and not scheme:
            return source
        near = _near(source.removeprefix(scheme), self.folder)
        return scheme + (f"./{near}" if section == "accounts" and near == DERIVED else near)


def _suggests(event: EventProfile, section: str, key: str) -> bool:
    return event.kind == key if section == "kinds" else key == "passive" and event.passive


def _near(path: str, folder: Path) -> str:
    """Return a path as seen from the folder where it lies near it, else absolute."""
    absolute, here = os.path.abspath(os.path.expanduser(path)), os.path.abspath(folder)
    try:
        relative = Path(os.path.relpath(absolute, here)).as_posix()
    except ValueError:  # another drive
        return absolute
    return relative if relative.split("/")[: _MOST_UP + 1].count("..") <= _MOST_UP else absolute


def _counted(suggestion: AliasSuggestion) -> str:
    names = zip((suggestion.name, *suggestion.spellings), suggestion.rows, strict=True)
    return f"{', '.join(f'{name} ({rows:,} rows)' for name, rows in names)}: {suggestion.reason}"


def _beside_or_above(start: str, item: str, reason: str) -> list[str]:
    """Return an item of a list with its reason: behind it where both fit on a line, else above it."""
    together = f"{start}{item}{f'  # {clean(reason)}' if reason else ''}"
    if not reason or len(together) <= _WIDTH:
        return [together]
    margin = start.removesuffix("# ")
    return [*(f"{margin}{line}" for line in _comment(reason, width=_WIDTH - len(margin))), f"{start}{item}"]


def _comment(text: str, indent: str = "", width: int = _WIDTH) -> list[str]:
    if not text:
        return []
    lines = textwrap.wrap(
        clean(text).replace(" %", f"{_GLUE}%"),
        width,
        initial_indent="# ",
        subsequent_indent=f"# {indent}",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_GLUE, " ") for line in lines]


def _sentence(reason: str) -> str:
    return f"{capitalised(reason).rstrip('.')}." if reason else ""


def _key(name: str) -> str:
    return tomli_w.dumps({name: 0}).rpartition(" = ")[0]


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items() if v is not None) + "}"
    if isinstance(value, list | tuple):
        return _list([_value(item) for item in value])
    return tomli_w.dumps({"v": value}).removeprefix("v = ").rstrip("\n")


def _list(items: Iterable[str]) -> str:
    return f"[{', '.join(items)}]"
