"""`…/qcm/`: keys stay on the server, every take is kept, the best counts."""

from __future__ import annotations

import pytest

from hub.portal.catalogue.models import CourseSession
from hub.portal.learning.models import ModuleProgress, QuizAnswer

pytestmark = pytest.mark.django_db
PAGE = "/session/essai/module/m1/qcm/"
RIGHT = {"question-somme": ["1"], "question-pairs": ["0", "1"]}
HALF = {"question-somme": ["0"], "question-pairs": ["0", "1"]}
WRONG = {"question-somme": ["0"], "question-pairs": ["0", "2"]}


def quiz_points(learner):
    return ModuleProgress.objects.get(enrolment__learner=learner, module="m1").quiz_points


def test_keys_and_feedback_are_not_sent_before_an_answer(alice, claire, signed_in):
    for user in (alice, claire):
        text = signed_in(user).get(PAGE).content.decode()
        assert "Que vaut <code>2 + 2</code>" in text
        assert "REMARQUE" not in text and "correct" not in text and "E02" not in text


def test_an_answer_is_kept_and_told(alice, signed_in):
    browser = signed_in(alice)
    answer = browser.post(PAGE, HALF)
    assert answer["Location"] == f"{PAGE}?passage=1#resultat"
    text = browser.get(PAGE + "?passage=1").content.decode()
    assert "Passage 1 : 1 / 2" in text
    assert "REMARQUE-TROIS" in text and "REMARQUE-DEUX" in text
    assert "REMARQUE-QUATRE" not in text and "REMARQUE-CINQ" not in text  # not ticked: not told
    assert quiz_points(alice) == 1


def test_the_best_take_counts_and_all_are_kept(alice, signed_in):
    browser = signed_in(alice)
    for answers, best in [(WRONG, 0), (RIGHT, 2), (HALF, 2)]:
        browser.post(PAGE, answers)
        assert quiz_points(alice) == best
    assert QuizAnswer.objects.count() == 6
    assert list(QuizAnswer.objects.filter(question="somme").values_list("take", "choices", "correct")) == [
        (1, [0], False),
        (2, [1], True),
        (3, [0], False),
    ]


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({}, "unanswered"),
        ({"question-somme": ["1"]}, "unanswered"),
        ({**RIGHT, "question-somme": ["7"]}, "unknown-choice"),
        ({**RIGHT, "question-somme": ["-1"]}, "unknown-choice"),
        ({**RIGHT, "question-somme": ["un"]}, "unknown-choice"),
        ({**RIGHT, "question-somme": ["9" * 40]}, "unknown-choice"),
        ({**RIGHT, "question-somme": ["0", "1"]}, "too-many-choices"),
    ],
)
def test_answers_that_cannot_be_kept(alice, signed_in, answers, code):
    page = signed_in(alice).post(PAGE, answers)
    assert page.status_code == 400
    assert page.context["refusal"].code == code
    assert page.context["refusal"].message in page.content.decode()
    assert not QuizAnswer.objects.exists()


def test_what_was_ticked_is_still_ticked_after_a_refusal(alice, signed_in):
    page = signed_in(alice).post(PAGE, {"question-pairs": ["0", "2"]})
    choices = {choice.position: choice.ticked for choice in page.context["questions"][1].choices}
    assert choices == {0: True, 1: False, 2: True}
    assert "REMARQUE" not in page.content.decode()


def test_half_ticked_is_wrong(alice, signed_in):
    signed_in(alice).post(PAGE, {**RIGHT, "question-pairs": ["0"]})
    assert quiz_points(alice) == 1


def test_only_ones_own_takes_are_read(alice, chevron, signed_in):
    signed_in(chevron).post(PAGE, HALF)
    assert signed_in(alice).get(PAGE + "?passage=1").status_code == 404
    assert signed_in(chevron).get(PAGE + "?passage=1").status_code == 200
    assert signed_in(chevron).get(PAGE + "?passage=2").status_code == 404


def test_who_is_not_enrolled_answers_nothing(claire, denis, bob, visitor, essai, signed_in):
    for user in (claire, denis):
        answer = signed_in(user).post(PAGE, RIGHT, follow=True)
        assert "rien n’a été enregistré" in answer.content.decode()
    assert signed_in(bob).post(PAGE, RIGHT).status_code == 403
    assert visitor.post(PAGE, RIGHT).status_code == 302
    assert not QuizAnswer.objects.exists()


def test_a_closed_session_takes_no_answer(essai, alice, signed_in):
    CourseSession.objects.filter(pk=essai.pk).update(state="closed")
    signed_in(alice).post(PAGE, RIGHT)
    assert not QuizAnswer.objects.exists()


def test_a_module_without_quiz(alice, signed_in):
    assert signed_in(alice).get("/session/essai/module/m2/qcm/").status_code == 404
