"""`course.yml` as typed objects (docs/reference/course-file.md); `qcm.yml` is in `quizfile.py`.

Laws: an unknown key is an error; an error is one French sentence that names file, line and key; a path stays inside the
course folder. What the files named by `course.yml` must hold is checked by `coursecontent.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, TypeVar

from django.utils.translation import gettext as _
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from hub.portal.catalogue.sentences import sentence_for
from hub.portal.catalogue.yamlsource import KeyPath, YamlError, YamlSource, load_yaml

COURSE_FILE = "course.yml"


class CourseFileError(ValueError):
    """A course that cannot be published; `str()` is one sentence for its author."""

    code = "course-file"

    def __init__(self, file: str, line: int | None, key: str, message: str) -> None:
        self.file, self.line, self.key, self.message = file, line, key, message
        where = [file]
        if line is not None:
            where.append(_("ligne %(line)d") % {"line": line})
        if key:
            where.append(_("« %(key)s »") % {"key": key})
        super().__init__(_("%(where)s : %(message)s.") % {"where": ", ".join(where), "message": message})


def check_path(value: str) -> str:
    path = PurePosixPath(value)
    if not value or path.is_absolute() or "\\" in value or "\0" in value or any(p in ("..", ".") for p in path.parts):
        raise ValueError(_("doit être un chemin relatif, à l’intérieur du dossier du parcours"))
    if any(part.startswith(".") for part in path.parts):
        raise ValueError(_("ne peut pas être un fichier caché"))
    return str(path)


Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Line = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(min_length=1, max_length=20_000)]
CoursePath = Annotated[str, AfterValidator(check_path)]
Points = Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Minutes = Annotated[int, Field(ge=0, le=100_000)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Duration(Strict):
    distance_minutes: Minutes = 0
    presence_minutes: Minutes = 0

    @property
    def total_minutes(self) -> int:
        return self.distance_minutes + self.presence_minutes


class ModulePoints(Strict):
    auto: Points = 0
    quiz: Points = 0
    manual: Points = 0

    @property
    def total(self) -> float:
        return self.auto + self.quiz + self.manual


class Module(Strict):
    """A step of a course: a lesson (Voilà), an assignment, a quiz; each optional, one at least."""

    slug: Slug
    title: Line
    minutes: Minutes
    lesson: CoursePath | None = None
    assignment: CoursePath | None = None
    quiz: CoursePath | None = None
    files: list[CoursePath] = []
    files_after_submission: list[CoursePath] = []
    """Delivered to a learner only once they have handed the assignment in: model answers, annotated copies."""
    sheet: CoursePath | None = None
    """A classroom sheet (`sheet.py`), downloaded from the module's page."""
    points: ModulePoints = ModulePoints()
    capacities: list[Line] = []
    """Codes of the course's `programme`; without one, texts."""
    bonus: bool = False
    """Beside the course: its points and minutes count nowhere, and completion does not ask for it."""

    @property
    def label(self) -> str:
        """« M3 » for the slug `m3`, so that a course that begins at M0 is numbered as its lessons say; otherwise ""."""
        return self.slug.upper() if re.fullmatch(r"[a-z]\d{1,2}", self.slug) else ""

    @model_validator(mode="after")
    def _has_content(self) -> Module:
        if not (self.lesson or self.assignment or self.quiz):
            raise ValueError(_("un module contient au moins une leçon, un carnet ou un QCM"))
        if self.quiz is None and self.points.quiz:
            raise ValueError(_("des points de QCM sont annoncés, mais le module n’a pas de QCM"))
        if self.assignment is None and (self.points.auto or self.points.manual):
            raise ValueError(_("des points de carnet sont annoncés, mais le module n’a pas de carnet"))
        if self.assignment is None and self.files_after_submission:
            raise ValueError(_("des fichiers sont promis après le dépôt, mais le module n’a pas de carnet à déposer"))
        return self


class EachModule(Strict):
    opened: bool = False
    auto_percent: Percent = 0


class Rule(Strict):
    """What a learner must have done; all of it."""

    percent: Percent = 0
    """Share of the course's points."""
    modules: list[Slug] = []
    """Those that `each_module` speaks of; none named: every module that is no bonus."""
    at_least: Annotated[int, Field(ge=1, le=100)] | None = None
    """How many of them are enough; None: all."""
    each_module: EachModule = EachModule()
    reviewed: list[Slug] = []
    """Modules whose manual cells a grader must have marked."""


class CompletionRule(Rule):
    percent: Percent = 60


class BadgeSpec(Strict):
    slug: Slug
    title: Line
    description: Text
    criteria: Text
    image: CoursePath
    earned_when: Rule | None = None
    """Its own criterion; None: the course's completion."""


class SessionSpec(Strict):
    slug: Slug
    title: Line
    enrolment: Literal["open", "managed"] = "open"


