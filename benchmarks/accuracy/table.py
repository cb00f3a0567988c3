"""Rows into the table that is published: shares with their standard errors, in Markdown."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Protocol

from .judge import Interval, Judged, Rival

Rows = Sequence[Judged]
NOT_KNOWN = "-"
RANDOM = ("random", "random_null", "random_hidden", "random_segment", "random_conjunction")
MIX = ("random", "random_null")
"""The worlds over which the precision of a finding is stated."""
EFFECT = ("planted", "segment")


class AnyRow(Protocol):
    """What is read of a row of any benchmark."""

    @property
    def world(self) -> str: ...
    @property
    def accounts(self) -> int: ...
    @property
    def seed(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def failed(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of a group of rows."""

    title: str
    of: Callable[[Rows], str]


def share(hits: Iterable[bool | None]) -> str:
    """Return a share in percent with its binomial standard error and the number behind it; None is left out.

    The error is taken at (hits + 1/2) / (n + 1), so that 0 of 20 is not certainty.
    """
    known = [bool(hit) for hit in hits if hit is not None]
    if not known:
        return NOT_KNOWN
    n, k = len(known), sum(known)
    smoothed = (k + 0.5) / (n + 1)
    return f"{100 * k / n:.0f} ± {100 * sqrt(smoothed * (1 - smoothed) / n):.0f} ({n})"


def mean(values: Sequence[float], unit: float = 1.0, digits: int = 2) -> str:
    """Return a mean with its standard error, in multiples of `unit`."""
    if not values:
        return NOT_KNOWN
    centre = statistics.fmean(values) / unit
    if len(values) < 2:
        return f"{centre:.{digits}f}"
    return f"{centre:.{digits}f} ± {statistics.stdev(values) / sqrt(len(values)) / unit:.{digits}f}"


def clustered(groups: Iterable[Sequence[float]], unit: float = 1.0, digits: int = 2) -> str:
    """Return the mean over all values with the standard error of a ratio over clusters, in multiples of `unit`."""
    held = [group for group in groups if group]
    if not held:
        return NOT_KNOWN
    n, k = sum(map(len, held)), len(held)
    centre = sum(map(sum, held)) / n
    if k < 2:
        return f"{centre / unit:.{digits}f}"
    spread = sum((sum(group) - centre * len(group)) ** 2 for group in held)
    error = sqrt(spread * k / (k - 1)) / n
    return f"{centre / unit:.{digits}f} ± {error / unit:.{digits}f}"


def clustered_share(groups: Iterable[Sequence[bool]]) -> str:
    """Return a share in percent with its clustered error; all or none of k clusters is taken as `share` does."""
    held = [group for group in groups if group]
    values = [hit for group in held for hit in group]
    if not values:
        return NOT_KNOWN
    if all(values) or not any(values):
        return share(group[0] for group in held).partition(" (")[0]
    return clustered(held, 0.01, 0)


def _hit(most: int) -> Callable[[Rows], str]:
    return lambda rows: share(row.rank is not None and row.rank <= most for row in rows)


def _status(*statuses: str) -> Callable[[Rows], str]:
    return lambda rows: share(row.status in statuses for row in rows)


def _named(*statuses: str) -> Callable[[Rows], str]:
    """Share of all runs in which a right milestone is named with one of the statuses."""
    return lambda rows: share(row.status in statuses and row.right is True for row in rows)


def _right(*statuses: str) -> Callable[[Rows], str]:
    """Share of the runs named with one of the statuses that are right."""
    return lambda rows: share(row.right for row in rows if row.status in statuses)


MRR = Column("MRR", lambda rows: mean([1 / row.rank if row.rank else 0.0 for row in rows]))
SECONDS = Column("seconds", lambda rows: f"{statistics.median(row.seconds for row in rows):.1f}")
RUNS = Column("runs", lambda rows: f"{len(rows)}")
VANITY = Column("vanity on top", lambda rows: share(row.vanity_first for row in rows))
STATUSES = (
    Column("found", _status("found")),
    Column("lead", _status("lead")),
    Column("none", _status("none")),
    Column("insufficient", _status("insufficient")),
)
RANKING = (
    RUNS,
    Column("hit@1", _hit(1)),
    Column("hit@3", _hit(3)),
    MRR,
    Column("exact rule", lambda rows: share(row.exact for row in rows)),
    Column("exact or equivalent", lambda rows: share(row.equivalent for row in rows)),
    VANITY,
    Column("found, and right (power)", _named("found")),
    Column("found or lead, and right", _named("found", "lead")),
    SECONDS,
)
BY_KIND = tuple(column for column in RANKING if column not in (VANITY, SECONDS))
SILENCE = (
    RUNS,
    *STATUSES,
    Column("found in a segment", lambda rows: share(row.wrong_personas > 0 for row in rows)),
    VANITY,
    Column("decoy on top", lambda rows: share(row.decoy_first for row in rows) if rows[0].group == "hidden" else "-"),
    SECONDS,
)
PRECISION = (
    RUNS,
    Column("with an effect", lambda rows: f"{sum(row.group in EFFECT for row in rows)}"),
    Column("found, of these right", _right("found")),
    Column("lead, of these right", _right("lead")),
)
SEGMENTS = (
    RUNS,
    Column("found for the segment or for all", lambda rows: share(row.segment_status == "found" for row in rows)),
    Column("found or lead", lambda rows: share(row.segment_status in ("found", "lead") for row in rows)),
    Column("hit@1 over all accounts", _hit(1)),
    Column("a wrong segment found", lambda rows: share(row.wrong_personas > 0 for row in rows)),
)


