"""Cases 14 to 22 of docs/reference/behaviour-submission.md, in one process (16 with real processes: test_queue_processes.py)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from graders import reaper, tasks
from graders.assignments import publish
from graders.attempts import receive
from graders.engine.result import Result
from graders.errors import SandboxUnavailable
from graders.marking import Outcome, store_outcome
from graders.models import Attempt, CellMark
from graders.signals import mark_changed

pytestmark = pytest.mark.django_db


@pytest.fixture
def changes() -> Any:
    """Every `mark_changed` sent."""
    seen: list[dict[str, Any]] = []

    def listen(**sent: Any) -> None:
        seen.append(sent)

    mark_changed.connect(listen)
    yield seen
    mark_changed.disconnect(listen)


def age(attempt: Attempt, seconds: float, **fields: Any) -> Attempt:
    """Pretend the attempt came, and its run last spoke, so long ago."""
    then = timezone.now() - timedelta(seconds=seconds)
    Attempt.objects.filter(pk=attempt.pk).update(received_at=then, **fields)
    attempt.refresh_from_db()
    return attempt


def die_while_running(attempt: Attempt) -> Attempt:
    """What a killed worker leaves: a running attempt whose heartbeat has stopped, and a running task."""
    assert tasks.claim_attempt(attempt.pk, "dead")
    DBTaskResult.objects.filter(pk=attempt.task_id).update(
        status="RUNNING", started_at=timezone.now() - timedelta(seconds=60)
    )
    return age(attempt, 60, heartbeat_at=timezone.now() - timedelta(seconds=60))


def test_case_14_marks_are_stored_and_told_once(
    alice: Any,
    submit: Any,
    run_marking: Callable[[Any], Attempt],
    changes: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    waiting = submit(alice)
    with django_capture_on_commit_callbacks(execute=True):
        attempt = run_marking(waiting)
    assert (attempt.state, attempt.runs, attempt.points, attempt.max_points) == ("marked", 1, 2.0, 4.0)
    assert [(cell.exercise, cell.points, cell.passed) for cell in attempt.cells.all()] == [
        ("1.1", 2.0, True),
        ("1.2", None, True),
    ]
    assert [(sent["learner_id"], sent["session"], sent["assignment"]) for sent in changes] == [
        (alice.pk, "essai", "m1")
    ]


def test_case_15_a_second_run_does_nothing(alice: Any, submit: Any, run_marking: Any, quick_engine: list[str]) -> None:
    waiting = submit(alice)
    assert run_marking(waiting).state == "marked"
    assert run_marking(waiting).runs == 1
    assert tasks.claim_attempt(waiting.pk, "other") is False
    assert (quick_engine, CellMark.objects.count()) == (["1"], 2)


def test_case_16_reaper_queues_a_dead_run_again(alice: Any, submit: Any, run_marking: Any) -> None:
    attempt = die_while_running(submit(alice))
    lost_task = attempt.task_id
    assert reaper.reap() == 1
    attempt.refresh_from_db()
    assert (attempt.state, attempt.claim) == ("queued", "")
    assert DBTaskResult.objects.get(pk=attempt.task_id).status == "READY"
    assert attempt.task_id != lost_task
    assert reaper.reap() == 0
    assert run_marking(attempt).runs == 2


def test_case_16_reaper_leaves_the_living_alone(alice: Any, submit: Any) -> None:
    running, waiting = submit(alice), submit(alice)
    tasks.claim_attempt(running.pk, "alive")
    age(running, 3600)
    age(waiting, 3600)
    assert reaper.reap() == 0


def test_case_17_a_late_run_is_dropped(alice: Any, submit: Any, run_marking: Any) -> None:
    attempt = die_while_running(submit(alice))
    reaper.reap()
    assert run_marking(attempt).points == 2.0
    late = Outcome(
        "marked", cells=[CellMark(attempt=attempt, notebook="n", grade_id="g", kind="auto", points=99, max_points=99)]
    )
    assert store_outcome(attempt.pk, "dead", late) is False
    attempt.refresh_from_db()
    assert (attempt.points, attempt.cells.count()) == (2.0, 2)


def test_case_18_three_dead_runs_fail_with_a_sentence(
    alice: Any, submit: Any, changes: Any, django_capture_on_commit_callbacks: Any
) -> None:
    attempt = submit(alice)
    for _run in range(3):
        attempt = die_while_running(attempt)
        with django_capture_on_commit_callbacks(execute=True):
            assert reaper.reap() == 1
        attempt.refresh_from_db()
    assert (attempt.state, attempt.code, attempt.runs) == ("failed", "marking-failed", 3)
    assert "3 fois" in attempt.message
    assert len(changes) == 1
    assert reaper.reap() == 0


def test_case_19_without_sandbox_the_attempt_waits(alice: Any, submit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*args: Any) -> Result:
        raise SandboxUnavailable("no forkd")

    monkeypatch.setattr("graders.marking.mark_submission", unavailable)
    attempt = submit(alice)
    assert tasks.mark_attempt.call(attempt.pk) == "retried"
    attempt.refresh_from_db()
    assert (attempt.state, attempt.runs) == ("queued", 0)
    task = DBTaskResult.objects.get(pk=attempt.task_id)
    assert timezone.now() + timedelta(seconds=3) < task.run_after < timezone.now() + timedelta(seconds=6)
    age(attempt, 60)
    assert reaper.reap() == 0  # its task is only waiting for its time


def test_case_19_the_real_engine_without_forkd_is_unavailable(alice: Any, submit: Any) -> None:
    assert tasks.mark_attempt.call(submit(alice).pk) == "retried"


@pytest.mark.parametrize("loss", ["absent", "killed", "failed"])
def test_case_20_a_lost_task_is_queued_again(alice: Any, submit: Any, loss: str) -> None:
    attempt = age(submit(alice), 60)
    task = DBTaskResult.objects.filter(pk=attempt.task_id)
    if loss == "absent":
        task.delete()
    elif loss == "killed":
        task.update(status="RUNNING", started_at=timezone.now() - timedelta(seconds=60))
    else:
        task.update(status="FAILED", started_at=timezone.now())
    assert reaper.reap() == 1
    attempt.refresh_from_db()
    assert DBTaskResult.objects.get(pk=attempt.task_id).status == "READY"


def test_case_20_a_task_just_taken_is_not_lost(alice: Any, submit: Any) -> None:
    attempt = age(submit(alice), 60)
    DBTaskResult.objects.filter(pk=attempt.task_id).update(status="RUNNING", started_at=timezone.now())
    assert reaper.reap() == 0


def test_case_21_the_engine_refuses(alice: Any, submit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = Result("refused", "not-a-notebook", "Ce fichier n’est pas un carnet.")
    monkeypatch.setattr("graders.marking.mark_submission", lambda *args: refusal)
    attempt = submit(alice)
    assert tasks.mark_attempt.call(attempt.pk) == "refused"
    attempt.refresh_from_db()
    assert (attempt.state, attempt.code, attempt.message) == (
        "refused",
        "not-a-notebook",
        "Ce fichier n’est pas un carnet.",
    )
    assert (attempt.points, attempt.cells.count()) == (None, 0)


def test_case_22_a_notebook_not_sent_earns_nothing(
    alice: Any, essai: Any, source: bytes, other_source: bytes, answer: Any, run_marking: Any
) -> None:
    both = {"un.ipynb": source, "deux.ipynb": other_source}
    publish(session="essai", name="double", version="1", title="", release=both, source=both)
    waiting = receive(
        learner=alice, session="essai", assignment="double", client_id=uuid4(), files={"un.ipynb": answer()}
    )
    attempt = run_marking(waiting)
    assert (attempt.state, attempt.points, attempt.max_points) == ("marked", 2.0, 8.0)
    absent = [cell for cell in attempt.cells.all() if cell.notebook == "deux.ipynb"]
    assert [(cell.points, cell.waits_for_grader) for cell in absent] == [(0.0, False), (0.0, False)]
    assert "deux.ipynb" in absent[0].message


def test_learners_files_do_not_replace_released_ones(
    alice: Any, released: Any, answer: Any, quick_engine: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, bytes] = {}

    def look(source: bytes, submitted: bytes, limits: Any, forkd: Any, files: dict[str, bytes]) -> Result:
        seen.update(files)
        return Result("marked")

    monkeypatch.setattr("graders.marking.mark_submission", look)
    files = {"exercices.ipynb": answer(), "data/mesures.csv": b"forged", "outils.py": b"x = 1\n"}
    waiting = receive(learner=alice, session="essai", assignment="m1", client_id=uuid4(), files=files)
    tasks.mark_attempt.call(waiting.pk)
    assert seen == {"data/mesures.csv": b"t;x\n", "outils.py": b"x = 1\n"}


def test_old_results_of_the_queue_are_forgotten(alice: Any, submit: Any) -> None:
    submit(alice)
    DBTaskResult.objects.update(started_at=timezone.now() - timedelta(days=8))
    reaper.forget_old_results()
    assert DBTaskResult.objects.count() == 0


def test_case_34_a_change_nobody_heard_is_told_again(
    alice: Any, submit: Any, run_marking: Any, changes: Any, django_capture_on_commit_callbacks: Any
) -> None:
    waiting = submit(alice)
    with django_capture_on_commit_callbacks(execute=False):  # the process dies right after its commit
        attempt = run_marking(waiting)
    assert (changes, reaper.announce_again()) == ([], 0)
    Attempt.objects.filter(pk=attempt.pk).update(announce_after=timezone.now() - timedelta(seconds=1))
    assert reaper.announce_again() == 1
    assert len(changes) == 1
    attempt.refresh_from_db()
    assert (attempt.announce_after, reaper.announce_again()) == (None, 0)


def test_case_34_a_failing_listener_hears_it_later(
    alice: Any, submit: Any, run_marking: Any, django_capture_on_commit_callbacks: Any
) -> None:
    def fail(**sent: Any) -> None:
        raise OSError("no disk")

    waiting = submit(alice)
    mark_changed.connect(fail)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            attempt = run_marking(waiting)
        attempt.refresh_from_db()
        assert attempt.announce_after > timezone.now()
    finally:
        mark_changed.disconnect(fail)
    Attempt.objects.filter(pk=attempt.pk).update(announce_after=timezone.now() - timedelta(seconds=1))
    assert reaper.announce_again() == 1
    attempt.refresh_from_db()
    assert attempt.announce_after is None
