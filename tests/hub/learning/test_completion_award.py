"""From the rule that holds to the badge, once: the numbered cases of docs/reference/behaviour-completion.md."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from badges.models import Award
from graders.marks import ManualMark, set_manual
from hub.portal.catalogue import storage
from hub.portal.learning import progress, quiz
from hub.portal.learning.models import Completion, Enrolment
from hub.portal.learning.signals import course_completed

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent():
    """Every `course_completed` that was sent."""
    seen: list[Enrolment] = []

    def listen(sender, enrolment, **_kwargs):
        seen.append(enrolment)

    course_completed.connect(listen)
    yield seen
    course_completed.disconnect(listen)


@pytest.fixture
def work(essai, alice, claire, make_attempt, enrolment_of, run_deliveries, django_capture_on_commit_callbacks):
    """Alice's work, step by step; everything that is announced happens."""

    class Work:
        enrolment = enrolment_of(alice, essai)

        def do_all_but_the_review(self):
            with django_capture_on_commit_callbacks(execute=True):
                progress.mark_opened(self.enrolment, "m1", lesson=True)
                progress.mark_opened(self.enrolment, "m2", lesson=False)
                quiz.answer_quiz(
                    self.enrolment, "m1", quiz.find_quiz(essai.course_version, "m1"), {"somme": [1], "pairs": [0, 1]}
                )
                progress.refresh(self.enrolment, "m1")
            make_attempt(alice, "essai", "m1", {"ex-1-1-test": 3, "ex-1-2-test": 1})
            self.attempt = make_attempt(alice, "essai", "m2", {"ex-2-1-test": 2})

        def review(self, points):
            mark = ManualMark("exercices.ipynb", "ex-9-1", points, "")
            with django_capture_on_commit_callbacks(execute=True):
                set_manual(attempt=self.attempt, grader=claire, marks=[mark], seen_review=None)

        def complete(self):
            self.do_all_but_the_review()
            self.review(1)
            assert run_deliveries() == 1

    return Work()


def test_case_1_nothing_before_the_rule_holds(work, sent):
    work.do_all_but_the_review()
    assert not Completion.objects.exists() and not Award.objects.exists() and sent == []


def test_case_2_the_last_step_completes_and_gives_the_badge(work, alice, sent):
    work.complete()
    completion = Completion.objects.get()
    assert completion.enrolment == work.enrolment and completion.awarded_at is not None
    award = Award.objects.get()
    assert (award.recipient, award.achievement_key, award.session) == (alice, "petit/parcours", "essai")
    assert [(result.module, result.points, result.max_points) for result in award.module_results] == [
        ("m1", 6, 6),
        ("m2", 3, 4),
    ]
    assert sent == [work.enrolment]


def test_case_2_work_left_as_released_is_no_review(work, alice, make_attempt):
    """The engine gives such a manual cell 0 and asks no grader: nobody has read anything."""
    work.do_all_but_the_review()
    work.attempt.cells.filter(kind="manual").update(points=0)
    progress.rebuild(work.enrolment)
    row = work.enrolment.modules.get(module="m2")
    assert (row.waits_for_grader, row.reviewed) == (False, False)
    assert not Completion.objects.exists()


def test_case_3_handing_in_again_after_the_review_undoes_nothing(work, alice, make_attempt, denis):
    work.complete()
    mail.outbox.clear()
    make_attempt(alice, "essai", "m2", {"ex-2-1-test": 2})
    row = work.enrolment.modules.get(module="m2")
    assert (row.waits_for_grader, row.reviewed) == (True, True)
    assert Completion.objects.get().lapsed_at is None and mail.outbox == []


def test_case_3_more_work_sends_nothing_more(work, alice, make_attempt, run_deliveries, sent):
    work.complete()
    make_attempt(alice, "essai", "m1", {"ex-1-1-test": 3, "ex-1-2-test": 1})
    work.review(2)
    progress.rebuild(work.enrolment)
    assert run_deliveries() == 0
    call_command("awardbadges", stdout=StringIO())
    assert (Completion.objects.count(), Award.objects.count(), len(sent)) == (1, 1, 1)


