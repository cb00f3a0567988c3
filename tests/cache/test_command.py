"""The cache and the memory from the command line, and how little asking for help loads."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from discovery import Study
from discovery.cache import Cache, cache_folder
from discovery.cache.warning import warn
from discovery.cli import app, main
from discovery.engines.ceiling import engine_limit
from discovery.errors import SpecError
from discovery.exposure import rest
from discovery.intake import kept

NEVER_FOR_HELP = (
    *("numpy", "pandas", "pyarrow", "polars", "duckdb", "scipy", "matplotlib", "lifelines", "statsmodels", "sklearn"),
    *("sqlglot", "pydantic", "jinja2", "rich", "discovery.spec", "discovery.study", "discovery.intake"),
    *("discovery.cache", "discovery.engines", "discovery.exposure", "discovery.estimate", "discovery.report"),
)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCOVERY_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("DISCOVERY_CACHE", raising=False)
    monkeypatch.setattr(kept, "SMALLEST", 0)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """A hundred rows of events."""
    path = tmp_path / "events.csv"
    rows = (f"a{n % 7},u{n % 9},did_{n % 3},2024-01-{1 + n % 28:02}T10:00:{n % 60:02}Z\n" for n in range(100))
    path.write_text("account_id,user_id,event,timestamp\n" + "".join(rows))
    return path


def answered(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == code, done.output
    return done.stdout


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys; sys.argv = ['discover', '--help']\n"
        "from discovery.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print('loaded:', *[name for name in {NEVER_FOR_HELP!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "cache" in done.stdout
    assert done.stdout.splitlines()[-1].split() == ["loaded:"]


def test_the_command_tells_what_is_kept_and_removes_it(
    events: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "files below 8 MB in all are read anew" in answered("cache")
    assert json.loads(answered("cache", "--json"))["entries"] == []
    answered("check", str(events), "--out", str(tmp_path / "out"))
    assert "100 events" in " ".join(answered("cache").split())
    told = json.loads(answered("cache", "info", "--json"))
    (entry,) = told["entries"]
    assert (entry["of"], entry["events"]) == (str(events), 100)
    assert entry["current"]
    assert f"made {entry['made']}" in answered("cache")
    assert "no longer used" not in answered("cache")
    monkeypatch.setattr(kept, "made_by", lambda: "another version")
    assert "no longer used" in answered("cache")
    assert 0 < entry["bytes"] == told["bytes"] <= told["limit"]
    assert json.loads(answered("cache", "clear", "--json"))["removed"] == 1
    assert json.loads(answered("cache", "--json"))["entries"] == []


def test_another_action_is_one_plain_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["discover", "cache", "burn"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_help_lists_the_cache_last_in_a_line_of_its_own() -> None:
    assert answered("--help").rstrip().endswith("Show or clear what earlier runs kept.")


def test_no_cache_keeps_nothing(events: Path, tmp_path: Path) -> None:
    answered("check", str(events), "--out", str(tmp_path / "out"), "--no-cache")
    assert not cache_folder().exists()


def test_a_warning_of_the_cache_is_one_line(
    events: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Cache, "staged", lambda self, expected: warn("the disk is full."))
    monkeypatch.setattr(sys, "argv", ["discover", "check", str(events), "--out", str(tmp_path / "out"), "--quiet"])
    monkeypatch.setattr("warnings.showwarning", sys.modules["warnings"].showwarning)
    with pytest.raises(SystemExit):
        main()
    assert "discover: The cache: the disk is full.\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("memory", "limit"), [("4GB", 16 * 10**8), ("1 gb", 4 * 10**8), ("2.5GiB", 1 << 30), (None, None)]
)
def test_the_engine_has_two_fifths_of_the_memory(memory: str | None, limit: int | None) -> None:
    assert engine_limit(memory) == (None if limit is None else f"{limit}B")


@pytest.mark.parametrize(
    "memory", ["", "4", "much", "-4GB", "4 apples", "200MB", "nanGB", "4GBB", "99999999999TB", "٤GB"]
)
def test_what_is_no_memory_is_refused_before_anything_is_read(memory: str, events: Path) -> None:
    with pytest.raises(SpecError, match="The memory"):
        Study(events, memory=memory)


def test_the_limit_reaches_the_engine(events: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for cache in (True, True, False):
        with_limit = kept.load_kept(
            events, None, Study(events).spec, cache=Cache(cache_folder()) if cache else None, memory="2GB"
        )
        ((held,),) = with_limit.engine.rows("SELECT current_setting('memory_limit')")
        with_limit.engine.close()
        assert held == "762.9 MiB"


def test_an_engine_rests_at_its_own_limit_and_not_at_that_of_an_earlier_run(events: Path) -> None:
    limits = []
    for memory in ("20GB", "10GB"):
        relations = kept.load_kept(events, None, Study(events).spec, cache=Cache(cache_folder()), memory=memory)
        with closing(relations.engine) as engine:
            rest(engine)
            limits.append(engine.rows("SELECT current_setting('memory_limit')"))
    assert limits == [[("1.8 GiB",)], [("947.1 MiB",)]]
