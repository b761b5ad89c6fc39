"""Where allauth asks us: may this person sign up, where to go next, what a message says."""

from __future__ import annotations

import logging
import os
from smtplib import SMTPException
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from hub.portal.accounts.approval import welcome
from hub.portal.accounts.models import User

logger = logging.getLogger(__name__)


def _with_public_links(context: dict[str, Any]) -> dict[str, Any]:
    """The links of a message, on the public address whatever Host the request bore."""
    public = urlsplit(settings.ENVIRONMENT.public_url)
    return {
        name: urlsplit(value)._replace(scheme=public.scheme, netloc=public.netloc).geturl()
        if name.endswith("_url") and isinstance(value, str)
        else value
        for name, value in context.items()
    }


class AccountAdapter(DefaultAccountAdapter):
    """allauth's ways, with our rules."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.ENVIRONMENT.signup != "closed")

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        """Through the Hub, whose cookie in this browser ends too; the Hub sends back to the catalogue."""
        if os.environ.get("JUPYTERHUB_API_URL"):
            return f"{settings.ENVIRONMENT.jupyter_url}/hub/logout"
        return str(super().get_logout_redirect_url(request))

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        confirmed = bool(super().confirm_email(request, email_address))
        if confirmed:
            welcome(email_address.user, email_address.email)
        return confirmed

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Sign messages with the service's name; a mail server that fails is said in the page, and the page stays."""
        site = SimpleNamespace(name="Pupitre", domain=settings.ENVIRONMENT.portal_host)
        try:
            portal = {"current_site": site, "portal": settings.ENVIRONMENT.public_url}
            super().send_mail(template_prefix, email, {**_with_public_links(context), **portal})
        except (OSError, SMTPException) as error:
            logger.error("Message %s not sent: %s", template_prefix, error)
            self._say_not_sent()

    def _say_not_sent(self) -> None:
        request = context.request
        if request is not None:
            messages.error(request, _("Le message n’a pas pu être envoyé. Réessayez dans quelques minutes."))


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """People who come from the outside provider follow the same rules of approval."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return bool(settings.ENVIRONMENT.signup != "closed")

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        user: User = super().populate_user(request, sociallogin, data)
        names = (data.get("first_name") or "", data.get("last_name") or "")
        user.display_name = (data.get("name") or " ".join(filter(None, names)) or data.get("email") or "")[:120]
        return user

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        user: User = super().save_user(request, sociallogin, form)
        address = EmailAddress.objects.filter(user=user, verified=True).first()
        if address:
            welcome(user, address.email)
        return user
