"""allauth's forms with our words: one word per idea, the same on every page."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth
from django.utils.translation import gettext_lazy as _

LABELS = {
    "login": _("Adresse électronique"),
    "email": _("Adresse électronique"),
    "remember": _("Rester connecté sur cet appareil"),
    "oldpassword": _("Mot de passe actuel"),
    "password1": _("Mot de passe"),
    "password2": _("Mot de passe, une seconde fois"),
}
PASSWORD_HELP = _("Dix caractères au moins, et rien de courant ni de proche de votre nom.")


class _OurWords:
    """Gives a form's fields our labels once allauth has made them."""

    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in LABELS.items():
            if name in self.fields:
                self.fields[name].label = label
        if "password2" in self.fields:
            self.fields["password1"].help_text = PASSWORD_HELP


class LoginForm(_OurWords, allauth.LoginForm):
    pass


class SignupForm(_OurWords, allauth.SignupForm):
    pass


class AddEmailForm(_OurWords, allauth.AddEmailForm):
    pass


class ChangePasswordForm(_OurWords, allauth.ChangePasswordForm):
    pass


class SetPasswordForm(_OurWords, allauth.SetPasswordForm):
    pass


class ResetPasswordForm(_OurWords, allauth.ResetPasswordForm):
    pass


class ResetPasswordKeyForm(_OurWords, allauth.ResetPasswordKeyForm):
    pass
