"""The small lively world of `make demo`: people, enrolments, quizzes, attempts really marked, a badge really signed.

Laws: everything goes through the same functions as the pages; may run again on the same state (passwords are then drawn
anew, nothing is done twice); only `seeddemo` calls it.
"""

from __future__ import annotations

import json
import secrets
import time
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from django.utils import timezone

from graders.attempts import receive
from graders.engine.release import release_notebook
from graders.marks import ManualMark, set_manual
from graders.models import Attempt, AttemptState
from hub.jupyter.bridge.coursetemplate import make_course_files
from hub.portal.accounts.models import User
from hub.portal.catalogue.models import CourseSession, SessionRole
from hub.portal.learning import progress, quiz
from hub.portal.learning.enrolling import enrol
from hub.portal.learning.models import Enrolment

MARKING_PATIENCE_S = 180
SMALL_COURSE = "premiers-pas"
TEXT_ANSWER = (
    "En seconde, je donnerais la fonction toute faite et ne ferais écrire que l'appel ; "
    "l'erreur que j'attends est la virgule décimale."
)
REMARK = "La capacité est bien visée ; précisez ce que l'élève verra à l'écran quand il se trompe."
NAMESPACE = uuid.UUID("6c0ea0c8-1c3f-4d2c-9f0e-3a5f7a9f6f51")


@dataclass(frozen=True)
class Person:
    """One of the cast, with a password to print."""

    name: str
    email: str
    role: str
    password: str
    user: User


def ensure_person(name: str, email: str, role: str, **flags: bool) -> Person:
    password = secrets.token_urlsafe(9)
    user = User.objects.filter(email=email).first() or User.objects.create_user(email, display_name=name)
    for flag, value in flags.items():
        setattr(user, flag, value)
    user.approved_at = user.approved_at or timezone.now()
    user.set_password(password)
    user.save()
    EmailAddress.objects.update_or_create(user=user, email=email, defaults={"verified": True, "primary": True})
    return Person(name, email, role, password, user)


def write_small_course(folder: Path, author: Person) -> Path:
    """The course that an author starts from, as she would publish it; the folder that holds it."""
    course = folder / SMALL_COURSE
    for path, data in make_course_files(SMALL_COURSE, "Premiers pas avec les carnets", author.name):
        file = course / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return course


def answered(source: bytes, wrong: Collection[str] = (), text: str = TEXT_ANSWER) -> bytes:
    """The learner's copy of an assignment with the author's answers, except for the exercises named `wrong` ("1.3").

    A question in words is answered by `text`.
    """
    released = json.loads(release_notebook(source))
    for cell in released["cells"]:
        about = cell["metadata"].get("nbgrader", {})
        if about.get("solution") and about.get("grade") and cell["cell_type"] == "markdown":
            cell["source"] = text
    answers = {_grade_id(cell): _text(cell) for cell in _answer_cells(json.loads(source))}
    for cell in _answer_cells(released):
        first_line = _text(cell).partition("\n")[0].strip()
        if not any(first_line.endswith(f"Exercice {exercise}") for exercise in wrong):
            lines = answers[_grade_id(cell)].splitlines()
            cell["source"] = "\n".join(line for line in lines if "SOLUTION" not in line)
    return json.dumps(released).encode()


def _answer_cells(notebook: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for cell in notebook["cells"]:
        about = cell["metadata"].get("nbgrader", {})
        if about.get("solution") and cell["cell_type"] == "code":
            yield cell


def _grade_id(cell: dict[str, Any]) -> str:
    return str(cell["metadata"]["nbgrader"]["grade_id"])


def _text(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def study(
    person: Person, session: CourseSession, course: Path, modules: Collection[str], wrong: Collection[str] = ()
) -> None:
    """Open the modules, answer their quizzes and submit their exercises, as the person would."""
    enrolment = enrol(session, person.user)
    for module in session.modules:
        if module.slug not in modules:
            continue
        progress.mark_opened(enrolment, module.slug, lesson=True)
        _take_quiz(enrolment, module.slug)
        if module.assignment:
            source = (course / module.assignment).read_bytes()
            prefix = module.slug.removeprefix("m").upper() + "."
            missed = sorted(exercise for exercise in wrong if exercise.startswith(prefix))
            tries = [missed, []] if missed else [[]]
            for number, missing in enumerate(tries):
                receive(
                    learner=person.user,
                    session=session.slug,
                    assignment=module.slug,
                    client_id=uuid.uuid5(NAMESPACE, f"{person.email}/{session.slug}/{module.slug}/{number}"),
                    files={Path(module.assignment).name: answered(source, missing)},
                )


def _take_quiz(enrolment: Enrolment, module: str) -> None:
    found = quiz.find_quiz(enrolment.session.course_version, module)
    if found is None or enrolment.quiz_answers.filter(module=module).exists():
        return
    right = {
        question.id: question.key or [0]  # an opinion has no right choice
        for question in found.questions
    }
    quiz.answer_quiz(enrolment, module, found, right)
    progress.refresh(enrolment, module)


def wait_until_marked() -> None:
    """Until no attempt waits.

    Raises
    ------
    TimeoutError
        The workers did not mark them in time.
    """
    deadline = time.monotonic() + MARKING_PATIENCE_S
    while Attempt.objects.filter(state__in=[AttemptState.QUEUED, AttemptState.RUNNING]).exists():
        if time.monotonic() > deadline:
            raise TimeoutError("la correction des essais de démonstration n'a pas abouti")
        time.sleep(0.2)


def review(grader: Person, learner: Person, session: CourseSession, module: str, points: Sequence[float]) -> None:
    """Mark what a person must mark in the learner's last attempt, as the review page would; not twice."""
    attempts = Attempt.objects.filter(learner=learner.user, assignment__session=session.slug, assignment__name=module)
    attempt = attempts.order_by("-number").first()
    if attempt is None or not attempt.waits_for_grader:
        return
    waiting = [cell for cell in attempt.cells.order_by("position") if cell.waits_for_grader]
    marks = [
        ManualMark(cell.notebook, cell.grade_id, given, REMARK if number == 0 else "")
        for number, (cell, given) in enumerate(zip(waiting, points, strict=True))
    ]
    set_manual(attempt=attempt, grader=grader.user, marks=marks, seen_review=None)


def ensure_roles(session: CourseSession, person: Person) -> None:
    for role in (SessionRole.Role.TRAINER, SessionRole.Role.GRADER):
        SessionRole.objects.get_or_create(session=session, user=person.user, role=role)
