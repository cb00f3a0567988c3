"""Numbers in words, the same way in every sentence of the intake."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from discovery.spec import Day


def percent(share: float) -> str:
    """Return a share as a whole percentage that never rounds to none or all."""
    if 0 < share < 0.01:
        return "less than 1 %"
    if 0.99 < share < 1:
        return "more than 99 %"
    return f"{100 * share:.0f} %"


def counted(count: int, one: str, many: str = "") -> str:
    """Return "1 event" or "1,234 events"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(names: Iterable[str], limit: int = 12) -> str:
    """Return names separated by commas, shortened where there are many."""
    names = list(names)
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"


def moment(micros: int) -> str:
    """Return a time in microseconds since 1970 as text: a date at midnight, else to the second."""
    time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(micros))
    return f"{time:%Y-%m-%d}" if micros % Day == 0 else f"{time:%Y-%m-%d %H:%M:%S}"
