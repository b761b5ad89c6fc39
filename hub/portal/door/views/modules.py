"""Files of a module, for the bridge that delivers them into the learner's home."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from hub.portal.accounts.models import User
from hub.portal.door.caller import check_member, endpoint
from hub.portal.door.errors import not_found
from hub.portal.door.views.blobs import file_response
from hub.portal.learning.delivery import module_files, open_blob


def list_files(request: HttpRequest, caller: User, session: str, module: str) -> JsonResponse:
    check_member(caller, session)
    found = module_files(session, module, caller)
    if found is None:
        raise not_found(_("Ce module n’existe pas dans cette session."))
    files = [{"path": file.path, "sha256": file.sha256, "size": file.size_bytes} for file in found.files]
    return JsonResponse({"version": found.version, "files": files})


def send_file(request: HttpRequest, caller: User, session: str, module: str, sha256: str) -> HttpResponse:
    check_member(caller, session)
    content = open_blob(session, module, sha256, caller)
    if content is None:
        raise not_found()
    return file_response(content)


files = endpoint(GET=list_files)
file = endpoint(GET=send_file)
