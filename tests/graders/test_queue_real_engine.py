"""One attempt from the door's bytes to its marks, through the real engine and a real sandbox."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graders.engine.mark import mark_submission
from graders.models import Attempt
from graders.tasks import mark_attempt

pytestmark = pytest.mark.django_db


@pytest.fixture
def real_marking(mark: Any, real_forkd: Path | None, monkeypatch: pytest.MonkeyPatch) -> Callable[[Attempt], Attempt]:
    """The task as the worker runs it, on this test run's own forkd (`mark` replaces it where it cannot be root)."""

    def on_this_forkd(source: bytes, submitted: bytes, limits: Any, forkd: Path, files: Any = None) -> Any:
        return mark_submission(source, submitted, limits, real_forkd or forkd, files)

    monkeypatch.setattr("graders.marking.mark_submission", on_this_forkd)

    def run(attempt: Attempt) -> Attempt:
        assert mark_attempt.call(attempt.pk) == "marked"
        return Attempt.objects.prefetch_related("cells").get(pk=attempt.pk)

    return run


def test_right_and_wrong_answers(alice: Any, submit: Any, real_marking: Any) -> None:
    wrong = real_marking(submit(alice, code="return 41", text="Une réponse."))
    test, manual = wrong.cells.all()
    assert (test.points, test.passed) == (0.0, False)
    assert test.message
    assert manual.waits_for_grader
    right = real_marking(submit(alice, text="Une autre réponse."))
    assert (right.cells.all()[0].points, right.cells.all()[0].passed) == (2.0, True)
    assert set(right.executed) == {"exercices.ipynb"}


def test_a_hostile_answer_is_marked_and_the_next_one_too(alice: Any, submit: Any, real_marking: Any) -> None:
    hostile = real_marking(submit(alice, code="import os; os._exit(3)"))
    assert hostile.points == 0.0
    assert hostile.cells.first().message
    assert real_marking(submit(alice)).points == 2.0


def test_an_untouched_manual_answer_does_not_wait(alice: Any, released: Any, source: bytes, real_marking: Any) -> None:
    from uuid import uuid4

    from graders.attempts import receive
    from graders.engine.release import release_notebook

    files = {"exercices.ipynb": release_notebook(source)}
    untouched = real_marking(receive(learner=alice, session="essai", assignment="m1", client_id=uuid4(), files=files))
    assert (untouched.points, untouched.waits_for_grader) == (0.0, False)
