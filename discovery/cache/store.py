"""The entries: found by their key, checked, published whole, and the least recently used ones removed."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from re import fullmatch
from typing import Any

from discovery.cache.answers import Answers
from discovery.cache.fingerprint import Fingerprints, file_sha256
from discovery.cache.places import free_space, size_limit, size_of
from discovery.cache.warning import warn

FORMAT = 1
"""The layout of an entry; one of another format is no entry."""
_MANIFEST, _ANSWERS = "manifest.json", "answers"
_STAGING, _GOING = "staging-", "going-"
_ABANDONED, _IN_USE = 86_400, 3_600  # seconds for which an unfinished folder is left by itself, and when asked to clear
_SHARE_OF_AN_ANSWER = 4
_HARDLY_ANY = 64 << 20
_FAR_OFF = 10**11  # seconds since 1970 that no clock shows


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReading:
    """An entry as people are told of it. `made` and `used`, when it last was, are in seconds since 1970.

    One that is not `current` was made by another version, and is found no more.
    """

    key: str
    of: str
    rows: int
    size: int
    made: float
    used: float
    current: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One kept reading: a folder whose parts agree with their checksums, and the answers asked of it since.

    One that is not `lasting` is found by nobody else, and belongs to who made it. `made` is in seconds since 1970.
    """

    folder: Path
    answers: Answers
    made: float
    lasting: bool = True


