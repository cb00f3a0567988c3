"""How events and accounts meet, in numbers."""

from __future__ import annotations

from typing import Any

from discovery.intake.relations import Relations
from discovery.intake.sql import quoted
from discovery.results import Coverage
from discovery.spec import Day


def coverage_of(relations: Relations) -> Coverage:
    """Return how many accounts have events, early ones too, and how many events have an account and a user."""
    engine: Any = relations.engine
    events, accounts = quoted(relations.events_table), quoted(relations.accounts_table)
    window = relations.spec.candidates.window_days * Day
    rows, with_user, users, pairs, with_users = engine.rows(
        "SELECT coalesce(sum(n), 0), coalesce(sum(CASE WHEN user_id IS NOT NULL THEN n END), 0), "
        "count(DISTINCT user_id), count(user_id), count(DISTINCT CASE WHEN user_id IS NOT NULL THEN account_id END) "
        f"FROM (SELECT account_id, user_id, count(*) AS n FROM {events} GROUP BY account_id, user_id)"
    )[0]
    known, seen, early = engine.rows(
        f"SELECT coalesce(sum(n), 0), count(*), coalesce(count_if(early), 0) FROM (SELECT count(*) AS n, "
        f"bool_or(e.t >= a.signup AND e.t < a.signup + {window}) AS early "
        f"FROM {events} e JOIN {accounts} a ON e.account_id = a.account_id GROUP BY a.account)"
    )[0]
    return Coverage(
        accounts=len(relations.accounts),
        accounts_with_events=int(seen),
        accounts_with_early_events=int(early),
        users=int(users) if relations.has_users else None,
        users_per_account=pairs / with_users if relations.has_users and with_users else None,
        events_of_known_accounts=int(known) / int(rows) if rows else None,
        events_with_user=int(with_user) / int(rows) if rows and relations.has_users else None,
    )
