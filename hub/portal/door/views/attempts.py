"""Attempts: sending one, reading one's own, collecting everybody's (graders)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from graders import attempts as graders_attempts
from graders.blobs import submission_blobs
from graders.errors import SubmissionRefused
from graders.models import Attempt
from hub.portal.accounts.models import User
from hub.portal.accounts.permissions import is_enrolled
from hub.portal.door.caller import check_member, check_right, endpoint
from hub.portal.door.errors import DoorError, not_found
from hub.portal.door.limits import ATTEMPT_LIMITS
from hub.portal.door.uploads import read_upload
from hub.portal.door.views.blobs import blob_response
from hub.portal.learning.models import SubmissionTicket


def submit(request: HttpRequest, caller: User, session: str, assignment: str) -> JsonResponse:
    upload = read_upload(request, ATTEMPT_LIMITS)
    try:
        client_id = UUID(upload.fields.get("client_id", ""))
    except ValueError:
        raise DoorError(400, "bad-client-id", _("L’envoi n’a pas d’identifiant : recommencez.")) from None
    ticket = _find_ticket(client_id, caller, session, assignment, required="ticket" in upload.fields)
    own = Attempt.objects.filter(learner=caller, assignment__session=session, assignment__name=assignment)
    known = own.filter(client_id=client_id).exists()
    try:
        attempt = graders_attempts.receive(
            learner=caller, session=session, assignment=assignment, client_id=client_id, files=upload.files
        )
    except SubmissionRefused as refusal:
        if refusal.code == "not-enrolled" and is_enrolled(caller, session, running=False):
            raise SubmissionRefused(
                "session-closed",
                _("Cette session n’accepte plus de travaux : le vôtre n’a pas été envoyé, il reste dans votre espace."),
            ) from refusal
        raise
    if ticket is not None and ticket.used_at is None:
        SubmissionTicket.objects.filter(pk=ticket.pk, used_at=None).update(used_at=timezone.now())
    return JsonResponse(
        {
            "number": attempt.number,
            "client_id": str(attempt.client_id),
            "received_at": attempt.received_at.isoformat(),
            "state": attempt.state,
        },
        status=200 if known else 201,
    )


def _find_ticket(
    client_id: UUID, caller: User, session: str, assignment: str, *, required: bool
) -> SubmissionTicket | None:
    """The ticket given by « Soumettre », if the id is one; nbgrader's own submissions have none.

    `required`: the address of the bridge was opened in a browser. Without this, a link on any page could make a person submit.
    """
    ticket = SubmissionTicket.objects.filter(pk=client_id).select_related("enrolment__session").first()
    if ticket is None:
        is_refused = required
    else:
        place = (ticket.enrolment.learner_id, ticket.enrolment.session.slug, ticket.module)
        is_refused = place != (caller.pk, session, assignment)
    if is_refused:
        raise DoorError(
            403, "bad-ticket", _("Cette demande d’envoi n’est pas la vôtre : repartez de la page du module.")
        )
    return ticket


def describe_attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "client_id": str(attempt.client_id),
        "received_at": attempt.received_at.isoformat(),
        "state": attempt.state,
        "code": attempt.code,
        "message": attempt.message,
        "points": attempt.points,
        "max_points": attempt.max_points,
        "has_feedback": bool(attempt.feedback),
        "cells": [
            {
                "exercise": cell.exercise,
                "points": None if cell.waits_for_grader else cell.given_points,
                "max_points": cell.max_points,
                "passed": cell.passed,
                "message": cell.message,
                "code": cell.code,
                "comment": cell.comment,
            }
            for cell in attempt.cells.all()
        ],
    }


def list_attempts(request: HttpRequest, caller: User, session: str, assignment: str) -> JsonResponse:
    """One's own; with `?all=1`, everybody's, for graders."""
    everybody = request.GET.get("all") == "1"
    if everybody:
        check_right(caller, "graders.review_session", session)
    else:
        check_member(caller, session)
    rows = Attempt.objects.filter(assignment__session=session, assignment__name=assignment)
    if not everybody:
        rows = rows.filter(learner=caller)
    rows = rows.select_related("version", "learner").prefetch_related("cells").order_by("learner_id", "number")
    described = []
    for row in rows:
        value = describe_attempt(row)
        if everybody:
            value["learner"] = row.learner.hub_name
            value["learner_name"] = row.learner.display_name
        described.append(value)
    return JsonResponse(described, safe=False)


def get_attempt(request: HttpRequest, caller: User, session: str, assignment: str, client_id: UUID) -> Attempt:
    """One's own attempt; for graders anybody's (`?learner=` if two people drew the same id)."""
    rows = Attempt.objects.filter(assignment__session=session, assignment__name=assignment, client_id=client_id)
    learner = request.GET.get("learner")
    own = rows.filter(learner=caller).first()
    if own is not None and learner in (None, caller.hub_name):
        return own
    check_member(caller, session)
    if caller.has_perm("graders.review_session", session):
        found = rows.filter(learner__hub_name=learner) if learner else rows
        attempt = found.order_by("pk").first()
        if attempt is not None:
            return attempt
    raise not_found(_("Cet essai n’existe pas."))


def list_files(request: HttpRequest, caller: User, session: str, assignment: str, client_id: UUID) -> JsonResponse:
    attempt = get_attempt(request, caller, session, assignment, client_id)
    return JsonResponse({"number": attempt.number, "files": submission_blobs().describe(attempt.content)})


def send_file(
    request: HttpRequest, caller: User, session: str, assignment: str, client_id: UUID, sha256: str
) -> HttpResponse:
    attempt = get_attempt(request, caller, session, assignment, client_id)
    return blob_response(submission_blobs(), attempt.content, sha256)


attempts = endpoint(GET=list_attempts, POST=submit)
files = endpoint(GET=list_files)
file = endpoint(GET=send_file)
