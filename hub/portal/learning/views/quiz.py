"""`/session/<session>/module/<module>/qcm/`: a plain form; keys and feedback stay on the server until an answer."""

from __future__ import annotations

import logging

from django.contrib import messages
from django.http import Http404, HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from hub.portal.catalogue.quizfile import Quiz
from hub.portal.learning import progress
from hub.portal.learning import quiz as quizzes
from hub.portal.learning.access import ModuleAccess, ask_to_sign_in, get_module_access
from hub.portal.learning.models import ModuleProgress

log = logging.getLogger(__name__)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def quiz(request: HttpRequest, session: str, module: str) -> HttpResponseBase:
    sign_in = ask_to_sign_in(request)
    if sign_in:
        return sign_in
    access = get_module_access(request, session, module)
    content = quizzes.find_quiz(access.session.course_version, module)
    if content is None:
        raise Http404
    if request.method == "POST":
        return _answer(request, access, content)
    if access.enrolment is not None and access.may_work:
        progress.mark_opened(access.enrolment, module, lesson=False)
    return _show(request, access, content)


def _show(request: HttpRequest, access: ModuleAccess, content: Quiz) -> HttpResponseBase:
    take = None
    wanted = request.GET.get("passage", "")
    if access.enrolment is not None and wanted.isascii() and wanted.isdigit() and len(wanted) < 9:
        take = quizzes.find_take(access.enrolment, access.module.slug, content, int(wanted))
        if take is None:
            raise Http404
    questions = take.questions if take else quizzes.questions_without_keys(content)
    course = access.session.course_version.file
    routes = [
        (route, [found for slug in route.modules if (found := course.find_module(slug))])
        for route in (take.routes if take else ())
    ]
    return _render(request, access, {"take": take, "questions": questions, "routes": routes})


def _answer(request: HttpRequest, access: ModuleAccess, content: Quiz) -> HttpResponseBase:
    module = access.module.slug
    here = reverse("quiz", args=[access.session.slug, module])
    if access.enrolment is None or not access.may_work:
        messages.error(request, _("Cette session n’accepte pas vos réponses : rien n’a été enregistré."))
        return redirect(here)
    choices = _read_choices(request.POST, content)
    try:
        number = quizzes.answer_quiz(access.enrolment, module, content, choices)
    except quizzes.QuizRefused as refusal:
        log.info("quiz refused: learner %s, %s/%s: %s", request.user.pk, access.session.slug, module, refusal.code)
        questions = quizzes.questions_without_keys(content, choices)
        return _render(request, access, {"questions": questions, "refusal": refusal}, status=400)
    progress.refresh(access.enrolment, module)
    return redirect(f"{here}?passage={number}#resultat")


def _read_choices(data: QueryDict, content: Quiz) -> dict[str, list[int]]:
    """Positions ticked for each question; what is not a number becomes a choice that does not exist."""
    return {
        question.id: [
            int(value) if value.isascii() and value.isdigit() and len(value) < 4 else -1
            for value in data.getlist(f"question-{question.id}")[:20]
        ]
        for question in content.questions
    }


def _render(
    request: HttpRequest, access: ModuleAccess, context: dict[str, object], status: int = 200
) -> HttpResponseBase:
    row = None
    if access.enrolment is not None:
        row = access.enrolment.modules.filter(module=access.module.slug).first()
    context |= {
        "session": access.session,
        "module": access.module,
        "enrolment": access.enrolment,
        "may_work": access.may_work,
        "row": row or ModuleProgress(module=access.module.slug),
    }
    return render(request, "learning/quiz.html", context, status=status)
