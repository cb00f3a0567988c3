"""Rows into the page that is published: how often ladders are right, beside other methods."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..table import clustered_share, failures, grid, mean, said_first, share, thousands
from .baselines import BASELINES
from .judge import LadderRow, Score

Rows = Sequence[LadderRow]
Groups = Mapping[tuple[str, int], Rows]
Column = tuple[str, Callable[[Rows], str]]
"""A title, and the figure of a group of rows."""
Said = Callable[[LadderRow], Score | None]
"""Whose list is scored: the study's, or another method's."""
TOGETHER = "all of these"


def publish(rows: Rows, version: str) -> str:
    """Return the whole page."""
    done = [row for row in rows if row.failed is None]
    planted = _by_world(row for row in done if row.planted)
    unplanted = _pooled(_by_world(row for row in done if not row.planted))
    with_ladder = _pooled(_by_world(row for row in done if row.said is not None))
    parts = [
        "# How often a ladder is right\n",
        said_first(rows, version, "benchmarks.accuracy.ladders"),
        _section("Planted ladders", LADDERS, _with_all(planted), _LADDER_WORDS),
        _section("Random chains by variant", LADDERS, _pooled(_by_variant(done)), ""),
        _beside(_with_all(_pooled(planted))),
        _section("Worlds without a chain", NO_CHAIN, unplanted, _NO_CHAIN_WORDS),
        _section("Errors that hinder", HINDRANCES, with_ladder, _ERROR_WORDS),
        failures(rows),
    ]
    return "\n".join(part for part in parts if part).rstrip() + "\n"


def _own(row: LadderRow) -> Score | None:
    return row.score


def _of(name: str) -> Said:
    return lambda row: next((rival.score for rival in row.rivals if rival.name == name), None)


def _exact_of_discovered(said: Said, rows: Rows) -> str:
    return share(one.exact for row in rows if row.discovered and (one := said(row)))


def _exact_of_all(said: Said, rows: Rows) -> str:
    return share(bool((one := said(row)) and one.exact) for row in rows)


def _mean_of(value: Callable[[Score], float | None]) -> Callable[[Said, Rows], str]:
    """Return the mean over the runs in which the study discovered the milestone."""

    def figure(said: Said, rows: Rows) -> str:
        scores = [one for row in rows if row.discovered and (one := said(row))]
        return mean([known for one in scores if (known := value(one)) is not None])

    return figure


def _share_of(hits: Callable[[Score], int], tries: Callable[[Score], int]) -> Callable[[Said, Rows], str]:
    """Return the share of all tries in the discovered runs, with an error clustered by run."""

    def figure(said: Said, rows: Rows) -> str:
        scores = [one for row in rows if row.discovered and (one := said(row))]
        return clustered_share([place < hits(one) for place in range(tries(one))] for one in scores)

    return figure


MEASURES: Mapping[str, Callable[[Said, Rows], str]] = {
    "exact chain, of the discovered": _exact_of_discovered,
    "exact chain, of all runs": _exact_of_all,
    "step F1": _mean_of(lambda one: one.f1),
    "event F1": _mean_of(lambda one: one.event_f1),
    "pairs in order": _share_of(lambda one: one.in_order, lambda one: one.pairs),
}
"""What this study and the other methods are both measured by."""
BESIDE = ("exact chain, of the discovered", "step F1", "event F1")
"""Measures that are shown side by side."""


def _said_by(name: str) -> Callable[[Rows], str]:
    return lambda rows: mean([len(rival.said) for row in rows for rival in row.rivals if rival.name == name])


def _column(title: str, figure: Callable[[Said, Rows], str]) -> Column:
    return title, lambda rows: figure(_own, rows)


RUNS: Column = ("runs", lambda rows: f"{len(rows)}")
LADDERS: Sequence[Column] = (
    RUNS,
    ("discovered", lambda rows: share(row.discovered for row in rows)),
    *(_column(title, figure) for title, figure in MEASURES.items()),
    _column("step precision", _mean_of(lambda one: one.precision)),
    _column("step recall", _mean_of(lambda one: one.recall)),
    _column("alternatives found", _share_of(lambda one: one.choices_found, lambda one: one.choices)),
    ("seconds", lambda rows: f"{statistics.median(row.seconds for row in rows):.1f}"),
)
NO_CHAIN: Sequence[Column] = (
    RUNS,
    ("milestone discovered", lambda rows: share(row.discovered for row in rows)),
    ("ladders with a required rung", lambda rows: share(bool(row.said) for row in rows if row.said is not None)),
    ("required rungs", lambda rows: mean([len(row.said) for row in rows if row.said is not None])),
    *((f"events said: {name}", _said_by(name)) for name in BASELINES),
)
HINDRANCES: Sequence[Column] = (
    ("ladders", lambda rows: f"{len(rows)}"),
    ("planted error found", lambda rows: share(row.hindrance_found for row in rows)),
    ("ladders with a false one", lambda rows: share(row.false_hindrances > 0 for row in rows)),
    ("false ones", lambda rows: mean([float(row.false_hindrances) for row in rows])),
)


_LADDER_WORDS = (
    "Steps lead to a milestone, and only the milestone has an effect. A milestone is discovered when the first ladder "
    "ends in the planted event; its required rungs are then held against the planted steps. A step is found when its "
    "events are the planted ones (both, where either serves); a chain is exact when all steps are found in the planted "
    "order, and nothing else is required. All but the exact chain of all runs are over the discovered."
)
_BESIDE_WORDS = (
    "Three methods that choose the events which best predict staying, and order them by the median time of their first "
    "use. They are told the milestone, which is taken out of what they say, and are scored on the runs in which the "
    "study discovered it. None of them says what serves in place of what."
)
_NO_CHAIN_WORDS = "One rule is planted and nothing leads to it: every required rung is one too many."
_ERROR_WORDS = (
    "Where an error makes accounts go on more rarely, it should be named at the step it stands before. Every other "
    "error named at any rung is false."
)


def _section(title: str, columns: Sequence[Column], groups: Groups, words: str) -> str:
    if not groups:
        return ""
    head = ["world", "accounts", *(title for title, _ in columns)]
    body = [[world, thousands(size), *(of(rows) for _, of in columns)] for (world, size), rows in groups.items()]
    return "\n\n".join(part for part in (f"## {title}", words, grid(head, body)) if part)


def _beside(groups: Groups) -> str:
    """Return one table for each measure, with the study and every other method as columns."""
    if not any(row.rivals for rows in groups.values() for row in rows):
        return ""
    methods = {"**this study**": _own, **{name: _of(name) for name in BASELINES}}
    parts = [f"## Beside methods that predict\n\n{_BESIDE_WORDS}\n"]
    for title in BESIDE:
        figure = MEASURES[title]
        body = [
            [world, thousands(size), *(figure(said, rows) for said in methods.values())]
            for (world, size), rows in groups.items()
        ]
        parts.append(f"### {title[0].upper()}{title[1:]}\n\n" + grid(["world", "accounts", *methods], body))
    return "\n".join(parts)


def _by_world(rows: Iterable[LadderRow]) -> dict[tuple[str, int], list[LadderRow]]:
    """Group by world and size, random worlds first."""
    grouped: dict[tuple[str, int], list[LadderRow]] = defaultdict(list)
    for row in rows:
        grouped[row.world, row.accounts].append(row)
    return {key: grouped[key] for key in sorted(grouped, key=lambda key: (not key[0].startswith("random"), *key))}


def _pooled(groups: Groups) -> Groups:
    """Put the sizes of each world together."""
    together: dict[tuple[str, int], list[LadderRow]] = defaultdict(list)
    for (world, _), rows in groups.items():
        together[world, 0].extend(rows)
    return together


def _with_all(groups: Groups) -> Groups:
    """Add all worlds together, at each size."""
    together: dict[tuple[str, int], list[LadderRow]] = defaultdict(list)
    for (_, size), rows in sorted(groups.items(), key=lambda group: group[0][1]):
        together[TOGETHER, size].extend(rows)
    return {**groups, **together}


def _by_variant(rows: Rows) -> dict[tuple[str, int], list[LadderRow]]:
    grouped: dict[tuple[str, int], list[LadderRow]] = defaultdict(list)
    for row in rows:
        if row.world == "random_chain":
            grouped[f"random_chain, {row.variant}", row.accounts].append(row)
    return {key: grouped[key] for key in sorted(grouped)}
