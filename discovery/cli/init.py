"""`discover init`: what was read, a few questions, and a commented spec."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from discovery.cli.questions import Accepts, Asker, wrapped
from discovery.cli.terminal import Console, print_utf8
from discovery.errors import InputError, OutputError, SpecError
from discovery.results import Choice, EventProfile, Profile
from discovery.spec import FORMAT_NAMES, StudySpec, build_spec, override
from discovery.suggest import KINDS, NO_TRAIT, lacks_trait, settled, signup_words
from discovery.wording import clean, columns, events_read, shorten

_SHOWN = 10
_ROLES = ("account", "user", "event", "time", "signup")
_SUCCESS = {
    "retained": "still a customer on a day",
    "active": "does something again between two days",
    "converted": "has converted by a day",
}
_MOTIONS = {
    "plg": "self-serve: first value within hours",
    "sales": "inside sales: within days",
    "enterprise": "with a roll-out: within weeks",
}

Answers = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What the command was given to read, and how: `reading` holds the other keywords of `Study`."""

    events: str
    accounts: str | None
    settings: Sequence[str]
    show_accounts: bool
    reading: Mapping[str, Any] = field(default_factory=dict)

    def profile(self, answers: Mapping[str, Any], console: Console) -> Profile:
        """Read them, with `--set` and the answers so far, and return what was found."""
        from discovery.study import Study

        with console.working() as progress:
            study = Study(self.events, self.accounts, self.spec(answers), **self.reading)
            return study.profile(progress=progress, show_accounts=self.show_accounts)

    def spec(self, answers: Mapping[str, Any]) -> StudySpec:
        """Return the spec of `--set` and the answers so far."""
        values = override({}, self.settings)
        for name, answer in answers.items():
            section, _, key = name.partition(".")
            values.setdefault(section, {})[key] = answer
        return build_spec(values, origin="--set")


def write_spec(given: Sources, out: Path, console: Console, *, yes: bool, as_json: bool) -> None:
    """Read the sources, ask where there is somebody to ask, and write the spec whole or not at all."""
    from discovery.export.commented_spec import commented_spec
    from discovery.export.single_file import refuse_existing, write_whole

    _refuse(given.events, out)
    refuse_existing(out)
    profile, answers = given.profile({}, console), Answers()
    _print_profile(console, profile)
    if not (yes or as_json or console.quiet) and sys.stdin.isatty() and sys.stdout.isatty():
        profile, answers = _ask(profile, given, console)
    made = settled(profile.settings, profile.choices, answers)
    build_spec(made, origin="the suggested spec")
    text = commented_spec(profile, made, out.parent)
    write_whole(out, text)
    if as_json:
        print_utf8(profile.to_json())
    _print_written(console, out, profile, text)
    if lacks_trait(made):
        console.say(wrapped(NO_TRAIT))
    console.say(_next(shlex.quote(str(out)), profile))


def _refuse(events: str, out: Path) -> None:
    if events.endswith(".toml"):
        raise InputError(
            f"init writes a spec, and {events} is one. Give it EVENTS, and ACCOUNTS where there is a table."
        )
    if out.is_dir():
        raise OutputError(f"{out} is a folder. Choose a file for --out, such as {out / 'discover.toml'}.")
    if out.suffix != ".toml":
        raise OutputError(f"{out} does not end in .toml, so discover run would not take it for a spec. Choose another.")


def _ask(profile: Profile, given: Sources, console: Console) -> tuple[Profile, Answers]:
    """Ask what is worth asking, and return the profile under the answers, with them.

    Where an answer changes how the data are read, they are read again before the other questions.
    """
    asker, answers = Asker(console.answers), Answers()
    console.say()
    console.say("A few questions: enter takes what stands in brackets, Ctrl-C writes nothing.")
    for choice in profile.choices:
        if choice.rereads and (len(choice.options) != 1 or choice.value == ""):
            answer = asker.choose(
                choice, _acceptance(choice, given, answers), _SUCCESS if choice.key == "kind" else None
            )
            if answer != choice.value:
                answers[f"{choice.section}.{choice.key}"] = answer
    if answers:
        profile = given.profile(answers, console)
        _print_profile(console, profile)
    return profile, _ask_rest(asker, profile, given, answers)


def _ask_rest(asker: Asker, profile: Profile, given: Sources, answers: Answers) -> Answers:
    """Ask what changes nothing about how the data are read."""
    known = {**answers, "outcome.kind": profile.settings["outcome"]["kind"]}
    rest: Answers = {}
    for choice in profile.choices:
        if not choice.rereads and choice.key in ("by_day", "active_days", "segments"):
            rest[f"{choice.section}.{choice.key}"] = asker.choose(choice, _acceptance(choice, given, known))
        if choice.key == "seats" and asker.agree(choice.question, choice.reason, default=False):
            rest["accounts.seats"] = choice.options[0]
    rest |= {**_aliases(asker, profile), **_kinds(asker, profile)}
    for choice in profile.choices:
        if choice.key == "motion":
            rest["product.motion"] = asker.choose(choice, _anything, _MOTIONS)
    return rest