class CourseFile(Strict):
    """All of `course.yml`."""

    slug: Slug
    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.+-]{0,39}$")]
    title: Line
    abstract: Text
    objectives: list[Text] = []
    public: Annotated[str, Field(max_length=1000)] = ""
    domain: Annotated[str, Field(max_length=100)] = ""
    collection: Annotated[str, Field(max_length=100)] = ""
    origin: Annotated[str, Field(max_length=100)] = ""
    authors: list[Line] = []
    keywords: list[Line] = []
    language: Literal["fr", "en"] = "fr"
    license: Line
    duration: Duration
    image: CoursePath | None = None
    programme: CoursePath | None = None
    """The table of capacities that the modules' codes are taken from."""
    modules: Annotated[list[Module], Field(min_length=1, max_length=100)]
    completion: CompletionRule = CompletionRule()
    badges: list[BadgeSpec] = []
    sessions: list[SessionSpec] = []

    @property
    def max_points(self) -> float:
        return sum(module.points.total for module in self.main_modules)

    @property
    def main_modules(self) -> list[Module]:
        """The modules that count."""
        return [module for module in self.modules if not module.bonus]

    @property
    def bonus_modules(self) -> list[Module]:
        return [module for module in self.modules if module.bonus]

    def modules_of(self, rule: Rule) -> list[Module]:
        """The modules that the rule's `each_module` speaks of."""
        return [module for module in self.modules if module.slug in rule.modules] or self.main_modules

    def find_module(self, slug: str) -> Module | None:
        return next((module for module in self.modules if module.slug == slug), None)


AnyFile = TypeVar("AnyFile", bound=Strict)


def load_course(folder: Path) -> CourseFile:
    """Read and validate `folder/course.yml` and everything it names.

    Raises
    ------
    CourseFileError
        One sentence with file, line and key.
    """
    from hub.portal.catalogue.coursecontent import load_course_and_content  # it needs the classes above

    return load_course_and_content(folder)[0]


def load_course_file(folder: Path) -> tuple[YamlSource, CourseFile]:
    """`course.yml` alone, without looking at the files it names."""
    source, course = read_file(folder, COURSE_FILE, CourseFile)
    _check_unique(source, "modules", (module.slug for module in course.modules))
    _check_unique(source, "badges", (badge.slug for badge in course.badges))
    _check_unique(source, "sessions", (session.slug for session in course.sessions))
    if not course.main_modules:
        raise error_at(COURSE_FILE, source, ("modules",), _("un parcours a au moins un module qui n’est pas en bonus"))
    _check_rule(source, course, ("completion",), course.completion)
    for position, badge in enumerate(course.badges):
        if badge.earned_when is not None:
            _check_rule(source, course, ("badges", position, "earned_when"), badge.earned_when)
    return source, course


def _check_rule(source: YamlSource, course: CourseFile, key: KeyPath, rule: Rule) -> None:
    known = {module.slug for module in course.modules}
    for position, slug in enumerate(rule.modules):
        if slug not in known:
            message = _("« %(slug)s » n’est pas un module du parcours") % {"slug": slug}
            raise error_at(COURSE_FILE, source, (*key, "modules", position), message)
    if rule.at_least is not None and rule.at_least > len(course.modules_of(rule)):
        raise error_at(COURSE_FILE, source, (*key, "at_least"), _("il n’y a pas autant de modules"))
    relevant = {module.slug for module in course.modules if module.points.manual}
    for position, slug in enumerate(rule.reviewed):
        if slug not in relevant:
            message = _("« %(slug)s » n’est pas un module qui donne des points de relecture") % {"slug": slug}
            raise error_at(COURSE_FILE, source, (*key, "reviewed", position), message)
    asks = rule.percent or rule.reviewed or rule.each_module.opened or rule.each_module.auto_percent
    if not asks and not isinstance(rule, CompletionRule):  # a course may be complete from the start; a badge is earned
        raise error_at(COURSE_FILE, source, key, _("le badge serait donné sans rien faire : ajoutez une condition"))


def read_file(folder: Path, name: str, model: type[AnyFile]) -> tuple[YamlSource, AnyFile]:
    try:
        source = load_yaml(folder / name)
    except YamlError as error:
        raise CourseFileError(name, error.line, "", error.message) from error
    if not isinstance(source.data, dict):
        raise CourseFileError(name, 1, "", _("le fichier doit contenir des clés et leurs valeurs"))
    try:
        return source, model.model_validate(source.data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise error_at(name, source, first["loc"], sentence_for(first)) from error


def error_at(file: str, source: YamlSource, path: Iterable[str | int], message: str) -> CourseFileError:
    """The error for a key of a file whose lines are known."""
    keys: KeyPath = tuple(path)
    name = ""
    for key in keys:
        name += f"[{key + 1}]" if isinstance(key, int) else f".{key}" if name else key
    return CourseFileError(file, source.line_of(keys), name, message)


def _check_unique(source: YamlSource, part: str, slugs: Iterable[str]) -> None:
    slugs = list(slugs)
    for slug, count in Counter(slugs).items():
        if count > 1:
            position = len(slugs) - 1 - slugs[::-1].index(slug)
            raise error_at(
                COURSE_FILE, source, (part, position, "slug"), _("« %(slug)s » sert deux fois") % {"slug": slug}
            )
