"""A versioned table of the capacities of a curriculum: the codes of `course.yml` in words (docs/reference/course-file.md).

Laws: the table is a file of the course folder, so that a new curriculum is a new file and old courses keep theirs; a
capacity of a module is one of its codes, or the course is refused; a title that nobody has compared with the official text
says so wherever it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from django.utils.translation import gettext as _
from pydantic import Field

from hub.portal.catalogue.coursefile import CourseFile, Line, Strict, error_at, load_course_file, read_file

Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,39}$")]


class Capacity(Strict):
    """One line of a curriculum."""

    code: Code
    title: Annotated[str, Field(min_length=1, max_length=400)]
    subject: Line
    level: Line
    source: Line
    seen: bool
    """False: the title is from memory, to be confirmed against the official text."""


class Programme(Strict):
    """All of `programme-….yml`."""

    programme: Line
    title: Line
    capacities: Annotated[list[Capacity], Field(min_length=1, max_length=1000)]


@dataclass(frozen=True)
class NamedCapacity:
    """A capacity of a module as pages show it; a course without a table gives its texts as they are."""

    code: str
    title: str
    where: str = ""
    """« physique-chimie, seconde »"""
    source: str = ""
    seen: bool = True


def load_programme(folder: Path, course: CourseFile) -> Programme | None:
    """The table that `course.yml` names, None if it names none; every capacity of the course is one of its codes.

    Raises
    ------
    CourseFileError
        The table is wrong, has a code twice, or lacks a code of the course.
    """
    if course.programme is None:
        return None
    source, programme = read_file(folder, course.programme, Programme)
    known: set[str] = set()
    for position, capacity in enumerate(programme.capacities):
        if capacity.code in known:
            message = _("« %(slug)s » sert deux fois") % {"slug": capacity.code}
            raise error_at(course.programme, source, ("capacities", position, "code"), message)
        known.add(capacity.code)
    for number, module in enumerate(course.modules):
        for position, code in enumerate(module.capacities):
            if code not in known:
                message = _("« %(code)s » n’est pas un code de %(file)s") % {"code": code, "file": course.programme}
                key = ("modules", number, "capacities", position)
                raise error_at("course.yml", load_course_file(folder)[0], key, message)
    return programme


def name_capacities(programme: Programme | None, codes: Iterable[str]) -> list[NamedCapacity]:
    """The capacities in words, in the order given."""
    table = {capacity.code: capacity for capacity in programme.capacities} if programme else {}
    return [_name(table[code]) if code in table else NamedCapacity("", code) for code in codes]


def read_programme(stored: Any) -> Programme | None:
    """The table as a published version keeps it."""
    return Programme.model_validate(stored) if stored else None


def _name(capacity: Capacity) -> NamedCapacity:
    where = f"{capacity.subject}, {capacity.level}"
    return NamedCapacity(capacity.code, capacity.title, where, capacity.source, capacity.seen)
