"""The cast of tests/conftest.py in sessions of a real published course, `tests/data/courses/petit`."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PETIT = Path(__file__).parents[2] / "data" / "courses" / "petit"


@pytest.fixture
def course_folder(tmp_path: Path) -> Path:
    """A copy of the tiny course that a test may spoil."""
    return Path(shutil.copytree(PETIT, tmp_path / "petit"))


@pytest.fixture
def petit(db: None) -> Any:
    """The tiny course, published; its own session `petit` is open."""
    from hub.portal.catalogue.publish import publish_course

    return publish_course(PETIT)


@pytest.fixture
def make_session(petit: Any) -> Callable[..., Any]:
    """As in tests/conftest.py, with the assignments of the tiny course."""

    def make(slug: str, **fields: Any) -> Any:
        from hub.portal.catalogue.models import CourseSession
        from hub.portal.catalogue.sessions import publish_assignments

        fields = {"state": "open", "title": f"Session {slug}", "course_version": petit, **fields}
        session = CourseSession.objects.create(slug=slug, **fields)
        publish_assignments(session)
        return session

    return make


Cell = tuple[str, float | None, str]
"""(grade_id, points, message)"""


@pytest.fixture
def make_attempt(django_capture_on_commit_callbacks: Any) -> Callable[..., Any]:
    """make_attempt(alice, "essai", "m1", {"ex-1-1-test": 3}): a marked attempt, announced as the worker does."""

    def make(learner: Any, session: str, module: str, points: dict[str, float | None], **fields: Any) -> Any:
        from graders.blobs import assignment_blobs, submission_blobs
        from graders.marks import announce_mark
        from graders.models import Assignment, Attempt, CellMark

        assignment = Assignment.objects.select_related("current").get(session=session, name=module)
        assert assignment.current is not None
        messages = fields.pop("messages", {})
        sent = submission_blobs().put_all(assignment_blobs().get_all(assignment.current.release))
        values = {"state": "marked", "content": sent, "client_id": uuid.uuid4(), **fields}
        with django_capture_on_commit_callbacks(execute=True):
            attempt = Attempt.objects.create(
                assignment=assignment,
                version=assignment.current,
                learner=learner,
                number=Attempt.objects.filter(assignment=assignment, learner=learner).count() + 1,
                **values,
            )
            for position, cell in enumerate(assignment.current.cells if values["state"] == "marked" else []):
                earned = points.get(cell["grade_id"], None if cell["kind"] == "manual" else 0.0)
                CellMark.objects.create(
                    attempt=attempt,
                    notebook=cell["notebook"],
                    grade_id=cell["grade_id"],
                    position=position,
                    exercise=cell["exercise"],
                    kind=cell["kind"],
                    points=earned,
                    max_points=cell["max_points"],
                    passed=earned == cell["max_points"],
                    message=messages.get(cell["grade_id"], ""),
                )
            announce_mark(attempt)
        return attempt

    return make


@pytest.fixture
def enrolment_of() -> Callable[[Any, Any], Any]:
    def find(learner: Any, session: Any) -> Any:
        from hub.portal.learning.models import Enrolment

        return Enrolment.objects.get(learner=learner, session=session)

    return find


@pytest.fixture
def run_queued() -> Callable[[str], int]:
    """run_queued("deliver_badges"): run, as the worker would, every such task of learning that waits; returns how many."""

    def run(task: str) -> int:
        from django_tasks import TaskResultStatus
        from django_tasks_db.models import DBTaskResult

        waiting = DBTaskResult.objects.filter(
            status=TaskResultStatus.READY, task_path=f"hub.portal.learning.tasks.{task}"
        )
        count = 0
        for row in waiting:
            DBTaskResult.objects.filter(pk=row.pk).update(status=TaskResultStatus.SUCCESSFUL)
            row.task.func(*row.args_kwargs["args"])
            count += 1
        return count

    return run


@pytest.fixture
def run_deliveries(run_queued: Callable[[str], int]) -> Callable[[], int]:
    """The deliveries of badges that wait."""
    return lambda: run_queued("deliver_badges")
