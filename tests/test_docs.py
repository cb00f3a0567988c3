"""What is documented exists, and what exists is documented."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer

import discovery
from discovery import results
from discovery.errors import Caution
from discovery.milestone import Milestone
from discovery.spec import StudySpec, build_spec

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("data_fixtures/**/README.md")])
COMMANDS_PAGE = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
RESULTS_PAGE = (ROOT / "docs/results.md").read_text(encoding="utf-8")
DATA_PAGE = (ROOT / "docs/data.md").read_text(encoding="utf-8")


def commands() -> dict[str, Any]:
    from discovery.cli import app

    return dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def options(command: Any) -> dict[str, Any]:
    """Return each long option of a command, `--help` aside."""
    found = {}
    for parameter in command.params:
        if parameter.param_type_name == "option":
            found |= dict.fromkeys([*parameter.opts, *parameter.secondary_opts], parameter)
    return {name: parameter for name, parameter in found.items() if name != "--help"}


def headings(page: str) -> list[re.Match[str]]:
    """Return the headings of a page, `level` and `title`; lines inside code blocks are none."""
    without_code = re.sub(r"```.*?```", lambda block: re.sub(r"[^\n]", " ", block[0]), page, flags=re.DOTALL)
    return list(re.finditer(r"^(?P<level>#+) (?P<title>.*)$", without_code, re.MULTILINE))


def section(page: str, title: str) -> str:
    """Return the text under a heading, its subsections included."""
    found = headings(page)
    (start,) = (heading for heading in found if heading["title"] == title)
    after = (h.start() for h in found if h.start() > start.start() and len(h["level"]) <= len(start["level"]))
    return page[start.end() : next(after, len(page))]


def quoted(text: str) -> set[str]:
    """Return what stands in backticks."""
    return set(re.findall(r"`([^`\n]+)`", text))


def shell_lines(page: str) -> list[list[str]]:
    """Return the commands of a page's shell blocks, split into words."""
    blocks = [block.replace("\\\n", " ") for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL)]
    return [words for block in blocks for line in block.splitlines() if (words := shlex.split(line, comments=True))]


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("name", commands())
def test_every_command_and_option_is_documented_and_has_help(name: str) -> None:
    command = commands()[name]
    written = section(COMMANDS_PAGE, f"discover {name}")
    assert command.help
    for option, parameter in options(command).items():
        assert f"`{option}" in written, f"{option} is not in the section of discover {name}"
        assert parameter.help, f"{option} has no help"
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    assert all(argument.help for argument in arguments)


