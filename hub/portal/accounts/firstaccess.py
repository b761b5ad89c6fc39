"""The one-time link that makes the administrator: signed with the portal's key, of no use once there is one."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.urls import reverse

from hub.portal.accounts.models import User

SALT = "pupitre.first-access"
LIFETIME = timedelta(days=7)


def is_needed() -> bool:
    return not User.objects.filter(is_superuser=True).exists()


def make_link() -> str:
    token = signing.dumps("administrator", salt=SALT)
    return f"{settings.ENVIRONMENT.public_url}{reverse('first_admin', args=[token])}"


def is_valid(token: str) -> bool:
    try:
        return bool(signing.loads(token, salt=SALT, max_age=LIFETIME) == "administrator")
    except signing.BadSignature:
        return False
