"""A reading kept earlier is the reading itself: the same relations, the same study, without the sources."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import shutil
import warnings
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import discovery
from discovery import Study, simulate_world
from discovery.cache import Cache, cache_folder
from discovery.cache.warning import CacheWarning
from discovery.engines.duckdb import DATABASE
from discovery.errors import InputError
from discovery.intake import kept
from discovery.intake.keeping import write_kept
from discovery.intake.loading import load
from discovery.intake.relations import Relations
from discovery.spec import build_spec

Files = tuple[Path, Path]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A small world as files."""
    folder = tmp_path_factory.mktemp("world")
    simulate_world("easy", accounts=400, seed=3).write(folder)
    return folder / "events.parquet", folder / "accounts.csv"


@pytest.fixture
def files(written: Files, tmp_path: Path) -> Files:
    """Copies that a test may change."""
    copies = tuple(tmp_path / path.name for path in written)
    for path, copy in zip(written, copies, strict=True):
        copy.write_bytes(path.read_bytes())
    return copies[0], copies[1]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cache:
    """A cache of the test's own, which keeps small files as well."""
    monkeypatch.setenv("DISCOVERY_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("DISCOVERY_CACHE", raising=False)
    monkeypatch.setattr(kept, "SMALLEST", 0)
    return Cache(cache_folder())


def differences(one: Relations, other: Relations) -> list[str]:
    """Return the names of fields that differ, those that name an engine's own things aside."""
    fields = [f.name for f in dataclasses.fields(one) if f.name not in ("engine", "checked", "accounts")]
    found = [name for name in fields if not name.endswith("_table") and getattr(one, name) != getattr(other, name)]
    for field in dataclasses.fields(one.accounts):
        held, read = getattr(one.accounts, field.name), getattr(other.accounts, field.name)
        pairs = [(held[key], read[key]) for key in read] if isinstance(read, Mapping) else [(held, read)]
        if isinstance(read, Mapping) and list(held) != list(read):
            found.append(field.name)
        for a, b in pairs:
            missing = a.dtype == float
            if a.dtype != b.dtype or not np.array_equal(a, b, equal_nan=missing):
                found.append(field.name)
    return found


def rows(relations: Relations) -> list[tuple[Any, ...]]:
    """Return the events with their accounts."""
    return relations.engine.rows(
        f"SELECT a.account, a.signup, e.* EXCLUDE (account_id) FROM {relations.events_table} e "
        f"JOIN {relations.accounts_table} a ON e.account_id = a.account_id ORDER BY ALL"
    )


def refuse(*_: object, **__: object) -> Any:
    raise AssertionError("the sources were read again")


def bare(text: str) -> dict[str, Any]:
    """Return a result without what differs between any two runs."""
    values: dict[str, Any] = json.loads(text)
    values.pop("provenance")
    return values


QUESTIONS: dict[str, dict[str, Any]] = {
    "the same": {},
    "another day": {"outcome": {"by_day": 60}},
    "another kind": {"outcome": {"kind": "active", "passive": ["nothing"]}},
    "kinds": {"kinds": {"value": ["report_shared", "no such event"]}},
    "no traits": {"accounts": {"segments": []}},
    "a trait": {"accounts": {"segments": ["plan"]}},
    "seats": {"accounts": {"seats": "plan"}},
    "inference": {"inference": {"alpha": 0.1, "seed": 4}, "ladder": {"rungs": [2, 4]}},
    "grid": {"candidates": {"window_days": 7, "within_days": [1, 7]}},
}


@pytest.mark.parametrize("asked", QUESTIONS.values(), ids=QUESTIONS)
def test_another_question_of_kept_rows_gives_the_relations_of_a_reading(
    files: Files, cache: Cache, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]
) -> None:
    first = kept.load_kept(*files, build_spec({}), cache=cache)
    first.engine.close()
    monkeypatch.setattr(kept, "load", refuse)
    spec = build_spec(asked)
    again, read = kept.load_kept(*files, spec, cache=cache), load(*files, spec)
    with closing(again.engine), closing(read.engine):
        assert differences(again, read) == []
        assert rows(again) == rows(read)


@pytest.mark.parametrize(
    "asked",
    [
        {"events": {"timezone": "Europe/Berlin"}},
        {"events": {"leave_out": ["report_shared"]}},
        {"accounts": {"leave_out": ["a*"]}},
        {"candidates": {"properties": ["by_other"]}},
        {"experiment": {"assignment": ["plan"]}},
    ],
)
def test_what_rows_are_read_by_is_read_again(cache: Cache, files: Files, asked: dict[str, Any]) -> None:
    def key(values: dict[str, Any]) -> str:
        question = kept.question_of(*files, build_spec(values))
        assert question is not None
        return question.key(dict.fromkeys(question.files, ""))

    assert key({}) != key(asked)
    assert key({}) == key({"outcome": {"by_day": 60}})


