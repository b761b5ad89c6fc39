"""Make the Hub known to the identity provider, or bring what is known up to date."""

from __future__ import annotations

import secrets
from typing import Any

from allauth.idp.oidc.models import Client
from django.conf import settings
from django.core.management.base import BaseCommand

from hub.portal.keys import ensure_secret_file

CLIENT_ID = "jupyterhub"


def get_client_secret() -> str:
    """The secret that the Hub and the portal share; made by whichever starts first."""
    path = settings.ENVIRONMENT.state_dir / "keys" / "hub-client"
    secret = path.read_text("ascii") if path.exists() else ensure_secret_file(path, secrets.token_urlsafe(48))
    return secret.strip()


class Command(BaseCommand):
    help = "Create or update the OpenID Connect client `jupyterhub`; run again, it changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        secret = get_client_secret()
        client = Client.objects.filter(pk=CLIENT_ID).first() or Client(id=CLIENT_ID)
        client.name = "JupyterHub"
        client.type = Client.Type.CONFIDENTIAL
        client.skip_consent = True  # the Hub is ours: nothing to ask the person
        client.set_scopes(["openid", "profile", "email"])
        client.set_redirect_uris([f"{settings.ENVIRONMENT.jupyter_url}/hub/oauth_callback"])
        client.set_grant_types([Client.GrantType.AUTHORIZATION_CODE])
        client.set_response_types([Client.ResponseType.CODE])
        if not client.check_secret(secret):
            client.set_secret(secret)
        client.save()
