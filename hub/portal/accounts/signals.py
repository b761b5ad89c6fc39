"""What follows from signing out and from a new password, however it came about."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_changed, password_reset, password_set, user_signed_up
from allauth.usersessions.models import UserSession
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.translation import get_language

from hub.portal.accounts.access import end_hub_access, end_sessions
from hub.portal.accounts.models import User


@receiver([user_signed_up, user_logged_in])
def after_sign_in(sender: object, user: User, **_kwargs: Any) -> None:
    """Messages will be in the language of the pages that the person reads."""
    language = get_language() or ""
    if language and user.language != language:
        user.language = language
        User.objects.filter(pk=user.pk).update(language=language)


@receiver(user_logged_out)
def after_sign_out(sender: object, request: HttpRequest, user: User | None, **_kwargs: Any) -> None:
    """Tokens and servers end; sent before Django flushes the session, whose key is therefore still known."""
    if user is None:
        return
    if request.session.session_key:
        UserSession.objects.filter(session_key=request.session.session_key).delete()
    end_hub_access(user)


@receiver([password_changed, password_reset, password_set])
def after_new_password(sender: object, request: HttpRequest, user: User, **_kwargs: Any) -> None:
    """Whoever knew the old password is out; the browser that changed it stays."""
    end_sessions(user, keep=request.session.session_key)
    end_hub_access(user)
