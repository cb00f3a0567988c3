"""Write a large made-up export once, read it with little memory, and publish how that went.

python -m benchmarks.reading                         up to 1 GB of gzipped JSON lines, with limits of 1 GB and 500 MB
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
        for memory in asked.memory if size == max(asked.sizes) else asked.memory[:1]:
            baseline, read = (_best(task, export, memory, asked.repeats) for task in ("count", "load"))
            readings.append(Reading(export=export, memory=memory, baseline=baseline, read=read))
            print(
                f"  {memory}: {read.seconds:.1f} s, {read.peak / 1e9:.2f} GB; counting {baseline.seconds:.1f} s",
                flush=True,
            )
    command = (
        f"python -m benchmarks.reading --sizes {' '.join(map(str, asked.sizes))} --memory {' '.join(asked.memory)}"
    )
    publish(readings, command, Path(asked.page))


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
    parser.add_argument(
        "--memory",
        nargs="+",
        default=["1GB", "500MB"],
        help="what the engine may hold in memory; each after the first for the largest export alone",
    )
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--folder", default=str(Path(tempfile.gettempdir()) / "discovery-reading"))
    parser.add_argument("--page", default="docs/reading.md")
    return parser


if __name__ == "__main__":
    main()
