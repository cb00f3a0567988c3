"""The page that says how time and memory grow, and its figure."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from .measure import Measured
from .tasks import COUNTED, PRODUCT

BASELINE = "group_by"
_WORDS = {
    "scan": "reading the four columns",
    "group_by": "plain `GROUP BY account_id, event`",
    "naive_sql": "exposure as naive SQL (DuckDB)",
    "polars": "exposure with Polars, streaming",
    "pandas": "exposure with pandas",
    "exposure": "**reading, checking, exposure and flags**",
    "counted": "of that, exposure and flags from the log as it is kept",
    "run": "**the whole study and its report**",
    "run_again": "**the same again with another outcome**",
}
_COLD = {"help": "`discover --help`", "command": "`discover run` on 5,000 accounts and 300,000 events"}
_DRAWN = ("group_by", "exposure", "run")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What one task took on one log; `memory` is the ceiling that the product was given."""

    log_events: int
    log_accounts: int
    memory: str
    repeats: int
    took: Measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """What the tasks of `ranking` took for so many rules over so many accounts, by the name of the task."""

    rules: int
    accounts: int
    took: Mapping[str, Mapping[str, float]]


def publish(figures: Sequence[Figure], page: Path, ranked: Ranked | None = None) -> None:
    """Write the tables and the drawing, with what they were measured on."""
    large = [figure for figure in figures if figure.took.task in _WORDS and not _is_cold(figure, figures)]
    sizes = sorted({figure.log_events for figure in large})
    drawing = page.with_suffix(".svg")
    draw(large, drawing)
    page.write_text(
        _TEXT.format(
            memory=", ".join(sorted({figure.memory for figure in large if figure.took.task in PRODUCT})),
            cold=_cold([figure for figure in figures if figure.took.task in _COLD]),
            sizes="\n\n".join(_of_size([f for f in large if f.log_events == size]) for size in sizes),
            growth=_growth(large, sizes),
            stages=_stages(max((f for f in large if f.took.task == "run"), key=lambda f: f.log_events, default=None)),
            drawing=drawing.name,
            ranking=_ranking(ranked),
            cores=os.cpu_count(),
            machine=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
            versions=", ".join(f"{name} {version(name)}" for name in _LIBRARIES),
        ),
        encoding="utf-8",
    )


def draw(figures: Sequence[Figure], path: Path) -> None:
    """Draw seconds and peak memory by events, both axes logarithmic, with a line of slope one beside."""
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(9, 3.6), layout="constrained")
    for axes, what, value in zip(
        canvas.subplots(1, 2),
        ("seconds", "peak memory, GB"),
        (lambda took: took.seconds, lambda took: took.peak / 1e9),
        strict=True,
    ):
        for task, mark in zip(_DRAWN, "so^", strict=True):
            points = sorted((f.log_events, value(f.took)) for f in figures if f.took.task == task)
            if points:
                axes.plot(*zip(*points, strict=True), marker=mark, label=_plain(_WORDS[task]))
        _line_of_slope_one(axes, figures, value)
        axes.set(xscale="log", yscale="log", xlabel="events", ylabel=what)
        axes.grid(alpha=0.3)
    canvas.axes[0].legend(fontsize=7, frameon=False)
    canvas.savefig(path, metadata={"Date": None})


def _line_of_slope_one(axes: object, figures: Sequence[Figure], value: object) -> None:
    whole = sorted((f.log_events, value(f.took)) for f in figures if f.took.task == "run")  # type: ignore[operator]
    if len(whole) > 1:
        (start, low), (end, _) = whole[0], whole[-1]
        ends = ([start, end], [low, low * end / start])
        axes.plot(*ends, color="0.6", linestyle=":", label="in proportion to the events")  # type: ignore[attr-defined]


def _is_cold(figure: Figure, figures: Sequence[Figure]) -> bool:
    return any(f.took.task == "command" and f.log_events == figure.log_events for f in figures)


