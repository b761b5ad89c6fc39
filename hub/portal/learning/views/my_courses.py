"""`/mes-parcours/`: every session of the person, with what is done and what is next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from badges.models import Award
from hub.portal.catalogue.models import CourseSession, SessionRole
from hub.portal.learning import rule
from hub.portal.learning.models import Completion, Enrolment
from hub.portal.learning.outline import OutlineStep, find_next_step, make_outline


@dataclass(frozen=True)
class EnrolmentCard:
    """One session on the page."""

    enrolment: Enrolment
    steps: list[OutlineStep]
    """Without the bonus modules, which nobody has to do."""
    next_step: OutlineStep | None
    remaining: list[str]
    completion: Completion | None
    awards: list[Award]

    @property
    def done(self) -> int:
        return sum(step.state == "done" for step in self.steps)


@require_safe
@login_required
def my_courses(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    enrolments = (
        Enrolment.objects.filter(learner=user)
        .exclude(session__state=CourseSession.State.ARCHIVED)
        .select_related("session__course_version__course", "completion")
        .prefetch_related("modules")
        .order_by("-enrolled_at")
    )
    awards = list(Award.objects.filter(recipient=user, revoked_at__isnull=True).select_related("badge"))
    roles = SessionRole.objects.filter(user=user).select_related("session").order_by("session__title", "role")
    context = {"cards": [_make_card(enrolment, awards) for enrolment in enrolments], "roles": roles}
    return render(request, "learning/my_courses.html", context)


def _make_card(enrolment: Enrolment, awards: list[Award]) -> EnrolmentCard:
    course = enrolment.session.course_version.file
    rows = {row.module: row for row in enrolment.modules.all()}
    steps = [step for step in make_outline(course, rows) if not step.module.bonus]
    keys = {f"{course.slug}/{badge.slug}" for badge in course.badges}
    return EnrolmentCard(
        enrolment=enrolment,
        steps=steps,
        next_step=find_next_step(steps),
        remaining=rule.list_remaining(course, rows),
        completion=getattr(enrolment, "completion", None),
        awards=[award for award in awards if award.achievement_key in keys],
    )
