"""Rows into the page that is published: how often validations are right."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..table import clustered, clustered_share, failures, grid, mean, said_first, share, thousands
from .judge import FAILS, HOLDS, OPEN, Judged, Tried, ValidationRow
from .proposals import Kind

Rows = Sequence[ValidationRow]
Groups = Mapping[tuple[str, int], Rows]
Column = tuple[str, Callable[[Rows], str]]
"""A title, and the figure of a group of rows."""
Chosen = Callable[[ValidationRow], Sequence[Judged]]
TOGETHER = "all of these"
SAME_RULE = 0.95
"""A rule as alike as this to the planted one (phi) is taken for it."""
ALIKE = {"phi up to .5": (-1.0, 0.5), "phi .5 to .65": (0.5, 0.65), "phi .65 to .8": (0.65, 1.0)}


def publish(rows: Rows, version: str) -> str:
    """Return the whole page."""
    done = [row for row in rows if row.failed is None]
    acting = [row for row in done if row.of("planted") and row.segment is None]
    parts = [
        "# How often a validation is right\n",
        said_first(rows, version, "benchmarks.accuracy.validation"),
        _HOW,
        _section("The true milestone", TRUE, _with_all(_by_world(acting)), _TRUE_WORDS),
        _section("An effect in one segment only", TRUE, _by_world(r for r in done if r.segment), _SEGMENT_WORDS),
        _section("Milestones without an effect", EMPTY, _with_all(_by_world(done)), _EMPTY_WORDS),
        _section("Behind a hidden trait", HIDDEN, _by_world(r for r in done if r.of("decoy")), _HIDDEN_WORDS),
        _section("A wrong threshold", THRESHOLDS, _with_all(_by_world(_told_thresholds(acting))), _THRESHOLD_WORDS),
        _section("A wrong threshold, by how wrong it is", THRESHOLDS[:4], _by_likeness(acting), ""),
        _intervals(done),
        _section("Past experiments", EXPERIMENTS, _by_world(r for r in done if r.tried), _EXPERIMENT_WORDS),
        failures(rows),
    ]
    return "\n".join(part for part in parts if part).rstrip() + "\n"


_HOW = (
    "Every proposal is judged as the only one, by a team that swears it did not come from these data, unless *as "
    "searched* is said: then its lower bound answers for a search over the same accounts. All proposals of a run are "
    "validated together, which is cheaper; the verdict on each alone is read from its ordinary interval and from the "
    "criteria that decide. With past experiments each is truly validated alone.\n"
)
_TRUE_WORDS = (
    "The planted rule, proposed as it is. *Where it can be seen*: among runs whose true effect is at least the "
    "difference that these accounts show in 80 of 100 cases."
)
_SEGMENT_WORDS = (
    "The planted rule, proposed for all accounts; it acts in one segment, and its effect is thinner over all."
)
_EMPTY_WORDS = (
    "Vanity: each event that only says how busy an account is, once, and 5 times within 7 days. Ordinary: two rules of "
    "other events. Errors are clustered by run. *Any of them*: runs in which one of the six or so proposals holds."
)
_HIDDEN_WORDS = (
    "A trait that nobody recorded raises a few events and staying alike; up to two rules of such events are proposed, "
    "and none has an effect. Where several events share the trait, each tells of it and adjusting helps; where one "
    "alone does, as in the worlds with past experiments below, nothing in the log can."
)
_THRESHOLD_WORDS = (
    "The planted event with another number, window or number of users, drawn among those that other accounts meet (phi "
    "with the planted rule at most .8). *The true one*: what is named is met by nearly the same accounts as the "
    "planted rule (phi at least .95). The last two columns are of the planted rule itself: whatever is called better "
    "is not."
)
_EXPERIMENT_WORDS = (
    "A hidden trait moves a behaviour and staying, so that this behaviour looks as good as the planted one. Past tests "
    "moved the one and the other at random. In `experiment_side_effect` one test moved both, so that only the "
    "intention to treat may be claimed; in `experiment_srm` part of a variant's accounts is missing from the record."
)


def _verdict(kind: Kind, said: str) -> Callable[[Rows], str]:
    return lambda rows: share(one.alone == said for row in rows for one in row.of(kind))


def _searched(*kinds: Kind) -> Callable[[Rows], str]:
    return lambda rows: clustered_share([one.searched == HOLDS for one in row.of(*kinds)] for row in rows)


def _hold(*kinds: Kind) -> Callable[[Rows], str]:
    """Return the share of all proposals of some kinds that hold, clustered by run."""
    return lambda rows: clustered_share([one.alone == HOLDS for one in row.of(*kinds)] for row in rows)


def _visible(rows: Rows) -> str:
    seen = [one for row in rows for one in row.of("planted") if one.detectable and one.overlap >= one.detectable]
    return share(one.alone == HOLDS for one in seen)


def _points(value: Callable[[Judged], float | None], kind: Kind) -> Callable[[Rows], str]:
    return lambda rows: mean([v for row in rows for one in row.of(kind) if (v := value(one)) is not None], 0.01, 1)


RUNS: Column = ("runs", lambda rows: f"{len(rows)}")
SECONDS: Column = ("seconds", lambda rows: f"{statistics.median(row.seconds for row in rows):.1f}")
TRUE: Sequence[Column] = (
    RUNS,
    ("holds", _verdict("planted", HOLDS)),
    ("holds, where it can be seen", _visible),
    ("not enough data", _verdict("planted", OPEN)),
    ("does not hold", _verdict("planted", FAILS)),
    ("holds, as searched", _searched("planted")),
    ("true effect, points", _points(lambda one: one.overlap, "planted")),
    ("least to be seen, points", _points(lambda one: one.detectable, "planted")),
    SECONDS,
)
EMPTY: Sequence[Column] = (
    RUNS,
    ("vanity holds, %", _hold("vanity")),
    ("vanity holds, as searched, %", _searched("vanity")),
    ("ordinary holds, %", _hold("ordinary")),
    ("ordinary holds, as searched, %", _searched("ordinary")),
    ("any of them", lambda rows: share(any(o.alone == HOLDS for o in row.of("vanity", "ordinary")) for row in rows)),
)
HIDDEN: Sequence[Column] = (
    RUNS,
    ("hold, %", _hold("decoy")),
    ("hold, as searched, %", _searched("decoy")),
)
THRESHOLDS: Sequence[Column] = (
    RUNS,
    (
        "another threshold is named",
        lambda rows: share(one.same_behaviour for row in rows for one in row.of("wrong threshold")),
    ),
    (
        "of the named, the true one",
        lambda rows: share(
            (one.better_alike or 0.0) >= SAME_RULE
            for row in rows
            for one in row.of("wrong threshold")
            if one.same_behaviour
        ),
    ),
    ("the wrong one holds", _verdict("wrong threshold", HOLDS)),
    (
        "of the true rule: another threshold called better",
        lambda rows: share(one.same_behaviour for row in rows for one in row.of("planted")),
    ),
    (
        "another behaviour called better",
        lambda rows: share(
            one.better is not None and not one.same_behaviour for row in rows for one in row.of("planted")
        ),
    ),
)


def _of_tried(kind: Kind, hit: Callable[[Tried], bool | None]) -> Callable[[Rows], str]:
    return lambda rows: share(hit(one) for row in rows for one in row.tried if one.kind == kind)


def _claimed(what: str) -> Callable[[Rows], str]:
    return lambda rows: clustered_share([one.claims == what for one in row.tried] for row in rows)


def _half_width(rows: Rows) -> str:
    claimed = [one for row in rows for one in row.tried if one.claims == "complier" and one.shape == "interval"]
    return mean([((one.upper or 0.0) - (one.lower or 0.0)) / 2 for one in claimed], 0.01, 1)


EXPERIMENTS: Sequence[Column] = (
    RUNS,
    ("wrong holds, without", _of_tried("wrong milestone", lambda one: one.without == HOLDS)),
    ("wrong holds, with", _of_tried("wrong milestone", lambda one: one.with_it == HOLDS)),
    ("wrong refused, with", _of_tried("wrong milestone", lambda one: one.with_it == FAILS)),
    ("right holds, without", _of_tried("planted", lambda one: one.without == HOLDS)),
    ("right holds, with", _of_tried("planted", lambda one: one.with_it == HOLDS)),
    ("claims the effect among those moved, %", _claimed("complier")),
    ("claims the intention to treat alone, %", _claimed("intention to treat")),
    ("split said to be broken, %", lambda rows: clustered_share([o.mismatch for o in row.tried] for row in rows)),
    (
        "of the claimed, the set holds the true effect, %",
        lambda rows: clustered_share([o.covered for o in row.tried if o.covered is not None] for row in rows),
    ),
    ("half-width, points", _half_width),
)


def _section(title: str, columns: Sequence[Column], groups: Groups, words: str) -> str:
    if not groups:
        return ""
    head = ["world", "accounts", *(title for title, _ in columns)]
    body = [[world, thousands(size), *(of(rows) for _, of in columns)] for (world, size), rows in groups.items()]
    return "\n\n".join(part for part in (f"## {title}", words, grid(head, body)) if part)


_WHICH: Mapping[str, tuple[Kind, ...]] = {
    "the planted rule": ("planted",),
    "a wrong threshold of it": ("wrong threshold",),
    "vanity": ("vanity",),
    "ordinary": ("ordinary",),
    "behind a hidden trait": ("decoy", "wrong milestone"),
}


def _intervals(rows: Rows) -> str:
    """Return coverage, bias and width of the ordinary intervals, by what was proposed and how many accounts."""
    body = []
    for which, kinds in _WHICH.items():
        for size in sorted({row.accounts for row in rows}):
            own = [row for row in rows if row.accounts == size]
            known = [[one for one in row.of(*kinds) if one.lower is not None] for row in own]
            if any(known):
                body.append([which, thousands(size), *_coverage(known)])
    if not body:
        return ""
    head = ["proposal", "accounts", "intervals", "cover the true difference, %", "bias, points", "half-width, points"]
    words = (
        "Nominal 95 %, over all worlds; for outcomes of activity the lower end lies further out. The truth is the "
        "overlap-weighted difference, computed from the known chances. Errors are clustered by run."
    )
    return f"## The ordinary intervals\n\n{words}\n\n" + grid(head, body)


def _coverage(known: Sequence[Sequence[Judged]]) -> list[str]:
    def of(value: Callable[[Judged], float]) -> str:
        return clustered(([value(one) for one in group] for group in known), 0.01, 1)

    return [
        f"{sum(map(len, known))}",
        clustered_share([(o.lower or 0.0) <= o.overlap <= (o.upper or 0.0) for o in group] for group in known),
        of(lambda one: (one.estimate or 0.0) - one.overlap),
        of(lambda one: ((one.upper or 0.0) - (one.lower or 0.0)) / 2),
    ]


def _by_world(rows: Iterable[ValidationRow]) -> dict[tuple[str, int], list[ValidationRow]]:
    """Group by world and size, random worlds first; those whose effect is in one segment only stand apart."""
    grouped: dict[tuple[str, int], list[ValidationRow]] = defaultdict(list)
    for row in rows:
        apart = row.segment and row.world == "random"
        grouped[f"{row.world}, one segment" if apart else row.world, row.accounts].append(row)
    return {key: grouped[key] for key in sorted(grouped, key=lambda key: (not key[0].startswith("random"), *key))}


def _with_all(groups: Groups) -> Groups:
    """Add all worlds together, at each size."""
    together: dict[tuple[str, int], list[ValidationRow]] = defaultdict(list)
    for (_, size), rows in sorted(groups.items(), key=lambda group: group[0][1]):
        together[TOGETHER, size].extend(rows)
    return {**groups, **together}


def _told_thresholds(rows: Iterable[ValidationRow]) -> list[ValidationRow]:
    return [row for row in rows if row.of("wrong threshold")]


def _by_likeness(rows: Iterable[ValidationRow]) -> dict[tuple[str, int], list[ValidationRow]]:
    grouped: dict[tuple[str, int], list[ValidationRow]] = defaultdict(list)
    for row in _told_thresholds(rows):
        wrong = row.of("wrong threshold")[0].phi or 0.0
        name = next(name for name, (above, up_to) in ALIKE.items() if above < wrong <= up_to)
        grouped[name, row.accounts].append(row)
    order = list(ALIKE)
    return {key: grouped[key] for key in sorted(grouped, key=lambda key: (order.index(key[0]), key[1]))}
