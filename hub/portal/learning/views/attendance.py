"""`/gestion/sessions/<session>/presence/` and `…/document.pdf`: trainers say who was present, managers read it too."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from badges.issuer import load_issuer
from hub.portal.accounts.permissions import SignedInRequest, role_required
from hub.portal.catalogue.models import CourseSession, SessionRole
from hub.portal.learning.access import get_session
from hub.portal.learning.attendance import COMMENT_MAX_LENGTH, AttendanceRefused, list_people, save_attendance
from hub.portal.learning.models import AttendanceSheet
from hub.portal.learning.sessiondocument import Person, SessionDocument, render_session_document

log = logging.getLogger(__name__)

PEOPLE_PER_PAGE = 100


@require_http_methods(["GET", "HEAD", "POST"])
@role_required("catalogue.follow_session", "session")
def attendance(request: SignedInRequest, session: str) -> HttpResponse:
    row = get_session(session)
    may_say = request.user.has_perm("learning.attest_session", session)
    if request.method == "POST":
        if not may_say:
            raise PermissionDenied(_("Seuls les formateurs de la session disent qui était présent."))
        return _save(request, row)
    return _render(request, row, may_say)


def _save(request: SignedInRequest, row: CourseSession) -> HttpResponse:
    comment = request.POST.get("comment", "")
    try:
        shown, present = (
            {
                int(value)
                for value in request.POST.getlist(name)
                if value.isascii() and value.isdigit() and len(value) < 19
            }
            for name in ("shown", "present")
        )
        save_attendance(row, shown=shown, present=present, comment=comment, by=request.user)
    except AttendanceRefused as refusal:
        log.warning("session %s: presences refused: %s", row.slug, refusal)
        messages.error(request, refusal.message)
        return _render(request, row, True, comment=comment, ticked=present, status=400)
    messages.success(request, _("Les présences sont enregistrées."))
    page = request.GET.get("page", "")
    return redirect(reverse("attendance", args=[row.slug]) + (f"?page={page}" if page.isdigit() else ""))


def _render(
    request: HttpRequest,
    row: CourseSession,
    may_say: bool,
    *,
    comment: str | None = None,
    ticked: set[int] | None = None,
    status: int = 200,
) -> HttpResponse:
    sheet = AttendanceSheet.objects.filter(session=row).select_related("saved_by").first()
    page = Paginator(list_people(row), PEOPLE_PER_PAGE).get_page(request.GET.get("page"))
    people: list[dict[str, Any]] = []
    for enrolment in page:
        said = getattr(enrolment, "attendance", None)
        people.append(
            {
                "enrolment": enrolment,
                "said": said,
                "present": enrolment.pk in ticked if ticked is not None else bool(said and said.present),
                "can_be_present": enrolment.learner.last_login is not None,
            }
        )
    context = {
        "session": row,
        "page": page,
        "people": people,
        "sheet": sheet,
        "comment": comment if comment is not None else (sheet.comment if sheet else ""),
        "comment_max_length": COMMENT_MAX_LENGTH,
        "may_say": may_say,
    }
    return render(request, "learning/attendance.html", context, status=status)


@require_safe
@role_required("catalogue.follow_session", "session")
def session_document(request: HttpRequest, session: str) -> HttpResponse:
    row = get_session(session)
    issuer = load_issuer()
    course = row.course_version.file
    sheet = AttendanceSheet.objects.filter(session=row).first()
    trainers = row.roles.filter(role=SessionRole.Role.TRAINER).select_related("user").order_by("user__display_name")
    people = [
        Person(entry.learner.display_name, entry.learner.school, said.present if said else None)
        for entry in list_people(row)
        for said in [getattr(entry, "attendance", None)]
    ]
    pdf = render_session_document(
        SessionDocument(
            issuer_name=settings.ENVIRONMENT.issuer_name,
            title=row.title,
            course=course.title,
            reference=f"{row.slug} ({course.slug}, version {course.version})",
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            distance_minutes=course.duration.distance_minutes,
            trainers=[(role.user.display_name, role.user.email) for role in trainers],
            people=people,
            edited_on=timezone.localdate(),
            comment=sheet.comment if sheet else "",
            demonstration=issuer.is_demonstration,
        )
    )
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="session-{row.slug}.pdf"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"  # it names people
    return response
