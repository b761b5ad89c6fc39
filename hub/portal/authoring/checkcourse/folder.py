"""A course folder as the proof-reader sees it: its notebooks, and the files that learners get beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from hub.portal.catalogue.coursecontent import ASSIGNMENT_NAME, LESSON_NAME, load_course_and_content
from hub.portal.catalogue.coursefile import CourseFile
from hub.portal.catalogue.quizfile import Quiz


@dataclass(frozen=True)
class CourseNotebook:
    """One notebook: its source, and its place in the learner's folder."""

    file: str
    """Relative to the course folder."""
    module: str
    name: str
    """As delivered: `lecon.ipynb` or `exercices.ipynb`."""
    source: bytes
    files: Mapping[str, bytes]
    """Delivered beside it: path → content."""

    @property
    def is_lesson(self) -> bool:
        return self.name == LESSON_NAME

    def read(self) -> Any:
        """A fresh copy of the notebook."""
        return nbformat.reads(self.source.decode("utf-8"), as_version=4)  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class CourseFolder:
    folder: Path
    course: CourseFile
    notebooks: list[CourseNotebook]
    quizzes: Mapping[str, Quiz]
    """File → quiz."""
    sheets: Mapping[str, bytes]
    """File → source of a classroom sheet."""


def load_folder(folder: Path) -> CourseFolder:
    """Read the course as publishing does.

    Raises
    ------
    CourseFileError
        It could not be published: one sentence with file, line and key.
    """
    course, content = load_course_and_content(folder)
    notebooks, quizzes, sheets = [], {}, {}
    for module in course.modules:
        held = content.modules[module.slug]
        for file, name, source in (
            (module.lesson, LESSON_NAME, held.lesson),
            (module.assignment, ASSIGNMENT_NAME, held.assignment),
        ):
            if file and source is not None:
                notebooks.append(CourseNotebook(file, module.slug, name, source, held.files))
        if module.quiz and held.quiz:
            quizzes[module.quiz] = held.quiz
        if module.sheet and held.sheet:
            sheets[module.sheet] = held.sheet
    return CourseFolder(folder, course, notebooks, quizzes, sheets)
