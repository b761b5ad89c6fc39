"""The course's notebooks: they run whole from the start, solutions earn full marks, released copies earn nothing and tell nothing."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from nbclient import NotebookClient

from graders.engine.release import describe_notebook, release_notebook
from tests.courses.conftest import BONUS, EXERCISES, POINTS, prefix_of

ROOT = Path(__file__).resolve().parents[2]
MODULES = list(POINTS)
MARKED = POINTS | BONUS
LESSONS = [*MODULES, "m9", *BONUS]
RECORD = """
import json
recorded = []
_render_figure = lesson.render_figure
def _record(figure, alternative):
    axes = [{"x": a.get_xlabel(), "y": a.get_ylabel(), "title": a.get_title()} for a in figure.axes]
    recorded.append({"axes": axes, "suptitle": figure._suptitle.get_text() if figure._suptitle else "", "alternative": alternative})
    return _render_figure(figure, alternative)
lesson.render_figure = _record
"""


def load_notebook(course_folder: Path, module: str, name: str) -> Any:
    return nbformat.read(course_folder / module / name, as_version=4)


def run_notebook(notebook: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> float:
    """Run all the cells in a new kernel that imports the `pupitre` of this tree; the seconds it took."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    started = time.monotonic()
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(folder)}}).execute()
    return time.monotonic() - started


def code_metas(notebook: Any) -> list[tuple[Any, Any]]:
    return [(cell, cell.metadata.get("nbgrader", {})) for cell in notebook.cells]


@pytest.mark.parametrize("module", MARKED)
def test_exercises_run_whole_with_their_solutions(
    course_folder: Path, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = load_notebook(course_folder, module, "exercices.ipynb")
    duration_s = run_notebook(notebook, course_folder / module, monkeypatch)
    assert duration_s < 20
    graded = [cell for cell, meta in code_metas(notebook) if meta.get("grade")]
    said = ["".join(output.get("text", "") for output in cell.outputs) for cell in graded]
    assert all(text.startswith("Test réussi") for text in said), said  # each test cell ran to its end: full marks


@pytest.mark.parametrize("module", MARKED)
def test_released_copy_tells_nothing_and_earns_nothing(course_folder: Path, exercise_bench: Any, module: str) -> None:
    source = (course_folder / module / "exercices.ipynb").read_bytes()
    released = release_notebook(source)
    text = released.decode()
    for trace in ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN", "hidden="):
        assert trace not in text
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    original = {
        cell.metadata["nbgrader"]["grade_id"]: cell.source
        for cell in nbformat.reads(source.decode(), as_version=4).cells
    }
    answers = [cell for cell, meta in code_metas(notebook) if meta.get("solution")]
    assert len(answers) == (EXERCISES | BONUS)[module]
    for cell in answers:
        exercise = re.match(r"# Exercice (B?\d\.\d)\n", cell.source)
        assert exercise is not None, cell.source
        solution = (
            original[cell.metadata["nbgrader"]["grade_id"]].split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0]
        )
        assert all(line not in cell.source for line in solution.strip().splitlines() if len(line.strip()) > 3)
        verdict = exercise_bench(exercise[1]).try_answer(cell.source)
        assert (verdict.passed, verdict.code) == (False, "E00"), verdict


@pytest.mark.parametrize("module", MARKED)
def test_cells_are_named_and_points_add_up(course_folder: Path, module: str) -> None:
    for name in ("lecon.ipynb", "exercices.ipynb"):
        notebook = load_notebook(course_folder, module, name)
        nbformat.validate(notebook)
        assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
        assert notebook.metadata.kernelspec.name == "python3"
        ids = [cell.id for cell in notebook.cells]
        assert len(set(ids)) == len(ids)
        assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in notebook.cells)
        sources = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
        assert not re.search(r"\binput\(|urllib|requests|https?://", sources)
    specs = describe_notebook((course_folder / module / "exercices.ipynb").read_bytes())
    assert sum(spec.max_points for spec in specs) == MARKED[module]
    assert {spec.kind for spec in specs} == {"auto"}
    assert [spec.exercise for spec in specs] == [f"{prefix_of(module)}.{n}" for n in range(1, len(specs) + 1)]


