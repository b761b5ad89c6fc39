"""An nbgrader course directory: nbgrader's own application with the settings found there, and who handed in what.

Its `nbgrader_config.py` is a program, and is run here: these commands are for a teacher's own folder.
"""

from __future__ import annotations

import argparse
import contextlib
import glob
import logging
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

OK, SOME_FAILED, USAGE, NOTHING = 0, 1, 2, 3
EXIT_CODES = (
    "Code de sortie : 0 tout est fait, 1 un devoir au moins a échoué, 2 la commande est mal écrite ou ne peut pas "
    "travailler ici, 3 aucun devoir ne correspond."
)
PASSED_ON = "Toute autre option est passée à nbgrader : --db, --Execute.timeout=60… (la liste : --help-all)."
# Its grammar takes a third of the start-up to build, for a check of addresses that no notebook asks for.
_SLOW_IMPORT = "rfc3987_syntax"


class CannotWork(Exception):
    """The command cannot work here; the message is a sentence for the teacher."""


def make_parser(command: str, description: str) -> argparse.ArgumentParser:
    """The options that the three commands share."""
    parser = argparse.ArgumentParser(
        prog=f"pupitre {command}", description=description, epilog=f"{PASSED_ON} {EXIT_CODES}", allow_abbrev=False
    )
    parser.add_argument("assignment", nargs="?", help="le nom du devoir, comme « ps1 »")
    parser.add_argument("--course", type=Path, default=Path(), help="le dossier du cours (par défaut : celui-ci)")
    parser.add_argument("--notebook", default="*", help="un seul carnet du devoir, sans « .ipynb »")
    parser.add_argument("--force", "-f", action="store_true", help="refaire ce qui est déjà fait")
    parser.add_argument("--verbose", action="store_true", help="avec le journal de nbgrader")
    return parser


def parse(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Our options, and those left to nbgrader. Help, or an option of ours that is wrong, ends the process as argparse does."""
    given, others = parser.parse_known_args(arguments)
    if given.assignment is None and "--help-all" not in others:
        parser.error("indiquez le nom du devoir, comme « ps1 »")
    return given, others


def enter_course(folder: Path) -> None:
    """Work in the course's folder from now on.

    Raises
    ------
    CannotWork
        There is no such folder.
    """
    if not folder.is_dir():
        raise CannotWork(f"le dossier {folder} n’existe pas.")
    os.chdir(folder)


def import_nbgrader() -> None:
    """nbgrader's packages, without what costs time and is not used."""
    kept = sys.modules.get(_SLOW_IMPORT)
    sys.modules[_SLOW_IMPORT] = None  # type: ignore[assignment]
    try:
        import nbgrader.apps  # noqa: F401
    finally:
        del sys.modules[_SLOW_IMPORT]
        if kept is not None:
            sys.modules[_SLOW_IMPORT] = kept


def load_app(name: str, others: Sequence[str], *, verbose: bool = False) -> Any:
    """nbgrader's application `name`, configured as in the working directory and by `others`.

    Raises
    ------
    CannotWork
        The settings are wrong; nbgrader's own message says which.
    """
    import_nbgrader()
    from nbgrader import apps

    # nbgrader runs `alembic` from PATH.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    app: Any = getattr(apps, name)()
    app.log_level = logging.INFO if verbose else logging.ERROR
    app.raise_config_file_errors = True  # a teacher whose settings are not followed must know
    if not verbose:
        app.logging_config = {"handlers": {"console": {"level": "CRITICAL"}}}
    with listening(app.log) as told:
        try:
            app.initialize(list(others))
        except SystemExit as end:
            if end.code:
                raise CannotWork(told.last or f"nbgrader ne comprend pas : {' '.join(others)}") from end
            raise
        except Exception as error:
            raise CannotWork(f"nbgrader_config.py s’arrête sur une erreur : {type(error).__name__}: {error}") from error
    return app


def name_assignment(app: Any, assignment: str) -> None:
    """Say to nbgrader which assignment it is about.

    Raises
    ------
    CannotWork
        nbgrader allows no such name, or another one was given to it.
    """
    from traitlets import TraitError

    if app.coursedir.assignment_id or app.extra_args:
        said = ", ".join(filter(None, [app.coursedir.assignment_id, assignment, *app.extra_args]))
        raise CannotWork(f"un seul devoir à la fois : {said}.")
    try:
        app.coursedir.assignment_id = assignment
    except TraitError as error:
        raise CannotWork(f"« {assignment} » n’est pas un nom de devoir : nbgrader n’y accepte pas « + ».") from error


def find_students(app: Any, folder: str, pattern: str) -> list[str]:
    """Who has something in `folder` (such as `submitted`) for the assignment, in order."""
    assignment = app.coursedir.assignment_id
    named = app.coursedir.format_path(folder, "(?P<student>[^/]+)", assignment, escape=True)
    shown = app.coursedir.format_path(folder, pattern, assignment)
    found = (re.fullmatch(named, path) for path in glob.glob(shown))  # noqa: PTH207 — nbgrader's own way of matching
    excluded = set(filter(None, app.coursedir.student_id_exclude.split(",")))
    return sorted({match["student"] for match in found if match} - excluded)


def check_known(app: Any) -> None:
    """The assignment is in the gradebook.

    Raises
    ------
    CannotWork
        It is not; a gradebook that is not there is not created.
    """
    from nbgrader.api import Gradebook, MissingEntry

    url, assignment = app.coursedir.db_url, app.coursedir.assignment_id
    problem = CannotWork(
        f"le devoir « {assignment} » n’est pas dans le carnet de notes. Préparez-le d’abord : pupitre release {assignment}"
    )
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        raise problem
    with Gradebook(url, app.coursedir.course_id) as gradebook:
        try:
            gradebook.find_assignment(assignment)
        except MissingEntry:
            raise problem from None


class Told(logging.Handler):
    """Keeps the last line of the first error: nbgrader's exceptions only say « see above »."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.last = ""
        self._has_cause = False

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage().strip()
        if text.startswith("Traceback"):
            self.last, self._has_cause = text.rpartition("\n")[2], True
        elif not self._has_cause and not self.last:
            self.last = text


@contextlib.contextmanager
def listening(log: Any) -> Iterator[Told]:
    told = Told()
    log.addHandler(told)
    try:
        yield told
    finally:
        log.removeHandler(told)


def refuse(command: str, sentence: object) -> int:
    sys.stderr.write(f"pupitre {command} : {sentence}\n")
    return USAGE