def test_every_documented_command_and_option_exists() -> None:
    titles = re.findall(r"^## discover (\w+)$", COMMANDS_PAGE, re.MULTILINE)
    assert sorted(titles) == sorted(commands())
    for name in titles:
        table = re.findall(r"^\| `(--[\w-]+)", section(COMMANDS_PAGE, f"discover {name}"), re.MULTILINE)
        assert sorted(table) == sorted(options(commands()[name])), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_shown_can_be_run(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for words in shell_lines(page.read_text(encoding="utf-8")):
        if words[0] == "discover":
            assert words[1] in commands(), words
            used = {word.partition("=")[0] for word in words if word.startswith("--")}
            assert used <= set(options(commands()[words[1]])), words
        elif words[0] == "make":
            assert {word for word in words[1:] if "=" not in word} <= targets, words
        elif "/" in words[0]:
            assert (ROOT / words[0]).is_file(), words


def test_documented_settings_are_valid() -> None:
    from discovery.spec import override

    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    found = [match for text in texts for match in re.findall(r"--set (?:'([^']+)'|([a-z]+\.[^\s`]+))", text)]
    shown = [in_quotes or bare for in_quotes, bare in found]
    assert shown
    for setting in shown:
        if not setting.endswith("=N"):
            build_spec(override({}, [setting]))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_resolve(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        if anchor:
            titles = {slug(heading["title"]) for heading in headings(target.read_text(encoding="utf-8"))}
            assert anchor in titles, link


def test_the_documented_spec_is_the_defaults_and_complete() -> None:
    block = re.search(r"```toml\n(.*?)```", section(COMMANDS_PAGE, "The spec"), re.DOTALL)
    assert block
    values = tomllib.loads(block[1])
    assert build_spec(values) == StudySpec()
    assert {name: set(keys) for name, keys in values.items()} == {
        name: set(keys) for name, keys in StudySpec().as_dict().items()
    }
    absent = {
        f"{s}.{k}" for s, keys in StudySpec().model_dump(by_alias=True).items() for k in keys if k not in values[s]
    }
    assert absent == {"accounts.segments"}
    assert "# segments =" in block[1]


def test_the_documented_milestones_are_in_the_language() -> None:
    block = re.search(r"```text\n(.*?)```", section(COMMANDS_PAGE, "How milestones are written"), re.DOTALL)
    assert block
    written = [re.split(r"\s{2,}", line)[0] for line in block[1].splitlines()]
    assert [str(Milestone.parse(text)) for text in written][:3] == written[:3]


def test_every_world_is_documented() -> None:
    from discovery.simulate import WORLDS

    table = re.findall(r"^\| `(\w+)` \|", section(COMMANDS_PAGE, "discover simulate"), re.MULTILINE)
    assert sorted(table) == sorted(WORLDS)


RESULT_CLASSES = [
    value
    for value in vars(results).values()
    if inspect.isclass(value) and dataclasses.is_dataclass(value) and value is not results.CandidateTable
]


@pytest.mark.parametrize("result_class", RESULT_CLASSES)
def test_every_field_of_result_json_is_documented(result_class: type) -> None:
    page = RESULTS_PAGE.partition("\n## candidates.csv")[0]
    names = {field.name for field in dataclasses.fields(result_class)} - {"candidates"}
    if result_class is not results.CheckResult:
        assert names <= quoted(page)


def test_every_warning_is_documented() -> None:
    assert {str(caution) for caution in Caution} == set(
        re.findall(r"^\| `(\w+)` \|", section(RESULTS_PAGE, "Warnings"), re.MULTILINE)
    )


def test_every_column_of_candidates_csv_is_documented(candidate_columns: set[str]) -> None:
    written = quoted(section(RESULTS_PAGE, "candidates.csv"))
    plain = {re.sub(r"_(lower|upper)$", "", column) for column in candidate_columns}
    assert plain <= written
    assert written - {"_lower", "_upper"} <= plain | {"ok", "separated", "too_few", "not_converged"}


@pytest.fixture(scope="module")
def candidate_columns() -> set[str]:
    """Return the columns of a small study's table of candidates."""
    from discovery.simulate import simulate_world

    world = simulate_world("easy", accounts=400, seed=1)
    return set(discovery.Study(world.events, world.accounts, outcome={"by_day": 60}).run().candidates.columns)


def test_documented_column_names_are_recognised() -> None:
    from discovery.intake.lexicon import ACCOUNT_ROLES, EVENT_ROLES, is_trait_by_nature

    rows = re.findall(
        r"^\| (\w+)(?:, needed)? \| (.*) \|$", section(DATA_PAGE, "How columns are recognised"), re.MULTILINE
    )
    known = [*EVENT_ROLES.items(), *ACCOUNT_ROLES.items()]
    shown = [(role, name) for role, names in rows for name in quoted(names)]
    assert {role for role, _ in shown} == {role for role, _ in known} - {"seats"} | {"segments"}
    for role, name in shown:
        if role == "segments":
            assert is_trait_by_nature(name + ("source" if name.endswith("_") else "")), name
        else:
            assert any(name in names for other, names in known if other == role), name


def finding_codes() -> set[str]:
    """Return every code that the checks give to a finding: their only strings in snake case, columns aside."""
    codes: set[str] = set()
    for path in (*(ROOT / "discovery/intake").glob("*_checks.py"), ROOT / "discovery/study/enough.py"):
        constants = [
            n.value for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Constant)
        ]
        codes |= {c for c in constants if isinstance(c, str) and re.fullmatch(r"[a-z]+_[a-z_]*", c)}
    assert "unreadable_" in codes
    completed = {f"unreadable_{role}" for role in ("churned", "converted", "observed_until")}
    columns = {"account_id", "user_id", "by_id", "leave_out", "leave_out_users", "unreadable_"}
    return codes - columns | completed


def test_findings_catalogue_and_documentation_agree() -> None:
    from discovery.intake.rules import RULES

    catalogue = [rule.code for rule in RULES]
    assert len(catalogue) == len(set(catalogue)) > 50
    assert finding_codes() == set(catalogue)
    titles = {
        "rows": "Rows",
        "times": "Times",
        "identity": "Identity",
        "accounts": "Accounts",
        "outcome": "Outcome",
        "tracking": "Names and tracking",
    }
    for subject, title in titles.items():
        documented = re.findall(r"^\| `(\w+)` \|", section(DATA_PAGE, title), re.MULTILINE)
        assert documented == [rule.code for rule in RULES if rule.subject == subject], subject
    assert {rule.subject for rule in RULES} == set(titles)
    assert all(rule.question.endswith("?") for rule in RULES)


@pytest.mark.parametrize("name", discovery.__all__)
def test_every_public_name_has_a_docstring_and_is_what_it_says(name: str) -> None:
    value = getattr(discovery, name)
    assert inspect.getdoc(value)
    assert inspect.ismodule(value) is (name == "plots")
