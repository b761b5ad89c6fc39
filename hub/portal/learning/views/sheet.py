"""`/session/<session>/module/<module>/fiche/<version>.<form>`: the module's classroom sheet, made when it is asked for.

Law: who may see the module may have every version: participants are teachers, and the sheet is for their own class.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from hub.portal.catalogue.sheet import VERSIONS, parse_sheet, render_notebook, render_pdf
from hub.portal.learning.access import ask_to_sign_in, get_module_access
from hub.portal.learning.delivery import load_sheet

CONTENT_TYPES = {"pdf": "application/pdf", "ipynb": "application/x-ipynb+json"}


@require_safe
@never_cache
def sheet(request: HttpRequest, session: str, module: str, version: str, form: str) -> HttpResponseBase:
    sign_in = ask_to_sign_in(request)
    if sign_in:
        return sign_in
    access = get_module_access(request, session, module)
    wanted = next((known for known in VERSIONS if known == version), None)
    source = load_sheet(access.session, module)
    if source is None or wanted is None or form not in CONTENT_TYPES:
        raise Http404
    parsed = parse_sheet(source)
    if form == "pdf":
        course = access.session.course_version.file
        data = render_pdf(parsed, wanted, course=course.title, module=access.module.title, license=course.license)
    else:
        data = render_notebook(parsed, wanted)
    response = HttpResponse(data, content_type=CONTENT_TYPES[form])
    response["Content-Disposition"] = f'attachment; filename="fiche-{module}-{wanted}.{form}"'
    return response
