"""`pupitre release ASSIGNMENT`: nbgrader's generate_assignment, whose refusals name the cell and say what to do."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from graders.standalone import course
from graders.standalone.course import OK, CannotWork

_DESCRIPTION = """Prépare un devoir : de « source/ » vers « release/ », sans les solutions ni les tests cachés, et l’inscrit
au carnet de notes, comme « nbgrader generate_assignment »."""


def main(arguments: Sequence[str]) -> int:
    parser = course.make_parser("release", _DESCRIPTION)
    given, others = course.parse(parser, arguments)
    try:
        course.enter_course(given.course)
        app = course.load_app("GenerateAssignmentApp", others, verbose=given.verbose)
        course.name_assignment(app, given.assignment)
        app.coursedir.notebook_id = given.notebook
        if given.force:
            app.config.BaseConverter.force = True
        released = Path(app.coursedir.format_path(app.coursedir.release_directory, ".", given.assignment))
        was_there = released.is_dir()
        with _restored_on_failure(released):
            _generate(app)
    except CannotWork as error:
        return course.refuse("release", error)
    if was_there and not app.config.BaseConverter.get("force"):
        sys.stdout.write(
            f"{_show(released)} existait déjà et n’a pas changé ; pour le préparer de nouveau, ajoutez --force.\n"
        )
    else:
        sys.stdout.write(_summarise(released))
    return OK


def _generate(app: Any) -> None:
    with course.listening(app.log) as told:
        try:
            app.extra_args = []
            app.start()
        except SystemExit as end:
            raise CannotWork(_explain(app) or told.last) from end


def _explain(app: Any) -> str:
    """The first source notebook that cannot be released, in our words; empty when they find nothing wrong."""
    from graders.engine.release import describe_notebook
    from graders.errors import ReleaseError

    folder = Path(app.coursedir.format_path(app.coursedir.source_directory, ".", app.coursedir.assignment_id))
    paths = sorted(folder.glob(f"{app.coursedir.notebook_id}.ipynb"))
    if not paths:
        return f"aucun carnet dans {_show(folder)}."
    for path in paths:
        try:
            describe_notebook(path.read_bytes())
        except ReleaseError as error:
            if error.code not in ("autotest", "language"):  # nbgrader does those
                return f"{path.name} : {error.message}"
    return ""


@contextlib.contextmanager
def _restored_on_failure(folder: Path) -> Iterator[None]:
    """nbgrader begins by removing what `--force` replaces: an assignment that cannot be prepared must not take that away."""
    kept = folder.with_name(f".{folder.name}.avant")
    if folder.is_dir():
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(folder, kept)
    try:
        yield
    except CannotWork:
        if kept.is_dir():
            shutil.rmtree(folder, ignore_errors=True)
            kept.rename(folder)
        raise
    finally:
        shutil.rmtree(kept, ignore_errors=True)


def _summarise(folder: Path) -> str:
    lines = []
    for path in sorted(folder.glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        graded = [m for c in cells if (m := c["metadata"].get("nbgrader", {})).get("grade") or m.get("task")]
        points = sum(float(meta.get("points", 0)) for meta in graded)
        lines.append(f"  {path.name} : {len(graded)} cellules notées, {points:g} points")
    return f"Devoir préparé dans {_show(folder)}.\n" + "\n".join(lines) + "\n"


def _show(folder: Path) -> str:
    """As seen from the course's folder, where the command works."""
    with contextlib.suppress(ValueError):
        return f"{folder.resolve().relative_to(Path.cwd())}/"
    return f"{folder}/"
