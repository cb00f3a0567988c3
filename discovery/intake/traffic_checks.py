"""Traffic that is no customer's: programs, and accounts of one's own. Suggested, never removed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from discovery.engines.expressions import quoted
from discovery.intake.checked import Checked, finding, setting
from discovery.intake.identity_checks import is_placeholder
from discovery.intake.lexicon import normalised
from discovery.intake.sql import id_text, is_text, literal
from discovery.intake.wording import counted, percent
from discovery.results import QualityFinding
from discovery.spec import Day

_SECOND = 1_000_000
_SLOT = 300  # seconds
_PER_SLOT, _BUSY_SECONDS = 300, 150  # one event a second for five minutes, not one batch written at once
_BUSIEST = 100
_HOURS, _AROUND_THE_CLOCK, _ENOUGH_DAYS = 22, 0.5, 5
_SHARE, _ENOUGH_USERS = 0.2, 50
_REGULAR, _ENOUGH_INTERVALS = 0.8, 200
_WORDS = "test|tests|tester|testing|testuser|testaccount|demo|internal|qa|staging|sandbox|dummy"
_OWN = rf"(^|[^a-z0-9])({_WORDS})([0-9]{{0,4}})($|[^a-z0-9])|@example\.(com|org|net)$|@test\."
"""Whole words, with a number after them at most: neither `contest` nor `latest` is one."""


_NAMES = re.compile(r"(^|_)(name|email|e_mail|mail|domain|company|website|title)$")
"""Columns of the accounts that say who they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Traffic:
    """How one user, or account, behaves."""

    who: str
    fastest: bool
    around_the_clock: bool
    regular: bool


def traffic_findings(checked: Checked) -> Iterator[QualityFinding]:
    """Yield users and accounts that behave like programs, or are named like one's own."""
    yield from own_accounts(checked)
    if checked.events.usable_rows:
        yield from _programs(checked)
        if checked.events.has_users:
            yield from _own_users(checked)


def _programs(checked: Checked) -> Iterator[QualityFinding]:
    kind: Literal["user", "account"] = "user" if checked.events.has_users else "account"
    rows = checked.events.usable_rows
    suspects = _busiest(checked, kind)
    if not suspects:
        return
    count = int(checked.engine.rows(f"SELECT count(DISTINCT {kind}_key) FROM {checked.pairs}")[0][0])
    dominant = {who for who, n in suspects if kind == "user" and count > _ENOUGH_USERS and n > _SHARE * rows}
    behaviour = [] if checked.events.date_only else _behaviour(checked, kind, [who for who, _ in suspects])
    like_programs = {t.who: t for t in behaviour if t.fastest or t.regular or (kind == "user" and t.around_the_clock)}
    found = [who for who, _ in suspects if who in dominant or who in like_programs]
    if not found:
        return
    events = sum(n for who, n in suspects if who in found)
    reasons = [
        (sum(t.fastest for t in like_programs.values()), "more than an event a second for minutes"),
        (
            sum(t.around_the_clock for t in like_programs.values()) * (kind == "user"),
            "events at all hours of most days",
        ),
        (sum(t.regular for t in like_programs.values()), "events at regular intervals"),
        (len(dominant), "more than a fifth of all events"),
    ]
    said = ", ".join(f"{why} ({n})" for n, why in reasons if n)
    section = ("events", "leave_out_users") if kind == "user" else ("accounts", "leave_out")
    yield finding(
        "bot_like",
        "warning",
        f"{counted(len(found), kind)} {'behaves' if len(found) == 1 else 'behave'} like a program: {said}. "
        f"{'It has' if len(found) == 1 else 'They have'} {counted(events, 'event')} ({percent(events / rows)}).",
        count=len(found),
        of=count,
        examples=found,
        remedy="Nothing was removed. If these are programs (imports, monitoring, tests), leave them out: what they do "
        "is no behaviour of a customer.",
        names_accounts=True,
        paste=setting(*section, found),
    )


def _busiest(checked: Checked, kind: str) -> list[tuple[str, int]]:
    """Return those with the most events; programs that matter are busy."""
    source = checked.users if kind == "user" else checked.pairs
    found = checked.engine.rows(
        f"SELECT {kind}_id, sum(n) AS n FROM {source} WHERE NOT {is_placeholder(f'{kind}_id')} GROUP BY {kind}_id "
        f"HAVING sum(n) >= {_PER_SLOT} ORDER BY n DESC, {kind}_id LIMIT {_BUSIEST}"
    )
    return [(str(who), int(n)) for who, n in found]