def test_case_4_nothing_is_sent_when_the_transaction_is_undone(work, sent, django_capture_on_commit_callbacks):
    from django.db import transaction

    work.do_all_but_the_review()
    Enrolment.objects.filter(pk=work.enrolment.pk).update(rule_holds=False)
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(RuntimeError), transaction.atomic():
        work.attempt.cells.filter(kind="manual").update(manual_points=2)
        progress.rebuild(work.enrolment)
        assert Completion.objects.exists()
        raise RuntimeError
    assert not Completion.objects.exists() and sent == []


def test_case_5_what_could_not_be_delivered_is_tried_again(work, run_deliveries, caplog):
    """The version's files are away when the rule holds: the completion stays, the badge comes later."""
    folder = storage.version_folder("petit", "1.0")
    away = folder.with_name("ailleurs")
    folder.rename(away)
    try:
        with pytest.raises(OSError):
            work.complete()
        completion = Completion.objects.get()
        assert completion.awarded_at is None and not Award.objects.exists()
        with pytest.raises(CommandError, match="1 en échec"):
            call_command("awardbadges", stdout=StringIO())
        assert "not delivered" in caplog.text
    finally:
        away.rename(folder)
    out = StringIO()
    call_command("awardbadges", stdout=out)
    completion.refresh_from_db()
    assert completion.awarded_at is not None
    assert Award.objects.count() == 1
    assert "1 parcours" in out.getvalue()


def test_case_5_the_next_step_tries_again_too(work, run_deliveries):
    work.do_all_but_the_review()
    work.review(1)
    DBTaskResult.objects.all().delete()  # the worker was killed with the task in its hands
    progress.rebuild(work.enrolment)
    assert run_deliveries() == 0  # it may still be at work
    Completion.objects.update(completed_at=timezone.now() - timedelta(minutes=2))
    progress.rebuild(work.enrolment)
    assert run_deliveries() == 1
    assert Award.objects.count() == 1


def test_case_6_a_mark_that_goes_down_leaves_the_badge_and_tells_the_managers(work, alice, denis, signed_in):
    work.complete()
    mail.outbox.clear()
    work.review(None)  # the grader takes the mark back: the work waits for a review again
    completion = Completion.objects.get()
    assert completion.lapsed_at is not None
    assert Award.objects.get().revoked_at is None
    assert [message.to for message in mail.outbox] == [[denis.email]]
    assert "Alice" in mail.outbox[0].body and "/gestion/sessions/essai/" in mail.outbox[0].body
    page = signed_in(denis).get("/gestion/sessions/essai/").content.decode()
    assert "Le badge reste valable" in page
    assert "Parcours terminé" in signed_in(alice).get("/session/essai/").content.decode()


def test_case_7_the_managers_are_told_once_and_no_more_when_it_holds_again(work, denis, signed_in):
    work.complete()
    mail.outbox.clear()
    work.review(None)
    progress.rebuild(work.enrolment)
    assert len(mail.outbox) == 1
    work.review(2)
    assert Completion.objects.get().lapsed_at is None
    assert "Le badge reste valable" not in signed_in(denis).get("/gestion/sessions/essai/").content.decode()
    assert Award.objects.count() == 1


def test_case_8_two_sessions_of_one_course_give_one_badge(
    work, alice, autre, make_attempt, claire, sent, run_deliveries, django_capture_on_commit_callbacks
):
    from hub.portal.learning.enrolling import enrol

    work.complete()
    enrol(autre, alice)
    other = Enrolment.objects.get(learner=alice, session=autre)
    with django_capture_on_commit_callbacks(execute=True):
        quiz.answer_quiz(other, "m1", quiz.find_quiz(autre.course_version, "m1"), {"somme": [1], "pairs": [0, 1]})
        progress.refresh(other, "m1")
    make_attempt(alice, "autre", "m1", {"ex-1-1-test": 3, "ex-1-2-test": 1})
    work.attempt = make_attempt(alice, "autre", "m2", {"ex-2-1-test": 2})
    work.review(2)
    assert run_deliveries() == 1
    assert (Completion.objects.count(), Award.objects.count(), len(sent)) == (2, 1, 2)


def test_the_badge_is_on_the_learners_page(work, alice, signed_in):
    work.complete()
    text = signed_in(alice).get("/mes-parcours/").content.decode()
    assert Award.objects.get().get_absolute_url() in text and "terminé" in text
