"""What waits for the mail server, for administrators: read, delete, nothing else (texts hold one-time links: not shown)."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from hub.portal.outbox.models import OutgoingMessage


@admin.register(OutgoingMessage)
class OutgoingMessageAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("message_id", "created_at", "due_at", "tries", "failed_at", "error")
    readonly_fields = ("message_id", "created_at", "due_at", "tries", "failed_at", "error")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
