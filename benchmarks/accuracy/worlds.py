"""What is run: worlds, sizes and seeds in an order that is balanced wherever it stops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from discovery.simulate import WORLDS

SIZES = (1000, 2500, 5000)
SHARES = {
    "random": 4,
    "random_null": 2,
    "random_hidden": 1,
    "random_segment": 1,
    "random_conjunction": 1,
    "inertia_null": 1,
    "inertia_planted": 1,
}
"""Runs of one round at each size; every other world is run once in `NAMED_EVERY` rounds, at the middle size."""
BASELINE_WORLDS = ("random", "random_null", "random_hidden")
"""Where the baselines are asked too, at every second run; worlds named by the caller count as well."""
NAMED_EVERY = 4
LOG_REDRAWS = 2
"""Redraws of a real log's outcome in one round, null and planted each."""


@dataclass(frozen=True, slots=True)
class RealLog:
    """A log that nobody here made; only its features are used, its outcomes are redrawn."""

    name: str
    events: str
    accounts: str
    spec: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One study to be held against the truth."""

    world: str
    accounts: int
    seed: int
    with_baselines: bool = False
    log: RealLog | None = None

    @property
    def key(self) -> tuple[str, int, int]:
        """What tells runs of one version of the code apart."""
        return (self.world, self.accounts, self.seed)


@dataclass(frozen=True, slots=True)
class _Series:
    """The runs of one world and size: `share` of them in every `every`-th round.

    `block` of `blocks` keeps the seeds of one world's sizes apart, so that each run is another world.
    """

    world: str
    accounts: int
    share: int
    every: int = 1
    turn: int = 0
    block: int = 0
    blocks: int = 1
    log: RealLog | None = None
    baselines: bool = False

    def runs(self, round_: int, first_seed: int) -> list[Run]:
        if round_ % self.every != self.turn:
            return []
        start = first_seed + (round_ // self.every * self.blocks + self.block) * self.share
        return [
            Run(
                world=self.world,
                accounts=self.accounts,
                seed=start + i,
                with_baselines=self.baselines and (round_ // self.every * self.share + i) % 2 == 0,
                log=self.log,
            )
            for i in range(self.share)
        ]


def plan(
    worlds: Sequence[str] = (),
    sizes: Sequence[int] = SIZES,
    first_seed: int = 1000,
    *,
    baselines: bool = True,
    logs: Sequence[RealLog] = (),
    shares: Mapping[str, int] | None = None,
) -> Iterator[Run]:
    """Yield runs without end, round by round; within a round the series are spread evenly.

    Worlds that are named are all run alike, once a round at every size. `shares` is a mix in place of the published
    one; only its worlds are run then.
    """
    alone = bool(worlds or shares)
    shares = dict.fromkeys(worlds, 1) or shares or {world: n for world, n in SHARES.items() if world in WORLDS}
    asked = (worlds or BASELINE_WORLDS) if baselines else ()
    series = [
        _Series(world, size, share, block=place, blocks=len(sizes), baselines=world in asked)
        for world, share in shares.items()
        for place, size in enumerate(sizes)
    ]
    series += [] if alone else _named(sorted(sizes)[len(sizes) // 2])
    series += [
        _Series(f"log {log.name} {kind}", 0, LOG_REDRAWS, log=log) for log in logs for kind in ("null", "planted")
    ]
    round_ = 0
    while True:
        yield from _spread([one.runs(round_, first_seed) for one in series])
        round_ += 1


def _named(accounts: int) -> list[_Series]:
    """Return the worlds that are not random, some of them in each round."""
    named = [world for world in WORLDS if world not in SHARES]
    return [_Series(world, accounts, 1, NAMED_EVERY, place % NAMED_EVERY) for place, world in enumerate(named)]


def _spread(series: Sequence[Sequence[Run]]) -> list[Run]:
    placed = [((i + 0.5) / len(runs), run) for runs in series for i, run in enumerate(runs)]
    return [run for _, run in sorted(placed, key=lambda pair: pair[0])]
