"""Digests of files, remembered by what the file system says of them, so that unchanged files are not opened."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from discovery.cache.places import written_aside

_MOST = 20_000
_SETTLED = 2_000_000_000  # nanoseconds; a file changed later than this before it was read may change again unseen


class Signature(NamedTuple):
    """What the file system says of a file. Rewriting it changes at least one of these, its dates set back or not."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int

    @classmethod
    def of(cls, path: Path) -> Signature:
        """Return the signature of a file.

        Raises
        ------
        OSError
            If there is no such file.
        """
        told = path.stat()
        return cls(told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns)


class Fingerprints:
    """The SHA-256 of files, kept in one small file of the cache beside their signatures.

    Parameters
    ----------
    path
        The file they are kept in. One that is damaged counts as empty.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known = _read(path)

    def of(self, signatures: Mapping[Path, Signature]) -> dict[Path, str]:
        """Return the digest of every file, reading only those whose signature is not known.

        Raises
        ------
        OSError
            If a file cannot be read.
        """
        unknown = [path for path, signature in signatures.items() if self._held(path, signature) is None]
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            fresh = dict(zip(unknown, pool.map(file_sha256, unknown), strict=True))
        if fresh:
            self._remember({path: (signatures[path], digest) for path, digest in fresh.items()})
        return {path: fresh.get(path) or self._held(path, sign) or "" for path, sign in signatures.items()}

    def _held(self, path: Path, signature: Signature) -> str | None:
        *known, digest = self._known.get(str(path), (None, None))
        return digest if known == [list(signature)] else None

    def _remember(self, fresh: Mapping[Path, tuple[Signature, str]]) -> None:
        settled = time.time_ns() - _SETTLED
        known = _read(self.path)
        for path, (signature, digest) in fresh.items():
            known.pop(str(path), None)
            if max(signature.modified, signature.changed) < settled:
                known[str(path)] = (list(signature), digest)
        self._known = dict(list(known.items())[-_MOST:])
        text = json.dumps(self._known)
        with suppress(OSError), written_aside(self.path) as file:
            file.write_text(json.dumps({"sha256": _sha256(text), "files": text}), encoding="utf-8")


def _read(path: Path) -> dict[str, tuple[list[int] | None, str | None]]:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        if held["sha256"] != _sha256(held["files"]):
            return {}
        files = json.loads(held["files"])
        return {str(name): (list(signature), str(digest)) for name, (signature, digest) in files.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()
