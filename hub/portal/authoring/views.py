"""`/atelier/`: the courses a person writes, and a new one.

Laws: only who may write courses comes in, and sees their own; the files are in the author's space, so every action on
them is a page of the bridge (docs/reference/bridge.md), where this page sends.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.portal.accounts.permissions import role_required
from hub.portal.authoring.drafts import list_written_courses
from hub.portal.authoring.forms import DraftForm
from hub.portal.authoring.models import Draft
from hub.portal.learning.views.module import redirect_to_bridge


@require_safe
@never_cache
@role_required("catalogue.write_course")
def workshop(request: HttpRequest) -> HttpResponse:
    return render(request, "authoring/workshop.html", {"courses": list_written_courses(request.user)})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@role_required("catalogue.write_course")
def new_course(request: HttpRequest) -> HttpResponseBase:
    form = DraftForm(request.POST or None, instance=Draft(author=request.user))  # type: ignore[misc]
    if request.method == "POST" and form.is_valid():
        draft = form.save()
        return redirect_to_bridge(request, "newcourse", ticket=str(draft.ticket))
    return render(request, "authoring/new_course.html", {"form": form}, status=422 if form.is_bound else 200)


@require_POST
@never_cache
@role_required("catalogue.write_course")
def open_course(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Go to the course in one's own space; the bridge makes its folder again if it was deleted."""
    draft = Draft.objects.filter(author=request.user, slug=slug).first()  # type: ignore[misc]
    if draft is None:
        return render(request, "404.html", status=404)
    return redirect_to_bridge(request, "newcourse", ticket=str(draft.ticket))