@pytest.mark.parametrize("module", LESSONS)
def test_lesson_runs_whole_and_its_figures_can_be_read(
    course_folder: Path, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = load_notebook(course_folder, module, "lecon.ipynb")
    start = next(number for number, cell in enumerate(notebook.cells) if "lesson.start()" in cell.source)
    notebook.cells.insert(start + 1, nbformat.v4.new_code_cell(RECORD))
    notebook.cells.append(nbformat.v4.new_code_cell("print(json.dumps(recorded))"))
    assert run_notebook(notebook, course_folder / module, monkeypatch) < 20
    figures = json.loads(notebook.cells[-1].outputs[0].text)
    assert figures
    for figure in figures:
        assert len(figure["alternative"]) > 60
        assert not re.search(r"\d\.\d", figure["alternative"]), "decimal comma in prose"
        for axes in figure["axes"]:
            assert axes["title"] or figure["suptitle"]
            assert axes["x"] and axes["y"]
        assert any("(" in axes["x"] or "(" in axes["y"] for axes in figure["axes"])  # a unit
    assert all(output.output_type != "error" for cell in notebook.cells for output in cell.get("outputs", []))


VALUES = {
    "m1": (
        "[energie_cinetique(1200, 90), energie_cinetique(1200, 45), hauteur_equivalente(90)]",
        [375_000, 93_750, 31.855],
    ),
    "m2": ("[resistance(220, 470, 'parallèle'), resistance(220, 470, 'série')]", [149.855, 690]),
    "m3": ("[len(derouler(q)) - 1 for q in (0.3, 0.5, 0.6, 0.8)]", [2, 4, 5, 11]),
    "m9": ("[lignes_a_ecrire(degre) for degre in (1, 2, 3, 4)]", [0, 0, 2, 5]),
}


@pytest.mark.parametrize("module", VALUES)
def test_simulation_gives_the_reference_values(
    course_folder: Path, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expression, expected = VALUES[module]
    notebook = load_notebook(course_folder, module, "lecon.ipynb")
    kept = [cell for cell in notebook.cells if cell.id == "preparation" or cell.id.startswith("simulation-")]
    notebook.cells = [*kept, nbformat.v4.new_code_cell(f"import json; print(json.dumps({expression}))")]
    run_notebook(notebook, course_folder / module, monkeypatch)
    assert json.loads(notebook.cells[-1].outputs[-1].text) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("module", LESSONS)
def test_lesson_follows_the_common_pattern(course_folder: Path, module: str) -> None:
    notebook = load_notebook(course_folder, module, "lecon.ipynb")
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    headings = re.findall(r"^## \d\. (\S+)", prose, re.M)
    for heading in (
        "Échauffement",
        "Pourquoi",
        "Prévoir",
        "Exemple",
        "Simulation",
        "À",
        "Mini-débogage",
        "Bilan",
        "En",
    ):
        assert heading in headings, heading
    assert [int(n) for n in re.findall(r"^## (\d)\.", prose, re.M)] == list(range(1, 10))
    for call in ("lesson.question(", "lesson.predict(", "lesson.simulation(", "lesson.debug("):
        assert call in code
    assert "lesson.example(" in code or "lesson.plot(" in code
    words = re.sub(r"`[^`]*`|<[^>]*>", "", prose)
    numbers = set(re.findall(r"\d+\.\d+", words))
    assert numbers <= {f"{module[1]}.{n}" for n in range(1, 7)}, "decimal comma in prose; only exercises have a point"
    assert not re.search(r" [:;?!»]|« (?=\S)", re.sub(r"^\|.*$", "", words, flags=re.M)), "a no-break space is missing"


def test_hints_exist_for_every_exercise(course_folder: Path) -> None:
    for module in MARKED:
        hints = json.loads((course_folder / module / "data" / "indices.json").read_text(encoding="utf-8"))
        specs = describe_notebook((course_folder / module / "exercices.ipynb").read_bytes())
        assert set(hints) == {spec.exercise for spec in specs}
        assert all(len(texts) == 3 and all(len(text) > 30 for text in texts) for texts in hints.values())


@pytest.mark.parametrize("module", MODULES)
def test_quiz_has_five_questions_each_with_one_right_choice_and_feedback(course_folder: Path, module: str) -> None:
    quiz = yaml.safe_load((course_folder / module / "qcm.yml").read_text(encoding="utf-8"))
    assert len(quiz["questions"]) == 5
    positions = set()
    for question in quiz["questions"]:
        right = [number for number, choice in enumerate(question["choices"]) if choice["correct"]]
        assert len(right) == 1 and len(question["choices"]) >= 3
        positions.add(right[0])
        assert all(len(choice["feedback"]) > 15 for choice in question["choices"])
    # A distractor about Python has the code of its misconception; one about physics has none.
    assert any(choice.get("code") for question in quiz["questions"] for choice in question["choices"])
    assert len(positions) > 1  # the right choice is not always at the same place


def test_manual_module_of_the_trial_course() -> None:
    source = (ROOT / "tests" / "data" / "courses" / "essai" / "m9" / "exercices.ipynb").read_bytes()
    assert [(spec.grade_id, spec.kind, spec.max_points) for spec in describe_notebook(source)] == [
        ("ex-9-1", "manual", 8)
    ]
    assert "Capacité" not in release_notebook(source).decode()
