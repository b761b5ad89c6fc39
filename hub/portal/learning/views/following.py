"""`/gestion/sessions/<session>/`: who is enrolled, how far they are; also as CSV. Trainers read, managers act."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from hub.portal.accounts.permissions import role_required
from hub.portal.catalogue.forms import RoleForm
from hub.portal.catalogue.models import CourseSession, CourseVersion
from hub.portal.learning.access import get_session
from hub.portal.learning.enrolling import EnrolmentRefused, enrol
from hub.portal.learning.models import Completion, Enrolment

LEARNERS_PER_PAGE = 50
EMAILS_AT_ONCE = 200


@require_safe
@role_required("catalogue.follow_session", "session")
def followed_session(request: HttpRequest, session: str) -> HttpResponse:
    row = get_session(session)
    words = request.GET.get("q", "").replace("\0", "").strip()[:100]
    enrolments = _list_enrolments(row, words)
    current = CourseVersion.objects.filter(course=row.course_version.course, is_current=True).first()
    context = {
        "session": row,
        "page": Paginator(enrolments, LEARNERS_PER_PAGE).get_page(request.GET.get("page")),
        "q": words,
        "query": urlencode({"q": words}) if words else "",
        "module_count": len(row.course_version.file.main_modules),
        "roles": row.roles.select_related("user").order_by("role", "user__display_name"),
        "role_form": RoleForm(),
        "states": CourseSession.State.choices,
        "newer_version": current if current and current != row.course_version else None,
        "lapsed": Completion.objects.filter(enrolment__session=row, lapsed_at__isnull=False)
        .select_related("enrolment__learner")
        .order_by("lapsed_at"),
        "may_act": request.user.has_perm("catalogue.open_session"),
    }
    return render(request, "learning/followed_session.html", context)


def _list_enrolments(row: CourseSession, words: str = "") -> QuerySet[Enrolment]:
    counted = [module.slug for module in row.course_version.file.main_modules]
    enrolments = row.enrolments.select_related("learner", "completion").annotate(
        opened=Count("modules", filter=Q(modules__opened_at__isnull=False, modules__module__in=counted)),
        waiting=Count("modules", filter=Q(modules__waits_for_grader=True)),
    )
    for word in words.split():
        enrolments = enrolments.filter(Q(learner__display_name__icontains=word) | Q(learner__email__icontains=word))
    return enrolments.order_by("learner__display_name", "learner__email")


@require_safe
@role_required("catalogue.follow_session", "session")
def followed_session_csv(request: HttpRequest, session: str) -> HttpResponseBase:
    row = get_session(session)
    response = HttpResponse("".join(_csv_lines(row)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="suivi-{row.slug}.csv"'
    return response


class _Echo:
    """A file that gives back what is written: csv makes the lines, somebody else joins them."""

    def write(self, line: str) -> str:
        return line


def _csv_lines(row: CourseSession) -> Iterator[str]:
    writer = csv.writer(_Echo(), delimiter=";")
    modules = row.modules
    headings = [
        _("Nom"),
        _("Adresse électronique"),
        _("Établissement"),
        _("Inscription"),
        _("Points"),
        _("Sur"),
        _("%"),
    ]
    yield "\ufeff"  # spreadsheets then read UTF-8
    yield writer.writerow([*headings, *[module.slug for module in modules], _("Terminé le")])
    for enrolment in _list_enrolments(row).prefetch_related("modules").iterator(chunk_size=200):
        rows = {progress.module: progress for progress in enrolment.modules.all()}
        completion: Completion | None = getattr(enrolment, "completion", None)
        yield writer.writerow(
            [
                _as_text(enrolment.learner.display_name),
                _as_text(enrolment.learner.email),
                _as_text(enrolment.learner.school),
                localtime(enrolment.enrolled_at).date().isoformat(),
                _number(enrolment.points),
                _number(enrolment.max_points),
                _number(enrolment.percent),
                *[_number(rows[module.slug].points) if module.slug in rows else "" for module in modules],
                localtime(completion.completed_at).date().isoformat() if completion else "",
            ]
        )


def _as_text(value: str) -> str:
    """A name that begins like a formula must not be run by a spreadsheet."""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _number(value: float) -> str:
    return f"{round(value, 2):g}".replace(".", ",")


@require_POST
@role_required("catalogue.open_session")
def enrol_people(request: HttpRequest, session: str) -> HttpResponse:
    """Enrol people by their e-mail addresses, one a line."""
    row = get_session(session)
    emails = list(dict.fromkeys(request.POST.get("emails", "").replace(",", " ").replace(";", " ").lower().split()))
    if len(emails) > EMAILS_AT_ONCE:
        messages.error(request, _("%(most)d adresses au plus à la fois : rien n’a changé.") % {"most": EMAILS_AT_ONCE})
        return redirect("followed_session", session)
    people: dict[str, Any] = {
        person.email: person for person in get_user_model()._default_manager.filter(email__in=emails)
    }
    done, refused = 0, []
    for email in emails:
        try:
            if email not in people:
                raise EnrolmentRefused("unknown-person", _("aucun compte n’a cette adresse."))
            enrol(row, people[email], by_manager=True)
            done += 1
        except EnrolmentRefused as refusal:
            refused.append(_("%(email)s : %(reason)s") % {"email": email, "reason": refusal.message})
    if done:
        text = ngettext("%(done)d personne est inscrite.", "%(done)d personnes sont inscrites.", done)
        messages.success(request, text % {"done": done})
    for sentence in refused[:20]:
        messages.error(request, sentence)
    if not emails:
        messages.error(request, _("Indiquez au moins une adresse."))
    return redirect("followed_session", session)
