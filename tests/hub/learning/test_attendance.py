"""Who was present, and the session's document: the numbered cases of docs/reference/behaviour-attendance.md."""

from __future__ import annotations

import io
from datetime import date

import pypdf
import pytest
from django.utils import timezone

from hub.portal.learning.models import Attendance, AttendanceSheet, Enrolment

pytestmark = pytest.mark.django_db

PAGE = "/gestion/sessions/essai/presence/"
DOCUMENT = "/gestion/sessions/essai/document.pdf"


@pytest.fixture
def people(essai, alice, chevron, make_user):
    """Enrolments of alice and chevron, who signed in once, and of zoe, who never did."""
    for person in (alice, chevron):
        person.last_login = timezone.now()
        person.save(update_fields=["last_login"])
    alice.school = "Lycée Ampère"
    alice.save(update_fields=["school"])
    Enrolment.objects.create(session=essai, learner=make_user("zoe"))
    return {row.learner.email.split("@")[0]: row for row in Enrolment.objects.filter(session=essai)}


def _send(client, people, *present, **changes):
    values = {
        "shown": [row.pk for row in people.values()],
        "present": [people[name].pk for name in present],
        "comment": "",
    }
    return client.post(PAGE, values | changes)


def _text(response):
    assert response["Content-Type"] == "application/pdf"
    pages = pypdf.PdfReader(io.BytesIO(response.content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


# person -> (page, save, document)
ROLES = {
    "visitor": (302, 302, 302),
    "alice": (403, 403, 403),
    "bob": (403, 403, 403),
    "grader": (403, 403, 403),
    "author": (403, 403, 403),
    "claire": (200, 302, 200),
    "denis": (200, 403, 200),
    "root": (200, 302, 200),
    "chevron": (403, 403, 403),
}


@pytest.mark.parametrize("role", ROLES)
def test_case_1_rights_of_each_role(role, people, request, essai, make_user, signed_in, visitor):
    from hub.portal.catalogue.models import SessionRole

    if role == "visitor":
        client = visitor
    elif role == "grader":
        grader = make_user("gaston")
        SessionRole.objects.create(session=essai, user=grader, role="grader")
        client = signed_in(grader)
    elif role == "author":
        client = signed_in(make_user("berthe", is_author=True))
    else:
        client = signed_in(request.getfixturevalue(role))
    page, save, document = ROLES[role]
    assert client.get(PAGE).status_code == page
    assert _send(client, people, "alice").status_code == save
    assert client.get(DOCUMENT).status_code == document
    assert Attendance.objects.exists() == (save == 302 and role != "visitor")


def test_case_1_a_trainer_of_another_session_is_refused(people, autre, make_user, signed_in):
    from hub.portal.catalogue.models import SessionRole

    other = make_user("camille")
    SessionRole.objects.create(session=autre, user=other, role="trainer")
    client = signed_in(other)
    assert {client.get(PAGE).status_code, client.get(DOCUMENT).status_code, _send(client, people).status_code} == {403}


def test_case_2_the_trainer_says_who_was_present(people, claire, signed_in):
    client = signed_in(claire)
    assert "Non renseigné" in _text(client.get(DOCUMENT)) and "provisoire" in _text(client.get(DOCUMENT))
    assert _send(client, people, "alice", comment="Deux visioconférences.\nBon groupe.").status_code == 302
    said = {row.enrolment.learner.email: row.present for row in Attendance.objects.all()}
    assert said == {"alice@example.org": True, "chevron@example.org": False, "zoe@example.org": False}
    sheet = AttendanceSheet.objects.get()
    assert (sheet.saved_by, sheet.comment) == (claire, "Deux visioconférences.\nBon groupe.")
    assert _send(client, people, "chevron").status_code == 302  # a second thought
    assert Attendance.objects.get(enrolment=people["alice"]).present is False
    assert Attendance.objects.get(enrolment=people["chevron"]).present is True
    assert "checked" in client.get(PAGE).content.decode()


def test_case_3_who_never_signed_in_cannot_be_present(people, claire, signed_in, caplog):
    client = signed_in(claire)
    assert "jamais connecté(e)" in client.get(PAGE).content.decode()
    response = _send(client, people, "alice", "zoe", comment="À garder")
    assert response.status_code == 400
    assert "Zoe ne s’est jamais connecté(e)" in response.content.decode()
    assert "À garder" in response.content.decode()  # what was typed is not lost
    assert not Attendance.objects.exists() and not AttendanceSheet.objects.exists()
    assert "never-signed-in" in caplog.text


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"shown": ["999999"]}, "a changé entre-temps"),
        ({"present": ["999999"]}, "a changé entre-temps"),
        ({"comment": "x" * 2001}, "dépasse 2000 caractères"),
    ],
)
def test_case_4_what_does_not_fit_changes_nothing(people, claire, signed_in, changes, sentence):
    response = _send(signed_in(claire), people, "alice", **changes)
    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert not Attendance.objects.exists()


