"""Readings kept for later: what was asked of which files, and the way to the cache and back.

Files are known by their bytes, and by what the file system says of them where that has not changed since; a reading
is found by them, by the paths asked for, and by the sections of the spec that rows are read by. The outcome, the kinds
of events and everything later are not among these: what they change is asked again of what was kept.
"""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
import shutil
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache as once
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from discovery.cache import Cache, Entry, Signature
from discovery.cache.warning import warn
from discovery.engines.ceiling import engine_limit
from discovery.engines.duckdb import DATABASE, DuckDBEngine
from discovery.engines.remembering import RememberingEngine
from discovery.errors import DiscoveryError, EngineError
from discovery.intake.addresses import is_address
from discovery.intake.checks import asked_again
from discovery.intake.keeping import read_kept, write_kept
from discovery.intake.loading import load, outcome_kind
from discovery.intake.relations import Relations
from discovery.intake.traits_again import traits_again
from discovery.progress import Progress, silent
from discovery.spec import StudySpec, build_spec
from discovery.spec.sources import DERIVED
from discovery.version import __version__

SMALLEST = 8 << 20
"""Bytes of files below which reading again is as quick."""
_ROOM = 1 << 30
_ROOM_FACTOR = 4  # a database of typed rows, and what is written on the way, against compressed files
_READ_BY_THE_CLOCK = "future_events"
_REFUSALS = (EngineError, OSError, ValueError, pa.ArrowException, duckdb.Error)
"""What a folder that is full, damaged or gone may raise where nothing is wrong with the sources."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """The arguments of `load`, passed on as they are."""

    events: object
    accounts: object
    spec: StudySpec
    memory: str | None
    progress: Progress
    properties: Sequence[str]

    def read(self, folder: str | None = None) -> Relations:
        """Read the sources, into a database in a folder that outlives the engine where one is given."""
        engine = DuckDBEngine(engine_limit(self.memory), folder=folder)
        try:
            relations = load(
                self.events,
                self.accounts,
                self.spec,
                engine=engine,
                progress=self.progress,
                properties=self.properties,
            )
        except BaseException:
            engine.close()
            raise
        if relations.engine is not engine:  # the events stay where they are
            engine.close()
        return relations


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of which files, and what the file system says of these."""

    asked: Mapping[str, Any]
    files: Mapping[Path, Signature]

    @property
    def of(self) -> str:
        """The files asked for, in words."""
        return ", ".join(str(path) for path in self.asked["sources"].values())

    def key(self, digests: Mapping[Path, str]) -> str:
        """Return the name of its reading, given the SHA-256 of every file."""
        content = sorted((str(path), digests[path]) for path in self.files)
        text = json.dumps([self.asked, content], sort_keys=True, default=repr)
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def load_kept(
    events: object,
    accounts: object,
    spec: StudySpec,
    *,
    cache: Cache | None,
    memory: str | None = None,
    progress: Progress = silent,
    properties: Sequence[str] = (),
) -> Relations:
    """Return the relations of a reading kept earlier, else read as `load` does and keep what was read.

    Only large files are kept; either way the relations are the same.

    Parameters
    ----------
    cache
        Where readings are kept; None reads without.
    events, accounts, spec, memory, progress, properties
        As for `load`.

    Raises
    ------
    InputError
        As `load` does.
    """
    asking = Asking(
        events=events, accounts=accounts, spec=spec, memory=memory, progress=progress, properties=properties
    )
    question = None if cache is None else question_of(events, accounts, spec, properties)
    if cache is None or question is None:
        return asking.read()
    progress("Looking for what was read before")
    try:
        key = question.key(cache.fingerprints.of(question.files))
    except OSError:  # reading them says it better
        return asking.read()
    entry = cache.find(key)
    if entry is None:
        return _read_and_kept(asking, cache, question, key)
    made = datetime.fromtimestamp(entry.made, UTC)
    progress(f"Using what was read on {made:%Y-%m-%d %H:%M} UTC (--no-cache reads again)")
    try:
        return _taken_up(entry, asking, cache)
    except _REFUSALS as error:
        cache.drop(key, f"cannot be used ({_told(error)})")
        return asking.read()


def question_of(events: object, accounts: object, spec: StudySpec, properties: Sequence[str] = ()) -> Question | None:
    """Return what is asked of which files; None where something is no file, or all are small."""
    given: dict[str, Any] = {
        "events": spec.events.source if events is None else events,
        "accounts": spec.accounts.source if accounts is None else accounts,
        "users": spec.identity.source,
        "persons": spec.identity.persons,
    }
    asked = {role: given[role] for role in given if not _is_none(role, given[role])}
    if "events" not in asked or any(is_address(path) for path in asked.values()):
        return None
    try:
        sources = {role: os.path.abspath(os.path.expanduser(os.fspath(path))) for role, path in asked.items()}
        files = {path: Signature.of(path) for under in sources.values() for path in _files(under)}
    except (OSError, ValueError, TypeError):  # a table in memory is no path
        return None
    if sum(signature.size for signature in files.values()) < SMALLEST:
        return None
    read_by = _read_by(spec, properties, derived="accounts" not in sources)
    return Question({"sources": sources, "made_by": made_by(), **read_by}, files)


def made_by() -> str:
    """Return the versions that readings are made by; those of others are not used."""
    return f"{__version__} {duckdb.__version__} {_code()}"


