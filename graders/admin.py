"""Attempts and releases in Django's administration: to look, never to change (marks go through `marks.set_manual`)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from graders.models import Assignment, AssignmentVersion, Attempt, CellMark, Review


class ReadOnly(admin.ModelAdmin[Any]):
    """Shows rows; adds, changes and deletes none."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Assignment)
class AssignmentAdmin(ReadOnly):
    list_display = ("session", "name", "current", "withdrawn_at")
    list_filter = ("session",)


@admin.register(AssignmentVersion)
class AssignmentVersionAdmin(ReadOnly):
    list_display = ("assignment", "version", "title", "max_points", "released_at")


@admin.register(Attempt)
class AttemptAdmin(ReadOnly):
    list_display = ("assignment", "learner", "number", "state", "received_at", "runs", "code")
    list_filter = ("state", "assignment__session")
    list_select_related = ("assignment", "learner")


@admin.register(CellMark)
class CellMarkAdmin(ReadOnly):
    list_display = ("attempt", "exercise", "kind", "points", "manual_points", "max_points", "code")
    list_select_related = ("attempt__assignment",)


@admin.register(Review)
class ReviewAdmin(ReadOnly):
    list_display = ("attempt", "number", "grader", "origin", "saved_at")
    list_select_related = ("attempt__assignment", "grader")
