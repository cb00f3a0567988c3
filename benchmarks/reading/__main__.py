"""Write a large made-up export once, read it with little memory, and publish how that went.

python -m benchmarks.reading                         1 GB of gzipped JSON lines, read with a limit of 2 GB
python -m benchmarks.reading --sizes 30 --memory 1GB --folder out/reading
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from .export import Export, written
from .measure import Measured, measured
from .page import Reading, publish

_ROOM = 1.2


def main(given: list[str] | None = None) -> None:
    """Write what is missing, measure every size, and write the page."""
    asked = _arguments().parse_args(given)
    folder = Path(asked.folder)
    folder.mkdir(parents=True, exist_ok=True)
    _require_room(folder, sum(asked.sizes))
    readings = []
    for size in sorted(asked.sizes):
        export = written(folder, size)
        print(f"{export.events.name}: {export.rows:,} lines", flush=True)
        baseline, read = (_best(task, export, asked.memory, asked.repeats) for task in ("count", "load"))
        readings.append(Reading(export=export, baseline=baseline, read=read))
        print(f"  {read.seconds:.1f} s, {read.peak / 1e9:.2f} GB; counting alone {baseline.seconds:.1f} s", flush=True)
    publish(readings, asked.memory, Path(asked.page))


def _best(task: str, export: Export, memory: str, repeats: int) -> Measured:
    """Return the quickest of several readings, with the highest peak of memory of any."""
    kind = "load" if task == "load" else "count"
    tries = [measured(kind, export.events, export.accounts, memory) for _ in range(repeats)]
    quickest = min(tries, key=lambda one: one.seconds)
    return quickest.with_peak(max(one.peak for one in tries))


def _require_room(folder: Path, megabytes: int) -> None:
    missing, free = megabytes * 1_000_000 * _ROOM, shutil.disk_usage(folder).free
    if free < missing:
        raise SystemExit(f"{folder} has {free / 1e9:.1f} GB free; {missing / 1e9:.1f} GB are needed. Name another.")


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("benchmarks.reading", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 300, 1000], help="sizes of the exports, in MB")
    parser.add_argument("--memory", default="2GB", help="what the engine may hold in memory")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--folder", default=str(Path(tempfile.gettempdir()) / "discovery-reading"))
    parser.add_argument("--page", default="docs/reading.md")
    return parser


if __name__ == "__main__":
    main()
