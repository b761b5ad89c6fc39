"""A quiz without points: opinions are accepted, answers lead to a route, and a module of 0 point is a module like another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.portal.catalogue.coursefile import CourseFileError, load_course
from hub.portal.catalogue.quizfile import Quiz
from hub.portal.learning.models import ModuleProgress, QuizAnswer

DIAGNOSTIC = """
points: 0
questions:
  - id: somme
    text: "Que vaut `2 + 2` ?"
    choices:
      - { text: "`3`", feedback: "REMARQUE-TROIS : comptez encore.", code: E02 }
      - { text: "`4`", correct: true, feedback: "REMARQUE-QUATRE : oui." }
  - id: matiere
    text: "Que préférez-vous ?"
    choices:
      - { id: pc, text: "La chimie", feedback: "REMARQUE-CHIMIE." }
      - { id: maths, text: "La géométrie" }
routes:
  - title: Itinéraire du débutant
    text: "Faites **tout**."
    modules: [ m0, m2 ]
    when: { max_right: 0 }
  - title: Itinéraire de qui a codé
    text: "Allez au second module."
    modules: [ m2 ]
    when: { min_right: 1 }
  - title: Variante de chimie
    text: "Choisissez la variante de chimie."
    when: { chosen: { matiere: [ pc ] } }
