"""Runs done side by side until the time is up, each in a process with one thread."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import TypeVar

from .worlds import Run

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
R = TypeVar("R")


def done(
    waiting: Iterator[Run],
    perform: Callable[[Run, str], R],
    version: str,
    workers: int,
    may_start: Callable[[], bool],
) -> Iterator[R]:
    """Yield rows as they finish; no run is started once `may_start` says no or none is waiting.

    With several workers each keeps to one thread: they are fresh processes, which read so before they import NumPy.
    """
    if workers > 1:
        os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        running: set[Future[R]] = set()
        while True:
            while len(running) < workers and may_start() and (run := next(waiting, None)):
                running.add(pool.submit(perform, run, version))
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in finished)


def deadline(minutes: float) -> Callable[[], bool]:
    """Return a function that says whether the time is not up yet."""
    end = time.monotonic() + 60 * minutes
    return lambda: time.monotonic() < end
