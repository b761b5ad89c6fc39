"""`PUT courses/<slug>`: an author publishes the course folder written in the workshop."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _

from hub.portal.accounts.models import User
from hub.portal.authoring.drafts import claim_course, may_publish
from hub.portal.catalogue.coursefile import CourseFileError, load_course
from hub.portal.catalogue.publish import publish_course
from hub.portal.door.caller import endpoint
from hub.portal.door.errors import DoorError
from hub.portal.door.limits import COURSE_LIMITS
from hub.portal.door.uploads import read_upload


def publish(request: HttpRequest, caller: User, course: str) -> JsonResponse:
    """Publish the folder sent as `files`; nothing is published unless all of it is right."""
    if not caller.has_perm("catalogue.write_course"):
        raise DoorError(403, "forbidden", _("Seuls les concepteurs et les formateurs peuvent publier un parcours."))
    if not may_publish(caller, course):
        raise DoorError(
            403, "not-yours", _("Cette adresse est celle du parcours d’une autre personne : choisissez-en une autre.")
        )
    upload = read_upload(request, COURSE_LIMITS)
    with tempfile.TemporaryDirectory(prefix="pupitre-course-") as temporary:
        folder = Path(temporary) / course
        _unpack(folder, upload.files)
        try:
            found = load_course(folder).slug
            if found != course:
                raise DoorError(
                    400,
                    "bad-course",
                    _("Le fichier course.yml annonce le parcours « %(found)s », et non « %(asked)s ».")
                    % {"found": found, "asked": course},
                )
            version = publish_course(folder)
        except CourseFileError as error:
            # The person knows their course folder, not ours.
            raise DoorError(
                400, "bad-course", str(error).replace(f"{folder}/", "").replace(str(folder), course)
            ) from error
    claim_course(caller, course, version.title)
    return JsonResponse({"slug": course, "version": version.version, "url": version.course.get_absolute_url()})


def _unpack(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files; their paths were checked, and the folder is new and ours alone, so no link can lie in the way."""
    folder.mkdir(mode=0o700)
    for path, content in files.items():
        target = folder / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        except OSError as error:  # one name is both a file and a folder, or too long for the disk
            raise DoorError(400, "bad-path", _("Le nom de fichier « %s » n’est pas accepté.") % path[:80]) from error


course = endpoint(PUT=publish)
