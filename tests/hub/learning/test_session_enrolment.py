"""`/session/<session>/`: who sees it, entering and leaving."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from hub.portal.catalogue.models import CourseSession
from hub.portal.learning.models import Completion, Enrolment, QuizAnswer

pytestmark = pytest.mark.django_db
PAGE = "/session/essai/"


@pytest.fixture
def nina(make_user):
    """Enrolled nowhere."""
    return make_user("nina")


def enrol(client, **data):
    return client.post(PAGE + "inscription/", data)


def test_everybody_sees_an_open_session(essai, visitor, nina, alice, claire, denis, root, signed_in):
    assert visitor.get(PAGE).status_code == 200
    for user in (nina, alice, claire, denis, root):
        assert signed_in(user).get(PAGE).status_code == 200


@pytest.mark.parametrize("state", ["preparation", "closed", "archived"])
def test_another_session_exists_only_for_who_is_in_it(
    essai, visitor, nina, bob, alice, claire, denis, root, signed_in, state
):
    CourseSession.objects.filter(pk=essai.pk).update(state=state)
    assert visitor.get(PAGE).status_code == 404
    for outsider in (nina, bob):
        assert signed_in(outsider).get(PAGE).status_code == 404
        assert enrol(signed_in(outsider)).status_code == 404
    for member in (alice, claire, denis, root):
        assert signed_in(member).get(PAGE).status_code == 200


def test_a_visitor_who_enrols_signs_in_and_comes_back(essai, visitor):
    answer = enrol(visitor)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/compte/") and "next=/session/essai/" in answer["Location"]
    assert not Enrolment.objects.exists()


def test_enrolling_once_and_again(essai, nina, signed_in):
    browser = signed_in(nina)
    for _time in range(2):
        assert enrol(browser)["Location"] == PAGE
    enrolment = Enrolment.objects.get(learner=nina)
    assert (enrolment.points, enrolment.max_points, enrolment.percent) == (0, 10, 0)
    text = browser.get(PAGE).content.decode()
    assert "Votre progression" in text and "Continuer" in text and "Me désinscrire" in text


def test_enrolling_needs_a_post_and_a_token(essai, nina, signed_in):
    from django.test import Client

    assert signed_in(nina).get(PAGE + "inscription/").status_code == 405
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(nina, backend="hub.portal.accounts.signin.SignInBackend")
    assert enrol(browser).status_code == 403
    assert not Enrolment.objects.exists()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"enrolment": "managed"}, "managed"),
        ({"enrolment": "key", "key": "sesame-123"}, "wrong-key"),
        ({"starts_on": timezone.localdate() + timedelta(days=1)}, "not-open"),
        ({"ends_on": timezone.localdate() - timedelta(days=1)}, "not-open"),
        ({"capacity": 0}, "full"),
    ],
)
def test_refusals_say_why_and_change_nothing(essai, nina, signed_in, caplog, fields, code):
    CourseSession.objects.filter(pk=essai.pk).update(**fields)
    page = enrol(signed_in(nina), key="mauvaise")
    assert page.status_code == 409
    assert page.context["refusal"].code == code
    assert page.context["refusal"].message in page.content.decode()
    assert code in caplog.text
    assert not Enrolment.objects.filter(learner=nina).exists()


def test_the_right_key_opens(essai, nina, signed_in):
    CourseSession.objects.filter(pk=essai.pk).update(enrolment="key", key="sesame-123")
    browser = signed_in(nina)
    assert "sesame-123" not in browser.get(PAGE).content.decode()
    assert enrol(browser, key=" sesame-123 ").status_code == 302
    assert Enrolment.objects.filter(learner=nina).exists()


def test_keys_cannot_be_guessed_for_ever(essai, nina, signed_in):
    CourseSession.objects.filter(pk=essai.pk).update(enrolment="key", key="sesame-123")
    browser = signed_in(nina)
    for _time in range(10):
        assert enrol(browser, key="non").context["refusal"].code == "wrong-key"
    assert enrol(browser, key="sesame-123").context["refusal"].code == "too-many-keys"
    assert not Enrolment.objects.filter(learner=nina).exists()


def test_the_last_seat(essai, alice, nina, bob, signed_in):
    CourseSession.objects.filter(pk=essai.pk).update(capacity=2)
    assert enrol(signed_in(nina)).status_code == 302
    assert enrol(signed_in(bob)).status_code == 409
    assert "complète" in signed_in(bob).get(PAGE).content.decode()
    assert enrol(signed_in(alice)).status_code == 302  # already in: nothing to refuse


def test_leaving_asks_once_more(essai, alice, signed_in, enrolment_of):
    QuizAnswer.objects.create(
        enrolment=enrolment_of(alice, essai), module="m1", take=1, question="q", choices=[0], correct=True
    )
    browser = signed_in(alice)
    assert "Se désinscrire ?" in browser.get(PAGE + "desinscription/").content.decode()
    assert Enrolment.objects.filter(learner=alice).exists()
    assert browser.post(PAGE + "desinscription/")["Location"] == "/mes-parcours/"
    assert not Enrolment.objects.filter(learner=alice).exists()
    assert not QuizAnswer.objects.exists()


def test_who_completed_stays(essai, alice, signed_in, enrolment_of):
    Completion.objects.create(enrolment=enrolment_of(alice, essai))
    answer = signed_in(alice).post(PAGE + "desinscription/", follow=True)
    assert "reste avec votre badge" in answer.content.decode()
    assert Enrolment.objects.filter(learner=alice).exists()


def test_attempts_count_again_after_coming_back(essai, alice, signed_in, make_attempt):
    make_attempt(alice, "essai", "m1", {"ex-1-1-test": 3})
    browser = signed_in(alice)
    browser.post(PAGE + "desinscription/")
    enrol(browser)
    assert Enrolment.objects.get(learner=alice).points == 3


def test_nobody_else_can_make_one_leave(essai, alice, bob, visitor, signed_in):
    assert visitor.post(PAGE + "desinscription/").status_code == 302
    signed_in(bob).post(PAGE + "desinscription/")
    assert Enrolment.objects.filter(learner=alice).exists()


def test_my_courses(essai, alice, chevron, claire, bob, nina, visitor, signed_in, make_attempt):
    assert visitor.get("/mes-parcours/").status_code == 302
    make_attempt(alice, "essai", "m1", {"ex-1-1-test": 3})
    text = signed_in(alice).get("/mes-parcours/").content.decode()
    assert (
        "Session essai" in text and "3 points sur 10" in text and "Ce qui reste" in text and "ouvrir la leçon" in text
    )
    assert "Session essai" not in signed_in(bob).get("/mes-parcours/").content.decode()
    assert "Vous n’êtes inscrit à aucun parcours" in signed_in(nina).get("/mes-parcours/").content.decode()
    assert "Sessions que j’encadre" in signed_in(claire).get("/mes-parcours/").content.decode()
    page = signed_in(chevron).get("/mes-parcours/").content.decode()
    assert "<'&\">" not in page and "&lt;&#x27;&amp;&quot;&gt;" in page


def test_my_courses_queries_do_not_grow(alice, make_session, signed_in, django_assert_max_num_queries):
    from hub.portal.learning.enrolling import enrol as enrol_person

    for number in range(6):
        enrol_person(make_session(f"s{number}"), alice)
    browser = signed_in(alice)
    with django_assert_max_num_queries(14):
        page = browser.get("/mes-parcours/")
    assert len(page.context["cards"]) == 7


def test_session_page_queries(essai, alice, signed_in, django_assert_max_num_queries):
    browser = signed_in(alice)
    with django_assert_max_num_queries(14):
        browser.get(PAGE)