def test_case_4_a_person_of_another_session_is_nobodys_business_here(people, bob, claire, signed_in):
    other = Enrolment.objects.get(learner=bob)
    response = _send(signed_in(claire), people, shown=[other.pk], present=[other.pk])
    assert response.status_code == 400
    assert not Attendance.objects.exists()


def test_case_4_strange_values_are_not_numbers(people, claire, signed_in):
    assert _send(signed_in(claire), people, "alice", shown=["x", "-1", "١", "9" * 30]).status_code == 400
    assert not Attendance.objects.exists()


def test_case_5_saving_one_page_says_nothing_of_the_others(people, claire, signed_in):
    _send(signed_in(claire), people, "alice", shown=[people["alice"].pk])
    assert list(Attendance.objects.values_list("enrolment", flat=True)) == [people["alice"].pk]


def test_case_6_the_document_has_every_mention(people, essai, claire, signed_in):
    essai.starts_on, essai.ends_on = date(2026, 10, 1), date(2026, 12, 15)
    essai.save(update_fields=["starts_on", "ends_on"])
    client = signed_in(claire)
    _send(client, people, "alice", comment="Deux visioconférences.")
    text = _text(client.get(DOCUMENT))
    for words in [
        "Pupitre Attestation de session",
        f"Intitulé {essai.title}",
        f"Référence essai ({essai.course_version.file.slug}, version {essai.course_version.version})",
        "Dates Du 1er octobre 2026 au 15 décembre 2026",
        "(durée planifiée)",
        "Formateurs Claire (claire@example.org)",
        "Inscrits 3",
        "Présents 1",
        "Date d’édition",
        "Deux visioconférences.",
        "Nom Prénom Établissement Présence",
        "Alice Lycée Ampère Présent(e)",
        "Zoe – Absent(e)",
        "<'&\"> – Absent(e)",
        "n’est pas un acte de l’État",
    ]:
        assert words in text, words
    assert "provisoire" not in text
    content = client.get(DOCUMENT).content
    assert b"pdfuaid" in pypdf.PdfReader(io.BytesIO(content)).trailer["/Root"]["/Metadata"].get_data()


def test_case_6_in_english_for_who_reads_english(people, claire, signed_in):
    client = signed_in(claire)
    client.cookies["django_language"] = "en"
    assert "Session certificate" in _text(client.get(DOCUMENT))


@pytest.mark.parametrize(
    "text", ['#panic("x")', "*gras* $x^2$ @ref <label>", "]] } \\ // /* #let x = 1", "李 😀", "\u202e\u0007"]
)
def test_case_7_what_people_write_is_never_markup(people, essai, alice, claire, signed_in, text):
    for person in (alice, claire):
        person.display_name, person.school = text, text
        person.save(update_fields=["display_name", "school"])
    essai.title = text
    essai.save(update_fields=["title"])
    client = signed_in(claire)
    _send(client, people, "alice", comment=text)
    assert client.get(DOCUMENT).content.startswith(b"%PDF-1.7")


def test_case_8_an_empty_session_and_a_large_one(essai, claire, make_user, signed_in):
    client = signed_in(claire)
    assert "Personne n’est inscrit" in _text(client.get(DOCUMENT))
    for number in range(120):
        Enrolment.objects.create(session=essai, learner=make_user(f"personne{number}"))
    assert client.get(PAGE + "?page=2").content.decode().count('name="shown"') == 20
    response = client.get(DOCUMENT)
    assert len(pypdf.PdfReader(io.BytesIO(response.content)).pages) > 2
    assert "Inscrits 120" in _text(response)
