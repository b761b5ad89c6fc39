"""The session's nbgrader gradebook for the review server, and the marks typed in formgrader coming back (graders)."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graders.formgrader import TypedMark, apply_marks
from graders.projection import DATABASE, gradebook_folder, load_manifest, rebuild
from hub.portal.accounts.models import User
from hub.portal.door.caller import check_right, endpoint
from hub.portal.door.errors import DoorError, not_found
from hub.portal.door.views.blobs import file_response

MARKS_BYTES = 4 << 20


class Marks(BaseModel):
    model_config = ConfigDict(extra="forbid")

    marks: list[TypedMark] = Field(max_length=20_000)


def list_files(request: HttpRequest, caller: User, session: str) -> JsonResponse:
    """Files of nbgrader's course folder, and which attempt each submission is."""
    check_right(caller, "graders.review_session", session)
    folder = gradebook_folder(session)
    if not (folder / DATABASE).exists():
        rebuild(session)
    manifest = load_manifest(session)
    files = [
        {"path": path, "sha256": sha256, "size": (folder / path).stat().st_size}
        for path, sha256 in sorted(manifest.files.items())
        if (folder / path).exists()
    ]
    return JsonResponse({"files": files, "attempts": [manifest.attempts[key] for key in sorted(manifest.attempts)]})


def send_file(request: HttpRequest, caller: User, session: str, sha256: str) -> HttpResponse:
    check_right(caller, "graders.review_session", session)
    for path, known in load_manifest(session).files.items():
        if known == sha256:
            content = (gradebook_folder(session) / path).read_bytes()
            if hashlib.sha256(content).hexdigest() == sha256:
                return file_response(content)
            break
    raise not_found(_("Le carnet de notes a changé entre-temps : rechargez-le."))


def receive_marks(request: HttpRequest, caller: User, session: str) -> JsonResponse:
    check_right(caller, "graders.review_session", session)
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length > MARKS_BYTES:
        raise DoorError(413, "too-large", _("L’envoi compte trop de notes : envoyez-les en plusieurs fois."))
    try:
        parsed = Marks.model_validate_json(request.body)
    except ValidationError as error:
        raise DoorError(400, "bad-marks", _("Les notes reçues sont illisibles.")) from error
    applied = apply_marks(session=session, grader=caller, marks=parsed.marks)
    return JsonResponse({"saved": applied.saved, "unchanged": applied.unchanged, "refused": applied.refused})


gradebook = endpoint(GET=list_files)
file = endpoint(GET=send_file)
marks = endpoint(POST=receive_marks)
