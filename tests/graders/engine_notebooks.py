"""Small source notebooks for the engine's tests, and submissions made from their learner's copy."""

from __future__ import annotations

import json
from collections.abc import Mapping

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from graders.engine.release import release_notebook


def answer(grade_id: str, source: str):
    meta = {"grade": False, "solution": True, "locked": False, "task": False, "grade_id": grade_id, "schema_version": 3}
    return new_code_cell(source=source, metadata={"nbgrader": meta})


def check(grade_id: str, source: str, points: float = 1):
    meta = {"grade": True, "solution": False, "locked": True, "task": False, "points": points, "grade_id": grade_id}
    return new_code_cell(source=source, metadata={"nbgrader": {**meta, "schema_version": 3}})


def manual(grade_id: str, source: str, points: float = 2, kind=new_markdown_cell):
    meta = {"grade": True, "solution": True, "locked": False, "task": False, "points": points, "grade_id": grade_id}
    return kind(source=source, metadata={"nbgrader": {**meta, "schema_version": 3}})


def locked(grade_id: str, source: str):
    meta = {"grade": False, "solution": False, "locked": True, "task": False, "grade_id": grade_id, "schema_version": 3}
    return new_code_cell(source=source, metadata={"nbgrader": meta})


def notebook(*cells) -> bytes:
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.writes(new_notebook(cells=list(cells), metadata={"kernelspec": spec})).encode()


SOLUTION_11 = "### BEGIN SOLUTION\nvolume = 0.34\n### END SOLUTION"
SOLUTION_12 = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
COURSE = notebook(
    new_markdown_cell(source="# Module 1"),
    locked("setup", "import math\nAIR = 1.2"),
    answer("ex-1-1", f"# Exercice 1.1\n{SOLUTION_11}"),
    check("ex-1-1-test", "assert volume == 0.34, 'Relisez l’unité.'", 1),
    answer("ex-1-2", f"# Exercice 1.2\n{SOLUTION_12}"),
    check(
        "ex-1-2-test",
        "assert double(2) == 4\n### BEGIN HIDDEN TESTS\nassert double(21) == 42, 'secret 42'\n### END HIDDEN TESTS",
        2,
    ),
    manual("ex-9-1", "=== BEGIN MARK SCHEME ===\nbarème\n=== END MARK SCHEME ===\n", 3),
)
RIGHT = {"ex-1-1": "# Exercice 1.1\nvolume = 0.34", "ex-1-2": "# Exercice 1.2\ndef double(x):\n    return 2 * x"}


def submission(source: bytes = COURSE, answers: Mapping[str, str] = RIGHT) -> bytes:
    """The learner's copy with these answers typed in."""
    copy = nbformat.reads(release_notebook(source).decode(), as_version=4)
    for cell in copy.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id in answers:
            cell.source = answers[grade_id]
    return nbformat.writes(copy).encode()


def edit(content: bytes, change) -> bytes:
    """`content` after `change(cells)`, as JSON: nothing is validated on the way."""
    data = json.loads(content)
    data["cells"] = change(data["cells"]) or data["cells"]
    return json.dumps(data).encode()
