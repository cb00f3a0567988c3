"""Questions whose answers change how the data are read: which account, whose clock, when an account begins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from discovery.results import Choice, Profile
from discovery.spec import FORMAT_NAMES, StudySpec
from discovery.suggest.lexicon import is_signup

__all__ = ["AccountColumn", "Reading", "is_signup", "reading_choices", "signup_words"]

FIRST_EVENT = "first event"

MOST_HAVE_IT = 0.5
"""Share of the accounts that have an event named like a signup, from which it may mark theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountColumn:
    """A column of the events that may hold the account, how many different there are, and the share that is known."""

    column: str
    different: int
    known: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is known of how the data were read.

    `signup_from` says what signups are, as in `Profile`. `zoneless` says why the zone of the times has to be asked for;
    empty where it has not. `signup_events` are the events named like a signup with the share of all accounts that have
    them.
    """

    asked: StudySpec
    run: StudySpec
    derived: bool
    signup_from: str
    zoneless: str
    account_columns: Sequence[AccountColumn]
    signup_events: Sequence[tuple[str, float]]


def reading_choices(reading: Reading) -> tuple[Choice, ...]:
    """Return the questions that are worth asking; what the spec says already is not asked."""
    return tuple(_choices(reading))


def _choices(reading: Reading) -> Iterator[Choice]:
    used, events = reading.run.events.account, reading.asked.events
    if len(reading.account_columns) > 1 and not events.account and not reading.run.identity.source:
        yield Choice(
            section="events",
            key="account",
            question="Which column of the events is the account (the company, not the person)?",
            value=used,
            options=tuple(column.column for column in reading.account_columns),
            reason="in the first rows, "
            + "; ".join(_described(column, reading.derived) for column in reading.account_columns)
            + ".",
            rereads=True,
        )
    if reading.zoneless and "timezone" not in events.model_fields_set:
        yield Choice(
            section="events",
            key="timezone",
            question="In which time zone are the times? (as in Europe/Berlin)",
            value=reading.run.events.timezone,
            options=(),
            reason=f"{reading.zoneless}.",
            rereads=True,
        )
    if reading.derived and reading.signup_from == FIRST_EVENT:
        likely = tuple(event for event, share in reading.signup_events if share >= MOST_HAVE_IT)
        if likely:
            shares = "; ".join(f'"{e}": {100 * s:.0f} % of the accounts' for e, s in reading.signup_events)
            yield Choice(
                section="accounts",
                key="signup_event",
                question="Does one of these events mark the signup? (else: each account's first event)",
                value="",
                options=likely,
                reason=f"with such an event, accounts that are older than the log are not "
                f"taken for new ones; accounts without it are left out. {shares}.",
                rereads=True,
            )


def signup_words(profile: Profile) -> str:
    """Say what the signup of an account is where accounts are read off the events."""
    accounts = profile.settings.get("accounts", {})
    said = {
        FIRST_EVENT: "each account's first event",
        "signup event": f'each account\'s first "{accounts.get("signup_event", "")}"',
        "column": f'the column "{accounts.get("signup", "")}" of the events',
    }
    tool = FORMAT_NAMES.get(profile.signup_from, "the export")
    return said.get(profile.signup_from, f"as {tool}'s groups tell, else each account's first event")


def _described(column: AccountColumn, derived: bool) -> str:
    known = "" if derived else f", {100 * column.known:.0f} % of the rows are in the accounts"
    return f"{column.column} has {column.different:,} different values{known}"
