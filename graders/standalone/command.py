"""`pupitre autograde ASSIGNMENT`: nbgrader's autograde on any nbgrader course directory, several at once, in sandboxes."""

from __future__ import annotations

import argparse
import glob
import json
import logging
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from graders.standalone.pool import Job, Outcome, mark_all
from graders.standalone.service import NoIsolation, running_forkd

OK, SOME_FAILED, USAGE, NOTHING = 0, 1, 2, 3
_DESCRIPTION = """Corrige les devoirs déposés dans « submitted/ » d’un dossier de cours nbgrader, comme « nbgrader
autograde », plusieurs à la fois et sans que le code des élèves touche cette machine. Écrit « autograded/ » et le carnet de
notes (gradebook.db) ; les réglages du dossier (nbgrader_config.py) sont suivis."""
_ENDS = (
    "Code de sortie : 0 tout est corrigé, 1 un devoir au moins a échoué, 2 la commande est mal écrite ou ne peut pas \
travailler ici, 3 aucun devoir ne correspond."
)


def main(arguments: Sequence[str]) -> int:
    given = _parse(arguments)
    course = given.course.resolve()
    if not course.is_dir():
        return _refuse(f"le dossier {given.course} n’existe pas.")
    os.chdir(course)
    app = load_app(given.verbose)
    students = find_students(app, given.assignment, given.student)
    if not students:
        sys.stderr.write(
            f"pupitre autograde : aucun devoir « {given.assignment} » dans {app.coursedir.submitted_directory}/.\n"
        )
        return NOTHING
    if not is_known(app, given.assignment):
        return _refuse(
            f"le devoir « {given.assignment} » n’est pas dans le carnet de notes. "
            f"Préparez-le d’abord : nbgrader generate_assignment {given.assignment}"
        )
    began = time.monotonic()
    try:
        with running_forkd("none" if given.no_isolation else "auto") as forkd:
            job = Job(app, given.assignment, given.notebook, given.force, forkd)
            outcomes = _mark(job, students, given.jobs, quiet=given.quiet)
    except NoIsolation as error:
        return _refuse(f"{error}\nPour corriger quand même, sans isoler le code des élèves : --no-isolation")
    _summarise(outcomes, time.monotonic() - began)
    if given.json:
        text = json.dumps([asdict(outcome) for outcome in outcomes], ensure_ascii=False, indent=1)
        given.json.write_text(text + "\n", encoding="utf-8")
    return SOME_FAILED if any(outcome.state == "failed" for outcome in outcomes) else OK


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="pupitre autograde", description=_DESCRIPTION, epilog=_ENDS)
    parser.add_argument("assignment", help="le nom du devoir, comme « ps1 »")
    parser.add_argument("--course", type=Path, default=Path(), help="le dossier du cours (par défaut : celui-ci)")
    parser.add_argument("--student", default="*", help="un seul élève, ou un motif comme « 2de4-* »")
    parser.add_argument("--notebook", default="*", help="un seul carnet du devoir, sans « .ipynb »")
    parser.add_argument("--jobs", type=_positive, default=os.cpu_count() or 1, help="combien à la fois")
    parser.add_argument("--force", action="store_true", help="corriger de nouveau ce qui l’est déjà")
    parser.add_argument("--json", type=Path, metavar="FICHIER", help="écrire aussi le bilan dans ce fichier")
    parser.add_argument(
        "--no-isolation", action="store_true", help="où la machine ne permet pas d’isoler : à vos risques"
    )
    parser.add_argument("--quiet", action="store_true", help="sans barre de progression")
    parser.add_argument("--verbose", action="store_true", help="avec le journal de nbgrader")
    given = parser.parse_args(arguments)
    if given.json:
        given.json = given.json.absolute()
    return given


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def load_app(verbose: bool = False) -> Any:
    """nbgrader's application, with the configuration of the working directory's course.

    It is the course's own (`nbgrader_config.py` is a program, run here): only for a teacher's own folder.
    """
    from nbgrader.apps.baseapp import NbGrader

    app: Any = NbGrader()
    app.log_level = logging.INFO if verbose else logging.CRITICAL
    app.initialize([])
    app.log.setLevel(logging.INFO if verbose else logging.ERROR)
    if not verbose:
        for handler in list(app.log.handlers):
            app.log.removeHandler(handler)
        app.log.propagate = False
    return app


def find_students(app: Any, assignment: str, pattern: str) -> list[str]:
    """Who has something in `submitted/` for this assignment, in order."""
    import re

    folder = app.coursedir.format_path(app.coursedir.submitted_directory, "(?P<student>[^/]+)", assignment, escape=True)
    shown = app.coursedir.format_path(app.coursedir.submitted_directory, pattern, assignment)
    found = (re.fullmatch(folder, path) for path in glob.glob(shown))  # noqa: PTH207 — nbgrader's own way of matching
    excluded = set(filter(None, app.coursedir.student_id_exclude.split(",")))
    return sorted({match["student"] for match in found if match} - excluded)


def is_known(app: Any, assignment: str) -> bool:
    from nbgrader.api import Gradebook, MissingEntry

    with Gradebook(app.coursedir.db_url, app.coursedir.course_id) as gradebook:
        try:
            gradebook.find_assignment(assignment)
        except MissingEntry:
            return False
    return True


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
    counts = {state: sum(outcome.state == state for outcome in outcomes) for state in ("marked", "skipped", "failed")}
    lines = [
        f"Corrigés : {counts['marked']}. Déjà corrigés, laissés tels quels : {counts['skipped']}. "
        f"En échec : {counts['failed']}. Durée : {duration_s:.1f} s."
    ]
    width = max((len(outcome.student) for outcome in outcomes), default=0)
    for outcome in outcomes:
        notes = [f"{notebook} : {text}" for notebook, texts in outcome.repairs.items() for text in texts]
        notes += [f"{notebook} : exécution interrompue ({code})" for notebook, code in outcome.stops.items()]
        if outcome.state == "failed":
            notes.append(f"échec : {outcome.message}")
        lines += [f"  {outcome.student:<{width}}  {note}" for note in notes]
    sys.stdout.write("\n".join(lines) + "\n")


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"pupitre autograde : {sentence}\n")
    return USAGE
