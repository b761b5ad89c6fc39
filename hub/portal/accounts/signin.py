"""Signing in is allauth's; what a person may do is `permissions.RoleBackend`'s alone."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend


class SignInBackend(AuthenticationBackend):
    """Checks a password and grants nothing: Django's groups are not used, so no query asks for them."""

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return set()
