"""People: one account each, the same for the portal, the Hub and learners' servers.

Laws: an e-mail address is stored in lower case and belongs to one person; `hub_name` is drawn at random when the account
is made and never changes, so that a person may change e-mail or name without losing their work, and the Hub knows
neither. A person who is inactive or not approved has no right at all, whatever their roles.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


def make_hub_name() -> str:
    """The name of a person for the Hub: 60 random bits behind a letter."""
    return "u" + "".join(secrets.choice(BASE32) for _position in range(12))


class UserManager(BaseUserManager["User"]):
    """Makes accounts; the e-mail address is the name people sign in with."""

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        return (email or "").strip().lower()

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=self.normalize_email(username))

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        if not self.normalize_email(email):
            raise ValueError("an account needs an e-mail address")
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        fields.setdefault("approved_at", timezone.now())
        return self.create_user(email, password, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """One person."""

    email = models.EmailField(_("adresse électronique"), unique=True)
    display_name = models.CharField(_("nom affiché"), max_length=120)
    school = models.CharField(_("établissement"), max_length=200, blank=True)
    language = models.CharField(_("langue des messages"), max_length=10, blank=True, editable=False)
    """Of the pages when the person last signed up or in; empty: not known, messages are in French."""
    hub_name = models.CharField(_("nom pour le Hub"), max_length=13, unique=True, editable=False, default=make_hub_name)
    is_active = models.BooleanField(_("compte actif"), default=True)
    is_manager = models.BooleanField(_("gestionnaire"), default=False)
    is_author = models.BooleanField(_("concepteur"), default=False)
    created_at = models.DateTimeField(_("créé le"), default=timezone.now, editable=False)
    terms_accepted_at = models.DateTimeField(_("conditions acceptées le"), null=True, blank=True, editable=False)
    approved_at = models.DateTimeField(_("approuvé le"), null=True, blank=True)
    refused_at = models.DateTimeField(_("refusé le"), null=True, blank=True)
    refusal_reason = models.CharField(_("motif du refus"), max_length=500, blank=True)

    access_ended_at = models.DateTimeField(_("accès au Hub interrompu le"), null=True, blank=True, editable=False)
    """Last sign-out, new password or deactivation: a cookie of the Hub made before is worth nothing."""

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["display_name"]

    class Meta:
        verbose_name = _("personne")
        verbose_name_plural = _("personnes")
        ordering = ["display_name", "email"]

    def __str__(self) -> str:
        return self.display_name or self.email

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> User:
        user = super().from_db(*args, **kwargs)
        user._stored_hub_name = user.__dict__.get("hub_name")
        return user

    _stored_hub_name: str | None = None

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = UserManager.normalize_email(self.email)
        if self._stored_hub_name and self.hub_name != self._stored_hub_name:
            raise ValueError("hub_name never changes: the person's servers and files are under it")
        super().save(*args, **kwargs)
        self._stored_hub_name = self.hub_name

    @property
    def is_approved(self) -> bool:
        return self.approved_at is not None

    @property
    def is_staff(self) -> bool:
        """Whether Django's own administration opens."""
        return self.is_superuser and self.is_active and self.is_approved

    def get_full_name(self) -> str:
        return self.display_name

    def get_short_name(self) -> str:
        return self.display_name

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return self.is_active and self.is_approved and super().has_perm(perm, obj)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_approved and super().has_module_perms(app_label)
