"""Cases 23 to 26 of docs/reference/behaviour-submission.md."""

from __future__ import annotations

from typing import Any

import pytest

from graders.marks import ManualMark, marks_of, set_manual
from graders.models import Attempt
from graders.waiting import waiting_attempts

pytestmark = pytest.mark.django_db


def give(attempt: Attempt, grader: Any, points: float, comment: str = "") -> None:
    set_manual(
        attempt=attempt,
        grader=grader,
        marks=[ManualMark("exercices.ipynb", "ex-1-2", points, comment)],
        seen_review=attempt.review_number,
    )


def test_case_23_the_best_attempt_counts(alice: Any, submit: Any, run_marking: Any) -> None:
    assert marks_of(alice, "essai") == {}
    run_marking(submit(alice, code="return 1", text="a"))
    assert marks_of(alice, "essai")["m1"].points == 0.0
    run_marking(submit(alice, text="b"))
    run_marking(submit(alice, code="return 2", text="c"))
    mark = marks_of(alice, "essai")["m1"]
    assert (mark.points, mark.max_points, mark.auto_points, mark.auto_max, mark.attempt_number) == (
        2.0,
        4.0,
        2.0,
        2.0,
        2,
    )


def test_case_23_the_later_one_if_equal(alice: Any, submit: Any, run_marking: Any) -> None:
    for text in ("a", "b"):
        run_marking(submit(alice, text=text))
    assert marks_of(alice, "essai")["m1"].attempt_number == 2


def test_case_23_only_ones_own_and_only_this_session(alice: Any, bob: Any, submit: Any, run_marking: Any) -> None:
    run_marking(submit(alice))
    assert marks_of(bob, "essai") == {}
    assert marks_of(alice, "autre") == {}


def test_case_24_a_new_attempt_never_lowers_the_mark(alice: Any, claire: Any, submit: Any, run_marking: Any) -> None:
    first = run_marking(submit(alice, text="bonne explication"))
    give(first, claire, 2.0)
    assert marks_of(alice, "essai")["m1"].points == 4.0
    second = run_marking(submit(alice, text="autre explication"))
    mark = marks_of(alice, "essai")["m1"]
    assert (mark.points, mark.attempt_number, mark.waits_for_grader) == (4.0, 1, True)
    give(second, claire, 0.5)
    mark = marks_of(alice, "essai")["m1"]
    assert (mark.points, mark.attempt_number, mark.waits_for_grader) == (4.0, 1, False)


def test_case_25_only_the_last_marked_attempt_waits(alice: Any, chevron: Any, submit: Any, run_marking: Any) -> None:
    run_marking(submit(alice, text="a"))
    last = run_marking(submit(alice, text="b"))
    other = run_marking(submit(chevron, text="c"))
    submit(alice, text="d")  # not marked yet: the one before still waits
    assert list(waiting_attempts("essai")) == [last, other]
    assert list(waiting_attempts("autre")) == []


def test_case_26_an_unchanged_answer_keeps_its_review(alice: Any, claire: Any, submit: Any, run_marking: Any) -> None:
    first = run_marking(submit(alice, code="return 1", text="Parce que."))
    give(first, claire, 1.5, "Précisez.")
    second = run_marking(submit(alice, text="Parce que."))
    cell = second.cells.get(grade_id="ex-1-2")
    assert (cell.manual_points, cell.comment, second.waits_for_grader) == (1.5, "Précisez.", False)
    assert [(review.origin, review.grader) for review in second.reviews.all()] == [("carried", None)]
    assert marks_of(alice, "essai")["m1"].points == 3.5
    assert run_marking(submit(alice, text="Parce que. En effet.")).waits_for_grader


def test_case_26_another_learners_answer_carries_nothing(
    alice: Any, chevron: Any, claire: Any, submit: Any, run_marking: Any
) -> None:
    give(run_marking(submit(alice, text="Copié.")), claire, 2.0)
    assert run_marking(submit(chevron, text="Copié.")).waits_for_grader
