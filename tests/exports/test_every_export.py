"""Every shipped export goes through init and check untouched and gives the flags of the plain form.

One export of each tool goes through run as well: the one in which an event was renamed.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from discovery.cli import app
from discovery.milestone import Milestone
from discovery.spec import build_spec, load_spec
from tests.exports.plain import RENAMED, Export, loaded_flags, plain_log
from tests.exports.write import ACCOUNTS, EXPORTS, SHIPPED

LARGEST = 250_000
RUN = [export for export in EXPORTS if export.former]
PAGES = sorted((SHIPPED.parents[1] / "docs" / "sources").glob("*.md"))


@pytest.fixture(scope="module")
def lived() -> dict[str, frozenset[str]]:
    return loaded_flags(SHIPPED / "plain" / "events.csv", SHIPPED / "plain" / "accounts.csv")


def shipped(export: Export, scratch: Path) -> tuple[Path, Path | None]:
    """Return where the events and accounts of a shipped export are: where its writer puts those of any log."""
    scratch.mkdir()
    events, accounts = export.write(plain_log(8), scratch)
    folder = SHIPPED / export.name
    return folder / events.relative_to(scratch), accounts and folder / accounts.relative_to(scratch)


def discover(*arguments: object) -> str:
    """Run the command in this process, as a terminal would, and return its standard output."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.name)
def test_an_export_goes_through_untouched(
    export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lived: dict[str, frozenset[str]]
) -> None:
    events, accounts = shipped(export, tmp_path / "written")
    assert events.exists()
    monkeypatch.chdir(tmp_path)
    discover("init", events, *([accounts] if accounts else []), "--yes", "--out", "discover.toml")
    checked = json.loads(discover("check", "discover.toml", "--json"))
    assert checked["format"] == export.name.partition("/")[0]
    assert not [finding for finding in checked["quality"] if finding["severity"] == "error"]
    spec = load_spec("discover.toml")
    assert spec.events.aliases == ({RENAMED: (export.former,)} if export.former else {})
    assert loaded_flags(None, None, spec) == lived
    if export in RUN:
        result = json.loads(discover("run", "discover.toml", "--json"))
        assert result["population"]["accounts"] == ACCOUNTS


def test_one_export_of_each_tool_is_run() -> None:
    tools = [export.name.partition("/")[0] for export in RUN]
    assert sorted(tools) == sorted({export.name.partition("/")[0] for export in EXPORTS})


@pytest.mark.parametrize("export", RUN, ids=lambda export: export.name)
def test_no_spelling_is_merged_that_no_spec_says(
    export: Export, tmp_path: Path, lived: dict[str, frozenset[str]]
) -> None:
    read = loaded_flags(*shipped(export, tmp_path / "written"))
    changed = {rule for rule in read.keys() | lived.keys() if read.get(rule) != lived.get(rule)}
    assert {act.event for rule in changed for act in Milestone.parse(rule).acts} == {RENAMED, export.former}


def test_what_is_shipped_is_small_and_all_there_is() -> None:
    files = [path for path in SHIPPED.rglob("*") if path.is_file()]
    assert max(path.stat().st_size for path in files if "plain" not in path.parts) < LARGEST
    folders = {str(path.parent.relative_to(SHIPPED).as_posix()) for path in files if path.name != "README.md"}
    known = ("plain", *(export.name for export in EXPORTS))
    assert {folder for folder in folders if not folder.startswith(known)} == set()
    assert all((SHIPPED / name).is_dir() for name in known)


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.name)
def test_writing_an_export_again_gives_the_same_bytes(export: Export, tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        export.write(plain_log(8), folder)
    one, two = ({p.relative_to(f): p.read_bytes() for p in f.rglob("*") if p.is_file()} for f in folders)
    assert one == two


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_specs_and_paths_of_the_page_of_a_source_are_valid(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL):
        build_spec(tomllib.loads(block))
    for path in re.findall(r"data_fixtures/[^\s`\")]+", text):
        assert list(SHIPPED.parents[1].glob(path)), path
