"""Numbers in the sentences of verdicts and reasons."""

from __future__ import annotations


def points(share: float) -> str:
    """Return a difference in whole percentage points, never "-0".

    Examples
    --------
    >>> points(0.137), points(-0.001)
    ('14', '0')
    """
    return str(round(100 * share))


def interval(lower: float, upper: float) -> str:
    """Return an interval in whole percentage points, as in "[-1, 7]"."""
    return f"[{points(lower)}, {points(upper)}]"
