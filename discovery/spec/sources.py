"""Where the events, the accounts and the identities are, and which column is which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, field_validator, model_validator

from discovery.spec.secrets import holds_secret
from discovery.spec.section import Section

Format = Literal["auto", "table", "segment", "posthog", "amplitude", "mixpanel", "snowplow"]
"""How an export is laid out; a plain table names its own columns."""

FORMAT_NAMES: Final[Mapping[str, str]] = {
    "table": "a plain table",
    "segment": "Segment",
    "posthog": "PostHog",
    "amplitude": "Amplitude",
    "mixpanel": "Mixpanel",
    "snowplow": "Snowplow",
}
"""The formats as people write them."""

DERIVED = "events"
"""What `accounts.from` says where there is no table of accounts: they are read off the events."""

_NO_ZONES = ("localtime", "posixrules", "Factory")
"""Names that `zoneinfo` may find on a machine, but that mean another zone elsewhere, or none."""


def _without_secrets(source: str) -> str:
    if holds_secret(source):
        raise ValueError(
            "holds a password or token; leave it out of the spec and give it in the environment or the profile of the "
            "driver"
        )
    return source


Location = Annotated[str, AfterValidator(_without_secrets)]
"""A file, glob or folder, or the URL of a database, never with a password."""


class _Tabular(Section):
    """A file, glob, folder or database; of a database either a table or a query is named."""

    source: Location = Field("", alias="from")
    table: str = ""
    sql: str = ""

    @model_validator(mode="after")
    def _one_table(self) -> Self:
        if self.table and self.sql:
            raise ValueError("table and sql both say what to read; keep one")
        if (self.table or self.sql) and self.source and "://" not in self.source:
            raise ValueError(
                "table and sql belong to a database; name one in from, as in duckdb://crm.duckdb, or leave both out"
            )
        return self


class EventsSpec(_Tabular):
    """Where the events are and which column is which; an empty name is recognised from the data.

    Columns may be dotted paths into nested records, as in `properties.$group_0`. `creator` names the user who made
    the object an event is about, for `by_other`. `aliases` gives each event its other spellings. `leave_out` and
    `leave_out_users` are names, with `*` for any text, of events and users that are passed over.
    """

    format: Format = "auto"
    account: str = ""
    user: str = ""
    event: str = ""
    time: str = ""
    timezone: str = "UTC"
    id: str = ""
    duplicates: Literal["by_id", "exact", "keep"] = "by_id"
    creator: str = ""
    aliases: dict[str, tuple[str, ...]] = {}
    leave_out: tuple[str, ...] = ()
    leave_out_users: tuple[str, ...] = ()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value in _NO_ZONES or value.startswith(("posix/", "right/")):
            raise ValueError(f"{value!r} is not the name of one time zone; write it as in UTC or Europe/Berlin")
        try:
            ZoneInfo(value)
        except Exception as error:
            raise ValueError(f"{value!r} is not a time zone name such as UTC or Europe/Berlin") from error
        return value

    @field_validator("aliases")
    @classmethod
    def _one_name_each(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        spellings = Counter(spelling for listed in value.values() for spelling in listed)
        twice = sorted(spelling for spelling, times in spellings.items() if times > 1)
        if twice:
            raise ValueError(f"{', '.join(map(repr, twice))} is listed more than once; keep one")
        renamed = sorted(name for name in value if name in spellings)
        if renamed:
            raise ValueError(f"{', '.join(map(repr, renamed))} is both a name and another spelling; keep one")
        return value


class AccountsSpec(_Tabular):
    """Where the accounts are and which column is which; an empty name is recognised from the data.

    `from = "events"` reads them off the events: an account signs up with its first event, or with its first
    `signup_event`, and with `silence_days` counts as gone after that many days without an event (which is never
    taken for a recorded departure). Column names are then columns of the events, one value per account.

    `segments` are the traits known at signup that the estimates adjust for. `None` recognises those
    that are constant by nature (channel, country, industry); an empty list adjusts for none. `leave_out` lists ids of
    accounts to exclude, with `*` for any text.
    """

    account: str = ""
    signup: str = ""
    churned: str = ""
    converted: str = ""
    observed_until: str | date | datetime = ""
    segments: tuple[str, ...] | None = None
    seats: str = ""
    exclude: str = ""
    leave_out: tuple[str, ...] = ()
    signup_event: str = ""
    silence_days: int = Field(0, ge=0, le=3650)

    @property
    def derived(self) -> bool:
        """Whether the accounts are read off the events."""
        return self.source == DERIVED

    @model_validator(mode="after")
    def _derived_only(self) -> Self:
        named = [name for name in ("signup_event", "silence_days") if getattr(self, name)]
        if named and self.source and not self.derived:
            raise ValueError(
                f'{" and ".join(named)} belong to accounts that are read off the events; set from = "events", or '
                "leave them out"
            )
        if self.signup and self.signup_event:
            raise ValueError("signup and signup_event both say when an account signed up; keep one")
        return self


class IdentitySpec(_Tabular):
    """Which account a user belongs to, and which user ids are one person, where the events do not say.

    `from` is a table of users and their accounts, used for events without an account; with `since`, an event
    belongs to the account the user was in at the time. `persons` is a table of user ids and the person each is, such
    as PostHog's of distinct ids.
    """

    user: str = ""
    account: str = ""
    since: str = ""
    persons: Location = ""
