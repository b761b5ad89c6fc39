"""`/gestion/sessions/`: opening sessions, changing their state, naming trainers and graders.

The followed table of one session, at `/gestion/sessions/<session>/`, is in learning/views/following.py.
"""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.portal.accounts.permissions import role_required, roles_of
from hub.portal.catalogue.forms import RoleForm, SessionForm
from hub.portal.catalogue.models import CourseSession, CourseVersion, SessionRole
from hub.portal.catalogue.sessions import move_session, publish_assignments

log = logging.getLogger(__name__)

SESSIONS_PER_PAGE = 30
manager_only = role_required("catalogue.open_session")


@require_safe
@login_required
def sessions(request: HttpRequest) -> HttpResponse:
    """Managers see every session, trainers theirs."""
    user: Any = request.user
    rows = CourseSession.objects.select_related("course_version__course").annotate(learners=Count("enrolments"))
    if not user.has_perm("catalogue.open_session"):
        taught = [slug for slug, role in roles_of(user) if role == SessionRole.Role.TRAINER]
        rows = rows.filter(slug__in=[slug for slug in taught if user.has_perm("catalogue.follow_session", slug)])
        if not taught:
            raise PermissionDenied
    page = Paginator(rows.order_by("state", "title", "slug"), SESSIONS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "catalogue/sessions.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@manager_only
def new_session(request: HttpRequest) -> HttpResponse:
    form = SessionForm(request.POST or None, initial=_suggest(request))
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            session = form.save(commit=False)
            session.opened_by_id = request.user.pk
            session.save()
            publish_assignments(session)
        log.info("session %s opened by user %s", session.slug, request.user.pk)
        messages.success(request, _("La session est créée, en préparation : ouvrez-la quand tout est prêt."))
        return redirect("followed_session", session.slug)
    return render(request, "catalogue/session_form.html", {"form": form}, status=400 if form.errors else 200)


def _suggest(request: HttpRequest) -> dict[str, object]:
    """Title and address of a session of the course that the link names."""
    version = CourseVersion.objects.filter(is_current=True, course__slug=request.GET.get("parcours", "")).first()
    if version is None:
        return {}
    stem = slugify(version.course.slug)[:56]
    taken = set(CourseSession.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    free = next(slug for number in range(1, len(taken) + 2) if (slug := f"{stem}-{number}") not in taken)
    return {"course_version": version.pk, "title": version.title, "slug": free}


@require_http_methods(["GET", "HEAD", "POST"])
@manager_only
def edit_session(request: HttpRequest, session: str) -> HttpResponse:
    row = get_object_or_404(CourseSession, slug=session)
    form = SessionForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        form.save()
        log.info("session %s changed by user %s", session, request.user.pk)
        messages.success(request, _("La session est modifiée."))
        return redirect("followed_session", session)
    context = {"form": form, "session": get_object_or_404(CourseSession, slug=session)}
    return render(request, "catalogue/session_form.html", context, status=400 if form.errors else 200)


@require_POST
@manager_only
def change_state(request: HttpRequest, session: str) -> HttpResponse:
    row = get_object_or_404(CourseSession, slug=session)
    state = request.POST.get("state", "")
    if state not in CourseSession.State.values:
        messages.error(request, _("Cet état n’existe pas : rien n’a changé."))
    else:
        row.state = state
        row.save(update_fields=["state"])
        log.info("session %s: %s by user %s", session, state, request.user.pk)
        messages.success(request, _("La session est maintenant %(state)s.") % {"state": row.get_state_display()})
    return redirect("followed_session", session)


@require_POST
@manager_only
def change_version(request: HttpRequest, session: str) -> HttpResponse:
    """Use the current version of the course; learners keep their work and their marks."""
    row = get_object_or_404(CourseSession.objects.select_related("course_version__course"), slug=session)
    current = CourseVersion.objects.select_related("course").get(course=row.course_version.course, is_current=True)
    if current != row.course_version:
        with transaction.atomic():
            move_session(row, current)
            publish_assignments(row)
        messages.success(request, _("La session utilise la version %(version)s.") % {"version": current.version})
    return redirect("followed_session", session)


@require_POST
@manager_only
def give_role(request: HttpRequest, session: str) -> HttpResponse:
    row = get_object_or_404(CourseSession, slug=session)
    form = RoleForm(request.POST)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, " ".join(str(error) for error in errors))
    else:
        role, _created = SessionRole.objects.get_or_create(
            session=row, user=form.person, role=form.cleaned_data["role"]
        )
        log.info("session %s: user %s is %s, by user %s", session, role.user_id, role.role, request.user.pk)
        values = {"name": role.user, "role": role.get_role_display()}
        messages.success(request, _("%(name)s est maintenant %(role)s de la session.") % values)
    return redirect("followed_session", session)


@require_POST
@manager_only
def withdraw_role(request: HttpRequest, session: str, role: int) -> HttpResponse:
    row = get_object_or_404(SessionRole.objects.select_related("user"), session__slug=session, pk=role)
    row.delete()
    log.info("session %s: user %s is no more %s, by user %s", session, row.user_id, row.role, request.user.pk)
    values = {"name": row.user, "role": row.get_role_display()}
    messages.success(request, _("%(name)s n’est plus %(role)s de la session.") % values)
    return redirect("followed_session", session)
