"""The folder of entries: bounded, safe to clear, and honest about files it has seen."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest

from discovery.cache import Answers, Cache, Fingerprints, Signature, cache_folder, is_off

KEYS = tuple(f"{n:064x}" for n in range(4))


def kept(cache: Cache, key: str, size: int, used: float) -> None:
    staging = cache.staged(0)
    assert staging is not None
    (staging / "part").write_bytes(b"x" * size)
    cache.keep(key, staging, "a file", 1)
    os.utime(cache.folder / key / "manifest.json", (used, used))


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=3_500)
    for n, key in enumerate(KEYS[:3]):
        kept(cache, key, 800, 1000.0 + n)
    assert cache.find(KEYS[0]) is not None
    kept(cache, KEYS[3], 800, 2000.0)
    assert {entry.key for entry in cache.kept()} == {KEYS[0], KEYS[2], KEYS[3]}


def test_clear_leaves_alone_what_is_not_ours(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=1 << 20)
    kept(cache, KEYS[0], 10, 1.0)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("years of work")
    assert cache.clear()[0] == 1
    assert (tmp_path / "thesis" / "chapter.tex").exists()
    assert cache.kept() == ()
    assert cache.clear() == (0, 0)


def test_entries_of_another_version_go_first(tmp_path: Path) -> None:
    kept(Cache(tmp_path, limit=3_500, made_by="old"), KEYS[0], 800, 9000.0)
    cache = Cache(tmp_path, limit=3_500, made_by="new")
    for n, key in enumerate(KEYS[1:3]):
        kept(cache, key, 800, 1000.0 + n)
    assert [entry.current for entry in cache.kept()] == [False, True, True]
    kept(cache, KEYS[3], 800, 2000.0)
    assert {entry.key for entry in cache.kept()} == set(KEYS[1:])


def test_clear_removes_what_is_half_made_only_once_nobody_writes_to_it(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=1 << 20)
    live, left = cache.staged(0), cache.staged(0)
    assert live is not None
    assert left is not None
    os.utime(left, (1.0, 1.0))
    (tmp_path / KEYS[0]).write_text("a plain file of that name")
    cache.clear()
    assert list(tmp_path.iterdir()) == [live]


def test_a_manifest_from_no_time_is_listed(tmp_path: Path) -> None:
    (tmp_path / KEYS[0]).mkdir()
    for written in ('{"made": 1e300}', '{"made": NaN}', '{"made": -5}', "[" * 100_000):
        (tmp_path / KEYS[0] / "manifest.json").write_text(written)
        assert Cache(tmp_path).kept()[0].made == 0


def test_digests_that_cannot_be_read_count_as_none(tmp_path: Path) -> None:
    (tmp_path / "known.json").write_text("[" * 100_000)
    (tmp_path / "events.csv").write_text("a")
    signatures = {tmp_path / "events.csv": Signature.of(tmp_path / "events.csv")}
    assert len(Fingerprints(tmp_path / "known.json").of(signatures)) == 1


def test_an_answer_that_vanishes_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers(tmp_path / "answers", 1 << 20)
    answers.keep_rows("rows", [(1,)])
    list(answers.keeping("batches", iter([pa.record_batch({"n": [1]})])))
    gone = tmp_path / "answers" / "gone"
    monkeypatch.setattr(Answers, "_sound", lambda *_: gone)
    assert answers.rows("rows") is None
    assert answers.batches("batches") is None


def test_what_nobody_finished_is_cleared_away_after_a_day(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=1 << 20)
    fresh, old = cache.staged(0), cache.staged(0)
    assert fresh is not None
    assert old is not None
    os.utime(old, (1.0, 1.0))
    cache.trim()
    assert fresh.exists()
    assert not old.exists()


def test_files_that_rest_are_digested_once_and_changed_ones_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "events.csv"
    file.write_text("a")
    rested = {file: Signature.of(file)._replace(modified=1, changed=1)}
    first = Fingerprints(tmp_path / "known.json").of(rested)
    file.write_text("b")
    assert Fingerprints(tmp_path / "known.json").of(rested) == first
    assert Fingerprints(tmp_path / "known.json").of({file: rested[file]._replace(changed=2)}) != first
    flipped = (tmp_path / "known.json").read_text().replace(first[file][:8], "00000000")
    (tmp_path / "known.json").write_text(flipped)
    assert Fingerprints(tmp_path / "known.json").of(rested) != {file: "00000000" + first[file][8:]}


def test_a_file_written_a_moment_ago_is_not_trusted_by_its_date(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_text("a")
    just_now = {file: Signature.of(file)}
    first = Fingerprints(tmp_path / "known.json").of(just_now)
    file.write_text("b")
    assert Fingerprints(tmp_path / "known.json").of(just_now) != first


def test_answers_are_kept_when_they_were_read_to_the_end(tmp_path: Path) -> None:
    answers, batch = Answers(tmp_path / "answers", 1 << 20), pa.record_batch({"n": [1, None, 3]})
    with closing(answers.keeping("half", iter([batch, batch]))) as passing:  # type: ignore[type-var]
        next(passing)
    assert answers.batches("half") is None
    assert list(answers.keeping("whole", iter([batch, batch]))) == [batch, batch]
    found = answers.batches("whole")
    assert found is not None
    assert list(found) == [batch, batch]
    assert list((tmp_path / "answers").glob(".writing-*")) == []


def test_an_answer_that_is_too_large_passes_and_is_not_kept(tmp_path: Path) -> None:
    answers, batch = Answers(tmp_path / "answers", 100), pa.record_batch({"n": list(range(1000))})
    assert list(answers.keeping("large", iter([batch] * 3))) == [batch] * 3
    assert list((tmp_path / "answers").iterdir()) == []


@pytest.mark.parametrize("rows", [[(1, "a", None, True, 0.1)], [], [(2**70,)], [(float("inf"), -0.0)]])
def test_rows_come_back_as_they_are(tmp_path: Path, rows: list[tuple[object, ...]]) -> None:
    answers = Answers(tmp_path, 1 << 20)
    answers.keep_rows("q", rows)
    assert answers.rows("q") == rows


def test_rows_that_json_would_change_are_not_kept(tmp_path: Path) -> None:
    import datetime

    answers = Answers(tmp_path, 1 << 20)
    answers.keep_rows("q", [(datetime.date(2024, 1, 1),)])
    assert answers.rows("q") is None


def test_the_folder_is_where_the_system_and_the_environment_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISCOVERY_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "milestone-discovery"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_folder().parts[-3:] == ("Library", "Caches", "milestone-discovery")
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache_folder() == tmp_path / "local" / "milestone-discovery" / "cache"
    monkeypatch.setenv("DISCOVERY_CACHE_DIR", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"


@pytest.mark.parametrize(("value", "off"), [("off", True), ("OFF", True), ("0", True), ("", False), ("on", False)])
def test_the_switch(monkeypatch: pytest.MonkeyPatch, value: str, off: bool) -> None:
    monkeypatch.setenv("DISCOVERY_CACHE", value)
    assert is_off() is off
