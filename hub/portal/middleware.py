"""What comes by the learners' socket reaches the door and nothing else.

A learner's program can speak to `doors/portal.sock` as it likes: any Host, any X-Forwarded-For. Pages, sign-in (whose
limits count addresses) and the provider are therefore for browsers only, which come through the proxy by TCP.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

DOOR = "/api/v1/"


class LearnersSocketMiddleware:
    """404 for anything but the door, on a connection that has no address (uvicorn gives none for a unix socket)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "REMOTE_ADDR" not in request.META and not request.path.startswith(DOOR):
            return JsonResponse({"code": "not_found", "message": "Cette adresse n’existe pas ici."}, status=404)
        return self.get_response(request)
