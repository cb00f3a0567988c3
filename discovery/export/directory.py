"""A folder of results that appears whole or not at all."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from discovery.errors import OutputError

WRITTEN = frozenset(
    {"report.html", "result.json", "candidates.csv", "discover.toml", "run.log"}
    | {"events.parquet", "events.csv.gz", "accounts.csv", "truth.json"}
)
"""The names this project writes; a folder holding anything else is never replaced."""

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


@contextmanager
def written_whole(directory: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield an empty folder beside `directory`; on success it takes the place of `directory`.

    On any exception nothing is left behind and `directory` is as it was.

    Raises
    ------
    OutputError
        If `directory` is a file, holds files this project did not write, or cannot be written.
    """
    target = Path(directory).absolute()
    refuse_foreign(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise OutputError(f"Cannot write to {target} ({error.strerror}). Choose another --out.") from error
    try:
        yield building
        building.chmod(0o777 & ~_umask())
        refuse_foreign(target)
        _put_in_place(building, target)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def refuse_foreign(target: Path) -> None:
    """Raise `OutputError` unless `target` is absent, empty, or holds nothing but earlier results."""
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise OutputError(f"{target} is not a folder. Choose another --out.")
    if not target.exists():
        return
    foreign = sorted(path.name for path in target.iterdir() if path.name not in WRITTEN)
    if foreign:
        shown = ", ".join(foreign[:3]) + (", ..." if len(foreign) > 3 else "")
        raise OutputError(
            f"{target} holds {len(foreign)} file(s) that are not results of an earlier run ({shown}). "
            "Choose a new or empty folder for --out."
        )


def _put_in_place(building: Path, target: Path) -> None:
    """Exchange the folders in one step where the system can; the old one ends up in `building`."""
    try:
        if not target.exists():
            building.rename(target)
        elif not _exchange(building, target):
            _swap(building, target)
    except OSError as error:
        raise OutputError(f"Cannot replace {target} ({error.strerror}). Choose another --out.") from error


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders atomically with Linux's renameat2; False where it is not to be had."""
    if not sys.platform.startswith("linux"):
        return False
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    if renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(number, os.strerror(number))


def _swap(building: Path, target: Path) -> None:
    """Exchange two folders by renames, putting the old one back if the second rename fails."""
    aside = target.with_name(f"{building.name}.old")
    target.rename(aside)
    try:
        building.rename(target)
    except OSError:
        aside.rename(target)
        raise
    aside.rename(building)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
