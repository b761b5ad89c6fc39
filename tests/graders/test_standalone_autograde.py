"""`pupitre autograde` on nbgrader's own course directories: same gradebook, same files, and nothing lost to one bad notebook."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook, SubmittedAssignment

from tests.graders.nbgrader_course import ASSIGNMENTS, GUIDE
from tests.graders.standalone_command import run


def autograde(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(folder, "autograde", *arguments, "--quiet")


def read_scores(folder: Path) -> dict[tuple[str, str, str, str], tuple[Any, ...]]:
    """(assignment, student, notebook, cell) → scores, whether a person must look, the comment."""
    found: dict[tuple[str, str, str, str], tuple[Any, ...]] = {}
    with Gradebook(f"sqlite:///{folder}/gradebook.db") as gradebook:
        for submission in gradebook.db.query(SubmittedAssignment):
            for notebook in submission.notebooks:
                key = (submission.assignment.name, submission.student.id, notebook.name)
                for grade in notebook.grades:
                    found[*key, grade.cell.name] = (grade.auto_score, grade.manual_score, grade.needs_manual_grade)
                for comment in notebook.comments:
                    found[*key, f"comment {comment.name}"] = (comment.auto_comment,)
    return found


def test_gradebook_equals_nbgraders(course: Path, fresh: Path) -> None:
    for assignment in ASSIGNMENTS:
        done = autograde(fresh, assignment)
        assert done.returncode == 0, done.stdout + done.stderr
    theirs, ours = read_scores(course), read_scores(fresh)
    differences = {key: (theirs[key], ours.get(key)) for key in theirs if ours.get(key) != theirs[key]}
    assert differences == {}
    assert len(theirs) == len(ours) > 100
    # What a notebook writes beside itself stays in its sandbox, and goes with it.
    written_by_notebooks = {"side-effect.txt"}
    for path in sorted((course / "autograded").rglob("*")):
        assert (fresh / path.relative_to(course)).exists() or path.name in written_by_notebooks, path


def test_outputs_are_those_of_nbgrader(course: Path, fresh: Path) -> None:
    """Same kinds of outputs with the same text, cell by cell; a traceback ends with the same line."""
    assert autograde(fresh, "ps1").returncode == 0
    compared = 0
    for path in sorted((course / "autograded").rglob("ps1/*.ipynb")):
        theirs = nbformat.read(path, 4).cells
        ours = nbformat.read(fresh / path.relative_to(course), 4).cells
        assert [c.source for c in ours] == [c.source for c in theirs]
        for their_cell, our_cell in zip(theirs, ours, strict=True):
            if their_cell.cell_type != "code":
                continue
            compared += 1
            assert [_essence(o) for o in our_cell.outputs] == [_essence(o) for o in their_cell.outputs], path
    assert compared == 33


def _essence(output: Any) -> tuple[str, str]:
    match output.output_type:
        case "stream":
            return (output.name, output.text)
        case "error":
            return ("error", f"{output.ename}: {output.evalue}")
        case _:
            return (output.output_type, ",".join(sorted(output.data)))


def test_one_poison_notebook_blocks_nobody(fresh: Path, tmp_path: Path) -> None:
    for name, content in {
        "casse": b'{"cells": [{"cell_type": "code", "sour',
        "vide": b"",
        "autre": json.dumps({"nbformat": 9, "cells": []}).encode(),
    }.items():
        folder = fresh / "submitted" / name / "ps1"
        folder.mkdir(parents=True)
        (folder / "problem1.ipynb").write_bytes(content)
    bomb = fresh / "submitted" / "bombe" / "ps1"
    shutil.copytree(GUIDE / "submitted" / "bitdiddle" / "ps1", bomb)
    notebook = nbformat.read(bomb / "problem1.ipynb", 4)
    notebook.cells.insert(1, nbformat.v4.new_code_cell("import os\nos._exit(0)"))
    nbformat.write(notebook, bomb / "problem1.ipynb")
    report = tmp_path / "bilan.json"
    done = autograde(fresh, "ps1", "--json", str(report))
    assert done.returncode == 1
    outcomes = {each["student"]: each for each in json.loads(report.read_text())}
    assert {name for name, each in outcomes.items() if each["state"] == "failed"} == {"casse", "vide", "autre"}
    assert all(outcomes[name]["message"] for name in ("casse", "vide", "autre"))
    assert outcomes["bombe"]["stops"] == {"problem1": "died"}
    scores = read_scores(fresh)
    assert scores["ps1", "bombe", "problem1", "correct_squares"][0] == 0, "what did not run earns nothing"
    assert outcomes["bitdiddle"]["state"] == "marked"
    assert not (fresh / "autograded" / "casse" / "ps1").exists()


def test_what_is_done_is_left_and_what_was_cut_short_is_done_again(fresh: Path) -> None:
    assert autograde(fresh, "ps1", "--student", "bitdiddle").returncode == 0
    marked = fresh / "autograded" / "bitdiddle" / "ps1"
    before = (marked / "problem1.ipynb").stat().st_mtime_ns
    again = autograde(fresh, "ps1", "--student", "bitdiddle")
    assert again.returncode == 0 and "laissés tels quels : 1" in again.stdout
    assert (marked / "problem1.ipynb").stat().st_mtime_ns == before
    (marked / "problem2.ipynb").unlink()  # as a run that was killed leaves it
    third = autograde(fresh, "ps1", "--student", "bitdiddle")
    assert third.returncode == 0 and "Corrigés : 1" in third.stdout
    assert (marked / "problem2.ipynb").exists()
    forced = autograde(fresh, "ps1", "--student", "bitdiddle", "--force")
    assert "Corrigés : 1" in forced.stdout


def test_settings_of_the_course_are_followed(fresh: Path) -> None:
    (fresh / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.submitted_directory = 'rendus'\nc.Execute.timeout = 1\n"
    )
    (fresh / "submitted").rename(fresh / "rendus")
    slow = fresh / "rendus" / "bitdiddle" / "ps1" / "problem1.ipynb"
    notebook = nbformat.read(slow, 4)
    notebook.cells.insert(1, nbformat.v4.new_code_cell("import time\ntime.sleep(30)"))
    nbformat.write(notebook, slow)
    done = autograde(fresh, "ps1", "--student", "bitdiddle")
    assert done.returncode == 0, done.stderr
    cell = nbformat.read(fresh / "autograded" / "bitdiddle" / "ps1" / "problem1.ipynb", 4).cells[1]
    assert cell.outputs[-1].ename == "CellTimeout"


def test_learners_code_touches_nothing_of_this_machine(fresh: Path, tmp_path: Path) -> None:
    target = tmp_path / "here"
    path = fresh / "submitted" / "bitdiddle" / "ps1" / "problem1.ipynb"
    notebook = nbformat.read(path, 4)
    code = f"try:\n    open({str(target)!r}, 'w')\nexcept OSError as error:\n    print(type(error).__name__)"
    notebook.cells.insert(1, nbformat.v4.new_code_cell(code))
    nbformat.write(notebook, path)
    assert autograde(fresh, "ps1", "--student", "bitdiddle").returncode == 0
    cell = nbformat.read(fresh / "autograded" / "bitdiddle" / "ps1" / "problem1.ipynb", 4).cells[1]
    assert cell.outputs[0].text.strip() in ("FileNotFoundError", "PermissionError", "OSError")
    assert not target.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["inconnu"], 3, "aucun devoir « inconnu »"),
        (["ps1", "--student", "personne"], 3, "aucun devoir"),
    ],
)
def test_a_command_that_cannot_work_says_why(fresh: Path, arguments: list[str], code: int, words: str) -> None:
    done = autograde(fresh, *arguments)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr


def test_an_assignment_that_was_not_prepared_is_named(fresh: Path) -> None:
    shutil.copytree(fresh / "submitted" / "bitdiddle" / "ps1", fresh / "submitted" / "bitdiddle" / "ps9")
    done = autograde(fresh, "ps9")
    assert done.returncode == 2 and "pupitre release ps9" in done.stderr
