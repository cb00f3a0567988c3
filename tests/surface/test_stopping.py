"""A command that is told to stop, or whose terminal is poor, leaves nothing half done and says so."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import discovery

COMMAND = [sys.executable, "-c", "from discovery.cli import main; main()"]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    discovery.simulate_world("easy", accounts=1500, seed=3).write(folder)
    return folder


def begun(folder, arguments):
    """Start the command and wait until it has begun to write."""
    (folder / "tmp").mkdir()
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    started = time.monotonic()
    while not any((folder / "tmp").glob("discovery-*")):
        assert time.monotonic() - started < 60
        time.sleep(0.01)
    return process


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="the signals of POSIX")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_stopped_run_leaves_the_earlier_results_and_nothing_else(name, world, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "result.json").write_text("earlier")
    process = begun(tmp_path, ("run", world / "events.parquet", world / "accounts.csv", "--out", "out", "--json"))
    assert any(tmp_path.glob(".out.*"))
    process.send_signal(getattr(signal, name))
    out, said = process.communicate(timeout=60)
    assert process.returncode == 128 + getattr(signal, name)
    assert (out, said) == ("", "discover: stopped; nothing was written.\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "tmp"]
    assert not any((tmp_path / "tmp").glob("discovery-*"))
    assert (tmp_path / "out" / "result.json").read_text() == "earlier"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_cannot_write_every_letter_is_no_error(encoding, world, tmp_path):
    done = subprocess.run(
        [*COMMAND, "simulate", "easy", "--accounts", "50", "--out", "w", "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"\\u201ceasy\\u201d" in done.stderr
    assert json.loads(done.stdout.decode("utf-8"))["world"] == "easy"


@pytest.mark.parametrize("out", ["world", "world/../world"])
def test_the_folder_of_the_inputs_is_never_replaced(out, world, tmp_path):
    (tmp_path / "world").mkdir()
    for path in world.iterdir():
        (tmp_path / "world" / path.name).write_bytes(path.read_bytes())
    done = subprocess.run(
        [*COMMAND, "run", "world/events.parquet", "world/accounts.csv", "--out", out],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "that this run reads" in done.stderr
    assert {path.name for path in (tmp_path / "world").iterdir()} == {path.name for path in world.iterdir()}
