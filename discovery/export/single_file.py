"""A file that people complete by hand: it appears whole or not at all, and never in place of another."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from discovery.errors import OutputError


def refuse_existing(path: str | os.PathLike[str]) -> None:
    """Raise `OutputError` unless `path` is a name that is free, in a folder that is there."""
    target = Path(path)
    if target.is_dir():
        raise OutputError(f"{target} is a folder. Choose a file for --out, such as {target / 'worksheet.md'}.")
    if os.path.lexists(target):
        raise OutputError(
            f"{target} is there already, and somebody may have written in it. Choose another --out, or remove it."
        )
    if not target.parent.is_dir():
        raise OutputError(
            f"There is no folder {target.parent} to write {target.name} to. Make it, or choose another --out."
        )


def write_whole(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` as UTF-8 to the new file `path`; on any error nothing is left behind.

    Raises
    ------
    OutputError
        If `path` exists, its folder does not, or it cannot be written.
    """
    target = Path(path)
    refuse_existing(target)
    building = None
    try:
        handle, building = tempfile.mkstemp(prefix=f".{target.name[:20]}.", dir=target.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8"))
        umask = os.umask(0)
        os.umask(umask)
        Path(building).chmod(0o666 & ~umask)
        _give_name(building, target)
    except OSError as error:
        raise OutputError(f"Cannot write {target} ({error.strerror}). Choose another --out.") from error
    finally:
        if building is not None:
            with suppress(OSError):
                os.unlink(building)


def _give_name(building: str, target: Path) -> None:
    """Give the finished file its name; a file made there meanwhile is kept, where the system has links."""
    try:
        os.link(building, target)
    except FileExistsError:
        raise
    except OSError:
        os.replace(building, target)
