"""What is inside a .zip, unpacked beside the engine's other temporary files."""

from __future__ import annotations

import itertools
import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from discovery.errors import SourceError

_ARCHIVES = itertools.count(1)
_SPARE = 0.5
"""Share of the free disk that unpacking may fill."""


def unzipped(archive: Path, scratch: str | Path, is_wanted: Callable[[str], bool]) -> list[Path]:
    """Unpack the files of an archive whose names are wanted, and return them in the order of their names.

    Raises
    ------
    SourceError
        If the archive is damaged, encrypted, or larger inside than half of the free disk.
    """
    if not scratch:
        raise SourceError(f"{archive.name} is a .zip archive. Unzip it, and give the folder.")
    folder = Path(scratch) / f"unzipped_{next(_ARCHIVES)}"
    try:
        with zipfile.ZipFile(archive) as opened:
            wanted = [held for held in opened.infolist() if not held.is_dir() and _is_wanted(held.filename, is_wanted)]
            _refuse(archive, wanted, shutil.disk_usage(scratch).free)
            return [_written(opened, held, folder, i) for i, held in enumerate(sorted(wanted, key=_by_name))]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise SourceError(f"{archive.name} cannot be unzipped ({error}). Download it again, or unzip it.") from error


def _by_name(held: zipfile.ZipInfo) -> str:
    return held.filename


def _is_wanted(name: str, is_wanted: Callable[[str], bool]) -> bool:
    hidden = any(part.startswith((".", "_")) and part != ".." for part in Path(name).parts)
    return not hidden and is_wanted(name)


def _refuse(archive: Path, wanted: list[zipfile.ZipInfo], free: int) -> None:
    if any(held.flag_bits & 1 for held in wanted):
        raise SourceError(f"{archive.name} is encrypted. Unzip it with its password, and give the folder.")
    size = sum(held.file_size for held in wanted)
    if size > _SPARE * free:
        raise SourceError(
            f"{archive.name} holds {size / 1e9:,.1f} GB, more than half of the {free / 1e9:,.1f} GB free for temporary "
            "files. Unzip it where there is room, and give the folder."
        )


def _written(opened: zipfile.ZipFile, held: zipfile.ZipInfo, folder: Path, number: int) -> Path:
    # The name inside is not used as a path: it may point anywhere.
    path = folder / str(number) / Path(held.filename.replace("\\", "/")).name
    path.parent.mkdir(parents=True)
    left = held.file_size
    with opened.open(held) as packed, path.open("wb") as file:
        while chunk := packed.read(1 << 20):
            left -= len(chunk)
            if left < 0:
                raise zipfile.BadZipFile(f"{held.filename} is larger than it says")
            file.write(chunk)
    return path
