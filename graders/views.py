"""The review pages: sessions I review, their attempts, one attempt.

Law: every page asks `graders.review_session` for its session; a person without it gets 403 whether the session exists or not.
"""

from __future__ import annotations

import functools
import hashlib
import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from graders.blobs import MissingBlobError, submission_blobs
from graders.errors import ReviewRefused
from graders.marks import set_manual
from graders.models import Attempt, AttemptState
from graders.reviewform import MarkField, make_fields, read_marks
from graders.shown import ShownCell, load_shown_cells
from graders.waiting import session_titles, sessions_reviewed_by, waiting_attempts

logger = logging.getLogger(__name__)

ATTEMPTS_PER_PAGE = 50


def reviewers_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let in only who reviews the session named by the address."""

    @functools.wraps(view)
    def checked(request: HttpRequest, session: str, **parts: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not request.user.has_perm("graders.review_session", session):
            raise PermissionDenied
        return view(request, session, **parts)

    return checked


@require_safe
def reviews(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    sessions = sessions_reviewed_by(request.user)
    if not sessions and not request.user.is_superuser and not _teaches(request.user):
        raise PermissionDenied
    return render(request, "graders/reviews.html", {"sessions": sessions})


def _teaches(user: Any) -> bool:
    """Whether the person reviews a session that has no assignment yet: an empty page, not a refusal."""
    related = getattr(user, "session_roles", None)
    return related is not None and related.exists()


@require_safe
@reviewers_only
def session_reviews(request: HttpRequest, session: str) -> HttpResponse:
    shows_all = request.GET.get("voir") == "tous"
    waiting = waiting_attempts(session)
    rows = Attempt.objects.filter(assignment__session=session).order_by("-received_at", "-pk") if shows_all else waiting
    rows = rows.select_related("learner", "assignment__current", "version").prefetch_related("cells")
    page = Paginator(rows, ATTEMPTS_PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "graders/session_reviews.html",
        {
            "session": session,
            "title": session_titles([session]).get(session, session),
            "page": page,
            "shows_all": shows_all,
            "waiting_count": waiting.count(),
            "query": "voir=tous" if shows_all else "",
            "formgrader_url": _formgrader_url(request.user, session),
        },
    )


def _formgrader_url(user: Any, session: str) -> str:
    """The grader's own review server: the Hub starts it if needed, then it opens formgrader.

    JupyterHub takes 30 characters for a server's name: the session is hashed (hub/jupyter/bridge/review.py finds it back).
    """
    server = f"{user.hub_name}/relecture-{hashlib.sha256(session.encode()).hexdigest()[:12]}"
    return f"{settings.ENVIRONMENT.jupyter_url}/hub/spawn/{server}?next=/user/{server}/pupitre/relecture"


@require_http_methods(["GET", "HEAD", "POST"])
@reviewers_only
def review(request: HttpRequest, session: str, attempt: int) -> HttpResponse:
    row = (
        Attempt.objects.filter(pk=attempt, assignment__session=session)
        .select_related("learner", "assignment__current", "version")
        .prefetch_related("cells")
        .first()
    )
    if row is None:
        raise Http404
    if request.method != "POST":
        return _show_review(request, row, make_fields(list(row.cells.all())))
    fields = make_fields(list(row.cells.all()), typed=request.POST.dict())
    seen = request.POST.get("seen_review", "")
    try:
        marks = read_marks(fields)
        saved = set_manual(
            attempt=row, grader=request.user, marks=marks, seen_review=int(seen) if seen.isdecimal() else -1
        )
    except ReviewRefused as refusal:
        # What was typed stays in the page, beside the sentence.
        status = 409 if refusal.code == "review-conflict" else 400
        return _show_review(request, row, fields, refusal=refusal, status=status)
    messages.success(request, _("Relecture enregistrée.") if saved else _("Rien n’a changé."))
    if "next" not in request.POST:
        return redirect("review", session=session, attempt=row.pk)
    following = waiting_attempts(session).exclude(pk=row.pk).first()
    if following is None:
        return redirect("session-reviews", session=session)
    return redirect("review", session=session, attempt=following.pk)


def _show_review(
    request: HttpRequest,
    attempt: Attempt,
    fields: list[MarkField],
    *,
    refusal: ReviewRefused | None = None,
    status: int = 200,
) -> HttpResponse:
    session = attempt.assignment.session
    notebooks = _shown_notebooks(attempt)
    by_cell = {shown.cell.pk: shown for shown in fields}
    paired = [
        (path, [(cell, by_cell.pop(cell.mark.pk, None) if cell.mark else None) for cell in cells])
        for path, cells in notebooks
    ]
    return render(
        request,
        "graders/review.html",
        {
            "session": session,
            "session_title": session_titles([session]).get(session, session),
            "attempt": attempt,
            "notebooks": paired,
            "absent_fields": list(by_cell.values()),
            "can_mark": bool(fields) and attempt.state == AttemptState.MARKED,
            "reviews": attempt.reviews.select_related("grader").order_by("-number"),
            "is_last": not attempt.assignment.attempts.filter(
                learner=attempt.learner_id, state=AttemptState.MARKED, number__gt=attempt.number
            ).exists(),
            "refusal": refusal,
        },
        status=status,
    )


def _shown_notebooks(attempt: Attempt) -> list[tuple[str, list[ShownCell]]]:
    """The notebooks as the marking ran them; as they were sent, when it did not."""
    manifest = attempt.executed or {path: sha for path, sha in attempt.content.items() if path.endswith(".ipynb")}
    marks = list(attempt.cells.all())
    shown = []
    for path, sha256 in sorted(manifest.items()):
        try:
            content = submission_blobs().get(sha256)
        except MissingBlobError:
            logger.exception("attempt %d: stored notebook %s is missing", attempt.pk, sha256)
            continue
        shown.append((path, load_shown_cells(content, [mark for mark in marks if mark.notebook == path])))
    return shown
