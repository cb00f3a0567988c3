"""Which of the users of PostHog's events are one person, as far as the events themselves tell."""

from __future__ import annotations

from discovery.intake.formats.posthog_rows import IDENTITY_EVENTS, NOTHING, Rows
from discovery.intake.sources import Source
from discovery.intake.sql import id_text, literal

NOBODY = "00000000-0000-0000-0000-000000000000"
"""What PostHog writes where an event has no person."""


def persons(rows: Rows, user: str, time: str, source: Source) -> str:
    """Return the SELECT of users that turned out to be one person.

    PostHog attributes an event to the person known when it came in, and never returns to it. Two ids are one person
    where events of one distinct id were attributed to the one and later to the other, and where an anonymous id was
    identified. As in PostHog, an id that was itself identified is never taken into another, so that people who share
    a device stay apart.
    """
    seen = _seen(rows, user, time, source)
    told = (
        "SELECT other AS d, arg_min(d, (t, d)) AS into_d FROM seen "
        "WHERE other <> d AND (forced OR other NOT IN (SELECT d FROM seen WHERE other IS NOT NULL AND NOT forced)) "
        "GROUP BY other"
    )
    last = "SELECT d, arg_max(p, (p <> d, t, p)) AS p FROM seen WHERE p IS NOT NULL GROUP BY d"
    links = (
        "SELECT s.p AS user_id, l.p AS person_id, max(s.t) AS t FROM seen s JOIN last l USING (d) GROUP BY 1, 2 "
        "UNION ALL SELECT COALESCE(x.p, told.d), COALESCE(y.p, told.into_d), NULL FROM told "
        "LEFT JOIN last x ON x.d = told.d LEFT JOIN last y ON y.d = told.into_d"
    )
    return (
        f"WITH seen AS MATERIALIZED ({seen}), last AS ({last}), told AS ({told}), links AS ({links}) "
        "SELECT user_id, arg_max(person_id, (COALESCE(t, 0), person_id)) AS person_id FROM links "
        "WHERE user_id <> person_id GROUP BY user_id"
    )


def _seen(rows: Rows, user: str, time: str, source: Source) -> str:
    """Return the SELECT of distinct ids `d`, the user `p` of their events, and the `other` id they were told to be."""
    distinct = rows.columns["distinct_id"]
    said = " ".join(
        f"WHEN {literal(event)} THEN {rows.told(key)}"
        for event, key in zip(IDENTITY_EVENTS, ("$anon_distinct_id", "alias", "alias"), strict=True)
    )
    other = f"CASE {rows.filled('event')} {said} ELSE {NOTHING} END"
    forced = f"COALESCE({rows.filled('event')} = '$merge_dangerously', false)"
    return (
        f"SELECT d, p, other, forced, max(t) AS t FROM (SELECT {id_text(distinct, source.columns[distinct])} AS d, "
        f"{id_text(user, source.columns[user])} AS p, {other} AS other, {forced} AS forced, "
        f"COALESCE({time}, 0) AS t FROM {source.table()}) WHERE d IS NOT NULL GROUP BY ALL"
    )
