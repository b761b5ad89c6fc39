"""What the files named by `course.yml` must hold, and the same files as they are delivered.

Laws: nothing is followed outside the course folder (a symbolic link is refused); the lesson and the assignment are
delivered under two fixed names, because addresses are built on them; points announced equal points in the notebooks.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from django.utils.translation import gettext as _

from badges.artwork import check_svg
from badges.errors import ArtworkRefused
from graders.engine.release import describe_notebook
from graders.errors import ReleaseError
from hub.portal.catalogue.coursefile import (
    COURSE_FILE,
    CourseFile,
    CourseFileError,
    Module,
    error_at,
    load_course_file,
)
from hub.portal.catalogue.programme import Programme, load_programme
from hub.portal.catalogue.quizfile import Quiz, load_quiz
from hub.portal.catalogue.sheet import SheetError, parse_sheet
from hub.portal.catalogue.yamlsource import KeyPath, YamlSource

LESSON_NAME = "lecon.ipynb"
ASSIGNMENT_NAME = "exercices.ipynb"
SHEET_NAME = "fiche.md"
MAX_FILE_BYTES = 20 << 20
MAX_MODULE_BYTES = 50 << 20
MAX_MODULE_FILES = 500
IMAGE_SUFFIXES = (".svg",)


@dataclass
class ModuleContent:
    """The bytes of one module: what is delivered beside the notebooks, the lesson, the nbgrader source, the quiz."""

    lesson: bytes | None = None
    assignment: bytes | None = None
    quiz: Quiz | None = None
    sheet: bytes | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    files_after_submission: dict[str, bytes] = field(default_factory=dict)


@dataclass
class CourseContent:
    modules: dict[str, ModuleContent] = field(default_factory=dict)
    images: dict[str, bytes] = field(default_factory=dict)
    programme: Programme | None = None


def load_course_and_content(folder: Path) -> tuple[CourseFile, CourseContent]:
    """Read `course.yml` and every file it names once, checked.

    Raises
    ------
    CourseFileError
        A key is wrong; a file is missing, a link, too big, not a notebook, or its points are not those announced.
    """
    source, course = load_course_file(folder)
    reader = _Reader(folder, source)
    content = CourseContent(programme=load_programme(folder, course))
    slugs = {module.slug for module in course.modules}
    for position, module in enumerate(course.modules):
        content.modules[module.slug] = _load_module(reader, module, ("modules", position), slugs)
    images: list[tuple[KeyPath, str]] = [
        (("badges", position, "image"), badge.image) for position, badge in enumerate(course.badges)
    ]
    if course.image:
        images.append((("image",), course.image))
    for key, name in images:
        if not name.endswith(IMAGE_SUFFIXES):
            raise reader.error(key, _("l’image doit être un fichier .svg"))
        content.images[name] = reader.read(key, name)
        try:
            check_svg(content.images[name])  # refused now, or no learner could receive the badge
        except ArtworkRefused as error:
            raise reader.error(key, error.message) from error
    return course, content


def _load_module(reader: _Reader, module: Module, key: KeyPath, slugs: set[str]) -> ModuleContent:
    content = ModuleContent()
    if module.lesson:
        content.lesson = reader.read_notebook((*key, "lesson"), module.lesson)
    if module.assignment:
        content.assignment = reader.read_notebook((*key, "assignment"), module.assignment)
        _check_points(reader, module, (*key, "points"), content.assignment)
    if module.quiz:
        content.quiz = load_quiz(reader.folder, module.quiz, slugs)
        if not math.isclose(content.quiz.points, module.points.quiz):
            message = _("le module annonce %(announced)g point(s) de QCM et le QCM en donne %(given)g")
            values = {"announced": module.points.quiz, "given": content.quiz.points}
            raise reader.error((*key, "points", "quiz"), message % values)
    if module.sheet:
        content.sheet = reader.read((*key, "sheet"), module.sheet)
        try:
            parse_sheet(content.sheet)
        except SheetError as error:
            raise CourseFileError(module.sheet, error.line, "", error.message) from error
    parts = {"files": content.files, "files_after_submission": content.files_after_submission}
    taken = {LESSON_NAME, ASSIGNMENT_NAME}
    for part, files in parts.items():
        for position, name in enumerate(getattr(module, part)):
            for path, data in reader.read_tree((*key, part, position), name).items():
                if path in taken:
                    message = _("deux fichiers du module s’appelleraient « %(path)s »") % {"path": path}
                    raise reader.error((*key, part, position), message)
                taken.add(path)
                files[path] = data
    sizes = [len(data) for files in parts.values() for data in files.values()]
    if len(sizes) > MAX_MODULE_FILES or sum(sizes) > MAX_MODULE_BYTES:
        raise reader.error((*key, "files"), _("les fichiers du module dépassent 500 fichiers ou 50 Mo"))
    return content


def _check_points(reader: _Reader, module: Module, key: KeyPath, notebook: bytes) -> None:
    try:
        cells = describe_notebook(notebook)
    except ReleaseError as error:
        message = _("les cellules notées du carnet sont incorrectes (%(reason)s)") % {"reason": error.message}
        raise CourseFileError(module.assignment or COURSE_FILE, None, "", message) from error
    for grade_id, count in Counter(cell.grade_id for cell in cells).items():
        if count > 1:
            message = _("l’identifiant de cellule « %(id)s » sert deux fois") % {"id": grade_id}
            raise CourseFileError(module.assignment or COURSE_FILE, None, "", message)
    sums = {"auto": 0.0, "manual": 0.0}
    for cell in cells:
        sums[cell.kind] += cell.max_points
    for kind, announced in (("auto", module.points.auto), ("manual", module.points.manual)):
        if not math.isclose(sums[kind], announced, abs_tol=1e-9):
            message = _("le module annonce %(announced)g point(s) et les cellules du carnet en donnent %(given)g")
            raise reader.error((*key, kind), message % {"announced": announced, "given": sums[kind]})


class _Reader:
    """Reads files of one course folder; every refusal names the key of `course.yml` that asked for the file."""

    def __init__(self, folder: Path, source: YamlSource) -> None:
        self.folder = folder
        self.source = source

    def error(self, key: KeyPath, message: str) -> CourseFileError:
        return error_at(COURSE_FILE, self.source, key, message)

    def read(self, key: KeyPath, name: str) -> bytes:
        path = self.folder
        for part in name.split("/"):
            path = path / part
            if path.is_symlink():
                raise self.error(key, _("« %(name)s » passe par un lien symbolique") % {"name": name})
        if not path.is_file():
            raise self.error(key, _("le fichier « %(name)s » n’existe pas") % {"name": name})
        if path.stat().st_size > MAX_FILE_BYTES:
            raise self.error(key, _("le fichier « %(name)s » dépasse 20 Mo") % {"name": name})
        return path.read_bytes()

    def read_notebook(self, key: KeyPath, name: str) -> bytes:
        data = self.read(key, name)
        try:
            nbformat.validate(nbformat.reads(data.decode("utf-8"), as_version=4))  # type: ignore[no-untyped-call]
        except (ValueError, KeyError, AttributeError, TypeError, nbformat.ValidationError) as error:
            raise self.error(key, _("« %(name)s » n’est pas un carnet valide") % {"name": name}) from error
        return data

    def read_tree(self, key: KeyPath, name: str) -> dict[str, bytes]:
        """A file, or a folder with all it holds; keys are the paths as delivered in the module's folder."""
        top = self.folder / name
        if not top.is_dir() or top.is_symlink():
            return {Path(name).name: self.read(key, name)}
        found = {}
        for path in sorted(top.rglob("*")):
            inside = path.relative_to(self.folder)
            if any(part.startswith(".") or part == "__pycache__" for part in inside.parts):
                continue
            if path.is_symlink() or path.is_file():
                found[str(path.relative_to(top.parent))] = self.read(key, str(inside))
        return found
