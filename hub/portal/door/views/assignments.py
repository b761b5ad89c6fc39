"""Assignments of a session: what learners fetch, and releasing by nbgrader's `release_assignment`."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from graders.assignments import find_assignment, publish, withdraw
from graders.blobs import assignment_blobs
from graders.models import Assignment
from graders.submitted import load_cells
from hub.portal.accounts.models import User
from hub.portal.door.caller import check_member, check_right, endpoint
from hub.portal.door.errors import DoorError, not_found
from hub.portal.door.limits import RELEASE_LIMITS
from hub.portal.door.uploads import read_upload
from hub.portal.door.views.blobs import blob_response

ASSIGNMENT_NAME = re.compile(r"\w[\w .-]{0,127}")


def get_assignment(session: str, name: str) -> Assignment:
    assignment = find_assignment(session, name)
    if assignment is None:
        raise not_found(_("Cette session n’a pas de carnet d’exercices « %s ».") % name[:128])
    return assignment


def list_assignments(request: HttpRequest, caller: User, session: str) -> JsonResponse:
    check_member(caller, session)
    rows = Assignment.objects.filter(session=session, withdrawn_at=None, current__isnull=False).select_related(
        "current"
    )
    return JsonResponse([_describe(row) for row in rows.order_by("name")], safe=False)


def _describe(row: Assignment) -> dict[str, Any]:
    version = row.current
    assert version is not None  # noqa: S101 - the queries above ask for it
    return {
        "name": row.name,
        "title": row.title,
        "version": version.version,
        "released_at": version.released_at.isoformat(),
        "notebooks": version.notebooks,
        "max_points": version.max_points,
    }


def list_files(request: HttpRequest, caller: User, session: str, assignment: str) -> JsonResponse:
    check_member(caller, session)
    version = get_assignment(session, assignment).current
    assert version is not None  # noqa: S101 - find_assignment asks for it
    return JsonResponse({"version": version.version, "files": assignment_blobs().describe(version.release)})


def send_file(request: HttpRequest, caller: User, session: str, assignment: str, sha256: str) -> HttpResponse:
    """Also of an older release: it may have been replaced between the list and this call."""
    check_member(caller, session)
    released: dict[str, str] = {}
    for version in get_assignment(session, assignment).versions.all():
        released |= {digest: digest for digest in version.release.values()}
    return blob_response(assignment_blobs(), released, sha256)


def release(request: HttpRequest, caller: User, session: str, assignment: str) -> JsonResponse:
    """Release what nbgrader made: `files` is learners' copy, `source` (if sent) the notebooks with hidden tests.

    Without `source`, attempts are marked by the visible tests of learners' copy.
    """
    check_right(caller, "graders.release_session", session)
    if not ASSIGNMENT_NAME.fullmatch(assignment):
        raise DoorError(400, "bad-name", _("Le nom « %s » ne convient pas à un carnet d’exercices.") % assignment[:80])
    upload = read_upload(request, RELEASE_LIMITS)
    if not any(path.endswith(".ipynb") for path in upload.files):
        raise DoorError(400, "no-notebook", _("Aucun carnet Jupyter (.ipynb) ne figure parmi les fichiers reçus."))
    source = upload.groups.get("source") or upload.files
    for path, content in upload.files.items():
        if path.endswith(".ipynb"):
            load_cells(content)
    digest = hashlib.sha256(b"".join(path.encode() + content for path, content in sorted(source.items()))).hexdigest()
    row = publish(
        session=session,
        name=assignment,
        version=upload.fields.get("version", "")[:64] or digest[:12],
        title=upload.fields.get("title", "")[:200],
        release=upload.files,
        source=source,
    )
    row = Assignment.objects.select_related("current").get(pk=row.pk)
    return JsonResponse(_describe(row))


def withdraw_assignment(request: HttpRequest, caller: User, session: str, assignment: str) -> HttpResponse:
    check_right(caller, "graders.release_session", session)
    get_assignment(session, assignment)
    withdraw(session=session, name=assignment)
    return HttpResponse(status=204)


assignments = endpoint(GET=list_assignments)
assignment = endpoint(PUT=release, DELETE=withdraw_assignment)
files = endpoint(GET=list_files)
file = endpoint(GET=send_file)
