"""The house keeps its shape: layers, who may know what, sizes and words.

Each rule is a function from a source tree to a list of offences. It is run on the package, and on a small
planted tree that breaks it, so that a rule which no longer bites is noticed.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import discovery

PACKAGE = Path(discovery.__file__).parent

GROUND = ("version", "errors", "spec", "milestone", "results", "wording", "naming", "progress")
"""Each may import those before it."""

FLOORS: tuple[tuple[str, ...], ...] = (
    GROUND,
    ("engines",),
    ("cache",),
    ("intake", "exposure", "outcome", "estimate", "simulate"),
    ("ranking", "ladder", "experiment"),
    ("validation", "suggest"),
    ("export", "plots"),
    ("report",),
    ("study",),
    ("cli",),
)
"""From the ground up. A room imports rooms of lower floors only."""

RENDERERS = {"plots": {"errors", "results", "wording"}, "report": {"errors", "results", "wording", "plots", "export"}}
SQL_ROOMS = {"engines", "intake", "exposure"}
SQL_LIBRARIES = {"duckdb", "sqlglot"}
MODEL_LIBRARIES = ("lifelines", "statsmodels", "sklearn")
NOT_IN_CLI = {"numpy", "pandas", "scipy", *MODEL_LIBRARIES}
HEAVY = ("pandas", "numpy", "matplotlib", "lifelines", "statsmodels", "sklearn", "duckdb", "pyarrow", "scipy", "jinja2")
MAX_LINES = 450
BANNED_NAMES = {"util", "utils", "helper", "helpers", "manager", "managers"}
BANNED_WORDS = re.compile(r"\b(causes|drives)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Import:
    """One imported name: `target` is dotted, `names` what is taken from it."""

    target: str
    names: tuple[str, ...]
    line: int


def modules(tree: Path) -> dict[str, Path]:
    """Return dotted module name, below the package, to file; the package root is the empty name."""
    found = {}
    for path in sorted(tree.rglob("*.py")):
        parts = path.relative_to(tree).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(path: Path, module: str) -> list[Import]:
    """Return every import that runs, at any depth; those under TYPE_CHECKING do not."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found: list[Import] = []
    for node in _running(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.extend(Import(alias.name, (), node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            target = _absolute(node, package)
            found.append(Import(target, tuple(alias.name for alias in node.names), node.lineno))
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
            named = [a.value for a in node.args[:1] if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            found.extend(Import(name, (), node.lineno) for name in named)
    return found


def _running(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for orelse in child.orelse:
                yield from _running(orelse)
        else:
            yield from _running(child)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if node.level == 0:
        return node.module or ""
    steps = [part for part in package.split(".") if part]
    steps = steps[: len(steps) - (node.level - 1)]
    return ".".join(["discovery", *steps, *([node.module] if node.module else [])])


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _room(module: str) -> str:
    return module.partition(".")[0]


def _library(imported: Import) -> str:
    return imported.target.partition(".")[0]


def _rooms_imported(imported: Import) -> set[str]:
    """Return the rooms of this package that an import reaches; "" is the package root itself."""
    if _library(imported) != "discovery":
        return set()
    below = imported.target.split(".")[1:]
    if below:
        return {below[0]}
    known = {room for floor in FLOORS for room in floor}
    return {name if name in known else "" for name in imported.names if name != "__version__"} or (
        set() if imported.names else {""}
    )


def upward_imports(tree: Path) -> list[str]:
    """Rooms import lower floors only; the ground floor, those before them; the root is nobody's to import."""
    floor_of = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
    offences = []
    for module, path in modules(tree).items():
        room = _room(module)
        if not module:
            continue
        if room not in floor_of:
            offences.append(f"{module}: the room {room!r} is on no floor; add it to FLOORS")
            continue
        for imported in imports_of(path, module):
            for other in _rooms_imported(imported) - {room}:
                lower = floor_of.get(other, 99) < floor_of[room]
                earlier = room in GROUND and other in GROUND[: GROUND.index(room)]
                if not (lower or earlier):
                    offences.append(f"{module}:{imported.line} imports {other or 'the package root'!r}")
    return offences


def renderers_computing(tree: Path) -> list[str]:
    """`plots` and `report` see results alone."""
    return [
        f"{module}:{imported.line} imports {other!r}"
        for module, path in modules(tree).items()
        if _room(module) in RENDERERS
        for imported in imports_of(path, module)
        for other in _rooms_imported(imported) - RENDERERS[_room(module)] - {_room(module)}
    ]


def private_names_taken(tree: Path) -> list[str]:
    """No room takes another room's private names or modules."""
    offences = []
    for module, path in modules(tree).items():
        for imported in imports_of(path, module):
            if not module or _rooms_imported(imported) <= {_room(module)}:
                continue
            names = [*imported.target.split("."), *imported.names]
            offences += [
                f"{module}:{imported.line} takes {name!r} from {imported.target}"
                for name in names
                if name.startswith("_") and not name.startswith("__")
            ]
    return offences


def sql_outside_its_rooms(tree: Path) -> list[str]:
    """Only `engines`, `intake` and `exposure` know SQL."""
    return [
        f"{module}:{imported.line} imports {imported.target}"
        for module, path in modules(tree).items()
        if _room(module) not in SQL_ROOMS
        for imported in imports_of(path, module)
        if _library(imported) in SQL_LIBRARIES
    ]


def model_library_users(tree: Path) -> dict[str, set[str]]:
    """Return, for each part of a model library (`statsmodels.stats`), the modules that import it."""
    users: dict[str, set[str]] = defaultdict(set)
    for module, path in modules(tree).items():
        for imported in imports_of(path, module):
            if _library(imported) in MODEL_LIBRARIES:
                users[".".join(imported.target.split(".")[:2])].add(module)
    return dict(users)


def model_libraries_shared(tree: Path) -> list[str]:
    """Each part of a third-party model library is known by at most one module."""
    return [
        f"{name} is imported by {', '.join(sorted(who))}"
        for name, who in model_library_users(tree).items()
        if len(who) > 1
    ]


def statistics_in_cli(tree: Path) -> list[str]:
    """The command line parses, calls and writes; it computes nothing."""
    return [
        f"{module}:{imported.line} imports {imported.target}"
        for module, path in modules(tree).items()
        if _room(module) == "cli"
        for imported in imports_of(path, module)
        if _library(imported) in NOT_IN_CLI
    ]


def long_files(tree: Path) -> list[str]:
    """No file outgrows one sitting."""
    counts = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in modules(tree).values()}
    return [f"{path.relative_to(tree)} has {n} lines" for path, n in counts.items() if n > MAX_LINES]


def empty_names(tree: Path) -> list[str]:
    """A module's name says what it holds."""
    return [module for module in modules(tree) if BANNED_NAMES & set(re.split(r"[._]", module))]


def banned_words(tree: Path) -> list[str]:
    """Nothing that could be shown claims cause: no string of the code, no template, says so."""
    offences = []
    for path in sorted(p for p in tree.rglob("*") if p.is_file() and p.suffix not in (".pyc", ".so")):
        if "_fixtures" in path.relative_to(tree).parts:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for line, words in _strings(text) if path.suffix == ".py" else enumerate(text.splitlines(), start=1):
            offences += [f"{path.relative_to(tree)}:{line} says {word!r}" for word in BANNED_WORDS.findall(words)]
    return offences


def _strings(source: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def heavy_imports_at_start(tree: Path) -> list[str]:
    """Importing the command line imports nothing heavy, so that `discover --help` is quick."""
    program = (
        f"import sys; sys.path.insert(0, {str(tree.parent)!r}); import discovery.cli; "
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True, cwd=tree.parent
    )
    return done.stdout.split()


Rule = Callable[[Path], list[str]]

RULES: dict[Rule, tuple[dict[str, str], ...]] = {
    upward_imports: (
        {"errors.py": "from discovery.results import Estimate"},
        {"outcome.py": "from discovery.ranking import grade"},
        {"outcome.py": "def f():\n    from discovery import exposure"},
        {"estimate/scan.py": "from ..intake.relations import Accounts"},
        {"estimate/scan.py": "from importlib import import_module\nimport_module('discovery.study')"},
        {"ranking/grading.py": "from discovery import Study"},
        {"ranking/grading.py": "import discovery"},
        {"attic.py": "x = 1"},
    ),
    renderers_computing: (
        {"plots.py": "from discovery.estimate import survival"},
        {"report/page.py": "from discovery.milestone import Milestone"},
    ),
    private_names_taken: (
        {"study.py": "from discovery.intake.reading import _guess"},
        {"study.py": "from discovery.intake._reading import guess"},
    ),
    sql_outside_its_rooms: (
        {"estimate/scan.py": "import duckdb"},
        {"export/sql.py": "def f():\n    from sqlglot import exp"},
    ),
    model_libraries_shared: (
        {
            "estimate/a.py": "import lifelines.statistics",
            "estimate/b.py": "from lifelines.statistics import logrank_test",
        },
        {"estimate/a.py": "from sklearn.svm import SVC", "ranking/b.py": "import sklearn.svm"},
    ),
    statistics_in_cli: ({"cli.py": "import numpy as np"}, {"cli.py": "def f():\n    import pandas"}),
    long_files: ({"study.py": "x = 1\n" * (MAX_LINES + 1)},),
    empty_names: ({"estimate/utils.py": ""}, {"engine_helper.py": ""}, {"intake/manager/core.py": ""}),
    banned_words: (
        {"study.py": "def f(x):\n    return f'{x} drives retention'"},
        {"study.py": "def f():\n    'This Causes that.'"},
        {"report/templates/page.html.j2": "<p>one\n<b>drives</b>"},
    ),
    heavy_imports_at_start: (
        {"__init__.py": "", "cli.py": "import numpy"},
        {"__init__.py": "", "cli.py": "from discovery import study", "study.py": "import jinja2"},
    ),
}
"""Every rule, with small trees that break it."""


def _name(value: object) -> str:
    return getattr(value, "__name__", "planted")


@pytest.mark.parametrize("rule", RULES, ids=_name)
def test_package_keeps_the_rule(rule: Rule) -> None:
    assert rule(PACKAGE) == []


@pytest.mark.parametrize(
    ("rule", "files"), [(rule, files) for rule, planted in RULES.items() for files in planted], ids=_name
)
def test_rule_notices_a_planted_offence(rule: Rule, files: dict[str, str], tmp_path: Path) -> None:
    offences = rule(plant(tmp_path, files))
    assert len(offences) == 1, offences


@pytest.mark.parametrize(
    "files",
    [
        {"exposure/a.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from discovery import intake"},
        {"study.py": "from discovery import __version__\nfrom discovery import report\nfrom .estimate import scan"},
        {"results.py": "from discovery.errors import Caution", "milestone.py": "from .errors import DiscoveryError"},
        {"report/page.py": "from discovery import plots\nfrom discovery.results import StudyResult"},
        {"estimate/a.py": "from discovery.estimate.b import _shared", "estimate/b.py": "import lifelines"},
        {"study.py": "# drives\nsaid = 'because, overdrives'"},
    ],
)
def test_rules_let_the_allowed_pass(files: dict[str, str], tmp_path: Path) -> None:
    tree = plant(tmp_path, files)
    assert [rule(tree) for rule in RULES if rule is not heavy_imports_at_start] == [[]] * (len(RULES) - 1)


def test_each_model_library_is_known_by_one_module() -> None:
    users = model_library_users(PACKAGE)
    assert {part.partition(".")[0] for part in users} == set(MODEL_LIBRARIES)
    assert not model_libraries_shared(PACKAGE)


def test_every_room_on_a_floor_exists() -> None:
    rooms = {_room(module) for module in modules(PACKAGE) if module}
    assert rooms == {room for floor in FLOORS for room in floor}


def plant(folder: Path, files: dict[str, str]) -> Path:
    """Write a small source tree and return it."""
    tree = folder / "discovery"
    for name, text in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tree
