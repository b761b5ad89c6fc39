"""Addresses of the door (docs/reference/door.md)."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path, register_converter

from hub.portal.authoring import door as authoring
from hub.portal.door.caller import unknown_address
from hub.portal.door.views import assignments, attempts, courses, feedback, gradebook, modules, people


class Sha256Converter:
    regex = "[0-9a-f]{64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(Sha256Converter, "sha256")

_ASSIGNMENT = "sessions/<slug:session>/assignments/<str:assignment>"
_ATTEMPT = f"{_ASSIGNMENT}/attempts/<uuid:client_id>"

urlpatterns: list[URLPattern] = [
    path("me", people.me),
    path("sessions/<slug:session>/modules/<slug:module>/files", modules.files),
    path("sessions/<slug:session>/modules/<slug:module>/files/<sha256:sha256>", modules.file),
    path("sessions/<slug:session>/assignments", assignments.assignments),
    path(_ASSIGNMENT, assignments.assignment),
    path(f"{_ASSIGNMENT}/files", assignments.files),
    path(f"{_ASSIGNMENT}/files/<sha256:sha256>", assignments.file),
    path(f"{_ASSIGNMENT}/attempts", attempts.attempts),
    path(f"{_ATTEMPT}/files", attempts.files),
    path(f"{_ATTEMPT}/files/<sha256:sha256>", attempts.file),
    path(f"{_ATTEMPT}/feedback", feedback.feedback),
    path(f"{_ATTEMPT}/feedback/<sha256:sha256>", feedback.file),
    path("sessions/<slug:session>/gradebook", gradebook.gradebook),
    path("sessions/<slug:session>/gradebook/<sha256:sha256>", gradebook.file),
    path("sessions/<slug:session>/gradebook/marks", gradebook.marks),
    path("courses/<slug:course>", courses.course),
    path("drafts/<uuid:ticket>", authoring.draft),
    re_path(r"^(?P<path>.*)$", unknown_address),
]
