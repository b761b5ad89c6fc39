"""`pupitre autograde ASSIGNMENT`: nbgrader's autograde on any nbgrader course directory, several at once, in sandboxes."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from graders.standalone import course
from graders.standalone.course import NOTHING, OK, SOME_FAILED, CannotWork
from graders.standalone.pool import Job, Outcome, mark_all
from graders.standalone.service import NoIsolation, starting_forkd

_DESCRIPTION = """Corrige les devoirs déposés dans « submitted/ » d’un dossier de cours nbgrader, comme « nbgrader
autograde », plusieurs à la fois et sans que le code des élèves touche cette machine. Écrit « autograded/ » et le carnet de
notes (gradebook.db) ; les réglages du dossier (nbgrader_config.py) sont suivis."""


def main(arguments: Sequence[str]) -> int:
    given, others = _parse(arguments)
    began = time.monotonic()
    try:
        course.enter_course(given.course)
        # It warms up while nbgrader is imported.
        with starting_forkd("none" if given.no_isolation else "auto") as service:
            app = course.load_app("AutogradeApp", others, verbose=given.verbose)
            course.name_assignment(app, given.assignment)
            if given.student:
                app.coursedir.student_id = given.student
            students = course.find_students(app, app.coursedir.submitted_directory, app.coursedir.student_id)
            if not students:
                folder = Path(app.coursedir.submitted_directory).name
                sys.stderr.write(f"pupitre autograde : aucun devoir « {given.assignment} » dans {folder}/.\n")
                return NOTHING
            course.check_known(app)
            job = Job(app, given.notebook, given.force, service.wait())
            outcomes = _mark(job, students, given.jobs, quiet=given.quiet)
    except CannotWork as error:
        return course.refuse("autograde", error)
    except NoIsolation as error:
        advice = "Pour corriger quand même, sans isoler le code des élèves : --no-isolation"
        return course.refuse("autograde", f"{error}\n{advice}")
    _summarise(outcomes, time.monotonic() - began)
    if given.json:
        text = json.dumps([asdict(outcome) for outcome in outcomes], ensure_ascii=False, indent=1)
        given.json.write_text(text + "\n", encoding="utf-8")
    return SOME_FAILED if any(outcome.state == "failed" for outcome in outcomes) else OK


def _parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = course.make_parser("autograde", _DESCRIPTION)
    parser.add_argument("--student", help="un seul élève, ou un motif comme « 2de4-* »")
    parser.add_argument("--jobs", type=_positive, default=os.cpu_count() or 1, help="combien à la fois")
    parser.add_argument("--json", type=Path, metavar="FICHIER", help="écrire aussi le bilan dans ce fichier")
    parser.add_argument(
        "--no-isolation", action="store_true", help="où la machine ne permet pas d’isoler : à vos risques"
    )
    parser.add_argument("--quiet", action="store_true", help="sans barre de progression")
    given, others = course.parse(parser, arguments)
    if given.json:
        given.json = given.json.absolute()
    return given, others


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _mark(job: Job, students: Sequence[str], jobs: int, *, quiet: bool) -> list[Outcome]:
    outcomes = []
    columns = (
        TextColumn("Correction"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("reste"),
        TimeRemainingColumn(),
    )  # fmt: skip
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("", total=len(students))
        for outcome in mark_all(job, students, jobs):
            outcomes.append(outcome)
            bar.advance(task)
            if outcome.state == "failed":
                console.print(f"{outcome.student} : {outcome.message}", markup=False, highlight=False)
    return sorted(outcomes, key=lambda outcome: outcome.student)


def _summarise(outcomes: Sequence[Outcome], duration_s: float) -> None:
    counts = {
        state: sum(outcome.state == state for outcome in outcomes) for state in ("marked", "skipped", "empty", "failed")
    }
    lines = [
        f"Corrigés : {counts['marked']}. Déjà corrigés, laissés tels quels : {counts['skipped']}. "
        f"Sans carnet : {counts['empty']}. En échec : {counts['failed']}. Durée : {duration_s:.1f} s."
    ]
    width = max((len(outcome.student) for outcome in outcomes), default=0)
    for outcome in outcomes:
        notes = [f"{notebook} : {text}" for notebook, texts in outcome.repairs.items() for text in texts]
        notes += [f"{notebook} : exécution interrompue ({code})" for notebook, code in outcome.stops.items()]
        if outcome.message:
            notes.append(f"{'échec : ' if outcome.state == 'failed' else ''}{outcome.message}")
        lines += [f"  {outcome.student:<{width}}  {note}" for note in notes]
    sys.stdout.write("\n".join(lines) + "\n")
