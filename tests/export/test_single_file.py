"""A file that people complete by hand appears whole or not at all, and never in place of another."""

import os
import stat

import pytest

from discovery.errors import OutputError
from discovery.export import single_file
from discovery.export.single_file import write_whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_is_written_and_readable_like_any_other(tmp_path):
    write_whole(tmp_path / "w.md", "“a”\n")
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "w.md").read_bytes() == "“a”\n".encode()
    assert stat.S_IMODE((tmp_path / "w.md").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)
    assert names(tmp_path) == ["plain", "w.md"]


@pytest.mark.parametrize(("name", "word"), [("old.md", "there already"), (".", "folder"), ("no/w.md", "no folder")])
def test_what_is_there_is_kept(name, word, tmp_path):
    (tmp_path / "old.md").write_text("filled in by hand")
    with pytest.raises(OutputError, match=word):
        write_whole(tmp_path / name, "new")
    assert (tmp_path / "old.md").read_text() == "filled in by hand"
    assert names(tmp_path) == ["old.md"]


def test_a_link_that_points_nowhere_is_not_followed(tmp_path):
    (tmp_path / "w.md").symlink_to(tmp_path / "elsewhere.md")
    with pytest.raises(OutputError, match="there already"):
        write_whole(tmp_path / "w.md", "new")
    assert names(tmp_path) == ["w.md"]


def test_a_failure_half_way_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(single_file.os, "fdopen", full)
    with pytest.raises(OutputError, match="No space left"):
        write_whole(tmp_path / "w.md", "new")
    assert names(tmp_path) == []


def test_a_file_made_meanwhile_is_kept(tmp_path, monkeypatch):
    link = os.link

    def late(source, target):
        target.write_text("made meanwhile")
        link(source, target)

    monkeypatch.setattr(single_file.os, "link", late)
    with pytest.raises(OutputError, match="exists"):
        write_whole(tmp_path / "w.md", "new")
    assert (tmp_path / "w.md").read_text() == "made meanwhile"
    assert names(tmp_path) == ["w.md"]


def test_a_file_system_without_links_is_written_all_the_same(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(single_file.os, "link", refused)
    write_whole(tmp_path / "w.md", "new")
    assert names(tmp_path) == ["w.md"]
