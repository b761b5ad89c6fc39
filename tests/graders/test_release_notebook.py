"""Release of a source notebook: what learners get, what it is marked on, and errors that name the cell."""

from __future__ import annotations

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from graders.engine.release import describe_notebook, find_hidden_lines, get_exercise, release_notebook
from graders.engine.result import CellSpec
from graders.errors import ReleaseError
from tests.graders.engine_notebooks import COURSE, answer, check, edit, locked, manual, notebook


def sources(content: bytes) -> dict[str, str]:
    cells = nbformat.reads(content.decode(), as_version=4).cells
    return {c.metadata.nbgrader.grade_id: c.source for c in cells if "nbgrader" in c.metadata}


def test_the_learners_copy_holds_no_solution_no_hidden_test_no_mark_scheme_no_output() -> None:
    released = release_notebook(COURSE)
    found = sources(released)
    assert found["ex-1-1"] == "# Exercice 1.1\n# VOTRE CODE ICI\nraise NotImplementedError()"
    assert found["ex-1-2"] == "# Exercice 1.2\ndef double(x):\n    # VOTRE CODE ICI\n    raise NotImplementedError()"
    assert found["ex-1-2-test"] == "assert double(2) == 4"
    assert found["ex-9-1"] == "VOTRE RÉPONSE ICI"
    for secret in (b"0.34\n", b"return 2 * x", b"secret", b"HIDDEN", b"SOLUTION", "barème".encode()):
        assert secret not in released
    nbformat.validate(json.loads(released))


def test_tests_and_locked_cells_cannot_be_edited_in_jupyter() -> None:
    cells = nbformat.reads(release_notebook(COURSE).decode(), as_version=4).cells
    for cell in cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") in ("setup", "ex-1-1-test"):
            assert (cell.metadata.editable, cell.metadata.deletable) == (False, False)


def test_it_is_described_in_order() -> None:
    assert describe_notebook(COURSE) == [
        CellSpec("ex-1-1-test", "auto", "1.1", 1),
        CellSpec("ex-1-2-test", "auto", "1.2", 2),
        CellSpec("ex-9-1", "manual", "9.1", 3),
    ]


def test_the_same_source_always_gives_the_same_bytes() -> None:
    def lose_ids(cells):
        for cell in cells:
            del cell["id"]

    for source in (COURSE, edit(COURSE, lose_ids)):
        assert release_notebook(source) == release_notebook(source)


def test_old_nbgrader_metadata_is_upgraded() -> None:
    def age(cells):
        for cell in cells:
            meta = cell["metadata"].get("nbgrader")
            if meta:
                meta["schema_version"] = 1
                meta.pop("task", None)

    assert sources(release_notebook(edit(COURSE, age))) == sources(release_notebook(COURSE))


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        (b"{", "not-a-notebook", "carnet Jupyter lisible"),
        (
            notebook(answer("ex-1-1", "### BEGIN SOLUTION\nx = 1")),
            "bad-cell",
            "Cellule 1 (« ex-1-1 ») : il manque « ### END SOLUTION ».",
        ),
        (
            notebook(answer("ex-1-1", "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION")),
            "bad-cell",
            "un « BEGIN SOLUTION » se trouve dans un autre",
        ),
        (
            notebook(new_code_cell(source="### BEGIN SOLUTION\nx\n### END SOLUTION")),
            "bad-cell",
            "Cellule 1 : un « BEGIN SOLUTION » se trouve hors",
        ),
        (notebook(check("ex-1-1-test", "### BEGIN HIDDEN TESTS\nx")), "bad-cell", "END HIDDEN TESTS"),
        (notebook(locked("a", "### BEGIN HIDDEN TESTS\nx\n### END HIDDEN TESTS")), "bad-cell", "tests cachés"),
        (notebook(check("a", "1"), check("a", "2")), "duplicate-cell", "Deux cellules portent l’identifiant « a »"),
        (notebook(check("a", "### AUTOTEST x")), "autotest", "AUTOTEST"),
        (notebook(check("", "1")), "bad-cell", "Cellule 1"),
        (notebook(manual("m", "x"), new_markdown_cell(source="=== BEGIN MARK SCHEME ===\nx")), "bad-cell", "Cellule 2"),
    ],
)
def test_an_error_names_the_cell_and_says_what_to_do(source: bytes, code: str, words: str) -> None:
    with pytest.raises(ReleaseError) as caught:
        release_notebook(source)
    assert caught.value.code == code
    assert words in caught.value.message


def test_another_language_is_refused() -> None:
    data = json.loads(COURSE)
    data["metadata"]["kernelspec"] = {"name": "ir", "language": "R", "display_name": "R"}
    with pytest.raises(ReleaseError, match="« r »"):
        release_notebook(json.dumps(data).encode())


def test_hidden_lines_go_from_the_first_marker_to_the_last() -> None:
    assert find_hidden_lines("a\n### BEGIN HIDDEN TESTS\nb\n### END HIDDEN TESTS\nc") == range(2, 5)
    assert find_hidden_lines("a") == range(0)


def test_the_exercise_is_read_from_the_grade_id() -> None:
    assert [get_exercise(name) for name in ("ex-1-12-test", "ex-B2-1", "squares")] == ["1.12", "B2.1", "squares"]
