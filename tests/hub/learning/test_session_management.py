"""`/gestion/sessions/`: managers open, name, enrol and follow; trainers follow; nobody else."""

from __future__ import annotations

import csv

import pytest
from django.contrib import messages

from graders.models import Assignment
from hub.portal.catalogue.models import CourseSession, SessionRole
from hub.portal.learning.enrolling import enrol
from hub.portal.learning.models import Enrolment

pytestmark = pytest.mark.django_db
LIST = "/gestion/sessions/"
FOLLOW = LIST + "essai/"
NEW = {
    "title": "Promo 2027",
    "slug": "promo-2027",
    "enrolment": "open",
    "key": "",
    "capacity": "",
    "starts_on": "",
    "ends_on": "",
}


@pytest.fixture
def office(denis, signed_in):
    return signed_in(denis)


def status_of(users, signed_in, address, method="get"):
    return [getattr(signed_in(user), method)(address).status_code for user in users]


def test_who_sees_what(essai, alice, bob, claire, denis, root, chevron, make_user, visitor, signed_in):
    grader = make_user("gaston")
    SessionRole.objects.create(session=essai, user=grader, role="grader")
    everybody = (alice, bob, chevron, grader, claire, denis, root)
    assert status_of(everybody, signed_in, LIST) == [403, 403, 403, 403, 200, 200, 200]
    assert status_of(everybody, signed_in, FOLLOW) == [403, 403, 403, 403, 200, 200, 200]
    assert status_of(everybody, signed_in, FOLLOW + "suivi.csv") == [403, 403, 403, 403, 200, 200, 200]
    assert status_of(everybody, signed_in, LIST + "nouvelle/") == [403, 403, 403, 403, 403, 200, 200]
    assert status_of(everybody, signed_in, FOLLOW + "modifier/") == [403, 403, 403, 403, 403, 200, 200]
    for address in (LIST, FOLLOW, LIST + "nouvelle/", FOLLOW + "suivi.csv"):
        assert visitor.get(address)["Location"].startswith("/compte/")


@pytest.mark.parametrize("action", ["etat/", "version/", "roles/", "inscrire/", "roles/1/retirer/"])
def test_who_may_act(essai, alice, bob, claire, chevron, visitor, signed_in, action):
    role = SessionRole.objects.filter(session=essai).first()
    address = FOLLOW + action.replace("1", str(role.pk))
    data = {"state": "closed", "email": "bob@example.org", "role": "trainer", "emails": "bob@example.org"}
    for user in (alice, bob, chevron, claire):
        assert signed_in(user).post(address, data).status_code == 403
    assert visitor.post(address, data).status_code == 302
    essai.refresh_from_db()
    assert essai.state == "open"
    assert SessionRole.objects.count() == 2 and Enrolment.objects.count() == 3


def test_actions_are_posts(office, essai):
    for action in ("etat/", "version/", "roles/", "inscrire/", "roles/1/retirer/"):
        assert office.get(FOLLOW + action).status_code == 405


def test_trainers_see_their_sessions_only_and_no_action(essai, autre, claire, signed_in):
    text = signed_in(claire).get(LIST).content.decode()
    assert "Session essai" in text and "Session autre" not in text and "Créer une session" not in text
    page = signed_in(claire).get(FOLLOW).content.decode()
    assert "Inscrire des personnes" not in page


def test_a_session_is_created_in_preparation_with_its_assignments(office, petit, denis):
    answer = office.post(LIST + "nouvelle/", {**NEW, "course_version": petit.pk})
    assert answer["Location"] == LIST + "promo-2027/"
    session = CourseSession.objects.get(slug="promo-2027")
    assert (session.state, session.opened_by, session.course_version) == ("preparation", denis, petit)
    assert set(Assignment.objects.filter(session="promo-2027").values_list("name", flat=True)) == {"m1", "m2"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"slug": "Promo 2027"}, "slug"),
        ({"slug": "essai"}, "slug"),
        ({"slug": "x" * 64}, "slug"),
        ({"title": ""}, "title"),
        ({"course_version": "999"}, "course_version"),
        ({"enrolment": "key", "key": "abc"}, "key"),
        ({"starts_on": "2027-02-01", "ends_on": "2027-01-01"}, "ends_on"),
        ({"capacity": "-1"}, "capacity"),
        ({"enrolment": "libre"}, "enrolment"),
    ],
)
def test_what_cannot_be_created(office, essai, petit, change, field):
    page = office.post(LIST + "nouvelle/", {**NEW, "course_version": petit.pk, **change})
    assert page.status_code == 400
    assert field in page.context["form"].errors
    assert not CourseSession.objects.filter(title="Promo 2027").exists()


def test_a_free_address_is_suggested(office, petit):
    CourseSession.objects.create(slug="petit-1", title="x", course_version=petit)
    initial = office.get(LIST + "nouvelle/?parcours=petit").context["form"].initial
    assert (initial["slug"], initial["title"], initial["course_version"]) == ("petit-2", petit.title, petit.pk)
    assert office.get(LIST + "nouvelle/?parcours=absent").context["form"].initial == {}


def test_a_session_is_corrected_but_not_moved(office, essai):
    office.post(
        FOLLOW + "modifier/", {**NEW, "title": "Nouveau titre", "slug": "autre-adresse", "course_version": "999"}
    )
    essai.refresh_from_db()
    assert (essai.title, essai.slug) == ("Nouveau titre", "essai")