"""
PAGE = "/session/petit/module/m0/qcm/"
BEGINNER = {"question-somme": ["0"], "question-matiere": ["0"]}
CODER = {"question-somme": ["1"], "question-matiere": ["1"]}


@pytest.fixture
def diagnostic_folder(course_folder: Path) -> Path:
    """The tiny course with a module of 0 point in front: a diagnostic and a notebook whose only test gives nothing."""
    notebook = json.loads((course_folder / "m1" / "exercices.ipynb").read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade"):
            cell["metadata"]["nbgrader"]["points"] = 0
    (course_folder / "m0").mkdir()
    (course_folder / "m0" / "exercices.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    (course_folder / "m0" / "qcm.yml").write_text(DIAGNOSTIC, encoding="utf-8")
    file = course_folder / "course.yml"
    module = (
        "modules:\n  - { slug: m0, title: Se situer, minutes: 10, assignment: m0/exercices.ipynb, quiz: m0/qcm.yml }\n"
    )
    text = file.read_text(encoding="utf-8").replace("modules:\n", module, 1).replace('version: "1.0"', 'version: "1.1"')
    file.write_text(text, encoding="utf-8")
    return course_folder


@pytest.fixture
def session(db, diagnostic_folder, alice):
    from hub.portal.catalogue.models import CourseSession
    from hub.portal.catalogue.publish import publish_course
    from hub.portal.learning.enrolling import enrol

    publish_course(diagnostic_folder)
    session = CourseSession.objects.get(slug="petit")
    enrol(session, alice)
    return session


def test_before_an_answer_no_route_and_no_key_is_sent(session, alice, signed_in):
    text = signed_in(alice).get(PAGE).content.decode()
    assert "ne sont pas notées" in text and "Que préférez-vous" in text
    assert "Itinéraire" not in text and "REMARQUE" not in text


@pytest.mark.parametrize(
    ("answers", "shown", "absent"),
    [
        (BEGINNER, ["Itinéraire du débutant", "Variante de chimie", "Second module"], ["Itinéraire de qui a codé"]),
        (CODER, ["Itinéraire de qui a codé", "Second module"], ["Itinéraire du débutant", "Variante de chimie"]),
    ],
)
def test_answers_lead_to_routes(session, alice, signed_in, answers, shown, absent):
    browser = signed_in(alice)
    answer = browser.post(PAGE, answers)
    assert answer["Location"] == f"{PAGE}?passage=1#resultat"
    text = browser.get(PAGE + "?passage=1").content.decode()
    for words in shown:
        assert words in text
    for words in absent:
        assert words not in text
    assert "/ 0" not in text  # never « 0 / 0 »
    assert 'href="/session/petit/module/m2/"' in text


def test_an_opinion_is_neither_right_nor_wrong(session, alice, signed_in):
    browser = signed_in(alice)
    browser.post(PAGE, BEGINNER)
    somme, matiere = browser.get(PAGE + "?passage=1").context["questions"]
    assert (somme.correct, matiere.correct) == (False, None)
    assert matiere.choices[0].feedback == "REMARQUE-CHIMIE."


def test_an_opinion_must_be_given_too(session, alice, signed_in):
    page = signed_in(alice).post(PAGE, {"question-somme": ["1"]})
    assert page.status_code == 400
    assert not QuizAnswer.objects.exists()


def test_a_module_of_no_point_is_done_when_its_steps_are(session, alice, signed_in, make_attempt):
    browser = signed_in(alice)
    page = "/session/petit/module/m0/"
    text = browser.get(page).content.decode()
    assert "Rien n’est noté" in text
    make_attempt(alice, "petit", "m0", {"ex-1-1-test": 0})
    steps = browser.get("/session/petit/").context["steps"]
    assert (steps[0].state, steps[0].remaining) == ("current", "répondre au questionnaire")
    browser.post(PAGE, CODER)
    text = browser.get(page).content.decode()
    assert "/ 0" not in text
    assert f"{PAGE}?passage=1#resultat" in text
    row = ModuleProgress.objects.get(enrolment__session=session, enrolment__learner=alice, module="m0")
    assert (row.points, row.max_points, row.quiz_takes, row.attempt_number) == (0, 0, 1, 1)
    outline = browser.get("/session/petit/").context["steps"]
    assert next((step.module.slug, step.state) for step in outline) == ("m0", "done")


def refusal(folder: Path, old: str, new: str) -> CourseFileError:
    path = folder / "m0" / "qcm.yml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(CourseFileError) as caught:
        load_course(folder)
    return caught.value


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("modules: [ m2 ]", "modules: [ m7 ]", "routes[2].modules[1]", "« m7 » n’est pas un module"),
        ("matiere: [ pc ]", "matiere: [ latin ]", "routes[3].when.chosen.matiere", "« latin » n’est pas"),
        ("matiere: [ pc ]", "metier: [ pc ]", "routes[3].when.chosen.metier", "n’est pas une question"),
        ("id: maths,", "id: pc,", "questions[2].choices[2].id", "sert deux fois"),
        ("min_right: 1", "min_rigth: 1", "routes[2].when.min_rigth", "inconnue"),
        ("min_right: 1", "min_right: -1", "routes[2].when.min_right", "trop petite"),
        ("title: Variante de chimie", "titre: Variante", "routes[3].title", "obligatoire"),
    ],
)
def test_a_wrong_route_is_refused(diagnostic_folder, old, new, key, words):
    error = refusal(diagnostic_folder, old, new)
    assert (error.file, error.key) == ("m0/qcm.yml", key)
    assert words in str(error).replace("\u00a0", " ")


def test_an_opinion_needs_a_quiz_without_points(diagnostic_folder):
    file = diagnostic_folder / "course.yml"
    text = file.read_text(encoding="utf-8").replace(
        "quiz: m0/qcm.yml }", "quiz: m0/qcm.yml, points: { auto: 0, quiz: 2, manual: 0 } }"
    )
    file.write_text(text, encoding="utf-8")
    error = refusal(diagnostic_folder, "points: 0", "points: 2")
    assert error.key == "questions[2]" and "sans points" in str(error)


def test_unused_keys_are_not_written():
    """A quiz published before routes existed keeps its digest."""
    content = {
        "points": 1.0,
        "pass": 100.0,
        "questions": [
            {
                "id": "a",
                "text": "?",
                "choices": [
                    {"text": "x", "correct": True, "feedback": "", "code": ""},
                    {"text": "y", "correct": False, "feedback": "", "code": ""},
                ],
            }
        ],
    }
    assert Quiz.model_validate(content).model_dump(mode="json", by_alias=True) == content
