"""Lessons and exercises away from the platform: each notebook runs whole in a process where `pupitre` cannot be imported."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

COURSE = Path(__file__).resolve().parents[2] / "courses" / "python-maths-physique"
NOTEBOOKS = sorted(path.relative_to(COURSE).as_posix() for path in COURSE.glob("*/*.ipynb"))
ALLOWED = {"math", "random", "numpy", "matplotlib", "ipywidgets", "pupitre"}
FALLBACK_ONLY = {"sys", "unittest"}

RUN = """
import json, sys
sys.modules["pupitre"] = None  # importing it raises ModuleNotFoundError
import matplotlib
matplotlib.use("agg")
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.history_manager.enabled = False
for name, source in json.load(sys.stdin):
    outcome = shell.run_cell(source)
    if not outcome.success:
        sys.exit(f"cell {name}: {outcome.error_in_exec or outcome.error_before_exec!r}")
"""


def code_cells(name: str) -> list[tuple[str, str]]:
    notebook = nbformat.read(COURSE / name, as_version=4)
    return [(cell.id, cell.source) for cell in notebook.cells if cell.cell_type == "code"]


def test_the_course_has_notebooks() -> None:
    assert len(NOTEBOOKS) >= 6


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_runs_whole_without_pupitre_and_says_what_is_missing(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps(code_cells(name)),
        cwd=(COURSE / name).parent,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "IPYTHONDIR": str(tmp_path / "ipython")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
    if any("pupitre" in source for _name, source in code_cells(name)):
        assert "La bibliothèque «\u00a0pupitre\u00a0» n’est pas installée ici" in done.stdout


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_imports_only_what_is_found_everywhere(name: str) -> None:
    for cell, source in code_cells(name):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                modules = {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                modules = {str(node.module).split(".")[0]}
            else:
                continue
            assert modules <= ALLOWED | (FALLBACK_ONLY if cell == "sans-pupitre" else set()), (cell, modules)
