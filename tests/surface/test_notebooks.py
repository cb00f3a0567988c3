"""Every notebook runs from top to bottom on the public API."""

import ast
from pathlib import Path

import pytest

from discovery import simulate_world

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, monkeypatch):
    monkeypatch.delenv("DISCOVERY_LOG", raising=False)
    notebook = nbformat.read(path, as_version=4)
    assert any("text/html" in output.get("data", {}) for output in outputs_of(notebook))


def test_the_second_half_of_is_it_real_reads_the_log_it_is_given(tmp_path, monkeypatch):
    folder = simulate_world("inertia_null", accounts=700, seed=3).write(tmp_path / "log")
    asked = '[outcome]\nkind = "active"\nactive_days = [29, 60]\npassive = ["sync_failed"]\n'
    (folder / "discover.toml").write_text(asked)
    monkeypatch.setenv("DISCOVERY_LOG", str(folder))
    notebook = nbformat.read(next(path for path in NOTEBOOKS if path.stem == "02_is_it_real"), as_version=4)
    imports = next(cell for cell in notebook.cells if cell.cell_type == "code")
    half = next(place for place, cell in enumerate(notebook.cells) if cell.source.startswith("## 2."))
    notebook.cells = [imports, *notebook.cells[half:]]
    said = "".join(output.get("text", "") for output in outputs_of(notebook))
    assert "Your log, in which an account that stayed was active between day 29 and day 60" in said


def outputs_of(notebook):
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_uses_only_the_public_names(path):
    notebook = nbformat.read(path, as_version=4)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom):
            assert node.module == "discovery"
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_")


def test_there_are_notebooks_and_they_carry_no_outputs():
    assert NOTEBOOKS
    for path in NOTEBOOKS:
        cells = nbformat.read(path, as_version=4).cells
        assert all(not cell.outputs for cell in cells if cell.cell_type == "code")
