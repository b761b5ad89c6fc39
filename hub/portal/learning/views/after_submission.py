"""`/session/<session>/module/<module>/apres-depot/<path>`: a file of the module that opens once the learner has handed in.

Laws: asked of `delivery`, as the door does: who has not handed in gets 404, as for a file that does not exist; Markdown is
shown as a page, anything else is a download that no browser runs.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from hub.portal.catalogue.presentation import file_title, render_document
from hub.portal.learning.access import ask_to_sign_in, get_module_access
from hub.portal.learning.delivery import list_files_after_submission, open_blob


@require_safe
@never_cache
def after_submission(request: HttpRequest, session: str, module: str, path: str) -> HttpResponseBase:
    sign_in = ask_to_sign_in(request)
    if sign_in:
        return sign_in
    access = get_module_access(request, session, module)
    files = list_files_after_submission(access.session, module, request.user)
    found = next((file for file in files if file.path == path), None)
    data = open_blob(access.session, module, found.sha256, request.user) if found else None
    if data is None:
        raise Http404
    if not path.endswith(".md"):
        response = HttpResponse(data, content_type="application/octet-stream")
        response["Content-Disposition"] = f'attachment; filename="{PurePosixPath(path).name}"'
        return response
    context = {
        "session": access.session,
        "module": access.module,
        "title": file_title(path),
        "text": render_document(data.decode("utf-8", "replace")),
    }
    return render(request, "learning/after_submission.html", context)
