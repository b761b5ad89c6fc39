"""Who may see a session's pages: one question, asked the same way by every view of learning.

Laws: a session in preparation or archived does not exist for outsiders (404); a person enrolled keeps reading their own
work after the end; only work itself (opening, submitting, answering) asks that the session runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from hub.portal.catalogue.coursefile import Module
from hub.portal.catalogue.models import CourseSession
from hub.portal.learning.enrolling import find_enrolment
from hub.portal.learning.models import Enrolment


@dataclass(frozen=True)
class ModuleAccess:
    """A module that this person may see. `enrolment` is None for a trainer or a grader who looks at it."""

    session: CourseSession
    module: Module
    enrolment: Enrolment | None
    may_work: bool
    """The session runs and the person studies in it."""


def get_session(slug: str) -> CourseSession:
    return get_object_or_404(CourseSession.objects.select_related("course_version__course"), slug=slug)


def get_module_access(request: HttpRequest, session: str, module: str) -> ModuleAccess:
    """What the person may do with the module.

    Raises
    ------
    PermissionDenied, Http404
        They are not in the session; the session or the module does not exist for them.
    """
    row = get_session(session)
    user: Any = request.user
    enrolment = find_enrolment(row, user)
    teaches = any(user.has_perm(perm, session) for perm in ("graders.review_session", "catalogue.follow_session"))
    if enrolment is None and not teaches:
        if row.state != CourseSession.State.OPEN:
            raise Http404
        raise PermissionDenied(
            _("Vous n’êtes pas inscrit à « %(title)s ». Inscrivez-vous depuis la page de la session, puis revenez ici.")
            % {"title": row.title}
        )
    found = row.course_version.file.find_module(module)
    if found is None:
        raise Http404
    may_work = (enrolment is not None and row.is_running() and user.is_approved) or (
        teaches and user.has_perm("learning.study_session", session)
    )
    return ModuleAccess(row, found, enrolment, may_work)


def ask_to_sign_in(request: HttpRequest) -> HttpResponseBase | None:
    """The sign-in page for a visitor, None for anybody else."""
    return None if request.user.is_authenticated else redirect_to_login(request.get_full_path())
