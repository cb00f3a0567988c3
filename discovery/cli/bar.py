"""The bar of the stage under way: how far it is and how long it will take, as far as that is known."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.progress import Progress as Bars
from rich.progress import ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.progress_bar import ProgressBar
from rich.text import Text

from discovery.progress import Progress

_SOONEST, _LEAST = 1.0, 0.03
"""Seconds into a stage, and the share of it, before which nothing is said of the rest."""


@contextmanager
def bar(console: Console) -> Iterator[Progress]:
    """Yield a function that shows the stage under way: a spinner, and a bar once its share is known."""
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), _Share(), TimeElapsedColumn(), _Rest())
    with Bars(*columns, console=console, transient=True) as shown:
        task = shown.add_task("Starting", total=None, share=None, ends=None)
        under_way, began, most = "Starting", time.monotonic(), 0.0

        def enter(stage: str, share: float | None = None) -> None:
            nonlocal under_way, began, most
            now = time.monotonic()
            if stage != under_way:
                under_way, began, most = stage, now, 0.0
                shown.update(task, description=stage, share=None, ends=None)
            if share is not None:
                most = max(most, min(share, 1.0))
                left = seconds_left(now - began, most)
                shown.update(task, share=most, ends=None if left is None else now + left)

        yield enter


def seconds_left(spent: float, share: float) -> float | None:
    """Return how long a stage will still take at the pace of its part so far; None where that says little."""
    if spent < _SOONEST or share < _LEAST:
        return None
    return spent * (1 - share) / share


def in_words(seconds: float) -> str:
    """Return a time to come, no more exactly than it is known: "about 40 s left"."""
    if seconds < 1:
        return "nearly done"
    step = 1 if seconds < 10 else 5 if seconds < 60 else 60
    rounded = step * math.ceil(seconds / step)
    return f"about {rounded} s left" if rounded < 60 else f"about {math.ceil(seconds / 60)} min left"


class _Share(ProgressColumn):
    """The bar of a stage that says how far it is; nothing for others."""

    def render(self, task: Task) -> RenderableType:
        share = task.fields["share"]
        return Text("") if share is None else ProgressBar(total=1.0, completed=share, width=24)


class _Rest(ProgressColumn):
    """The time that is left of a stage, once there is something to tell it from."""

    def render(self, task: Task) -> Text:
        ends = task.fields["ends"]
        return Text("" if ends is None else in_words(ends - time.monotonic()), style="progress.remaining")