@pytest.mark.parametrize("state", ["preparation", "open", "closed", "archived"])
def test_state_changes(office, essai, state):
    office.post(FOLLOW + "etat/", {"state": state})
    essai.refresh_from_db()
    assert essai.state == state


def test_an_unknown_state_changes_nothing(office, essai):
    page = office.post(FOLLOW + "etat/", {"state": "ouverte"}, follow=True)
    assert "rien n’a changé" in page.content.decode()
    essai.refresh_from_db()
    assert essai.state == "open"


def test_roles_are_given_and_withdrawn(office, essai, bob):
    for _time in range(2):
        office.post(FOLLOW + "roles/", {"email": " Bob@Example.org", "role": "grader"})
    role = SessionRole.objects.get(user=bob)
    assert role.role == "grader"
    assert bob.has_perm("graders.review_session", "essai")
    office.post(f"{FOLLOW}roles/{role.pk}/retirer/")
    assert not SessionRole.objects.filter(user=bob).exists()


@pytest.mark.parametrize(
    "data", [{}, {"email": "personne@example.org", "role": "grader"}, {"email": "bob@example.org", "role": "chef"}]
)
def test_roles_that_cannot_be_given(office, essai, bob, data):
    page = office.post(FOLLOW + "roles/", data, follow=True)
    levels = [message.level for message in page.context["messages"]]
    assert levels == [messages.ERROR] * (1 if data else 2)
    assert not SessionRole.objects.exists()


def test_a_role_of_another_session_is_not_touched(office, essai, autre, bob):
    role = SessionRole.objects.create(session=autre, user=bob, role="grader")
    assert office.post(f"{FOLLOW}roles/{role.pk}/retirer/").status_code == 404
    assert SessionRole.objects.filter(pk=role.pk).exists()


def test_people_are_enrolled_by_address(office, essai, bob, make_user):
    CourseSession.objects.filter(pk=essai.pk).update(enrolment="managed", state="preparation")
    make_user("paul", approved_at=None)
    page = office.post(
        FOLLOW + "inscrire/",
        {"emails": "bob@example.org\nBOB@example.org; rien@example.org, paul@example.org"},
        follow=True,
    )
    text = page.content.decode()
    assert "1 personne est inscrite." in text
    assert (
        "rien@example.org : aucun compte" in text and "paul@example.org : Ce compte n’est pas encore approuvé" in text
    )
    assert [row.learner for row in Enrolment.objects.filter(session=essai)] == [bob]


def test_the_table_follows_everybody(office, essai, alice, chevron, make_attempt):
    make_attempt(alice, "essai", "m1", {"ex-1-1-test": 3})
    text = office.get(FOLLOW).content.decode()
    assert "2 participants" in text and "3 / 10" in text
    assert "<'&\">" not in text
    found = office.get(FOLLOW, {"q": "alice"})
    assert [row.learner for row in found.context["page"]] == [alice]


def test_pages_of_the_table_keep_the_search(office, essai, make_user):
    for number in range(51):
        enrol(essai, make_user(f"lot{number:02}"))
    page = office.get(FOLLOW, {"q": "lot", "page": "2"})
    assert len(page.context["page"]) == 1
    assert "?page=1&amp;q=lot" in page.content.decode()


def test_queries_do_not_grow_with_learners(office, essai, make_user, django_assert_max_num_queries):
    for number in range(12):
        enrol(essai, make_user(f"p{number}"))
    with django_assert_max_num_queries(14):
        office.get(FOLLOW)
    with django_assert_max_num_queries(9):
        office.get(FOLLOW + "suivi.csv")


def test_the_csv_opens_in_a_spreadsheet_and_runs_nothing(office, essai, alice, make_user, make_attempt):
    enrol(essai, make_user("pirate", display_name='=HYPERLINK("http://x";"y")'))
    make_attempt(alice, "essai", "m1", {"ex-1-1-test": 1.5})
    answer = office.get(FOLLOW + "suivi.csv")
    assert answer["Content-Disposition"] == 'attachment; filename="suivi-essai.csv"'
    text = answer.content.decode()
    assert text.startswith("\ufeff")
    lines = list(csv.reader(text.removeprefix("\ufeff").splitlines(), delimiter=";"))
    assert lines[0][:2] == ["Nom", "Adresse électronique"] and lines[0][-3:] == ["m1", "m2", "Terminé le"]
    by_email = {line[1]: line for line in lines[1:]}
    assert by_email["alice@example.org"][4:7] == ["1,5", "10", "15"]
    assert by_email["pirate@example.org"][0].startswith("'=")


def test_a_newer_version_is_offered_and_used(office, essai, denis, course_folder):
    from hub.portal.catalogue.publish import publish

    CourseSession.objects.filter(pk=essai.pk).update(opened_by=denis)
    path = course_folder / "course.yml"
    path.write_text(path.read_text().replace('version: "1.0"', 'version: "2.0"'))
    publish(course_folder)
    assert "La version 2.0 du parcours est publiée" in office.get(FOLLOW).content.decode()
    office.post(FOLLOW + "version/")
    essai.refresh_from_db()
    assert essai.course_version.version == "2.0"
    assert Assignment.objects.get(session="essai", name="m1").version == "2.0"
    assert "est publiée" not in office.get(FOLLOW).content.decode()


def test_what_does_not_exist(office, essai):
    for address in (LIST + "absente/", LIST + "absente/suivi.csv", LIST + "absente/modifier/"):
        assert office.get(address).status_code == 404
