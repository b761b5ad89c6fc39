"""The portal as the Hub's OpenID Connect provider: who a person is for the Hub.

Laws: `sub` is `hub_name`, random and immutable; only approved active people exist; the issuer is the public address,
whatever host the Hub used to ask (it calls the portal's local port).
"""

from __future__ import annotations

from typing import Any

from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from allauth.idp.oidc.models import Client
from django.conf import settings

from hub.portal.accounts.models import User


class PortalOIDCAdapter(DefaultOIDCAdapter):
    """allauth's provider, answering with Hub names."""

    def get_issuer(self) -> str:
        return str(settings.ENVIRONMENT.public_url)

    def get_user_sub(self, client: Client, user: User) -> str:
        return user.hub_name

    def get_user_by_sub(self, client: Client, sub: str) -> User | None:
        return User.objects.filter(hub_name=sub, is_active=True, approved_at__isnull=False).first()

    def get_claims(
        self, purpose: Any, user: User, client: Client, scopes: Any, email: str | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """`sub`, `name` and the confirmed address: nothing else of a person goes to the Hub."""
        claims = super().get_claims(purpose, user, client, scopes, email, **kwargs)
        return {key: value for key, value in claims.items() if key in {"sub", "name", "email", "email_verified"}}