def _print_profile(console: Console, profile: Profile) -> None:
    """Print what was read: rows, columns, the most frequent events, and findings to look at."""
    format = FORMAT_NAMES.get(profile.format, profile.format)
    named = format if profile.format == "table" else f"recognised as {format}"
    users = "" if profile.users is None else f", {profile.users:,} users"
    span = f", {profile.starts[:10]} to {profile.ends[:10]}" if profile.starts else ""
    derived = " (read off the events)" if profile.accounts_derived else ""
    names = f"{profile.event_names:,} {'name' if profile.event_names == 1 else 'names'}"
    read = events_read(profile.events_rows, profile.events_used)
    console.say(wrapped(f"Read {read}, of {names}, {named}{span}."))
    console.say(f"{profile.accounts:,} accounts{derived}{users}.")
    for line in _columns(profile):
        console.say(line)
    if profile.accounts_derived:
        console.say(wrapped(f"Signup: {signup_words(profile)}."))
    console.say()
    for line in _table(profile.events):
        console.say(line)
    errors = [finding for finding in profile.quality if finding.severity == "error"]
    loud = [finding.code for finding in profile.quality if finding.severity == "warning"]
    for finding in errors:
        console.say(wrapped(f"ERROR {finding.code}: {finding.message} {finding.remedy}"))
    if loud:
        console.say(wrapped(f"To look at: {', '.join(loud)}. discover check says more."))
    if profile.shortfall:
        console.say(wrapped(f"Too little for an answer: {profile.shortfall}. A run will say INSUFFICIENT."))


def _print_written(console: Console, out: Path, profile: Profile, text: str) -> None:
    """Print where the spec is, and how much of it waits to be looked at."""
    waiting = sum(line.lstrip().startswith("# ") and "# perhaps: " in line for line in text.splitlines())
    console.say()
    guesses = "1 guess about an event stands" if waiting == 1 else f"{waiting} guesses about events stand"
    more = f" {guesses} in it commented out." if waiting else ""
    console.say(wrapped(f"Wrote {out}.{more} Read it: every setting says why."))


def _next(spec: str, profile: Profile) -> str:
    """Return the next command, or commands where something is to be looked at first."""
    if profile.has_errors:
        return f"Mend the errors first: discover check {spec}"
    if any(finding.severity == "warning" for finding in profile.quality):
        return f"Next: discover check {spec}, then discover run {spec}"
    return f"Next: discover run {spec}"


def _anything(answer: Any) -> str:
    return ""


def _acceptance(choice: Choice, given: Sources, answers: Mapping[str, Any]) -> Accepts:
    """Return what says why an answer is no valid setting beside the answers so far."""

    def fault(answer: Any) -> str:
        try:
            given.spec({**answers, f"{choice.section}.{choice.key}": answer})
        except SpecError as error:
            return str(error).removeprefix("--set is not valid: ")
        return ""

    return fault


def _aliases(asker: Asker, profile: Profile) -> Answers:
    choice = next((choice for choice in profile.choices if choice.key == "aliases"), None)
    if choice is None:
        return {}
    kept = dict(choice.value)
    for alias in profile.aliases:
        if alias.merge == "yes" and not asker.same_event(alias):
            del kept[alias.name]
    return {"events.aliases": kept}


def _kinds(asker: Asker, profile: Profile) -> Answers:
    """Ask for the sure kinds all at once, and which event is value."""
    choices = {choice.key: choice for choice in profile.choices if choice.section == "kinds" or choice.key == "passive"}
    lines = [
        wrapped(f"{key}: {_listed(choices[key].value)}", "     ", "  ")
        for key in (*KINDS, "passive")
        if key in choices and choices[key].value
    ]
    taken: Answers = {}
    if lines and not asker.agree("Are these kinds of events right?", _ABOUT_KINDS, default=True, lines=lines):
        taken = {f"{choice.section}.{choice.key}": () for choice in choices.values()}
    value = choices.get("value")
    if value is not None:
        reasons = {event.event: event.reason for event in profile.events}
        taken["kinds.value"] = asker.choose(value, _anything, reasons)
    return taken


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(map(clean, names[:_SHOWN])) + more


_ABOUT_KINDS = (
    "Guessed by name and use. Vanity and risk are never proposed as a milestone; setup says where onboarding ends. "
    "With n none is set; you can edit them in the file."
)


def _columns(profile: Profile) -> Iterator[str]:
    for table in ("events", "accounts"):
        found = {c.role: c.column for c in profile.recognised if c.table == table and c.column}
        if table == "accounts" and profile.accounts_derived:
            found.pop("account", None)  # that of the events
        roles = [role for role in (*_ROLES, *found) if role in found and role != "segment"]
        named = ", ".join(f"{clean(str(found[role]))} ({role})" for role in dict.fromkeys(roles))
        if named:
            yield wrapped(f"Columns of the {table}: {named}.")


def _table(events: Sequence[EventProfile]) -> Iterator[str]:
    yield f"  {'event':<22} {'rows':>10} {'accounts':>9} {'reach':>6} {'first':>7}  kind"
    for event in events[:_SHOWN]:
        name = shorten(event.event, 21).replace("\u2026", "..")
        pad = " " * max(22 - columns(name), 0)
        kind = event.kind or ("passive" if event.passive else "")
        sure = "" if event.sure or not kind else "?"
        said = f"{kind}{sure}" or ("(at signup)" if event.at_signup else "")
        line = f"  {name}{pad} {event.rows:>10,} {event.accounts:>9,} {100 * event.reach:>4.0f} % "
        yield f"{line}{_after(event.median_hours):>7}  {said}".rstrip()
    if len(events) > _SHOWN:
        yield f"  and {len(events) - _SHOWN:,} more"
    yield "  reach: share of accounts within the window; first: median time from signup;"
    yield "  ?: a guess that is written commented out"


def _after(hours: float | None) -> str:
    if hours is None:
        return "-"
    if hours < 1:
        return f"{60 * hours:.0f} min"
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} d"
