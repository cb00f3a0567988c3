"""Rows on disk: one line of JSON each, only ever added to, so that a stopped run goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

import discovery

ROWS_COME_FROM = (
    "baselines.py", "inertia.py", "inference.py", "judge.py", "learned.py", "perform.py", "seen.py",
)  # fmt: skip


class Row(Protocol):
    """What can be kept: a run of one version of the code that goes to plain values and back."""

    @property
    def version(self) -> str: ...
    @property
    def key(self) -> tuple[str, int, int]: ...
    def as_dict(self) -> dict[str, Any]: ...
    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self: ...


R = TypeVar("R", bound=Row)


class Store(Generic[R]):
    """A file of rows. A last line that was cut off by an interruption is taken away before anything is added."""

    def __init__(self, path: str | Path, row: type[R]) -> None:
        self.path = Path(path)
        self.row = row
        if self.path.exists():
            self._cut_unfinished_line()

    def rows(self, version: str | None = None) -> list[R]:
        """Return the rows of one version of the code, or all of them, each run once."""
        if not self.path.exists():
            return []
        lines = self.path.read_text(encoding="utf-8").splitlines()
        rows = (self.row.from_dict(json.loads(line)) for line in lines)
        return list({(row.version, *row.key): row for row in rows if version in (None, row.version)}.values())

    def add(self, row: R) -> None:
        """Write one row at the end."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row.as_dict(), default=str) + "\n")

    def _cut_unfinished_line(self) -> None:
        written = self.path.read_bytes()
        whole = written.rfind(b"\n") + 1
        if whole < len(written):
            with self.path.open("r+b") as file:
                file.truncate(whole)


def code_version(modules: Iterable[str] = ROWS_COME_FROM) -> str:
    """Return a digest of every source that shapes a row: the package, and the modules here that judge."""
    package = Path(discovery.__file__).parent
    here = Path(__file__).parent
    sources = [*sorted(package.rglob("*.py")), *(here / name for name in modules)]
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return f"{discovery.__version__}+{digest.hexdigest()[:10]}"
