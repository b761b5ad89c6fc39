"""Feedback pages made by nbgrader: put by trainers, read by the learner they are for."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse

from graders.blobs import submission_blobs
from hub.portal.accounts.models import User
from hub.portal.door.caller import check_right, endpoint
from hub.portal.door.limits import FEEDBACK_LIMITS
from hub.portal.door.uploads import read_upload
from hub.portal.door.views.attempts import get_attempt
from hub.portal.door.views.blobs import blob_response


def list_files(request: HttpRequest, caller: User, session: str, assignment: str, client_id: UUID) -> JsonResponse:
    attempt = get_attempt(request, caller, session, assignment, client_id)
    return JsonResponse({"number": attempt.number, "files": submission_blobs().describe(attempt.feedback)})


def send_file(
    request: HttpRequest, caller: User, session: str, assignment: str, client_id: UUID, sha256: str
) -> HttpResponse:
    attempt = get_attempt(request, caller, session, assignment, client_id)
    return blob_response(submission_blobs(), attempt.feedback, sha256)


def store(request: HttpRequest, caller: User, session: str, assignment: str, client_id: UUID) -> JsonResponse:
    check_right(caller, "graders.release_session", session)
    attempt = get_attempt(request, caller, session, assignment, client_id)
    attempt.feedback = submission_blobs().put_all(read_upload(request, FEEDBACK_LIMITS).files)
    attempt.save(update_fields=["feedback"])
    return JsonResponse({"number": attempt.number, "files": submission_blobs().describe(attempt.feedback)})


feedback = endpoint(GET=list_files, PUT=store)
file = endpoint(GET=send_file)
