"""`pupitre release` and `pupitre feedback` on nbgrader's sample course."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nbformat

from tests.graders.nbgrader_course import FILES
from tests.graders.standalone_command import run


def test_feedback_shows_marks_and_nothing_hidden(fresh: Path) -> None:
    for assignment in ("other", "ps1"):
        assert run(fresh, "autograde", assignment, "--quiet").returncode == 0
    done = run(fresh, "feedback", "other")
    assert done.returncode == 0, done.stderr
    page = (fresh / "feedback" / "released" / "other" / "test-hidden-tests.html").read_text()
    hidden = _hidden_lines(FILES / "test-hidden-tests.ipynb")
    ran = (fresh / "autograded" / "released" / "other" / "test-hidden-tests.ipynb").read_text()
    assert hidden and all(json.dumps(line)[1:-1] in ran for line in hidden), "they did run"
    assert [line for line in hidden if line in page] == []
    assert "Traceback" not in page and "<script" not in page
    assert run(fresh, "feedback", "ps1", "--student", "bitdiddle").returncode == 0
    page = (fresh / "feedback" / "bitdiddle" / "ps1" / "problem1.html").read_text()
    assert '<html lang="fr">' in page and "points" in page
    assert not (fresh / "feedback" / "hacker").exists()


def _hidden_lines(path: Path) -> list[str]:
    found = []
    for cell in nbformat.read(path, 4).cells:
        inside = False
        for line in cell.source.splitlines():
            if "HIDDEN TESTS" in line:
                inside = "BEGIN" in line
            elif inside and line.strip():
                found.append(line)
    return found


def test_feedback_of_what_is_not_marked_says_what_to_do_first(fresh: Path) -> None:
    done = run(fresh, "feedback", "ps1")
    assert done.returncode == 3 and "pupitre autograde ps1" in done.stderr


def test_release_prepares_as_nbgrader_does(fresh: Path) -> None:
    theirs = (fresh / "release" / "ps1" / "problem1.ipynb").read_text()
    shutil.rmtree(fresh / "release")
    done = run(fresh, "release", "ps1")
    assert done.returncode == 0, done.stderr
    assert "problem1.ipynb : 7 cellules notées, 10 points" in done.stdout
    assert json.loads((fresh / "release" / "ps1" / "problem1.ipynb").read_text()) == json.loads(theirs)


def test_a_source_that_cannot_be_released_is_named_and_the_last_release_stays(fresh: Path) -> None:
    before = (fresh / "release" / "ps1" / "problem1.ipynb").read_bytes()
    path = fresh / "source" / "ps1" / "problem1.ipynb"
    notebook = nbformat.read(path, 4)
    answer = next(cell for cell in notebook.cells if "### END SOLUTION" in cell.source)
    answer.source = answer.source.replace("### END SOLUTION", "")
    nbformat.write(notebook, path)
    done = run(fresh, "release", "ps1", "--force")
    assert done.returncode == 2
    assert "problem1.ipynb : Cellule" in done.stderr and "### END SOLUTION" in done.stderr
    assert "Traceback" not in done.stderr
    assert (fresh / "release" / "ps1" / "problem1.ipynb").read_bytes() == before


def test_bad_settings_and_bad_folders_are_one_sentence(fresh: Path, tmp_path: Path) -> None:
    for command in ("autograde", "release", "feedback"):
        done = run(tmp_path / "absent", command, "ps1")
        assert done.returncode == 2 and "n’existe pas" in done.stderr
    (fresh / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.root = 1/0\n")
    done = run(fresh, "release", "ps1")
    assert (done.returncode, "ZeroDivisionError" in done.stderr) == (2, True), done.stderr
    assert "Traceback" not in done.stderr
