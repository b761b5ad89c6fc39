"""How people reach the Hub: through the portal, and only as long as the portal says so.

Laws: the Hub shows no sign-in page of its own; who signed out of the portal, or was deactivated, is asked to sign in
again within `auth_refresh_age` and before any server starts; so is every browser that signed in to the Hub before the
person last signed out or changed password, even where they are signed in again since; a portal that does not answer
signs nobody out.
"""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from oauthenticator.generic import GenericOAuthenticator
from tornado.httpclient import HTTPClientError
from traitlets import Float, Unicode, default


class PortalAuthenticator(GenericOAuthenticator):
    """Signs in against the portal's OpenID Connect provider and asks it again every minute."""

    state_url = Unicode(
        config=True, help="Where the portal says whether a person may still come in; ends with a slash."
    )
    state_timeout_s = Float(3.0, config=True, help="How long the Hub waits for that answer.")

    @default("state_url")
    def _beside_userdata(self) -> str:
        return str(urljoin(self.userdata_url, "../../etat/"))

    @default("logout_redirect_url")
    def _catalogue(self) -> str:
        address = urlsplit(self.authorize_url)
        return f"{address.scheme}://{address.netloc}/"

    @default("login_service")
    def _login_service(self) -> str:
        return "Pupitre"

    @default("auth_refresh_age")
    def _one_minute(self) -> int:
        return 60

    @default("refresh_pre_spawn")
    def _before_a_server_starts(self) -> bool:
        return True

    async def refresh_user(self, user: Any, handler: Any = None, **kwargs: Any) -> bool:
        """Whether the person stays signed in to the Hub."""
        try:
            answer = await self.httpfetch(
                self.state_url + quote(user.name, safe=""),
                headers={"Authorization": f"Bearer {self.client_secret}", "Accept": "application/json"},
                request_timeout=self.state_timeout_s,
                connect_timeout=self.state_timeout_s,
            )
            active, ended = bool(answer["active"]), str(answer["ended"])
        except (HTTPClientError, OSError, ValueError, KeyError, TypeError) as error:
            self.log.warning("The portal did not say whether %s may stay: %s. Kept signed in.", user.name, error)
            return True
        return active and not self._end_older_cookies(user, ended)

    def _end_older_cookies(self, user: Any, ended: str) -> bool:
        """Give the person a new cookie id, once per `ended`; whether it was needed.

        The Hub's cookies hold `cookie_id`. It begins with the stamp it was made for, so that nothing else is to be kept.
        """
        if not ended or user.orm_user.cookie_id.startswith(f"{ended}-"):
            return False
        user.orm_user.cookie_id = f"{ended}-{secrets.token_hex(16)}"
        user.db.commit()
        self.log.info("Older cookies of %s ended", user.name)
        return True
