"""Forms of those who open sessions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hub.portal.catalogue.models import CourseSession, CourseVersion, SessionRole


class CourseChoiceField(forms.ModelChoiceField[CourseVersion]):
    def label_from_instance(self, version: CourseVersion) -> str:
        return f"{version.title} ({version.version})"


class SessionForm(forms.ModelForm[CourseSession]):
    """Opening a session, and correcting it; the course and the address are chosen once."""

    course_version = CourseChoiceField(
        label=gettext_lazy("Parcours"), queryset=CourseVersion.objects.none(), empty_label=gettext_lazy("choisissez…")
    )

    class Meta:
        model = CourseSession
        fields = ("course_version", "title", "slug", "starts_on", "ends_on", "enrolment", "key", "capacity")
        labels = {
            "title": gettext_lazy("Titre"),
            "slug": gettext_lazy("Adresse courte"),
            "starts_on": gettext_lazy("Premier jour"),
            "ends_on": gettext_lazy("Dernier jour"),
            "enrolment": gettext_lazy("Inscription"),
            "key": gettext_lazy("Clé d’inscription"),
            "capacity": gettext_lazy("Nombre de places"),
        }
        help_texts = {
            "slug": gettext_lazy("Minuscules sans accent, chiffres, tirets. Elle ne change plus ensuite."),
            "ends_on": gettext_lazy("Laissez vide pour une autoformation, sans date limite."),
            "key": gettext_lazy("À donner aux participants, si l’inscription se fait avec une clé."),
            "capacity": gettext_lazy("Laissez vide pour ne pas limiter."),
        }
        widgets = {
            "starts_on": forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
            "ends_on": forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["course_version"], self.fields["slug"]
            return
        field = self.fields["course_version"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - for mypy
        field.queryset = CourseVersion.objects.filter(is_current=True).select_related("course").order_by("title")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        starts_on, ends_on = cleaned.get("starts_on"), cleaned.get("ends_on")
        if starts_on and ends_on and ends_on < starts_on:
            self.add_error("ends_on", _("Le dernier jour précède le premier."))
        cleaned["key"] = (cleaned.get("key") or "").strip()
        if cleaned.get("enrolment") == CourseSession.EnrolmentMode.KEY and len(cleaned["key"]) < 6:
            self.add_error("key", _("Choisissez une clé d’au moins 6 caractères."))
        return cleaned


class RoleForm(forms.Form):
    """Naming a trainer or a grader by e-mail address."""

    email = forms.EmailField(label=gettext_lazy("Adresse électronique"))
    role = forms.ChoiceField(label=gettext_lazy("Rôle"), choices=SessionRole.Role.choices)

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).strip().lower()
        people = get_user_model()._default_manager.filter(email=email, is_active=True, approved_at__isnull=False)
        self.person = people.first()
        if self.person is None:
            raise forms.ValidationError(_("Aucun compte approuvé n’a cette adresse."), code="unknown-person")
        return email
