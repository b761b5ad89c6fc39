"""`/session/<session>/module/<module>/`: open the lesson and the notebook, submit, read one's marks.

Laws: the portal never opens a path in a home: « Ouvrir » and « Soumettre » redirect to the bridge in the learner's server
(docs/reference/interfaces.md, section 5); opening is a link, submitting a POST with a one-time ticket.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from hub.portal.learning import progress
from hub.portal.learning.access import ModuleAccess, ask_to_sign_in, get_module_access
from hub.portal.learning.delivery import list_files_after_submission
from hub.portal.learning.feedback import load_attempts
from hub.portal.learning.models import ModuleProgress
from hub.portal.learning.tickets import make_ticket

OPENED_VIEWS = ("lecon", "carnet", "lab")


@require_safe
@never_cache
def module(request: HttpRequest, session: str, module: str) -> HttpResponseBase:
    sign_in = ask_to_sign_in(request)
    if sign_in:
        return sign_in
    access = get_module_access(request, session, module)
    modules = access.session.modules
    same_kind = [each for each in modules if each.bonus == access.module.bonus]
    position = [each.slug for each in modules].index(access.module.slug)
    context = _describe_attempts(request, access) | {
        "file": access.session.course_version.file,
        "capacities": access.session.course_version.name_capacities(access.module),
        "position": same_kind.index(access.module) + 1,
        "total": len(same_kind),
        "previous": modules[position - 1] if position else None,
        "next": modules[position + 1] if position + 1 < len(modules) else None,
    }
    return render(request, "learning/module.html", context)


@require_safe
@never_cache
def attempts(request: HttpRequest, session: str, module: str) -> HttpResponseBase:
    """The part of the page that changes while one waits, alone."""
    if not request.user.is_authenticated:
        raise PermissionDenied
    access = get_module_access(request, session, module)
    return render(request, "learning/_attempts.html", _describe_attempts(request, access))


def _describe_attempts(request: HttpRequest, access: ModuleAccess) -> dict[str, Any]:
    row = None
    if access.enrolment is not None:
        row = access.enrolment.modules.filter(module=access.module.slug).first()
    wanted = request.GET.get("essai", "")
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 9 else None
    return {
        "session": access.session,
        "module": access.module,
        "enrolment": access.enrolment,
        "may_work": access.may_work,
        "row": row or ModuleProgress(module=access.module.slug),
        "after_files": list_files_after_submission(access.session, access.module.slug, request.user),
        "work": load_attempts(request.user, access.session.slug, access.module.slug, number),
    }


@require_safe
@never_cache
def opening(request: HttpRequest, session: str, module: str, view: str) -> HttpResponseBase:
    """Send the person to their own server, which fetches the files and shows them."""
    sign_in = ask_to_sign_in(request)
    if sign_in:
        return sign_in
    access = get_module_access(request, session, module)
    wanted = {"lecon": access.module.lesson, "carnet": access.module.assignment, "lab": access.module.slug}.get(view)
    if not wanted:
        raise Http404
    if not access.may_work:
        messages.error(request, _("Cette session n’est pas en cours : le module ne peut pas être ouvert."))
        return redirect("module", session, module)
    if access.enrolment is not None:
        progress.mark_opened(access.enrolment, module, lesson=view == "lecon")
    return redirect_to_bridge(request, "open", session=session, module=module, view=view)


@require_POST
def submission(request: HttpRequest, session: str, module: str) -> HttpResponseBase:
    """« Soumettre »: leave to submit once, then the bridge sends the notebook and comes back."""
    if not request.user.is_authenticated:
        raise PermissionDenied
    access = get_module_access(request, session, module)
    if access.module.assignment is None:
        raise Http404
    if access.enrolment is None:
        messages.error(request, _("Inscrivez-vous à la session pour soumettre un carnet."))
        return redirect("module", session, module)
    if not access.may_work:
        messages.error(request, _("Cette session n’accepte plus de travaux : rien n’a été envoyé."))
        return redirect("module", session, module)
    ticket = make_ticket(access.enrolment, module)
    return redirect_to_bridge(request, "submit", ticket=str(ticket.uuid), session=session, module=module)


def redirect_to_bridge(request: HttpRequest, action: str, **parameters: str) -> HttpResponse:
    """The Hub starts the person's server if it must, and passes them on to its bridge.

    The Jupyter host does not see our cookies: a language that the person chose goes in the address.
    """
    if settings.LANGUAGE_COOKIE_NAME in request.COOKIES:
        parameters["language"] = get_language() or settings.LANGUAGE_CODE
    address = f"{settings.ENVIRONMENT.jupyter_url}/hub/user-redirect/pupitre/{action}?{urlencode(parameters)}"
    return HttpResponseRedirect(address)
