"""A person who signed in but is not approved sees one page: their request is recorded."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

WAITING_PAGE = "/compte/attente/"
OPEN_TO_ALL = ("/compte/", "/langue/", "/static/", "/accessibilite/", "/confidentialite/", "/premier-acces/", "/health")


class ApprovalMiddleware:
    """Sends whoever waits for approval to the waiting page, whatever they asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Without the cookie there is nobody: calls by token and visitors cost no query.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and not request.path.startswith(OPEN_TO_ALL):
            user = request.user
            if user.is_authenticated and not user.is_approved:
                return redirect(WAITING_PAGE)
        return self.get_response(request)
