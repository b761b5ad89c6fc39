"""Source notebook → learner's copy, with nbgrader's own preprocessors in nbgrader's order.

Two copies come out of one source. The *model* still holds hidden tests: it is what test cells are restored from when a
submission is marked, and its checksums tell an untouched answer (nbgrader's gradebook keeps exactly these cells). The
*release* is what learners get. Order of the preprocessors. Source: nbgrader 0.9.6, `converters/generate_assignment.py`.
"""

from __future__ import annotations

import copy
import re

from nbgrader.nbgraderformat import MetadataValidator, SchemaTooNewError, ValidationError
from nbgrader.preprocessors import (
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
    NbGraderPreprocessor,
)
from nbgrader.utils import is_grade, is_locked, is_solution, is_task

from graders.engine.notebook import Cell, Notebook, NotebookRefused, get_nbgrader, read_notebook, write_notebook
from graders.engine.result import CellSpec
from graders.errors import ReleaseError

CODE_STUB = "# VOTRE CODE ICI\nraise NotImplementedError()"
TEXT_STUB = "VOTRE RÉPONSE ICI"
# What nbgrader writes there when it generates the learner's copy itself.
NBGRADER_STUBS = {"# YOUR CODE HERE": "# VOTRE CODE ICI", "YOUR ANSWER HERE": TEXT_STUB}
SOURCE_BYTES_MAX = 50_000_000
EXERCISE = re.compile(r"^ex-([A-Z]?\d+)-(\d+)")
# nbgrader's sentences are for developers; ours name what to do. Matched by their beginning, letter case ignored.
CAUSES = (
    ("encountered nested begin solution", "un « BEGIN SOLUTION » se trouve dans un autre : fermez le premier."),
    ("no end solution", "il manque « ### END SOLUTION »."),
    (
        "solution region detected",
        "un « BEGIN SOLUTION » se trouve hors d’une cellule de réponse : changez le type de la cellule.",
    ),
    ("encountered nested begin hidden", "un « BEGIN HIDDEN TESTS » se trouve dans un autre : fermez le premier."),
    ("no end hidden tests", "il manque « ### END HIDDEN TESTS »."),
    (
        "hidden test region detected",
        "des tests cachés se trouvent hors d’une cellule de test : changez le type de la cellule.",
    ),
    ("encountered nested begin mark", "un « BEGIN MARK SCHEME » se trouve dans un autre : fermez le premier."),
    ("no end mark scheme", "il manque « === END MARK SCHEME === »."),
    ("mark scheme region detected", "un barème se trouve hors d’une cellule notée : changez le type de la cellule."),
    ("markdown grade cell", "une cellule de texte notée doit être une réponse à corriger à la main."),
    ("markdown solution cell", "une cellule de réponse en texte doit être notée à la main."),
    ("task cells have to be markdown", "une tâche à noter doit être une cellule de texte."),
)


def release_notebook(source: bytes) -> bytes:
    """The learner's copy of a source notebook: no solution, no hidden test, no output.

    Raises
    ------
    ReleaseError
        The source cannot be released; the message names the cell.
    """
    notebook = make_model(read_source(source))
    _apply(notebook, [ClearHiddenTests(), ClearMarkScheme(), ComputeChecksums()])
    _check_metadata(notebook)
    return write_notebook(notebook)


def describe_notebook(source: bytes) -> list[CellSpec]:
    """What the notebook will be marked on, in order.

    Raises
    ------
    ReleaseError
        The source cannot be released; the message names the cell.
    """
    return [make_spec(cell) for cell in make_model(read_source(source)).cells if is_graded(cell)]


def read_source(source: bytes) -> Notebook:
    """Read an author's notebook.

    Raises
    ------
    ReleaseError
        It is no notebook, or not in Python.
    """
    try:
        notebook = read_notebook(source, SOURCE_BYTES_MAX)
    except NotebookRefused as error:
        raise ReleaseError(error.code, error.message) from error
    language = get_language(notebook)
    if language != "python":
        raise ReleaseError(
            "language", f"Ce carnet est en « {language} » : seuls les carnets Python peuvent être publiés."
        )
    return notebook


def get_language(notebook: Notebook) -> str:
    """The kernel's language; Python when the notebook does not say."""
    spec = notebook.metadata.get("kernelspec")
    info = notebook.metadata.get("language_info")
    for found in (
        spec.get("language") if isinstance(spec, dict) else "",
        info.get("name") if isinstance(info, dict) else "",
    ):
        if isinstance(found, str) and found:
            return found.lower()
    return "python"


