"""`discover init` as a user meets it: the file it writes, the questions, and what it refuses."""

from __future__ import annotations

import io
import json
import os
import re
import select
import sys
import time
import tomllib

import pandas as pd
import pytest
from typer.testing import CliRunner

import discovery
from discovery.cli import app
from discovery.cli.init import _next
from discovery.cli.questions import Asker
from discovery.errors import DiscoveryError
from discovery.results import AliasSuggestion, Choice, QualityFinding
from discovery.spec import load_spec
from tests.export.test_commented_spec import profile
from tests.intake.tables import clean_accounts, clean_events
from tests.surface.test_cli import COMMAND, discover

pty = pytest.importorskip("pty")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    discovery.simulate_world("chain", accounts=400, seed=5).write(folder)
    return folder


@pytest.fixture(scope="module")
def made(world):
    """The world with a spec beside it, and what was printed."""
    done = discover("init", "events.parquet", "accounts.csv", cwd=world)
    assert done.returncode == 0, done.stderr
    return world / "discover.toml", done


def invoked(*arguments):
    """Run the command in this process, which is quicker, and return its result."""
    return CliRunner().invoke(app, ["init", *map(str, arguments)])


def without_paths(path):
    """Return the spec of a file, wherever its sources are."""
    values = load_spec(path).as_dict()
    return {section: {k: v for k, v in keys.items() if k != "from"} for section, keys in values.items()}


