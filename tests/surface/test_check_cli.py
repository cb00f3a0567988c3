"""`discover check` as a user meets it: what it writes and prints, what it hides, and how it exits."""

from __future__ import annotations

import json
import tomllib

import pytest
from typer.testing import CliRunner

import discovery
from discovery.cli import app
from discovery.errors import DiscoveryError
from tests.surface.test_cli import discover


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Run the command in this process, which is quicker, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, ["check", *map(str, arguments)])


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    discovery.simulate_world("easy", accounts=300, seed=3).write(folder)
    rows = (folder / "accounts.csv").read_text().splitlines()
    (folder / "accounts.csv").write_text("\n".join([*rows, rows[1]]) + "\n")
    return folder


@pytest.fixture(scope="module")
def checked(world):
    done = discover("check", "events.parquet", "accounts.csv", cwd=world)
    assert done.returncode == 0, done.stderr
    return world / "discovery-check", done


def test_it_writes_a_page_and_its_json_and_nothing_else(checked):
    folder, done = checked
    assert {path.name for path in folder.iterdir()} == {"report.html", "check.json"}
    assert "report.html" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("Next: discover run ")
    assert "Run again with --show-accounts to see which" in done.stdout
    assert (
        done.stdout.index("Warnings (1)") < done.stdout.index("duplicate_accounts") < done.stdout.index("rules passed")
    )


def test_the_json_says_every_rule_and_the_volume(checked):
    said = json.loads((checked[0] / "check.json").read_text(encoding="utf-8"))
    states = {rule["code"]: rule["state"] for rule in said["rules"]}
    assert states["duplicate_accounts"] == "warning"
    assert {finding["code"] for finding in said["quality"]} == {
        c for c, s in states.items() if s in ("warning", "info")
    }
    assert sum(said["timeline"]["total"]) == said["events_rows"]
    assert said["starts"] <= said["ends"]
    assert said["provenance"]["version"] == discovery.__version__


def test_ids_are_named_only_when_asked(check, world, checked, tmp_path):
    name = (world / "accounts.csv").read_text().splitlines()[1].split(",")[0]
    asked = check(world / "events.parquet", world / "accounts.csv", "--show-accounts")
    for (folder, done), named in ((checked, False), ((tmp_path / "discovery-check", asked), True)):
        written = "".join((folder / file).read_text() for file in ("report.html", "check.json"))
        assert (name in written) is named
        assert (name in done.stdout) is named


def test_json_goes_to_standard_output_alone_and_quiet_says_nothing_else(check, world, tmp_path):
    done = check(world / "events.parquet", world / "accounts.csv", "--json", "--quiet")
    written = (tmp_path / "discovery-check" / "check.json").read_text(encoding="utf-8")
    assert (json.loads(done.stdout), done.stderr, done.exit_code) == (json.loads(written), "", 0)


def test_errors_exit_with_one_after_the_report_was_written(check, world, tmp_path):
    (tmp_path / "others.csv").write_text("account_id,signup_at\nzz1,2024-01-01\nzz2,2024-01-02\n")
    broken = check(world / "events.parquet", "others.csv")
    assert broken.exit_code == 1
    assert "Errors: these stop a run (1)" in broken.stdout
    assert "to mend before a run" in (tmp_path / "discovery-check" / "report.html").read_text()


def test_bad_input_exits_with_two_and_writes_nothing(world, tmp_path):
    done = discover("check", "none.csv", world / "accounts.csv", cwd=tmp_path)
    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])


def test_a_folder_of_ones_own_is_not_replaced_and_an_earlier_check_is(check, world, checked, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    sources = (world / "events.parquet", world / "accounts.csv")
    assert isinstance(check(*sources, "--out", "mine").exception, DiscoveryError)
    assert (tmp_path / "mine" / "notes.txt").read_text() == "keep"
    assert check(*sources, "--out", checked[0]).exit_code == 0


def test_lines_to_paste_make_a_spec_that_settles_the_finding(check, world, tmp_path):
    events = discovery.simulate_world("easy", accounts=300, seed=3).events.to_pandas()
    some = events["event"].eq("report_shared") & (events.index % 3 == 0)
    events.assign(event=events["event"].mask(some, "Report Shared")).to_parquet(tmp_path / "events.parquet")
    done = check("events.parquet", world / "accounts.csv", "--json")
    (finding,) = (f for f in json.loads(done.stdout)["quality"] if f["code"] == "near_duplicate_names")
    assert tomllib.loads(finding["paste"]) == {"events": {"aliases": {"report_shared": ["Report Shared"]}}}
    accounts = f'[accounts]\nfrom = "{world / "accounts.csv"}"\n'
    (tmp_path / "spec.toml").write_text(f'{finding["paste"]}\nfrom = "events.parquet"\n{accounts}')
    again = check("spec.toml", "--json")
    assert again.exit_code == 0, again.stderr
    codes = {f["code"] for f in json.loads(again.stdout)["quality"]}
    assert "near_duplicate_names" not in codes
    assert "aliases_applied" in codes


def test_too_few_accounts_are_said_before_a_run_says_so(check, world, tmp_path):
    lines = (world / "accounts.csv").read_text().splitlines()
    (tmp_path / "few.csv").write_text("\n".join(lines[:61]) + "\n")
    done = check(world / "events.parquet", "few.csv", "--json")
    said = json.loads(done.stdout)
    (found,) = (f for f in said["quality"] if f["code"] == "too_few_accounts")
    assert "and at least 100 are needed" in found["message"]
    assert next(r["state"] for r in said["rules"] if r["code"] == "too_few_accounts") == "warning"
    assert "Next: data of more accounts" in done.stderr