def _behaviour(checked: Checked, kind: str, suspects: Sequence[str]) -> list[_Traffic]:
    taken = quoted(f"{checked.events.usable}_busiest")
    listed = ", ".join(map(literal, suspects))
    named = f"SELECT DISTINCT {kind}_key AS called, {kind}_id AS who FROM {checked.pairs} WHERE {kind}_id IN ({listed})"
    checked.engine.execute(
        f"CREATE OR REPLACE TABLE {taken} AS SELECT who, t FROM {quoted(checked.events.usable)} e "
        f"JOIN ({named}) s ON e.{kind}_id = s.called"
    )
    slots = (
        f"SELECT who, t // {_SLOT * _SECOND} AS slot, count(*) AS n, count(DISTINCT t // {_SECOND}) AS seconds "
        f"FROM {taken} GROUP BY who, slot"
    )
    fast = checked.engine.rows(
        f"SELECT who FROM ({slots}) GROUP BY who HAVING count_if(n >= {_PER_SLOT} AND seconds >= {_BUSY_SECONDS}) > 0"
    )
    hours = f"SELECT who, t // {Day} AS day, count(DISTINCT t // {Day // 24}) AS hours FROM {taken} GROUP BY who, day"
    wakeful = checked.engine.rows(
        f"SELECT who FROM ({hours}) GROUP BY who HAVING count(*) >= {_ENOUGH_DAYS} "
        f"AND count_if(hours >= {_HOURS}) >= {_AROUND_THE_CLOCK} * count(*)"
    )
    steps = f"SELECT who, (t - lag(t) OVER (PARTITION BY who ORDER BY t)) // {_SECOND} AS step FROM {taken}"
    regular = checked.engine.rows(
        f"SELECT who FROM (SELECT who, step, count(*) AS n FROM ({steps}) WHERE step IS NOT NULL GROUP BY who, step) "
        f"GROUP BY who HAVING sum(n) >= {_ENOUGH_INTERVALS} AND max(n) >= {_REGULAR} * sum(n) "
        f"AND arg_max(step, n) BETWEEN 2 AND 7200"
    )
    checked.engine.execute(f"DROP TABLE {taken}")
    sets = [{str(who) for (who,) in found} for found in (fast, wakeful, regular)]
    return [
        _Traffic(who=who, fastest=who in sets[0], around_the_clock=who in sets[1], regular=who in sets[2])
        for who in suspects
    ]


def own_accounts(checked: Checked) -> Iterator[QualityFinding]:
    """Yield that accounts are named like one's own."""
    accounts = checked.roster.accounts
    excluded = {str(key) for key in accounts.account_id[accounts.excluded]}
    found = checked.engine.rows(
        f"SELECT DISTINCT account_id FROM {quoted(checked.roster.typed)} WHERE {_looks_own('account_id')} "
        "ORDER BY account_id"
    )
    found += _named_own(checked)
    own = sorted({str(key) for (key,) in found} - excluded)
    if own:
        yield finding(
            "internal_accounts",
            "warning",
            f"{counted(len(own), 'account')} ({percent(len(own) / len(accounts))}) {'is' if len(own) == 1 else 'are'} "
            "named like a test, a demo or one of your own (test, demo, internal, qa, staging, example.com ...).",
            count=len(own),
            of=len(accounts),
            examples=own,
            remedy="Nothing was removed. If they are no customers, leave them out, or name a column that marks such "
            "accounts in accounts.exclude.",
            names_accounts=True,
            paste=setting("accounts", "leave_out", own),
        )


def _named_own(checked: Checked) -> list[tuple[str]]:
    """Return the accounts whose name, e-mail or domain says that they are one's own."""
    roll = checked.roll
    if roll is None:
        return []
    key = roll.roles["account"]
    named = [c for c in roll.names if c != key and is_text(roll.kind(c)) and _NAMES.search(normalised(c))]
    if not named:
        return []
    either = " OR ".join(_looks_own(quoted(column)) for column in named)
    account = id_text(key, roll.kind(key))
    return checked.engine.rows(
        f"SELECT DISTINCT {account} FROM {quoted(roll.rows)} WHERE ({either}) AND {account} IS NOT NULL"
    )


def _looks_own(expression: str) -> str:
    return f"coalesce(regexp_matches(lower({expression}), {literal(_OWN)}), false)"


def _own_users(checked: Checked) -> Iterator[QualityFinding]:
    found = checked.engine.rows(
        f"SELECT user_id FROM {checked.users} WHERE {_looks_own('user_id')} ORDER BY n DESC, user_id"
    )
    own = [str(key) for (key,) in found]
    if own:
        users = int(checked.engine.rows(f"SELECT count(*) FROM {checked.users}")[0][0])
        yield finding(
            "internal_users",
            "warning",
            f"{counted(len(own), 'user')} ({percent(len(own) / users)}) {'is' if len(own) == 1 else 'are'} named like "
            "a tester or one of your own (test, demo, internal, qa, staging, example.com ...).",
            count=len(own),
            of=users,
            examples=own,
            remedy="Nothing was removed. If they are no customers, leave their events out.",
            names_accounts=True,
            paste=setting("events", "leave_out_users", own),
        )
