"""All the checks of a course, several notebooks at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from graders.engine.plain import PlainStarter
from graders.engine.release import describe_notebook
from graders.errors import GradersError
from hub.portal.authoring.checkcourse.execution import execute
from hub.portal.authoring.checkcourse.figures import check_figures, check_images, check_static_equivalents
from hub.portal.authoring.checkcourse.findings import Finding, Report
from hub.portal.authoring.checkcourse.folder import CourseFolder, CourseNotebook, load_folder
from hub.portal.authoring.checkcourse.marks import check_marks
from hub.portal.authoring.checkcourse.prose import list_passages
from hub.portal.authoring.checkcourse.reading import check_code, check_ids, check_links, check_prose
from hub.portal.authoring.checkcourse.spelling import SpellingUnavailable, check_spelling, load_speller, load_words
from hub.portal.catalogue.coursefile import COURSE_FILE, CourseFileError
from sandbox.client import Forkd

Progress = Callable[[str, int, int], None]
"""(what was just done, how many are done, of how many)."""


def check_course(
    folder: Path,
    *,
    jobs: int = 2,
    forkd: Path | None = None,
    node_modules: Path = Path("node_modules"),
    run: bool = True,
    progress: Progress = lambda *_: None,
) -> Report:
    """Everything that a careful reader would find. `forkd`: the socket of a forkd that answers; None runs the code here."""
    report = Report(folder.name, isolated=forkd is not None)
    try:
        course = load_folder(folder)
    except CourseFileError as error:
        where = f"ligne {error.line}, " if error.line else ""
        key = f"« {error.key} » : " if error.key else ""
        report.findings.append(Finding(error.file, "", "course-file", f"{where}{key}{error.message}."))
        return report
    report.points = _count_points(course)
    found = {notebook.file: list(_check_source(notebook)) for notebook in course.notebooks}
    if run:
        for notebook, duration_s, findings in _run_all(course, jobs, forkd, progress):
            report.durations_s[notebook.file] = duration_s
            found[notebook.file] += findings
    else:
        report.unchecked.append(
            "les carnets n’ont pas été exécutés (--no-run) : ni erreurs, ni figures, ni points vérifiés."
        )
    report.findings = [finding for findings in found.values() for finding in findings]
    report.findings += _check_texts(course, node_modules, report)
    report.findings.sort(key=lambda finding: _place(course, finding.file))
    return report


def _check_source(notebook: CourseNotebook) -> Iterator[Finding]:
    yield from check_ids(notebook)
    yield from check_code(notebook)
    yield from check_links(notebook)
    yield from check_static_equivalents(notebook)


def _run_all(
    course: CourseFolder, jobs: int, forkd: Path | None, progress: Progress
) -> Iterator[tuple[CourseNotebook, float, list[Finding]]]:
    done = 0
    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        results = pool.map(lambda notebook: _check_run(notebook, forkd), course.notebooks)
        for notebook, (duration_s, findings) in zip(course.notebooks, results, strict=True):
            done += 1
            progress(notebook.file, done, len(course.notebooks))
            yield notebook, duration_s, findings


def _check_run(notebook: CourseNotebook, forkd: Path | None) -> tuple[float, list[Finding]]:
    run = execute(notebook, forkd)
    findings = [*run.findings, *check_figures(notebook, run), *check_images(notebook, run)]
    if not notebook.is_lesson:
        try:
            findings += check_marks(notebook, Forkd(forkd) if forkd else PlainStarter())
        except GradersError as error:
            findings.append(
                Finding(notebook.file, "", "solution", f"le carnet ne peut pas être corrigé : {error.message}")
            )
    return run.duration_s, findings


def _check_texts(course: CourseFolder, node_modules: Path, report: Report) -> Iterable[Finding]:
    passages = list(list_passages(course))
    findings = list(check_prose(passages, _list_exercises(course)))
    try:
        speller = load_speller(node_modules)
    except SpellingUnavailable as error:
        report.unchecked.append(str(error))
        return findings
    return [*findings, *check_spelling(passages, speller, load_words(course.folder))]


def _list_exercises(course: CourseFolder) -> set[str]:
    """Numbers of exercises (3.1) and of bonus ones (B1.2, written 1.2 after its letter)."""
    specs = [
        spec for notebook in course.notebooks if not notebook.is_lesson for spec in describe_notebook(notebook.source)
    ]
    return {spec.exercise for spec in specs} | {course.course.version}


def _count_points(course: CourseFolder) -> dict[str, float]:
    modules = course.course.main_modules
    parts = {kind: sum(getattr(module.points, kind) for module in modules) for kind in ("auto", "quiz", "manual")}
    return {**parts, "total": sum(parts.values())}


def _place(course: CourseFolder, file: str) -> int:
    files = [
        COURSE_FILE,
        *(
            file
            for module in course.course.modules
            for file in (module.lesson, module.assignment, module.quiz, module.sheet)
        ),
    ]
    return files.index(file) if file in files else len(files)
