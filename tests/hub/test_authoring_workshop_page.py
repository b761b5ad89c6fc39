"""`/atelier/`: who comes in, what they see, a new course, and whose slug it is."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from hub.jupyter.bridge.coursetemplate import make_course_files
from hub.portal.authoring.drafts import claim_course, may_publish
from hub.portal.authoring.models import Draft
from hub.portal.catalogue.coursefile import load_course
from hub.portal.catalogue.models import Course
from hub.portal.catalogue.publish import publish_course

pytestmark = pytest.mark.django_db

PAGES = ["/atelier/", "/atelier/nouveau/"]


@pytest.fixture
def author(make_user):
    return make_user("auteur", is_author=True)


@pytest.mark.parametrize("address", PAGES)
def test_only_authors_trainers_and_admins_come_in(
    address, signed_in, alice, bob, claire, denis, root, author, visitor
) -> None:
    assert visitor.get(address).status_code == 302
    for user, status in ((alice, 403), (bob, 403), (denis, 403), (claire, 200), (root, 200), (author, 200)):
        assert signed_in(user).get(address).status_code == status, user


@pytest.mark.parametrize("address", ["/atelier/nouveau/", "/atelier/essai-1/ouvrir/"])
def test_actions_are_checked_too(address, signed_in, alice, denis, visitor) -> None:
    for client, status in ((visitor, 302), (signed_in(alice), 403), (signed_in(denis), 403)):
        assert client.post(address, {"title": "Essai 1"}).status_code == status
    assert not Draft.objects.exists()


def test_a_new_course_goes_to_the_bridge_with_its_ticket(signed_in, author, settings) -> None:
    answer = signed_in(author).post("/atelier/nouveau/", {"title": "  Énergie   et « chaleur » ", "slug": ""})
    draft = Draft.objects.get()
    assert (draft.slug, draft.title, draft.author) == ("energie-et-chaleur", "Énergie et « chaleur »", author)
    address = urlsplit(answer["Location"])
    assert f"{address.scheme}://{address.netloc}" == settings.ENVIRONMENT.jupyter_url
    assert address.path == "/hub/user-redirect/pupitre/newcourse"
    assert parse_qs(address.query) == {"ticket": [str(draft.ticket)]}


@pytest.mark.parametrize(
    ("title", "slug", "sentence"),
    [
        ("Essai", "Pas Bon", "Une adresse courte ne contient que"),
        ("Essai", "pris", "est prise par un autre parcours"),
        ("Essai", "publie", "est prise par un autre parcours"),
        ("!!!", "", "Le titre ne donne pas d’adresse"),
        ("", "essai", "obligatoire"),
    ],
)
def test_bad_input_is_a_sentence_and_makes_nothing(title, slug, sentence, signed_in, author, claire) -> None:
    Draft.objects.create(slug="pris", title="Pris", author=claire)
    Course.objects.create(slug="publie")
    answer = signed_in(author).post("/atelier/nouveau/", {"title": title, "slug": slug})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert Draft.objects.count() == 1


def test_each_sees_their_own_courses_escaped(signed_in, author, claire) -> None:
    Draft.objects.create(slug="un", title="<'&\">", author=author)
    Draft.objects.create(slug="deux", title="De Claire", author=claire)
    page = signed_in(author).get("/atelier/").content.decode()
    assert "&lt;&#x27;&amp;&quot;&gt;" in page
    assert "<'&" not in page
    assert "De Claire" not in page
    assert signed_in(author).post("/atelier/deux/ouvrir/").status_code == 404
    assert signed_in(author).post("/atelier/un/ouvrir/").status_code == 302


def test_whose_slug_it_is(author, claire, alice, root) -> None:
    Draft.objects.create(slug="a-elle", title="À elle", author=claire)
    Course.objects.create(slug="livre")
    assert may_publish(claire, "a-elle")
    assert not may_publish(author, "a-elle"), "another author's"
    assert may_publish(author, "libre")
    assert not may_publish(author, "livre"), "published from the courses' folder"
    assert may_publish(root, "livre")
    assert not may_publish(alice, "libre")
    claim_course(author, "libre", "Libre")
    assert not may_publish(claire, "libre")
    assert may_publish(author, "libre")


class Tokens:
    """The Hub, as far as the door asks it: whose token this is."""

    def __init__(self, monkeypatch, user) -> None:
        owner = type("Owner", (), {"name": user.hub_name})()
        monkeypatch.setattr("hub.portal.hubapi.get_token_owner", lambda token: owner if token == "jeton" else None)
        self.headers = {"authorization": "token jeton"}


def test_the_door_gives_a_draft_to_its_author_alone(visitor, author, claire, alice, monkeypatch) -> None:
    draft = Draft.objects.create(slug="un", title="Un", author=author)
    address = f"/api/v1/drafts/{draft.ticket}"
    assert visitor.get(address).status_code == 401
    for user, status in ((author, 200), (claire, 404), (alice, 403)):
        answer = visitor.get(address, headers=Tokens(monkeypatch, user).headers)
        assert answer.status_code == status
    answer = visitor.get(address, headers=Tokens(monkeypatch, author).headers)
    assert answer.json() == {"slug": "un", "title": "Un", "author": author.display_name}


def test_the_template_is_a_course_that_publishes(tmp_path) -> None:
    title = 'Un « titre » : avec "tout" & <b>'
    for path, data in make_course_files("essai-1", title, "Claire 'C' \"D\""):
        (tmp_path / "essai-1" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "essai-1" / path).write_bytes(data)
    course = load_course(tmp_path / "essai-1")
    assert (course.slug, course.title, course.authors) == ("essai-1", title, ["Claire 'C' \"D\""])
    assert publish_course(tmp_path / "essai-1").version == "0.1"


def test_the_command_writes_the_same_course_once(tmp_path, capsys) -> None:
    call_command("newcourse", "essai-2", "--title", "Essai", "--into", str(tmp_path))
    assert load_course(tmp_path / "essai-2").title == "Essai"
    with pytest.raises(CommandError, match="existe déjà"):
        call_command("newcourse", "essai-2", "--into", str(tmp_path))
    with pytest.raises(CommandError, match="minuscules"):
        call_command("newcourse", "../x", "--into", str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["essai-2"]


def test_the_templates_notebooks_hold_no_output_and_are_french() -> None:
    for path, data in make_course_files("x", "X", "Y"):
        if path.endswith(".ipynb"):
            notebook = json.loads(data)
            assert notebook["metadata"]["language"] == "fr"
            assert all(not cell.get("outputs") for cell in notebook["cells"])


def test_routes_are_named(signed_in, author) -> None:
    assert [reverse("workshop"), reverse("new_course"), reverse("open_course", args=["x"])] == [
        *PAGES,
        "/atelier/x/ouvrir/",
    ]
