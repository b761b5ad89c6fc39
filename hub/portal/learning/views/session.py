"""`/session/<session>/`: what the session is, how to enter it, and for who is in it the outline with their progress."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.portal.accounts.permissions import knows_session
from hub.portal.catalogue.coursefile import CourseFile
from hub.portal.catalogue.models import CourseSession, SessionRole
from hub.portal.catalogue.presentation import compute_modality
from hub.portal.learning import rule
from hub.portal.learning.access import ask_to_sign_in, get_session
from hub.portal.learning.enrolling import EnrolmentRefused, enrol, find_enrolment, withdraw
from hub.portal.learning.models import Completion, Enrolment, ModuleProgress
from hub.portal.learning.outline import find_next_step, make_outline


@require_safe
def session(request: HttpRequest, session: str) -> HttpResponse:
    return render(request, "learning/session.html", _describe(request, _get_known_session(request, session)))


def _get_known_session(request: HttpRequest, slug: str) -> CourseSession:
    """404 for a session the person may not know of (in preparation, closed, archived)."""
    row = get_session(slug)
    if row.state != CourseSession.State.OPEN and not (
        request.user.is_authenticated and knows_session(request.user, slug)
    ):
        raise Http404
    return row


def _describe(request: HttpRequest, row: CourseSession) -> dict[str, Any]:
    user: Any = request.user
    enrolment = find_enrolment(row, user)
    taken = row.enrolments.count() if row.capacity is not None and enrolment is None else 0
    context: dict[str, Any] = {
        "session": row,
        "file": row.course_version.file,
        "modality": compute_modality(row.course_version.file),
        "trainers": [
            role.user
            for role in row.roles.select_related("user").order_by("user__display_name")
            if role.role == SessionRole.Role.TRAINER
        ],
        "enrolment": enrolment,
        "is_full": row.capacity is not None and taken >= row.capacity,
        "may_follow": user.has_perm("catalogue.follow_session", row.slug),
        "may_study": user.has_perm("learning.study_session", row.slug),
    }
    if enrolment is not None:
        context |= _describe_progress(row, enrolment)
    return context


def _describe_progress(row: CourseSession, enrolment: Enrolment) -> dict[str, Any]:
    course = row.course_version.file
    rows = {progress.module: progress for progress in enrolment.modules.all()}
    steps = make_outline(course, rows)
    return {
        "steps": [step for step in steps if not step.module.bonus],
        "bonus_steps": [step for step in steps if step.module.bonus],
        "next_step": find_next_step(steps),
        "remaining": rule.list_remaining(course, rows),
        "completion": Completion.objects.filter(enrolment=enrolment).first(),
        "other_badges": _describe_other_badges(course, rows, enrolment),
    }


def _describe_other_badges(
    course: CourseFile, rows: Mapping[str, ModuleProgress], enrolment: Enrolment
) -> list[dict[str, Any]]:
    """The badges with a criterion of their own: earned, or what remains for them."""
    earned = {row.badge: row for row in enrolment.earned_badges.all()}
    return [
        {
            "badge": badge,
            "earned": earned.get(badge.slug),
            "remaining": rule.list_remaining(course, rows, badge.earned_when),
        }
        for badge in course.badges
        if badge.earned_when is not None
    ]


@require_POST
def enrolment(request: HttpRequest, session: str) -> HttpResponseBase:
    """« S'inscrire »; a visitor signs in first and comes back to the session's page."""
    row = _get_known_session(request, session)
    if not request.user.is_authenticated:
        return redirect_to_login(row.get_absolute_url())
    try:
        enrol(row, request.user, request.POST.get("key", ""))
    except EnrolmentRefused as refusal:
        context = _describe(request, row) | {"refusal": refusal}
        return render(request, "learning/session.html", context, status=409)
    messages.success(request, _("Vous êtes inscrit : le premier module vous attend."))
    return redirect(row)


@require_http_methods(["GET", "HEAD", "POST"])
def withdrawal(request: HttpRequest, session: str) -> HttpResponseBase:
    """« Se désinscrire »: asked once more, then done."""
    sign_in = ask_to_sign_in(request)
    if sign_in:
        return sign_in
    row = _get_known_session(request, session)
    enrolment = find_enrolment(row, request.user)
    if enrolment is None:
        return redirect(row)
    if request.method == "POST":
        try:
            withdraw(enrolment)
        except EnrolmentRefused as refusal:
            messages.error(request, refusal.message)
            return redirect(row)
        messages.success(request, _("Vous n’êtes plus inscrit à « %(title)s ».") % {"title": row.title})
        return redirect("my_courses")
    return render(request, "learning/withdrawal.html", {"session": row})
