"""Names that look like one event, as explicit aliases; nothing is ever merged without being written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from discovery.naming import similar_names
from discovery.results import AliasSuggestion
from discovery.spec import Day

RECORDED_TOGETHER = 0.2
"""Share of one name's rows with the other name in the same account and second, from which they are no alternatives."""

Merge = Literal["yes", "perhaps", "no"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """A name of the log: its rows, and when it first and last occurs (microseconds since 1970 UTC)."""

    name: str
    rows: int
    first: int
    last: int


def suggested_aliases(
    spellings: Sequence[Spelling], together: Callable[[str, str], float]
) -> tuple[AliasSuggestion, ...]:
    """Return the groups of names that look like one event, each under its most frequent name.

    Parameters
    ----------
    spellings
        Every name of the log.
    together : callable
        Share of the rows of the second name that have the first in the same account and second.

    Returns
    -------
    tuple of AliasSuggestion
        "yes" where names differ in case, punctuation and spaces alone, "perhaps" where also in tense or order, "no"
        where they are recorded together and so are two events, or one that is recorded twice. Every name is a spelling
        in at most one suggestion that is not "no".
    """
    known = {each.name: each for each in spellings}
    made: list[AliasSuggestion] = []
    for group in similar_names(known):
        members = sorted((known[name] for name in group.names), key=lambda each: (-each.rows, each.name))
        taken = {name for one in made for name in (one.name, *one.spellings)}
        members = [each for each in members if each.name not in taken]
        if len(members) > 1:
            made += _of_group(members, group.likeness == "spelling", together)
    return tuple(made)


def canonical_names(aliases: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the name of each other spelling."""
    return {spelling: name for name, spellings in aliases.items() for spelling in spellings}


def _of_group(
    members: Sequence[Spelling], alike: bool, together: Callable[[str, str], float]
) -> Iterator[AliasSuggestion]:
    kept, others = members[0], members[1:]
    shares = {each.name: together(kept.name, each.name) for each in others}
    apart = [each for each in others if shares[each.name] < RECORDED_TOGETHER]
    if apart:
        differ = "in case, punctuation or spaces alone" if alike else "in the tense, number or order of their words"
        yield _suggestion(kept, apart, "yes" if alike else "perhaps", f"they differ {differ}{_relay(kept, apart)}")
    for each in others:
        if shares[each.name] >= RECORDED_TOGETHER:
            said = (
                f'{100 * shares[each.name]:.0f} % of the rows of "{each.name}" have "{kept.name}" in the same account '
                "and second: they are two events, or one that is recorded twice, and not two spellings of one"
            )
            yield _suggestion(kept, [each], "no", said)


def _suggestion(kept: Spelling, others: Sequence[Spelling], merge: Merge, reason: str) -> AliasSuggestion:
    return AliasSuggestion(
        name=kept.name,
        spellings=tuple(each.name for each in others),
        rows=(kept.rows, *(each.rows for each in others)),
        merge=merge,
        reason=reason,
    )


def _relay(kept: Spelling, others: Sequence[Spelling]) -> str:
    """Say where one name begins when the other ends, as after a change of the tracking."""
    for each in others:
        early, late = sorted((kept, each), key=lambda one: one.first)
        if early.last < late.first + Day and early.last < late.last:
            return f'; "{early.name}" ends and "{late.name}" begins around {_date(late.first)}'
    return ""


def _date(micros: int) -> str:
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros):%Y-%m-%d}"


def as_setting(aliases: Sequence[AliasSuggestion]) -> dict[str, Any]:
    """Return suggestions as the value of `events.aliases`."""
    return {each.name: tuple(each.spellings) for each in aliases}
