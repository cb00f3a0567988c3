"""Which column of the events plays which role: the spec's word, then the export's own layout, then names and values."""

from __future__ import annotations

from typing import get_args

from discovery.engines.expressions import quoted
from discovery.errors import ColumnError
from discovery.intake.columns import SPOKEN, Table, also_named, distinct, distinct_share, settle_time
from discovery.intake.formats import EventRole, Layout
from discovery.intake.lexicon import EVENT_ROLES, SENT_AND_RECEIVED, by_preference, last_part
from discovery.intake.sql import id_text
from discovery.intake.wording import percent
from discovery.spec import EventsSpec


def recognise_events(
    table: Table, spec: EventsSpec, accounts: Table | None, layout: Layout, mapped_by: str = ""
) -> None:
    """Settle the roles of the events' columns.

    Parameters
    ----------
    table
        The first rows of the events, with every column of the layout.
    spec
        What is asked.
    accounts
        The accounts with their columns recognised; None where they are read off the events.
    layout
        What the export itself tells.
    mapped_by
        What says which account a user belongs to, in words; empty where nothing does. Then a column with the account
        is needed.

    Raises
    ------
    ColumnError
        If a column named in the spec is absent, or the account id, event name or time is not found.
    """
    _settle_told(table, spec, layout)
    if "time" not in table.roles:
        settle_time(table, "time", spec.time, needed=True)
    if "account" not in table.roles:
        _settle_account(table, spec.account, accounts, mapped_by)
    if "event" not in table.roles:
        _settle_event_name(table, spec.event)
    if "user" not in table.roles:
        _settle_user(table, spec.user)
    if "id" not in table.roles:
        _settle_row_id(table, spec.id)
    if spec.creator and "creator" not in table.roles:
        table.check_named("creator", spec.creator)
        table.settle("creator", spec.creator, "spec", "named in the spec")
    for role, names in SENT_AND_RECEIVED.items():
        if role not in table.roles:
            _settle_further_time(table, role, names)


def _settle_told(table: Table, spec: EventsSpec, layout: Layout) -> None:
    """Settle the roles that the layout knows and the spec says nothing of."""
    for role in get_args(EventRole):
        if role in layout.roles and not getattr(spec, role, ""):
            told = layout.roles[role]
            table.settle(role, told.column, "recognised", told.why)
            if role == "time":
                table.clock(told.column)


def _settle_account(table: Table, named: str, accounts: Table | None, mapped_by: str) -> None:
    if named:
        table.check_named("account", named)
        table.settle("account", named, "spec", "named in the spec")
        return
    candidates = [c for c in _named_like_accounts(table) if c not in table.roles.values()]
    shares = {column: _known_share(table, column, accounts) for column in candidates} if accounts else {}
    chosen = next((column for column in candidates if shares.get(column, 1) > 0), None)
    if chosen is None and accounts is not None and (best := _holding_accounts(table, candidates, accounts)):
        why = f"its values are account ids: {percent(best[1])} of the rows looked at are in accounts"
        table.settle("account", best[0], "recognised", why + also_named(best[0], candidates))
        return
    if chosen is None and mapped_by:
        table.note("account", None, "recognised", f"each event belongs to the account of its user: {mapped_by}")
        return
    if not candidates:
        raise _no_account(table)
    chosen = chosen or candidates[0]
    known = f"; {percent(shares[chosen])} of the rows looked at belong to an account in accounts" if shares else ""
    why = f"named like an account id{known}"
    table.settle("account", chosen, "recognised", why + also_named(chosen, candidates))


def _no_account(table: Table) -> ColumnError:
    return ColumnError(
        f"{table.missing('account')} If the events name users alone, name a table of users and their accounts: "
        "--set identity.from=PATH."
    )


def _named_like_accounts(table: Table) -> list[str]:
    """Return the columns named like an account id; of columns inside nested records, the last part of the name."""
    inside = {last_part(column): column for column in reversed(table.names) if column in table.source.derived}
    plain = by_preference(table.names, EVENT_ROLES["account"])
    nested = [inside[name] for name in by_preference(tuple(inside), EVENT_ROLES["account"])]
    return list(dict.fromkeys([*plain, *nested]))


def _holding_accounts(table: Table, candidates: list[str], accounts: Table) -> tuple[str, float] | None:
    """Return the column, not named like one, in which at least half of the values are account ids, and the share."""
    taken = {*candidates, *table.roles.values()}
    others = {c: _known_share(table, c, accounts) for c in table.names if c not in taken}
    best = max(others, key=lambda c: others[c], default=None)
    return None if best is None or others[best] < 0.5 else (best, others[best])


def _settle_event_name(table: Table, named: str) -> None:
    if named:
        table.check_named("event", named)
        table.settle("event", named, "spec", "named in the spec")
        return
    taken = set(table.roles.values())
    candidates = [c for c in by_preference(table.names, EVENT_ROLES["event"]) if c not in taken]
    filled = [c for c in candidates if distinct(table, c)]
    if not candidates:
        raise table.missing("event")
    chosen = (filled or candidates)[0]
    why = f"named like an event name; {distinct(table, chosen):,} different values in the rows looked at"
    table.settle("event", chosen, "recognised", why + also_named(chosen, candidates))


def _settle_user(table: Table, named: str) -> None:
    if named:
        table.check_named("user", named)
        table.settle("user", named, "spec", "named in the spec")
        return
    candidates = by_preference(table.names, EVENT_ROLES["user"])
    free = [c for c in candidates if c not in table.roles.values()]
    if free:
        table.settle("user", free[0], "recognised", "named like a user id" + also_named(free[0], free))
    elif candidates:
        table.note("user", candidates[0], "left out", "it is already the account id")
    else:
        table.note("user", None, "not found", "no column is named like a user id, so milestones cannot count users")


def _settle_row_id(table: Table, named: str) -> None:
    if named:
        table.check_named("id", named)
        table.settle("id", named, "spec", "named in the spec")
        return
    for column in by_preference(table.names, EVENT_ROLES["id"]):
        share = distinct_share(table, column)
        if column not in table.roles.values() and share >= 0.5:
            why = f"named like the id of a row; {percent(share)} of its values are different"
            table.settle("id", column, "recognised", why)
            return
        table.note("id", column, "left out", f"only {percent(share)} of its values are different: not the id of a row")
    table.note("id", None, "not found", "no column is named like the id of a row")


def _settle_further_time(table: Table, role: str, names: tuple[str, ...]) -> None:
    """Settle when events were sent or arrived, where a column of that name is not the time itself."""
    free = tuple(column for column in table.names if column not in table.roles.values())
    for column in by_preference(free, names):
        if table.clock(column).readable > 0.5:
            table.settle(role, column, "recognised", f"named like {SPOKEN[role]}; {table.clock(column).words}")
            return


def _known_share(table: Table, column: str, accounts: Table) -> float:
    key = accounts.roles["account"]
    known = f"SELECT {id_text(key, accounts.kind(key))} FROM {quoted(accounts.rows)}"
    text = id_text(column, table.kind(column))
    filled, matched = table.engine.rows(
        f"SELECT count(k), count_if(k IN ({known})) FROM (SELECT {text} AS k FROM {quoted(table.rows)})"
    )[0]
    return matched / filled if filled else 0.0
