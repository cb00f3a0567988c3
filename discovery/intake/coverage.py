"""How events and accounts meet, in numbers."""

from __future__ import annotations

from typing import Any

from discovery.engines.expressions import aliased
from discovery.intake.relations import Relations
from discovery.results import Coverage
from discovery.spec import Day


def coverage_of(relations: Relations) -> Coverage:
    """Return how many accounts have events, early ones too, and how many events have an account and a user."""
    engine: Any = relations.engine
    events = aliased(relations.events_table, "e").sql(dialect=engine.dialect)
    accounts = aliased(relations.accounts_table, "a").sql(dialect=engine.dialect)
    window = relations.spec.candidates.window_days * Day
    rows, with_user, users, pairs, with_users = engine.rows(
        "SELECT SUM(n), SUM(CASE WHEN user_id IS NOT NULL THEN n END), COUNT(DISTINCT user_id), COUNT(user_id), "
        "COUNT(DISTINCT CASE WHEN user_id IS NOT NULL THEN account_id END) "
        f"FROM (SELECT account_id, user_id, COUNT(*) AS n FROM {events} GROUP BY account_id, user_id) AS p"
    )[0]
    known, seen, early = engine.rows(
        "SELECT SUM(n), COUNT(*), SUM(early) FROM (SELECT COUNT(*) AS n, "
        f"MAX(CASE WHEN e.t >= a.signup AND e.t < a.signup + {window} THEN 1 ELSE 0 END) AS early "
        f"FROM {events} JOIN {accounts} ON e.account_id = a.account_id GROUP BY a.account) AS p"
    )[0]
    rows, with_user, known, early = (each or 0 for each in (rows, with_user, known, early))
    return Coverage(
        accounts=len(relations.accounts),
        accounts_with_events=int(seen),
        accounts_with_early_events=int(early),
        users=int(users) if relations.has_users else None,
        users_per_account=pairs / with_users if relations.has_users and with_users else None,
        events_of_known_accounts=int(known) / int(rows) if rows else None,
        events_with_user=int(with_user) / int(rows) if rows and relations.has_users else None,
    )