def publish(rows: Rows, version: str) -> str:
    """Return the whole page."""
    done = [row for row in rows if row.failed is None]
    parts = [
        "# How often it is right\n",
        said_first(rows, version, "benchmarks.accuracy"),
        _section("Planted worlds", RANKING, _by_world(done, EFFECT), _PLANTED_WORDS),
        _section("Random worlds by what is planted", BY_KIND, _by_kind(done), ""),
        _section("Worlds without an effect", SILENCE, _by_world(done, ("null",)), _NULL_WORDS),
        _section("Worlds in which a hidden trait misleads", SILENCE, _by_world(done, ("hidden",)), _HIDDEN_WORDS),
        _section("When it says found", PRECISION, _by_size(done, MIX), _PRECISION_WORDS),
        _section("An effect in one segment only", SEGMENTS, _by_world(done, ("segment",)), ""),
        _intervals(done),
        _rivals(done),
        failures(rows),
    ]
    return "\n".join(part for part in parts if part).rstrip() + "\n"


_PLANTED_WORDS = (
    "One behaviour has an effect. hit@1: its family is ranked first; the rule is exact when event, number, days and "
    "users are all as planted. MRR is the mean of 1 / rank."
)
_NULL_WORDS = "Nothing has an effect. Whatever is found, or a lead, is false."
_HIDDEN_WORDS = (
    "No behaviour has an effect, but a trait that nobody recorded raises a few events and staying alike. Whatever is "
    "found is false; no ranking of the log alone can see it."
)
_PRECISION_WORDS = "Over random worlds with and without an effect, in the mix in which they were run."


def said_first(rows: Sequence[AnyRow], version: str, package: str) -> str:
    """Return the first paragraphs of every page: how many runs of what, and how its figures are written."""
    seeds = sorted(row.seed for row in rows)
    span = f", seeds {seeds[0]} to {seeds[-1]}" if seeds else ""
    minutes = sum(row.seconds for row in rows) / 60
    return (
        f"{len(rows):,} runs of version {version}{span}; {minutes:,.0f} minutes of study time. Made by "
        f"`python -m {package}`, which goes on where it stopped.\n\n"
        "Shares are percentages ± one standard error, with the number of runs behind them in brackets.\n"
    )


def _section(title: str, columns: Sequence[Column], groups: Mapping[tuple[str, int], Rows], words: str) -> str:
    if not groups:
        return ""
    body = [
        [world, thousands(size), *(column.of(rows) for column in columns)] for (world, size), rows in groups.items()
    ]
    return f"## {title}\n\n{words + chr(10) * 2 if words else ''}" + grid(
        ["world", "accounts", *(column.title for column in columns)], body
    )


