"""The truth of every candidate of the default grid, computed from a finished world's tables."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from discovery.milestone import Condition, Milestone
from discovery.simulate.difference import TrueEffect, effects_of, known_of
from discovery.simulate.grid import LEAST_REACH, MOST_REACH, grid_flags

if TYPE_CHECKING:
    from discovery.simulate.world import World

_AT_ONCE = 256


def candidate_truths(world: World) -> dict[str, TrueEffect]:
    """Compute the true differences of every rule of the default grid.

    Rules are evaluated on the rows as recorded, rows sent twice under one id counted once, so that they are met
    as by a study of the tables. Left out are those that too few or nearly all landmark accounts meet.

    Returns
    -------
    dict of str to TrueEffect
        By the rule's canonical text, event by event; empty where no account reaches the landmark.
    """
    known = known_of(world.accounts, world.potential, world.truth.settings)
    told: dict[str, TrueEffect] = {}
    if not known.landmark.any():
        return told
    usual = (
        (str(Milestone((condition,))), met[known.landmark])
        for condition, met in _rules(world)
        if LEAST_REACH <= met[known.landmark].mean() <= MOST_REACH
    )
    while block := list(islice(usual, _AT_ONCE)):
        effects = effects_of(known, np.stack([met for _, met in block]))
        told |= {text: effect for (text, _), effect in zip(block, effects, strict=True)}
    return told


def _rules(world: World) -> Iterator[tuple[Condition, NDArray[np.bool_]]]:
    events = world.events
    if world.truth.settings["repeated"]:
        events = events.take(_first_of_each(events["event_id"]))
    account = pc.index_in(events["account_id"], world.accounts["account_id"].combine_chunks()).to_numpy()
    user = events["user_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    signup = world.accounts["signup_at"].cast(pa.int64()).to_numpy()
    lag = (events["timestamp"].cast(pa.int64()).to_numpy() - signup[account]) // 1_000_000
    names = events["event"].combine_chunks().dictionary_encode()
    code = names.indices.to_numpy()
    for place in sorted(range(len(names.dictionary)), key=lambda place: str(names.dictionary[place])):
        mine = np.flatnonzero((code == place) & (lag >= 0))
        name = names.dictionary[place].as_py()
        yield from grid_flags(name, account[mine].astype(np.int64), user[mine].astype(np.int64), lag[mine], len(signup))


def _first_of_each(ids: pa.ChunkedArray) -> NDArray[np.int64]:
    codes = ids.combine_chunks().dictionary_encode().indices.to_numpy()
    _, first = np.unique(codes, return_index=True)
    return np.sort(first)
