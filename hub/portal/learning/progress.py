"""A learner's progress: a cache of marks and quiz answers, that `rebuild` makes again from nothing.

Laws: points come from `graders.marks.marks_of` and from the quiz's best take, never from another cache; the incremental
way (`refresh`) and `rebuild` end in the same rows (a test proves it); the completion rule is evaluated in the same
transaction as the rows are written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from graders.marks import Mark, marks_of
from hub.portal.catalogue.coursefile import CourseFile, Module
from hub.portal.learning import completion, quiz, rule
from hub.portal.learning.models import Enrolment, ModuleProgress


@dataclass(frozen=True)
class Progress:
    """What the cache of one enrolment says."""

    points: float
    max_points: float
    percent: float
    rule_holds: bool
    modules: Mapping[str, ModuleProgress]


def rebuild(enrolment: Enrolment) -> Progress:
    """Make every cached value of the enrolment again."""
    with transaction.atomic():
        enrolment = _lock(enrolment)
        course = enrolment.session.course_version.file
        marks = marks_of(enrolment.learner, enrolment.session.slug)
        shares = quiz.best_shares(enrolment)
        rows = {row.module: row for row in enrolment.modules.all()}
        for module in course.modules:
            row = rows.setdefault(module.slug, ModuleProgress(enrolment=enrolment, module=module.slug))
            _copy_points(row, module, marks.get(module.slug), shares.get(module.slug, (0.0, 0)))
            row.save()
        return _settle(enrolment, course, rows)


def refresh(enrolment: Enrolment, module_slug: str) -> Progress:
    """The same as `rebuild` when only this module may have changed."""
    with transaction.atomic():
        enrolment = _lock(enrolment)
        course = enrolment.session.course_version.file
        rows = {row.module: row for row in enrolment.modules.all()}
        module = course.find_module(module_slug)
        if module is not None:
            row = rows.setdefault(module.slug, ModuleProgress(enrolment=enrolment, module=module.slug))
            mark = marks_of(enrolment.learner, enrolment.session.slug).get(module.slug)
            _copy_points(row, module, mark, quiz.best_shares(enrolment, module.slug).get(module.slug, (0.0, 0)))
            row.save()
        return _settle(enrolment, course, rows)


def mark_opened(enrolment: Enrolment, module_slug: str, *, lesson: bool) -> None:
    """Note that the person opened the module (its lesson, when `lesson`); the first date is kept."""
    row = enrolment.modules.filter(module=module_slug).first()
    if row is not None and row.opened_at and (row.read_at or not lesson):
        return
    with transaction.atomic():
        enrolment = _lock(enrolment)
        now = timezone.now()
        row, _created = ModuleProgress.objects.get_or_create(enrolment=enrolment, module=module_slug)
        row.opened_at = row.opened_at or now
        if lesson:
            row.read_at = row.read_at or now
        row.save(update_fields=["opened_at", "read_at"])
        refresh(enrolment, module_slug)


def _lock(enrolment: Enrolment) -> Enrolment:
    """The enrolment with what is needed, alone until the end of the transaction."""
    return (
        Enrolment.objects.select_for_update(of=("self",))
        .select_related("learner", "session__course_version__course")
        .get(pk=enrolment.pk)
    )


def _copy_points(row: ModuleProgress, module: Module, mark: Mark | None, share: tuple[float, int]) -> None:
    points = module.points
    row.auto_max, row.manual_max, row.quiz_max = points.auto, points.manual, points.quiz
    # An attempt may answer an older version, with other points: never more than the module gives now.
    row.auto_points = min(mark.auto_points, points.auto) if mark else 0.0
    row.manual_points = min(max(mark.points - mark.auto_points, 0.0), points.manual) if mark else 0.0
    row.waits_for_grader = mark.waits_for_grader if mark else False
    row.reviewed = mark.reviewed if mark else False
    row.attempt_number = mark.attempt_number if mark else 0
    row.quiz_points = share[0] * points.quiz
    row.quiz_takes = share[1]


def _settle(enrolment: Enrolment, course: CourseFile, rows: Mapping[str, ModuleProgress]) -> Progress:
    current = {module.slug: rows[module.slug] for module in course.modules if module.slug in rows}
    enrolment.points = rule.points_of(course, current)
    enrolment.max_points = course.max_points
    enrolment.percent = rule.points_percent(course, current)
    enrolment.rule_holds = rule.rule_holds(course, current)
    enrolment.save(update_fields=["points", "max_points", "percent", "rule_holds"])
    completion.record(enrolment, course, current)
    return Progress(enrolment.points, enrolment.max_points, enrolment.percent, enrolment.rule_holds, current)
