"""`pupitre feedback ASSIGNMENT`: what learners read, where nbgrader's generate_feedback writes it.

Law: the page shows marks, comments and the notebook as it was handed in, never as it ran: nbgrader's own pages hold the hidden
tests, with their values and their tracebacks.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graders.standalone import course
from graders.standalone.course import NOTHING, OK, SOME_FAILED, CannotWork

_DESCRIPTION = """Écrit pour chaque élève, dans « feedback/ », une page par carnet : ses points, les commentaires et ce qu’il a
rendu. Les tests cachés n’y sont pas."""


def main(arguments: Sequence[str]) -> int:
    parser = course.make_parser("feedback", _DESCRIPTION)
    parser.add_argument("--student", help="un seul élève, ou un motif comme « 2de4-* »")
    given, others = course.parse(parser, arguments)
    try:
        course.enter_course(given.course)
        app = course.load_app("GenerateFeedbackApp", others, verbose=given.verbose)
        course.name_assignment(app, given.assignment)
        if given.student:
            app.coursedir.student_id = given.student
        students = course.find_students(app, app.coursedir.autograded_directory, app.coursedir.student_id)
        if not students:
            sys.stderr.write(
                f"pupitre feedback : aucun devoir « {given.assignment} » n’est corrigé. "
                f"Corrigez d’abord : pupitre autograde {given.assignment}\n"
            )
            return NOTHING
        course.check_known(app)
        app.coursedir.notebook_id = given.notebook
        failures = _write(app, students, force=given.force)
    except CannotWork as error:
        return course.refuse("feedback", error)
    sys.stdout.write(f"Retours écrits ou à jour : {len(students) - len(failures)}. En échec : {len(failures)}.\n")
    sys.stdout.writelines(f"  {student}  échec : {message}\n" for student, message in failures.items())
    return SOME_FAILED if failures else OK


def _write(app: Any, students: Sequence[str], *, force: bool) -> dict[str, str]:
    """Student → why there is no page."""
    from nbgrader.converters.base import NbGraderException
    from nbgrader.coursedir import CourseDirectory

    from graders.standalone.gradebook import keep_gradebooks
    from graders.standalone.pages import FeedbackPages

    keep_gradebooks()
    failures: dict[str, str] = {}
    for student in students:
        named = CourseDirectory(parent=app, assignment_id=app.coursedir.assignment_id)
        named.student_id, named.notebook_id = student, app.coursedir.notebook_id
        folder = Path(named.format_path(named.autograded_directory, student, named.assignment_id))
        if not any(folder.glob(f"{named.notebook_id}.ipynb")):
            continue
        converter = FeedbackPages(coursedir=named, parent=app)
        converter.force = converter.force or force
        with course.listening(converter.log) as told:
            try:
                converter.start()
            except NbGraderException as error:
                failures[student] = told.last or str(error)
    return failures
