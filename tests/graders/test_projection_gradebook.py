"""Cases 32 and 33 of docs/reference/behaviour-submission.md: nbgrader's own API reads what was written."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from nbgrader.api import Gradebook

from graders import projection
from graders.marks import ManualMark, marks_of, set_manual
from graders.tasks import project_assignment, project_learner

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_state(settings: Any, tmp_path: Any) -> Iterator[None]:
    """Gradebooks are files: each test has its own."""
    from dataclasses import replace

    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, state_dir=tmp_path)
    yield


def read_gradebook(session: str = "essai") -> dict[tuple[str, str], dict[str, Any]]:
    """(learner, assignment) → score, wait and per cell the points, as nbgrader's API gives them."""
    found = {}
    with Gradebook(f"sqlite:///{projection.gradebook_folder(session) / 'gradebook.db'}", course_id=session) as book:
        for assignment in book.assignments:
            for submission in assignment.submissions:
                grades = {
                    grade.name: (grade.auto_score, grade.manual_score, grade.needs_manual_grade)
                    for notebook in submission.notebooks
                    for grade in notebook.grades
                }
                comments = {
                    c.name: c.manual_comment for n in submission.notebooks for c in n.comments if c.manual_comment
                }
                found[submission.student.id, assignment.name] = {
                    "score": submission.score,
                    "max": submission.max_score,
                    "waits": submission.needs_manual_grade,
                    "grades": grades,
                    "comments": comments,
                    "when": submission.timestamp,
                }
    return found


def read_files(session: str = "essai") -> dict[str, str]:
    """Every file of nbgrader's folders → sha256."""
    folder = projection.gradebook_folder(session)
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.parent != folder
    }


def give(attempt: Any, grader: Any, points: float, comment: str) -> None:
    marks = [ManualMark("exercices.ipynb", "ex-1-2", points, comment)]
    set_manual(attempt=attempt, grader=grader, marks=marks, seen_review=attempt.review_number)


def test_case_32_rebuilt_is_the_same_as_kept_up_to_date(
    alice: Any, chevron: Any, claire: Any, submit: Any, run_marking: Any
) -> None:
    project_assignment.call("essai", "m1")
    first = run_marking(submit(alice, text="a"))
    project_learner.call("essai", "m1", alice.pk)
    run_marking(submit(chevron, code="return 1", text="b"))
    project_learner.call("essai", "m1", chevron.pk)
    give(first, claire, 1.5, "Oui.")
    project_learner.call("essai", "m1", alice.pk)

    kept, kept_files, kept_manifest = read_gradebook(), read_files(), projection.load_manifest("essai")
    assert kept[alice.hub_name, "m1"]["score"] == marks_of(alice, "essai")["m1"].points == 3.5
    assert kept[alice.hub_name, "m1"]["comments"] == {"ex-1-2": "Oui."}
    assert kept[alice.hub_name, "m1"]["waits"] is False
    assert kept[chevron.hub_name, "m1"]["grades"] == {"ex-1-1-test": (0.0, None, False), "ex-1-2": (None, None, True)}
    assert kept[chevron.hub_name, "m1"]["max"] == 4.0

    out = StringIO()
    call_command("syncgradebook", "essai", stdout=out)
    assert out.getvalue() == "essai: 2 submissions\n"
    assert read_gradebook() == kept
    assert read_files() == kept_files
    rebuilt = projection.load_manifest("essai")
    assert rebuilt.attempts == kept_manifest.attempts
    assert {k: v for k, v in rebuilt.files.items() if k != "gradebook.db"} == kept_files


def test_case_32_nbgraders_folders(alice: Any, submit: Any, run_marking: Any) -> None:
    run_marking(submit(alice))
    projection.rebuild("essai")
    name = alice.hub_name
    assert set(read_files()) == {
        "source/m1/exercices.ipynb",
        "source/m1/data/mesures.csv",
        "release/m1/exercices.ipynb",
        "release/m1/data/mesures.csv",
        f"submitted/{name}/m1/exercices.ipynb",
        f"submitted/{name}/m1/timestamp.txt",
        f"autograded/{name}/m1/exercices.ipynb",
        f"autograded/{name}/m1/timestamp.txt",
    }


def test_case_32_a_busy_gradebook_is_tried_again(alice: Any, submit: Any, run_marking: Any) -> None:
    from django_tasks_db.models import DBTaskResult

    run_marking(submit(alice))
    folder = projection.gradebook_folder("essai")
    folder.mkdir(parents=True)
    with (folder / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = DBTaskResult.objects.filter(queue_name="default").count()
        project_learner.call("essai", "m1", alice.pk)
        project_assignment.call("essai", "m1")
        assert DBTaskResult.objects.filter(queue_name="default").count() == before + 2
        assert not (folder / "gradebook.db").exists()
    project_learner.call("essai", "m1", alice.pk)
    assert (alice.hub_name, "m1") in read_gradebook()


def test_case_33_the_waiting_attempt_else_the_one_that_counts(
    alice: Any, claire: Any, submit: Any, run_marking: Any
) -> None:
    def number() -> int:
        project_learner.call("essai", "m1", alice.pk)
        return int(projection.load_manifest("essai").attempts[f"{alice.hub_name}/m1"]["number"])

    first = run_marking(submit(alice, text="a"))
    give(first, claire, 2.0, "")
    assert number() == 1
    second = run_marking(submit(alice, code="return 1", text="b"))
    assert number() == 2
    give(second, claire, 0.0, "")
    assert number() == 1


def test_marks_queue_the_projection(
    alice: Any, submit: Any, run_marking: Any, django_capture_on_commit_callbacks: Any
) -> None:
    from django_tasks_db.models import DBTaskResult

    with django_capture_on_commit_callbacks(execute=True):
        run_marking(submit(alice))
    queued = DBTaskResult.objects.filter(task_path="graders.tasks.project_learner")
    assert [row.args_kwargs["args"] for row in queued] == [["essai", "m1", alice.pk]]


def test_unknown_session_is_an_error_of_the_command(db: None) -> None:
    with pytest.raises(CommandError, match="inconnue"):
        call_command("syncgradebook", "inconnue")
