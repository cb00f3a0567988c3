"""Traits of the accounts read anew for a kept reading: other segments, other seats, the same accounts and events."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace

from discovery.engines.duckdb import DuckDBEngine
from discovery.intake.loading import opened_accounts
from discovery.intake.looking import account_roll, assigned
from discovery.intake.relations import Accounts, Relations
from discovery.intake.roster import Roster, build_accounts
from discovery.results import RecognisedColumn
from discovery.spec import StudySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class TraitsAgain:
    """What the accounts say under another choice of segments and seats."""

    accounts: Accounts
    roster: Roster
    recognised: tuple[RecognisedColumn, ...]
    columns: dict[str, object]  # by key of the accounts' section, as recognised


def traits_again(
    events: object, accounts: object, spec: StudySpec, relations: Relations, roster: Roster, limit: str | None
) -> TraitsAgain:
    """Read the accounts, and only these, for the segments and the seats that a spec asks for.

    Parameters
    ----------
    events, accounts, spec
        As for `load`.
    relations, roster
        The kept reading, and its accounts with what was found in them.
    limit
        The memory limit of the engine that reads.

    Raises
    ------
    InputError
        If a column named in the spec is absent or cannot be used.
    """
    with closing(DuckDBEngine(limit)) as engine:
        roll = account_roll(engine, opened_accounts(engine, events, accounts, spec, 0), spec, "accounts_rows")
        fresh = build_accounts(
            roll.table,
            "accounts_again",
            roll.segments,
            assigned(spec),
            timezone=spec.events.timezone,
            date_only=relations.date_only,
            leave_out=spec.accounts.leave_out,
            signup_from=roll.signup_from,
        )
    told = replace(relations.accounts, segments=fresh.accounts.segments, seats=fresh.accounts.seats)
    return TraitsAgain(
        accounts=told,
        roster=replace(roster, accounts=told, unusable_seats=fresh.unusable_seats),
        recognised=(*(c for c in relations.recognised if c.table == "events"), *roll.table.recognised),
        columns={"segments": roll.segments, "seats": spec.accounts.seats},
    )