class Cache:
    """The entries in one folder, which several processes may use at once.

    Parameters
    ----------
    folder
        Where the entries lie; made when the first is kept.
    limit
        Bytes that all may hold together; None is 20 GB, or a tenth of the disk where that is less.
    made_by
        The version that entries are made by and found by; entries of another are the first to go.
    """

    def __init__(self, folder: Path, limit: int | None = None, made_by: str = "") -> None:
        self.folder = folder
        self.made_by = made_by
        self.limit = size_limit(folder) if limit is None else limit
        self.fingerprints = Fingerprints(folder / "fingerprints.json")

    def find(self, key: str) -> Entry | None:
        """Return the entry of a key with every part checked; None where there is none that can be trusted."""
        folder = self.folder / key
        if not os.path.lexists(folder):
            return None
        try:
            fault = _fault(folder, key)
        except PermissionError:  # it is another user's
            return None
        except (FileNotFoundError, NotADirectoryError):  # nothing was published here
            _remove(folder)
            return None
        except OSError:
            fault = "is damaged"
        if fault:
            self.drop(key, fault)
            return None
        with suppress(OSError):
            os.utime(folder / _MANIFEST)
        return self._entry(folder)

    def drop(self, key: str, fault: str) -> None:
        """Remove an entry that cannot be used, and warn of it."""
        warn(f"{self.folder / key} {fault}; it was passed over and removed, and the sources are read again.")
        _remove(self.folder / key)

    def is_full(self) -> bool:
        """Say whether the disk has hardly any space left."""
        return free_space(self.folder) < _HARDLY_ANY

    def staged(self, expected: int) -> Path | None:
        """Return a new folder for an entry in the making; None where none can be made, or the disk is too full.

        `expected` is how many bytes it may need.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            free = free_space(self.folder)
            if free < expected:
                warn(f"{self.folder} lies on a disk with {free >> 20:,} MB free; nothing is kept there.")
                return None
            return Path(tempfile.mkdtemp(prefix=_STAGING, dir=self.folder))
        except OSError as error:
            warn(f"{self.folder} cannot be written to ({error.strerror}); nothing is kept there.")
            return None

    def keep(self, key: str, staging: Path, of: str, rows: int) -> Entry:
        """Publish a staged folder under its key, and make room for it; every file in it becomes a part.

        Where another process was quicker, the folder is too large or the disk refuses, the entry does not last.
        """
        now = time.time()
        passing = Entry(staging, Answers(staging / _ANSWERS, 0), now, lasting=False)
        try:
            if size_of(staging) > self.limit:
                return passing
            parts = _checksums(staging)
            manifest = {"format": FORMAT, "key": key, "of": of, "rows": rows, "made": now, "made_by": self.made_by}
            manifest["parts"] = parts
            (staging / _MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
            os.rename(staging, self.folder / key)
        except OSError as error:
            if not os.path.isdir(self.folder / key):
                warn(f"{self.folder} cannot be written to ({error.strerror}); nothing is kept there.")
            return passing
        self.trim(sparing=key)
        return self._entry(self.folder / key)

    def kept(self) -> tuple[KeptReading, ...]:
        """Return what is there, last used first; damaged entries are described as such."""
        found = [_described(folder, self.made_by) for folder in self._folders()]
        return tuple(sorted(found, key=lambda entry: -entry.used))

    def clear(self) -> tuple[int, int]:
        """Remove everything of ours; return how many entries there were, and the bytes of all that was removed.

        What another run may be reading into stays.
        """
        entries, size = list(self._folders()), size_of(self.folder)
        for path in (*entries, *self._unfinished(_IN_USE), self.fingerprints.path):
            _remove(path)
        return len(entries), size - size_of(self.folder)

    def trim(self, sparing: str = "") -> None:
        """Remove entries until the rest fits, those of other versions first, then the least recently used."""
        for path in self._unfinished(_ABANDONED):
            _remove(path)
        entries = [entry for entry in self.kept() if entry.key != sparing]
        entries.sort(key=lambda entry: not entry.current)
        size = size_of(self.folder)
        while size > self.limit and entries:
            oldest = entries.pop()
            _remove(self.folder / oldest.key)
            size -= oldest.size

    def _entry(self, folder: Path) -> Entry:
        answers = Answers(folder / _ANSWERS, self.limit // _SHARE_OF_AN_ANSWER)
        return Entry(folder, answers, _described(folder, self.made_by).made)

    def _folders(self) -> Iterator[Path]:
        yield from (path for path in _inside(self.folder) if fullmatch("[0-9a-f]{64}", path.name))

    def _unfinished(self, rested: int) -> Iterator[Path]:
        """Yield what is on its way out, and what is half-made and was not written to for so many seconds."""
        for path in _inside(self.folder):
            if path.name.startswith(_GOING) or (path.name.startswith(_STAGING) and _rested(path) > rested):
                yield path


def _inside(folder: Path) -> list[Path]:
    with suppress(OSError):
        return list(folder.iterdir())
    return []


def _rested(folder: Path) -> float:
    with suppress(OSError):
        return time.time() - max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
    return 0.0


def _fault(folder: Path, key: str) -> str:
    """Return what is wrong with an entry; empty where nothing is.

    Raises
    ------
    OSError
        If there is none, or it may not be read.
    """
    written = (folder / _MANIFEST).read_bytes()
    try:
        manifest = json.loads(written)
        if manifest["format"] != FORMAT or manifest["key"] != key:
            return "is not what its name says"
        stated: Mapping[str, Any] = manifest["parts"]
        if not stated or _checksums(folder) != stated:
            return "is damaged"
    except PermissionError:
        raise
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return "is damaged"
    return ""


def _checksums(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.iterdir() if path.is_file() and path.name != _MANIFEST)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return dict(zip((path.name for path in paths), pool.map(file_sha256, paths), strict=True))


def _described(folder: Path, made_by: str) -> KeptReading:
    used = manifest = None
    with suppress(OSError, ValueError, RecursionError):
        used = (folder / _MANIFEST).stat().st_mtime
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    told = manifest if isinstance(manifest, dict) else {}
    rows, made = told.get("rows"), told.get("made")
    return KeptReading(
        key=folder.name,
        of=str(told.get("of", "damaged")),
        rows=rows if isinstance(rows, int) else 0,
        size=size_of(folder),
        made=float(made) if isinstance(made, int | float) and 0 <= made < _FAR_OFF else 0.0,
        used=used or 0.0,
        current=told.get("made_by") == made_by,
    )


def _remove(path: Path) -> None:
    """Take a folder out of sight in one step, then delete it; one that is in use where that forbids it stays."""
    if path.is_symlink() or not os.path.isdir(path):
        with suppress(OSError):
            path.unlink()
        return
    going = path.parent / f"{_GOING}{uuid.uuid4().hex}"
    with suppress(OSError):
        os.rename(path, going)
        shutil.rmtree(going, ignore_errors=True)