def _of_size(figures: Sequence[Figure]) -> str:
    base = next(f.took for f in figures if f.took.task == BASELINE)
    title = f"### {figures[0].log_events:,} events, {figures[0].log_accounts:,} accounts"
    by_task = {f.took.task: f.took for f in figures}
    took = {task: (one.seconds, f"{one.cpu:.1f}", f"{one.peak / 1e9:.2f} GB") for task, one in by_task.items()}
    if "exposure" in by_task:
        took["counted"] = sum(by_task["exposure"].stages[stage] for stage in COUNTED), "", ""
    rows = [
        (_WORDS[task], f"{seconds:.2f}", f"{seconds / base.seconds:.1f}", cpu, peak)
        for task in _WORDS
        if task in took
        for seconds, cpu, peak in [took[task]]
    ]
    return title + "\n\n" + _table(("", "seconds", "times the GROUP BY", "CPU seconds", "peak memory"), rows)


def _growth(figures: Sequence[Figure], sizes: Sequence[int]) -> str:
    rows = []
    for size in sizes:
        took = {f.took.task: f.took for f in figures if f.log_events == size}
        cells = [f"{took[task].seconds / size * 1e6:.2f}" if task in took else "" for task in _DRAWN]
        rows.append((f"{size:,}", *cells))
    return _table(("events", *(f"{_plain(_WORDS[task])}: seconds per million events" for task in _DRAWN)), rows)


def _stages(figure: Figure | None) -> str:
    if figure is None:
        return ""
    stages = figure.took.stages.items()
    return _table(("stage", "seconds"), [(name, f"{seconds:.1f}") for name, seconds in stages if seconds >= 0.05])


def _ranking(ranked: Ranked | None) -> str:
    if ranked is None:
        return ""
    took, rules = ranked.took, ranked.rules
    rows = [
        ("separation and survival of every rule", *_took(took["scan"]), ""),
        ("full inference of every rule", *_took(took["inference"]), ""),
    ]
    for library, ours, what in (("lifelines", "scan", "Cox"), ("statsmodels", "inference", "logistic")):
        loop = took[library]["each"] * rules
        times = f"{loop / took[ours]['seconds']:,.0f} times {'the scan' if ours == 'scan' else 'the inference'}"
        same = f"coefficients within {took[library]['largest_difference']:.0e}"
        words = f"a loop of {library}' {what} fits, {took[library]['each']:.1f} s a rule"
        rows.append((words, f"{loop:,.0f} (reckoned)", f"{took[library]['peak'] / 1e9:.2f} GB", f"{times}; {same}"))
    said = (
        f"{rules:,} rules over {ranked.accounts:,} accounts with 35 covariates (`python -m benchmarks.scale.ranking`). "
        "Full inference is null models, scores, the bound of the whole search, half-samples, adjusted differences and "
        "intervals, held-out estimates, and the scan. The other libraries fit a few of the same rules; their loop "
        "is reckoned from those."
    )
    return f"## Ranking\n\n{said}\n\n" + _table(("", "seconds", "peak memory", "beside"), rows)


def _took(one: Mapping[str, float]) -> tuple[str, str]:
    return f"{one['seconds']:.1f}", f"{one['peak'] / 1e9:.2f} GB"


def _cold(figures: Sequence[Figure]) -> str:
    rows = [(_COLD[f.took.task], f"{f.took.seconds:.2f}", f"{f.took.peak / 1e9:.2f} GB") for f in figures]
    return _table(("from a cold start of the interpreter", "seconds", "peak memory"), rows)


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (titles, ["---"] * len(titles), *rows))


def _plain(words: str) -> str:
    return words.replace("*", "").replace("`", "")


_LIBRARIES = ("duckdb", "numpy", "scipy", "pyarrow", "polars", "pandas", "lifelines", "statsmodels")

_TEXT = """# How fast, and how much memory

What a study takes on made-up logs of growing size, an account for every hundred events. The baseline is what any tool
has to do at least: a plain `GROUP BY account_id, event` over the same Parquet files, with the same library and in the
same run. Every row is a process of its own; seconds are the median of its repetitions, memory is the highest peak of
any (of the process and those it starts). The product's rows were given a ceiling of {memory} (`--memory`), the others
none.

{cold}

{sizes}

## Growth

![Seconds and peak memory by events, on logarithmic axes]({drawing})

{growth}

## Where the time goes

The stages of the largest study above:

{stages}

{ranking}

## On what

{cores} cores, {machine}; {versions}. `make bench` repeats it up to a million events in a few minutes, `make bench-full`
up to 100 million in some hours.
"""
