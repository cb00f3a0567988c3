"""In which order accounts take the steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from discovery.ladder.steps import Days, Place


def first_share(one: Days, other: Days) -> float | None:
    """Return P(one came first | both were done); moments that are equal count half."""
    both = np.isfinite(one) & np.isfinite(other)
    if not both.any():
        return None
    return float(((one[both] < other[both]) + 0.5 * (one[both] == other[both])).mean())


def in_order(places: Sequence[Place]) -> list[Place]:
    """Order places by how many of the others they mostly precede; equals by their median day."""

    def wins(one: Place) -> int:
        shares = [first_share(one.first_days, other.first_days) for other in places if other is not one]
        return sum(share > 0.5 for share in shares if share is not None)

    return sorted(places, key=lambda place: (-wins(place), median(place.first_days) or 0.0, str(place.milestone)))


def median(days: Days) -> float | None:
    """Return the median of the days on which it was done; None where never."""
    done = days[np.isfinite(days)]
    return float(np.median(done)) if len(done) else None
