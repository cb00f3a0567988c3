"""Where the cache lies, how large it may grow, and whether it is wanted at all."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISREG

FOLDER, SWITCH = "DISCOVERY_CACHE_DIR", "DISCOVERY_CACHE"
"""The environment variables that move the cache, and that turn it off."""
_NAME = "milestone-discovery"
_LARGEST = 20 << 30
_SHARE_OF_FREE = 10


def is_off() -> bool:
    """Say whether the environment turns the cache off, as `DISCOVERY_CACHE=off` does."""
    return os.environ.get(SWITCH, "").strip().lower() in ("off", "0", "no", "false")


def cache_folder() -> Path:
    """Return the folder of the cache: as the environment says, else where this system keeps such things."""
    if named := os.environ.get(FOLDER):
        return Path(named).expanduser().absolute()
    home = Path("~").expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / _NAME / "cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / _NAME
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache").absolute() / _NAME


def size_limit(folder: Path) -> int:
    """Return how many bytes the cache may hold: 20 GB, or a tenth of what it holds and the disk has free."""
    return min(_LARGEST, (size_of(folder) + free_space(folder)) // _SHARE_OF_FREE)


def free_space(folder: Path) -> int:
    """Return the free bytes of the disk that a folder lies on, or would; 0 where that cannot be told."""
    for there in (folder, *folder.parents):
        with suppress(OSError):
            return shutil.disk_usage(there).free
    return 0


def size_of(folder: Path) -> int:
    """Return the bytes of the files in a folder; one that vanishes meanwhile counts for nothing."""
    total = 0
    for under, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                told = os.lstat(os.path.join(under, name))
                total += told.st_size if S_ISREG(told.st_mode) else 0
    return total


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Yield a file beside `path` to write to, which takes its place at the end; on an error nothing stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(prefix=".writing-", dir=path.parent)
    os.close(handle)
    try:
        yield Path(name)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
