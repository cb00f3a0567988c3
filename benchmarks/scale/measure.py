"""Do one task in a process of its own, and say how long it took and how much memory it had at most.

python -m benchmarks.scale.measure TASK LOG_FOLDER EVENTS ACCOUNTS MEMORY
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from .log import Log

_NO_CACHE = {"DISCOVERY_CACHE": "off"}
_BLAS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a task took: wall and CPU seconds, the peak of resident memory and of what it wrote aside, in bytes.

    `stages` has the seconds of every stage, in order; `said` what the task found, so that two that should agree can
    be compared.
    """

    task: str
    seconds: float
    cpu: float
    peak: int
    before: int
    stages: Mapping[str, float] = field(default_factory=dict)
    said: Mapping[str, float | str] = field(default_factory=dict)


def measured(task: str, log: Log, memory: str, repeats: int = 1) -> Measured:
    """Return the median of several processes by wall time, with the highest peak of memory of any."""
    ask = _again if task == "run_again" else _once
    tries = sorted((ask(task, log, memory) for _ in range(repeats)), key=lambda one: one.seconds)
    middle = tries[(len(tries) - 1) // 2]
    values = asdict(middle) | {"seconds": median(one.seconds for one in tries), "peak": max(one.peak for one in tries)}
    return Measured(**values)


def _again(task: str, log: Log, memory: str) -> Measured:
    """Measure what follows an earlier run that kept what it read."""
    with tempfile.TemporaryDirectory() as folder:
        cache = {"DISCOVERY_CACHE": "on", "DISCOVERY_CACHE_DIR": folder}
        _once("run_kept", log, memory, cache)
        return _once(task, log, memory, cache)


def _once(task: str, log: Log, memory: str, cache: Mapping[str, str] = _NO_CACHE) -> Measured:
    command = [sys.executable, "-m", "benchmarks.scale.measure", task, str(log.folder)]
    command += [str(log.events), str(log.accounts), memory]
    environment = {name: value for name, value in os.environ.items() if name not in _BLAS}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment | dict(cache))
    if done.returncode:
        raise SystemExit(f"{task} on {log.folder} failed:\n{done.stderr[-2000:]}")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


class Stages:
    """Takes the names of stages as they begin, and says how long each took."""

    def __init__(self) -> None:
        self._begun: list[tuple[str, float]] = []

    def __call__(self, stage: str, share: float | None = None) -> None:
        """Note the stage, unless it is the one under way."""
        if not self._begun or self._begun[-1][0] != stage:
            self._begun.append((stage, time.perf_counter()))

    def seconds(self) -> dict[str, float]:
        """Return the seconds of every stage, the last one until now."""
        ends = [moment for _, moment in self._begun[1:]] + [time.perf_counter()]
        taken: dict[str, float] = {}
        for (stage, start), end in zip(self._begun, ends, strict=True):
            taken[stage] = taken.get(stage, 0.0) + end - start
        return taken


@contextmanager
def most_memory() -> Iterator[list[int]]:
    """Sample the memory of this process and of those it starts; the list's one number is the most there ever was."""
    most, stop = [peak()], threading.Event()

    def watch() -> None:
        while not stop.wait(0.05):
            most[0] = max(most[0], _resident(os.getpid()))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield most
    finally:
        stop.set()
        thread.join()
        most[0] = max(most[0], peak())


def peak() -> int:
    """Return the most memory this process ever held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _resident(process: int) -> int:
    """Return the resident memory of a process and of its children in bytes, as far as the system tells."""
    folder = Path(f"/proc/{process}")
    try:
        pages = int((folder / "statm").read_text().split()[1])
        children = (folder / "task" / str(process) / "children").read_text().split()
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(_resident(int(child)) for child in children)


def main() -> None:
    """Do the task, and print what was measured."""
    from .tasks import TASKS

    name, folder, events, accounts, memory = sys.argv[1:6]
    log, stages = Log(Path(folder), int(events), int(accounts)), Stages()
    before, began, cpu = peak(), time.perf_counter(), _cpu()
    with most_memory() as most:
        said = TASKS[name](log, memory, stages)
    seconds = time.perf_counter() - began
    taken = Measured(
        task=name,
        seconds=seconds,
        cpu=_cpu() - cpu,
        peak=most[0],
        before=before,
        stages=stages.seconds() if stages._begun else {},
        said=said,
    )
    print(json.dumps(asdict(taken)))


def _cpu() -> float:
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main()
