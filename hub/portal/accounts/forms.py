"""Forms about people: what a new person tells of themselves, the first administrator, a manager's decision."""

from __future__ import annotations

import unicodedata
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hub.portal.accounts.models import User


def check_display_name(value: str) -> str:
    """Refuse what is no name: nothing visible, or characters that turn or hide text around it."""
    name = " ".join(value.split())
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co") for character in name):
        raise forms.ValidationError(_("Ce nom contient un caractère invisible : saisissez-le au clavier."))
    if not any(character.isalnum() or unicodedata.category(character).startswith(("S", "P")) for character in name):
        raise forms.ValidationError(_("Saisissez votre nom tel qu’il doit figurer sur une attestation."))
    return name


def make_name_field() -> forms.CharField:
    return forms.CharField(
        label=_("Prénom et nom"),
        max_length=120,
        help_text=_("Tels qu’ils doivent figurer sur vos attestations et vos badges."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )


class SignupForm(forms.Form):
    """What allauth's sign-up form asks besides e-mail and password."""

    display_name = make_name_field()
    school = forms.CharField(
        label=_("Établissement (facultatif)"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    terms = forms.BooleanField(
        label=_("J’ai lu comment mes données sont utilisées et je l’accepte."),
        error_messages={"required": _("Sans votre accord, nous ne pouvons pas ouvrir de compte.")},
    )

    field_order = ["display_name", "email", "school", "password1", "password2", "terms"]

    def clean_display_name(self) -> str:
        return check_display_name(self.cleaned_data["display_name"])

    def signup(self, request: HttpRequest, user: User) -> None:
        """Complete the account that allauth has just made."""
        user.display_name = self.cleaned_data["display_name"]
        user.school = " ".join(self.cleaned_data["school"].split())
        user.terms_accepted_at = timezone.now()
        user.save(update_fields=["display_name", "school", "terms_accepted_at"])


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """What a person may change of themselves."""

    display_name = make_name_field()

    class Meta:
        model = User
        fields = ["display_name", "school"]
        labels = {"school": _("Établissement (facultatif)")}

    def clean_display_name(self) -> str:
        return check_display_name(self.cleaned_data["display_name"])


class FirstAdminForm(forms.Form):
    """The administrator's account, made from the one-time link."""

    display_name = make_name_field()
    email = forms.EmailField(label=_("Adresse électronique"), widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    password1 = forms.CharField(
        label=_("Mot de passe"),
        strip=False,
        help_text=_("Dix caractères au moins, et rien de courant."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    password2 = forms.CharField(
        label=_("Mot de passe, une seconde fois"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_display_name(self) -> str:
        return check_display_name(self.cleaned_data["display_name"])

    def clean_email(self) -> str:
        email = self.cleaned_data["email"].lower()
        if User.objects.filter(email=email).exists():
            raise forms.ValidationError(_("Un compte existe déjà à cette adresse : choisissez-en une autre."))
        return str(email)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        password = data.get("password1")
        if password and data.get("password2") and password != data["password2"]:
            self.add_error("password2", _("Les deux mots de passe diffèrent."))
        if password:
            try:
                validate_password(
                    password, User(email=data.get("email", ""), display_name=data.get("display_name", ""))
                )
            except forms.ValidationError as error:
                self.add_error("password1", error)
        return data


class RefusalForm(forms.Form):
    """Why a request is refused; the person reads it."""

    reason = forms.CharField(
        label=_("Motif du refus"),
        max_length=500,
        help_text=_("Ce texte est envoyé tel quel à la personne."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