def test_a_change_anywhere_in_the_package_makes_another_key(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "discovery"
    shutil.copytree(Path(discovery.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(kept, "__file__", str(package / "intake/kept.py"))

    def key() -> str:
        kept._code.cache_clear()
        question = kept.question_of(*files, build_spec({}))
        assert question is not None
        return question.key(dict.fromkeys(question.files, ""))

    keys = [key(), key()]
    for name in ("spec/sources.py", "naming.py", "results/quality.py", "milestone/parts.py"):
        (package / name).write_text((package / name).read_text("utf-8") + "# changed\n", "utf-8")
        keys.append(key())
    kept._code.cache_clear()
    assert keys[0] == keys[1]
    assert len(set(keys)) == 5


def test_accounts_that_are_read_off_the_events_are_kept_with_their_traits(files: Files, cache: Cache) -> None:
    questions: tuple[dict[str, Any], ...] = ({}, {"accounts": {"segments": []}}, {"outcome": {"by_day": 45}})
    for asked in questions:
        spec = build_spec(asked)
        again, read = kept.load_kept(files[0], None, spec, cache=cache), load(files[0], None, spec)
        with closing(again.engine), closing(read.engine):
            assert differences(again, read) == []
    assert len(cache.kept()) == 2


def test_a_second_study_opens_no_source_and_answers_to_the_bit(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("discovery.cache.fingerprint._SETTLED", -(10**15))  # as if the files had long been there
    quick = {"candidates": {"conjunctions": 1}}
    Study(*files, quick).run()
    other = {**quick, "outcome": {"by_day": 60}, "kinds": {"value": ["report_shared"]}, "inference": {"alpha": 0.1}}
    fresh = Study(*files, other, cache=False).run()
    monkeypatch.setattr(kept, "load", refuse)
    monkeypatch.setattr("discovery.cache.fingerprint.file_sha256", refuse)
    again = Study(*files, other).run()
    assert bare(again.to_json()) == bare(fresh.to_json())
    assert again.provenance.input_sha256 == fresh.provenance.input_sha256
    assert repr(again.candidates.columns) == repr(fresh.candidates.columns)  # NaN and all


def test_validate_and_check_take_up_what_a_run_has_read(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    proposed = "report_shared >= 2 within 7d"
    read = Study(*files, cache=False)
    expected = read.validate(proposed, independent=True), read.check()
    Study(*files).check()
    monkeypatch.setattr(kept, "load", refuse)
    again = Study(*files)
    assert bare(again.validate(proposed, independent=True).to_json()) == bare(expected[0].to_json())
    assert bare(again.check().to_json()) == bare(expected[1].to_json())


def test_a_rewritten_file_is_another_though_its_size_and_date_are_the_same(
    files: Files, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("discovery.cache.fingerprint._SETTLED", -(10**15))
    events, accounts = files
    kept.load_kept(events, accounts, build_spec({}), cache=cache).engine.close()
    before, text = accounts.stat(), accounts.read_bytes()
    swapped = text.replace(b",starter,", b",STARTER,", 1)
    assert swapped != text
    accounts.write_bytes(swapped)
    os.utime(accounts, ns=(before.st_atime_ns, before.st_mtime_ns))
    again, read = (
        kept.load_kept(events, accounts, build_spec({}), cache=Cache(cache.folder)),
        load(*files, build_spec({})),
    )
    with closing(again.engine), closing(read.engine):
        assert differences(again, read) == []
    assert len(cache.kept()) == 2


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def entry_of(cache: Cache) -> Path:
    (entry,) = cache.kept()
    return cache.folder / entry.key


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a byte of the tables": lambda entry: flip(entry / DATABASE),
    "a byte of the relations": lambda entry: flip(entry / "relations.json"),
    "a byte of the accounts": lambda entry: flip(entry / "accounts.arrow"),
    "the tables cut short": lambda entry: os.truncate(entry / DATABASE, 5000),
    "no tables": lambda entry: (entry / DATABASE).unlink(),
    "a manifest that is a folder": lambda entry: replace_by_folder(entry / "manifest.json"),
    "a manifest of brackets": lambda entry: (entry / "manifest.json").write_text("[" * 100_000),
    "a manifest of nothing": lambda entry: (entry / "manifest.json").write_text("[]"),
    "a manifest cut short": lambda entry: os.truncate(entry / "manifest.json", 20),
    "a part more": lambda entry: (entry / "relations.json.bak").write_text("{}"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_entry_is_passed_over_with_a_warning(
    files: Files, cache: Cache, damage: Callable[[Path], object]
) -> None:
    kept.load_kept(*files, build_spec({}), cache=cache).engine.close()
    damage(entry_of(cache))
    with pytest.warns(CacheWarning, match="sources are read again"):
        again = kept.load_kept(*files, build_spec({}), cache=cache)
    read = load(*files, build_spec({}))
    with closing(again.engine), closing(read.engine):
        assert differences(again, read) == []
        assert rows(again) == rows(read)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kept.load_kept(*files, build_spec({}), cache=cache).engine.close()


def test_an_entry_under_a_foreign_name_is_not_trusted(files: Files, cache: Cache) -> None:
    kept.load_kept(files[0], None, build_spec({}), cache=cache).engine.close()
    question = kept.question_of(*files, build_spec({}))
    assert question is not None
    key = question.key(cache.fingerprints.of(question.files))
    entry_of(cache).rename(cache.folder / key)
    with pytest.warns(CacheWarning, match="not what its name says"):
        again = kept.load_kept(*files, build_spec({}), cache=cache)
    with closing(again.engine):
        assert not again.accounts_derived


def test_a_damaged_answer_is_asked_again(files: Files, cache: Cache) -> None:
    asked = "SELECT account_id, count(*) AS n FROM {} GROUP BY account_id ORDER BY account_id"
    answers = []
    for damaged in (False, True, False):
        relations = kept.load_kept(*files, build_spec({}), cache=cache)
        with closing(relations.engine):
            if damaged:
                (answer,) = (entry_of(cache) / "answers").glob("*.arrow")
                flip(answer)
                with pytest.warns(CacheWarning, match="damaged"):
                    answers.append(list(relations.engine.batches(asked.format(relations.events_table))))
            else:
                answers.append(list(relations.engine.batches(asked.format(relations.events_table))))
    assert [[batch.to_pylist() for batch in answer] for answer in answers] == [
        [batch.to_pylist() for batch in answers[0]]
    ] * 3


def in_its_own_process(folder: str, files: Files) -> tuple[int, list[str]]:
    kept.SMALLEST = 0
    relations = kept.load_kept(*files, build_spec({}), cache=Cache(Path(folder)))
    with closing(relations.engine):
        return len(rows(relations)), list(relations.accounts.account_id)


def test_two_processes_at_once_read_the_same_and_keep_it_once(files: Files, cache: Cache) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        told = pool.starmap(in_its_own_process, [(str(cache.folder), files)] * 3)
    assert told[0] == told[1] == told[2]
    assert len(cache.kept()) == 1
    assert not [path for path in cache.folder.iterdir() if path.name.startswith("staging-")]


def test_a_cache_that_cannot_be_written_only_warns(files: Files, tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("a file")
    with pytest.warns(CacheWarning, match="cannot be written to"):
        relations = kept.load_kept(*files, build_spec({}), cache=Cache(tmp_path / "occupied", limit=1 << 30))
    relations.engine.close()


def test_a_full_disk_only_warns(files: Files, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("discovery.cache.store.free_space", lambda folder: 1000)
    with pytest.warns(CacheWarning, match="MB free"):
        relations = kept.load_kept(*files, build_spec({}), cache=cache)
    relations.engine.close()
    assert cache.kept() == ()


def test_a_disk_that_fills_while_reading_is_read_without(
    files: Files, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    from discovery.errors import EngineError

    true = load

    def filling(*args: Any, engine: Any, **keywords: Any) -> Relations:
        if str(cache.folder) in engine.rows("SELECT path FROM duckdb_databases() WHERE path IS NOT NULL")[0][0]:
            raise EngineError("DuckDB could not answer: no space left on device.")
        return true(*args, engine=engine, **keywords)

    monkeypatch.setattr(kept, "load", filling)
    monkeypatch.setattr(Cache, "is_full", lambda self: True)
    with pytest.warns(CacheWarning, match="no space left on device"):
        kept.load_kept(*files, build_spec({}), cache=cache).engine.close()
    assert list(cache.folder.glob("staging-*")) == []


@pytest.mark.parametrize("stage", ["write_kept", "read_kept", "RememberingEngine"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), FileNotFoundError(2, "gone"), None])
def test_what_cannot_be_kept_after_reading_is_read_again(
    files: Files, cache: Cache, monkeypatch: pytest.MonkeyPatch, stage: str, error: OSError | None
) -> None:
    """None is that somebody removes the whole folder."""
    true = getattr(kept, stage)

    def refusing(*args: Any, **keywords: Any) -> Any:
        if error is not None:
            raise error
        shutil.rmtree(cache.folder)
        return true(*args, **keywords)

    monkeypatch.setattr(kept, stage, refusing)
    with pytest.warns(CacheWarning, match=r"could not hold what was read \("):
        relations = kept.load_kept(*files, build_spec({}), cache=cache)
    read = load(*files, build_spec({}))
    with closing(relations.engine), closing(read.engine):
        assert differences(relations, read) == []
        assert rows(relations) == rows(read)
    assert not list(cache.folder.glob("staging-*"))


def test_a_question_that_is_wrong_is_no_fault_of_the_cache(
    files: Files, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: object, **__: object) -> Any:
        raise InputError("no such outcome")

    monkeypatch.setattr(kept, "outcome_kind", wrong)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError, match="no such outcome"):
            kept.load_kept(*files, build_spec({}), cache=cache)


def test_clearing_while_another_run_reads_leaves_it_its_folder(
    files: Files, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = write_kept

    def cleared(*args: Any) -> None:
        Cache(cache.folder).clear()
        true(*args)

    monkeypatch.setattr(kept, "write_kept", cleared)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kept.load_kept(*files, build_spec({}), cache=cache).engine.close()
    assert len(cache.kept()) == 1


def test_a_run_that_outlives_its_entry_leaves_no_skeleton_of_it(
    files: Files, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    relations = kept.load_kept(*files, build_spec({}), cache=cache)
    with closing(relations.engine):
        asked = (
            f"SELECT account_id, count(*) AS n FROM {relations.events_table} GROUP BY account_id ORDER BY account_id"
        )
        before = list(relations.engine.batches(asked))
        folder = entry_of(cache)
        assert cache.clear()[0] == 1
        assert list(relations.engine.batches(asked)) == before
        assert relations.engine.rows("SELECT 41 + 1") == [(42,)]
    assert not folder.exists()


@pytest.mark.parametrize("skeleton", [True, False])
def test_what_was_never_an_entry_is_removed_without_a_word(files: Files, cache: Cache, skeleton: bool) -> None:
    kept.load_kept(*files, build_spec({}), cache=cache).engine.close()
    folder = entry_of(cache)
    shutil.rmtree(folder)
    if skeleton:
        (folder / "answers").mkdir(parents=True)
    else:
        folder.write_text("in the way")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kept.load_kept(*files, build_spec({}), cache=cache).engine.close()
    assert (folder / "manifest.json").is_file()


def test_another_users_entry_is_left_alone(files: Files, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.load_kept(*files, build_spec({}), cache=cache).engine.close()

    def forbidden(path: Path) -> str:
        raise PermissionError(13, "Permission denied")

    with warnings.catch_warnings(), monkeypatch.context() as patched:
        warnings.simplefilter("error")
        patched.setattr("discovery.cache.store.file_sha256", forbidden)
        assert cache.find(entry_of(cache).name) is None
    assert cache.find(entry_of(cache).name) is not None


def test_the_stages_say_that_a_kept_reading_was_used_and_when_it_was_made(files: Files, cache: Cache) -> None:
    told: list[list[str]] = [[], []]
    for stages in told:
        progress = lambda stage, share=None, stages=stages: stages.append(stage)
        kept.load_kept(*files, build_spec({}), cache=cache, progress=progress).engine.close()
    made = datetime.fromtimestamp(cache.kept()[0].made, UTC)
    said = f"Using what was read on {made:%Y-%m-%d %H:%M} UTC (--no-cache reads again)"
    assert said not in told[0]
    assert said in told[1]


def test_a_reading_larger_than_the_cache_is_used_and_removed(files: Files, tmp_path: Path) -> None:
    small = Cache(tmp_path / "small", limit=1000)
    relations = kept.load_kept(*files, build_spec({}), cache=small)
    with closing(relations.engine):
        assert rows(relations)
    assert [path.name for path in small.folder.iterdir() if path.is_dir()] == []


def test_what_depends_on_today_is_not_kept(files: Files, cache: Cache, tmp_path: Path) -> None:
    ahead = tmp_path / "ahead.csv"
    ahead.write_text(
        "account_id,event,timestamp\n" + "".join(f"a{i % 9},x,2{i % 2}99-01-{1 + i % 28:02}\n" for i in range(400))
    )
    relations = kept.load_kept(ahead, None, build_spec({}), cache=cache)
    relations.engine.close()
    assert "future_events" in {finding.code for finding in relations.quality}
    assert cache.kept() == ()


def test_small_files_tables_in_memory_and_databases_are_not_kept(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet as pq

    spec = build_spec({})
    assert kept.question_of(pq.read_table(files[0]).to_pandas(), files[1], spec) is None
    assert kept.question_of("duckdb://crm.duckdb", files[1], spec) is None
    assert kept.question_of(*files, spec) is not None
    monkeypatch.setattr(kept, "SMALLEST", 8 << 20)
    assert kept.question_of(*files, spec) is None


def test_the_environment_and_the_keyword_turn_it_off(
    files: Files, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    Study(*files, cache=False).check()
    monkeypatch.setenv("DISCOVERY_CACHE", "off")
    Study(*files).check()
    assert not cache.folder.exists()
