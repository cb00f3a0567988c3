"""The command as a user meets it: real processes, exit codes, messages, and what is left on disk."""

import csv
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import discovery

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from discovery.cli import main; main()"]


def discover(*arguments, cwd, env=None):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    discovery.simulate_world("chain", accounts=1500, seed=3).write(folder)
    return folder


@pytest.fixture(scope="module")
def study(world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    done = discover("run", world / "events.parquet", world / "accounts.csv", "--out", "out", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "out", done


def test_a_run_writes_the_five_files_and_nothing_else(study):
    out, done = study
    names = {"report.html", "result.json", "candidates.csv", "discover.toml", "run.log"}
    assert {path.name for path in out.iterdir()} == names
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    assert "report.html" in done.stdout


def test_result_json_has_the_fields_of_the_contract(study):
    result = json.loads((study[0] / "result.json").read_text())
    assert result["schema"] == 1
    contract = {"verdict", "population", "ranking", "personas", "ladders", "quality", "provenance"}
    assert contract <= result.keys()
    row = {
        "rank", "family", "milestone", "conditions", "status", "kind", "reach", "retained_if_reached",
        "retained_if_not", "lift", "phi", "odds_ratio", "adjusted", "naive_difference", "hazard_ratio", "score",
        "p_adjusted", "q_value", "stability", "equivalent", "cluster", "median_days_to_reach", "e_value",
        "explained_away", "warnings",
    }  # fmt: skip
    assert all(row <= family.keys() for family in result["ranking"])
    assert "NaN" not in (study[0] / "result.json").read_text()


def test_candidates_csv_holds_every_single_rule_of_the_search(study):
    result = json.loads((study[0] / "result.json").read_text())
    with (study[0] / "candidates.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    single = [row for row in rows if " + " not in row["family"]]
    assert 100 < sum(row["eligible"] == "True" for row in single) < result["searched"]  # pairs are listed where named
    assert {family["milestone"] for family in result["ranking"]} <= {row["milestone"] for row in rows}


def test_the_written_spec_runs_again_to_the_same_bytes(study, tmp_path):
    done = discover("run", study[0] / "discover.toml", "--out", "again", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    first, second = (json.loads((d / "result.json").read_text()) for d in (study[0], tmp_path / "again"))
    for result in (first, second):
        result["provenance"].pop("seconds")
        result["provenance"].pop("created_at")
        result["provenance"].pop("spec_sha256")
        result["outcome"].pop("inferred")
        for column in result["recognised"]:
            column.pop("source")
            column.pop("reason")
        result["recognised"] = [column for column in result["recognised"] if column["column"]]
    for key in first:
        if key not in ("recognised", "settings"):
            assert first[key] == second[key], key
    assert (study[0] / "candidates.csv").read_bytes() == (tmp_path / "again" / "candidates.csv").read_bytes()


def test_json_goes_to_standard_output_alone(world, tmp_path):
    sources = (world / "events.parquet", world / "accounts.csv")
    done = discover("run", *sources, "--json", "--set", "outcome.by_day=60", cwd=tmp_path)
    assert json.loads(done.stdout)["outcome"]["by_day"] == 60
    assert (tmp_path / "discovery-report" / "report.html").exists()


def test_accounts_are_named_only_when_asked(world, tmp_path):
    rows = (world / "accounts.csv").read_text().splitlines()
    name = rows[1].split(",")[0]
    duplicated = tmp_path / "accounts.csv"
    duplicated.write_text("\n".join([*rows, rows[1]]) + "\n")
    for asked in (False, True):
        flags = ("--show-accounts",) if asked else ()
        done = discover("run", world / "events.parquet", duplicated, "--out", "out", *flags, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        for file in ("report.html", "result.json", "candidates.csv", "run.log"):
            written = (tmp_path / "out" / file).read_text()
            assert (name in written) == (asked and file in ("report.html", "result.json")), (file, asked)


def bad_inputs():
    """Name, files to write, arguments, and a word the message must hold."""
    events, accounts = "account_id,event,timestamp\na,x,2024-01-02\n", "account_id,signup_at\na,2024-01-01\n"
    both = ("run", "e.csv", "a.csv")
    good = {"e.csv": events, "a.csv": accounts}
    return [
        ("missing file", {"a.csv": accounts}, both, "e.csv"),
        ("empty file", {**good, "e.csv": ""}, both, "e.csv"),
        ("header alone", {**good, "e.csv": "account_id,event,timestamp\n"}, both, "e.csv"),
        ("missing column", {**good, "e.csv": "account_id,timestamp\na,2024-01-02\n"}, both, "event"),
        ("wrong type", {**good, "e.csv": "account_id,event,timestamp\na,x,soon\nb,x,later\n"}, both, "time"),
        ("no such column", good, (*both, "--set", "events.account=acount_id"), "account_id"),
        ("not parquet", {**good, "e.parquet": "hello"}, ("run", "e.parquet", "a.csv"), "e.parquet"),
        ("unreadable TOML", {**good, "s.toml": "[events\n"}, ("run", "s.toml"), "TOML"),
        ("unknown key", {**good, "s.toml": "[outcome]\nby_dya = 3\n"}, ("run", "s.toml"), "by_day"),
        ("missing spec", good, ("run", "none.toml"), "none.toml"),
        ("no account in common", {**good, "a.csv": "account_id,signup_at\nzz,2024-01-01\n"}, both, "zz"),
        ("bad setting", good, (*both, "--set", "nonsense"), "nonsense"),
        ("three sources", good, ("run", "e.csv", "a.csv", "a.csv"), "ACCOUNTS"),
        ("unknown world", {}, ("simulate", "atlantis", "--out", "out"), "easy"),
        ("unknown option", good, (*both, "--frobnicate"), "frobnicate"),
    ]


def test_events_alone_are_enough(tmp_path):
    days = [f"a{i % 9},opened,2024-{1 + i // 28:02d}-{1 + i % 28:02d}T05:00:00" for i in range(200)]
    (tmp_path / "e.csv").write_text("\n".join(["account_id,event,timestamp", *days]))
    done = discover("check", "e.csv", "--json", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert found["accounts"] == 9
    assert found["settings"]["accounts"]["from"] == "events"
    assert "accounts_derived" in {finding["code"] for finding in found["quality"]}


@pytest.mark.parametrize(
    ("files", "arguments", "word"), [c[1:] for c in bad_inputs()], ids=[c[0] for c in bad_inputs()]
)
def test_bad_input_ends_in_one_message_and_leaves_nothing(files, arguments, word, tmp_path):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = discover(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert {path.name for path in tmp_path.iterdir()} == set(files)


def too_little():
    first = "2024-01-01"
    many = [f"a{i:03}" for i in range(200)]
    signups = "account_id,signup_at,churned_at\n" + "".join(f"{a},2024-01-01,\n" for a in many)
    used = "account_id,event,timestamp\n" + "".join(f"{a},x,2024-01-01T10:0{i % 9}:00Z\n" for i, a in enumerate(many))
    used += "".join(f"{a},x,2024-0{3 + i % 4}-01T12:00:00Z\n" for i, a in enumerate(many))
    late = "account_id,event,timestamp\na000,boot,2023-12-31\n" + "".join(f"{a},x,2024-06-02\n" for a in many)
    left = "account_id,signup_at,churned_at\n"
    left += "".join(f"{a},2024-01-01,{'2024-02-11' if i % 2 else ''}\n" for i, a in enumerate(many))
    lone_account = f"account_id,signup_at\na,{first}\n"
    lone_event = f"account_id,event,timestamp\na,x,{first}\na,x,2024-07-02\n"
    return [
        ("no departure", used, signups, "had left"),
        ("one account", lone_event, lone_account, "1 account"),
        ("no event in a window", late, left, "window"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("events", "accounts", "word"), [c[1:] for c in too_little()], ids=[c[0] for c in too_little()]
)
def test_too_little_to_say_is_a_verdict_with_its_reason(events, accounts, word, tmp_path):
    (tmp_path / "e.csv").write_text(events)
    (tmp_path / "a.csv").write_text(accounts)
    settings = ("--set", "outcome.kind=retained") if "churned_at" in accounts else ()
    done = discover("run", "e.csv", "a.csv", "--json", *settings, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    verdict = json.loads(done.stdout)["verdict"]
    assert verdict["status"] == "insufficient"
    assert word in verdict["sentence"]
    assert (tmp_path / "discovery-report" / "report.html").stat().st_size > 2000


def test_the_worksheet_of_an_earlier_ladder_is_printed_or_written_and_nothing_is_run(study, tmp_path):
    result = study[0] / "result.json"
    milestone = json.loads(result.read_text())["ladders"][0]["milestone"]
    printed = discover("export", "--worksheet", "--ladder", f"{result}#1", cwd=tmp_path)
    assert printed.returncode == 0, printed.stderr
    assert printed.stdout.startswith("# Worksheet: ladder 1")
    assert milestone in printed.stdout
    assert printed.stderr == ""
    written = discover("export", "--worksheet", "--ladder", result, "--out", "w.md", "--json", cwd=tmp_path)
    assert (tmp_path / "w.md").read_text(encoding="utf-8") == printed.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["w.md"]
    assert {"title", "sections"} == json.loads(written.stdout).keys()
    (tmp_path / "w.md").write_text("filled in by the team")
    again = discover("export", "--worksheet", "--ladder", result, "--out", "w.md", cwd=tmp_path)
    assert again.returncode == 2
    assert "somebody may have written in it" in again.stderr
    assert (tmp_path / "w.md").read_text() == "filled in by the team"


def test_the_worksheet_of_a_new_study_is_that_of_its_first_ladder(study, world, tmp_path):
    sources = (world / "events.parquet", world / "accounts.csv")
    done = discover("export", *sources, "--worksheet", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    earlier = discover("export", "--worksheet", "--ladder", study[0] / "result.json", cwd=tmp_path)
    assert re.sub(r"\d", "#", done.stdout) == re.sub(r"\d", "#", earlier.stdout)
    assert list(tmp_path.iterdir()) == []


def bad_exports():
    """Name, arguments after `export`, and a word the message must hold; RESULT stands for a result.json."""
    ladder = ("--worksheet", "--ladder")
    return [
        ("nothing named", (), "Nothing to export was named"),
        ("no ladder named", ("--worksheet",), "--ladder result.json#1"),
        ("both named", (*ladder, "RESULT", "e.csv", "a.csv"), "leave out e.csv a.csv"),
        (
            "settings without a run",
            (*ladder, "RESULT", "--set", "outcome.by_day=60"),
            "--set, --seed, --memory and --no-cache change nothing",
        ),
        ("seed without a run", (*ladder, "RESULT", "--seed", "0"), "--memory and --no-cache change nothing"),
        ("memory without a run", (*ladder, "RESULT", "--memory", "5GB"), "--memory and --no-cache change nothing"),
        ("no such number", (*ladder, "RESULT#77"), "has no ladder 77"),
        ("no such file", (*ladder, "none.json#1"), "There is no file none.json"),
        ("a folder to write", (*ladder, "RESULT", "--out", "."), "is a folder"),
        ("no folder to write to", (*ladder, "RESULT", "--out", "no/w.md"), "There is no folder no"),
        ("three sources", ("--worksheet", "e.csv", "a.csv", "a.csv"), "ACCOUNTS"),
    ]


@pytest.mark.parametrize(("arguments", "word"), [c[1:] for c in bad_exports()], ids=[c[0] for c in bad_exports()])
def test_a_worksheet_that_cannot_be_made_ends_in_one_message(arguments, word, study, tmp_path):
    named = [argument.replace("RESULT", str(study[0] / "result.json")) for argument in arguments]
    done = discover("export", *named, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_study_without_a_milestone_has_no_worksheet(tmp_path):
    events, accounts = too_little()[0][1:3]
    (tmp_path / "e.csv").write_text(events)
    (tmp_path / "a.csv").write_text(accounts)
    done = discover("export", "e.csv", "a.csv", "--worksheet", "--out", "w.md", cwd=tmp_path)
    assert done.returncode == 2
    assert "There is no ladder to export" in done.stderr
    assert not (tmp_path / "w.md").exists()


def test_the_demo_runs_and_finds_its_planted_milestone(tmp_path):
    done = discover("demo", "--out", "demo", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    truth = json.loads((ROOT / "data_fixtures" / "demo" / "truth.json").read_text())
    assert json.loads(done.stdout)["ranking"][0]["family"] in truth["planted_events"]


def test_help_is_quick_and_lists_the_commands(tmp_path):
    started = time.perf_counter()
    done = discover("--help", cwd=tmp_path)
    assert done.returncode == 0
    assert all(name in done.stdout for name in ("run", "check", "simulate", "demo", "export"))
    assert time.perf_counter() - started < 5


def test_an_error_of_the_program_shows_no_traceback(tmp_path):
    broken = "import discovery.cli as c; c.app = lambda: 1 / 0; c.main()"
    done = subprocess.run([sys.executable, "-c", broken], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 70
    assert "Traceback" not in done.stderr
    assert "ZeroDivisionError" in done.stderr
