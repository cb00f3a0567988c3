"""A folder of results appears whole or not at all, and never in place of somebody's files."""

import pytest

from discovery.errors import OutputError
from discovery.export import directory
from discovery.export.directory import refuse_foreign, written_whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def fail_half_way(target, error):
    with written_whole(target) as folder:
        (folder / "result.json").write_text("new")
        raise error


def test_a_new_folder_appears_with_its_parents(tmp_path):
    with written_whole(tmp_path / "a" / "b") as folder:
        (folder / "result.json").write_text("{}")
        assert not (tmp_path / "a" / "b").exists()
    assert names(tmp_path / "a") == ["b"]
    assert names(tmp_path / "a" / "b") == ["result.json"]


def test_a_failure_leaves_nothing_behind(tmp_path):
    with pytest.raises(RuntimeError, match="half-way"):
        fail_half_way(tmp_path / "out", RuntimeError("half-way"))
    assert names(tmp_path) == []


def test_a_failure_leaves_the_earlier_results_as_they_were(tmp_path):
    with written_whole(tmp_path / "out") as folder:
        (folder / "result.json").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        fail_half_way(tmp_path / "out", KeyboardInterrupt())
    assert (tmp_path / "out" / "result.json").read_text() == "old"
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("exchange", [True, False], ids=["renameat2", "by renames"])
def test_earlier_results_are_replaced_whole(tmp_path, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(directory, "_exchange", lambda one, other: False)
    for text, name in (("old", "truth.json"), ("older", "validation.json"), ("new", "result.json")):
        with written_whole(tmp_path / "out") as folder:
            (folder / name).write_text(text)
    assert names(tmp_path / "out") == ["result.json"]
    assert names(tmp_path) == ["out"]


def test_a_failed_swap_puts_the_old_folder_back(tmp_path, monkeypatch):
    monkeypatch.setattr(directory, "_exchange", lambda one, other: False)
    with written_whole(tmp_path / "out") as folder:
        (folder / "result.json").write_text("old")

    rename = directory.Path.rename

    def refuse_the_new(self, target):
        if target == tmp_path / "out" and not self.name.endswith(".old"):
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(directory.Path, "rename", refuse_the_new)
    with pytest.raises(OutputError, match="No space left"), written_whole(tmp_path / "out") as folder:
        (folder / "result.json").write_text("new")
    assert (tmp_path / "out" / "result.json").read_text() == "old"
    assert names(tmp_path) == ["out"]


def test_somebodys_files_are_never_replaced(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.docx").write_text("years of work")
    with pytest.raises(OutputError, match=r"thesis\.docx"), written_whole(tmp_path / "out"):
        pass
    assert names(tmp_path / "out") == ["thesis.docx"]


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path):
    building = written_whole(tmp_path / "out")
    building.__enter__()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "late.txt").write_text("x")
    with pytest.raises(OutputError, match=r"late\.txt"):
        building.__exit__(None, None, None)
    assert names(tmp_path / "out") == ["late.txt"]


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(OutputError, match="not a folder"), written_whole(tmp_path / "out"):
        pass


@pytest.mark.parametrize(
    "own",
    [
        ["events.parquet", "accounts.csv"],
        ["discover.toml"],
        ["result.json", "accounts.csv"],
        ["scorecard.csv", "plan.md"],
        ["validation.json", "candidates.csv"],
    ],
)
def test_somebodys_files_with_our_names_are_never_replaced(tmp_path, own):
    (tmp_path / "out").mkdir()
    for name in own:
        (tmp_path / "out" / name).write_text("mine")
    with pytest.raises(OutputError, match=r"not results of an earlier run"), written_whole(tmp_path / "out"):
        pass
    assert names(tmp_path / "out") == sorted(own)


@pytest.mark.parametrize("given", ["events.parquet", "*.parquet", "", "../world/events.parquet"])
def test_a_folder_that_is_read_is_never_replaced(tmp_path, given):
    with written_whole(tmp_path / "world") as folder:
        for name in ("events.parquet", "accounts.csv", "truth.json"):
            (folder / name).write_text("x")
    with pytest.raises(OutputError, match="that this run reads"):
        refuse_foreign(tmp_path / "world", [str(tmp_path / "world" / given)])
    refuse_foreign(tmp_path / "world", [str(tmp_path / "elsewhere.parquet")])


def test_the_spec_of_an_earlier_run_may_be_run_in_its_own_folder(tmp_path):
    with written_whole(tmp_path / "out") as folder:
        for name in ("discover.toml", "result.json"):
            (folder / name).write_text("x")
    refuse_foreign(tmp_path / "out", [str(tmp_path / "out" / "discover.toml")])


def test_a_validation_may_be_compared_with_and_a_study_may_not_be_replaced_by_what_reads_it(tmp_path):
    for name in ("validation.json", "result.json"):
        with written_whole(tmp_path / name[:3]) as folder:
            for own in (name, "report.html"):
                (folder / own).write_text("x")
    refuse_foreign(tmp_path / "val", [str(tmp_path / "val" / "validation.json")])
    with pytest.raises(OutputError, match=r"that this run reads \(result.json\)"):
        refuse_foreign(tmp_path / "res", [str(tmp_path / "res" / "result.json")])


def test_the_current_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError, match="current folder"), written_whole("."):
        pass


def test_long_names_are_written_or_refused_in_words(tmp_path):
    with written_whole(tmp_path / ("x" * 255)) as folder:
        (folder / "result.json").write_text("{}")
    assert names(tmp_path) == ["x" * 255]
    with pytest.raises(OutputError, match="too long"), written_whole(tmp_path / ("x" * 300)):
        pass


def test_folders_made_on_the_way_go_as_well(tmp_path):
    with pytest.raises(RuntimeError):
        fail_half_way(tmp_path / "a" / "b" / "out", RuntimeError())
    assert names(tmp_path) == []


def test_a_full_disk_is_said_in_words(tmp_path):
    with pytest.raises(OutputError, match="No space left"):
        fail_half_way(tmp_path / "out", OSError(28, "No space left on device"))
    assert names(tmp_path) == []