def _is_none(role: str, given: object) -> bool:
    return given is None or (isinstance(given, str) and (not given or (role == "accounts" and given == DERIVED)))


def _read_by(spec: StudySpec, properties: Sequence[str], *, derived: bool) -> dict[str, Any]:
    """Return the part of a spec that rows are read by; traits of a table of accounts are read apart."""
    sections = spec.model_dump(include={"events", "accounts", "identity"})
    if not derived:
        sections["accounts"] = {k: v for k, v in sections["accounts"].items() if k not in ("segments", "seats")}
    tests = [test.column for test in spec.experiment.assignment]
    return {"spec": sections, "tests": tests, "properties": [*spec.candidates.properties, *properties]}


@once
def _code() -> str:
    """Return the digest of the whole package, whose code may change between two releases of the same name."""
    return source_digest(Path(__file__).parents[1])


def source_digest(package: Path) -> str:
    """Return the digest of the Python files under a folder, and of where in it they lie."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files(asked: str) -> list[Path]:
    """Return every file that reading may open: hidden ones too, which changes nothing but the digest."""
    path = Path(asked)
    there = [path] if path.exists() else [Path(name) for name in glob.glob(asked, recursive=True)]
    return sorted(file for file in (path.rglob("*") if path.is_dir() else there) if file.is_file())


def _read_and_kept(asking: Asking, cache: Cache, question: Question, key: str) -> Relations:
    """Read into a folder of the cache, publish it, and take it up as any later run does."""
    staging = cache.staged(_ROOM + _ROOM_FACTOR * sum(signature.size for signature in question.files.values()))
    if staging is None:
        return asking.read()
    try:
        relations = asking.read(str(staging))
    except BaseException as error:
        lost = isinstance(error, DiscoveryError | OSError) and _is_lost(staging, cache, error)
        shutil.rmtree(staging, ignore_errors=True)
        if not lost:
            raise
        return _read_without(asking, cache, error)
    try:
        if not _lasts(relations, question):
            weakref.finalize(relations.engine, shutil.rmtree, str(staging), ignore_errors=True)
            return relations
        write_kept(relations, asking.spec, staging)
        relations.engine.close()
        return _taken_up(cache.keep(key, staging, question.of, relations.events_rows), asking, cache)
    except BaseException as error:
        with suppress(*_REFUSALS):
            relations.engine.close()
        shutil.rmtree(staging, ignore_errors=True)
        if not isinstance(error, _REFUSALS):
            raise
        return _read_without(asking, cache, error)


def _read_without(asking: Asking, cache: Cache, error: BaseException) -> Relations:
    warn(f"{cache.folder} could not hold what was read ({_told(error)}); the sources are read again, and not kept.")
    return asking.read()


def _is_lost(staging: Path, cache: Cache, error: Exception) -> bool:
    """Say whether reading failed for the folder it was read into: on a full disk, or removed by somebody."""
    full = cache.is_full() or os.strerror(errno.ENOSPC) in str(error)
    return full or not os.path.exists(staging / DATABASE)


def _told(error: BaseException) -> str:
    return getattr(error, "strerror", None) or " ".join(str(error).split()).rstrip(".")


def _lasts(relations: Relations, question: Question) -> bool:
    """Say whether the reading is worth taking up: no error in it, no answer of today alone, no file changed since."""
    codes = {finding.code for finding in relations.quality}
    if _READ_BY_THE_CLOCK in codes or any(finding.severity == "error" for finding in relations.quality):
        return False
    views = relations.engine.rows("SELECT sql FROM duckdb_views() WHERE NOT internal")
    if any("read_" in str(sql) for (sql,) in views):
        return False
    with suppress(OSError):
        return all(Signature.of(path) == signature for path, signature in question.files.items())
    return False


def _taken_up(entry: Entry, asking: Asking, cache: Cache) -> Relations:
    """Return the relations of an entry, as the outcome, the kinds and the traits of this spec have them."""
    kept, limit = read_kept(entry.folder), engine_limit(asking.memory)
    closing = cache.trim if entry.lasting else partial(shutil.rmtree, entry.folder, ignore_errors=True)
    engine = RememberingEngine(str(entry.folder / DATABASE), entry.answers, limit, on_close=closing)
    try:
        relations, roster = kept.relations(engine), kept.roster()
        spec = _resolved(asking.spec, relations.spec, outcome_kind(asking.spec, roster, relations.has_departures))
        if not kept.has_traits(asking.spec):
            again = traits_again(asking.events, asking.accounts, asking.spec, relations, roster, limit)
            relations, roster = replace(relations, accounts=again.accounts, recognised=again.recognised), again.roster
            spec = spec.model_copy(update={"accounts": spec.accounts.model_copy(update=again.columns)})
        checked = kept.checked(engine, roster, spec)
        quality, rules = asked_again(checked, relations.quality, relations.rules)
    except BaseException:
        engine.close()
        raise
    return replace(relations, spec=spec, quality=quality, rules=rules, checked=checked)


def _resolved(asked: StudySpec, kept: StudySpec, kind: str) -> StudySpec:
    """Return a spec with the columns of a kept reading filled in."""
    values = asked.model_dump(by_alias=True)
    values |= kept.model_dump(by_alias=True, include={"events", "accounts", "identity"})
    values["accounts"]["observed_until"] = asked.accounts.observed_until or kept.accounts.observed_until
    values["outcome"]["kind"] = kind
    return build_spec(values)
