"""An author's workshop in a real server: a new course, its preview, its publication."""

from __future__ import annotations

import json
import shutil
import uuid
from pathlib import Path

import pytest

from tests.hub.bridge_door import LearnerServer, Portal
from tests.hub.lesson_fixtures import place

__all__ = ["place"]

PAGE = "pupitre/atelier/essai-1"


@pytest.fixture
def portal(place: tuple[Portal, LearnerServer]) -> Portal:
    place[0].answers.clear()
    place[0].calls.clear()
    return place[0]


@pytest.fixture
def claire(place: tuple[Portal, LearnerServer], portal: Portal) -> LearnerServer:
    """Claire's server, with a course just made."""
    server = place[1]
    shutil.rmtree(server.home / "atelier", ignore_errors=True)
    ticket = str(uuid.uuid4())
    portal.drafts = {ticket: {"slug": "essai-1", "title": "Mon <essai>", "author": "Claire"}}
    answer = server.get(f"pupitre/newcourse?ticket={ticket}")
    assert (answer.status_code, answer.headers["location"]) == (302, "/user/alice/pupitre/atelier/essai-1")
    return server


def course_of(server: LearnerServer) -> Path:
    return server.home / "atelier" / "essai-1"


def test_a_new_course_is_written_once(claire: LearnerServer, portal: Portal) -> None:
    course = course_of(claire)
    assert 'title: "Mon <essai>"' in (course / "course.yml").read_text()
    (course / "course.yml").write_text("à moi")
    (course / "m1" / "lecon.ipynb").unlink()
    claire.get(f"pupitre/newcourse?ticket={next(iter(portal.drafts))}")
    assert (course / "course.yml").read_text() == "à moi"
    assert not (course / "m1" / "lecon.ipynb").exists(), "a folder that has its course.yml is left alone"


def test_a_folder_left_half_written_is_completed(claire: LearnerServer, portal: Portal) -> None:
    course = course_of(claire)
    (course / "course.yml").unlink()
    (course / "m1" / "qcm.yml").unlink()
    (course / "m1" / "lecon.ipynb").write_text("à moi")
    claire.get(f"pupitre/newcourse?ticket={next(iter(portal.drafts))}")
    assert (course / "m1" / "qcm.yml").exists()
    assert (course / "m1" / "lecon.ipynb").read_text() == "à moi"


def test_a_ticket_of_someone_else_makes_nothing(claire: LearnerServer) -> None:
    page = claire.get(f"pupitre/newcourse?ticket={uuid.uuid4()}")
    assert page.status_code == 404
    assert "Ce parcours n’est pas à vous" in page.text


def test_the_page_offers_to_write_in_jupyterlab(claire: LearnerServer) -> None:
    page = claire.get(PAGE).text
    assert 'href="/user/alice/lab/tree/atelier/essai-1/m1/exercices.ipynb"' in page
    assert 'href="/user/alice/lab/tree/atelier/essai-1/course.yml"' in page


def test_the_preview_is_what_a_participant_gets(claire: LearnerServer) -> None:
    page = claire.post(PAGE, {"action": "preview"}, PAGE)
    assert page.status_code == 200
    assert 'href="/user/alice/voila/render/atelier/essai-1/apercu/m1/lecon.ipynb"' in page.text
    assert 'href="/user/alice/notebooks/atelier/essai-1/apercu/m1/exercices.ipynb"' in page.text
    released = (course_of(claire) / "apercu" / "m1" / "exercices.ipynb").read_text()
    assert "BEGIN HIDDEN" not in released
    assert "height in (5" not in released
    assert "0.5" not in "".join(json.loads(released)["cells"][2]["source"])
    assert not list((course_of(claire) / "apercu").rglob("qcm.yml")), "keys stay with the author"


def test_the_preview_of_a_wrong_notebook_is_a_sentence(claire: LearnerServer) -> None:
    notebook = course_of(claire) / "m1" / "exercices.ipynb"
    notebook.write_text(notebook.read_text().replace("### END SOLUTION", "# fin", 1))
    page = claire.post(PAGE, {"action": "preview"}, PAGE)
    assert page.status_code == 422
    assert "m1/exercices.ipynb" in page.text
    assert "END SOLUTION" in page.text


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("a: [", "course.yml, ligne 1"), ("title: x", "« modules » doit être une liste"), ("modules: 3", "« modules »")],
)
def test_the_preview_of_a_wrong_course_file_is_a_sentence(claire: LearnerServer, content: str, sentence: str) -> None:
    (course_of(claire) / "course.yml").write_text(content)
    page = claire.post(PAGE, {"action": "preview"}, PAGE)
    assert page.status_code == 422
    assert sentence in page.text


def test_publishing_sends_the_folder_and_nothing_else(claire: LearnerServer, portal: Portal) -> None:
    course = course_of(claire)
    claire.post(PAGE, {"action": "preview"}, PAGE)
    (course / ".ipynb_checkpoints").mkdir()
    (course / ".ipynb_checkpoints" / "x.ipynb").write_text("{}")
    page = claire.post(PAGE, {"action": "publish"}, PAGE)
    assert page.status_code == 200
    assert "La version 0.1 est publiée" in page.text
    sent = portal.calls[-1]
    assert (sent.method, sent.path) == ("PUT", "/api/v1/courses/essai-1")
    assert sorted(sent.parts()) == ["badge.svg", "course.yml", "m1/exercices.ipynb", "m1/lecon.ipynb", "m1/qcm.yml"]
    assert sent.parts()["course.yml"] == (course / "course.yml").read_bytes()


def test_the_portals_refusal_is_shown_on_the_page(claire: LearnerServer, portal: Portal) -> None:
    message = "course.yml, ligne 4, « titre » : clé inconnue."
    portal.answers["PUT", "/api/v1/courses/essai-1"] = (400, {"code": "bad-course", "message": message})
    page = claire.post(PAGE, {"action": "publish"}, PAGE)
    assert page.status_code == 400
    assert message in page.text
    assert "Publier" in page.text


def test_a_link_in_the_course_is_refused(claire: LearnerServer, portal: Portal) -> None:
    (course_of(claire) / "m1" / "secret.csv").symlink_to("/etc/passwd")
    page = claire.post(PAGE, {"action": "publish"}, PAGE)
    assert page.status_code == 409
    assert "secret.csv » est un lien" in page.text
    assert not any(call.method == "PUT" for call in portal.calls)


def test_publishing_needs_the_forms_token(claire: LearnerServer, portal: Portal) -> None:
    assert claire.client.post(PAGE, data={"action": "publish"}).status_code == 403
    assert not any(call.method == "PUT" for call in portal.calls)