def grid(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def thousands(size: int) -> str:
    """Return a number of accounts as people write it; 0 is all of them."""
    return f"{size:,}" if size else "all"


def _by_world(rows: Rows, groups: Sequence[str]) -> dict[tuple[str, int], list[Judged]]:
    """Group by world and size, random worlds first; a group belongs where its runs do."""
    grouped: dict[tuple[str, int], list[Judged]] = defaultdict(list)
    for row in rows:
        if row.group in groups:
            grouped[row.world, row.accounts].append(row)
    return {key: grouped[key] for key in sorted(grouped, key=_random_first)}


def _random_first(key: tuple[str, int]) -> tuple[int, str, int]:
    world, size = key
    return (RANDOM.index(world) if world in RANDOM else len(RANDOM), world, size)


def _by_size(rows: Rows, worlds: Sequence[str]) -> dict[tuple[str, int], list[Judged]]:
    grouped: dict[tuple[str, int], list[Judged]] = defaultdict(list)
    name = " + ".join(worlds)
    for row in rows:
        if row.world in worlds:
            grouped[name, row.accounts].append(row)
            grouped[name, 0].append(row)
    return {key: grouped[key] for key in sorted(grouped)}


def _by_kind(rows: Rows) -> dict[tuple[str, int], list[Judged]]:
    """Group the random worlds with an effect by the kind of plant they drew."""
    grouped: dict[tuple[str, int], list[Judged]] = defaultdict(list)
    for row in rows:
        if row.world == "random" and row.group in EFFECT:
            grouped[f"random, {str(row.settings.get('kind', 'unknown')).replace('_', ' ')}", 0].append(row)
    return {key: grouped[key] for key in sorted(grouped)}


Chosen = Callable[[Judged, Interval], bool]
_WHICH: Mapping[str, Chosen] = {
    "ranked first": lambda row, shown: shown.rank == 1,
    "ranked first, and found": lambda row, shown: shown.rank == 1 and row.status == "found",
    "ranked 1 to 10": lambda row, shown: True,
    "the planted one": lambda row, shown: shown.planted,
}


def _intervals(rows: Rows) -> str:
    """Return coverage and bias by size, for worlds with an effect, without, and with a hidden trait."""
    body = []
    kinds = {"an effect": EFFECT, "no effect": ("null",), "a hidden trait": ("hidden",)}
    for kind, groups in kinds.items():
        for size in sorted({row.accounts for row in rows if row.group in groups and row.intervals}):
            own = [row for row in rows if row.group in groups and row.accounts == size]
            for which, chosen in _WHICH.items():
                shown = [[one for one in row.intervals if chosen(row, one)] for row in own]
                if any(shown):
                    body.append([kind, thousands(size), which, *_coverage(shown)])
    if not body:
        return ""
    head = ["worlds with", "accounts", "rule", "intervals", "cover the overlap-weighted difference, %"]
    head += ["cover the average difference, %", "bias, points", "half-width, points"]
    return (
        "## The printed intervals\n\nNominal 95 %. Truth is computed from the known hazard for every rule, "
        "overlap-weighted (what is estimated) and plain average. Errors are clustered by run; bias is against the "
        "overlap-weighted difference.\n\n" + grid(head, body)
    )


def _coverage(shown: Sequence[Sequence[Interval]]) -> list[str]:
    def of(value: Callable[[Interval], float]) -> str:
        return clustered(([value(one) for one in group] for group in shown), 0.01, 1)

    def inside(truth: Callable[[Interval], float]) -> str:
        return clustered_share([one.lower <= truth(one) <= one.upper for one in group] for group in shown)

    return [
        f"{sum(map(len, shown))}",
        inside(lambda one: one.overlap),
        inside(lambda one: one.average),
        of(lambda one: one.estimate - one.overlap),
        of(lambda one: (one.upper - one.lower) / 2),
    ]


def _rivals(rows: Rows) -> str:
    """Return the study and every baseline on the same runs."""
    same = [row for row in rows if row.rivals]
    if not same:
        return ""
    names = list(dict.fromkeys(rival.name for row in same for rival in row.rivals))
    body = [_rival_line("**this study**", [(row, _own(row)) for row in same])]
    for name in names:
        said = [(row, rival) for row in same for rival in row.rivals if rival.name == name]
        body.append(_rival_line(name, said))
    head = [
        "method",
        "hit@1",
        "hit@3",
        "MRR",
        "vanity on top",
        "declared: no effect",
        "declared: hidden trait",
        "seconds",
    ]
    return (
        f"## Beside other methods\n\nThe same {len(same):,} runs for all, same candidates, same guards against leaks. "
        "For this study *declared* means found. Baselines are written from their public descriptions, and declare "
        "as they do in use: a list sorted by a ratio always has a top row, phi counts from .2, Boruta when it "
        "confirms anything, tests at an uncorrected 5 %.\n\n" + grid(head, body)
    )


def _own(row: Judged) -> Rival:
    return Rival(
        name="", rank=row.rank, vanity_first=row.vanity_first, declared=row.status == "found", seconds=row.seconds
    )


def _rival_line(name: str, said: Sequence[tuple[Judged, Rival]]) -> list[str]:
    planted = [rival for row, rival in said if row.group in EFFECT]
    return [
        name,
        share(rival.rank == 1 for rival in planted),
        share(rival.rank is not None and rival.rank <= 3 for rival in planted),
        mean([1 / rival.rank if rival.rank else 0.0 for rival in planted]),
        share(rival.vanity_first for _, rival in said),
        share(rival.declared for row, rival in said if row.group == "null"),
        share(rival.declared for row, rival in said if row.group == "hidden"),
        f"{statistics.median(rival.seconds for _, rival in said):.2f}",
    ]


def failures(rows: Sequence[AnyRow]) -> str:
    """Return the section on runs that ended in an error, or nothing."""
    failed = [row for row in rows if row.failed is not None]
    if not failed:
        return ""
    first = failed[0]
    return (
        f"## Runs that ended in an error\n\n{len(failed)} of {len(rows)} runs count nowhere above; the first is "
        f"`{first.world}`, {first.accounts:,} accounts, seed {first.seed}: {first.failed}\n"
    )
