"""`/parcours/<course>/`: what a course is, who it is for, and the sessions where one can take it; and its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from hub.portal.catalogue import storage
from hub.portal.catalogue.coursefile import Module
from hub.portal.catalogue.models import CourseSession, CourseVersion
from hub.portal.catalogue.presentation import compute_modality
from hub.portal.catalogue.programme import NamedCapacity


@dataclass(frozen=True)
class DescribedModule:
    """One module as the course's page shows it."""

    module: Module
    capacities: Sequence[NamedCapacity]


def get_current_version(course: str) -> CourseVersion:
    return get_object_or_404(CourseVersion.objects.select_related("course"), course__slug=course, is_current=True)


@require_safe
def course(request: HttpRequest, course: str) -> HttpResponse:
    version = get_current_version(course)
    sessions = CourseSession.objects.filter(course_version__course=version.course, state=CourseSession.State.OPEN)
    described = [DescribedModule(module, version.name_capacities(module)) for module in version.modules]
    context = {
        "version": version,
        "main_modules": [entry for entry in described if not entry.module.bonus],
        "bonus_modules": [entry for entry in described if entry.module.bonus],
        "file": version.file,
        "modality": compute_modality(version.file),
        "sessions": sessions.order_by("starts_on", "title"),
    }
    return render(request, "catalogue/course.html", context)


@require_safe
def course_image(request: HttpRequest, course: str) -> HttpResponse:
    version = get_current_version(course)
    return _send_image(version, version.file.image)


@require_safe
def badge_image(request: HttpRequest, course: str, badge: str) -> HttpResponse:
    version = get_current_version(course)
    return _send_image(version, next((spec.image for spec in version.file.badges if spec.slug == badge), None))


def _send_image(version: CourseVersion, name: str | None) -> HttpResponse:
    """An author's SVG: opened by itself it may neither run anything nor load anything."""
    if name is None:
        raise Http404
    try:
        data = storage.load_image(version, name)
    except (OSError, LookupError) as error:
        raise Http404 from error
    response = HttpResponse(data, content_type="image/svg+xml")
    response["Cache-Control"] = "public, max-age=3600"
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    return response