def make_model(source: Notebook) -> Notebook:
    """The notebook that a submission is compared with: solutions replaced by stubs, hidden tests kept, checksums set.

    Raises
    ------
    ReleaseError
        The source cannot be released; the message names the cell.
    """
    model = copy.deepcopy(source)
    _refuse_autotests(model)
    stubs = {"python": CODE_STUB}
    _apply(model, [LockCells(), ClearSolutions(code_stub=stubs, text_stub=TEXT_STUB), ClearOutput()])
    _check_metadata(model)
    _apply(model, [ComputeChecksums()])
    model.metadata.pop("celltoolbar", None)
    return model


def is_graded(cell: Cell) -> bool:
    return bool(get_nbgrader(cell)) and (is_grade(cell) or is_task(cell))


def is_managed(cell: Cell) -> bool:
    """nbgrader knows the cell: graded, answer, locked or task."""
    return bool(get_nbgrader(cell)) and (is_grade(cell) or is_solution(cell) or is_locked(cell) or is_task(cell))


def is_test(cell: Cell) -> bool:
    """A cell that marks by running."""
    return bool(get_nbgrader(cell)) and is_grade(cell) and not is_solution(cell) and cell.cell_type == "code"


def make_spec(cell: Cell) -> CellSpec:
    meta = get_nbgrader(cell)
    return CellSpec(
        grade_id=meta["grade_id"],
        kind="auto" if is_test(cell) else "manual",
        exercise=get_exercise(meta["grade_id"]),
        max_points=float(meta.get("points", 0)),
    )


def get_exercise(grade_id: str) -> str:
    """`1.2` for `ex-1-2-test`; otherwise the grade_id."""
    found = EXERCISE.match(grade_id)
    return f"{found[1]}.{found[2]}" if found else grade_id


def find_hidden_lines(source: str) -> range:
    """Line numbers, from 1, from the first hidden marker to the last; empty when nothing is hidden."""
    markers = [
        n for n, line in enumerate(source.split("\n"), 1) if "BEGIN HIDDEN TESTS" in line or "END HIDDEN TESTS" in line
    ]
    return range(markers[0], markers[-1] + 1) if markers else range(0)


def _apply(notebook: Notebook, preprocessors: list[NbGraderPreprocessor]) -> None:
    """Run nbgrader's preprocessors cell by cell, so that an error can name its cell."""
    resources = {"language": "python"}
    for preprocessor in preprocessors:
        for index, cell in enumerate(notebook.cells):
            try:
                notebook.cells[index], _ = preprocessor.preprocess_cell(cell, resources, index)
            except (RuntimeError, ValueError, KeyError, TypeError) as error:
                raise _release_error(index, cell, str(error)) from error


def _check_metadata(notebook: Notebook) -> None:
    seen: set[str] = set()
    validator = MetadataValidator()
    for index, cell in enumerate(notebook.cells):
        try:
            validator.validate_cell(cell)
        except (ValidationError, SchemaTooNewError, KeyError, TypeError) as error:
            raise _release_error(index, cell, getattr(error, "message", "") or str(error)) from error
        if not is_managed(cell):
            continue
        grade_id = get_nbgrader(cell)["grade_id"]
        if grade_id in seen:
            raise ReleaseError(
                "duplicate-cell", f"Deux cellules portent l’identifiant « {grade_id} » : renommez l’une d’elles."
            )
        seen.add(grade_id)


def _refuse_autotests(notebook: Notebook) -> None:
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and re.search(r"^\s*#+\s*(HASHED )?AUTOTEST\b", cell.source, re.MULTILINE):
            message = f"Cellule {index + 1} : les tests « AUTOTEST » ne sont pas pris en charge ; écrivez les tests avec `assert`."
            raise ReleaseError("autotest", message)


def _release_error(index: int, cell: Cell, cause: str) -> ReleaseError:
    grade_id = get_nbgrader(cell).get("grade_id") or ""
    name = f"Cellule {index + 1} (« {grade_id} »)" if grade_id else f"Cellule {index + 1}"
    lowered = cause.lower()
    sentence = next((text for start, text in CAUSES if lowered.startswith(start)), "")
    return ReleaseError(
        "bad-cell", f"{name} : {sentence or f'les réglages nbgrader de la cellule sont incorrects ({cause[:200]}).'}"
    )
