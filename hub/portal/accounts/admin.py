"""People in Django's administration (for admins only: `User.is_staff`)."""

from __future__ import annotations

from django.contrib import admin

from hub.portal.accounts.models import User


@admin.register(User)
class UserAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    list_display = ("display_name", "email", "school", "is_manager", "is_author", "is_active", "approved_at")
    list_filter = ("is_active", "is_manager", "is_author", "is_superuser")
    search_fields = ("display_name", "email", "school", "hub_name")
    readonly_fields = ("hub_name", "created_at", "terms_accepted_at", "last_login")
    fields = (
        "display_name",
        "email",
        "school",
        "hub_name",
        "is_active",
        "is_manager",
        "is_author",
        "is_superuser",
        "approved_at",
        "refused_at",
        "refusal_reason",
        "created_at",
        "terms_accepted_at",
        "last_login",
    )

    def has_add_permission(self, request: object) -> bool:
        return False  # people sign up: an address must be confirmed
