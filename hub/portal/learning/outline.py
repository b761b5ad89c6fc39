"""A course as one person sees it: its modules with what is done in each, and the next step.

Pure: takes the course and the person's rows, touches no database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from hub.portal.catalogue.coursefile import CourseFile, Module
from hub.portal.learning.models import ModuleProgress


@dataclass(frozen=True)
class OutlineStep:
    """One module with the person's progress."""

    module: Module
    row: ModuleProgress
    state: str
    """"done", "current" (the next step) or "todo"."""
    remaining: str
    """What to do next in it; empty when it is done."""


def make_outline(course: CourseFile, rows: Mapping[str, ModuleProgress]) -> list[OutlineStep]:
    """Every module in order; a bonus module is never the next step."""
    steps = []
    current_found = False
    for module in course.modules:
        row = rows.get(module.slug) or ModuleProgress(module=module.slug)
        remaining = describe_remaining(module, row)
        state = "done" if not remaining else "todo" if current_found or module.bonus else "current"
        current_found = current_found or state == "current"
        steps.append(OutlineStep(module, row, state, remaining))
    return steps


def find_next_step(steps: list[OutlineStep]) -> OutlineStep | None:
    return next((step for step in steps if step.state == "current"), None)


def describe_remaining(module: Module, row: ModuleProgress) -> str:
    """The first thing not done yet in the order lesson, assignment, quiz; empty when all is done once."""
    if module.lesson and row.read_at is None:
        return _("ouvrir la leçon")
    if module.assignment and row.attempt_number == 0:
        return _("faire le carnet d’exercices")
    if module.quiz and row.quiz_takes == 0:
        return _("répondre au QCM") if module.points.quiz else _("répondre au questionnaire")
    return ""