def answered(arguments, answers, cwd):
    """Run the command in a terminal and give one answer to each prompt, enter where there are none left."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(cwd)
        os.execve(sys.executable, [*COMMAND, *map(str, arguments)], {**os.environ, "TERM": "dumb", "LC_ALL": "C"})
    shown, answers, started = b"", list(answers), time.monotonic()
    while time.monotonic() - started < 60:
        ready, _, _ = select.select([terminal], [], [], 0.2)
        if ready:
            try:
                shown += os.read(terminal, 65536)
            except OSError:
                break
        elif re.search(rb"\n   \[.*\][^\n]* $", shown):
            os.write(terminal, (answers.pop(0) if answers else "\n").encode())
            shown += b"\n"
    _, status = os.waitpid(child, 0)
    return shown.decode().replace("\r", ""), os.waitstatus_to_exitcode(status)


def test_without_a_terminal_the_defaults_are_written(made):
    path, done = made
    assert "\n1. " not in done.stdout
    assert done.stdout.endswith("Next: discover run discover.toml\n")
    assert "Too little for an answer" not in done.stdout
    assert tomllib.loads(path.read_text(encoding="utf-8"))["events"]["from"] == "events.parquet"


def test_the_spec_can_be_moved_with_its_folder_and_runs_as_it_is(made, world, tmp_path):
    moved = tmp_path / "moved"
    world.rename(moved)
    try:
        spec = load_spec(moved / "discover.toml")
        run = discovery.Study(spec=spec).run()
    finally:
        moved.rename(world)
    settings = {section: values for section, values in spec.as_dict().items() if section in ("kinds", "outcome")}
    plain = discovery.Study(world / "events.parquet", world / "accounts.csv", settings).run()
    assert run.verdict == plain.verdict
    assert run.ranking == plain.ranking
    assert run.ladders == plain.ladders


def test_json_prints_the_profile_and_still_writes(world, tmp_path):
    out = tmp_path / "other.toml"
    done = invoked(world / "events.parquet", world / "accounts.csv", "--json", "--out", out)
    profile = json.loads(done.stdout)
    assert (profile["schema"], profile["accounts"]) == (1, 400)
    assert profile["settings"]["outcome"]["kind"] == load_spec(out).outcome.kind == "retained"
    assert "Read " in done.stderr


def test_settings_are_taken_and_written(world, tmp_path):
    out = tmp_path / "discover.toml"
    arguments = ["--set", "outcome.by_day=45", "--set", "product.motion=sales", "--quiet", "--out", out]
    done = invoked(world / "events.parquet", world / "accounts.csv", *arguments)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
    spec = load_spec(out)
    assert (spec.outcome.by_day, spec.product.motion) == (45, "sales")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["events.parquet", "accounts.csv"], "is there already"),
        (["events.parquet", "accounts.csv", "--out", "spec.txt"], "does not end in .toml"),
        (["events.parquet", "accounts.csv", "--out", "."], "is a folder"),
        (["events.parquet", "accounts.csv", "--out", "no/such/discover.toml"], "no folder"),
        (["discover.toml"], "init writes a spec"),
        (["nothing.csv", "accounts.csv", "--out", "new.toml"], "There is no file"),
        (["events.parquet", "accounts.csv", "--out", "new.toml", "--set", "outcome.by_day=3"], "by_day"),
    ],
)
def test_what_cannot_be_done_is_refused_and_nothing_written(made, world, arguments, said, monkeypatch):
    before = {path.name: path.read_bytes() for path in world.iterdir()}
    monkeypatch.chdir(world)
    done = invoked(*arguments)
    assert isinstance(done.exception, DiscoveryError)
    assert said in str(done.exception)
    assert before == {path.name: path.read_bytes() for path in world.iterdir()}


def test_enter_takes_every_default(made, world, tmp_path):
    out = tmp_path / "discover.toml"
    shown, code = answered(["init", "events.parquet", "accounts.csv", "--out", out], [], world)
    assert code == 0, shown
    assert "1. What does staying mean?" in shown
    assert without_paths(out) == without_paths(made[0])
    assert [line for line in shown.splitlines() if len(line) > 80 and str(tmp_path) not in line] == []
    assert shown.isascii()


def test_answers_are_written(world, tmp_path):
    out = tmp_path / "discover.toml"
    answers = ["active\n", "soon\n", "29-60\n", "plan, 1\n", "y\n", "n\n", "2\n", "1\n"]
    shown, code = answered(["init", "events.parquet", "accounts.csv", "--out", out], answers, world)
    assert code == 0, shown
    assert "Write two days" in shown
    spec = load_spec(out)
    assert (spec.outcome.kind, spec.outcome.active_days) == ("active", (29, 60))
    assert (spec.accounts.segments, spec.accounts.seats) == (("plan", "channel"), "seats")
    assert (spec.kinds.vanity, len(spec.kinds.value), spec.product.motion) == ((), 1, "plg")


def test_what_the_data_lack_and_what_comes_next_are_said(tmp_path):
    events, accounts = clean_events(), clean_accounts().drop(columns="channel")
    pd.concat([events, events.head(3)]).to_csv(tmp_path / "events.csv", index=False)
    accounts.to_csv(tmp_path / "accounts.csv", index=False)
    out = tmp_path / "discover.toml"
    said = " ".join(invoked(tmp_path / "events.csv", tmp_path / "accounts.csv", "--out", out).stdout.split())
    assert "Too little for an answer: " in said
    assert "Without a trait known at signup the best possible verdict is a lead." in said


@pytest.mark.parametrize(
    ("severity", "said"),
    [
        ("info", "Next: discover run x.toml"),
        ("warning", "Next: discover check x.toml, then discover run x.toml"),
        ("error", "Mend the errors first: discover check x.toml"),
    ],
)
def test_the_next_command_goes_by_the_findings(severity, said):
    finding = QualityFinding(code="a", severity=severity, message="", count=1, share=None, examples=(), remedy="")
    assert _next("x.toml", profile(quality=(finding,))) == said


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ((), "or none"),
        (("a",), "1, or none"),
        (("a", "b"), "several: 1, 2; or none"),
        (("a",) * 4, "several: 1, 3; or none"),
    ],
)
def test_the_hint_names_options_that_are_there(options, hint, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    choice = Choice(section="accounts", key="segments", question="?", value=(), options=options, reason="")
    shown = io.StringIO()
    Asker(shown).choose(choice, lambda _: "")
    assert f"[none] ({hint}) " in shown.getvalue()


def test_a_reason_that_begins_with_a_name_keeps_it(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    shown = io.StringIO()
    choice = Choice(section="a", key="b", question="?", value="", options=("x",), reason="groupId: 60 different")
    Asker(shown).choose(choice, lambda _: "")
    assert "   groupId: 60 different" in shown.getvalue()


def test_stopping_at_a_question_writes_nothing(world, tmp_path):
    out = tmp_path / "discover.toml"
    shown, code = answered(["init", "events.parquet", "accounts.csv", "--out", out], ["\n", "\x03"], world)
    assert code == 130
    assert "nothing was written" in shown
    assert list(tmp_path.iterdir()) == []


def test_the_end_of_the_answers_stops_as_well(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(KeyboardInterrupt):
        Asker(io.StringIO()).agree("Shall we?", "", default=True)


def test_a_name_cannot_write_to_the_terminal(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    alias = AliasSuggestion(name="a\x1b[31m", spellings=("A\n2. fake",), rows=(2, 1), merge="yes", reason="x")
    shown = io.StringIO()
    assert Asker(shown).same_event(alias)
    assert "\x1b" not in shown.getvalue()
    assert "\n2. " not in shown.getvalue()
