"""Who may come in: approving, refusing, deactivating. Every decision is here, logged, and told to the person.

Laws: only a confirmed address proves its domain, so nobody is approved before they confirm it; an administrator is
never refused or deactivated by a manager, nor anybody by themselves; deciding twice, even at the same moment, changes
nothing and tells nobody (each decision is one conditional UPDATE).
"""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_noop

from hub.portal.accounts.access import end_hub_access, end_sessions
from hub.portal.accounts.models import User

logger = logging.getLogger(__name__)


def tell(user: User, template: str, subject: str, **context: object) -> bool:
    """Write to a person; a mail server that fails is logged and undoes no decision."""
    context |= {"user": user, "portal": settings.ENVIRONMENT.public_url}
    with translation.override(user.language or settings.LANGUAGE_CODE):  # not the language of whoever decides
        body = render_to_string(f"accounts/email/{template}.txt", context)
        title = translation.gettext(subject)
    try:
        send_mail(f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}{title}", body, None, [user.email])
    except (OSError, SMTPException) as error:
        logger.error("Message %s to account %s not sent: %s", template, user.pk, error)
        return False
    return True


def needs_no_approval(email: str) -> bool:
    """Whether a confirmed address opens the account by itself."""
    environment = settings.ENVIRONMENT
    return environment.signup == "open" or email.rpartition("@")[2].lower() in environment.signup_domains


def welcome(user: User, email: str) -> None:
    """The person has just confirmed `email`: let them in, or ask the managers."""
    if user.is_approved or user.refused_at is not None:
        return
    if needs_no_approval(email):
        user.approved_at = timezone.now()
        user.save(update_fields=["approved_at"])
        logger.info("Account %s approved: confirmed address", user.pk)
        return
    address = settings.ENVIRONMENT.public_url + reverse("account", args=[user.pk])
    for manager in User.objects.filter(is_manager=True, is_active=True, approved_at__isnull=False):
        tell(manager, "request", gettext_noop("une demande de compte attend"), person=user, address=address)


def approve(user: User, by: User) -> bool:
    """Open the account; False when it already was."""
    waiting = User.objects.filter(pk=user.pk, approved_at=None)
    if not waiting.update(approved_at=timezone.now(), refused_at=None, refusal_reason=""):
        return False
    logger.info("Account %s approved by account %s", user.pk, by.pk)
    tell(user, "approved", gettext_noop("votre compte est ouvert"))
    return True


def refuse(user: User, by: User, reason: str) -> bool:
    """Refuse a request that waits; False when it was decided already."""
    waiting = User.objects.filter(pk=user.pk, approved_at=None, refused_at=None)
    if not waiting.update(refused_at=timezone.now(), refusal_reason=reason):
        return False
    logger.info("Account %s refused by account %s", user.pk, by.pk)
    tell(user, "refused", gettext_noop("votre demande de compte"), reason=reason)
    return True


def may_deactivate(user: User, by: User) -> bool:
    return user.pk != by.pk and (by.is_superuser or not user.is_superuser)


def deactivate(user: User, by: User) -> bool:
    """Close the account: sessions, tokens and servers end; work and marks stay."""
    if not may_deactivate(user, by) or not User.objects.filter(pk=user.pk, is_active=True).update(is_active=False):
        return False
    end_sessions(user)
    end_hub_access(user)
    logger.info("Account %s deactivated by account %s", user.pk, by.pk)
    return True


def reactivate(user: User, by: User) -> bool:
    if not may_deactivate(user, by) or not User.objects.filter(pk=user.pk, is_active=False).update(is_active=True):
        return False
    logger.info("Account %s reactivated by account %s", user.pk, by.pk)
    return True
