"""A folder of results that appears whole or not at all."""

from __future__ import annotations

import ctypes
import errno
import glob
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from discovery.errors import OutputError

STUDY = frozenset({"report.html", "result.json", "candidates.csv", "discover.toml", "run.log"})
"""The names of a study's files; `result.json` is always among them."""

VALIDATION = frozenset({"report.html", "validation.json", "scorecard.csv", "discover.toml", "plan.md", "run.log"})
"""The names of a validation's files; `validation.json` is always among them."""

CHECK = frozenset({"report.html", "check.json"})
"""The names of a check's files; `check.json` is always among them."""

WORLD = frozenset({"events.parquet", "events.csv.gz", "accounts.csv", "truth.json"})
"""The names of a simulated world's files; `truth.json` is always among them."""

_SUCCEEDED = ("discover.toml", "validation.json")
"""Files that may be read from the folder that is replaced: the run leaves their successors there."""

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@contextmanager
def written_whole(directory: str | os.PathLike[str], reading: Iterable[str] = ()) -> Iterator[Path]:
    """Yield an empty folder beside `directory`; on success it takes the place of `directory`.

    On any exception nothing is left behind and `directory` is as it was.

    Parameters
    ----------
    directory
        The folder to write.
    reading
        Paths and patterns that are read meanwhile; a folder they lie in is not replaced.

    Raises
    ------
    OutputError
        If `directory` is a file, the current folder, holds files this project did not write or reads, or
        cannot be written.
    """
    target = Path(directory).absolute()
    reading = tuple(reading)
    refuse_foreign(target, reading)
    made = _missing_folders(target.parent)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{target.name[:20]}.", dir=target.parent))
    except OSError as error:
        _remove_empty(made)
        raise OutputError(f"Cannot write to {target} ({error.strerror}). Choose another --out.") from error
    try:
        yield building
        building.chmod(0o777 & ~_umask())
        refuse_foreign(target, reading)
        _put_in_place(building, target)
    except OSError as error:
        if error.errno not in _DISK:
            raise
        raise OutputError(
            f"Cannot write to {target} ({error.strerror}). Free some space, or choose another --out."
        ) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
        _remove_empty(made)


def refuse_foreign(target: Path, reading: Iterable[str] = ()) -> None:
    """Raise `OutputError` unless `target` is absent, empty, or holds nothing but earlier results.

    Nor may `reading`, the paths and patterns of what is read, lie in it, or it be the current folder: it is
    replaced as a whole.
    """
    try:
        found = _names_in(target)
    except OSError as error:
        raise OutputError(f"Cannot write to {target} ({error.strerror}). Choose another --out.") from error
    if found is None:
        return
    if target.samefile(Path.cwd()):
        raise OutputError(f"{target} is the current folder, which cannot be replaced. Choose a folder in it for --out.")
    read = sorted(path.name for path in target.iterdir() if _is_read(path, reading))
    _refuse(target, read, "that this run reads")
    _refuse(target, _foreign(found), "that are not results of an earlier run")


def _refuse(target: Path, names: list[str], what: str) -> None:
    if names:
        shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        raise OutputError(
            f"{target} holds {len(names)} file(s) {what} ({shown}). Choose a new or empty folder for --out."
        )


def _names_in(target: Path) -> set[str] | None:
    """Return the names in a folder; None where there is none."""
    try:
        mode = os.lstat(target).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISDIR(mode):
        raise OutputError(f"{target} is not a folder. Choose another --out.")
    return set(os.listdir(target))


def _foreign(found: set[str]) -> list[str]:
    """Return the names that are not an earlier result's: accounts.csv alone may be somebody's own."""
    known = (STUDY, "result.json"), (VALIDATION, "validation.json"), (CHECK, "check.json"), (WORLD, "truth.json")
    for names, always in known:
        if always in found:
            return sorted(found - names)
    return sorted(found)


def _is_read(path: Path, reading: Iterable[str]) -> bool:
    """Say whether a file is, or lies in, what is read; what the run replaces by its successor does not count."""
    if path.name in _SUCCEEDED:
        return False
    own = os.path.realpath(path)
    for given in reading:
        given = os.path.expanduser(given)
        places = glob.glob(given, recursive=True) or [given]
        if any(
            own == os.path.realpath(place) or path.parent.samefile(place) for place in places if os.path.exists(place)
        ):
            return True
    return False


def _missing_folders(folder: Path) -> list[Path]:
    """Return the folders on the way to `folder` that are not there yet, the innermost first."""
    return [place for place in (folder, *folder.parents) if not os.path.lexists(place)]


def _remove_empty(folders: list[Path]) -> None:
    """Remove those folders that are empty."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


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
