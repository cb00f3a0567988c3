"""`discover validate` as a user meets it: what it prints and writes, and exit codes a nightly job can rely on."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from report import factory
from report import validation_factory as made
from typer.testing import CliRunner

import discovery
from discovery.cli import app
from discovery.results import CriterionName, ValidationResult, read_validation
from discovery.study import Study

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from discovery.cli import main; main()"]
RULE = "report_shared >= 3 within 7d"
PROPOSED = ("--milestone", RULE)
FILES = {"report.html", "validation.json", "scorecard.csv", "discover.toml", "run.log"}


def discover(*arguments: Any, cwd: Path, command: list[str] = COMMAND) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Return a function that runs the command in an empty folder with a study that answers `result`."""
    monkeypatch.chdir(tmp_path)
    asked: dict[str, Any] = {}

    def run(result: ValidationResult | Exception, *arguments: Any) -> Any:
        def validate(study: Study, *milestones: Any, progress: Any, **keywords: Any) -> ValidationResult:
            asked.update(keywords, milestones=[str(milestone) for milestone in milestones], study=study)
            progress("Judging")
            if isinstance(result, Exception):
                raise result
            return result

        monkeypatch.setattr(Study, "validate", validate, raising=False)
        done = CliRunner().invoke(app, ["validate", *map(str, arguments)])
        done.asked = asked
        return done

    return run


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Run the command that the README shows, on the world that comes with the package."""
    folder = tmp_path_factory.mktemp("shown")
    (line,) = re.findall(r"^discover (validate data_fixtures/.*)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    done = discover(*shlex.split(line), "--out", folder / "out", cwd=ROOT)
    return folder / "out", done


def test_the_readme_shows_a_milestone_that_holds(shown: Any) -> None:
    out, done = shown
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.startswith("HOLDS: report_shared >= 2 within 7d\n")
    assert {path.name for path in out.iterdir()} == {*FILES, "plan.md"}
    (proposal,) = read_validation(out / "validation.json").proposals
    names = [criterion.name for criterion in proposal.criteria]
    assert names == [name for name in get_args(CriterionName) if name in names]
    assert len(names) >= 13
    assert "Exception" not in (out / "run.log").read_text()
    said = (out / "report.html").read_text(encoding="utf-8")
    assert "report_shared" in said
    assert "HOLDS" in said.upper()


def test_the_written_spec_is_validated_again_to_the_same_bytes_and_nothing_changed(shown: Any, tmp_path: Path) -> None:
    proposed = ("--milestone", "report_shared >= 2 within 7d", "--compare", shown[0] / "validation.json")
    done = discover("validate", shown[0] / "discover.toml", *proposed, "--quiet", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    first, second = (read_validation(d / "validation.json") for d in (shown[0], tmp_path / "discovery-validation"))
    assert str(second.compared_with).endswith(", over the same input")
    assert second.proposals[0].changes
    assert not any(change.notable for change in second.proposals[0].changes)
    assert dataclasses.replace(second.proposals[0], changes=()) == first.proposals[0]


def test_a_ladder_is_proposed_beside_an_event_that_is_not_there(tmp_path: Path) -> None:
    discovery.simulate_world("chain", accounts=1500, seed=3).write(tmp_path / "world")
    sources = (tmp_path / "world" / "events.parquet", tmp_path / "world" / "accounts.csv")
    quick = ("--set", "candidates.conjunctions=1")
    assert discover("run", *sources, "--out", "study", "--quiet", *quick, cwd=tmp_path).returncode == 0
    asked = ("--ladder", "study/result.json#1", "--milestone", "never_tracked", "--compare", "study/result.json")
    done = discover("validate", *sources, *asked, *quick, "--json", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    missing, top = json.loads(done.stdout)["proposals"]
    assert (missing["verdict"], missing["milestone"]) == ("does not hold", "never_tracked")
    assert [criterion["name"] for criterion in missing["criteria"] if criterion["decides"]] == ["observable"]
    assert top["ladder"][-1]["milestone"] == top["milestone"]
    assert {change["what"] for change in top["changes"]} >= {"verdict", "difference", "reach", "accounts"}
    assert not any(change["notable"] for change in top["changes"])


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        (["holds"], 0),
        (["does not hold"], 1),
        (["not enough data"], 3),
        (["holds", "holds"], 0),
        (["holds", "not enough data"], 3),
        (["not enough data", "does not hold", "holds"], 1),
    ],
)
def test_the_exit_code_is_the_verdict(verdicts: list[str], code: int, answered: Any) -> None:
    result = made.validation(*(made.proposal(verdict) for verdict in verdicts))
    assert answered(result, "e.csv", "a.csv", *PROPOSED, "--quiet").exit_code == code


def test_a_validation_writes_its_files_and_nothing_else(answered: Any, tmp_path: Path) -> None:
    result = made.several()
    done = answered(result, "e.csv", "a.csv", *PROPOSED)
    out = tmp_path / "discovery-validation"
    assert [path.name for path in tmp_path.iterdir()] == [out.name]
    assert {path.name for path in out.iterdir()} == FILES
    assert (out / "validation.json").read_text(encoding="utf-8") == result.to_json()
    assert read_validation(out / "validation.json").proposals[0].milestone == made.MILESTONE
    with (out / "scorecard.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(len(proposal.criteria) for proposal in result.proposals)
    assert {row["verdict"] for row in rows} == set(made.VERDICTS)
    assert tomllib.loads((out / "discover.toml").read_text(encoding="utf-8")).keys() == result.settings.keys()
    log = (out / "run.log").read_text(encoding="utf-8")
    assert "Judging" in log
    assert all(f"verdict  {p.verdict}: {p.sentence}" in log for p in result.proposals)
    assert "Report: discovery-validation/report.html" in done.stdout


def test_the_plan_is_printed_and_written_when_asked(answered: Any, tmp_path: Path) -> None:
    done = answered(made.several(), "e.csv", "a.csv", *PROPOSED, "--plan")
    plan = (tmp_path / "discovery-validation" / "plan.md").read_text(encoding="utf-8")
    assert all(proposal.milestone in plan.replace("\\", "") for proposal in made.several().proposals)
    assert "27,222" in plan
    assert done.stdout.count("10 points more reach it, effect 12.0 points") == 2
    assert "No experiment is planned: Beside “dashboard_viewed”, nothing of the difference is left." in done.stdout
    assert "more than 10 years: not feasible" in done.stdout
    assert "Feasible at 71 signups a week: only whether it moves activation (12 weeks)." in done.stdout
    assert "Planned for +12.0 points among the accounts that the help moves" in done.stdout
    assert "Plan: discovery-validation/plan.md" in done.stdout


def test_people_read_verdicts_scorecards_power_and_changes(answered: Any) -> None:
    done = answered(made.several(), "e.csv", "a.csv", *PROPOSED)
    lines = done.stdout.replace("\u202f", " ").splitlines()
    assert lines[0] == "3 proposals:"
    assert lines[1].split() == ["verdict", "adjusted", "difference", "decided", "by", "reach", "proposal"]
    assert lines[2].split()[0] == "HOLDS"
    assert "+12.0 points [5.0, 19.0]" in lines[2]
    assert "difference     31 %" in lines[2]
    assert lines[6] == f"HOLDS: {made.MILESTONE}"
    assert lines[7] == f"  {made.several().proposals[0].sentence}"
    assert "  Adjusted difference: +12.0 points [5.0, 19.0] (98.3 % interval)." in lines
    for proposal in made.several().proposals:
        told = [c for c in proposal.criteria if c.judged and c.status != "pass"]
        assert all(f"{c.name}  " in done.stdout and c.sentence in done.stdout for c in told)
    failure = "  FAIL  stable                        Among accounts on plan “solo” it goes the other way."
    assert lines.index(failure) < next(place for place, line in enumerate(lines) if line.startswith("  warn"))
    assert (
        "  Passes: predictive, better than vanity, adds beyond onboarding, observable, narrow but reachable, specific "
        "threshold, not the outcome in disguise, beaten by none." in lines
    )
    assert lines.count("  Not judged: experimental evidence.") == 3
    assert "Its events are on record in every one of 61 weeks." not in done.stdout
    assert sum(line.endswith("(decides)") for line in lines) == 1
    nexts = [line for line in lines if line.startswith("  Next: ")]
    assert len(nexts) == 3
    assert nexts[0].startswith("  Next: It is an association, not a proof. Put the question no log answers to people")
    assert nexts[1].startswith("  Next: Do not build onboarding around it. It fails what alone decides: better than")
    assert nexts[2].endswith("About 2,326 more accounts with a known outcome would tell: come back in 18 weeks.")
    power = [line for line in lines if line.startswith("  Power: ")]
    assert len(power) == 2
    assert all("would notice a difference of 4 points" in line for line in power)
    assert ["2,326 are missing" in line for line in power] == [False, True]
    assert sum(line.startswith("  Since the validation of 2024-11-20") for line in lines) == 3
    assert "    * The verdict was “not enough data” and is “holds” now." in lines
    assert "The new difference lies within the earlier interval." not in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("result", [made.bare(), made.hostile(), made.validation(made.sparse())])
def test_whatever_is_not_known_is_not_printed(result: ValidationResult, answered: Any) -> None:
    done = answered(result, "e.csv", "a.csv", *PROPOSED, "--quiet", "--json")
    assert json.loads(done.stdout)["proposals"]
    said = answered(result, "e.csv", "a.csv", *PROPOSED).stdout
    assert not re.search(r"\bnan\b|\binf\b|\bNone\b(?! of its events)|[\x00-\x09\x0b-\x1f\u202e]", said)


def test_json_has_standard_output_alone_and_quiet_prints_nothing(answered: Any) -> None:
    result = made.single("not enough data")
    done = answered(result, "e.csv", "a.csv", *PROPOSED, "--json")
    assert done.stdout == result.to_json()
    assert "NOT ENOUGH DATA" in done.stderr
    assert done.exit_code == 3
    quiet = answered(result, "e.csv", "a.csv", *PROPOSED, "--quiet", "--plan")
    assert (quiet.stdout, quiet.stderr, quiet.exit_code) == ("", "", 3)


def test_everything_asked_reaches_the_study(answered: Any, tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("{}")
    done = answered(
        made.single("holds"), "e.csv", "a.csv", "--milestone", "b and a", "--milestone", RULE, "--ladder", "old.json#2",
        "--registered", "2025-03-31", "--compare", "old.json", "--set", "outcome.by_day=60", "--seed", "7",
        "--show-accounts", "--quiet",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    asked = done.asked
    assert asked["milestones"] == ["b and a", RULE]
    assert (asked["ladder"], str(asked["registered"]), str(asked["compare"])) == (
        "old.json#2",
        "2025-03-31",
        "old.json",
    )
    assert (asked["independent"], asked["show_accounts"]) == (False, True)
    assert (asked["study"].spec.outcome.by_day, asked["study"].spec.inference.seed) == (60, 7)


def test_a_past_experiment_in_the_spec_is_written_to_be_read_again(answered: Any, tmp_path: Path) -> None:
    spec = discovery.StudySpec.model_validate(
        {"experiment": {"assignment": ["a_test", {"column": "b_test", "start": "2025-01-01", "shares": {"on": 0.5}}]}}
    )
    result = made.validation(made.proposal(), settings=spec.as_dict())
    assert answered(result, "e.csv", "a.csv", *PROPOSED, "--quiet").exit_code == 0
    assert discovery.load_spec(tmp_path / "discovery-validation" / "discover.toml").experiment == spec.experiment


def bad_questions() -> list[tuple[str, tuple[str, ...], str]]:
    sources = ("e.csv", "a.csv")
    return [
        ("no proposal", sources, "No milestone was proposed"),
        ("not a milestone", (*sources, "--milestone", "a within"), "cannot be read"),
        ("a window for all or one", (*sources, "--milestone", "a and b within 7d"), "could belong to the last part"),
        ("two origins", (*sources, *PROPOSED, "--registered", "2025-01-01", "--independent"), "two answers"),
        ("no date", (*sources, *PROPOSED, "--registered", "soon"), "%Y-%m-%d"),
        ("three sources", ("e.csv", "a.csv", "a.csv", *PROPOSED), "ACCOUNTS"),
        ("no such option", (*sources, *PROPOSED, "--frobnicate"), "frobnicate"),
        ("no such file", (*sources, *PROPOSED), "There is no file"),
    ]


@pytest.mark.parametrize(("arguments", "word"), [c[1:] for c in bad_questions()], ids=[c[0] for c in bad_questions()])
def test_a_bad_question_ends_in_one_message_and_leaves_nothing(
    arguments: tuple[str, ...], word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["validate", *arguments])
    if isinstance(done.exception, SystemExit):
        assert done.exit_code == 2
        assert word in done.stderr
    else:
        assert isinstance(done.exception, discovery.InputError)
        assert word in str(done.exception)
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_bad_question_exits_with_two_as_everywhere(tmp_path: Path) -> None:
    done = discover("validate", "e.csv", "a.csv", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("discover: No milestone was proposed.")


def test_a_failure_leaves_the_earlier_validation(answered: Any, tmp_path: Path) -> None:
    assert answered(made.single("holds"), "e.csv", "a.csv", *PROPOSED, "--quiet").exit_code == 0
    before = (tmp_path / "discovery-validation" / "validation.json").read_bytes()
    broken = answered(discovery.InputError("nothing to see"), "e.csv", "a.csv", *PROPOSED)
    assert isinstance(broken.exception, discovery.InputError)
    assert (tmp_path / "discovery-validation" / "validation.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["discovery-validation"]


def test_last_nights_validation_is_compared_with_in_its_own_folder(answered: Any, tmp_path: Path) -> None:
    night = ("e.csv", "a.csv", *PROPOSED, "--quiet")
    assert answered(made.single("holds"), *night).exit_code == 0
    old = ("--compare", "discovery-validation/validation.json")
    assert answered(made.single("does not hold"), *night, *old).exit_code == 1
    assert read_validation(tmp_path / "discovery-validation" / "validation.json").proposals[0].verdict != "holds"


@pytest.mark.parametrize("option", ["--compare", "--ladder"])
def test_a_study_that_is_read_is_not_replaced(option: str, answered: Any, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "result.json").write_text(factory.study().to_json(), encoding="utf-8")
    named = "out/result.json" + ("#1" if option == "--ladder" else "")
    done = answered(made.single("holds"), "e.csv", "a.csv", *PROPOSED, option, named, "--out", "out")
    assert isinstance(done.exception, discovery.DiscoveryError)
    assert "that this run reads (result.json)" in str(done.exception)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["result.json"]


FAKED = f"""
import sys
sys.path.insert(0, {str(ROOT / "tests")!r})
from report import validation_factory as made
from discovery.study import Study
Study.validate = lambda study, *milestones, **keywords: made.single("not enough data")
from discovery.cli import main
main()
"""


@pytest.mark.skipif(os.name == "nt", reason="the pipes of a shell")
@pytest.mark.parametrize(("option", "reader"), [("", "| true"), ("", ">&-"), ("--json", "| true")])
def test_a_reader_that_goes_away_changes_no_verdict(option: str, reader: str, tmp_path: Path) -> None:
    (tmp_path / "faked.py").write_text(FAKED, encoding="utf-8")
    command = f"'{sys.executable}' faked.py validate e.csv a.csv --milestone a {option}"
    script = f"({command}; echo $? >code) {reader} >read" if "|" in reader else f"{command} {reader}; echo $? >code"
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
    assert (tmp_path / "code").read_text().strip() == "3", done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert {path.name for path in (tmp_path / "discovery-validation").iterdir()} == FILES
