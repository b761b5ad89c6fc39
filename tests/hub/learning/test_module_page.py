"""The module page: who sees it, opening, submitting, attempts and their feedback."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings

from hub.portal.catalogue.models import CourseSession
from hub.portal.learning.models import ModuleProgress, SubmissionTicket

pytestmark = pytest.mark.django_db
PAGE = "/session/essai/module/m1/"
PAGES = [PAGE, PAGE + "qcm/"]


@pytest.mark.parametrize("address", PAGES)
def test_who_sees_a_module(alice, chevron, claire, denis, root, bob, visitor, signed_in, address):
    for user in (alice, chevron, claire, denis, root):
        assert signed_in(user).get(address).status_code == 200
    assert signed_in(bob).get(address).status_code == 403
    answer = visitor.get(address)
    assert answer.status_code == 302 and answer["Location"].startswith("/compte/")


@pytest.mark.parametrize("address", [PAGE + "essais/", PAGE + "etat/"])
def test_fragments_are_for_the_same_people(alice, bob, visitor, signed_in, address):
    assert signed_in(alice).get(address).status_code == 200
    assert signed_in(bob).get(address).status_code == 403
    assert visitor.get(address).status_code == 403


def test_a_closed_session_hides_its_modules_from_outsiders_and_keeps_them_for_its_learners(
    essai, alice, bob, signed_in
):
    CourseSession.objects.filter(pk=essai.pk).update(state="closed")
    assert signed_in(bob).get(PAGE).status_code == 404
    text = signed_in(alice).get(PAGE).content.decode()
    assert "vous relisez votre travail" in text and "Soumettre</button>" not in text and "ouvrir/" not in text


@pytest.mark.parametrize("address", ["/session/essai/module/m7/", "/session/absente/module/m1/"])
def test_what_does_not_exist(alice, signed_in, address):
    assert signed_in(alice).get(address).status_code == 404


@pytest.mark.parametrize("view", ["lecon", "carnet", "lab"])
def test_opening_goes_to_the_bridge_and_is_noted(essai, alice, signed_in, enrolment_of, view):
    answer = signed_in(alice).get(f"{PAGE}ouvrir/{view}/")
    address = urlsplit(answer["Location"])
    assert f"{address.scheme}://{address.netloc}" == settings.ENVIRONMENT.jupyter_url
    assert address.path == "/hub/user-redirect/pupitre/open"
    assert parse_qs(address.query) == {"session": ["essai"], "module": ["m1"], "view": [view]}
    row = ModuleProgress.objects.get(enrolment=enrolment_of(alice, essai), module="m1")
    assert row.opened_at is not None
    assert (row.read_at is not None) == (view == "lecon")


def test_the_first_opening_is_the_one_kept(essai, alice, signed_in, enrolment_of):
    browser = signed_in(alice)
    browser.get(PAGE + "ouvrir/lecon/")
    first = ModuleProgress.objects.get(enrolment=enrolment_of(alice, essai), module="m1")
    browser.get(PAGE + "ouvrir/lecon/")
    again = ModuleProgress.objects.get(pk=first.pk)
    assert (again.opened_at, again.read_at) == (first.opened_at, first.read_at)


@pytest.mark.parametrize("address", [PAGE + "ouvrir/terminal/", "/session/essai/module/m2/ouvrir/lecon/"])
def test_only_what_the_module_has_is_opened(alice, signed_in, address):
    assert signed_in(alice).get(address).status_code == 404


def test_who_may_open(claire, bob, denis, visitor, essai, signed_in):
    assert "/pupitre/open" in signed_in(claire).get(PAGE + "ouvrir/carnet/")["Location"]
    assert not ModuleProgress.objects.exists()
    assert signed_in(bob).get(PAGE + "ouvrir/carnet/").status_code == 403
    assert signed_in(denis).get(PAGE + "ouvrir/carnet/")["Location"] == PAGE  # follows, does not study
    assert visitor.get(PAGE + "ouvrir/carnet/")["Location"].startswith("/compte/")


def test_a_closed_session_opens_nothing(essai, alice, signed_in):
    CourseSession.objects.filter(pk=essai.pk).update(state="closed")
    answer = signed_in(alice).get(PAGE + "ouvrir/carnet/", follow=True)
    assert "n’est pas en cours" in answer.content.decode()
    assert not ModuleProgress.objects.exists()


@pytest.mark.parametrize("change", [{"approved_at": None}, {"is_active": False}])
def test_who_lost_their_rights_works_no_more(essai, alice, signed_in, change):
    browser = signed_in(alice)
    type(alice).objects.filter(pk=alice.pk).update(**change)
    assert "/pupitre/" not in browser.get(PAGE + "ouvrir/carnet/")["Location"]
    browser.post(PAGE + "soumettre/")
    browser.post(PAGE + "qcm/", {"question-somme": ["1"], "question-pairs": ["0", "1"]})
    assert not SubmissionTicket.objects.exists() and not ModuleProgress.objects.exists()


def test_submitting_makes_a_ticket_for_this_person_and_module(essai, alice, signed_in, enrolment_of):
    answer = signed_in(alice).post(PAGE + "soumettre/")
    address = urlsplit(answer["Location"])
    assert address.path == "/hub/user-redirect/pupitre/submit"
    ticket = SubmissionTicket.objects.get()
    assert parse_qs(address.query) == {"ticket": [str(ticket.uuid)], "session": ["essai"], "module": ["m1"]}
    assert (ticket.enrolment, ticket.module, ticket.used_at) == (enrolment_of(alice, essai), "m1", None)


def test_each_submission_has_its_own_ticket(essai, alice, signed_in):
    browser = signed_in(alice)
    addresses = {browser.post(PAGE + "soumettre/")["Location"] for _time in range(3)}
    assert len(addresses) == SubmissionTicket.objects.count() == 3


def test_submitting_is_a_post_with_a_token(essai, alice, signed_in):
    from django.test import Client

    assert signed_in(alice).get(PAGE + "soumettre/").status_code == 405
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice, backend="hub.portal.accounts.signin.SignInBackend")
    assert browser.post(PAGE + "soumettre/").status_code == 403
    assert not SubmissionTicket.objects.exists()


def test_who_may_not_submit(essai, claire, bob, denis, visitor, signed_in):
    assert signed_in(claire).post(PAGE + "soumettre/")["Location"] == PAGE
    assert signed_in(denis).post(PAGE + "soumettre/")["Location"] == PAGE
    assert signed_in(bob).post(PAGE + "soumettre/").status_code == 403
    assert visitor.post(PAGE + "soumettre/").status_code == 403
    assert not SubmissionTicket.objects.exists()


def test_a_closed_session_takes_nothing(essai, alice, signed_in):
    CourseSession.objects.filter(pk=essai.pk).update(state="closed")
    answer = signed_in(alice).post(PAGE + "soumettre/", follow=True)
    assert "n’accepte plus de travaux" in answer.content.decode()
    assert not SubmissionTicket.objects.exists()


def test_feedback_of_the_last_attempt_and_history(essai, alice, signed_in, make_attempt):
    make_attempt(alice, "essai", "m1", {"ex-1-1-test": 3}, messages={"ex-1-2-test": "Ancien message."})
    make_attempt(alice, "essai", "m1", {"ex-1-2-test": 1}, messages={"ex-1-1-test": "Essayez <b>double(3)</b>."})
    browser = signed_in(alice)
    page = browser.get(PAGE)
    text = page.content.decode()
    work = page.context["work"]
    assert [attempt.number for attempt in work.attempts] == [2, 1]
    assert work.counting.number == 1
    assert [(e.exercise, e.points, e.max_points, e.passed) for e in work.exercises] == [
        ("1.1", 0, 3, False),
        ("1.2", 1, 1, True),
    ]
    assert "Essayez &lt;b&gt;double(3)&lt;/b&gt;." in text and "Ancien message." not in text
    assert "Ancien message." in browser.get(PAGE, {"essai": "1"}).content.decode()


@pytest.mark.parametrize("number", ["0", "99", "x", "-1", "9" * 30, "²"])
def test_a_strange_attempt_number_shows_the_last(essai, alice, signed_in, make_attempt, number):
    make_attempt(alice, "essai", "m1", {})
    assert signed_in(alice).get(PAGE, {"essai": number}).context["work"].shown.number == 1


def test_one_sees_only_ones_own_attempts(essai, alice, chevron, signed_in, make_attempt):
    make_attempt(chevron, "essai", "m1", {}, messages={"ex-1-1-test": "Pour chevron seulement."})
    for address in (PAGE, PAGE + "essais/", PAGE + "?essai=1"):
        assert "Pour chevron seulement." not in signed_in(alice).get(address).content.decode()


def test_a_refused_attempt_says_why(essai, alice, signed_in, make_attempt):
    make_attempt(alice, "essai", "m1", {}, state="refused", message="Ce fichier n’est pas un carnet.")
    text = signed_in(alice).get(PAGE).content.decode()
    assert "Ce fichier n’est pas un carnet." in text and "refusé" in text


def test_a_waiting_attempt_offers_to_refresh_without_script(essai, alice, signed_in, make_attempt):
    make_attempt(alice, "essai", "m1", {}, state="queued")
    text = signed_in(alice).get(PAGE + "essais/").content.decode()
    assert "Actualiser" in text and "<html" not in text and 'data-state="1/queued/0"' in text


def test_a_manual_cell_waits_then_shows_the_comment(essai, alice, claire, signed_in, make_attempt):
    from graders.marks import ManualMark, set_manual

    attempt = make_attempt(alice, "essai", "m2", {"ex-2-1-test": 2})
    browser = signed_in(alice)
    assert "relecture attendue" in browser.get("/session/essai/module/m2/").content.decode()
    mark = ManualMark("exercices.ipynb", "ex-9-1", 2, "Bien expliqué.")
    set_manual(attempt=attempt, grader=claire, marks=[mark], seen_review=0)
    text = browser.get("/session/essai/module/m2/").content.decode()
    assert "Bien expliqué." in text
    assert ">relu<" in text, "neither « réussi » nor « relecture attendue »"
    assert "relecture attendue" not in text


def test_queries_do_not_grow_with_attempts(essai, alice, signed_in, make_attempt, django_assert_max_num_queries):
    browser = signed_in(alice)
    for number in range(1, 9):
        make_attempt(alice, "essai", "m1", {"ex-1-1-test": float(number % 4)})
        if number in (1, 8):
            with django_assert_max_num_queries(13):
                browser.get(PAGE)


def test_no_inline_script_or_style(essai, alice, signed_in, make_attempt):
    make_attempt(alice, "essai", "m1", {})
    browser = signed_in(alice)
    for address in ["/", "/parcours/petit/", "/session/essai/", "/mes-parcours/", *PAGES]:
        text = browser.get(address).content.decode()
        assert "<style" not in text and " style=" not in text and " onclick=" not in text
        assert text.count("<script") == text.count("<script src=")


def test_a_waiting_attempt_says_its_place(client, alice, make_attempt):
    make_attempt(alice, "essai", "m1", {}, state="queued")
    client.force_login(alice)
    page = client.get("/session/essai/module/m1/essais/").content.decode()
    assert "attend sa correction" in page and "est en cours" not in page
    assert "Place dans la file d’attente\u00a0: 1." in page
    assert "Attente estimée" not in page, "nobody marks, so no time is promised"
