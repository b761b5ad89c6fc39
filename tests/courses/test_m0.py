"""M0: a notebook and a quiz of no point, a visit that shows every step, a route for every person."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from nbclient import NotebookClient

from graders.engine.mark import MarkingLimits
from graders.engine.release import describe_notebook, release_notebook
from hub.portal.catalogue.coursefile import CourseFileError
from hub.portal.catalogue.quizfile import Quiz, load_quiz
from tests.courses.test_course_notebooks import RECORD, ROOT
from tests.graders.engine_fixtures import mark, real_forkd

__all__ = ["mark", "real_forkd"]

LIMITS = MarkingLimits(cell_s=10, run_s=60, grace_s=1.5, memory_bytes=512 << 20)
MODULES = [f"m{n}" for n in range(10)]
LEVELS = {"Pas à pas", "D’un langage à l’autre", "Droit aux exercices"}


def submit(source: bytes, answer: str) -> bytes:
    notebook = nbformat.reads(release_notebook(source).decode(), as_version=4)
    next(cell for cell in notebook.cells if cell.metadata["nbgrader"]["solution"]).source = answer
    return nbformat.writes(notebook).encode()


def test_notebook_gives_no_point_and_tells_nothing(course_folder: Path) -> None:
    source = (course_folder / "m0" / "exercices.ipynb").read_bytes()
    assert [(spec.exercise, spec.kind, spec.max_points) for spec in describe_notebook(source)] == [("0.1", "auto", 0)]
    released = release_notebook(source).decode()
    assert "HIDDEN" not in released and "BEGIN SOLUTION" not in released
    hints = json.loads((course_folder / "m0" / "data" / "indices.json").read_text(encoding="utf-8"))
    assert len(hints["0.1"]) == 3


@pytest.mark.parametrize(
    ("answer", "passed", "code"),
    [
        ("# Exercice 0.1\nma_reponse = 42", True, ""),
        ("# Exercice 0.1\nma_reponse = 41", False, ""),
        ("# Exercice 0.1\nma_reponse = 4,2", False, "E04"),
    ],
)
def test_engine_says_right_or_wrong_without_points(
    course_folder: Path, mark: Any, answer: str, passed: bool, code: str
) -> None:
    source = (course_folder / "m0" / "exercices.ipynb").read_bytes()
    result = mark(source, submit(source, answer), LIMITS)
    assert result.state == "marked", result.message
    assert [(cell.points, cell.passed, cell.code) for cell in result.cells] == [(0, passed, code)]


@pytest.mark.parametrize("name", ["lecon.ipynb", "exercices.ipynb"])
def test_notebooks_run_whole(course_folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(course_folder / "m0" / name, as_version=4)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    assert all(not cell.get("outputs") for cell in notebook.cells)
    if name == "lecon.ipynb":
        start = next(number for number, cell in enumerate(notebook.cells) if "lesson.start()" in cell.source)
        notebook.cells.insert(start + 1, nbformat.v4.new_code_cell(RECORD))
        visit = "[montrer_etape(n) for n in range(1, len(ETAPES) + 1)]"
        values = "[round(duree_chute(h), 2) for h in (2, 8, 20)]"
        notebook.cells.append(nbformat.v4.new_code_cell(f"print(json.dumps([recorded, {visit}, {values}]))"))
    resources = {"metadata": {"path": str(course_folder / "m0")}}
    NotebookClient(notebook, timeout=60, resources=resources).execute()
    if name == "lecon.ipynb":
        figures, steps, durations_s = json.loads(notebook.cells[-1].outputs[0].text)
        assert len(set(steps)) == len(steps) == 6
        assert figures and all(len(figure["alternative"]) > 60 for figure in figures)
        assert all("(" in axes["x"] and "(" in axes["y"] for figure in figures for axes in figure["axes"])
        table = next(cell.source for cell in notebook.cells if cell.id == "reperes-chute")
        assert [float(row.replace(",", ".")) for row in re.findall(r"\| ([\d,]+) \|$", table, re.M)] == durations_s


@pytest.fixture
def diagnostic(course_folder: Path) -> Quiz:
    return load_quiz(course_folder, "m0/qcm.yml", MODULES)


def test_diagnostic_is_six_questions_and_no_point(diagnostic: Quiz) -> None:
    assert (len(diagnostic.questions), diagnostic.points) == (6, 0)
    assert [question.id for question in diagnostic.questions if question.is_opinion] == ["experience", "discipline"]
    for question in diagnostic.questions:
        if not question.is_opinion:
            assert len(question.key) == 1 and question.choices[-1].text == "Je ne sais pas encore"
            assert all(choice.feedback for choice in question.choices)


def test_every_answer_leads_to_one_level_and_to_a_subject(diagnostic: Quiz) -> None:
    positions = [range(len(question.choices)) for question in diagnostic.questions]
    for ticked in itertools.product(*positions):
        answers = {question.id: [one] for question, one in zip(diagnostic.questions, ticked, strict=True)}
        routes = [route.title for route in diagnostic.find_routes(answers)]
        assert sum(title in LEVELS for title in routes) == 1, answers
        assert len(routes) == (3 if ticked[-1] == 2 else 2), answers


@pytest.mark.parametrize(
    ("answers", "titles"),
    [
        ({"experience": 0, "discipline": 1}, ["Pas à pas", "Côté physique-chimie"]),
        ({"experience": 3, "discipline": 0}, ["D’un langage à l’autre", "Côté mathématiques"]),
        ({"experience": 2, "affectation": 0, "boucle": 1, "liste": 1, "discipline": 3}, ["Droit aux exercices", "Une autre discipline"]),
    ],
)  # fmt: skip
def test_routes(diagnostic: Quiz, answers: dict[str, int], titles: list[str]) -> None:
    given = {question.id: [answers.get(question.id, len(question.choices) - 1)] for question in diagnostic.questions}
    assert [route.title for route in diagnostic.find_routes(given)] == titles


def test_routes_name_modules_of_the_course(course_folder: Path) -> None:
    known = {m["slug"] for m in yaml.safe_load((course_folder / "course.yml").read_text(encoding="utf-8"))["modules"]}
    load_quiz(course_folder, "m0/qcm.yml", known | {"m0"})
    with pytest.raises(CourseFileError, match="m8"):
        load_quiz(course_folder, "m0/qcm.yml", known - {"m8"})
