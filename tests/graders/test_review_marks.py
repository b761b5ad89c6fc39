"""Cases 27 to 31 of docs/reference/behaviour-submission.md, on the functions (the pages: test_review_pages.py)."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import ValidationError

from graders.errors import ReviewRefused
from graders.formgrader import Seen, TypedMark, apply_marks
from graders.marks import ManualMark, set_manual
from graders.models import Attempt, Review
from graders.signals import mark_changed

pytestmark = pytest.mark.django_db


@pytest.fixture
def attempt(alice: Any, submit: Any, run_marking: Any) -> Attempt:
    return run_marking(submit(alice))


def mark(points: float | None, comment: str = "", grade_id: str = "ex-1-2") -> ManualMark:
    return ManualMark("exercices.ipynb", grade_id, points, comment)


def typed(attempt: Attempt, points: float | None, **fields: Any) -> TypedMark:
    values: dict[str, Any] = {
        "learner": attempt.learner.hub_name,
        "assignment": "m1",
        "notebook": "exercices",
        "cell": "ex-1-2",
        "points": points,
    }
    return TypedMark(**(values | fields))


def stored(attempt: Attempt) -> tuple[float | None, str]:
    cell = attempt.cells.get(grade_id="ex-1-2")
    return cell.manual_points, cell.comment


def test_case_27_a_review_is_saved_with_its_history(
    attempt: Attempt, claire: Any, django_capture_on_commit_callbacks: Any
) -> None:
    changes: list[dict[str, Any]] = []

    def listen(**sent: Any) -> None:
        changes.append(sent)

    mark_changed.connect(listen)
    with django_capture_on_commit_callbacks(execute=True):
        set_manual(attempt=attempt, grader=claire, marks=[mark(1.5, "Bien.")], seen_review=0)
        set_manual(attempt=attempt, grader=claire, marks=[mark(2.0, "Très bien.")], seen_review=1)
    mark_changed.disconnect(listen)
    assert stored(attempt) == (2.0, "Très bien.")
    assert [(row.number, row.grader, row.changes[0]["points"]) for row in Review.objects.all()] == [
        (1, claire, [None, 1.5]),
        (2, claire, [1.5, 2.0]),
    ]
    assert len(changes) == 2


def test_case_27_the_same_marks_again_change_nothing(attempt: Attempt, claire: Any) -> None:
    assert set_manual(attempt=attempt, grader=claire, marks=[mark(1.0)], seen_review=0) is not None
    assert set_manual(attempt=attempt, grader=claire, marks=[mark(1.0)], seen_review=1) is None
    assert Review.objects.count() == 1


def test_case_28_the_second_grader_is_refused(attempt: Attempt, claire: Any, root: Any) -> None:
    set_manual(attempt=attempt, grader=claire, marks=[mark(1.0, "claire")], seen_review=0)
    with pytest.raises(ReviewRefused) as caught:
        set_manual(attempt=attempt, grader=root, marks=[mark(2.0, "root")], seen_review=0)
    assert caught.value.code == "review-conflict"
    assert stored(attempt) == (1.0, "claire")


@pytest.mark.parametrize("points", [-0.5, 2.5, math.nan, math.inf, -math.inf])
def test_case_29_points_out_of_range(attempt: Attempt, claire: Any, points: float) -> None:
    with pytest.raises(ReviewRefused) as caught:
        set_manual(
            attempt=attempt, grader=claire, marks=[mark(2.0, grade_id="ex-1-1-test"), mark(points)], seen_review=0
        )
    assert caught.value.code == "points-out-of-range"
    assert stored(attempt) == (None, "")
    assert attempt.cells.get(grade_id="ex-1-1-test").manual_points is None
    assert Review.objects.count() == 0


def test_case_29_unknown_cell_long_comment_unmarked_attempt(
    attempt: Attempt, alice: Any, claire: Any, submit: Any
) -> None:
    for wrong, code in ((mark(1.0, grade_id="ex-9-9"), "unknown-cell"), (mark(1.0, "x" * 4001), "comment-too-long")):
        with pytest.raises(ReviewRefused) as caught:
            set_manual(attempt=attempt, grader=claire, marks=[wrong], seen_review=0)
        assert caught.value.code == code
    with pytest.raises(ReviewRefused) as caught:
        set_manual(attempt=submit(alice), grader=claire, marks=[mark(1.0)], seen_review=0)
    assert caught.value.code == "not-marked"


def test_case_30_formgraders_marks_come_back(attempt: Attempt, claire: Any) -> None:
    applied = apply_marks(session="essai", grader=claire, marks=[typed(attempt, 1.25, comment="Oui.")])
    assert (applied.saved, applied.unchanged, applied.refused) == (1, 0, [])
    assert stored(attempt) == (1.25, "Oui.")
    assert Review.objects.get().origin == "formgrader"
    assert apply_marks(session="essai", grader=claire, marks=[typed(attempt, 1.25, comment="Oui.")]).unchanged == 1
    assert apply_marks(session="essai", grader=claire, marks=[typed(attempt, None)]).saved == 1
    assert stored(attempt) == (None, "")


def test_case_30_marks_go_to_the_attempt_they_were_typed_for(
    attempt: Attempt, alice: Any, claire: Any, submit: Any, run_marking: Any
) -> None:
    newer = run_marking(submit(alice, text="Mieux."))
    apply_marks(session="essai", grader=claire, marks=[typed(attempt, 1.0, client_id=attempt.client_id)])
    assert (stored(attempt)[0], stored(newer)[0]) == (1.0, None)
    apply_marks(session="essai", grader=claire, marks=[typed(attempt, 2.0)])  # no id: the one in the gradebook now
    assert (stored(attempt)[0], stored(newer)[0]) == (1.0, 2.0)


def test_case_31_a_mark_changed_meanwhile_is_not_overwritten(
    attempt: Attempt, chevron: Any, claire: Any, submit: Any, run_marking: Any
) -> None:
    other = run_marking(submit(chevron))
    set_manual(attempt=attempt, grader=claire, marks=[mark(2.0)], seen_review=0)
    seen = Seen(points=None)
    applied = apply_marks(
        session="essai", grader=claire, marks=[typed(attempt, 0.5, seen=seen), typed(other, 1.0, seen=seen)]
    )
    assert (applied.saved, [row["code"] for row in applied.refused]) == (1, ["review-conflict"])
    assert (stored(attempt)[0], stored(other)[0]) == (2.0, 1.0)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"learner": "nobody"}, "unknown-attempt"),
        ({"assignment": "m9"}, "unknown-attempt"),
        ({"cell": "ex-9-9"}, "unknown-cell"),
        ({"points": 99.0}, "points-out-of-range"),
        ({"extra_points": 1.0}, "extra-points"),
    ],
)
def test_case_31_wrong_marks_are_told(attempt: Attempt, claire: Any, fields: dict[str, Any], code: str) -> None:
    applied = apply_marks(session="essai", grader=claire, marks=[typed(attempt, **({"points": 1.0} | fields))])
    assert [row["code"] for row in applied.refused] == [code]
    assert stored(attempt) == (None, "")


def test_case_31_another_sessions_attempt_is_out_of_reach(attempt: Attempt, claire: Any) -> None:
    assert apply_marks(session="autre", grader=claire, marks=[typed(attempt, 1.0)]).refused
    with pytest.raises(ValidationError):
        typed(attempt, 1.0, client_id="x")


def test_case_35_the_feedback_page_follows_the_marks(attempt: Attempt, claire: Any) -> None:
    from graders.blobs import submission_blobs

    assert list(attempt.feedback) == ["exercices.html"]
    before = submission_blobs().get(attempt.feedback["exercices.html"]).decode()
    assert "en attente de relecture" in before
    set_manual(attempt=attempt, grader=claire, marks=[mark(1.5, "Citez la <formule>.")], seen_review=0)
    attempt.refresh_from_db()
    after = submission_blobs().get(attempt.feedback["exercices.html"]).decode()
    assert "en attente de relecture" not in after
    assert "Citez la &lt;formule&gt;." in after
