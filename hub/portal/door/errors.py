"""The one form of the door's errors."""

from __future__ import annotations

from django.http import JsonResponse
from django.utils.translation import gettext as _


class DoorError(Exception):
    """A call that is refused: HTTP status, stable code, French sentence for the person."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message

    def as_response(self) -> JsonResponse:
        return JsonResponse({"code": self.code, "message": self.message}, status=self.status)


def not_found(what: str = "") -> DoorError:
    return DoorError(404, "not-found", what or _("Cette adresse ne correspond à rien."))


def forbidden() -> DoorError:
    return DoorError(403, "forbidden", _("Vous n’avez pas le droit de faire cela dans cette session."))


REFUSAL_STATUS = {
    "not-enrolled": 403,
    "session-closed": 403,
    "unknown-assignment": 404,
    "too-large": 413,
    "too-many-files": 413,
    "too-many-waiting": 409,
    "review-conflict": 409,
    "not-marked": 409,
}
"""HTTP status of refusals that come from `graders`; any other is 400."""
