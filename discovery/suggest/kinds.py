"""What kind of event each may be, by its name and by how accounts do it.

A kind that `discover init` writes counts as the user's word, so only what name and use both say, or a name that leaves
no doubt, is sure; all else is shown beside the setting, commented out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from discovery.ladder import names
from discovery.ranking.lexicon import outcome_term
from discovery.results import EventKind
from discovery.suggest import lexicon

EARLY_HOURS = 72.0
"""Median hours to the first, up to which an event is early; practitioners expect set-up within three days."""
OFTEN = 3.0
"""Rows of an event and account, in the median, from which it is repeated."""
COMMON = 0.5
"""Reach from which a step is part of setting up, and a failure may be what the product is about, as in monitoring."""
NEARLY_ALL, MOST_ROWS = 0.9, 0.2
RARE = 0.02
"""Reach below which nothing is searched, and a guess that is not sure is not worth making."""
MOST_VALUES = 3
"""Suggestions of value: the actions that accounts repeat most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenEvent:
    """What is known of an event; `shared` is the share of its accounts in which two users or more did it.

    `apart` is the status and reason with which the ranking sets it apart by itself, None where it does not.
    """

    event: str
    share: float
    reach: float
    median_hours: float | None
    rows_per_account: float
    users_per_account: float | None
    shared: float | None
    at_signup: bool
    apart: tuple[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KindGuess:
    """A kind, or that it happens by itself (`passive`), or neither, with the reason; only what is `sure` is set."""

    kind: EventKind | None = None
    passive: bool = False
    sure: bool = False
    reason: str = ""


def guess_kinds(seen: Sequence[SeenEvent], given: Mapping[str, EventKind | None]) -> dict[str, KindGuess]:
    """Return a guess for every event; kinds in `given` are the user's and stay."""
    found = {each.event: _guess(each, given.get(each.event)) for each in seen}
    unclaimed = [each for each in seen if found[each.event] == KindGuess() and _may_be_value(each)]
    unclaimed.sort(key=lambda each: (-each.rows_per_account * each.reach, each.event))
    for each in unclaimed[:MOST_VALUES]:
        found[each.event] = KindGuess(
            kind="value",
            reason=f"repeated, {_times(each)}, by {_percent(each.reach)} of the accounts; is it what they came for?",
        )
    return found


def _guess(seen: SeenEvent, given: EventKind | None) -> KindGuess:
    if given is not None:
        return KindGuess(kind=given, sure=True, reason="you named it")
    if seen.apart is not None:
        return _set_apart(seen.event, seen.apart)
    for judge in (_by_tool, _failed, _presence, _collaboration, _setup, _at_signup, _passive, _vague):
        guess = judge(seen)
        if guess is not None:
            return guess if _worth_saying(guess, seen) else KindGuess(reason=guess.reason)
    return _behaves(seen) or KindGuess()


def _worth_saying(guess: KindGuess, seen: SeenEvent) -> bool:
    return guess.sure or seen.reach >= RARE


def _set_apart(event: str, apart: tuple[str, str]) -> KindGuess:
    status, reason = apart
    if status == "passive":
        return KindGuess(passive=True, sure=True, reason="you named it")
    if status != "outcome_adjacent":
        return KindGuess(reason="it is written whenever anything else is, so it counts all activity and is not ranked")
    term = outcome_term(event)
    if term is None:
        said = reason.partition(", so it looks")[0]
        return KindGuess(kind="outcome_adjacent", reason=f"{said}; a run sets it apart by itself")
    word = f'its name holds "{term.word}" ({term.meaning})'
    return KindGuess(kind="outcome_adjacent", sure=True, reason=f"{word}: part of the decision to stay or go")


def _by_tool(seen: SeenEvent) -> KindGuess | None:
    if lexicon.happens_by_itself(seen.event):
        return KindGuess(passive=True, sure=True, reason="the tracking tool writes it by itself; nobody does it")
    if lexicon.is_autocaptured(seen.event):
        return KindGuess(kind="vanity", sure=True, reason="captured at every click, page or visit: no value")
    return None


def _failed(seen: SeenEvent) -> KindGuess | None:
    if not names.is_failure(seen.event):
        return None
    if seen.reach >= COMMON:
        said = f"its name speaks of a failure, but {_percent(seen.reach)} of the accounts have it: is it your subject?"
        return KindGuess(kind="risk", reason=said)
    return KindGuess(kind="risk", sure=True, reason="its name speaks of something that failed")


def _presence(seen: SeenEvent) -> KindGuess | None:
    if names.is_presence(seen.event) and not lexicon.sees_something(seen.event):
        return KindGuess(kind="vanity", sure=True, reason="its name speaks of being there, not of doing something")
    if names.is_looking(seen.event):  # a dashboard that is viewed may be the product
        return KindGuess(kind="vanity", reason="its name speaks of looking; is seeing it what they came for?")
    return None


def _collaboration(seen: SeenEvent) -> KindGuess | None:
    word, sharing = lexicon.collaboration_word(seen.event), lexicon.sharing_word(seen.event)
    if word is not None:
        return KindGuess(kind="collaboration", sure=True, reason=f'its name holds "{word}": it brings in other people')
    if sharing is None:
        return None
    users = "" if seen.shared is None else f"; two users or more did it in {_percent(seen.shared)} of its accounts"
    return KindGuess(kind="collaboration", reason=f'its name holds "{sharing}", which may take other people{users}')


def _setup(seen: SeenEvent) -> KindGuess | None:
    if not names.is_setup(seen.event):
        return None
    said = f"its name speaks of setting up; done {_times(seen)}"
    if seen.median_hours is None:
        return KindGuess(kind="setup", reason=f"{said}, and by nobody in the first days")
    early, once = seen.median_hours <= EARLY_HOURS, seen.rows_per_account <= 1
    if early and once and seen.reach >= COMMON:
        return KindGuess(kind="setup", sure=True, reason=f"{said}, {_after(seen)} signup")
    return KindGuess(
        kind="setup", reason=f"{said}, first {_after(seen)} signup, by {_percent(seen.reach)} of the accounts"
    )


def _at_signup(seen: SeenEvent) -> KindGuess | None:
    if not seen.at_signup:
        return None
    return KindGuess(reason="it comes with signing up: it says who came, not what they did, and is not ranked")


def _passive(seen: SeenEvent) -> KindGuess | None:
    if not lexicon.may_be_passive(seen.event):
        return None
    return KindGuess(passive=True, reason="by its name it may happen to an account rather than being done by it")


def _vague(seen: SeenEvent) -> KindGuess | None:
    if not names.is_generic(seen.event):
        return None
    return KindGuess(kind="vanity", reason="its name could stand for anything")


def _behaves(seen: SeenEvent) -> KindGuess | None:
    if seen.reach >= NEARLY_ALL and seen.share >= MOST_ROWS:
        said = f"{_percent(seen.reach)} of the accounts do it, and it is {_percent(seen.share)} of the log"
        return KindGuess(kind="vanity", reason=f"{said}: being busy rather than getting value?")
    early = seen.median_hours is not None and seen.median_hours <= EARLY_HOURS
    if early and seen.rows_per_account <= 1 and seen.reach >= COMMON:
        return KindGuess(kind="setup", reason=f"done {_times(seen)}, {_after(seen)} signup")
    return None


def _may_be_value(seen: SeenEvent) -> bool:
    return seen.rows_per_account >= OFTEN and 0.1 <= seen.reach < NEARLY_ALL


def _times(seen: SeenEvent) -> str:
    rows = seen.rows_per_account
    if rows <= 1:
        return "once"
    least = int(rows)
    times = f"{least}" if rows == least else f"{least} or {least + 1}"  # the median of an even number of accounts
    return f"{'once or twice' if 1 < rows < 2 else f'{times} times'} in the median account"


def _after(seen: SeenEvent) -> str:
    hours = seen.median_hours or 0.0
    if hours < 1:
        return "within the hour after"
    return f"{hours:.0f} hours after" if hours < 48 else f"{hours / 24:.0f} days after"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
