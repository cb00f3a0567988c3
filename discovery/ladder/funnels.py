"""The same ladder by segment, and where its steps differ beyond noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from discovery import estimate, wording
from discovery.results import Estimate, Funnel, FunnelRow

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

FEWEST = 30
"""Accounts of a value below which it has no funnel of its own."""
MOST_VALUES = 8

Stride = tuple[str, Bools, Bools]
"""A rung, the accounts that could take the step to it, and those of them that did."""


def funnels(
    strides: Sequence[Stride], segments: Mapping[str, NDArray[np.object_]], alpha: float, *, habit: bool = False
) -> tuple[Funnel, ...]:
    """Return the ladder's funnel by every segment of at least two values; p-values count all of them and all steps.

    With `habit` the last step is one: described, never tested.
    """
    tested = len(strides) - habit
    split = {name: found for name, values in segments.items() if len(found := _values(values)) > 1}
    counts = {name: _counts(strides, inside) for name, inside in split.items()}
    raw = [_same_at(counts[name], place) if place < tested else None for name in split for place in range(len(strides))]
    adjusted = estimate.holm(np.array([np.nan if p is None else p for p in raw])).reshape(len(split), len(strides))
    names = [rung for rung, _, _ in strides]
    return tuple(
        _funnel(name, split[name], counts[name], adjusted[place], names, alpha) for place, name in enumerate(split)
    )


def _values(values: NDArray[np.object_]) -> dict[str, Bools]:
    """Return the accounts of each value that is known and large enough, the largest first."""
    texts = np.array(["" if value is None or value != value else str(value) for value in values], dtype=str)
    names, sizes = np.unique(texts, return_counts=True)
    kept = [(int(-size), str(name)) for name, size in zip(names, sizes, strict=True) if name and size >= FEWEST]
    return {name: texts == name for _, name in sorted(kept)[:MOST_VALUES]}


def _counts(strides: Sequence[Stride], inside: Mapping[str, Bools]) -> dict[str, Counts]:
    """Return, for each value, how many could take each step and how many did; int[steps, 2]."""
    return {
        value: np.array([[int((could & here).sum()), int((did & here).sum())] for _, could, did in strides])
        for value, here in inside.items()
    }


def _same_at(counts: Mapping[str, Counts], place: int) -> float | None:
    table = np.array([own[place] for own in counts.values()])
    return estimate.same_share(table[:, 1], table[:, 0])


def _funnel(
    segment: str, inside: Mapping[str, Bools], counts: Mapping[str, Counts], p: Floats, names: list[str], alpha: float
) -> Funnel:
    rows = tuple(
        FunnelRow(
            value=value,
            n_reached=(int(inside[value].sum()), *own[:, 1].tolist()),
            conversion=(None, *(estimate.share(int(did), int(could), alpha) for could, did in own)),
        )
        for value, own in counts.items()
    )
    differing = [(names[place], place + 1) for place, value in enumerate(p.tolist()) if value <= alpha]
    return Funnel(
        segment=segment,
        rows=rows,
        p_adjusted=(None, *(None if np.isnan(value) else value for value in p.tolist())),
        differs_at=tuple(rung for rung, _ in differing),
        sentence=_sentence(segment, rows, differing, p),
    )


def _sentence(segment: str, rows: tuple[FunnelRow, ...], differing: list[tuple[str, int]], p: Floats) -> str:
    if np.isnan(p).all():
        return f"Too few accounts go on, or stop, to compare the steps by {segment}."
    if not differing:
        return f"No step differs by {segment} beyond noise."
    said = []
    for rung, place in differing:
        known = [(row.value, row.conversion[place]) for row in rows]
        some = [pair for pair in known if pair[1] is not None and pair[1].n_accounts]
        large = [pair for pair in some if pair[1] is not None and pair[1].n_accounts >= FEWEST]
        compared = large if len(large) > 1 else some
        (low, few), (high, many) = min(compared, key=_rate), max(compared, key=_rate)
        said.append(f"the step to “{rung}” ({_percent(few)} of “{low}” go on, {_percent(many)} of “{high}”)")
    steps = ", ".join(said[:-1]) + " and " * (len(said) > 1) + said[-1]
    return f"By {segment}, {steps} {'differs' if len(said) == 1 else 'differ'} beyond noise."


def _rate(pair: tuple[str, Estimate | None]) -> float:
    return 0.0 if pair[1] is None or pair[1].estimate is None else pair[1].estimate


def _percent(found: Estimate | None) -> str:
    return wording.percent(None if found is None else found.estimate)
