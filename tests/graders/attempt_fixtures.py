"""Notebooks and released assignments for the tests of attempts, the queue and reviews."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest


def _cell(kind: str, source: str, **nbgrader: Any) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "cell_type": kind,
        "id": f"c{abs(hash((kind, source))) % 10**8}",
        "metadata": {},
        "source": source,
    }
    if kind == "code":
        cell |= {"outputs": [], "execution_count": None}
    if nbgrader:
        cell["metadata"]["nbgrader"] = {"schema_version": 3, "locked": False, "task": False, **nbgrader}
    return cell


def _notebook(*cells: dict[str, Any]) -> bytes:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": list(cells)}
    ).encode()


def _source(module: int) -> bytes:
    """Exercise <module>.1 marked by tests (2 points), exercise <module>.2 by a grader (2 points)."""
    return _notebook(
        _cell("markdown", "# Exercices"),
        _cell(
            "code",
            f"# Exercice {module}.1\ndef reponse():\n    ### BEGIN SOLUTION\n    return 42\n    ### END SOLUTION",
            grade=False,
            solution=True,
            grade_id=f"ex-{module}-1",
        ),
        _cell(
            "code",
            "assert reponse() == 42",
            grade=True,
            solution=False,
            locked=True,
            points=2,
            grade_id=f"ex-{module}-1-test",
        ),
        _cell("markdown", "Expliquez.", grade=True, solution=True, points=2, grade_id=f"ex-{module}-2"),
    )


@pytest.fixture
def source() -> bytes:
    return _source(1)


@pytest.fixture
def other_source() -> bytes:
    """Another module's assignment, whose notebook has the same file name."""
    return _source(2)


@pytest.fixture
def answer(source: bytes) -> Callable[..., bytes]:
    """answer(code="return 42", text="Parce que.", source=…): a learner's notebook."""

    def make(code: str = "return 42", text: str = "Parce que.", of: bytes = source) -> bytes:
        from graders.engine.release import release_notebook

        notebook = json.loads(release_notebook(of))
        for cell in notebook["cells"]:
            nbgrader = cell["metadata"].get("nbgrader", {})
            if nbgrader.get("solution"):
                cell["source"] = text if nbgrader["grade"] else f"# Exercice 1.1\ndef reponse():\n    {code}"
        return json.dumps(notebook).encode()

    return make


@pytest.fixture
def released(essai: Any, source: bytes) -> Any:
    """The assignment `m1` of the session `essai`."""
    from graders.assignments import publish
    from graders.engine.release import release_notebook

    return publish(
        session="essai",
        name="m1",
        version="1",
        title="Premier module",
        release={"exercices.ipynb": release_notebook(source), "data/mesures.csv": b"t;x\n"},
        source={"exercices.ipynb": source, "data/mesures.csv": b"t;x\n"},
    )


@pytest.fixture
def submit(released: Any, answer: Callable[..., bytes]) -> Callable[..., Any]:
    """submit(alice, code=…, text=…): an attempt, waiting."""

    def send(learner: Any, *, client_id: Any = None, **answers: str) -> Any:
        from graders.attempts import receive

        return receive(
            learner=learner,
            session="essai",
            assignment="m1",
            client_id=client_id or uuid4(),
            files={"exercices.ipynb": answer(**answers)},
        )

    return send


@pytest.fixture
def quick_engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Marks without a sandbox, by reading the text: `return 42` earns everything. The list tells each run's label."""
    from graders.engine.notebook import get_nbgrader, read_notebook, write_notebook
    from graders.engine.release import describe_notebook
    from graders.engine.result import CellMark, Result

    runs: list[str] = []

    def mark(source: bytes, submitted: bytes, limits: Any, forkd: Any, files: Any = None) -> Result:
        notebook = read_notebook(submitted, 10_000_000)
        runs.append(str(len(runs) + 1))
        right = any("return 42" in cell.source for cell in notebook.cells)
        present = {get_nbgrader(cell).get("grade_id") for cell in notebook.cells}
        cells = []
        for spec in describe_notebook(source):
            assert spec.grade_id in present
            points = None if spec.kind == "manual" else (spec.max_points if right else 0.0)
            cells.append(
                CellMark(
                    spec.grade_id,
                    spec.exercise,
                    spec.kind,
                    points,
                    spec.max_points,
                    right,
                    "" if right else "Revoyez ce calcul.",
                )
            )
        return Result("marked", cells=cells, notebook=write_notebook(notebook), duration_s=0.01)

    monkeypatch.setattr("graders.marking.mark_submission", mark)
    yield runs


@pytest.fixture
def run_marking(quick_engine: list[str]) -> Callable[[Any], Any]:
    """run_marking(attempt): its task, run here; returns the attempt as stored."""

    def run(attempt: Any) -> Any:
        from graders.models import Attempt
        from graders.tasks import mark_attempt

        mark_attempt.call(attempt.pk)
        return Attempt.objects.prefetch_related("cells").get(pk=attempt.pk)

    return run
